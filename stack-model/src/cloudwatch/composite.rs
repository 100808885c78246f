//! Alarms of alarms.

use std::panic::Location;

use stack_model_cfn::cloudwatch as cfn;
use stack_model_cfn::{Part, Value};

use super::{AlarmAction, AlarmRef};
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text::{IntoPart, concatenate};

/// When an alarm of alarms goes off.
///
/// ```
/// use stack_model::cloudwatch::{AlarmRef, AlarmRule};
///
/// fn broken(errors: &AlarmRef, traffic: &AlarmRef, deploying: &AlarmRef) -> AlarmRule {
///     AlarmRule::all([
///         AlarmRule::any([AlarmRule::alarm(errors), AlarmRule::alarm(traffic)]),
///         AlarmRule::not(AlarmRule::alarm(deploying)),
///     ])
/// }
/// ```
///
/// See <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html>.
#[derive(Clone, Debug)]
pub struct AlarmRule(Node);

#[derive(Clone, Debug)]
enum Node {
    State(&'static str, AlarmRef),
    Not(Box<Node>),
    Join(&'static str, Vec<Node>),
}

impl AlarmRule {
    /// While an alarm is off its limits.
    pub fn alarm(alarm: &AlarmRef) -> Self {
        Self(Node::State("ALARM", alarm.clone()))
    }

    /// While all is well with an alarm.
    pub fn ok(alarm: &AlarmRef) -> Self {
        Self(Node::State("OK", alarm.clone()))
    }

    /// While too little is known for an alarm.
    pub fn insufficient_data(alarm: &AlarmRef) -> Self {
        Self(Node::State("INSUFFICIENT_DATA", alarm.clone()))
    }

    /// While a rule does not hold.
    #[expect(
        clippy::should_implement_trait,
        reason = "it reads as the other rules do, and takes no reference to itself"
    )]
    pub fn not(rule: Self) -> Self {
        Self(Node::Not(Box::new(rule.0)))
    }

    /// While one of the rules holds at least.
    pub fn any(rules: impl IntoIterator<Item = Self>) -> Self {
        Self::join("OR", rules)
    }

    /// While all rules hold.
    pub fn all(rules: impl IntoIterator<Item = Self>) -> Self {
        Self::join("AND", rules)
    }

    fn join(word: &'static str, rules: impl IntoIterator<Item = Self>) -> Self {
        let rules = rules.into_iter().map(|rule| rule.0);
        Self(Node::Join(word, rules.collect()))
    }

    fn render(&self) -> Value<String> {
        let mut parts = Vec::new();
        write(&self.0, &mut parts);
        concatenate(parts)
    }
}

/// Writes a rule; lists without an element are left out, and reported before.
fn write(node: &Node, parts: &mut Vec<Part>) {
    match node {
        Node::State(state, alarm) => {
            parts.push(Part::Text(format!("{state}(\"")));
            parts.push(alarm.arn().into_part());
            parts.push(Part::Text("\")".to_owned()));
        }
        Node::Not(inner) => {
            parts.push(Part::Text("NOT (".to_owned()));
            write(inner, parts);
            parts.push(Part::Text(")".to_owned()));
        }
        Node::Join(word, rules) => {
            parts.push(Part::Text("(".to_owned()));
            for (position, rule) in rules.iter().enumerate() {
                if position > 0 {
                    parts.push(Part::Text(format!(" {word} ")));
                }
                write(rule, parts);
            }
            parts.push(Part::Text(")".to_owned()));
        }
    }
}

/// Returns how many alarms a rule names, or nothing where a list in it is empty.
fn count(node: &Node) -> Option<usize> {
    match node {
        Node::State(..) => Some(1),
        Node::Not(inner) => count(inner),
        Node::Join(_, rules) if rules.is_empty() => None,
        Node::Join(_, rules) => rules.iter().map(count).sum(),
    }
}

/// What an alarm of alarms is made of, beyond its rule.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-compositealarm.html>.
#[derive(Clone, Debug, Default)]
pub struct CompositeAlarmProps {
    /// The physical name, at most 255 characters.
    pub name: Option<Value<String>>,
    /// What the alarm means, and what to do about it, at most 1,024 characters.
    pub description: Option<String>,
    /// Who is told when the alarm goes off.
    pub actions: Vec<AlarmAction>,
    /// Who is told when all is well again.
    pub ok_actions: Vec<AlarmAction>,
}

impl Stack<'_> {
    /// Adds an alarm of alarms, so that one cause wakes somebody once.
    #[track_caller]
    pub fn composite_alarm(
        &mut self,
        logical_id: &str,
        rule: &AlarmRule,
        props: CompositeAlarmProps,
    ) -> AlarmRef {
        let source = Location::caller();
        let message = match count(&rule.0) {
            None => Some("a list of rules is empty".to_owned()),
            Some(alarms) if alarms > 100 => Some(format!(
                "the rule names {alarms} alarms and CloudWatch takes 100"
            )),
            Some(_) => None,
        };
        if let Some(message) = message {
            self.report(logical_id, Some("Properties.AlarmRule"), message, source);
        }
        let alarm = cfn::CompositeAlarm {
            alarm_actions: AlarmAction::arns(&props.actions).into(),
            alarm_description: props.description.into(),
            alarm_name: props.name.into(),
            alarm_rule: rule.render().into(),
            ok_actions: AlarmAction::arns(&props.ok_actions).into(),
            ..cfn::CompositeAlarm::default()
        };
        let handle = AlarmRef {
            id: self.insert(logical_id, Resource::of(&alarm, source)).id,
        };
        for action in [props.actions, props.ok_actions].concat() {
            self.let_alarm_in(&handle, &action, source);
        }
        handle
    }
}
