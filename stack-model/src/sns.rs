//! Amazon SNS: topics and who hears of what is published.

use std::marker::PhantomData;
use std::panic::Location;

use stack_model_cfn::sns as cfn;
use stack_model_cfn::{Pseudo, ResourceId, Token, Value};

use crate::arn::Arn;
use crate::handle::{Handle, get_att, reference, typed_handle};
use crate::kms::{self, KeyOperation, KeyRef};
use crate::name::NameRule;
use crate::policy::{Principal, Statement};
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

mod subscription;

pub(crate) use subscription::redrive_policy;
pub use subscription::{Endpoint, SubscriptionProps};

/// Marks the ARN of a topic.
#[derive(Debug)]
pub enum Topic {}

/// What a topic is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topic.html>.
#[derive(Clone, Debug, Default)]
pub struct TopicProps {
    /// The physical name: 1 to 256 letters, digits, `-` and `_`, and `.fifo` at the end of a FIFO topic's. Leave it
    /// out unless something outside the stack needs it: a named topic cannot be replaced.
    pub name: Option<Value<String>>,
    /// What subscribers by mail and text message see as the sender, at most 100 characters.
    pub display_name: Option<Value<String>>,
    /// Makes a FIFO topic, which keeps the order within a message group and delivers once, to queues only; a queue that
    /// is not a FIFO queue loses both. See <https://docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html>.
    pub fifo: Option<Fifo>,
    /// How messages are encrypted; with the account's key for SNS by default, where AWS's default is not with a key
    /// of KMS.
    pub encryption: Encryption,
}

/// What a FIFO topic does beyond keeping the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fifo {
    /// Whether two messages with the same body within five minutes are one; otherwise each message carries an id.
    pub content_based_deduplication: bool,
}

/// How the messages of a topic are encrypted while SNS holds them.
///
/// See <https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// With the account's key for SNS, `aws/sns`. It serves roles and users of the account, but no AWS service:
    /// a topic that buckets, alarms or event rules publish to needs another choice.
    #[default]
    AwsManaged,
    /// With a key of the customer's own. Publishers then need the key too, which [`TopicRef::statements`] takes care
    /// of; AWS services that publish are let in by [`Stack::key_policy`].
    CustomerKey(KeyRef),
    /// Without a key of KMS.
    Off,
}

/// What a caller may do with a topic.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TopicOperation {
    /// Publishes messages, also in batches.
    Publish,
}

impl TopicOperation {
    /// Returns the IAM action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Publish => "sns:Publish",
        }
    }

    /// Returns what the caller must be allowed to do with the topic's key; see
    /// <https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html>.
    const fn key_operations(self) -> &'static [KeyOperation] {
        match self {
            Self::Publish => &[KeyOperation::GenerateDataKey, KeyOperation::Decrypt],
        }
    }
}

/// The handle of a topic whose messages are of type `M`.
pub struct TopicRef<M> {
    id: ResourceId,
    fifo: bool,
    key: Option<KeyRef>,
    /// Whether the key of the account encrypts the topic, which no service may use.
    closed_to_services: bool,
    message: PhantomData<fn() -> M>,
}

typed_handle!(TopicRef {
    id,
    fifo,
    key,
    closed_to_services,
    message,
});

impl<M> TopicRef<M> {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Topic>> {
        reference(&self.id)
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        get_att(&self.id, "TopicName")
    }

    /// Forgets the type of the messages, where a service publishes what it has.
    pub(crate) fn untyped(&self) -> TopicRef<()> {
        TopicRef {
            id: self.id.clone(),
            fifo: self.fifo,
            key: self.key.clone(),
            closed_to_services: self.closed_to_services,
            message: PhantomData,
        }
    }

    /// Returns whether this is a FIFO topic.
    pub fn is_fifo(&self) -> bool {
        self.fifo
    }

    /// Returns the key of the customer's own that the topic is encrypted with.
    pub(crate) fn key(&self) -> Option<&KeyRef> {
        self.key.as_ref()
    }

    /// Returns what a role must allow for the given operations: exactly their actions on this topic, and on its key
    /// where it has one of the customer's own.
    pub fn statements(&self, operations: &[TopicOperation]) -> Vec<Statement> {
        let operations = operations
            .iter()
            .map(|operation| (operation.action(), operation.key_operations()));
        kms::allow_with_key(operations, self.arn(), "sns", self.key.as_ref())
    }
}

