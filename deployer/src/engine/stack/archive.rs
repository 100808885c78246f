//! Writes down what was deployed, and knows from that what is deployed still.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use serde_json::Value;

use super::{Run, Work};
use crate::aws::AwsError;
use crate::engine::{
    Context, DeployedStack, Event,
    proof::Standing,
    release::{
        mark::Mark,
        record::{self, Released},
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
    /// What is known of the stack, where this deploy changed nothing.
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
    match record::write(context, &archive.bucket, released).await {
        Ok(true) if kept.mark.is_some() => kept.standing = Standing::Left,
        Ok(_) => {}
        Err(error) => {
            kept.mark = None;
            unwritten(run, context, work, &error);
        }
    }
    kept
}

/// Marks a stack that was found to do what it should.
pub(super) async fn mark(run: &Run, context: &Context, work: &Work, kept: Kept) {
    let (Some(archive), Some(mark)) = (&work.archive, kept.mark) else {
        return;
    };
    let before = archive.mark.as_deref();
    let written = mark.write(context, &archive.bucket, &work.manifest.name, before);
    if let Err(error) = written.await {
        unwritten(run, context, work, &error);
    }
}

fn unwritten(run: &Run, context: &Context, work: &Work, error: &AwsError) {
    if !run.unwritten.swap(true, Ordering::Relaxed) {
        context.emit(Event::Warning {
            stack: work.manifest.name.clone(),
            message: format!(
                "nobody can go back to this release, because it could not be written down: {error}"
            ),
        });
    }
}
