//! API Gateway: HTTP APIs and WebSocket APIs.
//!
//! An HTTP API is the lighter and cheaper kind: routes go to functions and services, browsers are answered by the API
//! itself, and what is added is live at once. Where keys, usage plans, validation, mapping templates or a cache are
//! needed, a [REST API](crate::apigateway) is the right one. A [WebSocket API](WebSocketApiRef) keeps connections open,
//! over which functions answer when they have something to say.
//!
//! Every logical id is written by the author; children get fixed suffixes:
//!
//! | child | logical id |
//! |---|---|
//! | what a route goes to | `<Route>Integration` |
//! | the permission of a route to invoke its function | `<Route>Permission` |
//! | the role with which a route calls a service | `<Route>Role` |
//! | the answer over the connection of a route | `<Route>Response` |
//! | the permission of an authorizer to ask its function | `<Authorizer>Permission` |
//!
//! ```
//! # use stack_model::{App, Stage};
//! use stack_model::apigatewayv2::{
//!     HttpApiProps, HttpCors, HttpIntegration, HttpStageProps, JwtAuthorizerProps, RequestPart,
//!     RouteAuthorization,
//! };
//! use stack_model::apigateway::{CorsOrigin, HttpMethod};
//! use stack_model::cognito::{UserPoolClientProps, UserPoolProps};
//! use stack_model::contract::{Accepts, FunctionContract, Wired, event};
//! use stack_model::lambda::FunctionProps;
//! use stack_model::route;
//! use stack_model::sqs::QueueProps;
//! # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
//! # let mut app = App::new(Stage::new(request));
//! # let mut stack = app.stack("orders");
//! # struct Order;
//!
//! // A function package derives this.
//! struct ReadOrder;
//!
//! impl FunctionContract for ReadOrder {
//!     const PACKAGE: &'static str = "orders";
//!     const BINARY: &'static str = "orders-read-order";
//! }
//!
//! impl Accepts<event::HttpRequest> for ReadOrder {}
//!
//! let read_order = stack.function::<ReadOrder>("ReadOrder", Wired::new(Vec::new()), FunctionProps::default());
//! let queue = stack.queue::<Order>("Queue", QueueProps::default());
//! let pool = stack.user_pool("Users", UserPoolProps::default());
//! let client = stack.user_pool_client("WebClient", &pool, UserPoolClientProps::default());
//!
//! let page = CorsOrigin::One { origin: "https://www.example.com".to_owned(), credentials: false };
//! let api = stack.http_api("Api", HttpApiProps {
//!     cors: Some(HttpCors {
//!         headers: vec!["authorization".to_owned(), "content-type".to_owned()],
//!         ..HttpCors::new(page, [HttpMethod::Get, HttpMethod::Post])
//!     }),
//!     ..HttpApiProps::default()
//! });
//! let users = stack.jwt_authorizer("ApiUsers", &api, JwtAuthorizerProps::users(&client));
//!
//! let read = HttpIntegration::lambda(&read_order);
//! stack.http_route("GetOrder", &api, route!("GET /orders/{id}"), RouteAuthorization::jwt(&users), read);
//! let submit = HttpIntegration::send_message(&queue, RequestPart::body());
//! stack.http_route("PostOrder", &api, route!("POST /orders"), RouteAuthorization::jwt(&users), submit);
//!
//! let live = stack.http_stage("Live", &api, HttpStageProps::default());
//! stack.output("Url", live.url());
//! # app.synth().unwrap_or_else(|violations| panic!("{violations}"));
//! ```

use std::panic::Location;

use stack_model_cfn::apigatewayv2 as cfn;
use stack_model_cfn::{Pseudo, ResourceId, Value};

use crate::handle::{Handle, get_att, reference};
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

mod authorizer;
mod check;
mod cors;
mod integration;
mod mapping;
mod route;
mod stage;
mod websocket;

