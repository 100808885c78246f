//! Laws that hold for every template and every change of it.
//!
//! The templates are those of the shipped stacks, and ones of any resource types. A run of the tests tries some dozens;
//! `PROPTEST_CASES=20000 cargo test -p deployer --lib laws` tries as many. What proptest finds, it makes small: that is to
//! become a test of its own.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::canonical::{canonical, json_text, open_texts};
use super::super::conditions::settled;
use super::super::known::declared;
use super::super::mappings::Mappings;
use super::super::path::Step;
use super::super::random::{
    Choices, Edit, cases, edits, edits_besides, furnished, numbers, reworded, rewritten, side,
    template,
};
use super::super::widen::SAME;
use super::super::{
    Action, Grade, Knowledge, Registry, ResourceChange, StackPlan, Update, compare, defaults,
    holds_data,
};

type Parameters = BTreeMap<String, String>;

fn plan(old: (&Value, &Parameters), new: (&Value, &Parameters)) -> StackPlan {
    let (old, new) = (side(old.0, old.1), side(new.0, new.1));
    compare("laws-prod", &old, &new, &BTreeMap::new(), &Registry)
}

/// Knows what the registry does, but for whether anything is replaced: only that it may be.
struct Doubtful;

impl Knowledge for Doubtful {
    fn update(&self, resource_type: &str, place: &[Step]) -> Update {
        match Registry.update(resource_type, place) {
            Update::Replacement => Update::Conditional,
            known => known,
        }
    }

    fn is_unordered(&self, resource_type: &str, place: &[Step]) -> bool {
        Registry.is_unordered(resource_type, place)
    }

    fn is_free(&self, resource_type: &str, place: &[Step]) -> bool {
        Registry.is_free(resource_type, place)
    }

    fn default(&self, resource_type: &str, place: &[Step]) -> Option<Value> {
        Registry.default(resource_type, place)
    }

    fn name(&self, resource_type: &str) -> Vec<&'static str> {
        Registry.name(resource_type)
    }
}

/// Returns a template with some changes made.
fn changed<'a>(template: &Value, edits: impl IntoIterator<Item = &'a Edit>) -> Value {
    let mut template = template.clone();
    for edit in edits {
        edit.apply(&mut template);
    }
    template
}

/// Returns the canonical resources of a template.
fn resources(template: &Value, parameters: &Parameters) -> BTreeMap<String, Value> {
    template["Resources"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(id, body)| {
            let mut body = canonical(body, parameters);
            open_texts(&mut body, &Registry);
            (id.clone(), body)
        })
        .collect()
}

/// Returns what a template has besides resources and is compared, each section that has anything. Of parameters that is what
/// kind of value each takes; the values are wherever they are used. What people note in `Metadata` changes nothing.
fn besides(template: &Value, parameters: &Parameters) -> Map<String, Value> {
    let side = side(template, parameters);
    let settled = settled(&side);
    let sections = settled.as_ref().unwrap_or(template).as_object();
    let mut found = Map::new();
    for (section, value) in sections.into_iter().flatten() {
        let value = match section.as_str() {
            "Resources" | "Metadata" | "AWSTemplateFormatVersion" => continue,
            "Parameters" => value
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, parameter)| (name.clone(), json!({"Type": parameter["Type"]})))
                .collect::<Map<_, _>>()
                .into(),
            _ => canonical(
                &Mappings::of_texts(&side).look_up(value),
                &declared(parameters),
            ),
        };
        found.insert(section.clone(), value);
    }
    found
}

/// Does to what a template has besides resources what a plan says. A parameter that comes or goes is in no plan.
fn apply_besides(
    plan: &StackPlan,
    sections: Map<String, Value>,
    new: &Map<String, Value>,
) -> Map<String, Value> {
    let mut done = Value::Object(sections);
    for change in &plan.other {
        put(&mut done, change.path.steps(), change.after.as_ref());
    }
    let parameters = new.get("Parameters").and_then(Value::as_object);
    if let Some(Value::Object(own)) = done.get_mut("Parameters") {
        own.retain(|name, _| parameters.is_some_and(|all| all.contains_key(name)));
    }
    for (name, parameter) in parameters.into_iter().flatten() {
        if done["Parameters"][name].is_null() {
            done["Parameters"][name] = parameter.clone();
        }
    }
    match done {
        Value::Object(done) => done,
        _ => Map::new(),
    }
}

