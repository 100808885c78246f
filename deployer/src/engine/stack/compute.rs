//! Has CloudFormation compute what an update would do.

use super::{Run, Work, aws, input::token, interrupted, known_hints, refused, remove};
use crate::aws::texts;
use crate::engine::{
    Context, ProposedChanges, StackError,
    change_set::{self, ChangeSet, ChangeSetRequest, Computed},
    express, failure,
};

/// What CloudFormation would do.
pub(super) enum Proposed {
    Changes(ChangeSet, ProposedChanges),
    Nothing,
    /// An operation began between the look at the stack and the change set.
    Busy,
}

/// Has the changes computed: in express mode where the request says so, and once more without where the changes do not
/// suit it. The request says afterwards how it was done.
pub(super) async fn compute(
    run: &Run,
    context: &Context,
    work: &Work,
    request: &mut ChangeSetRequest<'_>,
) -> Result<Proposed, StackError> {
    let stack = request.stack;
    loop {
        request.name = token(
            context,
            &[&stack.name, &work.template],
            &[request.parameters, request.tags],
        );
        let change_set = match change_set::create(&context.clients, request).await {
            Ok(change_set) => change_set,
            Err(source) if request.express && express::is_unknown(&source) => {
                request.express = false;
                continue;
            }
            Err(source) if source.message().is_some_and(texts::says_busy) => {
                return Ok(Proposed::Busy);
            }
            Err(source) => return Err(refused(stack, source)),
        };
        let computed = change_set::computed(context, &change_set, request)
            .await
            .map_err(|source| aws(stack, source))?;
        match computed {
            Computed::Ready(changes) => {
                if request.express && express::objection(&changes).is_some() {
                    // A stack that exists for this change set only holds the next one, too.
                    remove(context, stack, &change_set, false).await?;
                    request.express = false;
                    continue;
                }
                return Ok(Proposed::Changes(change_set, changes));
            }
            Computed::Nothing => {
                remove(context, stack, &change_set, request.create).await?;
                return Ok(Proposed::Nothing);
            }
            Computed::Failed(reason) => {
                let mut hints = known_hints(&reason);
                let (reason, findings) =
                    failure::say(&context.clients, &change_set.id, reason).await;
                if !findings.is_empty() {
                    run.approve.found(&stack.name, &findings);
                }
                if let Err(error) = remove(context, stack, &change_set, request.create).await {
                    hints.push(format!(
                        "change set {} is still there: {error}",
                        request.name
                    ));
                }
                return Err(StackError::ChangeSet {
                    stack: stack.name.clone(),
                    reason,
                    hints,
                });
            }
            Computed::Cancelled => {
                remove(context, stack, &change_set, request.create).await?;
                return Err(interrupted(stack, None));
            }
        }
    }
}
