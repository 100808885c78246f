//! Who may call a route of an HTTP API.

use std::panic::Location;

use stack_model_cfn::apigatewayv2 as cfn;
use stack_model_cfn::{Pseudo, ResourceId, Value};

use super::HttpApiRef;
use crate::cognito::UserPoolClientRef;
use crate::contract::{Accepts, event};
use crate::handle::{Handle, reference};
use crate::lambda::FunctionRef;
use crate::limit::Limited;
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

/// How long the answer of an authorizer is remembered for the same caller, in seconds; 0 forgets it at once.
pub type HttpAuthorizerTtl = Limited<0, 3600>;

/// Who may call a route. There is no default: a route that anybody may call says so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteAuthorization {
    /// Anybody.
    None,
    /// Callers that sign with credentials of AWS and are allowed `execute-api:Invoke`.
    Iam,
    /// Callers with a token that its issuer signed.
    Jwt {
        /// The authorizer.
        authorizer: JwtAuthorizerRef,
        /// Scopes of which the token must have one; none by default.
        scopes: Vec<String>,
    },
    /// Callers that a function lets in.
    Function(HttpFunctionAuthorizerRef),
}

impl RouteAuthorization {
    /// Callers with a token that its issuer signed, whatever its scopes are.
    pub fn jwt(authorizer: &JwtAuthorizerRef) -> Self {
        Self::Jwt {
            authorizer: authorizer.clone(),
            scopes: Vec::new(),
        }
    }

    /// Callers with a token that has one of the given scopes.
    pub fn scopes<S: Into<String>>(
        authorizer: &JwtAuthorizerRef,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::Jwt {
            authorizer: authorizer.clone(),
            scopes: scopes.into_iter().map(Into::into).collect(),
        }
    }

    /// Callers that a function lets in.
    pub fn function(authorizer: &HttpFunctionAuthorizerRef) -> Self {
        Self::Function(authorizer.clone())
    }

    /// Returns the API of the authorizer.
    pub(super) fn api(&self) -> Option<&HttpApiRef> {
        match self {
            Self::None | Self::Iam => None,
            Self::Jwt { authorizer, .. } => Some(&authorizer.api),
            Self::Function(authorizer) => Some(&authorizer.api),
        }
    }

    pub(super) fn apply(self, route: &mut cfn::Route) {
        match self {
            // Written out, so that a reader of the template and the plan see it.
            Self::None => route.authorization_type = "NONE".into(),
            Self::Iam => route.authorization_type = "AWS_IAM".into(),
            Self::Jwt { authorizer, scopes } => {
                route.authorization_type = "JWT".into();
                route.authorizer_id = reference::<String>(&authorizer.id).into();
                route.authorization_scopes = (!scopes.is_empty())
                    .then_some(scopes)
                    .map_or_else(Default::default, Into::into);
            }
            Self::Function(authorizer) => {
                route.authorization_type = "CUSTOM".into();
                route.authorizer_id = reference::<String>(&authorizer.id).into();
            }
        }
    }
}

/// What an authorizer by tokens is made of.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct JwtAuthorizerProps {
    /// The address of the issuer, as the tokens name it.
    pub issuer: Value<String>,
    /// For whom the tokens are meant, of whom one is enough.
    pub audience: Vec<Value<String>>,
    /// The header that holds the token, with or without `Bearer ` before it; `Authorization` by default.
    pub header: Option<String>,
}

impl JwtAuthorizerProps {
    /// Lets users in that signed in to an application of a user pool.
    pub fn users(client: &UserPoolClientRef) -> Self {
        Self::issued_by(client.user_pool().provider_url(), [client.id()])
    }

    /// Lets callers in with a token of an issuer, which is the address whose `/.well-known/openid-configuration` says
    /// how it signs, for one of the audiences.
    pub fn issued_by<A: Into<Value<String>>>(
        issuer: impl Into<Value<String>>,
        audience: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into_iter().map(Into::into).collect(),
            header: None,
        }
    }
}

/// What an authorizer by a function is made of.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpFunctionAuthorizerProps {
    /// The headers, such as `Authorization`, without which a request is refused unasked. They tell callers apart whose
    /// answers are remembered.
    pub headers: Vec<String>,
    /// How long an answer is remembered; not at all by default, which is AWS's.
    pub ttl: Option<HttpAuthorizerTtl>,
}

