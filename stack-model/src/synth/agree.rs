//! What resources, or properties of one, have to agree on, however they were added: typed, generated or raw.
//!
//! The modules of the services check this of what they add, and know more there; this is for what was overridden or
//! written by hand.

use stack_model_cfn::{Expr, Token};

use super::Rendered;
use super::order::region;
use crate::acm::EDGE_REGION;
use crate::error::Violation;
use crate::resource::Resource;
use crate::stack::StackData;
use crate::stage::Stage;

/// How long a message is hidden by default; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html>.
const DEFAULT_VISIBILITY: u64 = 30;

/// How long a function may run by default; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html>.
const DEFAULT_TIMEOUT: u64 = 3;

/// Checks the resources of an app.
pub(super) fn check(
    stacks: &[StackData],
    rendered: &Rendered,
    stage: &Stage,
    violations: &mut Vec<Violation>,
) {
    let app = App {
        stacks,
        rendered,
        stage,
    };
    for stack in stacks {
        for (id, resource) in &stack.resources {
            let Some(properties) = rendered.get(&stack.id, id) else {
                continue;
            };
            for (path, message) in app.findings(stack, resource, properties) {
                let path = (!path.is_empty()).then(|| format!("Properties.{path}"));
                let reported = violations.iter().any(|earlier| {
                    earlier.stack.as_deref() == Some(&*stack.id)
                        && earlier.logical_id.as_ref() == Some(id)
                        && within(earlier.property.as_deref(), path.as_deref())
                });
                if !reported {
                    let mut violation = Violation::new(message).in_stack(&*stack.id).of(id);
                    violation.property = path;
                    violations.push(violation.declared(&resource.source));
                }
            }
        }
    }
}

/// Returns whether a property is another one or a part of it.
fn within(property: Option<&str>, whole: Option<&str>) -> bool {
    match (property, whole) {
        (Some(property), Some(whole)) => property
            .strip_prefix(whole)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
        (property, whole) => property == whole,
    }
}

struct App<'a> {
    stacks: &'a [StackData],
    rendered: &'a Rendered,
    stage: &'a Stage,
}

