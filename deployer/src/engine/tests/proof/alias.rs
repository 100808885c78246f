//! Released functions, whose alias is led back where a route fails.

mod unproven;

use aws_sdk_s3::{Client as S3, operation::put_object::PutObjectInput};

use super::*;
use crate::engine::{
    deployed,
    release::{record::hash, unproven::NotedAlias},
    stack::Archive,
    tests::described,
};

fn update_alias() -> Rule {
    mock!(Lambda::update_alias)
        .match_requests(|input| {
            input.function_name() == Some(FUNCTION)
                && input.name() == Some("live")
                && input.function_version() == Some("3")
                && input.revision_id() == Some("r4")
        })
        .then_http_response(|| http(200, &json!({"FunctionVersion": "3"}).to_string()))
}

#[tokio::test]
async fn a_route_that_fails_leads_released_functions_back() {
    led_back(None, |script| script.lambda("update_alias", update_alias())).await;
}

/// The SDK repeats a call whose answer was lost, and Lambda had obeyed the first.
#[tokio::test]
async fn a_repeated_call_finds_the_alias_where_it_was_led() {
    let refused = mock!(Lambda::update_alias).then_http_response(|| {
        let mut answer = http(
            412,
            r#"{"message": "The Revision Id provided does not match"}"#,
        );
        answer
            .headers_mut()
            .insert("x-amzn-errortype", "PreconditionFailedException");
        answer
    });
    led_back(None, |script| {
        alias(script.lambda("update_alias", refused), "3")
    })
    .await;
}

fn alias_led_back() -> Event {
    Event::AliasLedBack {
        stack: STACK.into(),
        logical_id: "WorkAlias".into(),
        from: "4".into(),
        to: "3".into(),
    }
}

/// Notes what is live before an update of the stack, which nothing is held against.
async fn noted(context: &crate::engine::Context, work: &Work) -> Note {
    let (noted, written) = note(
        context,
        work,
        STACK_ID,
        Some(&described("UPDATE_COMPLETE")),
        &[],
        None,
    )
    .await;
    written.expect("is written");
    noted.expect("there is something to prove")
}

fn archive() -> Archive {
    Archive {
        bucket: "artifacts".to_owned(),
        mark: None,
        marks: false,
        unproven: false,
    }
}

/// A stack with a released function, whose releases are written down.
fn released(checked: bool) -> Work {
    Work {
        archive: Some(archive()),
        ..work(true, checked)
    }
}

/// The same without a trigger, as far as its proof goes: nothing but the route and the function is looked at.
fn without_trigger(mut work: Work) -> Work {
    let trigger = "AWS::Lambda::EventSourceMapping";
    work.template = work.template.replace(trigger, "AWS::SQS::Queue");
    work
}

/// The body of a `PutObject`, read as JSON.
fn body(input: &PutObjectInput) -> Value {
    let bytes = input.body().bytes().unwrap_or_default();
    serde_json::from_slice(bytes).unwrap_or_default()
}

/// Returns the key of what is written down about the failure of a stack that is as the script describes it.
async fn failure() -> String {
    let found = Stack::new("UPDATE_COMPLETE");
    let played = Script::new().describe(STACK, found.xml()).play();
    let target = (&*work(false, false).manifest).into();
    let found = deployed(&played.context, &target).await;
    let found = found.expect("is answered").expect("is there");
    let hash = hash(&found).expect("is good");
    format!("{STACK}/failed/{}", &hash[1..])
}

#[tokio::test]
async fn a_release_that_failed_is_marked() {
    let key = failure().await;
    led_back(Some(archive()), |script| {
        let put = mock!(S3::put_object)
            .match_requests(move |input| {
                let body = body(input);
                input.bucket() == Some("artifacts")
                    && input.expected_bucket_owner() == Some("123456789012")
                    && input.key() == Some(&key)
                    && body["checks"][0]["subject"] == "OrdersAnswer"
                    && body["led_back"]
                        == json!([{"logical_id": "WorkAlias", "function": FUNCTION, "from": "4", "to": "3"}])
                    && body["versions"] == json!({"intake-Work": "4"})
            })
            .then_http_response(|| http(200, ""));
        script
            .lambda("update_alias", update_alias())
            .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
            .s3("put_object", put)
    })
    .await;
}

