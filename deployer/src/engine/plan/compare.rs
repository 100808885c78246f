//! Compares two templates.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use stack_model::assembly::ResourceManifest;

use super::canonical::{canonical, intrinsic, same};
use super::knowledge::{Knowledge, Update};
use super::path::{Path, Step, display};
use super::{
    Action, Grade, PropertyChange, ResourceChange, Side, StackPlan, grade, name, references, widen,
};

/// The sections of a template that are compared as they are. Parameters are not: their values are, wherever they are
/// used.
const SECTIONS: &[&str] = &[
    "Description",
    "Conditions",
    "Mappings",
    "Outputs",
    "Rules",
    "Transform",
    "Hooks",
];

/// How the tags begin that a deploy itself adds to a stack.
const OWN_TAGS: &str = "stackctl:";

/// Compares what is deployed with what is to be deployed.
///
/// `sources` says where resources are declared.
pub fn compare(
    stack: &str,
    deployed: &Side<'_>,
    wanted: &Side<'_>,
    sources: &BTreeMap<String, ResourceManifest>,
    knowledge: &dyn Knowledge,
) -> StackPlan {
    let old = resources(deployed);
    let new = resources(wanted);
    let mut changes: BTreeMap<String, ResourceChange> = BTreeMap::new();
    for id in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let change = match (old.get(id), new.get(id)) {
            (None, Some(new)) => Some(created(id, new)),
            (Some(old), None) => Some(removed(id, old)),
            (Some(old), Some(new)) => changed(id, old, new, knowledge),
            (None, None) => None,
        };
        if let Some(change) = change {
            changes.insert(id.clone(), change);
        }
    }
    follow(&mut changes, &old, &new, knowledge);
    for change in changes.values_mut() {
        match (old.get(&change.logical_id), new.get(&change.logical_id)) {
            (Some(old), Some(new)) => widened(change, old, new),
            (Some(old), None) => missed(change, old, &new),
            (None, _) => {}
        }
    }
    name::refuse(&mut changes, &old, &new, knowledge);
    for change in changes.values_mut() {
        change.source = sources
            .get(&change.logical_id)
            .map(|resource| resource.source.clone());
    }
    StackPlan {
        stack: stack.to_owned(),
        changes: changes.into_values().collect(),
        other: other(deployed, wanted),
        note: None,
        create: deployed.template.is_none(),
    }
}

/// Returns the canonical resources of one side.
fn resources(side: &Side<'_>) -> BTreeMap<String, Value> {
    side.template
        .and_then(|template| template.get("Resources"))
        .and_then(Value::as_object)
        .map(|resources| {
            resources
                .iter()
                .map(|(id, body)| (id.clone(), canonical(body, &side.parameters)))
                .collect()
        })
        .unwrap_or_default()
}

