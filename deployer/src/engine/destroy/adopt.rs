//! What takes back what left a stack: a change set of the type `IMPORT`
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html>).
//!
//! Its template holds what it imports, each with a deletion policy, and may refer to nothing that is gone. Where the stack
//! is there it holds all that the stack has too, as it is: an import changes and removes nothing. CloudFormation does not
//! compare the properties with those of the resource, so what cannot be said any more is left out; the next deploy says it
//! again.
//!
//! An import may not name the tags of a stack: CloudFormation answers `As part of the import operation, you cannot modify or add
//! [Tags]`. So a stack that is made by one gets them by an update after it, which changes nothing else.

mod known;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use self::known::Known;
use super::Retained;
use crate::{
    aws::signed::suffix,
    engine::{
        Context, hint, identity::Place, inspect::DeployedResource, plan::moves::renamed, publish,
    },
    repeat::quoted,
};

/// What leaves a stack, and what is known of that.
pub(in crate::engine) struct Parting<'a> {
    /// The ARN of the stack.
    pub(in crate::engine) stack_id: &'a str,
    /// The template that made what leaves.
    pub(in crate::engine) template: &'a Value,
    /// The values of its parameters, as AWS tells them.
    pub(in crate::engine) parameters: &'a BTreeMap<String, String>,
    /// The tags of the stack.
    pub(in crate::engine) tags: &'a BTreeMap<String, String>,
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
    /// The tags that the stack gets, where it is made by the import.
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// How what left a stack together is taken back, as it is written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TakenBack {
    /// The ARN of the stack that it left.
    stack_id: String,
    /// What is taken back.
    imports: Vec<Import>,
    /// The tags that the stack gets, where it is made by the import.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    /// Where the template is.
    pub template: PathBuf,
    /// The commands, in their order.
    pub adopt: Vec<String>,
}

/// One resource of a change set that imports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Import {
    resource_type: String,
    #[serde(rename = "LogicalResourceId")]
    logical_id: String,
    #[serde(rename = "ResourceIdentifier")]
    by: BTreeMap<String, String>,
    /// What its stack calls it, where that is not what identifies it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    physical_id: Option<String>,
}

impl Import {
    fn is(&self, resource_type: &str, physical_id: &str) -> bool {
        self.resource_type == resource_type && self.physical_id() == physical_id
    }

    fn physical_id(&self) -> &str {
        let id = self
            .physical_id
            .as_ref()
            .or_else(|| self.by.values().next());
        id.map_or("", String::as_str)
    }

    /// Returns this as the command takes it.
    fn told(&self) -> Self {
        Self {
            physical_id: None,
            ..self.clone()
        }
    }
}

impl TakenBack {
    /// Returns whether a resource is among what is taken back.
    pub fn takes(&self, resource_type: &str, physical_id: &str) -> bool {
        let mut imports = self.imports.iter();
        imports.any(|import| import.is(resource_type, physical_id))
    }

    /// Returns whether something of what is taken back is among what is meant by its type and physical id.
    pub fn takes_any(&self, is_meant: impl Fn(&str, &str) -> bool) -> bool {
        let mut imports = self.imports.iter();
        imports.any(|it| is_meant(&it.resource_type, it.physical_id()))
    }

    /// Returns the region of the stack.
    pub fn region(&self) -> Option<&str> {
        self.stack_id.split(':').nth(3)
    }

    /// Returns the account of the stack.
    pub fn account(&self) -> Option<&str> {
        self.stack_id.split(':').nth(4)
    }

    /// Returns what takes back the rest, where some of it is not to be taken back any more; nothing, where there is no rest.
    /// `template` is what is written where the template of this is.
    pub fn without(
        &self,
        template: Value,
        is_out: impl Fn(&str, &str) -> bool,
    ) -> Option<Adoption> {
        let all = Adoption {
            stack_id: self.stack_id.clone(),
            template,
            imports: self.imports.clone(),
            tags: self.tags.clone(),
        };
        all.without(is_out)
    }
}

