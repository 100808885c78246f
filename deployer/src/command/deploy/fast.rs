//! `deploy --fast`: code of functions and definitions of state machines alone, past CloudFormation.

use crate::command::{Session, approval, place::Place};
use crate::engine::{self, Context, DeployError, DeployReport, Deployment, FastPlan};
use crate::error::{Error, Kind, Result};

/// Says why a protected stage gets nothing past CloudFormation.
pub(super) fn refused(stage: &str) -> Error {
    Error::new(
        Kind::Refused,
        format!("stage `{stage}` is protected, and `--fast` goes past CloudFormation"),
    )
    .hint("deploy without `--fast`")
}

/// Deploys what changes code and definitions alone; nothing, where more changes, and says what.
pub(super) async fn run(
    session: &Session,
    context: &Context,
    place: &Place,
    deployment: &Deployment,
) -> Result<Option<Result<DeployReport, DeployError>>> {
    let plan = session.guard(Box::pin(engine::fast_plan(context, deployment)));
    let changes = match plan.await?? {
        FastPlan::Code(changes) => changes,
        FastPlan::Full(reasons) => {
            session.ui.warn(format!(
                "this is a full deploy, because more changes than code and definitions: {}",
                reasons.join("; ")
            ));
            return Ok(None);
        }
    };
    let parts: Vec<String> = [
        ("the code of", listed(changes.functions())),
        ("the definition of", listed(changes.machines())),
    ]
    .into_iter()
    .filter(|(_, names)| !names.is_empty())
    .map(|(what, names)| format!("{what} {}", names.join(", ")))
    .collect();
    if !parts.is_empty() {
        let question = format!("Change {}?", parts.join(" and "));
        approval::ask(session, place.is_local(), &question).await?;
    }
    let result = engine::fast(context, changes).await;
    if result.is_ok() && !parts.is_empty() {
        session.ui.warn(format!(
            "CloudFormation was not told of {}: the next deploy without `--fast` tells it",
            parts.join(" and ")
        ));
    }
    Ok(Some(result))
}

/// Names resources by stack and logical id.
fn listed<'a>(resources: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    resources
        .map(|(stack, logical_id)| format!("{stack}/{logical_id}"))
        .collect()
}
