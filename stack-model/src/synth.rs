//! From an app to an assembly.
//!
//! The steps: references are resolved (a use in another stack becomes an export and an import), stacks are put
//! in order, templates are rendered, and everything is checked. All violations are reported together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};
use stack_model_cfn::{Expr, Token};

use crate::assembly::{
    ARTIFACT_BUCKET_PARAMETER, FORMAT, Manifest, Output, ResourceManifest, StackManifest,
};
use crate::error::{Violation, Violations};
use crate::stack::{App, OutputData, StackData};
use crate::template::{Scope, import_key, walk_paths};

mod check;
mod condition;
mod export;
mod order;
mod placeholder;
mod raw;
mod secrets;

pub(crate) use check::needs;
pub(crate) use order::Links;
pub(crate) use raw::references as raw_references;

/// A synthesised app: a manifest and the files it names.
#[derive(Clone, Debug)]
pub struct Assembly {
    manifest: Manifest,
    files: BTreeMap<String, Vec<u8>>,
}

impl Assembly {
    /// Returns the manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Returns the manifest as JSON that ends with a line feed.
    pub fn manifest_json(&self) -> String {
        pretty(serde_json::to_value(&self.manifest).unwrap_or_default())
    }

    /// Returns the files beside the manifest: the templates, by file name.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// Returns the template of a stack, by its name without the stage.
    pub fn template(&self, id: &str) -> Option<&str> {
        let stack = self.manifest.stacks.iter().find(|stack| stack.id == id)?;
        std::str::from_utf8(self.files.get(&stack.template)?).ok()
    }

    /// Returns the template of a stack as YAML, by its name without the stage.
    #[cfg(feature = "yaml")]
    pub fn template_yaml(&self, id: &str) -> Option<String> {
        crate::yaml::from_json(self.template(id)?).ok()
    }
}

/// Renders JSON for people and for comparison: sorted, indented by two, with a line feed at the end.
fn pretty(mut json: Json) -> String {
    // The maps of `serde_json` keep the order of insertion where some crate of a build asks for it.
    json.sort_all_objects();
    let mut text = format!("{json:#}");
    text.push('\n');
    text
}

impl App {
    /// Renders every stack.
    ///
    /// # Errors
    ///
    /// Fails with everything that is wrong: what was reported while the stacks were described, values outside
    /// the registry's limits, references to nothing, cycles, and templates over CloudFormation's limits.
    pub fn synth(self) -> Result<Assembly, Violations> {
        let Self {
            stage,
            mut stacks,
            assets,
            contracts,
            tags,
            boundary,
            mut violations,
        } = self;
        violations.extend(stage.unread_variables());
        if stacks.is_empty() && violations.is_empty() {
            violations.push(Violation::new(
                "the app has no stack: add one with `app.stack(..)`",
            ));
        }
        if let Some(boundary) = &boundary {
            crate::iam::boundary::bound(&mut stacks, boundary);
        }
        let mut rendered = render_resources(&stacks, &mut violations);
        crate::apigateway::deploy(&mut stacks, &mut rendered, &mut violations);
        crate::custom_resource::wait_for_policies(&mut stacks, &rendered);
        crate::s3::untangle(&stacks, &mut rendered, &mut violations);
        let links = order::link(&mut stacks, &rendered, &stage, &mut violations);
        crate::apigateway::literal_stages(&stacks, &rendered, &links, &mut violations);
        let sequence = order::sequence(&stacks, &links, &mut violations);

        let mut files = BTreeMap::new();
        let mut manifests = BTreeMap::new();
        for (index, stack) in stacks.iter().enumerate() {
            let scope = scope(stack, &rendered, &links);
            check::stack(stack, &rendered, &mut violations);
            let template = pretty(template(stack, &rendered, &scope));
            check::template(stack, &template, &mut violations);
            let all_tags = merged(&tags, &stack.tags);
            check::tags(stack, &all_tags, &mut violations);
            let name = format!("{}-{}", stack.id, stage.name());
            let file = format!("{name}.template.json");
            let depends_on = links
                .before(&stack.id)
                .map(|id| format!("{id}-{}", stage.name()))
                .collect();
            let manifest = StackManifest {
                template: file.clone(),
                sha256: hexadecimal(&Sha256::digest(template.as_bytes())),
                region: stack.region.clone(),
                depends_on,
                parameters: stack
                    .parameters
                    .iter()
                    .filter_map(|(name, (_, given))| Some((name.clone(), given.clone()?)))
                    .collect(),
                artifacts: stack.artifacts.clone(),
                tags: all_tags,
                capabilities: capabilities(stack, &rendered),
                termination_protection: stage.is_protected(),
                outputs: stack.outputs.iter().map(output_manifest).collect(),
                resources: stack
                    .resources
                    .iter()
                    .map(|(id, resource)| {
                        let manifest = ResourceManifest {
                            resource_type: resource.kind.clone(),
                            source: resource.source.clone(),
                        };
                        (scope.logical_id(id).to_owned(), manifest)
                    })
                    .collect(),
                moved: stack
                    .moved
                    .iter()
                    .map(|(from, moved)| (from.clone(), moved.to.clone()))
                    .collect(),
                references: links.references(&stack.id),
                imports: links.foreign(&stack.id),
                contents: stack.contents.clone(),
                id: stack.id.to_string(),
                name,
            };
            files.insert(file, template.into_bytes());
            manifests.insert(index, manifest);
        }
        if !violations.is_empty() {
            return Err(Violations::new(violations));
        }
        let stacks = sequence
            .iter()
            .filter_map(|index| manifests.remove(index))
            .collect();
        Ok(Assembly {
            manifest: Manifest {
                format: FORMAT,
                stage: stage.name().to_owned(),
                stacks,
                assets,
                contracts,
            },
            files,
        })
    }