/// Somebody led the alias on, and the check is answered now: the release is one like any other.
#[tokio::test]
async fn a_release_that_does_what_it_should_after_all_is_forgiven() {
    let key = failure().await;
    let list = format!(
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>{key}</Key></Contents></ListBucketResult>"
    );
    let script = alias(Script::new().resources(&RESOURCES), "4")
        .s3(
            "list_objects_v2",
            mock!(S3::list_objects_v2)
                .match_requests(|input| input.prefix() == Some("intake-dev/failed/"))
                .then_http_response(move || http(200, &list)),
        )
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .s3(
            "delete_object",
            mock!(S3::delete_object)
                .match_requests(move |input| input.key() == Some(&key))
                .then_http_response(|| http(204, "")),
        );
    let played = answered_by(script.play(), &Api::new(&[404]));
    looked(&played, &released(true), Standing::Proven, None)
        .await
        .expect("the route answers, and what was deployed is live");
    assert_eq!(warnings(played.finish()), [""; 0]);
}

/// Lets a smoke check fail after a deploy that moved an alias, with these answers to leading it back.
async fn led_back(archive: Option<Archive>, answer: impl FnOnce(Script) -> Script) {
    // Before the deploy, version 3 is live.
    let mut script = alias(Script::new().resources(&RESOURCES), "3");
    if archive.is_some() {
        let put = mock!(S3::put_object)
            .match_requests(|input| input.key() == Some("state/intake-dev.unproven.json"))
            .then_http_response(|| http(200, ""));
        script = script.s3("put_object", put);
    }
    let script = function(script.resources(&RESOURCES), "Active", "Successful", CODE);
    let script = answer(alias(alias(script, "4"), "4"));
    let api = Api::new(&[500]);
    let played = answered_by(script.play(), &api);
    let mut work = Work {
        archive,
        ..without_trigger(work(true, true))
    };
    // A function that the deploy does not change: nobody would find earlier sources of it.
    let beside = r#""Beside":{"Type":"AWS::Lambda::Function"},"Live":"#;
    work.template = work.template.replace(r#""Live":"#, beside);
    let noted = noted(&played.context, &work).await;
    let error = looked(&played, &work, Standing::Unproven, Some(&noted))
        .await
        .expect_err("the route fails");
    assert_eq!(error.kind(), Kind::Deploy);
    assert_eq!(
        error.hints(),
        [
            "what is released under an alias was led back to its earlier version, and all else stays as it was deployed: mend what failed, and deploy again (`stackctl deploy intake-dev`)"
        ]
    );
    let url = "https://a1b2c3.execute-api.eu-central-1.amazonaws.com/live/orders/none";
    assert_eq!(
        found(error),
        [(
            Claim::SmokeCheck,
            format!("OrdersAnswer: GET {url} is answered with 500, and should be with 404")
        )]
    );
    assert_eq!(api.asked().len(), 9);
    let waits = played.waits();
    assert_eq!(waits.len(), 8, "{waits:?}");
    assert_eq!(played.finish(), [alias_led_back()]);
}

/// Version 3 was led back to, and CloudFormation rolls the alias back to version 4, which it believes in.
#[tokio::test]
async fn an_update_that_is_rolled_back_leaves_the_live_release_live() {
    let script = alias(Script::new().resources(&RESOURCES), "3");
    let script = alias(script, "4").lambda("update_alias", update_alias());
    let played = script.play();
    let work = work(true, false);
    let noted = noted(&played.context, &work).await;
    failed(&played.context, &work, &noted).await;
    assert_eq!(played.finish(), [alias_led_back()]);
}

/// The check is answered by the version before, and the one that failed it is deployed still.
#[tokio::test]
async fn a_deploy_that_changes_nothing_fails_while_a_release_is_led_back() {
    let script = alias(Script::new().resources(&RESOURCES), "3");
    let api = Api::new(&[404]);
    let played = answered_by(script.play(), &api);
    let error = looked(&played, &work(true, true), Standing::Proven, None)
        .await
        .expect_err("what was deployed is not live");
    assert_eq!(error.kind(), Kind::Deploy);
    assert_eq!(
        error.hints(),
        [
            "mend Work and deploy it: its next release leads on; or `stackctl rollback intake-dev/Work --to 4` makes version 4 live as it is"
        ]
    );
    assert_eq!(
        found(error),
        [(
            Claim::ReleaseLive,
            "Work: version 3 is live, and version 4 was deployed last: it was led back, after a check that failed or by hand".to_owned()
        )]
    );
    assert_eq!(api.asked().len(), 1);
    let seen = played.finish();
    assert_eq!(
        crate::engine::tests::script::names(&seen),
        ["smoke_answered"]
    );
}

/// Answers the list of what is written down about releases that failed, and each of them.
fn failures(script: Script, failures: &[Value]) -> Script {
    let keys = (0..failures.len()).fold(String::new(), |keys, at| {
        format!("{keys}<Contents><Key>intake-dev/failed/{at}.json</Key></Contents>")
    });
    let list =
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{keys}</ListBucketResult>");
    let mut script = script.s3(
        "list_objects_v2",
        mock!(S3::list_objects_v2)
            .match_requests(|input| input.prefix() == Some("intake-dev/failed/"))
            .then_http_response(move || http(200, &list)),
    );
    for (at, failure) in failures.iter().enumerate() {
        let (key, body) = (format!("intake-dev/failed/{at}.json"), failure.to_string());
        script = script.s3(
            "get_object",
            mock!(S3::get_object)
                .match_requests(move |input| input.key() == Some(&key))
                .then_http_response(move || http(200, &body)),
        );
    }
    script
}

/// A failure that led version 4 back.
fn failed_check(from: &str) -> Value {
    json!({
        "checks": [{"subject": "OrdersAnswer", "message": "is not answered"}],
        "led_back": [{"logical_id": "WorkAlias", "function": FUNCTION, "from": from, "to": "3"}],
    })
}

/// Answers who made a version live by hand, and what was deployed then; `NoSuchKey`, where nobody did
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>).
fn by_hand(script: Script, versions: Option<(&str, &str)>) -> Script {
    let answer = versions.map(|(live, deployed)| {
        json!({"since": "2026-07-28T06:00:00Z", "by": "user/alice", "live": live, "deployed": deployed})
            .to_string()
    });
    script.s3(
        "get_object",
        mock!(S3::get_object)
            .match_requests(|input| input.key() == Some("intake-dev/by-hand/Work.json"))
            .then_http_response(move || match &answer {
                Some(body) => http(200, body),
                None => http(
                    404,
                    "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>",
                ),
            }),
    )
}

