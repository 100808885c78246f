//! Authorizers: who decides whether a caller may call a method.

use std::panic::Location;

use stack_model_cfn::apigateway as cfn;
use stack_model_cfn::lambda::Permission;
use stack_model_cfn::{Pseudo, ResourceId, Value};

use super::RestApiRef;
use super::integration::invocation_uri;
use crate::arn::Arn;
use crate::cognito::{UserPool, UserPoolRef};
use crate::contract::{Accepts, event};
use crate::handle::{Handle, reference};
use crate::lambda::FunctionRef;
use crate::limit::Limited;
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

/// How long the answer of an authorizer is remembered for the same caller, in seconds; 0 forgets it at once.
pub type AuthorizerTtl = Limited<0, 3600>;

/// Who may call a method. There is no default: a method that anybody may call says so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authorization {
    /// Anybody.
    None,
    /// Callers that sign with credentials of AWS and are allowed `execute-api:Invoke`.
    Iam,
    /// Users of a user pool, by a token in the header that the authorizer names.
    ///
    /// Without scopes callers send an ID token; with scopes an access token that has one of them, or `aws.cognito.signin.user.admin`
    /// where they signed in by the API of Cognito itself. See
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html>.
    UserPool {
        /// The authorizer.
        authorizer: RestUserPoolAuthorizerRef,
        /// The scopes, one of which is enough; none for ID tokens.
        scopes: Vec<String>,
    },
    /// Callers that a function lets through.
    Function(RestFunctionAuthorizerRef),
}

impl Authorization {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Iam => "AWS_IAM",
            Self::UserPool { .. } => "COGNITO_USER_POOLS",
            Self::Function(_) => "CUSTOM",
        }
    }

    /// Lets users of a user pool call by their ID token.
    pub fn users(authorizer: &RestUserPoolAuthorizerRef) -> Self {
        Self::UserPool {
            authorizer: authorizer.clone(),
            scopes: Vec::new(),
        }
    }

    /// Lets users of a user pool call by an access token that has one of the scopes.
    pub fn scopes<S: Into<String>>(
        authorizer: &RestUserPoolAuthorizerRef,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::UserPool {
            authorizer: authorizer.clone(),
            scopes: scopes.into_iter().map(Into::into).collect(),
        }
    }

    pub(super) fn authorizer(&self) -> Option<(&ResourceId, &RestApiRef)> {
        match self {
            Self::None | Self::Iam => None,
            Self::UserPool { authorizer, .. } => Some((&authorizer.id, &authorizer.api)),
            Self::Function(authorizer) => Some((&authorizer.id, &authorizer.api)),
        }
    }
}

/// What an authorizer by user pools is made of.
///
/// User pools convert into it: `[&users]`. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-authorizer.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct UserPoolAuthorizerProps {
    pools: Vec<Value<Arn<UserPool>>>,
    /// The name, unique in the API; `<stack>-<logical id>` by default.
    pub name: Option<String>,
    /// The header that holds the token; `Authorization` by default. A `Bearer ` before the token is accepted.
    pub header: Option<String>,
    /// How long a token that was checked is not checked again; 5 minutes by default, which is AWS's.
    pub ttl: Option<AuthorizerTtl>,
}

impl UserPoolAuthorizerProps {
    /// Lets users of these pools call, which may also belong to others.
    pub fn pools(pools: impl IntoIterator<Item = Value<Arn<UserPool>>>) -> Self {
        Self {
            pools: pools.into_iter().collect(),
            name: None,
            header: None,
            ttl: None,
        }
    }
}

impl<const N: usize> From<[&UserPoolRef; N]> for UserPoolAuthorizerProps {
    fn from(pools: [&UserPoolRef; N]) -> Self {
        Self::pools(pools.map(UserPoolRef::arn))
    }
}

/// What an authorizer by a function that sees one token is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenAuthorizerProps {
    /// The name, unique in the API; `<stack>-<logical id>` by default.
    pub name: Option<String>,
    /// The header that holds the token; `Authorization` by default. Requests without it are answered with 401, and the
    /// function is not asked.
    pub header: Option<String>,
    /// A regular expression that the whole token must match before the function is asked.
    pub pattern: Option<String>,
    /// How long an answer of the function is remembered for the same token; 5 minutes by default, which is AWS's.
    ///
    /// A remembered answer decides about every method with this authorizer, so the function must answer for all of
    /// them, not only for the one that was called.
    pub ttl: Option<AuthorizerTtl>,
}

