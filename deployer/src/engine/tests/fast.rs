//! Code that goes to functions past CloudFormation.

mod gave;

use aws_sdk_lambda::Client as Lambda;
use aws_sdk_s3::{Client as S3, operation::put_object::PutObjectInput};
use aws_smithy_mocks::{Rule, mock};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    answers::{STACK_ID, Stack},
    publish::{BUCKET, Packed, bucket_stack, packed},
    script::{Answer, Played, STACK, Script, http, names},
};
use crate::engine::fast::Record;
use crate::engine::{
    BOOTSTRAP_STACK, DeployError, DeployReport, Explained as _, FastError, FastPlan, Outcome,
    deploy, fast, fast_plan,
};
use crate::error::{Error, Kind};

/// A template with one function, whose code is the artifact of [`packed`].
const TEMPLATE: &str = r#"{
    "Parameters": {"ArtifactBucket": {"Type": "String"}, "CreateKey": {"Type": "String"}},
    "Resources": {"Create": {"Type": "AWS::Lambda::Function", "Properties": {
        "Code": {"S3Bucket": {"Ref": "ArtifactBucket"}, "S3Key": {"Ref": "CreateKey"}}}}}
}"#;

const NAME: &str = "intake-dev-Create-1";

/// The hash of what was deployed last.
fn old() -> String {
    hexadecimal(b"old")
}

fn hexadecimal(bytes: &[u8]) -> String {
    crate::text::hex(&Sha256::digest(bytes))
}

fn key(sha256: &str) -> String {
    format!("intake-dev/intake-create/{sha256}.zip")
}

pub(super) fn with_function() -> Packed {
    let mut packed = packed();
    packed.deployment.stacks[0].template = TEMPLATE.to_owned();
    packed
}

/// The stack as the last full deploy left it, with an artifact.
fn deployed(sha256: &str) -> Stack {
    let mut stack = Stack::new("UPDATE_COMPLETE");
    stack.parameters = vec![
        ("ArtifactBucket", BUCKET.into()),
        ("CreateKey", key(sha256)),
    ];
    stack
}

/// `GetObject` of the record: absent, or with this content
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>).
pub(super) fn record(content: Option<String>) -> Rule {
    mock!(S3::get_object)
        .match_requests(|input| input.key() == Some("state/intake-dev.fast.json"))
        .then_http_response(move || match &content {
            Some(content) => http(200, content),
            None => http(
                404,
                "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>",
            ),
        })
}

/// `GetFunction` of a function that runs these bytes
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html>).
fn runs(bytes: &[u8], status: &'static str) -> Rule {
    let sha256 = aws_smithy_types::base64::encode(Sha256::digest(bytes));
    mock!(Lambda::get_function)
        .match_requests(|input| input.function_name() == Some(NAME))
        .then_http_response(move || {
            http(
                200,
                &format!(
                    r#"{{"Configuration": {{"FunctionName": "{NAME}", "CodeSha256": "{sha256}", "RevisionId": "r1",
                        "LastUpdateStatus": "{status}", "LastUpdateStatusReason": "The key is disabled."}}}}"#
                ),
            )
        })
}

