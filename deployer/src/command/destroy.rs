//! `destroy`: deletes stacks and what they hold.

mod consent;
mod ended;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use stack_model::assembly::StackManifest;

use self::consent::Going;
use self::ended::{forget, search, unfinished};
use self::told::{described, finish, show, summary, tell_left};
use super::once::{self, Rendered, Source};
use super::place::{self, Place};
use super::remembered::Remembered;
use super::territory::{self, Ground};
use super::{Session, approval, environments, ledger, lock, orphans};
use crate::aws::AwsError;
use crate::cli;
use crate::config::{Project, Stage, StageConfig, list};
use crate::engine::{
    self, Context, DestroyError, DestroyReport, DestroyRequest, Memory, Orphan, StackTarget,
    Survey, SurvivorSearch, Taken,
};
use crate::error::{Error, Kind, Result};
use crate::repeat::Repeated;
use crate::ui::Activity;

/// Deletes stacks in every chosen environment, one after the other, the last one first: what several share goes with the
/// first, when nobody uses it any more, and not before all of them are chosen.
pub(super) async fn run(session: &Session, arguments: &cli::Destroy) -> Result<u8> {
    let project = session.project()?;
    let (name, config, chosen) = session.environments(&project)?;
    let place = Place::of(session);
    place::refuse_several_accounts(&place, &chosen)?;
    let _lock = lock::take(&project.state_dir, name, place.is_local())?;
    let stage = (name, config, chosen.as_slice());
    let source = Source::Known;
    let rendered =
        once::render(session, &project, stage, &arguments.stacks, source, &place).await?;
    refuse_used(&rendered, &chosen)?;
    let run = Run {
        project: &project,
        place: &place,
        name,
        config,
        arguments,
    };
    let mut sites = Vec::new();
    for rendered in rendered {
        let stage = rendered.stage;
        let several = rendered.session.several;
        let opened = Box::pin(run.open(rendered)).await;
        sites.push(opened.map_err(|error| within(stage, several, error))?);
    }
    refuse_unknown(&sites)?;
    share(&mut sites);
    while let Some(site) = sites.pop() {
        let ended = Box::pin(run.destroy(&site)).await;
        if let Err(error) = ended {
            let stage = site.rendered.stage;
            if !site.rendered.session.several {
                return Err(error);
            }
            let left: Vec<_> = sites.iter().map(|site| site.rendered.stage).collect();
            let error = error.completed(&Repeated::of(&site.rendered.session.global));
            return Err(environments::not_begun(within(stage, true, error), &left));
        }
    }
    Ok(0)
}

/// Says in an error which of several environments it is of.
fn within(stage: &Stage, several: bool, error: Error) -> Error {
    if several {
        error
            .within(environments::label(stage))
            .with_fields(environments::fields(stage))
    } else {
        error
    }
}

/// What a removal was told to do.
struct Run<'a> {
    project: &'a Project,
    place: &'a Place,
    name: &'a str,
    config: &'a StageConfig,
    arguments: &'a cli::Destroy,
}

/// An environment that stacks are removed from.
struct Site<'a> {
    rendered: Rendered<'a>,
    ground: Ground,
    /// Nothing, where there is nothing to remove.
    connected: Option<(Activity, Context)>,
    /// The stacks that go and that the source does not have.
    orphans: Vec<Orphan>,
    /// Those that stay, because nobody knew of them who consented.
    left: Vec<Orphan>,
    /// The regions in which nobody could look for stacks that the source does not have.
    unlooked: Vec<String>,
    /// The stacks of the source whose names other apps have, and that stay because nobody named them.
    taken: BTreeSet<StackTarget>,
    /// The regions that did not tell what they have.
    unseen: BTreeMap<String, AwsError>,
}

impl Site<'_> {
    /// Returns a stack with its region.
    fn place_of(&self, stack: &StackManifest) -> StackTarget {
        let own = self.rendered.stage.region.as_str();
        StackTarget {
            name: stack.name.clone(),
            region: Some(stack.region.as_deref().unwrap_or(own).to_owned()),
        }
    }

    /// Returns the selected stacks of the source that go.
    fn stacks(&self) -> Vec<StackManifest> {
        let stacks = &self.rendered.assembly.manifest.stacks;
        let selected = self.rendered.selected.iter();
        selected
            .filter_map(|position| stacks.get(*position))
            .filter(|stack| !self.taken.contains(&self.place_of(stack)))
            .cloned()
            .collect()
    }
}

