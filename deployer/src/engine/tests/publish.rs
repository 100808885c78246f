//! Artifacts, the artifact bucket, and templates that are too large for a call.

use std::{collections::BTreeMap, io::Write};

use aws_sdk_s3::Client as S3;
use aws_smithy_mocks::mock;
use sha2::{Digest, Sha256};

use super::{
    answers::{self, ADD_ORDERS, STACK_ID, Stack},
    script::{Answer, STACK, Script, TEMPLATE, http, names, one, stack},
};
use crate::{
    engine::{
        Artifact, BOOTSTRAP_STACK, DeployError, Deployment, Explained, Outcome, bootstrap, deploy,
    },
    error::{Error, Kind},
};

pub(super) const BUCKET: &str = "stackctl-bootstrap-artifacts-1abc";

/// The bootstrap stack as it is when it is up to date.
pub(super) fn bucket_stack() -> Stack {
    let mut stack = Stack::new("CREATE_COMPLETE");
    stack.name = BOOTSTRAP_STACK;
    stack.tags = vec![
        ("stackctl:stage", "bootstrap"),
        ("stackctl:bootstrap-version", "1"),
    ];
    stack.outputs = vec![("ArtifactBucket", BUCKET)];
    stack
}

/// A file of these bytes, its hash, and a deployment whose stack needs it.
pub(super) struct Packed {
    // Removes the file at the end of the test.
    _file: tempfile::NamedTempFile,
    pub(super) sha256: String,
    pub(super) deployment: Deployment,
}

pub(super) fn packed() -> Packed {
    let mut file = tempfile::NamedTempFile::new().expect("the temporary directory is writable");
    file.write_all(b"zipped").expect("the disk is not full");
    let sha256 = Sha256::digest(b"zipped")
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let mut with_artifact = stack(STACK, &[]);
    with_artifact
        .manifest
        .artifacts
        .insert("CreateKey".into(), "intake-create".into());
    let mut deployment = one(with_artifact);
    deployment.artifacts = BTreeMap::from([(
        "intake-create".to_owned(),
        Artifact {
            path: file.path().to_owned(),
            sha256: sha256.clone(),
            size: 6,
            made_from: None,
        },
    )]);
    Packed {
        _file: file,
        sha256,
        deployment,
    }
}

/// The rest of a conversation that creates the stack with the parameters of its artifact.
pub(super) fn creates(script: Script, sha256: &str) -> Script {
    let key = format!("intake-dev/intake-create/{sha256}.zip");
    script
        .create_change_set(move |input| {
            let parameters: Vec<_> = input
                .parameters()
                .iter()
                .map(|parameter| {
                    (
                        parameter.parameter_key().unwrap_or_default(),
                        parameter.parameter_value().unwrap_or_default(),
                    )
                })
                .collect();
            parameters == [("ArtifactBucket", BUCKET), ("CreateKey", key.as_str())]
        })
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .execute()
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
}

#[tokio::test]
async fn an_artifact_that_is_absent_is_uploaded_with_its_checksum() {
    let packed = packed();
    let key = format!("intake-dev/intake-create/{}.zip", packed.sha256);
    let checksum = aws_smithy_types::base64::encode(Sha256::digest(b"zipped"));
    let script = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .nothing_fast()
        .describe(STACK, answers::absent(STACK))
        .object_absent()
        .s3(
            "put_object",
            mock!(S3::put_object)
                .match_requests(move |input| {
                    input.bucket() == Some(BUCKET)
                        && input.key() == Some(key.as_str())
                        && input.checksum_sha256() == Some(checksum.as_str())
                })
                .then_http_response(|| http(200, "")),
        );
    let played = creates(script, &packed.sha256).play();
    deploy(&played.context, packed.deployment, Answer::yes())
        .await
        .expect("the stack is created");
    let seen = names(&played.finish());
    assert_eq!(
        seen[..4],
        [
            "stack_started",
            "artifact_uploading",
            "artifact_uploaded",
            "change_set_creating"
        ]
    );
}

/// A full deploy leaves functions with the code of their sources only where it may know which have another one.
#[tokio::test]
async fn who_may_not_look_for_code_alone_is_told_that_nobody_did() {
    let packed = packed();
    let denied = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let script = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .s3(
            "list_objects_v2",
            mock!(S3::list_objects_v2).then_http_response(move || http(403, denied)),
        )
        .describe(STACK, answers::absent(STACK))
        .object_absent()
        .s3(
            "put_object",
            mock!(S3::put_object).then_http_response(|| http(200, "")),
        );
    let played = creates(script, &packed.sha256).play();
    deploy(&played.context, packed.deployment, Answer::yes())
        .await
        .expect("the stack is created");
    assert_eq!(names(&played.finish())[0], "warning");
}

/// What S3 answers while another conditional call writes the same key
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>).
const CONFLICT: &str = "<?xml version=\"1.0\"?><Error><Code>ConditionalRequestConflict</Code>\
     <Message>The conditional request cannot succeed due to a conflicting operation against this resource.</Message></Error>";

