//! `deploy --fast`: code alone, past CloudFormation.

use crate::command::{Session, approval, place::Place};
use crate::engine::{self, Context, DeployError, DeployReport, Deployment, FastPlan};
use crate::error::{Error, Kind, Result};

/// Says why a protected stage gets no code past CloudFormation.
pub(super) fn refused(stage: &str) -> Error {
    Error::new(
        Kind::Refused,
        format!("stage `{stage}` is protected, and `--fast` goes past CloudFormation"),
    )
    .hint("deploy without `--fast`")
}

/// Deploys what changes code alone; nothing, where more changes, and says what.
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
                "this is a full deploy, because more than code changes: {}",
                reasons.join("; ")
            ));
            return Ok(None);
        }
    };
    let functions: Vec<String> = changes
        .functions()
        .map(|(stack, function)| format!("{stack}/{function}"))
        .collect();
    if !functions.is_empty() {
        let question = format!("Change the code of {}?", functions.join(", "));
        approval::ask(session, place.is_local(), &question).await?;
    }
    let result = engine::fast(context, changes).await;
    if result.is_ok() && !functions.is_empty() {
        session.ui.warn(
            "CloudFormation was not told of this code: the next deploy without `--fast` does",
        );
    }
    Ok(Some(result))
}
