//! API Gateway: REST APIs.
//!
//! An API is added with [`Stack::rest_api`], the segments of its paths with [`Stack::rest_resource`], what they answer
//! with [`Stack::rest_method`], and the stage under which it is called with [`Stack::rest_stage`]. Every logical id is
//! written by the author; children get fixed suffixes:
//!
//! | child | logical id |
//! |---|---|
//! | the deployment of an API | `<Api>Deployment` and ten digits that follow the content |
//! | the deployment of a stage in another stack that adds to its API | `<Stage>Deployment` and ten digits |
//! | the permission of a method to invoke its function | `<Method>Permission` |
//! | the permission of an authorizer to ask its function | `<Authorizer>Permission` |
//! | the preflight of a resource | `<Resource>Preflight` |
//! | the log group of a stage's execution logs | `<Stage>ExecutionLogs` |
//!
//! A deployment is a snapshot: what is added to an API is not live before a new deployment is made. The deployment
//! of an API therefore waits for everything that belongs to the API and gets a new logical id whenever any of it
//! changes, so that each change goes live, and only then.
//!
//! An API can be spread over several stacks: the handles of its resources work in every stack of the app. Each stack that
//! adds to it gets a deployment of its own, and the last one to be deployed shows the parts of all. What a stack added
//! stays visible when that stack is deleted, until any other stack of the API is deployed again with a change.
//!
//! What a method does is an [`Integration`]: with a function, with the action of a service ([`ServiceCall`]), or with
//! nobody. Who may call it is its [`Authorization`]. Mapping templates are values ([`JsonTemplate`]) that escape whatever
//! a caller sends.
//!
//! ```
//! # use stack_model::{App, Stage};
//! use stack_model::apigateway::{
//!     Authorization, Credentials, HttpMethod, Integration, JsonTemplate, MethodProps, RequestValue,
//!     RestApiProps, ServiceCall, StageProps,
//! };
//! use stack_model::contract::{KeyAttribute, KeyKind, TableItem, TableSchema};
//! use stack_model::dynamodb::TableProps;
//! use stack_model::iam::RoleProps;
//! use stack_model::sqs::QueueProps;
//! # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
//! # let mut app = App::new(Stage::new(request));
//! # let mut stack = app.stack("orders");
//!
//! // A function package derives this.
//! struct Order;
//!
//! impl TableItem for Order {
//!     fn schema() -> TableSchema {
//!         TableSchema {
//!             partition_key: KeyAttribute { name: "id".to_owned(), kind: KeyKind::String },
//!             sort_key: None,
//!             indexes: Vec::new(),
//!             time_to_live: None,
//!         }
//!     }
//! }
//!
//! let table = stack.table::<Order>("OrdersTable", TableProps::default());
//! let queue = stack.queue::<Order>("Queue", QueueProps::default());
//! let role = stack.role("CallerRole", RoleProps::for_service("apigateway.amazonaws.com"));
//!
//! let api = stack.rest_api("Api", RestApiProps::default());
//! let orders = stack.rest_resource("Orders", &api.root(), "orders");
//! let order = stack.rest_resource("Order", &orders, "{id}");
//!
//! // POST /orders puts the body into the queue.
//! let submit = Integration::send_message(&queue, Credentials::granting(&role));
//! let submit = MethodProps::new(HttpMethod::Post, Authorization::Iam, submit);
//! stack.rest_method("SubmitOrder", &orders, submit);
//!
//! // GET /orders/{id} reads the table: 404 where there is no such item.
//! let read = ServiceCall::get_item(&table, RequestValue::path("id"))
//!     .answering(JsonTemplate::object([
//!         ("id", JsonTemplate::body_at("$.Item.id.S")),
//!         ("state", JsonTemplate::body_at_or("$.Item.state.S", "unknown")),
//!     ]));
//! let read = Integration::call(read, Credentials::granting(&role));
//! let read = MethodProps::new(HttpMethod::Get, Authorization::Iam, read);
//! stack.rest_method("ReadOrder", &order, read);
//!
//! let live = stack.rest_stage("Live", &api, StageProps::named("live"));
//! stack.output("OrdersUrl", live.url(&orders));
//! # app.synth().unwrap();
//! ```

use std::panic::Location;

use stack_model_cfn::apigateway as cfn;
use stack_model_cfn::{Expr, Pseudo, ResourceId, Value};

use crate::handle::{Handle, ResourceRef, get_att, reference};
use crate::iam::RoleRef;
use crate::limit::Limited;
use crate::policy::{PolicyDocument, Statement};
use crate::resource::{Removal, Resource};
use crate::stack::Stack;
use crate::text;

mod authorizer;
mod call;
mod check;
mod cors;
mod deploy;
mod gateway_response;
mod integration;
mod key;
mod mapping;
mod method;
mod model;
mod resource;
mod response;
mod settings;
mod stage;
mod template;

