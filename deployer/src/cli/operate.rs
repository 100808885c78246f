//! The arguments of what looks at deployed systems and works with them.

use clap::Args;

use super::Stacks;

/// Arguments of `history`.
#[derive(Clone, Debug, Args)]
pub struct History {
    /// Which stacks.
    #[command(flatten)]
    pub stacks: Stacks,
    /// How many of the newest operations of each stack.
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub limit: usize,
}
