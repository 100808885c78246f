//! What the oracle of `cargo xtask oracle` is told of the planner: it knows the facts of the registry, and not the rows that
//! decide before them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::path::{Path, Step};
use super::super::traps::{deciding, refined};
use super::super::{Knowledge as _, PropertyChange, Registry, Update};

/// Values that the rows tell apart.
fn values() -> Vec<Option<Value>> {
    let attributes = |kind: &str| json!([{"AttributeName": "id", "AttributeType": kind}]);
    let texts = ["GLOBAL", "GRAPHQL", "default", "one", "another"].map(Value::from);
    let others = [attributes("S"), attributes("N"), json!({"A": 1}), json!(1)];
    let some = texts.into_iter().chain(others).map(Some);
    [None].into_iter().chain(some).collect()
}

/// Returns what the planner decides of a property, whatever its values and the update policy of its resource are.
fn decided(resource_type: &str, property: &str) -> BTreeSet<&'static str> {
    let of_policy =
        |said: Value| json!({"UseOnlineResharding": said, "EnableVersionUpgrade": said});
    let policies = [
        json!({}),
        of_policy(json!(true)),
        of_policy(json!(false)),
        of_policy(json!({"Ref": "Upgrade"})),
    ];
    let body = |value: &Option<Value>, policy: &Value| {
        let mut properties = json!({});
        if let Some(value) = value {
            properties[property] = value.clone();
        }
        json!({"Type": resource_type, "UpdatePolicy": policy, "Properties": properties})
    };
    let values = values();
    let mut found = BTreeSet::new();
    for (before, after) in values
        .iter()
        .flat_map(|it| values.iter().map(move |to| (it, to)))
    {
        if before == after {
            continue;
        }
        for policy in &policies {
            let change = PropertyChange {
                path: Path::new("Properties").key(property),
                before: before.clone(),
                after: after.clone(),
            };
            let (old, new) = (body(before, policy), body(after, policy));
            let said = refined(resource_type, &change, Some(&old), &new).expect("a row decides");
            found.insert(word(said.update));
        }
    }
    found
}

fn word(update: Update) -> &'static str {
    match update {
        Update::InPlace => "in_place",
        Update::Conditional | Update::Unknown => "conditional",
        Update::Replacement => "replacement",
    }
}

/// What is in the file, the oracle compares with the data of the CDK and asks to be explained, whether it says more or less
/// than the registry. `SNAPSHOTS=overwrite` writes it.
#[test]
fn what_the_planner_decides_by_itself_is_what_the_oracle_reads() {
    let rows: Vec<Value> = deciding()
        .map(|(kind, property, source)| {
            json!({"type": kind, "property": property, "verdicts": decided(kind, property), "source": source})
        })
        .collect();
    let text = serde_json::to_string_pretty(&rows).expect("is JSON");
    snapbox::assert_data_eq!(
        text + "\n",
        snapbox::file!["../../../../../stack-model/cfn/oracle/planner.json": Text].raw()
    );
}

/// A row that says what the registry says anyway is none.
#[test]
fn every_row_says_something_else_than_the_registry() {
    for (resource_type, property, _) in deciding() {
        let known = Registry.update(resource_type, &[Step::Key(property.to_owned())]);
        let decided = decided(resource_type, property);
        assert_ne!(decided, [word(known)].into(), "{resource_type} {property}");
    }
}
