//! Requests and responses of an API with proxy integration.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Decode, Event, EventError};
use crate::base64;

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
    /// Returns the method and the path pattern, by which a function that serves several routes tells them apart.
    ///
    /// ```
    /// # use stack_bindings::ApiRequest;
    /// # let request = ApiRequest::default();
    /// match request.route() {
    ///     ("POST", "/user") => { /* make a user */ }
    ///     ("GET", "/user/{userid}") => { /* read one */ }
    ///     _ => { /* a route that the stack added, and nobody told the function */ }
    /// }
    /// ```
    pub fn route(&self) -> (&str, &str) {
        (&self.http_method, &self.resource)
    }

    /// Returns a header by its name, in whatever case it was sent.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Returns the value of a place in the path pattern, such as `id` of `/orders/{id}`.
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.path_parameters.get(name).map(String::as_str)
    }

    /// Returns a query parameter, the last value where it occurs several times.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query_string_parameters.get(name).map(String::as_str)
    }

    /// Returns whether the request has a query string.
    pub fn has_query(&self) -> bool {
        !self.query_string_parameters.is_empty()
    }

    /// Returns the id that API Gateway gave the request, which its logs name too.
    pub fn request_id(&self) -> Option<&str> {
        self.request_context["requestId"].as_str()
    }

    /// Returns a claim of the token that a user-pool authorizer has checked, such as `sub`.
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.request_context["authorizer"]["claims"][name].as_str()
    }

    /// Returns the values of a claim that is a list.
    ///
    /// They arrive as one text, separated by commas or spaces, and possibly in square brackets.
    pub fn claim_list(&self, name: &str) -> Vec<&str> {
        list(self.claim(name).unwrap_or_default())
    }

    /// Returns the groups of the user pool that the caller is in.
    pub fn groups(&self) -> Vec<&str> {
        self.claim_list("cognito:groups")
    }

    /// Returns the id of the identity-pool identity whose credentials signed the request, with IAM authorization.
    pub fn cognito_identity_id(&self) -> Option<&str> {
        self.request_context["identity"]["cognitoIdentityId"].as_str()
    }

    /// Returns a value that a Lambda authorizer of our own gave the request.
    pub fn authorized(&self, name: &str) -> Option<&str> {
        self.request_context["authorizer"][name].as_str()
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

pub(super) fn header<'a>(headers: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(header, _)| header.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// Takes a list apart that arrived as one text.
pub(super) fn list(text: &str) -> Vec<&str> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    bare.split([',', ' '])
        .filter(|value| !value.is_empty())
        .collect()
}

pub(super) fn decoded(body: &str, is_base64: bool) -> Option<Cow<'_, [u8]>> {
    if is_base64 {
        base64::decode(body).map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(body.as_bytes()))
    }
}

pub(super) fn json<T: DeserializeOwned>(
    bytes: Option<Cow<'_, [u8]>>,
) -> Result<T, serde_json::Error> {
    let bytes = bytes.ok_or_else(|| serde_json::Error::custom("the body is not Base64"))?;
    serde_json::from_slice(&bytes)
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
        // An authorizer is asked with the same fields, and says so in `type`.
        payload["httpMethod"].is_string()
            && payload["requestContext"].is_object()
            && !payload["type"].is_string()
    }
}

/// API Gateway and Cognito send `null` where there is nothing.
pub(crate) fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
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

    /// Makes a response whose body is a text.
    pub fn text(status_code: u16, body: impl Into<String>) -> Self {
        let mut response =
            Self::new(status_code).header("content-type", "text/plain; charset=utf-8");
        response.body = body.into();
        response
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }
}
