//! What a stack's status allows, and the one way forward from each.

use super::{DeployedStack, Explained, FirstCause, PublishError, StackStatus, change_set::Listed};
use crate::{aws::AwsError, error::Kind};

/// The tag that says which stage a stack belongs to; every stack that stackctl deploys has it.
pub(super) const STAGE_TAG: &str = "stackctl:stage";

/// Why one stack could not be brought to the state it should have.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// Somebody else's operation is running.
    #[error("stack {stack} is busy: it is {status} since {since}, and stackctl did not begin that")]
    Busy {
        /// The stack.
        stack: String,
        /// The status.
        status: StackStatus,
        /// Since when, in RFC 3339.
        since: String,
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
        /// The commands that lead on.
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
        None => format!("stopped; stack {stack} is as it was"),
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
            Self::Interrupted { .. } => Kind::Interrupted,
            Self::Content { source, .. } => source.kind(),
            Self::Capability { .. } => Kind::Assembly,
            _ => Kind::Deploy,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Busy { stack, .. } => vec![format!(
                "wait until it is done (`stackctl status {stack}` tells), and deploy again"
            )],
            Self::InReview { stack, change_set } => vec![format!(
                "execute it, or remove it with `aws cloudformation delete-change-set --stack-name {stack} --change-set-name {change_set}`"
            )],
            Self::Stuck { hints, .. }
            | Self::InUse { hints, .. }
            | Self::ChangeSet { hints, .. } => hints.clone(),
            Self::Ended { cause, status, .. } => {
                let mut hints = cause
                    .as_ref()
                    .map(|cause| cause.hints())
                    .unwrap_or_default();
                if status.as_str() == "ROLLBACK_COMPLETE" {
                    hints.push(
                        "nothing of the first deploy is left; the next one removes the failed stack and starts anew"
                            .into(),
                    );
                }
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
            Self::NoBucket { .. } => vec!["run `stackctl bootstrap`".into()],
            Self::Aws { source, .. } => source.hints(),
            Self::Interrupted { .. } => {
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
            | Self::Stuck {
                reason: Some(reason),
                ..
            }
            | Self::InUse { reason, .. } => vec![reason.clone()],
            _ => Vec::new(),
        }
    }
}

/// What to do next with a stack that is to be deployed.
#[derive(Debug)]
pub(super) enum Step {
    /// Create it with a change set.
    Create,
    /// Update it with a change set.
    Update,
    /// Find out whose operation is running; wait for the end of one of ours.
    Running,
    /// Find out whose change sets wait; if they are ours, create it with a new one.
    Review,
    /// Delete it and begin anew: a first deploy failed and nothing of it is left. The text says so.
    StartAnew(&'static str),
    /// Stop: mending it needs a decision.
    Stop(StackError),
}

/// Decides by the status alone.
pub(super) fn step(stack: &str, deployed: Option<&DeployedStack>) -> Step {
    let Some(deployed) = deployed else {
        return Step::Create;
    };
    let status = &deployed.status;
    if status.is_deleted() {
        return Step::Create;
    }
    if status.is_review() {
        return Step::Review;
    }
    if status.is_in_progress() {
        return Step::Running;
    }
    if status.is_updatable() {
        return Step::Update;
    }
    let ours = deployed.tags.contains_key(STAGE_TAG);
    match status.as_str() {
        "ROLLBACK_COMPLETE" if ours => Step::StartAnew("removing the first deploy, which failed"),
        "ROLLBACK_FAILED" if ours => {
            Step::StartAnew("removing the first deploy, which failed and was not rolled back")
        }
        _ => Step::Stop(StackError::Stuck {
            stack: stack.to_owned(),
            status: status.clone(),
            reason: deployed.reason.clone(),
            hints: way_out(stack, status),
        }),
    }
}

/// Returns whether change sets that wait for review were all made by runs of ours.
pub(super) fn foreign(listed: &[Listed]) -> Option<&Listed> {
    listed.iter().find(|change_set| !change_set.is_ours())
}

/// Names the command that leads on from a status in which CloudFormation accepts no update.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html>.
fn way_out(stack: &str, status: &StackStatus) -> Vec<String> {
    match status.as_str() {
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" => vec![format!(
            "the stack was not made by stackctl; if it may go, run `aws cloudformation delete-stack --stack-name {stack}`"
        )],
        "UPDATE_ROLLBACK_FAILED" => vec![
            format!(
                "mend what the events name, then run `aws cloudformation continue-update-rollback --stack-name {stack}`, wait, and deploy again"
            ),
            "add `--resources-to-skip LOGICAL_ID` for a resource that cannot be mended".into(),
        ],
        // Somebody ran the operation with rollback disabled, to look at what failed: going back is theirs to begin.
        "CREATE_FAILED" | "UPDATE_FAILED" => vec![format!(
            "rollback was disabled for the operation that failed: run `aws cloudformation rollback-stack --stack-name {stack}`, wait, and deploy again"
        )],
        "DELETE_FAILED" => vec![format!(
            "finish the removal with `stackctl destroy {stack}`, then deploy again"
        )],
        "IMPORT_ROLLBACK_FAILED" => vec![format!(
            "run `aws cloudformation continue-update-rollback --stack-name {stack}`, wait, and deploy again"
        )],
        _ => vec![format!(
            "look at the stack with `stackctl events {stack}`, and deploy again once it is settled"
        )],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn deployed(status: &str, ours: bool) -> DeployedStack {
        let mut tags = BTreeMap::new();
        if ours {
            tags.insert(STAGE_TAG.to_owned(), "dev".to_owned());
        }
        DeployedStack {
            id: "arn".into(),
            status: StackStatus::new(status),
            reason: None,
            changed: None,
            parameters: BTreeMap::new(),
            tags,
            outputs: BTreeMap::new(),
            exports: BTreeMap::new(),
            termination_protection: false,
        }
    }

