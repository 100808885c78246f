//! What a deploy needs to be allowed: actions, each on a resource.
//!
//! The registry lists every action that a resource type may take, most of which few resources need. Here are those without
//! which no resource of the type is made, changed or removed; a test compares them with the registry's.

mod row;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Look, declared};
use crate::{
    aws::{Clients, signed::Home},
    engine::preflight::look::{Declared, partition},
};

pub(super) use row::{ROWS, Row};

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

/// What CloudFormation puts at the end of a name that it makes up, to make it nobody else's.
const MADE_UP: &str = "0123456789AB";

/// How much of each part is kept in a name that it makes up, where the name would become too long: no name may have more
/// than 64 characters in all services.
const LONGEST: usize = 64;
const KEPT: usize = 24;

/// Returns what a stack needs.
pub(super) fn of(clients: &Clients, look: &Look<'_>, before: &Value) -> Vec<Need> {
    let mut needs = Vec::new();
    let place = Place { clients, look };
    for resource in look.declared().filter(|it| !is_elsewhere(it)) {
        let Some(row) = ROWS.iter().find(|row| row.kind == resource.kind) else {
            continue;
        };
        let [create, update, _] = row.actions;
        if look.is_new(&resource) {
            let Some(arn) = place.of_new(row, &resource) else {
                continue;
            };
            let need = place.need(row, create, &arn, resource.logical_id);
            if resource.kind == "AWS::IAM::Role" {
                needs.extend(of_role(&place, row, &resource, need));
            } else {
                needs.push(need);
            }
        } else if changes(look, &resource, before) {
            let arn = place.of_present(row, resource.logical_id);
            needs.extend(arn.map(|arn| place.need(row, update, &arn, resource.logical_id)));
        }
    }
    let stays = |logical_id: &str| look.template["Resources"].get(logical_id).is_some();
    let gone = declared(before).filter(|it| !stays(it.logical_id) && !is_elsewhere(it));
    for resource in gone {
        let body = &before["Resources"][resource.logical_id];
        let row = ROWS.iter().find(|row| row.kind == resource.kind);
        if let (Some(row), None | Some("Delete")) = (row, body["DeletionPolicy"].as_str()) {
            let arn = place.of_present(row, resource.logical_id);
            needs.extend(arn.map(|arn| place.need(row, row.actions[2], &arn, resource.logical_id)));
        }
    }
    needs.retain(|need| !need.action.ends_with(':'));
    needs
}

/// Returns whether a resource is kept in another one, which stands in its ARN.
fn is_elsewhere(resource: &Declared<'_>) -> bool {
    match resource.kind {
        "AWS::Events::Rule" => resource.properties.get("EventBusName").is_some(),
        "AWS::Scheduler::Schedule" => resource.properties.get("GroupName").is_some(),
        _ => false,
    }
}

/// Returns whether a resource may be changed: its text differs, or its code may.
fn changes(look: &Look<'_>, resource: &Declared<'_>, before: &Value) -> bool {
    let code = resource
        .properties
        .pointer("/Code/S3Key/Ref")
        .and_then(Value::as_str);
    code.is_some_and(|parameter| look.stack.manifest.artifacts.contains_key(parameter))
        || before["Resources"][resource.logical_id]["Properties"] != *resource.properties
}

/// Returns what a role needs: to be made with its policies, and to be handed on to the services that take it on
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>).
fn of_role(place: &Place<'_>, row: &Row, role: &Declared<'_>, create: Need) -> Vec<Need> {
    let arn = create.arn.clone();
    let arn = arn.as_str();
    let mut needs = vec![create];
    let has = |property: &str| {
        let list = role.properties.get(property).and_then(Value::as_array);
        list.is_some_and(|list| !list.is_empty())
    };
    if has("Policies") {
        needs.push(place.need(row, "PutRolePolicy", arn, role.logical_id));
    }
    if has("ManagedPolicyArns") {
        needs.push(place.need(row, "AttachRolePolicy", arn, role.logical_id));
    }
    if let Some(boundary) = role.properties.get("PermissionsBoundary") {
        let boundary = place.look.text(boundary);
        for need in &mut needs {
            let known = boundary.map(|it| ("iam:PermissionsBoundary", it.to_owned()));
            need.context.extend(known);
        }
    }
    let statements = role
        .properties
        .pointer("/AssumeRolePolicyDocument/Statement");
    let services = statements
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|statement| statement.pointer("/Principal/Service"));
    for service in services {
        let services = service
            .as_array()
            .map_or(std::slice::from_ref(service), Vec::as_slice);
        for service in services.iter().filter_map(Value::as_str) {
            let mut need = place.need(row, "PassRole", arn, role.logical_id);
            need.context
                .insert("iam:PassedToService", service.to_owned());
            needs.push(need);
        }
    }
    needs
}

/// Where the resources of a stack are.
struct Place<'a> {
    clients: &'a Clients,
    look: &'a Look<'a>,
}

