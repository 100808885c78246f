//! What can be removed, and what must stay.

use std::time::{Duration, SystemTime};

use aws_sdk_lambda::Client as Lambda;
use aws_sdk_s3::{
    Client as S3,
    types::{Delete, ObjectIdentifier},
};
use aws_smithy_mocks::{Rule, mock};

use super::{
    answers::{self, STACK_ID, Stack},
    publish::{BUCKET, bucket_stack},
    script::{Played, STACK, Script, http, names},
};
use crate::engine::{
    BOOTSTRAP_STACK, PrunePlan, PruneRequest, StackTarget, prune, prune_plan, release::record,
};

const NAME: &str = "intake-dev-Create-1";

/// A day long ago.
fn day(number: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(24 * number)
}

/// So many hours before now.
fn hour(before: u64) -> SystemTime {
    answers::now() - Duration::from_hours(before)
}

/// `ListObjectsV2` of the objects of the stack: names of packages, each with when it was written.
fn objects(packages: &[(&str, SystemTime)]) -> Rule {
    let keys = packages.iter().map(|(package, written)| {
        let key = format!("intake-dev/intake-create/{package}.zip");
        (key, *written)
    });
    listed(keys)
}

/// `ListObjectsV2` of the objects of the stack: keys, each with when it was written
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>).
fn listed(keys: impl IntoIterator<Item = (impl AsRef<str>, SystemTime)>) -> Rule {
    let contents = keys
        .into_iter()
        .fold(String::new(), |text, (key, written)| {
            let key = key.as_ref();
            let written = jiff::Timestamp::try_from(written).expect("is a time");
            format!("{text}<Contents><Key>{key}</Key><Size>7</Size><LastModified>{written}</LastModified></Contents>")
        });
    let body =
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>");
    mock!(S3::list_objects_v2)
        .match_requests(|input| input.prefix() == Some("intake-dev/"))
        .then_http_response(move || http(200, &body))
}

/// `GetObject` of what was deployed past CloudFormation.
fn direct(package: &str) -> Rule {
    let key = |package: &str| format!("intake-dev/intake-create/{package}.zip");
    let body = format!(
        r#"{{"stack_id":"{STACK_ID}","functions":{{"Create":{{"deployed":"{}","live":"{}"}}}}}}"#,
        key("deployed"),
        key(package)
    );
    mock!(S3::get_object).then_http_response(move || http(200, &body))
}

/// `GetObject` of what nobody has proven; see <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>.
fn unproven(body: Option<String>) -> Rule {
    mock!(S3::get_object)
        .match_requests(|input| input.key() == Some("state/intake-dev.unproven.json"))
        .then_http_response(move || match &body {
            Some(body) => http(200, body),
            None => http(404, "<Error><Code>NoSuchKey</Code></Error>"),
        })
}

fn nothing_unproven() -> Rule {
    unproven(None)
}

/// `ListVersionsByFunction`
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html>).
fn versions(versions: &[&str]) -> Rule {
    let versions: Vec<String> = versions
        .iter()
        .map(|version| format!(r#"{{"FunctionName": "{NAME}", "Version": "{version}"}}"#))
        .collect();
    let body = format!(r#"{{"Versions": [{}]}}"#, versions.join(","));
    mock!(Lambda::list_versions_by_function).then_http_response(move || http(200, &body))
}

/// `ListAliases` (<https://docs.aws.amazon.com/lambda/latest/api/API_ListAliases.html>): `live`, and one that gives a
/// part of the calls to another version.
fn aliases(live: &str, part: &str) -> Rule {
    let body = format!(
        r#"{{"Aliases": [{{"Name": "live", "FunctionVersion": "{live}",
            "RoutingConfig": {{"AdditionalVersionWeights": {{"{part}": 0.1}}}}}}]}}"#
    );
    mock!(Lambda::list_aliases).then_http_response(move || http(200, &body))
}

