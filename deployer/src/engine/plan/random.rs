//! Templates and changes of them for tests, made from numbers that proptest chooses and makes smaller.
//!
//! Whoever runs out of numbers gets the simplest choice, so fewer and smaller numbers are simpler templates and changes.

mod edits;
mod made;
mod rewrite;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};
use stack_model::assembly::StackManifest;

use super::{App, Registry, Side, StackPlan};

pub(crate) use edits::{Edit, edits, edits_besides, furnished};
pub(crate) use made::made;
pub(crate) use rewrite::{reworded, rewritten};

/// Choices between alternatives.
pub(crate) struct Choices<'a>(std::slice::Iter<'a, u32>);

impl<'a> Choices<'a> {
    pub(crate) fn new(numbers: &'a [u32]) -> Self {
        Self(numbers.iter())
    }

    /// Returns a number that is smaller; the smallest, once there are no more choices.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let number = self.0.next().copied().unwrap_or_default();
        usize::try_from(number).expect("a pointer has 32 bits") % end.max(1)
    }

    /// Returns whether something happens that does so in this many of a hundred cases, and in the simplest not.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    pub(crate) fn pick<'b, T>(&mut self, from: &'b [T]) -> &'b T {
        &from[self.below(from.len())]
    }

    /// Brings elements into another order.
    pub(crate) fn shuffle<T>(&mut self, elements: &mut [T]) {
        for last in (1..elements.len()).rev() {
            elements.swap(last, last - self.below(last + 1));
        }
    }
}

/// Returns numbers to choose by.
pub(crate) fn numbers(most: usize) -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(any::<u32>(), 0..most)
}

/// Returns how many cases are tried: so many in the usual run, and as many as `PROPTEST_CASES` says.
pub(crate) fn cases(usual: u32) -> Config {
    let told = std::env::var("PROPTEST_CASES").is_ok();
    let config = Config::default();
    if told {
        config
    } else {
        Config {
            cases: usual,
            ..config
        }
    }
}

/// Returns the templates of the shipped stacks by their name and stage.
pub(crate) fn shipped() -> &'static [(String, Value)] {
    static SHIPPED: OnceLock<Vec<(String, Value)>> = OnceLock::new();
    SHIPPED.get_or_init(|| {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stacks/golden");
        let mut found: Vec<(String, Value)> = std::fs::read_dir(golden)
            .expect("lists")
            .filter_map(|entry| {
                let path = entry.expect("is there").path();
                let name = path.file_name()?.to_str()?.strip_suffix(".template.json")?;
                let text = std::fs::read_to_string(&path).expect("reads");
                let template = serde_json::from_str(&text).expect("is JSON");
                Some((name.to_owned(), template))
            })
            .collect();
        found.sort_by(|left, right| left.0.cmp(&right.0));
        assert!(found.len() > 30, "the templates are not where they were");
        found
    })
}

/// Returns a template: one of a shipped stack, or one that is made of any resource types.
pub(crate) fn template(choices: &mut Choices<'_>) -> Value {
    if choices.chance(40) {
        choices.pick(shipped()).1.clone()
    } else {
        made(choices)
    }
}

/// Plans a template in which a resource has another logical id, which the source declares. Returns the plan with the new id.
pub(crate) fn planned_with_rename(
    deployed: &Value,
    wanted: &Value,
    values: &BTreeMap<String, String>,
    from: &str,
) -> (StackPlan, String) {
    let to = format!("{from}Renamed");
    let moved = BTreeMap::from([(from.to_owned(), to.clone())]);
    let manifest: StackManifest = serde_json::from_value(json!({
        "name": "system-prod", "id": "system", "template": "system.json", "sha256": "", "moved": moved,
    }))
    .expect("reads");
    let wanted = super::moves::renamed(wanted, &moved);
    let (old, new) = (
        side(deployed, &super::defaults(deployed)),
        side(&wanted, values),
    );
    let none = BTreeMap::new();
    let plan = App::default().compare(&manifest, &none, &old, &new, &Registry);
    (plan, to)
}

/// Returns a template with the values of its parameters.
pub(crate) fn side<'a>(template: &'a Value, parameters: &BTreeMap<String, String>) -> Side<'a> {
    Side {
        template: Some(template),
        parameters: parameters.clone(),
        tags: BTreeMap::new(),
    }
}
