//! What is looked at before a deploy: the artifact bucket, names that are taken, the room for code.

mod domain;
mod name;
mod patience;
mod permission;
mod quota;

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_cloudwatchlogs::Client as Logs;
use aws_sdk_lambda::Client as Lambda;
use aws_sdk_s3::Client as S3;
use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    answers::{self, Stack},
    script::{STACK, Script, http, stack},
    signed::Signed,
};
use crate::engine::{
    self, BOOTSTRAP_STACK, Concern, Context, Event, PATIENCE, StackDeployment, Weight,
};

const BUCKET: &str = "stackctl-bootstrap-artifacts-1abc";

async fn preflight(context: &Context, stacks: &[StackDeployment]) -> Vec<Concern> {
    engine::preflight(context, stacks, Instant::now() + PATIENCE).await
}

fn bucket_stack() -> String {
    let mut stack = Stack::new("CREATE_COMPLETE");
    stack.name = BOOTSTRAP_STACK;
    stack.outputs = vec![("ArtifactBucket", BUCKET)];
    stack.xml()
}

/// `HeadBucket`: no body, and the region in a header
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>).
fn head(bucket: &'static str, status: u16, region: &'static str) -> Rule {
    mock!(S3::head_bucket)
        .match_requests(move |input| {
            // The artifact bucket is nobody else's.
            let owner = (bucket == BUCKET).then_some("123456789012");
            input.bucket() == Some(bucket) && input.expected_bucket_owner() == owner
        })
        .then_http_response(move || {
            let mut answer = http(status, "");
            answer.headers_mut().insert("x-amz-bucket-region", region);
            answer
        })
}

/// `GetPublicAccessBlock` (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html>).
fn block(on: bool) -> Rule {
    mock!(S3::get_public_access_block).then_http_response(move || {
        http(
            200,
            &format!(
                "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>\
             <IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>{on}</BlockPublicPolicy>\
             <RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>"
            ),
        )
    })
}

/// `GetBucketEncryption` (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html>).
fn encryption() -> Rule {
    mock!(S3::get_bucket_encryption).then_http_response(|| {
        http(
            200,
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>\
             <SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>\
             </ServerSideEncryptionConfiguration>",
        )
    })
}

/// `GetAccountSettings` (<https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html>).
fn settings(used: u64) -> Rule {
    let body = json!({
        "AccountLimit": {"TotalCodeSize": 80_530_636_800_u64},
        "AccountUsage": {"TotalCodeSize": used, "FunctionCount": 4},
    });
    mock!(Lambda::get_account_settings).then_http_response(move || http(200, &body.to_string()))
}

/// A stack that is not there yet: `ListStackResources` knows none, and there is room for more stacks: `ListStacks`,
/// `DescribeAccountLimits`
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeAccountLimits.html>).
fn absent() -> Script {
    stacks(Script::new().resources(&[]), 2_000, 12)
}

fn stacks(script: Script, limit: usize, present: usize) -> Script {
    let limits = answers::result(
        "DescribeAccountLimits",
        &format!(
            "<AccountLimits><member><Name>StackOutputsLimit</Name><Value>200</Value></member>\
             <member><Name>StackLimit</Name><Value>{limit}</Value></member></AccountLimits>"
        ),
    );
    let one = "<member><StackName>other</StackName><StackStatus>CREATE_COMPLETE</StackStatus>\
               <CreationTime>2026-07-27T22:28:28.000Z</CreationTime></member>";
    let list = answers::result(
        "ListStacks",
        &format!("<StackSummaries>{}</StackSummaries>", one.repeat(present)),
    );
    script
        .cloudformation(
            "describe_account_limits",
            mock!(CloudFormation::describe_account_limits)
                .then_http_response(move || http(200, &limits)),
        )
        .cloudformation(
            "list_stacks",
            mock!(CloudFormation::list_stacks)
                .match_requests(|input| {
                    let there = input.stack_status_filter();
                    !there.is_empty() && !there.iter().any(|it| it.as_str() == "DELETE_COMPLETE")
                })
                .then_http_response(move || http(200, &list)),
        )
}

/// A stack that is there, with these resources and this template: `ListStackResources`, `DescribeStacks`, `GetTemplate`.
fn present(rows: &[(&str, &str, &str, &str)], template: &Value) -> Script {
    Script::new()
        .resources(rows)
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(&template.to_string())
}

