//! Removes stacks, and waits until nothing is left.

mod advice;
pub(super) mod importers;
mod ledger;
mod order;
mod survivors;
mod traces;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

use serde::Serialize;
use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::{
    BOOTSTRAP_STACK, Context, DeployedStack, Event, Explained, Failure, StackError,
    bootstrap::BUCKET_OUTPUT,
    empty,
    event::Outcome,
    graph, hint, inspect,
    named::Named,
    recover::STAGE_TAG,
    stack::{self, Joined, aws, check_cancelled},
    status::{DestroyStep, State, Way},
    turns::{self, Turns},
};
use crate::{
    aws::{AwsError, Fault, OrAws, texts},
    error::Kind,
};
pub use advice::Retained;
use importers::Importers;
pub use ledger::Left;
use ledger::{Exports, Fate, Ledger};
pub use survivors::{Survivor, survivors};

/// How often a stack is deleted whose buckets are filled again meanwhile, the first time included.
const ATTEMPTS: usize = 3;

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

/// Why stacks were not removed.
#[derive(Debug, thiserror::Error)]
pub enum DestroyError {
    /// The request contradicts itself; nothing was called.
    #[error("the stacks cannot be removed: {0}")]
    Invalid(String),
    /// Stacks of these names were made by somebody else; nothing was removed.
    #[error("not made by stackctl: {}; nothing was removed", .stacks.join(", "))]
    NotOurs {
        /// The stacks.
        stacks: Vec<String>,
        /// What removes them all the same.
        hints: Vec<String>,
    },
    /// Stacks are protected; nothing was removed.
    #[error("protected against deletion: {}", .0.join(", "))]
    Protected(Vec<String>),
    /// Other stacks import what one exports; nothing was removed.
    #[error("stack {stack} cannot be deleted: {}; nothing was removed", importers::text(.importers))]
    Imported {
        /// The stack.
        stack: String,
        /// The stacks that import from it, by the name of the export.
        importers: Importers,
    },
    /// Resources are to be kept that did not keep a stack from being deleted; nothing was removed.
    #[error("not among what keeps a stack from being deleted: {}; nothing was removed", .names.join(", "))]
    NotRetainable {
        /// What was named.
        names: Vec<String>,
        /// What could be named, each with the reason why it could not be deleted.
        candidates: Vec<String>,
    },
    /// Stacks failed.
    #[error("not removed: {}", names(.0))]
    Failed(DestroyReport),
    /// The run was stopped.
    #[error("stopped before these were removed: {}", names(.0))]
    Interrupted(DestroyReport),
    /// The stacks could not be read; nothing was removed.
    #[error("cannot read the stacks")]
    Aws(#[from] AwsError),
}

impl DestroyError {
    /// Returns what was done, where anything was begun.
    pub fn report(&self) -> Option<&DestroyReport> {
        match self {
            Self::Failed(report) | Self::Interrupted(report) => Some(report),
            Self::Invalid(_)
            | Self::NotOurs { .. }
            | Self::Protected(_)
            | Self::Imported { .. }
            | Self::NotRetainable { .. }
            | Self::Aws(_) => None,
        }
    }

    fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.report()
            .into_iter()
            .flat_map(|report| &report.stacks)
            .filter_map(|stack| stack.failure.as_ref())
    }
}

impl Explained for DestroyError {
    fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) => Kind::Assembly,
            Self::NotOurs { .. } | Self::Protected(_) => Kind::Refused,
            Self::Imported { .. } => Kind::Deploy,
            Self::NotRetainable { .. } => Kind::Usage,
            Self::Failed(_) => self
                .failures()
                .next()
                .map_or(Kind::Deploy, |failure| failure.kind),
            Self::Interrupted(_) => Kind::Interrupted,
            Self::Aws(error) => error.kind(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotOurs { hints, .. } => hints.clone(),
            Self::Protected(_) => {
                vec![
                    "consent to the removal of protected stacks explicitly, if that is meant"
                        .into(),
                ]
            }
            Self::Imported { importers, .. } => vec![importers::hint(importers)],
            Self::NotRetainable { .. } => vec![
                "a stack that was never asked to go keeps what its template retains: set the removal policy of the resource to retain, and deploy that"
                    .into(),
            ],
            Self::Aws(error) => error.hints(),
            _ => {
                let mut hints = Vec::new();
                for hint in self.failures().flat_map(|failure| &failure.hints) {
                    if !hints.contains(hint) {
                        hints.push(hint.clone());
                    }
                }
                hints
            }
        }
    }

    fn details(&self) -> Vec<String> {
        if let Self::NotRetainable { candidates, .. } = self {
            return candidates.clone();
        }
        self.failures()
            .flat_map(|failure| std::iter::once(&failure.message).chain(&failure.causes))
            .cloned()
            .collect()
    }
}

