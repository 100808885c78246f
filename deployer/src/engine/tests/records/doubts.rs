//! What speaks against versions of functions, as it is read back.

use super::*;
use crate::engine::{
    DeployedFunction, Doubt, doubtful_versions,
    release::failed::{ReleaseFailure, newest},
};

fn key(number: usize) -> String {
    format!("intake-dev/failed/{number:016}.json")
}

/// `ListObjectsV2` of failures: the keys are hashes, and say nothing of their order.
fn listed_at(minutes: &'static [usize]) -> Rule {
    let contents = minutes.iter().enumerate().map(|(number, minute)| {
        format!(
            "<Contents><Key>{}</Key><LastModified>2026-07-28T06:{minute:02}:00.000Z</LastModified></Contents>",
            key(number)
        )
    });
    let contents: String = contents.collect();
    let body = format!("<ListBucketResult>{contents}</ListBucketResult>");
    mock!(S3::list_objects_v2)
        .match_requests(|input| input.prefix() == Some("intake-dev/failed/"))
        .then_http_response(move || http(200, &body))
}

fn got(key: String, body: &Value) -> Rule {
    let body = body.to_string();
    mock!(S3::get_object)
        .match_requests(move |input| input.key() == Some(&key))
        .then_http_response(move || http(200, &body))
}

fn failed(version: &str) -> Value {
    json!({
        "checks": [{"subject": "OrdersAnswer", "message": "is not answered"}],
        "versions": {"intake-Work": version},
    })
}

#[tokio::test]
async fn the_newest_failures_are_read_until_they_are_enough() {
    // The first object is the oldest of nine.
    let mut script = Script::new().s3(
        "list_objects_v2",
        listed_at(&[1, 20, 19, 18, 17, 16, 15, 14, 13]),
    );
    for number in 1..9 {
        script = script.s3("get_object", got(key(number), &failed(&number.to_string())));
    }
    let played = script.play();
    let has = |failures: &[ReleaseFailure]| {
        let mut failures = failures.iter();
        failures.any(|it| it.is_of("intake-Work", "8"))
    };
    let found = newest(&played.context.clients, BUCKET, STACK, has)
        .await
        .expect("is read");
    assert_eq!(found.len(), 8);
    assert!(found[0].is_of("intake-Work", "1"));
    played.finish();
}

/// Nobody goes back to a version of a release that another one followed before anybody looked, nor forward to the one that is
/// deployed and that nobody looked at.
#[tokio::test]
async fn what_nobody_looked_at_is_in_doubt_as_well() {
    let unseen = json!({"checks": [], "versions": {"intake-Work": "4"}});
    let left = json!({"stack_id": STACK_ID, "aliases": {"WorkAlias": {
        "function": "arn:aws:lambda:eu-central-1:123456789012:function:intake-Work",
        "name": "live", "live": "5", "good": "5",
    }}});
    let version = "arn:aws:lambda:eu-central-1:123456789012:function:intake-Work:6";
    let played = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .s3("list_objects_v2", listed_at(&[2, 1]))
        .s3("get_object", got(key(0), &unseen))
        .s3("get_object", got(key(1), &failed("3")))
        .s3("get_object", got(UNPROVEN.to_owned(), &left))
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .resources(&[(
            "WorkVersion",
            "AWS::Lambda::Version",
            version,
            "UPDATE_COMPLETE",
        )])
        .play();
    let function = DeployedFunction {
        stack: STACK.to_owned(),
        region: None,
        logical_id: "Work".to_owned(),
        name: "intake-Work".to_owned(),
        alias: None,
    };
    let doubts = doubtful_versions(&played.context, &function)
        .await
        .expect("is read");
    let expected = [(3, Doubt::Failed), (4, Doubt::Unseen), (6, Doubt::Unseen)];
    assert_eq!(doubts, expected.into());
    played.finish();
}
