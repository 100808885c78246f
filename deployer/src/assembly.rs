//! Reads and checks an assembly, and makes one by running the stacks package.

mod read;
mod run;
mod validate;
mod write;

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use stack_model::assembly::{Manifest, ResourceManifest, StackManifest};

use crate::cli::Name;
use crate::error::{Error, Kind, Result};
use crate::text::hex;

pub use read::ReadError;
pub use run::{Output, Rendered, SynthError, Synthesis, synth};
pub(crate) use write::replace;
pub use write::write;

/// The largest template that CloudFormation takes, in bytes.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>.
pub const MAX_TEMPLATE_BYTES: u64 = 1_000_000;

/// An assembly in memory, checked: what its manifest says holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Assembly {
    /// The manifest.
    pub manifest: Manifest,
    templates: BTreeMap<String, Template>,
}

/// One template of an assembly.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The bytes as the stacks wrote them, which are what is deployed.
    pub text: String,
    /// The same, parsed: an object.
    pub json: serde_json::Value,
}

impl Assembly {
    /// Returns the template of the stack of that name (with the stage).
    pub fn template(&self, stack: &str) -> Option<&Template> {
        self.templates.get(stack)
    }

    /// Returns the stacks with their templates, each after those it depends on.
    pub fn stacks(&self) -> impl Iterator<Item = (&StackManifest, &Template)> {
        self.manifest
            .stacks
            .iter()
            .filter_map(|stack| Some((stack, self.templates.get(&stack.name)?)))
    }

    /// Changes every template, and returns what `change` answered by stack. The hashes in the manifest follow.
    pub(crate) fn change_templates<T>(
        &mut self,
        change: impl Fn(&mut serde_json::Value) -> T,
    ) -> Result<Vec<(String, T)>> {
        let stacks = self.manifest.stacks.iter();
        let names: Vec<String> = stacks.map(|stack| stack.name.clone()).collect();
        let mut answers = Vec::new();
        for name in names {
            if let Some(answer) = self.change_template(&name, &change)? {
                answers.push((name, answer));
            }
        }
        Ok(answers)
    }

    /// Changes the template of a stack, and returns what `change` answered; nothing, where there is no such stack.
    pub(crate) fn change_template<T>(
        &mut self,
        stack: &str,
        change: impl FnOnce(&mut serde_json::Value) -> T,
    ) -> Result<Option<T>> {
        let mut manifests = self.manifest.stacks.iter_mut();
        let manifest = manifests.find(|other| other.name == stack);
        let (Some(stack), Some(template)) = (manifest, self.templates.get_mut(stack)) else {
            return Ok(None);
        };
        let before = template.json.clone();
        let answer = change(&mut template.json);
        if template.json != before {
            template.text = serde_json::to_string(&template.json).map_err(|error| {
                Error::new(Kind::Assembly, "a template cannot be written").caused_by(&error)
            })?;
            stack.sha256 = hex(&Sha256::digest(&template.text));
            let left = template.json.get("Resources");
            stack
                .resources
                .retain(|id, _| left.is_some_and(|left| left.get(id).is_some()));
        }
        Ok(Some(answer))
    }

    /// Returns the names of the stacks, for selecting among them.
    pub fn names(&self) -> Vec<Name<'_>> {
        self.manifest
            .stacks
            .iter()
            .map(|stack| Name {
                id: &stack.id,
                name: &stack.name,
            })
            .collect()
    }

    /// Returns the first resource that uses the asset, with its stack and logical id.
    ///
    /// The template parameter that receives the artifact's key leads to it.
    pub fn user_of_asset(&self, asset: &str) -> Option<(&StackManifest, &str, &ResourceManifest)> {
        self.stacks().find_map(|(stack, template)| {
            let parameters: Vec<&str> = stack
                .artifacts
                .iter()
                .filter_map(|(parameter, name)| (name == asset).then_some(parameter.as_str()))
                .collect();
            let resources = template.json.get("Resources")?.as_object()?;
            resources.iter().find_map(|(logical_id, body)| {
                let used = parameters
                    .iter()
                    .any(|parameter| refers_to(body, parameter));
                let (logical_id, resource) = stack.resources.get_key_value(logical_id)?;
                used.then_some((stack, logical_id.as_str(), resource))
            })
        })
    }
}

/// Renders a template as YAML, for people.
pub(crate) fn to_yaml(template: &Template) -> Result<String> {
    stack_model::yaml::from_json(&template.text)
        .map_err(|error| Error::from_source(Kind::Assembly, &error))
}

/// Returns whether JSON holds a `Ref` of the parameter.
fn refers_to(json: &serde_json::Value, parameter: &str) -> bool {
    match json {
        serde_json::Value::Object(entries) => entries.iter().any(|(key, value)| {
            (key == "Ref" && value.as_str() == Some(parameter)) || refers_to(value, parameter)
        }),
        serde_json::Value::Array(elements) => {
            elements.iter().any(|element| refers_to(element, parameter))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
