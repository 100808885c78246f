//! Stacks that are deployed and that the source does not have any more.

use std::collections::BTreeSet;

use super::place::Place;
use super::{Session, kept};
use crate::assembly::Assembly;
use crate::aws::AwsError;
use crate::config::{Project, Stage, StageConfig};
use crate::engine::{self, Context, Orphan, Survey, Territory};
use crate::error::Result;
use crate::ui::Ui;

/// Returns whether a text may be the name of a deployed stack of a stage.
pub(super) fn may_be_one(text: &str, stage: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.ends_with(&format!("-{stage}")) && text.chars().all(plain)
}

/// Returns where an environment of a stage looks for stacks that its source does not have; nothing, where nobody knows the
/// stacks of another environment that may be in the same account.
pub(super) fn territory(
    project: &Project,
    (name, config): (&str, &StageConfig),
    stage: &Stage,
    assembly: &Assembly,
    place: &Place,
) -> Option<Territory> {
    let of = |stage: &Stage, assembly: &Assembly| -> BTreeSet<(String, String)> {
        let stacks = assembly.manifest.stacks.iter();
        let region = |own: Option<&str>| own.unwrap_or(stage.region.as_str()).to_owned();
        stacks
            .map(|stack| (region(stack.region.as_deref()), stack.name.clone()))
            .collect()
    };
    let mut known = of(stage, assembly);
    let mut regions: BTreeSet<String> = known.iter().map(|(region, _)| region.clone()).collect();
    let own = stage.region.as_str();
    regions.insert(own.to_owned());
    let mut is_before = true;
    for other in config.environments() {
        if other.label == stage.label {
            is_before = false;
            continue;
        }
        let elsewhere = other.account.is_some() && stage.account.is_some();
        if !place.is_local() && elsewhere && other.account != stage.account {
            continue;
        }
        let others = of(other, &kept::last(project, &other.key(name))?.assembly);
        // Each region is looked at once: by the environment whose own it is, or by the first that has stacks there.
        regions.retain(|region| {
            let is_theirs = other.region.as_str() == region
                || is_before && others.iter().any(|(place, _)| place == region);
            region == own || !is_theirs
        });
        known.extend(others);
    }
    Some(Territory {
        stage: name.to_owned(),
        app: project.config.workspace.name().map(str::to_owned),
        known,
        regions,
    })
}

/// Looks for what is deployed besides the source, for a command that does something else: whoever may not look, or cannot, is
/// told where that matters.
pub(super) async fn look(
    session: &Session,
    context: &Context,
    territory: Option<&Territory>,
) -> Result<Result<Survey, Unseen>> {
    let Some(territory) = territory else {
        return Ok(Err(Unseen::Environments));
    };
    let survey = engine::survey(context, territory);
    let survey = session.guard(Box::pin(survey)).await?;
    Ok(survey.map_err(Unseen::Error))
}

/// Why nobody knows what is deployed besides the source.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unseen {
    /// Another environment was not rendered on this machine.
    #[error("the stacks of another environment of the stage were not rendered here yet")]
    Environments,
    /// It cannot be listed.
    #[error("{0}")]
    Error(AwsError),
}

impl Unseen {
    /// Says so.
    pub(super) fn tell(&self, ui: &Ui) {
        ui.warn(format!(
            "nobody knows whether stacks are deployed that the source does not have: {self}"
        ));
    }
}

/// Tells of stacks that the source does not have any more, once, with what removes them.
pub(super) fn warn(ui: &Ui, orphans: &[Orphan]) {
    for Orphan { stack, next, .. } in orphans {
        ui.warn(format!(
            "{stack} is deployed, and in the source no more: `{next}` removes it"
        ));
    }
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
    ui.line(format!(
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
        for other in ["late", "late-*-dev", "late-prod", "latedev"] {
            assert!(!may_be_one(other, "dev"), "{other}");
        }
    }
}
