//! Stacks that are deployed and that the source does not have any more.

use std::collections::{BTreeMap, BTreeSet};

use super::Session;
use super::remembered::Remembered;
use super::territory::Ground;
use crate::aws::{AwsError, Fault};
use crate::config::Project;
use crate::engine::{
    self, Context, Found, Last, Memory, Orphan, StackTarget, Stray, Survey, Taken,
};
use crate::error::{Error, Kind, Result};
use crate::text::moment;
use crate::ui::Ui;

/// Returns whether a text may be the name of a deployed stack of a stage, or that and its region: `late-dev@us-east-1`.
pub(super) fn may_be_one(text: &str, stage: &str) -> bool {
    let (name, region) = engine::named_in(text);
    name.ends_with(&format!("-{stage}")) && is_plain(name) && region.is_none_or(is_plain)
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Adds to the error of a name without its stage, which nothing in the source has, how a stack is named that left the source.
pub(super) fn left(error: Error, project: &Project, stage: &str, name: &str) -> Error {
    if !is_plain(name) || may_be_one(name, stage) {
        return error;
    }
    let whole = format!("{name}-{stage}");
    if Remembered::has(project, stage, &whole) {
        error.hint(format!(
            "`{whole}` was deployed from here and is not in this source: it is named whole"
        ))
    } else {
        error.hint(format!(
            "a stack that left the source is named whole, which is `{whole}`"
        ))
    }
}

/// Looks for what is deployed besides the source, for a command that does something else; tells why nobody looks, where nobody
/// does.
pub(super) async fn look(
    session: &Session,
    context: &Context,
    ground: &Ground,
) -> Result<Result<Survey, Unseen>> {
    if let Some(environment) = ground.unrendered.first() {
        return Ok(Err(Unseen(environment.clone())));
    }
    let survey = engine::survey(context, &ground.territory);
    Ok(Ok(session.guard(Box::pin(survey)).await?))
}

/// Returns which of these stacks other apps have. Where a survey could not tell, each is asked about alone.
pub(super) async fn taken(
    session: &Session,
    context: &Context,
    survey: &Survey,
    targets: &[StackTarget],
) -> Result<Vec<Taken>> {
    let region = |target: &StackTarget| -> String {
        let own = context.clients.region();
        target.region.as_deref().unwrap_or(own).to_owned()
    };
    let is_selected = |taken: &&Taken| {
        let is_it =
            |target: &StackTarget| target.name == taken.stack && region(target) == taken.region;
        targets.iter().any(is_it)
    };
    let mut taken: Vec<Taken> = survey.taken.iter().filter(is_selected).cloned().collect();
    let unseen = targets
        .iter()
        .filter(|target| !survey.seen.contains(&region(target)));
    let unseen: Vec<StackTarget> = unseen.cloned().collect();
    let looks = engine::taken(context, &unseen);
    match session.guard(Box::pin(looks)).await? {
        Ok(found) => taken.extend(found),
        // CloudFormation refuses the caller soon enough.
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(taken)
}

/// Finds what has a name that the source does not have: what is deployed, or else what is gone and this machine still knows of,
/// because its removal did not come to its end or because it was `seen` to be there and may have left something.
pub(super) async fn named(
    session: &Session,
    context: &Context,
    ground: &Ground,
    (memory, seen): (&Memory, &BTreeSet<String>),
    name: &str,
) -> Result<Found> {
    let territory = &ground.territory;
    let (stack, region) = engine::named_in(name);
    if let Some(region) = region {
        if territory
            .known
            .contains(&(region.to_owned(), stack.to_owned()))
        {
            let message = format!("the source has the stack `{stack}` of {region}");
            return Err(Error::new(Kind::Usage, message).hint(format!(
                "it is named `{stack}`, with `--region` where the stage has several"
            )));
        }
        // Nobody knows which stacks there are in the source.
        if ground.unrendered.iter().any(|it| it == region) {
            return Ok(Found::default());
        }
    }
    let found = engine::find_orphans(context, territory, name);
    let mut found = session.guard(Box::pin(found)).await?;
    if found.orphans.is_empty() {
        let gone = engine::remnants(context, territory, memory, seen, Some(name));
        let gone = session.guard(Box::pin(gone)).await?;
        found.orphans = gone.orphans;
        found.unseen.extend(gone.unseen);
    }
    match found.unseen.pop_first() {
        Some((_, error)) if region.is_some() => Err(error.into()),
        unseen => {
            found.unseen.extend(unseen);
            Ok(found)
        }
    }
}

/// Adds the stacks that are gone and that this machine still knows of to what else is not in the source.
pub(super) async fn add_gone(
    session: &Session,
    context: &Context,
    ground: &Ground,
    (memory, seen): (&Memory, &BTreeSet<String>),
    survey: &mut Survey,
) -> Result<()> {
    let territory = &ground.territory;
    let gone = engine::remnants(context, territory, memory, seen, None);
    let gone = session.guard(Box::pin(gone)).await?;
    survey.orphans.extend(gone.orphans);
    survey.unseen.extend(gone.unseen);
    let all = survey.orphans.iter_mut().chain(&mut survey.unowned);
    engine::tell_apart(context, territory, all);
    Ok(())
}

/// Returns the name of a stack, with its region where that is not the one of the stage.
pub(super) fn placed(orphan: &Orphan) -> String {
    match &orphan.region {
        Some(region) => format!("{} ({region})", orphan.stack),
        None => orphan.stack.clone(),
    }
}

/// Tells of stacks that are gone and not all that is to be removed.
pub(super) fn tell_gone(ui: &Ui, stack: &str, next: &str) {
    ui.warn(format!(
        "{stack} is gone, and its removal did not come to its end: `{next}` does what is left to do"
    ));
}

/// Adds to the error of a name that nothing has why it may be deployed all the same.
pub(super) fn nobody(
    mut error: Error,
    ground: &Ground,
    unseen: &BTreeMap<String, AwsError>,
) -> Error {
    for (region, reason) in unseen {
        error = error.cause(format!(
            "nobody knows what is deployed in {region}: {}",
            why(reason)
        ));
    }
    match ground.unrendered.first() {
        Some(environment) => error.hint(format!(
            "the stacks of {environment} were not rendered on this machine: `stackctl synth --region {environment}` does so"
        )),
        None => error,
    }
}

/// The environment because of which nobody knows what is deployed besides the source: it was not rendered on this machine.
#[derive(Debug)]
pub(super) struct Unseen(String);

impl Unseen {
    /// Says so.
    pub(super) fn tell(&self, ui: &Ui) {
        let Self(environment) = self;
        ui.warn(format!(
            "nobody knows whether stacks are deployed that the source does not have: those of {environment} were not rendered here yet, which `stackctl synth --region {environment}` does"
        ));
    }
}

/// Returns the regions where stacks of the stage are or were and that nobody could look at.
pub(super) fn unseen(ground: &Ground, survey: &Survey) -> Vec<String> {
    let mut regions = ground.territory.known_regions();
    regions.retain(|region| !survey.seen.contains(region));
    regions.into_iter().collect()
}

/// Tells which regions nobody could look at, of those where stacks of the stage are or were.
pub(super) fn tell_unseen(ui: &Ui, ground: &Ground, unseen: &BTreeMap<String, AwsError>) {
    for (region, error) in unseen {
        if !ground.territory.guessed.contains(region) {
            ui.warn(format!(
                "nobody knows whether stacks are deployed in {region} that the source does not have: {}",
                why(error)
            ));
        }
    }
}

fn why(error: &AwsError) -> String {
    match error.fault() {
        Fault::Denied { .. } => format!(
            "{error}; listing stacks takes `cloudformation:DescribeStacks` and `cloudformation:ListStacks` on all"
        ),
        _ => error.to_string(),
    }
}

/// Tells of stacks that the source does not have, once, with what removes them.
pub(super) fn warn(ui: &Ui, orphans: &[Orphan]) {
    for orphan in orphans {
        let Orphan { stack, next, .. } = orphan;
        ui.warn(format!(
            "{stack} is deployed and not in this source{}: `{next}` removes it, if nobody else has it in theirs",
            last(orphan)
        ));
    }
}

/// Says who changed a stack last, as a part of a sentence.
pub(super) fn last(orphan: &Orphan) -> String {
    let Some(Last { at, origin }) = &orphan.last else {
        return String::new();
    };
    let by = origin.by.as_ref();
    let by = by.map_or(String::new(), |by| format!(" by {by}"));
    let commit = origin.commit.as_ref();
    let commit = commit.map_or(String::new(), |commit| format!(", from commit {commit}"));
    format!(" (last changed {}{by}{commit})", moment(at))
}

/// Says of stacks whose stage the app does not have any more what they are and what removes them, stage by stage.
pub(super) fn strayed(strays: &[Stray], own: &str) -> Vec<String> {
    let mut stages: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for Stray {
        stage,
        stack,
        region,
        ..
    } in strays
    {
        let name = if region == own {
            stack.clone()
        } else {
            format!("{stack} ({region})")
        };
        stages.entry(stage).or_default().push(name);
    }
    let stages = stages.into_iter();
    stages
        .map(|(stage, stacks)| {
            format!(
                "of this app and of stage `{stage}`, which stackctl.toml does not have: {}; with that stage in it again, \
                 `stackctl destroy --stage {stage}` removes them, if nobody else has it in theirs",
                stacks.join(", ")
            )
        })
        .collect()
}

/// Tells of stacks of the stage of which nobody knows whose they are.
pub(super) fn tell_unowned(ui: &Ui, unowned: &[Orphan], app: Option<&str>) {
    if unowned.is_empty() {
        return;
    }
    let names: Vec<&str> = unowned.iter().map(|stack| stack.stack.as_str()).collect();
    let hint = match app {
        Some(_) => "",
        None => {
            "; with a `name` under `[workspace]` in stackctl.toml, the stacks of this one are told from others"
        }
    };
    ui.tell(format!(
        "  of this stage and of no stack in the source: {} (another workspace's, or gone from the source){hint}",
        names.join(", ")
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_of_the_stage_may_be_deployed() {
        assert!(may_be_one("late-dev", "dev"));
        assert!(may_be_one("late-dev@us-east-1", "dev"));
        for other in [
            "late",
            "late-*-dev",
            "late-prod",
            "latedev",
            "late@us-east-1",
            "late-dev@*",
            "late-dev@",
        ] {
            assert!(!may_be_one(other, "dev"), "{other}");
        }
    }
}
