//! What is a surprise, and how dangerous it is.

mod beyond;

use serde_json::{Value, json};

use super::*;

fn planned(logical_id: &str, action: Action, grade: Grade) -> ResourceChange {
    ResourceChange {
        logical_id: logical_id.to_owned(),
        resource_type: "AWS::SQS::Queue".to_owned(),
        action,
        grade,
        ..ResourceChange::default()
    }
}

fn proposed(logical_id: &str, action: &str, replacement: Option<Replacement>) -> Change {
    Change {
        logical_id: logical_id.to_owned(),
        resource_type: "AWS::SQS::Queue".to_owned(),
        action: action.to_owned(),
        replacement,
        ..Change::default()
    }
}

fn modified(resource_type: &str, own: &[&str]) -> Change {
    let own: Vec<String> = own.iter().map(|name| (*name).to_owned()).collect();
    Change {
        resource_type: resource_type.to_owned(),
        scope: vec!["Properties".to_owned()],
        properties: own.clone(),
        own,
        ..proposed("It", "Modify", Some(Replacement::Never))
    }
}

fn plan_of(planned: &[ResourceChange]) -> StackPlan {
    StackPlan {
        stack: "intake-dev".to_owned(),
        changes: planned.to_vec(),
        ..StackPlan::default()
    }
}

fn set_of(changes: Vec<Change>, create: bool) -> ProposedChanges {
    ProposedChanges {
        findings: Vec::new(),
        hooks: Vec::new(),
        stack: "intake-dev".to_owned(),
        create,
        partial: false,
        change_set: "x".to_owned(),
        changes,
    }
}

fn surprised(planned: &[ResourceChange], proposed: Vec<Change>) -> Vec<(String, bool)> {
    surprises(&plan_of(planned), &set_of(proposed, false))
        .into_iter()
        .map(|surprise| (surprise.to_string(), surprise.dangerous))
        .collect()
}

#[test]
fn every_disagreement_is_told_and_what_may_destroy_is_dangerous() {
    use Replacement::{Always, Conditional, Never, Unknown};
    // What is planned, what is proposed, and the surprise with its danger.
    let update = Some((Action::Update, Grade::UpdateInPlace));
    let widened = Some((Action::Update, Grade::PermissionWidened));
    let lost = Some((Action::Update, Grade::DataLoss));
    let replace = Some((Action::Replace, Grade::Replacement));
    let delete = Some((Action::Delete, Grade::Interruption));
    let create = Some((Action::Create, Grade::None));
    let import = Some((Action::Import, Grade::None));
    let rows = [
        (replace, "Modify", Some(Always), None),
        (replace, "Modify", Some(Conditional), None),
        (
            replace,
            "Modify",
            Some(Never),
            Some(("would be updated in place", false)),
        ),
        (update, "Modify", Some(Never), None),
        (update, "Modify", None, None),
        (
            update,
            "Modify",
            Some(Always),
            Some(("would be replaced", true)),
        ),
        // A grade above a replacement is no consent to one.
        (
            widened,
            "Modify",
            Some(Always),
            Some(("would be replaced", true)),
        ),
        (
            widened,
            "Modify",
            Some(Conditional),
            Some(("may be replaced", true)),
        ),
        (
            update,
            "Modify",
            Some(Unknown),
            Some(("may be replaced", true)),
        ),
        (
            None,
            "Modify",
            Some(Never),
            Some(("would be updated", false)),
        ),
        // Of what nobody changes CloudFormation only learns what it is.
        (None, "SyncWithActual", None, None),
        (
            update,
            "SyncWithActual",
            None,
            Some(("would stay as it is", false)),
        ),
        (None, "Add", None, Some(("would be created", false))),
        (create, "Add", None, None),
        (delete, "Remove", None, None),
        (
            delete,
            "Modify",
            Some(Never),
            Some(("would stay in the stack, and be updated", false)),
        ),
        (
            delete,
            "Modify",
            Some(Always),
            Some(("would be replaced", true)),
        ),
        (
            create,
            "Modify",
            Some(Never),
            Some(("would be updated", false)),
        ),
        (
            update,
            "Add",
            None,
            Some(("would be created, and be empty", true)),
        ),
        // That it may be made anew was agreed to.
        (lost, "Add", None, Some(("would be created", false))),
        (
            import,
            "Add",
            None,
            Some(("would be created, and not imported", true)),
        ),
        (import, "Import", None, None),
        (update, "Import", None, Some(("would be imported", true))),
        (update, "Remove", None, Some(("would be removed", true))),
        (None, "Remove", None, Some(("would be removed", true))),
        (
            update,
            "Dynamic",
            None,
            Some(("would change in a way that is not known beforehand", true)),
        ),
    ];
    for (known, action, replacement, expected) in rows {
        let known: Vec<_> = known
            .into_iter()
            .map(|(action, grade)| planned("Orders", action, grade))
            .collect();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(word, dangerous)| (format!("Orders (AWS::SQS::Queue) {word}"), dangerous))
            .collect();
        let found = surprised(&known, vec![proposed("Orders", action, replacement)]);
        assert_eq!(found, expected, "{known:?} and {action} {replacement:?}");
    }
}

