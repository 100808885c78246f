//! Changes of code and of definitions alone, without CloudFormation.
//!
//! A deploy whose stacks differ from what is deployed by nothing but the code of functions and the definitions of state
//! machines may give them these itself, which takes a second where a stack takes half a minute. CloudFormation does not get
//! to know: to it, the function has the code of the last full deploy. So every such change is written down in the artifact
//! bucket before it is made, and the next full deploy of the stack makes what CloudFormation believes true again, see
//! [`record::Record::restore`].
//!
//! Only what was deployed last is replaced. Where a function runs anything else, or a state machine has another definition,
//! somebody changed it past this tool, and nothing is done.

mod changes;
mod definition;
mod error;
mod gave;
mod machine;
mod record;
mod status;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};
use stack_model::assembly::{ARTIFACT_BUCKET_PARAMETER, StackManifest};
use tokio::sync::Semaphore;

use super::{
    Artifact, Context, DeployError, DeployReport, DeployedStack, Deployment, Event, Failure,
    Origin, Outcome, PublishError, StackDeployment, StackReport, bootstrap, content,
    deploy::verdict, inspect, plan, publish, reference, stack, stack::rfc3339,
};
use crate::{
    aws::{AwsError, Fault},
    template::{is_hidden, referenced},
};
pub use changes::CodeChanges;
use changes::{FunctionCode, StackCode};
#[cfg(test)]
pub(super) use definition::hash as hash_of_definition;
use definition::{machines, without_definitions};
pub use error::FastError;
use error::failed;
pub use gave::gave_fast;
use machine::MachineChange;
use record::{Code, Direct};
pub(super) use record::{OTHER_REVISION, Record, Records};
pub use status::{FastOrigin, GivenFast, fast_of, given_fast};

/// Whether a deployment can be made without CloudFormation.
#[derive(Debug)]
pub enum FastPlan {
    /// It changes code and definitions alone.
    Code(CodeChanges),
    /// It needs CloudFormation, for these reasons.
    Full(Vec<String>),
}

/// Finds out whether a deployment changes code and definitions alone. Nothing is changed.
pub async fn fast_plan(context: &Context, deployment: &Deployment) -> Result<FastPlan, FastError> {
    let mut reasons = Vec::new();
    let mut stacks = Vec::new();
    for stack in &deployment.stacks {
        match stack_plan(context, deployment, stack).await? {
            Ok(code) => stacks.push(code),
            Err(reason) => reasons.push(reason),
        }
    }
    Ok(if reasons.is_empty() {
        FastPlan::Code(CodeChanges {
            stacks,
            artifacts: deployment.artifacts.clone(),
        })
    } else {
        FastPlan::Full(reasons)
    })
}

/// Returns what changes in one stack, or why that is more than code and definitions.
async fn stack_plan(
    context: &Context,
    deployment: &Deployment,
    stack: &StackDeployment,
) -> Result<Result<StackCode, String>, FastError> {
    let manifest = &stack.manifest;
    let aws = |source| failed(manifest, source);
    let own = context.in_region(manifest.region.as_deref());
    let Some(deployed) = inspect::describe(&own.clients, &manifest.name)
        .await
        .map_err(aws)?
    else {
        return Ok(Err(format!("{} is not deployed yet", manifest.name)));
    };
    if let Some(app) = context.ownership.other(&deployed) {
        let reason = format!("{} belongs to the app `{app}`", manifest.name);
        return Ok(Err(reason));
    }
    if !deployed.status.is_good() {
        let reason = format!("{} is {}", manifest.name, deployed.status);
        return Ok(Err(reason));
    }
    let template = inspect::template(&own.clients, &deployed.id)
        .await
        .map_err(aws)?;
    let old = template.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let Ok(new) = serde_json::from_str::<Value>(&stack.template) else {
        return Ok(Err(format!("{} has no template in JSON", manifest.name)));
    };
    let differs = || format!("the template of {} changes", manifest.name);
    let Some(old) = old else {
        return Ok(Err(differs()));
    };
    if without_definitions(&old) != without_definitions(&new) {
        return Ok(Err(differs()));
    }
    if let Some(reason) = other_values(context, deployment, manifest, &deployed, &new)
        .await
        .map_err(aws)?
    {
        return Ok(Err(reason));
    }
    let mut bucket = deployed.parameters.get(ARTIFACT_BUCKET_PARAMETER).cloned();
    if bucket.is_none() && machines(&new).next().is_some() {
        bucket = bootstrap::existing(&own).await.map_err(aws)?;
    }
    let record = match &bucket {
        Some(bucket) => {
            let clients = &own.clients;
            match Record::read(clients, bucket, &manifest.name, &deployed.id).await {
                // Who may not list the bucket is denied what it does not hold, and nothing that is there is written over unread.
                Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {
                    Record::of(&deployed.id)
                }
                read => read.map_err(aws)?,
            }
        }
        None => Record::of(&deployed.id),
    };
    let mut code = StackCode {
        manifest: manifest.clone(),
        contents: stack.contents.clone(),
        deployed,
        bucket,
        functions: Vec::new(),
        machines: Vec::new(),
        record,
    };
    if let Some(reason) = functions(&own, deployment, &new, &mut code).await? {
        return Ok(Err(reason));
    }
    Ok(match machine::changes(&own, &old, &new, &mut code).await? {
        Some(reason) => Err(reason),
        None => Ok(code),
    })
}