pub use authorizer::{
    HttpAuthorizerTtl, HttpFunctionAuthorizerProps, HttpFunctionAuthorizerRef, JwtAuthorizerProps,
    JwtAuthorizerRef, RouteAuthorization,
};
pub(crate) use check::check;
pub use cors::{HttpCors, HttpCorsMaxAge};
pub use integration::{
    BusEntry, HttpIntegration, HttpTimeout, KinesisRecord, RequestPart, RouteRole,
};
pub use mapping::ApiPath;
pub use route::{HttpRouteRef, RouteKey};
pub use stage::{
    HttpAccessLogs, HttpStageProps, HttpStageRef, LogFormat, RouteSettings, StageName,
};
pub use websocket::{
    ConnectAuthorization, ConnectionOperation, WebSocketApiProps, WebSocketApiRef,
    WebSocketAuthorizerProps, WebSocketAuthorizerRef, WebSocketIdentity, WebSocketRoute,
    WebSocketRouteRef, WebSocketStageProps, WebSocketStageRef,
};

/// What an HTTP API is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-api.html>.
#[derive(Clone, Debug, Default)]
pub struct HttpApiProps {
    /// The name that the console shows, up to 128 characters; names need not be unique. `<stack>-<stage>-<logical id>` by
    /// default.
    pub name: Option<Value<String>>,
    /// What the API is for.
    pub description: Option<String>,
    /// Which web pages may call; none from elsewhere by default. The API answers browsers itself.
    pub cors: Option<HttpCors>,
    /// Switches the address `{api}.execute-api.{region}.amazonaws.com` off, for an API with a domain of its own.
    pub disable_execute_api_endpoint: bool,
}

/// The handle of an HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpApiRef {
    id: ResourceId,
}

impl HttpApiRef {
    /// Returns the physical id, the first label of the API's host name.
    pub fn api_id(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the address of the API, without a stage and a `/` at its end.
    pub fn endpoint(&self) -> Value<String> {
        get_att(&self.id, "ApiEndpoint")
    }

    /// Returns the ARN of requests: what a policy about `execute-api:Invoke` names.
    ///
    /// `stage` and `method` may be `*`; `path` starts with `/`. See
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html>.
    pub fn execute_arn(
        &self,
        stage: impl Into<Value<String>>,
        method: &str,
        path: &str,
    ) -> Value<String> {
        let stage = stage.into();
        execute_arn(&self.id, text!("{}/{}{}", stage, method, path))
    }
}

impl Handle for HttpApiRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds an HTTP API. Routes go live as they are added, in its [stage](Stack::http_stage).
    #[track_caller]
    pub fn http_api(&mut self, logical_id: &str, props: HttpApiProps) -> HttpApiRef {
        let source = Location::caller();
        self.check_api_name(logical_id, props.name.as_ref(), source);
        if let Some(message) = props.cors.as_ref().and_then(HttpCors::violation) {
            self.report(
                logical_id,
                Some("Properties.CorsConfiguration"),
                message,
                source,
            );
        }
        if let Some(age) = props.cors.as_ref().and_then(|cors| cors.max_age) {
            let path = "Properties.CorsConfiguration.MaxAge";
            self.check_limit(logical_id, path, Some(age), source);
        }
        let api = cfn::Api {
            cors_configuration: props.cors.map(HttpCors::render).into(),
            description: props.description.into(),
            disable_execute_api_endpoint: props.disable_execute_api_endpoint.then_some(true).into(),
            name: self.api_name(logical_id, props.name).into(),
            protocol_type: "HTTP".into(),
            ..cfn::Api::default()
        };
        HttpApiRef {
            id: self.insert(logical_id, Resource::of(&api, source)).id,
        }
    }

    /// Returns the name of an API, which API Gateway demands.
    fn api_name(&self, logical_id: &str, name: Option<Value<String>>) -> Value<String> {
        name.unwrap_or_else(|| format!("{}-{logical_id}", self.name()).into())
    }

    fn check_api_name(
        &mut self,
        logical_id: &str,
        name: Option<&Value<String>>,
        source: &Location<'_>,
    ) {
        let length = name
            .and_then(Value::literal)
            .map(|name| name.chars().count());
        if length.is_some_and(|length| length == 0 || length > 128) {
            let message = "the name of an API has 1 to 128 characters";
            self.report(logical_id, Some("Properties.Name"), message, source);
        }
    }
}

/// Returns the ARN of what stands behind the id of an API.
fn execute_arn(api: &ResourceId, rest: Value<String>) -> Value<String> {
    text!(
        "arn:{}:execute-api:{}:{}:{}/{}",
        Pseudo::Partition,
        Pseudo::Region,
        Pseudo::AccountId,
        reference::<String>(api),
        rest
    )
}
