//! What goes along with a rename: by import where that is possible, and made anew where it is not.

use stack_model::assembly::Along;

use super::hindered::{drift, planned_of};
use super::several::{lock, moving, renamed};
use super::*;
use crate::engine::plan::{Action, Grade, ResourceChange};

fn along(to: &str) -> Along {
    Along {
        to: to.to_owned(),
        with: "Orders".to_owned(),
    }
}

/// No property alone identifies a permission, and a stack with a policy is not refactored.
fn with_permission(queue: &str, other: &str) -> Value {
    let mut template = template(queue);
    template["Resources"][other] = json!({"Type": "AWS::SQS::Queue", "Properties": {
        "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": [queue, "Arn"]}, "maxReceiveCount": 5},
    }});
    let permission = format!("{queue}Permission");
    template["Resources"][permission] = json!({"Type": "AWS::Lambda::Permission", "Properties": {
        "Action": "lambda:InvokeFunction", "FunctionName": "sorter", "Principal": "sqs.amazonaws.com",
        "SourceArn": {"Fn::GetAtt": [queue, "Arn"]},
    }});
    template["Resources"][format!("{queue}Policy")] = json!({
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {"Queues": [{"Ref": queue}], "PolicyDocument": {"Statement": []}},
    });
    template
}

#[tokio::test]
async fn what_goes_along_is_imported_too_and_what_cannot_be_is_made_anew() {
    for life in 0.. {
        let account = account();
        {
            let mut account = lock(&account);
            account.template = with_permission("Inbox", "InboxLetters");
            let other = ("InboxLetters".to_owned(), OTHER_URL.to_owned());
            account.physical.extend([other]);
        }
        let wanted = with_permission("Orders", "OrdersLetters");
        let mut stack = moving(&wanted, &[("Inbox", "Orders")]);
        stack.manifest.along = BTreeMap::from([
            ("InboxLetters".to_owned(), along("OrdersLetters")),
            ("InboxPermission".to_owned(), along("OrdersPermission")),
            ("InboxPolicy".to_owned(), along("OrdersPolicy")),
            // It was never there.
            ("InboxAlias".to_owned(), along("OrdersAlias")),
        ]);
        let died = renamed(&account, &stack, life).await;
        let account = lock(&account);
        assert_eq!(account.template, wanted, "after {life} calls");
        assert_eq!(account.physical["Orders"], URL, "after {life} calls");
        assert_eq!(account.physical["OrdersLetters"], OTHER_URL);
        if !died {
            let steps = [
                "UPDATE",
                "Inbox leaves",
                "InboxLetters leaves",
                // The policy counts all the while: it is retained, and made again before anything else.
                "InboxPolicy leaves",
                "UPDATE",
                "IMPORT",
                "UPDATE",
                "UPDATE",
                "InboxPermission leaves",
                "UPDATE",
            ];
            assert_eq!(account.done, steps);
            return;
        }
    }
}

/// Returns what is planned for a logical id.
async fn change_of(account: &Shared, stack: &StackDeployment, id: &str) -> ResourceChange {
    let mut plan = planned_of(account, stack).await;
    let changes = plan.stacks.pop().expect("of one stack").changes;
    let change = changes.into_iter().find(|it| it.logical_id == id);
    change.unwrap_or_else(|| panic!("{id} is not planned"))
}

/// Nothing is there that could be imported, and nothing that the removal of the old one could take away.
#[tokio::test]
async fn what_was_deleted_past_cloudformation_is_made_again_on_the_way() {
    for life in 0.. {
        let account = account();
        {
            let mut account = lock(&account);
            account.template = with_permission("Inbox", "InboxLetters");
            let other = ("InboxLetters".to_owned(), OTHER_URL.to_owned());
            account.physical.extend([other]);
        }
        drift(&account, "InboxLetters", "DELETED", &[]);
        let wanted = with_permission("Orders", "OrdersLetters");
        let mut stack = moving(&wanted, &[("Inbox", "Orders")]);
        stack.manifest.along =
            BTreeMap::from([("InboxLetters".to_owned(), along("OrdersLetters"))]);
        if life == 0 {
            let letters = change_of(&account, &stack, "OrdersLetters").await;
            assert_eq!(letters.grade, Grade::UpdateInPlace, "{letters:?}");
            let reasons: Vec<&str> = letters.reasons.iter().map(String::as_str).collect();
            assert_eq!(
                reasons,
                [
                    "it was InboxLetters, which was deleted past CloudFormation, so that it does not go along: it is made again under its new \
                     name, in an update of its own"
                ]
            );
            let queue = change_of(&account, &stack, "Orders").await;
            assert_eq!(queue.grade, Grade::UpdateInPlace, "{queue:?}");
        }
        let died = renamed(&account, &stack, life).await;
        let account = lock(&account);
        assert_eq!(account.template, wanted, "after {life} calls");
        assert_eq!(account.physical["Orders"], URL, "after {life} calls");
        let letters = &account.physical["OrdersLetters"];
        assert_eq!(*letters, format!("{URL}-anew"), "after {life} calls");
        if !died {
            let steps = [
                "UPDATE",
                "Inbox leaves",
                "InboxLetters leaves",
                "UPDATE",
                "IMPORT",
                "UPDATE",
                "UPDATE",
                "InboxPermission leaves",
                "InboxPolicy leaves",
                "UPDATE",
            ];
            assert_eq!(account.done, steps);
            return;
        }
    }
}

