//! What CloudFormation says of a change set besides its changes: what it found, and the hooks that will run.

use serde::Serialize;

use super::{ChangeSet, ProposedChanges};
use crate::aws::{AwsError, OrAws};
use crate::engine::{Context, Event, failure, inspect::present};

/// How often is asked for the hooks of a change set: they are planned soon after it.
const LOOKS: usize = 5;

/// A hook that looks at a resource before CloudFormation touches it.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ChangeSetHook.html>.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Hook {
    /// The logical id of the resource, where it looks at one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical_id: Option<String>,
    /// The type of the hook.
    pub hook_type: String,
    /// What happens where it finds fault, in the word of AWS: `FAIL` stops the operation, `WARN` does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_mode: Option<String>,
}

impl Hook {
    /// Says that it will run, and what that may do.
    pub fn text(&self) -> String {
        let consequence = match self.failure_mode.as_deref() {
            Some("FAIL") => ", and can stop the operation",
            Some("WARN") => ", and can only warn",
            _ => "",
        };
        format!("hook {} will run{consequence}", self.hook_type)
    }
}

/// Adds what CloudFormation found and which hooks will run. Whoever may not ask is told so, and goes on: CloudFormation
/// itself stops what it refuses.
pub(in crate::engine) async fn ask(
    context: &Context,
    change_set: &ChangeSet,
    changes: &mut ProposedChanges,
) {
    let (findings, hooks) = tokio::join!(
        failure::findings(&context.clients, &change_set.id, false),
        hooks(context, change_set)
    );
    let stack = changes.stack.clone();
    let unread = |what: &str, error: &AwsError| {
        context.emit(Event::Warning {
            stack: stack.clone(),
            message: format!("nobody knows {what}: {error}"),
        });
    };
    match findings {
        Ok(findings) => changes.findings = findings,
        Err(error) => unread("what CloudFormation found about the change set", &error),
    }
    match hooks {
        Ok(hooks) => changes.hooks = hooks,
        // An endpoint that does not know the call has no hooks: the local engine.
        Err(error) if error.code() == Some("InvalidAction") => {}
        Err(error) => unread("which hooks will run", &error),
    }
}

/// Returns the hooks that will run when a change set is executed.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSetHooks.html>.
async fn hooks(context: &Context, change_set: &ChangeSet) -> Result<Vec<Hook>, AwsError> {
    let clients = &context.clients;
    let mut waits = context.pace.waits().take(LOOKS);
    let mut found = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let page = clients
            .cloudformation
            .describe_change_set_hooks()
            .change_set_name(&change_set.id)
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, "DescribeChangeSetHooks")?;
        let is_planning = page
            .status
            .is_some_and(|status| status.as_str() == "PLANNING");
        if is_planning && let Some(wait) = waits.next() {
            tokio::select! {
                () = context.timing.sleep(wait) => {}
                () = context.cancel.cancelled() => return Ok(Vec::new()),
            }
            found.clear();
            next = None;
            continue;
        }
        for hook in page.hooks.unwrap_or_default() {
            let resource = hook
                .target_details
                .and_then(|target| target.resource_target_details);
            found.push(Hook {
                logical_id: resource.and_then(|resource| present(resource.logical_resource_id)),
                hook_type: hook.type_name.unwrap_or_default(),
                failure_mode: hook.failure_mode.map(|mode| mode.as_str().to_owned()),
            });
        }
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}
