//! Why a stack set is not as it should be.

use super::StackSetOperation;
use crate::aws::AwsError;
use crate::engine::{APP_TAG, Explained};
use crate::error::Kind;

/// Why a stack set is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum StackSetError {
    /// AWS refused a call or did not answer.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// Somebody else made a stack set of this name.
    #[error("stack set {0} was not made by stackctl")]
    NotOurs(String),
    /// Another app made a stack set of this name.
    #[error("stack set {stack_set} belongs to another app: its tag `{APP_TAG}` is `{app}`")]
    OtherApp {
        /// The stack set.
        stack_set: String,
        /// The app.
        app: String,
    },
    /// The stack set has the other kind of permissions, which cannot be changed while it has instances.
    #[error(
        "stack set {stack_set} has permissions of the model {actual}, and the stage asks for the other"
    )]
    OtherModel {
        /// The stack set.
        stack_set: String,
        /// Its model.
        actual: String,
    },
    /// Instances failed in a way that no update mends.
    #[error("stack set {stack_set} has instances that CloudFormation can do nothing with: {}", .instances.join(", "))]
    Inoperable {
        /// The stack set.
        stack_set: String,
        /// Where they are.
        instances: Vec<String>,
    },
    /// An operation failed somewhere, or was stopped.
    #[error("the operation on stack set {stack_set} ended with {}", .operation.status)]
    Operation {
        /// The stack set.
        stack_set: String,
        /// How it ended.
        operation: Box<StackSetOperation>,
        /// Why, where AWS says so.
        reason: Option<String>,
    },
    /// The run was stopped before it began the next operation.
    #[error("stopped before all was done on stack set {0}; nothing of it goes on")]
    Stopped(String),
    /// The run was stopped while CloudFormation worked.
    #[error("stopped while operation {operation} on stack set {stack_set} goes on")]
    Interrupted {
        /// The stack set.
        stack_set: String,
        /// The operation.
        operation: String,
    },
}

impl StackSetError {
    /// Returns the operation that failed, where one did.
    pub fn operation(&self) -> Option<&StackSetOperation> {
        match self {
            Self::Operation { operation, .. } => Some(operation),
            _ => None,
        }
    }
}

impl Explained for StackSetError {
    fn kind(&self) -> Kind {
        match self {
            Self::Aws(error) => error.kind(),
            Self::NotOurs(_) | Self::OtherApp { .. } => Kind::Refused,
            Self::OtherModel { .. } => Kind::Configuration,
            Self::Inoperable { .. } | Self::Operation { .. } => Kind::Deploy,
            Self::Stopped(_) | Self::Interrupted { .. } => Kind::Interrupted,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Aws(error) => error.hints(),
            Self::NotOurs(_) => vec!["give the stack another name".to_owned()],
            Self::OtherApp { stack_set, .. } => vec![
                "work on it in the workspace of that app, or give the stack another name here"
                    .to_owned(),
                format!(
                    "where this workspace had that name before, `stackctl stackset deploy {stack_set} --allow owner:{stack_set}` \
                     makes the stack set its own first"
                ),
            ],
            Self::OtherModel { .. } => vec![
                "destroy the stack set first, or set `accounts` or `organizational_units` as it is"
                    .to_owned(),
            ],
            Self::Inoperable { stack_set, .. } => vec![format!(
                "take them out of the stack set, which leaves their stacks: `aws cloudformation delete-stack-instances \
                 --stack-set-name {stack_set} --retain-stacks ..`; then delete those by hand, and deploy again"
            )],
            Self::Operation { operation, .. } if operation.status == "STOPPED" => {
                vec!["somebody stopped it: run the same command again to go on".to_owned()]
            }
            Self::Operation { .. } => vec![
                "mend the first cause; the same command takes along what is behind the stack set"
                    .to_owned(),
            ],
            Self::Stopped(_) => vec!["the same command goes on".to_owned()],
            Self::Interrupted { .. } => {
                vec!["the same command waits for it, and goes on".to_owned()]
            }
        }
    }

    fn details(&self) -> Vec<String> {
        let Self::Operation {
            operation, reason, ..
        } = self
        else {
            return Vec::new();
        };
        let cancelled = operation
            .results
            .iter()
            .filter(|result| result.status == "CANCELLED");
        let cancelled = cancelled.count();
        let failed = operation
            .results
            .iter()
            .filter(|result| result.status == "FAILED");
        let mut details: Vec<String> = reason.iter().cloned().collect();
        details.extend(failed.map(|result| {
            let reason = result.reason.as_deref().unwrap_or("no reason is given");
            format!("{}/{}: {reason}", result.account, result.region)
        }));
        if cancelled > 0 {
            details.push(format!(
                "{cancelled} more were not tried, because too many had failed"
            ));
        }
        details
    }
}
