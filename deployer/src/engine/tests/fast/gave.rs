//! Who went past CloudFormation stays known after the full deploy that takes it over.

use serde_json::json;

use super::*;
use crate::engine::{StackTarget, gave_fast};

const GIVEN: &str = "state/intake-dev.given.json";

fn body(input: &aws_sdk_s3::operation::put_object::PutObjectInput) -> serde_json::Value {
    let bytes = input.body().bytes().unwrap_or_default();
    serde_json::from_slice(bytes).unwrap_or_default()
}

fn read(answer: serde_json::Value) -> Rule {
    mock!(S3::get_object)
        .match_requests(|input| input.key() == Some(GIVEN))
        .then_http_response(move || http(200, &answer.to_string()))
}

#[tokio::test]
async fn who_went_past_cloudformation_stays_known() {
    let packed = with_function();
    let sha256 = packed.sha256.clone();
    let origin = |by: &str| json!({"ours": true, "version": "0.1.0", "commit": null, "dirty": null, "by": by});
    let mut last = origin("user/alice");
    last["at"] = json!("2026-07-28T07:00:00.000Z");
    let record = json!({
        "stack_id": STACK_ID,
        "functions": {"Create": {"deployed": key(&sha256), "live": key(&old())}},
        "last": last,
    });
    let mut earlier = origin("user/bob");
    earlier["at"] = json!("2026-07-27T07:00:00.000Z");
    earlier["stack"] = json!("intake-dev");
    earlier["resources"] = json!(["Create"]);
    earlier["until"] = json!("2026-07-27T08:00:00.000Z");
    let listed = json!({"given": [earlier]});
    let put = mock!(S3::put_object)
        .match_requests(|input| {
            let given = body(input)["given"].clone();
            input.key() == Some(GIVEN)
                && given[0]["by"] == "user/bob"
                && given[1]["by"] == "user/alice"
                && given[1]["resources"] == json!(["Create"])
                && given[1]["until"].is_string()
                && given[2].is_null()
        })
        .then_http_response(|| http(200, ""));
    let played = functions(full_with(&sha256, record.to_string()))
        .lambda("update_function_code", update(&sha256, None))
        .lambda("get_function", runs(b"zipped", "Successful"))
        .s3("get_object", read(listed.clone()))
        .s3("put_object", put)
        .s3("delete_object", forget(204, ""))
        .play();
    deploy(&played.context, packed.deployment, Answer::never())
        .await
        .expect("is mended");
    played.finish();

    let played = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .s3("get_object", read(listed))
        .play();
    let target = StackTarget {
        name: "intake-dev".to_owned(),
        region: None,
    };
    let gave = gave_fast(&played.context, &[target])
        .await
        .expect("is read");
    let by = gave[0]
        .last
        .as_ref()
        .and_then(|last| last.origin.by.clone());
    assert_eq!(by.as_deref(), Some("user/bob"));
    assert_eq!(gave[0].until.as_deref(), Some("2026-07-27T08:00:00.000Z"));
    played.finish();
}
