//! Checks that a manifest agrees with itself and with its templates.
//!
//! The stacks package is written by the user and may be of another version, so nothing it wrote is taken on
//! trust: a file name that leads out of the directory or a parameter that no template has is an error here and
//! not a surprise in the middle of a deploy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stack_model::assembly::{ARTIFACT_BUCKET_PARAMETER, Asset, Manifest, StackManifest};

use super::{Assembly, ReadError, Template};
use crate::template::hidden;

/// Checks what can be said before a template is read: names, file names, order, references between them.
pub(super) fn names(manifest: &Manifest) -> Result<(), ReadError> {
    let mut seen = BTreeSet::new();
    for stack in &manifest.stacks {
        let name = &stack.name;
        if !is_stack_name(name) {
            return contradiction(format!(
                "`{name}` is not the name of a stack: use up to 128 letters, digits and hyphens, starting with a letter"
            ));
        }
        if stack.template != format!("{name}.template.json") {
            return contradiction(format!(
                "the template of stack {name} must be {name}.template.json, not `{}`",
                stack.template
            ));
        }
        for dependency in &stack.depends_on {
            if !seen.contains(dependency.as_str()) {
                return contradiction(format!(
                    "stack {name} depends on {dependency}, which does not stand before it"
                ));
            }
        }
        for (parameter, asset) in &stack.artifacts {
            if !manifest.assets.contains_key(asset) {
                return contradiction(format!(
                    "parameter {parameter} of stack {name} takes the artifact of {asset}, which is not among the assets"
                ));
            }
        }
        for (parameter, reference) in &stack.references {
            if !stack.depends_on.contains(&reference.stack) {
                return contradiction(format!(
                    "parameter {parameter} of stack {name} takes an output of {}, which it does not depend on",
                    reference.stack
                ));
            }
        }
        if !seen.insert(name.as_str()) {
            return contradiction(format!("there are two stacks named {name}"));
        }
    }
    binaries(manifest)
}

/// Checks the names that are handed to Cargo, and that no two packages build a binary of one name: Cargo would
/// write both to the same file.
fn binaries(manifest: &Manifest) -> Result<(), ReadError> {
    let mut packages: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for (name, asset) in &manifest.assets {
        if !is_asset_name(name) {
            return contradiction(format!(
                "`{name}` is not the name of an asset: it becomes part of an object's key, so use letters, digits, `-`, `_` and `.`, starting with a letter or a digit"
            ));
        }
        let Asset::Function {
            package, binary, ..
        } = asset;
        for text in [package, binary] {
            if !is_cargo_name(text) {
                return contradiction(format!(
                    "asset {name} names `{text}`, which Cargo does not accept as a name"
                ));
            }
        }
        if let Some((other, first)) = packages.insert(binary, (package, name))
            && other != package
        {
            return contradiction(format!(
                "assets {first} and {name} are binaries named `{binary}` of two packages, {other} and {package}; rename one, Cargo would overwrite one with the other"
            ));
        }
    }
    Ok(())
}

/// Checks the manifest against the templates.
pub(super) fn contents(assembly: &Assembly) -> Result<(), ReadError> {
    for (stack, template) in assembly.stacks() {
        let name = &stack.name;
        let resources = template.json.get("Resources").and_then(Value::as_object);
        let Some(resources) = resources.filter(|resources| !resources.is_empty()) else {
            return contradiction(format!("the template of stack {name} has no resources"));
        };
        for logical_id in stack.resources.keys() {
            if !resources.contains_key(logical_id) {
                return contradiction(format!(
                    "resource {logical_id} of stack {name} is in the manifest and not in the template"
                ));
            }
        }
        let outputs = section(template, "Outputs");
        for output in stack.outputs.keys() {
            if !outputs.contains(output.as_str()) {
                return contradiction(format!(
                    "output {output} of stack {name} is in the manifest and not in the template"
                ));
            }
        }
        buckets(stack, template)?;
        releases(stack, template)?;
        smoke(stack, template)?;
        parameters(stack, template)?;
    }
    Ok(())
}

/// Checks that folders fill buckets of the stack.
fn buckets(stack: &StackManifest, template: &Template) -> Result<(), ReadError> {
    let is = |logical_id: &str, kind: &str| template.json["Resources"][logical_id]["Type"] == kind;
    for (content, manifest) in &stack.contents {
        if !is(&manifest.bucket, "AWS::S3::Bucket") {
            return contradiction(format!(
                "content {content} of stack {} fills {}, which is not a bucket of it",
                stack.name, manifest.bucket
            ));
        }
        if let Some(distribution) = &manifest.invalidate
            && !is(distribution, "AWS::CloudFront::Distribution")
        {
            return contradiction(format!(
                "content {content} of stack {} invalidates {distribution}, which is not a distribution of it",
                stack.name
            ));
        }
    }
    Ok(())
}

