//! Removes stacks, and waits until nothing is left.

mod adopt;
pub(super) mod advice;
mod bygone;
mod contents;
mod error;
pub(super) mod fallen;
pub(super) mod importers;
mod ledger;
mod memory;
mod order;
mod outlook;
mod remnants;
mod remove;
mod survivors;
mod traces;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Serialize;
use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::{
    Context, DeployedStack, Event, Failure, StackTarget,
    ending::{self, Ending},
    event::Outcome,
    graph, hint, inspect,
    named::Named,
    recover::STAGE_TAG,
    status::{DestroyStep, State, Way},
    stuck::FailedResource,
    turns::{self, Turns},
};
use crate::aws::{AwsError, Fault};
pub(super) use adopt::Parting;
pub use adopt::{Adoption, TakenBack};
pub use advice::Retained;
pub use error::DestroyError;
use importers::Importers;
pub use ledger::Left;
pub(super) use ledger::is_part;
use ledger::{Exports, Fate, Ledger};
pub use memory::Memory;
pub use outlook::{Outlook, outlook};
pub use remnants::{remnants, unfinished};
pub use survivors::{Evidence, Survivor, SurvivorSearch, Survivors, survivors};

/// What to remove.
#[derive(Clone, Debug, Default)]
pub struct DestroyRequest {
    /// The stacks, in any order.
    pub stacks: Vec<StackManifest>,
    /// Whether stacks that are protected against deletion are removed too: consent to exactly that was given.
    pub unprotect: bool,
    /// The resources that stay in the account where they keep their stack from being deleted, by logical id or as
    /// `STACK/LOGICAL_ID`.
    pub retain: BTreeSet<String>,
    /// Where it is remembered what is left to do once a stack is gone.
    pub memory: Memory,
}

/// What was removed, stack by stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DestroyReport {
    /// The stacks, in the order of their removal.
    pub stacks: Vec<DestroyedStack>,
}

/// What became of one stack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DestroyedStack {
    /// The stack.
    pub stack: String,
    /// How it ended up.
    pub outcome: Outcome,
    /// Why it failed, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The resources that the template retains and that still exist: physical ids by logical id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub retained: BTreeMap<String, String>,
    /// What is known of its resources.
    #[serde(flatten)]
    pub left: Left,
}

impl Ending for DestroyedStack {
    fn skipped(stack: String) -> Self {
        Self {
            stack,
            outcome: Outcome::Skipped,
            failure: None,
            retained: BTreeMap::new(),
            left: Left::default(),
        }
    }

    fn told(&self) -> (&str, Outcome, Option<&Failure>) {
        (&self.stack, self.outcome, self.failure.as_ref())
    }
}

