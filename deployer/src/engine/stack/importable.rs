//! Asks CloudFormation which types it imports, before a resource leaves its stack.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use super::protection;
use crate::aws::{AwsError, OrAws, signed::CLOUD_CONTROL};
use crate::engine::{
    Context,
    destroy::advice::identifier,
    plan::moves::{self, Ground, UnderWay, Way},
};

/// The stacks of a run that CloudFormation does not refactor, by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unrefactored(Arc<Mutex<BTreeSet<String>>>);

impl Unrefactored {
    pub(super) fn add(&self, stack_id: &str) {
        self.entries().insert(stack_id.to_owned());
    }

    fn has(&self, stack_id: &str) -> bool {
        self.entries().contains(stack_id)
    }

    fn entries(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns how a stack stands to refactoring. The local engine knows no refactoring, and who may not look at the policy of a
/// stack takes it that there is one: what is dangerous counts.
pub(in crate::engine) async fn ground(
    context: &Context,
    stack_id: &str,
) -> Result<Ground, AwsError> {
    if context.clients.is_local() || context.unrefactored.has(stack_id) {
        Ok(Ground::Refused)
    } else if protection::has_policy(context, stack_id).await? {
        Ok(Ground::Guarded)
    } else {
        Ok(Ground::Free)
    }
}

/// Returns the types of resources that are to be renamed by import and that CloudFormation does not import by the one
/// property that identifies them, with what is said of each.
///
/// The summary of a template names the types that can be imported, and the properties that identify each: alternatives of
/// their own, several that count together with commas
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceIdentifierSummary.html>).
pub(in crate::engine) async fn refused(
    context: &Context,
    moves: &BTreeMap<String, String>,
    template: &Value,
    ground: Ground,
) -> Result<BTreeMap<String, String>, AwsError> {
    let types: BTreeSet<&str> = moves
        .keys()
        .filter_map(|from| {
            let resource_type = template["Resources"][from.as_str()]["Type"].as_str()?;
            let way = Way::of(from, resource_type, ground);
            (way == Ok(Way::Import)).then_some(resource_type)
        })
        .collect();
    // The local engine tells no identifiers.
    if types.is_empty() || context.clients.is_local() {
        return Ok(BTreeMap::new());
    }
    let resources: Map<String, Value> = types
        .iter()
        .enumerate()
        .map(|(at, resource_type)| (format!("Resource{at}"), json!({"Type": resource_type})))
        .collect();
    let clients = &context.clients;
    let summary = clients
        .cloudformation
        .get_template_summary()
        .template_body(json!({"Resources": resources}).to_string())
        .send()
        .await
        .or_aws(clients, "GetTemplateSummary")?;
    let known = summary.resource_identifier_summaries.unwrap_or_default();
    let is_known = |resource_type: &str| {
        let property = identifier(resource_type);
        known
            .iter()
            .filter(|it| it.resource_type() == Some(resource_type))
            .any(|it| {
                it.resource_identifiers()
                    .iter()
                    .any(|by| Some(by.as_str()) == property)
            })
    };
    let refused = types
        .into_iter()
        .filter(|resource_type| !is_known(resource_type));
    Ok(refused
        .map(|resource_type| {
            let reason = format!(
                "CloudFormation did not say that it imports resources of the type {resource_type} by one property: keep the old logical id, or remove \
                 the rename and have it made anew"
            );
            (resource_type.to_owned(), reason)
        })
        .collect())
}

/// Says why a resource that would leave its stack might not be imported again; nothing, where each is found by what would
/// identify it then. `next` is the template that tells of it.
///
/// The physical id need not be the value of the property that identifies a resource, and an import reads by the latter, as
/// Cloud Control does (<https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_GetResource.html>).
pub(super) async fn unproven(context: &Context, next: &Value) -> Option<String> {
    let Some(UnderWay::Away(away)) = moves::under_way(next) else {
        return Some("its new template does not tell of the rename".to_owned());
    };
    let clients = &context.clients;
    if clients.is_local() {
        return None;
    }
    for it in away.moves.values() {
        let Some((property, identifier)) = it.by.iter().next() else {
            return Some(format!("nothing identifies {}", it.from));
        };
        let input = json!({"TypeName": it.resource_type, "Identifier": identifier});
        let found = clients
            .json(CLOUD_CONTROL, clients.region(), "GetResource", &input)
            .await;
        let why = match found {
            Ok(found) if found["ResourceDescription"]["Identifier"] == **identifier => continue,
            Ok(_) => "another one is found".to_owned(),
            Err(error) => error.to_string(),
        };
        return Some(format!(
            "nobody knows whether {} can be imported once it left the stack, as it is not found by its {property} {identifier}: {why}",
            it.from
        ));
    }
    None
}
