//! What a route of an HTTP API goes to.

use std::collections::BTreeMap;
use std::panic::Location;

use stack_model_cfn::apigatewayv2 as cfn;
use stack_model_cfn::{Property, Value};

use crate::apigateway::HttpMethod;
use crate::arn::Arn;
use crate::contract::{Accepts, EventDetail, event};
use crate::events::{BusOperation, EventBusRef};
use crate::iam::{RoleProps, RoleRef};
use crate::lambda::{Function, FunctionRef};
use crate::limit::Limited;
use crate::policy::Statement;
use crate::sqs::{QueueOperation, QueueRef};
use crate::stack::Stack;
use crate::stepfunctions::{StateMachineOperation, StateMachineRef};

/// How long an HTTP API waits for an integration, in milliseconds; 30,000 where it is not said.
pub type HttpTimeout = Limited<50, 30_000>;

/// A value that a call takes from the request.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestPart {
    text: Value<String>,
    path: Option<String>,
    /// Whether the text is meant as it is.
    fixed: bool,
}

impl RequestPart {
    fn of(text: String) -> Self {
        Self {
            text: text.into(),
            path: None,
            fixed: false,
        }
    }

    /// The whole body.
    #[must_use]
    pub fn body() -> Self {
        Self::of("$request.body".to_owned())
    }

    /// A value in a JSON body, by the names and positions that lead there: `order.lines[0]`.
    #[must_use]
    pub fn body_at(path: &str) -> Self {
        Self::of(format!("$request.body.{path}"))
    }

    /// A parameter of the path, which the route must have.
    #[must_use]
    pub fn path(name: &str) -> Self {
        Self {
            path: Some(name.to_owned()),
            ..Self::of(format!("$request.path.{name}"))
        }
    }

    /// A parameter of the query.
    #[must_use]
    pub fn query(name: &str) -> Self {
        Self::of(format!("$request.querystring.{name}"))
    }

    /// A header.
    #[must_use]
    pub fn header(name: &str) -> Self {
        Self::of(format!("$request.header.{name}"))
    }

    /// A value that API Gateway knows, such as `requestId` or `authorizer.claims.sub`.
    #[must_use]
    pub fn context(name: &str) -> Self {
        Self::of(format!("$context.{name}"))
    }

    /// A value that does not come from the request. API Gateway would read a text that begins with `$`, or has `${` in
    /// it, as a part of the request, so the synth refuses it.
    pub fn fixed(value: impl Into<Value<String>>) -> Self {
        Self {
            text: value.into(),
            path: None,
            fixed: true,
        }
    }

    /// Returns whether API Gateway would read a fixed text as a part of the request.
    fn is_taken_for_expression(&self) -> bool {
        let text = self.text.literal();
        self.fixed && text.is_some_and(|text| text.starts_with('$') || text.contains("${"))
    }
}

/// The role with which API Gateway calls a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RouteRole {
    /// One of the route's own, `<Route>Role`, that is allowed the call and nothing else.
    #[default]
    Own,
    /// A role of the stack, that is granted the call. It must trust `apigateway.amazonaws.com`.
    Granting(RoleRef),
    /// A role that is allowed the call in another way. It must trust `apigateway.amazonaws.com`.
    AllowedElsewhere(RoleRef),
}

/// What a route of an HTTP API goes to.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpIntegration {
    kind: &'static str,
    subtype: Option<&'static str>,
    uri: Option<Value<String>>,
    method: Option<&'static str>,
    payload: &'static str,
    parameters: BTreeMap<String, RequestPart>,
    function: Option<Value<Arn<Function>>>,
    statements: Vec<Statement>,
    caller: RouteRole,
    pub(super) timeout: Option<HttpTimeout>,
    /// What is wrong with the integration, reported with the route.
    pub(super) wrong: Option<String>,
}

impl HttpIntegration {
    fn of_kind(kind: &'static str, payload: &'static str) -> Self {
        Self {
            kind,
            subtype: None,
            uri: None,
            method: None,
            payload,
            parameters: BTreeMap::new(),
            function: None,
            statements: Vec::new(),
            caller: RouteRole::Own,
            timeout: None,
            wrong: None,
        }
    }

