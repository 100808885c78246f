//! Plans against what is deployed.

use std::collections::BTreeMap;

use aws_sdk_s3::Client as S3;
use aws_smithy_mocks::mock;
use stack_model::assembly::ContentManifest;

use super::{
    answers::Stack,
    given::{TEMPLATE, stack},
    script::{STACK, Script, http},
};
use crate::content::Content;
use crate::engine::Explained as _;
use crate::engine::plan::{self, Registry, Wanted};

/// Returns what a plan says where S3 answers like this when it is asked what a bucket holds.
async fn asked(status: u16, code: &str, message: &str) -> (String, Vec<String>) {
    // The shape of errors: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    let answer = mock!(S3::list_objects_v2).then_http_response(move || http(status, &body));
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(TEMPLATE)
        .resources(&[("Site", "AWS::S3::Bucket", "site-bucket", "CREATE_COMPLETE")])
        .s3("list_objects_v2", answer)
        .play();
    let manifest = ContentManifest {
        bucket: "Site".to_owned(),
        ..ContentManifest::default()
    };
    let content = Content {
        manifest,
        files: BTreeMap::new(),
    };
    let stack = stack(STACK, &[]);
    let template = serde_json::from_str(TEMPLATE).expect("is JSON");
    let wanted = Wanted {
        manifest: &stack.manifest,
        template: &template,
        contracts: &BTreeMap::new(),
        contents: &BTreeMap::from([("Pages".to_owned(), content)]),
    };
    let plan = plan::plan(&played.context, &[wanted], &BTreeMap::new(), &Registry).await;
    let error = plan.expect_err("the bucket does not answer");
    let hints = error.hints();
    played.finish_as("diff");
    (error.to_string(), hints)
}

#[tokio::test]
async fn a_bucket_that_may_not_be_read_is_named() {
    let (error, hints) = asked(403, "AccessDenied", "Access Denied").await;
    assert_eq!(error, "bucket site-bucket may not be read");
    assert!(!hints.is_empty());
}

#[tokio::test]
async fn a_bucket_that_somebody_deleted_is_named() {
    let (error, hints) = asked(404, "NoSuchBucket", "The specified bucket does not exist").await;
    assert_eq!(error, "bucket site-bucket is not there any more");
    assert_eq!(
        hints,
        [
            "somebody deleted the bucket and not its stack: give the bucket another logical id, and a deploy makes a new one"
        ]
    );
}
