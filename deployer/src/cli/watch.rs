//! The arguments of `watch`.

use clap::Args;

use super::Stacks;

/// Arguments of `watch`.
#[derive(Clone, Debug, Args)]
pub struct Watch {
    /// Which stacks; what they depend on must be deployed already.
    #[command(flatten)]
    pub stacks: Stacks,
    /// Do not print the logs of the functions.
    #[arg(long)]
    pub no_logs: bool,
}
