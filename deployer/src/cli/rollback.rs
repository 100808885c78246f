//! Arguments of `rollback`.

use clap::Args;

use super::Stacks;

/// Arguments of `rollback`.
#[derive(Clone, Debug, Args)]
pub struct Rollback {
    /// Which stacks; those that need no rollback are left alone.
    #[command(flatten)]
    pub stacks: Stacks,
    /// Leave this resource as it is, which kept an earlier rollback from its end; may be repeated.
    ///
    /// CloudFormation takes it for rolled back without touching it. Bring it back by hand before the next deploy, or that
    /// may fail on it again.
    #[arg(long, value_name = "LOGICAL_ID")]
    pub skip: Vec<String>,
    /// Wait for operations that somebody else began, instead of refusing.
    #[arg(long)]
    pub wait: bool,
}
