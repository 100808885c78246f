//! Takes out of the ledger what belongs to a stack again, or is gone.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use stack_model::assembly::StackManifest;

use super::book::{self, Ledger, files, hold, is_resource, read, store};
use crate::aws::{AwsError, ENGINE_ACCOUNT};
use crate::command::Session;
use crate::config::{Project, Stage};
use crate::engine::{
    self, Context, DeployReport, LiveResource, Looked, Outcome, StackTarget, TakenBack,
};
use crate::error::Result;
use crate::scratch;
use crate::text::{agreeing, series};
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
    /// Nobody knows whether all is still there.
    Unseen(PathBuf, AwsError),
    /// It cannot be written.
    Unwritten(PathBuf, io::Error),
    /// These belong to a stack again, by their physical ids.
    Taken(Vec<String>),
    /// These are not there any more.
    Gone(Vec<String>),
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
            Self::Unseen(file, error) => ui.warn(format!(
                "nobody knows whether all that is written down in {} is still there: {error}",
                file.display()
            )),
            Self::Unwritten(file, error) => {
                ui.warn(format!("cannot write {}: {error}", file.display()));
            }
            Self::Taken(ids) => ui.done(
                "ledger",
                struck(ids, "belongs to a stack again", "belong to a stack again"),
            ),
            Self::Gone(ids) => ui.done("ledger", struck(ids, "is gone", "are gone")),
        }
    }
}

/// Says what is taken out, and why, in the words for one and for several.
fn struck(ids: &[String], one: &'static str, several: &'static str) -> String {
    format!(
        "{} {}, and {} not among what is retained any more",
        series(ids),
        agreeing(ids, one, several),
        agreeing(ids, "is", "are")
    )
}

/// Returns how the stacks of a deploy ended up, by their names.
pub(in crate::command) fn ended(
    report: Option<&DeployReport>,
) -> impl Iterator<Item = (&str, Outcome)> {
    let ended = report.into_iter().flat_map(|report| &report.stacks);
    ended.map(|stack| (stack.stack.as_str(), stack.outcome))
}

/// Returns the stacks that a run changed, or may have.
pub(in crate::command) fn changed<'a>(
    ended: impl Iterator<Item = (&'a str, Outcome)>,
    stacks: &[StackManifest],
) -> BTreeSet<StackTarget> {
    let changed: BTreeSet<&str> = ended
        .filter(|(_, outcome)| outcome.may_have_changed())
        .map(|(stack, _)| stack)
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

/// Takes out what belongs to a stack again, so that nobody removes it by the commands: one of those that were removed, which
/// anybody may have made again, of those that this run changed, or of those that CloudFormation names when it is asked for the
/// resource. So goes what is not there any more. Nobody is asked where nothing is written down of the account, nor looks for what this
/// run `told` itself, and a caller who may not look is told so. What is written down of another account stays.
pub(in crate::command) async fn settle(
    session: &Session,
    project: &Project,
    context: &Context,
    (name, stage): (&str, &Stage),
    (changed, told): (BTreeSet<StackTarget>, BTreeSet<LiveResource>),
) -> Result<()> {
    let files = files(project, name, stage);
    let directory = project.state_dir.join(scratch::RETAINED);
    let settled = settled(context, &directory, &files, (changed, &told));
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
    (changed, told): (BTreeSet<StackTarget>, &BTreeSet<LiveResource>),
) -> Vec<Settled> {
    let account = context.clients.identity().account.as_str();
    let own = context.clients.region();
    let mut settled = Vec::new();
    let mut targets = BTreeSet::new();
    let mut resources = BTreeSet::new();
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
        let mut any = false;
        for (stack, resource) in here(&ledger, (account, own)) {
            any = true;
            targets.insert(StackTarget {
                name: stack.to_owned(),
                region: Some(resource.0.clone()),
            });
            if !told.contains(&resource) {
                resources.insert(resource);
            }
        }
        if any {
            concerned.push((file, own));
        }
    }
    let Some((first, _)) = concerned.first() else {
        return settled;
    };
    targets.extend(changed.into_iter().map(|stack| StackTarget {
        region: Some(stack.region.unwrap_or_else(|| own.to_owned())),
        ..stack
    }));
    let Looked { found, unknown } = engine::stacks_with(context, &resources).await;
    targets.extend(found);
    let live = match engine::live_resources(context, &targets).await {
        Ok(live) => live,
        Err(error) => {
            settled.push(Settled::Unknown((*first).clone(), error));
            return settled;
        }
    };
    settled.extend(unknown.map(|error| Settled::Unknown((*first).clone(), error)));
    resources.retain(|resource| !live.contains(resource));
    let Looked { found, unknown } = engine::gone(context, &resources).await;
    settled.extend(unknown.map(|error| Settled::Unseen((*first).clone(), error)));
    for (file, own) in concerned {
        match clear(directory, file, (context, own), (&live, &found)) {
            Ok((taken, gone)) => {
                settled.extend((!taken.is_empty()).then_some(Settled::Taken(taken)));
                settled.extend((!gone.is_empty()).then_some(Settled::Gone(gone)));
            }
            Err(error) => settled.push(Settled::Unwritten(file.clone(), error)),
        }
    }
    settled
}

