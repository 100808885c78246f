//! Calls of AWS services without a function between.

use std::collections::BTreeMap;

use super::integration::{
    Credentials, Integration, ServiceIntegration, ServiceTarget, integration_json,
};
use super::mapping::{JsonTemplate, RequestValue, TemplateCondition, TextTemplate};
use super::response::{ServiceResponses, StatusCode};
use super::template::{FormField, MappingTemplate};
use crate::contract::EventDetail;
use crate::events::{BusOperation, EventBusRef};
use crate::policy::Statement;
use crate::s3::{BucketOperation, BucketRef};
use crate::sns::{TopicOperation, TopicRef};
use crate::stepfunctions::{StateMachineOperation, StateMachineRef};
use crate::text;

mod dynamodb;

pub use dynamodb::{AttributeTemplate, ItemKey};

/// One call of an action that takes and answers JSON, with everything that it needs to be allowed.
///
/// A request that the service refuses is answered with 400, and every other error with 500; [`on_error`](Self::on_error)
/// tells single errors apart. See [`Integration::call`].
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceCall {
    service: &'static str,
    action: &'static str,
    body: JsonTemplate,
    headers: BTreeMap<String, String>,
    statements: Vec<Statement>,
    answer: JsonTemplate,
    /// When the answer is what it says, and what it is instead.
    otherwise: Option<(TemplateCondition, JsonTemplate)>,
    errors: Vec<(String, StatusCode, JsonTemplate)>,
    /// The names that expressions of DynamoDB stand for, by placeholder.
    names: BTreeMap<String, String>,
    problem: Option<String>,
}

impl ServiceCall {
    fn new(
        service: &'static str,
        action: &'static str,
        body: JsonTemplate,
        statements: Vec<Statement>,
        answer: JsonTemplate,
    ) -> Self {
        Self {
            service,
            action,
            body,
            headers: BTreeMap::new(),
            statements,
            answer,
            otherwise: None,
            errors: Vec::new(),
            names: BTreeMap::new(),
            problem: None,
        }
    }

    /// Starts an execution of a state machine and answers `{"executionArn": "..", "startDate": ..}`.
    ///
    /// See <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>.
    pub fn start_execution<I>(
        state_machine: &StateMachineRef<I>,
        input: impl Into<JsonTemplate>,
    ) -> Self {
        Self::new(
            "states",
            "StartExecution",
            execution(state_machine, input.into()),
            state_machine.statements(&[StateMachineOperation::Start]),
            JsonTemplate::body(),
        )
    }

    /// Runs an execution of an express state machine and answers its output; an execution that fails is answered with
    /// 500.
    ///
    /// See <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html>.
    pub fn start_sync_execution<I>(
        state_machine: &StateMachineRef<I>,
        input: impl Into<JsonTemplate>,
    ) -> Self {
        // The service answers 200 whatever became of the execution.
        let succeeded = TemplateCondition::is(RequestValue::body("$.status"), "SUCCEEDED");
        Self::new(
            "states",
            "StartSyncExecution",
            execution(state_machine, input.into()),
            state_machine.statements(&[StateMachineOperation::StartSync]),
            JsonTemplate::choose([(succeeded, JsonTemplate::document("$.output"))], failed()),
        )
    }

    /// Puts one event on a bus and answers `{"eventId": ".."}`; an event that the bus does not take is answered with
    /// 500.
    ///
    /// See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.
    pub fn put_event<D: EventDetail>(
        bus: &EventBusRef,
        source: impl Into<TextTemplate>,
        detail: impl Into<JsonTemplate>,
    ) -> Self {
        let entry = JsonTemplate::object([
            ("Detail", JsonTemplate::text(TextTemplate::json(detail))),
            ("DetailType", D::DETAIL_TYPE.into()),
            ("EventBusName", bus.name().into()),
            ("Source", JsonTemplate::text(source)),
        ]);
        // The service answers 200 with the number of events that it did not take.
        let taken = TemplateCondition::is(RequestValue::body("$.FailedEntryCount"), "0");
        let event_id = JsonTemplate::body_at("$.Entries[0].EventId");
        let answer = JsonTemplate::object([("eventId", event_id)]);
        let mut call = Self::new(
            "events",
            "PutEvents",
            JsonTemplate::object([("Entries", JsonTemplate::list([entry]))]),
            bus.statements(&[BusOperation::Put]),
            JsonTemplate::choose([(taken, answer)], failed()),
        );
        for (name, value) in [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("X-Amz-Target", "AWSEvents.PutEvents"),
        ] {
            call.headers.insert(name.to_owned(), value.to_owned());
        }
        call
    }

    /// Sets another argument of the action, or one of those that are set already.
    #[must_use]
    pub fn with(mut self, argument: impl Into<String>, value: impl Into<JsonTemplate>) -> Self {
        self.body = self.body.with(argument, value);
        self
    }

