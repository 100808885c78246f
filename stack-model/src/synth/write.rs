//! The text of templates and manifests.
//!
//! A template is written as it is walked: making the whole of it as JSON first would take longer than all checks.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value as Json;
use stack_model_cfn::Expr;

use super::Rendered;
use crate::assembly::ARTIFACT_BUCKET_PARAMETER;
use crate::resource::{Removal, Resource};
use crate::stack::{OutputData, StackData};
use crate::template::{Lowered, Scope};

/// Renders JSON for people and for comparison: sorted, indented by two, with a line feed at the end.
pub(super) fn pretty(mut json: Json) -> String {
    // The maps of `serde_json` keep the order of insertion where some crate of a build asks for it.
    json.sort_all_objects();
    text(&json)
}

/// Renders the template of a stack.
pub(super) fn template(stack: &StackData, rendered: &Rendered, scope: &Scope) -> String {
    let lowered = |expr| scope.lowered(expr);
    let conditions = stack.conditions.iter();
    let outputs = stack.outputs.iter();
    text(&Template {
        version: "2010-09-09",
        conditions: conditions
            .map(|(name, it)| (&**name, lowered(it)))
            .collect(),
        description: stack.description.as_deref(),
        mappings: &stack.mappings,
        outputs: outputs
            .map(|(key, output)| (&**key, Output::new(output, scope)))
            .collect(),
        parameters: parameters(stack, scope),
        resources: stack
            .resources
            .iter()
            .map(|(id, resource)| {
                let properties = rendered.get(&stack.id, id);
                let entry = Entry::new(stack, resource, properties, scope);
                (scope.logical_id(id), entry)
            })
            .collect(),
    })
}

fn text(content: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(content)
        .expect("all keys are texts, and writing to memory does not fail");
    text.push('\n');
    text
}

/// A template. The fields of this and of what is in it are in the order of their names in the template.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Template<'a> {
    #[serde(rename = "AWSTemplateFormatVersion")]
    version: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    conditions: BTreeMap<&'a str, Lowered<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    mappings: &'a BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    outputs: BTreeMap<&'a str, Output<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<&'a str, Parameter<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    resources: BTreeMap<&'a str, Entry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    export: Option<Export<'a>>,
    value: Lowered<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Export<'a> {
    name: &'a str,
}

impl<'a> Output<'a> {
    fn new(output: &'a OutputData, scope: &'a Scope) -> Self {
        let export = output.export.as_deref();
        Self {
            description: output.description.as_deref(),
            export: export.map(|name| Export { name }),
            value: scope.lowered(&output.value),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Parameter<'a> {
    Declared(Lowered<'a>),
    /// A text that the synth declares.
    #[serde(rename_all = "PascalCase")]
    Added {
        description: String,
        #[serde(rename = "Type")]
        kind: &'static str,
    },
}

fn parameters<'a>(stack: &'a StackData, scope: &'a Scope) -> BTreeMap<&'a str, Parameter<'a>> {
    let mut parameters: BTreeMap<&str, Parameter<'_>> = stack
        .parameters
        .iter()
        .map(|(name, (declared, _))| (&**name, Parameter::Declared(scope.lowered(declared))))
        .collect();
    let added = |description: String| Parameter::Added {
        description,
        kind: "String",
    };
    for (parameter, asset) in &stack.artifacts {
        let description = format!("Object key of the artifact of {asset}");
        parameters.insert(parameter, added(description));
    }
    for (parameter, function) in &stack.releases {
        let description = format!("Name of the release of {function}");
        parameters.insert(parameter, added(description));
    }
    if !stack.artifacts.is_empty() {
        let description = "Name of the bucket that holds the artifacts".to_owned();
        parameters.insert(ARTIFACT_BUCKET_PARAMETER, added(description));
    }
    parameters
}

/// A resource.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_policy: Option<&'static str>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    depends_on: BTreeSet<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<&'a str, Lowered<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Lowered<'a>>,
    #[serde(rename = "Type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_replace_policy: Option<&'static str>,
}

impl<'a> Entry<'a> {
    fn new(
        stack: &'a StackData,
        resource: &'a Resource,
        properties: Option<&'a Expr>,
        scope: &'a Scope,
    ) -> Self {
        let properties = properties.filter(|it| !matches!(it, Expr::Map(all) if all.is_empty()));
        let metadata = resource.metadata.iter();
        Self {
            condition: resource.condition.as_deref(),
            deletion_policy: resource.removal.map(Removal::name),
            depends_on: resource
                .depends_on
                .iter()
                .filter(|dependency| dependency.stack() == &*stack.id)
                .map(|dependency| scope.logical_id(dependency.logical_id()))
                .collect(),
            metadata: metadata
                .map(|(key, value)| (&**key, scope.lowered(value)))
                .collect(),
            properties: properties.map(|it| scope.lowered(it)),
            kind: &resource.kind,
            update_replace_policy: resource
                .replaced
                .or(resource.removal)
                .map(|removal| removal.on_replace().name()),
        }
    }
}
