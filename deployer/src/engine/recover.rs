//! Why one stack could not be brought to the state it should have.

pub use stack_model::assembly::APP_TAG;
pub(super) use stack_model::assembly::STAGE_TAG;

use super::{Disproof, Explained, FirstCause, PublishError, StackStatus, change_set::Listed};
use crate::{aws::AwsError, error::Kind};

/// Why one stack could not be brought to the state it should have.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// Somebody else's operation is running.
    #[error("stack {stack} is busy: it is {status} since {since}, begun by {by}")]
    Busy {
        /// The stack.
        stack: String,
        /// The status.
        status: StackStatus,
        /// Since when, in RFC 3339.
        since: String,
        /// Who began that: an ARN, or what is known.
        by: String,
    },
    /// Somebody else's change set waits for approval on a stack that has nothing else.
    #[error("stack {stack} waits for somebody to review change set {change_set}")]
    InReview {
        /// The stack.
        stack: String,
        /// The change set.
        change_set: String,
    },
    /// The stack is in a status that allows no update, and mending it needs a decision.
    #[error("stack {stack} is {status} and cannot be updated")]
    Stuck {
        /// The stack.
        stack: String,
        /// The status.
        status: StackStatus,
        /// Why it has this status, where AWS says so.
        reason: Option<String>,
        /// The resources that hold it up, each with its reason.
        failed: Vec<String>,
        /// The commands that lead on.
        hints: Vec<String>,
    },
    /// The stack belongs to another app; nothing was changed.
    #[error("stack {stack} belongs to another app: its tag `{APP_TAG}` is `{app}`")]
    OtherApp {
        /// The stack.
        stack: String,
        /// The app.
        app: String,
        /// What leads on.
        hints: Vec<String>,
    },
    /// CloudFormation refuses to delete the stack.
    #[error("stack {stack} cannot be deleted")]
    InUse {
        /// The stack.
        stack: String,
        /// Why, as AWS said it.
        reason: String,
        /// What is known to help.
        hints: Vec<String>,
    },
    /// Stacks import what an update would change, and CloudFormation would roll it back.
    #[error("stack {stack} cannot be updated")]
    Imported {
        /// The stack.
        stack: String,
        /// What is imported by whom.
        reason: String,
        /// What leads on.
        hints: Vec<String>,
    },
    /// CloudFormation refuses the change set.
    #[error("CloudFormation refuses the change set of stack {stack}: {reason}")]
    ChangeSet {
        /// The stack.
        stack: String,
        /// Why, as AWS said it.
        reason: String,
        /// What is known to help.
        hints: Vec<String>,
    },
    /// The stack was changed by others again and again while it was asked about.
    #[error(
        "stack {stack} was changed by somebody else {times} times while its plan was agreed to"
    )]
    Restless {
        /// The stack.
        stack: String,
        /// How often.
        times: usize,
    },
    /// The plan of a stack that somebody else changed cannot be made anew.
    #[error("stack {stack} was changed by somebody else, and its plan cannot be made anew")]
    Plan {
        /// The stack.
        stack: String,
        /// Why.
        #[source]
        source: Box<super::plan::PlanError>,
    },
    /// Resources cannot be renamed; nothing was changed.
    #[error("resources of stack {stack} cannot be renamed: {reason}")]
    Renamed {
        /// The stack.
        stack: String,
        /// Why.
        reason: String,
        /// What can be done instead.
        hints: Vec<String>,
    },
    /// The template needs a capability that the assembly does not give.
    #[error("stack {stack} needs {capability}, which the assembly does not give")]
    Capability {
        /// The stack.
        stack: String,
        /// The capability.
        capability: &'static str,
    },
    /// The operation ended badly.
    #[error("stack {stack} ended as {status}")]
    Ended {
        /// The stack.
        stack: String,
        /// The status.
        status: StackStatus,
        /// The first cause, where the events tell.
        cause: Option<Box<FirstCause>>,
        /// Why, where AWS says so of the stack itself.
        reason: Option<String>,
        /// The commands that lead on, where the next run does not go on by itself.
        hints: Vec<String>,
    },
    /// The artifacts could not be published.
    #[error("cannot publish the artifacts of stack {stack}")]
    Publish {
        /// The stack.
        stack: String,
        /// Why.
        #[source]
        source: PublishError,
    },
    /// A value of a stack in another region cannot be had.
    #[error("stack {stack} takes output `{output}` of stack {from} in {region}, which has none")]
    NoOutput {
        /// The stack.
        stack: String,
        /// The stack that has the output.
        from: String,
        /// Its region.
        region: String,
        /// The output.
        output: String,
    },
    /// A bucket of the stack was not filled with its folder.
    #[error("stack {stack} is deployed, and `{content}` is not published")]
    Content {
        /// The stack.
        stack: String,
        /// The folders' names.
        content: String,
        /// Why.
        #[source]
        source: super::FillError,
    },
    /// The stack is deployed, and does not do what it should.
    #[error("stack {stack} is deployed, and does not do what it should")]
    Unproven {
        /// The stack.
        stack: String,
        /// What it does not do.
        found: Vec<Disproof>,
        /// What became of it, and what leads on.
        hints: Vec<String>,
    },
    /// The run was stopped before anybody knew whether the stack does what it should.
    #[error("stopped; stack {stack} is deployed, and nobody looked whether it does what it should")]
    Unlooked {
        /// The stack.
        stack: String,
    },
    /// The artifact bucket cannot be had.
    #[error(
        "stack {stack} needs the artifact bucket, and stack {bootstrap} has no output `{output}`"
    )]
    NoBucket {
        /// The stack.
        stack: String,
        /// The stack of the bucket.
        bootstrap: &'static str,
        /// The output that it should have.
        output: &'static str,
    },
    /// A call failed.
    #[error("a call for stack {stack} failed")]
    Aws {
        /// The stack.
        stack: String,
        /// Why.
        #[source]
        source: AwsError,
    },
    /// The run was stopped.
    #[error("{}", interrupted(.stack, .running.as_ref()))]
    Interrupted {
        /// The stack.
        stack: String,
        /// What CloudFormation goes on with.
        running: Option<StackStatus>,
    },
}

