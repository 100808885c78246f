//! Topics of the message broker, and what a caller may do with them.

use std::fmt;
use std::marker::PhantomData;

use stack_model_cfn::{Pseudo, Value};

use super::check;
use crate::arn::Arn;
use crate::policy::Statement;
use crate::text;

/// Marks the ARN of a topic of the message broker.
#[derive(Debug)]
pub enum Topic {}

/// What a caller may do with a topic.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiot.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IotOperation {
    /// Publishes messages.
    Publish,
    /// Publishes messages that the broker retains for later subscribers.
    PublishRetained,
    /// Subscribes to the topic; receiving needs an operation of its own.
    Subscribe,
    /// Receives messages.
    Receive,
    /// Reads the retained message.
    GetRetained,
}

impl IotOperation {
    /// Returns the IAM action. Publishing a retained message needs that of [`Publish`](Self::Publish) besides, which
    /// the statements hold.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Publish => "iot:Publish",
            Self::PublishRetained => "iot:RetainPublish",
            Self::Subscribe => "iot:Subscribe",
            Self::Receive => "iot:Receive",
            Self::GetRetained => "iot:GetRetainedMessage",
        }
    }
}

/// The handle of one topic whose messages are of type `M`.
///
/// A topic is no resource: it is there as soon as somebody publishes to it. The handle makes the publisher, the
/// subscriber and the policies agree about the name and the type.
///
/// ```
/// use stack_model::iot::{IotOperation, TopicRef};
///
/// let admin = TopicRef::<String>::named("coffee-admin-dev");
/// let statements = admin.statements(&[IotOperation::Publish]);
/// assert_eq!(statements[0].actions(), ["iot:Publish"]);
/// ```
pub struct TopicRef<M> {
    name: Value<String>,
    message: PhantomData<fn() -> M>,
}

/// The handle of all topics whose names start alike, with messages of type `M`, such as one topic per user.
///
/// ```
/// use stack_model::iot::{IotOperation, TopicFamilyRef};
///
/// let users = TopicFamilyRef::<String>::starting_with("coffee-user-dev-");
/// let statements = users.statements(&[IotOperation::Publish]);
/// assert_eq!(statements[0].actions(), ["iot:Publish"]);
/// ```
pub struct TopicFamilyRef<M> {
    prefix: Value<String>,
    message: PhantomData<fn() -> M>,
}

impl<M> TopicRef<M> {
    /// Stands for the topic of this name, in the account and region of the stack.
    pub fn named(name: impl Into<Value<String>>) -> Self {
        Self {
            name: name.into(),
            message: PhantomData,
        }
    }

    /// Returns the name.
    pub fn name(&self) -> Value<String> {
        self.name.clone()
    }

    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Topic>> {
        arn("topic", self.name.clone()).map(Arn::composed)
    }

    /// Returns what a role must allow for the given operations: exactly their actions on this topic.
    pub fn statements(&self, operations: &[IotOperation]) -> Vec<Statement> {
        let problem = self.name.literal().and_then(|name| check::topic(name));
        statements(
            operations,
            |kind| arn(kind, self.name.clone()),
            None,
            problem.as_deref(),
        )
    }
}

impl<M> TopicFamilyRef<M> {
    /// Stands for the topics whose names start so, in the account and region of the stack.
    pub fn starting_with(prefix: impl Into<Value<String>>) -> Self {
        Self {
            prefix: prefix.into(),
            message: PhantomData,
        }
    }

    /// Returns what the names start with.
    pub fn prefix(&self) -> Value<String> {
        self.prefix.clone()
    }

    /// Returns the one topic of the family whose name ends so.
    pub fn topic(&self, suffix: impl Into<Value<String>>) -> TopicRef<M> {
        TopicRef::named(text!("{}{}", &self.prefix, suffix.into()))
    }

    /// Returns what a role must allow for the given operations: exactly their actions on the topics of this family.
    pub fn statements(&self, operations: &[IotOperation]) -> Vec<Statement> {
        let problem = self
            .prefix
            .literal()
            .and_then(|prefix| check::prefix(prefix));
        let reason = "the family has one topic for each of what only the run time knows";
        statements(
            operations,
            |kind| arn(kind, text!("{}*", &self.prefix)),
            Some(reason),
            problem.as_deref(),
        )
    }
}

/// Makes one statement for what is allowed on topics and one for what is allowed on topic filters.
fn statements(
    operations: &[IotOperation],
    arn: impl Fn(&'static str) -> Value<String>,
    reason: Option<&str>,
    problem: Option<&str>,
) -> Vec<Statement> {
    let mut on_topics: Vec<&str> = Vec::new();
    let mut on_filters: Vec<&str> = Vec::new();
    let mut add = |operation: IotOperation| {
        let named = match operation {
            IotOperation::Subscribe => &mut on_filters,
            _ => &mut on_topics,
        };
        if !named.contains(&operation.action()) {
            named.push(operation.action());
        }
    };
    for operation in operations {
        if *operation == IotOperation::PublishRetained {
            add(IotOperation::Publish);
        }
        add(*operation);
    }
    [("topic", on_topics), ("topicfilter", on_filters)]
        .into_iter()
        .filter(|(_, actions)| !actions.is_empty())
        .map(|(kind, actions)| {
            let statement = Statement::allow(actions).on(arn(kind));
            let statement = match reason {
                Some(reason) => statement.because(reason),
                None => statement,
            };
            match problem {
                Some(problem) => statement.wrong(problem),
                None => statement,
            }
        })
        .collect()
}

/// Makes the ARN of something that the broker knows by a name: a `topic`, a `topicfilter` or a `client`.
pub(super) fn arn(kind: &'static str, name: Value<String>) -> Value<String> {
    text!(
        "arn:{}:iot:{}:{}:{}/{}",
        Pseudo::Partition,
        Pseudo::Region,
        Pseudo::AccountId,
        kind,
        name
    )
}

impl<M> Clone for TopicRef<M> {
    fn clone(&self) -> Self {
        Self::named(self.name.clone())
    }
}

impl<M> Clone for TopicFamilyRef<M> {
    fn clone(&self) -> Self {
        Self::starting_with(self.prefix.clone())
    }
}

impl<M> fmt::Debug for TopicRef<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicRef")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<M> fmt::Debug for TopicFamilyRef<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicFamilyRef")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