/// Removes stacks, each before those it depends on, and waits until they are gone.
///
/// All stacks are looked at before the first is touched: where one has the name of ours and was made by somebody else, where
/// one is protected and `unprotect` was not given, or where stacks that stay import what one exports, nothing happens. A caller who may not ask who imports is warned.
///
/// Buckets that the template deletes are emptied first, every version of every object, because AWS deletes no bucket
/// that holds anything; what the template retains is left alone and reported. The artifacts of a removed stack go too;
/// the artifact bucket itself stays. Stacks with parts of one API of API Gateway are deleted one after the other. A
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
    let mut protected = Vec::new();
    let mut imported = None;
    let mut exports = Exports::default();
    let mut sharing = Vec::new();
    let mut retained = Named::new(request.retain, Way::FinishRemoval);
    let mut imports = Vec::new();
    for stack in &request.stacks {
        let found = inspect::deployed(context, &stack.into()).await?;
        if let Some(found) = found {
            // What was never executed holds nothing, and whose change sets it has is looked at later; a removal that goes on
            // ends as this run wants it to, whoever began it.
            let is_touched = matches!(
                State::of(Some(&found)).destroy(),
                DestroyStep::Delete | DestroyStep::Follow
            );
            if is_touched && !found.tags.contains_key(STAGE_TAG) {
                foreign.push(stack.name.clone());
                let context = context.in_region(stack.region.as_deref());
                let hints = Way::NotOurs.hints(&stack.name, &[]).into_iter();
                foreign_hints.extend(hints.map(|hint| hint::complete(&context, &hint)));
                continue;
            }
            // What was never executed has no template to read.
            if turns::may_share(stack) && !found.status.is_review() {
                sharing.push(stack);
            }
            exports.add(stack.region.as_deref(), &found);
            if !request.unprotect && found.termination_protection {
                protected.push(stack.name.clone());
            }
            let clients = context.clients.in_region(stack.region.as_deref());
            retained.look(&clients, &stack.name, &found).await?;
            let mut importers = match importers::of(&clients, &found).await {
                Ok(importers) => importers,
                Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {
                    context.emit(Event::Warning {
                        stack: stack.name.clone(),
                        message: format!(
                            "nobody knows yet whether another stack imports from it: {error}"
                        ),
                    });
                    Importers::new()
                }
                Err(error) => return Err(error.into()),
            };
            let taken = importers::take_going(&mut importers, &going);
            imports.push((stack.name.clone(), taken));
            if !importers.is_empty() {
                let stack = stack.name.clone();
                imported.get_or_insert(DestroyError::Imported { stack, importers });
            }
        }
    }
    if !foreign.is_empty() {
        return Err(DestroyError::NotOurs {
            stacks: foreign,
            hints: foreign_hints,
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
    let turns = Arc::new(turns(context, &sharing).await?);
    let graph = graph::reversed(&order::with_imports(graph, &imports));
    let stacks: Vec<Arc<StackManifest>> = request.stacks.into_iter().map(Arc::new).collect();
    let ledger = Arc::new(Ledger::new(exports));
    let ended = graph::run(&graph, |node| {
        let stack = Arc::clone(&stacks[node]);
        let context = context.in_region(stack.region.as_deref());
        let (ledger, turns) = (Arc::clone(&ledger), Arc::clone(&turns));
        let consent = Consent {
            unprotect: request.unprotect,
            retain: retained.of(&stack.name),
        };
        async move {
            let report = report(&context, &stack, &consent, &ledger, &turns).await;
            if report.outcome.is_good() {
                Ok(report)
            } else {
                Err(report)
            }
        }
    })
    .await;
    let mut stacks: Vec<DestroyedStack> = graph
        .into_iter()
        .zip(ended)
        .rev()
        .map(|((stack, _), ended)| match ended {
            graph::Ended::Done(report) | graph::Ended::Failed(report) => report,
            graph::Ended::Skipped(because) => {
                context.emit(Event::StackSkipped {
                    stack: stack.clone(),
                    because,
                });
                DestroyedStack {
                    stack,
                    outcome: Outcome::Skipped,
                    failure: None,
                    retained: BTreeMap::new(),
                    left: Left::default(),
                }
            }
        })
        .collect();
    for stack in &mut stacks {
        let (retained, left) = ledger.left_of(&stack.stack, &context.clients);
        stack.retained = retained;
        stack.left = left;
    }
    let report = DestroyReport { stacks };
    let any = |outcome| report.stacks.iter().any(|stack| stack.outcome == outcome);
    if any(Outcome::Interrupted) {
        Err(DestroyError::Interrupted(report))
    } else if any(Outcome::Failed) {
        Err(DestroyError::Failed(report))
    } else {
        Ok(report)
    }
}

fn names(report: &DestroyReport) -> String {
    let names: Vec<&str> = report
        .stacks
        .iter()
        .filter(|stack| !stack.outcome.is_good())
        .map(|stack| stack.stack.as_str())
        .collect();
    names.join(", ")
}

/// What was consented to for one stack.
struct Consent {
    unprotect: bool,
    retain: BTreeSet<String>,
}

async fn report(
    context: &Context,
    stack: &Arc<StackManifest>,
    consent: &Consent,
    ledger: &Ledger,
    turns: &Turns,
) -> DestroyedStack {
    match remove(context, stack, consent, ledger, turns).await {
        Ok(outcome) => {
            context.emit(Event::StackFinished {
                stack: stack.name.clone(),
                outcome,
                outputs: BTreeMap::new(),
            });
            DestroyedStack {
                stack: stack.name.clone(),
                outcome,
                failure: None,
                // What is left is known when all stacks are gone.
                retained: BTreeMap::new(),
                left: Left::default(),
            }
        }
        Err(error) => {
            let failure = Failure::of(context, &error, error.first_cause());
            context.emit(Event::StackFailed {
                stack: stack.name.clone(),
                failure: failure.clone(),
            });
            DestroyedStack {
                stack: stack.name.clone(),
                outcome: if failure.kind == Kind::Interrupted {
                    Outcome::Interrupted
                } else {
                    Outcome::Failed
                },
                failure: Some(failure),
                retained: BTreeMap::new(),
                left: Left::default(),
            }
        }
    }
}

async fn remove(
    context: &Context,
    stack: &Arc<StackManifest>,
    consent: &Consent,
    ledger: &Ledger,
    turns: &Turns,
) -> Result<Outcome, StackError> {
    context.emit(Event::StackStarted {
        stack: stack.name.clone(),
        region: None,
    });
    let Some(deployed) = settle(context, stack).await? else {
        remove_artifacts(context, stack).await?;
        return Ok(Outcome::Absent);
    };
    importers::check(context, stack, &deployed).await?;
    if deployed.termination_protection && consent.unprotect {
        context
            .clients
            .cloudformation
            .update_termination_protection()
            .stack_name(&deployed.id)
            .enable_termination_protection(false)
            .send()
            .await
            .or_aws(&context.clients, "UpdateTerminationProtection")
            .map_err(|source| aws(stack, source))?;
    }
    let mut attempts = 1;
    let (template, fates) = loop {
        let contents = empty_buckets(context, stack, &deployed, &consent.retain).await?;
        let _turn = turns.take(&stack.name, &context.cancel).await;
        check_cancelled(context, stack)?;
        context.emit(Event::StackDeleting {
            stack: stack.name.clone(),
        });
        match stack::delete(context, stack, &deployed.id, &consent.retain).await {
            Ok(()) => break contents,
            // Logs are delivered late, and uploads go on until the function that makes them is gone.
            Err(error) if attempts < ATTEMPTS && is_refilled(&error) => attempts += 1,
            Err(error) => {
                // CloudFormation goes on with it, and the next run finds a stack that goes or is gone.
                if let StackError::Interrupted {
                    running: Some(_), ..
                } = &error
                {
                    ledger.removed(stack, contents.1);
                }
                return Err(error);
            }
        }
    };
    // Before anything else can fail: the next run finds no stack that could tell what it kept.
    ledger.removed(stack, fates.clone());
    traces::remove(context, &stack.name, &template, &fates)
        .await
        .map_err(|source| aws(stack, source))?;
    remove_artifacts(context, stack).await?;
    Ok(Outcome::Deleted)
}

/// Returns whether a stack stays because something was written into a bucket of it after that was emptied.
fn is_refilled(error: &StackError) -> bool {
    error.first_cause().is_some_and(|cause| {
        cause.resource_type == "AWS::S3::Bucket" && texts::says_bucket_not_empty(&cause.reason)
    })
}

/// Finds the APIs that stacks have in common, by what is deployed of them.
async fn turns(context: &Context, stacks: &[&StackManifest]) -> Result<Turns, AwsError> {
    let mut templates = Vec::new();
    if stacks.len() > 1 {
        for stack in stacks.iter().copied() {
            let template = inspect::deployed_template(context, &stack.into()).await?;
            templates.push((stack, parsed(template)));
        }
    }
    Ok(Turns::of(&templates))
}

/// Reads a template. Somebody else may have written it in YAML, which tells nothing here.
fn parsed(template: Option<String>) -> Value {
    template
        .and_then(|template| serde_json::from_str(&template).ok())
        .unwrap_or_default()
}

/// Waits until nothing runs. Returns the stack, or nothing where it is gone.
async fn settle(
    context: &Context,
    stack: &Arc<StackManifest>,
) -> Result<Option<DeployedStack>, StackError> {
    let mut joined = Joined::default();
    loop {
        check_cancelled(context, stack)?;
        let deployed = inspect::describe(&context.clients, &stack.name)
            .await
            .map_err(|source| aws(stack, source))?;
        let Some(deployed) = deployed else {
            return Ok(None);
        };
        match State::of(Some(&deployed)).destroy() {
            DestroyStep::Nothing => return Ok(None),
            DestroyStep::Review => {
                stack::check_review(context, stack, &deployed).await?;
                return Ok(Some(deployed));
            }
            DestroyStep::Follow => {
                stack::join(context, stack, &deployed, &mut joined).await?;
            }
            DestroyStep::FollowRemoval => {
                // It ends as this run wants it to, whoever began it.
                let patient = context.clone().waiting(true);
                stack::join(&patient, stack, &deployed, &mut joined).await?;
            }
            DestroyStep::Delete => return Ok(Some(deployed)),
        }
    }
}

/// Empties the buckets that the deletion of the stack deletes. Returns its template, and what becomes of each of its
/// resources.
async fn empty_buckets(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    retain: &BTreeSet<String>,
) -> Result<(Value, Vec<ledger::Resource>), StackError> {
    if deployed.status.is_review() {
        // It was never executed: there are neither resources nor a template to read.
        return Ok((Value::Null, Vec::new()));
    }
    let clients = &context.clients;
    let template = inspect::template(clients, &deployed.id)
        .await
        .map_err(|source| aws(stack, source))?;
    let template = parsed(template);
    let resources = inspect::resources(clients, &deployed.id)
        .await
        .map_err(|source| aws(stack, source))?;
    let mut fates = ledger::resources(&template, &deployed.parameters, resources);
    ledger::keep(&mut fates, retain);
    for (resource, fate) in fates.iter().map(|found| (&found.deployed, found.fate)) {
        if fate == Fate::Deleted && resource.resource_type == "AWS::S3::Bucket" {
            check_cancelled(context, stack)?;
            let progress = |objects| {
                context.emit(Event::BucketEmptying {
                    stack: stack.name.clone(),
                    logical_id: resource.logical_id.clone(),
                    objects,
                });
                if context.cancel.is_cancelled() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            let objects = empty::everything(clients, &resource.physical_id, None, progress)
                .await
                .map_err(|source| aws(stack, source))?;
            if objects > 0 {
                context.emit(Event::BucketEmptied {
                    stack: stack.name.clone(),
                    logical_id: resource.logical_id.clone(),
                    objects,
                });
            }
        }
    }
    Ok((template, fates))
}

/// Removes what was published for a stack.
async fn remove_artifacts(context: &Context, stack: &StackManifest) -> Result<(), StackError> {
    let clients = &context.clients;
    let bootstrap = inspect::describe(clients, BOOTSTRAP_STACK)
        .await
        .map_err(|source| aws(stack, source))?;
    let Some(bucket) = bootstrap.and_then(|stack| stack.outputs.get(BUCKET_OUTPUT).cloned()) else {
        return Ok(());
    };
    for prefix in [format!("{}/", stack.name), super::fast::key(&stack.name)] {
        empty::everything(clients, &bucket, Some(&prefix), |_| {
            ControlFlow::Continue(())
        })
        .await
        .map_err(|source| aws(stack, source))?;
    }
    Ok(())
}