/// `DescribeStacks` of the whole region, where stacks have these packages as parameters.
pub(super) fn describe_all(packages: [&str; 2]) -> Rule {
    let mut deployed = Stack::new("UPDATE_COMPLETE");
    let [one, other] = packages.map(|name| format!("intake-dev/intake-create/{name}.zip"));
    deployed.parameters = vec![("CreateKey", one), ("Other", other)];
    let all = deployed.xml();
    mock!(aws_sdk_cloudformation::Client::describe_stacks)
        .match_requests(|input| input.stack_name().is_none())
        .then_http_response(move || http(200, &all))
}

/// A stack with a function, in a region where another app's stack uses a package of it.
fn script() -> Script {
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:intake-dev-Create-1:7";
    Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .cloudformation("describe_stacks", describe_all(["deployed", "elsewhere"]))
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .resources(&[
            ("Create", "AWS::Lambda::Function", NAME, "UPDATE_COMPLETE"),
            (
                "CreateVersion",
                "AWS::Lambda::Version",
                arn,
                "UPDATE_COMPLETE",
            ),
        ])
}

/// The record of a release that goes back to a package: that of somebody who went back names no assets.
fn record_body(number: u64, package: &str) -> String {
    let mut manifest = super::stack(STACK, &[]).manifest;
    let artifact = format!("intake-dev/intake-create/{}.zip", package.repeat(64));
    manifest.artifacts.clear();
    manifest.parameters = [("CreateKey".to_owned(), artifact)].into();
    serde_json::json!({
        "format": 1, "release": number, "deployed": "2026-07-28T06:00:00Z", "stage": "dev",
        "ours": true, "manifest": manifest, "template": "{}",
    })
    .to_string()
}

fn release(number: u64, package: &str) -> (String, Rule) {
    let body = record_body(number, package);
    let key = format!("intake-dev/release/{number:06}-{number:016}.json");
    let wanted = key.clone();
    let rule = mock!(S3::get_object)
        .match_requests(move |input| input.key() == Some(&wanted))
        .then_http_response(move || http(200, &body));
    (key, rule)
}

#[tokio::test]
async fn the_newest_releases_keep_what_they_go_back_to() {
    let (first, read_first) = release(1, "a");
    let (second, read) = release(2, "b");
    let [old, kept] =
        ["a", "b"].map(|package| format!("intake-dev/intake-create/{}.zip", package.repeat(64)));
    let keys = [
        &old,
        &kept,
        "intake-dev/intake-create/c.zip",
        "intake-dev/intake-create/deployed.zip",
        &first,
        &second,
    ];
    // The one that is written last stays anyway.
    let list = listed(keys.map(|key| (key, day(if key.ends_with("c.zip") { 2 } else { 1 }))));
    let played = script()
        .lambda("list_versions_by_function", versions(&["$LATEST", "7"]))
        .s3("get_object", direct("deployed"))
        .s3("get_object", nothing_unproven())
        .s3("list_objects_v2", list)
        .s3("get_object", read)
        .s3("get_object", read_first)
        .play();
    let plan = plan(&played, 1).await;
    assert_eq!(plan.stacks[0].objects, [old, first]);
    played.finish_as("prune");
}

/// The first release was written by a version that is not this one: nothing else stays because of it.
#[tokio::test]
async fn a_release_that_nobody_can_read_stays_and_keeps_nothing_else() {
    let unreadable = |number: u64, body: &'static str| {
        let (key, _) = release(number, "a");
        let wanted = key.clone();
        let rule = mock!(S3::get_object)
            .match_requests(move |input| input.key() == Some(&wanted))
            .then_http_response(move || http(200, body));
        (key, rule)
    };
    for body in [r#"{"format": 99}"#, r#"{"format": 1, "release": "#] {
        let (first, read_first) = unreadable(1, body);
        let (second, read_second) = release(2, "b");
        let (third, read_third) = release(3, "c");
        let keys = [&first, &second, &third].map(|key| (key, day(1)));
        let played = script()
            .lambda("list_versions_by_function", versions(&["$LATEST", "7"]))
            .s3("get_object", direct("deployed"))
            .s3("get_object", nothing_unproven())
            .s3("list_objects_v2", listed(keys))
            .s3("get_object", read_third)
            .s3("get_object", read_second)
            .s3("get_object", read_first)
            .play();
        let plan = plan(&played, 1).await;
        assert_eq!(plan.stacks[0].objects, [second]);
        assert_eq!(names(&played.finish()), ["warning"]);
    }
    // What is kept may need anything.
    let (key, read) = unreadable(1, "{}");
    let played = script()
        .lambda("list_versions_by_function", versions(&["$LATEST", "7"]))
        .s3("get_object", direct("deployed"))
        .s3("get_object", nothing_unproven())
        .s3("list_objects_v2", listed([(key, day(1))]))
        .s3("get_object", read)
        .play();
    let request = request(1);
    prune_plan(&played.context, &request)
        .await
        .expect_err("what it needs is not known");
    played.finish();
}