/// CloudFormation asks the service for an attribute, and none tells it of what is gone.
#[tokio::test]
async fn what_is_gone_and_is_asked_for_an_attribute_stands_in_the_way() {
    let with = |queue: &str, other: &str| {
        let mut template = with_permission(queue, other);
        template["Outputs"]["Letters"] = json!({"Value": {"Fn::GetAtt": [other, "Arn"]}});
        template
    };
    let account = account();
    lock(&account).template = with("Inbox", "InboxLetters");
    drift(&account, "InboxLetters", "DELETED", &[]);
    let mut stack = moving(&with("Orders", "OrdersLetters"), &[("Inbox", "Orders")]);
    stack.manifest.along = BTreeMap::from([("InboxLetters".to_owned(), along("OrdersLetters"))]);
    is_refused(
        &account,
        stack,
        "OrdersLetters",
        "`stackctl drift intake-dev --revert` makes it anew",
    )
    .await;
}

/// Looks whether the plan and the deploy refuse what goes along, and nothing is done.
async fn is_refused(account: &Shared, stack: StackDeployment, id: &str, part: &str) {
    let change = change_of(account, &stack, id).await;
    assert_eq!(change.grade, Grade::Impossible, "{change:?}");
    let reason = change.reasons.iter().find(|it| it.contains(part));
    let reason = reason.unwrap_or_else(|| panic!("{change:?}"));
    let error = deploy(&play(account).context, one(stack), Answer::never())
        .await
        .expect_err("it is refused");
    let causes = crate::error::Error::from(error).causes().join(" ");
    assert!(causes.contains(reason), "{causes}");
    let account = lock(account);
    assert!(account.done.is_empty(), "{:?}", account.done);
}

/// A stack in which something refers to what goes along in a way that no text can stand for.
fn with_watcher(queue: &str, other: &str, kind: &str) -> Value {
    let mut template = template(queue);
    template["Parameters"] = json!({"Part": {"Type": "String", "Default": "Arn"}});
    template["Resources"][other] = json!({"Type": kind, "Properties": {"Of": {"Ref": queue}}});
    template["Resources"]["Watcher"] = json!({"Type": "AWS::SNS::Topic", "Properties": {
        "DisplayName": {"Fn::GetAtt": [other, {"Ref": "Part"}]},
    }});
    template
}

#[tokio::test]
async fn what_keeps_a_rename_from_its_end_is_left_and_another_one_is_made() {
    let kind = "AWS::CloudWatch::Alarm";
    for life in 0.. {
        let account = account();
        lock(&account).template = with_watcher("Inbox", "InboxOldAlarm", kind);
        let wanted = with_watcher("Orders", "OrdersOldAlarm", kind);
        let mut stack = moving(&wanted, &[("Inbox", "Orders")]);
        stack.manifest.along =
            BTreeMap::from([("InboxOldAlarm".to_owned(), along("OrdersOldAlarm"))]);
        if life == 0 {
            let made = change_of(&account, &stack, "OrdersOldAlarm").await;
            assert_eq!((made.action, made.grade), (Action::Create, Grade::None));
            assert_eq!(
                made.reasons.last().map(String::as_str),
                Some(
                    "it was InboxOldAlarm, and does not go along: something refers to InboxOldAlarm in a way that no text can stand \
                     for meanwhile: another one is made, and that one goes after it"
                )
            );
            let gone = change_of(&account, &stack, "InboxOldAlarm").await;
            assert_eq!(
                (gone.action, gone.grade),
                (Action::Delete, Grade::Interruption)
            );
            let queue = change_of(&account, &stack, "Orders").await;
            assert_eq!(queue.grade, Grade::UpdateInPlace, "{queue:?}");
        }
        let died = renamed(&account, &stack, life).await;
        let account = lock(&account);
        assert_eq!(account.template, wanted, "after {life} calls");
        assert_eq!(account.physical["Orders"], URL, "after {life} calls");
        if !died {
            let steps = [
                "UPDATE",
                "Inbox leaves",
                "UPDATE",
                "IMPORT",
                "UPDATE",
                "InboxOldAlarm leaves",
                "UPDATE",
            ];
            assert_eq!(account.done, steps);
            return;
        }
    }
}

#[tokio::test]
async fn what_holds_data_and_keeps_a_rename_from_its_end_is_not_left() {
    let kind = "AWS::SQS::Queue";
    let account = account();
    lock(&account).template = with_watcher("Inbox", "InboxLetters", kind);
    let mut stack = moving(
        &with_watcher("Orders", "OrdersLetters", kind),
        &[("Inbox", "Orders")],
    );
    stack.manifest.along = BTreeMap::from([("InboxLetters".to_owned(), along("OrdersLetters"))]);
    is_refused(
        &account,
        stack,
        "OrdersLetters",
        "in a way that no text can stand for",
    )
    .await;
}

/// A stack without a policy is refactored, which takes every type of these.
#[tokio::test]
async fn what_goes_along_is_refactored_with_it() {
    let account = account();
    {
        let mut account = lock(&account);
        account.template = with_permission("Inbox", "InboxLetters");
        account.policy = String::new();
        account.refactors = true;
    }
    let wanted = with_permission("Orders", "OrdersLetters");
    let mut stack = moving(&wanted, &[("Inbox", "Orders")]);
    stack.manifest.termination_protection = false;
    stack.manifest.along = BTreeMap::from([
        ("InboxLetters".to_owned(), along("OrdersLetters")),
        ("InboxPermission".to_owned(), along("OrdersPermission")),
        ("InboxPolicy".to_owned(), along("OrdersPolicy")),
    ]);
    renamed(&account, &stack, usize::MAX).await;
    let account = lock(&account);
    assert_eq!(account.template, wanted);
    assert_eq!(account.done, ["REFACTOR"]);
}
