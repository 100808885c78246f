//! The change sets that a stack holds.

use std::time::{Duration, SystemTime};

use super::PREFIX;
use crate::aws::{AwsError, Clients, OrAws};
use crate::engine::inspect::time;

/// A change set of ours that nobody executed is removed after this time: a run that was killed left it.
const LEFTOVER_AGE: Duration = Duration::from_hours(1);

/// A change set that a stack holds.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Listed {
    pub(in crate::engine) id: String,
    pub(in crate::engine) name: String,
    pub(in crate::engine) created: Option<SystemTime>,
    executable: bool,
}

impl Listed {
    /// Returns whether a run of ours made it.
    pub(in crate::engine) fn is_ours(&self) -> bool {
        self.name.starts_with(PREFIX)
    }

    /// Returns whether it can still be executed.
    pub(in crate::engine) fn is_waiting(&self) -> bool {
        self.executable
    }

    /// Returns whether a run of ours left it behind: it is older than any run takes to ask for approval.
    pub(in crate::engine) fn is_leftover(&self, now: SystemTime) -> bool {
        self.is_ours()
            && self.executable
            && self
                .created
                .and_then(|created| now.duration_since(created).ok())
                .is_some_and(|age| age > LEFTOVER_AGE)
    }
}

/// Removes change sets that nobody executes any more.
pub(in crate::engine) async fn remove_all(
    clients: &Clients,
    listed: impl Iterator<Item = &Listed>,
) -> Result<(), AwsError> {
    for listed in listed {
        clients
            .cloudformation
            .delete_change_set()
            .change_set_name(&listed.id)
            .send()
            .await
            .or_aws(clients, "DeleteChangeSet")?;
    }
    Ok(())
}

/// Lists the change sets of a stack that exists, by its name or id.
pub(in crate::engine) async fn list(
    clients: &Clients,
    stack: &str,
) -> Result<Vec<Listed>, AwsError> {
    // `arn:..:stack/NAME/ID`: the local engine knows change sets by the name of their stack only.
    let stack = stack.split('/').nth(1).unwrap_or(stack);
    let mut listed = Vec::new();
    let mut next = None;
    loop {
        let page = clients
            .cloudformation
            .list_change_sets()
            .stack_name(stack)
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, "ListChangeSets")?;
        for summary in page.summaries.unwrap_or_default() {
            if let (Some(id), Some(name)) = (summary.change_set_id, summary.change_set_name) {
                listed.push(Listed {
                    id,
                    name,
                    created: summary.creation_time.and_then(time),
                    executable: summary.execution_status.is_some_and(|status| {
                        matches!(status.as_str(), "AVAILABLE" | "UNAVAILABLE")
                    }),
                });
            }
        }
        next = page.next_token;
        if next.is_none() {
            return Ok(listed);
        }
    }
}