/// The second release, and one that failed, were made by an app that had the stack before: they count for nothing of what this one
/// keeps, and stay with their packages and with what is told of the failure.
#[tokio::test]
async fn what_another_app_released_before_the_stack_was_taken_over_stays() {
    let theirs = |number: u64, package: &str| {
        let mut body: serde_json::Value =
            serde_json::from_str(&record_body(number, package)).expect("is JSON");
        body["manifest"]["tags"] = serde_json::json!({"stackctl:app": "blog"});
        let key = format!("intake-dev/release/{number:06}-{number:016}.json");
        let wanted = key.clone();
        let rule = mock!(S3::get_object)
            .match_requests(move |input| input.key() == Some(&wanted))
            .then_http_response(move || http(200, &body.to_string()));
        (key, rule)
    };
    let (first, read_first) = release(1, "a");
    let (second, read_second) = theirs(2, "b");
    let (third, read_third) = theirs(3, "c");
    let (fourth, read_fourth) = release(4, "d");
    let [old, two, three, kept] = ["a", "b", "c", "d"]
        .map(|package| format!("intake-dev/intake-create/{}.zip", package.repeat(64)));
    let failure = "intake-dev/failed/0000000000000003.json";
    // Of packages that are as old as each other, the first is the newest.
    let keys = [
        &kept, &old, &two, &three, failure, &first, &second, &third, &fourth,
    ];
    let list = listed(keys.map(|key| (key, day(1))));
    let told = serde_json::json!({"checks": [], "led_back": []});
    let played = script()
        .lambda("list_versions_by_function", versions(&["$LATEST", "7"]))
        .s3("get_object", direct("deployed"))
        .s3("get_object", nothing_unproven())
        .s3("list_objects_v2", list)
        .s3(
            "get_object",
            mock!(S3::get_object)
                .match_requests(move |input| input.key() == Some(failure))
                .then_http_response(move || http(200, &told.to_string())),
        )
        .s3("get_object", read_fourth)
        .s3("get_object", read_third)
        .s3("get_object", read_second)
        .s3("get_object", read_first)
        .play();
    let context = played.context.clone().of_app(Some("shop"));
    let request = request(1);
    let plan = prune_plan(&context, &request).await.expect("can be read");
    assert_eq!(plan.stacks[0].objects, [old, first]);
    played.finish_as("prune");
}

