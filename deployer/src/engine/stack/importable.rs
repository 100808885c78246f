//! Asks CloudFormation which types it imports, before a resource leaves its stack.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::protection;
use crate::aws::{AwsError, OrAws};
use crate::engine::{
    Context,
    destroy::advice::identifier,
    plan::moves::{Ground, Way},
};

/// Returns how a stack stands to refactoring. An engine at an endpoint of one's own knows no refactoring.
pub(in crate::engine) async fn ground(
    context: &Context,
    stack_id: &str,
) -> Result<Ground, AwsError> {
    if context.clients.endpoint_url().is_some() {
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
    if types.is_empty() || context.clients.endpoint_url().is_some() {
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
                "CloudFormation does not import resources of the type {resource_type} by one property: keep the old logical id, or remove \
                 the rename and have it made anew"
            );
            (resource_type.to_owned(), reason)
        })
        .collect())
}
