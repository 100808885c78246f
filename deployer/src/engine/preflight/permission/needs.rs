//! What a deploy needs to be allowed: actions, each on a resource.
//!
//! The registry lists every action that a resource type may take, most of which few resources need. Here are those without
//! which no resource of the type is made, changed or removed, and those of properties that have one of their own; a test
//! compares them with the registry's.

mod part;
mod place;
mod row;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stack_model_cfn::facts::{self, UpdateBehaviour};

use super::{Look, declared};
use crate::{aws::Clients, engine::preflight::look::Declared};
use place::Place;
pub(super) use row::Row;

/// An action on a resource, which a resource of a stack needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    /// Such as `sqs:CreateQueue`.
    pub(super) action: String,
    /// The ARN of the resource, or `*`.
    pub(super) arn: String,
    /// The resource of the stack.
    pub(super) logical_id: String,
    /// What the request would say of itself, by condition key.
    pub(super) context: BTreeMap<&'static str, String>,
}

/// What a stack needs.
#[derive(Default)]
pub(super) struct Needs {
    pub(super) known: Vec<Need>,
    /// The types of which nobody knows what some resource needs, or where it is.
    pub(super) unknown: BTreeSet<String>,
}

/// Returns what a stack needs.
pub(super) fn of(clients: &Clients, look: &Look<'_>, before: &Value) -> Needs {
    let mut needs = Needs::default();
    let place = Place {
        clients,
        look,
        before,
    };
    for resource in look.declared() {
        if look.is_new(&resource) {
            needs.made(&place, &resource);
            continue;
        }
        let was = deployed(look, before, resource.logical_id);
        let is_kept = keeps(&was["UpdateReplacePolicy"]);
        let was = &was["Properties"];
        let differing = differing(look, &resource, was);
        if differing.is_empty() {
            continue;
        }
        let facts = facts::resource_type(resource.kind);
        let is_replaced = differing.iter().any(|property| {
            let update = facts.and_then(|facts| facts.update(property));
            update == Some(UpdateBehaviour::Replacement)
        });
        if is_replaced {
            needs.made(&place, &resource);
            if !is_kept {
                needs.gone(&place, &with(&resource, was));
            }
        } else {
            needs.changed(&place, &resource, was, &differing);
        }
    }
    let stays = |logical_id: &str| {
        let to = look
            .stack
            .manifest
            .renamed(logical_id)
            .unwrap_or(logical_id);
        look.template["Resources"].get(to).is_some()
    };
    for resource in declared(before).filter(|it| !stays(it.logical_id)) {
        let policy = &before["Resources"][resource.logical_id]["DeletionPolicy"];
        if !keeps(policy) {
            needs.gone(&place, &resource);
        }
    }
    needs
}

/// Returns a resource as it was deployed, under its old name where that was another.
fn deployed<'a>(look: &Look<'_>, before: &'a Value, logical_id: &str) -> &'a Value {
    let resources = &before["Resources"];
    let manifest = &look.stack.manifest;
    let mut earlier = manifest.moved.keys().chain(manifest.along.keys());
    match resources.get(logical_id) {
        Some(resource) => resource,
        None => earlier
            .find(|from| manifest.renamed(from) == Some(logical_id))
            .map_or(&Value::Null, |from| &resources[from]),
    }
}

/// Returns whether a policy keeps a resource that goes.
fn keeps(policy: &Value) -> bool {
    policy.as_str().is_some_and(|policy| policy != "Delete")
}

fn with<'a>(resource: &Declared<'a>, properties: &'a Value) -> Declared<'a> {
    Declared {
        properties,
        ..*resource
    }
}

/// Returns the properties that a resource has otherwise than it had, and its code where that may differ.
fn differing<'a>(look: &Look<'_>, resource: &Declared<'a>, was: &'a Value) -> BTreeSet<&'a str> {
    let is = resource.properties;
    let both = [was, is].into_iter().filter_map(Value::as_object);
    let mut differing: BTreeSet<&str> = both
        .flat_map(|properties| properties.keys())
        .map(String::as_str)
        .filter(|property| was.get(property) != is.get(property))
        .collect();
    let code = is.pointer("/Code/S3Key/Ref").and_then(Value::as_str);
    if code.is_some_and(|parameter| look.stack.manifest.artifacts.contains_key(parameter)) {
        differing.insert("Code");
    }
    differing
}

