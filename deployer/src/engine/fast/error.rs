//! Why code was not given to functions.

use stack_model::assembly::StackManifest;

use super::record::STOPPED;
use crate::{
    aws::AwsError,
    engine::{Explained, FillError, PublishError},
    error::Kind,
};

/// Why code was not given to functions.
#[derive(Debug, thiserror::Error)]
pub enum FastError {
    /// AWS refused a call for a stack.
    #[error("cannot change stack {stack} past CloudFormation")]
    Aws {
        /// The stack.
        stack: String,
        /// Why.
        #[source]
        source: AwsError,
    },
    /// An artifact was not published.
    #[error("cannot publish the code of stack {stack}")]
    Publish {
        /// The stack.
        stack: String,
        /// Why.
        #[source]
        source: PublishError,
    },
    /// A bucket was not filled.
    #[error("cannot fill the buckets of stack {stack}")]
    Fill {
        /// The stack.
        stack: String,
        /// Why.
        #[source]
        source: FillError,
    },
    /// A function does not run what was deployed last.
    #[error("{stack}/{function} does not run the code that was deployed last: somebody changed it")]
    Changed {
        /// The stack.
        stack: String,
        /// The logical id.
        function: String,
    },
    /// A state machine has not the definition that was deployed last.
    #[error(
        "{stack}/{machine} does not have the definition that was deployed last: somebody changed it"
    )]
    Redefined {
        /// The stack.
        stack: String,
        /// The logical id.
        machine: String,
    },
    /// Lambda did not take the code.
    #[error("{stack}/{function} did not take the code: {reason}")]
    NotTaken {
        /// The stack.
        stack: String,
        /// The logical id.
        function: String,
        /// What Lambda says.
        reason: String,
    },
    /// Another fast deploy wrote down what it is about to do.
    #[error("somebody else changes stack {0} with `--fast` at the same time")]
    Overtaken(String),
    /// The run was stopped.
    #[error("stopped before stack {0} has all that changes")]
    Interrupted(String),
}

impl Explained for FastError {
    fn kind(&self) -> Kind {
        match self {
            Self::Aws { source, .. } => source.kind(),
            Self::Publish { source, .. } => source.kind(),
            Self::Fill { source, .. } => source.kind(),
            Self::Changed { .. } | Self::Redefined { .. } | Self::Overtaken(_) => Kind::Refused,
            Self::NotTaken { .. } => Kind::Deploy,
            Self::Interrupted(_) => Kind::Interrupted,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Aws { source, .. } => source.hints(),
            Self::Publish { source, .. } => source.hints(),
            Self::Fill { source, .. } => {
                let mut hints = source.hints();
                hints.push(
                    "run the same command again: what is published already is left alone".into(),
                );
                hints
            }
            Self::Changed { .. } => vec![
                "deploy without `--fast`: where the code of the function differs from the last full deploy, that replaces it".into(),
            ],
            Self::Redefined { .. } => vec![
                "deploy without `--fast`: where the definition differs from the last full deploy, that replaces it".into(),
            ],
            Self::NotTaken { .. } => vec!["deploy without `--fast`".into()],
            Self::Overtaken(_) => vec!["run the same command again when they are done".into()],
            Self::Interrupted(_) => vec!["run the same command again: it goes on".into()],
        }
    }
}

/// Makes the error of a call for a stack.
pub(super) fn failed(manifest: &StackManifest, source: AwsError) -> FastError {
    if source.code() == Some(STOPPED) {
        return FastError::Interrupted(manifest.name.clone());
    }
    FastError::Aws {
        stack: manifest.name.clone(),
        source,
    }
}
