//! Waits until nothing runs on a stack, and mends what a change set cannot be made for.

use std::{sync::Arc, time::SystemTime};

use stack_model::assembly::StackManifest;

use super::{
    check_cancelled,
    operation::{aws, delete, interrupted, stopped_error},
};
use crate::engine::{
    Context, DeployedStack, Event, StackError, activity,
    change_set::{self, PREFIX},
    inspect,
    recover::{self, Step},
};

/// Brings a stack to a status that allows a change set. Returns the stack, or nothing where it has to be created.
pub(super) async fn settle(
    context: &Context,
    stack: &Arc<StackManifest>,
) -> Result<Option<DeployedStack>, StackError> {
    let mut began_anew = false;
    let mut joined = Joined::default();
    loop {
        check_cancelled(context, stack)?;
        let deployed = inspect::describe(&context.clients, &stack.name)
            .await
            .map_err(|source| aws(stack, source))?;
        let step = recover::step(&stack.name, deployed.as_ref());
        match (step, deployed) {
            (Step::Update, Some(deployed)) => return Ok(Some(deployed)),
            (Step::Running, Some(deployed)) => join(context, stack, &deployed, &mut joined).await?,
            (Step::Review, Some(deployed)) => {
                let listed = change_set::list(&context.clients, &deployed.id)
                    .await
                    .map_err(|source| aws(stack, source))?;
                return match recover::foreign(&listed) {
                    None => Ok(None),
                    Some(foreign) => Err(StackError::InReview {
                        stack: stack.name.clone(),
                        change_set: foreign.name.clone(),
                    }),
                };
            }
            (Step::StartAnew(action), Some(deployed)) if !began_anew => {
                began_anew = true;
                context.emit(Event::StackRecovering {
                    stack: stack.name.clone(),
                    status: deployed.status.clone(),
                    action: action.to_owned(),
                });
                delete(context, stack, &deployed.id).await?;
            }
            (Step::StartAnew(_), Some(deployed)) => {
                return Err(StackError::Stuck {
                    stack: stack.name.clone(),
                    status: deployed.status,
                    reason: deployed.reason,
                    hints: vec!["somebody else deploys this stack at the same time".into()],
                });
            }
            (Step::Stop(error), _) => return Err(error),
            (Step::Create, _) | (_, None) => return Ok(None),
        }
    }
}

/// The operation that was waited for last, and how often its stack was said to be busy with it after its end.
#[derive(Debug, Default)]
pub(in crate::engine) struct Joined {
    token: Option<String>,
    looks: usize,
}

/// Waits for an operation of ours that an earlier run began. Somebody else's is an error.
///
/// The described status of a stack lags behind its events, so a stack may seem busy with an operation whose end was
/// seen already: then only a little time has to pass.
pub(in crate::engine) async fn join(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    joined: &mut Joined,
) -> Result<(), StackError> {
    let running = activity::running(&context.clients, &deployed.id)
        .await
        .map_err(|source| aws(stack, source))?;
    match running.token {
        Some(token) if joined.token.as_ref() == Some(&token) => {
            let wait = context.pace.waits().nth(joined.looks).unwrap_or_default();
            joined.looks += 1;
            tokio::select! {
                () = context.timing.sleep(wait) => Ok(()),
                () = context.cancel.cancelled() => {
                    Err(interrupted(stack, Some(deployed.status.clone())))
                }
            }
        }
        Some(token) if token.starts_with(PREFIX) => {
            context.emit(Event::StackJoined {
                stack: stack.name.clone(),
                status: deployed.status.clone(),
            });
            activity::follow(context, &deployed.id, &token, Some(stack), None)
                .await
                .map_err(|stopped| stopped_error(stack, stopped))?;
            *joined = Joined {
                token: Some(token),
                looks: 0,
            };
            Ok(())
        }
        _ => Err(StackError::Busy {
            stack: stack.name.clone(),
            status: deployed.status.clone(),
            since: running
                .since
                .or_else(|| deployed.changed.map(rfc3339))
                .unwrap_or_else(|| "an unknown time".into()),
        }),
    }
}

fn rfc3339(time: SystemTime) -> String {
    aws_smithy_types::DateTime::from(time)
        .fmt(aws_smithy_types::date_time::Format::DateTime)
        .unwrap_or_default()
}
