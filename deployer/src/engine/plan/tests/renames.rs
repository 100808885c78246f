//! Laws of renames: nothing is made or lost by one, and none hides what else happens.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use stack_model::assembly::StackManifest;

use super::super::moves::renamed;
use super::super::random::{Choices, cases, edits, numbers, side, template};
use super::super::{Action, App, Grade, Registry, StackPlan, defaults};

type Parameters = BTreeMap<String, String>;

fn plan(old: &Value, new: &Value, values: &Parameters, moved: &Parameters) -> StackPlan {
    let manifest: StackManifest = serde_json::from_value(json!({
        "name": "laws-prod", "id": "laws", "template": "laws.json", "sha256": "", "moved": moved,
    }))
    .expect("reads");
    let none = BTreeMap::new();
    let (old, new) = (side(old, values), side(new, values));
    App::default().compare(&manifest, &none, &old, &new, &Registry)
}

/// Chooses a resource, and gives it another logical id that no other has.
fn rename(template: &Value, choices: &mut Choices<'_>) -> Option<(String, String)> {
    let ids: Vec<&String> = template["Resources"].as_object()?.keys().collect();
    let from = *ids.get(choices.below(ids.len()))?;
    Some((from.clone(), format!("{from}Renamed")))
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn a_rename_makes_nothing_and_loses_nothing(numbers in numbers(300), choice in numbers(2)) {
        let old = template(&mut Choices::new(&numbers));
        let values = defaults(&old);
        let Some((from, to)) = rename(&old, &mut Choices::new(&choice)) else {
            return Ok(());
        };
        let moved = Parameters::from([(from, to.clone())]);
        let new = renamed(&old, &moved);
        let plan = plan(&old, &new, &values, &moved);
        let [change] = plan.changes.as_slice() else {
            prop_assert!(false, "{plan:#?}");
            return Ok(());
        };
        prop_assert_eq!((&change.logical_id, change.action), (&to, Action::Update));
        let harmless = [Grade::None, Grade::UpdateInPlace, Grade::Impossible];
        prop_assert!(harmless.contains(&change.grade), "{change:#?}");
        prop_assert!(change.dangers.is_empty() && change.properties.is_empty(), "{change:#?}");
    }

    #[test]
    fn a_rename_hides_nothing(numbers in numbers(300), changes in numbers(60), choice in numbers(2)) {
        let old = template(&mut Choices::new(&numbers));
        let values = defaults(&old);
        let Some((from, to)) = rename(&old, &mut Choices::new(&choice)) else {
            return Ok(());
        };
        let mut new = old.clone();
        for edit in edits(&old, &mut Choices::new(&changes), 6) {
            edit.apply(&mut new);
        }
        // What goes has no new name.
        prop_assume!(new["Resources"].get(&from).is_some());
        let moved = Parameters::from([(from.clone(), to.clone())]);
        let plain = plan(&old, &new, &values, &Parameters::new());
        let named = plan(&old, &renamed(&new, &moved), &values, &moved);
        for change in &plain.changes {
            let id = if change.logical_id == from { &to } else { &change.logical_id };
            let Some(other) = named.changes.iter().find(|it| it.logical_id == *id) else {
                prop_assert!(false, "{change:#?} and nothing under {id}");
                continue;
            };
            prop_assert!(other.grade >= change.grade, "{change:#?} and {other:#?}");
            for danger in &change.dangers {
                prop_assert!(other.holds(*danger), "{danger:?} of {change:#?} and {other:#?}");
            }
        }
        let count = named.changes.len() - usize::from(plain.changes.iter().all(|it| it.logical_id != from));
        prop_assert_eq!(count, plain.changes.len());
    }
}
