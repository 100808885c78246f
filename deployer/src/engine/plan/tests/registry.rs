//! Changes that are made from the facts of the registry: whatever is called by the name of a guard is one.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stack_model_cfn::facts::{self, PropertyFacts, ResourceFacts, UpdateBehaviour, ValueKind};

use super::super::traps::interruptions;
use super::super::{Action, Grade, Registry, ResourceChange, Side, compare};

/// Nested types refer to themselves: no deeper than this.
const DEPTH: usize = 6;

/// Calls `visit` with every property of a type, and with the way to it as JSON has it: a list has one element, and a map the
/// key `key`.
fn walk(
    resource: &'static ResourceFacts,
    path: &str,
    depth: usize,
    visit: &mut dyn FnMut(&str, &PropertyFacts),
) {
    let Some(property) = resource.property(path).filter(|it| !it.read_only()) else {
        return;
    };
    visit(path, &property);
    if depth == DEPTH {
        return;
    }
    let (kind, way) = match property.value().kind() {
        ValueKind::List(inner) => (inner.kind(), format!("{path}/0")),
        ValueKind::Map(inner) => (inner.kind(), format!("{path}/key")),
        kind => (kind, path.to_owned()),
    };
    if let ValueKind::Shape(shape) = kind {
        for (name, _) in shape.properties() {
            walk(resource, &format!("{way}/{name}"), depth + 1, visit);
        }
    }
}

/// Returns the properties that have a value at a place.
fn with(way: &str, value: Value) -> Value {
    way.rsplit('/').fold(value, |value, step| match step {
        "0" => json!([value]),
        key => json!({ key: value }),
    })
}

/// Returns the properties that have nothing at a place, and all on the way to it.
fn without(way: &str) -> Value {
    match way.rsplit_once('/') {
        Some((outer, _)) => with(outer, json!({})),
        None => json!({}),
    }
}

/// Returns the dangers of a change of one property.
fn dangers(resource_type: &str, way: &str, before: Value, after: Value) -> Vec<Grade> {
    dangers_of(resource_type, &with(way, before), &with(way, after))
}

/// Returns the dangers of a change of properties.
fn dangers_of(resource_type: &str, before: &Value, after: &Value) -> Vec<Grade> {
    let changes = changes_of(resource_type, before, after).into_iter();
    changes.flat_map(|change| change.dangers).collect()
}

/// Returns the grade of a change of one property; what is nothing is not there.
fn worst(resource_type: &str, way: &str, before: &Value, after: &Value) -> Grade {
    let [before, after] = [before, after].map(|value| {
        if value.is_null() {
            json!({})
        } else {
            with(way, value.clone())
        }
    });
    let changes = changes_of(resource_type, &before, &after).into_iter();
    changes.map(|change| change.grade).max().unwrap_or_default()
}

/// Returns what a change of properties comes to.
fn changes_of(resource_type: &str, before: &Value, after: &Value) -> Vec<ResourceChange> {
    let [before, after] = [before, after].map(|properties| {
        json!({"Resources": {"Thing": {"Type": resource_type, "Properties": properties}}})
    });
    let side = |template| Side {
        template: Some(template),
        ..Side::default()
    };
    let plan = compare(
        "registry-dev",
        &side(&before),
        &side(&after),
        &BTreeMap::new(),
        &Registry,
    );
    plan.changes
}

/// Returns every property of every type that can be set, with the way to it.
fn properties(visit: &mut dyn FnMut(&str, &str, &PropertyFacts)) {
    for resource_type in facts::resource_types() {
        let resource = facts::resource_type(resource_type).expect(resource_type);
        let names: Vec<&str> = resource.properties().map(|it| it.name()).collect();
        for name in names {
            walk(resource, name, 0, &mut |way, property| {
                visit(resource_type, way, property);
            });
        }
    }
}

/// Properties that are called as if they said as whom something acts, and do not.
const NO_ROLES: &[(&str, &str, &str)] = &[];

