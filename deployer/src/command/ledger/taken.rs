//! Takes out of the ledger what belongs to a stack again.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use stack_model::assembly::StackManifest;

use super::{Ledger, files, hold, store};
use crate::aws::{AwsError, ENGINE_ACCOUNT};
use crate::command::Session;
use crate::config::{Project, Stage};
use crate::engine::{self, Context, DeployReport, LiveResource, StackTarget};
use crate::error::Result;
use crate::scratch;
use crate::ui::Ui;

/// What it means to be stopped here.
const STOPPED: &str = "what this run changed stays changed, and the next one looks at what stays outside of the stacks";

/// What became of a file of the ledger.
#[derive(Debug)]
enum Settled {
    /// Nobody can read it.
    Unreadable(PathBuf, io::Error),
    /// Nobody knows what stacks have.
    Unknown(PathBuf, AwsError),
    /// It cannot be written.
    Unwritten(PathBuf, io::Error),
    /// These belong to a stack again, by their physical ids.
    Taken(Vec<String>),
}

impl Settled {
    fn tell(&self, ui: &Ui) {
        match self {
            Self::Unreadable(file, error) => ui.warn(format!(
                "what removals of this stage retain cannot be read from {}: {error}",
                file.display()
            )),
            Self::Unknown(file, error) => ui.warn(format!(
                "nobody knows whether stacks have taken back what is written down in {}: {error}",
                file.display()
            )),
            Self::Unwritten(file, error) => {
                ui.warn(format!("cannot write {}: {error}", file.display()));
            }
            Self::Taken(ids) => ui.done(
                "ledger",
                format!(
                    "{} belongs to a stack again, and is not among what is retained any more",
                    ids.join(", ")
                ),
            ),
        }
    }
}

/// Returns the stacks that a deploy changed, or may have.
pub(in crate::command) fn changed(
    report: Option<&DeployReport>,
    stacks: &[StackManifest],
) -> BTreeSet<StackTarget> {
    let ended = report.into_iter().flat_map(|report| &report.stacks);
    let changed: BTreeSet<&str> = ended
        .filter(|stack| stack.outcome.may_have_changed())
        .map(|stack| stack.stack.as_str())
        .collect();
    let stacks = stacks.iter();
    let stacks = stacks.filter(|stack| changed.contains(stack.name.as_str()));
    stacks.map(StackTarget::from).collect()
}

/// Enters what updates left outside whose runs were killed or stopped before that was known. Whoever may not look is told so, and
/// it stays noted.
pub(in crate::command) async fn recover(session: &Session, context: &Context) -> Result<()> {
    let recovered = engine::recover_left_aside(context);
    for (stack, error) in session.guard_saying(STOPPED, Box::pin(recovered)).await? {
        session.ui.warn(format!(
            "nobody knows yet what the last update of {stack} left outside: {error}"
        ));
    }
    Ok(())
}

/// Takes out what belongs to a stack again, so that nobody removes it by the commands: of the stacks that were removed, which
/// anybody may have made again, and of those that this run changed. Nobody is asked where nothing is written down of the account,
/// and a caller who may not look is told so. What is written down of another account stays.
pub(in crate::command) async fn settle(
    session: &Session,
    project: &Project,
    context: &Context,
    (name, stage): (&str, &Stage),
    changed: BTreeSet<StackTarget>,
) -> Result<()> {
    let files = files(project, name, stage);
    let directory = project.state_dir.join(scratch::RETAINED);
    let settled = settled(context, &directory, &files, changed);
    for settled in session.guard_saying(STOPPED, Box::pin(settled)).await? {
        settled.tell(&session.ui);
    }
    Ok(())
}

