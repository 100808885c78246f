//! The arguments of `stackset`.

use clap::{Args, Subcommand};

use super::{Allowance, Stacks};

/// Arguments of `stackset`.
#[derive(Clone, Debug, Args)]
pub struct StackSet {
    /// What to do with stack sets.
    #[command(subcommand)]
    pub verb: StackSetVerb,
}

/// What to do with stack sets.
#[derive(Clone, Debug, Subcommand)]
pub enum StackSetVerb {
    /// Create or update the stack sets of stacks, and add what is missing in accounts and regions.
    Deploy {
        /// Which stacks.
        #[command(flatten)]
        stacks: Stacks,
        /// Consent to one danger in a protected stage, such as data-loss:Orders; may be repeated.
        ///
        /// It is one in the stack of every account and region.
        #[arg(long, value_name = "DANGER:ID")]
        allow: Vec<Allowance>,
    },
    /// Print what became of stack sets in every account and region.
    Status {
        /// Which stacks.
        #[command(flatten)]
        stacks: Stacks,
    },
    /// Delete the stacks in all accounts and regions, and then the stack sets.
    Destroy {
        /// Which stacks.
        #[command(flatten)]
        stacks: Stacks,
        /// Delete only what stackctl.toml targets no more; the stack sets stay.
        #[arg(long)]
        untargeted: bool,
        /// Leave the stacks where they are; they belong to no stack set any more.
        #[arg(long)]
        retain: bool,
        /// Consent to deleting a protected stage, by its name.
        #[arg(long, value_name = "STAGE")]
        confirm: Option<String>,
    },
}
