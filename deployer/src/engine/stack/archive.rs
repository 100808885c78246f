//! Writes down what was deployed, and knows from that what is deployed still.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use serde_json::Value;

use super::{Run, Work};
use crate::aws::AwsError;
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
        unwritten(run, context, work, &error);
    }
    kept
}

/// Reads what an earlier run left unproven, where the list of states says that there is something, or this run wrote it.
///
/// Where that run's update was rolled back after its end, nobody has led back yet what CloudFormation moved.
pub(super) async fn left(
    run: &Run,
    context: &Context,
    work: &Work,
    deployed: Option<&DeployedStack>,
    is_noted: bool,
) -> Option<Note> {
    let is_listed = work.archive.as_ref().is_some_and(|it| it.unproven);
    let deployed = deployed.filter(|_| is_listed || is_noted)?;
    let note = match proof::left(context, work, deployed).await {
        Ok(note) => note?,
        Err(error) => {
            unwritten(run, context, work, &error);
            return None;
        }
    };
    if !deployed.status.is_good() {
        proof::failed(context, work, &note).await;
    }
    Some(note)
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
        unwritten(run, context, work, &error);
    }
}

/// Leads back what a failed update moved. Where the stack was proven before, it is so again.
pub(super) async fn restore(run: &Run, context: &Context, work: &Work, note: &Note) {
    proof::failed(context, work, note).await;
    if note.is_fresh
        && !note.is_old
        && let Err(error) = proof::forget(context, work).await
    {
        unwritten(run, context, work, &error);
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
        return unwritten(run, context, work, &error);
    }
    let (Some(archive), Some(mark), Found::Good) =
        (&work.archive, kept.and_then(|kept| kept.mark), found)
    else {
        return;
    };
    let before = archive.mark.as_deref();
    let written = mark.write(context, &archive.bucket, &work.manifest.name, before);
    if let Err(error) = written.await {
        unwritten(run, context, work, &error);
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
        unwritten(run, context, work, &error);
    }
}

fn unwritten(run: &Run, context: &Context, work: &Work, error: &AwsError) {
    if !run.unwritten.swap(true, Ordering::Relaxed) {
        context.emit(Event::Warning {
            stack: work.manifest.name.clone(),
            message: format!(
                "nobody may be able to go back to this release, or know whether anybody looked at it, because not all of it could be written down: {error}"
            ),
        });
    }
}
