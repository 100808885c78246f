//! Made up events, as the triggers of a function send them.
//!
//! What triggers a function is read from the rendered templates, and the event names the queue, the route or the rule that
//! really is there, as it is called where it is deployed. Everything else is made up and always the same.

mod cognito;
mod event;
mod http;
mod pattern;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use clap::ValueEnum;
use serde_json::Value;
use stack_graph::{Graph, Place, Template};

/// What kind of trigger sends an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Kind {
    /// A method of a REST API.
    RestApi,
    /// A route of an HTTP API.
    HttpApi,
    /// A route of a WebSocket API.
    Websocket,
    /// A function URL.
    Url,
    /// An API that asks the function who may call it.
    Authorizer,
    /// Messages of a queue.
    Sqs,
    /// A notification of a topic.
    Sns,
    /// An event of a bus.
    Event,
    /// A rule that runs by the clock, or a schedule.
    Schedule,
    /// An object of a bucket.
    S3,
    /// Changes of items of a table.
    Dynamodb,
    /// Records of a data stream.
    Kinesis,
    /// A message of a device.
    Iot,
    /// A user pool.
    Cognito,
    /// Lines of a log group.
    Logs,
    /// A state machine, whose input is its own.
    StateMachine,
    /// A custom resource.
    CustomResource,
}

impl Kind {
    /// Returns the name that the command line takes.
    pub fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}

/// Something that triggers a function.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trigger {
    /// The kind.
    pub kind: Kind,
    /// The resource.
    pub place: Place,
    /// What it is called: the logical id, or the method and path of a route.
    pub label: String,
}

/// Where the function is deployed, for the ARNs of its events.
#[derive(Clone, Debug)]
pub struct Account {
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
    /// The physical ids of what triggers it, as far as that is deployed.
    pub deployed: BTreeMap<Place, String>,
}

impl Account {
    fn arn(&self, service: &str, resource: &str) -> String {
        let Self {
            region, account, ..
        } = self;
        format!("arn:aws:{service}:{region}:{account}:{resource}")
    }
}

