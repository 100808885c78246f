//! Protection of a stack of a protected stage: against its deletion, and against updates that destroy what it holds.
//!
//! A stack policy refuses to replace or delete resources that hold data, whoever asks. A change set cannot carry a policy
//! of its own for the time of its execution
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html>), so the policy of the
//! stack is opened for the resources that the approved change set replaces or deletes, and for nothing else, and closed
//! again when it is done. A run that was killed in between leaves it open until a deploy of the stack comes to its end. A
//! policy that somebody else wrote stays as it is. Policies count for updates only; what guards a deletion is the protection of the
//! stack (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html>).

mod denial;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stack_model::assembly::StackManifest;

use super::operation::aws;
use crate::aws::{AwsError, Fault, OrAws};
use crate::engine::{
    Change, Context, DeployedStack, Event, ProposedChanges, Replacement, StackError,
    plan::{Path, PropertyChange, holds_data, moves::Need},
};

/// The most characters that CloudFormation takes for a policy
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_SetStackPolicy.html>).
const LONGEST: usize = 16_384;

/// What a policy of ours denies.
const DENIED: [&str; 2] = ["Update:Replace", "Update:Delete"];

/// Turns protection on where the manifest asks for it. A deploy never turns it off: somebody may have turned it on by
/// hand, and only a destroy asks for the consent to take it away.
pub(super) async fn protect(
    context: &Context,
    stack: &StackManifest,
    template: &str,
    deployed: &DeployedStack,
) -> Result<(), StackError> {
    if !stack.termination_protection {
        return Ok(());
    }
    if !deployed.termination_protection {
        context
            .clients
            .cloudformation
            .update_termination_protection()
            .stack_name(&deployed.id)
            .enable_termination_protection(true)
            .send()
            .await
            .or_aws(&context.clients, "UpdateTerminationProtection")
            .map_err(|source| aws(stack, source))?;
    }
    let guarded = guarded(template);
    if guarded.is_empty() {
        return Ok(());
    }
    let wanted = policy(&guarded);
    let length = wanted.to_string().len();
    if length > LONGEST {
        context.emit(Event::Warning {
            stack: stack.name.clone(),
            message: format!(
                "no stack policy guards its data: one for {} resources has {length} characters, and CloudFormation takes {LONGEST}; divide the stack",
                guarded.len()
            ),
        });
        return Ok(());
    }
    let closed = match present(context, &deployed.id).await {
        Ok(Some(present)) if present == wanted || !is_ours(&present) => Ok(()),
        Ok(_) => set(context, &deployed.id, &wanted).await,
        Err(error) => Err(error),
    };
    match closed {
        // The stack is what it should be, and an older role of a pipeline may do all but this. A policy that names what a
        // condition left out may be refused.
        Err(error)
            if matches!(error.fault(), Fault::Denied { .. })
                || error.code() == Some("ValidationError") =>
        {
            context.emit(Event::Warning {
                stack: stack.name.clone(),
                message: format!("no stack policy guards its data: {error}"),
            });
            Ok(())
        }
        closed => closed.map_err(|source| aws(stack, source)),
    }
}

/// Returns what [`protect`] would change about a stack that is there, for its plan. Who may not read the policy plans
/// without it, as the deploy does without.
pub(in crate::engine) async fn planned(
    context: &Context,
    stack: &StackManifest,
    template: &Value,
    deployed: &DeployedStack,
) -> Result<Vec<PropertyChange>, AwsError> {
    let mut changes = Vec::new();
    if !stack.termination_protection {
        return Ok(changes);
    }
    let path = |key: &str| Path::new("Protection").key(key);
    if !deployed.termination_protection {
        changes.push(PropertyChange {
            path: path("TerminationProtection"),
            before: Some(false.into()),
            after: Some(true.into()),
        });
    }
    let guarded = guarded_in(template);
    let wanted = policy(&guarded);
    if guarded.is_empty() || wanted.to_string().len() > LONGEST {
        return Ok(changes);
    }
    let present = match present(context, &deployed.id).await {
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => return Ok(changes),
        present => present?,
    };
    let before: BTreeSet<String> = match &present {
        // That of somebody else stays as it is.
        Some(present) if !is_ours(present) => return Ok(changes),
        Some(present) => denied(present).map(str::to_owned).collect(),
        None => BTreeSet::new(),
    };
    if before != guarded {
        changes.push(PropertyChange {
            path: path("StackPolicy"),
            before: present.is_some().then(|| json!(before)),
            after: Some(json!(guarded)),
        });
    }
    Ok(changes)
}

