//! Properties that change with an interruption, and those that never change.

/// Properties of a type that change with an interruption.
pub(in super::super) struct Interruptions {
    pub(in super::super) resource_type: &'static str,
    pub(in super::super) properties: &'static [&'static str],
    pub(in super::super) source: &'static str,
}

/// A property that AWS does not change.
pub(in super::super) struct PropertyFact {
    pub(in super::super) resource_type: &'static str,
    pub(in super::super) property: &'static str,
    pub(in super::super) source: &'static str,
}

/// Properties of which AWS says that they change with some interruptions, by type, with the page of the type. Where a change
/// of one makes another resource, that is told instead.
///
/// Of the other types that a serverless backend stands on, the pages say so of nothing: functions, services and tasks of ECS,
/// clusters of MSK and of Redshift.
pub(in super::super) const INTERRUPTIONS: &[Interruptions] = &[
    Interruptions {
        resource_type: "AWS::AmazonMQ::Broker",
        properties: &["Configuration", "HostInstanceType", "ResourceShareArns"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-amazonmq-broker.html",
    },
    Interruptions {
        resource_type: "AWS::AutoScaling::AutoScalingGroup",
        properties: &[
            "LaunchConfigurationName",
            "LaunchTemplate",
            "MixedInstancesPolicy",
            "VPCZoneIdentifier",
        ],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-autoscaling-autoscalinggroup.html",
    },
    Interruptions {
        resource_type: "AWS::DocDB::DBInstance",
        properties: &["DBInstanceClass"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-docdb-dbinstance.html",
    },
    Interruptions {
        resource_type: "AWS::DynamoDB::Table",
        properties: &["SSESpecification"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html",
    },
    Interruptions {
        resource_type: "AWS::EC2::Instance",
        properties: &[
            "BlockDeviceMappings",
            "EbsOptimized",
            "HostId",
            "InstanceType",
            "KernelId",
            "PrivateDnsNameOptions",
            "RamdiskId",
            "SecurityGroupIds",
            "Tenancy",
            "UserData",
        ],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-instance.html",
    },
    Interruptions {
        resource_type: "AWS::ElastiCache::CacheCluster",
        properties: &[
            "NumCacheNodes",
            "PreferredAvailabilityZone",
            "PreferredAvailabilityZones",
        ],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticache-cachecluster.html",
    },
    Interruptions {
        resource_type: "AWS::ElastiCache::ReplicationGroup",
        properties: &["AuthToken"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticache-replicationgroup.html",
    },
    Interruptions {
        resource_type: "AWS::Lightsail::Container",
        properties: &["ContainerServiceDeployment"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lightsail-container.html",
    },
    Interruptions {
        resource_type: "AWS::Lightsail::Database",
        properties: &["BackupRetention"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lightsail-database.html",
    },
    Interruptions {
        resource_type: "AWS::Lightsail::Instance",
        properties: &["Hardware"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lightsail-instance.html",
    },
    Interruptions {
        resource_type: "AWS::Neptune::DBInstance",
        properties: &[
            "AutoMinorVersionUpgrade",
            "DBInstanceClass",
            "DBParameterGroupName",
            "PreferredMaintenanceWindow",
        ],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-neptune-dbinstance.html",
    },
    Interruptions {
        resource_type: "AWS::OpenSearchService::Domain",
        properties: &["VPCOptions"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-opensearchservice-domain.html",
    },
    Interruptions {
        resource_type: "AWS::RDS::DBCluster",
        properties: &[
            "BackupRetentionPeriod",
            "DBInstanceParameterGroupName",
            "Engine",
            "EngineLifecycleSupport",
            "EngineVersion",
            "GlobalClusterIdentifier",
        ],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbcluster.html",
    },
    Interruptions {
        resource_type: "AWS::RDS::DBInstance",
        properties: &[
            "AutoMinorVersionUpgrade",
            "AvailabilityZone",
            "BackupRetentionPeriod",
            "DBClusterSnapshotIdentifier",
            "DBInstanceClass",
            "DBParameterGroupName",
            "DBSnapshotIdentifier",
            "DomainAuthSecretArn",
            "DomainDnsIps",
            "DomainFqdn",
            "DomainOu",
            "Engine",
            "EngineLifecycleSupport",
            "EngineVersion",
            "MultiAZ",
            "PerformanceInsightsKMSKeyId",
            "Port",
            "PreferredMaintenanceWindow",
            "RestoreTime",
            "SourceDBClusterIdentifier",
            "SourceDBInstanceAutomatedBackupsArn",
            "SourceDBInstanceIdentifier",
            "SourceDbiResourceId",
            "StorageType",
        ],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html",
    },
    Interruptions {
        resource_type: "AWS::Transfer::Server",
        properties: &["EndpointDetails"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-transfer-server.html",
    },
];

/// Properties that AWS does not change once the resource is there.
pub(in super::super) const FIXED: &[PropertyFact] = &[
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
    PropertyFact {
        resource_type: "AWS::Logs::LogGroup",
        property: "LogGroupClass",
        source: "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html",
    },
];
