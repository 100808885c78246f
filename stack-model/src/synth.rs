//! From an app to an assembly.
//!
//! The steps: references are resolved (a use in another stack becomes an export and an import), stacks are put
//! in order, templates are rendered, and everything is checked. All violations are reported together.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use stack_model_cfn::{Expr, Token};

use crate::assembly::{FORMAT, Manifest, Output, ResourceManifest, StackManifest};
use crate::error::{Violation, Violations};
use crate::stack::{App, OutputData, StackData};
use crate::template::{Scope, import_key};

mod agree;
mod along;
mod check;
mod condition;
mod export;
mod order;
mod placeholder;
mod raw;
mod rendered;
mod secrets;
mod walk;
mod write;

pub(crate) use check::{Needs, needs};
pub(crate) use order::Links;
pub(crate) use rendered::Rendered;
pub(crate) use walk::raw_references;

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
        write::pretty(serde_json::to_value(&self.manifest).unwrap_or_default())
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
        let described = violations.len();
        let mut rendered = Rendered::take(&mut stacks, &mut violations);
        crate::apigateway::deploy(&mut stacks, &mut rendered, &mut violations);
        crate::custom_resource::wait_for_policies(&mut stacks, &rendered);
        crate::s3::untangle(&stacks, &mut rendered, &mut violations);
        let links = order::link(&mut stacks, &rendered, &stage, &mut violations);
        crate::apigateway::unanswered_preflights(&stacks, &rendered, &mut violations);
        crate::apigateway::literal_stages(&stacks, &rendered, &links, &mut violations);
        let sequence = order::sequence(&stacks, &links, &mut violations);

        let mut files = BTreeMap::new();
        let mut manifests = BTreeMap::new();
        for (index, stack) in stacks.iter().enumerate() {
            let scope = scope(stack, &rendered, &links);
            check::stack(stack, &rendered, &mut violations);
            let template = write::template(stack, &rendered, &scope);
            check::template(stack, &template, &mut violations);
            let given = merged(&tags, &stack.tags);
            let all_tags = merged(&given, &stage.tags());
            check::tags(stack, &given, all_tags.len(), &mut violations);
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
                releases: stack.releases.clone(),
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
                along: along::along(stack, &stacks),
                references: links.references(&stack.id),
                imports: links.foreign(&stack.id),
                contents: stack.contents.clone(),
                smoke: stack.smoke.clone(),
                id: stack.id.to_string(),
                name,
            };
            files.insert(file, template.into_bytes());
            manifests.insert(index, manifest);
        }
        agree::check(&stacks, &rendered, &stage, &mut violations);
        // What was wrong before was said of the properties that an override replaces.
        for violation in violations.iter_mut().skip(described) {
            blame(violation, &stacks);
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

/// Says of what is wrong with a property that an override set where that stands, and not where the resource does.
fn blame(violation: &mut Violation, stacks: &[StackData]) {
    let (Some(stack), Some(id)) = (&violation.stack, &violation.logical_id) else {
        return;
    };
    let mut stacks = stacks.iter().filter(|data| &*data.id == stack.as_str());
    let Some(resource) = stacks.next().and_then(|data| data.resources.get(id)) else {
        return;
    };
    if violation.source.as_ref() == Some(&resource.source) {
        let property = violation.property.as_deref().unwrap_or_default();
        let mut overrides = resource.overrides.iter().rev();
        if let Some(last) = overrides.find(|it| it.causes(property, &violation.message)) {
            violation.source = Some(last.source.clone());
        }
    }
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
        if let Some(properties) = rendered.get(&stack.id, id) {
            properties.walk(&mut |token| {
                if let Token::Ref(named) | Token::GetAtt(named, _) = token
                    && named.stack() == &*stack.id
                {
                    members.insert(named.logical_id().to_owned());
                }
            });
        }
        for member in members {
            if let Some(properties) = rendered.get(&stack.id, &member) {
                hash.update(member.as_bytes());
                let text = serde_json::to_vec(&scope.lowered(properties))
                    .expect("all keys are texts, and writing to memory does not fail");
                hash.update(&text);
            }
        }
        let digest = hexadecimal(&hash.finalize());
        let suffix = digest.get(..10).unwrap_or(&digest);
        scope.renamed.insert(id.clone(), format!("{id}{suffix}"));
    }
    scope
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
    let has_name = iam.any(|(id, _)| match rendered.get(&stack.id, id) {
        Some(Expr::Map(entries)) => named.iter().any(|name| entries.contains_key(*name)),
        _ => false,
    });
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
/// Returns all of these tags; those of `over` stand in place of those of `under`.
fn merged(
    under: &BTreeMap<String, String>,
    over: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut tags = under.clone();
    tags.extend(over.clone());
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

/// Returns the key of an output's value, where it is a plain reference.
pub(crate) fn output_key(output: &OutputData) -> Option<crate::template::ImportKey> {
    match &output.value {
        Expr::Token(token) => import_key(token),
        _ => None,
    }
}
