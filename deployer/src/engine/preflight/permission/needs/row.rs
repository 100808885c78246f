//! The actions without which no resource of a type is made, changed or removed.

/// What a resource type needs.
pub(in super::super) struct Row {
    pub(in super::super) kind: &'static str,
    /// Where a new one is made: an ARN without its beginning, with the property that names it in braces. What is not
    /// given is made up of the logical id after `~`, in a way that nobody can tell after `!`, and of the stack and the
    /// logical id else, in lower case after `_`.
    pub(super) new: &'static str,
    /// Where one is that is there, with `{}` for its name or id.
    pub(super) there: &'static str,
    /// What creates, changes and deletes it.
    pub(in super::super) actions: [&'static str; 3],
}

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
pub(in super::super) const ROWS: &[Row] = &[
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
        "AWS::ApiGatewayV2::Api",
        "apigateway:{r}::/apis",
        "apigateway:{r}::/apis/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::CertificateManager::Certificate",
        "*",
        "{}",
        ["RequestCertificate", "", "DeleteCertificate"],
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
        "AWS::CloudWatch::Alarm",
        "cloudwatch:{r}:{a}:alarm:{AlarmName}",
        "cloudwatch:{r}:{a}:alarm:{}",
        ["PutMetricAlarm", "PutMetricAlarm", "DeleteAlarms"],
    ),
    row(
        "AWS::CodePipeline::Pipeline",
        "codepipeline:{r}:{a}:{Name}",
        "codepipeline:{r}:{a}:{}",
        ["CreatePipeline", "UpdatePipeline", "DeletePipeline"],
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
        ["CreateRole", "", "DeleteRole"],
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
        ["CreateFunction", "UpdateFunctionCode", "DeleteFunction"],
    ),
    row(
        "AWS::Logs::LogGroup",
        "logs:{r}:{a}:log-group:{LogGroupName}:*",
        "logs:{r}:{a}:log-group:{}:*",
        ["CreateLogGroup", "PutRetentionPolicy", "DeleteLogGroup"],
    ),
    row(
        "AWS::Pipes::Pipe",
        "pipes:{r}:{a}:pipe/{!Name}",
        "pipes:{r}:{a}:pipe/{}",
        ["CreatePipe", "UpdatePipe", "DeletePipe"],
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
];
