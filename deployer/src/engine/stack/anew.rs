//! Holds stacks to the plans that were agreed to: where a stack is another one by now, its plan is made anew, and so is
//! the question.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde_json::Value;
use stack_model::assembly::{Contract, StackManifest};

use super::{Run, Work, aws, check_cancelled};
use crate::engine::plan::{
    self, App, Deployed, Plan, PropertyChange, Registry, StackPlan, Wanted, moves,
};
use crate::engine::{Context, Decision, DeployedStack, ProposedChanges, StackError, inspect};

/// How often a plan is made anew, or a change set that somebody made worthless: who changes a stack more often than that
/// while a deploy asks has to be spoken to.
const TIMES: usize = 3;

/// The plans that were agreed to, by stack.
#[derive(Debug, Default)]
pub(in crate::engine) struct Agreed {
    contracts: BTreeMap<String, Contract>,
    stacks: Mutex<BTreeMap<String, Known>>,
}

/// What the plan of a stack was made from.
#[derive(Clone, Debug)]
struct Known {
    app: Arc<App>,
    /// What it was compared with.
    deployed: Option<Deployed>,
    /// The resources that change.
    resources: BTreeSet<String>,
    /// What changes besides resources, by path.
    besides: Vec<String>,
    /// The resources that leave the stack to be renamed, by new logical id.
    imported: BTreeSet<String>,
    /// How often somebody else came between.
    times: usize,
}

impl Known {
    fn is_of(&self, now: Option<&DeployedStack>) -> bool {
        match (&self.deployed, now) {
            (None, None) => true,
            (Some(then), Some(now)) => then.is_still(&Deployed::of(now)),
            _ => false,
        }
    }
}

impl Agreed {
    /// Takes the plans that were agreed to, and what the functions of the app need.
    pub(in crate::engine) fn to(plan: Plan, contracts: BTreeMap<String, Contract>) -> Self {
        let stacks = plan.stacks.into_iter().filter_map(|plan| {
            let resources = resources(&plan);
            let basis = plan.basis?;
            let known = Known {
                deployed: basis.deployed.filter(|_| basis.before.is_some()),
                app: basis.app,
                resources,
                imported: moves::imported_in(&plan.changes),
                besides: paths(&plan.other),
                times: 0,
            };
            Some((plan.stack, known))
        });
        Self {
            contracts,
            stacks: Mutex::new(stacks.collect()),
        }
    }

    fn with<T>(&self, stack: &str, work: impl FnOnce(&mut Known) -> T) -> Option<T> {
        let mut stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
        stacks.get_mut(stack).map(work)
    }

    /// Returns what changes of a stack besides resources, by path.
    pub(super) fn besides(&self, stack: &str) -> Vec<String> {
        let besides = self.with(stack, |known| known.besides.clone());
        besides.unwrap_or_default()
    }

    /// Returns how many changes of a change set are in no plan that was agreed to, and follow others: CloudFormation looks at
    /// whatever refers to a resource that changes.
    pub(super) fn follow(&self, changes: &ProposedChanges) -> usize {
        let follow = self.with(&changes.stack, |known| {
            let changes = changes.changes.iter();
            let follow = changes.filter(|change| {
                !change.follows.is_empty() && !known.resources.contains(&change.logical_id)
            });
            follow.count()
        });
        follow.unwrap_or_default()
    }

    /// Returns whether a plan of a stack was agreed to.
    pub(super) fn knows(&self, stack: &str) -> bool {
        self.with(stack, |_| ()).is_some()
    }

    /// Returns whether somebody agreed that resources leave the stack to be renamed: all of them, or nobody was asked at all.
    pub(super) fn imports<'a>(
        &self,
        stack: &str,
        mut resources: impl Iterator<Item = &'a String>,
    ) -> bool {
        let agreed = self.with(stack, |known| {
            resources.all(|logical_id| known.imported.contains(logical_id))
        });
        agreed.unwrap_or(true)
    }

    /// Notes what this run made of a stack when it `ended`, unless somebody did something to it since, which nobody agreed to.
    /// Returns whether the stack is what this run made of it.
    pub(super) fn took(&self, stack: &str, ended: Option<SystemTime>, now: &DeployedStack) -> bool {
        let overtaken = ended
            .zip(now.changed)
            .is_some_and(|(ended, changed)| changed > ended);
        if !overtaken {
            self.with(stack, |known| known.deployed = Some(Deployed::of(now)));
        }
        !overtaken
    }

    /// Takes back that anybody agreed to anything about a stack: the plan is made anew, and so is the question.
    pub(super) fn forget(&self, stack: &str) {
        self.with(stack, |known| known.deployed = None);
    }

    /// Counts that somebody came between, and refuses where that was too often.
    fn count(&self, stack: &str) -> Result<(), StackError> {
        let times = self.with(stack, |known| {
            known.times += 1;
            known.times
        });
        match times {
            Some(times) if times > TIMES => Err(StackError::Restless {
                stack: stack.to_owned(),
                times,
            }),
            _ => Ok(()),
        }
    }
}

