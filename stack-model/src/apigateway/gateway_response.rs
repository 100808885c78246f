//! Gateway responses: what callers get where no integration answers.

use std::collections::BTreeMap;
use std::panic::Location;

use stack_model_cfn::apigateway as cfn;
use stack_model_cfn::{ResourceId, Value};

use super::RestApiRef;
use super::cors::Cors;
use super::response::{JSON, StatusCode};
use crate::handle::Handle;
use crate::resource::Resource;
use crate::stack::Stack;

/// Why API Gateway itself answers a request.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-responses-types.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum GatewayError {
    /// An authorizer or policy refused the caller: 403.
    AccessDenied,
    /// The API is not set up rightly: 500.
    ApiConfiguration,
    /// The authorizer could not be asked, or its answer makes no sense: 500.
    AuthorizerConfiguration,
    /// The authorizer failed: 500.
    AuthorizerFailure,
    /// The body does not fit its model: 400.
    BadRequestBody,
    /// A required parameter is missing: 400.
    BadRequestParameters,
    /// Every error from 400 to 499 that has no response of its own.
    Default4xx,
    /// Every error from 500 to 599 that has no response of its own.
    Default5xx,
    /// The signature or token is too old: 403.
    ExpiredToken,
    /// The integration could not be reached: 504.
    IntegrationFailure,
    /// The integration took too long: 504.
    IntegrationTimeout,
    /// The API key is missing or unknown: 403.
    InvalidApiKey,
    /// The signature is wrong: 403.
    InvalidSignature,
    /// There is no such method, or it wants a signature and got none: 403.
    MissingAuthenticationToken,
    /// The quota of the usage plan is used up: 429.
    QuotaExceeded,
    /// The request is too large: 413.
    RequestTooLarge,
    /// The request got through the authorizer and there is no such resource: 404.
    ResourceNotFound,
    /// There are too many requests at once: 429.
    Throttled,
    /// The authorizer does not know the caller: 401.
    Unauthorized,
    /// No integration takes the media type: 415.
    UnsupportedMediaType,
    /// The web application firewall refused the request: 403.
    WafFiltered,
}

impl GatewayError {
    /// Returns the word that API Gateway uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "ACCESS_DENIED",
            Self::ApiConfiguration => "API_CONFIGURATION_ERROR",
            Self::AuthorizerConfiguration => "AUTHORIZER_CONFIGURATION_ERROR",
            Self::AuthorizerFailure => "AUTHORIZER_FAILURE",
            Self::BadRequestBody => "BAD_REQUEST_BODY",
            Self::BadRequestParameters => "BAD_REQUEST_PARAMETERS",
            Self::Default4xx => "DEFAULT_4XX",
            Self::Default5xx => "DEFAULT_5XX",
            Self::ExpiredToken => "EXPIRED_TOKEN",
            Self::IntegrationFailure => "INTEGRATION_FAILURE",
            Self::IntegrationTimeout => "INTEGRATION_TIMEOUT",
            Self::InvalidApiKey => "INVALID_API_KEY",
            Self::InvalidSignature => "INVALID_SIGNATURE",
            Self::MissingAuthenticationToken => "MISSING_AUTHENTICATION_TOKEN",
            Self::QuotaExceeded => "QUOTA_EXCEEDED",
            Self::RequestTooLarge => "REQUEST_TOO_LARGE",
            Self::ResourceNotFound => "RESOURCE_NOT_FOUND",
            Self::Throttled => "THROTTLED",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::WafFiltered => "WAF_FILTERED",
        }
    }
}

/// What callers get for one kind of error.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-gatewayresponse.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayResponseProps {
    error: GatewayError,
    /// The status; the one that API Gateway gives the error by default.
    pub status: Option<StatusCode>,
    /// Headers with fixed values.
    pub headers: BTreeMap<String, String>,
    /// The JSON body. `{"message": ".."}` with API Gateway's own message by default.
    pub body: Option<GatewayBody>,
}

