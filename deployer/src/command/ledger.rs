//! What left stacks and stays in the account, as long as the workspace remembers it: what removals and updates retained.

mod taken;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

pub(super) use self::taken::{changed, recover, settle};
use super::{Session, lock, territory};
use crate::config::{Project, Stage};
use crate::engine::{
    Adoption, Context, DestroyReport, DestroyedStack, Left, Outcome, Retained, StackTarget,
    Survivor,
};
use crate::error::{Error, Kind, Result};
use crate::scratch;
use crate::ui::Ui;

/// What every stack left, by its name.
type Ledger = BTreeMap<String, Vec<serde_json::Value>>;

/// Enters what the stacks of a report retained under a key, that of a stage in one of its environments, and adds to the
/// report how it is taken back. Returns the file, where there is anything to enter.
pub(super) fn keep(
    ui: &Ui,
    project: &Project,
    context: &Context,
    key: &str,
    report: &mut DestroyReport,
) -> Result<Option<PathBuf>> {
    if report
        .stacks
        .iter()
        .all(|stack| stack.left.ledger.is_empty())
    {
        return Ok(None);
    }
    let directory = project.state_dir.join(scratch::RETAINED);
    let file = file(project, key);
    write_down(ui, &directory, &file, context, report).map_err(|error| {
        Error::new(Kind::Io, format!("cannot write {}", file.display())).caused_by(&error)
    })?;
    Ok(Some(file))
}

/// Makes a run enter what it leaves outside of a stack for good right then: no template names it from the next update on, and
/// a run that is killed comes to nothing that is done in the end. What an update may leave there is noted before it begins.
pub(super) fn entering(context: Context, ui: &Ui, project: &Project, key: &str) -> Context {
    let (ui, project, key) = (ui.clone(), project.clone(), key.to_owned());
    let plain = context.clone();
    let context = context.noting_aside(project.state_dir.join(scratch::LEAVING).join(&key));
    // Several stacks may come to it at once.
    let turn = Mutex::new(());
    context.keeping_aside(move |stack, left| {
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let aside = BTreeMap::from([(stack.to_owned(), left.clone())]);
        match put(&ui, &project, &plain, &key, aside) {
            Ok(_) => Ok(()),
            Err(error) => {
                let causes = error.causes().iter().map(|cause| format!(": {cause}"));
                Err(error.to_string() + &causes.collect::<Vec<_>>().concat())
            }
        }
    })
}

/// Enters what a deploy left outside of its stacks, says where, and takes out what belongs to a stack again.
pub(super) async fn after(
    session: &Session,
    project: &Project,
    context: &Context,
    (name, stage): (&str, &Stage),
    changed: BTreeSet<StackTarget>,
) -> Result<()> {
    let key = stage.key(name);
    let recovered = recover(session, context).await;
    if let Some((report, file)) = put(&session.ui, project, context, &key, context.left_aside())? {
        for stack in &report.stacks {
            show_adoptions(&session.ui, &stack.left);
        }
        show_file(&session.ui, &file, &report);
    }
    recovered?;
    settle(session, project, context, (name, stage), changed).await
}

/// Enters what left stacks for good, and returns it with the file, where there is anything to enter.
fn put(
    ui: &Ui,
    project: &Project,
    context: &Context,
    key: &str,
    aside: BTreeMap<String, Left>,
) -> Result<Option<(DestroyReport, PathBuf)>> {
    let stacks = aside.into_iter().map(|(stack, left)| DestroyedStack {
        stack,
        outcome: Outcome::Updated,
        failure: None,
        retained: BTreeMap::new(),
        left,
    });
    let mut report = DestroyReport {
        stacks: stacks.collect(),
    };
    let file = keep(ui, project, context, key, &mut report)?;
    Ok(file.map(|file| (report, file)))
}

