//! Buses.

use std::panic::Location;

use stack_model_cfn::events as cfn;
use stack_model_cfn::logs as logs_cfn;
use stack_model_cfn::{Expr, Pseudo, Token, Value};

use super::{EventBusRef, bus_arn};
use crate::handle::{Handle, ResourceRef};
use crate::kms::{KeyOperation, KeyRef};
use crate::logs::{LogGroupRef, LogOrigin};
use crate::name::NameRule;
use crate::policy::{PolicyDocument, Principal, Statement};
use crate::resource::Resource;
use crate::sqs::DeadLetterQueue;
use crate::stack::Stack;
use crate::text;

/// The principal that EventBridge acts as.
pub(super) const SERVICE: &str = "events.amazonaws.com";

/// What a bus is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbus.html>.
#[derive(Clone, Debug, Default)]
pub struct EventBusProps {
    /// The physical name: 1 to 256 letters, digits, `.`, `-` and `_`; the name of the stack and the logical id by
    /// default, as AWS demands one.
    pub name: Option<Value<String>>,
    /// What the bus is for, at most 512 characters.
    pub description: Option<String>,
    /// A key of the customer's own; EventBridge encrypts with its own by default. A key of the same stack lets
    /// EventBridge use it; one of another stack must say so in its [policy](Stack::key_policy).
    pub key: Option<KeyRef>,
    /// Where events go that could not be encrypted or decrypted, which only a key of the customer's own can cause.
    pub dead_letters: Option<DeadLetterQueue>,
    /// Records what becomes of each event; off by default.
    pub logging: Option<BusLogging>,
}

/// What is recorded of the way of an event through a bus, and where.
///
/// See <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-logs.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusLogging {
    /// How much is recorded.
    pub level: LogLevel,
    /// Where it is recorded.
    pub log_group: LogGroupRef,
    /// Whether the detail of the events and the input of the targets are recorded too: not by default, as they may
    /// hold what does not belong into logs.
    pub include_detail: bool,
}

impl BusLogging {
    /// Records into a log group.
    pub fn to(log_group: &LogGroupRef, level: LogLevel) -> Self {
        Self {
            level,
            log_group: log_group.clone(),
            include_detail: false,
        }
    }
}

/// How much a bus records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// What failed, and the most important steps of each event.
    Info,
    /// Every step of each event.
    Trace,
}

impl LogLevel {
    /// Returns the word that EventBridge uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Info => "INFO",
            Self::Trace => "TRACE",
        }
    }
}

