//! Deploys to the environments of a stage, wave by wave.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::site::{Depth, Made, Site, SiteEnd, all, boxed};
use super::{fast, refuse_impossible};
use crate::cli;
use crate::command::approval::{self, Consent};
use crate::command::environments::{fields, not_begun};
use crate::command::saved::Saved;
use crate::command::{Session, orphans, place::Place};
use crate::config::{Stage, StageConfig, list};
use crate::engine::plan::Plan;
use crate::engine::{WaveEnd, Waves};
use crate::error::{Error, Kind, Result};
use crate::repeat::Repeated;
use crate::ui;

/// What a deploy was told to do.
pub(super) struct Order<'a> {
    pub(super) arguments: &'a cli::Deploy,
    /// The plan that was agreed to beforehand.
    pub(super) saved: Option<Saved>,
}

/// A run through all waves.
struct Rollout<'a> {
    session: &'a Session,
    arguments: &'a cli::Deploy,
    saved: Option<&'a Saved>,
    place: &'a Place,
    sites: &'a [Site<'a>],
    waves: Waves,
    /// How each site ended, once it has.
    ends: Vec<Option<SiteEnd>>,
    /// Why no other wave was begun, where that is no site's fault.
    refused: Option<Error>,
}

/// Deploys to every site, in waves.
pub(super) async fn run(
    session: &Session,
    config: &StageConfig,
    order: &Order<'_>,
    place: &Place,
    sites: &[Site<'_>],
) -> Result<u8> {
    let mut rollout = Rollout {
        session,
        arguments: order.arguments,
        saved: order.saved.as_ref(),
        place,
        sites,
        waves: config.rollout.waves(sites.len()),
        ends: sites.iter().map(|_| None).collect(),
        refused: None,
    };
    while let Some((number, wave)) = rollout.waves.begin() {
        rollout.wave(number, wave.collect()).await;
    }
    rollout.finish()
}

impl Rollout<'_> {
    fn several(&self) -> bool {
        self.sites.len() > 1
    }

    fn site(&self, at: usize) -> Option<&Site<'_>> {
        self.sites.get(at)
    }

    /// Notes how a site ended.
    fn end(&mut self, at: usize, end: SiteEnd) {
        let others = self.sites.iter().map(Site::label).collect();
        let owns = self.sites.get(at).map(|site| &site.plot.owns);
        let (end, counted) = counted(end, owns.into_iter().flatten(), &others);
        self.waves.end(counted);
        if let Some(place) = self.ends.get_mut(at) {
            *place = Some(end);
        }
    }

    fn fail(&mut self, at: usize, error: Error) {
        let end = SiteEnd {
            report: None,
            error: Some(error),
        };
        self.end(at, end);
    }

    /// Deploys to the sites of a wave at once, after their plans were agreed to.
    async fn wave(&mut self, number: usize, wave: Vec<usize>) {
        let labels: Vec<&str> = wave
            .iter()
            .filter_map(|at| Some(self.site(*at)?.label()))
            .collect();
        let title = format!(
            "wave {number} of {}: {}",
            self.waves.len(),
            labels.join(", ")
        );
        if self.several() {
            self.session.ui.done("rollout", &title);
        }
        let mut wave = wave;
        if self.arguments.fast {
            wave = self.code_alone(wave).await;
        }
        let Some((consent, plans)) = self.agree(&mut wave, &title).await else {
            return;
        };
        // What several environments share is deployed with one of them, before the others.
        let mut plans: Vec<(usize, Made)> = wave.into_iter().zip(plans).collect();
        let owners: Vec<_> = plans
            .extract_if(.., |(at, _)| {
                let site = self.sites.get(*at);
                site.is_some_and(|site| !site.plot.owns.is_empty())
            })
            .collect();
        for batch in [owners, plans] {
            if self.may_not_begin() {
                return;
            }
            let (positions, works): (Vec<usize>, Vec<_>) = batch
                .into_iter()
                .filter_map(|(at, plan)| {
                    let site = self.sites.get(at)?;
                    let deploy = site.deploy(self.arguments, self.place, consent, plan);
                    Some((at, boxed(deploy)))
                })
                .unzip();
            for (at, end) in positions.into_iter().zip(all(works).await) {
                self.end(at, end);
            }
        }
    }

    /// Returns whether the rest of a wave has to wait for another run.
    fn may_not_begin(&self) -> bool {
        !self.waves.may_go_on()
    }

    /// Deploys code alone where no more changes, and returns the sites where more does.
    async fn code_alone(&mut self, wave: Vec<usize>) -> Vec<usize> {
        let mut left = Vec::new();
        for at in wave {
            let Some(site) = self.sites.get(at) else {
                continue;
            };
            if self.may_not_begin() {
                break;
            }
            let session = &site.plot.session;
            match fast::run(session, &site.context, self.place, &site.deployment(false)).await {
                Ok(Some(result)) => {
                    let end = site.ended(result);
                    self.end(at, end);
                }
                Ok(None) => left.push(at),
                Err(error) => self.fail(at, error),
            }
        }
        left
    }

    /// Shows the plans of a wave, and asks for them; nothing, where the wave does not begin. Those that could not be made
    /// are failures of their sites, which leave the wave.
    async fn agree(&mut self, wave: &mut Vec<usize>, title: &str) -> Option<(Consent, Vec<Made>)> {
        // Nothing local is worth a question, but what cannot be done is refused before anything is.
        let is_quiet =
            self.place.is_local() && self.session.ui.verbose() == 0 && self.saved.is_none();
        let depth = if is_quiet {
            Depth::Refusals
        } else {
            Depth::All
        };
        let sites = wave
            .iter()
            .filter_map(|at| Some((*at, self.sites.get(*at)?)));
        let (positions, works): (Vec<usize>, Vec<_>) = sites
            .map(|(at, site)| (at, boxed(site.plan(depth))))
            .unzip();
        let made = all(works).await;
        let mut plans = Vec::new();
        wave.clear();
        for (at, plan) in positions.into_iter().zip(made) {
            let Some(site) = self.sites.get(at) else {
                continue;
            };
            let plan = plan.and_then(|plan| {
                if !is_quiet {
                    self.show(site, &plan);
                }
                if let Some(saved) = self.saved {
                    saved.check(site.label(), &plan)?;
                }
                refuse_impossible(&plan, self.place.is_local())?;
                Ok(plan)
            });
            match plan {
                Ok(plan) => {
                    wave.push(at);
                    plans.push(plan);
                }
                Err(error) => self.fail(at, error),
            }
        }
        if self.may_not_begin() {
            return None;
        }
        if is_quiet {
            let plans = plans.into_iter().map(Made::Unseen);
            return Some((Consent::NotNeeded, plans.collect()));
        }
        match self.consent(wave, &plans, title).await {
            Ok(consent) => Some((consent, plans.into_iter().map(Made::Agreed).collect())),
            Err(error) => {
                self.waves.end(WaveEnd::Stopped);
                self.refused = Some(error);
                None
            }
        }
    }

    fn show(&self, site: &Site<'_>, plan: &Plan) {
        let ui = &site.plot.session.ui;
        if ui.json() {
            ui.json_line(&json!({"type": "plan", "stacks": plan.stacks}));
        }
        let text = ui::plan(plan, ui.verbose() > 1);
        if self.several() {
            self.session.ui.line(format!("\n{}:", site.label()));
        }
        self.session.ui.line(text.trim_end());
        ui.done("account", &site.context.clients.identity().account);
    }

    /// Asks for what the plans need: in a protected stage every danger needs more than a yes.
    async fn consent(&self, wave: &[usize], plans: &[Plan], title: &str) -> Result<Consent> {
        let local = self.place.is_local();
        if plans.iter().all(Plan::is_empty) {
            // An empty plan may still meet a stack that needs mending; its change set is checked against the plan.
            return Ok(match self.saved {
                _ if local => Consent::NotNeeded,
                Some(_) => Consent::Kept,
                None => Consent::Given,
            });
        }
        let (arguments, session) = (self.arguments, self.session);
        let sites: Vec<&Site<'_>> = wave.iter().filter_map(|at| self.sites.get(*at)).collect();
        let Some(first) = sites.first() else {
            return Ok(Consent::NotNeeded);
        };
        let name = first.name;
        let several = self.several();
        let placed: Vec<(Option<&str>, &Plan)> = sites
            .iter()
            .zip(plans)
            .map(|(site, plan)| (several.then(|| site.label()), plan))
            .collect();
        if first.plot.stage.protected && !local {
            if several {
                // What allows nothing in this wave may in another one.
                approval::refuse(&placed, &arguments.allow, name)?;
            } else {
                approval::protect(&session.ui, &placed, &arguments.allow, name)?;
            }
        }
        // Whoever has this plan executed has read it, and it is still the same.
        if self.saved.is_some() && !local {
            return Ok(Consent::Kept);
        }
        let question = if several {
            format!("Deploy these changes to stage {name}, {title}?")
        } else {
            format!("Deploy these changes to stage {name}?")
        };
        if arguments.beforehand && session.global.yes && !local {
            let dangers = approval::dangers(&placed);
            if !dangers.is_empty() {
                return approval::ask_again(session, &dangers, &question).await;
            }
        }
        approval::ask(session, local, &question).await
    }

    /// Reports how everything ended.
    fn finish(self) -> Result<u8> {
        // Who watches was told before, or learns it from the next deploy.
        if !self.arguments.beforehand {
            for site in self.sites {
                orphans::warn(&site.plot.session.ui, &site.orphans);
            }
        }
        if self.several() {
            return self.finish_several();
        }
        let end = self.ends.into_iter().next().flatten();
        let site = self.sites.first();
        let summary = site.zip(end.as_ref()).and_then(|(site, end)| {
            let report = end.report.as_ref()?;
            Some(site.summary(report))
        });
        let error = end.and_then(|end| end.error).or(self.refused);
        match (error, summary) {
            (Some(error), Some(fields)) => Err(error.with_fields(fields)),
            (Some(error), None) => Err(error),
            (None, summary) => {
                if let Some(summary) = summary.filter(|_| self.session.ui.json()) {
                    self.session.ui.json_line(&summary);
                }
                Ok(0)
            }
        }
    }

    fn finish_several(self) -> Result<u8> {
        let mut failed = Vec::new();
        let mut left = Vec::new();
        let mut environments = Vec::new();
        for (site, end) in self.sites.iter().zip(self.ends) {
            let mut entry = fields(site.plot.stage);
            let Some(end) = end else {
                entry.insert("outcome".to_owned(), "not_begun".into());
                entry.insert("stacks".to_owned(), json!([]));
                environments.push(Value::Object(entry));
                left.push(site.plot.stage);
                continue;
            };
            let outcome = match end.error.as_ref().map(Error::kind) {
                None => "deployed",
                Some(Kind::Refused) => "declined",
                Some(Kind::Interrupted) => "interrupted",
                Some(_) => "failed",
            };
            entry.insert("outcome".to_owned(), outcome.into());
            let report = end.report.as_ref();
            let mut summary = report.map_or_else(Map::new, |report| site.summary(report));
            let stacks = summary.remove("stacks");
            entry.insert("stacks".to_owned(), stacks.unwrap_or_else(|| json!([])));
            if let Some(orphans) = summary.remove("orphans") {
                entry.insert("orphans".to_owned(), orphans);
            }
            environments.push(Value::Object(entry));
            if let Some(error) = end.error {
                failed.push((site.label(), error));
            }
        }
        let mut fields = Map::new();
        fields.insert("type".to_owned(), "summary".into());
        fields.insert("environments".to_owned(), environments.into());
        let all: Vec<&str> = self.sites.iter().map(Site::label).collect();
        let Some(error) = error(&failed, self.refused, &left, all.len()) else {
            if self.session.ui.json() {
                self.session.ui.json_line(&fields);
            } else {
                self.session
                    .ui
                    .done("rollout", format!("{} are deployed", all.join(", ")));
            }
            return Ok(0);
        };
        // It is written for the whole stage, also where the error is of one environment.
        let again = Repeated::of(&self.session.global)
            .complete("`stackctl deploy` goes on: what is deployed is left as it is");
        Err(error.hint(again).with_fields(fields))
    }
}

