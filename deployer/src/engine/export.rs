//! Exports that stacks import and that are not deployed with them: another app, or an earlier deploy of other stacks of
//! this one, has to have made them.
//!
//! CloudFormation says that one is missing only when the change set is made, long after everything was built.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::Context;
use crate::aws::{AwsError, OrAws};

/// An export that a stack imports and that is not deployed with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// The name of the export.
    pub export: String,
    /// The name of the stack that imports it.
    pub stack: String,
    /// The name of the stack of the same app that exports it; nothing, where none does.
    pub exporter: Option<String>,
    /// The region of both, where it is not the stage's.
    pub region: Option<String>,
}

/// An export that is not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingExport {
    /// Who imports it, and who would export it.
    pub import: Import,
    /// The region in which it is missing.
    pub region: String,
}

impl MissingExport {
    /// Says what is missing, and for whom.
    pub fn told(&self) -> String {
        let Self { import, region } = self;
        let Import { export, stack, .. } = import;
        match &import.exporter {
            Some(exporter) => format!(
                "stack {stack} imports `{export}`, which {exporter} does not export in {region} yet"
            ),
            None => {
                format!("stack {stack} imports `{export}`, and nothing in {region} exports it")
            }
        }
    }
}

/// Returns what the selected stacks of an app import and no selected stack exports.
///
/// `stacks` are all stacks of the app with their templates, and `selected` are positions among them.
pub fn imports(stacks: &[(&StackManifest, &Value)], selected: &[usize]) -> Vec<Import> {
    let mut exporters: BTreeMap<(Option<&str>, &str), usize> = BTreeMap::new();
    for (position, (stack, template)) in stacks.iter().enumerate() {
        let names = exports(template).map(|(name, _)| ((stack.region.as_deref(), name), position));
        exporters.extend(names);
    }
    let mut found = BTreeSet::new();
    for (stack, template) in selected.iter().filter_map(|at| stacks.get(*at)) {
        let mut names: BTreeSet<&str> = stack.imports.iter().map(String::as_str).collect();
        imported(template, &mut names);
        for name in names {
            let exporter = exporters.get(&(stack.region.as_deref(), name));
            if exporter.is_some_and(|position| selected.contains(position)) {
                continue;
            }
            let exporter = exporter.and_then(|position| stacks.get(*position));
            if exporter.is_none() && !stack.imports.contains(name) {
                // What the local engine does not run was left out, and its exports with it.
                continue;
            }
            found.insert(Import {
                export: name.to_owned(),
                stack: stack.name.clone(),
                exporter: exporter.map(|(exporter, _)| exporter.name.clone()),
                region: stack.region.clone(),
            });
        }
    }
    found.into_iter().collect()
}

/// Returns what a template exports: the name of each export with the output.
pub(super) fn exports(template: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let outputs = template.get("Outputs").and_then(Value::as_object);
    outputs.into_iter().flatten().filter_map(|(_, output)| {
        let name = output.get("Export")?.get("Name")?.as_str()?;
        Some((name, output))
    })
}

/// Finds the names of the exports that a value imports. One that only the deployment knows is not among them.
pub(super) fn imported<'a>(value: &'a Value, names: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(entries) => {
            for (key, entry) in entries {
                match entry.as_str() {
                    Some(name) if key == "Fn::ImportValue" => {
                        names.insert(name);
                    }
                    _ => imported(entry, names),
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| imported(element, names)),
        _ => {}
    }
}

/// Looks for the exports that stacks import from elsewhere. Nobody is asked where they import none.
///
/// `context` is that of the stage's region.
pub async fn missing_exports(
    context: &Context,
    imports: &[Import],
) -> Result<Vec<MissingExport>, AwsError> {
    let mut wanted: BTreeMap<Option<&str>, Vec<&Import>> = BTreeMap::new();
    for import in imports {
        let imports = wanted.entry(import.region.as_deref()).or_default();
        imports.push(import);
    }
    let mut missing = Vec::new();
    for (region, wanted) in wanted {
        let own = context.in_region(region);
        let names = wanted.iter().map(|import| import.export.as_str()).collect();
        let present = values(&own, &names).await?;
        let absent = wanted
            .into_iter()
            .filter(|import| !present.contains_key(&import.export));
        missing.extend(absent.map(|import| MissingExport {
            import: import.clone(),
            region: own.clients.region().to_owned(),
        }));
    }
    Ok(missing)
}

/// Returns the values of the exports of these names, of those that the region has.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListExports.html>.
pub(super) async fn values(
    context: &Context,
    names: &BTreeSet<&str>,
) -> Result<BTreeMap<String, String>, AwsError> {
    let mut values = BTreeMap::new();
    let mut next = None;
    loop {
        let page = context
            .clients
            .cloudformation
            .list_exports()
            .set_next_token(next)
            .send()
            .await
            .or_aws(&context.clients, "ListExports")?;
        for export in page.exports.unwrap_or_default() {
            if let Some(name) = export.name.filter(|name| names.contains(name.as_str())) {
                values.insert(name, export.value.unwrap_or_default());
            }
        }
        next = page.next_token;
        if next.is_none() || values.len() == names.len() {
            return Ok(values);
        }
    }
}
