//! What every operation does with a stack in every status: the one table that the engine decides by.
//!
//! The statuses are those of
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html>. Each method is one column and
//! matches every row, so that a new row does not compile before each operation says what it does there. The page
//! `docs/statuses.md` is made from the same table.

use super::{StackStatus, Way};
use crate::engine::{DeployedStack, recover::STAGE_TAG};

/// A row of the table: the status of a stack, as far as it decides anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum State {
    /// There is no such stack.
    Absent,
    ReviewInProgress,
    CreateInProgress,
    CreateComplete,
    CreateFailed,
    /// `CREATE_FAILED`, and the operation that failed was in express mode.
    CreateFailedExpress,
    RollbackInProgress,
    RollbackComplete,
    RollbackFailed,
    UpdateInProgress,
    UpdateCompleteCleanupInProgress,
    UpdateComplete,
    UpdateFailed,
    /// `UPDATE_FAILED`, and the operation that failed was in express mode.
    UpdateFailedExpress,
    UpdateRollbackInProgress,
    UpdateRollbackCompleteCleanupInProgress,
    UpdateRollbackComplete,
    UpdateRollbackFailed,
    DeleteInProgress,
    DeleteComplete,
    DeleteFailed,
    ImportInProgress,
    ImportComplete,
    ImportRollbackInProgress,
    ImportRollbackComplete,
    ImportRollbackFailed,
    /// A status that is not known here and whose name says that an operation runs.
    UnknownInProgress,
    /// Any other status that is not known here.
    Unknown,
}

/// What `deploy` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum DeployStep {
    /// Creates the stack with a change set.
    Create,
    /// Updates it with a change set.
    Update,
    /// Creates it with a change set of its own, where all change sets that wait were made by runs of ours.
    Review,
    /// Follows a running operation of ours to its end and looks again; one of somebody else is refused or waited for.
    Follow,
    /// Deletes a stack of ours and begins anew: its first deploy failed.
    StartAnew,
    /// Stops and names the way.
    Offer(Way),
}

/// What `diff` and the plan of a deploy do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum DiffStep {
    /// Compares with what is deployed.
    Compare,
    /// Compares with nothing: the deploy creates the stack, or creates it anew.
    CompareWithNothing,
}

/// What `destroy` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum DestroyStep {
    /// Removes what is left of its artifacts.
    Nothing,
    /// Removes a stack that was never executed, where all change sets that wait were made by runs of ours.
    Review,
    /// Follows a running operation of ours to its end and looks again; one of somebody else is refused or waited for.
    Follow,
    /// Follows a removal to its end, whoever began it.
    FollowRemoval,
    /// Empties its buckets and deletes it.
    Delete,
}

/// What `rollback` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum RollbackStep {
    /// Has nothing to roll back.
    Nothing,
    /// Follows a running operation of ours to its end and looks again; one of somebody else is refused or waited for.
    Follow,
    /// Cancels the update that is running, where it is one of ours.
    Cancel,
    /// Rolls back what failed and was kept.
    RollBack,
    /// Continues the rollback that failed.
    Continue,
    /// Deploys the release again that was written down last.
    Repeat,
    /// Stops and names the way.
    Offer(Way),
}

impl State {
    /// Returns the row of a stack as AWS describes it.
    pub(in crate::engine) fn of(deployed: Option<&DeployedStack>) -> Self {
        deployed.map_or(Self::Absent, |stack| {
            Self::read(&stack.status, stack.express)
        })
    }