/// Returns what differs between the values of a stack's parameters and its tags and those that are deployed, apart from
/// artifacts and releases.
async fn other_values(
    context: &Context,
    deployment: &Deployment,
    manifest: &StackManifest,
    deployed: &DeployedStack,
    template: &Value,
) -> Result<Option<String>, AwsError> {
    if stack::tags(context, &deployment.stage, manifest) != deployed.tags {
        return Ok(Some(format!("the tags of {} change", manifest.name)));
    }
    let mut wanted = plan::defaults(template);
    wanted.extend(manifest.parameters.clone());
    for (parameter, value) in reference::values(context, manifest).await? {
        wanted.extend(value.map(|value| (parameter, value)));
    }
    let declared = template.get("Parameters").and_then(Value::as_object);
    for (parameter, declaration) in declared.into_iter().flatten() {
        let given_by_deploy = parameter == ARTIFACT_BUCKET_PARAMETER
            || manifest.artifacts.contains_key(parameter)
            || manifest.releases.contains_key(parameter);
        // CloudFormation shows neither what is hidden nor whether it would read another value from Parameter Store.
        let unknown = is_hidden(declaration)
            || declaration["Type"]
                .as_str()
                .is_some_and(|kind| kind.starts_with("AWS::SSM::"));
        if !given_by_deploy
            && (unknown || wanted.get(parameter) != deployed.parameters.get(parameter))
        {
            return Ok(Some(format!(
                "parameter {parameter} of {} changes",
                manifest.name
            )));
        }
    }
    Ok(None)
}

/// Finds the functions whose code changes, and looks at what they run; or says why that is not all.
async fn functions(
    context: &Context,
    deployment: &Deployment,
    template: &Value,
    code: &mut StackCode,
) -> Result<Option<String>, FastError> {
    let manifest = &code.manifest;
    let mut changed = BTreeMap::new();
    for (parameter, asset) in &manifest.artifacts {
        let artifact = deployment
            .artifacts
            .get(asset)
            .ok_or_else(|| FastError::Publish {
                stack: manifest.name.clone(),
                source: PublishError::MissingArtifact(asset.clone()),
            })?;
        let wanted = publish::artifact_key(&manifest.name, asset, &artifact.sha256);
        changed.insert(parameter.clone(), wanted);
    }
    let mut found = Vec::new();
    for (parameter, wanted) in changed {
        let Some(deployed) = code.deployed.parameters.get(&parameter) else {
            return Ok(Some(format!("parameter {parameter} is new")));
        };
        let users = users(template, &parameter);
        let runs_deployed = *deployed == wanted
            && !users
                .iter()
                .any(|user| code.record.functions.contains_key(user));
        if runs_deployed {
            continue;
        }
        for user in users {
            if template["Resources"][&user]["Properties"]["Code"]["S3Key"]
                != json!({ "Ref": parameter })
                || template["Resources"][&user]["Type"] != "AWS::Lambda::Function"
            {
                return Ok(Some(format!(
                    "{}/{user} is no function and changes with code",
                    manifest.name
                )));
            }
            if manifest.releases.values().any(|released| *released == user) {
                return Ok(Some(format!(
                    "{}/{user} is released under an alias, and a full deploy publishes its version",
                    manifest.name
                )));
            }
            found.push((user, deployed.clone(), wanted.clone()));
        }
    }
    if found.is_empty() {
        return Ok(None);
    }
    let resources: BTreeMap<String, String> =
        inspect::resources(&context.clients, &code.deployed.id)
            .await
            .map_err(|source| failed(manifest, source))?
            .into_iter()
            .map(|resource| (resource.logical_id, resource.physical_id))
            .collect();
    for (logical_id, deployed, wanted) in found {
        let changed = || FastError::Changed {
            stack: manifest.name.clone(),
            function: logical_id.clone(),
        };
        let name = resources.get(&logical_id).cloned().ok_or_else(changed)?;
        let live = Code::of(context, &name)
            .await
            .map_err(|source| failed(manifest, source))?;
        let direct = code.record.functions.get(&logical_id);
        let expected = [&deployed]
            .into_iter()
            .chain(direct.into_iter().flat_map(Direct::keys));
        let runs = live.one_of(expected).cloned().ok_or_else(changed)?;
        if live.is_one_of([&wanted]) {
            continue;
        }
        code.functions.push(FunctionCode {
            logical_id,
            name,
            deployed,
            wanted,
            runs,
            revision: live.revision,
        });
    }
    Ok(None)
}

/// Returns the resources that use a parameter.
fn users(template: &Value, parameter: &str) -> BTreeSet<String> {
    let resources = template.get("Resources").and_then(Value::as_object);
    resources
        .into_iter()
        .flatten()
        .filter(|(_, resource)| referenced(resource).contains(parameter))
        .map(|(logical_id, _)| logical_id.clone())
        .collect()
}

