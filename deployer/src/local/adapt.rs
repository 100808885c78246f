//! What a template must lose before the local engine can run it.
//!
//! Templates are written for AWS and are the same for every target. Two things stand in the engine's way: it
//! serves plain HTTP on the loopback interface, so a policy that denies requests without TLS would, rightly, deny
//! everything; and some resource types are unknown to it. Both are left out of what is sent to the engine, and
//! named.

use serde_json::{Map, Value};

use crate::template::referenced;

/// Resource types that the engine answers with an error.
///
/// A test compares them with what the pinned version provisions.
pub(super) const UNKNOWN_TYPES: [&str; 20] = [
    "AWS::ApiGatewayV2::RouteResponse",
    "AWS::Budgets::Budget",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CodePipeline::Pipeline",
    "AWS::Cognito::UserPoolIdentityProvider",
    "AWS::Events::ApiDestination",
    "AWS::Events::Archive",
    "AWS::Events::Connection",
    "AWS::Events::EventBusPolicy",
    "AWS::IAM::OIDCProvider",
    "AWS::Logs::Delivery",
    "AWS::Logs::DeliveryDestination",
    "AWS::Logs::DeliverySource",
    "AWS::Logs::QueryDefinition",
    "AWS::Route53::HealthCheck",
    "AWS::Route53::RecordSetGroup",
    "AWS::SQS::QueueInlinePolicy",
    "AWS::SSM::Document",
    "AWS::WAFv2::WebACLAssociation",
    "AWS::XRay::Group",
];

/// Something of a template that the engine is not sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// A resource that the engine does not run.
    Resource {
        /// The logical id.
        logical_id: String,
        /// The resource type, and what of it the engine does not run where it runs the rest.
        kind: String,
    },
    /// The statements of a policy that deny requests without TLS.
    TlsOnly {
        /// The logical id of the policy.
        logical_id: String,
    },
}

/// Leaves out of a template what the engine cannot run, and says what that was.
///
/// A resource of an unknown type that something else needs stays: its failure then names the real reason.
pub fn adapt(template: &mut Value) -> Vec<LeftOut> {
    let mut left_out = Vec::new();
    // What is needed by nothing but what goes, goes too.
    loop {
        let gone = left_out.len();
        drop_unknown(template, &mut left_out);
        if left_out.len() == gone {
            break;
        }
    }
    left_out.sort();
    let Some(resources) = template.get_mut("Resources").and_then(Value::as_object_mut) else {
        return left_out;
    };
    let ids: Vec<String> = resources.keys().cloned().collect();
    for logical_id in ids {
        let Some(resource) = resources
            .get_mut(&logical_id)
            .and_then(Value::as_object_mut)
        else {
            continue;
        };
        match drop_tls_only(resource) {
            Dropped::Nothing => {}
            Dropped::Some => left_out.push(LeftOut::TlsOnly { logical_id }),
            Dropped::All => {
                // A policy without statements is refused, so the resource goes as a whole.
                resources.remove(&logical_id);
                left_out.push(LeftOut::TlsOnly { logical_id });
            }
        }
    }
    left_out
}

fn drop_unknown(template: &mut Value, left_out: &mut Vec<LeftOut>) {
    let needed = referenced(template);
    let Some(resources) = template.get_mut("Resources").and_then(Value::as_object_mut) else {
        return;
    };
    let unknown: Vec<(String, String)> = resources
        .iter()
        .filter(|(id, _)| !needed.contains(*id))
        .filter_map(|(id, resource)| Some((id.clone(), not_run(resource)?)))
        .collect();
    for (logical_id, kind) in unknown {
        resources.remove(&logical_id);
        left_out.push(LeftOut::Resource { logical_id, kind });
    }
}

/// Says what a resource is that the engine does not run.
fn not_run(resource: &Value) -> Option<String> {
    let kind = resource.get("Type")?.as_str()?;
    match kind {
        // It refuses the whole stack.
        "AWS::CloudWatch::Alarm" => resource
            .get("Properties")?
            .get("Metrics")
            .map(|_| format!("{kind} with metric math")),
        // It calls one `RUNNING` that delivers nothing.
        "AWS::Pipes::Pipe" => Some(kind.to_owned()),
        _ => UNKNOWN_TYPES.contains(&kind).then(|| kind.to_owned()),
    }
}

/// How much of a policy went.
#[derive(Debug, PartialEq, Eq)]
enum Dropped {
    Nothing,
    Some,
    All,
}

fn drop_tls_only(resource: &mut Map<String, Value>) -> Dropped {
    let is_policy = resource
        .get("Type")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.ends_with("Policy"));
    let statements = resource
        .get_mut("Properties")
        .and_then(|properties| properties.get_mut("PolicyDocument"))
        .and_then(|document| document.get_mut("Statement"))
        .and_then(Value::as_array_mut);
    let Some(statements) = statements.filter(|_| is_policy) else {
        return Dropped::Nothing;
    };
    let before = statements.len();
    statements.retain(|statement| !denies_plain_http(statement));
    match statements.len() {
        after if after == before => Dropped::Nothing,
        0 => Dropped::All,
        _ => Dropped::Some,
    }
}

