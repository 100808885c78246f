//! WebSocket APIs: connections that stay open, over which both sides speak.

use std::panic::Location;

use stack_model_cfn::apigatewayv2 as cfn;
use stack_model_cfn::{ResourceId, Value};

use super::authorizer::invocation_uri;
use super::execute_arn;
use crate::contract::{Accepts, event};
use crate::handle::{Handle, get_att, reference};
use crate::lambda::FunctionRef;
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

mod stage;

pub use stage::{ConnectionOperation, WebSocketStageProps, WebSocketStageRef};

/// What a WebSocket API is made of.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api.html>.
#[derive(Clone, Debug, Default)]
pub struct WebSocketApiProps {
    /// The name that the console shows, up to 128 characters; names need not be unique. `<stack>-<stage>-<logical id>` by
    /// default.
    pub name: Option<Value<String>>,
    /// What the API is for.
    pub description: Option<String>,
    /// What of a message says which route it takes; `$request.body.action` by default.
    pub route_selection: Option<String>,
    /// Switches the address `{api}.execute-api.{region}.amazonaws.com` off, for an API with a domain of its own.
    pub disable_execute_api_endpoint: bool,
}

/// The handle of a WebSocket API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocketApiRef {
    id: ResourceId,
}

impl WebSocketApiRef {
    /// Returns the physical id, the first label of the API's host name.
    pub fn api_id(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the address of the API, which begins with `wss://`, without a stage.
    pub fn endpoint(&self) -> Value<String> {
        get_att(&self.id, "ApiEndpoint")
    }
}

impl Handle for WebSocketApiRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// Who may connect. There is no default: an API that anybody may connect to says so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectAuthorization {
    /// Anybody.
    None,
    /// Callers that sign with credentials of AWS and are allowed `execute-api:Invoke`.
    Iam,
    /// Callers that a function lets in.
    Function(WebSocketAuthorizerRef),
}

/// What a route of a WebSocket API is for. Who may speak is decided once, when the connection is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebSocketRoute {
    /// A new connection; without this route anybody may connect.
    Connect(ConnectAuthorization),
    /// A connection that ended.
    Disconnect,
    /// Messages that no other route is for, and those that are no JSON.
    Default,
    /// Messages whose selected part is this text.
    Action(String),
}

impl WebSocketRoute {
    fn key(&self) -> &str {
        match self {
            Self::Connect(_) => "$connect",
            Self::Disconnect => "$disconnect",
            Self::Default => "$default",
            Self::Action(action) => action,
        }
    }
}

/// The handle of a route of a WebSocket API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocketRouteRef {
    id: ResourceId,
    key: String,
}

impl WebSocketRouteRef {
    /// Returns the key.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl Handle for WebSocketRouteRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// Where the identity of who connects stands. Browsers cannot set headers of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebSocketIdentity {
    /// In a header.
    Header(String),
    /// In a parameter of the query.
    Query(String),
}

/// What an authorizer of a WebSocket API is made of.
///
/// See
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebSocketAuthorizerProps {
    /// What a connection must have, or is refused unasked.
    pub identity: Vec<WebSocketIdentity>,
}

/// The handle of an authorizer of a WebSocket API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocketAuthorizerRef {
    id: ResourceId,
    api: WebSocketApiRef,
}

