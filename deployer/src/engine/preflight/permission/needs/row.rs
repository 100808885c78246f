//! The actions without which no resource of a type is made, changed or removed.

mod nested;

/// What a resource type needs.
///
/// A place is an ARN without its beginning, in which braces hold what is put in: `{r}` and `{a}` the region and the account,
/// `{>Property}` the name or the id of what a property refers to, one place for each where it is a list, and `{scope}` that of a
/// web ACL in lower case. `*` is everything of any service, `service:*` everything of one.
pub(in super::super) struct Row {
    pub(in super::super) kind: &'static str,
    /// Where a new one is made, with the property that names it in braces. What is not given is made up of the logical id
    /// after `~`, in a way that nobody can tell after `!`, and of the stack and the logical id else, in lower case after `_`.
    /// `{?}` is an id that AWS makes up.
    pub(super) new: &'static str,
    /// Where one is that is there, with `{}` for its name or id.
    pub(super) there: &'static str,
    /// What creates, changes and deletes it.
    pub(in super::super) actions: [&'static str; 3],
}

impl Row {
    /// Returns what a type needs; nothing, where nobody knows it.
    pub(in super::super) fn of(kind: &str) -> Option<&'static Self> {
        let is_custom = kind.starts_with("Custom::");
        let kind = if is_custom { CUSTOM } else { kind };
        Self::all().find(|row| row.kind == kind)
    }

    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        ROWS.iter().chain(nested::ROWS)
    }

    /// Returns the prefix of the actions.
    pub(super) fn service(&self) -> &'static str {
        let place = if self.new == "*" {
            self.there
        } else {
            self.new
        };
        match self.kind {
            "AWS::CertificateManager::Certificate" => "acm",
            _ => place.split(':').next().unwrap_or_default(),
        }
    }

    /// Returns whether a resource has no place of its own, and is reached through the one that it belongs to.
    pub(super) fn is_nested(&self) -> bool {
        self.new == self.there && self.new.contains("{>")
    }
}

/// The type that stands for all custom resources, of which CloudFormation calls the function.
const CUSTOM: &str = "AWS::CloudFormation::CustomResource";

