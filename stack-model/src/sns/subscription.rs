//! Who hears of what is published.

use std::panic::Location;

use stack_model_cfn::sns as cfn;
use stack_model_cfn::{Expr, Property, Value};

use super::TopicRef;
use crate::events::grammar::{self, Dialect};
use crate::handle::{Handle, ResourceRef};
use crate::resource::Resource;
use crate::sqs::{DeadLetterQueue, QueueRef};
use crate::stack::Stack;

/// The principal that SNS delivers as.
const SERVICE: &str = "sns.amazonaws.com";

/// Who hears of messages of type `M`.
#[derive(Debug)]
pub enum Endpoint<'a, M> {
    /// A queue, which gets the messages as they were published. Its policy lets the topic send, and so does that of
    /// its key.
    Queue(&'a QueueRef<M>),
    /// A mail address. AWS writes to it first, and it hears nothing until it agrees.
    Email(Value<String>),
    /// A URL that starts with `https://`. It hears nothing until it confirms the subscription.
    Https(Value<String>),
    /// A phone, by its number in the form `+491700000000`.
    Sms(Value<String>),
}

/// What a subscription is made of, beyond its topic and endpoint.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-subscription.html>.
#[derive(Clone, Debug, Default)]
pub struct SubscriptionProps {
    /// Which messages are delivered, by their attributes; all by default. See
    /// <https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html>.
    pub filter: Option<serde_json::Value>,
    /// Whether the filter looks at the body instead of the attributes.
    pub filter_on_body: bool,
    /// Whether a URL gets the messages as they were published, and not wrapped; a queue always does.
    pub raw: bool,
    /// Where messages go that could not be delivered; otherwise they are lost.
    pub dead_letters: Option<DeadLetterQueue>,
}

impl Stack<'_> {
    /// Subscribes an endpoint to a topic.
    ///
    /// A queue belongs to this stack, as its policy changes; the topic may belong to another.
    #[track_caller]
    pub fn subscription<M>(
        &mut self,
        logical_id: &str,
        topic: &TopicRef<M>,
        endpoint: Endpoint<'_, M>,
        props: SubscriptionProps,
    ) -> ResourceRef {
        let source = Location::caller();
        let (protocol, address, raw) = match endpoint {
            Endpoint::Queue(queue) => {
                self.let_send(queue, SERVICE, topic.arn().into_text(), source);
                ("sqs", queue.arn().into_text(), true)
            }
            Endpoint::Email(address) => ("email", address, false),
            Endpoint::Https(url) => {
                if url
                    .literal()
                    .is_some_and(|url| !url.starts_with("https://"))
                {
                    let message = "the URL does not start with `https://`";
                    self.report(logical_id, Some("Properties.Endpoint"), message, source);
                }
                ("https", url, props.raw)
            }
            Endpoint::Sms(number) => {
                let wrong = |number: &String| {
                    let digits = number.strip_prefix('+');
                    !digits.is_some_and(|digits| {
                        (8..=15).contains(&digits.len())
                            && digits.bytes().all(|byte| byte.is_ascii_digit())
                    })
                };
                if number.literal().is_some_and(wrong) {
                    let message = "the number does not have the form `+491700000000`";
                    self.report(logical_id, Some("Properties.Endpoint"), message, source);
                }
                ("sms", number, false)
            }
        };
        if props.raw && !raw {
            let message = "only URLs and queues get messages that are not wrapped";
            let path = "Properties.RawMessageDelivery";
            self.report(logical_id, Some(path), message, source);
        }
        if topic.is_fifo() && protocol != "sqs" {
            let message = format!(
                "the FIFO topic `{}` delivers to queues only",
                topic.resource_id().logical_id()
            );
            self.report(logical_id, Some("Properties.Endpoint"), message, source);
        }
        if let Some(filter) = &props.filter {
            self.check_filter_policy(logical_id, filter, source);
        }
        if let Some(queue) = &props.dead_letters {
            let fifo = topic.is_fifo();
            let arn = topic.arn().into_text();
            self.take_undelivered(logical_id, queue, fifo, arn, source);
        }
        if props.filter_on_body && props.filter.is_none() {
            let message = "a scope without a filter says nothing: give `SubscriptionProps::filter`";
            self.report(
                logical_id,
                Some("Properties.FilterPolicyScope"),
                message,
                source,
            );
        }
        let subscription = cfn::Subscription {
            endpoint: address.into(),
            filter_policy: props.filter.map(Expr::from).into(),
            filter_policy_scope: props
                .filter_on_body
                .then(|| "MessageBody".to_owned())
                .into(),
            protocol: protocol.into(),
            raw_message_delivery: raw.then_some(true).into(),
            redrive_policy: redrive_policy(props.dead_letters.as_ref()),
            topic_arn: topic.arn().into_text().into(),
            ..cfn::Subscription::default()
        };
        self.insert(logical_id, Resource::of(&subscription, source))
    }

    /// Reports what SNS does not read in a filter policy.
    pub(crate) fn check_filter_policy(
        &mut self,
        logical_id: &str,
        filter: &serde_json::Value,
        source: &Location<'_>,
    ) {
        let filter = Expr::from(filter.clone());
        for message in grammar::violations(&filter, Dialect::Subscription) {
            let path = "Properties.FilterPolicy";
            self.report(logical_id, Some(path), message, source);
        }
    }

    /// Lets a topic send what it could not deliver to a queue, which keeps an order where the topic does.
    fn take_undelivered(
        &mut self,
        logical_id: &str,
        queue: &DeadLetterQueue,
        fifo: bool,
        topic: Value<String>,
        source: &Location<'_>,
    ) {
        if queue.is_fifo() != fifo {
            let message = format!(
                "the dead letters of a {} topic need a {} queue, and `{}` is none",
                if fifo { "FIFO" } else { "standard" },
                if fifo { "FIFO" } else { "standard" },
                queue.logical_id()
            );
            let path = "Properties.RedrivePolicy";
            self.report(logical_id, Some(path), message, source);
        }
        self.let_send(queue.queue(), SERVICE, topic, source);
    }
}

/// Renders where messages go that could not be delivered.
pub(crate) fn redrive_policy(queue: Option<&DeadLetterQueue>) -> Property<Expr> {
    match queue {
        Some(queue) => Property::Literal(Expr::map([("deadLetterTargetArn", queue.arn().into())])),
        None => Property::Absent,
    }
}
