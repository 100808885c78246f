//! Renames by import of a stack that somebody else changes meanwhile, and what CloudFormation says of what they change.

use super::*;
use crate::engine::Event;

/// A detail of a change, of a property that makes another resource where it becomes another value.
macro_rules! detail {
    ($source:literal, $evaluation:literal, $more:literal, $values:literal) => {
        concat!(
            "<member><ChangeSource>",
            $source,
            "</ChangeSource><Evaluation>",
            $evaluation,
            "</Evaluation>",
            $more,
            "<Target><Attribute>Properties</Attribute><Name>PolicyDocument</Name>\
             <RequiresRecreation>Always</RequiresRecreation>",
            $values,
            "</Target></member>"
        )
    };
}

/// Somebody changes the stack while its queue is away: the deploy leaves that to what it was asked to do, and undoes nothing
/// of it on the way.
#[tokio::test]
async fn what_somebody_changed_meanwhile_is_not_set_back() {
    let account = away().await;
    account.lock().expect("no holder panics").template["Resources"]["Sender"]["Properties"]["PolicyName"] =
        "theirs".into();
    let mut life = 0;
    // Every template from here to the last has what they wrote.
    loop {
        account.lock().expect("no holder panics").life = life;
        let done = deploy(&play(&account).context, one(moved()), Answer::yes()).await;
        let account = account.lock().expect("no holder panics");
        let is_last = account.template == template("Orders");
        let theirs = &account.template["Resources"]["Sender"]["Properties"]["PolicyName"];
        assert!(is_last || theirs == "theirs", "{:#?}", account.template);
        if done.is_ok() {
            assert!(is_last, "{:#?}", account.template);
            break;
        }
        life += 1;
    }
    let account = account.lock().expect("no holder panics");
    let done: Vec<&str> = account.done.iter().map(String::as_str).collect();
    // The import, what names the queue again, and then what the deploy was asked for.
    assert!(done.ends_with(&["IMPORT", "UPDATE", "UPDATE"]), "{done:?}");
}

/// A text that becomes a reference, of a property that makes another resource where it changes. Which details CloudFormation
/// lists then is not written anywhere: the first is a direct modification of what it does not know yet, as the page has them
/// for parameters; the second names its cause besides; the third is known, and the same
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets-samples.html>).
#[tokio::test]
async fn a_reference_that_has_the_value_of_its_text_replaces_nothing() {
    for (details, is_taken) in [
        (detail!("DirectModification", "Dynamic", "", ""), true),
        (
            concat!(
                detail!("DirectModification", "Dynamic", "", ""),
                detail!(
                    "ResourceAttribute",
                    "Dynamic",
                    "<CausingEntity>Orders.Arn</CausingEntity>",
                    ""
                )
            ),
            true,
        ),
        (
            detail!(
                "DirectModification",
                "Static",
                "",
                "<BeforeValue>arn</BeforeValue><AfterValue>arn</AfterValue>"
            ),
            true,
        ),
        (
            detail!(
                "DirectModification",
                "Static",
                "",
                "<BeforeValue>arn</BeforeValue><AfterValue>other</AfterValue>"
            ),
            false,
        ),
        ("", false),
    ] {
        let account = account();
        account.lock().expect("no holder panics").detailed =
            Some(("restored", "Conditional", details));
        let played = play(&account);
        deploy(&played.context, one(moved()), Answer::yes())
            .await
            .expect("it is renamed");
        let left = played.events().into_iter().any(|event| {
            matches!(event, Event::Warning { message, .. } if message.contains("left to the update that follows"))
        });
        assert_eq!(left, !is_taken, "{details}");
        assert_eq!(
            account.lock().expect("no holder panics").template,
            template("Orders")
        );
    }
}

/// A reference that becomes a text of the same value, of a property that makes another resource where it changes: the values
/// tell, and where they do not, the queue does not leave.
#[tokio::test]
async fn what_names_the_queue_by_a_text_of_the_same_value_is_not_replaced() {
    for (values, is_taken) in [
        (
            detail!(
                "DirectModification",
                "Static",
                "",
                "<BeforeValue>arn</BeforeValue><AfterValue>arn</AfterValue>"
            ),
            true,
        ),
        (
            detail!(
                "DirectModification",
                "Static",
                "",
                "<BeforeValue>****</BeforeValue><AfterValue>****</AfterValue>"
            ),
            false,
        ),
        (detail!("DirectModification", "Static", "", ""), false),
        (detail!("DirectModification", "Dynamic", "", ""), false),
    ] {
        let account = account();
        account.lock().expect("no holder panics").detailed = Some(("removed", "True", values));
        let ended = deploy(&play(&account).context, one(moved()), Answer::yes()).await;
        assert_eq!(ended.is_ok(), is_taken, "{values}");
        let left = account
            .lock()
            .expect("no holder panics")
            .done
            .contains(&"Inbox leaves".to_owned());
        assert_eq!(left, is_taken, "{values}");
    }
}
