//! What keeps a rename by import from its end, as far as the deployed template tells: it is known before anything is done.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stack_model_cfn::facts::{self, ValueKind};

use super::{Course, OUTPUT, Taken, UnderWay, restored, under_way, undone};
use crate::ascii;
use crate::engine::plan::compare::type_of;
use crate::engine::publish::{MAX_BODY, MAX_TEMPLATE};
use crate::template::referenced;

/// Stands for a text that only AWS knows. Few are longer.
const TEXT: &str = "arn:aws:service:eu-central-1:123456789012:a-text-as-long-as-most-that-name-a-resource/and-one-thing-in-it";

/// How many outputs a template has at most
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>).
const OUTPUTS: usize = 200;

/// What stands in the way of a rename by import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct Hindrances {
    /// The reasons, by old logical id.
    pub(in crate::engine) reasons: BTreeMap<String, String>,
    /// The bytes of the largest template of the course, where it is too large for a call.
    pub(in crate::engine) in_bucket: Option<usize>,
}

/// Returns what stands in the way of the rename of resources by import, as the deployed template tells.
pub(in crate::engine) fn hindrances(
    deployed: &Value,
    moves: &BTreeMap<String, String>,
) -> Hindrances {
    let mut found = Hindrances::default();
    if moves.is_empty() {
        return found;
    }
    let ids = moves.keys().map(|from| (from.clone(), TEXT.to_owned()));
    let ids = ids.collect();
    let outputs = deployed["Outputs"].as_object().into_iter().flatten();
    let outputs = outputs.map(|(key, _)| (key.clone(), TEXT.to_owned()));
    let none = BTreeSet::new();
    let mut course = Course::new(deployed, moves, &ids, &outputs.collect(), &none);
    let original = course.original.clone();
    for taken in &course.untold {
        if let Some(reason) = unwritten(taken, &original) {
            found.reasons.entry(taken.0.clone()).or_insert(reason);
        }
    }
    let mut of_all = None;
    if original["Outputs"].get(OUTPUT).is_some() {
        of_all = Some(format!(
            "an output is called {OUTPUT}, by which a stack in the middle of a rename is known: give it another name first"
        ));
    }
    let prepared = course.prepared();
    let count = prepared["Outputs"]
        .as_object()
        .map_or(0, serde_json::Map::len);
    if count > OUTPUTS {
        of_all = Some(format!(
            "{count} outputs were needed on the way, and CloudFormation takes {OUTPUTS}"
        ));
    }
    let missing = std::mem::take(&mut course.missing);
    let stand_ins = missing.into_iter().map(|one| (one, TEXT.to_owned()));
    course.known.extend(stand_ins);
    let mut templates = vec![prepared];
    match course.without() {
        Ok(without) => {
            if let Some(UnderWay::Away(away)) = under_way(&without) {
                templates.push(away.template);
            }
            templates.extend(restored(&without).map(|(template, _)| template));
            templates.push(without);
        }
        Err(reason) => of_all = Some(reason),
    }
    let sizes = templates.iter().map(|it| ascii::json(it).len());
    let largest = sizes.max().unwrap_or_default();
    if largest > MAX_TEMPLATE {
        of_all = Some(format!(
            "a template on the way would have {largest} bytes, more than the {MAX_TEMPLATE} that CloudFormation accepts"
        ));
    }
    found.in_bucket = Some(largest).filter(|largest| *largest > MAX_BODY);
    if let Some(reason) = of_all {
        for from in moves.keys() {
            let told = found.reasons.entry(from.clone());
            told.or_insert_with(|| reason.clone());
        }
    }
    found
}

/// Says why no text can stand for what others take from a resource.
fn unwritten((from, attribute): &Taken, template: &Value) -> Option<String> {
    let attribute = attribute.as_deref()?;
    // A text in a template is read by whoever may read the template.
    if attribute.contains("Secret") && !attribute.ends_with("Arn") {
        return Some(format!(
            "others take {attribute} of {from}, and a secret is not written into a template"
        ));
    }
    let facts = facts::resource_type(type_of(&template["Resources"][from]))?;
    let property = facts.property(&attribute.replace('.', "/"))?;
    // An output is a text, and tells no more than one
    // (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html>).
    let is_text = !matches!(
        property.value().kind(),
        ValueKind::List(_) | ValueKind::Map(_) | ValueKind::Shape(_)
    );
    (!is_text).then(|| {
        format!("others take {attribute} of {from}, which is no text, so that none can stand for it meanwhile")
    })
}

/// What a stack policy has to allow: an action on a logical id and a resource type.
pub(in crate::engine) type Need = (&'static str, String, String);

/// Returns what a rename by import does to the resources of a stack, in the words of stack policies
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html>).
pub(in crate::engine) fn needs(deployed: &Value, moves: &BTreeMap<String, String>) -> Vec<Need> {
    const MODIFY: &str = "Update:Modify";
    let template = undone(deployed);
    let mut needs = Vec::new();
    for (id, entry) in template["Resources"].as_object().into_iter().flatten() {
        let resource_type = type_of(entry);
        let mut need = |action, id: &str| {
            needs.push((action, id.to_owned(), resource_type.to_owned()));
        };
        let names: BTreeSet<String> = referenced(entry);
        if let Some(to) = moves.get(id) {
            need("Update:Delete", id);
            need(MODIFY, id);
            need(MODIFY, to);
        } else if moves.keys().any(|from| names.contains(from)) {
            need(MODIFY, id);
        }
    }
    needs
}
