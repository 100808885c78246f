//! Amazon SQS: queues.

use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

use stack_model_cfn::sqs as cfn;
use stack_model_cfn::{Pseudo, ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{get_att, reference, typed_handle};
use crate::kms::KeyRef;
use crate::lambda::{BatchSize, QueueTrigger};
use crate::limit::Limited;
use crate::name::NameRule;
use crate::policy::Statement;
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

mod dead_letters;
mod grant;
mod redrive;

pub use dead_letters::DeadLetterQueue;
pub use grant::QueueOperation;
pub use redrive::{MaxReceiveCount, Redrive, RedriveAllow};

/// Marks the ARN of a queue.
#[derive(Debug)]
pub enum Queue {}

/// How long a message is kept back before it can be received, in seconds.
pub type DelaySeconds = Limited<0, 900>;

/// How long a received message is hidden from other receivers, in seconds.
pub type VisibilityTimeout = Limited<0, 43_200>;

/// How long a message is kept, in seconds: one minute to 14 days.
pub type MessageRetention = Limited<60, 1_209_600>;

/// The size of a message in bytes: 1 KiB to 1 MiB.
pub type MessageSize = Limited<1024, 1_048_576>;

/// How long a receiver waits for a message, in seconds.
pub type ReceiveWaitTime = Limited<0, 20>;

/// How long SQS uses a data key before it asks for another, in seconds: one minute to one day.
pub type DataKeyReuse = Limited<60, 86_400>;

/// The visibility timeout that AWS gives a queue without one, in seconds.
const DEFAULT_VISIBILITY_TIMEOUT: u32 = 30;

/// What a queue is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html>.
#[derive(Clone, Debug, Default)]
pub struct QueueProps {
    /// The physical name: 1 to 80 letters, digits, `-` and `_`, and `.fifo` at the end of a FIFO queue's. Leave it
    /// out unless something outside the stack needs it: a named queue cannot be replaced.
    pub name: Option<Value<String>>,
    /// How long every message is kept back; not at all by default.
    pub delay: Option<DelaySeconds>,
    /// How long a received message is hidden; 30 s by default, which is AWS's. A function that reads the queue
    /// needs at least its own timeout, better six times as much.
    pub visibility_timeout: Option<VisibilityTimeout>,
    /// How long a message is kept; 4 days by default, which is AWS's.
    pub retention: Option<MessageRetention>,
    /// The largest message; 1 MiB by default, which is AWS's.
    pub maximum_message_size: Option<MessageSize>,
    /// How long a receiver waits for a message; not at all by default, which is AWS's. Functions wait 20 s
    /// whatever is said here.
    pub receive_wait_time: Option<ReceiveWaitTime>,
    /// Where messages go that were received too often, as [`QueueRef::after`] says it.
    pub redrive: Option<Redrive>,
    /// Which queues may send their dead letters here; those of the same account and region by default.
    pub redrive_allow: RedriveAllow,
    /// Makes a FIFO queue, which keeps the order within a message group and delivers once.
    pub fifo: Option<Fifo>,
    /// How messages are encrypted; with a key of SQS by default.
    pub encryption: Encryption,
}

/// What a FIFO queue does beyond keeping the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fifo {
    /// Whether two messages with the same body within five minutes are one; otherwise each message carries an id.
    pub content_based_deduplication: bool,
    /// Whether limits and deduplication count per message group, for more than 300 messages per second.
    pub high_throughput: bool,
}

/// How the messages of a queue are encrypted.
///
/// See
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// With a key that SQS manages, at no cost.
    #[default]
    Sqs,
    /// With a key of the customer's own. Senders and receivers then need the key too, which
    /// [`QueueRef::statements`] takes care of.
    CustomerKey {
        /// The key.
        key: KeyRef,
        /// How long a data key is used; 5 minutes by default, which is AWS's.
        data_key_reuse: Option<DataKeyReuse>,
    },
}

impl Encryption {
    /// With a key of the customer's own.
    pub fn customer_key(key: &KeyRef) -> Self {
        Self::CustomerKey {
            key: key.clone(),
            data_key_reuse: None,
        }
    }
}

/// The handle of a queue whose messages are of type `M`.
pub struct QueueRef<M> {
    id: ResourceId,
    visibility_timeout: u32,
    fifo: bool,
    key: Option<KeyRef>,
    /// The physical name, where it is a text.
    name: Option<Arc<str>>,
    /// Whether the queue is named by the text of its name.
    by_name: bool,
    message: PhantomData<fn() -> M>,
}