    #[test]
    fn every_status_has_one_way_forward() {
        // Status, the step for a stack of ours, the step for one of somebody else.
        let rows = [
            ("CREATE_COMPLETE", "Update", "Update"),
            ("UPDATE_COMPLETE", "Update", "Update"),
            ("IMPORT_COMPLETE", "Update", "Update"),
            ("UPDATE_ROLLBACK_COMPLETE", "Update", "Update"),
            ("IMPORT_ROLLBACK_COMPLETE", "Update", "Update"),
            ("CREATE_FAILED", "Stop", "Stop"),
            ("UPDATE_FAILED", "Stop", "Stop"),
            ("DELETE_COMPLETE", "Create", "Create"),
            ("REVIEW_IN_PROGRESS", "Review", "Review"),
            ("CREATE_IN_PROGRESS", "Running", "Running"),
            ("ROLLBACK_IN_PROGRESS", "Running", "Running"),
            ("DELETE_IN_PROGRESS", "Running", "Running"),
            ("UPDATE_IN_PROGRESS", "Running", "Running"),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "Running", "Running"),
            ("UPDATE_ROLLBACK_IN_PROGRESS", "Running", "Running"),
            (
                "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
                "Running",
                "Running",
            ),
            ("IMPORT_IN_PROGRESS", "Running", "Running"),
            ("IMPORT_ROLLBACK_IN_PROGRESS", "Running", "Running"),
            ("ROLLBACK_COMPLETE", "StartAnew", "Stop"),
            ("ROLLBACK_FAILED", "StartAnew", "Stop"),
            ("DELETE_FAILED", "Stop", "Stop"),
            ("UPDATE_ROLLBACK_FAILED", "Stop", "Stop"),
            ("IMPORT_ROLLBACK_FAILED", "Stop", "Stop"),
            ("SOMETHING_NEW", "Stop", "Stop"),
        ];
        for (status, own, others) in rows {
            for (ours, expected) in [(true, own), (false, others)] {
                let step = step("intake-dev", Some(&deployed(status, ours)));
                let name = format!("{step:?}");
                assert!(name.starts_with(expected), "{status}: {name}");
                if let Step::Stop(error) = step {
                    assert!(!error.hints().is_empty(), "{status} leads nowhere");
                }
            }
        }
        assert!(matches!(step("intake-dev", None), Step::Create));
    }
}
