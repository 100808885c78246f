//! The deploy engine: change sets, events, failures, publishing, removal.
//!
//! Every operation is a function over a [`Context`]: the clients, a sink for typed [`Event`]s, a clock and a way to
//! stop. Nothing here prints or asks; approval is a callback and progress is events. Operations may be stopped at any
//! instant, by [`Cancel`] or by the end of the process: CloudFormation holds all the state, and the same command run
//! again goes on from whatever status it finds ([`deploy()`] says how).

mod activity;
mod aside;
mod bootstrap;
mod cancel;
mod capability;
mod cause;
mod certificate;
mod change_set;
mod code;
mod content;
mod deploy;
mod destroy;
mod drift;
mod empty;
mod ending;
mod event;
mod explain;
mod export;
mod express;
mod failure;
mod fast;
mod follow;
mod graph;
mod handover;
mod hint;
mod identity;
mod inspect;
mod invoke;
mod live;
mod logs;
mod named;
mod notes;
mod operations;
mod origin;
mod orphan;
mod owner;
mod ownership;
pub mod plan;
mod preflight;
mod proof;
mod propose;
mod prune;
mod publish;
mod recover;
mod reference;
mod release;
mod rollback;
mod stack;
mod stackset;
mod state_key;
mod status;
mod stuck;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;
mod timing;
mod turns;
mod unchanged;
mod waves;

pub use activity::events;
pub use bootstrap::{BOOTSTRAP_STACK, bootstrap};
pub use cancel::{Cancel, CancelHandle};
pub use cause::{Cause, Explanation, Refused, Waiting, WaitingOutcome, explain};
pub use change_set::{Change, Hook, ProposedChanges, Replacement, Replacing};
pub use code::{CodeChange, DependencyChange, FileChange, Happened, MadeFrom, SourceFile};
pub use content::FillError;
pub use deploy::{
    Approve, Artifact, Decision, DeployError, DeployReport, Deployment, StackDeployment,
    StackReport, deploy,
};
pub use destroy::{
    Adoption, DestroyError, DestroyReport, DestroyRequest, DestroyedStack, Evidence, Left, Memory,
    Outlook, Retained, Survivor, SurvivorSearch, Survivors, TakenBack, destroy, outlook, remnants,
    survivors, unfinished,
};
pub use drift::{PropertyDrift, ResourceDrift, StackDrift, drift, live, revert, revert_plan};
pub use event::{ContentStep, Event, EventSink, Outcome, ResourceEvent};
pub use explain::Explained;
pub use export::{Import, MissingExport, imports, missing_exports};
pub use failure::{Failure, Finding, FirstCause, Known};
pub use fast::{
    CodeChanges, FastError, FastOrigin, FastPlan, GivenFast, fast, fast_of, fast_plan, gave_fast,
    given_fast,
};
pub use follow::follow_events;
pub use graph::CONCURRENCY;
pub(crate) use graph::abreast;
pub(crate) use hint::command;
pub use inspect::{
    DeployedFunction, DeployedStack, StackStatusReport, StackTarget, StatusReport, deployed,
    deployed_template, functions, outputs, physical_id, status,
};
pub use invoke::{Invocation, invoke};
pub use live::{LiveResource, Looked, gone, live_resources, stacks_with};
pub use logs::{LogLine, LogsRequest, logs};
pub use operations::{Operation, operations};
pub use origin::{Origin, Revision};
pub(crate) use orphan::split as named_in;
pub use orphan::{
    Found, Last, Orphan, Stray, Survey, Territory, find_orphans, strays, survey, tell_apart,
};
pub use ownership::{Ownership, Taken, taken};
pub(crate) use preflight::PATIENCE;
pub use preflight::{Check, Concern, Weight, preflight, preflight_of_engine};
pub use proof::{Claim, Disproof, LedBack, led_back};
pub use propose::{Proposed, propose};
pub use prune::{PrunePlan, PruneRequest, PrunedVersion, StackPrune, prune, prune_plan};
pub use publish::PublishError;
pub use recover::{APP_TAG, StackError};
pub use release::by_hand::{MovedByHand, NotedMove, forget_by_hand, write_by_hand};
pub use release::failed::{Doubt, FailedCheck, MovedAlias, ReleaseFailure, doubtful_versions};
pub use release::record::{StackRelease, StackReleases, stack_releases};
pub use release::renames::Turned;
pub use release::unproven::unproven;
pub use release::versions::{FunctionVersion, ReleasedFunction, move_alias, released};
pub use rollback::{
    PlannedRollback, RollbackAction, RollbackError, RollbackReport, RollbackRequest,
    RolledBackStack, rollback, rollback_plan,
};
pub use stack::recover_all as recover_left_aside;
pub use stackset::{
    InstanceResult, InstanceStatus, OrphanSet, RemovalPlan, StackSetError, StackSetOperation,
    StackSetPlan, StackSetReport, StackSetRequest, StackSetSettings, StackSetStatus, Targets,
    deploy_stack_set, misfits, orphan_sets, removal_plan, remove_stack_set, stack_set_plan,
    stack_set_status,
};
pub use status::StackStatus;
pub use timeline::{Phase, Span, Timeline};
pub use timing::{Followers, Pace, SystemTiming, Timing};
pub use waves::{WaveEnd, Waves};

