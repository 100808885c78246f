//! The files in which it is written down what stays outside of stacks: one of each environment, and beside them the templates that
//! take it back.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::{lock, territory};
use crate::config::{Project, Stage};
use crate::engine::{Adoption, Context, DestroyReport, DestroyedStack, TakenBack};
use crate::scratch;
use crate::ui::Ui;

/// What every stack left, by its name: resources, and how they are taken back together.
pub(super) type Ledger = BTreeMap<String, Vec<Value>>;

/// What the name of a template ends with that takes something back.
const IMPORT: &str = ".import.json";

/// Returns the files that an environment looks after, its own before the others: those of environments that the stage does not
/// have any more, because it had one region and has several, or other ones, are nobody else's.
pub(super) fn files(project: &Project, name: &str, stage: &Stage) -> Vec<PathBuf> {
    let names = names(&project.state_dir.join(scratch::RETAINED));
    let names = names
        .iter()
        // The template that takes something back is that of a stack.
        .filter(|name| !name.ends_with(IMPORT))
        .filter_map(|name| name.strip_suffix(".json"));
    let own = std::iter::once(stage.key(name));
    own.chain(lost(project, name, stage, names))
        .map(|key| file(project, &key))
        .collect()
}

/// Returns the directory in which an environment notes what updates may leave outside, and those of environments that the stage
/// does not have any more.
pub(super) fn notes(project: &Project, name: &str, stage: &Stage) -> (PathBuf, Vec<PathBuf>) {
    let all = project.state_dir.join(scratch::LEAVING);
    let names = names(&all);
    let lost = lost(project, name, stage, names.iter().map(String::as_str));
    let lost = lost.into_iter().map(|key| all.join(key));
    (all.join(stage.key(name)), lost.collect())
}

/// Returns which keys are of environments that a stage had and does not have any more.
fn lost<'a>(
    project: &Project,
    name: &str,
    stage: &Stage,
    keys: impl Iterator<Item = &'a str>,
) -> BTreeSet<String> {
    let own = stage.key(name);
    let environments = project.config.stages.iter();
    let now: BTreeSet<String> = environments
        .filter(|(key, _)| key.as_str() == name)
        .flat_map(|(_, config)| config.environments())
        .map(|environment| environment.key(name))
        .collect();
    keys.filter(|key| territory::stage_of(key) == name && *key != own && !now.contains(*key))
        .map(str::to_owned)
        .collect()
}

/// Returns the names in a directory; none, where nobody can list them.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name())
        .filter_map(|name| OsString::into_string(name).ok())
        .collect()
}

pub(super) fn file(project: &Project, key: &str) -> PathBuf {
    let directory = project.state_dir.join(scratch::RETAINED);
    directory.join(format!("{key}.json"))
}