/// `UpdateFunctionCode` with an object, on top of a revision.
fn update(sha256: &str, revision: Option<&'static str>) -> Rule {
    let key = key(sha256);
    mock!(Lambda::update_function_code)
        .match_requests(move |input| {
            input.function_name() == Some(NAME)
                && input.s3_bucket() == Some(BUCKET)
                && input.s3_key() == Some(&key)
                && input.revision_id() == revision
        })
        .then_http_response(|| http(200, r#"{"LastUpdateStatus": "InProgress"}"#))
}

fn functions(script: Script) -> Script {
    script.resources(&[("Create", "AWS::Lambda::Function", NAME, "UPDATE_COMPLETE")])
}

async fn plan(played: &Played, packed: &Packed) -> Result<FastPlan, FastError> {
    fast_plan(&played.context, &packed.deployment).await
}

/// `GetObject` of the record, whose content breaks off so often before it comes whole.
fn broken_record(times: usize, content: String) -> Rule {
    let mut answers = mock!(S3::get_object).sequence();
    for _ in 0..times {
        let (half, length) = (content[..content.len() / 2].to_owned(), content.len());
        answers = answers.http_response(move || {
            let mut answer = http(200, &half);
            let headers = answer.headers_mut();
            headers.insert("content-length", length.to_string());
            answer
        });
    }
    answers.http_response(move || http(200, &content)).build()
}

#[tokio::test]
async fn a_record_that_breaks_off_is_read_again() {
    let content = format!(r#"{{"stack_id":"{STACK_ID}","functions":{{}}}}"#);
    let read = async |times| {
        let played = Script::new()
            .s3("get_object", broken_record(times, content.clone()))
            .play();
        Record::read(&played.context.clients, BUCKET, STACK, STACK_ID).await
    };
    assert!(read(2).await.expect("the third answer is whole").is_empty());
    let error = read(3).await.expect_err("nobody waits for ever");
    assert_eq!(
        std::error::Error::source(&error).map(ToString::to_string),
        Some("the answer holds no whole object".to_owned())
    );
}

/// Returns whether a record says this, and besides who gave it last.
pub(super) fn says(input: &PutObjectInput, content: &str) -> bool {
    let body = input.body().bytes().unwrap_or_default();
    let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
    let last = body.as_object_mut().and_then(|body| body.remove("last"));
    last.is_some_and(|last| last["by"] == "user/dev" && last["at"].is_string())
        && serde_json::from_str(content).ok() == Some(body)
}

#[tokio::test]
async fn changed_code_goes_to_the_function_and_is_written_down_before() {
    let packed = with_function();
    let (old, new) = (old(), packed.sha256.clone());
    let content = format!(
        r#"{{"stack_id":"{STACK_ID}","functions":{{"Create":{{"deployed":"{}","live":"{}"}}}}}}"#,
        key(&old),
        key(&new)
    );
    let put = mock!(S3::put_object)
        .match_requests(move |input| {
            input.key() == Some("state/intake-dev.fast.json") && says(input, &content)
        })
        .then_http_response(|| http(200, ""));
    let script = Script::new()
        .describe(STACK, deployed(&old).xml())
        .template(TEMPLATE)
        .s3("get_object", record(None));
    let played = functions(script)
        .lambda("get_function", runs(b"old", "Successful"))
        .object_absent()
        .s3(
            "put_object",
            mock!(S3::put_object).then_http_response(|| http(200, "")),
        )
        .s3("put_object", put)
        .lambda("update_function_code", update(&new, Some("r1")))
        .lambda("get_function", runs(b"zipped", "InProgress"))
        .lambda("get_function", runs(b"zipped", "Successful"))
        .play();
    let FastPlan::Code(changes) = plan(&played, &packed).await.expect("can be read") else {
        panic!("code alone changes")
    };
    let all: Vec<_> = changes.functions().collect();
    assert_eq!(all, [(STACK, "Create")]);
    let report = fast(&played.context, changes).await.expect("is taken");
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    let seen = names(&played.finish());
    assert!(
        seen.iter().any(|name| name.starts_with("code_updated")),
        "{seen:?}"
    );
}

/// A run was killed after it wrote down what it was about to do: the function still runs what the run before gave it.
#[tokio::test]
async fn what_a_killed_run_left_is_gone_on_with_and_no_later_record_is_written_over() {
    let packed = with_function();
    let (old, new) = (old(), packed.sha256.clone());
    let earlier = hexadecimal(b"earlier");
    let killed = format!(
        r#"{{"stack_id":"{STACK_ID}","functions":{{"Create":{{"deployed":"{}","live":"{}","before":"{}"}}}}}}"#,
        key(&old),
        key(&hexadecimal(b"never taken")),
        key(&earlier),
    );
    let content = format!(
        r#"{{"stack_id":"{STACK_ID}","functions":{{"Create":{{"deployed":"{}","live":"{}","before":"{}"}}}}}}"#,
        key(&old),
        key(&new),
        key(&earlier),
    );
    let read = |content: String| {
        mock!(S3::get_object).then_http_response(move || {
            let mut answer = http(200, &content);
            answer.headers_mut().insert("etag", "\"one\"");
            answer
        })
    };
    let put = mock!(S3::put_object)
        .match_requests(move |input| {
            input.if_match() == Some("\"one\"")
                && says(input, &content)
        })
        .then_http_response(|| {
            http(
                412,
                "<Error><Code>PreconditionFailed</Code><Message>At least one of the pre-conditions you specified did not hold</Message></Error>",
            )
        });
    let script = Script::new()
        .describe(STACK, deployed(&old).xml())
        .template(TEMPLATE)
        .s3("get_object", read(killed.clone()));
    let played = functions(script)
        .lambda("get_function", runs(b"earlier", "Successful"))
        .object_present(key(&new).leak(), 6)
        .s3("put_object", put)
        // Somebody else's, written meanwhile.
        .s3("get_object", read(killed))
        .play();
    let FastPlan::Code(changes) = plan(&played, &packed).await.expect("can be read") else {
        panic!("code alone changes")
    };
    let error = fast(&played.context, changes)
        .await
        .expect_err("somebody else is at it");
    assert_eq!(error.kind(), Kind::Refused);
    played.finish();
}

#[tokio::test]
async fn code_that_somebody_changed_is_left_alone() {
    let packed = with_function();
    let script = Script::new()
        .describe(STACK, deployed(&old()).xml())
        .template(TEMPLATE)
        .s3("get_object", record(None));
    let played = functions(script)
        .lambda("get_function", runs(b"theirs", "Successful"))
        .play();
    let error = plan(&played, &packed).await.expect_err("is refused");
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(
        error.to_string(),
        "intake-dev/Create does not run the code that was deployed last: somebody changed it"
    );
    played.finish();
}

#[tokio::test]
async fn code_that_is_changed_meanwhile_is_left_alone_too() {
    let (error, played) = refused(b"theirs").await;
    assert_eq!(error.expect_err("is refused").kind(), Kind::Refused);
    played.finish();
}

/// The SDK repeats a call whose answer was lost, and Lambda had obeyed the first.
#[tokio::test]
async fn a_repeated_call_finds_its_own_code() {
    let (report, played) = refused(b"zipped").await;
    let report = report.expect("it is what was wanted");
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    played.finish();
}

/// Gives code to a function whose revision is another one meanwhile, and which runs these bytes then.
async fn refused(now: &[u8]) -> (Result<DeployReport, DeployError>, Played) {
    let packed = with_function();
    let refused = mock!(Lambda::update_function_code).then_http_response(|| {
        let mut answer = http(
            412,
            r#"{"Message": "The Revision Id provided does not match the latest Revision Id."}"#,
        );
        answer
            .headers_mut()
            .insert("x-amzn-errortype", "PreconditionFailedException");
        answer
    });
    let script = Script::new()
        .describe(STACK, deployed(&old()).xml())
        .template(TEMPLATE)
        .s3("get_object", record(None));
    let played = functions(script)
        .lambda("get_function", runs(b"old", "Successful"))
        .object_absent()
        .s3(
            "put_object",
            mock!(S3::put_object).then_http_response(|| http(200, "")),
        )
        .s3(
            "put_object",
            mock!(S3::put_object).then_http_response(|| http(200, "")),
        )
        .lambda("update_function_code", refused)
        .lambda("get_function", runs(now, "Successful"))
        .play();
    let FastPlan::Code(changes) = plan(&played, &packed).await.expect("can be read") else {
        panic!("code alone changes")
    };
    (fast(&played.context, changes).await, played)
}

#[tokio::test]
async fn whatever_else_changes_needs_a_full_deploy_and_is_named() {
    let mut parameter = with_function();
    let manifest = &mut parameter.deployment.stacks[0].manifest;
    manifest
        .artifacts
        .insert("Other".into(), "intake-create".into());
    let mut tagged = with_function();
    let tags = &mut tagged.deployment.stacks[0].manifest.tags;
    tags.insert("team".into(), "red".into());
    let mut template = with_function();
    let other = TEMPLATE.replace("\"Create\"", "\"Other\"");
    template.deployment.stacks[0].template = other;
    let mut released = with_function();
    let manifest = &mut released.deployment.stacks[0].manifest;
    manifest
        .releases
        .insert("CreateRelease".into(), "Create".into());
    for (packed, reason, read) in [
        (template, "the template of intake-dev changes", false),
        (tagged, "the tags of intake-dev change", false),
        (parameter, "parameter Other is new", true),
        (
            released,
            "intake-dev/Create is released under an alias, and a full deploy publishes its version",
            true,
        ),
    ] {
        let mut script = Script::new()
            .describe(STACK, deployed(&old()).xml())
            .template(TEMPLATE);
        if read {
            script = script.s3("get_object", record(None));
        }
        let played = script.play();
        match plan(&played, &packed).await.expect("can be read") {
            FastPlan::Full(reasons) => assert_eq!(reasons, [reason]),
            FastPlan::Code(_) => panic!("{reason}"),
        }
        played.finish();
    }
}

/// A full deploy of the source that CloudFormation deployed last, up to the record: the function runs something else since.
fn full(sha256: &str) -> Script {
    let content = format!(
        r#"{{"stack_id":"{STACK_ID}","functions":{{"Create":{{"deployed":"{}","live":"{}"}}}}}}"#,
        key(sha256),
        key(&old())
    );
    full_with(sha256, content)
}

fn full_with(sha256: &str, content: String) -> Script {
    Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .listed_fast(&["state/intake-dev.fast.json"])
        .describe(STACK, deployed(sha256).xml())
        .template(TEMPLATE)
        .describe(STACK, deployed(sha256).xml())
        .s3("get_object", record(Some(content)))
}

/// The same, and how the function takes the code back that CloudFormation gave it.
fn taken_back(sha256: &str, how: &'static str) -> Script {
    functions(full(sha256))
        .lambda("update_function_code", update(sha256, None))
        .lambda("get_function", runs(b"zipped", how))
}

/// A record in which no function is left.
fn empty() -> String {
    format!(r#"{{"stack_id":"{STACK_ID}","functions":{{}}}}"#)
}

/// `DeleteObject` of the record
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>).
pub(super) fn forget(status: u16, body: &'static str) -> Rule {
    mock!(S3::delete_object)
        .match_requests(|input| input.key() == Some("state/intake-dev.fast.json"))
        .then_http_response(move || http(status, body))
}

#[tokio::test]
async fn the_next_full_deploy_makes_true_what_cloudformation_believes() {
    let packed = with_function();
    let sha256 = packed.sha256.clone();
    let played = taken_back(&sha256, "Successful")
        .s3("delete_object", forget(204, ""))
        .play();
    let report = deploy(&played.context, packed.deployment, Answer::never())
        .await
        .expect("is mended");
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    played.finish();
}

#[tokio::test]
async fn who_may_not_delete_the_record_empties_it() {
    let packed = with_function();
    let sha256 = packed.sha256.clone();
    let put = mock!(S3::put_object)
        .match_requests(|input| {
            input.key() == Some("state/intake-dev.fast.json")
                && input.body().bytes() == Some(empty().as_bytes())
        })
        .then_http_response(|| http(200, ""));
    let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let played = taken_back(&sha256, "Successful")
        .s3("delete_object", forget(403, denied))
        .s3("put_object", put)
        .play();
    let report = deploy(&played.context, packed.deployment, Answer::never())
        .await
        .expect("is mended");
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    played.finish();
}

#[tokio::test]
async fn a_record_without_functions_is_left_as_it_is() {
    let packed = with_function();
    let played = full_with(&packed.sha256, empty()).play();
    let report = deploy(&played.context, packed.deployment, Answer::never())
        .await
        .expect("there is nothing to do");
    assert_eq!(report.stacks[0].outcome, Outcome::Unchanged);
    played.finish();
}

#[tokio::test]
async fn a_function_that_does_not_go_back_fails_the_deploy_and_keeps_the_record() {
    let packed = with_function();
    let sha256 = packed.sha256.clone();
    let played = taken_back(&sha256, "Failed").play();
    let error = deploy(&played.context, packed.deployment, Answer::never())
        .await
        .expect_err("the function did not go back");
    let error = Error::from(error);
    let causes = error.causes();
    assert!(
        causes
            .iter()
            .any(|cause| cause.contains("Create did not take the code: The key is disabled.")),
        "{causes:?}"
    );
    // The script has no `DeleteObject`: the record is kept.
    played.finish();
}

/// Lambda never ends the last update, or somebody presses Ctrl-C meanwhile.
#[tokio::test]
async fn a_function_that_does_not_settle_is_not_waited_for_without_end() {
    for is_stopped in [false, true] {
        let busy = mock!(Lambda::get_function)
            .sequence()
            .http_response(|| {
                http(
                    200,
                    r#"{"Configuration": {"CodeSha256": "", "LastUpdateStatus": "InProgress"}}"#,
                )
            })
            .times(100)
            .build();
        let script = Script::new()
            .describe(STACK, deployed(&old()).xml())
            .template(TEMPLATE)
            .s3("get_object", record(None));
        let played = functions(script).lambda("get_function", busy).play();
        if is_stopped {
            let handle = played.handle.clone();
            played.at_wait(3, move || handle.cancel());
        }
        let packed = with_function();
        let error = plan(&played, &packed).await.expect_err("it never ends");
        let waits = played.waits();
        if is_stopped {
            assert_eq!(error.kind(), Kind::Interrupted);
            assert_eq!(waits.len(), 3);
        } else {
            assert!(
                (290..=300).contains(&waits.iter().sum::<u64>()),
                "{waits:?}"
            );
            let source = std::error::Error::source(&error).expect("it says why");
            assert!(
                source.to_string().contains("has not ended for 5 minutes")
                    || format!("{source:?}").contains("has not ended for 5 minutes"),
                "{source}"
            );
        }
        played.finish();
    }
}
