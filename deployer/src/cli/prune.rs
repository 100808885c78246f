//! Arguments of `prune`.

use std::time::Duration;

use clap::Args;

use super::{Stacks, operate::parse_span};

/// Arguments of `prune`.
#[derive(Clone, Debug, Args)]
pub struct Prune {
    /// Which stacks.
    #[command(flatten)]
    pub stacks: Stacks,
    /// How many releases of each stack, and how many packages and versions of each function, are kept.
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = at_least_one)]
    pub keep: usize,
    /// How old a package must be to be removed: a younger one may belong to a deploy that is under way.
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = span)]
    pub older_than: Duration,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a number from 1 on".to_owned()),
        Ok(number) => Ok(number),
    }
}

fn span(text: &str) -> Result<Duration, String> {
    parse_span(text)
        .ok_or_else(|| "expected a number and a unit, such as 30s, 10m, 2h or 1d".to_owned())
}