pub(super) fn type_of(resource: &Value) -> &str {
    resource
        .get("Type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn created(id: &str, new: &Value) -> ResourceChange {
    let resource_type = type_of(new);
    let exposures = widen::exposures(resource_type, None, new);
    let grade = if exposures.is_empty() {
        Grade::None
    } else {
        Grade::ExposureWidened
    };
    let new = "it is new".to_owned();
    ResourceChange {
        logical_id: id.to_owned(),
        resource_type: resource_type.to_owned(),
        action: Action::Create,
        grade,
        reasons: exposures.into_iter().chain([new]).collect(),
        properties: Vec::new(),
        source: None,
    }
}

fn removed(id: &str, old: &Value) -> ResourceChange {
    let resource_type = type_of(old);
    let (action, grade, reason) = grade::removal(old, resource_type);
    ResourceChange {
        logical_id: id.to_owned(),
        resource_type: resource_type.to_owned(),
        action,
        grade,
        reasons: vec![reason],
        properties: Vec::new(),
        source: None,
    }
}

fn changed(
    id: &str,
    old: &Value,
    new: &Value,
    knowledge: &dyn Knowledge,
) -> Option<ResourceChange> {
    let resource_type = type_of(new);
    let mut properties = Vec::new();
    let empty = Map::new();
    let old_entries = old.as_object().unwrap_or(&empty);
    let new_entries = new.as_object().unwrap_or(&empty);
    let mut difference = Difference {
        resource_type,
        knowledge,
        found: &mut properties,
    };
    for key in old_entries
        .keys()
        .chain(new_entries.keys())
        .collect::<BTreeSet<_>>()
    {
        // An absent map of properties and an empty one are the same.
        let default = (key == "Properties").then(|| Value::Object(Map::new()));
        let before = old_entries.get(key).or(default.as_ref());
        let after = new_entries.get(key).or(default.as_ref());
        difference.entry(&Path::new(key), before, after);
    }
    if properties.is_empty() {
        return None;
    }
    let mut change = ResourceChange {
        logical_id: id.to_owned(),
        resource_type: resource_type.to_owned(),
        action: Action::Update,
        grade: Grade::UpdateInPlace,
        reasons: Vec::new(),
        properties,
        source: None,
    };
    judge(&mut change, new, knowledge);
    Some(change)
}

/// Sets action, grade and reasons of a change from its properties.
fn judge(change: &mut ResourceChange, new: &Value, knowledge: &dyn Knowledge) {
    let mut replacing = Vec::new();
    let mut perhaps = Vec::new();
    let mut unknown = Vec::new();
    for property in &change.properties {
        if property.path == Path::new("Type") {
            replacing.push("it is of another type".to_owned());
            continue;
        }
        let Some(place) = property.path.property() else {
            continue;
        };
        let path = display(place);
        match knowledge.update(&change.resource_type, place) {
            Update::InPlace => {}
            Update::Replacement => {
                replacing.push(format!("{path} cannot change without replacement"));
            }
            Update::Conditional => perhaps.push(format!("{path} may need replacement")),
            Update::Unknown => unknown.push(format!("nothing is known of {path}")),
        }
    }
    if !replacing.is_empty() {
        let (grade, reason) = grade::replacement(new, &change.resource_type);
        change.action = Action::Replace;
        change.grade = grade;
        change.reasons = reason.into_iter().chain(replacing).chain(perhaps).collect();
    } else if !perhaps.is_empty() {
        let (grade, reason) = grade::replacement(new, &change.resource_type);
        change.grade = grade;
        change.reasons = perhaps;
        change
            .reasons
            .extend(reason.map(|reason| format!("if so, {reason}")));
    } else {
        change.grade = Grade::UpdateInPlace;
        change.reasons = unknown;
    }
}

/// Raises the grade of a change that lets somebody do more, or more of the world in.
fn widened(change: &mut ResourceChange, old: &Value, new: &Value) {
    let permissions = widen::permissions(old, new);
    let exposures = widen::exposures(&change.resource_type, Some(old), new);
    let exposures = exposures.into_iter().map(|line| format!("opens: {line}"));
    for (grade, lines) in [
        (Grade::PermissionWidened, permissions),
        (Grade::ExposureWidened, exposures.collect()),
    ] {
        if !lines.is_empty() {
            change.grade = change.grade.max(grade);
            change.reasons.splice(0..0, lines);
        }
    }
    change.reasons.extend(widen::narrowed(old, new));
}

/// Raises the grade of a removal that lets more of the world in to what stays.
fn missed(change: &mut ResourceChange, old: &Value, new: &BTreeMap<String, Value>) {
    let Some(message) = widen::lost(&change.resource_type, old) else {
        return;
    };
    let (mut goes, mut stays) = (false, false);
    references::walk(old, &Path::default(), &mut |_, name| {
        if new.contains_key(name) {
            stays = true;
        } else {
            goes = true;
        }
    });
    if change.action == Action::Delete && (stays || !goes) {
        change.grade = change.grade.max(Grade::ExposureWidened);
        change.reasons.insert(0, format!("opens: {message}"));
    }
}

/// Finds what differs in one resource.
struct Difference<'a> {
    resource_type: &'a str,
    knowledge: &'a dyn Knowledge,
    found: &'a mut Vec<PropertyChange>,
}

impl Difference<'_> {
    /// Compares what stands at one path.
    fn entry(&mut self, path: &Path, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (None, None) => {}
            (Some(before), Some(after)) if same(before, after) => {}
            (Some(Value::Object(before)), Some(Value::Object(after)))
                if intrinsic(before).is_none() && intrinsic(after).is_none() =>
            {
                for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
                    self.entry(&path.key(key), before.get(key), after.get(key));
                }
            }
            (Some(Value::Array(old)), Some(Value::Array(new))) => {
                let unordered = path
                    .property()
                    .is_some_and(|place| self.knowledge.is_unordered(self.resource_type, place));
                if unordered && same_set(old, new) {
                    return;
                }
                if old.len() == new.len() && !unordered {
                    for (position, (old, new)) in old.iter().zip(new).enumerate() {
                        self.entry(&path.position(position), Some(old), Some(new));
                    }
                } else {
                    self.found(path, before, after);
                }
            }
            _ => match definitions(path, before, after) {
                // Another order of entries or other blanks are another text that says the same.
                Some((old, new)) if old == new => {}
                Some((old, new)) => {
                    let known = self.found.len();
                    self.entry(path, Some(&old), Some(&new));
                    if self.found.len() == known {
                        self.found(path, before, after);
                    }
                }
                None => self.found(path, before, after),
            },
        }
    }

    fn found(&mut self, path: &Path, before: Option<&Value>, after: Option<&Value>) {
        self.found.push(PropertyChange {
            path: path.clone(),
            before: before.cloned(),
            after: after.cloned(),
        });
    }
}

