//! The releases of a stack, as they are read back.

use aws_sdk_cloudformation::types::DeploymentConfigMode;

use super::*;
use crate::engine::{RollbackRequest, rollback};

/// The key of a package: its name is its hash.
fn package(level: &str) -> String {
    format!("intake-dev/create/{}.zip", level.repeat(64))
}

/// A record, with what goes before its number in its key.
fn record(release: u64, level: &str, back_to: Option<u64>) -> (String, String) {
    let mut manifest = stack(STACK, &[]).manifest;
    let artifact = package(level);
    manifest.artifacts = [("CreateArtifact".to_owned(), "create".to_owned())].into();
    manifest.parameters = [
        ("Level".to_owned(), level.to_owned()),
        ("CreateArtifact".to_owned(), artifact),
    ]
    .into();
    let record = json!({
        "format": 1, "release": release, "deployed": "2026-07-28T06:00:00Z", "stage": "dev",
        "ours": true, "version": "0.1.0", "commit": null, "dirty": null, "by": "user/dev",
        "back_to": back_to, "manifest": manifest, "template": TEMPLATE,
    });
    let key = format!("intake-dev/release/{release:06}-{release:016}.json");
    (key, record.to_string())
}

/// `GetObject` of a record.
fn got((key, body): (String, String)) -> Rule {
    mock!(S3::get_object)
        .match_requests(move |input| input.key() == Some(&key))
        .then_http_response(move || http(200, &body))
}

/// Three releases, of which the package of the first is gone.
fn three(script: Script, found: &Stack) -> Script {
    script
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .s3(
            "list_objects_v2",
            listed(
                "intake-dev/",
                &[
                    (&record(1, "", None).0, ""),
                    (&record(2, "", None).0, ""),
                    (&record(3, "", None).0, ""),
                    (&package("b"), ""),
                    (&package("c"), ""),
                ],
            ),
        )
        .describe(STACK, found.xml())
}

async fn releases(context: &crate::engine::Context) -> StackReleases {
    stack_releases(context, &target()).await.expect("is read")
}

async fn live(releases: &StackReleases) -> Option<u64> {
    releases.live().await.expect("is read")
}

/// An update that failed leaves the stack as it was before, in a state of which nobody wrote a record.
#[tokio::test]
async fn after_an_update_that_was_rolled_back_the_release_before_it_is_deployed() {
    let with_name = |release: u64, name: &str| {
        let (key, body) = record(release, "b", None);
        let mut body: Value = serde_json::from_str(&body).expect("is JSON");
        body["manifest"]["releases"] = json!({"CreateRelease": "Create"});
        body["manifest"]["parameters"]["CreateRelease"] = json!(name);
        got((key, body.to_string()))
    };
    let mut found = Stack::new("UPDATE_ROLLBACK_COMPLETE");
    found.parameters = vec![
        ("Level", "b".into()),
        ("CreateArtifact", package("b")),
        ("CreateRelease", "second".into()),
    ];
    // What is deployed is in two of them, and one of those has the names that are deployed.
    let played = three(Script::new(), &found)
        .template(TEMPLATE)
        .s3("get_object", with_name(3, "third"))
        .s3("get_object", with_name(2, "second"))
        .s3("get_object", got(record(1, "a", None)))
        .s3("get_object", got(record(1, "a", None)))
        .play();
    let rolled_back = releases(&played.context).await;
    assert_eq!(live(&rolled_back).await, Some(2));
    let key = rolled_back.live_key().await.expect("is known");
    assert_eq!(key, Some(&record(2, "", None).0));
    assert_eq!(rolled_back.previous().await.expect("is known"), Some(1));
    played.finish_as("history");

    // As long as an update runs nobody knows how it ends.
    let played = three(Script::new(), &Stack::new("UPDATE_IN_PROGRESS")).play();
    assert_eq!(live(&releases(&played.context).await).await, None);
    played.finish_as("history");
}

#[tokio::test]
async fn what_is_deployed_but_was_not_written_down_stands_behind_what_is_the_same() {
    // A run was killed after it went back to the second release.
    let mut found = Stack::new("UPDATE_COMPLETE");
    found.parameters = vec![("Level", "b".into()), ("CreateArtifact", package("b"))];
    let played = three(Script::new(), &found)
        .template(TEMPLATE)
        .s3("get_object", got(record(3, "c", None)))
        .s3("get_object", got(record(2, "b", None)))
        .s3("get_object", got(record(1, "a", None)))
        .s3("get_object", got(record(1, "a", None)))
        .s3("get_object", got(record(1, "a", None)))
        .play();
    let releases = releases(&played.context).await;
    assert_eq!(live(&releases).await, Some(2));
    assert_eq!(releases.newest().collect::<Vec<_>>(), [3, 2, 1]);
    let previous = releases.previous().await.expect("is read");
    assert_eq!(previous, Some(1));
    let first = releases.read(1).await.expect("is read").expect("is there");
    assert_eq!(releases.lost(&first), ["the package of create"]);
    played.finish_as("history");
}

