//! What is a surprise, and how dangerous it is.

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

/// Returns what is said of a change that updates something in place, with the dangers and whether a kept plan covers it.
fn updated(known: &[ResourceChange], change: Change, create: bool) -> Vec<(String, Grade, bool)> {
    let found = surprises(&plan_of(known), &set_of(vec![change], create)).into_iter();
    found
        .map(|it| {
            let text = it.to_string();
            let word = text.split_once(") ").map(|(_, word)| word.to_owned());
            assert_eq!(it.dangerous, Grade::DANGERS.contains(&it.grade), "{text}");
            (word.unwrap_or_default(), it.grade, it.beyond)
        })
        .collect()
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

/// A macro, or a parameter that is looked up when the change set is made.
#[test]
fn what_lets_in_somebody_else_and_that_nobody_planned_is_dangerous() {
    let told = |word: &str, grade, beyond| vec![(word.to_owned(), grade, beyond)];
    let calm = |beyond| told(UPDATED, Grade::UpdateInPlace, beyond);
    let policy = |own: &[&str]| modified("AWS::S3::BucketPolicy", own);
    let (widened, exposed) = (Grade::PermissionWidened, Grade::ExposureWidened);
    assert_eq!(
        updated(&[], policy(&["PolicyDocument"]), false),
        told(LETS_MORE, widened, true)
    );
    let group = modified("AWS::EC2::SecurityGroup", &["SecurityGroupIngress"]);
    assert_eq!(updated(&[], group, false), told(LETS_MORE, exposed, true));
    // Not even the names of the properties are told.
    assert_eq!(
        updated(&[], policy(&[]), false),
        told(LETS_MORE, widened, true)
    );
    let queue = modified("AWS::SQS::Queue", &["DelaySeconds"]);
    assert_eq!(updated(&[], queue, false), calm(true));
    // All of a new stack is new; tags let nobody in; what follows another one is judged there.
    assert_eq!(updated(&[], policy(&["PolicyDocument"]), true), calm(false));
    let mut tagged = policy(&[]);
    tagged.scope = vec!["Tags".to_owned()];
    assert_eq!(updated(&[], tagged, false), calm(false));
    let mut follows = policy(&[]);
    follows.follows = vec!["Other".to_owned()];
    assert_eq!(updated(&[], follows, false), calm(false));
}

/// Every update of a stack lists the stacks in it, whatever becomes of them: that is no danger of this update.
#[test]
fn a_stack_in_a_stack_that_nobody_changed_is_told_calmly() {
    let mut nested = modified("AWS::CloudFormation::Stack", &[]);
    let unnamed = updated(&[], nested.clone(), false);
    let opens = (LETS_MORE.to_owned(), Grade::ExposureWidened, true);
    assert_eq!(unnamed, [opens]);
    nested.is_automatic = true;
    let calm = |word: &str| vec![(word.to_owned(), Grade::UpdateInPlace, false)];
    assert_eq!(updated(&[], nested.clone(), false), calm(LISTED));
    // What is planned of it is judged there.
    let mut known = planned("It", Action::Update, Grade::UpdateInPlace);
    known.resource_type.clone_from(&nested.resource_type);
    assert_eq!(updated(&[known], nested, false), []);
}

#[test]
fn what_an_update_does_beyond_its_plan_is_told() {
    let known = |path: plan::Path| ResourceChange {
        resource_type: "AWS::IAM::Role".to_owned(),
        properties: vec![plan::PropertyChange {
            path,
            before: None,
            after: None,
        }],
        ..planned("It", Action::Update, Grade::UpdateInPlace)
    };
    let described = known(plan::Path::new("Properties").key("Description"));
    let both = modified("AWS::IAM::Role", &["Description", "Policies"]);
    let found = updated(std::slice::from_ref(&described), both, false);
    assert_eq!(
        found,
        [(LETS_MORE.to_owned(), Grade::PermissionWidened, true)]
    );
    let one = modified("AWS::IAM::Role", &["Description"]);
    assert_eq!(updated(&[described], one, false), []);
    let planned = known(plan::Path::new("Properties").key("Policies").key("x"));
    let one = modified("AWS::IAM::Role", &["Policies"]);
    assert_eq!(updated(&[planned], one, false), []);
}

/// `CloudFormation` compares texts, and calls whatever is written otherwise a modification.
#[test]
fn the_values_say_whether_anything_differs() {
    let document = |principal: &str, actions: &[&str]| {
        json!({"PolicyDocument": {"Statement": [
            {"Effect": "Allow", "Action": actions, "Principal": {"AWS": principal}, "Resource": "*"},
        ]}})
    };
    let of = |before: Value, after: Value| {
        let mut change = modified("AWS::S3::BucketPolicy", &["PolicyDocument"]);
        change.values = Some([before, after]);
        updated(&[], change, false)
    };
    let (get, put) = ("s3:GetObject", "s3:PutObject");
    let narrow = document("arn:aws:iam::123456789012:root", &[get, put]);
    let other_words = document("arn:aws:iam::123456789012:root", &[put, get]);
    let calm = |beyond| vec![(UPDATED.to_owned(), Grade::UpdateInPlace, beyond)];
    assert_eq!(of(narrow.clone(), other_words), calm(false));
    let fewer = document("arn:aws:iam::123456789012:root", &[get]);
    assert_eq!(of(narrow, fewer.clone()), calm(true));
    let wide = of(fewer, document("*", &[get]));
    let told = format!("{UPDATED}: opens: a policy allows everybody, without a condition");
    assert_eq!(
        wide,
        [
            (told.clone(), Grade::PermissionWidened, true),
            (told, Grade::ExposureWidened, true),
        ]
    );
    // What is hidden may be anything.
    let hidden = document("****", &[get, put]);
    assert_eq!(
        of(hidden.clone(), hidden),
        [(LETS_MORE.to_owned(), Grade::PermissionWidened, true)]
    );
}

/// Whom a policy is given to, and which calls a route takes, depends on what stays.
#[test]
fn what_becomes_another_is_judged_with_what_stays() {
    let of = |resource_type: &str, name: &str, before: Value, after: Value| {
        let mut change = modified(resource_type, &[name]);
        change.values = Some([before, after]);
        updated(&[], change, false)
    };
    let policy = |roles: &[&str]| {
        json!({"PolicyName": "p", "Roles": roles, "PolicyDocument": {"Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
        ]}})
    };
    let told = format!("{UPDATED}: allows more: all of it to auditor too");
    assert_eq!(
        of(
            "AWS::IAM::Policy",
            "Roles",
            policy(&["clerk"]),
            policy(&["auditor", "clerk"])
        ),
        [(told, Grade::PermissionWidened, true)]
    );
    let route = |key: &str| json!({"ApiId": "a", "RouteKey": key, "AuthorizationType": "JWT"});
    assert_eq!(
        of(
            "AWS::ApiGatewayV2::Route",
            "RouteKey",
            route("GET /a"),
            route("GET /b")
        ),
        [(UPDATED.to_owned(), Grade::UpdateInPlace, true)]
    );
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
