//! What happens during an operation, as typed events.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

use super::{Concern, Failure, FirstCause, InstanceResult, ProposedChanges, StackStatus};

/// One thing that happened. Under `--json` each is one line; `type` names the variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The engine begins with a stack.
    StackStarted {
        /// The stack.
        stack: String,
        /// The region, where the stack is one of several of its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        region: Option<String>,
    },
    /// Something speaks against the deploy, before it begins.
    PreflightFound {
        /// What.
        concern: Concern,
    },
    /// CloudFormation works on the instances of a stack set.
    StackSetOperating {
        /// The stack set.
        stack_set: String,
        /// `CREATE`, `UPDATE`, `DELETE` or `DETECT_DRIFT`.
        action: String,
        /// The id of the operation.
        operation: String,
    },
    /// An operation on a stack set has ended in an account and region.
    StackSetInstance {
        /// The stack set.
        stack_set: String,
        /// How.
        #[serde(flatten)]
        result: InstanceResult,
    },
    /// A stack is busy with an operation of ours, of an earlier run; the engine waits for it.
    StackJoined {
        /// The stack.
        stack: String,
        /// What it is doing.
        status: StackStatus,
    },
    /// The operation of an earlier run that a deploy waited for has failed, or was rolled back; the deploy goes on with what
    /// is left to do.
    JoinedFailed {
        /// The stack.
        stack: String,
        /// How it ended.
        status: StackStatus,
        /// What failed first, where the events tell.
        #[serde(skip_serializing_if = "Option::is_none")]
        first_cause: Option<FirstCause>,
    },
    /// A stack is busy with an operation of somebody else, and the run was asked to wait for its end.
    StackWaiting {
        /// The stack.
        stack: String,
        /// What it is doing.
        status: StackStatus,
        /// Who began that: an ARN, or what is known.
        by: String,
        /// Since when, in RFC 3339.
        since: String,
    },
    /// Another run has computed changes of the same stack and may execute them first; whoever comes second is told.
    StackContended {
        /// The stack.
        stack: String,
        /// Who: an ARN, or what is known.
        by: String,
        /// Since when, in RFC 3339.
        since: String,
    },
    /// A stack is in a status that allows no update, and the engine mends that first.
    StackRecovering {
        /// The stack.
        stack: String,
        /// The status.
        status: StackStatus,
        /// What is done about it, as a fragment: `removing the failed first deploy`.
        action: String,
    },
    /// An artifact is in the bucket already.
    ArtifactPresent {
        /// The asset.
        asset: String,
        /// The object key.
        key: String,
    },
    /// An artifact is being uploaded.
    ArtifactUploading {
        /// The asset.
        asset: String,
        /// The object key.
        key: String,
        /// The size in bytes.
        size: u64,
    },
    /// An artifact was uploaded.
    ArtifactUploaded {
        /// The asset.
        asset: String,
        /// The object key.
        key: String,
        /// The size in bytes.
        size: u64,
    },
    /// A bucket is compared with a folder or filled with it. Told at the beginning, after each hundred objects and at the
    /// end, where there are as many.
    ContentProgress {
        /// The stack.
        stack: String,
        /// The name of the declaration.
        content: String,
        /// The bucket.
        bucket: String,
        /// What is being done.
        step: ContentStep,
        /// The number of objects that are done.
        done: usize,
        /// The number of objects of this step.
        total: usize,
    },
    /// A bucket was filled with a folder.
    ContentPublished {
        /// The stack.
        stack: String,
        /// The name of the declaration.
        content: String,
        /// The bucket.
        bucket: String,
        /// The number of objects that are new.
        added: usize,
        /// The number of objects that were written anew.
        changed: usize,
        /// The number of objects that were deleted.
        removed: usize,
    },
    /// A stack keeps exports that it would give up, because other stacks import them. Once all importers were updated,
    /// the same deploy removes them; else a later one does.
    ExportsKept {
        /// The command that gives them up, where this deploy does not.
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<String>,
        /// The importing stacks that are not in the assembly: no command here lets them go.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        foreign: Vec<String>,
        /// The stack.
        stack: String,
        /// The importing stacks, by the name of the export.
        importers: BTreeMap<String, Vec<String>>,
    },
    /// Resources are renamed by import, in several updates, of which this is the next.
    ResourcesMoving {
        /// The stack.
        stack: String,
        /// The renames, old to new logical ids; none in the last update.
        moves: BTreeMap<String, String>,
        /// What the update does, as a fragment: `importing it under its new name`.
        step: String,
    },
    /// A function was given code past CloudFormation.
    CodeUpdated {
        /// The stack.
        stack: String,
        /// The logical id.
        logical_id: String,
        /// The object key of the code.
        key: String,
    },
    /// A state machine was given its definition past CloudFormation.
    DefinitionUpdated {
        /// The stack.
        stack: String,
        /// The logical id.
        logical_id: String,
    },
    /// A change set is being computed.
    ChangeSetCreating {
        /// The stack.
        stack: String,
        /// Whether the stack is new.
        create: bool,
    },
    /// The last operation on a stack was rolled back, and what is deployed is what the source says: nothing is left to do.
    StackSettled {
        /// The stack.
        stack: String,
        /// The status that it keeps.
        status: StackStatus,
    },
    /// A change set is ready to be approved.
    ChangeSetReady {
        /// What it would do.
        changes: ProposedChanges,
    },
    /// The approved change set is being executed.
    ChangeSetExecuting {
        /// The stack.
        stack: String,
        /// The number of resources that change.
        changes: usize,
        /// How many of those are in no plan that was agreed to: CloudFormation looks at them again because they refer to
        /// others.
        #[serde(skip_serializing_if = "is_zero")]
        follow: usize,
        /// What changes besides, as far as a plan says so: paths that begin with the section of the template, or `Tags`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        besides: Vec<String>,
        /// Whether in express mode: CloudFormation does not wait until resources are ready.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        express: bool,
    },
    /// A stack is being rolled back.
    StackRollingBack {
        /// The stack.
        stack: String,
        /// The status from which.
        status: StackStatus,
        /// The resources that are left as they are.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        skip: Vec<String>,
    },
    /// Something deserves attention and stops nothing.
    Warning {
        /// The stack.
        stack: String,
        /// What, as a fragment.
        message: String,
    },
    /// A stack is being deleted.
    StackDeleting {
        /// The stack.
        stack: String,
    },
    /// A bucket is being emptied before its stack is deleted.
    BucketEmptying {
        /// The stack.
        stack: String,
        /// The logical id.
        logical_id: String,
        /// The number of objects and versions that were removed so far.
        objects: usize,
    },
    /// A log group was removed that a service made by itself for a resource of a stack.
    LogGroupRemoved {
        /// The stack.
        stack: String,
        /// The name of the log group.
        log_group: String,
    },
    /// A bucket was emptied before its stack is deleted.
    BucketEmptied {
        /// The stack.
        stack: String,
        /// The logical id.
        logical_id: String,
        /// The number of objects and versions that were removed.
        objects: usize,
    },
    /// A resource of a stack changed its status.
    Resource(ResourceEvent),
    /// A smoke check of a stack was answered as it should be.
    SmokeAnswered {
        /// The stack.
        stack: String,
        /// The name of the check.
        check: String,
        /// The HTTP method.
        method: String,
        /// The address that was asked.
        url: String,
        /// The status of the answer.
        status: u16,
    },
    /// A smoke check failed, and a released function was led back to the version that was live before.
    AliasLedBack {
        /// The stack.
        stack: String,
        /// The logical id of the alias.
        logical_id: String,
        /// The version that the deploy released.
        from: String,
        /// The version that is live now.
        to: String,
    },
    /// A stack does what it should, as far as was looked.
    StackProven {
        /// The stack.
        stack: String,
        /// The number of functions that can be invoked and have the code that was built.
        functions: usize,
        /// The number of event source mappings that read.
        triggers: usize,
        /// The number of stages of APIs that serve the deployment that was made for them.
        stages: usize,
        /// The number of custom domain names that were looked at.
        domains: usize,
        /// The names of the smoke checks that were answered.
        answered: Vec<String>,
    },
    /// A stack was brought to the state it should have, or was in it.
    StackFinished {
        /// The stack.
        stack: String,
        /// What was done.
        outcome: Outcome,
        /// The outputs.
        outputs: BTreeMap<String, String>,
    },
    /// A stack could not be brought to the state it should have.
    StackFailed {
        /// The stack.
        stack: String,
        /// Why.
        failure: Failure,
    },
    /// A stack was left alone because of another.
    StackSkipped {
        /// The stack.
        stack: String,
        /// The stack it depends on, which failed or was not approved.
        because: String,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What is done with the objects of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentStep {
    /// They are compared with the files of a folder.
    Looking,
    /// They are written.
    Writing,
    /// They are removed, as no file stands for them.
    Removing,
}

/// How a stack ended up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was created.
    Created,
    /// It was updated.
    Updated,
    /// It was as it should be.
    Unchanged,
    /// It was deleted.
    Deleted,
    /// It was rolled back.
    RolledBack,
    /// There was no such stack.
    Absent,
    /// Its change set was not approved.
    Declined,
    /// A stack it depends on failed or was not approved.
    Skipped,
    /// It failed.
    Failed,
    /// The run was stopped before it was done.
    Interrupted,
}

