//! IoT Core: topics, and the address at which an account's broker is.

#[cfg(feature = "iot")]
mod endpoint;
#[cfg(feature = "iot")]
mod publish;

use std::fmt;
use std::marker::PhantomData;

use crate::binding::Binding;
use crate::grant::Grants;
use crate::kind;
use crate::operation::Publish;

#[cfg(feature = "iot")]
pub use publish::PublishIot;

/// The broker of the account, at the address that the stack fills in; it carries messages to the topics.
///
/// ```no_run
/// use serde::Serialize;
/// use stack_bindings::{Bindings, CallError, Invocation, IotData, IotTopic, IotTopicFamily};
///
/// #[derive(Serialize)]
/// pub struct Notice {
///     text: String,
/// }
///
/// #[derive(Bindings)]
/// #[function(binary = "publisher", accepts(Invocation<String>))]
/// pub struct Publisher {
///     // `IOT_DATA_ENDPOINT`, `ADMIN_TOPIC` and `USER_TOPIC_PREFIX`
///     iot: IotData,
///     admin: IotTopic<Notice>,
///     user: IotTopicFamily<Notice>,
/// }
///
/// # async fn run(bindings: Publisher) -> Result<(), CallError> {
/// let notice = Notice { text: "hello".to_owned() };
/// bindings.iot.publish(&bindings.admin, &notice).await?;
/// bindings.iot.publish(&bindings.user.topic("u1"), &notice).await?;
/// # Ok(())
/// # }
/// ```
pub struct IotData {
    #[cfg(feature = "iot")]
    client: aws_sdk_iotdataplane::Client,
}

/// A topic of IoT Core with messages of the type `M`, as JSON, with the operations `G` granted.
pub struct IotTopic<M, G: Grants<kind::IotTopic> = Publish> {
    #[cfg(feature = "iot")]
    name: String,
    grants: PhantomData<fn() -> (M, G)>,
}

/// All topics of IoT Core whose names start alike, with messages of the type `M`, such as one for each user.
pub struct IotTopicFamily<M, G: Grants<kind::IotTopic> = Publish> {
    #[cfg(feature = "iot")]
    prefix: String,
    grants: PhantomData<fn() -> (M, G)>,
}

/// Asks for the address of the account's broker.
///
/// IoT Core has no resource for it, so a stack fills the binding with the region in which it asks, and the role allows
/// the action on everything.
pub struct IotEndpoint {
    #[cfg(feature = "iot")]
    inner: endpoint::Asked,
}

impl Binding for IotData {
    const KIND: &'static str = "iot_data";
    const SUFFIX: &'static str = "_DATA_ENDPOINT";
}

impl<M, G: Grants<kind::IotTopic>> Binding for IotTopic<M, G> {
    const KIND: &'static str = "iot_topic";
    const SUFFIX: &'static str = "_TOPIC";
}

impl<M, G: Grants<kind::IotTopic>> Binding for IotTopicFamily<M, G> {
    const KIND: &'static str = "iot_topic_family";
    const SUFFIX: &'static str = "_TOPIC_PREFIX";
}

impl Binding for IotEndpoint {
    const KIND: &'static str = "iot_endpoint";
    const SUFFIX: &'static str = "_REGION";
}

impl fmt::Debug for IotData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IotData")
    }
}

impl<M, G: Grants<kind::IotTopic>> fmt::Debug for IotTopic<M, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut topic = f.debug_struct("IotTopic");
        #[cfg(feature = "iot")]
        topic.field("name", &self.name);
        topic.finish_non_exhaustive()
    }
}

impl<M, G: Grants<kind::IotTopic>> fmt::Debug for IotTopicFamily<M, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut family = f.debug_struct("IotTopicFamily");
        #[cfg(feature = "iot")]
        family.field("prefix", &self.prefix);
        family.finish_non_exhaustive()
    }
}

impl fmt::Debug for IotEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IotEndpoint")
    }
}
