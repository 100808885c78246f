//! What services tell of names, each in its own way: those that Cloud Control does not find by a name, and those of the local
//! engine.

use serde_json::{Value, json};

use super::{Taken, identified};
use crate::aws::{
    AwsError, Clients, OrAws,
    signed::{CODE_BUILD, DYNAMODB, Home, SECRETS, USER_POOLS, WEB_ACLS},
};

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

/// Asks for a function of CloudFront, of which there is one of a name in an account
/// (<https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DescribeFunction.html>).
pub(super) async fn function(clients: &Clients, name: &str, arn: &str) -> Result<Taken, AwsError> {
    let answer = clients.cloudfront.describe_function().name(name).send();
    match answer.await.or_aws(clients, "DescribeFunction") {
        Ok(_) => Ok(Taken::Yes(identified("AWS::CloudFront::Function", arn))),
        Err(error) if error.code() == Some("NoSuchFunctionExists") => Ok(Taken::No),
        Err(error) => Err(error),
    }
}

/// Asks for a project of CodeBuild, which the registry cannot read: the answer names those that are there
/// (<https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetProjects.html>).
pub(super) async fn project(clients: &Clients, name: &str) -> Result<Taken, AwsError> {
    let input = json!({"names": [name]});
    let answer = clients
        .json(CODE_BUILD, clients.region(), "BatchGetProjects", &input)
        .await?;
    let found = answer["projects"].as_array().map_or(&[][..], Vec::as_slice);
    Ok(if found.is_empty() {
        Taken::No
    } else {
        Taken::Yes(None)
    })
}

/// Asks for a secret. One that is deleted has its name until it is gone, days later
/// (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html>).
pub(super) async fn secret(clients: &Clients, name: &str) -> Result<Taken, AwsError> {
    let input = json!({"SecretId": name});
    let answer = clients
        .json(SECRETS, clients.region(), "DescribeSecret", &input)
        .await;
    match answer {
        Ok(answer) if !answer["DeletedDate"].is_null() => Ok(Taken::Leaving),
        Ok(answer) => {
            let arn = answer["ARN"].as_str();
            let id = arn.and_then(|arn| identified("AWS::SecretsManager::Secret", arn));
            Ok(Taken::Yes(id))
        }
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(Taken::No),
        Err(error) => Err(error),
    }
}

/// Asks for a domain of the pages of a user pool: the answer about one that nobody has is empty
/// (<https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DescribeUserPoolDomain.html>).
pub(super) async fn user_pool_domain(clients: &Clients, domain: &str) -> Result<Taken, AwsError> {
    let answer = clients
        .json(
            USER_POOLS,
            clients.region(),
            "DescribeUserPoolDomain",
            &json!({"Domain": domain}),
        )
        .await;
    let found = match answer {
        Ok(answer) => answer["DomainDescription"]["UserPoolId"]
            .as_str()
            .map(str::to_owned),
        Err(error) if error.code() == Some("ResourceNotFoundException") => None,
        Err(error) => return Err(error),
    };
    Ok(match found {
        None => Taken::No,
        Some(pool) => Taken::Yes(Some(json!({"UserPoolId": pool, "Domain": domain}))),
    })
}

/// Looks for a web ACL of a name among those of its scope, one of which is looked at from its own region
/// (<https://docs.aws.amazon.com/waf/latest/APIReference/API_ListWebACLs.html>).
pub(super) async fn web_acl(clients: &Clients, name: &str, scope: &str) -> Result<Taken, AwsError> {
    let region = match scope {
        "CLOUDFRONT" => Home::of(clients.region()).edge,
        _ => clients.region(),
    };
    let mut input = json!({"Scope": scope, "Limit": 100});
    loop {
        let page = clients
            .json(WEB_ACLS, region, "ListWebACLs", &input)
            .await?;
        let found = page["WebACLs"].as_array().map_or(&[][..], Vec::as_slice);
        if let Some(same) = found.iter().find(|it| it["Name"] == name) {
            return Ok(Taken::Yes(Some(json!({
                "Name": name,
                "Id": same["Id"],
                "Scope": scope,
            }))));
        }
        match page["NextMarker"].as_str() {
            // The last page may have a marker, too.
            Some(next) if !found.is_empty() => input["NextMarker"] = Value::from(next),
            _ => return Ok(Taken::No),
        }
    }
}
