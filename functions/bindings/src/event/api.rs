//! Requests and responses of an API with proxy integration.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Decode, Event, EventError};

/// A request of a REST API with proxy integration.
///
/// The shape is the "input format" of
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiRequest {
    /// The path pattern of the resource, such as `/orders/{id}`.
    pub resource: String,
    /// The path that was asked for.
    pub path: String,
    /// The method, in upper case.
    pub http_method: String,
    /// The headers, with the last value where one occurs several times.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The query parameters, with the last value where one occurs several times.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub query_string_parameters: BTreeMap<String, String>,
    /// The query parameters with all their values.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub multi_value_query_string_parameters: BTreeMap<String, Vec<String>>,
    /// The values of the places in the path pattern.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub path_parameters: BTreeMap<String, String>,
    /// The variables of the API's stage.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub stage_variables: BTreeMap<String, String>,
    /// What API Gateway knows about the request, such as the caller's identity.
    #[serde(default)]
    pub request_context: Value,
    /// The body as it was sent; Base64 where `is_base64_encoded` says so.
    pub body: Option<String>,
    /// Whether the body is Base64.
    #[serde(default)]
    pub is_base64_encoded: bool,
}

impl ApiRequest {
    /// Returns a header by its name, in whatever case it was sent.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    ///
    /// Fails where there is no body, or it is not JSON of the asked type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.body.as_deref().unwrap_or_default())
    }
}

impl Decode for ApiRequest {
    fn decode(payload: Value) -> Result<Self, EventError> {
        Self::deserialize(payload).map_err(EventError::Content)
    }
}

impl Event for ApiRequest {
    #[cfg(feature = "wiring")]
    type Sent = stack_model::contract::event::ApiRequest;

    fn recognises(payload: &Value) -> bool {
        payload["httpMethod"].is_string() && payload["requestContext"].is_object()
    }
}

/// API Gateway sends `null` where there is nothing.
fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The response to an [`ApiRequest`], in the "output format" of the same page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiResponse {
    /// The HTTP status.
    pub status_code: u16,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The body; Base64 where `is_base64_encoded` says so.
    pub body: String,
    /// Whether the body is Base64.
    pub is_base64_encoded: bool,
}

impl ApiResponse {
    /// Makes a response without a body.
    pub fn new(status_code: u16) -> Self {
        Self {
            status_code,
            headers: BTreeMap::new(),
            body: String::new(),
            is_base64_encoded: false,
        }
    }

    /// Makes a response whose body is the value as JSON.
    ///
    /// # Errors
    ///
    /// Fails where the value cannot be JSON, such as a map whose keys are not texts.
    pub fn json(status_code: u16, value: &impl Serialize) -> Result<Self, serde_json::Error> {
        let mut response = Self::new(status_code).header("content-type", "application/json");
        response.body = serde_json::to_string(value)?;
        Ok(response)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }
}
