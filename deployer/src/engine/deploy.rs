//! Deploys stacks along their dependency graph.

mod report;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
};

use stack_model::assembly::{Contract, StackManifest};
use tokio::sync::{Mutex, Semaphore};

use super::{
    BOOTSTRAP_STACK, Context, Event, Failure, Finding, MadeFrom, ProposedChanges, StackError,
    bootstrap, content, ending,
    event::Outcome,
    express,
    fast::Records,
    graph,
    handover::Handovers,
    plan::{Plan, StackPlan},
    publish,
    stack::{self, Agreed, Archive, Run, Work},
    turns::Turns,
};
use crate::{aws::Fault, content::Content};
pub(super) use report::verdict;
pub use report::{DeployError, DeployReport, StackReport};

/// What to deploy.
#[derive(Clone, Debug, Default)]
pub struct Deployment {
    /// The stage.
    pub stage: String,
    /// The stacks, in any order. A stack that one of them depends on and that is not among them is taken to be
    /// deployed.
    pub stacks: Vec<StackDeployment>,
    /// The names of all stacks of the assembly: commands that errors and hints name take no others.
    pub names: BTreeSet<String>,
    /// The artifacts by asset name.
    pub artifacts: BTreeMap<String, Artifact>,
    /// Whether stacks may be deployed in express mode, where no change and no other stack speaks against it.
    pub express: bool,
    /// Whether what is deployed is written down beside the artifacts, in regions that have a bucket for those. Whoever knows
    /// that nothing changed since need not compare templates, and a release that is written down can be gone back to.
    pub records: bool,
    /// The releases that stacks go back to, by stack.
    pub back_to: BTreeMap<String, u64>,
    /// What was agreed to. A stack that is not any more the one that its plan was made for gets a new plan, which
    /// [`Approve::approve_anew`] decides about.
    pub agreed: Plan,
    /// What functions of the app declared that they need, for plans that are made anew.
    pub contracts: BTreeMap<String, Contract>,
}

/// One stack to deploy.
#[derive(Clone, Debug)]
pub struct StackDeployment {
    /// What the assembly says of it.
    pub manifest: StackManifest,
    /// The template.
    pub template: String,
    /// The folders that fill buckets of the stack, by name.
    pub contents: BTreeMap<String, Content>,
}

/// The packaged bytes of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The file.
    pub path: PathBuf,
    /// The SHA-256 of the file, in lower case hexadecimal.
    pub sha256: String,
    /// The size in bytes.
    pub size: u64,
    /// What it was made from, where that is known.
    pub made_from: Option<Arc<MadeFrom>>,
}

/// Decides whether a change set is executed.
///
/// The engine asks about one change set at a time, even where several stacks are deployed at once. Exactly the change
/// set that was shown is executed.
pub trait Approve: Send + Sync {
    /// Decides.
    fn approve<'a>(
        &'a self,
        changes: &'a ProposedChanges,
    ) -> Pin<Box<dyn Future<Output = Decision> + Send + 'a>>;

    /// Decides about a plan that was made anew, because somebody else changed the stack after the plan was made that was
    /// agreed to. Who agreed to none is never asked.
    fn approve_anew<'a>(
        &'a self,
        _plan: &'a StackPlan,
    ) -> Pin<Box<dyn Future<Output = Decision> + Send + 'a>> {
        Box::pin(async { Decision::Decline })
    }

    /// Hears what `CloudFormation` found about a change set that it refuses.
    fn found(&self, _stack: &str, _findings: &[Finding]) {}

    /// Hears that `CloudFormation` finds nothing to change in a stack that differs from what is deployed.
    fn left_as_it_is(&self, _stack: &str) {}
}

/// The answer to a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Execute it.
    Execute,
    /// Leave the stack as it is; the change set is removed.
    Decline,
}