    /// Reads the name of a status.
    pub(super) fn read(status: &StackStatus, express: bool) -> Self {
        match status.as_str() {
            "REVIEW_IN_PROGRESS" => Self::ReviewInProgress,
            "CREATE_IN_PROGRESS" => Self::CreateInProgress,
            "CREATE_COMPLETE" => Self::CreateComplete,
            "CREATE_FAILED" if express => Self::CreateFailedExpress,
            "CREATE_FAILED" => Self::CreateFailed,
            "ROLLBACK_IN_PROGRESS" => Self::RollbackInProgress,
            "ROLLBACK_COMPLETE" => Self::RollbackComplete,
            "ROLLBACK_FAILED" => Self::RollbackFailed,
            "UPDATE_IN_PROGRESS" => Self::UpdateInProgress,
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => Self::UpdateCompleteCleanupInProgress,
            "UPDATE_COMPLETE" => Self::UpdateComplete,
            "UPDATE_FAILED" if express => Self::UpdateFailedExpress,
            "UPDATE_FAILED" => Self::UpdateFailed,
            "UPDATE_ROLLBACK_IN_PROGRESS" => Self::UpdateRollbackInProgress,
            "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => {
                Self::UpdateRollbackCompleteCleanupInProgress
            }
            "UPDATE_ROLLBACK_COMPLETE" => Self::UpdateRollbackComplete,
            "UPDATE_ROLLBACK_FAILED" => Self::UpdateRollbackFailed,
            "DELETE_IN_PROGRESS" => Self::DeleteInProgress,
            "DELETE_COMPLETE" => Self::DeleteComplete,
            "DELETE_FAILED" => Self::DeleteFailed,
            "IMPORT_IN_PROGRESS" => Self::ImportInProgress,
            "IMPORT_COMPLETE" => Self::ImportComplete,
            "IMPORT_ROLLBACK_IN_PROGRESS" => Self::ImportRollbackInProgress,
            "IMPORT_ROLLBACK_COMPLETE" => Self::ImportRollbackComplete,
            "IMPORT_ROLLBACK_FAILED" => Self::ImportRollbackFailed,
            _ if status.is_in_progress() => Self::UnknownInProgress,
            _ => Self::Unknown,
        }
    }

    /// The column of `deploy`.
    pub(in crate::engine) fn deploy(self) -> DeployStep {
        match self {
            Self::Absent | Self::DeleteComplete => DeployStep::Create,
            Self::ReviewInProgress => DeployStep::Review,
            Self::CreateComplete
            | Self::UpdateComplete
            | Self::UpdateRollbackComplete
            | Self::ImportComplete
            | Self::ImportRollbackComplete => DeployStep::Update,
            Self::CreateInProgress
            | Self::RollbackInProgress
            | Self::UpdateInProgress
            | Self::UpdateCompleteCleanupInProgress
            | Self::UpdateRollbackInProgress
            | Self::UpdateRollbackCompleteCleanupInProgress
            | Self::DeleteInProgress
            | Self::ImportInProgress
            | Self::ImportRollbackInProgress
            | Self::UnknownInProgress => DeployStep::Follow,
            Self::RollbackComplete | Self::RollbackFailed => DeployStep::StartAnew,
            // Somebody ran the operation with rollback disabled, to look at what failed: going back is theirs to begin.
            Self::CreateFailed | Self::UpdateFailed => DeployStep::Offer(Way::RollBack),
            Self::CreateFailedExpress => DeployStep::Offer(Way::RemoveExpress),
            Self::UpdateFailedExpress => DeployStep::Offer(Way::RepeatExpress),
            Self::UpdateRollbackFailed => DeployStep::Offer(Way::ContinueRollback),
            Self::DeleteFailed => DeployStep::Offer(Way::FinishRemoval),
            Self::ImportRollbackFailed => DeployStep::Offer(Way::Import),
            Self::Unknown => DeployStep::Offer(Way::Look),
        }
    }

    /// The column of `diff`.
    pub(in crate::engine) fn diff(self) -> DiffStep {
        match self {
            Self::Absent
            | Self::DeleteComplete
            | Self::ReviewInProgress
            | Self::RollbackInProgress
            | Self::RollbackComplete
            | Self::RollbackFailed
            | Self::DeleteInProgress => DiffStep::CompareWithNothing,
            Self::CreateInProgress
            | Self::CreateComplete
            | Self::CreateFailed
            | Self::CreateFailedExpress
            | Self::UpdateInProgress
            | Self::UpdateCompleteCleanupInProgress
            | Self::UpdateComplete
            | Self::UpdateFailed
            | Self::UpdateFailedExpress
            | Self::UpdateRollbackInProgress
            | Self::UpdateRollbackCompleteCleanupInProgress
            | Self::UpdateRollbackComplete
            | Self::UpdateRollbackFailed
            | Self::DeleteFailed
            | Self::ImportInProgress
            | Self::ImportComplete
            | Self::ImportRollbackInProgress
            | Self::ImportRollbackComplete
            | Self::ImportRollbackFailed
            | Self::UnknownInProgress
            | Self::Unknown => DiffStep::Compare,
        }
    }

    /// The column of `destroy`.
    pub(in crate::engine) fn destroy(self) -> DestroyStep {
        match self {
            Self::Absent | Self::DeleteComplete => DestroyStep::Nothing,
            Self::ReviewInProgress => DestroyStep::Review,
            Self::DeleteInProgress => DestroyStep::FollowRemoval,
            Self::CreateInProgress
            | Self::RollbackInProgress
            | Self::UpdateInProgress
            | Self::UpdateCompleteCleanupInProgress
            | Self::UpdateRollbackInProgress
            | Self::UpdateRollbackCompleteCleanupInProgress
            | Self::ImportInProgress
            | Self::ImportRollbackInProgress
            | Self::UnknownInProgress => DestroyStep::Follow,
            Self::CreateComplete
            | Self::CreateFailed
            | Self::CreateFailedExpress
            | Self::RollbackComplete
            | Self::RollbackFailed
            | Self::UpdateComplete
            | Self::UpdateFailed
            | Self::UpdateFailedExpress
            | Self::UpdateRollbackComplete
            | Self::UpdateRollbackFailed
            | Self::DeleteFailed
            | Self::ImportComplete
            | Self::ImportRollbackComplete
            | Self::ImportRollbackFailed
            | Self::Unknown => DestroyStep::Delete,
        }
    }

    /// The column of `rollback`.
    pub(in crate::engine) fn rollback(self) -> RollbackStep {
        match self {
            Self::Absent
            | Self::DeleteComplete
            | Self::ReviewInProgress
            | Self::CreateComplete
            | Self::RollbackComplete
            | Self::UpdateComplete
            | Self::UpdateRollbackComplete
            | Self::ImportComplete
            | Self::ImportRollbackComplete => RollbackStep::Nothing,
            // The one status from which CancelUpdateStack is accepted.
            Self::UpdateInProgress => RollbackStep::Cancel,
            Self::CreateInProgress
            | Self::RollbackInProgress
            | Self::UpdateCompleteCleanupInProgress
            | Self::UpdateRollbackInProgress
            | Self::UpdateRollbackCompleteCleanupInProgress
            | Self::DeleteInProgress
            | Self::ImportInProgress
            | Self::ImportRollbackInProgress
            | Self::UnknownInProgress => RollbackStep::Follow,
            Self::CreateFailed | Self::UpdateFailed => RollbackStep::RollBack,
            Self::UpdateRollbackFailed => RollbackStep::Continue,
            Self::CreateFailedExpress => RollbackStep::Offer(Way::RemoveExpress),
            Self::UpdateFailedExpress => RollbackStep::Repeat,
            Self::RollbackFailed => RollbackStep::Offer(Way::Anew),
            Self::DeleteFailed => RollbackStep::Offer(Way::FinishRemoval),
            Self::ImportRollbackFailed => RollbackStep::Offer(Way::Import),
            Self::Unknown => RollbackStep::Offer(Way::Look),
        }
    }

    /// The column of `status`: the way that is named beside the status of a stack, where its last operation did not end well.
    pub(in crate::engine) fn way_of(deployed: Option<&DeployedStack>) -> Option<Way> {
        let way = Self::of(deployed).way();
        let is_ours = deployed.is_some_and(|stack| stack.tags.contains_key(STAGE_TAG));
        way.map(|way| match way {
            Way::Anew if !is_ours => Way::NotOurs,
            way => way,
        })
    }

    /// The same, for a stack of ours.
    pub(in crate::engine) fn way(self) -> Option<Way> {
        match self.deploy() {
            DeployStep::Update if self == Self::UpdateRollbackComplete => Some(Way::Again),
            DeployStep::Update if self == Self::ImportRollbackComplete => Some(Way::ImportAgain),
            DeployStep::Create | DeployStep::Update | DeployStep::Review | DeployStep::Follow => {
                None
            }
            DeployStep::StartAnew => Some(Way::Anew),
            DeployStep::Offer(way) => Some(way),
        }
    }
}