fn with_functions() -> StackDeployment {
    let mut stack = named(&json!({}));
    stack.manifest.artifacts = [("Key".to_owned(), "work".to_owned())].into();
    stack
}

/// Nothing is refused: `SimulatePrincipalPolicy`
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>).
fn may_do_all() -> Signed {
    Signed::new().text("SimulatePrincipalPolicy", "", 200, &permission::answer(&[]))
}

fn named(resources: &Value) -> StackDeployment {
    let mut stack = stack(STACK, &[]);
    stack.template = json!({"Resources": resources}).to_string();
    stack
}

/// What is told of types of which nobody knows what they need, or where their resources are.
fn unasked(types: &str) -> (Weight, String) {
    let why = "nobody knows which actions they take, or where they are";
    let text = format!("eu-central-1: IAM is not asked about {types}: {why}");
    (Weight::Unknown, text)
}

fn told(concerns: &[Concern]) -> Vec<(Weight, String)> {
    concerns
        .iter()
        .map(|concern| (concern.weight, concern.to_string()))
        .collect()
}

#[tokio::test]
async fn a_bucket_that_is_as_it_was_made_is_nothing_to_tell() {
    let played = absent()
        .describe(BOOTSTRAP_STACK, bucket_stack())
        .s3("head_bucket", head(BUCKET, 200, "eu-central-1"))
        .s3("get_public_access_block", block(true))
        .s3("get_bucket_encryption", encryption())
        .lambda("get_account_settings", settings(1 << 30))
        .play_in_any_order();
    assert_eq!(preflight(&played.context, &[with_functions()]).await, []);
    assert_eq!(played.finish(), []);
}

#[tokio::test]
async fn what_became_of_the_bucket_is_told() {
    let played = absent()
        .describe(BOOTSTRAP_STACK, bucket_stack())
        .s3("head_bucket", head(BUCKET, 200, "eu-central-1"))
        .s3("get_public_access_block", block(false))
        .s3("get_bucket_encryption", encryption())
        .lambda("get_account_settings", settings(80_000_000_000))
        .play_in_any_order();
    let concerns = preflight(&played.context, &[with_functions()]).await;
    assert_eq!(
        told(&concerns),
        [
            (Weight::Warning, format!("{BUCKET}: the artifact bucket does not block public access any more")),
            (Weight::Warning, "Lambda in eu-central-1: functions and their versions take 76293 MB of the 76800 MB that the account has".to_owned()),
        ]
    );
    assert!(
        concerns[0].hints[0].starts_with("aws s3api put-public-access-block --region eu-central-1")
    );
    assert_eq!(played.finish().len(), 2);

    let played = absent()
        .describe(BOOTSTRAP_STACK, bucket_stack())
        .s3("head_bucket", head(BUCKET, 403, "eu-central-1"))
        .lambda("get_account_settings", settings(0))
        .play_in_any_order();
    let concerns = preflight(&played.context, &[with_functions()]).await;
    assert_eq!(
        told(&concerns),
        [(
            Weight::Warning,
            format!(
                "{BUCKET}: the artifact bucket is another account's, or not the caller's to look at"
            )
        )]
    );

    let played = absent()
        .describe(BOOTSTRAP_STACK, bucket_stack())
        .s3("head_bucket", head(BUCKET, 404, "eu-central-1"))
        .lambda("get_account_settings", settings(0))
        .play_in_any_order();
    let concerns = preflight(&played.context, &[with_functions()]).await;
    assert_eq!(
        told(&concerns),
        [(
            Weight::Refused,
            format!(
                "{BUCKET}: stack stackctl-bootstrap names it, and there is no such bucket any more"
            )
        )]
    );
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html> and
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html> where there is nothing to get.
#[tokio::test]
async fn a_bucket_that_lost_what_it_was_made_with_is_told() {
    let gone = |code: &'static str| {
        move || {
            http(
                404,
                &format!("<Error><Code>{code}</Code><Message>not found</Message></Error>"),
            )
        }
    };
    let block = mock!(S3::get_public_access_block)
        .then_http_response(gone("NoSuchPublicAccessBlockConfiguration"));
    let encryption = mock!(S3::get_bucket_encryption)
        .then_http_response(gone("ServerSideEncryptionConfigurationNotFoundError"));
    let played = absent()
        .describe(BOOTSTRAP_STACK, bucket_stack())
        .s3("head_bucket", head(BUCKET, 200, "eu-central-1"))
        .s3("get_public_access_block", block)
        .s3("get_bucket_encryption", encryption)
        .lambda("get_account_settings", settings(0))
        .play_in_any_order();
    let concerns = preflight(&played.context, &[with_functions()]).await;
    let told = told(&concerns);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].1.ends_with("does not block public access any more"),
        "{told:?}"
    );
    assert!(
        told[1].1.ends_with("has no default encryption any more"),
        "{told:?}"
    );
    assert!(
        told.iter().all(|(weight, _)| *weight == Weight::Warning),
        "{told:?}"
    );
}

