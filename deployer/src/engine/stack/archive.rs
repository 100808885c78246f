//! Writes down what was deployed, and knows from that what is deployed still.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use super::{Run, Work};
use crate::aws::{AwsError, Fault};
use crate::engine::{
    Change, Context, DeployedStack, Event,
    proof::{self, Found, Note, Standing},
    release::{
        mark::Mark,
        record::{self, Released},
        settled,
    },
    unchanged,
};

/// Where the releases of a stack are written down.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Archive {
    /// The artifact bucket of the region.
    pub(in crate::engine) bucket: String,
    /// The `ETag` of the mark of the stack, where it has one.
    pub(in crate::engine) mark: Option<String>,
    /// Whether marks are written in this bucket.
    pub(in crate::engine) marks: bool,
    /// Whether it is written down that nobody has proven the stack since it was changed.
    pub(in crate::engine) unproven: bool,
}

/// Returns whether a stack has its template from the last deploy that was written down, and the same parameters.
pub(super) fn knows(
    work: &Work,
    deployed: &DeployedStack,
    parameters: &BTreeMap<String, String>,
) -> bool {
    let mark = work.archive.as_ref().and_then(|it| it.mark.as_ref());
    let (Some(listed), Ok(template)) = (mark, serde_json::from_str::<Value>(&work.template)) else {
        return false;
    };
    unchanged::has_parameters(deployed, &template, parameters)
        && Mark::of(deployed, &template).is_some_and(|mark| mark.is(listed))
}

/// What is left to write down of a stack once it was found to do what it should.
#[derive(Debug)]
pub(super) struct Kept {
    /// The mark, where it is not there.
    mark: Option<Mark>,
    /// What is known of the stack, where this deploy changed nothing and no earlier one left it unproven.
    pub(super) standing: Standing,
}

/// Writes down what is deployed. What cannot be written costs the next deploy some calls, so it is no failure; whoever may
/// not write is told once.
///
/// The [mark](mark) comes when the stack was found to do what it should: as long as it is not there, the next deploy looks
/// again and writes what is missing. A template that keeps for a moment what others import is no release: nobody goes back
/// to it.
pub(super) async fn keep(
    run: &Run,
    context: &Context,
    work: &Work,
    deployed: &DeployedStack,
    parameters: &BTreeMap<String, String>,
    is_release: bool,
) -> Kept {
    let mut kept = Kept {
        mark: None,
        standing: Standing::Proven,
    };
    let Some(archive) = &work.archive else {
        return kept;
    };
    if archive.marks && unchanged::is_decidable(&work.template) {
        let template: Value = serde_json::from_str(&work.template).unwrap_or_default();
        kept.mark = Mark::of(deployed, &template).filter(|mark| {
            let listed = archive.mark.as_deref();
            !listed.is_some_and(|etag| mark.is(etag))
        });
        if kept.mark.is_some() {
            kept.standing = Standing::Unknown;
        }
    }
    if !is_release {
        return kept;
    }
    let released = Released {
        stage: &run.stage,
        manifest: &work.manifest,
        template: &work.template,
        parameters,
        back_to: run.back_to.get(&work.manifest.name).copied(),
        deployed,
        artifacts: &run.artifacts,
    };
    if let Err(error) = record::write(context, &archive.bucket, released).await {
        kept.mark = None;
        unwritten(run, context, work, Unkept::Record, &error);
    }
    kept
}

/// Reads what an earlier run left unproven, where the list of states says that there is something, or this run wrote it.
///
/// Where that run's update was rolled back after its end, nobody has led back yet what CloudFormation moved. That is live, so
/// it is done with what was agreed to, and not here.
pub(super) async fn left(
    run: &Run,
    context: &Context,
    work: &Work,
    deployed: Option<&DeployedStack>,
    noted: Option<&Note>,
) -> Option<Note> {
    let is_listed = work.archive.as_ref().is_some_and(|it| it.unproven);
    let deployed = deployed.filter(|_| is_listed || noted.is_some())?;
    let mut note = match proof::left(context, work, deployed).await {
        Ok(note) => note?,
        Err(error) => {
            unwritten(run, context, work, Unkept::Left, &error);
            return Some(Note::unread());
        }
    };
    // A rename of this run makes the status a good one.
    note.is_due = !deployed.status.is_good() || noted.is_some_and(|noted| noted.is_due);
    Some(note)
}

/// Leads back what an update of an earlier run moved that was rolled back.
pub(super) async fn lead_back(context: &Context, work: &Work, note: &mut Option<Note>) {
    if let Some(note) = note.as_mut().filter(|note| note.is_due) {
        note.is_due = !proof::failed(context, work, note).await.is_whole;
    }
}