/// Returns the physical ids of what earlier removals of a stage retained, and says where they are written down. Whatever
/// cannot be read retains nothing: it is told once more then.
pub(super) fn kept(ui: &Ui, project: &Project, name: &str, stage: &Stage) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for file in files(project, name, stage) {
        let ledger = fs::read(&file).ok();
        let ledger = ledger.and_then(|bytes| serde_json::from_slice::<Ledger>(&bytes).ok());
        let entries = ledger.iter().flat_map(BTreeMap::values).flatten();
        let ids: BTreeSet<String> = entries
            .filter_map(|entry| entry["physical_id"].as_str().map(str::to_owned))
            .collect();
        if !ids.is_empty() {
            ui.line(format!(
                "  what removals of this stage retain is written down in {}",
                file.display()
            ));
        }
        all.extend(ids);
    }
    all
}

/// Returns the files that an environment looks after, its own before the others: those of environments that the stage does not
/// have any more, because it had one region and has several, or other ones, are nobody else's.
fn files(project: &Project, name: &str, stage: &Stage) -> Vec<PathBuf> {
    let own = stage.key(name);
    let environments = project.config.stages.iter();
    let now: BTreeSet<String> = environments
        .filter(|(key, _)| key.as_str() == name)
        .flat_map(|(_, config)| config.environments())
        .map(|environment| environment.key(name))
        .collect();
    let entries = fs::read_dir(project.state_dir.join(scratch::RETAINED));
    let names = entries.into_iter().flatten().flatten();
    let keys = names.filter_map(|entry| {
        let file = entry.file_name().into_string().ok()?;
        Some(file.strip_suffix(".json")?.to_owned())
    });
    let lost: BTreeSet<String> = keys
        .filter(|key| territory::stage_of(key) == name && *key != own)
        // The template that takes something back is that of a stack.
        .filter(|key| !now.contains(key) && !key.ends_with(".import"))
        .collect();
    let keys = std::iter::once(own).chain(lost);
    keys.map(|key| file(project, &key)).collect()
}

/// Keeps other runs from the files until it is dropped: one on AWS and one on the local engine may work on a stage at once, and
/// write to the same. Nobody holds this for longer than it takes to write a file.
fn hold(directory: &Path) -> io::Result<File> {
    lock::make_private(directory)?;
    let held = File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(directory.join("lock"))?;
    match held.lock() {
        // Such a file system keeps nobody from anything, as it does with stages.
        Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(error),
        _ => Ok(held),
    }
}

fn file(project: &Project, key: &str) -> PathBuf {
    let directory = project.state_dir.join(scratch::RETAINED);
    directory.join(format!("{key}.json"))
}

fn write_down(
    ui: &Ui,
    directory: &Path,
    file: &Path,
    context: &Context,
    report: &mut DestroyReport,
) -> io::Result<()> {
    let _held = hold(directory)?;
    for stack in &mut report.stacks {
        let context = context.in_region(stack.left.region.as_deref());
        adopt(directory, &context, stack)?;
    }
    let ledger = read(ui, file)?;
    enter(directory, file, ledger, report)
}

/// Writes the templates that take back what a stack retained, and enters the commands.
fn adopt(directory: &Path, context: &Context, stack: &mut DestroyedStack) -> io::Result<()> {
    for adoption in &stack.left.adoptions {
        let file = write(directory, &stack.stack, adoption)?;
        // The commands work wherever they are pasted.
        let file = fs::canonicalize(&file)?;
        let commands = adoption.commands(context, &file);
        for retained in &mut stack.left.ledger {
            if adoption.takes(retained) {
                retained.adopt.clone_from(&commands);
            }
        }
    }
    Ok(())
}

