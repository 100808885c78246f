//! What left stacks and stays in the account, as long as the workspace remembers it: what removals and updates retained.

mod book;
mod taken;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use self::book::{file, files, notes, write_down};
pub(super) use self::taken::{changed, ended, recover, settle};
use super::Session;
use crate::config::{Project, Stage};
use crate::engine::{
    Context, DestroyReport, DestroyedStack, Evidence, Left, LiveResource, Outcome, Retained,
    StackTarget, Survivor,
};
use crate::error::{Error, Kind, Result};
use crate::scratch;
use crate::ui::Ui;

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
pub(super) fn entering(
    context: Context,
    ui: &Ui,
    project: &Project,
    (name, stage): (&str, &Stage),
) -> Context {
    let (ui, project, key) = (ui.clone(), project.clone(), stage.key(name));
    let plain = context.clone();
    let (own, lost) = notes(&project, name, stage);
    let context = context.noting_aside(own, lost);
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

/// Enters what a deploy or a rollback left outside of its stacks, says where, and takes out what belongs to a stack again or is gone.
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
    let told = context.left_aside();
    let told = told.values().flat_map(|left| &left.ledger);
    let told = told.map(resource).collect();
    settle(session, project, context, (name, stage), (changed, told)).await
}

/// Returns the resources that the stacks of a report retained.
pub(super) fn retained(report: &DestroyReport) -> BTreeSet<LiveResource> {
    let left = report.stacks.iter().flat_map(|stack| &stack.left.ledger);
    left.map(resource).collect()
}

fn resource(retained: &Retained) -> LiveResource {
    let Retained {
        region,
        resource_type,
        physical_id,
        ..
    } = retained;
    (region.clone(), resource_type.clone(), physical_id.clone())
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

/// Returns the physical ids of what earlier removals of a stage retained, and says where they are written down, but for the file of
/// which this run tells. Whatever cannot be read retains nothing: it is told once more then.
pub(super) fn kept(
    ui: &Ui,
    project: &Project,
    (name, stage): (&str, &Stage),
    told: Option<&Path>,
) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for file in files(project, name, stage) {
        let ledger = book::read(&file).ok();
        let entries = ledger.iter().flat_map(BTreeMap::values).flatten();
        let ids: BTreeSet<String> = entries
            .filter_map(|entry| entry["physical_id"].as_str().map(str::to_owned))
            .collect();
        if !ids.is_empty() && told != Some(&*file) {
            ui.line(pointer(&file));
        }
        all.extend(ids);
    }
    all
}

/// Tells what is left, and what can be done about it.
pub(super) fn show(ui: &Ui, report: &DestroyReport, survivors: &[Survivor], file: Option<&Path>) {
    for stack in &report.stacks {
        for retained in &stack.left.ledger {
            let Retained {
                logical_id,
                physical_id,
                remove,
                ..
            } = retained;
            ui.warn(format!(
                "{}/{logical_id} is retained and still exists: {physical_id}",
                stack.stack
            ));
            show_removal(ui, remove, retained.remark());
        }
        show_adoptions(ui, &stack.left);
    }
    if let Some(file) = file {
        show_file(ui, file, report);
    }
    for Survivor {
        stack,
        arn,
        evidence,
    } in survivors
    {
        match evidence {
            Evidence::Tags => ui.warn(format!(
                "{stack} is gone, and {arn} still carries its tags: the index of tags may lag, or it is left"
            )),
            Evidence::There { remove, remark } => {
                ui.warn(format!("{stack} is gone, and {arn} is left of it"));
                show_removal(ui, remove, *remark);
            }
            Evidence::Name(remove) => {
                ui.warn(format!("{stack} was gone before, and its logs are left: {arn}"));
                show_removal(ui, remove, None);
            }
        }
    }
}

/// Tells how something is removed, and what is to be known of that.
fn show_removal(ui: &Ui, remove: &[String], remark: Option<&str>) {
    for command in remove {
        ui.line(format!("  to remove it: {command}"));
    }
    if let Some(remark) = remark {
        ui.line(format!("  {remark}"));
    }
}

/// Tells how what left a stack is taken back, which is one change set for all of it.
fn show_adoptions(ui: &Ui, left: &Left) {
    let commands = left.adopt.iter().flat_map(|it| &it.adopt);
    for command in commands.filter(|_| ui.verbose() > 0) {
        ui.line(format!("  to take it back: {command}"));
    }
}

fn show_file(ui: &Ui, file: &Path, report: &DestroyReport) {
    let mut stacks = report.stacks.iter();
    let commands = if stacks.any(|stack| !stack.left.adopt.is_empty()) {
        ", with the commands that take it back"
    } else {
        ""
    };
    ui.line(pointer(file) + commands);
}

fn pointer(file: &Path) -> String {
    format!("  what stays outside is written down in {}", file.display())
}

#[cfg(test)]
mod tests;
