//! `logs`: prints the logs of deployed functions, merged by time.

use std::time::SystemTime;

use super::look::Look;
use super::{Session, invoke};
use crate::cli;
use crate::engine::{self, Cancel, CancelHandle, Context, DeployedFunction, LogsRequest};
use crate::error::{Error, Kind, Result};
use crate::ui;

pub(super) async fn run(session: &Session, arguments: &cli::Logs) -> Result<u8> {
    let since = arguments
        .since
        .time(SystemTime::now())
        .ok_or_else(|| Error::new(Kind::Usage, "`--since` lies before all time"))?;
    let look = Look::open(session, None).await?;
    let functions = look.functions(session).await?;
    if functions.is_empty() {
        let stage = session.global.stage.as_deref().unwrap_or_default();
        session
            .ui
            .warn(format!("no function of stage {stage} is deployed"));
    }
    let names = look.names();
    let request = LogsRequest {
        functions: choose(functions, &names, &arguments.functions)?,
        since,
        filter: arguments.filter.clone(),
        follow: arguments.follow,
    };
    let (context, handle, forward) = until_closed(session, look.context);
    let result = engine::logs(&context, &request, &mut |line| {
        if session.ui.json() {
            session.ui.json_line(&line);
        } else {
            session.ui.out(ui::log_line(&line) + "\n");
        }
        if session.ui.is_closed() {
            handle.cancel();
        }
    })
    .await;
    forward.abort();
    result?;
    // Ctrl-C is how following ends; anything else was cut short by it.
    if session.cancel.is_cancelled() && !arguments.follow {
        return Err(super::interrupt::error("nothing was changed"));
    }
    Ok(0)
}

/// Makes a context whose work ends by Ctrl-C, or by the handle: when whoever reads the output leaves.
pub(super) fn until_closed(
    session: &Session,
    mut context: Context,
) -> (Context, CancelHandle, tokio::task::JoinHandle<()>) {
    let (handle, closed) = Cancel::new();
    context.cancel = closed;
    let outer = session.cancel.clone();
    let stopper = handle.clone();
    let forward = tokio::spawn(async move {
        outer.cancelled().await;
        stopper.cancel();
    });
    (context, handle, forward)
}

/// Returns the functions that the arguments name: by stack, or one by one; all, where there are no arguments.
fn choose(
    functions: Vec<DeployedFunction>,
    stacks: &[(String, String)],
    wanted: &[String],
) -> Result<Vec<DeployedFunction>> {
    if wanted.is_empty() {
        return Ok(functions);
    }
    let mut chosen: Vec<DeployedFunction> = Vec::new();
    for name in wanted {
        let stack = stacks
            .iter()
            .find(|(id, full)| id == name || full == name)
            .map(|(_, full)| full);
        let found: Vec<&DeployedFunction> = match stack {
            Some(stack) => functions
                .iter()
                .filter(|function| function.stack == *stack)
                .collect(),
            None => vec![invoke::find(&functions, stacks, name)?],
        };
        for function in found {
            if !chosen.contains(function) {
                chosen.push(function.clone());
            }
        }
    }
    Ok(chosen)
}
