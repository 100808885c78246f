//! Updates that never began, notes that cannot be read, and looks that nobody could take: what is written down then.

use super::*;
use crate::engine::{self, given_fast, release::record, status};

/// A template with something to look at.
const WORK: &str = r#"{"Resources":{"Work":{"Type":"AWS::Lambda::Function"}}}"#;

/// The state in which [`Stack::new`] is.
fn state(status: &str) -> String {
    format!("{STACK_ID} {status} 2026-07-28T06:00:00Z")
}

fn of(template: &str) -> Deployment {
    let mut deployment = recorded();
    template.clone_into(&mut deployment.stacks[0].template);
    deployment
}

pub(super) fn noted(body: Value) -> Rule {
    mock!(S3::get_object)
        .match_requests(|input| input.key() == Some(UNPROVEN))
        .then_http_response(move || http(200, &body.to_string()))
}

pub(super) fn forgotten() -> Rule {
    mock!(S3::delete_object)
        .match_requests(|input| input.key() == Some(UNPROVEN))
        .then_http_response(|| http(204, ""))
}

/// The calls from the look at the stack to its change set.
fn proposed(script: Script) -> Script {
    script.proposing(ADD_ORDERS)
}

/// Whoever may not execute a change set wrote down before that the stack is unproven. It is as it was, and so is what is known
/// of its release.
#[tokio::test]
async fn an_update_that_never_began_makes_no_release_a_failed_one() {
    let found = || Stack::new("UPDATE_COMPLETE").xml();
    let note = put(|input| {
        let note = body(input);
        input.key() == Some(UNPROVEN)
            && note["before"] == state("UPDATE_COMPLETE")
            && note.get("carried").is_none()
    });
    let script = begun(&[]).describe(STACK, found()).template("{}");
    let played = proposed(script)
        .s3("put_object", note)
        .refuse_execution("AccessDenied", "no identity-based policy allows it")
        .play();
    let ended = deploy(&played.context, of(WORK), Answer::yes()).await;
    ended.expect_err("it is denied");
    played.finish();

    // The next one has another template, and goes as far. The script has no `PutObject` below `failed/`.
    let left = json!({"stack_id": STACK_ID, "before": state("UPDATE_COMPLETE")});
    let note = put(|input| input.key() == Some(UNPROVEN) && body(input).get("carried").is_none());
    let script = begun(&[(UNPROVEN, "")])
        .describe(STACK, found())
        .s3("get_object", noted(left))
        .s3("delete_object", forgotten())
        .template("{}");
    let played = proposed(script)
        .s3("put_object", note)
        .refuse_execution("AccessDenied", "no identity-based policy allows it")
        .play();
    let ended = deploy(&played.context, of(WORK), Answer::yes()).await;
    ended.expect_err("it is denied");
    played.finish();
}

/// A run before that one did begin, and nobody looked at what it deployed.
#[tokio::test]
async fn what_was_unproven_before_an_update_that_never_began_is_so_after_it() {
    for (before, carried, status) in [
        (Some(state("UPDATE_COMPLETE")), true, "UPDATE_COMPLETE"),
        // Something began since: it was rolled back, say, which leaves no mark.
        (
            Some(state("UPDATE_COMPLETE")),
            false,
            "UPDATE_ROLLBACK_COMPLETE",
        ),
        // A version that wrote no state left it.
        (None, false, "UPDATE_COMPLETE"),
    ] {
        let left = json!({"stack_id": STACK_ID, "before": before, "carried": carried});
        let note = put(|input| input.key() == Some(UNPROVEN) && body(input)["carried"] == true);
        let mut script = begun(&[(UNPROVEN, "")])
            .describe(STACK, Stack::new(status).xml())
            .s3("get_object", noted(left));
        if status == "UPDATE_COMPLETE" {
            script = script.template("{}");
        }
        script = proposed(script).s3("put_object", note);
        if status == "UPDATE_COMPLETE" {
            let failed = put(|input| input.key().unwrap_or_default().contains("/failed/"));
            script = script.s3("put_object", failed);
        }
        let played = script
            .refuse_execution("AccessDenied", "no identity-based policy allows it")
            .play();
        let ended = deploy(&played.context, of(WORK), Answer::yes()).await;
        ended.expect_err("it is denied");
        played.finish();
    }
}

