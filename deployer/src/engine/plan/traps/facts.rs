//! Traps that are a row of a table each.

use serde_json::Value;

use super::super::knowledge::holds_data;
use super::super::{Action, Grade, Update};
use super::{Finding, Seen, Trap, is, is_on, number, shown};

/// What a page of AWS says of a property beyond the registry.
pub(super) struct UpdateFact {
    pub(super) resource_type: &'static str,
    pub(super) property: &'static str,
    pub(super) source: &'static str,
    /// Says how the change is applied: from the property before and after, and the new resource.
    pub(super) update: fn(Option<&Value>, Option<&Value>, &Value) -> Update,
}

/// Properties whose change AWS describes in more detail than the registry, or otherwise. Where the registry knows of no
/// replacement and the page does, it may be needed.
pub(super) const UPDATES: &[UpdateFact] = &[
    UpdateFact {
        resource_type: "AWS::CertificateManager::Certificate",
        property: "ValidationMethod",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-certificatemanager-certificate.html",
        update: |_, _, _| Update::Replacement,
    },
    UpdateFact {
        resource_type: "AWS::DynamoDB::GlobalTable",
        property: "AttributeDefinitions",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html",
        update: super::dynamodb::attributes,
    },
    UpdateFact {
        resource_type: "AWS::DynamoDB::GlobalTable",
        property: "KeySchema",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html",
        update: |_, _, _| Update::Replacement,
    },
    UpdateFact {
        resource_type: "AWS::DynamoDB::GlobalTable",
        property: "LocalSecondaryIndexes",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html",
        update: |_, _, _| Update::Replacement,
    },
    UpdateFact {
        resource_type: "AWS::DynamoDB::Table",
        property: "AttributeDefinitions",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html",
        update: super::dynamodb::attributes,
    },
    UpdateFact {
        resource_type: "AWS::DynamoDB::Table",
        property: "KeySchema",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html",
        update: |_, _, _| Update::Replacement,
    },
    // Local indexes are made with the table and with nothing else.
    UpdateFact {
        resource_type: "AWS::DynamoDB::Table",
        property: "LocalSecondaryIndexes",
        source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html",
        update: |_, _, _| Update::Replacement,
    },
    UpdateFact {
        resource_type: "AWS::Events::EventBus",
        property: "EventSourceName",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbus.html",
        update: |_, _, _| Update::Conditional,
    },
    // Nothing and the default bus are the same, and no rule moves between two others.
    UpdateFact {
        resource_type: "AWS::Events::Rule",
        property: "EventBusName",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html",
        update: bus,
    },
    UpdateFact {
        resource_type: "AWS::IoT::ThingType",
        property: "ThingTypeProperties",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iot-thingtype.html",
        update: |_, _, _| Update::Conditional,
    },
    UpdateFact {
        resource_type: "AWS::Lambda::EventSourceMapping",
        property: "AmazonManagedKafkaEventSourceConfig",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html",
        update: |_, _, _| Update::Conditional,
    },
    UpdateFact {
        resource_type: "AWS::Lambda::EventSourceMapping",
        property: "SelfManagedKafkaEventSourceConfig",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html",
        update: |_, _, _| Update::Conditional,
    },
    UpdateFact {
        resource_type: "AWS::Route53::RecordSet",
        property: "Name",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-route53-recordset.html",
        update: |_, _, _| Update::Replacement,
    },
    UpdateFact {
        resource_type: "AWS::S3::Bucket",
        property: "ObjectLockEnabled",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html",
        update: |_, _, _| Update::Conditional,
    },
];

/// Returns how a rule changes that is told another bus.
fn bus(before: Option<&Value>, after: Option<&Value>, _: &Value) -> Update {
    let is_default = |bus: Option<&Value>| bus.is_none() || is(bus, "default");
    if is_default(before) && is_default(after) {
        Update::InPlace
    } else {
        Update::Replacement
    }
}

/// A property that AWS changes with an interruption, or not at all.
pub(super) struct PropertyFact {
    pub(super) resource_type: &'static str,
    pub(super) property: &'static str,
    pub(super) source: &'static str,
}