typed_handle!(QueueRef {
    id,
    visibility_timeout,
    fifo,
    key,
    name,
    by_name,
    message,
});

impl<M> QueueRef<M> {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Queue>> {
        match self.text_of_name() {
            Some(name) => text!(
                "arn:{}:sqs:{}:{}:{}",
                Pseudo::Partition,
                Pseudo::Region,
                Pseudo::AccountId,
                name
            )
            .map(Arn::composed),
            None => get_att(&self.id, "Arn"),
        }
    }

    /// Returns the URL, as the API of SQS wants it.
    pub fn url(&self) -> Value<String> {
        match self.text_of_name() {
            Some(name) => text!(
                "https://sqs.{}.{}/{}/{}",
                Pseudo::Region,
                Pseudo::UrlSuffix,
                Pseudo::AccountId,
                name
            ),
            None => reference(&self.id),
        }
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        match self.text_of_name() {
            Some(name) => name.into(),
            None => get_att(&self.id, "QueueName"),
        }
    }

    /// Returns a handle for other stacks of the same region, with which they name the queue by a text and import
    /// nothing.
    ///
    /// No export then keeps the queue from being replaced, and nothing makes the other stack wait for the queue. A
    /// queue whose name CloudFormation chooses is imported all the same.
    #[must_use]
    pub fn by_name(&self) -> Self {
        Self {
            by_name: true,
            ..self.clone()
        }
    }

    fn text_of_name(&self) -> Option<&str> {
        self.name.as_deref().filter(|_| self.by_name)
    }

    /// Returns the visibility timeout in seconds that the queue was declared with; an override changes it for the
    /// template alone.
    pub fn visibility_timeout(&self) -> u32 {
        self.visibility_timeout
    }

    /// Returns whether this is a FIFO queue.
    pub fn is_fifo(&self) -> bool {
        self.fifo
    }

    /// Forgets the type of the messages, where a service sends what it has.
    pub(crate) fn untyped(&self) -> QueueRef<()> {
        QueueRef {
            id: self.id.clone(),
            visibility_timeout: self.visibility_timeout,
            fifo: self.fifo,
            key: self.key.clone(),
            name: self.name.clone(),
            by_name: self.by_name,
            message: PhantomData,
        }
    }

    /// Returns the key of the customer's own, where the queue has one.
    pub(crate) fn key(&self) -> Option<&KeyRef> {
        self.key.as_ref()
    }

    /// Takes messages of another queue once they were received so many times.
    ///
    /// ```
    /// use stack_model::sqs::QueueProps;
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders");
    ///
    /// let dead = stack.queue::<String>("DeadLetters", QueueProps::default());
    /// let orders = stack.queue::<String>("Orders", QueueProps {
    ///     redrive: Some(dead.after(5)),
    ///     ..QueueProps::default()
    /// });
    /// # app.synth().unwrap();
    /// ```
    pub fn after(&self, receives: impl Into<MaxReceiveCount>) -> Redrive {
        Redrive::new(self.arn(), self.fifo, receives.into())
    }

    /// Makes a trigger that sends batches of messages to a function.
    pub fn batches_of(&self, size: impl Into<BatchSize>) -> QueueTrigger<M> {
        QueueTrigger::new(self.clone(), size.into())
    }
}

