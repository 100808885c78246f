//! What takes back what left a stack: a change set of the type `IMPORT`
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html>).
//!
//! Its template holds what it imports, each with a deletion policy, and may refer to nothing that is gone. Where the stack
//! is there it holds all that the stack has too, as it is: an import changes and removes nothing. CloudFormation does not
//! compare the properties with those of the resource, so what cannot be said any more is left out; the next deploy says it
//! again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use stack_model_cfn::facts;

use super::{
    Retained,
    advice::{identifier, quoted},
};
use crate::{
    aws::signed::suffix,
    engine::{Context, hint, inspect::DeployedResource, publish},
    template::referenced,
};

/// What the logical id of a resource continues with that is taken back into a stack which has another one of its id.
const KEPT: &str = "Kept";

/// What leaves a stack, and what is known of that.
pub(in crate::engine) struct Parting<'a> {
    /// The ARN of the stack.
    pub(in crate::engine) stack_id: &'a str,
    /// The template that made what leaves.
    pub(in crate::engine) template: &'a Value,
    pub(in crate::engine) parameters: &'a BTreeMap<String, String>,
    /// What the stack had.
    pub(in crate::engine) resources: Vec<&'a DeployedResource>,
    /// What leaves it, of that.
    pub(in crate::engine) leaving: Vec<&'a DeployedResource>,
    /// The template that the stack has from then on, where it is there.
    pub(in crate::engine) stays: Option<&'a Value>,
}

/// The change set that takes back what left a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adoption {
    stack_id: String,
    template: Value,
    imports: Vec<Import>,
}

/// One resource of a change set that imports, as the command takes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Import {
    resource_type: String,
    #[serde(rename = "LogicalResourceId")]
    logical_id: String,
    #[serde(rename = "ResourceIdentifier")]
    by: BTreeMap<String, String>,
}

impl Adoption {
    /// Returns what takes back what leaves a stack; nothing, where that is nothing which CloudFormation identifies by its
    /// physical id.
    pub(in crate::engine) fn of(parting: &Parting<'_>) -> Option<Self> {
        let mut imported: BTreeMap<&str, &DeployedResource> = (parting.leaving.iter())
            .filter(|resource| identifier(&resource.resource_type).is_some())
            .map(|resource| (resource.logical_id.as_str(), *resource))
            .collect();
        let known = Known {
            template: parting.template,
            parameters: parting.parameters,
            physical_ids: (parting.resources.iter())
                .map(|it| (it.logical_id.as_str(), &*it.physical_id))
                .collect(),
            stays: parting.stays.unwrap_or(&Value::Null),
        };
        // What cannot be said may be what another refers to.
        let entries = loop {
            let names: BTreeSet<&str> = imported.keys().copied().collect();
            let entries: BTreeMap<&str, Option<Value>> = names
                .iter()
                .map(|id| (*id, known.entry(id, &names)))
                .collect();
            let before = imported.len();
            imported.retain(|id, _| entries.get(id).is_some_and(Option::is_some));
            if imported.len() == before {
                break entries;
            }
        };
        if imported.is_empty() {
            return None;
        }
        let mut template = match parting.stays {
            Some(stays) => stays.clone(),
            None => json!({"AWSTemplateFormatVersion": "2010-09-09"}),
        };
        let mut resources = match template.get_mut("Resources").map(Value::take) {
            Some(Value::Object(resources)) => resources,
            _ => Map::new(),
        };
        let mut imports = Vec::new();
        for (id, resource) in imported {
            let (Some(property), Some(Some(entry))) =
                (identifier(&resource.resource_type), entries.get(id))
            else {
                continue;
            };
            let logical_id = free(&resources, id);
            resources.insert(logical_id.clone(), entry.clone());
            imports.push(Import {
                resource_type: resource.resource_type.clone(),
                logical_id,
                by: BTreeMap::from([(property.to_owned(), resource.physical_id.clone())]),
            });
        }
        template["Resources"] = resources.into();
        Some(Self {
            stack_id: parting.stack_id.to_owned(),
            template,
            imports,
        })
    }