/// The second release failed its check: it is none of those that are kept, and neither are its package and its version.
#[tokio::test]
async fn what_failed_is_not_kept_in_place_of_what_did_not() {
    let (first, good) = release(1, "a");
    let (second, bad) = release(2, "b");
    let [kept, broken] =
        ["a", "b"].map(|package| format!("intake-dev/intake-create/{}.zip", package.repeat(64)));
    let failure = "intake-dev/failed/0000000000000002.json";
    // The package of the release that failed is the newest.
    let list = listed([
        (&*kept, day(1)),
        (&broken, day(2)),
        (failure, day(2)),
        (&first, day(1)),
        (&second, day(2)),
    ]);
    let told = serde_json::json!({"checks": [], "led_back": [{
        "logical_id": "CreateAlias", "from": "6", "to": "4",
        "function": format!("arn:aws:lambda:eu-central-1:123456789012:function:{NAME}"),
    }]});
    let played = script()
        .lambda(
            "list_versions_by_function",
            versions(&["$LATEST", "3", "4", "5", "6", "7"]),
        )
        .lambda("list_aliases", aliases("4", "4"))
        .s3("get_object", direct("direct"))
        .s3("get_object", nothing_unproven())
        .s3("list_objects_v2", list)
        .s3(
            "get_object",
            mock!(S3::get_object)
                .match_requests(move |input| input.key() == Some(failure))
                .then_http_response(move || http(200, &told.to_string())),
        )
        .s3("get_object", bad)
        .s3("get_object", good)
        .play();
    let plan = plan(&played, 2).await;
    let stack = &plan.stacks[0];
    assert_eq!(stack.objects, [failure, &broken, &second]);
    let versions: Vec<u64> = stack.versions.iter().map(|it| it.version).collect();
    // 4 is live, 7 is what the stack holds, and with 5 there are two that did not fail.
    assert_eq!(versions, [3, 6]);
    played.finish_as("prune");
}

/// The deploy of version 7 was killed before its check, which may lead back to version 4; version 5 was live, and made no check
/// well either.
#[tokio::test]
async fn what_a_check_may_lead_back_to_stays() {
    let was = "arn UPDATE_COMPLETE 2026-07-20T06:00:00Z";
    let (newest, read_newest) = release(2, "b");
    let before = format!("intake-dev/release/000001{}", record::hash_of(was));
    let alias = serde_json::json!({
        "function": format!("arn:aws:lambda:eu-central-1:123456789012:function:{NAME}"),
        "name": "live", "live": "5", "good": "4",
    });
    let note = serde_json::json!({
        "stack_id": STACK_ID, "before": was, "aliases": {"CreateAlias": alias},
    });
    let list = listed([(&before, day(1)), (&newest, day(2))]);
    let body = record_body(1, "a");
    let played = script()
        .lambda(
            "list_versions_by_function",
            versions(&["$LATEST", "3", "4", "5", "6", "7"]),
        )
        .lambda("list_aliases", aliases("7", "7"))
        .s3("get_object", direct("direct"))
        .s3("get_object", unproven(Some(note.to_string())))
        .s3("list_objects_v2", list)
        .s3("get_object", read_newest)
        .s3(
            "get_object",
            mock!(S3::get_object)
                .match_requests(move |input| input.key() == Some(&before))
                .then_http_response(move || http(200, &body)),
        )
        .play();
    let plan = plan(&played, 1).await;
    let stack = &plan.stacks[0];
    assert_eq!(stack.objects, [""; 0]);
    let versions: Vec<u64> = stack.versions.iter().map(|it| it.version).collect();
    assert_eq!(versions, [3, 6]);
    played.finish_as("prune");
}

fn request(keep: usize) -> PruneRequest {
    let target = StackTarget {
        name: STACK.to_owned(),
        region: None,
    };
    PruneRequest {
        stacks: vec![target],
        keep,
        age: Duration::from_hours(24),
    }
}

async fn plan(played: &Played, keep: usize) -> PrunePlan {
    prune_plan(&played.context, &request(keep))
        .await
        .expect("can be read")
}

