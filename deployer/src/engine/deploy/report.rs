//! What a deploy did, and why it did not do all it should.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    engine::{
        Explained, Failure,
        ending::{self, Ending},
        event::Outcome,
        failure::several,
    },
    error::Kind,
};

/// What a deploy did, stack by stack, in the order of the deployment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DeployReport {
    /// The stacks.
    pub stacks: Vec<StackReport>,
}

/// What a deploy did to one stack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StackReport {
    /// The stack.
    pub stack: String,
    /// How it ended up.
    pub outcome: Outcome,
    /// The outputs, where the stack is in the state it should have.
    pub outputs: BTreeMap<String, String>,
    /// Why it failed, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl Ending for StackReport {
    fn skipped(stack: String) -> Self {
        Self {
            stack,
            outcome: Outcome::Skipped,
            failure: None,
            outputs: BTreeMap::new(),
        }
    }

    fn told(&self) -> (&str, Outcome, Option<&Failure>) {
        (&self.stack, self.outcome, self.failure.as_ref())
    }
}

/// Why a deploy did not do all it should.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The deployment contradicts itself; nothing was called.
    #[error("the assembly cannot be deployed: {0}")]
    Invalid(String),
    /// Stacks failed.
    #[error("{}", failed_stacks(.0))]
    Failed(DeployReport),
    /// A change set was not approved, and nothing failed.
    #[error("{}", declined_stacks(.0))]
    Declined(DeployReport),
    /// The run was stopped.
    #[error("{}", interrupted_stacks(.0))]
    Interrupted(DeployReport),
}

impl DeployError {
    /// Returns what was done, where anything was begun.
    pub fn report(&self) -> Option<&DeployReport> {
        match self {
            Self::Invalid(_) => None,
            Self::Failed(report) | Self::Declined(report) | Self::Interrupted(report) => {
                Some(report)
            }
        }
    }
}

impl Explained for DeployError {
    fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) => Kind::Assembly,
            Self::Failed(report) => several::kind(failures(report)),
            Self::Declined(_) => Kind::Refused,
            Self::Interrupted(_) => Kind::Interrupted,
        }
    }

    fn hints(&self) -> Vec<String> {
        several::hints(self.report().into_iter().flat_map(failures))
    }

    fn details(&self) -> Vec<String> {
        let failures = self.report().into_iter().flat_map(failures);
        several::news(&self.to_string(), failures)
    }
}

/// Makes the error of a report that is not good.
pub(in crate::engine) fn verdict(report: DeployReport) -> DeployError {
    let any = |outcome| ending::any(&report.stacks, outcome);
    if any(Outcome::Interrupted) {
        DeployError::Interrupted(report)
    } else if any(Outcome::Failed) {
        DeployError::Failed(report)
    } else {
        DeployError::Declined(report)
    }
}

fn failures(report: &DeployReport) -> impl Iterator<Item = &Failure> {
    ending::failures(&report.stacks)
}

fn failed_stacks(report: &DeployReport) -> String {
    let failed: Vec<&str> = report
        .stacks
        .iter()
        .filter(|stack| stack.failure.is_some())
        .map(|stack| stack.stack.as_str())
        .collect();
    let deployed = || failures(report).filter(|failure| failure.deployed);
    let told = match (failed.as_slice(), deployed().next()) {
        // It says what came afterwards.
        ([_], Some(failure)) => failure.message.clone(),
        ([one], None) => format!("stack {one} was not deployed"),
        (all, some) => format!(
            "{} of {} stacks {}: {}",
            all.len(),
            report.stacks.len(),
            some.map_or("were not deployed", |_| "failed"),
            all.join(", ")
        ),
    };
    told + &not_tried(report)
}

/// Names the stacks that were not begun because of others; nothing, where there are none.
fn not_tried(report: &DeployReport) -> String {
    let skipped = stacks_that_are(report, Outcome::Skipped);
    if skipped.is_empty() {
        String::new()
    } else {
        format!("; not tried because of that: {}", skipped.join(", "))
    }
}

fn stacks_that_are(report: &DeployReport, outcome: Outcome) -> Vec<&str> {
    report
        .stacks
        .iter()
        .filter(|stack| stack.outcome == outcome)
        .map(|stack| stack.stack.as_str())
        .collect()
}

fn declined_stacks(report: &DeployReport) -> String {
    let declined = stacks_that_are(report, Outcome::Declined);
    format!(
        "not approved, and left as it was: {}{}",
        declined.join(", "),
        not_tried(report)
    )
}

fn interrupted_stacks(report: &DeployReport) -> String {
    let stopped = stacks_that_are(report, Outcome::Interrupted);
    let failures: Vec<&Failure> = failures(report).collect();
    let told = match (stopped.as_slice(), failures.as_slice()) {
        ([_], [failure]) => failure.message.clone(),
        _ => format!("stopped before it was done: {}", stopped.join(", ")),
    };
    told + &not_tried(report)
}