    /// Hands the whole request to a function, which makes the whole answer.
    ///
    /// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
    pub fn lambda<F: Accepts<event::HttpRequest>>(function: &FunctionRef<F>) -> Self {
        Self {
            uri: Some(function.arn().into_text()),
            function: Some(function.arn()),
            // A function is invoked by POST, whatever the method of the request is.
            method: Some("POST"),
            ..Self::of_kind("AWS_PROXY", "2.0")
        }
    }

    /// Hands the request on to another address, in which parameters of the path may stand as `{name}`.
    ///
    /// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-http.html>.
    pub fn http(method: HttpMethod, url: impl Into<Value<String>>) -> Self {
        let url = url.into();
        let wrong = url
            .literal()
            .filter(|url| !url.starts_with("https://") && !url.starts_with("http://"))
            .map(|url| {
                format!("`{url}` is not an address: it begins with `https://` or `http://`")
            });
        Self {
            method: Some(method.name()),
            uri: Some(url),
            wrong,
            ..Self::of_kind("HTTP_PROXY", "1.0")
        }
    }

    /// Calls an action of a service; the caller gets the answer of the service.
    ///
    /// See
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html>.
    fn service<const N: usize>(
        action: &'static str,
        parameters: [(&str, RequestPart); N],
        statements: Vec<Statement>,
    ) -> Self {
        Self {
            subtype: Some(action),
            parameters: parameters
                .into_iter()
                .map(|(name, part)| (name.to_owned(), part))
                .collect(),
            statements,
            ..Self::of_kind("AWS_PROXY", "1.0")
        }
    }

    /// Sends a message to a standard queue.
    pub fn send_message<M>(queue: &QueueRef<M>, body: RequestPart) -> Self {
        let mut integration = Self::service(
            "SQS-SendMessage",
            [
                ("MessageBody", body),
                ("QueueUrl", RequestPart::fixed(queue.url())),
            ],
            queue.statements(&[QueueOperation::Send]),
        );
        if queue.is_fifo() {
            integration.wrong = Some(
                "a message for a FIFO queue needs a message group: use `HttpIntegration::send_to_group`".to_owned(),
            );
        }
        integration
    }

    /// Sends a message to a message group of a FIFO queue.
    pub fn send_to_group<M>(queue: &QueueRef<M>, group: RequestPart, body: RequestPart) -> Self {
        let mut integration = Self::send_message(queue, body);
        integration.wrong = None;
        integration
            .parameters
            .insert("MessageGroupId".to_owned(), group);
        integration
    }

    /// Publishes an event on a bus.
    pub fn put_event(bus: &EventBusRef, entry: BusEntry) -> Self {
        Self::service(
            "EventBridge-PutEvents",
            [
                ("Detail", entry.detail),
                ("DetailType", entry.detail_type),
                ("EventBusName", RequestPart::fixed(bus.name())),
                ("Source", entry.source),
            ],
            bus.statements(&[BusOperation::Put]),
        )
    }

    /// Starts an execution of a state machine and answers at once with its ARN.
    pub fn start_execution<I>(machine: &StateMachineRef<I>, input: RequestPart) -> Self {
        Self::execution(
            "StepFunctions-StartExecution",
            machine,
            input,
            StateMachineOperation::Start,
        )
    }

    /// Starts an execution of an express state machine and answers with its result.
    pub fn start_sync_execution<I>(machine: &StateMachineRef<I>, input: RequestPart) -> Self {
        Self::execution(
            "StepFunctions-StartSyncExecution",
            machine,
            input,
            StateMachineOperation::StartSync,
        )
    }

    fn execution<I>(
        action: &'static str,
        machine: &StateMachineRef<I>,
        input: RequestPart,
        operation: StateMachineOperation,
    ) -> Self {
        Self::service(
            action,
            [
                ("Input", input),
                (
                    "StateMachineArn",
                    RequestPart::fixed(machine.arn().into_text()),
                ),
            ],
            machine.statements(&[operation]),
        )
    }

    /// Puts a record into a Kinesis stream.
    pub fn put_record(record: KinesisRecord) -> Self {
        Self::service(
            "Kinesis-PutRecord",
            [
                ("Data", record.data),
                ("PartitionKey", record.partition_key),
                ("StreamName", RequestPart::fixed(record.stream)),
            ],
            vec![Statement::allow(["kinesis:PutRecord"]).on(record.stream_arn)],
        )
    }