impl Default for HttpFunctionAuthorizerProps {
    /// Asks about every request that has a header `Authorization`.
    fn default() -> Self {
        Self {
            headers: vec!["Authorization".to_owned()],
            ttl: None,
        }
    }
}

/// The handle of an authorizer by tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtAuthorizerRef {
    id: ResourceId,
    api: HttpApiRef,
}

impl Handle for JwtAuthorizerRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// The handle of an authorizer of an HTTP API by a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpFunctionAuthorizerRef {
    id: ResourceId,
    api: HttpApiRef,
}

impl Handle for HttpFunctionAuthorizerRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds an authorizer that lets callers in whose token its issuer signed.
    #[track_caller]
    pub fn jwt_authorizer(
        &mut self,
        logical_id: &str,
        api: &HttpApiRef,
        props: JwtAuthorizerProps,
    ) -> JwtAuthorizerRef {
        let source = Location::caller();
        if props.audience.is_empty() {
            let message = "the authorizer has no audience, so it would take tokens that are meant for others: name one";
            let path = Some("Properties.JwtConfiguration.Audience");
            self.report(logical_id, path, message, source);
        }
        if props
            .issuer
            .literal()
            .is_some_and(|issuer| !issuer.starts_with("https://"))
        {
            let message = "the issuer is an address that begins with `https://`";
            let path = Some("Properties.JwtConfiguration.Issuer");
            self.report(logical_id, path, message, source);
        }
        let header = props.header.as_deref().unwrap_or("Authorization");
        let authorizer = cfn::Authorizer {
            api_id: api.api_id().into(),
            authorizer_type: "JWT".into(),
            identity_source: [format!("$request.header.{header}")].into(),
            jwt_configuration: cfn::authorizer::JWTConfiguration {
                audience: Some(props.audience).into(),
                issuer: props.issuer.into(),
            }
            .into(),
            name: logical_id.into(),
            ..cfn::Authorizer::default()
        };
        JwtAuthorizerRef {
            id: self
                .insert(logical_id, Resource::of(&authorizer, source))
                .id,
            api: api.clone(),
        }
    }

    /// Adds an authorizer that asks a function about requests, and the permission `<Id>Permission` to do so.
    #[track_caller]
    pub fn http_function_authorizer<F: Accepts<event::HttpAuthorization>>(
        &mut self,
        logical_id: &str,
        api: &HttpApiRef,
        function: &FunctionRef<F>,
        props: HttpFunctionAuthorizerProps,
    ) -> HttpFunctionAuthorizerRef {
        let source = Location::caller();
        let path = "Properties.AuthorizerResultTtlInSeconds";
        self.check_limit(logical_id, path, props.ttl, source);
        if props.headers.is_empty() && props.ttl.is_some_and(|ttl| ttl.get() > 0) {
            let message = "nothing tells callers apart, so one answer would be remembered for all of them: name headers, or ask about every request";
            self.report(
                logical_id,
                Some("Properties.IdentitySource"),
                message,
                source,
            );
        }
        let sources: Vec<String> = props
            .headers
            .into_iter()
            .map(|header| format!("$request.header.{header}"))
            .collect();
        let authorizer = cfn::Authorizer {
            api_id: api.api_id().into(),
            authorizer_payload_format_version: "2.0".into(),
            authorizer_result_ttl_in_seconds: props.ttl.map(Limited::number).into(),
            authorizer_type: "REQUEST".into(),
            authorizer_uri: invocation_uri(function).into(),
            enable_simple_responses: true.into(),
            identity_source: (!sources.is_empty())
                .then_some(sources)
                .map_or_else(Default::default, Into::into),
            name: logical_id.into(),
            ..cfn::Authorizer::default()
        };
        let id = self
            .insert(logical_id, Resource::of(&authorizer, source))
            .id;
        let sender = super::execute_arn(
            api.resource_id(),
            text!("authorizers/{}", reference::<String>(&id)),
        );
        self.permit_api(logical_id, function.arn(), sender, source);
        HttpFunctionAuthorizerRef {
            id,
            api: api.clone(),
        }
    }
}

/// Returns the address under which API Gateway invokes a function.
pub(super) fn invocation_uri<F>(function: &FunctionRef<F>) -> Value<String> {
    text!(
        "arn:{}:apigateway:{}:lambda:path/2015-03-31/functions/{}/invocations",
        Pseudo::Partition,
        Pseudo::Region,
        function.arn()
    )
}
