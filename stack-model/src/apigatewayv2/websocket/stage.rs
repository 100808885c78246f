//! Stages of WebSocket APIs, and what is done with the connections of one.

use std::collections::BTreeMap;
use std::panic::Location;

use stack_model_cfn::apigatewayv2 as cfn;
use stack_model_cfn::{Pseudo, ResourceId, Value};

use super::WebSocketApiRef;
use crate::apigateway::LogAccess;
use crate::apigatewayv2::execute_arn;
use crate::apigatewayv2::stage::{HttpAccessLogs, RouteSettings, access_logs, variables};
use crate::handle::{Handle, reference};
use crate::policy::{Statement, allow_on};
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

/// What a stage of a WebSocket API is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct WebSocketStageProps {
    /// The name, which is the path of the address.
    pub name: String,
    /// What the stage is for.
    pub description: Option<String>,
    /// What the stage does with the messages of all routes.
    pub settings: RouteSettings,
    /// Where the stage writes one line per message, with the right to do so; nowhere by default.
    pub access_logs: Option<(LogAccess, HttpAccessLogs)>,
    /// Variables that integrations read as `stageVariables`.
    pub variables: BTreeMap<String, Value<String>>,
}

impl WebSocketStageProps {
    /// A stage with the name that its path is: up to 128 letters, digits, `-` and `_`.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
            settings: RouteSettings::default(),
            access_logs: None,
            variables: BTreeMap::new(),
        }
    }
}

/// The handle of a stage of a WebSocket API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocketStageRef {
    id: ResourceId,
    api: WebSocketApiRef,
}

/// What a caller may do with the connections of a stage.
///
/// See
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionOperation {
    /// Sends a message over a connection.
    Post,
    /// Reads what a connection is.
    Get,
    /// Ends a connection.
    Delete,
}

impl ConnectionOperation {
    /// Returns the IAM action, which is the same for all; the resource tells them apart.
    pub const fn action(self) -> &'static str {
        "execute-api:ManageConnections"
    }

    const fn method(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Get => "GET",
            Self::Delete => "DELETE",
        }
    }
}

impl WebSocketStageRef {
    /// Returns the name. What names a stage by it waits for the stage.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the API.
    pub fn api(&self) -> &WebSocketApiRef {
        &self.api
    }

    /// Returns the address to connect to, which begins with `wss://`.
    pub fn url(&self) -> Value<String> {
        text!("{}/{}", self.api.endpoint(), self.name())
    }

    /// Returns the address at which messages are sent over connections, as the API of connections wants it.
    pub fn connections_url(&self) -> Value<String> {
        text!(
            "https://{}.execute-api.{}.{}/{}",
            self.api.api_id(),
            Pseudo::Region,
            Pseudo::UrlSuffix,
            self.name()
        )
    }

    /// Returns what a role must allow for the given operations on the connections of this stage.
    pub fn statements(&self, operations: &[ConnectionOperation]) -> Vec<Statement> {
        let mut operations = operations.to_vec();
        operations.sort_unstable();
        operations.dedup();
        let resources = operations.iter().map(|operation| {
            execute_arn(
                self.api.resource_id(),
                text!("{}/{}/@connections/*", self.name(), operation.method()),
            )
        });
        let action = operations.first().map(|operation| operation.action());
        resources
            .filter_map(|resource| allow_on(action, resource))
            .map(|statement| statement.because("a connection gets its id when it is made"))
            .collect()
    }
}

impl Handle for WebSocketStageRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a stage, under which a WebSocket API is reached. What is added to the API later is live in it at once.
    #[track_caller]
    pub fn websocket_stage(
        &mut self,
        logical_id: &str,
        api: &WebSocketApiRef,
        props: WebSocketStageProps,
    ) -> WebSocketStageRef {
        let source = Location::caller();
        self.check_stage_name(logical_id, &props.name, source);
        self.check_throttles(logical_id, std::iter::once(&props.settings), source);
        let mut after = None;
        let logs = props.access_logs.map(|(access, logs)| {
            if let LogAccess::Account(account) = access {
                after = Some(account.resource_id().clone());
            }
            access_logs(
                &logs.group,
                logs.format,
                &[("event", "eventType"), ("connectionId", "connectionId")],
            )
        });
        let stage = cfn::Stage {
            access_log_settings: logs.into(),
            api_id: api.api_id().into(),
            auto_deploy: true.into(),
            default_route_settings: (!props.settings.is_default())
                .then(|| props.settings.render())
                .into(),
            description: props.description.into(),
            stage_name: props.name.into(),
            stage_variables: variables(props.variables).into(),
            ..cfn::Stage::default()
        };
        let mut resource = Resource::of(&stage, source);
        resource.depends_on.extend(after);
        WebSocketStageRef {
            id: self.insert(logical_id, resource).id,
            api: api.clone(),
        }
    }
}
