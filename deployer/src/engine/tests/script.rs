//! Plays a script: clients whose answers are written down, a clock that never waits, and a record of the events.

mod played;
mod proposed;
mod published;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_sdk_cloudformation::{
    Client as CloudFormation,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    operation::update_stack::UpdateStackInput,
};
use aws_sdk_s3::Client as S3;
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};
use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
use aws_smithy_types::body::SdkBody;

pub(super) use self::played::{Played, names};
use super::{answers, clock::Clock};
pub(super) use super::{
    clock::NoSleep,
    given::{Answer, TEMPLATE, one, stack},
};
use crate::{
    aws::Clients,
    engine::{
        CONCURRENCY, Cancel, CancelHandle, Context, Event, EventSink, Followers, Pace, Timing,
        aside::Aside, stack::importable::Renames,
    },
};

/// The stack of most scripts.
pub(super) const STACK: &str = "intake-dev";

/// Makes a client of a service from its part of the script.
macro_rules! scripted {
    ($service:ident, $rules:expr, $mode:expr) => {{
        let mut answers = MockResponseInterceptor::new().rule_mode($mode);
        for (_, rule) in &$rules {
            answers = answers.with_rule(rule);
        }
        let config = $service::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("AKIA", "secret", None, None, "script"))
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .sleep_impl(NoSleep)
            .http_client(create_mock_http_client())
            .interceptor(answers)
            .build();
        $service::Client::from_conf(config)
    }};
}
pub(super) use scripted;

/// What an XML answer is sent with: HTTP status and body.
pub(super) fn http(status: u16, body: &str) -> HttpResponse {
    let status = StatusCode::try_from(status).expect("scripts use real statuses");
    HttpResponse::new(status, SdkBody::from(body))
}