/// Properties of which AWS says "Some interruptions".
pub(super) const INTERRUPTIONS: &[PropertyFact] = &[
    PropertyFact {
        resource_type: "AWS::DynamoDB::Table",
        property: "SSESpecification",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html",
    },
    PropertyFact {
        resource_type: "AWS::RDS::DBInstance",
        property: "DBInstanceClass",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html",
    },
];

/// Properties that AWS does not change once the resource is there.
pub(super) const FIXED: &[PropertyFact] = &[
    PropertyFact {
        resource_type: "AWS::Cognito::UserPool",
        property: "AliasAttributes",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html",
    },
    PropertyFact {
        resource_type: "AWS::Cognito::UserPool",
        property: "UsernameAttributes",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html",
    },
    PropertyFact {
        resource_type: "AWS::Cognito::UserPool",
        property: "UsernameConfiguration",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html",
    },
    PropertyFact {
        resource_type: "AWS::CloudFormation::CustomResource",
        property: "ServiceToken",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html",
    },
    PropertyFact {
        resource_type: "AWS::KMS::Key",
        property: "KeySpec",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html",
    },
    PropertyFact {
        resource_type: "AWS::KMS::Key",
        property: "KeyUsage",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html",
    },
    PropertyFact {
        resource_type: "AWS::KMS::Key",
        property: "MultiRegion",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html",
    },
    PropertyFact {
        resource_type: "AWS::KMS::Key",
        property: "Origin",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html",
    },
];

/// How long something is kept.
pub(super) struct Retention {
    pub(super) resource_type: &'static str,
    /// Where the time stands.
    pub(super) pointer: &'static str,
    /// The time where none is written; nothing, where that is for ever.
    pub(super) default: Option<f64>,
    pub(super) unit: &'static str,
    pub(super) source: &'static str,
}

/// Times after which AWS deletes: shortening one deletes what is older already.
pub(super) const RETENTIONS: &[Retention] = &[
    Retention {
        resource_type: "AWS::DynamoDB::Table",
        pointer: "/PointInTimeRecoverySpecification/RecoveryPeriodInDays",
        default: Some(35.0),
        unit: "days",
        source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html",
    },
    Retention {
        resource_type: "AWS::Events::Archive",
        pointer: "/RetentionDays",
        default: None,
        unit: "days",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-archive.html",
    },
    Retention {
        resource_type: "AWS::Kinesis::Stream",
        pointer: "/RetentionPeriodHours",
        default: Some(24.0),
        unit: "hours",
        source: "https://docs.aws.amazon.com/streams/latest/dev/kinesis-extended-retention.html",
    },
    Retention {
        resource_type: "AWS::Logs::LogGroup",
        pointer: "/RetentionInDays",
        default: None,
        unit: "days",
        source: "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html",
    },
    Retention {
        resource_type: "AWS::SNS::Topic",
        pointer: "/ArchivePolicy/MessageRetentionPeriod",
        default: Some(0.0),
        unit: "days",
        source: "https://docs.aws.amazon.com/sns/latest/dg/message-archiving-and-replay-topic-owner.html",
    },
    Retention {
        resource_type: "AWS::SQS::Queue",
        pointer: "/MessageRetentionPeriod",
        default: Some(345_600.0),
        unit: "seconds",
        source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html",
    },
];

/// What protects a resource or what is in it.
pub(super) struct Protection {
    pub(super) resource_type: &'static str,
    pub(super) pointer: &'static str,
    /// Whether it protects as it is written.
    pub(super) protects: fn(Option<&Value>) -> bool,
    /// What may happen without it.
    pub(super) without: &'static str,
    pub(super) source: &'static str,
}

