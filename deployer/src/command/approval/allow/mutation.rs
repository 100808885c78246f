//! Dangerous changes of the shipped systems: none of them passes a protected stage unannounced.
//!
//! Every class of danger is a function that finds its places in a template. One test makes a few of these changes in each
//! stack, one after the other. Another one makes several at a time, in other words and among harmless ones. With
//! `PROPTEST_CASES=10000`, the first makes all of them, and the second tries that many times.

mod access;
mod data;
mod guests;
mod policies;
mod protection;
mod refused;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use super::{refuse, words};
use crate::cli::Allowance;
use crate::engine::plan::random::{
    Choices, Edit, cases, numbers, planned_with_rename, rewritten, shipped, side,
};
use crate::engine::plan::{Grade, Plan, Registry, StackPlan, compare, defaults};
use crate::error::Kind;

/// A kind of danger.
struct Class {
    name: &'static str,
    /// What a protected stage asks for: a danger, or nothing, because CloudFormation refuses the change.
    grade: Grade,
    find: fn(&Value) -> Vec<Mutation>,
}

/// A dangerous change of one resource.
#[derive(Clone, Debug)]
struct Mutation {
    id: String,
    /// What is so in both templates, where the stack does not have it already.
    given: Vec<Edit>,
    edits: Vec<Edit>,
}

impl Mutation {
    fn new(id: &str, edits: Vec<Edit>) -> Self {
        Self {
            id: id.to_owned(),
            given: Vec::new(),
            edits,
        }
    }

    fn given(self, given: Vec<Edit>) -> Self {
        Self { given, ..self }
    }
}

fn classes() -> impl Iterator<Item = &'static Class> {
    data::CLASSES
        .iter()
        .chain(protection::CLASSES)
        .chain(refused::CLASSES)
        .chain(policies::CLASSES)
        .chain(access::CLASSES)
}

#[test]
fn the_page_says_how_many_classes_there_are() {
    let page = include_str!("../../../../../docs/plan.md");
    let said = format!("in their protected stage, in {} classes", classes().count());
    assert!(page.contains(&said), "{said}");
}

/// Returns the templates whose changes are judged: those of the five systems for production, and one with what none of
/// them has.
fn stacks() -> Vec<(String, Value)> {
    let mut stacks: Vec<(String, Value)> = shipped()
        .iter()
        .filter(|(name, _)| name.split('.').nth(1) == Some("prod"))
        .cloned()
        .collect();
    stacks.push(("guests.prod".to_owned(), guests::template()));
    stacks
}

/// Lists the resources of some types.
fn of_type<'a>(
    template: &'a Value,
    types: &'a [&str],
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    template["Resources"]
        .as_object()
        .expect("has resources")
        .iter()
        .filter(|(_, body)| types.contains(&body["Type"].as_str().unwrap_or_default()))
}

/// Puts a value at a pointer in a resource, with the maps on the way that are not there.
fn put(id: &str, body: &Value, pointer: &str, value: Value) -> Edit {
    let mut value = value;
    let mut place = pointer;
    while let Some((parent, key)) = place.rsplit_once('/') {
        if parent.is_empty() || body.pointer(parent).is_some() {
            break;
        }
        value = json!({ key: value });
        place = parent;
    }
    Edit {
        place: format!("/Resources/{id}{place}"),
        after: Some(value),
    }
}

/// Takes away what stands at a pointer in a resource.
fn take(id: &str, pointer: &str) -> Edit {
    Edit {
        place: format!("/Resources/{id}{pointer}"),
        after: None,
    }
}

/// Takes away a resource.
fn without(id: &str) -> Edit {
    take(id, "")
}

fn planned(deployed: &Value, wanted: &Value, given: &BTreeMap<String, String>) -> Plan {
    let (old, new) = (side(deployed, &defaults(deployed)), side(wanted, given));
    let stack = compare("system-prod", &old, &new, &BTreeMap::new(), &Registry);
    Plan {
        stacks: vec![stack],
    }
}