#[tokio::test]
async fn names_that_are_taken_are_refused_and_those_of_the_stack_are_not() {
    let stack = named(&json!({
        "Elsewhere": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "elsewhere"}},
        "Foreign": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "foreign"}},
        "Free": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "free"}},
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/orders"}},
        "Made": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "x-${AWS::Region}"}}},
        "Maybe": {"Type": "AWS::S3::Bucket", "Condition": "No", "Properties": {"BucketName": "maybe"}},
        "Own": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "own"}},
        "Work": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "work"}},
    }));
    let template = serde_json::from_str(&stack.template).expect("it is JSON");
    let own = [("Own", "AWS::S3::Bucket", "own", "CREATE_COMPLETE")];
    let signed = may_do_all();
    let played = present(&own, &template)
        .s3("head_bucket", head("elsewhere", 301, "us-west-2"))
        .s3("head_bucket", head("foreign", 403, "eu-central-1"))
        .s3("head_bucket", head("free", 404, "eu-central-1"))
        // The name is the beginning of another one.
        .logs(
            "describe_log_groups",
            mock!(Logs::describe_log_groups).then_http_response(|| {
                http(
                    200,
                    &json!({"logGroups": [{"logGroupName": "/orders-old"}]}).to_string(),
                )
            }),
        )
        .lambda(
            "get_function",
            mock!(Lambda::get_function).then_http_response(|| {
                http(
                    200,
                    &json!({"Configuration": {"FunctionName": "work"}}).to_string(),
                )
            }),
        )
        .play_in_any_order();
    let played = signed.with(played);
    let concerns = preflight(&played.context, &[stack]).await;
    signed.finish();
    assert_eq!(
        told(&concerns),
        [
            (Weight::Refused, "intake-dev/Elsewhere: `elsewhere` is the name of another AWS::S3::Bucket already, in us-west-2".to_owned()),
            (Weight::Warning, "intake-dev/Foreign: `foreign` is somebody else's, or the caller may not look".to_owned()),
            (Weight::Refused, "intake-dev/Work: `work` is the name of another AWS::Lambda::Function already, outside of the stack".to_owned()),
            unasked("AWS::S3::Bucket"),
        ]
    );
    let import = &concerns[2].hints[2];
    assert!(
        import.contains(r#"--change-set-type IMPORT --resources-to-import '[{"#),
        "{import}"
    );
    let events = played.finish();
    assert!(
        events
            .iter()
            .all(|event| matches!(event, Event::PreflightFound { .. }))
    );
}

#[tokio::test]
async fn what_nobody_may_look_at_stops_nothing() {
    let denied = || {
        http(
            403,
            "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
        )
    };
    let played = absent()
        .describe(BOOTSTRAP_STACK, bucket_stack())
        .s3("head_bucket", head(BUCKET, 200, "eu-central-1"))
        .s3(
            "get_public_access_block",
            mock!(S3::get_public_access_block).then_http_response(denied),
        )
        .s3(
            "get_bucket_encryption",
            mock!(S3::get_bucket_encryption).then_http_response(denied),
        )
        .lambda("get_account_settings", settings(0))
        .play_in_any_order();
    let concerns = preflight(&played.context, &[with_functions()]).await;
    let weights: Vec<_> = concerns.iter().map(|concern| concern.weight).collect();
    assert_eq!(weights, [Weight::Unknown, Weight::Unknown]);
    played.finish();
}
