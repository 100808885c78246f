//! Amazon EventBridge Scheduler: invocations at a time, once or again and again.
//!
//! A schedule sends what is given with it to a function, a queue, a topic, a state machine, a bus, or any call of an AWS
//! API, and takes on a role that allows just that.

use std::panic::Location;

use stack_model_cfn::scheduler as cfn;
use stack_model_cfn::{ResourceId, Value};

use crate::arn::Arn;
use crate::contract::event;
use crate::events::RetryPolicy;
use crate::events::delivery::constant;
use crate::handle::{Handle, get_att, reference};
use crate::iam::RoleProps;
use crate::kms::{KeyOperation, KeyRef};
use crate::limit::Limited;
use crate::name::NameRule;
use crate::resource::Resource;
use crate::sqs::DeadLetterQueue;
use crate::stack::Stack;

mod input;
mod target;
mod timetable;

pub use input::{IntoScheduledInput, ScheduledInput};
pub use target::{ScheduleDestination, ScheduleTarget, UniversalTarget};
pub use timetable::Timetable;

/// The principal that EventBridge Scheduler acts as.
const SERVICE: &str = "scheduler.amazonaws.com";

/// The most characters of an input; see
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html>.
const MAX_INPUT: usize = 262_144;

/// Marks the ARN of a schedule.
#[derive(Debug)]
pub enum Schedule {}

/// Within how many minutes after its time a schedule may start.
pub type FlexibleMinutes = Limited<1, 1440>;

/// What a schedule is made of, beyond its timetable, its target and what it sends.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-scheduler-schedule.html>.
#[derive(Clone, Debug, Default)]
pub struct ScheduleProps {
    /// The physical name: 1 to 64 letters, digits, `.`, `-` and `_`. Leave it out unless something outside the stack
    /// needs it: a named schedule cannot be replaced.
    pub name: Option<Value<String>>,
    /// What the schedule is for, at most 512 characters.
    pub description: Option<String>,
    /// The group that the schedule belongs to; the account's own by default.
    pub group: Option<ScheduleGroupRef>,
    /// Within how many minutes after its time it may start, to spread the load; at its time by default.
    pub flexible_window: Option<FlexibleMinutes>,
    /// How long an invocation is tried again that failed.
    pub retry: RetryPolicy,
    /// Where invocations go that failed for good; otherwise they are lost.
    pub dead_letters: Option<DeadLetterQueue>,
    /// The message group, for a FIFO queue.
    pub message_group: Option<Value<String>>,
    /// A key of the customer's own for what is sent; EventBridge encrypts it with its own by default.
    pub key: Option<KeyRef>,
    /// Whether the schedule is there and does nothing.
    pub disabled: bool,
}

/// The handle of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleRef {
    id: ResourceId,
}

impl ScheduleRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Schedule>> {
        get_att(&self.id, "Arn")
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for ScheduleRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// The handle of a group of schedules, whose metrics are counted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleGroupRef {
    id: ResourceId,
}