impl GatewayResponseProps {
    /// Answers a kind of error as API Gateway does, until something else is set.
    pub fn to(error: GatewayError) -> Self {
        Self {
            error,
            status: None,
            headers: BTreeMap::new(),
            body: None,
        }
    }
}

/// The body of a gateway response. It is no mapping template: API Gateway puts variables in and evaluates nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayBody(String);

impl GatewayBody {
    /// Answers JSON, in which each text that is a variable as a whole, such as `$context.requestId`, is replaced.
    ///
    /// `$context.error.messageString` stands for the message in quotes, so it is written without any.
    pub fn json(json: &serde_json::Value) -> Self {
        Self(json.to_string().replace(
            r#""$context.error.messageString""#,
            "$context.error.messageString",
        ))
    }

    /// Answers `{"message": ".."}` with a fixed message.
    pub fn message(message: &str) -> Self {
        Self::json(&serde_json::json!({ "message": message }))
    }
}

/// The handle of a gateway response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayResponseRef {
    id: ResourceId,
}

impl Handle for GatewayResponseRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Decides what callers of an API get for one kind of error.
    #[track_caller]
    pub fn rest_gateway_response(
        &mut self,
        logical_id: &str,
        api: &RestApiRef,
        props: GatewayResponseProps,
    ) -> GatewayResponseRef {
        self.add_gateway_response(logical_id, api, props, Location::caller())
    }

    /// Lets pages read the errors that API Gateway answers itself: adds `<Id>4xx` and `<Id>5xx`, with the headers that
    /// the answers of methods get by [`RestResourceProps::cors`](super::RestResourceProps::cors).
    #[track_caller]
    pub fn rest_error_cors(
        &mut self,
        logical_id: &str,
        api: &RestApiRef,
        cors: &Cors,
    ) -> [GatewayResponseRef; 2] {
        let source = Location::caller();
        if let Some(message) = cors.violation() {
            self.report(logical_id, None, message, source);
        }
        if cors.template_prefix().is_some() {
            let message = "an error of API Gateway itself cannot choose among several origins: give one, or any";
            self.report(logical_id, None, message, source);
        }
        let headers = cors.error_headers();
        [
            ("4xx", GatewayError::Default4xx),
            ("5xx", GatewayError::Default5xx),
        ]
        .map(|(suffix, error)| {
            let props = GatewayResponseProps {
                headers: headers.clone(),
                ..GatewayResponseProps::to(error)
            };
            self.add_gateway_response(&format!("{logical_id}{suffix}"), api, props, source)
        })
    }

    fn add_gateway_response(
        &mut self,
        logical_id: &str,
        api: &RestApiRef,
        props: GatewayResponseProps,
        source: &'static Location<'static>,
    ) -> GatewayResponseRef {
        self.check_limit(logical_id, "Properties.StatusCode", props.status, source);
        let headers: BTreeMap<String, Value<String>> = props
            .headers
            .iter()
            .map(|(name, value)| {
                if value.contains('\'') {
                    let message = format!(
                        "the header `{name}` has an apostrophe, which API Gateway takes for its end"
                    );
                    let path = Some("Properties.ResponseParameters");
                    self.report(logical_id, path, message, source);
                }
                let key = format!("gatewayresponse.header.{name}");
                (key, format!("'{value}'").into())
            })
            .collect();
        let body = props
            .body
            .map(|body| BTreeMap::from([(JSON.to_owned(), Value::Literal(body.0))]));
        let response = cfn::GatewayResponse {
            response_parameters: (!headers.is_empty()).then_some(headers).into(),
            response_templates: body.into(),
            response_type: props.error.name().into(),
            rest_api_id: api.rest_api_id().into(),
            status_code: props.status.map(|status| status.get().to_string()).into(),
        };
        GatewayResponseRef {
            id: self.insert(logical_id, Resource::of(&response, source)).id,
        }
    }
}
