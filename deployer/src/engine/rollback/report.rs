//! What a rollback is asked for, what it would do, and what it did.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stack_model::assembly::StackManifest;

use crate::{
    aws::AwsError,
    engine::{
        Explained, Failure, StackStatus,
        ending::{self, Ending},
        event::Outcome,
        failure::several,
    },
    error::Kind,
};

/// What to roll back.
#[derive(Clone, Debug, Default)]
pub struct RollbackRequest {
    /// The stacks, in any order. One that needs no rollback is left alone.
    pub stacks: Vec<StackManifest>,
    /// The resources that a rollback leaves as they are, by logical id or as `STACK/LOGICAL_ID`: only such that kept an
    /// earlier rollback from its end.
    pub skip: BTreeSet<String>,
    /// The stacks of which nobody agreed that anything changes: what is live of them stays so.
    pub unasked: BTreeSet<String>,
}

/// What a rollback would do to one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedRollback {
    /// The stack.
    pub stack: String,
    /// Its status; `NOT_DEPLOYED` where there is no such stack.
    pub status: StackStatus,
    /// What would be done.
    pub action: RollbackAction,
    /// The release that is deployed again, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<u64>,
    /// The resources that kept an earlier rollback from its end, each with its reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// The versions that aliases of released functions name afterwards, by logical id: those that were live before the update.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub live: BTreeMap<String, String>,
}

/// What a rollback does to a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RollbackAction {
    /// Nothing: it is in a state that it can be updated from, or there is none.
    Nothing,
    /// Leads released functions back to what was live before an update that was rolled back.
    LeadBack,
    /// Waits for the operation that is running, and looks again.
    Wait,
    /// Cancels the update that is running.
    Cancel,
    /// Takes back the update that failed.
    RollBack,
    /// Removes what the failed creation made: there is no earlier state to go back to.
    RemoveCreated,
    /// Continues the rollback that failed.
    Continue,
    /// Deploys the release again that was deployed last: an update in express mode failed.
    Repeat,
    /// Refuses: another way leads on.
    Refuse,
}

/// What was rolled back, stack by stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RollbackReport {
    /// The stacks.
    pub stacks: Vec<RolledBackStack>,
}

/// What became of one stack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RolledBackStack {
    /// The stack.
    pub stack: String,
    /// How it ended up.
    pub outcome: Outcome,
    /// The resources that were left as they are.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub skipped: BTreeSet<String>,
    /// Why it failed, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl Ending for RolledBackStack {
    fn skipped(stack: String) -> Self {
        Self {
            stack,
            outcome: Outcome::Skipped,
            failure: None,
            skipped: BTreeSet::new(),
        }
    }

    fn told(&self) -> (&str, Outcome, Option<&Failure>) {
        (&self.stack, self.outcome, self.failure.as_ref())
    }
}

/// Why stacks were not rolled back.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// The request contradicts itself; nothing was called.
    #[error("the stacks cannot be rolled back: {0}")]
    Invalid(String),
    /// Resources are to be skipped that kept no rollback from its end; nothing was changed.
    #[error("not among what keeps a rollback from its end: {}; nothing was changed", .names.join(", "))]
    NotSkippable {
        /// What was named.
        names: Vec<String>,
        /// What could be named, each with the reason why it could not be rolled back.
        candidates: Vec<String>,
    },
    /// Stacks failed.
    #[error("not rolled back: {}", ending::unfinished(&.0.stacks))]
    Failed(RollbackReport),
    /// The run was stopped.
    #[error("{}", ending::stopped(&.0.stacks, "these were rolled back"))]
    Interrupted(RollbackReport),
    /// The stacks could not be read; nothing was changed.
    #[error("cannot read the stacks")]
    Aws(#[from] AwsError),
}

impl RollbackError {
    /// Returns what was done, where anything was begun.
    pub fn report(&self) -> Option<&RollbackReport> {
        match self {
            Self::Failed(report) | Self::Interrupted(report) => Some(report),
            Self::Invalid(_) | Self::NotSkippable { .. } | Self::Aws(_) => None,
        }
    }

    fn failures(&self) -> impl Iterator<Item = &Failure> {
        let report = self.report().into_iter();
        report.flat_map(|report| ending::failures(&report.stacks))
    }
}

impl Explained for RollbackError {
    fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) => Kind::Assembly,
            Self::NotSkippable { .. } => Kind::Usage,
            Self::Failed(_) => several::kind(self.failures()),
            Self::Interrupted(_) => Kind::Interrupted,
            Self::Aws(error) => error.kind(),
        }
    }

    fn hints(&self) -> Vec<String> {
        if let Self::Aws(error) = self {
            return error.hints();
        }
        several::hints(self.failures())
    }

    fn details(&self) -> Vec<String> {
        if let Self::NotSkippable { candidates, .. } = self {
            return candidates.clone();
        }
        several::news(&self.to_string(), self.failures())
    }
}