impl ScheduleGroupRef {
    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for ScheduleGroupRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a schedule with its role `<Id>Role`.
    ///
    /// ```
    /// use stack_model::contract::EventDetail;
    /// use stack_model::events::{EventBusProps, PutEvent};
    /// use stack_model::scheduler::{ScheduleProps, Timetable};
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders");
    ///
    /// // A function package derives this.
    /// #[derive(serde::Serialize)]
    /// struct DayStarted {
    ///     shop: String,
    /// }
    ///
    /// impl EventDetail for DayStarted {
    ///     const DETAIL_TYPE: &'static str = "Shop.DayStarted";
    /// }
    ///
    /// let bus = stack.event_bus("Bus", EventBusProps::default());
    /// stack.schedule(
    ///     "Morning",
    ///     Timetable::cron("0 7 ? * MON-FRI *").in_zone("Europe/Berlin"),
    ///     &PutEvent::on(&bus, "shop"),
    ///     &DayStarted { shop: "north".to_owned() },
    ///     ScheduleProps::default(),
    /// );
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn schedule<I: IntoScheduledInput>(
        &mut self,
        logical_id: &str,
        timetable: Timetable,
        target: &impl ScheduleTarget<event::Invocation<I::Payload>>,
        input: I,
        props: ScheduleProps,
    ) -> ScheduleRef {
        let source = Location::caller();
        let ScheduleDestination { destination, event } = target.destination();
        for message in timetable.violations() {
            let path = "Properties.ScheduleExpression";
            self.report(logical_id, Some(path), message, source);
        }
        self.check_schedule(logical_id, &props, source);
        let group = props.message_group.as_ref();
        self.check_message_group(logical_id, &destination, group, source);

        let mut violations = Vec::new();
        let input = constant(&input.into_input().into_json(), MAX_INPUT, &mut violations);
        for message in violations {
            let path = "Properties.Target.Input";
            self.report(logical_id, Some(path), message, source);
        }

        // See <https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html>.
        let taken_on = RoleProps::for_service_here(SERVICE);
        let role = self.role(&format!("{logical_id}Role"), taken_on);
        self.add_statements(&role, destination.statements, source);
        if let Some(queue) = &props.dead_letters {
            self.check_dead_letters(logical_id, queue, source);
            self.add_statements(&role, queue.statements(), source);
        }
        if let Some(key) = &props.key {
            let statement = key.through("scheduler", [KeyOperation::Decrypt]);
            self.add_statements(&role, statement, source);
        }

        let retry = props.retry;
        let target = cfn::schedule::Target {
            arn: destination.arn.into(),
            dead_letter_config: props
                .dead_letters
                .map(|queue| cfn::schedule::DeadLetterConfig {
                    arn: queue.arn().into(),
                })
                .into(),
            event_bridge_parameters: event
                .map(
                    |(source, detail_type)| cfn::schedule::EventBridgeParameters {
                        detail_type: detail_type.into(),
                        source: source.into(),
                    },
                )
                .into(),
            input,
            retry_policy: (retry != RetryPolicy::default())
                .then(|| cfn::schedule::RetryPolicy {
                    maximum_event_age_in_seconds: retry
                        .maximum_age
                        .map(|age| f64::from(age.get()))
                        .into(),
                    maximum_retry_attempts: retry
                        .attempts
                        .map(|attempts| f64::from(attempts.get()))
                        .into(),
                })
                .into(),
            role_arn: role.arn().into_text().into(),
            sqs_parameters: props
                .message_group
                .map(|group| cfn::schedule::SqsParameters {
                    message_group_id: group.into(),
                })
                .into(),
            ..cfn::schedule::Target::default()
        };
        let window = props.flexible_window;
        let expression = timetable.expression();
        let schedule = cfn::Schedule {
            description: props.description.into(),
            end_date: timetable.until.into(),
            flexible_time_window: cfn::schedule::FlexibleTimeWindow {
                maximum_window_in_minutes: window.map(|window| f64::from(window.get())).into(),
                mode: if window.is_some() { "FLEXIBLE" } else { "OFF" }.into(),
            }
            .into(),
            group_name: props.group.map(|group| group.name()).into(),
            kms_key_arn: props.key.map(|key| key.arn().into_text()).into(),
            name: props.name.into(),
            schedule_expression: expression.into(),
            schedule_expression_timezone: timetable.zone.into(),
            start_date: timetable.from.into(),
            state: if props.disabled {
                "DISABLED"
            } else {
                "ENABLED"
            }
            .into(),
            target: target.into(),
        };
        ScheduleRef {
            id: self.insert(logical_id, Resource::of(&schedule, source)).id,
        }
    }

    /// Adds a group of schedules. Deleting it deletes its schedules.
    #[track_caller]
    pub fn schedule_group(&mut self, logical_id: &str) -> ScheduleGroupRef {
        let group = cfn::ScheduleGroup::default();
        ScheduleGroupRef {
            id: self
                .insert(logical_id, Resource::of(&group, Location::caller()))
                .id,
        }
    }

    fn check_schedule(&mut self, id: &str, props: &ScheduleProps, source: &Location<'_>) {
        let name = props.name.as_ref();
        self.check_name(id, "Properties.Name", name, NAME, source);
        let path = "Properties.FlexibleTimeWindow.MaximumWindowInMinutes";
        self.check_limit(id, path, props.flexible_window, source);
        let path = "Properties.Target.RetryPolicy.MaximumEventAgeInSeconds";
        self.check_limit(id, path, props.retry.maximum_age, source);
        let path = "Properties.Target.RetryPolicy.MaximumRetryAttempts";
        self.check_limit(id, path, props.retry.attempts, source);
    }
}

/// See <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>.
const NAME: NameRule = NameRule {
    min: 1,
    max: 64,
    others: ".-_",
};

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/scheduler.md")]
struct Guide;