/// Says why a change passes, where it does: without the option for it, whatever else is allowed.
fn passes(plan: &Plan, id: &str, grade: Grade) -> Option<String> {
    if grade == Grade::Impossible {
        let refused = plan.of_grade(Grade::Impossible);
        let announced = refused
            .map(|(_, change)| &change.logical_id)
            .any(|other| other == id);
        return (!announced).then(|| format!("{id} is not known to be refused"));
    }
    let others: Vec<Allowance> = plan.stacks[0]
        .changes
        .iter()
        .flat_map(|change| change.dangers.iter().map(move |danger| (danger, change)))
        .filter(|(danger, change)| (**danger, change.logical_id.as_str()) != (grade, id))
        .map(|(danger, change)| {
            let option = format!("{}:{}", crate::cli::danger(*danger), change.logical_id);
            option.parse().expect("is an option")
        })
        .collect();
    let wanted = format!("{}, system-prod/{id}: ", words(grade));
    for allowed in [&others[..], &[]] {
        let Err(error) = refuse(&[(None, plan)], allowed, "prod") else {
            return Some(format!("{} of {id} passes", words(grade)));
        };
        if error.kind() != Kind::Refused || error.kind().exit_code() != 4 {
            return Some(format!("{:?}", error.kind()));
        }
        if !error
            .causes()
            .iter()
            .any(|cause| cause.starts_with(&wanted))
        {
            return Some(format!(
                "{} of {id} is not named: {:?}",
                words(grade),
                error.causes()
            ));
        }
    }
    None
}

fn told(stack: &StackPlan, id: &str) -> String {
    let change = stack.changes.iter().find(|change| change.logical_id == id);
    change.map_or_else(
        || "no change at all".to_owned(),
        |change| format!("{change:#?}"),
    )
}

