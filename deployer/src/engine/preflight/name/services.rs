//! What the local engine tells of names: its services do, each in its own way.

use serde_json::json;

use crate::aws::{AwsError, Clients, signed::DYNAMODB};

/// The types that it is asked about.
pub(super) const ENGINE: [&str; 5] = [
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
];

/// Returns whether there is a table or a role of a name
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html>,
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>).
pub(super) async fn has(clients: &Clients, kind: &str, name: &str) -> Result<bool, AwsError> {
    let (found, missing) = if kind == "AWS::IAM::Role" {
        let input = [("RoleName".to_owned(), name.to_owned())];
        let answer = clients.iam("GetRole", &input).await;
        (answer.map(drop), "NoSuchEntity")
    } else {
        let region = clients.region();
        let input = json!({"TableName": name});
        let answer = clients
            .json(DYNAMODB, region, "DescribeTable", &input)
            .await;
        (answer.map(drop), "ResourceNotFoundException")
    };
    match found {
        Ok(()) => Ok(true),
        Err(error) if error.code() == Some(missing) => Ok(false),
        Err(error) => Err(error),
    }
}