#[tokio::test]
async fn what_anybody_needs_stays_and_the_rest_goes() {
    let played = script()
        .lambda(
            "list_versions_by_function",
            versions(&["$LATEST", "2", "3", "5", "7", "8", "9"]),
        )
        .lambda("list_aliases", aliases("3", "5"))
        .s3("get_object", direct("direct"))
        .s3("get_object", nothing_unproven())
        .s3(
            "list_objects_v2",
            objects(&[
                ("deployed", day(1)),
                ("elsewhere", day(2)),
                ("direct", day(3)),
                ("old", day(4)),
                ("older", day(5)),
                ("kept", day(6)),
                ("newest", day(7)),
            ]),
        )
        .lambda(
            "delete_function",
            mock!(Lambda::delete_function)
                .match_requests(|input| {
                    input.function_name() == Some(NAME) && input.qualifier() == Some("2")
                })
                .then_http_response(|| http(204, "")),
        )
        .cloudformation("describe_stacks", describe_all(["deployed", "elsewhere"]))
        .s3(
            "delete_objects",
            mock!(S3::delete_objects)
                .match_requests(|input| {
                    let keys: Vec<&str> = input
                        .delete()
                        .map(|delete| delete.objects().iter().map(ObjectIdentifier::key).collect())
                        .unwrap_or_default();
                    input.bucket() == Some(BUCKET)
                        && keys
                            == [
                                "intake-dev/intake-create/old.zip",
                                "intake-dev/intake-create/older.zip",
                            ]
                })
                .then_http_response(|| http(200, "<DeleteResult/>")),
        )
        .play();
    let mut plan = plan(&played, 2).await;
    let stack = &plan.stacks[0];
    assert_eq!(stack.bytes, 14);
    let versions: Vec<u64> = stack.versions.iter().map(|it| it.version).collect();
    // 3 and 5 are invoked, 7 is what the stack holds, and 8 and 9 are the newest.
    assert_eq!(versions, [2]);
    prune(&played.context, &mut plan).await.expect("is removed");
    played.finish_as("prune");
}

#[tokio::test]
async fn what_is_young_may_belong_to_a_deploy_that_is_under_way() {
    let played = script()
        .lambda("list_versions_by_function", versions(&["$LATEST", "1"]))
        .s3("get_object", direct("direct"))
        .s3("get_object", nothing_unproven())
        .s3(
            "list_objects_v2",
            objects(&[("young", hour(3)), ("younger", hour(2))]),
        )
        .play();
    assert!(plan(&played, 1).await.is_empty());
    played.finish_as("prune");
}

#[tokio::test]
async fn a_package_that_is_deployed_again_between_the_plan_and_the_consent_stays() {
    let played = script()
        .lambda("list_versions_by_function", versions(&["$LATEST", "1"]))
        .s3("get_object", direct("direct"))
        .s3("get_object", nothing_unproven())
        .s3(
            "list_objects_v2",
            objects(&[("old", day(4)), ("older", day(5)), ("newest", day(7))]),
        )
        .cloudformation("describe_stacks", describe_all(["old", "elsewhere"]))
        .s3(
            "delete_objects",
            mock!(S3::delete_objects)
                .match_requests(|input| {
                    let objects = input.delete().map(Delete::objects).unwrap_or_default();
                    let keys: Vec<&str> = objects.iter().map(ObjectIdentifier::key).collect();
                    keys == ["intake-dev/intake-create/older.zip"]
                })
                .then_http_response(|| http(200, "<DeleteResult/>")),
        )
        .play();
    let mut plan = plan(&played, 1).await;
    assert_eq!(
        (plan.stacks[0].objects.len(), plan.stacks[0].bytes),
        (2, 14)
    );
    prune(&played.context, &mut plan).await.expect("is removed");
    // What is told as removed is what was.
    assert_eq!((plan.stacks[0].objects.len(), plan.stacks[0].bytes), (1, 7));
    played.finish_as("prune");
}

/// The parameters are those of the update, and what CloudFormation goes back to is in none of them.
#[tokio::test]
async fn a_stack_that_may_be_rolled_back_keeps_everything() {
    for status in [
        "UPDATE_IN_PROGRESS",
        "UPDATE_FAILED",
        "UPDATE_ROLLBACK_FAILED",
    ] {
        // Nothing else is asked: neither for its packages nor for versions.
        let played = Script::new()
            .describe(BOOTSTRAP_STACK, bucket_stack().xml())
            .cloudformation("describe_stacks", describe_all(["deployed", "elsewhere"]))
            .describe(STACK, Stack::new(status).xml())
            .play();
        assert!(plan(&played, 0).await.is_empty(), "{status}");
        played.finish_as("prune");
    }
}