    /// Answers 200 with a body of its own, in whose template the body is the answer of the service.
    #[must_use]
    pub fn answering(mut self, answer: impl Into<JsonTemplate>) -> Self {
        self.answer = answer.into();
        self
    }

    /// Answers 200 without a body.
    #[must_use]
    pub fn answering_nothing(self) -> Self {
        self.answering(JsonTemplate::nothing())
    }

    /// Answers one kind of error, such as `ConditionalCheckFailedException`, with a status and body of its own.
    #[must_use]
    pub fn on_error(
        mut self,
        kind: impl Into<String>,
        status: impl Into<StatusCode>,
        body: impl Into<JsonTemplate>,
    ) -> Self {
        self.errors.push((kind.into(), status.into(), body.into()));
        self
    }

    fn responses(&self) -> ServiceResponses {
        let answer = match &self.otherwise {
            Some((condition, otherwise)) => {
                let case = (condition.clone(), self.answer.clone());
                JsonTemplate::choose([case], otherwise.clone())
            }
            None => self.answer.clone(),
        };
        let mut responses = ServiceResponses::answering(MappingTemplate::of(answer));
        // These services answer 400 to whatever the caller could mend, and to what only the owner can: the type tells.
        let is = |kind: &str| TemplateCondition::ends_with(RequestValue::body("$.__type"), kind);
        let own = self.errors.iter().map(|(kind, status, body)| {
            let body = body.clone().with_status(*status);
            (is(kind), body)
        });
        let ours = [
            "AccessDeniedException",
            "ResourceNotFoundException",
            "StateMachineDoesNotExist",
            "ThrottlingException",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
        ];
        let ours = TemplateCondition::any(ours.map(is));
        let cases = own.chain([(ours, failed())]);
        responses.refused = MappingTemplate::of(JsonTemplate::choose(
            cases,
            JsonTemplate::message("Bad request"),
        ));
        responses
    }
}

/// Answers an error that tells nothing of the inside.
fn failed() -> JsonTemplate {
    JsonTemplate::message("Internal server error").with_status(500)
}

fn execution<I>(state_machine: &StateMachineRef<I>, input: JsonTemplate) -> JsonTemplate {
    JsonTemplate::object([
        ("input", JsonTemplate::text(TextTemplate::json(input))),
        ("stateMachineArn", state_machine.arn().into_text().into()),
    ])
}

impl Integration {
    /// Calls an action of a service, and grants the role what the call needs.
    ///
    /// ```
    /// # use stack_model::apigateway::{Credentials, Integration, JsonTemplate, RequestValue, ServiceCall};
    /// # use stack_model::iam::RoleRef;
    /// # use stack_model::stepfunctions::StateMachineRef;
    /// # struct Input;
    /// fn start(workflow: &StateMachineRef<Input>, role: &RoleRef) -> Integration {
    ///     let input = JsonTemplate::object([
    ///         ("orderId", JsonTemplate::from(RequestValue::path("id"))),
    ///         ("baristaUserId", RequestValue::claim("sub").into()),
    ///         ("body", JsonTemplate::body()),
    ///     ]);
    ///     let call = ServiceCall::start_execution(workflow, input);
    ///     Integration::call(call, Credentials::granting(role))
    /// }
    /// ```
    pub fn call(call: ServiceCall, credentials: Credentials) -> Self {
        let responses = call.responses();
        let mut body = call.body;
        if !call.names.is_empty() {
            let names = call
                .names
                .iter()
                .map(|(placeholder, name)| (placeholder.as_str(), name.as_str().into()));
            body = body.with("ExpressionAttributeNames", JsonTemplate::object(names));
        }
        let headers = call.headers.into_iter().map(|(name, value)| {
            let name = format!("integration.request.header.{name}");
            (name, format!("'{value}'"))
        });
        let mut integration = Self::service(ServiceIntegration {
            service: call.service.to_owned(),
            target: ServiceTarget::Action(call.action.to_owned()),
            credentials,
            statements: call.statements,
            request_parameters: headers.collect(),
            requests: integration_json(MappingTemplate::of(body)),
            responses,
        });
        integration.violation = call.problem;
        integration.refusable = true;
        integration
    }

    /// Publishes a message to a standard topic and answers 200 with `{"messageId": ".."}`.
    ///
    /// See <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>.
    pub fn publish<M>(topic: &TopicRef<M>, credentials: Credentials) -> Self {
        let body = MappingTemplate::form([
            ("Action", FormField::text("Publish")),
            ("TopicArn", FormField::deployed(topic.arn().into_text())),
            ("Message", FormField::expression("$input.body")),
        ]);
        let message_id = JsonTemplate::body_at("$.PublishResponse.PublishResult.MessageId");
        let answer = JsonTemplate::object([("messageId", message_id)]);
        let form = "'application/x-www-form-urlencoded'".to_owned();
        let mut integration = Self::service(ServiceIntegration {
            service: "sns".to_owned(),
            target: ServiceTarget::Path("/".into()),
            credentials,
            statements: topic.statements(&[TopicOperation::Publish]),
            request_parameters: BTreeMap::from([(
                "integration.request.header.Content-Type".to_owned(),
                form,
            )]),
            requests: integration_json(body),
            responses: ServiceResponses::answering(MappingTemplate::of(answer)),
        });
        if topic.is_fifo() {
            integration.violation = Some(
                "a message for a FIFO topic needs a message group: call SNS with `Integration::service` and a template that sets `MessageGroupId`".to_owned(),
            );
        }
        integration.refusable = true;
        integration
    }