/// Writes down, right before an update, that nobody has proven the stack from then on.
pub(super) async fn note(
    run: &Run,
    context: &Context,
    work: &Work,
    (stack_id, deployed): (&str, Option<&DeployedStack>),
    changes: &[Change],
    note: &mut Option<Note>,
) {
    let noting = proof::note(context, work, stack_id, deployed, changes, note.take());
    let (noted, written) = noting.await;
    *note = noted;
    if let Err(error) = written {
        unwritten(run, context, work, Unkept::Note, &error);
    }
}

/// Forgets the note of an update that never began, because somebody else was first: what they deployed is theirs to prove.
/// What an earlier run left stays.
pub(super) async fn unbegun(run: &Run, context: &Context, work: &Work, note: &mut Option<Note>) {
    if note
        .as_ref()
        .is_some_and(|note| note.is_fresh && !note.is_old)
    {
        *note = None;
        if let Err(error) = proof::forget(context, work).await {
            unwritten(run, context, work, Unkept::Forget, &error);
        }
    }
}

/// Leads back what a failed update moved. Where the stack was proven before, it is so again, unless that fails: what was live is
/// written down nowhere else, and the next deploy, or `rollback`, leads back to it.
pub(super) async fn restore(run: &Run, context: &Context, work: &Work, note: &Note) {
    let led = proof::failed(context, work, note).await;
    if led.is_whole
        && note.is_fresh
        && !note.is_old
        && let Err(error) = proof::forget(context, work).await
    {
        unwritten(run, context, work, Unkept::Forget, &error);
    }
}

/// Writes down that a stack was found to do what it should: it is unproven no more, and then it is marked. In this order, so
/// that a run that is killed in between leaves nothing that would be held against a good release.
pub(super) async fn proven(
    run: &Run,
    context: &Context,
    work: &Work,
    (found, is_noted): (Found, bool),
    kept: Option<Kept>,
) {
    if found == Found::Unseen {
        return;
    }
    if is_noted && let Err(error) = proof::forget(context, work).await {
        return unwritten(run, context, work, Unkept::Forget, &error);
    }
    let (Some(archive), Some(mark), Found::Good) =
        (&work.archive, kept.and_then(|kept| kept.mark), found)
    else {
        return;
    };
    let before = archive.mark.as_deref();
    let written = mark.write(context, &archive.bucket, &work.manifest.name, before);
    if let Err(error) = written.await {
        unwritten(run, context, work, Unkept::Mark, &error);
    }
}

/// Says that a stack whose last operation was rolled back is as its source says, and writes it down.
pub(super) async fn settled(run: &Run, context: &Context, work: &Work, deployed: &DeployedStack) {
    context.emit(Event::StackSettled {
        stack: work.manifest.name.clone(),
        status: deployed.status.clone(),
    });
    if let Some(archive) = &work.archive
        && let Err(error) = settled::write(&context.clients, &archive.bucket, deployed).await
    {
        unwritten(run, context, work, Unkept::Settled, &error);
    }
}

/// What could not be written down, or not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum Unkept {
    /// The record of the release.
    Record,
    /// The note of what is live before the update.
    Note,
    /// The note of an earlier run.
    Left,
    /// That the note is of no use any more.
    Forget,
    /// The mark of a stack that is as it should be.
    Mark,
    /// That nothing is left to do after an update that was rolled back.
    Settled,
}

/// What was told of that.
pub(in crate::engine) type Told = Mutex<BTreeSet<(Option<String>, Unkept)>>;

impl Unkept {
    /// Says what that means.
    fn consequence(self) -> &'static str {
        match self {
            Self::Record => {
                "nobody can go back to this release, because it could not be written down"
            }
            Self::Note => {
                "should this run be killed, the next one does not know that nobody looked at this release, because that could not be written down"
            }
            Self::Left => {
                "a check that fails leads nothing back, because it could not be read what was live before an earlier deploy that nobody proved"
            }
            Self::Forget => {
                "the next deploy looks at this release once more, because it could not be written down that nothing is left to prove"
            }
            Self::Mark => {
                "the next deploy compares this release anew, because it could not be written down that it is as it should be"
            }
            Self::Settled => {
                "`status` still names a deploy as the next command, because it could not be written down that nothing is left to do"
            }
        }
    }
}

/// Warns of what could not be written down or read: once of a stack, and where the caller may not do it at all once of a run.
fn unwritten(run: &Run, context: &Context, work: &Work, unkept: Unkept, error: &AwsError) {
    let is_denied = matches!(error.fault(), Fault::Denied { .. });
    let stack = (!is_denied).then(|| work.manifest.name.clone());
    let is_new = {
        let mut told = run.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert((stack, unkept))
    };
    if is_new {
        context.emit(Event::Warning {
            stack: work.manifest.name.clone(),
            message: format!("{}: {error}", unkept.consequence()),
        });
    }
}
