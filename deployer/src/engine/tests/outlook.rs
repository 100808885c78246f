//! What whoever consents to a removal is told beforehand.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    answers::Stack,
    script::{STACK, Script, stack},
};
use crate::engine::outlook;

/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>.
#[tokio::test]
async fn what_holds_data_is_named_with_what_becomes_of_it() {
    let template = json!({"Resources": {
        "Kept": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain"},
        "Orders": {"Type": "AWS::DynamoDB::Table"},
        "Role": {"Type": "AWS::IAM::Role"},
        "Uploads": {"Type": "AWS::S3::Bucket"},
    }});
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(&template.to_string())
        .resources(&[
            ("Kept", "AWS::DynamoDB::Table", "kept-1", "CREATE_COMPLETE"),
            (
                "Orders",
                "AWS::DynamoDB::Table",
                "orders-1",
                "CREATE_COMPLETE",
            ),
            ("Role", "AWS::IAM::Role", "role-1", "CREATE_COMPLETE"),
            ("Uploads", "AWS::S3::Bucket", "uploads-1", "CREATE_COMPLETE"),
        ])
        .play();
    // `--retain` keeps one more.
    let retain = BTreeSet::from(["Uploads".to_owned()]);
    let told = outlook(&played.context, &[stack(STACK, &[]).manifest], &retain)
        .await
        .expect("is read");
    let told: Vec<(bool, String)> = told
        .data
        .iter()
        .map(|it| (it.is_lost(), it.to_string()))
        .collect();
    let row = |is_lost: bool, text: &str| (is_lost, format!("{STACK}/{text}"));
    assert_eq!(
        told,
        [
            row(
                false,
                "Kept (AWS::DynamoDB::Table, kept-1) stays, outside of any stack"
            ),
            row(
                true,
                "Orders (AWS::DynamoDB::Table, orders-1) goes with all data in it"
            ),
            row(
                false,
                "Uploads (AWS::S3::Bucket, uploads-1) stays, outside of any stack"
            ),
        ]
    );
    played.finish();
}