    /// Returns the template.
    pub fn template(&self) -> &Value {
        &self.template
    }

    /// Returns whether a resource is taken back by this.
    pub fn takes(&self, resource: &Retained) -> bool {
        self.imports.iter().any(|import| {
            import.resource_type == resource.resource_type
                && import.by.values().any(|id| *id == resource.physical_id)
        })
    }

    /// Returns whether this takes back all that another one does.
    pub(super) fn takes_all_of(&self, other: &Self) -> bool {
        let takes = |it: &Import| {
            (self.imports.iter())
                .any(|own| (&own.resource_type, &own.by) == (&it.resource_type, &it.by))
        };
        other.imports.iter().all(takes)
    }

    /// Returns the commands that take it all back, in their order. `file` holds the template. One that is longer than a call
    /// takes has to be uploaded first, to a bucket that the caller chooses in place of `BUCKET`.
    pub fn commands(&self, context: &Context, file: &Path) -> Vec<String> {
        let stack = self.stack_id.split('/').nth(1).unwrap_or(&self.stack_id);
        // CloudFormation refuses tags here; the next deploy sets them.
        let imports = serde_json::to_string(&self.imports).unwrap_or_default();
        // As it is written into the file, with a line end.
        let text = serde_json::to_string_pretty(&self.template).unwrap_or_default() + "\n";
        let is_long = publish::needs_bucket(&text);
        let key = file.file_name().unwrap_or_default().to_string_lossy();
        let template = if is_long {
            let region = context.clients.region();
            let end = suffix(region);
            format!("--template-url https://BUCKET.s3.{region}.{end}/{key}")
        } else {
            format!(
                "--template-body {}",
                quoted(&format!("file://{}", file.display()))
            )
        };
        let mut create = format!(
            "cloudformation create-change-set --stack-name {stack} --change-set-name adopt --change-set-type IMPORT {template} \
             --resources-to-import {}",
            quoted(&imports)
        );
        let entries = |section: &str| self.template[section].as_object().into_iter().flatten();
        let mut parameters = String::new();
        for (key, _) in entries("Parameters") {
            // Writing to a String cannot fail.
            let _ = write!(parameters, " ParameterKey={key},UsePreviousValue=true");
        }
        if !parameters.is_empty() {
            create += " --parameters";
            create += &parameters;
        }
        let has_identities = |entry: &Value| {
            let kind = entry["Type"].as_str();
            kind.is_some_and(|kind| kind.starts_with("AWS::IAM::"))
        };
        let is_expanded = !self.template["Transform"].is_null();
        let capabilities = [
            (
                "CAPABILITY_NAMED_IAM",
                entries("Resources").any(|(_, it)| has_identities(it)),
            ),
            ("CAPABILITY_AUTO_EXPAND", is_expanded),
        ];
        let mut needed = capabilities.iter().filter(|(_, is)| *is).peekable();
        if needed.peek().is_some() {
            create += " --capabilities";
        }
        for (capability, _) in needed {
            create += " ";
            create += capability;
        }
        let named = format!("--stack-name {stack} --change-set-name adopt");
        let upload = is_long.then(|| {
            let file = quoted(&file.display().to_string());
            format!("s3 cp {file} s3://BUCKET/{key}")
        });
        let import = [
            create,
            format!("cloudformation wait change-set-create-complete {named}"),
            format!("cloudformation execute-change-set {named}"),
            format!("cloudformation wait stack-import-complete --stack-name {stack}"),
        ];
        let all = upload.into_iter().chain(import);
        all.map(|command| format!("aws {command}{}", hint::aws_options(context)))
            .collect()
    }

    pub(super) fn is_of_stack_of(&self, other: &Self) -> bool {
        self.stack_id == other.stack_id
    }
}

