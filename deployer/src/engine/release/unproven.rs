//! What nobody has proven yet: a stack that a deploy changes, until all looks at it were good.
//!
//! A deploy that is killed between its update and its looks leaves a stack that CloudFormation calls good and that nobody
//! looked at. So this is written down right before the update begins, with the versions that were live then, and forgotten
//! when the stack was found to do what it should. The list of the states of a region, which every deploy reads, tells
//! whether it is there. Where it is not, nothing is held against the stack: it was proven, or it is older than all this.
//!
//! Nor is anything where the update never began: a run may be killed right after it wrote this, or may not execute a change
//! set. The state of the stack tells, which any update changes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::mark;
use crate::{
    aws::{AwsError, Clients, Fault, object},
    engine::{Context, DeployedStack, StackTarget, bootstrap, inspect, state_key::About},
};

/// A stack that nobody has proven since it was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct Unproven {
    /// The ARN of the stack: one that is made anew under the same name has another.
    pub(in crate::engine) stack_id: String,
    /// The aliases that were there before, by logical id.
    #[serde(default)]
    pub(in crate::engine) aliases: BTreeMap<String, NotedAlias>,
    /// The aliases of which nobody could find out what they named, by logical id.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(in crate::engine) unknown: BTreeSet<String>,
    /// The [state](mark::any_state) in which the stack was when this was written: as long as it is in it, nothing has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::engine) before: Option<String>,
    /// Whether nobody had proven the stack before either.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::engine) carried: bool,
}

/// What an alias named before an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct NotedAlias {
    /// The ARN of the function, which does for its name.
    pub(in crate::engine) function: String,
    pub(in crate::engine) name: String,
    /// The version that was live, and is to stay so where the update is rolled back.
    pub(in crate::engine) live: String,
    /// The version that a failed check leads back to: the live one, or the one before it that was live last when nothing
    /// was held against the stack.
    pub(in crate::engine) good: String,
}

impl Unproven {
    /// Reads what is written down about a stack; none, where it is about an earlier one of the same name.
    pub(in crate::engine) async fn read(
        clients: &Clients,
        bucket: &str,
        stack: &str,
        stack_id: &str,
    ) -> Result<Option<Self>, AwsError> {
        let found = Self::of(clients, bucket, stack).await?;
        Ok(found.filter(|it| it.stack_id == stack_id))
    }

    /// Reads what is written down under the name of a stack.
    pub(super) async fn of(
        clients: &Clients,
        bucket: &str,
        stack: &str,
    ) -> Result<Option<Self>, AwsError> {
        let object = match object::read(clients, bucket, &About::Unproven.key(stack)).await {
            Ok(object) => object,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(error),
        };
        serde_json::from_slice(&object.bytes)
            .map(Some)
            .map_err(|_| AwsError::incomplete("GetObject", "state that this version can read"))
    }

    /// Returns whether anything is unproven of a stack as it is now: the update that was to begin may never have begun.
    pub(in crate::engine) fn holds(&self, deployed: &DeployedStack) -> bool {
        self.stack_id == deployed.id && self.holds_in(mark::any_state(deployed).as_deref())
    }

    /// The same of the stack that this is of, in a [state](mark::any_state).
    fn holds_in(&self, state: Option<&str>) -> bool {
        self.carried || self.before.is_none() || self.before.as_deref() != state
    }

    /// Writes it down.
    pub(in crate::engine) async fn write(
        &self,
        clients: &Clients,
        bucket: &str,
        stack: &str,
    ) -> Result<(), AwsError> {
        // Texts and maps of texts are always JSON.
        let body = serde_json::to_vec(self).unwrap_or_default();
        object::write(clients, bucket, &About::Unproven.key(stack), body).await
    }
}

/// Returns whether nobody has proven a stack, as it is in this [state](mark::any_state), since it was changed.
pub(in crate::engine) async fn is_unproven(
    clients: &Clients,
    bucket: &str,
    (stack, id, state): (&str, &str, Option<&str>),
) -> Result<bool, AwsError> {
    let found = Unproven::read(clients, bucket, stack, id).await?;
    Ok(found.is_some_and(|found| found.holds_in(state)))
}

/// Returns whether nobody has proven a deployed stack since it was changed: the deploy that changed it ended before its looks,
/// or found that it does not do what it should. Nobody does of one that is not there, or being changed.
pub async fn unproven(context: &Context, stack: &StackTarget) -> Result<bool, AwsError> {
    let context = context.in_region(stack.region.as_deref());
    let clients = &context.clients;
    let deployed = inspect::describe(clients, &stack.name).await?;
    let Some(deployed) = deployed.filter(|it| it.status.is_settled()) else {
        return Ok(false);
    };
    let Some(bucket) = bootstrap::existing(&context).await? else {
        return Ok(false);
    };
    let state = mark::any_state(&deployed);
    let stack = (&*stack.name, &*deployed.id, state.as_deref());
    is_unproven(clients, &bucket, stack).await
}

/// Forgets it.
pub(in crate::engine) async fn forget(
    clients: &Clients,
    bucket: &str,
    stack: &str,
) -> Result<(), AwsError> {
    let forgotten = object::delete(clients, bucket, &About::Unproven.key(stack)).await;
    match forgotten {
        // Whoever may write may not always delete: what is about no stack says nothing.
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {
            Unproven::default().write(clients, bucket, stack).await
        }
        forgotten => forgotten,
    }
}
