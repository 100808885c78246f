//! State machines that get another definition past CloudFormation.

use serde_json::{Value, json};

use super::{
    StackCode,
    definition::{self, Values, machines},
    error::{FastError, failed},
    record::Direct,
};
use crate::{
    aws::{AwsError, signed::STATES},
    engine::{Context, inspect},
    template::referenced,
};

/// What publishes a version of a state machine.
const VERSION: &str = "AWS::StepFunctions::StateMachineVersion";

/// A state machine that gets another definition.
#[derive(Debug)]
pub(super) struct MachineChange {
    pub(super) logical_id: String,
    arn: String,
    /// The definition that it gets.
    definition: String,
    /// The hash of the definition that CloudFormation believes it to have.
    deployed: String,
    /// The hash of the definition that it gets.
    wanted: String,
    /// The hash of the definition that it has.
    has: String,
}

impl MachineChange {
    /// Returns what is written down of the change.
    pub(super) fn direct(&self) -> Direct {
        Direct {
            deployed: self.deployed.clone(),
            live: self.wanted.clone(),
            before: Some(&self.has)
                .filter(|has| **has != self.deployed)
                .cloned(),
        }
    }

    /// Gives the state machine its definition, unless somebody changed it since it was looked at; returns whether it did.
    ///
    /// Step Functions knows no condition for this, so that a second look stands right before it.
    pub(super) async fn give(&self, context: &Context) -> Result<bool, AwsError> {
        let has = has(context, &self.arn).await?;
        // What was looked at may lag behind (<https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html>).
        if has != self.has && has != self.wanted {
            return Ok(false);
        }
        update(context, &self.arn, &self.definition).await?;
        Ok(true)
    }
}

/// Finds the state machines whose definition changes, and looks at those that they have; or says why that is not all.
pub(super) async fn changes(
    context: &Context,
    old: &Value,
    new: &Value,
    code: &mut StackCode,
) -> Result<Option<String>, FastError> {
    let stack = &code.manifest.name;
    let changed: Vec<(&String, &Value)> = machines(new)
        .filter(|(id, machine)| {
            code.record.machines.contains_key(*id) || old["Resources"][id.as_str()] != **machine
        })
        .collect();
    if changed.is_empty() {
        return Ok(None);
    }
    if code.bucket.is_none() {
        return Ok(Some(format!(
            "the region of {stack} has no artifact bucket in which a change past CloudFormation is written down"
        )));
    }
    let aws = |source| failed(&code.manifest, source);
    let resources = inspect::resources(&context.clients, &code.deployed.id)
        .await
        .map_err(aws)?;
    let values = Values::of(context, &code.deployed, &resources, &[old, new])
        .await
        .map_err(aws)?;
    let mut found = Vec::new();
    for (logical_id, machine) in changed {
        if is_released(new, logical_id) {
            return Ok(Some(format!(
                "{stack}/{logical_id} is released in versions, and a full deploy publishes the next"
            )));
        }
        let deployed = values.definition(&old["Resources"][logical_id]);
        let (deployed, wanted) = match (deployed, values.definition(machine)) {
            (Ok(deployed), Ok(wanted)) => (deployed, wanted),
            (Err(unknown), _) | (_, Err(unknown)) => {
                return Ok(Some(format!(
                    "only CloudFormation knows the value of {unknown} in the definition of {stack}/{logical_id}"
                )));
            }
        };
        let changed = || FastError::Redefined {
            stack: stack.clone(),
            machine: logical_id.clone(),
        };
        let machine = resources.iter().find(|it| it.logical_id == *logical_id);
        let arn = machine.ok_or_else(changed)?.physical_id.clone();
        let has = has(context, &arn).await.map_err(aws)?;
        let direct = code.record.machines.get(logical_id);
        let (deployed, wanted_hash) = (definition::hash(&deployed), definition::hash(&wanted));
        let is_known = has == deployed || direct.is_some_and(|it| it.keys().any(|key| *key == has));
        if !is_known {
            return Err(changed());
        }
        let is_given = direct.map_or(&deployed, |it| &it.live) == &wanted_hash;
        if has == wanted_hash && is_given {
            continue;
        }
        found.push(MachineChange {
            logical_id: logical_id.clone(),
            arn,
            definition: wanted,
            deployed,
            wanted: wanted_hash,
            has,
        });
    }
    code.machines = found;
    Ok(None)
}

/// Returns whether a template publishes versions of a state machine.
fn is_released(template: &Value, logical_id: &str) -> bool {
    let resources = template.get("Resources").and_then(Value::as_object);
    resources
        .into_iter()
        .flatten()
        .any(|(_, it)| it["Type"] == VERSION && referenced(&it["Properties"]).contains(logical_id))
}

/// Returns the hash of the definition that a state machine has
/// (<https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html>).
async fn has(context: &Context, arn: &str) -> Result<String, AwsError> {
    const OPERATION: &str = "DescribeStateMachine";
    let clients = &context.clients;
    let input = json!({ "stateMachineArn": arn });
    let answer = clients
        .json(STATES, clients.region(), OPERATION, &input)
        .await?;
    let definition = answer["definition"]
        .as_str()
        .ok_or_else(|| AwsError::incomplete(OPERATION, "definition"))?;
    Ok(definition::hash(definition))
}

/// Gives a state machine a definition; everything else of it stays. Executions that run go on with the one they began with
/// (<https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html>).
pub(super) async fn update(context: &Context, arn: &str, definition: &str) -> Result<(), AwsError> {
    let clients = &context.clients;
    let input = json!({"stateMachineArn": arn, "definition": definition});
    clients
        .json(STATES, clients.region(), "UpdateStateMachine", &input)
        .await
        .map(drop)
}
