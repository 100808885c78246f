//! Aliases: names under which the newest version of a state machine is started, once it has proven itself.

use std::marker::PhantomData;
use std::panic::Location;

use stack_model_cfn::stepfunctions as cfn;
use stack_model_cfn::{ResourceId, Value};

use super::{StateMachine, StateMachineOperation, StateMachineRef};
use crate::arn::Arn;
use crate::handle::{get_att, reference, typed_handle};
use crate::limit::Limited;
use crate::policy::{Statement, allow_on};
use crate::resource::{Removal, Resource};
use crate::stack::Stack;

/// How many percent of the executions a first or next part of them is.
pub type ShiftPercentage = Limited<1, 99>;

/// How long a part of the executions runs the new version before more do, in minutes.
pub type ShiftMinutes = Limited<1, 2100>;

/// How an alias comes to name a new version.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/execution-alias-version-associate.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shift {
    /// At once.
    #[default]
    AllAtOnce,
    /// A part first, and the rest after some minutes.
    Canary {
        /// How large the part is.
        percentage: ShiftPercentage,
        /// How long it stays the only one.
        minutes: ShiftMinutes,
    },
    /// Part by part, every so many minutes.
    Linear {
        /// How large each part is.
        percentage: ShiftPercentage,
        /// How long each stays the last one.
        minutes: ShiftMinutes,
    },
}

/// What an alias is made of.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachinealias.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct StateMachineAliasProps {
    /// The name, 1 to 80 letters, digits, `-`, `_` and `.`, and not only digits.
    pub name: String,
    /// What the alias is for.
    pub description: Option<String>,
    /// How the alias comes to name a new version.
    pub shift: Shift,
    /// The names of alarms of CloudWatch that bring the earlier version back while the alias moves.
    pub alarms: Vec<Value<String>>,
}

impl StateMachineAliasProps {
    /// An alias that names a new version at once.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
            shift: Shift::default(),
            alarms: Vec::new(),
        }
    }
}

/// The handle of an alias of a state machine whose executions start with an input of type `I`.
pub struct StateMachineAliasRef<I> {
    id: ResourceId,
    machine: StateMachineRef<I>,
    input: PhantomData<fn() -> I>,
}

typed_handle!(StateMachineAliasRef { id, machine, input });

impl<I> StateMachineAliasRef<I> {
    /// Returns the ARN, which is used where that of the state machine is.
    pub fn arn(&self) -> Value<Arn<StateMachine>> {
        reference(&self.id)
    }

    /// Returns the state machine.
    pub fn state_machine(&self) -> &StateMachineRef<I> {
        &self.machine
    }

    /// Returns what a role must allow to start executions under this name, and no other.
    pub fn start_statements(&self) -> Vec<Statement> {
        let operation = StateMachineOperation::Start;
        let own = self.machine.statements(&[operation]);
        allow_on([operation.action()], self.arn())
            .into_iter()
            // What the state machine's key needs is the same.
            .chain(own.into_iter().skip(1))
            .collect()
    }
}

impl Stack<'_> {
    /// Adds an alias of a state machine, and the version `<Id>Version` of every state in which the state machine is
    /// deployed, for the alias to name. Versions are kept: executions that run them go on.
    #[track_caller]
    pub fn state_machine_alias<I>(
        &mut self,
        logical_id: &str,
        machine: &StateMachineRef<I>,
        props: StateMachineAliasProps,
    ) -> StateMachineAliasRef<I> {
        let source = Location::caller();
        let name = props.name.as_str();
        let fits = (1..=80).contains(&name.len())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && !name.chars().all(|c| c.is_ascii_digit());
        if !fits {
            let message = format!(
                "`{name}` is not the name of an alias: it has 1 to 80 letters, digits, `-`, `_` and `.`, and not only digits"
            );
            self.report(logical_id, Some("Properties.Name"), message, source);
        }
        let (kind, step) = match props.shift {
            Shift::AllAtOnce => ("ALL_AT_ONCE", None),
            Shift::Canary {
                percentage,
                minutes,
            } => ("CANARY", Some((percentage, minutes))),
            Shift::Linear {
                percentage,
                minutes,
            } => ("LINEAR", Some((percentage, minutes))),
        };
        if let Some((percentage, minutes)) = step {
            let path = "Properties.DeploymentPreference.Percentage";
            self.check_limit(logical_id, path, Some(percentage), source);
            let path = "Properties.DeploymentPreference.Interval";
            self.check_limit(logical_id, path, Some(minutes), source);
        }
        let version = cfn::StateMachineVersion {
            state_machine_arn: machine.arn().into_text().into(),
            // A change of the state machine changes this, and so makes a version of its own.
            state_machine_revision_id: get_att::<String>(&machine.id, "StateMachineRevisionId")
                .into(),
            ..cfn::StateMachineVersion::default()
        };
        let mut version = Resource::of(&version, source);
        version.removal = Some(Removal::RetainExceptOnCreate);
        let version = self.insert(&format!("{logical_id}Version"), version);
        let alias = cfn::StateMachineAlias {
            deployment_preference: cfn::state_machine_alias::DeploymentPreference {
                alarms: (!props.alarms.is_empty()).then_some(props.alarms).into(),
                interval: step.map(|(_, minutes)| minutes.number()).into(),
                percentage: step.map(|(percentage, _)| percentage.number()).into(),
                state_machine_version_arn: version.reference().into(),
                type_: kind.into(),
            }
            .into(),
            description: props.description.into(),
            name: props.name.into(),
            ..cfn::StateMachineAlias::default()
        };
        StateMachineAliasRef {
            id: self.insert(logical_id, Resource::of(&alias, source)).id,
            machine: machine.clone(),
            input: PhantomData,
        }
    }
}