#[tokio::test]
async fn what_no_release_is_like_stands_behind_the_newest() {
    let played = three(Script::new(), &Stack::new("UPDATE_COMPLETE"))
        .template(r#"{"Resources":{}}"#)
        .s3("get_object", got(record(3, "c", Some(1))))
        .s3("get_object", got(record(2, "b", None)))
        .s3("get_object", got(record(1, "a", None)))
        .s3("get_object", got(record(3, "c", Some(1))))
        .s3("get_object", got(record(3, "c", Some(1))))
        .s3("get_object", got(record(2, "b", None)))
        .play();
    let releases = releases(&played.context).await;
    assert_eq!(live(&releases).await, None);
    assert_eq!(releases.previous().await.expect("is read"), Some(3));
    // The third goes back to the first, so that the second is what came last.
    assert_eq!(releases.latest().await.expect("is read"), Some(2));
    played.finish_as("history");
}

#[tokio::test]
async fn going_back_twice_leads_further_back() {
    let found = Stack::new("UPDATE_COMPLETE");
    let hash = crate::engine::release::record::hash(&read(&found).await).expect("is good");
    let key = format!("intake-dev/release/000004{hash}");
    let (_, fourth) = record(4, "b", Some(2));
    let played = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .s3(
            "list_objects_v2",
            listed(
                "intake-dev/",
                &[
                    (&record(1, "", None).0, ""),
                    (&record(2, "", None).0, ""),
                    (&record(3, "", None).0, ""),
                    (&key, ""),
                ],
            ),
        )
        .describe(STACK, found.xml())
        .s3("get_object", got((key.clone(), fourth)))
        .s3("get_object", got(record(1, "a", None)))
        .play();
    let releases = releases(&played.context).await;
    assert_eq!(live(&releases).await, Some(4));
    assert_eq!(releases.previous().await.expect("is read"), Some(1));
    played.finish();
}

/// Another app had the stack when it made the first and the third release; this one took it over and made the fourth.
#[tokio::test]
async fn nobody_goes_back_to_a_release_of_another_app_without_naming_it() {
    let of = |app: &str, (key, body): (String, String)| {
        let mut body: Value = serde_json::from_str(&body).expect("is JSON");
        body["manifest"]["tags"] = json!({"stackctl:stage": "dev", "stackctl:app": app});
        got((key, body.to_string()))
    };
    let found = Stack::new("UPDATE_COMPLETE");
    let hash = crate::engine::release::record::hash(&read(&found).await).expect("is good");
    let key = format!("intake-dev/release/000004{hash}");
    let (_, fourth) = record(4, "d", None);
    let keys = [1, 2, 3].map(|release| record(release, "", None).0);
    let listing = [(&*keys[0], ""), (&keys[1], ""), (&keys[2], ""), (&key, "")];
    let before = || {
        Script::new()
            .describe(BOOTSTRAP_STACK, bucket_stack().xml())
            .s3("list_objects_v2", listed("intake-dev/", &listing))
            .describe(STACK, found.xml())
    };
    let played = before()
        .s3("get_object", of("shop", (key.clone(), fourth.clone())))
        .s3("get_object", of("blog", record(3, "c", None)))
        // Made before the app had a name.
        .s3("get_object", got(record(2, "b", None)))
        .s3("get_object", of("shop", (key.clone(), fourth.clone())))
        .s3("get_object", of("blog", record(3, "c", None)))
        .play();
    let shop = played.context.clone().of_app(Some("shop"));
    let releases = releases(&shop).await;
    assert_eq!(releases.previous().await.expect("is read"), Some(2));
    assert_eq!(releases.latest().await.expect("is read"), Some(4));
    let third = releases.read(3).await.expect("is read").expect("is there");
    assert_eq!(releases.other_app(&third), Some("blog"));
    played.finish();

    // All that came before is the other one's.
    let played = before()
        .s3("get_object", of("shop", (key.clone(), fourth)))
        .s3("get_object", of("blog", record(3, "c", None)))
        .s3("get_object", of("blog", record(2, "b", None)))
        .s3("get_object", of("blog", record(1, "a", None)))
        .play();
    let shop = played.context.clone().of_app(Some("shop"));
    let releases = self::releases(&shop).await;
    assert_eq!(releases.previous().await.expect("is read"), None);
    played.finish();
}

/// The third and the fourth were led back after a check that failed, and the fourth is deployed.
#[tokio::test]
async fn nobody_goes_back_to_a_release_that_failed_without_naming_it() {
    let found = Stack::new("UPDATE_COMPLETE");
    let hash = crate::engine::release::record::hash(&read(&found).await).expect("is good");
    let key = format!("intake-dev/release/000004{hash}");
    let failure = format!("intake-dev/failed/{}", &hash[1..]);
    let (_, fourth) = record(4, "d", None);
    let told = json!({
        "checks": [{"subject": "OrdersAnswer", "message": "is not answered"}],
        "led_back": [{"logical_id": "WorkAlias", "function": "work", "from": "4", "to": "2"}],
    });
    let played = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .s3(
            "list_objects_v2",
            listed(
                "intake-dev/",
                &[
                    ("intake-dev/failed/0000000000000003.json", ""),
                    (&failure, ""),
                    (&record(1, "", None).0, ""),
                    (&record(2, "", None).0, ""),
                    (&record(3, "", None).0, ""),
                    (&key, ""),
                ],
            ),
        )
        .describe(STACK, found.xml())
        .s3("get_object", got((key.clone(), fourth)))
        .s3("get_object", got(record(2, "b", None)))
        .s3("get_object", got(record(2, "b", None)))
        .s3("get_object", got((failure.clone(), told.to_string())))
        .play();
    let releases = releases(&played.context).await;
    assert_eq!(live(&releases).await, Some(4));
    assert_eq!(releases.newest().collect::<Vec<_>>(), [4, 3, 2, 1]);
    assert_eq!(releases.previous().await.expect("is read"), Some(2));
    assert_eq!(releases.latest().await.expect("is read"), Some(2));
    let failed = releases.failure(4).await.expect("is read").expect("failed");
    assert_eq!(failed.checks[0].subject, "OrdersAnswer");
    assert_eq!(failed.led_back[0].to, "2");
    assert_eq!(releases.failure(2).await.expect("is read"), None);
    assert!(releases.is_failed(3) && releases.has(3));
    played.finish();
}

#[tokio::test]
async fn a_release_is_deployed_with_what_it_had_and_new_names() {
    let played = three(Script::new(), &Stack::new("UPDATE_COMPLETE"))
        .s3("get_object", got(record(2, "b", None)))
        .play();
    let releases = releases(&played.context).await;
    let mut second = releases.read(2).await.expect("is read").expect("is there");
    assert_eq!(releases.lost(&second), [""; 0]);
    let manifest = &mut second.manifest;
    manifest
        .releases
        .insert("CreateRelease".into(), "Create".into());
    manifest
        .parameters
        .insert("CreateRelease".into(), "old".into());
    let again = second.manifest();
    assert_eq!(again.artifacts.len(), 0);
    let again_manifest = again.clone();
    let parameters: Vec<_> = again.parameters.into_iter().collect();
    assert_eq!(
        parameters,
        [
            ("CreateArtifact".to_owned(), package("b")),
            ("Level".to_owned(), "b".to_owned()),
        ]
    );
    // What going back writes down has no assets, and its package is one all the same.
    let mut back = second.clone();
    back.manifest = again_manifest.clone();
    let keys: Vec<_> = back.artifacts().map(|(key, _)| key.clone()).collect();
    assert_eq!(keys, [package("b")]);
    let key = back.manifest.parameters.get_mut("CreateArtifact");
    *key.expect("is there") = package("a");
    assert_eq!(releases.lost(&back), ["the package of CreateArtifact"]);
    // A value that is hidden is in no record.
    second.template = r#"{"Parameters":{"Token":{"Type":"String","NoEcho":true}}}"#.to_owned();
    assert_eq!(
        releases.lost(&second),
        ["the hidden value of parameter Token"]
    );
    // The one that comes from another region comes from there again.
    let elsewhere = json!({"stack": "edge-dev", "region": "us-east-1", "output": "Token"});
    second.manifest.references = [(
        "Token".to_owned(),
        serde_json::from_value(elsewhere).expect("is a reference"),
    )]
    .into();
    assert_eq!(releases.lost(&second), [""; 0]);
    played.finish();
}

/// Whoever may write into the bucket may write records, also one that names a stack of another stage.
#[tokio::test]
async fn a_record_that_names_another_stack_is_no_release() {
    let with = |name: &str, value: Value| {
        let (key, body) = record(2, "b", None);
        let mut body: Value = serde_json::from_str(&body).expect("is JSON");
        body["manifest"][name] = value;
        got((key, body.to_string()))
    };
    let played = three(Script::new(), &Stack::new("UPDATE_COMPLETE"))
        .s3("get_object", with("name", json!("intake-prod")))
        .s3("get_object", with("region", json!("us-east-1")))
        .s3("get_object", with("region", json!("eu-central-1")))
        .play();
    let releases = releases(&played.context).await;
    for _ in 0..2 {
        let error = releases.read(2).await.expect_err("is that of another");
        let reason = std::error::Error::source(&error)
            .expect("is told")
            .to_string();
        assert!(reason.contains("release of this stack"), "{reason}");
    }
    let own = releases.read(2).await.expect("is read");
    assert_eq!(own.map(|release| release.release), Some(2));
    played.finish();
}

/// CloudFormation says of the stack what it said before.
#[tokio::test]
async fn code_that_was_given_past_cloudformation_is_no_release() {
    let fast = |functions: Value| {
        let record = json!({"stack_id": STACK_ID, "functions": functions});
        got(("state/intake-dev.fast.json".to_owned(), record.to_string()))
    };
    let given = json!({"Create": {"deployed": package("b"), "live": package("c")}});
    let played = three(Script::new(), &Stack::new("UPDATE_COMPLETE"))
        .s3("get_object", fast(given))
        .s3("get_object", fast(json!({})))
        .play();
    let releases = releases(&played.context).await;
    assert!(releases.is_direct().await.expect("is read"));
    assert!(!releases.is_direct().await.expect("is read"));
    played.finish();
}

/// Where an update of somebody else failed in express mode, CloudFormation takes back nothing by itself: what was written down
/// last is deployed again, as it takes it
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html>).
#[tokio::test]
async fn what_failed_in_express_mode_is_replaced_by_the_newest_release() {
    const DEPLOYED: &str = r#"{"Parameters":{"Hidden":{"Type":"String","NoEcho":true},"Level":{"Type":"String"},"Other":{"Type":"String","Default":"o"}},"Resources":{"Orders":{"Type":"AWS::SQS::Queue"}}}"#;
    let stuck = || {
        let mut found = Stack::new("UPDATE_FAILED");
        found.express = true;
        found.parameters = vec![("Hidden", "****".into()), ("Level", "d".into())];
        found
    };
    let (key, body) = record(3, "c", None);
    let mut body: Value = serde_json::from_str(&body).expect("is JSON");
    body["template"] = json!(DEPLOYED);
    let played = three(Script::new().describe(STACK, stuck().xml()), &stuck())
        .s3("get_object", got((key, body.to_string())))
        .update_stack(|input| {
            let config = input.deployment_config();
            let [hidden, level] = input.parameters() else {
                return false;
            };
            config.and_then(|it| it.mode()) == Some(&DeploymentConfigMode::Express)
                && config.is_some_and(|it| it.disable_rollback() == Some(true))
                && input.template_body() == Some(DEPLOYED)
                && hidden.parameter_key() == Some("Hidden")
                && hidden.use_previous_value() == Some(true)
                && level.parameter_value() == Some("c")
        })
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .play();
    let request = RollbackRequest {
        stacks: vec![stack(STACK, &[]).manifest],
        ..RollbackRequest::default()
    };
    let report = rollback(&played.context, request)
        .await
        .expect("it works again");
    assert_eq!(report.stacks[0].outcome, Outcome::RolledBack);
    played.finish_as("rollback");
}