impl Stack<'_> {
    /// Adds a topic, encrypted and, through its policy `<Id>Policy`, published to with TLS only.
    ///
    /// ```
    /// use stack_model::sns::{Endpoint, SubscriptionProps, TopicProps};
    /// use stack_model::sqs::QueueProps;
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders");
    ///
    /// let placed = stack.topic::<String>("OrderPlaced", TopicProps::default());
    /// let invoices = stack.queue::<String>("Invoices", QueueProps::default());
    /// stack.subscription(
    ///     "InvoicesOfOrders",
    ///     &placed,
    ///     Endpoint::Queue(&invoices),
    ///     SubscriptionProps::default(),
    /// );
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn topic<M>(&mut self, logical_id: &str, props: TopicProps) -> TopicRef<M> {
        let source = Location::caller();
        self.check_topic(logical_id, &props, source);
        let closed_to_services = props.encryption == Encryption::AwsManaged;
        let (key_id, key) = match props.encryption {
            Encryption::AwsManaged => {
                let alias = text!(
                    "arn:{}:kms:{}:{}:alias/aws/sns",
                    Pseudo::Partition,
                    Pseudo::Region,
                    Pseudo::AccountId
                );
                (Some(alias), None)
            }
            Encryption::CustomerKey(key) => (Some(key.arn().into_text()), Some(key)),
            Encryption::Off => (None, None),
        };
        let fifo = props.fifo;
        let topic = cfn::Topic {
            content_based_deduplication: fifo
                .map(|fifo| fifo.content_based_deduplication)
                .filter(|wanted| *wanted)
                .into(),
            display_name: props.display_name.into(),
            fifo_topic: fifo.map(|_| true).into(),
            kms_master_key_id: key_id.into(),
            topic_name: props.name.into(),
            ..cfn::Topic::default()
        };
        let handle = TopicRef {
            id: self.insert(logical_id, Resource::of(&topic, source)).id,
            fifo: fifo.is_some(),
            key,
            closed_to_services,
            message: PhantomData,
        };
        // A topic's policy speaks of some actions only; `sns:*` is refused as out of scope.
        let statement = Statement::tls_only("sns:Publish", [handle.arn().into()]);
        self.attach_topic_policy(&handle, [statement], source);
        handle
    }

    /// Adds statements to the policy of a topic. A statement that names no resource is about the topic.
    #[track_caller]
    pub fn topic_policy<M>(
        &mut self,
        topic: &TopicRef<M>,
        statements: impl IntoIterator<Item = Statement>,
    ) {
        self.attach_topic_policy(topic, statements, Location::caller());
    }

    /// Lets a service publish, and use the topic's key; reports a topic that cannot let services publish. See
    /// <https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html>.
    pub(crate) fn let_publish<M>(
        &mut self,
        topic: &TopicRef<M>,
        service: &str,
        source_arn: Option<Value<String>>,
        source: &Location<'_>,
    ) {
        let principal = Principal::Service(service.to_owned());
        if topic.closed_to_services {
            let message = format!(
                "the topic is encrypted with the key `aws/sns`, which `{service}` may not use, so nothing would arrive: give `TopicProps::encryption` a key of the customer's own, or `Encryption::Off`"
            );
            let id = topic.id.logical_id();
            self.report(id, Some("Properties.KmsMasterKeyId"), message, source);
        }
        let mut publish =
            Statement::allow([TopicOperation::Publish.action()]).to(principal.clone());
        let known = source_arn.is_some();
        if let Some(arn) = source_arn {
            publish = publish.when("ArnLike", "aws:SourceArn", arn);
        }
        self.attach_topic_policy(topic, [publish], source);
        if let Some(key) = &topic.key
            && key.resource_id().stack() == self.id()
        {
            let operations = TopicOperation::Publish.key_operations();
            let actions = operations.iter().map(|operation| operation.action());
            // EventBridge does not tell a key whose rule publishes; which topic it publishes to is always told. See
            // <https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services>.
            let topics = text!(
                "arn:{}:sns:{}:{}:*",
                Pseudo::Partition,
                Pseudo::Region,
                Pseudo::AccountId
            );
            let mut statement = Statement::allow(actions).to(principal).when(
                "ArnLike",
                "kms:EncryptionContext:aws:sns:topicArn",
                topics,
            );
            if known {
                let account: Value<String> = Value::Token(Token::Pseudo(Pseudo::AccountId));
                statement = statement.when("StringEquals", "aws:SourceAccount", account);
            }
            self.key_policy_from(key, [statement], source);
        }
    }

    /// Adds statements to the policy of a topic on behalf of a resource declared at `source`.
    pub(crate) fn attach_topic_policy<M>(
        &mut self,
        topic: &TopicRef<M>,
        statements: impl IntoIterator<Item = Statement>,
        source: &Location<'_>,
    ) {
        let statements = statements
            .into_iter()
            .map(|statement| statement.or_on(topic.arn()));
        self.attach_resource_policy(topic, statements, source, || {
            let policy = cfn::TopicPolicy {
                topics: [topic.arn().into_text()].into(),
                ..cfn::TopicPolicy::default()
            };
            Resource::of(&policy, source).with_policy_at("PolicyDocument")
        });
    }

    fn check_topic(&mut self, id: &str, props: &TopicProps, source: &Location<'_>) {
        let display_name = props.display_name.as_ref().and_then(Value::literal);
        if display_name.is_some_and(|name| name.chars().count() > 100) {
            let message = "the display name is longer than 100 characters";
            self.report(id, Some("Properties.DisplayName"), message, source);
        }
        let path = "Properties.TopicName";
        let Some(name) = props.name.as_ref().and_then(Value::literal) else {
            return;
        };
        let stem = name.strip_suffix(".fifo");
        if stem.is_some() != props.fifo.is_some() {
            let message = format!(
                "`{name}` does not fit: the name of a FIFO topic ends with `.fifo`, and no other does"
            );
            self.report(id, Some(path), message, source);
        }
        // The suffix counts among the 256 characters.
        let rule = NameRule {
            min: 1,
            max: if stem.is_some() { 251 } else { 256 },
            others: "-_",
        };
        if let Some(message) = rule.violation(stem.unwrap_or(name)) {
            self.report(id, Some(path), message, source);
        }
    }
}

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/sns.md")]
struct Guide;
