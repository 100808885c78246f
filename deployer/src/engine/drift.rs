//! What was changed behind CloudFormation's back.

mod back;
mod marked;
mod revert;

use std::fmt;
use std::time::Duration;

use aws_sdk_cloudformation::types::{
    DifferenceType, StackDriftDetectionStatus, StackResourceDrift, StackResourceDriftStatus,
};
use serde::Serialize;
use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::{
    Context, StackTarget,
    inspect::{self, present},
    plan::{Live, StackPlan, moves},
};
use crate::{
    aws::{AwsError, Clients, Fault, OrAws},
    template,
};

pub use back::revert_plan;
pub use revert::revert;

/// What stands for a value that is not shown, here as in CloudFormation's own answers.
const MASK: &str = "****";

/// How long a detection may take: they take minutes at most
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/detect-drift-stack.html>).
const LONGEST: Duration = Duration::from_mins(30);

/// What was changed behind CloudFormation's back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StackDrift {
    /// The stack.
    pub stack: String,
    /// `IN_SYNC`, `DRIFTED`, `NOT_CHECKED` where nothing of the stack can be checked, `UNKNOWN`, or `NOT_DEPLOYED`.
    pub status: String,
    /// Why not everything was checked, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
    /// The resources that differ, by logical id.
    pub resources: Vec<ResourceDrift>,
    /// The number of resources that are as they should be.
    pub in_sync: usize,
}

/// A resource that is not as the stack has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResourceDrift {
    /// The logical id.
    pub logical_id: String,
    /// The resource type.
    pub resource_type: String,
    /// The physical id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// `MODIFIED`, `DELETED`, or `UNKNOWN` where it could not be read.
    pub status: String,
    /// Why it could not be read, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What differs.
    pub properties: Vec<PropertyDrift>,
    /// Where the resource is declared in the Rust source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// All that it has and should have, where it was modified. Nothing hides a secret in it.
    #[serde(skip)]
    pub(crate) sides: Option<Sides>,
}

/// The properties of a resource that was modified, as they are and as they were deployed.
#[derive(Clone, PartialEq)]
pub(crate) struct Sides {
    pub(crate) actual: Value,
    pub(crate) expected: Value,
}

impl fmt::Debug for Sides {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

/// A property that is not as the stack has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PropertyDrift {
    /// The path, as AWS writes it: `/RedrivePolicy/maxReceiveCount`.
    pub path: String,
    /// What the stack has; nothing, where the property was added. Values of secrets are masked.
    pub expected: Option<Value>,
    /// What is there; nothing, where it was removed.
    pub actual: Option<Value>,
}

impl StackDrift {
    /// Returns whether something was changed.
    pub fn is_drifted(&self) -> bool {
        self.status == "DRIFTED"
    }

    /// Returns whether nobody knows of something that CloudFormation compares whether it was changed. What it does not compare
    /// at all is not meant, unless that is the whole stack.
    pub fn is_uncertain(&self) -> bool {
        let told = ["IN_SYNC", "DRIFTED", "NOT_DEPLOYED"].contains(&self.status.as_str());
        let mut resources = self.resources.iter();
        !told || self.incomplete.is_some() || resources.any(|resource| resource.status == "UNKNOWN")
    }
}