const fn row(
    kind: &'static str,
    new: &'static str,
    there: &'static str,
    actions: [&'static str; 3],
) -> Row {
    Row {
        kind,
        new,
        there,
        actions,
    }
}

/// The types that are looked at. Log groups are meant with what is in them
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html>). The ARNs are those of the services' pages below
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>.
const ROWS: &[Row] = &[
    row(
        "AWS::ApiGateway::Account",
        "apigateway:{r}::/account",
        "apigateway:{r}::/account",
        ["PATCH", "PATCH", ""],
    ),
    row(
        "AWS::ApiGateway::ApiKey",
        "apigateway:{r}::/apikeys",
        "apigateway:{r}::/apikeys/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGateway::DomainName",
        "apigateway:{r}::/domainnames",
        "apigateway:{r}::/domainnames/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGateway::RestApi",
        "apigateway:{r}::/restapis",
        "apigateway:{r}::/restapis/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGateway::UsagePlan",
        "apigateway:{r}::/usageplans",
        "apigateway:{r}::/usageplans/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGatewayV2::Api",
        "apigateway:{r}::/apis",
        "apigateway:{r}::/apis/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGatewayV2::DomainName",
        "apigateway:{r}::/domainnames",
        "apigateway:{r}::/domainnames/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::CertificateManager::Certificate",
        "*",
        "{}",
        ["RequestCertificate", "", "DeleteCertificate"],
    ),
    row(
        "AWS::CloudFront::CachePolicy",
        "*",
        "cloudfront::{a}:cache-policy/{}",
        [
            "CreateCachePolicy",
            "UpdateCachePolicy",
            "DeleteCachePolicy",
        ],
    ),
    row(
        "AWS::CloudFront::Distribution",
        "*",
        "cloudfront::{a}:distribution/{}",
        [
            "CreateDistribution",
            "UpdateDistribution",
            "DeleteDistribution",
        ],
    ),
    row(
        "AWS::CloudFront::Function",
        "*",
        "cloudfront::{a}:function/{}",
        ["CreateFunction", "UpdateFunction", "DeleteFunction"],
    ),
    row(
        "AWS::CloudFront::OriginAccessControl",
        "*",
        "cloudfront::{a}:origin-access-control/{}",
        [
            "CreateOriginAccessControl",
            "UpdateOriginAccessControl",
            "DeleteOriginAccessControl",
        ],
    ),
    row(
        "AWS::CloudFront::OriginRequestPolicy",
        "*",
        "cloudfront::{a}:origin-request-policy/{}",
        [
            "CreateOriginRequestPolicy",
            "UpdateOriginRequestPolicy",
            "DeleteOriginRequestPolicy",
        ],
    ),
    row(
        "AWS::CloudFront::ResponseHeadersPolicy",
        "*",
        "cloudfront::{a}:response-headers-policy/{}",
        [
            "CreateResponseHeadersPolicy",
            "UpdateResponseHeadersPolicy",
            "DeleteResponseHeadersPolicy",
        ],
    ),
    row(
        "AWS::CloudWatch::Alarm",
        "cloudwatch:{r}:{a}:alarm:{AlarmName}",
        "cloudwatch:{r}:{a}:alarm:{}",
        ["PutMetricAlarm", "PutMetricAlarm", "DeleteAlarms"],
    ),
    row(
        "AWS::CloudWatch::CompositeAlarm",
        "cloudwatch:{r}:{a}:alarm:{AlarmName}",
        "cloudwatch:{r}:{a}:alarm:{}",
        ["PutCompositeAlarm", "PutCompositeAlarm", "DeleteAlarms"],
    ),
    row(
        "AWS::CloudWatch::Dashboard",
        "cloudwatch::{a}:dashboard/{!DashboardName}",
        "cloudwatch::{a}:dashboard/{}",
        ["PutDashboard", "PutDashboard", "DeleteDashboards"],
    ),
    row(
        "AWS::CodeBuild::Project",
        "codebuild:{r}:{a}:project/{!Name}",
        "codebuild:{r}:{a}:project/{}",
        ["CreateProject", "UpdateProject", "DeleteProject"],
    ),
    row(
        "AWS::CodePipeline::Pipeline",
        "codepipeline:{r}:{a}:{Name}",
        "codepipeline:{r}:{a}:{}",
        ["CreatePipeline", "UpdatePipeline", "DeletePipeline"],
    ),
    row(
        "AWS::Cognito::IdentityPool",
        "*",
        "cognito-identity:{r}:{a}:identitypool/{}",
        [
            "CreateIdentityPool",
            "UpdateIdentityPool",
            "DeleteIdentityPool",
        ],
    ),
    row(
        "AWS::Cognito::UserPool",
        "*",
        "cognito-idp:{r}:{a}:userpool/{}",
        ["CreateUserPool", "UpdateUserPool", "DeleteUserPool"],
    ),
    row(
        "AWS::DynamoDB::Table",
        "dynamodb:{r}:{a}:table/{TableName}",
        "dynamodb:{r}:{a}:table/{}",
        ["CreateTable", "UpdateTable", "DeleteTable"],
    ),
    row(
        "AWS::Events::ApiDestination",
        "events:{r}:{a}:api-destination/{!Name}",
        "events:{r}:{a}:api-destination/{}",
        [
            "CreateApiDestination",
            "UpdateApiDestination",
            "DeleteApiDestination",
        ],
    ),
    row(
        "AWS::Events::Archive",
        "events:{r}:{a}:archive/{!ArchiveName}",
        "events:{r}:{a}:archive/{}",
        ["CreateArchive", "UpdateArchive", "DeleteArchive"],
    ),
    row(
        "AWS::Events::Connection",
        "events:{r}:{a}:connection/{!Name}",
        "events:{r}:{a}:connection/{}",
        ["CreateConnection", "UpdateConnection", "DeleteConnection"],
    ),
    row(
        "AWS::Events::EventBus",
        "events:{r}:{a}:event-bus/{Name}",
        "events:{r}:{a}:event-bus/{}",
        ["CreateEventBus", "UpdateEventBus", "DeleteEventBus"],
    ),
    row(
        "AWS::Events::Rule",
        "events:{r}:{a}:rule/{Name}",
        "events:{r}:{a}:rule/{}",
        ["PutRule", "PutRule", "DeleteRule"],
    ),
    row(
        "AWS::IAM::ManagedPolicy",
        "iam::{a}:policy/{ManagedPolicyName}",
        "{}",
        ["CreatePolicy", "CreatePolicyVersion", "DeletePolicy"],
    ),
    row(
        "AWS::IAM::Role",
        "iam::{a}:role/{RoleName}",
        "iam::{a}:role/{}",
        ["CreateRole", "UpdateRole", "DeleteRole"],
    ),
    row(
        "AWS::IoT::Policy",
        "iot:{r}:{a}:policy/{!PolicyName}",
        "iot:{r}:{a}:policy/{}",
        ["CreatePolicy", "CreatePolicyVersion", "DeletePolicy"],
    ),
    row(
        "AWS::IoT::Thing",
        "iot:{r}:{a}:thing/{!ThingName}",
        "iot:{r}:{a}:thing/{}",
        ["CreateThing", "UpdateThing", "DeleteThing"],
    ),
    row(
        "AWS::IoT::ThingGroup",
        "iot:{r}:{a}:thinggroup/{!ThingGroupName}",
        "iot:{r}:{a}:thinggroup/{}",
        ["CreateThingGroup", "UpdateThingGroup", "DeleteThingGroup"],
    ),
    row(
        "AWS::IoT::TopicRule",
        "iot:{r}:{a}:rule/{!RuleName}",
        "iot:{r}:{a}:rule/{}",
        ["CreateTopicRule", "ReplaceTopicRule", "DeleteTopicRule"],
    ),
    row(
        "AWS::KMS::Key",
        "*",
        "kms:{r}:{a}:key/{}",
        ["CreateKey", "", "ScheduleKeyDeletion"],
    ),
    row(
        "AWS::Lambda::EventSourceMapping",
        "*",
        "lambda:{r}:{a}:event-source-mapping:{}",
        [
            "CreateEventSourceMapping",
            "UpdateEventSourceMapping",
            "DeleteEventSourceMapping",
        ],
    ),
    row(
        "AWS::Lambda::Function",
        "lambda:{r}:{a}:function:{FunctionName}",
        "lambda:{r}:{a}:function:{}",
        [
            "CreateFunction",
            "UpdateFunctionConfiguration",
            "DeleteFunction",
        ],
    ),
    row(
        "AWS::Logs::DeliveryDestination",
        "logs:{r}:{a}:delivery-destination:{!Name}",
        "logs:{r}:{a}:delivery-destination:{}",
        [
            "PutDeliveryDestination",
            "PutDeliveryDestination",
            "DeleteDeliveryDestination",
        ],
    ),
    row(
        "AWS::Logs::DeliverySource",
        "logs:{r}:{a}:delivery-source:{!Name}",
        "logs:{r}:{a}:delivery-source:{}",
        [
            "PutDeliverySource",
            "PutDeliverySource",
            "DeleteDeliverySource",
        ],
    ),
    row(
        "AWS::Logs::LogGroup",
        "logs:{r}:{a}:log-group:{LogGroupName}:*",
        "logs:{r}:{a}:log-group:{}:*",
        ["CreateLogGroup", "", "DeleteLogGroup"],
    ),
    row(
        "AWS::Pipes::Pipe",
        "pipes:{r}:{a}:pipe/{!Name}",
        "pipes:{r}:{a}:pipe/{}",
        ["CreatePipe", "UpdatePipe", "DeletePipe"],
    ),
    row(
        "AWS::Route53::HealthCheck",
        "*",
        "route53:::healthcheck/{}",
        [
            "CreateHealthCheck",
            "UpdateHealthCheck",
            "DeleteHealthCheck",
        ],
    ),
    row(
        "AWS::Route53::HostedZone",
        "*",
        "route53:::hostedzone/{}",
        ["CreateHostedZone", "", "DeleteHostedZone"],
    ),
    row(
        "AWS::S3::Bucket",
        "s3:::{_BucketName}",
        "s3:::{}",
        ["CreateBucket", "", "DeleteBucket"],
    ),
    row(
        "AWS::SNS::Topic",
        "sns:{r}:{a}:{TopicName}",
        "{}",
        ["CreateTopic", "SetTopicAttributes", "DeleteTopic"],
    ),
    row(
        "AWS::SQS::Queue",
        "sqs:{r}:{a}:{QueueName}",
        "sqs:{r}:{a}:{}",
        ["CreateQueue", "SetQueueAttributes", "DeleteQueue"],
    ),
    row(
        "AWS::SSM::Parameter",
        "ssm:{r}:{a}:parameter/{~Name}",
        "ssm:{r}:{a}:parameter/{}",
        ["PutParameter", "PutParameter", "DeleteParameter"],
    ),
    row(
        "AWS::Scheduler::Schedule",
        "scheduler:{r}:{a}:schedule/default/{!Name}",
        "scheduler:{r}:{a}:schedule/default/{}",
        ["CreateSchedule", "UpdateSchedule", "DeleteSchedule"],
    ),
    row(
        "AWS::Scheduler::ScheduleGroup",
        "scheduler:{r}:{a}:schedule-group/{!Name}",
        "scheduler:{r}:{a}:schedule-group/{}",
        ["CreateScheduleGroup", "", "DeleteScheduleGroup"],
    ),
    row(
        "AWS::SecretsManager::Secret",
        "secretsmanager:{r}:{a}:secret:{~Name}-AbCdEf",
        "{}",
        ["CreateSecret", "UpdateSecret", "DeleteSecret"],
    ),
    row(
        "AWS::StepFunctions::StateMachine",
        "states:{r}:{a}:stateMachine:{~StateMachineName}",
        "{}",
        [
            "CreateStateMachine",
            "UpdateStateMachine",
            "DeleteStateMachine",
        ],
    ),
    row(
        "AWS::WAFv2::WebACL",
        "wafv2:{r}:{a}:{scope}/webacl/{!Name}/{?}",
        "wafv2:{r}:{a}:{scope}/webacl/{}",
        ["CreateWebACL", "UpdateWebACL", "DeleteWebACL"],
    ),
];
