//! Says whether resources can leave their stack and come back, before they do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_cloudformation::types::StackResourceDriftStatus;
use serde_json::{Map, Value, json};

use stack_model::assembly::StackManifest;

use super::protection;
use crate::aws::{AwsError, Fault, OrAws, signed::CLOUD_CONTROL};
use crate::engine::{
    Context, bootstrap, hint, identity,
    plan::moves::{self, Ground, Hindrances, Told, UnderWay},
    publish::MAX_BODY,
};

/// What a run got to know about renames: the stacks that CloudFormation does not refactor, by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Renames(Arc<Mutex<BTreeSet<String>>>);

impl Renames {
    /// Notes that CloudFormation does not refactor a stack.
    pub(super) fn refuse(&self, stack_id: &str) {
        self.unrefactored().insert(stack_id.to_owned());
    }

    fn refuses(&self, stack_id: &str) -> bool {
        self.unrefactored().contains(stack_id)
    }

    fn unrefactored(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns how a stack stands to refactoring. The local engine knows no refactoring, and who may not look at the policy of a
/// stack takes it that there is one: what is dangerous counts.
pub(in crate::engine) async fn ground(
    context: &Context,
    stack_id: &str,
) -> Result<Ground, AwsError> {
    if context.clients.is_local() || context.renames.refuses(stack_id) {
        Ok(Ground::Refused)
    } else if protection::has_policy(context, stack_id).await? {
        Ok(Ground::Guarded)
    } else {
        Ok(Ground::Free)
    }
}

/// Adds to the renames of a stack what goes along with them, as far as CloudFormation can rename it, and says what of that was
/// changed past it. Nobody is asked where nothing goes along; where the caller may not ask, only what is known counts.
pub(in crate::engine) async fn whole(
    context: &Context,
    stack: &StackManifest,
    stack_id: &str,
    (template, wanted): (&Value, Option<&Value>),
) -> Result<moves::Whole, AwsError> {
    let is_deployed = |from: &String| template["Resources"].get(from.as_str()).is_some();
    if !stack.along.keys().any(is_deployed) {
        return Ok(moves::whole(stack, template, wanted, Told::nothing()));
    }
    let ground = ground(context, stack_id).await?;
    let imported = moves::along_by_import(stack, template, ground);
    let refused = known(refused(context, template, &imported).await)?.unwrap_or_default();
    let unimported = refused
        .keys()
        .filter_map(|from| template["Resources"][from.as_str()]["Type"].as_str())
        .collect();
    let told = Told {
        ground,
        unimported,
        drifted: drifted(context, stack_id, &imported).await?,
    };
    Ok(moves::whole(stack, template, wanted, told))
}

/// Says what stands in the way of renames by import, by old logical id: what the template tells, the bucket that it would
/// need, and the policy of the stack. Where the caller may not ask, only what is known counts.
pub(in crate::engine) async fn hindered(
    context: &Context,
    stack: &StackManifest,
    stack_id: &str,
    template: &Value,
    imported: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, AwsError> {
    let Hindrances {
        mut reasons,
        in_bucket,
    } = moves::hindrances(template, imported);
    let mut of_all = None;
    if let Some(size) = in_bucket
        && known(bootstrap::existing(context).await)? == Some(None)
    {
        of_all = Some(format!(
            "a template on the way would have {size} bytes, more than the {MAX_BODY} that a call takes, and there is no artifact bucket: \
             make one with `stackctl bootstrap`"
        ));
    }
    // The local engine holds nobody to a policy.
    if !imported.is_empty() && !context.clients.is_local() {
        let needs = moves::needs(template, imported);
        let denied = protection::denied_by(context, stack, stack_id, &needs).await;
        of_all = of_all.or(known(denied)?.flatten());
    }
    if let Some(reason) = of_all {
        for from in imported.keys() {
            let told = reasons.entry(from.clone());
            told.or_insert_with(|| reason.clone());
        }
    }
    Ok(reasons)
}

/// What was changed about a resource past CloudFormation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Drifted {
    /// It is gone.
    Gone,
    /// These properties, as paths.
    Changed(Vec<String>),
}

impl Drifted {
    /// Says what that means for a rename by import. `way_back` is how what is gone comes back.
    pub(in crate::engine) fn told(&self, from: &str, way_back: &str) -> String {
        match self {
            Self::Gone => format!(
                "{from} was deleted past CloudFormation, and what is not there cannot be imported: {way_back}"
            ),
            Self::Changed(paths) => format!(
                "it was changed past CloudFormation ({}), and its import may set that back",
                paths.join(", ")
            ),
        }
    }
}

/// Says how a resource comes back that was deleted past CloudFormation. The local engine changes no drift back.
pub(in crate::engine) fn way_back(context: &Context, stack: &str) -> String {
    if context.clients.is_local() {
        "destroy the stack and deploy it again, which makes another one".to_owned()
    } else {
        format!(
            "`{}` makes it anew, and the deploy after it renames it",
            hint::command(context, &format!("stackctl drift {stack} --revert"))
        )
    }
}

/// Returns what was changed past CloudFormation about resources that are renamed by import, by old logical id: to the type's
/// provider an import is an update
/// (<https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1497>). Where the caller may not ask,
/// nothing is known; types that CloudFormation does not compare tell nothing either.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackResourceDrift.html>.
async fn drifted(
    context: &Context,
    stack_id: &str,
    imported: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Drifted>, AwsError> {
    let clients = &context.clients;
    let mut found = BTreeMap::new();
    for from in imported.keys() {
        let answer = clients
            .cloudformation
            .detect_stack_resource_drift()
            .stack_name(stack_id)
            .logical_resource_id(from)
            .send()
            .await
            .or_aws(clients, "DetectStackResourceDrift");
        let drift = match known(answer) {
            // CloudFormation refuses types that it does not compare, and resources that a condition left out.
            Err(error) if error.code() == Some("ValidationError") => continue,
            Ok(None) => break,
            answer => answer?.and_then(|answer| answer.stack_resource_drift),
        };
        let Some(drift) = drift else { continue };
        let status = drift.stack_resource_drift_status;
        match status.as_ref().map(StackResourceDriftStatus::as_str) {
            Some("DELETED") => {
                found.insert(from.clone(), Drifted::Gone);
            }
            Some("MODIFIED") => {
                let differences = drift.property_differences.unwrap_or_default();
                let paths = differences.into_iter().filter_map(|it| it.property_path);
                found.insert(from.clone(), Drifted::Changed(paths.collect()));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Returns what was changed past CloudFormation about all that is renamed by import: of what goes along, that is known.
pub(in crate::engine) async fn all_drifted(
    context: &Context,
    stack_id: &str,
    whole: &moves::Whole,
    imported: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Drifted>, AwsError> {
    let (along, declared): (BTreeMap<_, _>, BTreeMap<_, _>) = imported
        .clone()
        .into_iter()
        .partition(|(from, _)| whole.taken.contains_key(from));
    let mut found = drifted(context, stack_id, &declared).await?;
    let known = whole.drifted.iter();
    let known = known.filter(|(from, _)| along.contains_key(*from));
    found.extend(known.map(|(from, drifted)| (from.clone(), drifted.clone())));
    Ok(found)
}

/// Returns what was answered; nothing, where the caller may not ask.
fn known<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => Ok(None),
        answer => answer.map(Some),
    }
}

/// Says why CloudFormation imports none of the resources that are renamed so, by old logical id: it would have to identify
/// them by one property.
///
/// The summary of a template names the types that can be imported, and the properties that identify each: alternatives of
/// their own, several that count together with commas
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceIdentifierSummary.html>).
pub(in crate::engine) async fn refused(
    context: &Context,
    template: &Value,
    imported: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, AwsError> {
    let type_of = |from: &str| {
        let resource_type = template["Resources"][from]["Type"].as_str();
        resource_type.filter(|it| !moves::is_written_over(it))
    };
    let types: BTreeSet<&str> = imported.keys().filter_map(|from| type_of(from)).collect();
    // What is made again needs none, and the local engine tells no identifiers.
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
        let property = identity::property(resource_type);
        known
            .iter()
            .filter(|it| it.resource_type() == Some(resource_type))
            .any(|it| {
                it.resource_identifiers()
                    .iter()
                    .any(|by| Some(by.as_str()) == property)
            })
    };
    let refused = imported.keys().filter_map(|from| {
        let resource_type = type_of(from).filter(|it| !is_known(it))?;
        let reason = format!(
            "CloudFormation did not say that it imports resources of the type {resource_type} by one property: keep the old logical id, or remove \
             the rename and have it made anew"
        );
        Some((from.clone(), reason))
    });
    Ok(refused.collect())
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
    // What is made again is not looked for.
    if away.is_made {
        return None;
    }
    let clients = &context.clients;
    // Cloud Control of the local engine knows what it made itself, and nothing that a stack did.
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