/// Returns how an environment counts, given the stacks that others leave to it and the environments of this run. Where one
/// of those stacks is not deployed, none of the others can have what it needs, whatever the budget.
fn counted<'a>(
    mut end: SiteEnd,
    owns: impl Iterator<Item = (&'a String, &'a Vec<String>)>,
    run: &BTreeSet<&str>,
) -> (SiteEnd, WaveEnd) {
    let Some(mut error) = end.error.take() else {
        return (end, WaveEnd::Done);
    };
    let mut counted = match error.kind() {
        Kind::Refused | Kind::Interrupted => WaveEnd::Stopped,
        _ => WaveEnd::Failed,
    };
    let stacks = end.report.iter().flat_map(|report| &report.stacks);
    let done: BTreeSet<&String> = stacks
        .filter(|stack| stack.outcome.is_good())
        .map(|stack| &stack.stack)
        .collect();
    for (name, others) in owns.filter(|(name, _)| !done.contains(name)) {
        let mut others: Vec<&str> = others.iter().map(String::as_str).collect();
        others.retain(|other| run.contains(other));
        if !others.is_empty() {
            counted = WaveEnd::Stopped;
            let others = list(&others);
            error = error.cause(format!(
                "{name} is not deployed, which is that of {others} too"
            ));
        }
    }
    end.error = Some(error);
    (end, counted)
}

