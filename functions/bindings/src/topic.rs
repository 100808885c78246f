//! Topics of SNS.

use std::fmt;
use std::marker::PhantomData;

use crate::binding::Binding;
use crate::grant::Grants;
use crate::kind;
use crate::operation::Publish;

#[cfg(feature = "topic")]
pub use client::PublishMessage;

/// A topic of messages of the type `M`, as JSON, with the operations `G` granted.
pub struct Topic<M, G: Grants<kind::Topic> = Publish> {
    #[cfg(feature = "topic")]
    client: aws_sdk_sns::Client,
    #[cfg(feature = "topic")]
    arn: String,
    grants: PhantomData<fn() -> (M, G)>,
}

impl<M, G: Grants<kind::Topic>> Binding for Topic<M, G> {
    const KIND: &'static str = "topic";
    const SUFFIX: &'static str = "_ARN";
}

impl<M, G: Grants<kind::Topic>> fmt::Debug for Topic<M, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut topic = f.debug_struct("Topic");
        #[cfg(feature = "topic")]
        topic.field("arn", &self.arn);
        topic.finish_non_exhaustive()
    }
}

#[cfg(feature = "topic")]
mod client {
    use std::future::IntoFuture;
    use std::marker::PhantomData;

    use aws_sdk_sns::types::MessageAttributeValue;
    use serde::Serialize;

    use super::Topic;
    use crate::Call;
    use crate::environment::{Connect, Environment, VariableFault};
    use crate::error::{CallError, Reason};
    use crate::grant::{Allows, Grants};
    use crate::kind;
    use crate::operation::Publish;
    use crate::ordered::ordered;

    impl<M, G: Grants<kind::Topic>> Connect for Topic<M, G> {
        fn connect(environment: &Environment, value: &str) -> Result<Self, VariableFault> {
            Ok(Self::with_client(environment.sns(), value))
        }
    }

    impl<M, G: Grants<kind::Topic>> Topic<M, G> {
        /// Binds to the topic with the given ARN, for tests.
        pub fn with_client(client: aws_sdk_sns::Client, arn: impl Into<String>) -> Self {
            Self {
                client,
                arn: arn.into(),
                grants: PhantomData,
            }
        }

        /// Returns the ARN of the topic.
        pub fn arn(&self) -> &str {
            &self.arn
        }

        /// Publishes a message; await it for the message's id.
        pub fn publish<At>(&self, message: &M) -> PublishMessage<'_>
        where
            M: Serialize,
            G: Allows<Publish, At>,
        {
            PublishMessage {
                client: &self.client,
                arn: &self.arn,
                message: serde_json::to_string(message),
                subject: None,
                group: None,
                deduplication: None,
                attributes: Vec::new(),
            }
        }
    }

    /// A request to publish one message; await it for the message's id.
    #[derive(Debug)]
    #[must_use = "a request does nothing until it is awaited"]
    pub struct PublishMessage<'a> {
        client: &'a aws_sdk_sns::Client,
        arn: &'a str,
        message: Result<String, serde_json::Error>,
        subject: Option<String>,
        group: Option<String>,
        deduplication: Option<String>,
        attributes: Vec<(String, String)>,
    }

    ordered!(['a] PublishMessage<'a>, "SNS", "topics");

    impl PublishMessage<'_> {
        /// Sets the subject line of mails that subscribers get.
        pub fn subject(mut self, subject: impl Into<String>) -> Self {
            self.subject = Some(subject.into());
            self
        }

        /// Adds an attribute by which subscriptions can filter.
        pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.attributes.push((name.into(), value.into()));
            self
        }

        async fn call(self) -> Result<String, CallError> {
            const ACTION: &str = "publish a message to";
            let resource = format!("topic `{}`", self.arn);
            let message = self.message.map_err(|error| {
                CallError::new(ACTION, &resource, Reason::Encode).caused_by(error)
            })?;
            let mut request = self
                .client
                .publish()
                .topic_arn(self.arn)
                .message(message)
                .set_subject(self.subject)
                .set_message_group_id(self.group)
                .set_message_deduplication_id(self.deduplication);
            for (name, value) in self.attributes {
                let value = MessageAttributeValue::builder()
                    .data_type("String")
                    .string_value(value)
                    .build()
                    .map_err(|error| {
                        CallError::new(ACTION, &resource, Reason::Encode).caused_by(error)
                    })?;
                request = request.message_attributes(name, value);
            }
            let answer = request
                .send()
                .await
                .map_err(|error| CallError::from_sdk(ACTION, &resource, error))?;
            Ok(answer.message_id.unwrap_or_default())
        }
    }

    impl<'a> IntoFuture for PublishMessage<'a> {
        type Output = Result<String, CallError>;
        type IntoFuture = Call<'a, String>;

        fn into_future(self) -> Self::IntoFuture {
            Box::pin(self.call())
        }
    }
}
