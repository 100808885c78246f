//! Renames by import beside others, of what a condition makes, and of what other stacks import.

use super::*;

pub(super) fn lock(account: &Shared) -> std::sync::MutexGuard<'_, account::Account> {
    account.lock().expect("no holder panics")
}

/// Deploys a template over another one, from the start in which a run dies after so many calls, and again.
pub(super) async fn renamed(account: &Shared, stack: &StackDeployment, life: usize) -> bool {
    lock(account).life = life;
    let context = play(account).context;
    let died = deploy(&context, one(stack.clone()), Answer::yes())
        .await
        .is_err();
    lock(account).life = usize::MAX;
    deploy(&play(account).context, one(stack.clone()), Answer::yes())
        .await
        .unwrap_or_else(|error| panic!("after {life} calls: {error:?}"));
    died
}

pub(super) fn moving(template: &Value, moves: &[(&str, &str)]) -> StackDeployment {
    let mut stack = moved();
    let moves = moves.iter();
    let moves = moves.map(|(from, to)| ((*from).to_owned(), (*to).to_owned()));
    stack.manifest.moved = moves.collect();
    stack.template = template.to_string();
    stack
}

/// A condition that makes the queue stays with it, and with whatever names it.
fn conditional(queue: &str, text: &str) -> Value {
    let mut template = template(queue);
    template["Conditions"] = json!({"Has": {"Fn::Equals": [text, "yes"]}});
    template["Resources"][queue]["Condition"] = "Has".into();
    let sender = &mut template["Resources"]["Sender"]["Properties"]["PolicyDocument"];
    sender["Statement"][0]["Resource"] =
        json!({"Fn::If": ["Has", {"Fn::GetAtt": [queue, "Arn"]}, "*"]});
    template["Outputs"]["Url"]["Condition"] = "Has".into();
    template["Outputs"]["One"] = json!({"Value": "1"});
    template
}

#[tokio::test]
async fn what_a_condition_makes_is_renamed_with_it() {
    for life in 0.. {
        let account = account();
        lock(&account).template = conditional("Inbox", "yes");
        let wanted = conditional("Orders", "yes");
        let died = renamed(&account, &moving(&wanted, &[("Inbox", "Orders")]), life).await;
        let account = lock(&account);
        assert_eq!(account.template, wanted, "after {life} calls");
        assert_eq!(account.physical["Orders"], URL, "after {life} calls");
        assert!(!account.is_lost && account.outside.is_empty());
        if !died {
            return;
        }
    }
}

#[tokio::test]
async fn what_a_condition_does_not_make_leaves_nothing() {
    let account = account();
    {
        let mut account = lock(&account);
        account.template = conditional("Inbox", "no");
        account.physical.clear();
        // It guards nothing.
        account.policy = String::new();
    }
    let wanted = conditional("Orders", "no");
    renamed(
        &account,
        &moving(&wanted, &[("Inbox", "Orders")]),
        usize::MAX,
    )
    .await;
    let account = lock(&account);
    let leaves = account.done.iter().any(|done| done.contains("leaves"));
    assert!(!leaves && !account.done.contains(&"IMPORT".to_owned()));
    assert!(!account.physical.contains_key("Orders"));
}

fn reference(queue: &str) -> Value {
    json!({"Ref": queue})
}

fn attribute(queue: &str) -> Value {
    json!({"Fn::GetAtt": [queue, "Arn"]})
}

fn inside(queue: &str) -> Value {
    json!({"Fn::Sub": format!("${{{queue}.Arn}}/*")})
}

