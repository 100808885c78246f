//! Waits until nothing runs on a stack, and mends what a change set cannot be made for.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

use stack_model::assembly::StackManifest;

use super::{
    check_cancelled,
    operation::{aws, delete, interrupted, stopped_error},
    outside,
};
use crate::engine::{
    Context, DeployedStack, Event, FirstCause, StackError, activity, change_set,
    change_set::Listed,
    destroy::fallen,
    inspect, owner, ownership,
    recover::{self, STAGE_TAG},
    status::{DeployStep, State, Way},
    stuck,
};

/// A stack that allows a change set.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// The stack; nothing, where it has to be created.
    pub(super) deployed: Option<DeployedStack>,
    /// The change sets of earlier runs that it holds, where it holds nothing else.
    pub(super) waiting: Vec<Listed>,
}

/// Brings a stack to a status that allows a change set.
pub(super) async fn settle(
    context: &Context,
    stack: &Arc<StackManifest>,
) -> Result<Settled, StackError> {
    let mut began_anew = false;
    let mut joined = Joined::default();
    loop {
        check_cancelled(context, stack)?;
        let Some(deployed) = inspect::describe(&context.clients, &stack.name)
            .await
            .map_err(|source| aws(stack, source))?
        else {
            return Ok(Settled::default());
        };
        let step = State::of(Some(&deployed)).deploy();
        if step != DeployStep::Create {
            ownership::check(context, &deployed)?;
        }
        match step {
            DeployStep::Create => return Ok(Settled::default()),
            DeployStep::Update => {
                return Ok(Settled {
                    deployed: Some(deployed),
                    waiting: Vec::new(),
                });
            }
            DeployStep::Follow => {
                join(context, stack, &deployed, &mut joined).await?;
                if let Some(ended) = joined.news.take_if(|ended| !ended.status.is_good()) {
                    context.emit(Event::JoinedFailed {
                        stack: stack.name.clone(),
                        first_cause: FirstCause::find(&ended.events),
                        status: ended.status,
                    });
                }
            }
            DeployStep::Review => {
                return Ok(Settled {
                    deployed: None,
                    waiting: check_review(context, stack, &deployed).await?,
                });
            }
            DeployStep::StartAnew if !deployed.tags.contains_key(STAGE_TAG) => {
                return Err(stuck::error(context, &stack.name, deployed, Way::NotOurs).await);
            }
            DeployStep::StartAnew if !began_anew => {
                began_anew = true;
                context.emit(Event::StackRecovering {
                    stack: stack.name.clone(),
                    status: deployed.status.clone(),
                    action: "removing the first deploy, which failed".to_owned(),
                });
                // Once the stack is gone, nobody knows any more what it kept.
                let kept = fallen::kept(context, &deployed)
                    .await
                    .map_err(|source| aws(stack, source))?;
                if let Some(kept) = kept {
                    outside::fallen(context, &stack.name, kept);
                }
                delete(context, stack, &deployed.id, &BTreeSet::new()).await?;
            }
            DeployStep::StartAnew => {
                return Err(StackError::Stuck {
                    stack: stack.name.clone(),
                    status: deployed.status,
                    reason: deployed.reason,
                    failed: Vec::new(),
                    hints: vec!["somebody else deploys this stack at the same time".into()],
                });
            }
            DeployStep::Offer(way) => {
                return Err(stuck::error(context, &stack.name, deployed, way).await);
            }
        }
    }
}

/// Refuses a stack that waits for somebody to review a change set that is none of ours. Returns those that are ours.
pub(in crate::engine) async fn check_review(
    context: &Context,
    stack: &StackManifest,
    deployed: &DeployedStack,
) -> Result<Vec<Listed>, StackError> {
    let listed = change_set::list(&context.clients, &deployed.id)
        .await
        .map_err(|source| aws(stack, source))?;
    match recover::foreign(&listed) {
        None => Ok(listed),
        Some(foreign) => Err(StackError::InReview {
            stack: stack.name.clone(),
            change_set: foreign.name.clone(),
        }),
    }
}