    /// Answers with an object of a bucket whose key is a parameter of the path, or with 404.
    ///
    /// The role may only read objects under the prefix, which may be empty and otherwise ends with `/`. Bytes that are
    /// no text need their media type among the API's binary ones. See
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/integrating-api-with-aws-services-s3.html>.
    pub fn get_object(
        bucket: &BucketRef,
        prefix: &str,
        path_parameter: &str,
        credentials: Credentials,
    ) -> Self {
        let mut integration = Self::object(bucket, prefix, path_parameter, credentials, "GET");
        if let Some((_, statements)) = &mut integration.grants {
            // Who may not list objects is told 403 for one that is not there.
            let operations = [BucketOperation::Get, BucketOperation::List];
            *statements = bucket.statements_under(prefix, &operations);
        }
        integration.answer_as_is(&["Cache-Control", "Content-Type", "ETag", "Last-Modified"]);
        integration
    }

    /// Writes the body as an object of a bucket whose key is a parameter of the path, and answers 200 with `{}`.
    ///
    /// The role may only write objects under the prefix, which may be empty and otherwise ends with `/`.
    pub fn put_object(
        bucket: &BucketRef,
        prefix: &str,
        path_parameter: &str,
        credentials: Credentials,
    ) -> Self {
        let mut integration = Self::object(bucket, prefix, path_parameter, credentials, "PUT");
        if let Some((_, statements)) = &mut integration.grants {
            *statements = bucket.statements_under(prefix, &[BucketOperation::Put]);
        }
        let media_type = "integration.request.header.Content-Type".to_owned();
        let source = "method.request.header.Content-Type".to_owned();
        integration.request_parameters.insert(media_type, source);
        integration
    }

    fn object(
        bucket: &BucketRef,
        prefix: &str,
        path_parameter: &str,
        credentials: Credentials,
        http_method: &'static str,
    ) -> Self {
        let mut integration = Self::service(ServiceIntegration {
            service: "s3".to_owned(),
            target: ServiceTarget::Path(text!("{}/{}{key}", bucket.name(), prefix)),
            credentials,
            statements: Vec::new(),
            request_parameters: BTreeMap::from([(
                "integration.request.path.key".to_owned(),
                format!("method.request.path.{path_parameter}"),
            )]),
            requests: BTreeMap::new(),
            responses: ServiceResponses::answering(MappingTemplate::json(&serde_json::json!({})))
                .when(404, 404, MappingTemplate::message("Not found")),
        });
        if !prefix.is_empty() && (!prefix.ends_with('/') || prefix.starts_with('/')) {
            integration.violation = Some(format!(
                "`{prefix}` is not a prefix of keys: it ends with `/` and does not start with one"
            ));
        }
        integration.hands_body_on(http_method);
        integration
    }

    /// Calls the service only for users of a user pool that belong to a group; others are answered with 403.
    ///
    /// A mapping template cannot stop a call, so for everybody else the call that is made is one without any of its
    /// arguments, which the service refuses and which so has no effect; whatever it answers becomes 403. The real
    /// arguments are only ever written for members. The method needs an authorizer by user pools. See also
    /// [`TemplateCondition::in_group`].
    #[must_use]
    pub fn only_for_group(self, group: impl Into<String>) -> Self {
        self.only_where(&TemplateCondition::in_group(group))
    }

    /// Calls the service only where a condition on the request holds; other requests are answered with 403, in the way
    /// of [`only_for_group`](Self::only_for_group).
    ///
    /// The answer is made with the same condition, so it cannot ask for what the body of the request holds: when it is
    /// made, the body is the one of the service.
    ///
    /// ```
    /// use stack_model::apigateway::{Integration, RequestValue, TemplateCondition};
    ///
    /// // Everybody reads drafts of their own, and an editor those of others.
    /// fn drafts(read: Integration) -> Integration {
    ///     let own = TemplateCondition::is(RequestValue::query("of"), "me");
    ///     read.only_where(&TemplateCondition::any([own, TemplateCondition::in_group("editors")]))
    /// }
    /// ```
    #[must_use]
    pub fn only_where(mut self, condition: &TemplateCondition) -> Self {
        self.restrict(condition);
        self
    }
}
