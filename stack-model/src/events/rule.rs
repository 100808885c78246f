//! Rules: which events go where.

use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

use stack_model_cfn::events as cfn;
use stack_model_cfn::events::rule as rule_cfn;
use stack_model_cfn::{Expr, Property, Render, ResourceId, Token, Value};

use super::bus::SERVICE;
use super::destination::{Destination, Kind};
use super::{AnyDetail, Delivery, EventBusRef, EventPattern, Recurrence, RuleTarget, Sends};
use crate::arn::Arn;
use crate::handle::{get_att, typed_handle};
use crate::iam::{RoleProps, RoleRef};
use crate::lambda::permission;
use crate::limit::Limited;
use crate::logs::LogOrigin;
use crate::name::NameRule;
use crate::resource::Resource;
use crate::stack::Stack;

/// Marks the ARN of a rule.
#[derive(Debug)]
pub enum Rule {}

/// The most targets of a rule; see
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>.
const MAX_TARGETS: usize = 5;

/// What a rule is made of, beyond its pattern or schedule.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html>.
#[derive(Clone, Debug, Default)]
pub struct RuleProps {
    /// The physical name: 1 to 64 letters, digits, `.`, `-` and `_`. Leave it out unless something outside the stack
    /// needs it: a named rule cannot be replaced.
    pub name: Option<Value<String>>,
    /// What the rule is for, at most 512 characters.
    pub description: Option<String>,
    /// Whether the rule is there and does nothing.
    pub disabled: bool,
}

/// The handle of a rule for events whose detail is a `D`.
pub struct RuleRef<D> {
    id: ResourceId,
    /// The name of the bus, unless it is the one that every account has.
    bus: Option<Value<String>>,
    detail: PhantomData<fn() -> D>,
}

typed_handle!(RuleRef { id, bus, detail });

impl<D> RuleRef<D> {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Rule>> {
        get_att(&self.id, "Arn")
    }

    /// Returns the name of the bus, unless it is the one that every account has.
    pub(crate) fn bus_name(&self) -> Option<Value<String>> {
        self.bus.clone()
    }

    /// Returns the physical name, as metrics have it.
    pub fn name(&self) -> Value<String> {
        // The ARN names the bus before the rule, unless it is the one that every account has.
        Value::Token(Token::Select {
            index: if self.bus.is_some() { 2 } else { 1 },
            list: Box::new(Expr::Token(Token::Split {
                delimiter: "/".to_owned(),
                text: Box::new(self.arn().into()),
            })),
        })
    }
}

