//! Integrations: what a method does with a request.

use std::collections::BTreeMap;

use stack_model_cfn::apigateway::method as cfn;
use stack_model_cfn::{Property, Pseudo, Value};

use super::mapping::{self, TemplateCondition};
use super::response::{ErrorResponses, Response, ServiceResponses, StatusCode};
use super::template::{FormField, MappingTemplate};
use crate::arn::Arn;
use crate::contract::{Accepts, event};
use crate::iam::{Role, RoleRef};
use crate::lambda::{Function, FunctionRef};
use crate::limit::Limited;
use crate::policy::Statement;
use crate::sqs::{QueueOperation, QueueRef};
use crate::text;

/// How long API Gateway waits for an integration, in milliseconds.
///
/// An account may wait for 29 seconds unless AWS raised its quota. See
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>.
pub type IntegrationTimeout = Limited<50, 300_000>;

/// What happens to a body whose media type no request template is for.
///
/// See
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passthrough {
    /// It is handed on as it is.
    WhenNoMatch,
    /// It is handed on as it is if there is no template at all, and answered with 415 otherwise.
    WhenNoTemplates,
    /// It is answered with 415.
    Never,
}

impl Passthrough {
    const fn name(self) -> &'static str {
        match self {
            Self::WhenNoMatch => "WHEN_NO_MATCH",
            Self::WhenNoTemplates => "WHEN_NO_TEMPLATES",
            Self::Never => "NEVER",
        }
    }
}

/// The role with which API Gateway calls a service, which must trust `apigateway.amazonaws.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    role: RoleRef,
    granting: bool,
}

impl Credentials {
    /// Calls with a role and grants it what the call needs.
    pub fn granting(role: &RoleRef) -> Self {
        Self {
            role: role.clone(),
            granting: true,
        }
    }

    /// Calls with a role that is allowed to make the call in another way, such as by the policy of a queue.
    pub fn allowed_elsewhere(role: &RoleRef) -> Self {
        Self {
            role: role.clone(),
            granting: false,
        }
    }
}

/// An integration with a function that is no proxy: the function gets the mapped body and its result is the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct LambdaIntegration {
    /// Templates that make the function's event, by media type of the body. Without any the body is the event.
    pub requests: BTreeMap<String, MappingTemplate>,
    /// What happens to bodies of other media types.
    pub passthrough: Passthrough,
    /// The template that makes the answer of the function's result; without it the result is the answer.
    pub response: Option<MappingTemplate>,
    /// How errors of the function are answered.
    pub errors: ErrorResponses,
}

impl LambdaIntegration {
    /// Hands the body to the function as its event, and its result to the caller with 200.
    pub fn passing_through(errors: ErrorResponses) -> Self {
        Self {
            requests: BTreeMap::new(),
            passthrough: Passthrough::WhenNoMatch,
            response: None,
            errors,
        }
    }

    /// Makes the function's event of a JSON body with a template; other media types are answered with 415.
    pub fn mapping(request: MappingTemplate, errors: ErrorResponses) -> Self {
        Self {
            requests: integration_json(request),
            passthrough: Passthrough::Never,
            response: None,
            errors,
        }
    }
}

/// What is called of a service.
#[derive(Clone, Debug, PartialEq)]
pub enum ServiceTarget {
    /// An action of the service's API, such as `PutItem`.
    Action(String),
    /// A path of the service's API, such as `<account>/<queue>`.
    Path(Value<String>),
}

/// An integration with any AWS service.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceIntegration {
    /// The service in the form that API Gateway knows, such as `sqs`, `dynamodb` or `states`.
    pub service: String,
    /// What is called.
    pub target: ServiceTarget,
    /// The role that calls.
    pub credentials: Credentials,
    /// What the role needs for the call, granted by [`Credentials::granting`].
    pub statements: Vec<Statement>,
    /// Headers, path and query parameters of the call, such as `integration.request.header.Content-Type`, and where
    /// they come from: a text in single quotes, or a parameter such as `method.request.path.id`.
    pub request_parameters: BTreeMap<String, String>,
    /// Templates that make the body of the call, by media type of the request. Others are answered with 415.
    pub requests: BTreeMap<String, MappingTemplate>,
    /// How the answers of the service are answered.
    pub responses: ServiceResponses,
}