/// Lets CloudFormation compare a stack with what is there.
///
/// It compares the properties that the template sets, of the resource types that it can read
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html>).
pub async fn drift(
    context: &Context,
    stack: &StackTarget,
    manifest: Option<&StackManifest>,
) -> Result<StackDrift, AwsError> {
    const OPERATION: &str = "DetectStackDrift";
    let clients = context.clients.in_region(stack.region.as_deref());
    let mut drift = StackDrift {
        stack: stack.name.clone(),
        status: "NOT_DEPLOYED".to_owned(),
        incomplete: None,
        resources: Vec::new(),
        in_sync: 0,
    };
    let Some(deployed) = inspect::describe(&clients, &stack.name).await? else {
        return Ok(drift);
    };
    let detection = clients
        .cloudformation
        .detect_stack_drift()
        .stack_name(&stack.name)
        .send()
        .await
        .or_aws(&clients, OPERATION)?
        .stack_drift_detection_id
        .ok_or_else(|| AwsError::incomplete(OPERATION, "detection id"))?;
    let mut ended = None;
    for wait in context.pace.waits_within(LONGEST) {
        let answer = clients
            .cloudformation
            .describe_stack_drift_detection_status()
            .stack_drift_detection_id(&detection)
            .send()
            .await
            .or_aws(&clients, "DescribeStackDriftDetectionStatus")?;
        let status = answer
            .detection_status
            .as_ref()
            .map(StackDriftDetectionStatus::as_str);
        if status == Some("DETECTION_IN_PROGRESS") {
            context.timing.sleep(wait).await;
            continue;
        }
        let is_complete = status == Some("DETECTION_COMPLETE");
        ended = Some((answer, is_complete));
        break;
    }
    // What could be read is told all the same.
    if let Some((answer, is_complete)) = ended {
        drift.status = answer
            .stack_drift_status
            .map_or_else(|| "UNKNOWN".to_owned(), |status| status.as_str().to_owned());
        if !is_complete {
            let unsaid = || "the detection failed".to_owned();
            drift.incomplete = Some(present(answer.detection_status_reason).unwrap_or_else(unsaid));
        }
    } else {
        "UNKNOWN".clone_into(&mut drift.status);
        drift.incomplete = Some(format!(
            "the detection was not done after {} minutes",
            LONGEST.as_secs() / 60
        ));
    }
    for resource in resources(&clients, &stack.name).await? {
        let status = resource
            .stack_resource_drift_status
            .as_ref()
            .map(StackResourceDriftStatus::as_str);
        match status {
            Some("IN_SYNC") => drift.in_sync += 1,
            Some("MODIFIED" | "DELETED" | "UNKNOWN") => {
                drift.resources.push(read(resource, manifest));
            }
            _ => {}
        }
    }
    if drift.resources.iter().any(|it| !it.properties.is_empty()) {
        let template = inspect::template(&clients, &stack.name).await?;
        let template = template.and_then(|text| serde_json::from_str(&text).ok());
        hide(&mut drift.resources, template.as_ref());
    }
    drift
        .resources
        .sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    if let Some(renaming) = moves::marked(&deployed.outputs)
        && drift.incomplete.is_none()
    {
        drift.incomplete = Some(format!(
            "a rename by import was begun and is not done ({renaming}), and what left the stack for it is not compared"
        ));
    }
    Ok(drift)
}

/// Finds what is live of a stack otherwise than it was deployed, and what its plan does about it. `wanted` is the template
/// that would be deployed.
///
/// A stack whose status allows no detection is told to be so: CloudFormation refuses to look at it.
pub async fn live(
    context: &Context,
    manifest: &StackManifest,
    plan: &StackPlan,
    wanted: &Value,
) -> Result<Option<Live>, AwsError> {
    let Some(basis) = &plan.basis else {
        return Ok(None);
    };
    let before = basis.before.as_ref();
    let Some(template) = before.and_then(|before| before.template.as_ref()) else {
        return Ok(None);
    };
    let status = basis.deployed.as_ref().map(|stack| stack.status.as_str());
    if let Some(status) = status.filter(|status| status.ends_with("_IN_PROGRESS")) {
        return Ok(Some(Live::unchecked(format!("it is {status}"))));
    }
    let target = StackTarget::from(manifest);
    match drift(context, &target, Some(manifest)).await {
        Ok(mut drift) => {
            // The plan knows what is renamed by its new name.
            let renamed = plan.renames(template);
            for resource in &mut drift.resources {
                if let Some(to) = renamed.get(&resource.logical_id) {
                    resource.logical_id.clone_from(to);
                }
            }
            // Those of the template whose condition does not hold are not there.
            let clients = context.clients.in_region(target.region.as_deref());
            let count = match inspect::resources(&clients, &target.name).await {
                Ok(resources) => Some(resources.len()),
                Err(error) if matches!(error.fault(), Fault::Denied { .. }) => None,
                Err(error) => return Err(error),
            };
            Ok(Some(Live::beside(plan, drift, wanted, count)))
        }
        Err(error) if error.code() == Some("ValidationError") => {
            let reason = error
                .message()
                .unwrap_or("CloudFormation does not detect it");
            Ok(Some(Live::unchecked(reason.to_owned())))
        }
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {
            Ok(Some(Live::unchecked(error.to_string())))
        }
        Err(error) => Err(error),
    }
}

