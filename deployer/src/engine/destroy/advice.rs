//! What a removal kept, with the commands that remove it.

use serde::Serialize;

use crate::{
    engine::{
        Context, hint,
        identity::{self, Place},
        inspect::DeployedResource,
    },
    repeat::quoted,
};

/// A resource that its template retains and that still exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retained {
    /// The logical id that it had.
    pub logical_id: String,
    /// The resource type.
    pub resource_type: String,
    /// The physical id.
    pub physical_id: String,
    /// The account that it is in.
    pub account: String,
    /// The region that it is in.
    pub region: String,
    /// The commands that remove it, in their order; none, where it is not known how.
    pub remove: Vec<String>,
}

impl Retained {
    pub(in crate::engine) fn new(context: &Context, resource: &DeployedResource) -> Self {
        let DeployedResource {
            logical_id,
            resource_type,
            physical_id,
        } = resource;
        let place = hint::aws_options(context);
        Self {
            logical_id: logical_id.to_owned(),
            resource_type: resource_type.to_owned(),
            physical_id: physical_id.to_owned(),
            account: context.clients.identity().account.clone(),
            region: context.clients.region().to_owned(),
            remove: removal(resource_type, physical_id, Place::of(context))
                .into_iter()
                .map(|command| command + &place)
                .collect(),
        }
    }

    /// Returns what is to be known of the commands that remove it, where they do not do that at once.
    pub fn remark(&self) -> Option<&'static str> {
        (self.resource_type == "AWS::S3::Bucket").then_some(
            "where the bucket has kept versions, S3 removes them by that rule within some days, and refuses the last command until then",
        )
    }

    /// Returns whether this is the same resource as another.
    pub(super) fn is(&self, other: &Self) -> bool {
        let of = |it: &Self| {
            let place = (it.account.clone(), it.region.clone());
            (place, it.resource_type.clone(), it.physical_id.clone())
        };
        of(self) == of(other)
    }
}

/// The rules by which S3 removes all that a bucket holds.
const EMPTYING: &str = concat!(
    r#"{"Rules":[{"ID":"all","Status":"Enabled","Filter":{"Prefix":""},"Expiration":{"Days":1},"#,
    r#""NoncurrentVersionExpiration":{"NoncurrentDays":1},"AbortIncompleteMultipartUpload":{"DaysAfterInitiation":1}},"#,
    r#"{"ID":"markers","Status":"Enabled","Filter":{"Prefix":""},"Expiration":{"ExpiredObjectDeleteMarker":true}}]}"#,
);

/// Returns the commands that remove a resource, without where they work.
fn removal(resource_type: &str, physical_id: &str, place: Place<'_>) -> Vec<String> {
    let id = quoted(physical_id);
    let one = |command: &str| vec![format!("aws {command} {id}")];
    match resource_type {
        // Tables of protected stages are protected against deletion by themselves.
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => vec![
            format!("aws dynamodb update-table --table-name {id} --no-deletion-protection-enabled"),
            format!("aws dynamodb wait table-exists --table-name {id}"),
            format!("aws dynamodb delete-table --table-name {id}"),
        ],
        // The first empties a bucket without versions. S3 removes earlier versions by rules, however many there are
        // (<https://repost.aws/knowledge-center/s3-empty-bucket-lifecycle-rule>): the versions and parts of uploads by one, and
        // the markers that have none any more by another, because one rule does not take both
        // (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleExpiration.html>).
        "AWS::S3::Bucket" => vec![
            format!("aws s3 rm --recursive s3://{id}"),
            format!(
                "aws s3api put-bucket-lifecycle-configuration --bucket {id} --lifecycle-configuration '{EMPTYING}'"
            ),
            format!("aws s3api delete-bucket --bucket {id}"),
        ],
        "AWS::S3::BucketPolicy" => one("s3api delete-bucket-policy --bucket"),
        "AWS::SQS::Queue" => one("sqs delete-queue --queue-url"),
        "AWS::SNS::Topic" => one("sns delete-topic --topic-arn"),
        "AWS::Logs::LogGroup" => one("logs delete-log-group --log-group-name"),
        "AWS::Kinesis::Stream" => one("kinesis delete-stream --stream-name"),
        "AWS::SecretsManager::Secret" => one("secretsmanager delete-secret --secret-id"),
        "AWS::SSM::Parameter" => one("ssm delete-parameter --name"),
        "AWS::ECR::Repository" => one("ecr delete-repository --force --repository-name"),
        "AWS::Lambda::Function" => one("lambda delete-function --function-name"),
        "AWS::CodeBuild::Project" => one("codebuild delete-project --name"),
        "AWS::Events::EventBus" => one("events delete-event-bus --name"),
        "AWS::Route53::HostedZone" => one("route53 delete-hosted-zone --id"),
        "AWS::CertificateManager::Certificate" => one("acm delete-certificate --certificate-arn"),
        "AWS::Cognito::IdentityPool" => {
            one("cognito-identity delete-identity-pool --identity-pool-id")
        }
        "AWS::Cognito::UserPool" => vec![
            format!(
                "aws cognito-idp update-user-pool --user-pool-id {id} --deletion-protection INACTIVE"
            ),
            format!("aws cognito-idp delete-user-pool --user-pool-id {id}"),
        ],
        // A key goes after a time in which that can be taken back, and what it encrypts with it.
        "AWS::KMS::Key" => vec![format!(
            "aws kms schedule-key-deletion --key-id {id} --pending-window-in-days 30"
        )],
        _ => cloud_control(resource_type, physical_id, place)
            .into_iter()
            .collect(),
    }
}