#[test]
fn another_role_is_told_wherever_the_registry_has_one() {
    let mut count = 0;
    let mut silent = Vec::new();
    properties(&mut |resource_type, way, property| {
        let name = property.name();
        let role = [
            "Role",
            "RoleArn",
            "RoleARN",
            "Credentials",
            "CredentialsArn",
            "CallerArn",
        ];
        let roles = ["RoleArns", "RoleARNs", "IamRoles"];
        let value = property.value();
        let text = |kind| matches!(kind, ValueKind::Text);
        let one = role.iter().any(|ending| name.ends_with(ending)) && text(value.kind());
        let several = roles.iter().any(|ending| name.ends_with(ending))
            && matches!(value.kind(), ValueKind::List(inner) if text(inner.kind()));
        if !(one || several) || value.enum_values().len() > 0 {
            return;
        }
        if NO_ROLES
            .iter()
            .any(|(of, place, _)| (*of, *place) == (resource_type, way))
        {
            return;
        }
        count += 1;
        let arn = |name: &str| {
            let arn = json!(format!("arn:aws:iam::123456789012:role/{name}"));
            if several { json!([arn]) } else { arn }
        };
        let dangers = dangers(resource_type, way, arn("one"), arn("another"));
        if !dangers.contains(&Grade::PermissionWidened) {
            silent.push(format!("{resource_type} {way}"));
        }
    });
    assert!(
        silent.is_empty(),
        "{} of {count}: {silent:#?}",
        silent.len()
    );
    assert!(count > 250, "{count} roles");
}

#[test]
fn protection_from_deletion_is_told_wherever_the_registry_has_it() {
    let mut count = 0;
    let mut silent = Vec::new();
    properties(&mut |resource_type, way, property| {
        let named = [
            "DeletionProtection",
            "DeletionProtectionEnabled",
            "EnableTerminationProtection",
        ];
        if way.contains('/') || !named.contains(&property.name()) {
            return;
        }
        let words: Vec<&str> = property.value().enum_values().collect();
        let (on, off) = match property.value().kind() {
            ValueKind::Boolean => (json!(true), json!(false)),
            ValueKind::Shape(_) => return,
            _ => match words
                .iter()
                .find(|word| matches!(**word, "ACTIVE" | "ENABLED"))
            {
                Some(on) => (json!(on), json!(words.iter().find(|word| *word != on))),
                None => (json!("ACTIVE"), json!("INACTIVE")),
            },
        };
        count += 1;
        if !dangers(resource_type, way, on, off).contains(&Grade::PermissionWidened) {
            silent.push(format!("{resource_type} {way}"));
        }
    });
    assert!(
        silent.is_empty(),
        "{} of {count}: {silent:#?}",
        silent.len()
    );
    assert!(count > 10, "{count} protections");
}

/// Times to keep whose change is not seen: in a list without order one element goes, and another one comes.
const NOT_SEEN: &[(&str, &str)] = &[
    (
        "AWS::DRS::ReplicationConfigurationTemplate",
        "PitPolicy/0/RetentionDuration",
    ),
    (
        "AWS::RedshiftServerless::Namespace",
        "SnapshotCopyConfigurations/0/SnapshotRetentionPeriod",
    ),
];

/// Times to keep of which the default is shorter than all that is tried here.
const KEEP_LESS: &[(&str, &str)] = &[
    (
        "AWS::ElastiCache::ReplicationGroup",
        "SnapshotRetentionLimit",
    ),
    ("AWS::KinesisVideo::Stream", "DataRetentionInHours"),
    ("AWS::Neptune::DBCluster", "BackupRetentionPeriod"),
    ("AWS::RDS::DBCluster", "BackupRetentionPeriod"),
    ("AWS::RDS::DBInstance", "BackupRetentionPeriod"),
];

