//! Compares two templates.

mod difference;
mod follow;
mod judge;
mod other;
mod reimported;
mod repeated;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use stack_model::assembly::ResourceManifest;

use super::canonical::{canonical, open_texts};
use super::conditions::{settled, ways};
use super::knowledge::Knowledge;
use super::known::{Known, align, declared};
use super::mappings::Mappings;
use super::needs::{self, Need};
use super::path::Path;
use super::stored::looked_up;
use super::text::texts;
use super::traps::{self, Both, Certificates};
use super::{Action, Grade, ResourceChange, Side, StackPlan, grade, macros, name, twins, widen};
use difference::Difference;
use follow::follow;
use judge::judge;
use other::other;
use reimported::Reimported;
use repeated::Repeated;
use widen::Whose;

pub(super) use follow::{Other, Renewed};
pub(super) use judge::{avoidable, is_custom};

/// What is known of other stacks, and of functions, when one stack is compared.
#[derive(Clone, Debug, Default)]
pub(super) struct Outside {
    /// The exports that become others, or may.
    pub(super) exports: BTreeMap<String, Other>,
    /// The values of exports that stay what they are.
    pub(super) values: BTreeMap<String, String>,
    /// The parameters that become others, or may.
    pub(super) parameters: BTreeMap<String, Other>,
    /// Where certificates stand that the stack is handed.
    pub(super) certificates: Certificates,
    /// What the functions of the stack need of their roles.
    pub(super) needs: Vec<Need>,
    /// Whether it is compared as an earlier release, which nobody writes anew.
    pub(super) released: bool,
}

impl Outside {
    /// Returns a side without the parameters that become others: their values are not known, so they stay the references
    /// that they are.
    fn unknown<'a>(&self, side: &Side<'a>) -> Side<'a> {
        let mut side = side.clone();
        side.parameters
            .retain(|name, _| !self.parameters.contains_key(name));
        side
    }
}

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
    let alone = Outside::default();
    compare_among(stack, deployed, wanted, sources, knowledge, &alone).0
}

/// Compares a stack as one of several. Returns besides what of it becomes another.
pub(super) fn compare_among(
    stack: &str,
    deployed: &Side<'_>,
    wanted: &Side<'_>,
    sources: &BTreeMap<String, ResourceManifest>,
    knowledge: &dyn Knowledge,
    outside: &Outside,
) -> (StackPlan, Vec<Renewed>) {
    let (deployed, wanted) = (looked_up(deployed), looked_up(wanted));
    let (deployed, wanted) = (outside.unknown(&deployed), outside.unknown(&wanted));
    let (before, after) = (settled(&deployed), settled(&wanted));
    let deployed = &Side {
        template: before.as_ref().or(deployed.template),
        ..deployed
    };
    let wanted = &Side {
        template: after.as_ref().or(wanted.template),
        ..wanted
    };
    let new = resources(wanted, knowledge, |_, _| None);
    let repeated = Repeated::of(deployed, wanted);
    let mut same = BTreeSet::new();
    let mut old = resources(deployed, knowledge, |id, body| {
        let new = new.get(id).filter(|_| repeated.holds(id, body))?;
        same.insert(id.clone());
        Some(new.clone())
    });
    let before = Known::parameters(&deployed.parameters).and(&outside.values);
    let after = Known::parameters(&wanted.parameters).and(&outside.values);
    let mut reimported: BTreeMap<String, Reimported> = BTreeMap::new();
    for (id, body) in &mut old {
        if let Some(new) = new.get(id).filter(|_| !same.contains(id)) {
            let found = reimported::rename(body, new, before, after);
            if !found.is_empty() {
                reimported.insert(id.clone(), found);
            }
            align(body, new, before, after);
        }
    }
    let mut changes: BTreeMap<String, ResourceChange> = BTreeMap::new();
    let givens = [Whose::of(&old), Whose::of(&new)];
    for id in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let change = match (old.get(id), new.get(id)) {
            (None, Some(body)) => {
                let among = deployed.template.is_some().then_some(&old);
                Some(created(id, body, among, &givens[1]))
            }
            (Some(body), None) => Some(removed(id, body, &givens)),
            (Some(_), Some(_)) if same.contains(id) => None,
            (Some(old), Some(new)) => changed(id, old, new, knowledge),
            (None, None) => None,
        };
        if let Some(change) = change {
            changes.insert(id.clone(), change);
        }
    }
    let both = Both {
        old: &old,
        new: &new,
        region: wanted.parameters.get("AWS::Region").map(String::as_str),
        known: after,
        certificates: &outside.certificates,
    };
    let renewed = follow(&mut changes, both, knowledge, outside);
    // A trap may say worse of a change, and hides no danger that it has already.
    for change in changes.values_mut() {
        change.endanger(change.grade);
    }
    traps::apply(&mut changes, both);
    for change in changes.values_mut() {
        match (old.get(&change.logical_id), new.get(&change.logical_id)) {
            (Some(old), Some(new)) => widened(change, old, new, both, &givens),
            (Some(old), None) => missed(change, old, both),
            (None, _) => {}
        }
    }
    needs::check(&mut changes, both, &outside.needs);
    name::refuse(&mut changes, both, [before, after], knowledge);
    let known = twins::replace(&mut changes, both, [deployed, wanted], outside.released);
    if !outside.released {
        twins::tell(&mut changes, both, &known);
    }
    reimported::tell(&mut changes, &reimported, &old, &new);
    for change in changes.values_mut() {
        change.endanger(change.grade);
        change.source = sources
            .get(&change.logical_id)
            .map(|resource| resource.source.clone());
    }
    let plan = StackPlan {
        stack: stack.to_owned(),
        changes: changes.into_values().collect(),
        other: other(deployed, wanted),
        note: wanted.template.and_then(macros::told),
        create: deployed.template.is_none(),
        ..StackPlan::default()
    };
    (plan, renewed)
}