/// Opens the policy of a stack for what an approved change set replaces or deletes. Returns the policy that was there,
/// where it was opened.
pub(super) async fn open(
    context: &Context,
    stack: &StackManifest,
    stack_id: &str,
    changes: &ProposedChanges,
) -> Result<Option<Value>, StackError> {
    let destroyed: BTreeSet<&str> = changes
        .changes
        .iter()
        .filter(|change| destroys(change))
        .map(|change| change.logical_id.as_str())
        .collect();
    if !stack.termination_protection || changes.create || destroyed.is_empty() {
        return Ok(None);
    }
    let present = match present(context, stack_id).await {
        Ok(Some(present)) if is_ours(&present) => present,
        Ok(_) => return Ok(None),
        // Where there is a policy, CloudFormation refuses the change and names it.
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => return Ok(None),
        Err(error) => return Err(aws(stack, error)),
    };
    let guarded: BTreeSet<String> = denied(&present)
        .filter(|id| !destroyed.contains(id))
        .map(str::to_owned)
        .collect();
    let opened = policy(&guarded);
    if opened == present {
        return Ok(None);
    }
    set(context, stack_id, &opened)
        .await
        .map_err(|source| aws(stack, source))?;
    Ok(Some(present))
}

/// Closes the policy of a stack again. What became of the stack is known then and counts for more than this, so a failure
/// is told beside it.
pub(super) async fn close(
    context: &Context,
    stack: &StackManifest,
    stack_id: &str,
    policy: &Value,
) {
    if let Err(error) = set(context, stack_id, policy).await {
        context.emit(Event::Warning {
            stack: stack.name.clone(),
            message: format!(
                "its stack policy stays open for what this deploy was to replace, until the next deploy: {error}"
            ),
        });
    }
}

/// Returns the policy that guards what a template holds.
pub(super) fn closed(template: &str) -> Value {
    policy(&guarded(template))
}

fn destroys(change: &Change) -> bool {
    holds_data(&change.resource_type)
        && match change.action.as_str() {
            "Remove" => true,
            "Modify" => change
                .replacement
                .is_some_and(|replacement| replacement != Replacement::Never),
            _ => false,
        }
}

/// Returns the resources of a template that hold data.
fn guarded(template: &str) -> BTreeSet<String> {
    guarded_in(&serde_json::from_str(template).unwrap_or_default())
}

fn guarded_in(template: &Value) -> BTreeSet<String> {
    let resources = template.get("Resources").and_then(Value::as_object);
    resources
        .into_iter()
        .flatten()
        .filter(|(_, resource)| resource["Type"].as_str().is_some_and(holds_data))
        .map(|(logical_id, _)| logical_id.clone())
        .collect()
}

/// Makes the policy that guards resources. Whatever a policy does not allow is denied, so it allows the rest.
fn policy(guarded: &BTreeSet<String>) -> Value {
    let mut statements =
        vec![json!({"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"})];
    if !guarded.is_empty() {
        let resources: Vec<String> = guarded
            .iter()
            .map(|logical_id| format!("LogicalResourceId/{logical_id}"))
            .collect();
        statements.push(json!({
            "Effect": "Deny",
            "Action": DENIED,
            "Principal": "*",
            "Resource": resources,
        }));
    }
    json!({"Statement": statements})
}