impl Outcome {
    /// Returns whether the stack is in the state it should have.
    pub fn is_good(self) -> bool {
        matches!(
            self,
            Self::Created
                | Self::Updated
                | Self::Unchanged
                | Self::Deleted
                | Self::RolledBack
                | Self::Absent
        )
    }

    /// Returns whether anything of the stack may be different than before.
    pub fn may_have_changed(self) -> bool {
        !matches!(
            self,
            Self::Unchanged | Self::Absent | Self::Declined | Self::Skipped
        )
    }
}

/// A resource of a stack changed its status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResourceEvent {
    /// The stack.
    pub stack: String,
    /// The logical id; that of the stack itself is its name.
    pub logical_id: String,
    /// The resource type.
    pub resource_type: String,
    /// The physical id, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// The status of the resource.
    pub status: String,
    /// Why it has this status, where AWS says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it happened, in RFC 3339.
    pub time: String,
    /// Where the resource is declared in the Rust source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl ResourceEvent {
    /// Returns whether this is about the stack as a whole.
    pub fn is_stack(&self) -> bool {
        self.resource_type == "AWS::CloudFormation::Stack" && self.logical_id == self.stack
    }

    /// Returns whether something failed.
    pub fn is_failure(&self) -> bool {
        self.status.ends_with("_FAILED")
    }
}

/// Receives events, from several stacks at once.
#[derive(Clone)]
pub struct EventSink(Arc<dyn Fn(Event) + Send + Sync>);

impl EventSink {
    /// Makes a sink of a function. It must return at once: the engine waits for it.
    pub fn new(sink: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Makes a sink that forgets everything.
    pub fn ignore() -> Self {
        Self::new(|_| {})
    }

    /// Hands an event over.
    pub fn emit(&self, event: Event) {
        (self.0)(event);
    }
}
