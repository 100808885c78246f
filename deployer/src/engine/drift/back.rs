//! What changing drift back would do, judged as a plan judges templates: what is there comes before, and what was deployed
//! comes after.
//!
//! The values are those of the detection, which tells all properties of a resource that was changed, as they are and as they
//! were deployed
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackResourceDrift.html>). What did not change
//! stays as the template says it, so that the plan knows what refers to what.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use stack_model::assembly::StackManifest;

use super::{Context, MASK, PropertyDrift, ResourceDrift, StackDrift, inspect};
use crate::aws::AwsError;
use crate::engine::change_set::Change;
use crate::engine::plan::{
    Action, Grade, Path, PropertyChange, Registry, ResourceChange, Side, StackPlan, compare,
    intrinsic, lets_in, pseudo_parameters,
};
use crate::template::is_secret;

/// Why a change is dangerous of which a value is hidden.
const UNSEEN: &str = "nobody can see all that becomes another, so it may let somebody in";

/// Judges what changing a stack back would do.
pub async fn revert_plan(
    context: &Context,
    manifest: &StackManifest,
    drift: &StackDrift,
) -> Result<StackPlan, AwsError> {
    let context = context.in_region(manifest.region.as_deref());
    let clients = &context.clients;
    let Some(deployed) = inspect::describe(clients, &manifest.name).await? else {
        return Ok(StackPlan {
            stack: manifest.name.clone(),
            ..StackPlan::default()
        });
    };
    let template = inspect::template(clients, &deployed.id).await?;
    let template = template.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let template = template.filter(|template| template["Resources"].is_object());
    let mut parameters = deployed.parameters.clone();
    parameters.extend(pseudo_parameters(
        &manifest.name,
        Some(&deployed.id),
        Some(&clients.identity().account),
        Some(clients.region()),
    ));
    let deployed = Side {
        template: template.as_ref(),
        parameters,
        tags: deployed.tags,
    };
    Ok(judge(manifest, &deployed, &drift.resources))
}

/// Judges what changing these resources back would do to what is deployed.
fn judge(manifest: &StackManifest, deployed: &Side<'_>, resources: &[ResourceDrift]) -> StackPlan {
    let back = Back::of(deployed.template, resources);
    let side = |template| Side {
        template: Some(template),
        ..deployed.clone()
    };
    let mut plan = compare(
        &manifest.name,
        &side(&back.before),
        &side(&back.after),
        &manifest.resources,
        &Registry,
    );
    for (resource, paths) in back.unseen {
        doubt(&mut plan, resource, paths);
    }
    plan.changes.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    plan
}

/// Both templates, and what neither tells of: the resources with the paths of their properties.
struct Back<'a> {
    before: Value,
    after: Value,
    unseen: Vec<(&'a ResourceDrift, Vec<&'a str>)>,
}

impl<'a> Back<'a> {
    /// Puts what is there, and what was deployed, into a template. Where nobody knows that, nobody knows either what is
    /// secret.
    fn of(template: Option<&Value>, resources: &'a [ResourceDrift]) -> Self {
        let none = json!({ "Resources": {} });
        let is_known = template.is_some();
        let template = template.unwrap_or(&none);
        let (mut before, mut after) = (template.clone(), template.clone());
        let mut unseen = Vec::new();
        for resource in resources {
            let id = &resource.logical_id;
            let body = template["Resources"].get(id);
            match (resource.status.as_str(), body, &resource.sides) {
                ("DELETED", Some(_), _) => {
                    if let Some(resources) = before["Resources"].as_object_mut() {
                        resources.remove(id);
                    }
                }
                ("MODIFIED", _, Some(sides)) if is_known => {
                    let said = body.and_then(|body| body.get("Properties")?.as_object());
                    // What a macro makes is in no template of ours.
                    let said = said.filter(|said| intrinsic(said).is_none());
                    let said = said.cloned().map(Value::Object);
                    let said = said.unwrap_or_else(|| sides.expected.clone());
                    let mut parts = Parts {
                        template,
                        resource,
                        seen: BTreeSet::new(),
                    };
                    let [was, is] = parts.written("", [&said, &sides.actual, &sides.expected]);
                    let mut body = body.cloned().unwrap_or_else(
                        || json!({ "Type": resource.resource_type, "Properties": {} }),
                    );
                    for (side, properties) in [(&mut before, was), (&mut after, is)] {
                        body["Properties"] = properties;
                        side["Resources"][id] = body.clone();
                    }
                    let rest = parts.unseen();
                    if !rest.is_empty() {
                        unseen.push((resource, rest));
                    }
                }
                ("DELETED" | "MODIFIED", _, _) => {
                    let properties = resource.properties.iter();
                    let all = properties.map(|it| it.path.as_str()).collect();
                    unseen.push((resource, all));
                }
                // What could not be read is judged by what the change set says.
                _ => {}
            }
        }
        Self {
            before,
            after,
            unseen,
        }
    }
}

