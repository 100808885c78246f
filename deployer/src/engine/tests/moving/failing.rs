//! Renames by import that go wrong half-way: nothing is lost, and there is a way on.

use super::*;
use crate::engine::{DestroyRequest, Event, destroy};

const GONE: &str = "Resource of type AWS::SQS::Queue was not found";

/// Lets the import fail while it is executed.
async fn failing(status: &'static str) -> Shared {
    let account = away().await;
    account.lock().expect("no holder panics").failing = Some((GONE, status));
    account
}

/// Why nothing was deployed, and what is said to do.
async fn refused(account: &Shared, stack: StackDeployment) -> (String, String) {
    let error = deploy(&play(account).context, one(stack), Answer::yes())
        .await
        .expect_err("it fails");
    let hints = error.hints().join("\n");
    let report = error.report().expect("something was begun");
    let failure = serde_json::to_string(&report.stacks[0].failure).expect("is JSON");
    (failure, hints)
}

#[tokio::test]
async fn an_import_that_fails_half_way_says_what_is_left_and_how_to_go_on() {
    let account = failing("IMPORT_ROLLBACK_COMPLETE").await;
    for _ in 0..2 {
        let (told, hints) = refused(&account, moved()).await;
        assert!(told.contains(GONE), "{told}");
        assert!(
            hints.contains(&format!("Inbox (AWS::SQS::Queue {URL})")),
            "{hints}"
        );
        assert!(hints.contains(r#"remove `moved("Inbox", ..)`"#), "{hints}");
    }
    // What was in the way is mended.
    account.lock().expect("no holder panics").failing = None;
    deploy(&play(&account).context, one(moved()), Answer::yes())
        .await
        .expect("it comes back");
    check(&account);
}

#[tokio::test]
async fn one_that_is_not_rolled_back_tells_what_is_left_too() {
    let account = failing("IMPORT_ROLLBACK_FAILED").await;
    let (told, hints) = refused(&account, moved()).await;
    assert!(told.contains("IMPORT_ROLLBACK_FAILED"), "{told}");
    assert!(
        hints.contains(&format!("Inbox (AWS::SQS::Queue {URL})")),
        "{hints}"
    );
}

#[tokio::test]
async fn what_nobody_insists_on_is_made_anew_and_told_with_what_removes_the_old_one() {
    let account = failing("IMPORT_ROLLBACK_COMPLETE").await;
    let mut stack = moved();
    stack.manifest.moved.clear();
    let played = play(&account);
    deploy(&played.context, one(stack), Answer::yes())
        .await
        .expect("it is deployed");
    let aside = played.context.left_aside();
    assert_eq!(aside[STACK].ledger[0].logical_id, "Orders");
    assert_eq!(aside[STACK].ledger[0].physical_id, URL);
    let warnings: Vec<String> = played
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Warning { message, .. } => Some(message),
            _ => None,
        })
        .collect();
    let told = warnings.join("\n");
    assert!(told.contains(GONE), "{told}");
    assert!(
        told.contains(&format!("aws sqs delete-queue --queue-url {URL}")),
        "{told}"
    );
    let account = account.lock().expect("no holder panics");
    assert_eq!(account.template, template("Orders"));
}

/// Whatever became of the stack, what left it is written down.
#[tokio::test]
async fn a_removal_half_way_writes_down_what_left_the_stack() {
    for status in [
        "UPDATE_COMPLETE",
        "IMPORT_ROLLBACK_FAILED",
        "UPDATE_ROLLBACK_FAILED",
    ] {
        let left = away()
            .await
            .lock()
            .expect("no holder panics")
            .template
            .clone();
        let described = answers::Stack::new(status).xml();
        let played = Script::new()
            .describe(STACK, described.clone())
            .describe(STACK, described)
            .template(&left.to_string())
            .resources(&[("Sender", "AWS::IAM::Policy", "sender", "UPDATE_COMPLETE")])
            .delete_stack()
            .events(&[("5", STACK, "DELETE_COMPLETE", "", "*")])
            .events(&[("5", STACK, "DELETE_COMPLETE", "", "*")])
            .describe("stackctl-bootstrap", answers::absent("stackctl-bootstrap"))
            .play();
        let request = DestroyRequest {
            stacks: vec![stack(STACK, &[]).manifest],
            ..DestroyRequest::default()
        };
        let report = destroy(&played.context, request)
            .await
            .unwrap_or_else(|error| panic!("{status}: {error:?}"));
        let gone = &report.stacks[0];
        assert_eq!(gone.retained["Orders"], URL, "{status}");
        let entry = &gone.left.ledger[0];
        assert!(entry.remove[0].contains("delete-queue"), "{entry:?}");
        let adoption = &gone.left.adoptions[0];
        assert!(adoption.takes(entry), "{adoption:?}");
        played.finish();
    }
}