/// Keeps other runs from the files until it is dropped: one on AWS and one on the local engine may work on a stage at once, and
/// write to the same. Nobody holds this for longer than it takes to write a file.
pub(super) fn hold(directory: &Path) -> io::Result<File> {
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

/// Enters what the stacks of a report left, and adds to the report how it is taken back.
pub(super) fn write_down(
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
    let ledger = read_or_begin(ui, file)?;
    enter(directory, file, context, ledger, report)
}

/// Writes the templates that take back what a stack retained, and enters the commands.
fn adopt(directory: &Path, context: &Context, stack: &mut DestroyedStack) -> io::Result<()> {
    for adoption in &stack.left.adoptions {
        let file = write(directory, &stack.stack, adoption)?;
        // The commands work wherever they are pasted.
        let file = fs::canonicalize(&file)?;
        if stack.left.ledger.iter().any(|it| adoption.takes(it)) {
            stack.left.adopt.push(adoption.written(context, file));
        }
    }
    Ok(())
}

/// Writes a template beside those of earlier removals.
fn write(directory: &Path, stack: &str, adoption: &Adoption) -> io::Result<PathBuf> {
    let text = pretty(adoption.template())?;
    let mut number = 1;
    loop {
        let file = directory.join(match number {
            1 => format!("{stack}{IMPORT}"),
            _ => format!("{stack}.{number}{IMPORT}"),
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

fn pretty(value: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

/// Reads a file. Where there is none, nothing is retained.
pub(super) fn read(file: &Path) -> io::Result<Ledger> {
    match fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ledger::new()),
        Err(error) => Err(error),
    }
}

/// Reads what was entered so far. A file that cannot be read is kept aside, and another one is begun.
pub(super) fn read_or_begin(ui: &Ui, file: &Path) -> io::Result<Ledger> {
    match read(file) {
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
pub(super) fn enter(
    directory: &Path,
    file: &Path,
    context: &Context,
    mut ledger: Ledger,
    report: &DestroyReport,
) -> io::Result<()> {
    for stack in &report.stacks {
        let left = &stack.left;
        if left.ledger.is_empty() {
            continue;
        }
        let entries = ledger.entry(stack.stack.clone()).or_default();
        for resource in &left.ledger {
            let same = |entry: &Value| {
                entry["account"] == resource.account.as_str()
                    && entry["region"] == resource.region.as_str()
                    && entry["physical_id"] == resource.physical_id.as_str()
                    && entry["resource_type"] == resource.resource_type.as_str()
            };
            entries.retain(|entry| !same(entry));
            entries.push(serde_json::to_value(resource)?);
        }
        // What comes back with others now does not come back with those of earlier.
        let is_new = |back: &TakenBack, kind: &str, id: &str| {
            let mut news = left.adopt.iter();
            news.any(|new| new.region() == back.region() && new.takes(kind, id))
        };
        leave_out(directory, context, (&stack.stack, entries), is_new)?;
        for adopt in &left.adopt {
            entries.push(serde_json::to_value(adopt)?);
        }
    }
    store(directory, file, &ledger)?;
    sweep(directory)
}

/// Returns how resources are taken back, where an entry is that and no resource.
pub(super) fn taken_back(entry: &Value) -> Option<TakenBack> {
    if is_resource(entry) {
        return None;
    }
    serde_json::from_value(entry.clone()).ok()
}

pub(super) fn is_resource(entry: &Value) -> bool {
    entry.get("physical_id").is_some()
}

/// Takes some resources out of what is taken back together: CloudFormation imports nothing that is not there or belongs to another
/// stack, and nothing else with it. The rest has a template of its own then: that of before may take back what another region has.
/// What another account has is left alone: a stage may have been in several, and on an engine, with the same names.
pub(super) fn leave_out(
    directory: &Path,
    context: &Context,
    (stack, entries): (&str, &mut Vec<Value>),
    is_out: impl Fn(&TakenBack, &str, &str) -> bool,
) -> io::Result<()> {
    let account = context.clients.identity().account.as_str();
    let is_meant = |back: &TakenBack| {
        back.account() == Some(account) && back.takes_any(|kind, id| is_out(back, kind, id))
    };
    let mut kept = Vec::new();
    for entry in entries.drain(..) {
        let Some(back) = taken_back(&entry).filter(is_meant) else {
            kept.push(entry);
            continue;
        };
        // The commands are of no use without it.
        let template = match fs::read(&back.template) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if let Some(rest) = back.without(template, |kind, id| is_out(&back, kind, id)) {
            let file = fs::canonicalize(write(directory, stack, &rest)?)?;
            let context = context.in_region(back.region());
            kept.push(serde_json::to_value(rest.written(&context, file))?);
        }
    }
    *entries = kept;
    Ok(())
}

/// Removes the templates that no file names any more. Where one cannot be read, all stay.
pub(super) fn sweep(directory: &Path) -> io::Result<()> {
    let (imports, others): (Vec<String>, Vec<String>) = names(directory)
        .into_iter()
        .partition(|name| name.ends_with(IMPORT));
    if imports.is_empty() {
        return Ok(());
    }
    let ledgers = others.iter().map(|name| directory.join(name));
    let texts: Vec<Vec<u8>> = ledgers
        .filter(|file| file.is_file())
        .map(fs::read)
        .collect::<io::Result<_>>()?;
    for import in imports {
        let name = format!("/{import}");
        let is_named = |text: &Vec<u8>| String::from_utf8_lossy(text).contains(&name);
        if !texts.iter().any(is_named) {
            fs::remove_file(directory.join(&import))?;
        }
    }
    Ok(())
}

pub(super) fn store(directory: &Path, file: &Path, ledger: &Ledger) -> io::Result<()> {
    replace(directory, file, &pretty(ledger)?)
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
