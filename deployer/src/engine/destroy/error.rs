//! Why stacks were not removed.

use std::collections::BTreeMap;

use super::{
    DestroyReport,
    importers::{self, Importers},
};
use crate::{
    aws::AwsError,
    engine::{Explained, Failure, ending, failure::several},
    error::Kind,
};

/// Why stacks were not removed.
#[derive(Debug, thiserror::Error)]
pub enum DestroyError {
    /// The request contradicts itself; nothing was called.
    #[error("the stacks cannot be removed: {0}")]
    Invalid(String),
    /// Stacks of these names were made by somebody else; nothing was removed.
    #[error("not made by stackctl: {}; nothing was removed", .stacks.join(", "))]
    NotOurs {
        /// The stacks.
        stacks: Vec<String>,
        /// What removes them all the same.
        hints: Vec<String>,
    },
    /// Stacks of these names belong to other apps; nothing was removed.
    #[error("of another app: {}; nothing was removed", others(.stacks))]
    OtherApp {
        /// The stacks, with their apps.
        stacks: BTreeMap<String, String>,
        /// What leads on.
        hint: String,
    },
    /// Stacks are protected; nothing was removed.
    #[error("protected against deletion: {}", .0.join(", "))]
    Protected(Vec<String>),
    /// Other stacks import what one exports; nothing was removed.
    #[error("stack {stack} cannot be deleted: {}; nothing was removed", importers::text(.importers))]
    Imported {
        /// The stack.
        stack: String,
        /// The stacks that import from it, by the name of the export.
        importers: Importers,
    },
    /// Resources are to be kept that did not keep a stack from being deleted; nothing was removed.
    #[error("not among what keeps a stack from being deleted: {}; nothing was removed", .names.join(", "))]
    NotRetainable {
        /// What was named.
        names: Vec<String>,
        /// What could be named, each with the reason why it could not be deleted.
        candidates: Vec<String>,
    },
    /// Stacks failed.
    #[error("not removed: {}", ending::unfinished(&.0.stacks))]
    Failed(DestroyReport),
    /// The run was stopped.
    #[error("{}", ending::stopped(&.0.stacks, "these were removed"))]
    Interrupted(DestroyReport),
    /// The stacks could not be read; nothing was removed.
    #[error("cannot read the stacks")]
    Aws(#[from] AwsError),
}

/// Names stacks with the apps that they belong to.
fn others(stacks: &BTreeMap<String, String>) -> String {
    let stacks = stacks.iter();
    let texts = stacks.map(|(stack, app)| format!("{stack} (of {app})"));
    texts.collect::<Vec<_>>().join(", ")
}

impl DestroyError {
    /// Returns what was done, where anything was begun.
    pub fn report(&self) -> Option<&DestroyReport> {
        match self {
            Self::Failed(report) | Self::Interrupted(report) => Some(report),
            Self::Invalid(_)
            | Self::NotOurs { .. }
            | Self::OtherApp { .. }
            | Self::Protected(_)
            | Self::Imported { .. }
            | Self::NotRetainable { .. }
            | Self::Aws(_) => None,
        }
    }

    /// Returns what was done, for whoever adds to it what was found out afterwards.
    pub fn report_mut(&mut self) -> Option<&mut DestroyReport> {
        match self {
            Self::Failed(report) | Self::Interrupted(report) => Some(report),
            _ => None,
        }
    }

    fn failures(&self) -> impl Iterator<Item = &Failure> {
        let report = self.report().into_iter();
        report.flat_map(|report| ending::failures(&report.stacks))
    }
}

impl Explained for DestroyError {
    fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) => Kind::Assembly,
            Self::NotOurs { .. } | Self::OtherApp { .. } | Self::Protected(_) => Kind::Refused,
            Self::Imported { .. } => Kind::Deploy,
            Self::NotRetainable { .. } => Kind::Usage,
            Self::Failed(_) => several::kind(self.failures()),
            Self::Interrupted(_) => Kind::Interrupted,
            Self::Aws(error) => error.kind(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotOurs { hints, .. } => hints.clone(),
            Self::OtherApp { hint, .. } => vec![hint.clone()],
            Self::Protected(_) => {
                vec![
                    "consent to the removal of protected stacks explicitly, if that is meant"
                        .into(),
                ]
            }
            Self::Imported { importers, .. } => vec![importers::hint(importers)],
            Self::NotRetainable { .. } => vec![
                "a stack that was never asked to go keeps what its template retains: set the removal policy of the resource to retain, and deploy that"
                    .into(),
            ],
            Self::Aws(error) => error.hints(),
            _ => several::hints(self.failures()),
        }
    }

    fn details(&self) -> Vec<String> {
        if let Self::NotRetainable { candidates, .. } = self {
            return candidates.clone();
        }
        several::news(&self.to_string(), self.failures())
    }
}