/// A conversation with AWS, written down call by call.
#[derive(Default)]
pub(crate) struct Script {
    apigateway: Vec<(&'static str, Rule)>,
    cloudformation: Vec<(&'static str, Rule)>,
    cloudfront: Vec<(&'static str, Rule)>,
    s3: Vec<(&'static str, Rule)>,
    lambda: Vec<(&'static str, Rule)>,
    logs: Vec<(&'static str, Rule)>,
    tagging: Vec<(&'static str, Rule)>,
    /// The name of the last change set or operation, which later answers repeat.
    token: Token,
}

/// The token that the engine chose, as a call brought it.
#[derive(Clone, Default)]
pub(super) struct Token(Arc<Mutex<String>>);

impl Token {
    pub(super) fn get(&self) -> String {
        self.0.lock().expect("no holder panics").clone()
    }

    fn set(&self, token: Option<&str>) {
        *self.0.lock().expect("no holder panics") = token.unwrap_or_default().to_owned();
    }
}

/// Adds a call to the script: what its input must be, and what is answered.
macro_rules! call {
    ($self:ident.$service:ident, $client:ident::$operation:ident, $check:expr, $status:expr, $body:expr) => {{
        let body = $body;
        let rule = mock!($client::$operation)
            .match_requests($check)
            .then_http_response(move || http($status, &body()));
        $self.$service.push((stringify!($operation), rule));
        $self
    }};
}
use call;

/// Makes a method of a service, which adds any call of it.
macro_rules! any_call {
    ($($service:ident: $name:literal,)*) => {
        impl Script {
            $(
                #[doc = concat!("Any call of ", $name, ".")]
                pub(super) fn $service(mut self, operation: &'static str, rule: Rule) -> Self {
                    self.$service.push((operation, rule));
                    self
                }
            )*
        }
    };
}

any_call! {
    apigateway: "API Gateway",
    cloudformation: "CloudFormation",
    cloudfront: "CloudFront",
    lambda: "Lambda",
    logs: "CloudWatch Logs",
    s3: "S3",
    tagging: "the index of tags",
}

impl Script {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// `DescribeStacks` of a name or ARN.
    pub(super) fn describe(mut self, name: &'static str, body: String) -> Self {
        let status = answers::status_of(&body);
        call!(
            self.cloudformation,
            CloudFormation::describe_stacks,
            move |input| input.stack_name() == Some(name),
            status,
            move || body.clone()
        )
    }

    /// `GetTemplate`.
    pub(super) fn template(mut self, template: &str) -> Self {
        let body = answers::template(template);
        call!(
            self.cloudformation,
            CloudFormation::get_template,
            |_| true,
            200,
            move || body.clone()
        )
    }

    /// A stack that was never executed and has no change set any more.
    pub(super) fn nothing_else_waits(self) -> Self {
        let review = answers::Stack::new("REVIEW_IN_PROGRESS").xml();
        self.describe(answers::STACK_ID, review)
            .list_change_sets(&[])
    }

    /// `DeleteStack`, whose token later events repeat.
    pub(super) fn delete_stack(mut self) -> Self {
        let token = self.token.clone();
        call!(
            self.cloudformation,
            CloudFormation::delete_stack,
            move |input| {
                token.set(input.client_request_token());
                input.stack_name() == Some(answers::STACK_ID)
            },
            200,
            || answers::empty("DeleteStack")
        )
    }

    /// `DeleteStack` that keeps these resources.
    pub(super) fn delete_stack_without(mut self, retain: &'static [&'static str]) -> Self {
        let token = self.token.clone();
        call!(
            self.cloudformation,
            CloudFormation::delete_stack,
            move |input| {
                token.set(input.client_request_token());
                input.retain_resources() == retain
            },
            200,
            || answers::empty("DeleteStack")
        )
    }

    /// `RollbackStack`, whose token later events repeat.
    pub(super) fn rollback_stack(mut self) -> Self {
        let token = self.token.clone();
        call!(
            self.cloudformation,
            CloudFormation::rollback_stack,
            move |input| {
                token.set(input.client_request_token());
                input.stack_name() == Some(answers::STACK_ID)
            },
            200,
            || answers::empty("RollbackStack")
        )
    }

    /// `UpdateStack`, whose token later events repeat.
    pub(super) fn update_stack(
        mut self,
        check: impl Fn(&UpdateStackInput) -> bool + Send + Sync + 'static,
    ) -> Self {
        let token = self.token.clone();
        call!(
            self.cloudformation,
            CloudFormation::update_stack,
            move |input| {
                token.set(input.client_request_token());
                input.stack_name() == Some(answers::STACK_ID) && check(input)
            },
            200,
            || answers::empty("UpdateStack")
        )
    }

    /// `ContinueUpdateRollback` without these resources, whose token later events repeat.
    pub(super) fn continue_rollback(mut self, skip: &'static [&'static str]) -> Self {
        let token = self.token.clone();
        call!(
            self.cloudformation,
            CloudFormation::continue_update_rollback,
            move |input| {
                token.set(input.client_request_token());
                input.stack_name() == Some(answers::STACK_ID) && input.resources_to_skip() == skip
            },
            200,
            || answers::empty("ContinueUpdateRollback")
        )
    }

    /// `DeleteStack` that is refused.
    pub(super) fn refuse_delete(mut self, code: &'static str, message: &'static str) -> Self {
        call!(
            self.cloudformation,
            CloudFormation::delete_stack,
            |_| true,
            400,
            move || answers::error(code, message)
        )
    }

    /// `UpdateTerminationProtection`.
    pub(super) fn protect(mut self, on: bool) -> Self {
        call!(
            self.cloudformation,
            CloudFormation::update_termination_protection,
            move |input| input.enable_termination_protection() == Some(on),
            200,
            || answers::empty("UpdateTerminationProtection")
        )
    }

    /// `DescribeStackEvents`: the newest first, as AWS sends them. The token `*` stands for the one of the operation.
    pub(super) fn events(self, events: &[answers::EventRow]) -> Self {
        self.events_page(events, None, None)
    }

    /// Goes on with what an earlier run began with this token.
    pub(super) fn begun_with(self, token: &str) -> Self {
        self.token.set(Some(token));
        self
    }

    /// `DescribeStackEvents`, asked again and again: the answers take turns, from the first to the last and so on.
    pub(super) fn events_in_turns(mut self, answers: &[&[answers::EventRow]]) -> Self {
        let token = self.token.clone();
        let answers: Vec<Vec<answers::EventRow>> =
            answers.iter().map(|rows| rows.to_vec()).collect();
        let asked = AtomicUsize::new(0);
        call!(
            self.cloudformation,
            CloudFormation::describe_stack_events,
            |_| true,
            200,
            move || {
                let asked = asked.fetch_add(1, Ordering::Relaxed);
                answers::events(&answers[asked % answers.len()], &token.get(), None)
            }
        )
    }

    /// `DescribeStackEvents` of one page of several.
    pub(super) fn events_page(
        mut self,
        events: &[answers::EventRow],
        page: Option<&'static str>,
        next: Option<&'static str>,
    ) -> Self {
        let token = self.token.clone();
        let events = events.to_vec();
        call!(
            self.cloudformation,
            CloudFormation::describe_stack_events,
            move |input| input.next_token() == page,
            200,
            move || answers::events(&events, &token.get(), next)
        )
    }

    /// `ListStackResources`.
    pub(super) fn resources(mut self, rows: &[(&str, &str, &str, &str)]) -> Self {
        let body = answers::resources(rows);
        call!(
            self.cloudformation,
            CloudFormation::list_stack_resources,
            |_| true,
            200,
            move || body.clone()
        )
    }

    /// `ListStackResources` of a stack.
    pub(crate) fn resources_of(
        mut self,
        stack: &'static str,
        rows: &[(&str, &str, &str, &str)],
    ) -> Self {
        let body = answers::resources(rows);
        call!(
            self.cloudformation,
            CloudFormation::list_stack_resources,
            move |input| input.stack_name() == Some(stack),
            200,
            move || body.clone()
        )
    }

    /// `ListStackResources` of a stack that is refused.
    pub(crate) fn refuse_resources(
        mut self,
        stack: &'static str,
        status: u16,
        code: &'static str,
        message: &'static str,
    ) -> Self {
        call!(
            self.cloudformation,
            CloudFormation::list_stack_resources,
            move |input| input.stack_name() == Some(stack),
            status,
            move || answers::error(code, message)
        )
    }

    /// `DescribeStackResources` of what is in no stack, as often as it is asked for, and of what is in one.
    pub(crate) fn stacks_of(mut self, found: &[(&'static str, &str)]) -> Self {
        let known: Vec<&'static str> = found.iter().map(|(id, _)| *id).collect();
        for (id, stack) in found {
            let (id, body) = (*id, answers::stack_of(stack, id));
            self = call!(
                self.cloudformation,
                CloudFormation::describe_stack_resources,
                move |input| input.physical_resource_id() == Some(id),
                200,
                move || body.clone()
            );
        }
        call!(
            self.cloudformation,
            CloudFormation::describe_stack_resources,
            move |input| input
                .physical_resource_id()
                .is_some_and(|id| !known.contains(&id)),
            400,
            || answers::error("ValidationError", "Stack for ID does not exist")
        )
    }

    /// `DescribeStackResources` that is refused.
    pub(crate) fn refuse_stacks_of(mut self) -> Self {
        call!(
            self.cloudformation,
            CloudFormation::describe_stack_resources,
            |_| true,
            403,
            || answers::error("AccessDenied", "cloudformation:DescribeStackResources")
        )
    }

    /// `ListStackResources` with the reason of each status.
    pub(super) fn failed_resources(mut self, rows: &[(&str, &str, &str, &str, &str)]) -> Self {
        let body = answers::resources_with_reasons(rows);
        call!(
            self.cloudformation,
            CloudFormation::list_stack_resources,
            |_| true,
            200,
            move || body.clone()
        )
    }

    /// Plays the answers in any order and as often as they are asked for: for stacks that are worked on at once.
    pub(crate) fn play_in_any_order(self) -> Played {
        self.play_as(RuleMode::MatchAny)
    }

    /// Makes the clients and everything around them.
    pub(crate) fn play(self) -> Played {
        self.play_as(RuleMode::Sequential)
    }

    fn play_as(self, mode: RuleMode) -> Played {
        let (handle, cancel) = Cancel::new();
        let events = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&events);
        let clock = Arc::new(Clock::default());
        let clients = Clients::scripted(
            scripted!(aws_sdk_apigateway, self.apigateway, mode),
            scripted!(aws_sdk_cloudformation, self.cloudformation, mode),
            scripted!(aws_sdk_cloudfront, self.cloudfront, mode),
            scripted!(aws_sdk_s3, self.s3, mode),
            scripted!(aws_sdk_lambda, self.lambda, mode),
            scripted!(aws_sdk_cloudwatchlogs, self.logs, mode),
            scripted!(aws_sdk_resourcegroupstagging, self.tagging, mode),
        );
        let context = Context {
            clients,
            events: EventSink::new(move |event| {
                record.lock().expect("no holder panics").push(event);
            }),
            cancel,
            timing: Arc::clone(&clock) as Arc<dyn Timing>,
            pace: Pace::new(Duration::from_secs(1), Duration::from_secs(4)),
            options: Arc::default(),
            revision: Arc::default(),
            wait: false,
            api_base: None,
            concurrency: CONCURRENCY,
            ownership: Arc::default(),
            followers: Followers::default(),
            renames: Renames::default(),
            aside: Aside::default(),
        };
        let rules = [
            self.apigateway,
            self.cloudformation,
            self.cloudfront,
            self.s3,
            self.lambda,
            self.logs,
            self.tagging,
        ]
        .concat();
        Played {
            context,
            handle,
            rules,
            events,
            clock,
        }
    }
}