/// What an earlier run wrote down says which versions were good: nothing is written over it unread.
#[tokio::test]
async fn a_note_that_cannot_be_read_stays() {
    let refused = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let script = begun(&[(UNPROVEN, "")])
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .s3(
            "get_object",
            mock!(S3::get_object).then_http_response(move || http(403, refused)),
        )
        .template("{}");
    // Neither the note nor a failure is written.
    let played = proposed(script)
        .refuse_execution("AccessDenied", "no identity-based policy allows it")
        .play();
    let ended = deploy(&played.context, of(WORK), Answer::yes()).await;
    ended.expect_err("it is denied");
    let told = played.finish();
    let told = told.iter().find_map(|event| match event {
        Event::Warning { message, .. } => Some(message.as_str()),
        _ => None,
    });
    let told = told.expect("somebody has to know");
    assert!(
        told.starts_with("a check that fails leads nothing back, because it could not be read"),
        "{told}"
    );
}

/// Not one look was taken: the next caller who may look looks, and knows what to lead back to.
#[tokio::test]
async fn whoever_sees_nothing_proves_nothing() {
    let found = Stack::new("UPDATE_COMPLETE");
    let hash = record::hash(&read(&found).await).expect("is good");
    let release = format!("intake-dev/release/000004{hash}");
    let denied = answers::error("AccessDenied", "no identity-based policy allows it");
    // The script has neither `DeleteObject` nor `PutObject`.
    let played = begun(&[(UNPROVEN, "")])
        .describe(STACK, found.xml())
        .s3("get_object", noted(json!({"stack_id": STACK_ID})))
        .template(WORK)
        .s3(
            "list_objects_v2",
            listed("intake-dev/release/", &[(&release, "")]),
        )
        .cloudformation(
            "list_stack_resources",
            mock!(aws_sdk_cloudformation::Client::list_stack_resources)
                .then_http_response(move || http(403, &denied)),
        )
        .play();
    let report = deploy(&played.context, of(WORK), Answer::never())
        .await
        .expect("nothing is known to be wrong");
    assert_eq!(report.stacks[0].outcome, Outcome::Unchanged);
    played.finish();
}

/// Whoever asks for the status is told what nobody has looked at, and how that goes on.
#[tokio::test]
async fn the_status_tells_what_nobody_looked_at() {
    let begun = json!({"stack_id": STACK_ID, "before": state("CREATE_COMPLETE")});
    let never = json!({"stack_id": STACK_ID, "before": state("UPDATE_COMPLETE")});
    for (note, unproven) in [(begun, true), (never, false)] {
        let played = Script::new()
            .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
            .describe(BOOTSTRAP_STACK, bucket_stack().xml())
            .s3("list_objects_v2", listed("state/", &[(UNPROVEN, "")]))
            .s3("get_object", noted(note.clone()))
            .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
            .describe(BOOTSTRAP_STACK, bucket_stack().xml())
            .s3("get_object", noted(note))
            .play();
        let targets = [target()];
        let report = status(&played.context, &targets).await;
        let mut report = report.expect("is read");
        given_fast(&played.context, &targets, &mut report).await;
        let stack = &report.stacks[0];
        assert_eq!(stack.unproven, unproven);
        let next = stack.next.as_deref();
        assert_eq!(next, unproven.then_some("stackctl deploy intake-dev"));
        assert_eq!(report.unknown, [""; 0]);
        let explained = engine::unproven(&played.context, &target()).await;
        assert_eq!(explained.expect("is read"), unproven);
        played.finish_as("status");
    }
}