/// Returns the resources of an account that stacks retained, each with its stack.
fn here<'a>(
    ledger: &'a Ledger,
    (account, own): (&'a str, Option<&'a str>),
) -> impl Iterator<Item = (&'a str, LiveResource)> + 'a {
    ledger.iter().flat_map(move |(stack, entries)| {
        let here = entries
            .iter()
            .filter(move |entry| is_resource(entry) && is_of(entry, account));
        here.filter_map(move |entry| Some((stack.as_str(), resource(entry, own)?)))
    })
}

/// Takes out of a file what is live, and what is gone. Another run may have written to it while AWS was asked.
fn clear(
    directory: &Path,
    file: &Path,
    (context, own): (&Context, Option<&str>),
    (live, gone): (&BTreeSet<LiveResource>, &BTreeSet<LiveResource>),
) -> io::Result<(Vec<String>, Vec<String>)> {
    let _held = hold(directory)?;
    let mut ledger = read(file)?;
    let place = (context.clients.identity().account.as_str(), own);
    let taken = take(&mut ledger, place, live);
    let gone = take(&mut ledger, place, gone);
    if taken.is_empty() && gone.is_empty() {
        return Ok((taken, gone));
    }
    for (stack, entries) in &mut ledger {
        let here = entries
            .iter()
            .filter(|entry| is_resource(entry) && is_of(entry, place.0));
        let kept: BTreeSet<LiveResource> = here.filter_map(|it| resource(it, own)).collect();
        let is_out = |back: &TakenBack, kind: &str, id: &str| {
            let region = back.region().unwrap_or_default().to_owned();
            !kept.contains(&(region, kind.to_owned(), id.to_owned()))
        };
        book::leave_out(directory, context, (stack, entries), is_out)?;
    }
    ledger.retain(|_, entries| !entries.is_empty());
    if ledger.is_empty() {
        fs::remove_file(file)?;
    } else {
        store(directory, file, &ledger)?;
    }
    book::sweep(directory)?;
    Ok((taken, gone))
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

fn kind_and_id(entry: &serde_json::Value) -> Option<(String, String)> {
    let text = |field: &str| Some(entry[field].as_str()?.to_owned());
    Some((text("resource_type")?, text("physical_id")?))
}

fn resource(entry: &serde_json::Value, own: Option<&str>) -> Option<LiveResource> {
    let (resource_type, physical_id) = kind_and_id(entry)?;
    Some((region(entry, own)?, resource_type, physical_id))
}

/// Takes out those of some resources that are entries of an account, and returns their physical ids.
fn take(
    ledger: &mut Ledger,
    (account, own): (&str, Option<&str>),
    out: &BTreeSet<LiveResource>,
) -> Vec<String> {
    let mut taken = Vec::new();
    for entries in ledger.values_mut() {
        entries.retain(|entry| {
            let resource = resource(entry, own).filter(|_| is_of(entry, account));
            let is_out = resource.filter(|resource| out.contains(resource));
            taken.extend(is_out.iter().map(|(_, _, id)| id.clone()));
            is_out.is_none()
        });
    }
    ledger.retain(|_, entries| !entries.is_empty());
    taken
}

#[cfg(test)]
mod tests;