/// Makes one error of those of several environments, and says where nothing was begun.
fn error(
    failed: &[(&str, Error)],
    refused: Option<Error>,
    left: &[&Stage],
    number: usize,
) -> Option<Error> {
    let names: Vec<&str> = failed.iter().map(|(label, _)| *label).collect();
    let kind = failed
        .iter()
        .map(|(_, error)| error.kind())
        .find(|kind| *kind == Kind::Interrupted)
        .or_else(|| failed.first().map(|(_, error)| error.kind()));
    let Some(kind) = kind else {
        return refused.map(|error| not_begun(error, left));
    };
    let message = format!(
        "{} of {number} environments failed: {}",
        names.len(),
        list(&names)
    );
    let mut error = Error::new(kind, message);
    let mut details = Vec::new();
    let mut hints: Vec<String> = Vec::new();
    for (label, one) in failed {
        error = error.cause(format!("{label}: {}", one.message()));
        for cause in one.causes() {
            error = error.cause(format!("{label}: {cause}"));
        }
        details.extend(one.detail_text());
        for hint in one.hints() {
            if !hints.contains(hint) {
                hints.push(hint.clone());
            }
        }
    }
    if let Some(refused) = refused {
        error = error.cause(refused.message());
        hints.extend(refused.hints().iter().cloned());
    }
    let error = not_begun(error.detail(details.join("\n\n")), left);
    Some(hints.into_iter().fold(error, Error::hint))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::command::once::Owned;
    use crate::engine::{DeployReport, Outcome, StackReport};

    #[test]
    fn no_budget_covers_a_stack_that_the_others_need() {
        let report = |edge| DeployReport {
            stacks: [("edge-prod", edge), ("api-prod", Outcome::Failed)]
                .map(|(stack, outcome)| StackReport {
                    stack: stack.to_owned(),
                    outcome,
                    outputs: BTreeMap::new(),
                    failure: None,
                })
                .to_vec(),
        };
        let owns: Owned = std::iter::once(("edge-prod", ["us-east-1", "eu-west-2"]))
            .map(|(stack, others)| (stack.to_owned(), others.map(str::to_owned).to_vec()))
            .collect();
        let count = |report: Option<DeployReport>, failed: bool, run: &[&str]| {
            let error = failed.then(|| Error::new(Kind::Deploy, "it failed"));
            let end = SiteEnd { report, error };
            let (end, counted) = counted(end, owns.iter(), &run.iter().copied().collect());
            let causes = end.error.map_or_else(Vec::new, |it| it.causes().to_vec());
            (counted, causes)
        };
        let run = ["eu-west-1", "us-east-1"];
        let needed = "edge-prod is not deployed, which is that of `us-east-1` too".to_owned();
        let stopped = (WaveEnd::Stopped, vec![needed]);
        assert_eq!(count(Some(report(Outcome::Failed)), true, &run), stopped);
        assert_eq!(count(None, true, &run), stopped);
        // It is deployed, or nobody of this run needs it.
        let failed = (WaveEnd::Failed, Vec::new());
        assert_eq!(count(Some(report(Outcome::Unchanged)), true, &run), failed);
        assert_eq!(count(None, true, &["eu-west-1"]), failed);
        let done = (WaveEnd::Done, Vec::new());
        assert_eq!(count(Some(report(Outcome::Created)), false, &run), done);
    }
}