impl Adoption {
    /// Returns what takes back what leaves a stack; nothing, where that is nothing of which it is known what identifies it to
    /// CloudFormation.
    pub(in crate::engine) fn of(parting: &Parting<'_>) -> Option<Self> {
        let mut imported: BTreeMap<&str, &DeployedResource> = (parting.leaving.iter())
            .map(|resource| (resource.logical_id.as_str(), *resource))
            .collect();
        let known = Known {
            template: parting.template,
            parameters: parting.parameters,
            physical_ids: (parting.resources.iter())
                .map(|it| (it.logical_id.as_str(), &*it.physical_id))
                .collect(),
            leaving: (parting.leaving.iter())
                .map(|it| it.logical_id.as_str())
                .collect(),
            stays: parting.stays.unwrap_or(&Value::Null),
        };
        let place = Place::of_stack(parting.stack_id);
        // What cannot be said may be what another refers to.
        let entries = loop {
            let names: BTreeSet<&str> = imported.keys().copied().collect();
            let said = imported.iter().filter_map(|(id, resource)| {
                let entry = known.entry(id, &names)?;
                let by = known.identified_by(resource, &entry, place)?;
                Some((*id, (entry, by)))
            });
            let entries: BTreeMap<&str, (Value, (String, String))> = said.collect();
            let before = imported.len();
            imported.retain(|id, _| entries.contains_key(id));
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
        // What takes a resource back under another id is named by that by all that comes back with it.
        let ids = known::free(&resources, imported.keys().copied());
        let mut entered = Map::new();
        let mut imports = Vec::new();
        for (id, resource) in imported {
            let (Some((entry, by)), Some(logical_id)) = (entries.get(id), ids.get(id)) else {
                continue;
            };
            entered.insert(id.to_owned(), entry.clone());
            imports.push(Import {
                resource_type: resource.resource_type.clone(),
                logical_id: logical_id.clone(),
                by: BTreeMap::from([by.clone()]),
                physical_id: (by.1 != resource.physical_id).then(|| resource.physical_id.clone()),
            });
        }
        let mut entered = renamed(&json!({ "Resources": entered }), &ids);
        if let Some(entered) = entered["Resources"].as_object_mut() {
            resources.append(entered);
        }
        template["Resources"] = resources.into();
        Some(Self {
            stack_id: parting.stack_id.to_owned(),
            template,
            imports,
            tags: match parting.stays {
                Some(_) => BTreeMap::new(),
                None => parting.tags.clone(),
            },
        })
    }

    /// Returns what takes back the rest, where some of it is not to be taken back any more; nothing, where there is no rest.
    fn without(self, is_out: impl Fn(&str, &str) -> bool) -> Option<Self> {
        let is_out = |it: &Import| is_out(&it.resource_type, it.physical_id());
        if !self.imports.iter().any(is_out) {
            return Some(self);
        }
        let mut stays = self.template.clone();
        if let Some(resources) = stays["Resources"].as_object_mut() {
            resources.retain(|id, _| !self.imports.iter().any(|it| it.logical_id == *id));
        }
        let of = |import: &Import| DeployedResource {
            logical_id: import.logical_id.clone(),
            resource_type: import.resource_type.clone(),
            physical_id: import.physical_id().to_owned(),
        };
        // What the rest refers to is named by its id, whatever becomes of it.
        let all: Vec<DeployedResource> = self.imports.iter().map(of).collect();
        let rest = self.imports.iter().filter(|it| !is_out(it));
        let rest: Vec<DeployedResource> = rest.map(of).collect();
        let rest = Self::of(&Parting {
            stack_id: &self.stack_id,
            template: &self.template,
            parameters: &BTreeMap::new(),
            tags: &self.tags,
            resources: all.iter().collect(),
            leaving: rest.iter().collect(),
            stays: Some(&stays),
        })?;
        Some(Self {
            tags: self.tags,
            ..rest
        })
    }

    /// Returns the template.
    pub fn template(&self) -> &Value {
        &self.template
    }

    /// Returns whether a resource is taken back by this.
    pub fn takes(&self, resource: &Retained) -> bool {
        let mut imports = self.imports.iter();
        imports.any(|import| import.is(&resource.resource_type, &resource.physical_id))
    }

    /// Returns how this is written down, with the template in a file.
    pub fn written(&self, context: &Context, template: PathBuf) -> TakenBack {
        TakenBack {
            stack_id: self.stack_id.clone(),
            imports: self.imports.clone(),
            tags: self.tags.clone(),
            adopt: self.commands(context, &template),
            template,
        }
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
        // CloudFormation refuses tags in an import; an update after it sets them.
        let imports: Vec<Import> = self.imports.iter().map(Import::told).collect();
        let imports = serde_json::to_string(&imports).unwrap_or_default();
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
            parameters.insert_str(0, " --parameters");
        }
        let has_identities = |entry: &Value| {
            let kind = entry["Type"].as_str();
            kind.is_some_and(|kind| kind.starts_with("AWS::IAM::"))
        };
        let is_expanded = !self.template["Transform"].is_null();
        let needed = [
            (
                "CAPABILITY_NAMED_IAM",
                entries("Resources").any(|(_, it)| has_identities(it)),
            ),
            ("CAPABILITY_AUTO_EXPAND", is_expanded),
        ];
        let needed = needed.iter().filter(|(_, is)| *is);
        let mut capabilities = String::new();
        for (capability, _) in needed {
            if capabilities.is_empty() {
                capabilities += " --capabilities";
            }
            capabilities.extend([" ", *capability]);
        }
        create += &parameters;
        create += &capabilities;
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
        let tags: Vec<Value> = (self.tags.iter())
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        let tag = (!tags.is_empty()).then(|| {
            let tags = quoted(&Value::from(tags).to_string());
            [
                format!(
                    "cloudformation update-stack --stack-name {stack} --use-previous-template --tags {tags}{parameters}{capabilities}"
                ),
                format!("cloudformation wait stack-update-complete --stack-name {stack}"),
            ]
        });
        let all = upload.into_iter().chain(import);
        all.chain(tag.into_iter().flatten())
            .map(|command| format!("aws {command}{}", hint::aws_options(context)))
            .collect()
    }

    pub(super) fn is_of_stack_of(&self, other: &Self) -> bool {
        self.stack_id == other.stack_id
    }
}

#[cfg(test)]
mod tests;