/// Gives code to functions and definitions to state machines, and fills the buckets of their stacks.
pub async fn fast(context: &Context, changes: CodeChanges) -> Result<DeployReport, DeployError> {
    let mut report = DeployReport::default();
    let uploads = Arc::new(Semaphore::new(publish::UPLOADS));
    let mut good = true;
    for mut stack in changes.stacks {
        let name = stack.manifest.name.clone();
        let own = context.in_region(stack.manifest.region.as_deref());
        own.emit(Event::StackStarted {
            stack: name.clone(),
            region: None,
        });
        let result = give(&own, &uploads, &changes.artifacts, &mut stack).await;
        let done = match result {
            Ok(()) => {
                let outcome = if stack.functions.is_empty() && stack.machines.is_empty() {
                    Outcome::Unchanged
                } else {
                    Outcome::Updated
                };
                let outputs = stack.deployed.outputs;
                own.emit(Event::StackFinished {
                    stack: name.clone(),
                    outcome,
                    outputs: outputs.clone(),
                });
                StackReport {
                    stack: name,
                    outcome,
                    outputs,
                    failure: None,
                }
            }
            Err(error) => {
                let failure = Failure::told(&own, &name, &error, None);
                StackReport {
                    stack: name,
                    outcome: failure.outcome(),
                    outputs: BTreeMap::new(),
                    failure: Some(failure),
                }
            }
        };
        good &= done.outcome.is_good();
        report.stacks.push(done);
        if !good {
            break;
        }
    }
    if good {
        Ok(report)
    } else {
        Err(verdict(report))
    }
}

async fn give(
    context: &Context,
    uploads: &Arc<Semaphore>,
    artifacts: &BTreeMap<String, Artifact>,
    stack: &mut StackCode,
) -> Result<(), FastError> {
    let manifest = &stack.manifest;
    let nothing = stack.functions.is_empty() && stack.machines.is_empty();
    if let (Some(bucket), false) = (&stack.bucket, nothing) {
        if !stack.functions.is_empty() {
            publish::artifacts(context, uploads, bucket, manifest, artifacts)
                .await
                .map_err(|source| FastError::Publish {
                    stack: manifest.name.clone(),
                    source,
                })?;
        }
        // Whatever becomes of this run, the next full deploy knows what it has to look after.
        let machines = stack.machines.iter();
        stack
            .record
            .machines
            .extend(machines.map(|machine| (machine.logical_id.clone(), machine.direct())));
        for function in &stack.functions {
            let direct = Direct {
                deployed: function.deployed.clone(),
                live: function.wanted.clone(),
                before: Some(&function.runs)
                    .filter(|runs| **runs != function.deployed)
                    .cloned(),
            };
            stack
                .record
                .functions
                .insert(function.logical_id.clone(), direct);
        }
        stack.record.last = Some(FastOrigin {
            at: rfc3339(context.timing.now()),
            origin: Origin::of(context),
        });
        stack
            .record
            .write(context, bucket, &manifest.name)
            .await
            .map_err(|source| match source.code() {
                Some("PreconditionFailed" | "ConditionalRequestConflict") => {
                    FastError::Overtaken(manifest.name.clone())
                }
                _ => failed(manifest, source),
            })?;
        for function in &stack.functions {
            if context.cancel.is_cancelled() {
                return Err(FastError::Interrupted(manifest.name.clone()));
            }
            let revision = function.revision.clone();
            let code = record::update(context, &function.name, bucket, &function.wanted, revision)
                .await
                .map_err(|source| match source.code() {
                    Some(OTHER_REVISION) => FastError::Changed {
                        stack: manifest.name.clone(),
                        function: function.logical_id.clone(),
                    },
                    _ => failed(manifest, source),
                })?;
            if let Some(reason) = code.trouble(&function.wanted) {
                return Err(FastError::NotTaken {
                    stack: manifest.name.clone(),
                    function: function.logical_id.clone(),
                    reason,
                });
            }
            context.emit(Event::CodeUpdated {
                stack: manifest.name.clone(),
                logical_id: function.logical_id.clone(),
                key: function.wanted.clone(),
            });
        }
        for machine in &stack.machines {
            if context.cancel.is_cancelled() {
                return Err(FastError::Interrupted(manifest.name.clone()));
            }
            let given = machine.give(context).await;
            if !given.map_err(|source| failed(manifest, source))? {
                return Err(FastError::Redefined {
                    stack: manifest.name.clone(),
                    machine: machine.logical_id.clone(),
                });
            }
            context.emit(Event::DefinitionUpdated {
                stack: manifest.name.clone(),
                logical_id: machine.logical_id.clone(),
            });
        }
    }
    let archive = stack.bucket.as_deref();
    let filled = content::Filled::default();
    content::fill(context, manifest, &stack.contents, archive, &filled)
        .await
        .map_err(|source| FastError::Fill {
            stack: manifest.name.clone(),
            source,
        })
}
