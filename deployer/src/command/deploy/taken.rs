//! Whose the stacks are that a deploy would change, and which others are deployed of the app.

use std::collections::BTreeSet;

use super::site::Plot;
use crate::cli::Allowance;
use crate::command::{orphans, place::Place, territory::Ground};
use crate::engine::{Context, Orphan, Taken};
use crate::error::{Error, Kind, Result};

/// Returns the stacks that the command line takes over from other apps, whoever has them.
pub(in crate::command) fn over(
    names: impl Iterator<Item = String>,
    allowed: &[Allowance],
) -> BTreeSet<String> {
    names
        .filter(|name| allowed.iter().any(|it| it.takes_over(name)))
        .collect()
}

/// Refuses to deploy over stacks of other apps before anything is built, and returns the stacks of this app that are deployed
/// and that the source does not have. Who may not list stacks is asked about each of the selected alone. The engine asks once
/// more, before it changes one.
pub(super) async fn look(
    plot: &Plot<'_>,
    context: &Context,
    place: &Place,
    ground: &Ground,
) -> Result<Vec<Orphan>> {
    let session = &plot.session;
    let has_name = context.ownership.app.is_some();
    if place.is_local() && !has_name {
        return Ok(Vec::new());
    }
    let looked = orphans::look(session, context, ground).await?;
    let survey = looked.unwrap_or_default();
    // A look at a local engine costs nothing, so that none of its regions has to be forgotten.
    if !place.is_local() {
        ground.leave(&session.ui, &survey);
    }
    let taken = orphans::taken(session, context, &survey, &plot.targets()).await?;
    match refusal(&taken) {
        Some(error) => Err(plot.name(error)),
        None => Ok(survey.orphans),
    }
}

/// Returns the error of work on stacks of other apps.
fn refusal(taken: &[Taken]) -> Option<Error> {
    if taken.is_empty() {
        return None;
    }
    let error = Error::new(
        Kind::Refused,
        "stacks of these names belong to another app, and this deploy would overwrite them",
    );
    let error = taken.iter().fold(error, |error, taken| {
        error.cause(format!(
            "{} in {} is deployed with the tag `stackctl:app` = `{}`, which is not the name of this workspace",
            taken.stack, taken.region, taken.app
        ))
    });
    let names: BTreeSet<&str> = taken.iter().map(|taken| taken.stack.as_str()).collect();
    let options = names.iter().map(|stack| format!("--allow owner:{stack}"));
    Some(
        error
            .hint("give the stacks other names, or deploy them from the workspace of that app")
            .hint(format!(
                "to make them stacks of this app, give `stackctl deploy` `{}`",
                options.collect::<Vec<_>>().join(" ")
            )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_of_other_apps_are_overwritten_with_consent_alone() {
        let allowed = |texts: &[&str]| {
            let allowed: Vec<Allowance> = texts
                .iter()
                .map(|text| text.parse().expect("is one"))
                .collect();
            let names = ["intake-dev", "orders-dev"].map(str::to_owned);
            over(names.into_iter(), &allowed)
        };
        let intake = BTreeSet::from(["intake-dev".to_owned()]);
        assert_eq!(allowed(&["owner:intake-*", "data-loss:*"]), intake);
        assert_eq!(allowed(&["owner:*"]).len(), 2);
        let taken = Taken {
            stack: "orders-dev".to_owned(),
            region: "eu-west-1".to_owned(),
            app: "shop".to_owned(),
        };
        let error = refusal(&[taken]).expect("it is refused");
        assert_eq!(error.kind(), Kind::Refused);
        assert_eq!(
            error.causes(),
            [
                "orders-dev in eu-west-1 is deployed with the tag `stackctl:app` = `shop`, which is not the name of this workspace"
            ]
        );
        assert!(error.hints()[1].ends_with("`--allow owner:orders-dev`"));
        assert!(refusal(&[]).is_none());
    }
}
