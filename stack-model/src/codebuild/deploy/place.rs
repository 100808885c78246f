//! Where resources are: their ARNs, before they exist.

use stack_model_cfn::{Expr, Part, Pseudo, Token, Value};

use super::registry;
use crate::text;
use crate::text::concatenate;

/// An ARN with everything but the partition and the account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    service: String,
    region: String,
    account: bool,
    resource: String,
}

impl Place {
    pub(super) fn new(service: &str, region: &str, account: bool, resource: &str) -> Self {
        Self {
            service: service.to_owned(),
            region: region.to_owned(),
            account,
            resource: resource.to_owned(),
        }
    }

    /// Everything of a service, wherever it is.
    pub(super) fn whole(service: &str) -> Value<String> {
        text!("arn:{}:{}:*:*:*", Pseudo::Partition, service)
    }

    /// Returns the ARN, with more at its end.
    pub(super) fn arn(&self, more: &str) -> Value<String> {
        let resource = format!("{}{more}", self.resource);
        arn_of(&self.service, &self.region, self.account, &resource)
    }

    pub(super) fn names_function(&self) -> bool {
        self.resource.starts_with("function:")
    }
}

/// How a resource gets its physical name.
#[derive(Clone, Copy)]
enum Name {
    /// From a property, or else from CloudFormation, which begins it with the name of the stack.
    Stack(&'static str),
    /// As before, in lower case.
    Lower(&'static str),
    /// From a property, or else from CloudFormation, which begins it with the logical id.
    Logical(&'static str),
    /// As before, with something of CloudFormation's before the logical id.
    Prefixed(&'static str, &'static str),
    /// From a property, or else from CloudFormation or AWS, in a way that nobody can tell.
    Any(&'static str),
    /// From AWS, which makes up an id.
    Id,
}

/// The longest beginning of a stack's name that CloudFormation keeps where a name would become too long.
const KEPT: usize = 24;

/// Returns where a resource of a stack in a region is, or will be.
pub(super) fn of(
    kind: &str,
    logical_id: &str,
    properties: &Expr,
    stack: &str,
    region: &str,
) -> Vec<Place> {
    use Name::{Any, Id, Logical, Lower, Prefixed, Stack};

    if belongs(kind) {
        return Vec::new();
    }
    let service = registry::service(kind);
    // Where it is: in a region of an account, in an account, in a region, or nowhere in particular.
    let (mut region, mut account) = (region, true);
    let (name, forms): (Name, &[&str]) = match kind {
        "AWS::ApiGateway::Account" => (Id, &["/account"]),
        "AWS::ApiGateway::ApiKey" => (Id, &["/apikeys", "/apikeys/*", "/tags/*"]),
        "AWS::ApiGateway::UsagePlan" | "AWS::ApiGateway::UsagePlanKey" => {
            (Id, &["/usageplans", "/usageplans/*", "/tags/*"])
        }
        "AWS::ApiGateway::BasePathMapping"
        | "AWS::ApiGateway::DomainName"
        | "AWS::ApiGatewayV2::ApiMapping"
        | "AWS::ApiGatewayV2::DomainName" => (Id, &["/domainnames", "/domainnames/*", "/tags/*"]),
        _ if kind.starts_with("AWS::ApiGatewayV2::") => (Id, &["/apis", "/apis/*", "/tags/*"]),
        _ if kind.starts_with("AWS::ApiGateway::") => {
            (Id, &["/restapis", "/restapis/*", "/tags/*"])
        }
        "AWS::CloudWatch::Dashboard" => (Any("DashboardName"), &["dashboard/{}"]),
        "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => {
            (Stack("AlarmName"), &["alarm:{}"])
        }
        "AWS::DynamoDB::Table" => (Stack("TableName"), &["table/{}"]),
        "AWS::Events::EventBus" => (Stack("Name"), &["event-bus/{}"]),
        "AWS::Events::Rule" => (Stack("Name"), &["rule/{}", "rule/*/{}"]),
        "AWS::IoT::Policy" => (Any("PolicyName"), &["policy/{}"]),
        "AWS::IoT::Thing" => (Any("ThingName"), &["thing/{}"]),
        "AWS::IoT::ThingGroup" => (Any("ThingGroupName"), &["thinggroup/{}"]),
        "AWS::IoT::TopicRule" => (Any("RuleName"), &["rule/{}"]),
        "AWS::KMS::Key" | "AWS::KMS::ReplicaKey" => (Id, &["key/*"]),
        "AWS::KMS::Alias" => (Any("AliasName"), &["{}", "key/*"]),
        "AWS::IAM::Group" => (Stack("GroupName"), &["group{path}{}"]),
        "AWS::IAM::InstanceProfile" => {
            (Stack("InstanceProfileName"), &["instance-profile{path}{}"])
        }
        "AWS::IAM::ManagedPolicy" => (Stack("ManagedPolicyName"), &["policy{path}{}"]),
        "AWS::IAM::Role" => (Stack("RoleName"), &["role{path}{}"]),
        "AWS::IAM::User" => (Stack("UserName"), &["user{path}{}"]),
        "AWS::Lambda::Function" => (Stack("FunctionName"), &["function:{}", "function:{}:*"]),
        "AWS::Lambda::EventSourceMapping" => (Id, &["event-source-mapping:*"]),
        "AWS::Logs::LogGroup" => (Stack("LogGroupName"), &["log-group:{}", "log-group:{}:*"]),
        "AWS::Route53::RecordSet" => (Any("HostedZoneId"), &["hostedzone/{}", "change/*"]),
        "AWS::S3::Bucket" => (Lower("BucketName"), &["{}"]),
        "AWS::SNS::Topic" => (Stack("TopicName"), &["{}"]),
        "AWS::SQS::Queue" => (Stack("QueueName"), &["{}"]),
        "AWS::SSM::Parameter" => (Prefixed("CFN-", "Name"), &["parameter/{}"]),
        "AWS::SecretsManager::Secret" => (Logical("Name"), &["secret:{}", "secret:{}-??????"]),
        "AWS::Scheduler::Schedule" => (Any("Name"), &["schedule/*/{}"]),
        "AWS::Scheduler::ScheduleGroup" => (Any("Name"), &["schedule-group/{}"]),
        "AWS::Pipes::Pipe" => (Any("Name"), &["pipe/{}"]),
        "AWS::StepFunctions::StateMachine" => (Logical("StateMachineName"), &["stateMachine:{}"]),
        "AWS::Cognito::IdentityPool"
        | "AWS::Cognito::IdentityPoolPrincipalTag"
        | "AWS::Cognito::IdentityPoolRoleAttachment" => (Id, &["identitypool/*"]),
        _ if kind.starts_with("AWS::Cognito::") => (Id, &["userpool/*"]),
        "AWS::CertificateManager::Certificate" => (Id, &["certificate/*"]),
        _ => (Id, &["*"]),
    };
    match service.as_str() {
        "apigateway" => account = false,
        "cloudfront" | "iam" => region = "",
        "cloudwatch" if kind == "AWS::CloudWatch::Dashboard" => region = "",
        "route53" | "s3" => (region, account) = ("", false),
        _ => {}
    }
    // A parameter without a name is called `CFN-Limit-` and something made up, after its logical id.
    let logical = |prefix: &str, property| {
        let name = given(properties, property);
        let name = name.unwrap_or_else(|| format!("{prefix}{}", made(logical_id)));
        name.trim_start_matches('/').to_owned()
    };
    let name = match name {
        Id => "*".to_owned(),
        Stack(property) => given(properties, property).unwrap_or_else(|| made(stack)),
        Lower(property) => {
            given(properties, property).unwrap_or_else(|| made(&stack.to_ascii_lowercase()))
        }
        Any(property) => given(properties, property).unwrap_or_else(|| "*".to_owned()),
        Logical(property) => logical("", property),
        Prefixed(prefix, property) => logical(prefix, property),
    };
    // A name that ends with anything ends with what other forms append, too.
    let open = name.ends_with('*');
    let appended = |form: &&&str| !(open && form.contains("{}") && !form.ends_with("{}"));
    let path = path(properties);
    forms
        .iter()
        .filter(appended)
        .map(|form| {
            let resource = form.replace("{path}", &path).replace("{}", &name);
            Place::new(&service, region, account, &resource)
        })
        .collect()
}

/// Tells whether a resource has no ARN of its own, and is reached through another one of the same service.
fn belongs(kind: &str) -> bool {
    registry::is_custom(kind)
        || [
            "AWS::IAM::Policy",
            "AWS::IAM::RolePolicy",
            "AWS::Lambda::Alias",
            "AWS::Lambda::EventInvokeConfig",
            "AWS::Lambda::Permission",
            "AWS::Lambda::Url",
            "AWS::Lambda::Version",
            "AWS::Logs::MetricFilter",
            "AWS::Logs::QueryDefinition",
            "AWS::Logs::ResourcePolicy",
            "AWS::Logs::SubscriptionFilter",
            "AWS::S3::BucketPolicy",
            "AWS::SNS::Subscription",
            "AWS::SNS::TopicPolicy",
            "AWS::SQS::QueuePolicy",
        ]
        .contains(&kind)
}

/// Returns the path of something that IAM keeps, which stands in its ARN before the name; see
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-friendly-names>.
fn path(properties: &Expr) -> String {
    match properties {
        Expr::Map(entries) if entries.contains_key("Path") => {
            given(properties, "Path").unwrap_or_else(|| "/*".to_owned())
        }
        _ => "/".to_owned(),
    }
}

/// Returns the names that CloudFormation makes up from the name of a stack, or from a logical id.
pub(super) fn made(from: &str) -> String {
    match from.get(..KEPT) {
        Some(kept) if from.len() > KEPT => format!("{kept}*"),
        _ => format!("{from}-*"),
    }
}

/// Returns the name that a property gives, with a `*` for what only the deployment knows.
fn given(properties: &Expr, property: &str) -> Option<String> {
    let Expr::Map(entries) = properties else {
        return None;
    };
    match entries.get(property)? {
        Expr::String(name) => Some(name.clone()),
        Expr::Token(Token::Sub(parts)) => {
            let pieces = parts.iter().map(|part| match part {
                Part::Text(text) => text.as_str(),
                Part::Token(_) => "*",
            });
            let name: String = pieces.collect();
            // A pattern that begins with anything is as good as none.
            (!name.starts_with('*')).then_some(name)
        }
        _ => None,
    }
}

/// Puts text and pseudo parameters one after the other.
fn arn_of(service: &str, region: &str, account: bool, resource: &str) -> Value<String> {
    let text = |text: &str| Part::Text(text.to_owned());
    let pseudo = |pseudo| Part::Token(Token::Pseudo(pseudo));
    concatenate([
        text("arn:"),
        pseudo(Pseudo::Partition),
        text(&format!(":{service}:{region}:")),
        if account {
            pseudo(Pseudo::AccountId)
        } else {
            text("")
        },
        text(&format!(":{resource}")),
    ])
}
