//! What there is of a stack set.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::types::{
    AutoDeployment, PermissionModels, StackInstanceSummary, StackSet,
};
use serde::Serialize;
use serde_json::Value;

use super::{StackSetSettings, Targets};
use crate::aws::{AwsError, OrAws};
use crate::engine::{Context, inspect::present};

/// A stack set that was found.
pub(super) struct Found {
    pub(super) template: Value,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) capabilities: BTreeSet<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) model: Option<PermissionModels>,
    pub(super) auto_deployment: Option<AutoDeployment>,
    pub(super) administration_role: Option<String>,
    pub(super) execution_role: Option<String>,
    pub(super) instances: Vec<InstanceStatus>,
}

/// What became of a stack set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StackSetStatus {
    /// The stack set.
    pub stack_set: String,
    /// `ACTIVE`, or `NOT_DEPLOYED`.
    pub status: String,
    /// Its instances, by region and account.
    pub instances: Vec<InstanceStatus>,
}

/// What became of the stack of an account and region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct InstanceStatus {
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
    /// The organizational unit that was named as the target, with service-managed permissions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// `CURRENT`, `OUTDATED` where it is behind the stack set, or `INOPERABLE`.
    pub status: String,
    /// How the last operation ended here, such as `SUCCEEDED`, `FAILED`, `RUNNING`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Why it has this status, where AWS says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl InstanceStatus {
    fn of(summary: StackInstanceSummary) -> Self {
        let operation = summary
            .stack_instance_status
            .and_then(|status| status.detailed_status);
        Self {
            region: summary.region.unwrap_or_default(),
            account: summary.account.unwrap_or_default(),
            unit: present(summary.organizational_unit_id),
            status: summary
                .status
                .map_or_else(|| "UNKNOWN".to_owned(), |status| status.as_str().to_owned()),
            operation: operation.map(|status| status.as_str().to_owned()),
            reason: present(summary.status_reason),
        }
    }

    /// Returns where it is.
    pub fn place(&self) -> String {
        format!("{}/{}", self.account, self.region)
    }

    /// Returns whether it is that of an account, or of an account in a unit.
    pub(super) fn is_in(&self, targets: &Targets, name: &str) -> bool {
        match targets {
            Targets::Accounts { .. } => self.account == name,
            Targets::Units { .. } => self.unit.as_deref() == Some(name),
        }
    }
}

/// Describes a stack set with its instances; nothing, where there is none.
pub(super) async fn find(
    context: &Context,
    name: &str,
    settings: &StackSetSettings,
) -> Result<Option<Found>, AwsError> {
    let Some(set) = describe(context, name, settings).await? else {
        return Ok(None);
    };
    let body = set.template_body.unwrap_or_default();
    Ok(Some(Found {
        // One that is not JSON was not rendered by stacks, and differs from any that is.
        template: serde_json::from_str(&body).unwrap_or(Value::String(body)),
        parameters: set
            .parameters
            .unwrap_or_default()
            .into_iter()
            .filter_map(|parameter| Some((parameter.parameter_key?, parameter.parameter_value?)))
            .collect(),
        capabilities: set
            .capabilities
            .unwrap_or_default()
            .iter()
            .map(|capability| capability.as_str().to_owned())
            .collect(),
        tags: set
            .tags
            .unwrap_or_default()
            .into_iter()
            .filter_map(|tag| Some((tag.key?, tag.value?)))
            .collect(),
        model: set.permission_model,
        auto_deployment: set.auto_deployment,
        administration_role: present(set.administration_role_arn),
        execution_role: present(set.execution_role_name),
        instances: instances(context, name, settings).await?,
    }))
}

/// Describes a stack set; nothing, where there is none.
pub(super) async fn describe(
    context: &Context,
    name: &str,
    settings: &StackSetSettings,
) -> Result<Option<StackSet>, AwsError> {
    const OPERATION: &str = "DescribeStackSet";
    let answer = context
        .clients
        .cloudformation
        .describe_stack_set()
        .stack_set_name(name)
        .call_as(settings.call_as())
        .send()
        .await
        .or_aws(&context.clients, OPERATION);
    match answer {
        Ok(answer) => answer
            .stack_set
            .map(Some)
            .ok_or_else(|| AwsError::incomplete(OPERATION, "stack set")),
        Err(error) if error.code() == Some("StackSetNotFoundException") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Lists the instances of a stack set
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackInstances.html>).
async fn instances(
    context: &Context,
    name: &str,
    settings: &StackSetSettings,
) -> Result<Vec<InstanceStatus>, AwsError> {
    let mut instances = Vec::new();
    let mut next = None;
    loop {
        let page = context
            .clients
            .cloudformation
            .list_stack_instances()
            .stack_set_name(name)
            .call_as(settings.call_as())
            .set_next_token(next)
            .send()
            .await
            .or_aws(&context.clients, "ListStackInstances")?;
        let summaries = page.summaries.unwrap_or_default().into_iter();
        instances.extend(summaries.map(InstanceStatus::of));
        next = present(page.next_token);
        if next.is_none() {
            break;
        }
    }
    instances.sort();
    Ok(instances)
}

/// Returns what became of a stack set and of its instances.
pub async fn stack_set_status(
    context: &Context,
    name: &str,
    settings: &StackSetSettings,
) -> Result<StackSetStatus, AwsError> {
    let found = find(context, name, settings).await?;
    Ok(StackSetStatus {
        stack_set: name.to_owned(),
        status: if found.is_some() {
            "ACTIVE"
        } else {
            "NOT_DEPLOYED"
        }
        .to_owned(),
        instances: found.map(|found| found.instances).unwrap_or_default(),
    })
}