/// Deploys stacks along their dependency graph, as many at a time as are independent.
///
/// What a stack needs is decided by what CloudFormation says of it, so that a deploy that was killed at any instant is
/// finished by running it again:
///
/// - a stack that is as it should be is left alone, which costs one call where that was written down, else two;
/// - an operation that the same caller began in an earlier run is waited for, and then the deploy goes on; somebody
///   else's is an error that says who and since when, or is waited for where the context says so;
/// - a first deploy that failed has left an empty stack, which is removed, and the stack is created anew. A failed
///   first deploy is rolled back and kept until then (`OnStackFailure` is left at its default), so that its events can
///   be looked at;
/// - otherwise a change set is made, approved, and exactly this one is executed and followed to its end. A change set
///   that is not executed is removed, and with it the stack where it was made for this change set only.
///
/// Stacks that add to one API of API Gateway are worked on one after the other, so that none takes a snapshot of what
/// another has half made.
///
/// A stack that gives up exports which others still import keeps them, and is updated once more when all importers of
/// this deploy let go. Where they can let go beforehand, the plan that was agreed to puts them first.
///
/// A failure stops the stacks that depend on the failed one; all others are finished. The artifact bucket is made
/// where a stack needs it and there is none; its change set is approved like any other.
pub async fn deploy(
    context: &Context,
    deployment: Deployment,
    approve: Arc<dyn Approve>,
) -> Result<DeployReport, DeployError> {
    let graph: Vec<(String, Vec<String>)> = deployment
        .stacks
        .iter()
        .map(|stack| {
            (
                stack.manifest.name.clone(),
                stack.manifest.depends_on.clone(),
            )
        })
        .collect();
    graph::check(&graph).map_err(DeployError::Invalid)?;
    let graph = ordered(graph, &deployment.agreed);
    let templates: Vec<_> = deployment
        .stacks
        .iter()
        .map(|stack| {
            // A template that cannot be read is refused by CloudFormation, which says more about it.
            let template = serde_json::from_str(&stack.template).unwrap_or_default();
            (&stack.manifest, template)
        })
        .collect();
    let turns = Turns::of(&templates);
    let run = Arc::new(Run {
        context: context.clone(),
        stage: deployment.stage,
        artifacts: deployment.artifacts,
        approve,
        approving: Mutex::new(()),
        uploads: Arc::new(Semaphore::new(publish::UPLOADS)),
        turns,
        handovers: Handovers::among(
            graph.iter().map(|(stack, _)| stack.clone()),
            deployment.names,
        ),
        express: if deployment.express {
            express::candidates(&deployment.stacks)
        } else {
            BTreeSet::new()
        },
        back_to: deployment.back_to,
        agreed: Agreed::to(deployment.agreed, deployment.contracts),
        unwritten: stack::Told::default(),
        filled: content::Filled::default(),
    });
    let buckets = match buckets(&run, &deployment.stacks).await {
        Ok(buckets) => buckets,
        Err(report) => {
            return Err(verdict(DeployReport {
                stacks: vec![report],
            }));
        }
    };
    let archives = if deployment.records {
        archives(&run, &deployment.stacks, &buckets).await
    } else {
        buckets.clone()
    };
    let listed = match listed(&run, &archives).await {
        Ok(listed) => listed,
        Err(report) => {
            return Err(verdict(DeployReport {
                stacks: vec![report],
            }));
        }
    };
    let works: Vec<Arc<Work>> = deployment
        .stacks
        .into_iter()
        .map(|stack| {
            let bucket = needs_bucket(&stack)
                .then(|| buckets.get(&stack.manifest.region).cloned())
                .flatten();
            let region = &stack.manifest.region;
            let records = listed.get(region);
            let bucket_of_records = archives.get(region).filter(|_| records.is_some());
            Arc::new(Work {
                direct: records.is_some_and(|records| records.has(&stack.manifest.name)),
                archive: bucket_of_records
                    .filter(|_| deployment.records)
                    .map(|bucket| Archive {
                        bucket: bucket.clone(),
                        mark: records.and_then(|records| records.mark(&stack.manifest.name)),
                        marks: records.is_some_and(Records::has_marks),
                        unproven: records.is_some_and(|it| it.is_unproven(&stack.manifest.name)),
                    }),
                manifest: Arc::new(stack.manifest),
                template: stack.template,
                contents: stack.contents,
                bucket,
            })
        })
        .collect();
    let ended = graph::run(&graph, context.concurrency, |node| {
        let (run, work) = (Arc::clone(&run), Arc::clone(&works[node]));
        async move { ending::verdict(report(&run, &work).await) }
    })
    .await;
    let mut stacks: Vec<StackReport> = ending::reports(context, graph.into_iter().zip(ended));
    let_go(&run, &works, &mut stacks).await;
    let report = DeployReport { stacks };
    if report.stacks.iter().all(|stack| stack.outcome.is_good()) {
        Ok(report)
    } else {
        Err(verdict(report))
    }
}

/// Puts stacks in the order that a plan says besides, where that is no circle.
fn ordered(mut graph: Vec<(String, Vec<String>)>, plan: &Plan) -> Vec<(String, Vec<String>)> {
    for stack in &plan.stacks {
        for other in &stack.after {
            let mut tried = graph.clone();
            let mut nodes = tried.iter_mut();
            if let Some((_, after)) = nodes.find(|(name, _)| *name == stack.stack) {
                after.push(other.clone());
            }
            if graph::check(&tried).is_ok() {
                graph = tried;
            }
        }
    }
    graph
}

