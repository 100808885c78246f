//! The table as the page `docs/statuses.md`.

use std::fmt::Write as _;

use super::{DeployStep, DestroyStep, DiffStep, RollbackStep, State, Way};

/// The rows, with the name by which AWS and the reader know each.
pub(in crate::engine) const ROWS: [(State, &str); 28] = [
    (State::Absent, "none"),
    (State::ReviewInProgress, "REVIEW_IN_PROGRESS"),
    (State::CreateInProgress, "CREATE_IN_PROGRESS"),
    (State::CreateComplete, "CREATE_COMPLETE"),
    (State::CreateFailed, "CREATE_FAILED"),
    (State::CreateFailedExpress, "CREATE_FAILED"),
    (State::RollbackInProgress, "ROLLBACK_IN_PROGRESS"),
    (State::RollbackComplete, "ROLLBACK_COMPLETE"),
    (State::RollbackFailed, "ROLLBACK_FAILED"),
    (State::UpdateInProgress, "UPDATE_IN_PROGRESS"),
    (
        State::UpdateCompleteCleanupInProgress,
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    ),
    (State::UpdateComplete, "UPDATE_COMPLETE"),
    (State::UpdateFailed, "UPDATE_FAILED"),
    (State::UpdateFailedExpress, "UPDATE_FAILED"),
    (
        State::UpdateRollbackInProgress,
        "UPDATE_ROLLBACK_IN_PROGRESS",
    ),
    (
        State::UpdateRollbackCompleteCleanupInProgress,
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    ),
    (State::UpdateRollbackComplete, "UPDATE_ROLLBACK_COMPLETE"),
    (State::UpdateRollbackFailed, "UPDATE_ROLLBACK_FAILED"),
    (State::DeleteInProgress, "DELETE_IN_PROGRESS"),
    (State::DeleteComplete, "DELETE_COMPLETE"),
    (State::DeleteFailed, "DELETE_FAILED"),
    (State::ImportInProgress, "IMPORT_IN_PROGRESS"),
    (State::ImportComplete, "IMPORT_COMPLETE"),
    (
        State::ImportRollbackInProgress,
        "IMPORT_ROLLBACK_IN_PROGRESS",
    ),
    (State::ImportRollbackComplete, "IMPORT_ROLLBACK_COMPLETE"),
    (State::ImportRollbackFailed, "IMPORT_ROLLBACK_FAILED"),
    (State::UnknownInProgress, "SOMETHING_NEW_IN_PROGRESS"),
    (State::Unknown, "SOMETHING_NEW"),
];

/// Returns whether a row is about an operation in express mode.
pub(in crate::engine) fn is_express(state: State) -> bool {
    matches!(
        state,
        State::CreateFailedExpress | State::UpdateFailedExpress
    )
}

const HEAD: &str = "\
# Every status of a stack

What each command does with a stack in each status that CloudFormation knows
([API reference](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html)). The engine decides by
this table, the page is made from it, and a test runs every cell against scripted answers of AWS.

| status | `deploy` | `diff` | `destroy` | `rollback` | `status` |
|---|---|---|---|---|---|
";

const STEPS: &str = "
`status` prints the status of every stack; where a word stands in its column, it names that command beside it, or
`stackctl events` where the way on is not one of these commands. Of a stack whose last update was rolled back, because it
failed or somebody cancelled it, it says since when. CloudFormation keeps that status until the next update: where a deploy
found since that what is deployed is what the source says, nothing is left to do, and no command is named.

## What the words mean

- **creates**, **updates**: with a change set; exactly the one that was approved is executed.
- **creates anew**: the first deploy failed and nothing of it is in use, so the stack is deleted and created. A stack that
  `stackctl` did not make is left alone, and the command that deletes it is named. What the template retains outlives
  both the rollback and the stack: it is told, with the commands that remove it, and written down beside what removals
  retain. Where its name is fixed, the next creation would fail at it, so the look before the deploy refuses that.
- **reviews**: the stack holds change sets that nobody executed. Where runs of `stackctl` made all of them, it is created, or
  removed; otherwise the change set that somebody else wants to review is named, and nothing is done.
- **follows**: an operation is running. One that the same caller began is joined and followed to its end; then the table
  is asked again. One of somebody else is refused: who (the ARN, where it was `stackctl`), what, and since when is said.
  With `--wait` it is waited for. An operation whose end its events told and its stack does not tell for ten minutes is an error.
