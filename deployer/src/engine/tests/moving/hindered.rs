//! What keeps a rename by import from its end is told by the plan, and the deploy begins nothing.

use super::*;
use crate::engine::Deployment;
use crate::engine::plan::{self, Grade, Plan, Registry, ResourceChange, Wanted};

/// Has a resource changed past CloudFormation.
pub(super) fn drift(
    account: &Shared,
    id: &'static str,
    status: &'static str,
    paths: &'static [&'static str],
) {
    let mut account = account.lock().expect("no holder panics");
    account.drifted.insert(id, (status, paths));
}

/// Plans the rename.
async fn plan(account: &Shared) -> Plan {
    planned_of(account, &moved()).await
}

/// Plans a stack.
pub(super) async fn planned_of(account: &Shared, stack: &StackDeployment) -> Plan {
    let template = serde_json::from_str(&stack.template).expect("is JSON");
    let wanted = Wanted {
        manifest: &stack.manifest,
        template: &template,
        contracts: &BTreeMap::new(),
        contents: &BTreeMap::new(),
    };
    let none = BTreeMap::new();
    let plan = plan::plan(&play(account).context, &[wanted], &none, &Registry).await;
    plan.expect("it is planned")
}

/// Returns what is planned for the queue.
async fn planned(account: &Shared) -> ResourceChange {
    let mut plan = plan(account).await;
    let changes = plan.stacks.pop().expect("of one stack").changes;
    let change = changes.into_iter().find(|it| it.logical_id == "Orders");
    change.expect("it is renamed")
}

/// Looks whether the plan and the deploy say the same, and nothing is done.
async fn is_told(account: &Shared, part: &str) {
    let change = planned(account).await;
    assert_eq!(change.grade, Grade::Impossible, "{change:?}");
    let told: Vec<&String> = change
        .reasons
        .iter()
        .filter(|it| it.contains(part))
        .collect();
    let [reason] = told.as_slice() else {
        panic!("{change:?}");
    };
    let error = deploy(&play(account).context, one(moved()), Answer::never())
        .await
        .expect_err("it is refused");
    let causes = crate::error::Error::from(error).causes().join(" ");
    assert!(causes.contains(*reason), "{causes}");
    let account = account.lock().expect("no holder panics");
    assert!(account.done.is_empty(), "{:?}", account.done);
    assert!(account.change_set.is_none());
}

#[tokio::test]
async fn a_rename_that_nothing_stands_against_is_planned_as_one() {
    let change = planned(&account()).await;
    assert_eq!(change.grade, Grade::UpdateInPlace, "{change:?}");
    assert_eq!(change.reasons.len(), 1, "{change:?}");
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html>
#[tokio::test]
async fn a_policy_of_somebody_else_that_denies_a_step_is_told() {
    for (action, id, denied) in [
        ("Update:Delete", "Inbox", "denies Update:Delete of Inbox"),
        ("Update:*", "Sender", "denies Update:Modify of Sender"),
        ("Update:Modify", "Orders", "denies Update:Modify of Orders"),
    ] {
        let account = account();
        let policy = json!({"Statement": [
            {"Effect": "Deny", "Action": action, "Principal": "*",
             "Resource": format!("LogicalResourceId/{id}")},
            {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
        ]});
        account.lock().expect("no holder panics").policy = policy.to_string();
        is_told(&account, denied).await;
    }
}

#[tokio::test]
async fn a_template_that_needs_a_bucket_which_is_not_there_is_told() {
    let account = account();
    {
        let mut account = account.lock().expect("no holder panics");
        account.template["Description"] = "x".repeat(50_600).into();
    }
    is_told(&account, "make one with `stackctl bootstrap`").await;
}

#[tokio::test]
async fn what_is_not_imported_is_told() {
    let account = account();
    account.lock().expect("no holder panics").importable = false;
    is_told(
        &account,
        "did not say that it imports resources of the type",
    )
    .await;
}

/// An import is an update to the type's provider: whoever changed the queue by hand is to know.
#[tokio::test]
async fn what_was_changed_by_hand_is_told_before_it_is_set_back() {
    let account = account();
    drift(&account, "Inbox", "MODIFIED", &["/DelaySeconds"]);
    let change = planned(&account).await;
    assert_eq!(change.grade, Grade::Interruption, "{change:?}");
    assert!(
        change.reasons[0].contains("(/DelaySeconds), and its import may set that back"),
        "{change:?}"
    );
    let played = play(&account);
    deploy(&played.context, one(moved()), Answer::yes())
        .await
        .expect("it is renamed");
    let told = format!("{:?}", played.events());
    assert!(
        told.contains("(/DelaySeconds), and its import may set that back"),
        "{told}"
    );
    check(&account);
}

#[tokio::test]
async fn what_was_deleted_by_hand_never_leaves() {
    let account = account();
    drift(&account, "Inbox", "DELETED", &[]);
    is_told(&account, "Inbox was deleted past CloudFormation").await;
}

/// A policy that is set between the plan and the deploy updates nothing, so nobody but the way tells of it.
#[tokio::test]
async fn another_way_than_the_planned_one_is_not_gone_unasked() {
    for is_agreed in [false, true] {
        let account = account();
        account.lock().expect("no holder panics").policy = String::new();
        let agreed = plan(&account).await;
        let queue = &agreed.stacks[0].changes[0];
        assert_eq!(queue.grade, Grade::None, "{queue:?}");
        account.lock().expect("no holder panics").policy = guard("Inbox");
        let deployment = Deployment {
            agreed,
            ..one(moved())
        };
        let answer = if is_agreed {
            Answer::yes()
        } else {
            Answer::no()
        };
        let ended = deploy(&play(&account).context, deployment, answer.clone()).await;
        {
            let anew = answer.anew.lock().expect("no holder panics");
            let told = format!("{:?}", anew[0].changes[0].reasons);
            assert!(told.contains("by import in up to four updates"), "{told}");
            assert_eq!(anew.len(), 1, "it is asked for once");
        }
        if is_agreed {
            ended.expect("it is renamed");
            check(&account);
        } else {
            let report = ended.expect_err("it is declined");
            let report = report.report().expect("something was begun");
            assert_eq!(report.stacks[0].outcome, Outcome::Declined);
            let account = account.lock().expect("no holder panics");
            assert!(account.done.is_empty(), "{:?}", account.done);
        }
    }
}

/// Somebody deployed another template past us while the queue was outside: what it was, the events tell.
#[tokio::test]
async fn what_is_outside_without_a_note_is_told() {
    let other = json!({"Resources": {"Other": {"Type": "AWS::SNS::Topic"}}});
    let left = "Inbox (AWS::SQS::Queue Inbox-physical) was kept outside when it left the stack";
    for (deployed, kept, grade, told) in [
        (&other, true, Grade::DataLoss, Some("an empty one is made")),
        (&other, false, Grade::None, None),
        (
            &template("Inbox"),
            true,
            Grade::UpdateInPlace,
            Some("the one that is there now"),
        ),
        (&template("Inbox"), false, Grade::UpdateInPlace, None),
    ] {
        let account = account();
        {
            let mut account = account.lock().expect("no holder panics");
            account.template = deployed.clone();
            account.kept = kept;
        }
        let change = planned(&account).await;
        assert_eq!(change.grade, grade, "{change:?}");
        let reason = change.reasons.iter().find(|it| it.contains(left));
        assert_eq!(reason.is_some(), told.is_some(), "{change:?}");
        let reason = reason.map(String::as_str).unwrap_or_default();
        assert!(reason.contains(told.unwrap_or_default()), "{reason}");
    }
}