async fn resources(clients: &Clients, stack: &str) -> Result<Vec<StackResourceDrift>, AwsError> {
    let mut resources = Vec::new();
    let mut next = None;
    loop {
        let page = clients
            .cloudformation
            .describe_stack_resource_drifts()
            .stack_name(stack)
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, "DescribeStackResourceDrifts")?;
        resources.extend(page.stack_resource_drifts.unwrap_or_default());
        next = page.next_token;
        if next.is_none() {
            return Ok(resources);
        }
    }
}

fn read(resource: StackResourceDrift, manifest: Option<&StackManifest>) -> ResourceDrift {
    let logical_id = resource.logical_resource_id.unwrap_or_default();
    let mut properties: Vec<PropertyDrift> = resource
        .property_differences
        .unwrap_or_default()
        .into_iter()
        .map(|difference| {
            let kind = difference
                .difference_type
                .as_ref()
                .map(DifferenceType::as_str);
            PropertyDrift {
                path: difference.property_path.unwrap_or_default(),
                expected: value(difference.expected_value).filter(|_| kind != Some("ADD")),
                actual: value(difference.actual_value).filter(|_| kind != Some("REMOVE")),
            }
        })
        .collect();
    properties.sort_by(|a, b| a.path.cmp(&b.path));
    let all = |text: Option<String>| -> Option<Value> {
        let all: Value = serde_json::from_str(&text?).ok()?;
        all.is_object().then_some(all)
    };
    let sides = all(resource.actual_properties).zip(all(resource.expected_properties));
    ResourceDrift {
        sides: sides.map(|(actual, expected)| Sides { actual, expected }),
        resource_type: resource.resource_type.unwrap_or_default(),
        physical_id: present(resource.physical_resource_id),
        status: resource
            .stack_resource_drift_status
            .map(|status| status.as_str().to_owned())
            .unwrap_or_default(),
        reason: present(resource.drift_status_reason),
        properties,
        source: manifest
            .and_then(|manifest| manifest.resources.get(&logical_id))
            .map(|resource| resource.source.clone()),
        logical_id,
    }
}

/// Masks the values of properties that come from where secrets are kept: CloudFormation shows what a resource really has.
/// Where nobody can tell which do, because the template is not one of ours, all are masked.
fn hide(resources: &mut [ResourceDrift], template: Option<&Value>) {
    for resource in resources {
        for property in &mut resource.properties {
            let is_secret = template.is_none_or(|template| {
                template::is_secret(template, &resource.logical_id, &property.path)
            });
            if is_secret {
                for value in [&mut property.expected, &mut property.actual] {
                    *value = value.take().map(|_| Value::from(MASK));
                }
            }
        }
    }
}

/// Reads a value of a difference: objects and arrays come as JSON, everything else as it is.
fn value(text: Option<String>) -> Option<Value> {
    let text = text?;
    let parsed = text
        .starts_with(['{', '['])
        .then(|| serde_json::from_str(&text).ok())
        .flatten();
    Some(parsed.unwrap_or(Value::String(text)))
}
