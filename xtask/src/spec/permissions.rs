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

/// Writes one line per resource type: its name, and by IAM service the actions that its handlers call, with a `*` behind
/// those that cannot be kept to a resource. Types for which the registry names none are left out, and so are actions
/// that IAM does not know.
pub(crate) fn distil(
    schemas: &BTreeMap<String, Value>,
    actions: &BTreeMap<String, Value>,
) -> String {
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
        let mut by_service: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let permissions = handlers.chain([&schema["tagging"]["permissions"]]);
        for permission in permissions.filter_map(Value::as_array).flatten() {
            let action = permission.as_str().and_then(|text| text.split_once(':'));
            let Some((service, action)) = action else {
                continue;
            };
            let known = actions.get(service).map(|service| &service["Actions"]);
            if let Some(known) = known.and_then(|known| known.get(action.to_lowercase())) {
                let mark = if known["Resources"].is_array() {
                    ""
                } else {
                    "*"
                };
                let names = by_service.entry(service).or_default();
                names.insert(format!("{action}{mark}"));
            }
        }
        if by_service.is_empty() {
            continue;
        }
        text.push_str(name);
        for (service, actions) in by_service {
            let actions: Vec<String> = actions.into_iter().collect();
            let _ = write!(text, " {service}:{}", actions.join(","));
        }
        text.push('\n');
    }
    text
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
                "update": {"permissions": ["sqs:AddPermission", "sqs:CreateQueue", "sqs:Look", "sqs:Made-up"]},
            },
            "tagging": {"permissions": ["sqs:TagQueue"]},
        });
        let schemas = BTreeMap::from([
            ("AWS::SQS::Queue".to_owned(), schema.clone()),
            ("AWS::SQS::QueueLike".to_owned(), json!({})),
            ("AWS::Braket::Device".to_owned(), schema),
        ]);
        let of_queue = json!({"Resources": ["queue"]});
        let sqs = json!({"Actions": {
            "addpermission": of_queue, "createqueue": of_queue, "tagqueue": of_queue, "listqueues": {}, "look": {},
        }});
        let iam = json!({"Actions": {"passrole": {"Resources": ["role"]}}});
        let actions = BTreeMap::from([("iam".to_owned(), iam), ("sqs".to_owned(), sqs)]);
        assert_eq!(
            distil(&schemas, &actions)
                .lines()
                .skip(1)
                .collect::<Vec<_>>(),
            ["AWS::SQS::Queue iam:PassRole sqs:AddPermission,CreateQueue,Look*,TagQueue"]
        );
    }
}