use std::{collections::BTreeSet, num::NonZeroUsize, sync::Arc};

use crate::aws::Clients;
use crate::repeat::Repeated;

/// What every operation of the engine works with.
#[derive(Clone)]
pub struct Context {
    /// The clients of the stage's region.
    pub clients: Clients,
    /// Receives the events.
    pub events: EventSink,
    /// Says that the person at the keyboard wants to stop.
    pub cancel: Cancel,
    /// The clock.
    pub timing: Arc<dyn Timing>,
    /// How often to ask AWS for news.
    pub pace: Pace,
    /// The options that a command of ours needs to work on the same stage and place.
    pub options: Arc<Repeated>,
    /// The state of the source that is deployed.
    pub revision: Arc<Revision>,
    /// Whether operations of somebody else are waited for; without it they are refused.
    pub wait: bool,
    /// Where APIs are reached that have no address of their own: that of the local engine.
    pub api_base: Option<Arc<str>>,
    /// How many stacks are worked on at once.
    pub concurrency: NonZeroUsize,
    /// The operations that are followed at once.
    pub followers: Followers,
    /// What this run got to know about renames.
    pub(crate) renames: stack::importable::Renames,
    /// What leaves stacks and stays in the account.
    pub(crate) aside: aside::Aside,
    /// Whose stacks may be changed.
    pub ownership: Arc<Ownership>,
}

impl Context {
    /// Makes a context with the clock of the system and the pace that suits the target.
    pub fn new(clients: Clients, events: EventSink, cancel: Cancel) -> Self {
        let pace = if clients.endpoint_url().is_some() {
            Pace::endpoint()
        } else {
            Pace::aws()
        };
        Self {
            clients,
            events,
            cancel,
            timing: Arc::new(SystemTiming),
            pace,
            options: Arc::default(),
            revision: Arc::default(),
            wait: false,
            api_base: None,
            concurrency: CONCURRENCY,
            followers: Followers::default(),
            renames: stack::importable::Renames::default(),
            aside: aside::Aside::default(),
            ownership: Arc::default(),
        }
    }

    /// Returns, by stack, what this run left outside for good: nobody else remembers it.
    pub fn left_aside(&self) -> std::collections::BTreeMap<String, Left> {
        self.aside.left()
    }

    /// Writes down by this what leaves a stack for good, as soon as that is known: a run that is killed would lose it else.
    #[must_use]
    pub fn keeping_aside(
        mut self,
        book: impl Fn(&str, &Left) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.aside = self.aside.writing(book);
        self
    }

    /// Notes in a directory of this machine what updates may leave outside, before they begin. What runs noted in `earlier` ones
    /// is found as well.
    #[must_use]
    pub fn noting_aside(
        mut self,
        directory: std::path::PathBuf,
        earlier: Vec<std::path::PathBuf>,
    ) -> Self {
        self.aside = self.aside.noting(directory, earlier);
        self
    }

    /// Notes what left a stack for good, and writes it down. Returns why it is not written down, where it is not.
    pub(crate) fn leave_aside(&self, stack: &str, left: Left) -> Result<(), String> {
        self.aside.leave(stack, left)
    }

    /// Works for an app, where it has a name: stacks of others are refused.
    #[must_use]
    pub fn of_app(mut self, app: Option<&str>) -> Self {
        self.ownership = Arc::new(Ownership {
            app: app.map(str::to_owned),
            ..Ownership::default()
        });
        self
    }

    /// Makes stacks of other apps those of this one.
    #[must_use]
    pub fn taking_over(mut self, stacks: BTreeSet<String>) -> Self {
        self.ownership = Arc::new(Ownership {
            app: self.ownership.app.clone(),
            taken_over: stacks,
        });
        self
    }

    /// Works on so many stacks at once, where that is said.
    #[must_use]
    pub fn with_concurrency(mut self, stacks: Option<NonZeroUsize>) -> Self {
        self.concurrency = stacks.unwrap_or(self.concurrency);
        self
    }

    /// Takes the address of the local engine, behind which all APIs are reached.
    #[must_use]
    pub fn reaching(mut self, api_base: Option<Arc<str>>) -> Self {
        self.api_base = api_base;
        self
    }

    /// Takes the options with which the commands that hints name work on the same stage and place.
    #[must_use]
    pub fn with_options(mut self, options: Repeated) -> Self {
        self.options = Arc::new(options);
        self
    }

    /// Takes the state of the source, which the history of a stack tells.
    #[must_use]
    pub fn with_revision(mut self, revision: Revision) -> Self {
        self.revision = Arc::new(revision);
        self
    }

    /// Waits for the end of operations that somebody else began, or refuses to work on stacks that are busy so.
    #[must_use]
    pub fn waiting(mut self, wait: bool) -> Self {
        self.wait = wait;
        self
    }

    fn emit(&self, event: Event) {
        self.events.emit(event);
    }

    pub(crate) fn in_region(&self, region: Option<&str>) -> Self {
        Self {
            clients: self.clients.in_region(region),
            ..self.clone()
        }
    }
}