/// Checks that releases are those of functions of the stack.
fn releases(stack: &StackManifest, template: &Template) -> Result<(), ReadError> {
    let other = stack.releases.values().find(|function| {
        template.json["Resources"][function.as_str()]["Type"] != "AWS::Lambda::Function"
    });
    match other {
        Some(function) => contradiction(format!(
            "stack {} releases {function}, which is not a function of it",
            stack.name
        )),
        None => Ok(()),
    }
}

/// Checks that smoke checks ask APIs of the stack for a path of theirs, and nobody else.
fn smoke(stack: &StackManifest, template: &Template) -> Result<(), ReadError> {
    let kind = |id: &str| template.json["Resources"][id]["Type"].as_str();
    for (name, check) in &stack.smoke {
        let kinds = (kind(&check.api), kind(&check.stage));
        let known = matches!(
            kinds,
            (
                Some("AWS::ApiGateway::RestApi"),
                Some("AWS::ApiGateway::Stage")
            ) | (
                Some("AWS::ApiGatewayV2::Api"),
                Some("AWS::ApiGatewayV2::Stage")
            )
        );
        if !known {
            return contradiction(format!(
                "smoke check {name} of stack {} asks {} in {}, which are not an API of it and its stage",
                stack.name, check.api, check.stage
            ));
        }
        let plain = |c: char| c.is_ascii_graphic() && !"?#\\".contains(c);
        let is_path = check.path.starts_with('/') && check.path.chars().all(plain);
        if !is_path || !["GET", "HEAD", "OPTIONS"].contains(&check.method.as_str()) {
            return contradiction(format!(
                "smoke check {name} of stack {} asks `{} {}`, which is no request that changes nothing",
                stack.name, check.method, check.path
            ));
        }
    }
    Ok(())
}

fn parameters(stack: &StackManifest, template: &Template) -> Result<(), ReadError> {
    let name = &stack.name;
    let declared = section(template, "Parameters");
    let mut given: BTreeSet<&str> = stack.parameters.keys().map(String::as_str).collect();
    if !stack.artifacts.is_empty() {
        given.insert(ARTIFACT_BUCKET_PARAMETER);
    }
    let made = stack.artifacts.keys().chain(stack.references.keys());
    for parameter in made.chain(stack.releases.keys()) {
        if !given.insert(parameter) {
            return contradiction(format!(
                "parameter {parameter} of stack {name} is given two values"
            ));
        }
    }
    if let Some(parameter) = given
        .iter()
        .find(|parameter| !declared.contains(**parameter))
    {
        return contradiction(format!(
            "stack {name} is given parameter {parameter}, which its template does not have"
        ));
    }
    let hidden = hidden(&template.json);
    // The manifest is kept on disk and shown to whoever asks, and what AWS hides belongs in neither.
    if let Some(parameter) = stack
        .parameters
        .keys()
        .find(|parameter| hidden.contains(parameter.as_str()))
    {
        return contradiction(format!(
            "parameter {parameter} of stack {name} hides its value (NoEcho), and the assembly gives it: keep the value in Secrets Manager, and refer to it there"
        ));
    }
    let no_default = |parameter: &&&str| {
        template
            .json
            .get("Parameters")
            .and_then(|parameters| parameters.get(**parameter))
            .is_some_and(|parameter| parameter.get("Default").is_none())
    };
    match declared
        .iter()
        .filter(|parameter| !given.contains(**parameter))
        .find(no_default)
    {
        Some(parameter) => contradiction(format!(
            "parameter {parameter} of stack {name} has no default and is given no value"
        )),
        None => Ok(()),
    }
}

fn section<'a>(template: &'a Template, name: &str) -> BTreeSet<&'a str> {
    template
        .json
        .get(name)
        .and_then(Value::as_object)
        .map(|entries| entries.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

fn contradiction(message: String) -> Result<(), ReadError> {
    Err(ReadError::Contradiction(message))
}

/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html>.
fn is_stack_name(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Keeps what is published for one stack from landing under another.
fn is_asset_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// Keeps options and paths out of the arguments of Cargo.
fn is_cargo_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}