/// Refuses names that no stack has, in the source or deployed.
fn refuse_unknown(sites: &[Site<'_>]) -> Result<()> {
    let unknown = sites.first().map(|site| site.rendered.unknown.as_slice());
    for pattern in unknown.unwrap_or_default() {
        let is_found = |site: &Site<'_>| {
            let own = site.rendered.stage.region.as_str();
            site.orphans.iter().any(|it| it.is_named(pattern, own))
        };
        if !sites.iter().any(is_found) {
            let assemblies: Vec<_> = sites.iter().map(|site| &site.rendered.assembly).collect();
            let error = once::nobody(&assemblies, pattern, Source::Known)
                .cause("neither in the source, nor deployed for this stage and of this app");
            return Err(sites.iter().fold(error, |error, site| {
                orphans::nobody(error, &site.ground, &site.unseen)
            }));
        }
    }
    Ok(())
}

/// Adds stacks that the source does not have and that a name means to those that go. A report of two of one name would not say
/// which is which, so that those are refused.
fn add(
    going: &mut Vec<Orphan>,
    found: Vec<Orphan>,
    name: &str,
    stacks: &[StackManifest],
) -> Result<()> {
    if found.len() > 1 {
        let error = Error::new(
            Kind::Usage,
            format!("`{name}` is the name of several stacks"),
        );
        return Err(found.iter().fold(error, |error, orphan| {
            error.hint(format!("`{}` removes one", orphan.next))
        }));
    }
    for orphan in found {
        if going.iter().any(|other| other.target() == orphan.target()) {
            continue;
        }
        let mut others = going.iter().map(|other| &other.stack);
        if others.any(|other| *other == orphan.stack)
            || stacks.iter().any(|stack| stack.name == orphan.stack)
        {
            let message = format!("`{name}` has the name of another stack that is to go");
            let error = Error::new(Kind::Usage, message);
            return Err(error.hint("remove it with a command of its own"));
        }
        going.push(orphan);
    }
    Ok(())
}

