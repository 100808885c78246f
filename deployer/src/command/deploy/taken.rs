//! Whose the stacks are that a deploy would change, and which others are deployed of the app.

use std::collections::BTreeMap;

use super::site::Plot;
use crate::aws::Fault;
use crate::cli::{self, Allowance};
use crate::command::{orphans, place::Place};
use crate::engine::{self, Context, Orphan, Survey, Territory};
use crate::error::{Error, Kind, Result};

/// Refuses to deploy over stacks of other apps that the command line does not take over, and returns the stacks of this app
/// that are deployed and that the source does not have. Who may not list stacks is asked about each of the selected alone.
pub(super) async fn look(
    plot: &Plot<'_>,
    context: &Context,
    place: &Place,
    territory: Option<Territory>,
    arguments: &cli::Deploy,
) -> Result<Vec<Orphan>> {
    let session = &plot.session;
    let has_name = |territory: &Territory| territory.app.is_some();
    if place.is_local() && !territory.as_ref().is_some_and(has_name) {
        return Ok(Vec::new());
    }
    let stacks = &plot.assembly.manifest.stacks;
    let selected = plot.selected.iter().filter_map(|at| stacks.get(*at));
    let looked = orphans::look(session, context, territory.as_ref()).await?;
    let survey = if let Ok(survey) = looked {
        survey
    } else {
        let stacks: Vec<_> = selected.clone().cloned().collect();
        let taken = engine::taken(context, &stacks);
        match session.guard(Box::pin(taken)).await? {
            Ok(taken) => Survey {
                taken,
                ..Survey::default()
            },
            // CloudFormation refuses the caller soon enough.
            Err(error) if matches!(error.fault(), Fault::Denied { .. }) => Survey::default(),
            Err(error) => return Err(error.into()),
        }
    };
    let names: Vec<&str> = selected.map(|stack| stack.name.as_str()).collect();
    match refusal(&names, &survey.taken, &arguments.allow) {
        Some(error) => Err(plot.name(error)),
        None => Ok(survey.orphans),
    }
}

/// Returns the error of a deploy over stacks of other apps.
fn refusal(
    selected: &[&str],
    taken: &BTreeMap<String, String>,
    allowed: &[Allowance],
) -> Option<Error> {
    let is_allowed = |stack: &str| allowed.iter().any(|it| it.takes_over(stack));
    let refused: Vec<(&String, &String)> = taken
        .iter()
        .filter(|(stack, _)| selected.contains(&stack.as_str()) && !is_allowed(stack))
        .collect();
    if refused.is_empty() {
        return None;
    }
    let error = Error::new(
        Kind::Refused,
        "stacks of these names belong to another app, and this deploy would overwrite them",
    );
    let error = refused.iter().fold(error, |error, (stack, app)| {
        error.cause(format!(
            "{stack} is deployed with the tag `stackctl:app` = `{app}`, which is not the name of this workspace"
        ))
    });
    let options = refused
        .iter()
        .map(|(stack, _)| format!("--allow owner:{stack}"));
    Some(
        error
            .hint("give the stacks other names, or deploy them from the workspace of that app")
            .hint(format!(
                "to make them stacks of this app, add `{}`",
                options.collect::<Vec<_>>().join(" ")
            )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_of_other_apps_are_overwritten_with_consent_alone() {
        let taken =
            ["intake-dev", "orders-dev", "web-dev"].map(|it| (it.to_owned(), "shop".to_owned()));
        let taken = BTreeMap::from(taken);
        let refusal = |allowed: &[&str]| {
            let allowed: Vec<Allowance> = allowed
                .iter()
                .map(|text| text.parse().expect("is one"))
                .collect();
            refusal(&["intake-dev", "orders-dev"], &taken, &allowed)
        };
        let error = refusal(&["owner:intake-*", "data-loss:*"]).expect("one is refused");
        assert_eq!(error.kind(), Kind::Refused);
        assert_eq!(
            error.causes(),
            [
                "orders-dev is deployed with the tag `stackctl:app` = `shop`, which is not the name of this workspace"
            ]
        );
        assert!(error.hints()[1].ends_with("add `--allow owner:orders-dev`"));
        assert!(refusal(&["owner:*"]).is_none());
    }
}