/// What somebody did on purpose is no failure: it is told once, with the way forward.
#[tokio::test]
async fn what_was_led_back_by_hand_is_told_and_deploys() {
    let script = alias(Script::new().resources(&RESOURCES), "3");
    let script = by_hand(failures(script, &[failed_check("2")]), Some(("3", "4")));
    let played = answered_by(script.play(), &Api::new(&[404]));
    looked(&played, &released(true), Standing::Proven, None)
        .await
        .expect("somebody wants version 3");
    assert_eq!(
        warnings(played.finish()),
        [
            "Work: version 3 is live, and version 4 was deployed last: user/alice led it back by hand at 2026-07-28T06:00:00Z; \
             change Work and deploy it: its next release leads on; or `stackctl rollback intake-dev/Work --to 4` makes version 4 live as it is"
        ]
    );
}

/// Neither an older move nor one beside a check that failed makes a deploy green.
#[tokio::test]
async fn a_check_that_failed_counts_whatever_was_done_by_hand() {
    let led = "version 3 is live, and version 4 was deployed last: it was led back";
    for (failed, moved, told) in [
        (
            vec![failed_check("4")],
            Some(("3", "4")),
            ", because its check failed",
        ),
        (vec![failed_check("4")], None, ", because its check failed"),
        // Version 4 was deployed since, and a check that nobody wrote down may have led back to version 3 again.
        (
            vec![],
            Some(("3", "2")),
            ", after a check that failed or by hand",
        ),
        (vec![], None, ", after a check that failed or by hand"),
    ] {
        let script = alias(Script::new().resources(&RESOURCES), "3");
        let script = by_hand(failures(script, &failed), moved);
        let played = answered_by(script.play(), &Api::new(&[404]));
        let error = looked(&played, &released(true), Standing::Proven, None)
            .await
            .expect_err("what was deployed is not live");
        assert_eq!(
            found(error),
            [(Claim::ReleaseLive, format!("Work: {led}{told}"))]
        );
        played.finish();
    }
}