/// Brings sections to the one form of all that mean the same: one without anything is none.
fn normal_besides(sections: &Map<String, Value>) -> BTreeMap<String, String> {
    let is_empty = |value: &Value| value.as_object().is_some_and(Map::is_empty);
    sections
        .iter()
        .filter(|(_, value)| !is_empty(value))
        .map(|(section, value)| {
            let value = normal(value, "", &mut Vec::new());
            (section.clone(), sorted(&value))
        })
        .collect()
}

/// Does to resources what a plan says. Of a new resource the plan has the type, and says that it is new: what it is, only the
/// template says, so it is taken from there.
fn apply(plan: &StackPlan, resources: &mut BTreeMap<String, Value>, new: &BTreeMap<String, Value>) {
    for change in &plan.changes {
        let id = &change.logical_id;
        match change.action {
            Action::Create | Action::Import => {
                assert_eq!(change.resource_type, new[id]["Type"], "{change:#?}");
                assert!(!resources.contains_key(id), "{change:#?}");
                resources.insert(id.clone(), new[id].clone());
            }
            Action::Delete | Action::Retain => drop(resources.remove(id)),
            Action::Update | Action::Replace => {
                let body = resources.get_mut(id).expect("what changes was there");
                // What only refers to something else stays what it is.
                let differ = change.properties.iter();
                for property in differ.filter(|property| property.before != property.after) {
                    put(body, property.path.steps(), property.after.as_ref());
                }
            }
        }
    }
}

/// Puts a value at a place, which may lie in a text that is JSON.
fn put(value: &mut Value, steps: &[Step], after: Option<&Value>) {
    if let Some(text) = json_text(value).cloned() {
        *value = text;
    }
    match steps {
        [] => unreachable!("a change of a whole resource is a removal or a new one"),
        [Step::Key(key)] => {
            let entries = value.as_object_mut().expect("a key is of a map");
            match after {
                Some(after) => drop(entries.insert(key.clone(), after.clone())),
                None => drop(entries.remove(key)),
            }
        }
        [Step::Position(position)] => {
            value[*position] = after.expect("lists keep their length").clone();
        }
        [Step::Key(key), rest @ ..] => {
            let entries = value.as_object_mut().expect("a key is of a map");
            let entry = entries
                .entry(key)
                .or_insert_with(|| Value::Object(Map::new()));
            put(entry, rest, after);
        }
        [Step::Position(position), rest @ ..] => put(&mut value[*position], rest, after),
    }
}

/// Brings a canonical value to the one form that all values have that mean the same.
fn normal(value: &Value, resource_type: &str, steps: &mut Vec<Step>) -> Value {
    match json_text(value).unwrap_or(value) {
        Value::Object(entries) => entries
            .iter()
            .map(|(key, entry)| {
                steps.push(Step::Key(key.clone()));
                let entry = normal(entry, resource_type, steps);
                steps.pop();
                (key.clone(), entry)
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements
                .iter()
                .enumerate()
                .map(|(position, element)| {
                    steps.push(Step::Position(position));
                    let element = normal(element, resource_type, steps);
                    steps.pop();
                    element
                })
                .collect();
            let unordered = match steps.split_first() {
                Some((Step::Key(first), place)) if first == "Properties" => {
                    Registry.is_unordered(resource_type, place)
                }
                Some((Step::Key(first), _)) => first == "DependsOn",
                _ => false,
            };
            if unordered {
                elements.sort_by_cached_key(sorted);
                elements.dedup();
            }
            Value::Array(elements)
        }
        Value::String(text) => Value::String(text.clone()),
        Value::Null => Value::Null,
        other => Value::String(other.to_string()),
    }
}

/// Writes a value with sorted keys.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let entries: BTreeMap<&String, String> = entries
                .iter()
                .map(|(key, entry)| (key, sorted(entry)))
                .collect();
            format!("{entries:?}")
        }
        Value::Array(elements) => {
            format!("{:?}", elements.iter().map(sorted).collect::<Vec<_>>())
        }
        other => other.to_string(),
    }
}