#[tokio::test]
async fn an_artifact_that_another_run_writes_at_this_moment_is_looked_at_again() {
    let conflict = || mock!(S3::put_object).then_http_response(|| http(409, CONFLICT));
    let key = |sha256: &str| -> &'static str {
        Box::leak(format!("intake-dev/intake-create/{sha256}.zip").into_boxed_str())
    };
    let begin = || {
        Script::new()
            .describe(BOOTSTRAP_STACK, bucket_stack().xml())
            .nothing_fast()
            .describe(STACK, answers::absent(STACK))
            .object_absent()
            .s3("put_object", conflict())
    };
    // The other one wrote it.
    let packed_once = packed();
    let script = begin().object_present(key(&packed_once.sha256), 6);
    let played = creates(script, &packed_once.sha256).play();
    deploy(&played.context, packed_once.deployment, Answer::yes())
        .await
        .expect("it is there");
    played.finish();
    // The other one failed.
    let packed_again = packed();
    let script = begin().object_absent().s3(
        "put_object",
        mock!(S3::put_object)
            .match_requests(|input| {
                input.if_none_match() == Some("*")
                    && input.expected_bucket_owner() == Some("123456789012")
            })
            .then_http_response(|| http(200, "")),
    );
    let played = creates(script, &packed_again.sha256).play();
    deploy(&played.context, packed_again.deployment, Answer::yes())
        .await
        .expect("it is written");
    played.finish();
}

#[tokio::test]
async fn an_artifact_that_is_there_is_not_uploaded_again() {
    let packed = packed();
    let key = format!("intake-dev/intake-create/{}.zip", packed.sha256);
    let script = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .nothing_fast()
        .describe(STACK, answers::absent(STACK))
        .object_present(key.leak(), 6);
    let played = creates(script, &packed.sha256).play();
    deploy(&played.context, packed.deployment, Answer::yes())
        .await
        .expect("the stack is created");
    assert_eq!(names(&played.finish())[1], "artifact_present");
}

#[tokio::test]
async fn an_unchanged_stack_does_not_even_look_for_its_artifacts() {
    let packed = packed();
    let key = format!("intake-dev/intake-create/{}.zip", packed.sha256);
    let mut deployed = Stack::new("UPDATE_COMPLETE");
    deployed.parameters = vec![("ArtifactBucket", BUCKET.into()), ("CreateKey", key)];
    let played = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .nothing_fast()
        .describe(STACK, deployed.xml())
        .template(TEMPLATE)
        .play();
    let report = deploy(&played.context, packed.deployment, Answer::never())
        .await
        .expect("nothing is to be done");
    assert_eq!(report.stacks[0].outcome, Outcome::Unchanged);
    played.finish();
}

#[tokio::test]
async fn a_bucket_that_refuses_is_named() {
    let packed = packed();
    let denied = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>\
                  <Message>User: arn:aws:iam::123456789012:user/dev is not authorized to perform: s3:PutObject</Message>\
                  <RequestId>x</RequestId></Error>";
    let played = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .nothing_fast()
        .describe(STACK, answers::absent(STACK))
        .object_absent()
        .s3(
            "put_object",
            mock!(S3::put_object).then_http_response(move || http(403, denied)),
        )
        .play();
    let error = deploy(&played.context, packed.deployment, Answer::never())
        .await
        .expect_err("the bucket refuses");
    assert_eq!(error.kind(), Kind::Aws);
    let causes = Error::from(error).causes().to_vec();
    assert_eq!(
        causes[0],
        "cannot publish the artifacts of stack intake-dev"
    );
    assert!(causes[1].starts_with("cannot publish `intake-dev/intake-create/"));
    assert!(causes[2].contains("s3:PutObject"), "{causes:?}");
    played.finish();
}

/// An answer to HEAD has no body, and so no code.
#[tokio::test]
async fn a_bucket_that_may_not_be_looked_into_is_denied() {
    let packed = packed();
    let played = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .nothing_fast()
        .describe(STACK, answers::absent(STACK))
        .s3(
            "head_object",
            mock!(S3::head_object).then_http_response(|| http(403, "")),
        )
        .play();
    let error = deploy(&played.context, packed.deployment, Answer::never())
        .await
        .expect_err("the bucket refuses");
    let error = Error::from(error);
    assert_eq!(
        error.causes()[2],
        "AWS denied the call: the answer gives no reason (HeadObject: HTTP 403)"
    );
    assert_eq!(
        error.hints(),
        ["allow the caller the action behind HeadObject, or use another profile"]
    );
    played.finish();
}

#[tokio::test]
async fn an_artifact_that_was_not_built_is_an_error_before_anything_changes() {
    let mut packed = packed();
    packed.deployment.artifacts.clear();
    let played = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .nothing_fast()
        .play();
    let error = deploy(&played.context, packed.deployment, Answer::never())
        .await
        .expect_err("there is no artifact");
    assert_eq!(error.kind(), Kind::Assembly);
    assert_eq!(
        Error::from(error).causes()[1],
        "asset `intake-create` has no artifact"
    );
    played.finish();
}

