//! What CloudFormation needs to be allowed for a resource type, as the registry says it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

/// The services that the model has modules for; those of others would only be read and never used.
const SERVICES: [&str; 27] = [
    "ApiGateway",
    "ApiGatewayV2",
    "CertificateManager",
    "CloudFormation",
    "CloudFront",
    "CloudWatch",
    "CodeBuild",
    "CodeConnections",
    "CodePipeline",
    "Cognito",
    "DynamoDB",
    "Events",
    "IAM",
    "IoT",
    "KMS",
    "Lambda",
    "Logs",
    "Pipes",
    "Route53",
    "S3",
    "SNS",
    "SQS",
    "SSM",
    "Scheduler",
    "SecretsManager",
    "StepFunctions",
    "WAFv2",
];

/// The handlers that run while a stack is deployed.
const HANDLERS: [&str; 4] = ["create", "read", "update", "delete"];

/// Writes one line per resource type: its name, and by IAM service the actions that its handlers call. Types for which
/// the registry names none are left out.
pub(crate) fn distil(schemas: &BTreeMap<String, Value>) -> String {
    let mut text = String::from(
        "# What CloudFormation needs to be allowed for a resource type; written by `cargo xtask spec`.\n",
    );
    for (name, schema) in schemas {
        let service = name.split("::").nth(1).unwrap_or_default();
        if !SERVICES.contains(&service) {
            continue;
        }
        let handlers = HANDLERS
            .iter()
            .map(|handler| &schema["handlers"][handler]["permissions"]);
        let mut by_service: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let permissions = handlers.chain([&schema["tagging"]["permissions"]]);
        for permission in permissions.filter_map(Value::as_array).flatten() {
            let action = permission.as_str().and_then(|text| text.split_once(':'));
            if let Some((service, action)) = action
                && is_action(service, action)
            {
                by_service.entry(service).or_default().insert(action);
            }
        }
        if by_service.is_empty() {
            continue;
        }
        text.push_str(name);
        for (service, actions) in by_service {
            let actions: Vec<&str> = actions.into_iter().collect();
            let _ = write!(text, " {service}:{}", actions.join(","));
        }
        text.push('\n');
    }
    text
}

/// Some entries of the registry name no action of IAM, or allow a whole service.
fn is_action(service: &str, action: &str) -> bool {
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !service.is_empty()
        && service.chars().all(lower)
        && !action.is_empty()
        && action.chars().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::distil;

    #[test]
    fn actions_of_a_deploy_are_sorted_by_service() {
        let schema = json!({
            "handlers": {
                "create": {"permissions": ["sqs:CreateQueue", "iam:PassRole", "s3:REST.PUT.OBJECT"]},
                "list": {"permissions": ["sqs:ListQueues"]},
                "update": {"permissions": ["sqs:AddPermission", "sqs:CreateQueue", "kms:*"]},
            },
            "tagging": {"permissions": ["sqs:TagQueue"]},
        });
        let schemas = BTreeMap::from([
            ("AWS::SQS::Queue".to_owned(), schema.clone()),
            ("AWS::SQS::QueueLike".to_owned(), json!({})),
            ("AWS::Braket::Device".to_owned(), schema),
        ]);
        assert_eq!(
            distil(&schemas).lines().skip(1).collect::<Vec<_>>(),
            ["AWS::SQS::Queue iam:PassRole sqs:AddPermission,CreateQueue,TagQueue"]
        );
    }
}