#[tokio::test]
async fn what_is_not_found_by_what_identifies_it_never_leaves() {
    let account = account();
    account.lock().expect("no holder panics").unproven = true;
    let (told, hints) = refused(&account, moved()).await;
    assert!(told.contains("is not found by its QueueUrl"), "{told}");
    assert!(hints.contains("keep the logical id `Inbox`"), "{hints}");
    let account = account.lock().expect("no holder panics");
    assert!(account.template["Resources"].get("Inbox").is_some());
    assert_eq!(account.done, ["UPDATE"]);
}

/// At every moment the policy guards what the stack has of what it guarded.
#[tokio::test]
async fn the_new_name_is_guarded_as_soon_as_it_is_there() {
    for life in 0.. {
        let account = account();
        account.lock().expect("no holder panics").life = life;
        let played = play(&account);
        let done = deploy(&played.context, one(moved()), Answer::yes()).await;
        let told = format!("{:?}", played.events());
        assert!(!told.contains("Unknown logical id"), "{told}");
        let account = account.lock().expect("no holder panics");
        let restored = account.done.iter().filter(|it| *it == "UPDATE").count() > 2;
        assert!(
            !restored || account.policy == guard("Orders"),
            "{}",
            account.policy
        );
        if done.is_ok() {
            return;
        }
    }
}

#[tokio::test]
async fn who_may_not_read_the_policy_takes_the_way_that_a_policy_leaves() {
    let account = account();
    {
        let mut account = account.lock().expect("no holder panics");
        account.secretive = true;
        account.policy = guard("Nothing");
    }
    deploy(&play(&account).context, one(moved()), Answer::yes())
        .await
        .expect("it is renamed");
    let account = account.lock().expect("no holder panics");
    assert_eq!(account.template, template("Orders"));
}

/// CloudFormation gives back question marks for what was sent to it in other letters than those of ASCII.
#[tokio::test]
async fn no_question_mark_is_written_where_a_letter_was() {
    let account = account();
    let name = |template: &mut Value| {
        template["Resources"]["Sender"]["Properties"]["PolicyName"] = "Gr\u{fc}\u{df}e".into();
    };
    {
        let mut account = account.lock().expect("no holder panics");
        name(&mut account.template);
        account.mangles = true;
    }
    let mut wanted = template("Orders");
    name(&mut wanted);
    let mut stack = moved();
    stack.template = wanted.to_string();
    deploy(&play(&account).context, one(stack), Answer::yes())
        .await
        .expect("it is renamed");
    let account = account.lock().expect("no holder panics");
    assert_eq!(account.template, wanted);
    assert_eq!(account.done.len(), 5, "{:?}", account.done);
}

/// Whenever a run dies, the template or what was written down names what left the stack.
#[tokio::test]
async fn what_stays_outside_is_written_down_before_no_template_names_it() {
    for life in 0.. {
        let account = failing("IMPORT_ROLLBACK_COMPLETE").await;
        account.lock().expect("no holder panics").life = life;
        let mut stack = moved();
        stack.manifest.moved.clear();
        let written = Arc::new(Mutex::new(Vec::new()));
        let book = Arc::clone(&written);
        let played = play(&account);
        let context = played.context.clone().keeping_aside(move |_, left| {
            let ids = left.ledger.iter().map(|it| it.physical_id.clone());
            book.lock().expect("no holder panics").extend(ids);
            Ok(())
        });
        let ended = deploy(&context, one(stack), Answer::yes()).await;
        let template = account.lock().expect("no holder panics").template.clone();
        let written = written.lock().expect("no holder panics");
        assert!(
            template.to_string().contains(URL) || written.contains(&URL.to_owned()),
            "after {life} calls"
        );
        if ended.is_ok() {
            break;
        }
    }
}
