//! Released functions: their versions, and the alias that is moved only as it was looked at.

use aws_sdk_lambda::Client as Lambda;
use aws_sdk_s3::Client as S3;
use aws_smithy_mocks::{Rule, mock};
use serde_json::json;

use super::{
    publish::bucket_stack,
    script::{STACK, Script, http},
};
use crate::engine::{
    BOOTSTRAP_STACK, DeployedFunction, ReleasedFunction, forget_by_hand, move_alias, released,
    write_by_hand,
};

const FUNCTION: &str = "intake-Work";

fn function() -> DeployedFunction {
    DeployedFunction {
        stack: STACK.to_owned(),
        region: None,
        logical_id: "Work".to_owned(),
        name: FUNCTION.to_owned(),
        alias: None,
    }
}

fn alias(version: &'static str) -> Rule {
    mock!(Lambda::get_alias)
        .match_requests(|input| {
            input.function_name() == Some(FUNCTION) && input.name() == Some("live")
        })
        .then_http_response(move || {
            let body = json!({"Name": "live", "FunctionVersion": version, "RevisionId": format!("r{version}")});
            http(200, &body.to_string())
        })
}

/// `GetAlias` (<https://docs.aws.amazon.com/lambda/latest/api/API_GetAlias.html>) and two pages of `ListVersionsByFunction`
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html>).
fn looked_at() -> Script {
    let page = |marker: Option<&'static str>, versions: serde_json::Value| {
        mock!(Lambda::list_versions_by_function)
            .match_requests(move |input| input.marker() == marker)
            .then_http_response(move || http(200, &versions.to_string()))
    };
    let first = json!({"NextMarker": "more", "Versions": [
        {"Version": "$LATEST"}, {"Version": "9", "Description": ""},
    ]});
    let rest =
        json!({"Versions": [{"Version": "10", "Description": "a release"}, {"Version": "2"}]});
    Script::new()
        .lambda("get_alias", alias("10"))
        .lambda("list_versions_by_function", page(None, first))
        .lambda("list_versions_by_function", page(Some("more"), rest))
}

#[tokio::test]
async fn an_alias_is_moved_only_where_nobody_moved_it_since() {
    // A revision that is not the last one is refused
    // (<https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html>). Whoever sent a call twice, because the answer to
    // the first was lost, finds the alias where it should be.
    let refused = Some("PreconditionFailedException");
    for (code, now, expected) in [
        (None, None, None),
        (refused, Some("2"), refused),
        (refused, Some("9"), None),
    ] {
        let moved = mock!(Lambda::update_alias)
            .match_requests(|input| {
                input.function_name() == Some(FUNCTION)
                    && input.name() == Some("live")
                    && input.function_version() == Some("9")
                    && input.revision_id() == Some("r10")
            })
            .then_http_response(move || {
                let Some(code) = code else {
                    return http(200, &json!({"FunctionVersion": "9"}).to_string());
                };
                let body =
                    json!({"Type": "User", "message": "The Revision Id provided does not match"});
                let mut answer = http(412, &body.to_string());
                answer.headers_mut().insert("x-amzn-errortype", code);
                answer
            });
        let mut script = looked_at().lambda("update_alias", moved);
        if let Some(version) = now {
            script = script.lambda("get_alias", alias(version));
        }
        let played = script.play();
        let found = released(&played.context, &function()).await;
        let found = found.expect("it is read").expect("it is released");
        let versions: Vec<u64> = found.versions.iter().map(|it| it.version).collect();
        assert_eq!((found.live, &versions[..]), (10, &[2, 9, 10][..]));
        assert_eq!(found.previous(), Some(9));
        let result = move_alias(&played.context, &found, 9).await;
        let code = result.as_ref().err().and_then(|error| error.code());
        assert_eq!(code, expected, "{result:?}");
        played.finish();
    }
}

/// Lambda refuses the move: an earlier one, which counts still, must not be lost, and this one must not be told of.
#[tokio::test]
async fn a_move_that_was_refused_is_forgotten() {
    const KEY: &str = "intake-dev/by-hand/Work.json";
    let earlier = r#"{"since":"2026-07-28T05:00:00Z","live":"3","deployed":"4"}"#;
    let put = |check: fn(&str) -> bool| {
        mock!(S3::put_object)
            .match_requests(move |input| {
                let bytes = input.body().bytes().unwrap_or_default();
                input.key() == Some(KEY) && check(&String::from_utf8_lossy(bytes))
            })
            .then_http_response(|| http(200, ""))
    };
    for is_there in [true, false] {
        let read = mock!(S3::get_object)
            .match_requests(|input| input.key() == Some(KEY))
            .then_http_response(move || {
                if is_there {
                    http(200, earlier)
                } else {
                    // <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
                    http(
                        404,
                        "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>",
                    )
                }
            });
        let script = Script::new()
            .describe(BOOTSTRAP_STACK, bucket_stack().xml())
            .s3("get_object", read)
            .resources(&[])
            .s3("put_object", put(|body| body.contains("\"live\":\"2\"")));
        let script = if is_there {
            script.s3("put_object", put(|body| body.contains("\"live\":\"3\"")))
        } else {
            let delete = mock!(S3::delete_object)
                .match_requests(|input| input.key() == Some(KEY))
                .then_http_response(|| http(204, ""));
            script.s3("delete_object", delete)
        };
        let played = script.play();
        let work = ReleasedFunction::new(function(), 3, Vec::new());
        let noted = write_by_hand(&played.context, &work, 2).await;
        let noted = noted.expect("is written").expect("there is a bucket");
        forget_by_hand(&played.context, &work, noted)
            .await
            .expect("is taken back");
        played.finish();
    }
}

/// Whoever may not list the bucket is denied what it does not hold: what they choose is written down all the same, and over
/// nothing that they may not read.
#[tokio::test]
async fn a_move_is_written_down_by_whoever_may_not_list() {
    for (status, is_written) in [(200, true), (412, false)] {
        let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        let there = "<Error><Code>PreconditionFailed</Code><Message>it is there</Message></Error>";
        let played = Script::new()
            .describe(BOOTSTRAP_STACK, bucket_stack().xml())
            .s3(
                "get_object",
                mock!(S3::get_object).then_http_response(move || http(403, denied)),
            )
            .resources(&[])
            .s3(
                "put_object",
                mock!(S3::put_object)
                    .match_requests(|input| input.if_none_match() == Some("*"))
                    .then_http_response(move || http(status, if is_written { "" } else { there })),
            )
            .play();
        let work = ReleasedFunction::new(function(), 3, Vec::new());
        let noted = write_by_hand(&played.context, &work, 2).await;
        assert_eq!(noted.is_ok(), is_written, "{noted:?}");
        if let Err(error) = noted {
            assert_eq!(error.code(), Some("AccessDenied"));
        }
        played.finish();
    }
}