/// Protections: taking one away lets somebody do what nobody could before.
pub(super) const PROTECTIONS: &[Protection] = &[
    Protection {
        resource_type: "AWS::Cognito::UserPool",
        pointer: "/DeletionProtection",
        protects: |value| is(value, "ACTIVE"),
        without: "whoever may delete pools may delete it with its users",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html",
    },
    Protection {
        resource_type: "AWS::DynamoDB::Table",
        pointer: "/DeletionProtectionEnabled",
        protects: is_on,
        without: "whoever may delete tables may delete it with its items",
        source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html",
    },
    Protection {
        resource_type: "AWS::Logs::LogGroup",
        pointer: "/DeletionProtectionEnabled",
        protects: is_on,
        without: "whoever may delete log groups may delete it with its logs",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html",
    },
    Protection {
        resource_type: "AWS::RDS::DBCluster",
        pointer: "/DeletionProtection",
        protects: is_on,
        without: "whoever may delete databases may delete it",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbcluster.html",
    },
    Protection {
        resource_type: "AWS::RDS::DBInstance",
        pointer: "/DeletionProtection",
        protects: is_on,
        without: "whoever may delete databases may delete it",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html",
    },
    Protection {
        resource_type: "AWS::S3::Bucket",
        pointer: "/VersioningConfiguration/Status",
        protects: |value| is(value, "Enabled"),
        without: "whoever writes or deletes an object loses what was there",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html",
    },
    Protection {
        resource_type: "AWS::S3::Bucket",
        pointer: "/ObjectLockConfiguration/Rule",
        protects: |value| value.is_some(),
        without: "new objects are no longer locked by default",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html",
    },
];

/// A switch that turns something off.
pub(super) struct Switch {
    pub(super) resource_type: &'static str,
    pub(super) pointer: &'static str,
    pub(super) is_off: fn(Option<&Value>) -> bool,
    pub(super) says: &'static str,
    pub(super) source: &'static str,
}

/// Switches that interrupt what a resource does.
pub(super) const SWITCHES: &[Switch] = &[
    Switch {
        resource_type: "AWS::ApiGateway::ApiKey",
        pointer: "/Enabled",
        // A key is disabled where nothing is said.
        is_off: |value| !is_on(value),
        says: "callers with this key are refused",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-apikey.html",
    },
    Switch {
        resource_type: "AWS::ApiGateway::RestApi",
        pointer: "/DisableExecuteApiEndpoint",
        is_off: is_on,
        says: "callers of its own address are refused",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-restapi.html",
    },
    Switch {
        resource_type: "AWS::ApiGatewayV2::Api",
        pointer: "/DisableExecuteApiEndpoint",
        is_off: is_on,
        says: "callers of its own address are refused",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-api.html",
    },
    Switch {
        resource_type: "AWS::CloudFront::Distribution",
        pointer: "/DistributionConfig/Enabled",
        is_off: |value| !is_on(value),
        says: "it answers no request any more",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudfront-distribution.html",
    },
    Switch {
        resource_type: "AWS::CloudWatch::Alarm",
        pointer: "/ActionsEnabled",
        is_off: |value| value.is_some_and(|value| !is_on(Some(value)) && !value.is_object()),
        says: "nobody is told of the alarm any more",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html",
    },
    Switch {
        resource_type: "AWS::Events::Rule",
        pointer: "/State",
        is_off: |value| is(value, "DISABLED"),
        says: "no event triggers its targets any more",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html",
    },
    Switch {
        resource_type: "AWS::IoT::TopicRule",
        pointer: "/TopicRulePayload/RuleDisabled",
        is_off: is_on,
        says: "no message triggers its actions any more",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iot-topicrule.html",
    },
    Switch {
        resource_type: "AWS::KMS::Key",
        pointer: "/Enabled",
        is_off: |value| value.is_some_and(|value| !is_on(Some(value)) && !value.is_object()),
        says: "what it encrypts cannot be read while it is disabled",
        source: "https://docs.aws.amazon.com/kms/latest/developerguide/enabling-keys.html",
    },
    Switch {
        resource_type: "AWS::Lambda::EventSourceMapping",
        pointer: "/Enabled",
        is_off: |value| value.is_some_and(|value| !is_on(Some(value)) && !value.is_object()),
        says: "the function gets no more of its events",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html",
    },
    Switch {
        resource_type: "AWS::Lambda::Function",
        pointer: "/ReservedConcurrentExecutions",
        is_off: |value| number(value) == Some(0.0),
        says: "no call of the function is let through",
        source: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html",
    },
    Switch {
        resource_type: "AWS::Pipes::Pipe",
        pointer: "/DesiredState",
        is_off: |value| is(value, "STOPPED"),
        says: "nothing flows through the pipe any more",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-pipes-pipe.html",
    },
    Switch {
        resource_type: "AWS::Scheduler::Schedule",
        pointer: "/State",
        is_off: |value| is(value, "DISABLED"),
        says: "its target is no longer invoked",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-scheduler-schedule.html",
    },
];