/// Returns the canonical resources of one side, of which the conditions are settled. `known` may know the canonical form of
/// one already.
fn resources(
    side: &Side<'_>,
    knowledge: &dyn Knowledge,
    mut known: impl FnMut(&String, &Value) -> Option<Value>,
) -> BTreeMap<String, Value> {
    let mappings = Mappings::of(side);
    let parameters = declared(&side.parameters);
    side.template
        .and_then(|template| template.get("Resources"))
        .and_then(Value::as_object)
        .map(|resources| {
            resources
                .iter()
                .map(|(id, body)| {
                    if let Some(known) = known(id, body) {
                        return (id.clone(), known);
                    }
                    let mut body = canonical(&mappings.look_up(body), &parameters);
                    open_texts(&mut body, knowledge);
                    waits(&mut body);
                    (id.clone(), body)
                })
                .collect()
        })
        .unwrap_or_default()
}

/// Sorts what a resource waits for: it has no order, and one need not be a list.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-dependson.html>.
fn waits(body: &mut Value) {
    if let Some(depends) = body.get_mut("DependsOn") {
        let mut names: Vec<Value> = widen::elements(Some(depends))
            .into_iter()
            .cloned()
            .collect();
        names.sort_by_cached_key(Value::to_string);
        names.dedup();
        *depends = Value::Array(names);
    }
}