/// A template of at least this many bytes.
fn large(bytes: usize) -> String {
    format!(
        r#"{{"Description":"{}","Resources":{{"Orders":{{"Type":"AWS::SQS::Queue"}}}}}}"#,
        "x".repeat(bytes)
    )
}

#[tokio::test]
async fn a_template_over_51200_bytes_goes_through_the_bucket() {
    let mut big = stack(STACK, &[]);
    big.template = large(51_200);
    let digest = Sha256::digest(&big.template);
    let sha256 = digest
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let key = format!("intake-dev/template/{sha256}.json");
    let url = format!("https://{BUCKET}.s3.eu-central-1.amazonaws.com/{key}");
    let played = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .nothing_fast()
        .describe(STACK, answers::absent(STACK))
        .object_absent()
        .s3(
            "put_object",
            mock!(S3::put_object)
                .match_requests(move |input| input.key() == Some(key.as_str()))
                .then_http_response(|| http(200, "")),
        )
        .create_change_set(move |input| {
            input.template_url() == Some(url.as_str()) && input.template_body().is_none()
        })
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .execute()
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
        .play();
    deploy(&played.context, one(big), Answer::yes())
        .await
        .expect("the stack is created");
    played.finish();
}

#[tokio::test]
async fn a_template_of_51200_bytes_goes_into_the_call() {
    let mut big = stack(STACK, &[]);
    big.template = large(51_200 - large(0).len());
    assert_eq!(big.template.len(), 51_200);
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|input| input.template_body().is_some())
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .execute()
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
        .play();
    deploy(&played.context, one(big), Answer::yes())
        .await
        .expect("the stack is created");
    played.finish();
}

#[tokio::test]
async fn a_template_over_a_megabyte_is_refused_before_the_upload() {
    let mut big = stack(STACK, &[]);
    big.template = large(1_000_000);
    let played = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .nothing_fast()
        .describe(STACK, answers::absent(STACK))
        .play();
    let error = deploy(&played.context, one(big), Answer::never())
        .await
        .expect_err("CloudFormation accepts no such template");
    assert_eq!(error.kind(), Kind::Assembly);
    played.finish();
}

/// The conversation that makes the bucket.
fn makes_bucket(script: Script) -> Script {
    script
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .create_change_set(|input| {
            input.stack_name() == Some(BOOTSTRAP_STACK)
                && input
                    .template_body()
                    .is_some_and(|body| body.contains("aws:SecureTransport"))
        })
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
}

#[tokio::test]
async fn a_missing_bucket_is_made_and_approved_like_any_stack() {
    let packed = packed();
    let script =
        makes_bucket(Script::new().describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK)))
            .execute()
            .events(&[("9", BOOTSTRAP_STACK, "CREATE_COMPLETE", "", "*")])
            .events(&[("9", BOOTSTRAP_STACK, "CREATE_COMPLETE", "", "*")])
            .describe(STACK_ID, bucket_stack().xml())
            .describe(STACK, answers::absent(STACK))
            .nothing_fast()
            .object_absent()
            .s3(
                "put_object",
                mock!(S3::put_object).then_http_response(|| http(200, "")),
            );
    let played = creates(script, &packed.sha256).play();
    let answer = Answer::yes();
    deploy(&played.context, packed.deployment, answer.clone())
        .await
        .expect("the stack is created");
    let shown: Vec<_> = answer
        .shown
        .lock()
        .expect("no holder panics")
        .iter()
        .map(|changes| changes.stack.clone())
        .collect();
    assert_eq!(shown, [BOOTSTRAP_STACK, STACK]);
    played.finish();
}

#[tokio::test]
async fn without_the_bucket_nothing_is_deployed() {
    let packed = packed();
    let played =
        makes_bucket(Script::new().describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK)))
            .delete_change_set(answers::CHANGE_SET_ID)
            .nothing_else_waits()
            .delete_stack()
            .play();
    let error = deploy(&played.context, packed.deployment, Answer::no())
        .await
        .expect_err("the bucket was declined");
    assert!(matches!(error, DeployError::Declined(_)), "{error:?}");
    played.finish();
}

#[tokio::test]
async fn bootstrap_by_itself_leaves_a_current_bucket_alone() {
    let mut current = bucket_stack();
    current.tags.push(("team", "somebody"));
    for stack in [bucket_stack(), current] {
        let played = Script::new().describe(BOOTSTRAP_STACK, stack.xml()).play();
        let report = bootstrap(&played.context, None, Answer::never())
            .await
            .expect("the bucket is there");
        assert_eq!(report.outcome, Outcome::Unchanged);
        assert_eq!(report.outputs["ArtifactBucket"], BUCKET);
        played.finish();
    }
}