/// The properties of a resource, of which some are not as they were deployed.
struct Parts<'a, 'b> {
    template: &'b Value,
    resource: &'a ResourceDrift,
    /// The paths of what was told on both sides.
    seen: BTreeSet<String>,
}

impl<'a> Parts<'a, '_> {
    /// Writes a map as it is and as it was deployed, with what the template says where nothing was changed.
    fn written(&mut self, path: &str, [said, actual, expected]: [&Value; 3]) -> [Value; 2] {
        let mut sides = [Map::new(), Map::new()];
        let keys = [said, actual, expected].map(|side| side.as_object().into_iter().flatten());
        let keys: BTreeSet<&String> = keys.into_iter().flatten().map(|(key, _)| key).collect();
        for key in keys {
            let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
            let parts = [said, actual, expected].map(|side| side.get(key));
            let written = self.part(&path, parts);
            for (side, value) in sides.iter_mut().zip(written) {
                side.extend(value.map(|value| (key.clone(), value)));
            }
        }
        sides.map(Value::Object)
    }

    fn part(
        &mut self,
        path: &str,
        [said, actual, expected]: [Option<&Value>; 3],
    ) -> [Option<Value>; 2] {
        let unchanged = || [said.cloned(), said.cloned()];
        let mut differences = self.resource.properties.iter();
        if actual == expected || !differences.any(|it| touches(&it.path, path)) {
            return unchanged();
        }
        if let (Some(said), Some(actual), Some(expected)) = (said, actual, expected)
            && [said, actual, expected].iter().all(|side| is_map(side))
        {
            return self.written(path, [said, actual, expected]).map(Some);
        }
        if is_secret(self.template, &self.resource.logical_id, path) {
            return unchanged();
        }
        self.seen.insert(path.to_owned());
        [actual.cloned(), expected.cloned()]
    }

    /// Returns the paths of the differences of which nothing was told.
    fn unseen(&self) -> Vec<&'a str> {
        let properties = self.resource.properties.iter();
        let is_seen = |it: &&PropertyDrift| self.seen.iter().any(|path| touches(path, &it.path));
        let unseen = properties.filter(|property| !is_seen(property));
        unseen.map(|property| property.path.as_str()).collect()
    }
}

/// Returns whether a value is a map and not what an intrinsic gives.
fn is_map(value: &Value) -> bool {
    let entries = value.as_object();
    entries.is_some_and(|entries| intrinsic(entries).is_none())
}

/// Returns whether one of two places is in the other.
fn touches(one: &str, other: &str) -> bool {
    let within = |inner: &str, outer: &str| {
        let rest = inner.strip_prefix(outer);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    within(one, other) || within(other, one)
}

/// Notes what becomes another in a resource that nobody can see: it may let in somebody, where the type can.
fn doubt(plan: &mut StackPlan, resource: &ResourceDrift, paths: Vec<&str>) {
    let id = &resource.logical_id;
    if plan.changes.iter().all(|change| change.logical_id != *id) {
        let (action, grade) = match resource.status.as_str() {
            "DELETED" => (Action::Create, Grade::None),
            _ => (Action::Update, Grade::UpdateInPlace),
        };
        plan.changes.push(ResourceChange {
            logical_id: id.clone(),
            resource_type: resource.resource_type.clone(),
            action,
            grade,
            source: resource.source.clone(),
            ..ResourceChange::default()
        });
    }
    let grade = lets_in(&resource.resource_type);
    let mut changes = plan.changes.iter_mut();
    if let Some(change) = changes.find(|change| change.logical_id == *id) {
        let hidden = || Some(Value::from(MASK));
        change
            .properties
            .extend(paths.into_iter().map(|path| PropertyChange {
                path: Path::of_pointer(path),
                before: hidden(),
                after: hidden(),
            }));
        if let Some(grade) = grade {
            change.grade = change.grade.max(grade);
            change.endanger(grade);
            change.reasons.insert(0, UNSEEN.to_owned());
        }
    }
}

/// Forgets the values of a change that do not tell what becomes another: a drift-aware change set knows three states of a
/// resource, and where the two that it tells are the same, what is there is the third
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html>).
pub(super) fn distrust(change: &mut Change) {
    let own = &change.own;
    change.values = change.values.take().filter(|[before, after]| {
        let mut own = own.iter();
        own.all(|name| before.get(name) != after.get(name))
    });
}

#[cfg(test)]
mod tests;