/// Reads both definitions of a state machine, which a template holds as text, so that a change shows where it is.
fn definitions(
    path: &Path,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Option<(Value, Value)> {
    let [Step::Key(name)] = path.property()? else {
        return None;
    };
    let read = |value: Option<&Value>| {
        let definition: Value = serde_json::from_str(value?.as_str()?).ok()?;
        definition.is_object().then_some(definition)
    };
    (name == "DefinitionString").then_some(())?;
    Some((read(before)?, read(after)?))
}

fn same_set(before: &[Value], after: &[Value]) -> bool {
    before.len() == after.len()
        && before
            .iter()
            .all(|left| after.iter().any(|right| same(left, right)))
        && after
            .iter()
            .all(|right| before.iter().any(|left| same(left, right)))
}

/// Follows references: what names a replaced resource changes too, and may be replaced in turn.
fn follow(
    changes: &mut BTreeMap<String, ResourceChange>,
    old: &BTreeMap<String, Value>,
    new: &BTreeMap<String, Value>,
    knowledge: &dyn Knowledge,
) {
    let mut todo: Vec<String> = replaced(changes).collect();
    let mut done: BTreeSet<String> = BTreeSet::new();
    while let Some(target) = todo.pop() {
        if !done.insert(target.clone()) {
            continue;
        }
        for (id, body) in new.iter().filter(|(id, _)| old.contains_key(*id)) {
            let Some(properties) = body.get("Properties") else {
                continue;
            };
            let mut paths = BTreeSet::new();
            references::walk(properties, &Path::new("Properties"), &mut |path, name| {
                if name == target {
                    paths.insert(path.clone());
                }
            });
            if paths.is_empty() {
                continue;
            }
            let change = changes.entry(id.clone()).or_insert_with(|| ResourceChange {
                logical_id: id.clone(),
                resource_type: type_of(body).to_owned(),
                action: Action::Update,
                grade: Grade::UpdateInPlace,
                reasons: Vec::new(),
                properties: Vec::new(),
                source: None,
            });
            let was_replaced = change.action == Action::Replace;
            for path in &paths {
                if change.properties.iter().all(|known| known.path != *path) {
                    change.properties.push(PropertyChange {
                        path: path.clone(),
                        before: old.get(id).and_then(|old| path.find(old)).cloned(),
                        after: path.find(body).cloned(),
                    });
                }
            }
            change
                .properties
                .sort_by(|left, right| left.path.cmp(&right.path));
            let earlier: Vec<String> = change
                .reasons
                .drain(..)
                .filter(|reason| reason.ends_with(FOLLOWED))
                .collect();
            judge(change, body, knowledge);
            change.reasons.extend(earlier);
            change
                .reasons
                .push(format!("it refers to {target}{FOLLOWED}"));
            if change.action == Action::Replace && !was_replaced {
                todo.push(id.clone());
            }
        }
    }
}

/// How a reason ends that comes from another resource.
const FOLLOWED: &str = ", which is replaced";

fn replaced(changes: &BTreeMap<String, ResourceChange>) -> impl Iterator<Item = String> {
    changes
        .values()
        .filter(|change| change.action == Action::Replace)
        .map(|change| change.logical_id.clone())
}

/// Compares what is not a resource.
fn other(deployed: &Side<'_>, wanted: &Side<'_>) -> Vec<PropertyChange> {
    let mut found = Vec::new();
    let Some(old) = deployed.template else {
        // All of a new stack is new.
        return found;
    };
    let nothing = super::Registry;
    let mut difference = Difference {
        resource_type: "",
        knowledge: &nothing,
        found: &mut found,
    };
    for section in SECTIONS {
        let side = |template: Option<&Value>, parameters| {
            template
                .and_then(|template| template.get(section))
                .map(|value| canonical(value, parameters))
        };
        let before = side(Some(old), &deployed.parameters);
        let after = side(wanted.template, &wanted.parameters);
        // An absent section and an empty one are the same.
        let empty = Value::Object(Map::new());
        let (before, after) = match (before, after) {
            (None, Some(Value::Object(after))) => (Some(empty), Some(Value::Object(after))),
            (Some(Value::Object(before)), None) => (Some(Value::Object(before)), Some(empty)),
            sides => sides,
        };
        difference.entry(&Path::new(section), before.as_ref(), after.as_ref());
    }
    let tags = |tags: &BTreeMap<String, String>| {
        Value::Object(
            tags.iter()
                .filter(|(key, _)| !key.starts_with(OWN_TAGS))
                .map(|(key, value)| (key.clone(), Value::String(value.clone())))
                .collect(),
        )
    };
    difference.entry(
        &Path::new("Tags"),
        Some(&tags(&deployed.tags)),
        Some(&tags(&wanted.tags)),
    );
    found
}
