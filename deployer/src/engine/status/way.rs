//! The ways that lead on where the tool does not go on by itself, each with the exact command.

use crate::engine::{FirstCause, stuck::FailedResource};

/// What hints say is to be mended.
const CAUSE: &str = "mend the cause";

/// A way on from a status in which CloudFormation accepts no update.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Way {
    /// An operation failed whose rollback was disabled: roll it back.
    RollBack,
    /// A rollback failed: mend what it names, or skip it, and continue.
    ContinueRollback,
    /// A removal failed: finish it, and keep what cannot be deleted.
    FinishRemoval,
    /// A first deploy failed: deploy again, which removes it first.
    Anew,
    /// An update failed and was rolled back: the stack is as it was, and takes the next one.
    Again,
    /// An import failed and was rolled back: what it was to take in is where it was before.
    ImportAgain,
    /// A creation in express mode failed and was kept: remove it.
    RemoveExpress,
    /// An update in express mode failed and was kept: what was deployed last is deployed again, in express mode.
    RepeatExpress,
    /// The same, and nothing is written down about what was deployed last.
    ReplaceExpress,
    /// The rollback of an import failed: AWS documents no call that leads on.
    Import,
    /// A failed stack was not made by this tool: whoever made it decides.
    NotOurs,
    /// A status that is not known here.
    Look,
}

impl Way {
    /// Returns the hints, the first with the command; `failed` are the resources that hold the stack up.
    pub(in crate::engine) fn hints(self, stack: &str, failed: &[FailedResource]) -> Vec<String> {
        match self {
            Self::RollBack => vec![format!(
                "rollback was disabled for the operation that failed: run `stackctl rollback {stack}`, and deploy again"
            )],
            Self::ContinueRollback => {
                let mut hints = vec![format!(
                    "mend what kept the rollback from its end, run `stackctl rollback {stack}`, and deploy again"
                )];
                if !failed.is_empty() {
                    hints.push(format!(
                        "what cannot be mended is left as it is by `stackctl rollback {stack}{}`: CloudFormation then takes it for rolled back, \
                         so bring it back by hand before the next deploy",
                        options("--skip", failed)
                    ));
                }
                hints
            }
            Self::FinishRemoval => {
                let mut hints = vec![format!(
                    "finish the removal with `stackctl destroy {stack}`; then deploy again, if it is to come back"
                )];
                if !failed.is_empty() {
                    hints.push(format!(
                        "what cannot be deleted stays in the account, outside of any stack, with `stackctl destroy {stack}{}`",
                        options("--retain", failed)
                    ));
                }
                hints
            }
            Self::Anew => vec![format!(
                "nothing of the first deploy is in use: {CAUSE}, and the next one (`stackctl deploy {stack}`) removes the failed stack and starts anew"
            )],
            Self::Again => vec![format!(
                "the stack is as it was before: {CAUSE}, and deploy again (`stackctl deploy {stack}`)"
            )],
            Self::ImportAgain => vec![
                format!(
                    "the stack is as it was before, and so is what was to be imported: see what failed with `stackctl explain {stack}`, {CAUSE}, and repeat the import first; a rename is gone on with by the next deploy (`stackctl deploy {stack}`)"
                ),
                format!(
                    "for what an earlier removal retained the ledger has the commands: without them `stackctl deploy {stack}` makes it anew, empty, beside what was retained, or fails at its name"
                ),
            ],
            Self::RemoveExpress => vec![format!(
                "CloudFormation does not roll back what failed in express mode: run `stackctl destroy {stack}`, and deploy again"
            )],
            Self::RepeatExpress => vec![format!(
                "CloudFormation does not roll back what failed in express mode: run `stackctl rollback {stack}`, which deploys its \
                 newest release again in express mode, and deploy again"
            )],
            Self::ReplaceExpress => vec![format!(
                "CloudFormation does not roll back what failed in express mode, and no release of the stack is written down: whoever \
                 updated it repeats the update before that one in express mode, with rollback disabled; or remove the stack with \
                 `stackctl destroy {stack}`, and deploy again"
            )],
            Self::Import => vec![
                format!(
                    "AWS documents no call that leads on from here: see what failed with `stackctl events {stack}`, and ask AWS Support to reset the stack"
                ),
                format!(
                    "or remove it with `stackctl destroy {stack}`, which keeps what its template retains, and import anew"
                ),
            ],
            Self::NotOurs => vec![format!(
                "the stack was not made by stackctl; if it may go, run `aws cloudformation delete-stack --stack-name {stack}`"
            )],
            Self::Look => vec![format!(
                "look at the stack with `stackctl events {stack}`, and deploy again once it is settled"
            )],
        }
    }

    /// Says in hints what is to be mended: a cause that is declared somewhere is mended there.
    pub(in crate::engine) fn pointed(
        self,
        mut hints: Vec<String>,
        cause: Option<&FirstCause>,
    ) -> Vec<String> {
        let source = cause.and_then(|cause| cause.source.as_deref());
        if let (Self::Anew | Self::Again | Self::ImportAgain, Some(source)) = (self, source) {
            for hint in &mut hints {
                *hint = hint.replacen(CAUSE, &format!("mend {source}"), 1);
            }
        }
        hints
    }

    /// Returns the statuses that resources have which hold a stack up on this way.
    pub(in crate::engine) fn failed_status(self) -> Option<&'static str> {
        match self {
            Self::ContinueRollback => Some("UPDATE_FAILED"),
            Self::FinishRemoval => Some("DELETE_FAILED"),
            Self::RollBack
            | Self::Anew
            | Self::Again
            | Self::ImportAgain
            | Self::RemoveExpress
            | Self::RepeatExpress
            | Self::ReplaceExpress
            | Self::Import
            | Self::NotOurs
            | Self::Look => None,
        }
    }

    /// Returns the command that `status` shows.
    pub(in crate::engine) fn command(self, stack: &str) -> String {
        match self {
            Self::RollBack | Self::ContinueRollback | Self::RepeatExpress => {
                format!("stackctl rollback {stack}")
            }
            Self::FinishRemoval | Self::RemoveExpress | Self::ReplaceExpress => {
                format!("stackctl destroy {stack}")
            }
            Self::Anew | Self::Again => format!("stackctl deploy {stack}"),
            Self::ImportAgain => format!("stackctl explain {stack}"),
            Self::Import | Self::NotOurs | Self::Look => {
                format!("stackctl events {stack}")
            }
        }
    }
}

fn options(name: &str, failed: &[FailedResource]) -> String {
    let mut options = String::new();
    for resource in failed {
        options.extend([" ", name, " ", &resource.logical_id]);
    }
    options
}