type Findings = Vec<(&'static str, String)>;

impl<'a> App<'a> {
    fn findings(&self, stack: &StackData, resource: &Resource, properties: &Expr) -> Findings {
        match resource.kind.as_str() {
            "AWS::Lambda::EventSourceMapping" => {
                let hidden = self.hidden_too_short(stack, properties);
                hidden.map(|message| ("", message)).into_iter().collect()
            }
            "AWS::ApiGateway::ApiKey" => {
                let length = at(properties, "Value")
                    .and_then(Expr::as_str)
                    .map(|value| value.chars().count());
                // The text itself is never shown: it may be somebody's key.
                length
                    .filter(|length| !(20..=128).contains(length))
                    .map(|length| {
                        let message = format!("the value of the key has {length} characters and API Gateway takes 20 to 128");
                        ("Value", message)
                    })
                    .into_iter()
                    .collect()
            }
            "AWS::ApiGateway::DomainName" => {
                let own = region(stack, self.stage);
                [
                    ("CertificateArn", EDGE_REGION, "an edge-optimised domain"),
                    ("RegionalCertificateArn", own, "a regional domain"),
                ]
                .into_iter()
                .filter_map(|(path, needed, user)| {
                    self.certificate(stack, properties, path, needed, user)
                })
                .collect()
            }
            "AWS::CloudFront::Distribution" => {
                let path = "DistributionConfig.ViewerCertificate.AcmCertificateArn";
                self.certificate(stack, properties, path, EDGE_REGION, "CloudFront")
                    .into_iter()
                    .collect()
            }
            "AWS::Cognito::UserPoolDomain" => {
                let path = "CustomDomainConfig.CertificateArn";
                self.certificate(
                    stack,
                    properties,
                    path,
                    EDGE_REGION,
                    "a domain of a user pool",
                )
                .into_iter()
                .collect()
            }
            "AWS::ApiGatewayV2::Api" => credentials(
                properties,
                "CorsConfiguration",
                "AllowCredentials",
                "AllowOrigins",
            ),
            "AWS::Lambda::Url" => {
                credentials(properties, "Cors", "AllowCredentials", "AllowOrigins")
            }
            "AWS::CloudFront::ResponseHeadersPolicy" => credentials(
                properties,
                "ResponseHeadersPolicyConfig.CorsConfig",
                "AccessControlAllowCredentials",
                "AccessControlAllowOrigins.Items",
            ),
            _ => Vec::new(),
        }
    }

    /// Says that a function may run longer than its queue hides a message.
    fn hidden_too_short(&self, stack: &StackData, mapping: &Expr) -> Option<String> {
        let (queue, kind, source) = self.resource(stack, at(mapping, "EventSourceArn")?)?;
        let (_, mut of, mut function) = self.resource(stack, at(mapping, "FunctionName")?)?;
        if of == "AWS::Lambda::Alias" {
            // The alias and its function stand in one stack.
            let (owner, _) = named(at(mapping, "FunctionName")?, stack)?;
            let owner = self.stacks.iter().find(|stack| *stack.id == *owner)?;
            (_, of, function) = self.resource(owner, at(function, "FunctionName")?)?;
        }
        if kind != "AWS::SQS::Queue" || of != "AWS::Lambda::Function" {
            return None;
        }
        let seconds = |properties: &Expr, name: &str, default: u64| match at(properties, name) {
            None => Some(default),
            Some(Expr::Number(number)) => number.as_u64(),
            Some(Expr::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        let hidden = seconds(source, "VisibilityTimeout", DEFAULT_VISIBILITY)?;
        let runs = seconds(function, "Timeout", DEFAULT_TIMEOUT)?;
        (hidden < runs).then(|| format!(
            "the visibility timeout of `{queue}` is {hidden} s and the function may run {runs} s: a message would be delivered again while it is being worked on; AWS recommends six times the function's timeout"
        ))
    }

    /// Says that a certificate stands in another region than what uses it needs.
    fn certificate(
        &self,
        stack: &StackData,
        properties: &Expr,
        path: &'static str,
        needed: &str,
        user: &str,
    ) -> Option<(&'static str, String)> {
        let certificate = at(properties, path)?;
        let stands = match certificate {
            Expr::String(arn) => arn.strip_prefix("arn:")?.split(':').nth(2)?,
            other => {
                let (owner, id) = named(other, stack)?;
                let owner = self.stacks.iter().find(|stack| *stack.id == *owner)?;
                let kind = &owner.resources.get(&id)?.kind;
                (kind == "AWS::CertificateManager::Certificate").then_some(())?;
                region(owner, self.stage)
            }
        };
        (stands != needed).then(|| {
            let message = format!(
                "the certificate stands in {stands} and {user} takes one from {needed}: take one of {needed}"
            );
            (path, message)
        })
    }

    /// Follows a reference to a resource of the app: its logical id, type and properties.
    fn resource(&self, stack: &StackData, reference: &Expr) -> Option<(String, &'a str, &'a Expr)> {
        let (owner, id) = named(reference, stack)?;
        let stack = self.stacks.iter().find(|stack| *stack.id == *owner)?;
        let kind = stack.resources.get(&id)?.kind.as_str();
        let properties = self.rendered.get(&owner, &id)?;
        Some((id, kind, properties))
    }
}

/// Returns the stack and logical id that a reference names: a token, or plain JSON.
fn named(reference: &Expr, stack: &StackData) -> Option<(String, String)> {
    let own = |id: &str| (stack.id.to_string(), id.to_owned());
    match reference {
        Expr::Token(Token::Ref(id) | Token::GetAtt(id, _)) => {
            Some((id.stack().to_owned(), id.logical_id().to_owned()))
        }
        Expr::Map(entries) => match entries.first_key_value()? {
            (function, Expr::String(id)) if function == "Ref" => Some(own(id)),
            (function, Expr::String(id)) if function == "Fn::GetAtt" => {
                Some(own(super::walk::before_dot(id)))
            }
            (function, Expr::List(parts)) if function == "Fn::GetAtt" => {
                Some(own(parts.first()?.as_str()?))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Says that pages of any origin would be answered with the credentials of their visitors.
fn credentials(properties: &Expr, path: &'static str, allowed: &str, origins: &str) -> Findings {
    let Some(cors) = at(properties, path) else {
        return Vec::new();
    };
    let any = match at(cors, origins) {
        Some(Expr::List(origins)) => origins.iter().any(|origin| origin.as_str() == Some("*")),
        _ => false,
    };
    if at(cors, allowed) != Some(&Expr::Bool(true)) || !any {
        return Vec::new();
    }
    let message = "a browser hands no credentials to an answer for any origin: name the origins, or allow no credentials";
    vec![(path, message.to_owned())]
}

/// Returns the value at a path of map keys, separated by dots.
fn at<'expr>(expr: &'expr Expr, path: &str) -> Option<&'expr Expr> {
    path.split('.').try_fold(expr, |expr, key| match expr {
        Expr::Map(entries) => entries.get(key),
        _ => None,
    })
}