/// A part of a request by which callers are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentitySource {
    /// A header.
    Header(String),
    /// A parameter of the query string.
    Query(String),
    /// A stage variable.
    StageVariable(String),
    /// A value of `$context`, such as `identity.sourceIp`.
    Context(String),
}

impl IdentitySource {
    /// Names a header.
    pub fn header(name: impl Into<String>) -> Self {
        Self::Header(name.into())
    }

    /// Names a parameter of the query string.
    pub fn query(name: impl Into<String>) -> Self {
        Self::Query(name.into())
    }

    fn expression(&self) -> String {
        match self {
            Self::Header(name) => format!("method.request.header.{name}"),
            Self::Query(name) => format!("method.request.querystring.{name}"),
            Self::StageVariable(name) => format!("stageVariables.{name}"),
            Self::Context(name) => format!("context.{name}"),
        }
    }
}

/// What an authorizer by a function that sees the whole request is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestAuthorizerProps {
    sources: Vec<IdentitySource>,
    remembered: bool,
    /// The name, unique in the API; `<stack>-<logical id>` by default.
    pub name: Option<String>,
    /// How long an answer is remembered for the same identity; 5 minutes by default, which is AWS's.
    ///
    /// A remembered answer decides about every method with this authorizer, so the function must answer for all of
    /// them, not only for the one that was called.
    pub ttl: Option<AuthorizerTtl>,
}

impl RequestAuthorizerProps {
    /// Tells callers apart by parts of the request, all of which it must have: others are answered with 401, and the
    /// function is not asked.
    pub fn by(sources: impl IntoIterator<Item = IdentitySource>) -> Self {
        Self {
            sources: sources.into_iter().collect(),
            remembered: true,
            name: None,
            ttl: None,
        }
    }

    /// Asks the function about every request and remembers no answer.
    pub fn every_request() -> Self {
        Self {
            sources: Vec::new(),
            remembered: false,
            name: None,
            ttl: None,
        }
    }
}

/// The handle of an authorizer by user pools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestUserPoolAuthorizerRef {
    id: ResourceId,
    api: RestApiRef,
}

impl Handle for RestUserPoolAuthorizerRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// The handle of an authorizer by a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestFunctionAuthorizerRef {
    id: ResourceId,
    api: RestApiRef,
}

impl Handle for RestFunctionAuthorizerRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds an authorizer that lets users of user pools call.
    #[track_caller]
    pub fn rest_user_pool_authorizer(
        &mut self,
        logical_id: &str,
        api: &RestApiRef,
        pools: impl Into<UserPoolAuthorizerProps>,
    ) -> RestUserPoolAuthorizerRef {
        let source = Location::caller();
        let props = pools.into();
        if props.pools.is_empty() {
            let message = "the authorizer has no user pool, so nobody could call: name one";
            self.report(logical_id, Some("Properties.ProviderARNs"), message, source);
        }
        let arns = props.pools.into_iter().map(Value::into_text);
        let authorizer = cfn::Authorizer {
            identity_source: header(props.header).into(),
            name: self.authorizer_name(logical_id, props.name).into(),
            provider_arns: arns.collect::<Vec<_>>().into(),
            type_: "COGNITO_USER_POOLS".into(),
            ..self.authorizer(logical_id, api, props.ttl, source)
        };
        RestUserPoolAuthorizerRef {
            id: self
                .insert(logical_id, Resource::of(&authorizer, source))
                .id,
            api: api.clone(),
        }
    }

    /// Adds an authorizer that asks a function about the token of a request, and the permission `<Id>Permission` to do
    /// so.
    ///
    /// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html>.
    #[track_caller]
    pub fn rest_token_authorizer<F: Accepts<event::TokenAuthorization>>(
        &mut self,
        logical_id: &str,
        api: &RestApiRef,
        function: &FunctionRef<F>,
        props: TokenAuthorizerProps,
    ) -> RestFunctionAuthorizerRef {
        let source = Location::caller();
        let authorizer = cfn::Authorizer {
            authorizer_uri: invocation_uri(function).into(),
            identity_source: header(props.header).into(),
            identity_validation_expression: props.pattern.into(),
            name: self.authorizer_name(logical_id, props.name).into(),
            type_: "TOKEN".into(),
            ..self.authorizer(logical_id, api, props.ttl, source)
        };
        self.add_function_authorizer(logical_id, api, function, &authorizer, source)
    }

    /// Adds an authorizer that asks a function about whole requests, and the permission `<Id>Permission` to do so.
    ///
    /// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html>.
    #[track_caller]
    pub fn rest_request_authorizer<F: Accepts<event::RequestAuthorization>>(
        &mut self,
        logical_id: &str,
        api: &RestApiRef,
        function: &FunctionRef<F>,
        props: RequestAuthorizerProps,
    ) -> RestFunctionAuthorizerRef {
        let source = Location::caller();
        let ttl = if props.remembered {
            props.ttl
        } else {
            Some(0.into())
        };
        if props.sources.is_empty() && ttl.is_none_or(|ttl| ttl.get() > 0) {
            let message = "nothing tells callers apart, so one answer would be remembered for all of them: name identity sources, or ask about every request";
            self.report(
                logical_id,
                Some("Properties.IdentitySource"),
                message,
                source,
            );
        }
        let sources: Vec<String> = props
            .sources
            .iter()
            .map(IdentitySource::expression)
            .collect();
        let authorizer = cfn::Authorizer {
            authorizer_uri: invocation_uri(function).into(),
            identity_source: (!sources.is_empty()).then(|| sources.join(",")).into(),
            name: self.authorizer_name(logical_id, props.name).into(),
            type_: "REQUEST".into(),
            ..self.authorizer(logical_id, api, ttl, source)
        };
        self.add_function_authorizer(logical_id, api, function, &authorizer, source)
    }

    /// Starts the properties that every authorizer has.
    fn authorizer(
        &mut self,
        logical_id: &str,
        api: &RestApiRef,
        ttl: Option<AuthorizerTtl>,
        source: &Location<'_>,
    ) -> cfn::Authorizer {
        let path = "Properties.AuthorizerResultTtlInSeconds";
        self.check_limit(logical_id, path, ttl, source);
        cfn::Authorizer {
            authorizer_result_ttl_in_seconds: ttl.map(Limited::number).into(),
            rest_api_id: api.rest_api_id().into(),
            ..Default::default()
        }
    }

    /// Returns the name of an authorizer, which no other one of the API may have, in whatever stack it stands.
    fn authorizer_name(&self, logical_id: &str, name: Option<String>) -> String {
        name.unwrap_or_else(|| format!("{}-{logical_id}", self.id()))
    }

    fn add_function_authorizer<F>(
        &mut self,
        logical_id: &str,
        api: &RestApiRef,
        function: &FunctionRef<F>,
        authorizer: &cfn::Authorizer,
        source: &'static Location<'static>,
    ) -> RestFunctionAuthorizerRef {
        let id = self.insert(logical_id, Resource::of(authorizer, source)).id;
        let permission = Permission {
            action: "lambda:InvokeFunction".into(),
            function_name: function.arn().into_text().into(),
            principal: "apigateway.amazonaws.com".into(),
            source_arn: text!(
                "arn:{}:execute-api:{}:{}:{}/authorizers/{}",
                Pseudo::Partition,
                Pseudo::Region,
                Pseudo::AccountId,
                api.rest_api_id(),
                reference::<String>(&id)
            )
            .into(),
            ..Default::default()
        };
        self.insert(
            &format!("{logical_id}Permission"),
            Resource::of(&permission, source),
        );
        RestFunctionAuthorizerRef {
            id,
            api: api.clone(),
        }
    }
}

/// Returns where the token stands.
fn header(name: Option<String>) -> String {
    IdentitySource::Header(name.unwrap_or_else(|| "Authorization".to_owned())).expression()
}
