//! What is looked at before a deploy.

use tokio::time::Instant;

use super::site::Plot;
use crate::cli;
use crate::command::place::Place;
use crate::engine::{self, Concern, Context, Weight};
use crate::error::{Error, Kind, Result};

/// Looks for what would stop the deploy half-way, until some time, and ends the deploy where something would.
pub(super) async fn run(
    plot: &Plot<'_>,
    context: &Context,
    arguments: &cli::Deploy,
    place: &Place,
    until: Instant,
) -> Result<()> {
    if arguments.no_preflight {
        return Ok(());
    }
    let none = super::Contents::default();
    let stacks = super::deployments(&plot.assembly, &plot.selected, &none);
    if place.is_local() {
        let look = engine::preflight_of_engine(context, &stacks, until);
        // Each that it finds is told, and none ends the deploy.
        plot.session.guard(Box::pin(look)).await?;
        return Ok(());
    }
    let concerns = plot
        .session
        .guard(Box::pin(engine::preflight(context, &stacks, until)))
        .await?;
    match refusal(&concerns) {
        Some(error) => {
            Err(error
                .hint("nothing was changed; `stackctl deploy --no-preflight` tries all the same"))
        }
        None => Ok(()),
    }
}

/// Returns the error of concerns of which some cannot go well.
fn refusal(concerns: &[Concern]) -> Option<Error> {
    let mut refused = concerns
        .iter()
        .filter(|concern| concern.weight == Weight::Refused)
        .peekable();
    refused.peek()?;
    let error = Error::new(Kind::Deploy, "this deploy would fail half-way");
    Some(refused.fold(error, |error, concern| {
        let error = error.cause(concern.to_string());
        concern.hints.iter().fold(error, Error::hint)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Check;

    #[test]
    fn only_what_cannot_go_well_refuses_a_deploy() {
        let concern = |weight| Concern {
            check: Check::NameTaken,
            weight,
            subject: "orders-dev/Photos".to_owned(),
            message: "there is one".to_owned(),
            hints: vec!["choose another".to_owned()],
        };
        assert!(refusal(&[concern(Weight::Warning), concern(Weight::Unknown)]).is_none());
        let error = refusal(&[concern(Weight::Warning), concern(Weight::Refused)]);
        let error = error.expect("is refused");
        assert_eq!(error.causes(), ["orders-dev/Photos: there is one"]);
        assert_eq!(error.hints(), ["choose another"]);
    }
}