/// A deploy that renamed a queue was not written down: what it has been called the events of the stack tell.
#[tokio::test]
async fn what_no_release_declares_is_known_by_its_physical_id() {
    const SALES: &str = r#"{"Resources":{"Sales":{"Type":"AWS::SQS::Queue"}}}"#;
    const QUEUE: &str = "AWS::SQS::Queue";
    let renamed = |events: &'static [answers::EventRow]| {
        three(Script::new(), &Stack::new("UPDATE_COMPLETE"))
            .template(SALES)
            .resources_of(
                STACK_ID,
                &[("Sales", QUEUE, "Orders-physical", "IMPORT_COMPLETE")],
            )
            .events(events)
            .s3("get_object", got(record(3, "c", None)))
    };
    let told = async |played: &crate::engine::tests::script::Played| {
        let releases = releases(&played.context).await;
        let third = releases.read(3).await.expect("is read").expect("is there");
        let turned = releases.turned(third, None).await.expect("is read");
        (turned.release.manifest.moved, turned.unknown)
    };
    let played = renamed(&[("1", "Orders", "CREATE_COMPLETE", "", "")]).play_in_any_order();
    let moved = [("Sales".to_owned(), "Orders".to_owned())].into();
    assert_eq!(told(&played).await, (moved, [].into()));
    played.finish_as("rollback");

    let played = renamed(&[("2", STACK, "UPDATE_COMPLETE", "", "")]).play_in_any_order();
    let unknown = [("Sales".to_owned(), ["Orders".to_owned()].into())].into();
    assert_eq!(told(&played).await, ([].into(), unknown));
    played.finish_as("rollback");

    // The same template has the same names, and nobody is asked.
    let played = three(Script::new(), &Stack::new("UPDATE_COMPLETE"))
        .s3("get_object", got(record(3, "c", None)))
        .template(TEMPLATE)
        .play();
    assert_eq!(told(&played).await, ([].into(), [].into()));
    played.finish_as("rollback");
}
