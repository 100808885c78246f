//! Laws of what is live: it adds nothing where it is what was deployed, and takes nothing away.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::random::{Choices, cases, edits, numbers, side, template};
use super::super::{Action, Fate, Live, Plan, Registry, StackPlan, compare, defaults};
use crate::engine::{PropertyDrift, ResourceDrift, StackDrift};

/// Returns a plan of some changes of a template, with the template that is wanted.
fn planned(numbers: &[u32], changes: &[u32]) -> (StackPlan, Value, Value) {
    let old = template(&mut Choices::new(numbers));
    let values = defaults(&old);
    let mut new = old.clone();
    for edit in edits(&old, &mut Choices::new(changes), 6) {
        edit.apply(&mut new);
    }
    let sides = (side(&old, &values), side(&new, &values));
    let mut plan = compare("laws-prod", &sides.0, &sides.1, &BTreeMap::new(), &Registry);
    plan.before = Some(old.clone());
    (plan, old, new)
}

/// Says of every property of a template at the top that somebody changed it by hand to what another template has there.
fn drifts(template: &Value, live: &Value, choices: &mut Choices<'_>) -> Vec<ResourceDrift> {
    let resources = template["Resources"].as_object();
    let changed = resources
        .into_iter()
        .flatten()
        .filter(|_| choices.chance(60));
    changed
        .map(|(id, body)| {
            let properties = body["Properties"].as_object().into_iter().flatten();
            let actual = |key: &String| live["Resources"][id]["Properties"].get(key).cloned();
            ResourceDrift {
                logical_id: id.clone(),
                resource_type: body["Type"].as_str().unwrap_or_default().to_owned(),
                physical_id: None,
                status: "MODIFIED".to_owned(),
                reason: None,
                properties: properties
                    .map(|(key, value)| PropertyDrift {
                        path: format!("/{key}"),
                        expected: Some(value.clone()),
                        actual: actual(key),
                    })
                    .collect(),
                source: None,
                sides: None,
            }
        })
        .collect()
}

fn drift(status: &str, resources: Vec<ResourceDrift>, in_sync: usize) -> StackDrift {
    StackDrift {
        stack: "laws-prod".to_owned(),
        status: status.to_owned(),
        incomplete: None,
        resources,
        in_sync,
    }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn what_is_as_it_was_deployed_adds_nothing(numbers in numbers(300), changes in numbers(60)) {
        let (mut plan, old, new) = planned(&numbers, &changes);
        let before = plan.clone();
        let count = old["Resources"].as_object().map_or(0, serde_json::Map::len);
        let live = Live::beside(&plan, drift("IN_SYNC", Vec::new(), count), &new, Some(count));
        prop_assert!(!live.is_told() && !live.is_drifted() && !live.uncertain, "{live:#?}");
        plan.live = Some(live);
        prop_assert!(plan.is_live_as_deployed());
        prop_assert_eq!(plan.is_empty(), before.is_empty());
        prop_assert_eq!(plan.changes, before.changes);
    }

    #[test]
    fn what_is_live_beside_a_plan_takes_nothing_away(
        numbers in numbers(300), changes in numbers(60), choices in numbers(60),
    ) {
        let (mut plan, old, new) = planned(&numbers, &changes);
        let before = plan.clone();
        let found = drifts(&old, &json!({}), &mut Choices::new(&choices));
        let names: Vec<String> = found.iter().map(|it| it.logical_id.clone()).collect();
        let live = Live::beside(&plan, drift("DRIFTED", found, 0), &new, None);
        let told: Vec<&String> = live.resources.iter().map(|it| &it.logical_id).collect();
        prop_assert_eq!(told, names.iter().collect::<Vec<_>>(), "nothing is left out");
        for resource in &live.resources {
            let change = plan.changes.iter().find(|it| it.logical_id == resource.logical_id);
            prop_assert_eq!(resource.action, change.map(|it| it.action));
            let retained = ["Retain", "RetainExceptOnCreate"].map(Some);
            let policy = old["Resources"][&resource.logical_id]["UpdateReplacePolicy"].as_str();
            for property in &resource.properties {
                let fits = match resource.action {
                    None | Some(Action::Retain) => property.fate == Fate::Left,
                    Some(Action::Replace) if retained.contains(&policy) => property.fate == Fate::Left,
                    Some(Action::Delete | Action::Replace) => property.fate == Fate::Gone,
                    Some(_) => [Fate::Overwritten, Fate::Uncertain].contains(&property.fate),
                };
                prop_assert!(fits, "{resource:#?}");
            }
            // Whatever is live is told in words, at any width.
            prop_assert!(resource.lines(20).len() >= resource.properties.len());
        }
        plan.live = Some(live);
        // Grades and dangers are those of the plan without it.
        prop_assert_eq!(&plan.changes, &before.changes);
        let digest = |stack: StackPlan| Plan { stacks: vec![stack] }.digest();
        prop_assert_eq!(digest(plan), digest(before));
    }

    #[test]
    fn what_is_live_as_the_deploy_sets_it_is_not_overwritten(
        numbers in numbers(300), changes in numbers(60), choices in numbers(60),
    ) {
        let (plan, old, new) = planned(&numbers, &changes);
        let found = drifts(&old, &new, &mut Choices::new(&choices));
        let live = Live::beside(&plan, drift("DRIFTED", found, 0), &new, None);
        for resource in &live.resources {
            // What is taken away is not there, live or wanted.
            let goes = resource.properties.iter().any(|it| it.live.is_none());
            prop_assert!(goes || !resource.is_overwritten(), "{resource:#?}");
        }
    }
}