/// What goes with a resource.
pub(super) struct Gone {
    pub(super) resource_type: &'static str,
    pub(super) says: &'static str,
    pub(super) source: &'static str,
}

/// What more than itself is gone with a resource that is deleted or replaced.
pub(super) const GONE: &[Gone] = &[
    Gone {
        resource_type: "AWS::ApiGateway::ApiKey",
        says: "the value of the key goes with it, unless another one is given the same",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-apikey.html",
    },
    Gone {
        resource_type: "AWS::ApiGateway::RestApi",
        says: "its address goes with it: a new API has another id",
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html",
    },
    Gone {
        resource_type: "AWS::ApiGatewayV2::Api",
        says: "its address goes with it: a new API has another id",
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-publish.html",
    },
    Gone {
        resource_type: "AWS::CloudFront::Distribution",
        says: "its address goes with it: a new distribution has another domain name",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudfront-distribution.html",
    },
    Gone {
        resource_type: "AWS::Cognito::UserPool",
        says: "its users go with it, and cannot sign in to another pool",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html",
    },
    Gone {
        resource_type: "AWS::Cognito::UserPoolClient",
        says: "its client id goes with it: apps that know it cannot sign anybody in",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolclient.html",
    },
    Gone {
        resource_type: "AWS::Cognito::UserPoolDomain",
        says: "the address of the sign-in pages goes with it",
        source: "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-assign-domain.html",
    },
    Gone {
        resource_type: "AWS::KMS::Key",
        says: "what it encrypts can never be read again once the key is deleted",
        source: "https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html",
    },
    Gone {
        resource_type: "AWS::Lambda::Url",
        says: "its address goes with it: a new URL has another id",
        source: "https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html",
    },
    Gone {
        resource_type: "AWS::Route53::HostedZone",
        says: "its name servers go with it: the domain is not found until it is delegated anew",
        source: "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DeleteHostedZone.html",
    },
    Gone {
        resource_type: "AWS::StepFunctions::StateMachine",
        says: "its running executions end with it",
        source: "https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html",
    },
];

/// The page about what a resource that leaves its stack becomes.
const DELETION_POLICY: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html";

/// The page about what updates do.
const UPDATE_BEHAVIORS: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html";

/// The traps of the tables; each row has the page of its own.
pub(super) const TRAPS: &[Trap] = &[
    Trap {
        types: &[],
        source: UPDATE_BEHAVIORS,
        find: tables,
    },
    Trap {
        types: &[],
        source: DELETION_POLICY,
        find: policies,
    },
];

