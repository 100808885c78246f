//! Requests of a WebSocket API.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::api::{decoded, header, json, null_is_empty};
use super::{Decode, Event, EventError};

/// A connection, disconnection or message of a WebSocket API.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebSocketRequest {
    /// The headers, of a connection only.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The query parameters, of a connection only.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub query_string_parameters: BTreeMap<String, String>,
    /// The variables of the API's stage.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub stage_variables: BTreeMap<String, String>,
    /// What API Gateway knows about the connection.
    pub request_context: WebSocketContext,
    /// The message as it was sent; Base64 where `is_base64_encoded` says so.
    pub body: Option<String>,
    /// Whether the message is Base64.
    #[serde(default)]
    pub is_base64_encoded: bool,
}

/// What API Gateway knows about a connection.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebSocketContext {
    /// What happened on the connection.
    pub event_type: WebSocketEvent,
    /// The route that was chosen: `$connect`, `$disconnect`, `$default` or one of the API's own.
    pub route_key: String,
    /// The id of the connection, by which messages are sent back.
    pub connection_id: String,
    /// The host of the API.
    #[serde(default)]
    pub domain_name: String,
    /// The stage of the API.
    #[serde(default)]
    pub stage: String,
    /// The id that API Gateway gave the request.
    #[serde(default)]
    pub request_id: String,
    /// When the connection was made, in milliseconds since 1970.
    #[serde(default)]
    pub connected_at: i64,
    /// What the authorizer of the connection said.
    #[serde(default)]
    pub authorizer: Value,
}

/// What happened on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WebSocketEvent {
    /// Somebody wants to connect; an answer other than 200 refuses it.
    Connect,
    /// The connection has ended.
    Disconnect,
    /// A message has come.
    Message,
}

impl WebSocketRequest {
    /// Returns the route that was chosen.
    pub fn route(&self) -> &str {
        &self.request_context.route_key
    }

    /// Returns the id of the connection.
    pub fn connection_id(&self) -> &str {
        &self.request_context.connection_id
    }

    /// Returns a header of a connection by its name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Returns a query parameter of a connection.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query_string_parameters.get(name).map(String::as_str)
    }

    /// Returns the bytes of the message; `None` where it claims to be Base64 and is not.
    pub fn bytes(&self) -> Option<Cow<'_, [u8]>> {
        let body = self.body.as_deref().unwrap_or_default();
        decoded(body, self.is_base64_encoded)
    }

    /// Reads the message as JSON.
    ///
    /// # Errors
    ///
    /// Fails where there is no message, or it is not JSON of the asked type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        json(self.bytes())
    }
}

impl Decode for WebSocketRequest {
    fn decode(payload: Value) -> Result<Self, EventError> {
        Self::deserialize(payload).map_err(EventError::Content)
    }
}

impl Event for WebSocketRequest {
    #[cfg(feature = "wiring")]
    type Sent = stack_model::contract::event::WebSocketRequest;

    fn recognises(payload: &Value) -> bool {
        payload["requestContext"]["connectionId"].is_string()
            && payload["requestContext"]["eventType"].is_string()
            && !payload["type"].is_string()
    }
}

/// The response to a [`WebSocketRequest`]: whether a connection is let in, or what is sent back by a route that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebSocketResponse {
    /// The status; 200 lets a connection in.
    pub status_code: u16,
    /// What is sent back to the connection, where the route has a response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl WebSocketResponse {
    /// Says that all is well.
    pub fn ok() -> Self {
        Self::status(200)
    }

    /// Answers with a status.
    pub fn status(status_code: u16) -> Self {
        Self {
            status_code,
            body: None,
        }
    }

    /// Says that all is well, and sends the value back as JSON.
    ///
    /// # Errors
    ///
    /// Fails where the value cannot be JSON, such as a map whose keys are not texts.
    pub fn json(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self {
            status_code: 200,
            body: Some(serde_json::to_string(value)?),
        })
    }
}
