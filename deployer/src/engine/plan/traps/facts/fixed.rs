//! Properties that change with an interruption, and those that never change.

/// A property that AWS changes with an interruption, or not at all.
pub(in super::super) struct PropertyFact {
    pub(in super::super) resource_type: &'static str,
    pub(in super::super) property: &'static str,
    pub(in super::super) source: &'static str,
}

/// Properties of which AWS says "Some interruptions".
pub(in super::super) const INTERRUPTIONS: &[PropertyFact] = &[
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
    PropertyFact {
        resource_type: "AWS::RDS::DBInstance",
        property: "EngineLifecycleSupport",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html",
    },
    PropertyFact {
        resource_type: "AWS::RDS::DBInstance",
        property: "EngineVersion",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html",
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