    /// Adds what was reported so far to violations that ended the description of the stacks.
    pub(crate) fn violations_with(self, violations: &Violations) -> Violations {
        let all = self.violations.into_iter();
        Violations::new(all.chain(violations.iter().cloned()).collect())
    }
}

/// The properties of every resource, by stack and logical id.
pub(crate) type Rendered = BTreeMap<(String, String), Expr>;

fn render_resources(stacks: &[StackData], violations: &mut Vec<Violation>) -> Rendered {
    let mut rendered = Rendered::new();
    for stack in stacks {
        for (id, resource) in &stack.resources {
            let (properties, astray) = resource.rendered();
            for path in astray {
                violations.push(
                    Violation::new("the override leads nowhere: check its path")
                        .in_stack(&*stack.id)
                        .of(id)
                        .at(path)
                        .declared(&resource.source),
                );
            }
            rendered.insert((stack.id.to_string(), id.clone()), properties);
        }
    }
    rendered
}

/// Decides what tokens become in the template of a stack.
fn scope(stack: &StackData, rendered: &Rendered, links: &order::Links) -> Scope {
    let mut scope = Scope {
        stack: stack.id.to_string(),
        renamed: BTreeMap::new(),
        imports: links.imports().clone(),
        passed: links.parameters(&stack.id),
    };
    for (id, resource) in &stack.resources {
        if !resource.identified_by_content {
            continue;
        }
        let mut hash = Sha256::new();
        let mut members: BTreeSet<String> = resource
            .depends_on
            .iter()
            .chain(&resource.follows)
            .filter(|dependency| dependency.stack() == &*stack.id)
            .map(|dependency| dependency.logical_id().to_owned())
            .chain([id.clone()])
            .collect();
        // A resource depends on what its tokens name, too.
        if let Some(properties) = rendered.get(&(stack.id.to_string(), id.clone())) {
            properties.walk(&mut |token| {
                if let Token::Ref(named) | Token::GetAtt(named, _) = token
                    && named.stack() == &*stack.id
                {
                    members.insert(named.logical_id().to_owned());
                }
            });
        }
        for member in members {
            if let Some(properties) = rendered.get(&(stack.id.to_string(), member.clone())) {
                hash.update(member.as_bytes());
                hash.update(scope.lower(properties).to_string().as_bytes());
            }
        }
        let digest = hexadecimal(&hash.finalize());
        let suffix = digest.get(..10).unwrap_or(&digest);
        scope.renamed.insert(id.clone(), format!("{id}{suffix}"));
    }
    scope
}

fn template(stack: &StackData, rendered: &Rendered, scope: &Scope) -> Json {
    let mut template = Map::new();
    let mut section = |name: &str, content: Map<String, Json>| {
        if !content.is_empty() {
            template.insert(name.to_owned(), Json::Object(content));
        }
    };
    section(
        "Conditions",
        stack
            .conditions
            .iter()
            .map(|(name, condition)| (name.clone(), scope.lower(condition)))
            .collect(),
    );
    section(
        "Mappings",
        stack
            .mappings
            .iter()
            .map(|(name, entries)| (name.clone(), json!(entries)))
            .collect(),
    );
    section(
        "Outputs",
        stack
            .outputs
            .iter()
            .map(|(key, output)| (key.clone(), render_output(output, scope)))
            .collect(),
    );
    section("Parameters", parameters(stack, scope));
    section("Resources", resources(stack, rendered, scope));
    template.insert("AWSTemplateFormatVersion".to_owned(), json!("2010-09-09"));
    if let Some(description) = &stack.description {
        template.insert("Description".to_owned(), json!(description));
    }
    // The map of `serde_json` may keep the order of insertion; a rebuilt one is sorted either way.
    let sorted: BTreeMap<String, Json> = template.into_iter().collect();
    Json::Object(sorted.into_iter().collect())
}

fn parameters(stack: &StackData, scope: &Scope) -> Map<String, Json> {
    let mut parameters: BTreeMap<String, Json> = stack
        .parameters
        .iter()
        .map(|(name, (parameter, _))| (name.clone(), scope.lower(parameter)))
        .collect();
    for (parameter, asset) in &stack.artifacts {
        let description = format!("Object key of the artifact of {asset}");
        parameters.insert(
            parameter.clone(),
            json!({"Type": "String", "Description": description}),
        );
    }
    if !stack.artifacts.is_empty() {
        parameters.insert(
            ARTIFACT_BUCKET_PARAMETER.to_owned(),
            json!({"Type": "String", "Description": "Name of the bucket that holds the artifacts"}),
        );
    }
    parameters.into_iter().collect()
}