/// Returns the logical ids that a policy of ours guards.
fn denied(policy: &Value) -> impl Iterator<Item = &str> {
    policy["Statement"][1]["Resource"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|resource| resource.as_str()?.strip_prefix("LogicalResourceId/"))
}

/// Returns whether a policy is one that [`policy`] makes.
fn is_ours(present: &Value) -> bool {
    *present == policy(&denied(present).map(str::to_owned).collect())
}

/// Says what the policy of a stack denies of what is needed; nothing, where it allows all of it, or is one of ours that is
/// opened for what an update removes.
pub(super) async fn denied_by(
    context: &Context,
    stack: &StackManifest,
    stack_id: &str,
    needs: &[Need],
) -> Result<Option<String>, AwsError> {
    let Some(present) = present(context, stack_id).await? else {
        return Ok(None);
    };
    if stack.termination_protection && is_ours(&present) {
        return Ok(None);
    }
    Ok(denial::first(&present, needs).map(|(action, id, _)| {
        format!(
            "the stack policy denies {action} of {id}: have it allowed, or keep the old logical id"
        )
    }))
}

/// Returns whether a stack has a policy, whoever wrote it. Who may not look takes it that there is one.
pub(in crate::engine) async fn has_policy(
    context: &Context,
    stack_id: &str,
) -> Result<bool, AwsError> {
    match present(context, stack_id).await {
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => Ok(true),
        present => Ok(present?.is_some()),
    }
}

async fn present(context: &Context, stack_id: &str) -> Result<Option<Value>, AwsError> {
    let answer = context
        .clients
        .cloudformation
        .get_stack_policy()
        .stack_name(stack_id)
        .send()
        .await
        .or_aws(&context.clients, "GetStackPolicy")?;
    // A policy that is no JSON is somebody else's, as `Null` is.
    Ok(answer
        .stack_policy_body
        .filter(|body| !body.is_empty())
        .map(|body| serde_json::from_str(&body).unwrap_or_default()))
}

async fn set(context: &Context, stack_id: &str, policy: &Value) -> Result<(), AwsError> {
    context
        .clients
        .cloudformation
        .set_stack_policy()
        .stack_name(stack_id)
        .stack_policy_body(policy.to_string())
        .send()
        .await
        .or_aws(&context.clients, "SetStackPolicy")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_policies_are_touched() {
        let ids =
            |ids: &[&str]| -> BTreeSet<String> { ids.iter().map(|id| (*id).into()).collect() };
        assert!(is_ours(&policy(&ids(&["Table", "Uploads"]))));
        assert!(is_ours(&policy(&ids(&[]))));
        let mut theirs = policy(&ids(&["Table"]));
        theirs["Statement"][1]["Action"] = "Update:*".into();
        assert!(!is_ours(&theirs));
        assert!(!is_ours(&Value::Null));
        let mut more = policy(&ids(&["Table"]));
        let statement =
            json!({"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"});
        more["Statement"]
            .as_array_mut()
            .expect("is a list")
            .push(statement);
        assert!(!is_ours(&more));
    }

    #[test]
    fn what_holds_data_is_guarded() {
        let template = r#"{"Resources": {
            "Table": {"Type": "AWS::DynamoDB::Table"},
            "Function": {"Type": "AWS::Lambda::Function"},
            "Uploads": {"Type": "AWS::S3::Bucket"}
        }}"#;
        assert_eq!(
            policy(&guarded(template)).to_string(),
            json!({"Statement": [
                {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
                {
                    "Effect": "Deny",
                    "Action": ["Update:Replace", "Update:Delete"],
                    "Principal": "*",
                    "Resource": ["LogicalResourceId/Table", "LogicalResourceId/Uploads"],
                },
            ]})
            .to_string()
        );
        assert!(guarded("not JSON").is_empty());
    }
}