#[test]
fn a_shorter_time_to_keep_is_told_wherever_the_registry_has_one() {
    let mut count = 0;
    let mut silent = Vec::new();
    properties(&mut |resource_type, way, property| {
        let value = property.value();
        let number = matches!(value.kind(), ValueKind::Integer | ValueKind::Number);
        let replaces = property.update() == UpdateBehaviour::Replacement;
        if !number || replaces || !property.name().contains("Retention") {
            return;
        }
        if NOT_SEEN.contains(&(resource_type, way)) {
            return;
        }
        count += 1;
        let mut words: Vec<u32> = value
            .enum_values()
            .filter_map(|word| word.parse().ok())
            .collect();
        words.sort_unstable();
        let long = words.last().copied().unwrap_or(30);
        let short = words.first().copied().unwrap_or(2);
        let hidden = || with(way, json!({"Ref": "Hidden"}));
        let keeps_less = KEEP_LESS.contains(&(resource_type, way));
        let nothing = (!keeps_less).then(|| without(way));
        let [long, short] = [long, short].map(|time| with(way, json!(time)));
        for (before, after) in [
            (Some(long.clone()), short.clone()),
            (Some(long), hidden()),
            (Some(hidden()), short.clone()),
            (nothing, short),
        ] {
            let Some(before) = before else { continue };
            if !dangers_of(resource_type, &before, &after).contains(&Grade::DataLoss) {
                silent.push(format!("{resource_type} {way}: {before} to {after}"));
            }
        }
    });
    assert!(
        silent.is_empty(),
        "{} of {count}: {silent:#?}",
        silent.len()
    );
    assert!(count > 30, "{count} times");
}

