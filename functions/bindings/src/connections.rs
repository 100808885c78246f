//! Connections of a WebSocket API.

use std::fmt;
use std::marker::PhantomData;

use crate::binding::Binding;
use crate::grant::Grants;
use crate::kind;
use crate::operation::Send;

/// The connections of a stage of a WebSocket API, to which messages of the type `M` go, as JSON, with the operations `G`
/// granted.
pub struct Connections<M, G: Grants<kind::Connections> = Send> {
    #[cfg(feature = "connections")]
    client: aws_sdk_apigatewaymanagement::Client,
    grants: PhantomData<fn() -> (M, G)>,
}

impl<M, G: Grants<kind::Connections>> Binding for Connections<M, G> {
    const KIND: &'static str = "connections";
    const SUFFIX: &'static str = "_URL";
}

impl<M, G: Grants<kind::Connections>> fmt::Debug for Connections<M, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connections")
    }
}

#[cfg(feature = "connections")]
mod client {
    use std::marker::PhantomData;

    use aws_sdk_apigatewaymanagement::primitives::Blob;
    use serde::Serialize;

    use super::Connections;
    use crate::environment::{Connect, Environment, VariableFault};
    use crate::error::{CallError, Reason};
    use crate::grant::{Allows, Grants};
    use crate::kind;
    use crate::operation::{Delete, Get, Send};

    impl<M, G: Grants<kind::Connections>> Connect for Connections<M, G> {
        fn connect(environment: &Environment, value: &str) -> Result<Self, VariableFault> {
            // The URL is the API's own, so no endpoint of one's own can stand for it.
            let config = aws_sdk_apigatewaymanagement::config::Builder::from(environment.sdk())
                .endpoint_url(value)
                .build();
            Ok(Self::with_client(
                aws_sdk_apigatewaymanagement::Client::from_conf(config),
            ))
        }
    }

    impl<M, G: Grants<kind::Connections>> Connections<M, G> {
        /// Sends through the given client, for tests.
        pub fn with_client(client: aws_sdk_apigatewaymanagement::Client) -> Self {
            Self {
                client,
                grants: PhantomData,
            }
        }

        /// Sends a message to a connection.
        ///
        /// # Errors
        ///
        /// Fails with [`Reason::NotFound`] where the connection has ended.
        pub async fn send<At>(&self, connection_id: &str, message: &M) -> Result<(), CallError>
        where
            M: Serialize,
            G: Allows<Send, At>,
        {
            const ACTION: &str = "send a message to";
            let resource = described(connection_id);
            let message = serde_json::to_vec(message).map_err(|error| {
                CallError::new(ACTION, &resource, Reason::Encode).caused_by(error)
            })?;
            self.client
                .post_to_connection()
                .connection_id(connection_id)
                .data(Blob::new(message))
                .send()
                .await
                .map(|_| ())
                .map_err(|error| CallError::from_sdk(ACTION, &resource, error))
        }

        /// Says whether a connection is still there.
        ///
        /// # Errors
        ///
        /// Fails where the API cannot be asked.
        pub async fn is_there<At>(&self, connection_id: &str) -> Result<bool, CallError>
        where
            G: Allows<Get, At>,
        {
            let request = self.client.get_connection().connection_id(connection_id);
            match request.send().await {
                Ok(_) => Ok(true),
                Err(error) => {
                    let error = CallError::from_sdk("ask for", &described(connection_id), error);
                    match error.reason() {
                        Reason::NotFound => Ok(false),
                        _ => Err(error),
                    }
                }
            }
        }

        /// Ends a connection. Ending one that has ended fails with [`Reason::NotFound`].
        pub async fn delete<At>(&self, connection_id: &str) -> Result<(), CallError>
        where
            G: Allows<Delete, At>,
        {
            let request = self.client.delete_connection().connection_id(connection_id);
            let sent = request.send().await;
            sent.map(|_| ())
                .map_err(|error| CallError::from_sdk("end", &described(connection_id), error))
        }
    }

    fn described(connection_id: &str) -> String {
        format!("connection `{connection_id}`")
    }
}