impl Stack<'_> {
    /// Adds a bus.
    #[track_caller]
    pub fn event_bus(&mut self, logical_id: &str, props: EventBusProps) -> EventBusRef {
        let source = Location::caller();
        self.check_bus(logical_id, &props, source);
        let name = props
            .name
            .unwrap_or_else(|| text!("{}-{}", Pseudo::StackName, logical_id));
        let arn = bus_arn(&name);
        let bus = cfn::EventBus {
            dead_letter_config: props
                .dead_letters
                .as_ref()
                .map(|queue| cfn::event_bus::DeadLetterConfig {
                    arn: queue.arn().into(),
                })
                .into(),
            description: props.description.into(),
            kms_key_identifier: props.key.as_ref().map(|key| key.arn().into_text()).into(),
            log_config: props
                .logging
                .as_ref()
                .map(|logging| cfn::event_bus::LogConfig {
                    include_detail: if logging.include_detail {
                        "FULL"
                    } else {
                        "NONE"
                    }
                    .into(),
                    level: logging.level.name().into(),
                })
                .into(),
            name: name.into(),
            ..cfn::EventBus::default()
        };
        let handle = EventBusRef::of(self.insert(logical_id, Resource::of(&bus, source)).id);
        if let Some(queue) = &props.dead_letters {
            self.take_dead_letters(logical_id, queue, SERVICE, arn.clone().into_text(), source);
        }
        if let Some(key) = &props.key
            && key.resource_id().stack() == self.id()
        {
            // The key cannot name the bus, which needs the key in turn; its ARN put together from its name can.
            let operations = [
                KeyOperation::Decrypt,
                KeyOperation::Describe,
                KeyOperation::GenerateDataKey,
            ];
            let statement = Statement::allow(operations.map(KeyOperation::action))
                .to(Principal::Service(SERVICE.to_owned()))
                .when("StringEquals", "aws:SourceArn", arn);
            self.key_policy_from(key, [statement], source);
        }
        if let Some(logging) = &props.logging {
            self.deliver_bus_logs(logical_id, &handle, logging, source);
        }
        handle
    }

    /// Lets others do something with a bus, such as another account put events on it.
    ///
    /// A statement that names no resource is about the bus. The logical id names the statement in the policy of the
    /// bus. See <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html>.
    #[track_caller]
    pub fn event_bus_policy(
        &mut self,
        logical_id: &str,
        bus: &EventBusRef,
        statement: Statement,
    ) -> ResourceRef {
        let source = Location::caller();
        let document = PolicyDocument::new([statement.or_on(bus.arn())]);
        self.check_statements(logical_id, document.statements(), source);
        let policy = cfn::EventBusPolicy {
            event_bus_name: bus.name().into(),
            statement: document.statements().first().map(Statement::render).into(),
            statement_id: logical_id.into(),
            ..cfn::EventBusPolicy::default()
        };
        self.insert(logical_id, Resource::of(&policy, source))
    }

    /// Delivers the records of a bus to a log group: for each level a source `<Id><Level>Logs` and a delivery
    /// `<Id><Level>Delivery`, and one destination `<Id>LogDestination`. See
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-CloudWatchLogs.html>.
    fn deliver_bus_logs(
        &mut self,
        logical_id: &str,
        bus: &EventBusRef,
        logging: &BusLogging,
        source: &'static Location<'static>,
    ) {
        if logical_id.len() > 37 {
            let message = "the logical id of a bus with logging has at most 37 characters, as it is part of names of 60";
            self.report(logical_id, None, message, source);
        }
        let policy = self.let_logs_in(&logging.log_group, LogOrigin::Delivery, source);
        let destination_id = format!("{logical_id}LogDestination");
        let destination = logs_cfn::DeliveryDestination {
            destination_resource_arn: logging.log_group.plain_arn().into(),
            name: delivery_name(&destination_id).into(),
            ..logs_cfn::DeliveryDestination::default()
        };
        let destination = self.insert(&destination_id, Resource::of(&destination, source));
        for (level, word) in [
            (LogLevel::Error, "Error"),
            (LogLevel::Info, "Info"),
            (LogLevel::Trace, "Trace"),
        ] {
            if level > logging.level {
                continue;
            }
            let source_id = format!("{logical_id}{word}Logs");
            let delivery_source = logs_cfn::DeliverySource {
                log_type: format!("{}_LOGS", level.name()).into(),
                name: delivery_name(&source_id).into(),
                resource_arn: bus.arn().into_text().into(),
                ..logs_cfn::DeliverySource::default()
            };
            let from = self.insert(&source_id, Resource::of(&delivery_source, source));
            let delivery = logs_cfn::Delivery {
                delivery_destination_arn: destination.attribute("Arn").into(),
                delivery_source_name: from.reference().into(),
                ..logs_cfn::Delivery::default()
            };
            let mut delivery = Resource::of(&delivery, source);
            delivery.depends_on.insert(policy.id.clone());
            self.insert(&format!("{logical_id}{word}Delivery"), delivery);
        }
    }

    fn check_bus(&mut self, id: &str, props: &EventBusProps, source: &Location<'_>) {
        let path = "Properties.Name";
        let name = props.name.as_ref();
        self.check_name(id, path, name, NAME, source);
        if name
            .and_then(Value::literal)
            .is_some_and(|name| name == "default")
        {
            let message = "every account has a bus `default`: use `EventBusRef::of_account()`";
            self.report(id, Some(path), message, source);
        }
        let description = props.description.as_ref();
        if description.is_some_and(|text| text.chars().count() > 512) {
            let message = "the description is longer than 512 characters";
            self.report(id, Some("Properties.Description"), message, source);
        }
        if props.dead_letters.is_some() && props.key.is_none() {
            let message = "only events of a bus with a key of the customer's own go to its dead letters: give `EventBusProps::key`, or give the dead letters to the targets of rules";
            self.report(id, Some("Properties.DeadLetterConfig"), message, source);
        }
    }
}

/// Makes a name that is unique in the account and region, from the logical id and the start of the stack's own id: the
/// name of the stack could be too long for the 60 characters that a delivery takes.
fn delivery_name(logical_id: &str) -> Value<String> {
    let pieces = |delimiter: &str, text: Expr| Token::Split {
        delimiter: delimiter.to_owned(),
        text: Box::new(text),
    };
    let element = |index, list| {
        Expr::Token(Token::Select {
            index,
            list: Box::new(Expr::Token(list)),
        })
    };
    let unique = element(2, pieces("/", Token::Pseudo(Pseudo::StackId).into()));
    let start = Token::Select {
        index: 0,
        list: Box::new(Expr::Token(pieces("-", unique))),
    };
    text!("{}-{}", logical_id, Value::<String>::Token(start))
}

/// A slash is for buses of partners. See
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html>.
const NAME: NameRule = NameRule {
    min: 1,
    max: 256,
    others: ".-_",
};