/// Returns the logical id that a resource gets: its own, unless the stack has another one of it.
fn free(resources: &Map<String, Value>, logical_id: &str) -> String {
    let mut free = logical_id.to_owned();
    let mut number = 1;
    while resources.contains_key(&free) {
        free = match number {
            1 => format!("{logical_id}{KEPT}"),
            _ => format!("{logical_id}{KEPT}{number}"),
        };
        number += 1;
    }
    free
}

/// What is known of a stack that something leaves.
struct Known<'a> {
    template: &'a Value,
    parameters: &'a BTreeMap<String, String>,
    physical_ids: BTreeMap<&'a str, &'a str>,
    /// What the stack has from then on.
    stays: &'a Value,
}

impl Known<'_> {
    /// Returns a resource as the template that imports it has it; nothing, where something that it must have cannot be
    /// said any more.
    fn entry(&self, logical_id: &str, imported: &BTreeSet<&str>) -> Option<Value> {
        let old = self.template.get("Resources")?.get(logical_id)?;
        let resource_type = old.get("Type")?.as_str()?;
        let mut properties = Map::new();
        let all = old.get("Properties").and_then(Value::as_object);
        for (name, value) in all.into_iter().flatten() {
            if let Some(value) = self.said(value, imported) {
                properties.insert(name.clone(), value);
            }
        }
        let is_whole = facts::resource_type(resource_type)?
            .properties()
            .all(|property| !property.required() || properties.contains_key(property.name()));
        is_whole.then(|| {
            json!({
                "Type": resource_type,
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": properties,
            })
        })
    }

    /// Returns a value that refers to nothing that is gone, where it can be said so.
    fn said(&self, value: &Value, imported: &BTreeSet<&str>) -> Option<Value> {
        match value {
            Value::Array(elements) => {
                let elements = elements.iter().map(|element| self.said(element, imported));
                elements.collect::<Option<Vec<_>>>().map(Value::Array)
            }
            Value::Object(entries) => {
                let only = entries.iter().next().filter(|_| entries.len() == 1);
                match only {
                    Some((key, Value::String(name))) if key == "Ref" => {
                        return self.named(name, imported);
                    }
                    Some((key, _)) if key.starts_with("Fn::") => {
                        let names = referenced(value);
                        let stays = |name: &String| {
                            let sections = ["Resources", "Parameters", "Conditions", "Mappings"];
                            name.starts_with("AWS::")
                                || imported.contains(name.as_str())
                                || sections.iter().any(|it| self.has(it, name))
                        };
                        return names.iter().all(stays).then(|| value.clone());
                    }
                    _ => {}
                }
                let entries = entries
                    .iter()
                    .map(|(key, value)| Some((key.clone(), self.said(value, imported)?)));
                entries.collect::<Option<Map<_, _>>>().map(Value::Object)
            }
            _ => Some(value.clone()),
        }
    }

    /// Returns whether the stack has an entry of a section from then on.
    fn has(&self, section: &str, name: &str) -> bool {
        self.stays[section].get(name).is_some()
    }

    fn named(&self, name: &str, imported: &BTreeSet<&str>) -> Option<Value> {
        if name == "AWS::NoValue" {
            return None;
        }
        let stays = imported.contains(name) || self.has("Resources", name);
        if name.starts_with("AWS::") || stays || self.has("Parameters", name) {
            return Some(json!({"Ref": name}));
        }
        if let Some(parameter) = self.template["Parameters"].get(name) {
            // One that AWS hides is not known, and of one that names a parameter of SSM the name is.
            let is_hidden = parameter.get("NoEcho").is_some();
            let names_another =
                (parameter["Type"].as_str()).is_some_and(|kind| kind.starts_with("AWS::SSM::"));
            let value = self.parameters.get(name);
            return value
                .filter(|_| !is_hidden && !names_another)
                .map(|value| value.as_str().into());
        }
        self.physical_ids.get(name).map(|id| (*id).into())
    }
}

#[cfg(test)]
mod tests;
