//! Defaults that AWS documents and the registry does not state.

use serde_json::Value;

use super::Step;

/// A property, and the JSON of what it is where it is absent.
type Default = (&'static str, &'static str);

/// Resource types, each with its page below [`PAGES`] and the defaults that it states.
///
/// A default that depends on something else, or that AWS moved once, is not here.
const DOCUMENTED: &[(&str, &str, &[Default])] = &[
    (
        "AWS::DynamoDB::Table",
        "aws-resource-dynamodb-table.html",
        &[
            ("BillingMode", "\"PROVISIONED\""),
            ("DeletionProtectionEnabled", "false"),
            ("TableClass", "\"STANDARD\""),
        ],
    ),
    (
        "AWS::Events::Rule",
        "aws-resource-events-rule.html",
        &[("EventBusName", "\"default\"")],
    ),
    (
        "AWS::IAM::Role",
        "aws-resource-iam-role.html",
        &[("MaxSessionDuration", "3600")],
    ),
    (
        "AWS::KMS::Key",
        "aws-resource-kms-key.html",
        &[("EnableKeyRotation", "false"), ("Enabled", "true")],
    ),
    (
        "AWS::KinesisVideo::Stream",
        "aws-resource-kinesisvideo-stream.html",
        &[("DataRetentionInHours", "0")],
    ),
    (
        "AWS::Lambda::EventSourceMapping",
        "aws-resource-lambda-eventsourcemapping.html",
        &[("Enabled", "true")],
    ),
    (
        "AWS::Lambda::Function",
        "aws-resource-lambda-function.html",
        &[
            ("Architectures", "[\"x86_64\"]"),
            ("EphemeralStorage.Size", "512"),
            ("MemorySize", "128"),
            ("PackageType", "\"Zip\""),
            ("Timeout", "3"),
            ("TracingConfig.Mode", "\"PassThrough\""),
        ],
    ),
    (
        "AWS::RDS::DBInstance",
        "aws-resource-rds-dbinstance.html",
        &[("BackupRetentionPeriod", "1")],
    ),
    (
        "AWS::SQS::Queue",
        "aws-resource-sqs-queue.html",
        &[
            ("DelaySeconds", "0"),
            ("KmsDataKeyReusePeriodSeconds", "300"),
            ("MessageRetentionPeriod", "345600"),
            ("ReceiveMessageWaitTimeSeconds", "0"),
            ("VisibilityTimeout", "30"),
        ],
    ),
    (
        "AWS::StepFunctions::StateMachine",
        "aws-resource-stepfunctions-statemachine.html",
        &[
            ("StateMachineType", "\"STANDARD\""),
            ("TracingConfiguration.Enabled", "false"),
        ],
    ),
    (
        "AWS::Synthetics::Canary",
        "aws-resource-synthetics-canary.html",
        &[
            ("FailureRetentionPeriod", "31"),
            ("SuccessRetentionPeriod", "31"),
        ],
    ),
];

/// Where the pages are.
#[cfg(test)]
const PAGES: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/";

/// Returns the documented value of a property that is absent, where the registry does not say.
pub(super) fn documented(resource_type: &str, place: &[Step]) -> Option<Value> {
    let names: Option<Vec<&str>> = place
        .iter()
        .map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Position(_) => None,
        })
        .collect();
    let name = names?.join(".");
    let mut types = DOCUMENTED.iter();
    let (_, _, defaults) = types.find(|(of, _, _)| *of == resource_type)?;
    let (_, default) = defaults.iter().find(|(property, _)| *property == name)?;
    serde_json::from_str(default).ok()
}

#[cfg(test)]
mod tests {
    use stack_model_cfn::facts;

    use super::*;

    #[test]
    fn every_default_is_of_a_property_that_the_registry_knows_and_gives_none() {
        for (resource_type, page, defaults) in DOCUMENTED {
            let service = resource_type.split("::").nth(1).unwrap_or_default();
            let page = format!("{PAGES}{page}");
            assert!(page.contains(&service.to_lowercase()), "{page}");
            let facts = facts::resource_type(resource_type).expect(resource_type);
            for (property, default) in *defaults {
                let known = facts.property(&property.replace('.', "/")).expect(property);
                assert_eq!(known.value().default(), None, "{resource_type} {property}");
                let value: Value = serde_json::from_str(default).expect(default);
                let place: Vec<Step> = property
                    .split('.')
                    .map(|key| Step::Key(key.to_owned()))
                    .collect();
                assert_eq!(documented(resource_type, &place), Some(value));
            }
        }
    }
}
