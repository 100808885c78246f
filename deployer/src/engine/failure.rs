//! Why a stack failed: the first cause, where it is declared, and what to do.

mod catalogue;
mod findings;
pub(super) mod several;

use serde::Serialize;

pub use catalogue::Known;
pub use findings::Finding;
pub(super) use findings::{findings, say, says_early};

use super::{Context, Event, Explained, Outcome, ResourceEvent, hint};
use crate::{aws::texts, error::Kind};

/// Why a stack could not be brought to the state it should have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// The kind under which the command line reports this.
    pub kind: Kind,
    /// What failed.
    pub message: String,
    /// The chain of reasons, the nearest first.
    pub causes: Vec<String>,
    /// The resource that failed first, where a resource did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_cause: Option<FirstCause>,
    /// What the reader can do about it.
    pub hints: Vec<String>,
    /// Whether the stack was deployed all the same: what failed is what came afterwards.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deployed: bool,
}

/// The resource that failed first: what follows it in the events was cancelled or rolled back because of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FirstCause {
    /// The logical id.
    pub logical_id: String,
    /// The resource type.
    pub resource_type: String,
    /// The physical id, where the resource got one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// The status of the resource.
    pub status: String,
    /// Why, as AWS said it.
    pub reason: String,
    /// Where the resource is declared in the Rust source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Failure {
    /// Makes the failure of an error that knows its kind and hints.
    pub(super) fn of(
        context: &Context,
        error: &impl Explained,
        first_cause: Option<FirstCause>,
    ) -> Self {
        // The command line's error already knows how to tell a chain of sources without repeating it.
        let mut shown = crate::error::Error::from_source(error.kind(), error);
        for detail in error.details() {
            shown = shown.cause(detail);
        }
        Self {
            kind: error.kind(),
            message: shown.message().to_owned(),
            causes: shown.causes().to_vec(),
            first_cause,
            hints: error
                .hints()
                .iter()
                .map(|hint| hint::complete(context, hint))
                .collect(),
            deployed: error.is_deployed(),
        }
    }

    /// Makes the failure of a stack, and tells it.
    pub(super) fn told(
        context: &Context,
        stack: &str,
        error: &impl Explained,
        first_cause: Option<FirstCause>,
    ) -> Self {
        let failure = Self::of(context, error, first_cause);
        context.emit(Event::StackFailed {
            stack: stack.to_owned(),
            failure: failure.clone(),
        });
        failure
    }

    /// Returns how a stack ended up that failed in this way.
    pub(super) fn outcome(&self) -> Outcome {
        if self.kind == Kind::Interrupted {
            Outcome::Interrupted
        } else {
            Outcome::Failed
        }
    }
}

impl FirstCause {
    /// Finds the first cause in the events of one operation, the oldest first.
    ///
    /// That is the earliest resource that failed for a reason of its own. Where no resource did, such as a stack that
    /// ran out of time, it is the stack itself.
    pub(super) fn find(events: &[ResourceEvent]) -> Option<Self> {
        let own = || events.iter().filter(|event| Self::is_own(event));
        own()
            .find(|event| !event.is_stack())
            .or_else(|| own().next())
            .map(Self::of)
    }

    /// Takes a failure from its event.
    pub(super) fn of(event: &ResourceEvent) -> Self {
        Self {
            logical_id: event.logical_id.clone(),
            resource_type: event.resource_type.clone(),
            physical_id: event.physical_id.clone(),
            status: event.status.clone(),
            reason: event.reason.clone().unwrap_or_default(),
            source: event.source.clone(),
        }
    }

    /// Returns whether a resource failed for a reason of its own: it was not cancelled because of another.
    pub(super) fn is_own(event: &ResourceEvent) -> bool {
        event.is_failure()
            && event
                .reason
                .as_deref()
                .is_some_and(|reason| !texts::says_cancelled(reason))
    }

    /// Returns what is known to help.
    pub(super) fn hints(&self) -> Vec<String> {
        hints(&self.resource_type, &self.reason)
    }
}

/// Returns what is known to help against a reason; the resource type may be empty.
pub(super) fn hints(resource_type: &str, reason: &str) -> Vec<String> {
    known(resource_type, reason)
        .map(|known| known.remedy)
        .into_iter()
        .collect()
}

/// Returns the failure behind a reason, where it is one of those that are met most; the resource type may be empty.
pub(super) fn known(resource_type: &str, reason: &str) -> Option<Known> {
    catalogue::find(resource_type, reason)
}

impl std::fmt::Display for FirstCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            logical_id,
            resource_type,
            reason,
            ..
        } = self;
        write!(f, "{logical_id} ({resource_type}): {reason}")?;
        match &self.source {
            Some(source) => write!(f, " (declared at {source})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(logical_id: &str, status: &str, reason: Option<&str>) -> ResourceEvent {
        ResourceEvent {
            stack: "intake-dev".into(),
            logical_id: logical_id.into(),
            resource_type: if logical_id == "intake-dev" {
                "AWS::CloudFormation::Stack".into()
            } else {
                "AWS::SQS::Queue".into()
            },
            physical_id: None,
            status: status.into(),
            reason: reason.map(str::to_owned),
            time: String::new(),
            source: Some(format!("stacks/src/intake.rs:{}", logical_id.len())),
        }
    }

    #[test]
    fn the_first_cause_is_the_earliest_failure_with_a_reason_of_its_own() {
        let events = [
            event("intake-dev", "CREATE_IN_PROGRESS", Some("User Initiated")),
            event(
                "Table",
                "CREATE_FAILED",
                Some("Resource creation cancelled"),
            ),
            event("Orders", "CREATE_FAILED", Some("a queue must have a name")),
            event("Other", "CREATE_FAILED", Some("something else")),
            event(
                "intake-dev",
                "ROLLBACK_IN_PROGRESS",
                Some("The following resource(s) failed to create: [Table, Orders, Other]."),
            ),
        ];
        let cause = FirstCause::find(&events).expect("there is a failure");
        assert_eq!(cause.logical_id, "Orders");
        assert_eq!(
            cause.to_string(),
            "Orders (AWS::SQS::Queue): a queue must have a name (declared at stacks/src/intake.rs:6)"
        );
    }

    #[test]
    fn a_stack_that_fails_by_itself_is_its_own_cause() {
        let events = [
            event("intake-dev", "DELETE_IN_PROGRESS", None),
            event(
                "intake-dev",
                "DELETE_FAILED",
                Some("Export x cannot be deleted"),
            ),
        ];
        let cause = FirstCause::find(&events).expect("there is a failure");
        assert_eq!(cause.logical_id, "intake-dev");
        assert_eq!(FirstCause::find(&events[..1]), None);
    }
}
