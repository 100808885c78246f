//! Publishes messages to topics.

use std::future::IntoFuture;
use std::marker::PhantomData;

use aws_sdk_iotdataplane::primitives::Blob;
use serde::Serialize;

use super::{IotData, IotTopic, IotTopicFamily};
use crate::Call;
use crate::environment::{Connect, Environment, VariableFault};
use crate::error::{CallError, Reason};
use crate::grant::{Allows, Grants};
use crate::kind;
use crate::operation::{Publish, PublishRetained};

impl Connect for IotData {
    fn connect(environment: &Environment, value: &str) -> Result<Self, VariableFault> {
        let mut config = aws_sdk_iotdataplane::config::Builder::from(environment.sdk());
        // An endpoint of one's own, such as the local engine's, is meant for every service, and wins.
        if !environment.has_own_endpoint("AWS_ENDPOINT_URL_IOT_DATA_PLANE") {
            config = config.endpoint_url(format!("https://{value}"));
        }
        Ok(Self::with_client(aws_sdk_iotdataplane::Client::from_conf(
            config.build(),
        )))
    }
}

impl<M, G: Grants<kind::IotTopic>> Connect for IotTopic<M, G> {
    fn connect(_: &Environment, value: &str) -> Result<Self, VariableFault> {
        Ok(Self::named(value))
    }
}

impl<M, G: Grants<kind::IotTopic>> Connect for IotTopicFamily<M, G> {
    fn connect(_: &Environment, value: &str) -> Result<Self, VariableFault> {
        Ok(Self::starting_with(value))
    }
}

impl<M, G: Grants<kind::IotTopic>> IotTopic<M, G> {
    /// Binds to the topic of the given name, for tests.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            grants: PhantomData,
        }
    }

    /// Returns the name of the topic.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl<M, G: Grants<kind::IotTopic>> IotTopicFamily<M, G> {
    /// Binds to the topics whose names start so, for tests.
    pub fn starting_with(prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
            grants: PhantomData,
        }
    }

    /// Returns what the names of the topics start with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the topic of the family whose name ends so.
    pub fn topic(&self, suffix: &str) -> IotTopic<M, G> {
        IotTopic::named(format!("{}{suffix}", self.prefix))
    }
}

impl IotData {
    /// Publishes through the given client, for tests.
    pub fn with_client(client: aws_sdk_iotdataplane::Client) -> Self {
        Self { client }
    }

    /// Publishes a message to a topic, at least once (QoS 1); await it.
    pub fn publish<M, G, At>(&self, topic: &IotTopic<M, G>, message: &M) -> PublishIot<'_>
    where
        M: Serialize,
        G: Grants<kind::IotTopic> + Allows<Publish, At>,
    {
        self.message(topic, message, false)
    }

    /// Publishes a message that the broker keeps for later subscribers of the topic; await it.
    pub fn publish_retained<M, G, At>(&self, topic: &IotTopic<M, G>, message: &M) -> PublishIot<'_>
    where
        M: Serialize,
        G: Grants<kind::IotTopic> + Allows<PublishRetained, At>,
    {
        self.message(topic, message, true)
    }

    fn message<M: Serialize, G: Grants<kind::IotTopic>>(
        &self,
        topic: &IotTopic<M, G>,
        message: &M,
        retained: bool,
    ) -> PublishIot<'_> {
        PublishIot {
            client: &self.client,
            topic: topic.name.clone(),
            message: serde_json::to_vec(message),
            retained,
        }
    }
}

/// A request to publish one message; await it.
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited"]
pub struct PublishIot<'a> {
    client: &'a aws_sdk_iotdataplane::Client,
    topic: String,
    message: Result<Vec<u8>, serde_json::Error>,
    retained: bool,
}

impl PublishIot<'_> {
    async fn call(self) -> Result<(), CallError> {
        const ACTION: &str = "publish a message to";
        let resource = format!("IoT topic `{}`", self.topic);
        // A wildcard publishes to nobody, and a name of a user with one would reach into other topics.
        if self.topic.contains(['+', '#']) || self.topic.is_empty() {
            return Err(CallError::new(ACTION, &resource, Reason::Invalid));
        }
        let message = self
            .message
            .map_err(|error| CallError::new(ACTION, &resource, Reason::Encode).caused_by(error))?;
        self.client
            .publish()
            .topic(self.topic)
            .qos(1)
            .set_retain(self.retained.then_some(true))
            .payload(Blob::new(message))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| CallError::from_sdk(ACTION, &resource, error))
    }
}

impl<'a> IntoFuture for PublishIot<'a> {
    type Output = Result<(), CallError>;
    type IntoFuture = Call<'a, ()>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.call())
    }
}