/// Finds what triggers a function, by stack and logical id.
pub fn triggers(templates: &[Template<'_>], function: &Place) -> Vec<Trigger> {
    let graph = Graph::of(templates);
    let is = |place: &Place, resource_type: &str| {
        graph
            .nodes()
            .get(place)
            .is_some_and(|node| node.resource_type == resource_type)
    };
    // Who invokes the alias of a function invokes the function.
    let aliases = graph
        .edges()
        .iter()
        .filter(|(from, to)| to == function && is(from, "AWS::Lambda::Alias"))
        .map(|(from, _)| from);
    let targets: BTreeSet<&Place> = aliases.chain([function]).collect();
    let mut found: Vec<Trigger> = graph
        .edges()
        .iter()
        .filter(|(_, to)| targets.contains(to))
        .filter_map(|(from, _)| {
            let node = graph.nodes().get(from)?;
            Some(Trigger {
                kind: kind(templates, from, &node.resource_type)?,
                place: from.clone(),
                label: node.label.clone(),
            })
        })
        .collect();
    found.extend(subscribed(templates, function));
    found.sort();
    found.dedup();
    found
}

/// Returns the kind of a resource that an arrow leads from to a function; none, where it is no trigger.
fn kind(templates: &[Template<'_>], place: &Place, resource_type: &str) -> Option<Kind> {
    Some(match resource_type {
        "AWS::ApiGateway::Method" => Kind::RestApi,
        "AWS::ApiGatewayV2::Route" if event::is_websocket(templates, place) => Kind::Websocket,
        "AWS::ApiGatewayV2::Route" => Kind::HttpApi,
        "AWS::ApiGateway::RestApi" | "AWS::ApiGatewayV2::Api" => Kind::Authorizer,
        "AWS::Lambda::Url" => Kind::Url,
        "AWS::SQS::Queue" => Kind::Sqs,
        "AWS::SNS::Topic" => Kind::Sns,
        "AWS::Events::Rule" => {
            let rule = resource(templates, place)?;
            if rule["Properties"]["EventPattern"].is_null() {
                Kind::Schedule
            } else {
                Kind::Event
            }
        }
        "AWS::Scheduler::Schedule" => Kind::Schedule,
        "AWS::S3::Bucket" => Kind::S3,
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => Kind::Dynamodb,
        "AWS::Kinesis::Stream" => Kind::Kinesis,
        "AWS::IoT::TopicRule" => Kind::Iot,
        "AWS::Cognito::UserPool" => Kind::Cognito,
        "AWS::StepFunctions::StateMachine" => Kind::StateMachine,
        "AWS::CloudFormation::CustomResource" => Kind::CustomResource,
        other if other.starts_with("Custom::") => Kind::CustomResource,
        _ => return None,
    })
}

/// Finds the subscriptions of log groups, which are no part of a drawing.
fn subscribed(templates: &[Template<'_>], function: &Place) -> Vec<Trigger> {
    let of_stack = templates
        .iter()
        .filter(|template| template.stack == function.stack);
    of_stack
        .flat_map(|template| template.json["Resources"].as_object().into_iter().flatten())
        .filter(|(_, resource)| resource["Type"] == "AWS::Logs::SubscriptionFilter")
        .filter(|(_, resource)| {
            let names = crate::template::referenced(&resource["Properties"]["DestinationArn"]);
            names.contains(&function.logical_id)
        })
        .map(|(id, _)| Trigger {
            kind: Kind::Logs,
            place: Place {
                stack: function.stack.clone(),
                logical_id: id.clone(),
            },
            label: id.clone(),
        })
        .collect()
}

/// Makes up the event of a trigger.
pub fn event(
    templates: &[Template<'_>],
    function: &Place,
    trigger: &Trigger,
    account: &Account,
) -> Value {
    let none = Value::Null;
    let resource = resource(templates, &trigger.place).unwrap_or(&none);
    make(
        trigger.kind,
        &Sample {
            templates,
            function,
            trigger: &trigger.place,
            label: &trigger.label,
            properties: &resource["Properties"],
            resource_type: resource["Type"].as_str().unwrap_or_default(),
            account,
        },
    )
}

/// Makes up the event of a kind of trigger that the function does not have.
pub fn event_of_kind(kind: Kind, function: &Place, account: &Account) -> Value {
    let trigger = Place {
        stack: function.stack.clone(),
        logical_id: "Sample".to_owned(),
    };
    make(
        kind,
        &Sample {
            templates: &[],
            function,
            trigger: &trigger,
            label: "GET /sample",
            properties: &Value::Null,
            resource_type: "",
            account,
        },
    )
}

/// What an event is made from.
struct Sample<'a> {
    templates: &'a [Template<'a>],
    function: &'a Place,
    trigger: &'a Place,
    label: &'a str,
    properties: &'a Value,
    resource_type: &'a str,
    account: &'a Account,
}

impl Sample<'_> {
    fn arn(&self, service: &str, resource: &str) -> String {
        self.account.arn(service, resource)
    }

    /// Returns the name of the trigger, which its physical id ends with; where that is not known, one as it may have it.
    fn name(&self) -> &str {
        let deployed = self.account.deployed.get(self.trigger);
        deployed.map_or(&self.trigger.logical_id, |id| {
            id.rsplit(['/', ':']).next().unwrap_or(id)
        })
    }
}

fn make(kind: Kind, sample: &Sample<'_>) -> Value {
    match kind {
        Kind::RestApi => http::rest(sample),
        Kind::HttpApi => http::api(sample),
        Kind::Websocket => http::websocket(sample),
        Kind::Url => http::url(sample),
        Kind::Authorizer => http::authorizer(sample),
        Kind::Sqs => event::sqs(sample),
        Kind::Sns => event::sns(sample),
        Kind::Event => event::bus(sample),
        Kind::Schedule => event::schedule(sample),
        Kind::S3 => event::s3(sample),
        Kind::Dynamodb => event::dynamodb(sample),
        Kind::Kinesis => event::kinesis(sample),
        Kind::Iot => event::iot(sample),
        Kind::Cognito => cognito::event(sample),
        Kind::Logs => event::logs(sample),
        Kind::StateMachine => Value::Object(serde_json::Map::new()),
        Kind::CustomResource => event::custom_resource(sample),
    }
}

/// Returns a resource of a template.
fn resource<'a>(templates: &'a [Template<'_>], place: &Place) -> Option<&'a Value> {
    templates
        .iter()
        .find(|template| template.stack == place.stack)?
        .json
        .get("Resources")?
        .get(&place.logical_id)
}