#[test]
fn what_the_plan_says_that_may_be_replaced_is_no_surprise() {
    use Replacement::{Always, Conditional, Never, Unknown};
    let perhaps = |grade| ResourceChange {
        perhaps: true,
        ..planned("Orders", Action::Update, grade)
    };
    let of = |grade, replacement, policy: Option<&str>| {
        let mut change = proposed("Orders", "Modify", Some(replacement));
        change.policy_action = policy.map(str::to_owned);
        let mut found = surprised(&[perhaps(grade)], vec![change]);
        assert!(found.len() < 2);
        found.pop().map(|(text, dangerous)| {
            let word = text.trim_start_matches("Orders (AWS::SQS::Queue) ");
            (word.to_owned(), dangerous)
        })
    };
    let told = |word: &str, dangerous| Some((word.to_owned(), dangerous));
    let (lost, kept) = (Grade::DataLoss, Grade::Replacement);
    let delete = Some("ReplaceAndDelete");
    for replacement in [Conditional, Unknown, Never] {
        assert_eq!(of(lost, replacement, delete), None);
        assert_eq!(of(kept, replacement, Some("ReplaceAndRetain")), None);
    }
    // That it is replaced is told, and was agreed to as what may be.
    assert_eq!(of(lost, Always, delete), told("would be replaced", false));
    // That its data goes was not.
    assert_eq!(
        of(kept, Conditional, delete),
        told("may be replaced, and its data deleted", true)
    );
    assert_eq!(
        of(kept, Always, delete),
        told("would be replaced, and its data deleted", true)
    );
}

/// What a macro makes of the template is in no plan.
#[test]
fn what_lets_somebody_in_and_that_nobody_planned_is_dangerous() {
    let of = |resource_type: &str, create| {
        let mut change = proposed("Extra", "Add", None);
        change.resource_type = resource_type.to_owned();
        let found = surprises(&StackPlan::default(), &set_of(vec![change], create));
        let [surprise] = &*found else {
            panic!("{found:?}");
        };
        (surprise.dangerous, surprise.grade)
    };
    for (resource_type, grade) in [
        ("AWS::IAM::Role", Grade::PermissionWidened),
        ("AWS::IAM::User", Grade::PermissionWidened),
        ("AWS::Lambda::Permission", Grade::PermissionWidened),
        ("AWS::S3::BucketPolicy", Grade::PermissionWidened),
        ("AWS::Lambda::Url", Grade::ExposureWidened),
        ("AWS::ApiGateway::RestApi", Grade::ExposureWidened),
    ] {
        assert_eq!(of(resource_type, false), (true, grade), "{resource_type}");
        assert_eq!(of(resource_type, true), (false, Grade::None));
    }
    for resource_type in ["AWS::SQS::Queue", "AWS::Lambda::Function"] {
        assert_eq!(of(resource_type, false), (false, Grade::None));
    }
}

