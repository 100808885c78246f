//! Writes down what was deployed, and knows from that what is deployed still.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use serde_json::Value;

use super::{Run, Work};
use crate::engine::{
    Context, DeployedStack, Event,
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

/// Writes down what is deployed. What cannot be written costs the next deploy some calls, so it is no failure; whoever may
/// not write is told once.
///
/// The mark comes last: as long as it is not there, the next deploy looks again and writes what is missing. A template that
/// keeps for a moment what others import is no release: nobody goes back to it.
pub(super) async fn keep(
    run: &Run,
    context: &Context,
    work: &Work,
    deployed: &DeployedStack,
    parameters: &BTreeMap<String, String>,
    is_release: bool,
) {
    let Some(archive) = &work.archive else {
        return;
    };
    let stack = &work.manifest.name;
    let released = Released {
        stage: &run.stage,
        manifest: &work.manifest,
        template: &work.template,
        parameters,
        back_to: run.back_to.get(stack).copied(),
        deployed,
        artifacts: &run.artifacts,
    };
    let kept = async {
        if is_release {
            record::write(context, &archive.bucket, released).await?;
        }
        let template: Value = serde_json::from_str(&work.template).unwrap_or_default();
        let mark = Mark::of(deployed, &template).filter(|mark| {
            let listed = archive.mark.as_deref();
            archive.marks
                && unchanged::is_decidable(&work.template)
                && !listed.is_some_and(|etag| mark.is(etag))
        });
        match mark {
            Some(mark) => {
                let before = archive.mark.as_deref();
                mark.write(context, &archive.bucket, stack, before).await
            }
            None => Ok(()),
        }
    };
    if let Err(error) = kept.await
        && !run.unwritten.swap(true, Ordering::Relaxed)
    {
        context.emit(Event::Warning {
            stack: stack.clone(),
            message: format!(
                "nobody can go back to this release, because it could not be written down: {error}"
            ),
        });
    }
}