fn normal_all(resources: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
    resources
        .iter()
        .map(|(id, body)| {
            let resource_type = body["Type"].as_str().unwrap_or_default();
            let mut body = normal(body, resource_type, &mut Vec::new());
            // An absent map of properties and an empty one are the same, and so are one name and a list of it.
            if body["Properties"].is_null() {
                body["Properties"] = json!({});
            }
            if let Some(name) = body["DependsOn"].as_str().map(str::to_owned) {
                body["DependsOn"] = json!([name]);
            }
            (id.clone(), sorted(&body))
        })
        .collect()
}

/// What a plan says of a resource: whatever the words of the templates are, this is the same.
fn verdict(change: &ResourceChange) -> (Action, Grade, &[Grade]) {
    (change.action, change.grade, &change.dangers)
}

/// Returns whether a resource is kept where a replacement takes its place.
fn is_kept(resource: Option<&Value>) -> bool {
    let policy = resource.and_then(|resource| resource["UpdateReplacePolicy"].as_str());
    matches!(policy, Some("Retain" | "RetainExceptOnCreate" | "Snapshot"))
}

/// Chooses statements that come, each in a policy of its own, and resources that go and that nothing else names.
fn wholes(template: &Value, choices: &mut Choices<'_>) -> Vec<Edit> {
    let resources = template["Resources"].as_object().expect("has resources");
    let statement = json!({
        "Effect": "Allow", "Action": "sqs:PurgeQueue", "Resource": "*", "Principal": {"AWS": "210987654321"},
    });
    let mut found = Vec::new();
    for (id, body) in resources {
        if choices.chance(60) {
            continue;
        }
        let mut rest = template.clone();
        rest["Resources"]
            .as_object_mut()
            .expect("has resources")
            .remove(id);
        let is_named = rest.to_string().contains(id.as_str());
        let place = format!("/Resources/{id}");
        match statements(body, &place) {
            Some(statements) if is_named || choices.chance(50) => found.push(Edit {
                place: statements,
                after: Some(statement.clone()),
            }),
            _ if !is_named => found.push(Edit { place, after: None }),
            _ => {}
        }
    }
    found
}

/// Returns the place behind the last statement of the first policy in a value.
fn statements(value: &Value, place: &str) -> Option<String> {
    match value {
        Value::Object(entries) => entries.iter().find_map(|(key, entry)| {
            let place = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
            match entry {
                Value::Array(all)
                    if key == "Statement" && all.iter().all(|it| it["Effect"].is_string()) =>
                {
                    Some(format!("{place}/{}", all.len()))
                }
                _ => statements(entry, &place),
            }
        }),
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .find_map(|(number, element)| statements(element, &format!("{place}/{number}"))),
        _ => None,
    }
}