fn tables(seen: &Seen<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let own = seen.change.resource_type.as_str();
    // All that is said of custom resources is said of each of their types.
    let general = if own.starts_with("Custom::") {
        "AWS::CloudFormation::CustomResource"
    } else {
        own
    };
    let leaves = matches!(seen.change.action, Action::Delete | Action::Replace);
    let kept = seen.wanted().or(seen.deployed()).is_some_and(|resource| {
        let policy = if seen.change.action == Action::Replace {
            "UpdateReplacePolicy"
        } else {
            "DeletionPolicy"
        };
        matches!(
            resource.get(policy).and_then(Value::as_str),
            Some("Retain" | "RetainExceptOnCreate")
        )
    });
    if leaves && !kept {
        let rows = GONE.iter().filter(|row| row.resource_type == own);
        found.extend(rows.map(|row| Finding::new(Grade::None, row.says).citing(row.source)));
    }
    let fixed = FIXED.iter().filter(|row| row.resource_type == general);
    for row in fixed.filter(|row| seen.deployed().is_some() && seen.touches(row.property)) {
        found.push(Finding::new(
            Grade::Impossible,
            format!(
                "{} cannot be changed once the resource is there: give it another logical id, which makes a new one",
                row.property
            ),
        ).citing(row.source));
    }
    if !seen.stays() {
        return found;
    }
    let interrupted = INTERRUPTIONS.iter().filter(|row| row.resource_type == own);
    for row in interrupted.filter(|row| seen.touches(row.property)) {
        found.push(
            Finding::new(
                Grade::Interruption,
                format!("{} changes with some interruptions", row.property),
            )
            .citing(row.source),
        );
    }
    let retentions = RETENTIONS.iter().filter(|row| row.resource_type == own);
    found.extend(retentions.filter_map(|row| {
        let finding = shortened(row, seen)?;
        Some(finding.citing(row.source))
    }));
    let protections = PROTECTIONS.iter().filter(|row| row.resource_type == own);
    for row in protections {
        let (before, after) = (seen.before(row.pointer), seen.after(row.pointer));
        // What only CloudFormation decides is not taken away in plain sight.
        let decided = !after.is_some_and(Value::is_object) || row.pointer.ends_with("/Rule");
        if decided && (row.protects)(before) && !(row.protects)(after) {
            found.push(
                Finding::new(
                    Grade::PermissionWidened,
                    format!("{} is taken away: {}", shown(row.pointer), row.without),
                )
                .citing(row.source),
            );
        }
    }
    let switches = SWITCHES.iter().filter(|row| row.resource_type == own);
    for row in switches {
        if !(row.is_off)(seen.before(row.pointer)) && (row.is_off)(seen.after(row.pointer)) {
            found.push(Finding::new(Grade::Interruption, row.says).citing(row.source));
        }
    }
    found
}

/// Says what a shorter time deletes.
fn shortened(row: &Retention, seen: &Seen<'_>) -> Option<Finding> {
    let time = |value: Option<&Value>| match value {
        None => Some(row.default),
        // For archives nothing and zero are the same.
        Some(value) => number(Some(value)).map(|time| (time > 0.0).then_some(time)),
    };
    let (before, after) = (seen.before(row.pointer), seen.after(row.pointer));
    let (old, new) = (time(before)?, time(after)?);
    // Without an archive there is nothing to keep.
    let none = row.default == Some(0.0);
    let amount = |time: f64| format!("{time} {}", row.unit);
    let path = shown(row.pointer);
    match (old, new) {
        (None, Some(new)) => Some(Finding::new(
            Grade::DataLoss,
            format!(
                "{path} ends what was kept for ever: what is older than {} is deleted",
                amount(new)
            ),
        )),
        (Some(old), Some(new)) if new < old => Some(if none && new <= 0.0 {
            Finding::new(
                Grade::DataLoss,
                format!("{path} goes, and all that is kept with it"),
            )
        } else {
            Finding::new(
                Grade::DataLoss,
                format!(
                    "{path} becomes shorter, {} after {}: what is older is deleted",
                    amount(new),
                    amount(old)
                ),
            )
        }),
        _ => None,
    }
}

/// Finds policies that no longer keep what holds data.
fn policies(seen: &Seen<'_>) -> Vec<Finding> {
    let (Some(old), Some(new)) = (seen.deployed(), seen.wanted()) else {
        return Vec::new();
    };
    if !seen.stays() || !holds_data(&seen.change.resource_type) {
        return Vec::new();
    }
    let keeps = |resource: &Value, policy: &str| {
        matches!(
            resource.get(policy).and_then(Value::as_str),
            Some("Retain" | "RetainExceptOnCreate" | "Snapshot")
        )
    };
    [
        (
            "DeletionPolicy",
            "its data goes where the resource is taken out of the stack",
        ),
        (
            "UpdateReplacePolicy",
            "its data goes where the resource is replaced",
        ),
    ]
    .into_iter()
    .filter(|(policy, _)| keeps(old, policy) && !keeps(new, policy))
    .map(|(policy, without)| {
        Finding::new(
            Grade::PermissionWidened,
            format!("{policy} is taken away: {without}"),
        )
    })
    .collect()
}