- **follows the removal**: the same, whoever began it: the stack is to go.
- **cancels**: the running update, where the same caller began it; CloudFormation takes it back. Otherwise as *follows*.
- **compares**, **compares with nothing**: with what is deployed, or with no stack, as the deploy creates it (anew). What
  stands between the diff and its deploy is said beside the stack.
- **rolls back**: `RollbackStack`, after approval. A creation has no earlier state, so what it made is removed.
- **continues**: `ContinueUpdateRollback`, after approval, with `--skip LOGICAL_ID` for what cannot be mended.
- **repeats**: the newest release that is written down, with `UpdateStack` in express mode, after approval. Without one it
  names *replace what express mode left*.
- **deletes**: buckets are emptied, and the stack is deleted. A stack that `stackctl` did not make is refused, with the command
  that deletes it.
- **names ..**: nothing is changed, and the command that leads on is named with what it needs.

## The ways that are named

";

/// Renders the page.
pub(in crate::engine) fn page() -> String {
    // Writing to a String cannot fail.
    let mut page = HEAD.to_owned();
    for (state, name) in ROWS {
        let name = match state {
            State::Absent => "none: there is no such stack".to_owned(),
            State::UnknownInProgress => "any other `*_IN_PROGRESS`".to_owned(),
            State::Unknown => "any other".to_owned(),
            _ if is_express(state) => {
                format!("`{name}` in [express mode](deploying.md#express-mode)")
            }
            _ => format!("`{name}`"),
        };
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {} | {} |",
            deploy(state.deploy()),
            diff(state.diff()),
            destroy(state.destroy()),
            rollback(state.rollback()),
            state.way().map_or("", short),
        );
    }
    page.push_str(STEPS);
    for way in [
        Way::RollBack,
        Way::ContinueRollback,
        Way::FinishRemoval,
        Way::Anew,
        Way::Again,
        Way::ImportAgain,
        Way::RemoveExpress,
        Way::RepeatExpress,
        Way::ReplaceExpress,
        Way::Import,
        Way::NotOurs,
        Way::Look,
    ] {
        let hints = way.hints("STACK", &[crate::engine::stuck::FailedResource::sample()]);
        let _ = writeln!(page, "- *{}*: {}.", short(way), hints.join("; "));
    }
    page
}

fn deploy(step: DeployStep) -> String {
    match step {
        DeployStep::Create => "creates".to_owned(),
        DeployStep::Update => "updates".to_owned(),
        DeployStep::Review => "reviews, creates".to_owned(),
        DeployStep::Follow => "follows".to_owned(),
        DeployStep::StartAnew => "creates anew".to_owned(),
        DeployStep::Offer(way) => format!("names *{}*", short(way)),
    }
}

fn diff(step: DiffStep) -> &'static str {
    match step {
        DiffStep::Compare => "compares",
        DiffStep::CompareWithNothing => "compares with nothing",
    }
}

fn destroy(step: DestroyStep) -> &'static str {
    match step {
        DestroyStep::Nothing => "nothing",
        DestroyStep::Review => "reviews, deletes",
        DestroyStep::Follow => "follows",
        DestroyStep::FollowRemoval => "follows the removal",
        DestroyStep::Delete => "deletes",
    }
}

fn rollback(step: RollbackStep) -> String {
    match step {
        RollbackStep::Nothing => "nothing".to_owned(),
        RollbackStep::Follow => "follows".to_owned(),
        RollbackStep::Cancel => "cancels".to_owned(),
        RollbackStep::RollBack => "rolls back".to_owned(),
        RollbackStep::Continue => "continues".to_owned(),
        RollbackStep::Repeat => "repeats".to_owned(),
        RollbackStep::Offer(way) => format!("names *{}*", short(way)),
    }
}

fn short(way: Way) -> &'static str {
    match way {
        Way::RollBack => "rollback",
        Way::ContinueRollback => "continue the rollback",
        Way::FinishRemoval => "finish the removal",
        Way::Anew => "deploy anew",
        Way::Again => "deploy again",
        Way::ImportAgain => "import again",
        Way::RemoveExpress => "remove what express mode made",
        Way::RepeatExpress => "repeat in express mode",
        Way::ReplaceExpress => "replace what express mode left",
        Way::Import => "import",
        Way::NotOurs => "not ours",
        Way::Look => "look",
    }
}