pub use authorizer::{
    Authorization, AuthorizerTtl, IdentitySource, RequestAuthorizerProps,
    RestFunctionAuthorizerRef, RestUserPoolAuthorizerRef, TokenAuthorizerProps,
    UserPoolAuthorizerProps,
};
pub use call::{AttributeTemplate, ItemKey, ServiceCall};
pub(crate) use check::{check, literal_stages, unanswered_preflights};
pub use cors::{Cors, CorsMaxAge, CorsOrigin, MethodCors, Preflight};
pub(crate) use deploy::deploy;
pub use gateway_response::{GatewayBody, GatewayError, GatewayResponseProps, GatewayResponseRef};
pub use integration::{
    Credentials, Integration, IntegrationTimeout, LambdaIntegration, Passthrough,
    ServiceIntegration, ServiceTarget,
};
pub use key::{
    ApiKeyProps, ApiKeyRef, PlanStage, Quota, QuotaLimit, QuotaPeriod, UsagePlanKeyRef,
    UsagePlanProps, UsagePlanRef,
};
pub use mapping::{JsonTemplate, RequestValue, TemplateCondition, TextTemplate};
pub use method::{HttpMethod, MethodProps, ParameterPlace, RequestParameter, RestMethodRef};
pub use model::{ModelProps, RestModelRef, RestValidatorRef, Validation};
pub use resource::{RestResourceProps, RestResourceRef};
pub use response::{ErrorResponses, ServiceResponses, StatusCode};
pub use settings::{CacheSize, CacheTtl, Canary, ClientCertificateRef, MethodSettings};
pub use stage::{
    AccessLogFormat, AccessLogs, ExecutionLogs, LogAccess, StageLogs, StageProps, StageRef,
    Throttle, ThrottleBurst,
};
pub use template::{FormField, MappingTemplate};

/// How an API is reached.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Endpoint {
    /// From the internet, in the region of the stack.
    #[default]
    Regional,
    /// From the internet, through the edge locations of CloudFront.
    EdgeOptimized,
    /// From inside a network, through its interface endpoints. The API then needs a resource policy, given here.
    Private {
        /// The ids of the interface endpoints.
        vpc_endpoint_ids: Vec<Value<String>>,
        /// Who may call the API, by the action `execute-api:Invoke`.
        policy: Vec<Statement>,
    },
}

/// What a REST API is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-restapi.html>.
#[derive(Clone, Debug, Default)]
pub struct RestApiProps {
    /// The name that the console shows; names need not be unique. `<stack>-<stage>-<logical id>` by default.
    pub name: Option<Value<String>>,
    /// What the API is for.
    pub description: Option<String>,
    /// How the API is reached; regional by default, where AWS's own default is edge-optimised.
    pub endpoint: Endpoint,
    /// Bodies of these media types reach an integration as bytes, such as `image/png`.
    pub binary_media_types: Vec<String>,
    /// Compresses bodies of at least this many bytes for callers that accept it; none by default.
    pub minimum_compression_size: Option<CompressionSize>,
    /// Who may call an API that is reached from the internet, or must not, before its methods are asked; whoever they
    /// let in by default. Resources of the statements may be written as `execute-api:/live/GET/orders`.
    pub policy: Vec<Statement>,
    /// Where the API key of a request stands; in its header `X-Api-Key` by default.
    pub api_key_source: ApiKeySource,
    /// Keeps deployments of earlier contents, so that a [`Canary`] or an operator can show one of them again. They cost
    /// nothing and go with the API.
    pub retain_deployments: bool,
    /// Switches the address `{api}.execute-api.{region}.amazonaws.com` off, for an API with a domain of its own.
    pub disable_execute_api_endpoint: bool,
}

/// Where the API key of a request stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApiKeySource {
    /// In its header `X-Api-Key`.
    #[default]
    Header,
    /// In the answer of the function that authorizes it, as `usageIdentifierKey`.
    Authorizer,
}

/// The smallest body that is compressed, in bytes, up to 10 MB.
pub type CompressionSize = Limited<0, 10_485_760>;

/// The handle of a REST API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestApiRef {
    id: ResourceId,
    deployment: ResourceRef,
}

impl RestApiRef {
    /// Returns the physical id, the first label of the API's host name.
    pub fn rest_api_id(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the resource `/`, under which every path begins.
    pub fn root(&self) -> RestResourceRef {
        RestResourceRef::root(self.clone())
    }

    /// Returns the ARN of a request: what a permission or policy about `execute-api:Invoke` names.
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
        text!(
            "arn:{}:execute-api:{}:{}:{}/{}/{}{}",
            Pseudo::Partition,
            Pseudo::Region,
            Pseudo::AccountId,
            self.rest_api_id(),
            stage,
            method,
            path
        )
    }

