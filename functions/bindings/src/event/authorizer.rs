//! Questions of authorizers, and answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::{header, null_is_empty};
use super::{Decode, Event, EventError};

/// A question of a token authorizer of a REST API: may the bearer of this token call this method?
///
/// The shapes are those of
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html>. It is
/// answered with a [`MethodPolicy`]; an error of the handler with the text `Unauthorized` is answered with 401.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenAuthorization {
    /// The token as it was sent, perhaps with `Bearer ` in front.
    pub authorization_token: String,
    /// The ARN of the method that is called.
    pub method_arn: String,
}

/// A question of a request authorizer of a REST or WebSocket API, which shows the whole request.
///
/// It is answered with a [`MethodPolicy`].
#[derive(Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestAuthorization {
    /// The ARN of the method or route that is called.
    pub method_arn: String,
    /// The path pattern of the resource; empty in a WebSocket API.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub resource: String,
    /// The path that was asked for.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub path: String,
    /// The method, in upper case.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub http_method: String,
    /// The headers.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The query parameters.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub query_string_parameters: BTreeMap<String, String>,
    /// The values of the places in the path pattern.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub path_parameters: BTreeMap<String, String>,
    /// The variables of the API's stage.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub stage_variables: BTreeMap<String, String>,
    /// What API Gateway knows about the request.
    #[serde(default)]
    pub request_context: Value,
}

/// A question of an authorizer of an HTTP API, in the payload format 2.0 with simple answers.
///
/// The shape is that of
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>. It is answered with
/// a [`SimpleAnswer`].
#[derive(Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpAuthorization {
    /// The ARN of the route that is called.
    pub route_arn: String,
    /// What the caller was asked to identify itself by, such as the token.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub identity_source: Vec<String>,
    /// The route, such as `GET /orders/{id}`.
    #[serde(default)]
    pub route_key: String,
    /// The path that was asked for.
    #[serde(default)]
    pub raw_path: String,
    /// The headers, in lower case.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The query parameters.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub query_string_parameters: BTreeMap<String, String>,
    /// The values of the places in the path of the route.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub path_parameters: BTreeMap<String, String>,
    /// What API Gateway knows about the request.
    #[serde(default)]
    pub request_context: Value,
}

/// Shows what is asked for, and no token: who logs a question would log the caller's credentials.
macro_rules! discreet {
    ($($name:ident $shown:ident;)+) => {
        $(
            impl std::fmt::Debug for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.debug_struct(stringify!($name))
                        .field(stringify!($shown), &self.$shown)
                        .finish_non_exhaustive()
                }
            }
        )+
    };
}

discreet! {
    TokenAuthorization method_arn;
    RequestAuthorization method_arn;
    HttpAuthorization route_arn;
}

impl TokenAuthorization {
    /// Returns the token without `Bearer ` in front.
    pub fn token(&self) -> &str {
        let token = self.authorization_token.trim();
        match token.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start(),
            _ => token,
        }
    }
}

impl RequestAuthorization {
    /// Returns a header by its name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

impl HttpAuthorization {
    /// Returns a header by its name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

macro_rules! questions {
    ($($name:ident: $recognised:expr;)+) => {
        $(
            impl Decode for $name {
                fn decode(payload: Value) -> Result<Self, EventError> {
                    Self::deserialize(payload).map_err(EventError::Content)
                }
            }

            impl Event for $name {
                #[cfg(feature = "wiring")]
                type Sent = stack_model::contract::event::$name;

                fn recognises(payload: &Value) -> bool {
                    let recognised: fn(&Value) -> bool = $recognised;
                    recognised(payload)
                }
            }
        )+
    };
}

questions! {
    TokenAuthorization: |payload| payload["type"] == "TOKEN";
    RequestAuthorization: |payload| payload["type"] == "REQUEST" && payload["methodArn"].is_string();
    HttpAuthorization: |payload| payload["type"] == "REQUEST" && payload["routeArn"].is_string();
}

/// The answer to a question about methods of a REST or WebSocket API: who the caller is, and which methods it may call.
///
/// API Gateway keeps the answer for some minutes and uses it for other methods, too, so an answer about only the method
/// that was asked for refuses the others; see
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html>.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodPolicy {
    principal_id: String,
    policy_document: PolicyDocument,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    context: BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_identifier_key: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyDocument {
    version: &'static str,
    statement: Vec<Value>,
}

impl MethodPolicy {
    /// Knows the caller by this name, and allows nothing yet.
    pub fn of(principal_id: impl Into<String>) -> Self {
        Self {
            principal_id: principal_id.into(),
            policy_document: PolicyDocument {
                version: "2012-10-17",
                statement: Vec::new(),
            },
            context: BTreeMap::new(),
            usage_identifier_key: None,
        }
    }

    /// Allows the methods with this ARN, which may have wildcards.
    #[must_use]
    pub fn allow(self, method_arn: impl Into<String>) -> Self {
        self.with("Allow", &method_arn.into())
    }

    /// Denies the methods with this ARN, which may have wildcards; the caller gets 403.
    #[must_use]
    pub fn deny(self, method_arn: impl Into<String>) -> Self {
        self.with("Deny", &method_arn.into())
    }

    /// Adds a value that the function behind the method reads with [`ApiRequest::authorized`](crate::ApiRequest::authorized).
    #[must_use]
    pub fn context(mut self, name: impl Into<String>, value: impl Into<ContextValue>) -> Self {
        self.context.insert(name.into(), value.into().0);
        self
    }

    /// Names the API key by which the call counts, where the usage plan takes keys from the authorizer.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.usage_identifier_key = Some(key.into());
        self
    }

    fn with(mut self, effect: &'static str, method_arn: &str) -> Self {
        self.policy_document.statement.push(json!({
            "Action": "execute-api:Invoke",
            "Effect": effect,
            "Resource": method_arn,
        }));
        self
    }
}

/// A value that an authorizer hands on: a text, a number or a boolean. API Gateway refuses lists and objects.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextValue(Value);

macro_rules! context_values {
    ($($name:ty),+) => {
        $(
            impl From<$name> for ContextValue {
                fn from(value: $name) -> Self {
                    Self(value.into())
                }
            }
        )+
    };
}

context_values!(&str, String, bool, i32, i64, u32, u64, f64);

/// The answer to a question about a route of an HTTP API.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SimpleAnswer {
    is_authorized: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    context: BTreeMap<String, Value>,
}

impl SimpleAnswer {
    /// Lets the caller in.
    pub fn allow() -> Self {
        Self {
            is_authorized: true,
            context: BTreeMap::new(),
        }
    }

    /// Refuses the caller, who gets 403.
    pub fn deny() -> Self {
        Self {
            is_authorized: false,
            context: BTreeMap::new(),
        }
    }

    /// Adds a value that the function behind the route reads with
    /// [`HttpRequest::authorized`](crate::HttpRequest::authorized); it may be a list or an object here.
    #[must_use]
    pub fn context(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.context.insert(name.into(), value.into());
        self
    }
}
