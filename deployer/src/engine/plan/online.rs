//! Makes a plan against what is deployed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stack_model::assembly::{ARTIFACT_BUCKET_PARAMETER, StackManifest};

use super::{Knowledge, Plan, Side, StackPlan, compare};
use crate::aws::AwsError;
use crate::engine::bootstrap::template;
use crate::engine::publish::{artifact_key, needs_bucket};
use crate::engine::{
    Artifact, BOOTSTRAP_STACK, Context, DeployedStack, Explained, StackTarget, deployed,
    deployed_template,
};
use crate::error::Kind;

/// One stack to compare.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What the assembly says of it.
    pub manifest: &'a StackManifest,
    /// The template.
    pub template: &'a Value,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// AWS does not say what is deployed.
    #[error("cannot read what is deployed")]
    Aws(#[from] AwsError),
    /// The template that is deployed is not JSON.
    #[error("stack {stack} was deployed with a template that is not JSON: another tool made it")]
    NotJson {
        /// The stack.
        stack: String,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
}

impl Explained for PlanError {
    fn kind(&self) -> Kind {
        match self {
            Self::Aws(error) => error.kind(),
            Self::NotJson { .. } => Kind::Deploy,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Aws(error) => error.hints(),
            Self::NotJson { .. } => {
                vec!["give the stack another id, or remove the deployed one first".to_owned()]
            }
        }
    }
}

/// Compares stacks with what is deployed.
///
/// The code of a function for which there is no artifact is taken as unchanged.
pub async fn plan(
    context: &Context,
    stacks: &[Wanted<'_>],
    artifacts: &BTreeMap<String, Artifact>,
    knowledge: &dyn Knowledge,
) -> Result<Plan, PlanError> {
    let mut plan = Plan::default();
    let regions: BTreeSet<Option<&str>> = stacks
        .iter()
        .filter(|stack| {
            !stack.manifest.artifacts.is_empty()
                // Where the published text is a few bytes longer, its change set is told as a surprise.
                || serde_json::to_string_pretty(stack.template)
                    .is_ok_and(|text| needs_bucket(&text))
        })
        .map(|stack| stack.manifest.region.as_deref())
        .collect();
    for region in regions {
        plan.stacks
            .extend(missing_bootstrap(context, region, knowledge).await?);
    }
    for wanted in stacks {
        let target = StackTarget::from(wanted.manifest);
        let found = deployed(context, &target)
            .await?
            .filter(|stack| !stack.status.is_review() && !stack.status.is_deleted());
        let template = match &found {
            Some(_) => deployed_template(context, &target)
                .await?
                .map(|text| serde_json::from_str::<Value>(&text))
                .transpose()
                .map_err(|source| PlanError::NotJson {
                    stack: target.name.clone(),
                    source,
                })?,
            None => None,
        };
        let old = Side {
            template: template.as_ref(),
            parameters: found
                .as_ref()
                .map(|stack| stack.parameters.clone())
                .unwrap_or_default(),
            tags: found
                .as_ref()
                .map(|stack| stack.tags.clone())
                .unwrap_or_default(),
        };
        let new = Side {
            template: Some(wanted.template),
            parameters: parameters(wanted, found.as_ref(), artifacts),
            tags: wanted.manifest.tags.clone(),
        };
        plan.stacks.push(compare(
            &target.name,
            &old,
            &new,
            &wanted.manifest.resources,
            knowledge,
        ));
    }
    Ok(plan)
}

/// Returns the plan for the stack that holds the artifact bucket, where a deploy would create it.
async fn missing_bootstrap(
    context: &Context,
    region: Option<&str>,
    knowledge: &dyn Knowledge,
) -> Result<Option<StackPlan>, PlanError> {
    let target = StackTarget {
        name: BOOTSTRAP_STACK.to_owned(),
        region: region.map(str::to_owned),
    };
    if deployed(context, &target)
        .await?
        .is_some_and(|stack| !stack.status.is_review() && !stack.status.is_deleted())
    {
        return Ok(None);
    }
    let template = template();
    let wanted = Side {
        template: Some(&template),
        ..Side::default()
    };
    let none = BTreeMap::new();
    Ok(Some(compare(
        BOOTSTRAP_STACK,
        &Side::default(),
        &wanted,
        &none,
        knowledge,
    )))
}

/// Returns the values that a deploy gives the parameters, and the defaults of the others.
///
/// The name of the artifact bucket never changes once it is there, so the deployed one is taken.
fn parameters(
    wanted: &Wanted<'_>,
    deployed: Option<&DeployedStack>,
    artifacts: &BTreeMap<String, Artifact>,
) -> BTreeMap<String, String> {
    let manifest = wanted.manifest;
    let mut values = super::defaults(wanted.template);
    values.extend(manifest.parameters.clone());
    let before =
        |parameter: &str| deployed.and_then(|stack| stack.parameters.get(parameter).cloned());
    if let Some(bucket) = before(ARTIFACT_BUCKET_PARAMETER) {
        values.insert(ARTIFACT_BUCKET_PARAMETER.to_owned(), bucket);
    }
    for (parameter, asset) in &manifest.artifacts {
        let key = match artifacts.get(asset) {
            Some(artifact) => Some(artifact_key(&manifest.name, asset, &artifact.sha256)),
            None => before(parameter),
        };
        if let Some(key) = key {
            values.insert(parameter.clone(), key);
        }
    }
    values
}
