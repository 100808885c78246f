//! How the resource types are drawn.

/// How a resource appears in a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drawn {
    /// As a node with arrows to what its properties name.
    Node,
    /// Not at all.
    Hidden,
    /// As arrows, from what the first properties name to what the second ones name.
    Arrow(&'static [&'static str], &'static [&'static str]),
    /// As a node whose arrows are reversed for these properties: it is fed by what they name.
    Fed(&'static [&'static str]),
}

/// Says how a resource type is drawn.
pub(crate) fn drawn(resource_type: &str) -> Drawn {
    match resource_type {
        "AWS::ApiGateway::Authorizer" => {
            Drawn::Arrow(&["RestApiId"], &["ProviderARNs", "AuthorizerUri"])
        }
        "AWS::ApiGateway::BasePathMapping" => Drawn::Arrow(&["DomainName"], &["RestApiId"]),
        "AWS::ApiGateway::UsagePlanKey" => Drawn::Arrow(&["KeyId"], &["UsagePlanId"]),
        "AWS::ApiGatewayV2::ApiMapping" => Drawn::Arrow(&["DomainName"], &["ApiId"]),
        "AWS::ApiGatewayV2::Authorizer" => {
            Drawn::Arrow(&["ApiId"], &["AuthorizerUri", "JwtConfiguration"])
        }
        "AWS::Cognito::UserPoolGroup" | "AWS::Cognito::UserPoolDomain" => {
            Drawn::Fed(&["UserPoolId"])
        }
        "AWS::Events::Rule" => Drawn::Fed(&["EventBusName"]),
        "AWS::Lambda::EventInvokeConfig" => Drawn::Arrow(&["FunctionName"], &["DestinationConfig"]),
        "AWS::Lambda::EventSourceMapping" => Drawn::Arrow(&["EventSourceArn"], &["FunctionName"]),
        "AWS::Lambda::Url" => Drawn::Fed(&[]),
        "AWS::Pipes::Pipe" => Drawn::Fed(&["Source"]),
        "AWS::SNS::Subscription" => Drawn::Arrow(&["TopicArn"], &["Endpoint"]),
        "AWS::SSM::Parameter" => Drawn::Fed(&["Value"]),
        "AWS::WAFv2::WebACLAssociation" => Drawn::Arrow(&["WebACLArn"], &["ResourceArn"]),
        "AWS::ApiGateway::Method" => Drawn::Fed(&["RestApiId"]),
        "AWS::ApiGatewayV2::Route" => Drawn::Fed(&["ApiId"]),
        "AWS::ApiGateway::ApiKey"
        | "AWS::ApiGateway::DomainName"
        | "AWS::ApiGateway::RestApi"
        | "AWS::ApiGateway::UsagePlan" => Drawn::Node,
        "AWS::ApiGatewayV2::Integration"
        | "AWS::CDK::Metadata"
        | "AWS::CloudFormation::WaitConditionHandle"
        | "AWS::CloudFront::CachePolicy"
        | "AWS::CloudFront::OriginAccessControl"
        | "AWS::CloudFront::OriginRequestPolicy"
        | "AWS::CloudFront::ResponseHeadersPolicy"
        | "AWS::Cognito::IdentityPoolRoleAttachment"
        | "AWS::IoT::Policy"
        | "AWS::Lambda::Alias"
        | "AWS::Lambda::LayerVersionPermission"
        | "AWS::Lambda::Permission"
        | "AWS::Lambda::Version"
        | "AWS::S3::BucketPolicy"
        | "AWS::SNS::TopicPolicy"
        | "AWS::SQS::QueuePolicy"
        | "AWS::SecretsManager::ResourcePolicy" => Drawn::Hidden,
        other if PLUMBING.iter().any(|prefix| other.starts_with(prefix)) => Drawn::Hidden,
        _ => Drawn::Node,
    }
}

/// How the types begin that only make the rest work, apart from those named above.
const PLUMBING: [&str; 5] = [
    "AWS::ApiGateway::",
    "AWS::ApiGatewayV2::Deployment",
    "AWS::ApiGatewayV2::Stage",
    "AWS::IAM::",
    "AWS::Logs::",
];

/// What a resource is for, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Runs code or a workflow.
    Computes,
    /// Keeps data.
    Stores,
    /// Carries messages and events.
    Carries,
    /// Takes requests from outside.
    Serves,
    /// Says who somebody is.
    Identifies,
    /// Anything else.
    Supports,
}

impl Role {
    /// Returns the role of a resource type.
    pub(crate) fn of(resource_type: &str) -> Self {
        match resource_type.split("::").nth(1).unwrap_or_default() {
            "CodeBuild" | "Lambda" | "StepFunctions" => Self::Computes,
            "DynamoDB" | "S3" | "SSM" | "SecretsManager" => Self::Stores,
            "CodePipeline" | "Events" | "IoT" | "Pipes" | "SNS" | "SQS" | "Scheduler" => {
                Self::Carries
            }
            "ApiGateway" | "ApiGatewayV2" | "CloudFront" | "Route53" => Self::Serves,
            "CertificateManager" | "Cognito" | "KMS" | "WAFv2" => Self::Identifies,
            _ => Self::Supports,
        }
    }

    /// Returns the name of the class in a drawing.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Computes => "computes",
            Self::Stores => "stores",
            Self::Carries => "carries",
            Self::Serves => "serves",
            Self::Identifies => "identifies",
            Self::Supports => "supports",
        }
    }

    /// Every role.
    pub(crate) const ALL: [Self; 6] = [
        Self::Computes,
        Self::Stores,
        Self::Carries,
        Self::Serves,
        Self::Identifies,
        Self::Supports,
    ];
}

/// Returns a resource type as people say it: `DynamoDB Table`.
pub(crate) fn spoken(resource_type: &str) -> String {
    let mut parts = resource_type.split("::");
    match (parts.next(), parts.next(), parts.next()) {
        (Some("Custom"), Some(name), None) => format!("Custom {name}"),
        (_, Some(service), Some(name)) => format!("{service} {name}"),
        _ => resource_type.to_owned(),
    }
}