fn resources(stack: &StackData, rendered: &Rendered, scope: &Scope) -> Map<String, Json> {
    let mut resources = BTreeMap::new();
    for (id, resource) in &stack.resources {
        let mut entry: BTreeMap<&str, Json> = BTreeMap::new();
        entry.insert("Type", json!(resource.kind));
        let properties = rendered.get(&(stack.id.to_string(), id.clone()));
        if let Some(properties) = properties.filter(|p| **p != Expr::Map(BTreeMap::new())) {
            entry.insert("Properties", scope.lower(properties));
        }
        let dependencies: BTreeSet<&str> = resource
            .depends_on
            .iter()
            .filter(|dependency| dependency.stack() == &*stack.id)
            .map(|dependency| scope.logical_id(dependency.logical_id()))
            .collect();
        if !dependencies.is_empty() {
            entry.insert("DependsOn", json!(dependencies));
        }
        if let Some(condition) = &resource.condition {
            entry.insert("Condition", json!(condition));
        }
        if let Some(removal) = resource.removal {
            entry.insert("DeletionPolicy", json!(removal.name()));
            entry.insert("UpdateReplacePolicy", json!(removal.on_replace().name()));
        }
        if !resource.metadata.is_empty() {
            let metadata: Map<String, Json> = resource
                .metadata
                .iter()
                .map(|(key, value)| (key.clone(), scope.lower(value)))
                .collect();
            entry.insert("Metadata", Json::Object(metadata));
        }
        let entry: Map<String, Json> = entry
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        resources.insert(scope.logical_id(id).to_owned(), Json::Object(entry));
    }
    resources.into_iter().collect()
}

fn render_output(output: &OutputData, scope: &Scope) -> Json {
    let mut entry = BTreeMap::from([("Value".to_owned(), scope.lower(&output.value))]);
    if let Some(description) = &output.description {
        entry.insert("Description".to_owned(), json!(description));
    }
    if let Some(export) = &output.export {
        entry.insert("Export".to_owned(), json!({ "Name": export }));
    }
    Json::Object(entry.into_iter().collect())
}

fn output_manifest((key, output): (&String, &OutputData)) -> (String, Output) {
    let manifest = Output {
        description: output.description.clone(),
        export: output.export.clone(),
        example: output.example.clone(),
        links: output.links,
    };
    (key.clone(), manifest)
}

/// Returns the capabilities that CloudFormation wants acknowledged for the resources of a stack; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html>.
fn capabilities(stack: &StackData, rendered: &Rendered) -> Vec<String> {
    let acknowledged = [
        "AWS::IAM::AccessKey",
        "AWS::IAM::Group",
        "AWS::IAM::InstanceProfile",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::IAM::User",
        "AWS::IAM::UserToGroupAddition",
    ];
    let named = [
        "GroupName",
        "InstanceProfileName",
        "ManagedPolicyName",
        "RoleName",
        "UserName",
    ];
    let mut iam = stack
        .resources
        .iter()
        .filter(|(_, resource)| acknowledged.contains(&resource.kind.as_str()))
        .peekable();
    if iam.peek().is_none() {
        return Vec::new();
    }
    let has_name = iam.any(
        |(id, _)| match rendered.get(&(stack.id.to_string(), id.clone())) {
            Some(Expr::Map(entries)) => named.iter().any(|name| entries.contains_key(*name)),
            _ => false,
        },
    );
    vec![
        if has_name {
            "CAPABILITY_NAMED_IAM"
        } else {
            "CAPABILITY_IAM"
        }
        .to_owned(),
    ]
}

/// Adds the tags of a stack to those of the app; the stack's own win.
fn merged(
    app: &BTreeMap<String, String>,
    stack: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut tags = app.clone();
    tags.extend(stack.clone());
    tags
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Calls `visit` with every token of a stack: the resource or output that holds it, and the property path.
pub(crate) fn walk_stack(
    stack: &StackData,
    rendered: &Rendered,
    visit: &mut dyn FnMut(&str, &str, &stack_model_cfn::Token),
) {
    for (id, resource) in &stack.resources {
        if let Some(properties) = rendered.get(&(stack.id.to_string(), id.clone())) {
            walk_paths(properties, "Properties", &mut |path, token| {
                visit(id, path, token);
            });
        }
        for (key, value) in &resource.metadata {
            walk_paths(value, &format!("Metadata.{key}"), &mut |path, token| {
                visit(id, path, token);
            });
        }
    }
    for (key, output) in &stack.outputs {
        walk_paths(&output.value, "Value", &mut |path, token| {
            visit(key, path, token);
        });
    }
    for (name, condition) in &stack.conditions {
        walk_paths(condition, "Condition", &mut |path, token| {
            visit(name, path, token);
        });
    }
}

/// Returns the key of an output's value, where it is a plain reference.
pub(crate) fn output_key(output: &OutputData) -> Option<crate::template::ImportKey> {
    match &output.value {
        Expr::Token(token) => import_key(token),
        _ => None,
    }
}