/// What a method does with a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Integration {
    kind: Kind,
    uri: Option<Value<String>>,
    credentials: Option<Value<Arn<Role>>>,
    pub(super) request_parameters: BTreeMap<String, String>,
    pub(super) requests: BTreeMap<String, MappingTemplate>,
    passthrough: Option<Passthrough>,
    /// The HTTP method of the call; functions and services are called by `POST`, whatever the method of the API is.
    http_method: &'static str,
    pub(super) responses: Vec<Response>,
    pub(super) timeout: Option<IntegrationTimeout>,
    /// The function that the method must be permitted to invoke.
    pub(super) invokes: Option<Value<Arn<Function>>>,
    /// What the calling role is granted.
    pub(super) grants: Option<(RoleRef, Vec<Statement>)>,
    /// What is wrong with the integration, reported with the method.
    pub(super) violation: Option<String>,
    /// Whether the service refuses a call without arguments, and nothing happens then.
    pub(super) refusable: bool,
    /// Whether the integration asks for a group of a user pool.
    pub(super) asks_for_group: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Aws,
    AwsProxy,
    Mock,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::AwsProxy => "AWS_PROXY",
            Self::Mock => "MOCK",
        }
    }
}

impl Integration {
    /// Hands the whole request to a function, which makes the whole answer.
    ///
    /// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>.
    pub fn lambda_proxy<F: Accepts<event::ApiRequest>>(function: &FunctionRef<F>) -> Self {
        Self {
            uri: Some(invocation_uri(function)),
            invokes: Some(function.arn()),
            ..Self::of_kind(Kind::AwsProxy)
        }
    }

    /// Invokes a function with the body, mapped or as it is, and answers with its result.
    ///
    /// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-custom-integrations.html>.
    pub fn lambda<F, P>(function: &FunctionRef<F>, mapping: LambdaIntegration) -> Self
    where
        F: Accepts<event::Invocation<P>>,
    {
        let mut responses = vec![Response::new(200.into(), None, mapping.response)];
        responses.extend(mapping.errors.responses());
        Self {
            uri: Some(invocation_uri(function)),
            invokes: Some(function.arn()),
            requests: mapping.requests,
            passthrough: Some(mapping.passthrough),
            responses,
            ..Self::of_kind(Kind::Aws)
        }
    }

    /// Calls an AWS service.
    pub fn service(call: ServiceIntegration) -> Self {
        let (form, target) = match call.target {
            ServiceTarget::Action(action) => ("action", Value::Literal(action)),
            ServiceTarget::Path(path) => ("path", path),
        };
        Self {
            uri: Some(text!(
                "arn:{}:apigateway:{}:{}:{}/{}",
                Pseudo::Partition,
                Pseudo::Region,
                call.service,
                form,
                target
            )),
            credentials: Some(call.credentials.role.arn()),
            grants: call
                .credentials
                .granting
                .then_some((call.credentials.role, call.statements)),
            request_parameters: call.request_parameters,
            requests: call.requests,
            passthrough: Some(Passthrough::Never),
            responses: call.responses.responses(),
            ..Self::of_kind(Kind::Aws)
        }
    }

    /// Sends the body of a JSON request to a standard queue of the stack's account as a message, and answers 200 with
    /// `{"messageId": ".."}`; bodies of other media types are answered with 415.
    ///
    /// See
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.
    pub fn send_message<M>(queue: &QueueRef<M>, credentials: Credentials) -> Self {
        let body = MappingTemplate::form([
            ("Action", FormField::text("SendMessage")),
            // What is not URL-encoded would end the message at the first `&` and turn every `+` into a blank.
            ("MessageBody", FormField::expression("$input.body")),
        ]);
        // API Gateway asks SQS for JSON; the Query API then answers with this envelope.
        let answer = MappingTemplate::vtl(
            r#"{"messageId": "$input.path('$.SendMessageResponse.SendMessageResult.MessageId')"}"#,
        );
        let form = "'application/x-www-form-urlencoded'".to_owned();
        let mut integration = Self::service(ServiceIntegration {
            service: "sqs".to_owned(),
            target: ServiceTarget::Path(text!("{}/{}", Pseudo::AccountId, queue.name())),
            credentials,
            statements: queue.statements(&[QueueOperation::Send]),
            request_parameters: BTreeMap::from([(
                "integration.request.header.Content-Type".to_owned(),
                form,
            )]),
            requests: integration_json(body),
            responses: ServiceResponses::answering(answer),
        });
        if queue.is_fifo() {
            integration.violation = Some(
                "a message for a FIFO queue needs a message group: call SQS with `Integration::service` and a template that sets `MessageGroupId`".to_owned(),
            );
        }
        integration.refusable = true;
        integration
    }

    /// Answers every request with one status and body, without asking anybody; `MappingTemplate::vtl("")` is no body.
    pub fn mock(status: impl Into<StatusCode>, body: MappingTemplate) -> Self {
        Self::mock_response(Response::new(status.into(), None, Some(body)))
    }