/// Updates the stacks once more that kept what others imported, until none is left that nobody imports from.
async fn let_go(run: &Run, works: &[Arc<Work>], stacks: &mut [StackReport]) {
    // Those that let go of a stack may have had to keep what they import for others, so one round is not always enough.
    let mut before = BTreeMap::new();
    for _ in 0..=works.len() {
        let due = run.handovers.due(stacks);
        if due.is_empty() {
            return;
        }
        if due == before {
            run.handovers.settle_for_what_is_kept();
        }
        // A stack stands after those it depends on, and lets go of them.
        let pairs = works.iter().zip(stacks.iter_mut()).rev();
        for (work, first) in pairs.filter(|(_, first)| due.contains_key(&first.stack)) {
            let mut second = report(run, &listed_anew(run, work).await).await;
            if second.outcome == Outcome::Unchanged {
                second.outcome = first.outcome;
            }
            *first = second;
        }
        before = due;
    }
}

/// Returns a stack for its second update: what is written down about it is what the first one left.
async fn listed_anew(run: &Run, work: &Work) -> Work {
    let mut work = work.clone();
    let Some(archive) = &mut work.archive else {
        return work;
    };
    let stack = &work.manifest.name;
    let context = run.context.in_region(work.manifest.region.as_deref());
    match Records::of(&context, &archive.bucket, stack).await {
        Ok(records) => {
            archive.mark = records.mark(stack);
            archive.unproven = records.is_unproven(stack);
        }
        // The mark is that of the first update then, and the next deploy compares.
        Err(error) => context.emit(Event::Warning {
            stack: stack.clone(),
            message: format!("nobody knows what its first update wrote down: {error}"),
        }),
    }
    work
}

/// Brings one stack to the state it should have, and tells how that went.
pub(super) async fn report(run: &Run, work: &Work) -> StackReport {
    let stack = work.manifest.name.clone();
    match stack::deploy(run, work).await {
        Ok((outcome, outputs)) => {
            run.context.emit(Event::StackFinished {
                stack: stack.clone(),
                outcome,
                outputs: outputs.clone(),
            });
            StackReport {
                stack,
                outcome,
                outputs,
                failure: None,
            }
        }
        Err(error) => {
            let context = run.context.in_region(work.manifest.region.as_deref());
            let failure = Failure::told(&context, &stack, &error, error.first_cause());
            StackReport {
                stack,
                outcome: failure.outcome(),
                outputs: BTreeMap::new(),
                failure: Some(failure),
            }
        }
    }
}

/// Returns the artifact bucket of every region that needs one, and makes those that are missing.
async fn buckets(
    run: &Arc<Run>,
    stacks: &[StackDeployment],
) -> Result<BTreeMap<Option<String>, String>, StackReport> {
    let regions: BTreeSet<Option<String>> = stacks
        .iter()
        .filter(|stack| needs_bucket(stack))
        .map(|stack| stack.manifest.region.clone())
        .collect();
    let mut buckets = BTreeMap::new();
    for region in regions {
        let bucket = bootstrap::ensure(run, region.as_deref()).await?;
        buckets.insert(region, bucket);
    }
    Ok(buckets)
}

/// Returns the buckets in which releases are written down. None is made for that alone.
async fn archives(
    run: &Run,
    stacks: &[StackDeployment],
    buckets: &BTreeMap<Option<String>, String>,
) -> BTreeMap<Option<String>, String> {
    let mut archives = buckets.clone();
    let regions: BTreeSet<&Option<String>> =
        stacks.iter().map(|stack| &stack.manifest.region).collect();
    for region in regions {
        if archives.contains_key(region) {
            continue;
        }
        let context = run.context.in_region(region.as_deref());
        match bootstrap::existing(&context).await {
            Ok(bucket) => archives.extend(bucket.map(|bucket| (region.clone(), bucket))),
            Err(error) => run.context.emit(Event::Warning {
                stack: BOOTSTRAP_STACK.into(),
                message: format!("nobody knows whether releases can be written down: {error}"),
            }),
        }
    }
    archives
}

/// Returns what lists of the buckets tell: the stacks whose functions were given code past CloudFormation, and the marks
/// of those that nobody updated since. Whoever may not list is told so, and trusts that there is none of the former.
async fn listed(
    run: &Run,
    buckets: &BTreeMap<Option<String>, String>,
) -> Result<BTreeMap<Option<String>, Records>, StackReport> {
    let mut listed = BTreeMap::new();
    for (region, bucket) in buckets {
        let context = run.context.in_region(region.as_deref());
        let records = match Records::list(&context, bucket).await {
            Ok(records) => records,
            Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {
                context.emit(Event::Warning {
                    stack: BOOTSTRAP_STACK.into(),
                    message: format!(
                        "nobody knows whether functions and state machines were changed with `--fast`, which a full deploy takes back, and which stacks are as they were left: {error}"
                    ),
                });
                continue;
            }
            Err(source) => {
                let error = StackError::Aws {
                    stack: BOOTSTRAP_STACK.into(),
                    source,
                };
                return Err(bootstrap::failed(&context, &error));
            }
        };
        listed.insert(region.clone(), records);
    }
    Ok(listed)
}

fn needs_bucket(stack: &StackDeployment) -> bool {
    !stack.manifest.artifacts.is_empty() || publish::needs_bucket(&stack.template)
}
