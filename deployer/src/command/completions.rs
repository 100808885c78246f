//! `completions`: prints a completion script for a shell.

use clap::CommandFactory as _;

use super::Session;
use crate::cli::{Cli, Completions};
use crate::error::{Error, Kind, Result};

pub(super) fn run(session: &Session, arguments: Completions) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Cli::command(),
        "stackctl",
        &mut script,
    );
    let script = String::from_utf8(script).map_err(|error| {
        Error::new(Kind::Io, "the completion script is not text").caused_by(&error)
    })?;
    session.ui.out(script);
    Ok(0)
}
