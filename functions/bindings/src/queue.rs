//! Queues of SQS.

#[cfg(feature = "queue")]
mod batch;
#[cfg(feature = "queue")]
mod client;

use std::fmt;
use std::marker::PhantomData;

use crate::binding::Binding;
use crate::grant::Grants;
use crate::kind;

#[cfg(feature = "queue")]
pub use batch::{BatchMessage, SendFailure, SentBatch};
#[cfg(feature = "queue")]
pub use client::{QueueAttributes, Received, SendMessage, Sent};

/// A queue of messages with bodies of the type `M`, as JSON, with the operations `G` granted.
pub struct Queue<M, G: Grants<kind::Queue>> {
    #[cfg(feature = "queue")]
    client: aws_sdk_sqs::Client,
    #[cfg(feature = "queue")]
    url: String,
    grants: PhantomData<fn() -> (M, G)>,
}

impl<M, G: Grants<kind::Queue>> Binding for Queue<M, G> {
    const KIND: &'static str = "queue";
    const SUFFIX: &'static str = "_URL";
}

impl<M, G: Grants<kind::Queue>> fmt::Debug for Queue<M, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut queue = f.debug_struct("Queue");
        #[cfg(feature = "queue")]
        queue.field("url", &self.url);
        queue.finish_non_exhaustive()
    }
}
