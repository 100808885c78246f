//! Carries out a change set: held to what was agreed to, approved, executed, and followed to its end.

use std::sync::Arc;

use stack_model::assembly::StackManifest;

use super::{
    Run, Work, anew, archive, aws, execute, given_up,
    operation::{Executed, remove_waiting},
    outside, protection, remove,
};
use crate::engine::{
    Context, Decision, DeployedStack, Event, ProposedChanges, StackError,
    change_set::{self, ChangeSet, Listed},
    handover,
    proof::Note,
    stack::interrupted,
};

/// A change set that was computed, and what it was made from.
pub(super) struct Order<'a> {
    pub(super) work: &'a Work,
    /// The stack before it; nothing, where it is created.
    pub(super) deployed: Option<&'a DeployedStack>,
    pub(super) change_set: ChangeSet,
    pub(super) changes: ProposedChanges,
    /// The name, which is the token of its execution too.
    pub(super) name: String,
    /// Whether it is executed in express mode.
    pub(super) express: bool,
}

impl Order<'_> {
    fn stack(&self) -> &Arc<StackManifest> {
        &self.work.manifest
    }

    /// Removes the change set, and the stack with it that holds nothing else.
    async fn remove(&self, context: &Context) -> Result<(), StackError> {
        let is_new = self.deployed.is_none();
        remove(context, self.stack(), &self.change_set, is_new).await
    }

    /// Returns whether the stack is still the one that was agreed to; fails where others would lose what they import.
    pub(super) async fn holds(
        &self,
        run: &Run,
        context: &Context,
        literals: &handover::Texts,
    ) -> Result<bool, StackError> {
        let Some(deployed) = self.deployed else {
            return Ok(true);
        };
        let stack = self.stack();
        if !anew::is_still(run, context, stack, &deployed.id).await? {
            self.remove(context).await?;
            return Ok(false);
        }
        let template = &self.work.template;
        let refused = handover::refuse(context, deployed, template, literals, &self.changes)
            .await
            .map_err(|source| aws(stack, source));
        if let Some(error) = refused.transpose() {
            self.remove(context).await?;
            return Err(error.unwrap_or_else(|error| error));
        }
        Ok(true)
    }

    /// Shows the changes, and returns whether they are to be made.
    pub(super) async fn is_approved(
        &mut self,
        run: &Run,
        context: &Context,
    ) -> Result<bool, StackError> {
        let name = &self.work.manifest.name;
        if run.agreed.knows(name) {
            change_set::ask(context, &self.change_set, &mut self.changes).await;
        }
        self.changes.partial = run.handovers.in_parts(name);
        context.emit(Event::ChangeSetReady {
            changes: self.changes.clone(),
        });
        let decision = {
            let _turn = run.approving.lock().await;
            tokio::select! {
                biased;
                () = context.cancel.cancelled() => None,
                decision = run.approve.approve(&self.changes) => Some(decision),
            }
        };
        match decision {
            Some(Decision::Execute) => Ok(true),
            Some(Decision::Decline) => {
                self.remove(context).await?;
                Ok(false)
            }
            None => {
                self.remove(context).await?;
                Err(interrupted(self.stack(), None))
            }
        }
    }

    /// Executes the change set once it is the turn of its stack, and follows it to its end. `waiting` are change sets of earlier
    /// runs that go, and `note` says what is written down about the aliases of the stack.
    pub(super) async fn carry_out(
        &self,
        run: &Run,
        context: &Context,
        waiting: &[Listed],
        note: &mut Option<Note>,
    ) -> Result<Executed, StackError> {
        let (work, stack, changes) = (self.work, self.stack(), &self.changes);
        let turn = run.turns.take(&stack.name, &context.cancel).await;
        let Some(_turn) = turn else {
            self.remove(context).await?;
            return Err(interrupted(stack, None));
        };
        context.emit(Event::ChangeSetExecuting {
            stack: stack.name.clone(),
            changes: changes.changes.len(),
            follow: run.agreed.follow(changes),
            besides: run.agreed.besides(&stack.name),
            express: self.express,
        });
        remove_waiting(context, stack, waiting).await?;
        archive::lead_back(context, work, note).await;
        let stack_id = &self.change_set.stack_id;
        let before = (stack_id.as_str(), self.deployed);
        archive::note(run, context, work, before, &changes.changes, note).await;
        let opened = async {
            let operation = (self.name.as_str(), changes);
            outside::foresee(context, stack, self.deployed, &work.template, operation).await?;
            protection::open(context, stack, stack_id, changes).await
        };
        let opened = match opened.await {
            Ok(opened) => opened,
            Err(error) => {
                outside::forget(context, &stack.name);
                return Err(given_up(context, stack, &self.change_set, error).await);
            }
        };
        let executed = execute(context, stack, &self.change_set, &self.name).await;
        let closed = match &executed {
            Ok(Executed::Done(_)) => Some(protection::closed(&work.template)),
            // What was to go is there again, or still.
            Ok(Executed::Overtaken(_)) | Err(StackError::Ended { .. }) => opened.clone(),
            // Whatever goes on without us may still need the open policy.
            Err(_) => None,
        };
        if let (Some(_), Some(closed)) = (opened, closed) {
            protection::close(context, stack, stack_id, &closed).await;
        }
        if let Ok(Executed::Overtaken(_)) = &executed {
            outside::forget(context, &stack.name);
            archive::unbegun(run, context, work, note).await;
        }
        executed
    }
}