/// How long the described status of a stack may lag behind its events. It is seconds; a stack of which nothing else becomes
/// known for this long needs somebody who looks at it.
const LAG: Duration = Duration::from_mins(10);

/// The operation that was waited for last, and how often its stack was said to be busy with it since.
#[derive(Debug, Default)]
pub(in crate::engine) struct Joined {
    running: Option<activity::Running>,
    looks: usize,
    /// Whether its end was seen.
    ended: bool,
    /// How it ended, until that is told.
    news: Option<activity::Ended>,
}

/// Waits for a running operation: for one that an earlier run of the same caller began by following it, for one of
/// somebody else by looking now and then, where that was asked for, and otherwise not at all, which is an error.
///
/// The described status of a stack lags behind its events, so a stack may seem busy with an operation whose end was
/// seen already: then only a little time has to pass, and no more than that is waited.
pub(in crate::engine) async fn join(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    joined: &mut Joined,
) -> Result<(), StackError> {
    let running = activity::running(&context.clients, &deployed.id)
        .await
        .map_err(|source| aws(stack, source))?;
    let before = joined.running.as_ref();
    if before.is_some_and(|before| before.token == running.token) {
        let wait = if joined.ended {
            context.pace.waits_within(LAG).nth(joined.looks)
        } else {
            // Whoever asked to wait for somebody else waits until CloudFormation or that one ends it.
            context.pace.waits().nth(joined.looks)
        };
        let Some(wait) = wait else {
            return Err(StackError::Stuck {
                stack: stack.name.clone(),
                status: deployed.status.clone(),
                reason: Some(
                    "its events tell that the operation has ended, and its description does not"
                        .to_owned(),
                ),
                failed: Vec::new(),
                hints: vec!["run the same command again in a while".to_owned()],
            });
        };
        joined.looks += 1;
        return tokio::select! {
            () = context.timing.sleep(wait) => Ok(()),
            () = context.cancel.cancelled() => {
                Err(interrupted(stack, Some(deployed.status.clone())))
            }
        };
    }
    let caller = context.clients.identity();
    let mut news = None;
    let ours = running
        .token
        .as_deref()
        .filter(|token| owner::is_ours(token, caller));
    if let Some(token) = ours {
        context.emit(Event::StackJoined {
            stack: stack.name.clone(),
            status: deployed.status.clone(),
        });
        let ended = activity::follow(context, &deployed.id, token, Some(stack), None)
            .await
            .map_err(|stopped| stopped_error(stack, stopped))?;
        // The run that began it did not see what it kept.
        outside::ended(context, stack, &deployed.id, &ended).await;
        news = Some(ended);
    } else {
        let name = stack.name.clone();
        let status = deployed.status.clone();
        let by = owner::name(running.token.as_deref(), caller);
        let since = running
            .since
            .clone()
            .or_else(|| deployed.changed.map(rfc3339))
            .unwrap_or_else(|| "an unknown time".into());
        if !context.wait {
            return Err(StackError::Busy {
                stack: name,
                status,
                since,
                by,
            });
        }
        context.emit(Event::StackWaiting {
            stack: name,
            status,
            by,
            since,
        });
    }
    *joined = Joined {
        ended: ours.is_some(),
        running: Some(running),
        looks: 0,
        news,
    };
    Ok(())
}

/// Returns the time that a text in RFC 3339 tells.
pub(super) fn time(text: &str) -> Option<SystemTime> {
    let format = aws_smithy_types::date_time::Format::DateTime;
    let time = aws_smithy_types::DateTime::from_str(text, format).ok()?;
    SystemTime::try_from(time).ok()
}

pub(in crate::engine) fn rfc3339(time: SystemTime) -> String {
    aws_smithy_types::DateTime::from(time)
        .fmt(aws_smithy_types::date_time::Format::DateTime)
        .unwrap_or_default()
}
