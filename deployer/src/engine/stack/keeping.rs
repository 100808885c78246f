//! What a stack keeps for a while because others import it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Run, StackError, Work, aws};
use crate::engine::{Context, DeployedStack, Event, capability, handover, hint};

/// A stack that keeps what others import.
pub(super) struct Keeping {
    pub(super) work: Work,
    /// Whether it is kept until the end of this deploy at most, should all go well.
    pub(super) passes: bool,
    /// What the exports were taken from that are kept as texts.
    pub(super) texts: handover::Texts,
}

/// Returns what a stack is updated to where others import what it gives up, and adds the parameters of that.
pub(super) async fn hand_over(
    run: &Run,
    context: &Context,
    work: &Work,
    deployed: &DeployedStack,
    parameters: &mut BTreeMap<String, String>,
) -> Result<Option<Keeping>, StackError> {
    let kept = handover::find(context, deployed, &work.template)
        .await
        .map_err(|source| aws(&work.manifest, source))?;
    let Some(kept) = kept else {
        return Ok(None);
    };
    let stack = work.manifest.name.clone();
    let passes = run.handovers.passes(&kept.importers);
    let is_new = run.handovers.add(&stack, kept.importers.clone());
    // The stacks that have to let go first come with it, where the assembly has them.
    let (own, foreign) = run.handovers.own(&kept.importers);
    let next = (!passes).then(|| {
        let own = own
            .iter()
            .fold(String::new(), |text, name| format!("{text} {name}"));
        hint::command(context, &format!("stackctl deploy{own} {stack}"))
    });
    let foreign = foreign.into_iter().map(str::to_owned).collect();
    // What is kept for a moment is told once; what stays kept is told when that is known.
    if is_new || !passes {
        context.emit(Event::ExportsKept {
            stack,
            next,
            foreign,
            importers: kept.importers,
        });
    }
    parameters.extend(kept.parameters);
    let mut manifest = (*work.manifest).clone();
    if let Some(capability) = capability::missing(&kept.template, &manifest.capabilities) {
        manifest.capabilities.push(capability.to_owned());
    }
    Ok(Some(Keeping {
        work: Work {
            manifest: Arc::new(manifest),
            template: kept.template,
            contents: BTreeMap::new(),
            bucket: work.bucket.clone(),
            direct: work.direct,
            archive: work.archive.clone(),
        },
        passes,
        texts: kept.texts,
    }))
}
