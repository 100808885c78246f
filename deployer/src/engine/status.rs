//! The statuses of a stack and what they mean.

#[cfg(test)]
pub(super) mod page;
mod table;
mod way;

use std::fmt;

use serde::{Serialize, Serializer};

pub(super) use table::{DeployStep, DestroyStep, DiffStep, RollbackStep, State};
pub(super) use way::Way;

/// The status of a stack, as CloudFormation names it.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html>. A status that is not
/// known here is kept by its name, and what it means is read from the name's ending, which AWS keeps to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StackStatus(String);

impl StackStatus {
    /// Takes the name that AWS uses.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether an operation is running.
    ///
    /// `REVIEW_IN_PROGRESS` is none: such a stack waits for somebody to execute its change set.
    pub fn is_in_progress(&self) -> bool {
        self.0.ends_with("_IN_PROGRESS") && !self.is_review()
    }

    /// Returns whether nothing is running and the last operation did what was asked.
    pub fn is_good(&self) -> bool {
        matches!(
            self.as_str(),
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" | "DELETE_COMPLETE"
        )
    }

    /// Returns whether nothing is running: the stack stays as it is until somebody acts.
    pub fn is_settled(&self) -> bool {
        !self.is_in_progress() && !self.is_review()
    }

    /// Returns whether the stack holds nothing but a change set that was never executed.
    pub fn is_review(&self) -> bool {
        self.0 == "REVIEW_IN_PROGRESS"
    }

    /// Returns whether the stack is gone.
    pub fn is_deleted(&self) -> bool {
        self.0 == "DELETE_COMPLETE"
    }

    /// Returns the way on from this status, where the last operation did not end well.
    pub(super) fn way(&self) -> Option<Way> {
        State::read(self, false).way()
    }

    /// Returns whether CloudFormation accepts an update: the last operation ended well, or was rolled back to a state
    /// that had ended well.
    ///
    /// `CREATE_FAILED` and `UPDATE_FAILED` are what an operation with rollback disabled leaves: only another one with
    /// rollback disabled is accepted then
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html>).
    pub fn is_updatable(&self) -> bool {
        matches!(
            self.as_str(),
            "CREATE_COMPLETE"
                | "UPDATE_COMPLETE"
                | "IMPORT_COMPLETE"
                | "UPDATE_ROLLBACK_COMPLETE"
                | "IMPORT_ROLLBACK_COMPLETE"
        )
    }
}

impl fmt::Display for StackStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StackStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for StackStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_mean_what_aws_documents() {
        // Name, settled, good, updatable.
        let rows = [
            ("CREATE_IN_PROGRESS", false, false, false),
            ("CREATE_FAILED", true, false, false),
            ("CREATE_COMPLETE", true, true, true),
            ("ROLLBACK_IN_PROGRESS", false, false, false),
            ("ROLLBACK_FAILED", true, false, false),
            ("ROLLBACK_COMPLETE", true, false, false),
            ("DELETE_IN_PROGRESS", false, false, false),
            ("DELETE_FAILED", true, false, false),
            ("DELETE_COMPLETE", true, true, false),
            ("UPDATE_IN_PROGRESS", false, false, false),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", false, false, false),
            ("UPDATE_COMPLETE", true, true, true),
            ("UPDATE_FAILED", true, false, false),
            ("UPDATE_ROLLBACK_IN_PROGRESS", false, false, false),
            ("UPDATE_ROLLBACK_FAILED", true, false, false),
            (
                "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
                false,
                false,
                false,
            ),
            ("UPDATE_ROLLBACK_COMPLETE", true, false, true),
            ("REVIEW_IN_PROGRESS", false, false, false),
            ("IMPORT_IN_PROGRESS", false, false, false),
            ("IMPORT_COMPLETE", true, true, true),
            ("IMPORT_ROLLBACK_IN_PROGRESS", false, false, false),
            ("IMPORT_ROLLBACK_FAILED", true, false, false),
            ("IMPORT_ROLLBACK_COMPLETE", true, false, true),
            ("SOMETHING_NEW_IN_PROGRESS", false, false, false),
            ("SOMETHING_NEW", true, false, false),
        ];
        for (name, settled, good, updatable) in rows {
            let status = StackStatus::new(name);
            assert_eq!(status.is_settled(), settled, "{name} settled");
            assert_eq!(status.is_good(), good, "{name} good");
            assert_eq!(status.is_updatable(), updatable, "{name} updatable");
        }
    }
}