fn interrupted(stack: &str, running: Option<&StackStatus>) -> String {
    match running {
        Some(status) => {
            format!("stopped; CloudFormation goes on with stack {stack}, which is {status}")
        }
        // It may have been changed by a step before, or be changed by somebody else: what is known is what this run began.
        None => format!("stopped; this run left nothing under way in stack {stack}"),
    }
}

impl StackError {
    /// Returns the first cause, where a resource failed.
    pub(super) fn first_cause(&self) -> Option<FirstCause> {
        match self {
            Self::Ended { cause, .. } => cause.as_deref().cloned(),
            _ => None,
        }
    }
}

impl Explained for StackError {
    fn kind(&self) -> Kind {
        match self {
            Self::Publish { source, .. } => source.kind(),
            Self::Aws { source, .. } => source.kind(),
            Self::Interrupted { .. } | Self::Unlooked { .. } => Kind::Interrupted,
            Self::Content { source, .. } => source.kind(),
            Self::OtherApp { .. } => Kind::Refused,
            Self::Capability { .. } => Kind::Assembly,
            Self::Plan { source, .. } => source.kind(),
            _ => Kind::Deploy,
        }
    }

    fn is_deployed(&self) -> bool {
        matches!(
            self,
            Self::Unproven { .. } | Self::Unlooked { .. } | Self::Content { .. }
        )
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Busy { stack, .. } => vec![
                "add `--wait` to wait for its end and go on then".into(),
                format!("`stackctl status {stack}` tells when it is done"),
            ],
            Self::InReview { stack, change_set } => vec![format!(
                "execute it, or remove it with `aws cloudformation delete-change-set --stack-name {stack} --change-set-name {change_set}`"
            )],
            Self::Stuck { hints, .. }
            | Self::OtherApp { hints, .. }
            | Self::InUse { hints, .. }
            | Self::Imported { hints, .. }
            | Self::ChangeSet { hints, .. }
            | Self::Renamed { hints, .. }
            | Self::Unproven { hints, .. } => hints.clone(),
            Self::Ended {
                cause, hints: ways, ..
            } => {
                let mut hints = cause
                    .as_ref()
                    .map(|cause| cause.hints())
                    .unwrap_or_default();
                hints.extend(ways.iter().cloned());
                hints
            }
            Self::Capability { .. } => {
                vec!["render the assembly again with `stackctl synth`, and deploy that".into()]
            }
            Self::Publish { source, .. } => source.hints(),
            Self::NoOutput { from, .. } => {
                vec![format!("deploy {from} first, or both together")]
            }
            Self::Content { source, .. } => {
                let mut hints = source.hints();
                hints.push("deploy again: what is published already is left alone".into());
                hints
            }
            Self::Restless { stack, .. } => vec![format!(
                "nothing was changed; `stackctl events {stack}` tells what happens to it, deploy again once that is over"
            )],
            Self::Plan { source, .. } => source.hints(),
            Self::NoBucket { .. } => vec!["run `stackctl bootstrap`".into()],
            Self::Aws { source, .. } => source.hints(),
            Self::Interrupted { .. } | Self::Unlooked { .. } => {
                vec!["run the same command again: it goes on where this one stopped".into()]
            }
        }
    }

    fn details(&self) -> Vec<String> {
        match self {
            Self::Ended {
                cause: Some(cause), ..
            } => vec![cause.to_string()],
            Self::Ended {
                reason: Some(reason),
                ..
            }
            | Self::InUse { reason, .. }
            | Self::Imported { reason, .. } => vec![reason.clone()],
            Self::Unproven { found, .. } => found.iter().map(ToString::to_string).collect(),
            Self::Stuck { reason, failed, .. } => reason.iter().chain(failed).cloned().collect(),
            _ => Vec::new(),
        }
    }
}

/// Returns whether change sets that wait for review were all made by runs of ours.
pub(super) fn foreign(listed: &[Listed]) -> Option<&Listed> {
    listed.iter().find(|change_set| !change_set.is_ours())
}
