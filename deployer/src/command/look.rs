//! What the verbs begin with that look at deployed stacks and change none.

use std::collections::{BTreeMap, BTreeSet};

use super::Session;
use super::place::{self, Place};
use super::territory::{self, Ground};
use super::{orphans, prepare};
use crate::assembly::Assembly;
use crate::aws::Target;
use crate::cli;
use crate::engine::{
    Context, DeployedFunction, EventSink, LedBack, Memory, Orphan, StackTarget, functions, led_back,
};
use crate::error::{Error, Result};
use crate::local::Endpoint;

/// Everything that is needed to look at stacks.
pub(super) struct Look {
    /// The place.
    pub(super) place: Place,
    /// The stacks as they were rendered last.
    pub(super) assembly: Assembly,
    /// The selected stacks.
    pub(super) targets: Vec<StackTarget>,
    /// Those of them that the source does not have.
    pub(super) orphans: Vec<Orphan>,
    /// Those that were named and are gone, though their removal did not come to its end.
    pub(super) gone: Vec<Orphan>,
    /// What is remembered of removals.
    pub(super) memory: Memory,
    /// The local engine, where the place is one.
    pub(super) endpoint: Option<Endpoint>,
    /// Where calls go and as whom.
    pub(super) target: Box<Target>,
    /// The clients.
    pub(super) context: Context,
    /// Where stacks are looked for that the source does not have.
    pub(super) ground: Ground,
    /// Of what time the stacks are, where nobody knows whether the source still has the same.
    pub(super) outdated: Option<String>,
}

impl Look {
    /// Opens the place of the selected stacks; of all, where nothing selects.
    pub(super) async fn open(session: &Session, stacks: Option<&cli::Stacks>) -> Result<Self> {
        let look = Self::with_gone(session, stacks).await?;
        match look.gone.first() {
            Some(Orphan { stack, next, .. }) => {
                let error: Error = cli::unknown(&look.assembly.names(), stack);
                Err(error.hint(format!(
                    "it is gone, and its removal did not come to its end: `{next}` does what is left to do"
                )))
            }
            None => Ok(look),
        }
    }

    /// The same for whoever can tell something of stacks that are gone.
    pub(super) async fn with_gone(session: &Session, stacks: Option<&cli::Stacks>) -> Result<Self> {
        let project = session.project()?;
        let (name, stage) = session.stage(&project)?;
        let config = project.stage(name)?;
        let place = Place::of(session);
        let all = cli::Stacks::default();
        let stacks = stacks.unwrap_or(&all);
        let (assembly, selected, unknown, outdated) =
            prepare::rendered(session, &project, (name, stage), stacks).await?;
        let (context, endpoint) =
            place::open(session, &project, stage, &place, EventSink::ignore()).await?;
        let ground = territory::of(&project, (name, config), stage, &assembly, &place);
        let mut targets = prepare::targets(&assembly, &selected);
        let memory = Memory::in_state(&project.state_dir);
        let (mut found, mut gone) = (Vec::new(), Vec::new());
        let mut unseen = BTreeMap::new();
        for pattern in unknown {
            let known = (&memory, &BTreeSet::new());
            let named = orphans::named(session, &context, &ground, known, &pattern).await?;
            if named.orphans.is_empty() {
                let error = cli::unknown(&assembly.names(), &pattern);
                return Err(orphans::nobody(error, &ground, &named.unseen));
            }
            unseen.extend(named.unseen);
            let (absent, there): (Vec<_>, Vec<_>) =
                named.orphans.into_iter().partition(Orphan::is_gone);
            gone.extend(absent);
            found.extend(there);
        }
        orphans::tell_unseen(&session.ui, &ground, &unseen);
        targets.extend(found.iter().map(Orphan::target));
        Ok(Self {
            targets,
            orphans: found,
            gone,
            memory,
            ground,
            outdated,
            target: Box::new(place::target(stage, &place, endpoint.as_ref())),
            place,
            assembly,
            endpoint,
            context,
        })
    }

    /// Returns the deployed functions.
    pub(super) async fn functions(&self, session: &Session) -> Result<Vec<DeployedFunction>> {
        let functions = functions(&self.context, &self.targets);
        Ok(session.guard(functions).await??)
    }

    /// Finds the released functions of a deployed stack that were led back, and tells them. Whoever may not look is told
    /// that instead.
    pub(super) async fn led_back(&self, session: &Session, stack: &str) -> Result<Vec<LedBack>> {
        let mut stacks = self.assembly.manifest.stacks.iter();
        let Some(manifest) = stacks.find(|it| it.name == stack) else {
            return Ok(Vec::new());
        };
        match session
            .guard(Box::pin(led_back(&self.context, manifest)))
            .await?
        {
            Ok(found) => {
                for led_back in &found {
                    session
                        .ui
                        .warn(format!("{stack}/{}: {led_back}", led_back.function));
                }
                Ok(found)
            }
            Err(error) => {
                session.ui.warn(format!(
                    "nobody knows which releases of {stack} are live: {error}"
                ));
                Ok(Vec::new())
            }
        }
    }

    /// Returns the id and the name of every stack.
    pub(super) fn names(&self) -> Vec<(String, String)> {
        let stacks = self.assembly.manifest.stacks.iter();
        stacks
            .map(|stack| (stack.id.clone(), stack.name.clone()))
            .collect()
    }
}