/// Returns whether what is to be done to a stack was agreed to. Where the stack is not the one that its plan was made
/// for, the plan is made anew, and somebody is asked.
pub(super) async fn agree(
    run: &Run,
    context: &Context,
    work: &Work,
    deployed: Option<&DeployedStack>,
) -> Result<bool, StackError> {
    let stack = &work.manifest;
    let moved = run.agreed.with(&stack.name, |known| {
        (!known.is_of(deployed)).then(|| Arc::clone(&known.app))
    });
    let Some(app) = moved.flatten() else {
        return Ok(true);
    };
    check_cancelled(context, stack)?;
    run.agreed.count(&stack.name)?;
    // What cannot be read was refused when the first plan was made.
    let template: Value = serde_json::from_str(&work.template).unwrap_or_default();
    let wanted = Wanted {
        manifest: stack,
        template: &template,
        contracts: &run.agreed.contracts,
        contents: &work.contents,
    };
    let plan = Box::pin(plan::plan_anew(
        &run.context,
        &app,
        &wanted,
        &run.artifacts,
        &Registry,
    ))
    .await
    .map_err(|source| StackError::Plan {
        stack: stack.name.clone(),
        source: Box::new(source),
    })?;
    let decision = {
        let _turn = run.approving.lock().await;
        tokio::select! {
            biased;
            () = context.cancel.cancelled() => None,
            decision = run.approve.approve_anew(&plan) => Some(decision),
        }
    };
    check_cancelled(context, stack)?;
    let (resources, besides) = (resources(&plan), paths(&plan.other));
    let imported = moves::imported_in(&plan.changes);
    let known = plan
        .basis
        .and_then(|basis| basis.deployed.filter(|_| basis.before.is_some()));
    run.agreed.with(&stack.name, |it| {
        it.deployed = known;
        it.resources = resources;
        it.besides = besides;
        it.imported = imported;
    });
    Ok(decision == Some(Decision::Execute))
}

fn resources(plan: &StackPlan) -> BTreeSet<String> {
    let changes = plan.changes.iter();
    changes.map(|change| change.logical_id.clone()).collect()
}

fn paths(changes: &[PropertyChange]) -> Vec<String> {
    changes
        .iter()
        .map(|change| change.path.to_string())
        .collect()
}

/// Returns whether a stack is still the one whose plan was agreed to, now that a change set was computed: from here on
/// CloudFormation refuses to execute it where anybody else changes the stack. The change set is obsolete then; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html>.
pub(super) async fn is_still(
    run: &Run,
    context: &Context,
    stack: &StackManifest,
    stack_id: &str,
) -> Result<bool, StackError> {
    if !run.agreed.knows(&stack.name) {
        return Ok(true);
    }
    let now = inspect::describe(&context.clients, stack_id)
        .await
        .map_err(|source| aws(stack, source))?;
    let is_of = run
        .agreed
        .with(&stack.name, |known| known.is_of(now.as_ref()));
    Ok(is_of.unwrap_or(true))
}

/// Returns whether a change set that somebody made worthless is made again: what was agreed to is known, so that what
/// moved is seen, and it did not happen too often.
pub(super) fn again(run: &Run, stack: &StackManifest) -> bool {
    run.agreed.knows(&stack.name) && run.agreed.count(&stack.name).is_ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::Change;
    use crate::engine::plan::{Basis, StackPlan};
    use crate::engine::tests::described;

    #[test]
    fn what_no_plan_has_and_only_follows_is_counted_apart() {
        let change = |logical_id: &str, follows: &[&str]| Change {
            logical_id: logical_id.to_owned(),
            follows: follows.iter().map(|id| (*id).to_owned()).collect(),
            ..Change::default()
        };
        let changes = ProposedChanges {
            stack: "late-prod".to_owned(),
            create: false,
            partial: false,
            change_set: "c".to_owned(),
            changes: vec![
                change("Jobs", &[]),
                change("Clerk", &["Jobs"]),
                change("JobsPolicy", &["Jobs"]),
                // What is not in the plan and follows nothing is a change that somebody was asked about.
                change("Other", &[]),
            ],
            findings: Vec::new(),
            hooks: Vec::new(),
        };
        let known = Known {
            app: Arc::default(),
            deployed: None,
            resources: ["Jobs".to_owned(), "Clerk".to_owned()].into(),
            besides: Vec::new(),
            imported: BTreeSet::new(),
            times: 0,
        };
        let agreed = Agreed {
            contracts: BTreeMap::new(),
            stacks: Mutex::new([("late-prod".to_owned(), known)].into()),
        };
        assert_eq!(agreed.follow(&changes), 1);
        // Where there was no plan, nobody was told another number.
        assert_eq!(Agreed::default().follow(&changes), 0);
    }

    #[test]
    fn what_somebody_did_since_is_not_what_was_agreed_to() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let found = |changed| {
            let mut stack = described("UPDATE_COMPLETE");
            stack.changed = Some(at(changed));
            stack
        };
        // When the run ended what it did, when the stack was changed last, and whether that is one and the same.
        for (ended, changed, ours) in [
            (Some(20), 10, true),
            (Some(20), 20, true),
            (Some(20), 30, false),
            (None, 30, true),
        ] {
            let plan = StackPlan {
                stack: "orders-dev".to_owned(),
                basis: Some(Basis {
                    deployed: Some(Deployed::of(&found(1))),
                    before: Some(plan::Snapshot::default().into()),
                    ..Basis::default()
                }),
                ..StackPlan::default()
            };
            let agreed = Agreed::to(Plan { stacks: vec![plan] }, BTreeMap::new());
            let is_of =
                |stack: &DeployedStack| agreed.with("orders-dev", |known| known.is_of(Some(stack)));
            assert_eq!(is_of(&found(1)), Some(true));
            let now = found(changed);
            assert_eq!(agreed.took("orders-dev", ended.map(at), &now), ours);
            assert_eq!(is_of(&now), Some(ours), "{ended:?} {changed}");
        }
    }
}