#[test]
#[expect(clippy::print_stdout, reason = "the counts are for people")]
fn no_dangerous_change_passes_a_protected_stage() {
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, template) in stacks() {
        for class in classes() {
            for mutation in sample((class.find)(&template)) {
                *counts.entry(class.name).or_default() += 1;
                let mut deployed = template.clone();
                mutation
                    .given
                    .iter()
                    .for_each(|edit| edit.apply(&mut deployed));
                let mut wanted = deployed.clone();
                mutation
                    .edits
                    .iter()
                    .for_each(|edit| edit.apply(&mut wanted));
                let plan = planned(&deployed, &wanted, &defaults(&wanted));
                if let Some(why) = passes(&plan, &mutation.id, class.grade) {
                    let told = told(&plan.stacks[0], &mutation.id);
                    wrong.push(format!(
                        "{name}, {}: {why}\n{:?}\n{told}",
                        class.name, mutation.edits
                    ));
                }
            }
        }
    }
    for class in classes() {
        let count = counts.get(class.name).copied().unwrap_or_default();
        println!("{count:5}  {:18}  {}", words_of(class.grade), class.name);
        assert!(count > 0, "{} is nowhere", class.name);
    }
    println!("{:5}  changes", counts.values().sum::<usize>());
    assert!(
        wrong.is_empty(),
        "{} pass:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

/// A rename is done by import or by refactoring, and what else changes about the resource is asked for as ever.
#[test]
fn no_dangerous_change_passes_with_a_rename() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, template) in stacks() {
        for class in classes() {
            for mutation in sample((class.find)(&template)) {
                let mut deployed = template.clone();
                let given = mutation.given.iter();
                given.for_each(|edit| edit.apply(&mut deployed));
                let mut wanted = deployed.clone();
                let edits = mutation.edits.iter();
                edits.for_each(|edit| edit.apply(&mut wanted));
                // What goes has no new name.
                if wanted["Resources"].get(&mutation.id).is_none() {
                    continue;
                }
                let values = defaults(&wanted);
                let (stack, id) = planned_with_rename(&deployed, &wanted, &values, &mutation.id);
                let change = stack.changes.iter().find(|it| it.logical_id == id);
                // What cannot be renamed is refused altogether, and its danger is told all the same.
                let refused = change.filter(|change| change.grade == Grade::Impossible);
                let grade = if let Some(change) = refused {
                    let told = change.dangers.contains(&class.grade);
                    if class.grade != Grade::Impossible && !told {
                        wrong.push(format!(
                            "{name}, {}: its danger is not told\n{change:#?}",
                            class.name
                        ));
                    }
                    Grade::Impossible
                } else {
                    count += 1;
                    class.grade
                };
                let plan = Plan {
                    stacks: vec![stack],
                };
                if let Some(why) = passes(&plan, &id, grade) {
                    let told = told(&plan.stacks[0], &id);
                    wrong.push(format!("{name}, {}: {why}\n{told}", class.name));
                }
            }
        }
    }
    assert!(count > 100, "{count}");
    assert!(
        wrong.is_empty(),
        "{} pass:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

/// Returns a few of the changes of one class in one stack, from all over it; all of them, where many cases are asked for.
fn sample(found: Vec<Mutation>) -> impl Iterator<Item = Mutation> {
    const FEW: usize = 2;
    let step = if std::env::var_os("PROPTEST_CASES").is_some() {
        1
    } else {
        found.len().div_ceil(FEW).max(1)
    };
    found.into_iter().step_by(step)
}

fn words_of(grade: Grade) -> String {
    match grade {
        Grade::Impossible => "refused".to_owned(),
        danger => words(danger),
    }
}

/// Changes that harm nobody, among which dangerous ones hide.
fn harmless(template: &mut Value, choices: &mut Choices<'_>) {
    if choices.chance(50) {
        template["Description"] = json!("another text");
    }
    for number in 0..choices.below(4) {
        let topic = json!({"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "more"}});
        template["Resources"][format!("Harmless{number}")] = topic;
    }
    let ids: Vec<String> = of_type(template, &["AWS::Lambda::Function"])
        .map(|(id, _)| id.clone())
        .collect();
    for id in ids {
        if choices.chance(40) {
            template["Resources"][id]["Properties"]["Description"] = json!("another function");
        }
    }
}

type Danger = (&'static Class, Mutation);

/// A stack by its name, with the dangers that there are in it.
type Dangers = (String, Value, Vec<Danger>);

/// Several dangerous changes of several resources, hidden among harmless ones and in other words.
#[test]
#[expect(clippy::print_stdout, reason = "the counts are for people")]
fn no_dangerous_change_hides() {
    let all: Vec<Dangers> = stacks()
        .into_iter()
        .map(|(name, template)| {
            let found = classes()
                .flat_map(|class| {
                    (class.find)(&template)
                        .into_iter()
                        .map(move |it| (class, it))
                })
                .collect();
            (name, template, found)
        })
        .filter(|(_, _, found): &Dangers| !found.is_empty())
        .collect();
    let counts = std::cell::RefCell::new(BTreeMap::<&str, usize>::new());
    let config = Config {
        source_file: Some(file!()),
        ..cases(200)
    };
    let choose = (numbers(40), numbers(600));
    let done = TestRunner::new(config).run(&choose, |(numbers, words)| {
        let choices = &mut Choices::new(&numbers);
        let (name, template, found) = choices.pick(&all);
        let mut chosen: Vec<&Danger> = Vec::new();
        for _ in 0..=choices.below(3) {
            let one = choices.pick(found);
            // What goes takes what is done to it along, and what is done to those that it names.
            let apart = chosen.iter().all(|(_, other)| {
                let text = template["Resources"][&other.id].to_string();
                let own = template["Resources"][&one.1.id].to_string();
                other.id != one.1.id
                    && !text.contains(&format!("\"{}\"", one.1.id))
                    && !own.contains(&format!("\"{}\"", other.id))
            });
            if apart {
                chosen.push(one);
            }
        }
        let mut deployed = template.clone();
        chosen
            .iter()
            .flat_map(|(_, it)| &it.given)
            .for_each(|edit| edit.apply(&mut deployed));
        let mut wanted = deployed.clone();
        chosen
            .iter()
            .flat_map(|(_, it)| &it.edits)
            .for_each(|edit| edit.apply(&mut wanted));
        harmless(&mut wanted, choices);
        let written = rewritten(&wanted, &defaults(&wanted), &mut Choices::new(&words));
        let plan = planned(&deployed, &written.template, &written.parameters);
        for (class, mutation) in &chosen {
            let why = passes(&plan, &mutation.id, class.grade);
            prop_assert!(
                why.is_none(),
                "{name}, {}: {why:?}\n{:#?}\n{}",
                class.name,
                mutation,
                told(&plan.stacks[0], &mutation.id)
            );
            *counts.borrow_mut().entry(class.name).or_default() += 1;
        }
        Ok(())
    });
    if let Err(error) = done {
        panic!("{error}");
    }
    let counts = counts.into_inner();
    for (name, count) in &counts {
        println!("{count:6}  {name}");
    }
    println!("{:6}  changes", counts.values().sum::<usize>());
}

/// Returns a map with one more entry.
fn with(value: &Value, key: &str, entry: Value) -> Value {
    let mut entries = value.as_object().cloned().unwrap_or_else(Map::new);
    entries.insert(key.to_owned(), entry);
    Value::Object(entries)
}

/// Returns a list with one more element.
fn and(list: &Value, element: Value) -> Value {
    let mut elements = match list {
        Value::Array(elements) => elements.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    elements.push(element);
    Value::Array(elements)
}
