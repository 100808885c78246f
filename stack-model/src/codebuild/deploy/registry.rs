//! What the registry says that resource types need.

/// One line per resource type; see `xtask/src/spec/permissions.rs`.
const PERMISSIONS: &str = include_str!("permissions.txt");

/// Services of which stacks name things that they do not hold, such as the hosted zone of a certificate.
pub(super) const ALWAYS: &[&str] = &["iam", "route53"];

/// Types that are nothing outside CloudFormation.
const NOTHING: &[&str] = &[
    "AWS::CDK::Metadata",
    "AWS::CloudFormation::WaitCondition",
    "AWS::CloudFormation::WaitConditionHandle",
];

/// Actions that the registry lists and a type does not need, each with the type; a `*` at the end
/// stands for the rest.
///
/// Items of a table are copied into replicas, which `AWS::DynamoDB::GlobalTable` makes; what a table is imported from is
/// read once, with [`super::DeployRights::and`]; policies are given to roles alone; and objects are none of a bucket's
/// properties.
const UNUSED: &[(&str, &[&str])] = &[
    (
        "AWS::DynamoDB::Table",
        &[
            "dynamodb:AssociateTableReplica",
            "dynamodb:BatchWriteItem",
            "dynamodb:CreateTableReplica",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:ImportTable",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:UpdateItem",
            "iam:CreateServiceLinkedRole",
            "logs:*",
            "s3:*",
        ],
    ),
    (
        "AWS::IAM::Policy",
        &[
            "iam:DeleteGroupPolicy",
            "iam:DeleteUserPolicy",
            "iam:GetGroupPolicy",
            "iam:GetUserPolicy",
            "iam:PutGroupPolicy",
            "iam:PutUserPolicy",
        ],
    ),
    ("AWS::S3::Bucket", &["s3:DeleteObject", "s3:PutObjectAcl"]),
];

/// Actions on event source mappings.
pub(super) const MAPPINGS: &[&str] = &[
    "CreateEventSourceMapping*",
    "DeleteEventSourceMapping",
    "GetEventSourceMapping",
    "UpdateEventSourceMapping",
];

/// Actions that can be kept to roles and users with a permissions boundary: those with the condition key
/// `iam:PermissionsBoundary`, but those that take a boundary away. See
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html>.
pub(super) const BOUNDED: &[&str] = &[
    "AttachRolePolicy",
    "AttachUserPolicy",
    "CreateRole",
    "CreateUser",
    "DeleteRolePolicy",
    "DeleteUserPolicy",
    "DetachRolePolicy",
    "DetachUserPolicy",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
    "PutUserPermissionsBoundary",
    "PutUserPolicy",
];

/// Actions that take a boundary away.
pub(super) const UNBOUND: [&str; 2] = [
    "DeleteRolePermissionsBoundary",
    "DeleteUserPermissionsBoundary",
];

/// Actions that change what a managed policy says.
pub(super) const POLICY_EDITS: [&str; 4] = [
    "CreatePolicyVersion",
    "DeletePolicy",
    "DeletePolicyVersion",
    "SetDefaultPolicyVersion",
];

/// Actions that change what a role may do, and who may take it on.
pub(super) const ROLE_EDITS: [&str; 7] = [
    "AttachRolePolicy",
    "DeleteRolePermissionsBoundary",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
    "UpdateAssumeRolePolicy",
];

/// Returns the actions that a resource type needs, each as its service and its name, with a `*` behind the name of one
/// that cannot be kept to a resource; `None` where nobody said it.
pub(super) fn actions(kind: &str) -> Option<Vec<(&'static str, &'static str)>> {
    if is_custom(kind) {
        return Some(vec![("lambda", "InvokeFunction")]);
    }
    if NOTHING.contains(&kind) {
        return Some(Vec::new());
    }
    let words = PERMISSIONS.lines().find_map(|line| {
        let mut words = line.split(' ');
        (words.next() == Some(kind)).then_some(words)
    })?;
    let unused = UNUSED.iter().find(|(unused, _)| *unused == kind);
    let unused = unused.map_or(&[][..], |(_, actions)| actions);
    let known = words
        .filter_map(|word| word.split_once(':'))
        .flat_map(|(service, names)| names.split(',').map(move |name| (service, name)))
        .filter(|(service, name)| {
            let action = format!("{service}:{name}");
            !unused.iter().any(|unused| match unused.strip_suffix('*') {
                Some(start) => action.starts_with(start),
                None => action == *unused,
            })
        });
    Some(known.collect())
}

/// Returns the IAM service that the ARNs of a resource type belong to.
pub(super) fn service(kind: &str) -> String {
    if is_custom(kind) {
        return "lambda".to_owned();
    }
    let service = kind.split("::").nth(1).unwrap_or_default();
    match service {
        "ApiGatewayV2" => "apigateway".to_owned(),
        "CertificateManager" => "acm".to_owned(),
        "Cognito" if kind.contains("::IdentityPool") => "cognito-identity".to_owned(),
        "Cognito" => "cognito-idp".to_owned(),
        "StepFunctions" => "states".to_owned(),
        other => other.to_ascii_lowercase(),
    }
}

pub(super) fn is_custom(kind: &str) -> bool {
    kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_knows_what_a_queue_needs() {
        let queue = actions("AWS::SQS::Queue").unwrap();
        assert!(queue.contains(&("sqs", "CreateQueue")));
        assert!(queue.contains(&("sqs", "DeleteQueue")));
        assert!(!queue.contains(&("sqs", "ListQueues")));
        assert_eq!(actions("AWS::Braket::Device"), None);
    }

    #[test]
    fn every_service_of_the_facts_is_the_prefix_of_its_actions() {
        // What calls nothing of its own service, or calls it by another name.
        let others = ["AWS::CloudFormation::", "AWS::CodeConnections::"];
        for line in PERMISSIONS.lines().skip(1) {
            let kind = line.split(' ').next().unwrap_or_default();
            let service = service(kind);
            let own = line.contains(&format!(" {service}:"));
            assert!(
                own || others.iter().any(|other| kind.starts_with(other)),
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_left_out_is_in_the_facts() {
        for (kind, unused) in UNUSED {
            let line = PERMISSIONS
                .lines()
                .find(|line| line.starts_with(&format!("{kind} ")))
                .unwrap();
            for action in *unused {
                let (service, name) = action.split_once(':').unwrap();
                assert!(line.contains(&format!(" {service}:")), "{kind} {action}");
                let name = name.trim_end_matches('*');
                assert!(line.contains(name), "{kind} {action}");
            }
        }
    }
}