    /// Returns the id of the resource `/`.
    ///
    /// Within an app [`root`](Self::root) is enough.
    pub fn root_resource_id(&self) -> Value<String> {
        get_att(&self.id, "RootResourceId")
    }

    /// Returns the id of the deployment that holds everything of this API.
    fn deployment_id(&self) -> Value<String> {
        self.deployment.reference()
    }
}

impl Handle for RestApiRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// The handle of the account's API Gateway settings, which [`AccessLogs`] and execution logs need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRef {
    id: ResourceId,
}

impl Handle for AccountRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// The managed policy with which API Gateway writes logs; see
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonAPIGatewayPushToCloudWatchLogs.html>.
const PUSH_LOGS_POLICY: &str = "service-role/AmazonAPIGatewayPushToCloudWatchLogs";

impl Stack<'_> {
    /// Adds a REST API with its deployment `<Id>Deployment`.
    #[track_caller]
    pub fn rest_api(&mut self, logical_id: &str, props: RestApiProps) -> RestApiRef {
        let source = Location::caller();
        self.check_limit(
            logical_id,
            "Properties.MinimumCompressionSize",
            props.minimum_compression_size,
            source,
        );
        let name = props
            .name
            .unwrap_or_else(|| format!("{}-{logical_id}", self.name()).into());
        let (kind, endpoints, policy) = match props.endpoint {
            Endpoint::Regional => ("REGIONAL", None, Vec::new()),
            Endpoint::EdgeOptimized => ("EDGE", None, Vec::new()),
            Endpoint::Private {
                vpc_endpoint_ids,
                policy,
            } => {
                if policy.is_empty() {
                    let message = "a private API answers nobody without a resource policy: say who may call it";
                    self.report(logical_id, Some("Properties.Policy"), message, source);
                }
                ("PRIVATE", Some(vpc_endpoint_ids), policy)
            }
        };
        let policy: Vec<Statement> = policy.into_iter().chain(props.policy).collect();
        self.check_statements(logical_id, &policy, source);
        let api = cfn::RestApi {
            api_key_source_type: (props.api_key_source == ApiKeySource::Authorizer)
                .then(|| "AUTHORIZER".to_owned())
                .into(),
            binary_media_types: (!props.binary_media_types.is_empty())
                .then(|| {
                    props
                        .binary_media_types
                        .into_iter()
                        .map(Value::Literal)
                        .collect::<Vec<_>>()
                })
                .into(),
            description: props.description.into(),
            disable_execute_api_endpoint: props.disable_execute_api_endpoint.then_some(true).into(),
            endpoint_configuration: cfn::rest_api::EndpointConfiguration {
                types: [kind].into(),
                vpc_endpoint_ids: endpoints.into(),
                ..Default::default()
            }
            .into(),
            minimum_compression_size: props.minimum_compression_size.map(Limited::number).into(),
            name: name.into(),
            policy: (!policy.is_empty())
                .then(|| PolicyDocument::new(policy).render())
                .into(),
            ..Default::default()
        };
        let id = self.insert(logical_id, Resource::of(&api, source)).id;

        let deployment = cfn::Deployment {
            rest_api_id: reference::<String>(&id).into(),
            ..Default::default()
        };
        let mut deployment = Resource::of(&deployment, source);
        deployment.identified_by_content = true;
        deployment.removal = props.retain_deployments.then_some(Removal::Retain);
        let deployment = self.insert(&format!("{logical_id}Deployment"), deployment);
        RestApiRef { id, deployment }
    }

    /// Lets API Gateway write the logs of every API of the account and region with a role, to which the managed
    /// policy `AmazonAPIGatewayPushToCloudWatchLogs` is attached.
    ///
    /// The setting belongs to the whole account and region: the last one to be deployed decides, and it is not taken
    /// back when the stack is deleted. A stack should hold it only where nobody else sets it. See
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-account.html>.
    #[track_caller]
    pub fn rest_account(&mut self, logical_id: &str, role: &RoleRef) -> AccountRef {
        let source = Location::caller();
        let policy = text!(
            "arn:{}:iam::aws:policy/{}",
            Pseudo::Partition,
            PUSH_LOGS_POLICY
        );
        self.attach_managed_policy(role, policy);
        let account = cfn::Account {
            cloud_watch_role_arn: role.arn().into_text().into(),
        };
        AccountRef {
            id: self.insert(logical_id, Resource::of(&account, source)).id,
        }
    }

    /// Attaches a managed policy to a role of this stack.
    fn attach_managed_policy(&mut self, role: &RoleRef, policy: Value<String>) {
        self.change(role, |role| {
            if let Expr::Map(properties) = &mut role.properties {
                let policies = properties
                    .entry("ManagedPolicyArns".to_owned())
                    .or_insert_with(|| Expr::List(Vec::new()));
                if let Expr::List(policies) = policies {
                    policies.push(policy.into());
                }
            }
        });
    }
}