impl Handle for WebSocketAuthorizerRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a WebSocket API.
    ///
    /// ```
    /// use stack_model::apigatewayv2::{
    ///     ConnectAuthorization, ConnectionOperation, WebSocketApiProps, WebSocketRoute, WebSocketStageProps,
    /// };
    /// use stack_model::contract::{Accepts, FunctionContract, Wired, event};
    /// use stack_model::lambda::FunctionProps;
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("chat");
    ///
    /// // A function package derives this.
    /// struct Chat;
    ///
    /// impl FunctionContract for Chat {
    ///     const PACKAGE: &'static str = "chat";
    ///     const BINARY: &'static str = "chat";
    /// }
    ///
    /// impl Accepts<event::WebSocketRequest> for Chat {}
    ///
    /// let chat = stack.function::<Chat>("Chat", Wired::new(Vec::new()), FunctionProps::default());
    /// let api = stack.websocket_api("Api", WebSocketApiProps::default());
    /// let connect = WebSocketRoute::Connect(ConnectAuthorization::Iam);
    /// stack.websocket_route("Connect", &api, connect, &chat);
    /// stack.websocket_route("Say", &api, WebSocketRoute::Action("say".to_owned()), &chat);
    /// let live = stack.websocket_stage("Live", &api, WebSocketStageProps::named("live"));
    /// stack.grant(chat.role(), live.statements(&[ConnectionOperation::Post]));
    /// stack.output("Url", live.url());
    /// # app.synth().unwrap_or_else(|violations| panic!("{violations}"));
    /// ```
    #[track_caller]
    pub fn websocket_api(&mut self, logical_id: &str, props: WebSocketApiProps) -> WebSocketApiRef {
        let source = Location::caller();
        self.check_api_name(logical_id, props.name.as_ref(), source);
        let selection = props
            .route_selection
            .unwrap_or_else(|| "$request.body.action".to_owned());
        if !selection.contains("$request.") && !selection.contains("${request.") {
            let message = format!(
                "`{selection}` selects no route: name a part of the message, such as `$request.body.action`"
            );
            let path = Some("Properties.RouteSelectionExpression");
            self.report(logical_id, path, message, source);
        }
        let api = cfn::Api {
            description: props.description.into(),
            disable_execute_api_endpoint: props.disable_execute_api_endpoint.then_some(true).into(),
            name: self.api_name(logical_id, props.name).into(),
            protocol_type: "WEBSOCKET".into(),
            route_selection_expression: selection.into(),
            ..cfn::Api::default()
        };
        WebSocketApiRef {
            id: self.insert(logical_id, Resource::of(&api, source)).id,
        }
    }

    /// Adds a route to a WebSocket API, with what it goes to: `<Id>Integration`, and the permission `<Id>Permission` to
    /// invoke the function. What the function returns goes nowhere.
    #[track_caller]
    pub fn websocket_route<F: Accepts<event::WebSocketRequest>>(
        &mut self,
        logical_id: &str,
        api: &WebSocketApiRef,
        route: WebSocketRoute,
        function: &FunctionRef<F>,
    ) -> WebSocketRouteRef {
        self.add_websocket_route(logical_id, api, route, function, false, Location::caller())
    }

    /// Adds a route to a WebSocket API whose function answers over the connection with what it returns, through
    /// `<Id>Response`.
    #[track_caller]
    pub fn websocket_answer<F: Accepts<event::WebSocketRequest>>(
        &mut self,
        logical_id: &str,
        api: &WebSocketApiRef,
        route: WebSocketRoute,
        function: &FunctionRef<F>,
    ) -> WebSocketRouteRef {
        self.add_websocket_route(logical_id, api, route, function, true, Location::caller())
    }

    fn add_websocket_route<F: Accepts<event::WebSocketRequest>>(
        &mut self,
        logical_id: &str,
        api: &WebSocketApiRef,
        route: WebSocketRoute,
        function: &FunctionRef<F>,
        answers: bool,
        source: &'static Location<'static>,
    ) -> WebSocketRouteRef {
        let key = route.key().to_owned();
        if let WebSocketRoute::Action(action) = &route
            && (action.is_empty() || action.starts_with('$') || action.len() > 128)
        {
            let message = format!(
                "`{action}` is not the key of a route: it has 1 to 128 characters and does not begin with `$`"
            );
            self.report(logical_id, Some("Properties.RouteKey"), message, source);
        }
        if let WebSocketRoute::Connect(ConnectAuthorization::Function(authorizer)) = &route
            && authorizer.api != *api
        {
            let message = "the authorizer belongs to another API: add one to this API";
            self.report(logical_id, Some("Properties.AuthorizerId"), message, source);
        }
        let sender = execute_arn(api.resource_id(), text!("*/{}", key.as_str()));
        self.permit_api(logical_id, function.arn(), sender, source);
        let integration = cfn::Integration {
            api_id: api.api_id().into(),
            integration_type: "AWS_PROXY".into(),
            integration_uri: invocation_uri(function).into(),
            ..cfn::Integration::default()
        };
        let integration = self.insert(
            &format!("{logical_id}Integration"),
            Resource::of(&integration, source),
        );
        let mut rendered = cfn::Route {
            api_id: api.api_id().into(),
            route_key: key.as_str().into(),
            route_response_selection_expression: answers.then(|| "$default".to_owned()).into(),
            target: text!("integrations/{}", integration.reference()).into(),
            ..cfn::Route::default()
        };
        if let WebSocketRoute::Connect(authorization) = route {
            rendered.authorization_type = match &authorization {
                ConnectAuthorization::None => "NONE",
                ConnectAuthorization::Iam => "AWS_IAM",
                ConnectAuthorization::Function(_) => "CUSTOM",
            }
            .into();
            if let ConnectAuthorization::Function(authorizer) = authorization {
                rendered.authorizer_id = reference::<String>(&authorizer.id).into();
            }
        }
        let id = self.insert(logical_id, Resource::of(&rendered, source)).id;
        if answers {
            let response = cfn::RouteResponse {
                api_id: api.api_id().into(),
                route_id: reference::<String>(&id).into(),
                route_response_key: "$default".into(),
                ..cfn::RouteResponse::default()
            };
            let id = format!("{logical_id}Response");
            self.insert(&id, Resource::of(&response, source));
        }
        WebSocketRouteRef { id, key }
    }

    /// Adds an authorizer that asks a function who may connect, and the permission `<Id>Permission` to do so.
    #[track_caller]
    pub fn websocket_authorizer<F: Accepts<event::RequestAuthorization>>(
        &mut self,
        logical_id: &str,
        api: &WebSocketApiRef,
        function: &FunctionRef<F>,
        props: WebSocketAuthorizerProps,
    ) -> WebSocketAuthorizerRef {
        let source = Location::caller();
        let sources: Vec<String> = props
            .identity
            .into_iter()
            .map(|identity| match identity {
                WebSocketIdentity::Header(name) => format!("route.request.header.{name}"),
                WebSocketIdentity::Query(name) => format!("route.request.querystring.{name}"),
            })
            .collect();
        let authorizer = cfn::Authorizer {
            api_id: api.api_id().into(),
            authorizer_type: "REQUEST".into(),
            authorizer_uri: invocation_uri(function).into(),
            identity_source: (!sources.is_empty())
                .then_some(sources)
                .map_or_else(Default::default, Into::into),
            name: logical_id.into(),
            ..cfn::Authorizer::default()
        };
        let id = self
            .insert(logical_id, Resource::of(&authorizer, source))
            .id;
        let sender = execute_arn(
            api.resource_id(),
            text!("authorizers/{}", reference::<String>(&id)),
        );
        self.permit_api(logical_id, function.arn(), sender, source);
        WebSocketAuthorizerRef {
            id,
            api: api.clone(),
        }
    }
}