impl Place<'_> {
    fn need(&self, row: &Row, action: &str, arn: &str, logical_id: &str) -> Need {
        let service = service(row);
        // What is in no region is asked for in one
        // (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requestedregion>).
        let own = self.clients.region();
        let region = match service {
            "iam" => Home::of(own).iam,
            "cloudfront" | "route53" => Home::of(own).edge,
            _ => own,
        };
        Need {
            action: format!("{service}:{action}"),
            arn: arn.to_owned(),
            logical_id: logical_id.to_owned(),
            context: BTreeMap::from([("aws:RequestedRegion", region.to_owned())]),
        }
    }

    /// Returns where a resource will be; nothing, where its name is known to the deployment alone.
    fn of_new(&self, row: &Row, resource: &Declared<'_>) -> Option<String> {
        self.filled(row.new, |property| {
            let bare = property.trim_start_matches(['~', '!', '_']);
            let of_stack = made_up(self.look.name(), resource.logical_id);
            let made_up = match property.chars().next() {
                Some('!') => None,
                Some('_') => Some(of_stack.to_ascii_lowercase()),
                Some('~') if resource.kind == "AWS::SSM::Parameter" => {
                    Some(made_up("CFN", resource.logical_id))
                }
                Some('~') => Some(made_up("", resource.logical_id)),
                _ => Some(of_stack),
            };
            let name = match resource.properties.get(bare) {
                None => made_up?,
                // The slash that a parameter's name begins with stands in the ARN already.
                Some(name) if resource.kind == "AWS::SSM::Parameter" => {
                    self.look.text(name)?.trim_start_matches('/').to_owned()
                }
                Some(name) => self.look.text(name)?.to_owned(),
            };
            let path = match resource.properties.get("Path") {
                Some(path) if resource.kind.starts_with("AWS::IAM::") => {
                    self.look.text(path)?.trim_start_matches('/').to_owned()
                }
                _ => String::new(),
            };
            Some(format!("{path}{name}"))
        })
    }

    /// Returns where a resource is.
    fn of_present(&self, row: &Row, logical_id: &str) -> Option<String> {
        let id = &self.look.present.get(logical_id)?.physical_id;
        if row.there == "{}" {
            return id.starts_with("arn:").then(|| id.clone());
        }
        // The path of a role is no part of its physical id.
        let has_path = |template: &Value| {
            let path = &template["Resources"][logical_id]["Properties"]["Path"];
            !path.is_null() && path != "/"
        };
        if row.kind == "AWS::IAM::Role" && has_path(&self.look.template) {
            return None;
        }
        let name = if id.starts_with("https://") {
            id.rsplit('/').next()?
        } else {
            id.trim_start_matches('/')
        };
        let name = if row.kind == "AWS::Logs::LogGroup" {
            id
        } else {
            name
        };
        // A rule of another bus than the default one is identified by both.
        let name = name.replace('|', "/");
        self.filled(row.there, |_| Some(name.clone()))
    }

    fn filled(&self, place: &str, named: impl Fn(&str) -> Option<String>) -> Option<String> {
        if place == "*" {
            return Some("*".to_owned());
        }
        let mut arn = format!("arn:{}:", partition(self.clients));
        let mut rest = place;
        while let Some((before, after)) = rest.split_once('{') {
            let (property, after) = after.split_once('}')?;
            arn.push_str(before);
            match property {
                "r" => arn.push_str(self.clients.region()),
                "a" => arn.push_str(&self.clients.identity().account),
                property => arn.push_str(&named(property)?),
            }
            rest = after;
        }
        arn.push_str(rest);
        Some(arn)
    }
}

/// Returns the prefix of a type's actions.
fn service(row: &Row) -> &'static str {
    let place = if row.new == "*" { row.there } else { row.new };
    match row.kind {
        "AWS::CertificateManager::Certificate" => "acm",
        _ => place.split(':').next().unwrap_or_default(),
    }
}

/// Makes up a name as CloudFormation does
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html>).
fn made_up(stack: &str, logical_id: &str) -> String {
    let cut = |text: &str| text.get(..KEPT).unwrap_or(text).to_owned();
    let fits = stack.len() + logical_id.len() + MADE_UP.len() + 2 <= LONGEST;
    match (stack, fits) {
        ("", _) => format!("{logical_id}-{MADE_UP}"),
        (_, true) => format!("{stack}-{logical_id}-{MADE_UP}"),
        (_, false) => format!("{}-{}-{MADE_UP}", cut(stack), cut(logical_id)),
    }
}

#[cfg(test)]
mod tests {
    use super::{ROWS, service};

    /// What the registry says that the types need; see `xtask/src/spec/permissions.rs`.
    const REGISTRY: &str =
        include_str!("../../../../../stack-model/src/codebuild/deploy/permissions.txt");

    #[test]
    fn every_action_is_one_that_the_registry_names() {
        for row in ROWS {
            let prefix = format!("{} ", row.kind);
            let line = REGISTRY
                .lines()
                .find_map(|line| line.strip_prefix(&prefix))
                .unwrap_or_else(|| panic!("{}", row.kind));
            let of_service = format!("{}:", service(row));
            let known: Vec<&str> = line
                .split(' ')
                .filter_map(|word| word.strip_prefix(&of_service))
                .flat_map(|names| names.split(','))
                .map(|name| name.trim_end_matches('*'))
                .collect();
            for action in row.actions.iter().filter(|action| !action.is_empty()) {
                assert!(known.contains(action), "{}: {action}: {known:?}", row.kind);
            }
            let create = row.actions[0];
            // What cannot be kept to a resource is asked for everywhere.
            let marked = line.contains(&format!("{create}*"));
            assert!(!marked || row.new == "*", "{}: {create}", row.kind);
        }
    }
}
