//! The stacks that arguments name, of all environments.

use std::collections::BTreeSet;

use super::Source;
use crate::assembly::Assembly;
use crate::cli;
use crate::command::{Session, prepare};
use crate::config::{Project, Stage};
use crate::error::{Error, Result};

/// Returns the names of the stacks that the arguments select, and the arguments that select none: each has to be in one
/// environment, not in all.
pub(super) fn wanted(
    assemblies: &[&Assembly],
    stacks: &cli::Stacks,
) -> Result<(BTreeSet<String>, Vec<String>)> {
    let names = names(assemblies);
    let (selected, unknown) = cli::select_known(&names, &stacks.stacks)?;
    let selected = selected
        .into_iter()
        .filter_map(|position| names.get(position));
    Ok((selected.map(|name| name.name.to_owned()).collect(), unknown))
}

/// Returns the names of all stacks, each once.
fn names<'a>(assemblies: &[&'a Assembly]) -> Vec<cli::Name<'a>> {
    let mut names: Vec<cli::Name<'_>> = Vec::new();
    for name in assemblies.iter().flat_map(|it| it.names()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Says that no stack is called so. Whoever removes stacks is not led to another one.
pub(in crate::command) fn nobody(assemblies: &[&Assembly], pattern: &str, source: Source) -> Error {
    let error = cli::unknown(&names(assemblies), pattern);
    match source {
        Source::Fresh => error,
        Source::Known => undirected(&error),
    }
}

/// Refuses a name that no stack has, before anything is rendered, where that is known. What may be deployed and in the source no
/// more may be removed.
pub(super) fn refuse_unknown(
    session: &Session,
    project: &Project,
    (name, stage): (&str, &Stage),
    stacks: &cli::Stacks,
    source: Source,
) -> Result<()> {
    let refused = prepare::refuse_unknown(session, project, (name, stage), stacks, source);
    refused.map_err(|error| match source {
        Source::Fresh => error,
        Source::Known => undirected(&error),
    })
}

/// Leaves out of an error which stack is meant perhaps: it is another one.
fn undirected(error: &Error) -> Error {
    let causes = error.causes().iter().cloned();
    let hints = error.hints().iter();
    let hints = hints.filter(|hint| !hint.starts_with("did you mean"));
    let bare = Error::new(error.kind(), error.message());
    hints
        .cloned()
        .fold(causes.fold(bare, Error::cause), Error::hint)
}
