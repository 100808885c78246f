//! Requests of an HTTP API.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::api::{decoded, header, json, list, null_is_empty};
use super::{Decode, Event, EventError};

/// A request of an HTTP API, in the payload format 2.0.
///
/// The shape is that of
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRequest {
    /// The route, such as `GET /orders/{id}` or `$default`.
    pub route_key: String,
    /// The path that was asked for, with the stage where it is not `$default`.
    pub raw_path: String,
    /// The query string as it was sent.
    #[serde(default)]
    pub raw_query_string: String,
    /// The headers, in lower case; several values are separated by commas.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The cookies, each as `name=value`.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub cookies: Vec<String>,
    /// The query parameters; several values are separated by commas.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub query_string_parameters: BTreeMap<String, String>,
    /// The values of the places in the path of the route.
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

impl HttpRequest {
    /// Returns the method, in upper case.
    pub fn method(&self) -> &str {
        self.request_context["http"]["method"]
            .as_str()
            .unwrap_or_default()
    }

    /// Returns a header by its name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Returns the value of a place in the path of the route, such as `id` of `/orders/{id}`.
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.path_parameters.get(name).map(String::as_str)
    }

    /// Returns a query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query_string_parameters.get(name).map(String::as_str)
    }

    /// Returns the id that API Gateway gave the request.
    pub fn request_id(&self) -> Option<&str> {
        self.request_context["requestId"].as_str()
    }

    /// Returns a claim of the token that a JWT authorizer has checked, such as `sub`.
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.request_context["authorizer"]["jwt"]["claims"][name].as_str()
    }

    /// Returns the values of a claim that is a list; they arrive as one text in square brackets.
    pub fn claim_list(&self, name: &str) -> Vec<&str> {
        list(self.claim(name).unwrap_or_default())
    }

    /// Returns the groups of the user pool that the caller is in.
    pub fn groups(&self) -> Vec<&str> {
        self.claim_list("cognito:groups")
    }

    /// Returns a value that a Lambda authorizer of our own gave the request.
    pub fn authorized(&self, name: &str) -> Option<&Value> {
        self.request_context["authorizer"]["lambda"].get(name)
    }

    /// Returns the bytes of the body; `None` where it claims to be Base64 and is not.
    pub fn bytes(&self) -> Option<Cow<'_, [u8]>> {
        let body = self.body.as_deref().unwrap_or_default();
        decoded(body, self.is_base64_encoded)
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    ///
    /// Fails where there is no body, or it is not JSON of the asked type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        json(self.bytes())
    }
}

impl Decode for HttpRequest {
    fn decode(payload: Value) -> Result<Self, EventError> {
        Self::deserialize(payload).map_err(EventError::Content)
    }
}

impl Event for HttpRequest {
    #[cfg(feature = "wiring")]
    type Sent = stack_model::contract::event::HttpRequest;

    fn recognises(payload: &Value) -> bool {
        // An authorizer is asked with the same fields, and says so in `type`.
        payload["requestContext"]["http"].is_object() && !payload["type"].is_string()
    }
}

/// The response to an [`HttpRequest`], in the payload format 2.0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpResponse {
    /// The HTTP status.
    pub status_code: u16,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The cookies that the browser is to keep, each as the value of a `Set-Cookie` header.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cookies: Vec<String>,
    /// The body; Base64 where `is_base64_encoded` says so.
    pub body: String,
    /// Whether the body is Base64.
    pub is_base64_encoded: bool,
}

impl HttpResponse {
    /// Makes a response without a body.
    pub fn new(status_code: u16) -> Self {
        Self {
            status_code,
            headers: BTreeMap::new(),
            cookies: Vec::new(),
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

    /// Adds a cookie, such as `session=7; Secure; HttpOnly`.
    #[must_use]
    pub fn cookie(mut self, cookie: impl Into<String>) -> Self {
        self.cookies.push(cookie.into());
        self
    }
}