    pub(super) fn mock_response(response: Response) -> Self {
        // The request template of a mock only says which status the answer is chosen by.
        let request = serde_json::json!({ "statusCode": response.status.get() });
        Self {
            requests: integration_json(MappingTemplate::json(&request)),
            passthrough: Some(Passthrough::WhenNoMatch),
            responses: vec![response],
            ..Self::of_kind(Kind::Mock)
        }
    }

    /// Waits for the integration this long instead of 29 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: impl Into<IntegrationTimeout>) -> Self {
        self.timeout = Some(timeout.into());
        self
    }

    /// Calls with another HTTP method, and hands bodies on as they are.
    pub(super) fn hands_body_on(&mut self, http_method: &'static str) {
        self.http_method = http_method;
        self.passthrough = Some(Passthrough::WhenNoMatch);
    }

    /// Answers a success with the body of the service and some of its headers.
    pub(super) fn answer_as_is(&mut self, headers: &[&'static str]) {
        for response in &mut self.responses {
            if response.selection.is_none() {
                response.template = None;
                response.handed_on.extend(headers);
            }
        }
    }

    /// Makes the call without its arguments, and answers 403, where a condition does not hold.
    pub(super) fn restrict(&mut self, condition: &TemplateCondition) {
        let (holds, problem) = mapping::condition(condition);
        self.asks_for_group = condition.asks_for_group();
        if !self.refusable {
            let message = "the service might do something without arguments too, so only a function or an authorizer can keep callers from it";
            self.violation = Some(message.to_owned());
        } else if problem.is_some() {
            self.violation = problem;
        }
        for request in self.requests.values_mut() {
            request.text = text!("#if({}){}#{else}{}#{end}", &holds, &request.text, "{}");
        }
        let refusal =
            r#"#{else}#set($context.responseOverride.status = 403){"message":"Forbidden"}#{end}"#;
        for response in &mut self.responses {
            let mut template = response
                .template
                .take()
                .unwrap_or_else(|| MappingTemplate::vtl("$input.body"));
            template.text = text!("#if({}){}{}", &holds, &template.text, refusal);
            template.sets_status = true;
            response.template = Some(template);
        }
    }

    fn of_kind(kind: Kind) -> Self {
        Self {
            kind,
            uri: None,
            credentials: None,
            request_parameters: BTreeMap::new(),
            requests: BTreeMap::new(),
            passthrough: None,
            responses: Vec::new(),
            timeout: None,
            invokes: None,
            grants: None,
            violation: None,
            http_method: "POST",
            refusable: false,
            asks_for_group: false,
        }
    }

    /// Returns what a method declares of its answers.
    pub(super) fn render_method_responses(&self) -> Vec<Value<cfn::MethodResponse>> {
        // One per status; a status that is there twice is reported with the method.
        let responses: BTreeMap<StatusCode, _> = self
            .responses
            .iter()
            .map(|response| (response.status, response.render_method()))
            .collect();
        responses.into_values().collect()
    }

    pub(super) fn render(self, cache_keys: Vec<Value<String>>) -> cfn::Integration {
        let parameters: BTreeMap<String, Value<String>> = self
            .request_parameters
            .into_iter()
            .map(|(target, source)| (target, source.into()))
            .collect();
        let templates: BTreeMap<String, Value<String>> = self
            .requests
            .into_iter()
            .map(|(media_type, template)| (media_type, template.text))
            .collect();
        let responses: Vec<_> = self
            .responses
            .iter()
            .map(Response::render_integration)
            .collect();
        cfn::Integration {
            cache_key_parameters: (!cache_keys.is_empty()).then_some(cache_keys).into(),
            credentials: self.credentials.map(Value::into_text).into(),
            integration_http_method: match self.kind {
                Kind::Aws | Kind::AwsProxy => self.http_method.into(),
                Kind::Mock => Property::Absent,
            },
            integration_responses: (!responses.is_empty()).then_some(responses).into(),
            passthrough_behavior: self.passthrough.map(|p| p.name().to_owned()).into(),
            request_parameters: (!parameters.is_empty()).then_some(parameters).into(),
            request_templates: (!templates.is_empty()).then_some(templates).into(),
            timeout_in_millis: self.timeout.map(Limited::number).into(),
            type_: self.kind.name().into(),
            uri: self.uri.into(),
            ..Default::default()
        }
    }
}

pub(super) fn integration_json(template: MappingTemplate) -> BTreeMap<String, MappingTemplate> {
    BTreeMap::from([(super::response::JSON.to_owned(), template)])
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