/// Switches and choices of the model's types by how their places end, of which the plan says no more than that they change, each
/// with why.
const NEUTRAL: &[(&str, &[&str])] = &[
    (
        "what is logged, measured or traced, and where to",
        &[
            "ActionConfiguration/AlarmTagsPropagation/Enabled",
            "ApplicationLogLevel",
            "SystemLogLevel",
            "LogFormat",
            "Level",
            "DataTraceEnabled",
            "MetricsEnabled",
            "DetailedMetricsEnabled",
            "CloudWatchMetricsEnabled",
            "SampledRequestsEnabled",
            "IncludeCookies",
            "IncludeDetail",
            "IncludeExecutionData",
            "TracingEnabled",
            "TracingConfig/Mode",
            "TracingConfiguration/Enabled",
            "ContributorInsightsSpecification/Enabled",
            "ContributorInsightsSpecification/Mode",
            "Metrics/Status",
            "ServerTimingHeadersConfig/Enabled",
            "ReportBuildStatus",
            "BadgeEnabled",
            "CertificateTransparencyLoggingPreference",
            "S3EnableHiveCompatiblePath",
            "PartitionDateSource",
            "ConfigurationState",
            "DefaultEmailOption",
            "EmailSendingAccount",
            "EnablePropagateAdditionalUserContextData",
            "RecoveryMechanisms/0/Name",
        ],
    ),
    (
        "in which form something is written, sent or read",
        &[
            "Format",
            "OutputFormat",
            "ContentHandling",
            "ContentType",
            "MessageFormat",
            "RawMessageDelivery",
            "EventRecordFormat",
            "FullDocument",
            "HttpMethod",
            "HttpVersion",
            "Protocol",
            "PassthroughBehavior",
            "ResponseTransferMode",
            "InvokeMode",
            "InvocationType",
            "LambdaVersion",
            "QueryLanguage",
            "Unit",
            "Statistic",
            "TimestampUnit",
            "EpochTimeUnit",
            "TimeFieldType",
            "MeasureValueType",
            "HashKeyType",
            "RangeKeyType",
            "BatchMode",
            "UseBase64",
            "EnableBatching",
            "BatchAcrossTopics",
            "ApproximateCreationDateTimePrecision",
            "EnableSimpleResponses",
            "ResponseCode",
            "ErrorCode",
            "IncludeBody",
            "QueryString",
            "Compress",
            "SmoothStreaming",
            "EnableAcceptEncodingBrotli",
            "EnableAcceptEncodingGzip",
            "DataType",
            "WithEvent",
            "OverrideArtifactName",
            "CombineArtifacts",
            "ApplyOnTransformedLogs",
        ],
    ),
    (
        "what it costs, how fast it is, and what runs it",
        &[
            "ALBLowReputationMode",
            "AbacStatus",
            "AccelerationStatus",
            "AccessTier",
            "ApplyOn",
            "BillingMode",
            "BucketKeyEnabled",
            "CacheClusterEnabled",
            "CachingEnabled",
            "UseStageCache",
            "ConnectionType",
            "ConnectionMode",
            "ConsumptionMode",
            "DirectS3Read",
            "EnableAcceleratedRecovery",
            "EnableECSManagedTags",
            "ExecutionMode",
            "PipelineType",
            "GrpcConfig/Enabled",
            "IPV6Enabled",
            "IpAddressType",
            "Ipv6AllowedForDualStack",
            "LaunchType",
            "OriginShield/Enabled",
            "PriceClass",
            "PropagateTags",
            "Runtime",
            "S3ObjectStorageMode",
            "ScheduleFrequency",
            "IncludedObjectVersions",
            "InventoryConfigurations/0/Enabled",
            "IntelligentTieringConfigurations/0/Status",
            "ReplicationTime/Status",
            "StorageClass",
            "TableClass",
            "TransitionDefaultMinimumObjectSize",
            "UserPoolTier",
            "SslSupportMethod",
            "FlexibleTimeWindow/Mode",
            "DistanceFunction",
            "ProjectionType",
            "SearchSchemaElementType",
            "FetchSubmodules",
            "PublishToLatestPublished",
            "SelectionCriteria",
        ],
    ),
    (
        "what becomes of a failure or a measurement, and when something is done",
        &[
            "BisectBatchOnFunctionError",
            "ComparisonOperator",
            "TreatMissingData",
            "InsufficientDataHealthStatus",
            "Inverted",
            "EnableSNI",
            "EvaluateTargetHealth",
            "Failover",
            "MultiValueAnswer",
            "HealthCheckConfig/AlarmIdentifier/Region",
            "OnlyStartEvaluatingAfterWarmUpPeriodEnds",
            "ReturnData",
            "Result",
            "RetryMode",
            "RestartExecutionOnUpdate",
            "FailOnWarnings",
            "DisableSchemaValidation",
            "Webhook",
            "AutoDeploy",
            "AutoPublish",
            "EventBridgeEnabled",
            "Staging",
            "RoutingMode",
            "DeleteMarkerReplication/Status",
            "ReplicaModifications/Status",
            "SseKmsEncryptedObjects/Status",
            "ExpiredObjectDeleteMarker",
            "RecordExpiration/Expiration",
        ],
    ),
    (
        "what a step, a parameter or an element of a list is called, or is",
        &[
            "Category",
            "EnvironmentVariables/0/Type",
            "Type",
            "Required",
            "Attribute",
            "CloudFrontDefaultCertificate",
            "AdvertiseTrustStoreCaNames",
            "OriginOverride",
            "Override",
            "Preload",
            "ModeBlock",
            "AccessControlAllowCredentials",
            "AllowCredentials",
            "DeviceOnlyRememberedOnUserPrompt",
            "AuthorizationType",
        ],
    ),
    (
        "how a new secret looks, of which the secret tells that it is another",
        &[
            "IncludeSpace",
            "ExcludeLowercase",
            "ExcludeNumbers",
            "ExcludePunctuation",
            "ExcludeUppercase",
            "RequireEachIncludedType",
        ],
    ),
    (
        "with which key of AWS it encrypts, where it has none of one's own",
        &[
            "KeyType",
            "SSEAlgorithm",
            "SseAlgorithm",
            "EncryptionConfiguration/Type",
        ],
    ),
    (
        "how a firewall tells requests apart, and what of them it shows",
        &[
            "CurrencyMode",
            "Chain",
            "DefaultSizeInspectionLimit",
            "FieldType",
            "ExcludeRateBasedDetails",
            "ExcludeRuleMatchDetails",
        ],
    ),
    (
        "what is told of where the rest of it is there: its name, its filter, what it is about",
        &[
            "AttributeDefinitions/0/AttributeType",
            "LifecycleConfiguration/Rules/0/Status",
            "Schema/0/AttributeDataType",
            "Schema/0/DeveloperOnlyAttribute",
            "Schema/0/Mutable",
            "TimeToLiveSpecification/Enabled",
        ],
    ),
];