    /// Sets a parameter of the call that has no method here, such as `DelaySeconds` of a message, or of a request that
    /// is handed on, such as `overwrite:header.x-user`.
    #[must_use]
    pub fn parameter(mut self, name: &str, part: RequestPart) -> Self {
        self.parameters.insert(name.to_owned(), part);
        self
    }

    /// Calls the service with another role than one of the route's own.
    #[must_use]
    pub fn calling_as(mut self, role: RouteRole) -> Self {
        self.caller = role;
        self
    }

    /// Waits for the integration this long instead of 30 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: impl Into<HttpTimeout>) -> Self {
        self.timeout = Some(timeout.into());
        self
    }

    /// Returns what is wrong with the integration.
    pub(super) fn violation(&self) -> Option<String> {
        self.wrong.clone().or_else(|| {
            let taken = |part: &&RequestPart| part.is_taken_for_expression();
            let (name, part) = self.parameters.iter().find(|(_, part)| taken(part))?;
            Some(format!(
                "`{}` of the parameter `{name}` is meant as it is, and API Gateway would take it for a part of the request: use another text, or the constructor of that part",
                part.text.literal().map_or("", String::as_str)
            ))
        })
    }

    /// Returns the function that the route must be permitted to invoke.
    pub(super) fn invokes(&self) -> Option<Value<Arn<Function>>> {
        self.function.clone()
    }

    pub(super) fn path_parameters(&self) -> impl Iterator<Item = &str> {
        self.parameters
            .values()
            .filter_map(|part| part.path.as_deref())
    }

    /// Returns the role of a route that calls a service, made where it is the route's own.
    pub(super) fn role(
        &self,
        stack: &mut Stack<'_>,
        logical_id: &str,
        source: &'static Location<'static>,
    ) -> Option<RoleRef> {
        self.subtype?;
        let (role, granting) = match &self.caller {
            RouteRole::Own => {
                // API Gateway does not say whose API it is when it takes on a role for a call, so a condition on the
                // account would keep it out of every call.
                let props = RoleProps::for_service("apigateway.amazonaws.com");
                (stack.role(&format!("{logical_id}Role"), props), true)
            }
            RouteRole::Granting(role) => (role.clone(), true),
            RouteRole::AllowedElsewhere(role) => (role.clone(), false),
        };
        if granting {
            stack.add_statements(&role, self.statements.iter().cloned(), source);
        }
        Some(role)
    }

    pub(super) fn render(self) -> cfn::Integration {
        let parameters: BTreeMap<String, Value<String>> = self
            .parameters
            .into_iter()
            .map(|(name, part)| (name, part.text))
            .collect();
        cfn::Integration {
            integration_method: self.method.map_or(Property::Absent, Into::into),
            integration_subtype: self.subtype.map_or(Property::Absent, Into::into),
            integration_type: self.kind.into(),
            integration_uri: self.uri.into(),
            payload_format_version: self.payload.into(),
            request_parameters: (!parameters.is_empty()).then_some(parameters).into(),
            timeout_in_millis: self.timeout.map(Limited::number).into(),
            ..cfn::Integration::default()
        }
    }
}

/// An event that a route publishes.
#[derive(Clone, Debug, PartialEq)]
pub struct BusEntry {
    source: RequestPart,
    detail_type: RequestPart,
    detail: RequestPart,
}

impl BusEntry {
    /// An event whose detail is a `D`, from the given source.
    pub fn of<D: EventDetail>(source: impl Into<Value<String>>, detail: RequestPart) -> Self {
        Self::named(RequestPart::fixed(D::DETAIL_TYPE), source, detail)
    }

    /// An event whose detail type no type stands for, or comes from the request.
    pub fn named(
        detail_type: RequestPart,
        source: impl Into<Value<String>>,
        detail: RequestPart,
    ) -> Self {
        Self {
            source: RequestPart::fixed(source),
            detail_type,
            detail,
        }
    }
}

/// A record that a route puts into a Kinesis stream.
#[derive(Clone, Debug, PartialEq)]
pub struct KinesisRecord {
    /// The name of the stream.
    pub stream: Value<String>,
    /// The ARN of the stream.
    pub stream_arn: Value<String>,
    /// What is written.
    pub data: RequestPart,
    /// What decides to which shard it goes.
    pub partition_key: RequestPart,
}