/// Leaves each stack that the source does not have to the first environment that found it: who names a region in which no
/// environment is asks all of them.
fn share(sites: &mut [Site<'_>]) {
    let mut taken = BTreeSet::new();
    for site in sites {
        let Some((_, context)) = &site.connected else {
            continue;
        };
        let (account, own) = (
            &context.clients.identity().account,
            context.clients.region(),
        );
        site.orphans.retain(|orphan| {
            let region = orphan.region.as_deref().unwrap_or(own).to_owned();
            taken.insert((account.clone(), region, orphan.stack.clone()))
        });
    }
}

/// Refuses to delete what environments use that were not chosen: CloudFormation keeps nobody from deleting what stacks of
/// other regions take their values from.
fn refuse_used(rendered: &[Rendered<'_>], chosen: &[&Stage]) -> Result<()> {
    let is_chosen = |other: &str| {
        chosen
            .iter()
            .any(|stage| environments::label(stage) == other)
    };
    for site in rendered {
        let stacks = &site.assembly.manifest.stacks;
        let selected = site.selected.iter().filter_map(|at| stacks.get(*at));
        for stack in selected {
            let others = site.owns.get(&stack.name).into_iter().flatten();
            let others: Vec<&str> = others
                .map(String::as_str)
                .filter(|other| !is_chosen(other))
                .collect();
            if !others.is_empty() {
                return Err(Error::new(
                    Kind::Refused,
                    format!("stack {} is that of {} too", stack.name, list(&others)),
                )
                .hint("choose those with `--region` as well, or name the stacks that are to go"));
            }
        }
    }
    Ok(())
}

impl Run<'_> {
    /// Returns whether more than a yes is asked for, and why.
    fn why(&self, stage: &Stage, unknown: &[&str]) -> Option<String> {
        if self.place.is_local() {
            None
        } else if stage.protected {
            Some(format!("stage `{}` is protected", self.name))
        } else if unknown.is_empty() {
            None
        } else {
            Some(format!(
                "nothing in the source says what {} was",
                list(unknown)
            ))
        }
    }

    /// Returns whether consent was given before anybody could read which stacks go that no source says anything of: what another
    /// branch deployed is among them.
    fn reads_nothing(&self, session: &Session) -> bool {
        !self.place.is_local() && (session.global.yes || self.arguments.confirm.is_some())
    }

    /// Refuses what is not consented to, connects to an environment, and looks for the stacks that go and that the source does
    /// not have: those that were named, or all of the app.
    async fn open<'a>(&self, rendered: Rendered<'a>) -> Result<Site<'a>> {
        let app = self.project.config.workspace.name();
        let takes_all = self.arguments.stacks.stacks.is_empty() && app.is_some();
        let mut site = Site {
            connected: None,
            orphans: Vec::new(),
            left: Vec::new(),
            unlooked: Vec::new(),
            taken: BTreeSet::new(),
            unseen: BTreeMap::new(),
            ground: Ground::default(),
            rendered,
        };
        let stacks = site.stacks();
        let Rendered {
            session,
            stage,
            assembly,
            unknown,
            ..
        } = &site.rendered;
        if stacks.is_empty() && unknown.is_empty() && !takes_all {
            return Ok(site);
        }
        let given = self.arguments.confirm.as_deref();
        let danger = || {
            let names: Vec<&str> = stacks.iter().map(|stack| stack.name.as_str()).collect();
            consent::unseen(
                &names,
                unknown,
                app.filter(|_| takes_all && given.is_none()),
            )
        };
        if let Some(given) = given.filter(|given| *given != self.name) {
            return Err(approval::other_stage(self.name, given, &danger()));
        }
        let unknown_names: Vec<&str> = unknown.iter().map(String::as_str).collect();
        if let Some(why) = self.why(stage, &unknown_names)
            && (given.is_some() || !session.ui.can_ask())
        {
            let confirmed = approval::confirm(session, self.name, given, (&danger(), &why)).await;
            // Nobody is asked with credentials before there is consent.
            confirmed.map_err(|error| match unknown.as_slice() {
                [] => error,
                unknown => error.cause(consent::unasked(unknown, |stack| {
                    Remembered::has(self.project, self.name, engine::named_in(stack).0)
                })),
            })?;
        }
        let activity = Activity::new(&session.ui, "destroy");
        let (context, _) =
            place::open(session, self.project, stage, self.place, activity.sink()).await?;
        let whole = (self.name, self.config);
        let ground = territory::of(self.project, whole, stage, assembly, self.place);
        let (mut going, mut left) = (Vec::new(), Vec::new());
        let (mut taken, mut unlooked) = (BTreeSet::new(), Vec::new());
        let is_of_all = self.arguments.stacks.stacks.is_empty();
        let memory = Memory::in_state(&self.project.state_dir);
        let seen = Remembered::of(self.project, self.name, stage, self.place.is_local());
        let mut unseen = BTreeMap::new();
        if is_of_all {
            let mut survey = Survey::default();
            if takes_all {
                match orphans::look(session, &context, &ground).await? {
                    Ok(found) => survey = found,
                    Err(unseen) => unseen.tell(&session.ui),
                }
                unlooked = orphans::unseen(&ground, &survey);
                if !self.place.is_local() {
                    ground.leave(&session.ui, &survey);
                }
            }
            let reads_nothing = self.reads_nothing(session);
            // Where nobody reads, only what is known to be left is told.
            let seen = if reads_nothing {
                BTreeSet::new()
            } else {
                seen.names()
            };
            let known = (&memory, &seen);
            orphans::add_gone(session, &context, &ground, known, &mut survey).await?;
            for Taken { stack, app, .. } in &survey.taken {
                session.ui.warn(format!(
                    "{stack} is a stack of app `{app}` and stays: nobody named it"
                ));
            }
            let targets = survey.taken.into_iter().map(|taken| StackTarget {
                name: taken.stack,
                region: Some(taken.region),
            });
            taken = targets.collect();
            unseen = survey.unseen;
            let stays = |orphan: &Orphan| reads_nothing || orphan.is_ambiguous;
            (left, going) = survey.orphans.into_iter().partition(stays);
        } else if !unknown.is_empty() {
            let seen = seen.names();
            for name in unknown {
                let known = (&memory, &seen);
                let found = orphans::named(session, &context, &ground, known, name).await?;
                unseen.extend(found.unseen);
                add(&mut going, found.orphans, name, &stacks)?;
            }
        }
        orphans::tell_unseen(&session.ui, &ground, &unseen);
        site.unseen = unseen;
        site.orphans = going;
        site.left = left;
        site.unlooked = unlooked;
        site.taken = taken;
        site.ground = ground;
        site.connected = Some((activity, context));
        Ok(site)
    }

    /// Deletes the selected stacks of an environment.
    async fn destroy(&self, site: &Site<'_>) -> Result<()> {
        let Self {
            project,
            place,
            name,
            arguments,
            ..
        } = *self;
        let Rendered { session, stage, .. } = &site.rendered;
        let mut stacks = site.stacks();
        stacks.extend(site.orphans.iter().map(|orphan| orphan.manifest(name)));
        let Some((activity, context)) = site.connected.as_ref().filter(|_| !stacks.is_empty())
        else {
            session.ui.done("destroy", "nothing of its own is selected");
            tell_left(&session.ui, &site.left);
            if session.ui.json() && !(site.left.is_empty() && site.unlooked.is_empty()) {
                let nothing = DestroyReport::default();
                let besides = (site.left.as_slice(), site.unlooked.as_slice());
                session.ui.json_line(&summary(&nothing, besides));
            }
            return Ok(());
        };
        let retain = arguments.retain.iter().cloned().collect();
        let context = context
            .clone()
            .waiting(arguments.wait)
            .with_concurrency(arguments.concurrency);
        let context = ledger::entering(context, &session.ui, project, (name, *stage));
        let mut absent = BTreeSet::new();
        if !place.is_local() {
            let outlook = session.guard(Box::pin(engine::outlook(&context, &stacks, &retain)));
            let outlook = outlook.await??;
            show(&session.ui, &outlook);
            absent = outlook.absent;
        }
        for orphan in &site.orphans {
            session.ui.tell(format!("  {}", described(orphan)));
        }
        let account = &context.clients.identity().account;
        let (own, orphans) = (context.clients.region(), &site.orphans);
        let going = Going::new(&stacks, orphans, &absent, own);
        let orphans: Vec<&str> = orphans.iter().map(|orphan| orphan.stack.as_str()).collect();
        let where_to = format!("account {account}, {own}");
        match self.why(stage, &orphans) {
            Some(why) if arguments.confirm.is_none() => {
                let danger = going.danger(&where_to);
                approval::confirm(session, name, None, (&danger, &why)).await?;
            }
            // Whoever names the stage says more than yes.
            Some(_) => {}
            None if arguments.confirm.is_some() => {}
            None => {
                let question = going.question(&where_to);
                approval::ask(session, place.is_local(), &question).await?;
            }
        }
        let memory = Memory::in_state(&project.state_dir);
        let request = DestroyRequest {
            stacks,
            // Consent was given above, or the place is local and nothing in it is worth protecting.
            unprotect: stage.protected,
            retain,
            memory: memory.clone(),
        };
        let result = engine::destroy(&context, request).await;
        activity.finish();
        let remembered = Remembered::of(project, name, stage, place.is_local());
        let all = &site.rendered.assembly.manifest.stacks;
        let places: Vec<StackTarget> = all.iter().map(|stack| site.place_of(stack)).collect();
        let done = result.as_ref().map_or_else(DestroyError::report, Some);
        done.inspect(|report| remembered.removed(&session.ui, report, own, &places));
        let (ui, key) = (&session.ui, stage.key(name));
        let besides = (site.left.as_slice(), site.unlooked.as_slice());
        let ended = match result {
            Ok(mut report) => {
                let whole = (name, *stage);
                // First, because the rest may be stopped: nobody else knows any more what the stacks kept.
                let file = ledger::keep(ui, project, &context, &key, &mut report)?;
                forget(ui, &memory, &context, &report);
                // A removal takes nothing back; an earlier run may have, and may have been killed.
                let settled = async {
                    ledger::recover(session, &context).await?;
                    let known = (BTreeSet::new(), ledger::retained(&report));
                    ledger::settle(session, project, &context, whole, known).await
                };
                if let Err(error) = Box::pin(settled).await {
                    ui.warn(error.to_string());
                }
                let kept = ledger::kept(ui, project, whole, file.as_deref());
                let is_whole = arguments.stacks.stacks.is_empty();
                let regions = is_whole.then(|| site.ground.territory.known_regions());
                let wanted = SurvivorSearch {
                    stage: name,
                    kept: &kept,
                    whole: regions.as_ref(),
                };
                let survivors = match search(session, &context, wanted, &report).await {
                    Ok(survivors) => survivors,
                    Err(error) => {
                        if !ui.json() {
                            ledger::show(ui, &report, &[], file.as_deref());
                        }
                        tell_left(ui, &site.left);
                        return Err(error.with_fields(summary(&report, besides)));
                    }
                };
                finish(
                    session,
                    &report,
                    survivors.as_ref(),
                    file.as_deref(),
                    besides,
                );
                Ok(())
            }
            Err(error) => Err(unfinished(
                ui, project, &context, &memory, &key, besides, error,
            )),
        };
        tell_left(ui, &site.left);
        ended
    }
}