/// Returns the command that works for every type which one property identifies
/// (<https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-operations-delete.html>).
fn cloud_control(resource_type: &str, physical_id: &str, place: Place<'_>) -> Option<String> {
    let id = identity::value(resource_type, physical_id, Some(place))?;
    Some(format!(
        "aws cloudcontrol delete-resource --type-name {resource_type} --identifier {}",
        quoted(&id)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(resource_type: &str, physical_id: &str) -> Vec<String> {
        let context = crate::engine::tests::Script::new().play().context;
        removal(resource_type, physical_id, Place::of(&context))
    }

    #[test]
    fn commands_can_be_pasted() {
        let context = crate::engine::tests::Script::new().play().context;
        let table = Retained::new(
            &context,
            &DeployedResource {
                logical_id: "Orders".to_owned(),
                resource_type: "AWS::DynamoDB::Table".to_owned(),
                physical_id: "orders".to_owned(),
            },
        );
        assert_eq!(
            table.remove.last().map(String::as_str),
            Some(
                "aws dynamodb delete-table --table-name orders --region eu-central-1 --profile work"
            )
        );
    }

    /// The forms of <https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html>.
    #[test]
    fn a_bucket_that_keeps_versions_is_emptied_of_them_before_it_goes() {
        let commands = of("AWS::S3::Bucket", "uploads");
        let [_, rules, last] = commands.as_slice() else {
            panic!("{commands:?}");
        };
        assert_eq!(last, "aws s3api delete-bucket --bucket uploads");
        let rules = rules.split('\'').nth(1).expect("it is quoted");
        let rules: serde_json::Value = serde_json::from_str(rules).expect("is JSON");
        let rules = rules["Rules"].as_array().expect("there are some");
        let of = |pointer: &str| rules.iter().find_map(|rule| rule.pointer(pointer));
        assert_eq!(of("/Expiration/Days"), Some(&1.into()));
        assert_eq!(
            of("/NoncurrentVersionExpiration/NoncurrentDays"),
            Some(&1.into())
        );
        assert_eq!(
            of("/Expiration/ExpiredObjectDeleteMarker"),
            Some(&true.into())
        );
        // One rule does not take both.
        assert!(rules.iter().all(|rule| {
            let expiration = &rule["Expiration"];
            expiration["Days"].is_null() || expiration["ExpiredObjectDeleteMarker"].is_null()
        }));
    }

    #[test]
    fn what_is_retained_by_default_can_be_removed() {
        for resource_type in [
            "AWS::DynamoDB::Table",
            "AWS::S3::Bucket",
            "AWS::SQS::Queue",
            "AWS::KMS::Key",
            "AWS::Cognito::UserPool",
            "AWS::Logs::LogGroup",
            "AWS::ApiGateway::RestApi",
        ] {
            assert!(!of(resource_type, "x").is_empty(), "{resource_type}");
        }
        assert_eq!(of("Custom::Something", "x"), [""; 0]);
        let rule = "aws cloudcontrol delete-resource --type-name AWS::Events::Rule --identifier \
                    arn:aws:events:eu-central-1:123456789012:rule/orders/daily";
        assert_eq!(of("AWS::Events::Rule", "orders|daily"), [rule]);
    }
}
