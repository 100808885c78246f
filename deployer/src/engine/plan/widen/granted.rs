//! What resources that are new allow, and those that go no longer do.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::compare::type_of;
use super::super::references::names;
use super::{documents, elements, narrowed, permissions};

/// Where the resources are named that a policy is attached to: the properties of the types that are a policy of another
/// resource.
pub(super) const ATTACHED: &[(&str, &[&str])] = &[
    ("AWS::ApiGateway::UsagePlanKey", &["KeyId", "UsagePlanId"]),
    (
        "AWS::Cognito::IdentityPoolRoleAttachment",
        &["IdentityPoolId"],
    ),
    ("AWS::Cognito::UserPoolIdentityProvider", &["UserPoolId"]),
    (
        "AWS::Cognito::UserPoolUserToGroupAttachment",
        &["GroupName", "Username"],
    ),
    ("AWS::Events::EventBusPolicy", &["EventBusName"]),
    ("AWS::IAM::AccessKey", &["UserName"]),
    ("AWS::IAM::GroupPolicy", &["GroupName"]),
    ("AWS::IAM::ManagedPolicy", &["Groups", "Roles", "Users"]),
    ("AWS::IAM::Policy", &["Groups", "Roles", "Users"]),
    ("AWS::IAM::RolePolicy", &["RoleName"]),
    ("AWS::IAM::UserPolicy", &["UserName"]),
    ("AWS::IAM::UserToGroupAddition", &["GroupName", "Users"]),
    (
        "AWS::IoT::PolicyPrincipalAttachment",
        &["PolicyName", "Principal"],
    ),
    ("AWS::Lambda::LayerVersionPermission", &["LayerVersionArn"]),
    ("AWS::Lambda::Permission", &["FunctionName"]),
    ("AWS::Logs::Destination", &["TargetArn"]),
    ("AWS::RAM::ResourceShare", &["ResourceArns"]),
    ("AWS::S3::AccessPoint", &["Bucket"]),
    ("AWS::S3::BucketPolicy", &["Bucket"]),
    ("AWS::SNS::TopicInlinePolicy", &["TopicArn"]),
    ("AWS::SNS::TopicPolicy", &["Topics"]),
    ("AWS::SQS::QueueInlinePolicy", &["Queue"]),
    ("AWS::SQS::QueuePolicy", &["Queues"]),
    ("AWS::SSO::Assignment", &["PermissionSetArn", "TargetId"]),
    ("AWS::SecretsManager::ResourcePolicy", &["SecretId"]),
];

/// Returns what a new resource allows, one line each, and to whom.
pub(in super::super) fn granted(new: &Value, to: &str) -> Vec<String> {
    permissions(&Value::Null, &policies(new), to)
}

/// Returns what a resource that goes allows no more, one line each.
pub(in super::super) fn withdrawn(old: &Value, to: &str) -> Vec<String> {
    narrowed(&policies(old), &Value::Null, to)
}

/// Returns whether what a resource allows reaches beyond itself to what is there anyway: `others` are the resources
/// of the stack that are, and `own` those of the template that has it.
///
/// A role is taken by whom its trust names: a service that the stack itself employs is nobody who was there before.
pub(in super::super) fn reaches(
    resource: &Value,
    others: &BTreeMap<String, Value>,
    own: &BTreeMap<String, Value>,
) -> bool {
    let resource_type = type_of(resource);
    let part = |name: &str| resource.get("Properties").and_then(|all| all.get(name));
    // A parameter or the account is no resource: what only that says is somewhere else, and there.
    let named = |value: &Value| -> Vec<String> {
        let named = names(value).into_iter();
        named.filter(|name| own.contains_key(name)).collect()
    };
    let is_there = |value: &Value| {
        let named = named(value);
        named.is_empty() || named.iter().any(|name| others.contains_key(name))
    };
    match resource_type {
        "AWS::IAM::Role" => documents(part("AssumeRolePolicyDocument").unwrap_or(&Value::Null))
            .into_iter()
            .any(|statement| match statement.get("Principal") {
                Some(Value::Object(kinds)) => kinds.keys().any(|kind| kind != "Service"),
                principal => principal.is_some(),
            }),
        "AWS::IAM::OIDCProvider"
        | "AWS::IAM::SAMLProvider"
        | "AWS::IAM::User"
        | "AWS::Logs::ResourcePolicy" => true,
        // An event source of the same stack that calls a function is what the stack is made of.
        "AWS::Lambda::Permission"
            if is_service(part("Principal"))
                && part("SourceArn").is_some_and(|source| !named(source).is_empty()) =>
        {
            false
        }
        _ => ATTACHED
            .iter()
            .find(|(attached, _)| *attached == resource_type)
            .is_some_and(|(_, properties)| {
                properties
                    .iter()
                    .flat_map(|name| elements(part(name)))
                    .any(is_there)
            }),
    }
}

fn is_service(principal: Option<&Value>) -> bool {
    principal
        .and_then(Value::as_str)
        .is_some_and(|name| name.ends_with(".amazonaws.com") || name.ends_with(".amazon.com"))
}

/// Returns a resource with what it allows as policies: a permission of a function is a statement written as properties.
fn policies(resource: &Value) -> Value {
    let part = |name: &str| resource.get("Properties").and_then(|all| all.get(name));
    if type_of(resource) != "AWS::Lambda::Permission" {
        return resource.clone();
    }
    let principal = part("Principal").cloned().unwrap_or(Value::Null);
    let kind = if is_service(part("Principal")) {
        "Service"
    } else {
        "AWS"
    };
    let mut condition = Map::new();
    for (name, operator, key) in [
        ("SourceArn", "ArnLike", "aws:SourceArn"),
        ("SourceAccount", "StringEquals", "aws:SourceAccount"),
        ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
        (
            "FunctionUrlAuthType",
            "StringEquals",
            "lambda:FunctionUrlAuthType",
        ),
    ] {
        if let Some(value) = part(name)
            && let Value::Object(keys) = condition
                .entry(operator)
                .or_insert_with(|| Value::Object(Map::new()))
        {
            keys.insert(key.to_owned(), value.clone());
        }
    }
    json!({"Statement": [{
        "Effect": "Allow",
        "Principal": {kind: principal},
        "Action": part("Action").cloned().unwrap_or(Value::Null),
        "Resource": part("FunctionName").cloned().unwrap_or(Value::Null),
        "Condition": condition,
    }]})
}