/// Removes stacks, each before those it depends on, and waits until they are gone.
///
/// All stacks are looked at before the first is touched: where one has the name of ours and was made by somebody else,
/// where one is protected and `unprotect` was not given, or where stacks that stay import what one exports, nothing
/// happens. A caller who may not ask who imports is warned.
///
/// Buckets that the template deletes are emptied first, every version of every object, because AWS deletes no bucket
/// that holds anything; what the template retains is left alone and reported. The artifacts of a removed stack go too;
/// the artifact bucket itself stays. What is left to do once a stack is gone is remembered before it goes, and the next run
/// does it where this one does not come to it. Stacks with parts of one API of API Gateway are deleted one after the other. A
/// stack that does not exist is no error, so a destroy that was stopped is finished by running it again.
pub async fn destroy(
    context: &Context,
    request: DestroyRequest,
) -> Result<DestroyReport, DestroyError> {
    let graph: Vec<(String, Vec<String>)> = request
        .stacks
        .iter()
        .map(|stack| (stack.name.clone(), stack.depends_on.clone()))
        .collect();
    graph::check(&graph).map_err(DestroyError::Invalid)?;
    let going: BTreeSet<&str> = request.stacks.iter().map(|s| s.name.as_str()).collect();
    let mut foreign = Vec::new();
    let mut foreign_hints = Vec::new();
    let mut others = BTreeMap::new();
    let mut protected = Vec::new();
    let mut imported = None;
    let mut exports = Exports::default();
    let mut sharing = Vec::new();
    let mut retained = Named::new(request.retain, Way::FinishRemoval);
    let mut imports = Vec::new();
    let looks = request.stacks.iter().map(|it| look(context, it, &retained));
    let looks = graph::abreast(context.concurrency, looks.collect()).await;
    for (stack, looked) in request.stacks.iter().zip(looks) {
        let Some(found) = looked? else { continue };
        if found.is_foreign {
            foreign.push(stack.name.clone());
            let context = context.in_region(stack.region.as_deref());
            let hints = Way::NotOurs.hints(&stack.name, &[]).into_iter();
            foreign_hints.extend(hints.map(|hint| hint::complete(&context, &hint)));
            continue;
        }
        if let Some(app) = context.ownership.other(&found.deployed) {
            others.insert(stack.name.clone(), app.to_owned());
            continue;
        }
        let Found {
            deployed,
            failed,
            mut importers,
            ..
        } = found;
        // What was never executed has no template to read.
        if turns::may_share(stack) && !deployed.status.is_review() {
            sharing.push(stack);
        }
        exports.add(stack.region.as_deref(), &deployed);
        if !request.unprotect && deployed.termination_protection {
            protected.push(stack.name.clone());
        }
        retained.take(&stack.name, failed);
        let taken = importers::take_going(&mut importers, &going);
        imports.push((stack.name.clone(), taken));
        if !importers.is_empty() {
            let stack = stack.name.clone();
            imported.get_or_insert(DestroyError::Imported { stack, importers });
        }
    }
    if !foreign.is_empty() {
        return Err(DestroyError::NotOurs {
            stacks: foreign,
            hints: foreign_hints,
        });
    }
    if !others.is_empty() {
        let allowed: Vec<String> = others
            .keys()
            .map(|stack| format!("--allow owner:{stack}"))
            .collect();
        let hint = format!(
            "remove them in the workspace of that app, or leave them out; where this workspace had that name before, \
             `stackctl deploy {}` makes them its own first, and a later destroy deletes them",
            allowed.join(" ")
        );
        return Err(DestroyError::OtherApp {
            stacks: others,
            hint: hint::complete(context, &hint),
        });
    }
    if !protected.is_empty() {
        return Err(DestroyError::Protected(protected));
    }
    if let Some(error) = imported {
        return Err(error);
    }
    if let Some(misfit) = retained.misfit() {
        return Err(DestroyError::NotRetainable {
            names: misfit.names,
            candidates: misfit.candidates,
        });
    }
    let turns = turns(context, &sharing).await?;
    let graph = graph::reversed(&order::with_imports(graph, &imports));
    let stacks: Vec<Arc<StackManifest>> = request.stacks.into_iter().map(Arc::new).collect();
    let regions: BTreeMap<String, Option<String>> = stacks
        .iter()
        .map(|stack| (stack.name.clone(), stack.region.clone()))
        .collect();
    let run = Arc::new(remove::Run {
        ledger: Ledger::new(exports),
        memory: request.memory,
        turns,
        buckets: remove::Buckets::default(),
    });
    let ended = graph::run(&graph, context.concurrency, |node| {
        let stack = Arc::clone(&stacks[node]);
        let context = context.in_region(stack.region.as_deref());
        let run = Arc::clone(&run);
        let consent = remove::Consent {
            unprotect: request.unprotect,
            retain: retained.of(&stack.name),
        };
        async move { ending::verdict(remove::report(&context, &stack, &consent, &run).await) }
    })
    .await;
    let mut stacks: Vec<DestroyedStack> =
        ending::reports(context, graph.into_iter().zip(ended).rev());
    for stack in &mut stacks {
        let (retained, left) = run.ledger.left_of(&stack.stack, context);
        stack.retained = retained;
        stack.left = left;
        // One that was gone before has its region, too.
        stack.left.region = regions.get(&stack.stack).cloned().flatten();
    }
    let report = DestroyReport { stacks };
    let any = |outcome| ending::any(&report.stacks, outcome);
    if any(Outcome::Interrupted) {
        Err(DestroyError::Interrupted(report))
    } else if any(Outcome::Failed) {
        Err(DestroyError::Failed(report))
    } else {
        Ok(report)
    }
}

/// A stack that is there.
struct Found {
    deployed: DeployedStack,
    /// Whether it was made by somebody else; nothing more is known of it then.
    is_foreign: bool,
    /// What holds it up and may be retained.
    failed: Vec<FailedResource>,
    importers: Importers,
}

/// Looks at a stack before any is touched; nothing, where there is none.
async fn look(
    context: &Context,
    stack: &StackManifest,
    retained: &Named,
) -> Result<Option<Found>, AwsError> {
    let Some(deployed) = inspect::deployed(context, &stack.into()).await? else {
        return Ok(None);
    };
    let mut found = Found {
        // What was never executed holds nothing, and whose change sets it has is looked at later; a removal that goes on
        // ends as this run wants it to, whoever began it.
        is_foreign: matches!(
            State::of(Some(&deployed)).destroy(),
            DestroyStep::Delete | DestroyStep::Follow
        ) && !deployed.tags.contains_key(STAGE_TAG),
        deployed,
        failed: Vec::new(),
        importers: Importers::new(),
    };
    if found.is_foreign {
        return Ok(Some(found));
    }
    let clients = context.clients.in_region(stack.region.as_deref());
    found.failed = retained.look(&clients, &found.deployed).await?;
    match importers::of(&clients, &found.deployed).await {
        Ok(importers) => found.importers = importers,
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {
            context.emit(Event::Warning {
                stack: stack.name.clone(),
                message: format!("nobody knows yet whether another stack imports from it: {error}"),
            });
        }
        Err(error) => return Err(error),
    }
    Ok(Some(found))
}

/// Finds the APIs that stacks have in common, by what is deployed of them.
async fn turns(context: &Context, stacks: &[&StackManifest]) -> Result<Turns, AwsError> {
    let mut templates = Vec::new();
    if stacks.len() > 1 {
        let targets: Vec<StackTarget> = stacks.iter().map(|stack| (*stack).into()).collect();
        let reads = targets
            .iter()
            .map(|target| inspect::deployed_template(context, target));
        let read = graph::abreast(context.concurrency, reads.collect()).await;
        for (stack, template) in stacks.iter().zip(read) {
            templates.push((*stack, parsed(template?)));
        }
    }
    Ok(Turns::of(&templates))
}

/// Reads a template. Somebody else may have written it in YAML, which tells nothing here.
pub(super) fn parsed(template: Option<String>) -> Value {
    template
        .and_then(|template| serde_json::from_str(&template).ok())
        .unwrap_or_default()
}