/// CloudFormation refuses to change an export in use: it holds a text of the same value meanwhile, and nobody has to let go.
#[tokio::test]
async fn what_other_stacks_import_keeps_its_value_on_the_way() {
    // Where a run may die is the same for all of them.
    for (value, first) in [
        (reference as fn(&str) -> Value, 1_000_000),
        (attribute, 0),
        (inside, 1_000_000),
    ] {
        let exporting = |queue: &str| {
            let mut template = template(queue);
            template["Outputs"]["Shared"] =
                json!({"Value": value(queue), "Export": {"Name": "intake-dev:Shared"}});
            template
        };
        for life in first.. {
            let account = account();
            {
                let mut account = lock(&account);
                account.template = exporting("Inbox");
                account.imported = vec!["intake-dev:Shared"];
            }
            let wanted = exporting("Orders");
            let died = renamed(&account, &moving(&wanted, &[("Inbox", "Orders")]), life).await;
            let account = lock(&account);
            assert_eq!(account.template, wanted, "after {life} calls");
            let done = &account.done;
            assert!(!done.iter().any(|it| it.contains("breaks")), "{done:?}");
            assert_eq!(account.physical["Orders"], URL);
            if !died {
                break;
            }
        }
    }
}

/// Two queues leave and come back together, each under its own name.
#[tokio::test]
async fn two_queues_are_renamed_in_the_same_steps() {
    let both = |first: &str, second: &str| {
        let mut template = template(first);
        template["Resources"][second] = json!({"Type": "AWS::SQS::Queue", "Properties": {
            "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": [first, "Arn"]}, "maxReceiveCount": 5},
        }});
        template["Outputs"]["Other"] = json!({"Value": {"Ref": second}});
        template
    };
    for life in 0.. {
        let account = account();
        {
            let mut account = lock(&account);
            account.template = both("Inbox", "Outbox");
            let other = ("Outbox".to_owned(), OTHER_URL.to_owned());
            account.physical.extend([other]);
        }
        let wanted = both("Orders", "Letters");
        let moves = [("Inbox", "Orders"), ("Outbox", "Letters")];
        let died = renamed(&account, &moving(&wanted, &moves), life).await;
        let account = lock(&account);
        assert_eq!(account.template, wanted, "after {life} calls");
        assert_eq!(account.physical["Orders"], URL, "after {life} calls");
        assert_eq!(account.physical["Letters"], OTHER_URL);
        assert!(!account.is_lost && account.outside.is_empty());
        if !died {
            let steps = [
                "UPDATE",
                "Inbox leaves",
                "Outbox leaves",
                "UPDATE",
                "IMPORT",
                "UPDATE",
            ];
            assert_eq!(account.done, steps);
            return;
        }
    }
}

/// The stack is refactored for the queue, and the global table, which no refactor renames, is imported.
#[tokio::test]
async fn one_is_refactored_and_the_other_imported() {
    let both = |queue: &str, table: &str| {
        let mut template = template(queue);
        template["Resources"][table] = json!({"Type": "AWS::DynamoDB::GlobalTable", "Properties": {
            "TableName": TABLE,
        }});
        template["Outputs"]["Table"] = json!({"Value": {"Ref": table}});
        template
    };
    let mut deaths = 0;
    for life in 0.. {
        let account = account();
        {
            let mut account = lock(&account);
            account.template = both("Inbox", "Ledger");
            account.policy = String::new();
            account.refactors = true;
            let table = ("Ledger".to_owned(), TABLE.to_owned());
            account.physical.extend([table]);
        }
        let wanted = both("Orders", "Entries");
        let mut stack = moving(&wanted, &[("Inbox", "Orders"), ("Ledger", "Entries")]);
        stack.manifest.termination_protection = false;
        let died = renamed(&account, &stack, life).await;
        let account = lock(&account);
        assert_eq!(account.template, wanted, "after {life} calls");
        assert_eq!(account.physical["Orders"], URL, "after {life} calls");
        assert_eq!(account.physical["Entries"], TABLE, "after {life} calls");
        assert!(!account.is_lost && account.outside.is_empty());
        let refactors = account.done.iter().filter(|it| *it == "REFACTOR").count();
        assert_eq!(refactors, 1, "{:?}", account.done);
        if !died {
            let steps = [
                "REFACTOR",
                "UPDATE",
                "Ledger leaves",
                "UPDATE",
                "IMPORT",
                "UPDATE",
            ];
            assert_eq!(account.done, steps);
            break;
        }
        deaths += 1;
    }
    assert!(deaths > 30, "{deaths}");
}