/// Returns whether a resource is kept in another one, which stands in its ARN.
fn is_elsewhere(resource: &Declared<'_>) -> bool {
    match resource.kind {
        "AWS::Events::Rule" => resource.properties.get("EventBusName").is_some(),
        "AWS::Scheduler::Schedule" => resource.properties.get("GroupName").is_some(),
        _ => false,
    }
}

impl Needs {
    /// Enters what makes a resource.
    fn made(&mut self, place: &Place<'_>, resource: &Declared<'_>) {
        let Some(row) = self.row(resource) else {
            return;
        };
        let (Some(arns), Some(made)) = (place.of_new(row, resource), place.of_made(row, resource))
        else {
            self.unknown.insert(resource.kind.to_owned());
            return;
        };
        let mut known = needs(place, row, resource, [row.actions[0]], &arns);
        let parts = part::of_new(resource.kind, resource.properties);
        known.extend(needs(place, row, resource, parts, &made));
        if resource.kind == "AWS::IAM::Role" {
            bound(place, resource, &mut known);
            for arn in &arns {
                known.extend(handed_on(place, row, resource, arn));
            }
        }
        self.known.extend(known);
    }

    /// Enters what changes a resource.
    fn changed(
        &mut self,
        place: &Place<'_>,
        resource: &Declared<'_>,
        was: &Value,
        differing: &BTreeSet<&str>,
    ) {
        let Some(row) = self.row(resource) else {
            return;
        };
        let both = (was, resource.properties);
        let mut actions = part::of_changed(resource.kind, row.actions[1], both, differing);
        actions.remove("");
        if actions.is_empty() {
            return;
        }
        let Some(arns) = place.of_present(row, resource) else {
            self.unknown.insert(resource.kind.to_owned());
            return;
        };
        let mut known = needs(place, row, resource, actions, &arns);
        if resource.kind == "AWS::IAM::Role" {
            bound(place, resource, &mut known);
        }
        self.known.extend(known);
    }

    /// Enters what removes a resource that was deployed so.
    fn gone(&mut self, place: &Place<'_>, resource: &Declared<'_>) {
        // What is not there any more needs nothing.
        if !place.look.present.contains_key(resource.logical_id) {
            return;
        }
        let Some(row) = self.row(resource).filter(|row| !row.actions[2].is_empty()) else {
            return;
        };
        let Some(arns) = place.of_present(row, resource) else {
            self.unknown.insert(resource.kind.to_owned());
            return;
        };
        let parts = part::of_gone(resource.kind, resource.properties);
        let actions = [row.actions[2]].into_iter().chain(parts);
        self.known
            .extend(needs(place, row, resource, actions, &arns));
    }

    /// Returns the row of a resource, and enters its type where there is none.
    fn row(&mut self, resource: &Declared<'_>) -> Option<&'static Row> {
        let row = Row::of(resource.kind).filter(|_| !is_elsewhere(resource));
        if row.is_none() {
            self.unknown.insert(resource.kind.to_owned());
        }
        row
    }
}

fn needs(
    place: &Place<'_>,
    row: &Row,
    resource: &Declared<'_>,
    actions: impl IntoIterator<Item = &'static str>,
    arns: &[String],
) -> Vec<Need> {
    let service = row.service();
    let actions = actions.into_iter().filter(|action| !action.is_empty());
    actions
        .flat_map(|action| arns.iter().map(move |arn| (action, arn)))
        .map(|(action, arn)| Need {
            action: format!("{service}:{action}"),
            arn: arn.clone(),
            logical_id: resource.logical_id.to_owned(),
            context: BTreeMap::from([("aws:RequestedRegion", place.region(service).to_owned())]),
        })
        .collect()
}

/// Says in what is needed for a role which boundary it is to have, where that is known.
fn bound(place: &Place<'_>, role: &Declared<'_>, needs: &mut [Need]) {
    let boundary = role.properties.get("PermissionsBoundary");
    let Some(boundary) = boundary.and_then(|boundary| place.look.text(boundary)) else {
        return;
    };
    for need in needs {
        need.context
            .insert("iam:PermissionsBoundary", boundary.to_owned());
    }
}

/// Returns what a new role needs to be handed on to the services that take it on
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>).
fn handed_on(place: &Place<'_>, row: &Row, role: &Declared<'_>, arn: &str) -> Vec<Need> {
    let statements = role
        .properties
        .pointer("/AssumeRolePolicyDocument/Statement");
    let services = statements
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|statement| statement.pointer("/Principal/Service"));
    let mut handed = Vec::new();
    for service in services {
        let services = service
            .as_array()
            .map_or(std::slice::from_ref(service), Vec::as_slice);
        for service in services.iter().filter_map(Value::as_str) {
            for mut need in needs(place, row, role, ["PassRole"], &[arn.to_owned()]) {
                need.context
                    .insert("iam:PassedToService", service.to_owned());
                handed.push(need);
            }
        }
    }
    handed
}