/// Writes a template beside those of earlier removals.
fn write(directory: &Path, stack: &str, adoption: &Adoption) -> io::Result<PathBuf> {
    let mut text = serde_json::to_vec_pretty(adoption.template())?;
    text.push(b'\n');
    let mut number = 1;
    loop {
        let file = directory.join(match number {
            1 => format!("{stack}.import.json"),
            _ => format!("{stack}.{number}.import.json"),
        });
        match fs::read(&file) {
            Ok(bytes) if bytes == text => return Ok(file),
            Ok(_) => number += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                replace(directory, &file, &text)?;
                return Ok(file);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Reads what was entered so far. A file that cannot be read is kept aside, and another one is begun.
fn read(ui: &Ui, file: &Path) -> io::Result<Ledger> {
    let ledger = match fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ledger::new()),
        Err(error) => Err(error),
    };
    match ledger {
        Ok(ledger) => Ok(ledger),
        Err(error) => {
            let aside = scratch::set_aside(file)?;
            ui.warn(format!(
                "what earlier removals left cannot be read, and is kept in {}: {error}",
                aside.display()
            ));
            Ok(Ledger::new())
        }
    }
}

/// Adds to the file. A stack that is removed for the second time may have left something each time.
fn enter(
    directory: &Path,
    file: &Path,
    mut ledger: Ledger,
    report: &DestroyReport,
) -> io::Result<()> {
    for stack in &report.stacks {
        if stack.left.ledger.is_empty() {
            continue;
        }
        let entries = ledger.entry(stack.stack.clone()).or_default();
        for resource in &stack.left.ledger {
            let same = |entry: &serde_json::Value| {
                entry["account"] == resource.account.as_str()
                    && entry["region"] == resource.region.as_str()
                    && entry["physical_id"] == resource.physical_id.as_str()
                    && entry["resource_type"] == resource.resource_type.as_str()
            };
            entries.retain(|entry| !same(entry));
            entries.push(serde_json::to_value(resource)?);
        }
    }
    store(directory, file, &ledger)
}

fn store(directory: &Path, file: &Path, ledger: &Ledger) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(ledger)?;
    text.push(b'\n');
    replace(directory, file, &text)
}

/// Replaces a file that nobody else may read.
fn replace(directory: &Path, file: &Path, bytes: &[u8]) -> io::Result<()> {
    // Temporary files are private, and so is what becomes of this one.
    let mut sibling = tempfile::Builder::new()
        .prefix(scratch::SIBLING)
        .tempfile_in(directory)?;
    sibling.write_all(bytes)?;
    sibling.persist(file)?;
    Ok(())
}

/// Tells what is left, and what can be done about it.
pub(super) fn show(ui: &Ui, report: &DestroyReport, survivors: &[Survivor], file: Option<&Path>) {
    for stack in &report.stacks {
        for Retained {
            logical_id,
            physical_id,
            remove,
            ..
        } in &stack.left.ledger
        {
            ui.warn(format!(
                "{}/{logical_id} is retained and still exists: {physical_id}",
                stack.stack
            ));
            for command in remove {
                ui.line(format!("  to remove it: {command}"));
            }
        }
        show_adoptions(ui, &stack.left);
    }
    if let Some(file) = file {
        show_file(ui, file, report);
    }
    for Survivor { stack, arn } in survivors {
        ui.warn(format!(
            "{stack} is gone, and {arn} still carries its tags: the index of tags may lag, or it is left"
        ));
    }
}

/// Tells how what left a stack is taken back, which is one change set for all of it.
fn show_adoptions(ui: &Ui, left: &Left) {
    let commands: BTreeSet<&Vec<String>> = left.ledger.iter().map(|it| &it.adopt).collect();
    for command in commands.into_iter().flatten().filter(|_| ui.verbose() > 0) {
        ui.line(format!("  to take it back: {command}"));
    }
}

fn show_file(ui: &Ui, file: &Path, report: &DestroyReport) {
    let mut left = report.stacks.iter().flat_map(|stack| &stack.left.ledger);
    let commands = if left.any(|it| !it.adopt.is_empty()) {
        ", with the commands that take it back"
    } else {
        ""
    };
    ui.line(format!(
        "  what stays outside is written down in {}{commands}",
        file.display()
    ));
}

#[cfg(test)]
mod tests;