/// Keeps the changes of which more are not less dangerous. What else is there decides what a resource means to others, its
/// policies of deletion what becomes of its data, and one part of what lets somebody in what the other parts do: of a resource of
/// which a policy changes, nothing else does.
fn comparable(edits: &[Edit]) -> Vec<Edit> {
    let of = |edit: &Edit| edit.place.split('/').nth(2).map(str::to_owned);
    let within = |edit: &&Edit| edit.place.contains("/Properties/");
    let edits: Vec<Edit> = edits.iter().filter(within).cloned().collect();
    let is_policy = |edit: &Edit| edit.place.contains("Polic");
    let mut taken: Vec<Edit> = Vec::new();
    for edit in &edits {
        let mut same = edits.iter().filter(|other| of(other) == of(edit));
        let alone = !same.any(is_policy);
        if alone || !taken.iter().any(|other| of(other) == of(edit)) {
            taken.push(edit.clone());
        }
    }
    taken
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn a_template_does_not_differ_from_itself(numbers in numbers(300)) {
        let template = template(&mut Choices::new(&numbers));
        let values = defaults(&template);
        let plan = plan((&template, &values), (&template, &values));
        prop_assert!(plan.is_empty(), "{plan:#?}");
    }

    #[test]
    fn other_words_are_no_change(numbers in numbers(400), words in numbers(400)) {
        let template = template(&mut Choices::new(&numbers));
        let values = defaults(&template);
        let other = rewritten(&template, &values, &mut Choices::new(&words));
        let there = plan((&template, &values), (&other.template, &other.parameters));
        prop_assert!(there.is_empty(), "{there:#?}");
        let back = plan((&other.template, &other.parameters), (&template, &values));
        prop_assert!(back.is_empty(), "{back:#?}");
    }

    /// CloudFormation updates what says the same in other statements, and nobody may do more or less.
    #[test]
    fn other_statements_that_say_the_same_give_and_take_nothing(
        numbers in numbers(300), words in numbers(100),
    ) {
        let old = template(&mut Choices::new(&numbers));
        let values = defaults(&old);
        let (new, written) = reworded(&old, &mut Choices::new(&words));
        for (from, to) in [(&old, &new), (&new, &old)] {
            let plan = plan((from, &values), (to, &values));
            for change in &plan.changes {
                prop_assert!(written.contains(&change.logical_id), "{change:#?}");
                if change.action == Action::Update && !change.perhaps {
                    prop_assert!(change.dangers.is_empty(), "{change:#?}");
                    prop_assert!(change.reasons.iter().any(|it| it == SAME), "{change:#?}");
                }
            }
        }
    }

    #[test]
    fn doing_what_the_plan_says_gives_what_is_wanted(
        numbers in numbers(300), changes in numbers(60), words in numbers(200),
    ) {
        let old = template(&mut Choices::new(&numbers));
        let values = defaults(&old);
        let new = changed(&old, &edits(&old, &mut Choices::new(&changes), 8));
        let other = rewritten(&new, &values, &mut Choices::new(&words));
        let plan = plan((&old, &values), (&other.template, &other.parameters));
        let mut done = resources(&old, &values);
        let wanted = resources(&other.template, &other.parameters);
        apply(&plan, &mut done, &wanted);
        let (done, wanted) = (normal_all(&done), normal_all(&wanted));
        for (id, body) in &wanted {
            prop_assert_eq!(done.get(id), Some(body), "{}: {:#?}", id, plan);
        }
        prop_assert_eq!(done.len(), wanted.len());
        let wanted = besides(&other.template, &other.parameters);
        let done = apply_besides(&plan, besides(&old, &values), &wanted);
        prop_assert_eq!(normal_besides(&done), normal_besides(&wanted), "{:#?}", plan);
    }

    /// The same where outputs, conditions, mappings, rules and parameters change, and resources beside them.
    #[test]
    fn doing_what_the_plan_says_of_the_rest_gives_what_is_wanted(
        numbers in numbers(300), changes in numbers(60), rest in numbers(60),
    ) {
        let choices = &mut Choices::new(&rest);
        let old = furnished(template(&mut Choices::new(&numbers)), choices);
        let edits = edits(&old, &mut Choices::new(&changes), 3);
        let new = changed(&old, edits.iter().chain(&edits_besides(&old, choices, 8)));
        let (before, after) = (defaults(&old), defaults(&new));
        let plan = plan((&old, &before), (&new, &after));
        let mut done = resources(&old, &before);
        let wanted = resources(&new, &after);
        apply(&plan, &mut done, &wanted);
        prop_assert_eq!(normal_all(&done), normal_all(&wanted), "{:#?}", plan);
        let wanted = besides(&new, &after);
        let done = apply_besides(&plan, besides(&old, &before), &wanted);
        prop_assert_eq!(normal_besides(&done), normal_besides(&wanted), "{:#?}", plan);
    }

    /// CloudFormation makes no update of what only people note.
    #[test]
    fn what_people_note_is_no_change(numbers in numbers(300), rest in numbers(20)) {
        let old = furnished(template(&mut Choices::new(&numbers)), &mut Choices::new(&rest));
        let values = defaults(&old);
        let mut new = old.clone();
        new["Metadata"] = json!({"Owner": {"Team": "another"}});
        let plan = plan((&old, &values), (&new, &values));
        prop_assert!(plan.is_empty(), "{plan:#?}");
    }

    #[test]
    fn the_verdict_does_not_depend_on_the_words(
        numbers in numbers(300), changes in numbers(60), words in numbers(300),
    ) {
        let old = template(&mut Choices::new(&numbers));
        let values = defaults(&old);
        let new = changed(&old, &edits(&old, &mut Choices::new(&changes), 6));
        let other = rewritten(&new, &values, &mut Choices::new(&words));
        let plain = plan((&old, &values), (&new, &values));
        let said = plan((&old, &values), (&other.template, &other.parameters));
        for (one, other) in plain.changes.iter().zip(&said.changes) {
            prop_assert_eq!(&one.logical_id, &other.logical_id);
            prop_assert_eq!(verdict(one), verdict(other), "{:#?} {:#?}", one, other);
        }
        prop_assert_eq!(plain.changes.len(), said.changes.len());
    }

    /// The grade of several changes is not below that of some of them, and what is dangerous of some is told of all.
    #[test]
    fn more_changes_are_not_less_dangerous(
        numbers in numbers(300), changes in numbers(80), mask in any::<u16>(),
    ) {
        let old = template(&mut Choices::new(&numbers));
        let values = defaults(&old);
        let all = comparable(&edits(&old, &mut Choices::new(&changes), 8));
        let some = all.iter().enumerate().filter(|(number, _)| mask >> number & 1 == 1);
        let part = plan((&old, &values), (&changed(&old, some.map(|(_, edit)| edit)), &values));
        let whole = changed(&old, &all);
        let wanted = resources(&whole, &values);
        let whole = plan((&old, &values), (&whole, &values));
        for change in &part.changes {
            let id = &change.logical_id;
            let Some(more) = whole.changes.iter().find(|more| more.logical_id == *id) else {
                prop_assert!(false, "{change:#?} and nothing in the whole");
                continue;
            };
            // What is replaced and kept is none of the stack's any more: what happened to its data, or interrupted it, does not.
            let goes = more.action == Action::Replace && change.action == Action::Update;
            let spared = if goes && is_kept(wanted.get(id)) {
                vec![Grade::DataLoss, Grade::Interruption]
            } else {
                Vec::new()
            };
            // A part that is refused may be possible with the rest: another name beside another key.
            let is_refused = change.grade == Grade::Impossible;
            let possible = is_refused && more.grade != Grade::Impossible;
            let grade = if possible || spared.contains(&change.grade) {
                let mut left = change.dangers.clone();
                left.retain(|it| *it != Grade::Impossible && !spared.contains(it));
                left.into_iter().max().unwrap_or_default()
            } else {
                change.grade
            };
            prop_assert!(more.grade >= grade, "{change:#?} and {more:#?}");
            for danger in &change.dangers {
                let is_gone = spared.contains(danger) || (possible && *danger == Grade::Impossible);
                prop_assert!(is_gone || more.holds(*danger), "{danger:?} of {change:#?} and {more:#?}");
            }
        }
    }

    /// The same where whole statements come, and resources go that nothing else names.
    #[test]
    fn more_statements_and_removals_are_not_less_dangerous(
        numbers in numbers(300), changes in numbers(80), mask in any::<u32>(),
    ) {
        let old = template(&mut Choices::new(&numbers));
        let values = defaults(&old);
        let all = wholes(&old, &mut Choices::new(&changes));
        let some = all.iter().enumerate().filter(|(number, _)| mask >> (number % 32) & 1 == 1);
        let part = plan((&old, &values), (&changed(&old, some.map(|(_, edit)| edit)), &values));
        let whole = plan((&old, &values), (&changed(&old, &all), &values));
        for change in &part.changes {
            let mut all = whole.changes.iter();
            let Some(more) = all.find(|more| more.logical_id == change.logical_id) else {
                prop_assert!(false, "{change:#?} and nothing in the whole");
                continue;
            };
            prop_assert!(more.grade >= change.grade, "{change:#?} and {more:#?}");
            for danger in &change.dangers {
                prop_assert!(more.holds(*danger), "{danger:?} of {change:#?} and {more:#?}");
            }
        }
    }

    /// What is told of a replacement is told of one that is only possible, with all that it reaches.
    #[test]
    fn what_is_possible_reaches_as_far_as_what_is_certain(
        numbers in numbers(300), changes in numbers(80),
    ) {
        let old = template(&mut Choices::new(&numbers));
        let values = defaults(&old);
        let new = changed(&old, &edits(&old, &mut Choices::new(&changes), 8));
        let (before, after) = (side(&old, &values), side(&new, &values));
        let certain = plan((&old, &values), (&new, &values));
        let possible = compare("laws-prod", &before, &after, &BTreeMap::new(), &Doubtful);
        prop_assert_eq!(certain.changes.len(), possible.changes.len(), "{:#?} {:#?}", certain, possible);
        for (one, other) in certain.changes.iter().zip(&possible.changes) {
            prop_assert_eq!(&one.logical_id, &other.logical_id);
            let goes = |change: &ResourceChange| change.perhaps || change.action == Action::Replace;
            prop_assert_eq!(goes(one), goes(other), "{:#?} {:#?}", one, other);
            let paths = |change: &ResourceChange| -> Vec<String> {
                change.properties.iter().map(|property| property.path.to_string()).collect()
            };
            prop_assert_eq!(paths(one), paths(other));
            for danger in &one.dangers {
                prop_assert!(other.holds(*danger), "{danger:?} of {one:#?} {other:#?}");
            }
        }
    }

    /// Every danger is in the grade, and every grade that is a danger among the dangers.
    #[test]
    fn grades_and_dangers_agree(numbers in numbers(300), changes in numbers(80)) {
        let old = template(&mut Choices::new(&numbers));
        let values = defaults(&old);
        let new = changed(&old, &edits(&old, &mut Choices::new(&changes), 8));
        for change in plan((&old, &values), (&new, &values)).changes {
            // What holds nothing is replaced every day.
            let is_danger = change.grade != Grade::Replacement || holds_data(&change.resource_type);
            if is_danger && Grade::DANGERS.contains(&change.grade) {
                prop_assert!(change.dangers.contains(&change.grade), "{change:#?}");
            }
            prop_assert!(change.dangers.iter().all(|danger| *danger <= change.grade), "{change:#?}");
            let silent = [Grade::None, Grade::UpdateInPlace].contains(&change.grade);
            prop_assert!(silent || !change.reasons.is_empty(), "{change:#?}");
        }
    }

    /// Whatever stands where a template should, the comparison ends.
    #[test]
    fn nothing_is_too_strange_to_compare(left in numbers(120), right in numbers(120)) {
        let (left, right) = (strange(&mut Choices::new(&left), 6), strange(&mut Choices::new(&right), 6));
        let none = Parameters::new();
        let plan = plan((&left, &none), (&right, &none));
        prop_assert!(plan.changes.len() < 1000);
    }
}