/// Returns whether a statement denies requests without TLS and depends on nothing else.
fn denies_plain_http(statement: &Value) -> bool {
    let denies = statement.get("Effect").and_then(Value::as_str) == Some("Deny");
    let condition = statement.get("Condition").and_then(Value::as_object);
    denies
        && condition.is_some_and(|operators| {
            operators.len() == 1
                && operators
                    .get("Bool")
                    .and_then(Value::as_object)
                    .is_some_and(|keys| {
                        let value = keys.get("aws:SecureTransport");
                        keys.len() == 1
                            && value.is_some_and(|value| {
                                value.as_bool() == Some(false) || value.as_str() == Some("false")
                            })
                    })
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tls_only() -> Value {
        json!({"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*",
               "Condition": {"Bool": {"aws:SecureTransport": "false"}}})
    }

    #[test]
    fn a_template_that_the_engine_runs_stays_as_it_is() {
        let mut template = json!({"Resources": {"Orders": {"Type": "AWS::SQS::Queue"}}});
        let before = template.clone();
        assert_eq!(adapt(&mut template), []);
        assert_eq!(template, before);
    }

    #[test]
    fn what_only_an_unknown_type_needs_goes_with_it() {
        let mut template = json!({"Resources": {
            "Logs": {"Type": "AWS::Logs::Delivery",
                     "Properties": {"DeliverySourceName": {"Ref": "Source"}}},
            "Source": {"Type": "AWS::Logs::DeliverySource"},
            "Kept": {"Type": "AWS::Events::Archive"},
            "Other": {"Type": "AWS::SNS::Topic", "DependsOn": "Kept"},
        }});
        let left_out = |logical_id: &str, kind: &str| LeftOut::Resource {
            logical_id: logical_id.to_owned(),
            kind: kind.to_owned(),
        };
        assert_eq!(
            adapt(&mut template),
            [
                left_out("Logs", "AWS::Logs::Delivery"),
                left_out("Source", "AWS::Logs::DeliverySource"),
            ]
        );
        let resources = template["Resources"].as_object().unwrap();
        assert_eq!(resources.len(), 2);
        assert!(resources.contains_key("Kept") && resources.contains_key("Other"));
    }

    #[test]
    fn what_the_engine_refuses_or_only_pretends_goes_too() {
        let mut template = json!({"Resources": {
            "Errors": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}},
            "Share": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": [{"Id": "share"}]}},
            "Moves": {"Type": "AWS::Pipes::Pipe", "Properties": {"Source": "arn:aws:sqs:us-east-1:1:q"}},
        }});
        let left_out = |logical_id: &str, kind: &str| LeftOut::Resource {
            logical_id: logical_id.to_owned(),
            kind: kind.to_owned(),
        };
        assert_eq!(
            adapt(&mut template),
            [
                left_out("Moves", "AWS::Pipes::Pipe"),
                left_out("Share", "AWS::CloudWatch::Alarm with metric math"),
            ]
        );
        let resources = template["Resources"].as_object().unwrap();
        assert_eq!(resources.keys().collect::<Vec<_>>(), ["Errors"]);
    }

    #[test]
    fn statements_that_demand_tls_go_and_the_others_stay() {
        let other = json!({"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage",
                           "Condition": {"Bool": {"aws:SecureTransport": "true"}}});
        let mut template = json!({"Resources": {
            "Mixed": {"Type": "AWS::SQS::QueuePolicy",
                      "Properties": {"PolicyDocument": {"Statement": [tls_only(), other]}}},
            "Only": {"Type": "AWS::S3::BucketPolicy",
                     "Properties": {"PolicyDocument": {"Statement": [tls_only()]}}},
        }});
        let left_out = adapt(&mut template);
        assert_eq!(
            left_out,
            [
                LeftOut::TlsOnly {
                    logical_id: "Mixed".to_owned()
                },
                LeftOut::TlsOnly {
                    logical_id: "Only".to_owned()
                },
            ]
        );
        assert_eq!(
            template,
            json!({"Resources": {
                "Mixed": {"Type": "AWS::SQS::QueuePolicy",
                          "Properties": {"PolicyDocument": {"Statement": [other]}}},
            }})
        );
    }

    #[test]
    fn a_denial_with_further_conditions_stays() {
        let mut statement = tls_only();
        statement["Condition"]["StringEquals"] = json!({"aws:PrincipalOrgID": "o-1"});
        let mut template = json!({"Resources": {"Policy": {"Type": "AWS::SQS::QueuePolicy",
            "Properties": {"PolicyDocument": {"Statement": [statement]}}}}});
        assert_eq!(adapt(&mut template), []);
    }

    #[test]
    fn unknown_types_go_unless_something_needs_them() {
        let archive = json!({"Type": "AWS::Events::Archive"});
        let mut template = json!({
            "Resources": {"Free": archive, "Named": archive, "Waited": archive,
                          "Role": {"Type": "AWS::IAM::Role", "DependsOn": "Waited"}},
            "Outputs": {"Name": {"Value": {"Fn::Sub": "archive ${Named.Arn}"}}},
        });
        let left_out = adapt(&mut template);
        assert_eq!(
            left_out,
            [LeftOut::Resource {
                logical_id: "Free".to_owned(),
                kind: "AWS::Events::Archive".to_owned(),
            }]
        );
        let resources = template["Resources"].as_object().expect("a map");
        assert_eq!(resources.len(), 3);
    }
}