/// Settles the files, the first of which is that of the environment itself.
async fn settled(
    context: &Context,
    directory: &Path,
    files: &[PathBuf],
    changed: BTreeSet<StackTarget>,
) -> Vec<Settled> {
    let account = context.clients.identity().account.as_str();
    let own = context.clients.region();
    let mut settled = Vec::new();
    let mut targets = BTreeSet::new();
    let mut concerned = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let ledger = match read(file) {
            Ok(ledger) => ledger,
            Err(error) => {
                settled.push(Settled::Unreadable(file.clone(), error));
                continue;
            }
        };
        // What others wrote down without a region may be in any.
        let own = (at == 0).then_some(own);
        let removed: Vec<StackTarget> = removed(&ledger, (account, own)).collect();
        if !removed.is_empty() {
            targets.extend(removed);
            concerned.push((file, own));
        }
    }
    if targets.is_empty() {
        return settled;
    }
    targets.extend(changed.into_iter().map(|stack| StackTarget {
        region: Some(stack.region.unwrap_or_else(|| own.to_owned())),
        ..stack
    }));
    let live = match engine::live_resources(context, &targets).await {
        Ok(live) => live,
        Err(error) => {
            let file = concerned.first().map(|(file, _)| (*file).clone());
            settled.extend(file.map(|file| Settled::Unknown(file, error)));
            return settled;
        }
    };
    for (file, own) in concerned {
        match clear(directory, file, (account, own), &live) {
            Ok(taken) if taken.is_empty() => {}
            Ok(taken) => settled.push(Settled::Taken(taken)),
            Err(error) => settled.push(Settled::Unwritten(file.clone(), error)),
        }
    }
    settled
}

/// Returns the stacks whose removal retained something in an account, each where that is.
fn removed<'a>(
    ledger: &'a Ledger,
    (account, own): (&'a str, Option<&'a str>),
) -> impl Iterator<Item = StackTarget> + 'a {
    ledger.iter().flat_map(move |(stack, entries)| {
        let here = entries.iter().filter(move |entry| is_of(entry, account));
        here.filter_map(move |entry| {
            Some(StackTarget {
                name: stack.clone(),
                region: Some(region(entry, own)?),
            })
        })
    })
}

/// Takes out of a file what is live. Another run may have written to it while AWS was asked.
fn clear(
    directory: &Path,
    file: &Path,
    place: (&str, Option<&str>),
    live: &BTreeSet<LiveResource>,
) -> io::Result<Vec<String>> {
    let _held = hold(directory)?;
    let mut ledger = read(file)?;
    let taken = take(&mut ledger, place, live);
    if taken.is_empty() {
        return Ok(taken);
    }
    if ledger.is_empty() {
        fs::remove_file(file)?;
    } else {
        store(directory, file, &ledger)?;
    }
    Ok(taken)
}

/// Reads a file. Where there is none, nothing is retained.
fn read(file: &Path) -> io::Result<Ledger> {
    match fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ledger::new()),
        Err(error) => Err(error),
    }
}

/// Returns whether an entry is of an account. One of a time when the account was not written down may be of any on AWS: the type
/// and the id of a live resource tell. Names are free to choose in an engine, so that there they tell nothing.
fn is_of(entry: &serde_json::Value, account: &str) -> bool {
    match entry["account"].as_str() {
        Some(it) => it == account,
        None => account != ENGINE_ACCOUNT,
    }
}

/// Returns the region of an entry: that of the environment, where none was written down and the file is its own.
fn region(entry: &serde_json::Value, own: Option<&str>) -> Option<String> {
    entry["region"].as_str().or(own).map(str::to_owned)
}

/// Takes out the entries of an account that are resources of live stacks, and returns their physical ids.
fn take(
    ledger: &mut Ledger,
    (account, own): (&str, Option<&str>),
    live: &BTreeSet<LiveResource>,
) -> Vec<String> {
    let mut taken = Vec::new();
    for entries in ledger.values_mut() {
        entries.retain(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
            let id = text("physical_id");
            let is_live = is_of(entry, account)
                && region(entry, own).is_some_and(|region| {
                    live.contains(&(region, text("resource_type"), id.clone()))
                });
            if is_live {
                taken.push(id);
            }
            !is_live
        });
    }
    ledger.retain(|_, entries| !entries.is_empty());
    taken
}

#[cfg(test)]
mod tests;