#[test]
fn of_every_switch_and_choice_of_the_model_it_is_known_what_it_does() {
    let types = super::corpus::of_model();
    let mut count = 0;
    let mut unseen = Vec::new();
    properties(&mut |resource_type, way, property| {
        let value = property.value();
        let words: Vec<&str> = value.enum_values().collect();
        let values: Vec<Value> = match value.kind() {
            ValueKind::Boolean => vec![json!(true), json!(false)],
            ValueKind::Text if words.len() > 1 => words.iter().map(|word| json!(word)).collect(),
            _ => return,
        };
        if !types.contains(resource_type) || property.update() == UpdateBehaviour::Replacement {
            return;
        }
        count += 1;
        let mut endings = NEUTRAL.iter().flat_map(|(_, endings)| *endings);
        let neutral = endings.any(|ending| {
            let inner = way.strip_suffix(*ending);
            inner.is_some_and(|inner| inner.is_empty() || inner.ends_with('/'))
        });
        // A rule of a firewall is compared as a whole, with its name and its action.
        let rule = resource_type == "AWS::WAFv2::WebACL" && way.starts_with("Rules/");
        if neutral || rule {
            return;
        }
        let pairs = values.iter().flat_map(|before| {
            let others = values.iter().chain([&Value::Null]);
            others.map(move |after| (before, after))
        });
        let mut pairs = pairs.filter(|(before, after)| before != after);
        let told = pairs.any(|(before, after)| {
            let grade = worst(resource_type, way, before, after);
            grade > Grade::UpdateInPlace
        });
        if !told {
            unseen.push(format!("{resource_type} {way} {words:?}"));
        }
    });
    assert!(
        unseen.is_empty(),
        "{} of {count}: {unseen:#?}",
        unseen.len()
    );
    assert!(count > 300, "{count} switches and choices");
}

#[test]
fn what_aws_changes_with_an_interruption_is_told_as_one() {
    let (mut types, mut rows) = (0, 0);
    for (resource_type, properties, source) in interruptions() {
        types += 1;
        let resource = facts::resource_type(resource_type).expect(resource_type);
        assert!(properties.is_sorted(), "{resource_type}");
        for name in properties {
            rows += 1;
            let known = resource.property(name).expect(name);
            assert!(!known.read_only(), "{resource_type} {name}");
            let changes = changes_of(
                resource_type,
                &json!({*name: "one"}),
                &json!({*name: "another"}),
            );
            let change = &changes[0];
            let told = format!("{name} changes with some interruptions");
            // What makes another resource interrupts more than that.
            let replaced = change.action == Action::Replace;
            assert_eq!(change.reasons.contains(&told), !replaced, "{change:?}");
            assert!(change.grade >= Grade::Interruption, "{change:?}");
            assert!(replaced || change.sources.contains(&source), "{change:?}");
        }
    }
    assert_eq!((types, rows), (15, 62));
    let nested = worst(
        "AWS::DynamoDB::Table",
        "SSESpecification/SSEEnabled",
        &json!("one"),
        &json!("another"),
    );
    assert_eq!(nested, Grade::Interruption);
}

#[test]
fn what_is_in_a_stack_in_a_stack_is_not_known() {
    let [one, another] = ["https://a", "https://b"].map(|url| json!(url));
    let found = dangers("AWS::CloudFormation::Stack", "TemplateURL", one, another);
    let all = [
        Grade::PermissionWidened,
        Grade::ExposureWidened,
        Grade::DataLoss,
    ];
    assert_eq!(found, all);
    let [one, another] = ["a", "b"].map(|value| json!(value));
    let found = dangers(
        "AWS::CloudFormation::Stack",
        "Parameters/Size",
        one,
        another,
    );
    assert_eq!(found, all);
}