pub(super) fn type_of(resource: &Value) -> &str {
    resource
        .get("Type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Describes a resource that is new. `among` are those that its stack has already, where there is one, and `given` says who
/// is given what in its template.
fn created(
    id: &str,
    new: &Value,
    among: Option<&BTreeMap<String, Value>>,
    given: &Whose<'_>,
) -> ResourceChange {
    let own = given.resources;
    let resource_type = type_of(new);
    let mut change = ResourceChange {
        logical_id: id.to_owned(),
        resource_type: resource_type.to_owned(),
        action: Action::Create,
        grade: Grade::None,
        reasons: vec![NEW.to_owned()],
        ..ResourceChange::default()
    };
    let ways = ways(None, Some(new));
    let each = || ways.iter().filter_map(|(_, new)| new.as_deref());
    let exposures: BTreeSet<String> = each()
        .filter(|new| !widen::is_asked_before(new, own))
        .flat_map(|new| widen::made(resource_type, new, among, own))
        .collect();
    for exposure in exposures.into_iter().rev() {
        change.reasons.insert(0, exposure);
        change.grade = Grade::ExposureWidened;
        change.endanger(Grade::ExposureWidened);
    }
    if let Some(among) = among {
        for (grade, reason) in widen::inside(resource_type) {
            change.reasons.insert(0, (*reason).to_owned());
            change.grade = change.grade.max(*grade);
            change.endanger(*grade);
        }
        let to = given.told(id, new);
        let grants = each().flat_map(|new| widen::granted(new, &to));
        let grants: BTreeSet<String> = grants.collect();
        let grade = if each().any(|new| widen::reaches(new, among, own)) {
            Grade::PermissionWidened
        } else {
            Grade::None
        };
        if !grants.is_empty() {
            change.grade = change.grade.max(grade);
            change.endanger(grade);
            change.reasons.splice(0..0, grants);
        }
    }
    change
}

/// Why a resource is created.
pub(super) const NEW: &str = "it is new";

/// Describes a resource that leaves its stack. `givens` say who is given what in the template that has it, and in the other
/// one.
fn removed(id: &str, old: &Value, givens: &[Whose<'_>; 2]) -> ResourceChange {
    let [given, other] = givens;
    let (own, stay) = (given.resources, other.resources);
    let resource_type = type_of(old);
    let (action, grade, reason) = grade::removal(old, resource_type);
    let follows = grade::is_state(resource_type)
        && stay.values().any(|other| type_of(other) == resource_type);
    let (grade, reason) = if action == Action::Delete && follows {
        let reason = "it is deleted, and another one has taken its place";
        (Grade::UpdateInPlace, reason.to_owned())
    } else {
        (grade, reason)
    };
    let mut reasons = vec![reason];
    if action == Action::Delete && widen::reaches(old, stay, own) {
        reasons.extend(widen::withdrawn(old, &given.told(id, old)));
    }
    ResourceChange {
        logical_id: id.to_owned(),
        resource_type: resource_type.to_owned(),
        action,
        grade,
        reasons,
        ..ResourceChange::default()
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
        properties,
        ..ResourceChange::default()
    };
    judge(&mut change, Some(old), new, knowledge);
    change.texts = texts(resource_type, old, new, &change.properties);
    Some(change)
}

/// Raises the grade of a change that lets somebody do more, or more of the world in.
fn widened(
    change: &mut ResourceChange,
    old: &Value,
    new: &Value,
    both: Both<'_>,
    givens: &[Whose<'_>; 2],
) {
    let id = &change.logical_id;
    let [had, has] = [givens[0].told(id, old), givens[1].told(id, new)];
    let ways = ways(Some(old), Some(new));
    let mut permissions = Vec::new();
    let mut exposures = Vec::new();
    let mut narrowed = Vec::new();
    for way in &ways {
        let (Some(old), Some(new)) = way else {
            continue;
        };
        let mut more = widen::permissions(old, new, &has);
        more.extend(widen::employed(old, new, both.old, both.new));
        more.extend(widen::given(old, new, both.old));
        permissions.push(more);
        let mut opened = widen::left(old, Some(new), both.old, both.new);
        opened.extend(widen::unasked(old, Some(new), both.old, both.new));
        opened.extend(widen::sets(id, old, new, both.new));
        opened.extend(widen::elsewhere(id, old, new, both.old, both.new));
        if !widen::is_asked_before(new, both.new) {
            opened.extend(widen::exposures(&change.resource_type, Some(old), new));
        }
        let opened = opened.into_iter();
        exposures.push(opened.map(|line| format!("opens: {line}")).collect());
        narrowed.push(widen::narrowed(old, new, &had));
    }
    let found = || permissions.iter().chain(&exposures).chain(&narrowed);
    if found().all(Vec::is_empty) {
        widen::tell_reworded(change, old, new);
    }
    for (grade, lines) in [
        (Grade::PermissionWidened, of_ways(&permissions)),
        (Grade::ExposureWidened, of_ways(&exposures)),
    ] {
        if !lines.is_empty() {
            change.grade = change.grade.max(grade);
            change.endanger(grade);
            change.reasons.splice(0..0, lines);
        }
    }
    change.reasons.extend(of_ways(&narrowed));
}

/// Returns the lines of all ways that a resource may be, each once; those of some say so.
fn of_ways(ways: &[Vec<String>]) -> BTreeSet<String> {
    ways.iter()
        .flatten()
        .map(|line| {
            if ways.iter().all(|way| way.contains(line)) {
                line.clone()
            } else {
                format!("{line} (a condition decides)")
            }
        })
        .collect()
}

/// Raises the grade of a removal that lets more of the world in to what stays.
fn missed(change: &mut ResourceChange, old: &Value, both: Both<'_>) {
    if change.action != Action::Delete {
        return;
    }
    let ways = ways(Some(old), None);
    let each = ways.iter().filter_map(|(old, _)| old.as_deref());
    let opened: Vec<Vec<String>> = each
        .map(|old| {
            let mut lines = widen::left(old, None, both.old, both.new);
            lines.extend(widen::unasked(old, None, both.old, both.new));
            let lines = lines.into_iter();
            lines.map(|line| format!("opens: {line}")).collect()
        })
        .collect();
    let lines = of_ways(&opened);
    if !lines.is_empty() {
        change.grade = change.grade.max(Grade::ExposureWidened);
        change.reasons.splice(0..0, lines);
    }
}