#[cfg(test)]
mod tests {
    use super::{Row, part::PARTS};
    use crate::engine::preflight::rendered_types;

    /// What the registry says that the types need; see `xtask/src/spec/permissions.rs`.
    const REGISTRY: &str =
        include_str!("../../../../../stack-model/src/codebuild/deploy/permissions.txt");

    /// Types of which the registry says nothing: it does not make projects of `CodeBuild` itself
    /// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodebuild.html>), and custom resources
    /// are functions that are called.
    const UNSAID: [&str; 2] = [
        "AWS::CloudFormation::CustomResource",
        "AWS::CodeBuild::Project",
    ];

    /// Types that are rendered and that nobody asks about, with the reason.
    const UNASKED: [(&str, &str); 1] = [(
        "AWS::ServiceDiscovery::HttpNamespace",
        "the model has no word for it: an example writes it down raw",
    )];

    /// Returns the actions that the registry names for a type, of its own service.
    fn known(row: &Row) -> Vec<&'static str> {
        let prefix = format!("{} ", row.kind);
        let line = REGISTRY
            .lines()
            .find_map(|line| line.strip_prefix(&prefix))
            .unwrap_or_else(|| panic!("{}", row.kind));
        let of_service = format!("{}:", row.service());
        line.split(' ')
            .filter_map(|word| word.strip_prefix(&of_service))
            .flat_map(|names| names.split(','))
            .collect()
    }

    #[test]
    fn every_action_is_one_that_the_registry_names() {
        for row in Row::all().filter(|row| !UNSAID.contains(&row.kind)) {
            let known = known(row);
            let parts = PARTS.iter().filter(|part| part.kind == row.kind);
            let of_parts = parts.flat_map(|part| part.actions);
            for action in row.actions.into_iter().chain(of_parts) {
                let bare = |name: &&str| name.trim_end_matches('*') == action;
                assert!(
                    action.is_empty() || known.iter().any(bare),
                    "{}: {action}: {known:?}",
                    row.kind
                );
            }
            // What cannot be kept to a resource is asked for everywhere.
            for (action, place) in [
                (row.actions[0], row.new),
                (row.actions[1], row.there),
                (row.actions[2], row.there),
            ] {
                let marked = format!("{action}*");
                let is_marked = !action.is_empty() && known.contains(&marked.as_str());
                let is_everywhere = place.ends_with('*') && !place.contains('{');
                assert!(!is_marked || is_everywhere, "{}: {action}", row.kind);
            }
        }
    }

    #[test]
    fn every_type_that_is_rendered_is_asked_about_or_has_a_reason() {
        let rendered = rendered_types();
        for kind in &rendered {
            let has_reason = UNASKED.iter().any(|(unasked, _)| unasked == kind);
            let has_row = Row::of(kind).is_some();
            assert!(
                has_row != has_reason,
                "enter {kind} among the rows, or in UNASKED with the reason"
            );
        }
        for (kind, _) in UNASKED {
            assert!(rendered.contains(kind), "{kind} needs no reason");
        }
        for part in PARTS {
            assert!(Row::of(part.kind).is_some(), "{} has no row", part.kind);
        }
    }
}
