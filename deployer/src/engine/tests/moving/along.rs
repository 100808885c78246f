//! What goes along with a rename: by import where that is possible, and made anew where it is not.

use stack_model::assembly::Along;

use super::several::{lock, moving, renamed};
use super::*;

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