/// Whoever kept a plan kept that one: what does more is not executed, and what does less is.
#[tokio::test]
async fn a_kept_plan_covers_nothing_that_it_does_not_say() {
    use crate::command::approval::{Approval, Consent};
    use crate::engine::{Approve as _, Decision};
    let queue = planned("Orders", Action::Update, Grade::UpdateInPlace);
    let replaced = planned("Orders", Action::Replace, Grade::Replacement);
    let delay = || Change {
        logical_id: "Orders".to_owned(),
        ..modified("AWS::SQS::Queue", &["DelaySeconds"])
    };
    let mut told = delay();
    told.values = Some([json!({"DelaySeconds": 1}), json!({"DelaySeconds": 2})]);
    let mut same = delay();
    same.values = Some([json!({"DelaySeconds": 1}), json!({"DelaySeconds": "1"})]);
    let more = || proposed("Extra", "Add", None);
    let nested = Change {
        is_automatic: true,
        ..modified("AWS::CloudFormation::Stack", &[])
    };
    let (execute, decline) = (Decision::Execute, Decision::Decline);
    for (known, change, kept) in [
        (None, delay(), decline),
        (None, more(), decline),
        (None, same.clone(), execute),
        (Some(&queue), same, execute),
        (Some(&queue), told, decline),
        // A place that tells no values knows no more than the plan.
        (Some(&queue), delay(), execute),
        (Some(&replaced), delay(), execute),
        (None, nested, execute),
    ] {
        let known: Vec<ResourceChange> = known.into_iter().cloned().collect();
        let (plan, changes) = (plan_of(&known), set_of(vec![change], false));
        for (consent, expected) in [(Consent::Given, execute), (Consent::Kept, kept)] {
            let cli = <crate::cli::Cli as clap::Parser>::parse_from(["stackctl", "diff"]);
            let agreed = Plan {
                stacks: vec![plan.clone()],
            };
            let approval = Approval::new(crate::ui::Ui::new(&cli.global), consent, Some(agreed));
            assert_eq!(
                approval.approve(&changes).await,
                expected,
                "{consent:?} {changes:#?}"
            );
        }
    }
}

#[test]
fn what_changes_only_if_another_one_is_replaced_need_not() {
    let path = plan::Path::new("Properties").key("Bucket");
    let mut follows = planned("Policy", Action::Update, Grade::Replacement);
    follows.properties.push(plan::PropertyChange {
        path: path.clone(),
        before: None,
        after: None,
    });
    let word = "Policy (AWS::SQS::Queue) would stay as it is".to_owned();
    let found = surprised(std::slice::from_ref(&follows), Vec::new());
    assert_eq!(found, [(word, false)]);
    follows.possible.insert(path);
    assert_eq!(surprised(&[follows], Vec::new()), []);
}

#[test]
fn a_plan_of_which_nothing_is_found_to_change_is_named() {
    let update = planned("Orders", Action::Update, Grade::UpdateInPlace);
    let plan = Plan {
        stacks: vec![
            StackPlan {
                stack: "intake-dev".to_owned(),
                changes: vec![update],
                ..StackPlan::default()
            },
            StackPlan {
                stack: "other-dev".to_owned(),
                ..StackPlan::default()
            },
        ],
    };
    assert_eq!(
        nothing_changes(&plan, "intake-dev").as_deref(),
        Some(
            "CloudFormation finds nothing to change in intake-dev, and leaves as they are: Orders (AWS::SQS::Queue)"
        )
    );
    assert_eq!(nothing_changes(&plan, "other-dev"), None);
    assert_eq!(nothing_changes(&plan, "unplanned-dev"), None);
}

#[test]
fn what_happens_to_the_old_resource_has_to_agree_too() {
    let mut removed = proposed("Orders", "Remove", None);
    removed.policy_action = Some("Delete".to_owned());
    let found = surprised(
        &[planned("Orders", Action::Retain, Grade::None)],
        vec![removed],
    );
    assert!(found[0].0.ends_with("would be deleted and not retained"));
    assert!(found[0].1);

    let mut replaced = proposed("Table", "Modify", Some(Replacement::Always));
    replaced.resource_type = "AWS::DynamoDB::Table".to_owned();
    replaced.policy_action = Some("ReplaceAndDelete".to_owned());
    let plan = |grade| [planned("Table", Action::Replace, grade)];
    assert!(surprised(&plan(Grade::DataLoss), vec![replaced.clone()]).is_empty());
    assert!(surprised(&plan(Grade::Replacement), vec![replaced])[0].1);
}

#[test]
fn what_only_follows_an_update_in_place_is_no_surprise() {
    let known = [planned("Function", Action::Update, Grade::UpdateInPlace)];
    let mut permission = proposed("Permission", "Modify", Some(Replacement::Conditional));
    permission.follows = vec!["Function".to_owned()];
    let function = |replacement| proposed("Function", "Modify", Some(replacement));
    let found = surprised(
        &known,
        vec![function(Replacement::Never), permission.clone()],
    );
    assert_eq!(found, []);
    let found = surprised(&known, vec![function(Replacement::Always), permission]);
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|(_, dangerous)| *dangerous));
}

#[test]
fn what_was_planned_and_is_not_proposed_is_told() {
    let found = surprised(
        &[planned("Orders", Action::Replace, Grade::Replacement)],
        Vec::new(),
    );
    assert_eq!(
        found,
        [(
            "Orders (AWS::SQS::Queue) would stay as it is".to_owned(),
            false
        )]
    );
}
