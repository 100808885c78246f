//! How long AWS keeps what it deletes afterwards.

/// How long something is kept.
pub(in super::super) struct Retention {
    pub(in super::super) resource_type: &'static str,
    /// Where the time stands.
    pub(in super::super) pointer: &'static str,
    /// The time where none is written; nothing, where that is for ever.
    pub(in super::super) default: Option<f64>,
    pub(in super::super) unit: &'static str,
    pub(in super::super) source: &'static str,
}

/// Times after which AWS deletes: shortening one deletes what is older already.
pub(in super::super) const RETENTIONS: &[Retention] = &[
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