/// Makes JSON of the words that templates are made of.
fn strange(choices: &mut Choices<'_>, depth: usize) -> Value {
    const WORDS: &[&str] = &[
        "Resources",
        "Properties",
        "Type",
        "Ref",
        "Fn::Sub",
        "Fn::Join",
        "Fn::GetAtt",
        "Fn::Select",
        "Statement",
        "Effect",
        "Action",
        "Principal",
        "Condition",
        "PolicyDocument",
        "KeySchema",
        "Tags",
        "DeletionPolicy",
        "Outputs",
        "Export",
        "Name",
        "Fn::ImportValue",
        "AttributeDefinitions",
        "Rules",
    ];
    const TEXTS: &[&str] = &[
        "AWS::DynamoDB::Table",
        "AWS::IAM::Role",
        "AWS::S3::Bucket",
        "AWS::ApiGateway::Stage",
        "*",
        "${",
        "${A}",
        "${!B}",
        "a.b",
        "Allow",
        "Deny",
        "Retain",
        "AWS::NoValue",
        "{\"a\":1}",
        "1",
    ];
    match choices.below(if depth == 0 { 4 } else { 8 }) {
        0 => json!(choices.pick(TEXTS)),
        1 => json!(choices.chance(50)),
        2 => json!(choices.below(9)),
        3 => Value::Null,
        4 | 5 => (0..choices.below(4))
            .map(|_| strange(choices, depth - 1))
            .collect(),
        _ => (0..=choices.below(4))
            .map(|_| {
                (
                    (*choices.pick(WORDS)).to_owned(),
                    strange(choices, depth - 1),
                )
            })
            .collect::<Map<_, _>>()
            .into(),
    }
}