impl Stack<'_> {
    /// Adds a rule: events of a bus that match a pattern go to the targets that [`target`](Stack::target) adds.
    ///
    /// ```
    /// use stack_model::contract::EventDetail;
    /// use stack_model::events::{Delivery, EventBusProps, EventPattern, RuleProps};
    /// use stack_model::logs::LogGroupProps;
    /// use stack_model::sqs::QueueProps;
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders");
    ///
    /// // A function package derives this.
    /// struct Placed;
    ///
    /// impl EventDetail for Placed {
    ///     const DETAIL_TYPE: &'static str = "Orders.Placed";
    /// }
    ///
    /// let bus = stack.event_bus("Bus", EventBusProps::default());
    /// let invoices = stack.queue::<Placed>("Invoices", QueueProps::default());
    /// let lost = stack.queue::<String>("Lost", QueueProps::default());
    /// let log = stack.log_group("Log", LogGroupProps {
    ///     name: Some("/aws/events/orders".into()),
    ///     ..LogGroupProps::default()
    /// });
    ///
    /// let shop = EventPattern::source("shop");
    /// let placed = stack.rule("Placed", &bus, shop.clone().detail_type::<Placed>(), RuleProps::default());
    /// stack.target(&placed, &invoices, Delivery::detail().dead_letters(&lost));
    ///
    /// let everything = stack.rule("Everything", &bus, shop, RuleProps::default());
    /// stack.target(&everything, &log, Delivery::event());
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn rule<D>(
        &mut self,
        logical_id: &str,
        bus: &EventBusRef,
        pattern: EventPattern<D>,
        props: RuleProps,
    ) -> RuleRef<D> {
        let source = Location::caller();
        for message in pattern.violations() {
            let path = "Properties.EventPattern";
            self.report(logical_id, Some(path), message, source);
        }
        let bus = (!bus.is_default()).then(|| bus.name());
        let rule = cfn::Rule {
            event_bus_name: bus.clone().into(),
            event_pattern: Property::Literal(pattern.render()),
            ..cfn::Rule::default()
        };
        self.insert_rule(logical_id, rule, props, bus, source)
    }

    /// Adds a rule that sends an event again and again; its detail is empty.
    ///
    /// [EventBridge Scheduler](crate::scheduler) can do more, such as time zones and a single time.
    #[track_caller]
    pub fn scheduled_rule(
        &mut self,
        logical_id: &str,
        recurrence: &Recurrence,
        props: RuleProps,
    ) -> RuleRef<AnyDetail> {
        let source = Location::caller();
        if let Some(message) = recurrence.violation() {
            let path = "Properties.ScheduleExpression";
            self.report(logical_id, Some(path), message, source);
        }
        let rule = cfn::Rule {
            schedule_expression: recurrence.to_string().into(),
            ..cfn::Rule::default()
        };
        self.insert_rule(logical_id, rule, props, None, source)
    }

    fn insert_rule<D>(
        &mut self,
        logical_id: &str,
        rule: cfn::Rule,
        props: RuleProps,
        bus: Option<Value<String>>,
        source: &'static Location<'static>,
    ) -> RuleRef<D> {
        let name = props.name.as_ref();
        self.check_name(logical_id, "Properties.Name", name, NAME, source);
        let rule = cfn::Rule {
            description: props.description.into(),
            name: props.name.into(),
            state: if props.disabled {
                "DISABLED"
            } else {
                "ENABLED"
            }
            .into(),
            ..rule
        };
        RuleRef {
            id: self.insert(logical_id, Resource::of(&rule, source)).id,
            bus,
            detail: PhantomData,
        }
    }

    /// Sends the events of a rule to a target; a rule has at most five.
    ///
    /// The rule may send to the target, and to nothing else: a function gets a permission `<Rule><Function>Permission`,
    /// a queue and a topic a statement of their policy, a log group one of the stack's resource policy
    /// `LogGroupsPolicy`, and for everything else the rule takes on a role `<Rule>Role`.
    #[track_caller]
    pub fn target<D, S: Sends<D>>(
        &mut self,
        rule: &RuleRef<D>,
        target: &impl RuleTarget<S::Sent>,
        delivery: Delivery<S>,
    ) {
        let source = Location::caller();
        let destination = target.destination();
        let rule_id = rule.id.logical_id().to_owned();
        let targets = self.targets_of(rule);
        let name = destination.id.logical_id().replace(' ', "");
        let mut target_id = name.clone();
        let mut number = 2;
        while targets.contains(&target_id) {
            target_id = format!("{name}{number}");
            number += 1;
        }
        if targets.len() == MAX_TARGETS {
            let message = format!(
                "the rule has more than {MAX_TARGETS} targets: add another rule with the same pattern"
            );
            self.report(&rule_id, Some("Properties.Targets"), message, source);
        }
        let path = format!("Properties.Targets.{}.RetryPolicy", targets.len());
        let age = delivery.retry.maximum_age;
        let age_path = format!("{path}.MaximumEventAgeInSeconds");
        self.check_limit(&rule_id, &age_path, age, source);
        let attempts = delivery.retry.attempts;
        let attempts_path = format!("{path}.MaximumRetryAttempts");
        self.check_limit(&rule_id, &attempts_path, attempts, source);

        let mut rendered = rule_cfn::Target {
            arn: destination.arn.clone().into(),
            id: target_id.into(),
            ..rule_cfn::Target::default()
        };
        delivery.fill(&mut rendered, &rule_id, self, source);
        let retry = delivery.retry;
        if retry.maximum_age.is_some() || retry.attempts.is_some() {
            rendered.retry_policy = rule_cfn::RetryPolicy {
                maximum_event_age_in_seconds: retry.maximum_age.map(Limited::number).into(),
                maximum_retry_attempts: retry.attempts.map(Limited::number).into(),
            }
            .into();
        }
        if let Some(queue) = &delivery.dead_letters {
            rendered.dead_letter_config = rule_cfn::DeadLetterConfig {
                arn: queue.arn().into(),
            }
            .into();
            let arn = rule.arn().into_text();
            self.take_dead_letters(&rule_id, queue, SERVICE, arn, source);
        }
        self.check_message_group(
            &rule_id,
            &destination,
            delivery.message_group.as_ref(),
            source,
        );
        if let Some(group) = delivery.message_group {
            rendered.sqs_parameters = rule_cfn::SqsParameters {
                message_group_id: group.into(),
            }
            .into();
        }
        if let Some(role) = self.let_rule_in(rule, &destination) {
            rendered.role_arn = role.arn().into_text().into();
        }
        let rendered = rendered.render();
        self.change_at(rule, source, |resource| {
            if let Expr::Map(properties) = &mut resource.properties
                && let Expr::List(targets) = properties
                    .entry("Targets".to_owned())
                    .or_insert_with(|| Expr::List(Vec::new()))
            {
                targets.extend(rendered);
            }
        });
    }

    /// Returns the ids of the targets that a rule has.
    fn targets_of<D>(&self, rule: &RuleRef<D>) -> Vec<String> {
        let resource = self.data_ref().resources.get(rule.id.logical_id());
        let Some(Expr::Map(properties)) = resource.map(|resource| &resource.properties) else {
            return Vec::new();
        };
        let Some(Expr::List(targets)) = properties.get("Targets") else {
            return Vec::new();
        };
        let id = |target: &Expr| match target {
            Expr::Map(target) => target.get("Id").and_then(Expr::as_str).map(str::to_owned),
            _ => None,
        };
        targets.iter().filter_map(id).collect()
    }

    /// Lets a rule deliver; returns the role that it needs for that, where no policy of the target does.
    #[track_caller]
    fn let_rule_in<D>(&mut self, rule: &RuleRef<D>, destination: &Destination) -> Option<RoleRef> {
        let source = Location::caller();
        match &destination.kind {
            Kind::Function => {
                // A rule that sends to a function twice needs one permission. EventBridge does not say which account
                // it calls for, so a permission that names the account would let nothing in.
                let id = format!(
                    "{}{}Permission",
                    rule.id.logical_id(),
                    destination.id.logical_id()
                );
                if self.data().policies.insert(id.clone()) {
                    let permission = permission::of_service(
                        destination.arn.clone(),
                        SERVICE,
                        rule.arn().into_text(),
                    );
                    self.insert(&id, Resource::of(&permission, source));
                }
                None
            }
            Kind::Queue(queue) => {
                self.let_send(queue, SERVICE, rule.arn().into_text(), source);
                None
            }
            Kind::Topic(topic) => {
                // SNS is not told which rule EventBridge publishes for, so a condition would let nothing in. See
                // <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html>.
                self.let_publish(topic, SERVICE, None, source);
                None
            }
            Kind::LogGroup(group) => {
                let rule = LogOrigin::Rule(rule.arn().into_text());
                self.let_logs_in(group, rule, source);
                None
            }
            Kind::StateMachine | Kind::EventBus | Kind::ApiDestination | Kind::Other => {
                let id = format!("{}Role", rule.id.logical_id());
                let taken_on = self.delivery_role(&id, SERVICE);
                self.add_statements(&taken_on, destination.statements.clone(), source);
                Some(taken_on)
            }
        }
    }

    /// Returns the role of a logical id, which a service takes on to deliver; it is made where it is not there yet.
    #[track_caller]
    pub(crate) fn delivery_role(&mut self, id: &str, service: &str) -> RoleRef {
        if self.data().policies.insert(id.to_owned()) {
            // A rule says whose it is when it takes on a role. The role cannot name the rule, which needs the role. See
            // <https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html>.
            self.role(id, RoleProps::for_service_here(service))
        } else {
            RoleRef::of(ResourceId::new(Arc::clone(&self.data_ref().id), id))
        }
    }

    /// Reports a message group where there is no FIFO queue, and a FIFO queue where there is no message group.
    pub(crate) fn check_message_group(
        &mut self,
        logical_id: &str,
        destination: &Destination,
        group: Option<&Value<String>>,
        source: &Location<'_>,
    ) {
        let fifo = match &destination.kind {
            Kind::Queue(queue) => queue.is_fifo(),
            Kind::Topic(topic) if topic.is_fifo() => {
                let message = "a FIFO topic needs a message group, which EventBridge does not give: send to a FIFO queue";
                return self.report(logical_id, None, message, source);
            }
            _ => false,
        };
        if fifo && group.is_none() {
            let message = format!(
                "the FIFO queue `{}` needs a message group: set `message_group`",
                destination.id.logical_id()
            );
            self.report(logical_id, None, message, source);
        }
        if !fifo && group.is_some() {
            let message = "a message group is for a FIFO queue";
            self.report(logical_id, None, message, source);
        }
    }
}

/// See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html>.
const NAME: NameRule = NameRule {
    min: 1,
    max: 64,
    others: ".-_",
};