impl Stack<'_> {
    /// Adds a queue, encrypted and, through its policy `<Id>Policy`, reached with TLS only.
    ///
    /// In a protected stage it outlives its stack.
    #[track_caller]
    pub fn queue<M>(&mut self, logical_id: &str, props: QueueProps) -> QueueRef<M> {
        let source = Location::caller();
        self.check_queue(logical_id, &props, source);
        let (key, data_key_reuse) = match &props.encryption {
            Encryption::Sqs => (None, None),
            Encryption::CustomerKey {
                key,
                data_key_reuse,
            } => (Some(key.clone()), *data_key_reuse),
        };
        let name = props.name.as_ref().and_then(Value::literal);
        let name = name.map(|name| Arc::from(name.as_str()));
        let fifo = props.fifo;
        let per_group = fifo.is_some_and(|fifo| fifo.high_throughput);
        let queue = cfn::Queue {
            content_based_deduplication: fifo
                .map(|fifo| fifo.content_based_deduplication)
                .filter(|wanted| *wanted)
                .into(),
            deduplication_scope: per_group.then(|| "messageGroup".to_owned()).into(),
            delay_seconds: props.delay.map(Limited::number).into(),
            fifo_queue: fifo.map(|_| true).into(),
            fifo_throughput_limit: per_group.then(|| "perMessageGroupId".to_owned()).into(),
            kms_data_key_reuse_period_seconds: data_key_reuse.map(Limited::number).into(),
            kms_master_key_id: key.as_ref().map(|key| key.arn().into_text()).into(),
            maximum_message_size: props.maximum_message_size.map(Limited::number).into(),
            message_retention_period: props.retention.map(Limited::number).into(),
            queue_name: props.name.into(),
            receive_message_wait_time_seconds: props.receive_wait_time.map(Limited::number).into(),
            redrive_allow_policy: props.redrive_allow.render().into(),
            redrive_policy: props.redrive.map(Redrive::render).into(),
            sqs_managed_sse_enabled: key.is_none().then_some(true).into(),
            visibility_timeout: props.visibility_timeout.map(Limited::number).into(),
            ..cfn::Queue::default()
        };
        let handle = QueueRef {
            id: self
                .insert_data(logical_id, Resource::of(&queue, source))
                .id,
            visibility_timeout: props
                .visibility_timeout
                .map_or(DEFAULT_VISIBILITY_TIMEOUT, Limited::get),
            fifo: fifo.is_some(),
            key,
            name,
            by_name: false,
            message: PhantomData,
        };
        let statement = Statement::tls_only("sqs:*", [handle.arn().into()]);
        self.attach_queue_policy(&handle, [statement], source);
        handle
    }

    /// Adds statements to the policy of a queue. A statement that names no resource is about the queue.
    #[track_caller]
    pub fn queue_policy<M>(
        &mut self,
        queue: &QueueRef<M>,
        statements: impl IntoIterator<Item = Statement>,
    ) {
        self.attach_queue_policy(queue, statements, Location::caller());
    }

    /// Adds statements to the policy of a queue on behalf of a resource declared at `source`.
    pub(crate) fn attach_queue_policy<M>(
        &mut self,
        queue: &QueueRef<M>,
        statements: impl IntoIterator<Item = Statement>,
        source: &Location<'_>,
    ) {
        let statements = statements
            .into_iter()
            .map(|statement| statement.or_on(queue.arn()));
        self.attach_resource_policy(queue, statements, source, || {
            let policy = cfn::QueuePolicy {
                queues: [queue.url()].into(),
                ..cfn::QueuePolicy::default()
            };
            Resource::of(&policy, source).with_policy_at("PolicyDocument")
        });
    }

    fn check_queue(&mut self, id: &str, props: &QueueProps, source: &Location<'_>) {
        self.check_limit(id, "Properties.DelaySeconds", props.delay, source);
        let visibility = props.visibility_timeout;
        self.check_limit(id, "Properties.VisibilityTimeout", visibility, source);
        let retention = props.retention;
        self.check_limit(id, "Properties.MessageRetentionPeriod", retention, source);
        let size = props.maximum_message_size;
        self.check_limit(id, "Properties.MaximumMessageSize", size, source);
        let wait = props.receive_wait_time;
        let wait_path = "Properties.ReceiveMessageWaitTimeSeconds";
        self.check_limit(id, wait_path, wait, source);
        if let Encryption::CustomerKey { data_key_reuse, .. } = &props.encryption {
            let path = "Properties.KmsDataKeyReusePeriodSeconds";
            self.check_limit(id, path, *data_key_reuse, source);
        }
        self.check_redrive(id, props, source);
        let path = "Properties.QueueName";
        let Some(name) = props.name.as_ref().and_then(Value::literal) else {
            return;
        };
        let stem = name.strip_suffix(".fifo");
        if stem.is_some() != props.fifo.is_some() {
            let message = format!(
                "`{name}` does not fit: the name of a FIFO queue ends with `.fifo`, and no other does"
            );
            self.report(id, Some(path), message, source);
        }
        // The suffix counts among the 80 characters.
        let rule = NameRule {
            min: 1,
            max: if stem.is_some() { 75 } else { 80 },
            others: "-_",
        };
        if let Some(message) = rule.violation(stem.unwrap_or(name)) {
            self.report(id, Some(path), message, source);
        }
    }
}

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/sqs.md")]
struct Guide;
