//! The JSON form is what its schema says, and the schema says all of it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::text::{Hunk, Line, TextChange};
use super::super::{
    Action, Fate, Grade, Live, LiveProperty, LiveResource, Path, Plan, PropertyChange,
    ResourceChange, Said, StackPlan,
};
use super::corpus;
use crate::command::diff::Document;
use crate::engine::{
    CodeChange, DependencyChange, FileChange, Finding, Happened, Hook, Last, Origin, Orphan,
    StackStatus, Taken,
};

/// Holds documents against the schema of plans.
///
/// It knows the keywords of draft 2020-12 that the schema uses, and no others. The schema lets an object have properties
/// that it does not describe, for those who read documents of later versions; here nothing else is taken.
struct Schema {
    root: Value,
    /// The descriptions that some document was held against, by their place.
    met: RefCell<BTreeSet<String>>,
}

impl Schema {
    fn read() -> Self {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/plan.schema.json");
        let text = std::fs::read_to_string(path).expect("reads");
        Self {
            root: serde_json::from_str(&text).expect("is JSON"),
            met: RefCell::default(),
        }
    }

    fn problem(&self, document: &Value) -> Option<String> {
        self.check("", document).err()
    }

    /// Holds a value against the description at a place of the schema.
    fn check(&self, place: &str, value: &Value) -> Result<(), String> {
        self.met.borrow_mut().insert(place.to_owned());
        let schema = self.root.pointer(place).expect(place);
        let keywords = schema.as_object().expect(place);
        let wrong = |why: &str| Err(format!("{value} is not as {place} says: {why}"));
        let matching = |pattern: &Value, text: &str| match pattern.as_str() {
            Some("^https://") => text.starts_with("https://"),
            Some("^[ +-]") => text.starts_with([' ', '+', '-']),
            other => panic!("{place}: the pattern {other:?} is not known here"),
        };
        for (keyword, wanted) in keywords {
            let holds = match (keyword.as_str(), value) {
                ("$schema" | "$defs" | "title" | "description", _) => true,
                ("const", _) => value == wanted,
                ("enum", _) => wanted.as_array().expect(place).contains(value),
                ("type", Value::Object(_)) => wanted == "object",
                ("type", Value::Array(_)) => wanted == "array",
                ("type", Value::String(_)) => wanted == "string",
                ("type", Value::Bool(_)) => wanted == "boolean",
                ("type", Value::Number(number)) => wanted == "integer" && number.is_u64(),
                ("minimum", Value::Number(number)) => number.as_f64() >= wanted.as_f64(),
                ("minItems", Value::Array(all)) => {
                    all.len() as u64 >= wanted.as_u64().expect(place)
                }
                ("uniqueItems", Value::Array(all)) => {
                    let texts: BTreeSet<String> = all.iter().map(Value::to_string).collect();
                    texts.len() == all.len()
                }
                ("pattern", Value::String(text)) => matching(wanted, text),
                ("required", Value::Object(entries)) => {
                    let required = wanted.as_array().expect(place);
                    let mut names = required.iter().filter_map(Value::as_str);
                    names.all(|name| entries.contains_key(name))
                }
                ("$ref", _) => {
                    let target = wanted.as_str().and_then(|target| target.strip_prefix('#'));
                    self.check(target.expect(place), value)?;
                    true
                }
                ("items", Value::Array(all)) => {
                    for element in all {
                        self.check(&format!("{place}/items"), element)?;
                    }
                    true
                }
                ("properties", Value::Object(entries)) => {
                    for (name, entry) in entries {
                        if wanted.get(name).is_none() {
                            return wrong(&format!("{name} is not described"));
                        }
                        self.check(&format!("{place}/properties/{name}"), entry)?;
                    }
                    true
                }
                ("type" | "items" | "properties" | "required", _) => false,
                other => panic!("{place}: {other:?} is not known here"),
            };
            if !holds {
                return wrong(keyword);
            }
        }
        Ok(())
    }

    /// Returns the places of all properties that the schema describes.
    fn described(&self) -> BTreeSet<String> {
        fn collect(value: &Value, place: &str, are_names: bool, found: &mut BTreeSet<String>) {
            let Value::Object(entries) = value else {
                return;
            };
            for (key, entry) in entries {
                let place = format!("{place}/{key}");
                collect(entry, &place, !are_names && key == "properties", found);
                if are_names {
                    found.insert(place);
                }
            }
        }
        let mut found = BTreeSet::new();
        collect(&self.root, "", false, &mut found);
        found
    }
}

/// Returns a plan with everything in it that a plan can have.
fn everything() -> Plan {
    let change = |action: Action, grade: Grade| ResourceChange {
        logical_id: "Thing".into(),
        resource_type: "AWS::SQS::Queue".into(),
        action,
        grade,
        ..ResourceChange::default()
    };
    let actions = [
        Action::Create,
        Action::Update,
        Action::Replace,
        Action::Delete,
        Action::Import,
        Action::Retain,
    ];
    let grades = [
        Grade::None,
        Grade::UpdateInPlace,
        Grade::Interruption,
        Grade::Replacement,
        Grade::PermissionWidened,
        Grade::ExposureWidened,
        Grade::DataLoss,
        Grade::Impossible,
    ];
    let all = || Some("a".to_owned());
    let said = Said {
        otherwise: all(),
        findings: vec![Finding {
            logical_id: all(),
            resource_type: all(),
            check: all(),
            path: all(),
            failure_mode: all(),
            reason: "why".into(),
        }],
        hooks: vec![Hook {
            logical_id: all(),
            hook_type: "Acme::Guard::Queues".into(),
            failure_mode: all(),
        }],
    };
    let mut changes: Vec<_> = actions
        .iter()
        .flat_map(|action| grades.iter().map(|grade| change(*action, *grade)))
        .collect();
    changes.push(ResourceChange {
        moved_from: all(),
        perhaps: true,
        dangers: Grade::DANGERS.to_vec(),
        reasons: vec!["it is new".into()],
        sources: vec!["https://docs.aws.amazon.com/"],
        properties: vec![PropertyChange {
            path: Path::new("Properties").key("A").position(1),
            before: None,
            after: Some(json!({"Ref": "B"})),
        }],
        code: Some(CodeChange {
            files: [Happened::Added, Happened::Changed, Happened::Removed]
                .map(|change| FileChange {
                    path: "a.rs".into(),
                    package: "a".into(),
                    change,
                })
                .into(),
            dependencies: vec![DependencyChange {
                name: "serde".into(),
                before: None,
                after: Some("1.0.0".into()),
            }],
        }),
        texts: vec![TextChange {
            path: Path::new("Properties").key("A"),
            hunks: vec![Hunk {
                before: 0,
                after: 1,
                states: vec!["Pause".into()],
                lines: vec![
                    Line::Kept(String::new()),
                    Line::Removed("a".into()),
                    Line::Added("b".into()),
                ],
            }],
        }],
        said: said.clone(),
        ..change(Action::Update, Grade::DataLoss)
    });
    let stack = StackPlan {
        stack: "a-dev".into(),
        changes,
        note: Some("it is UPDATE_IN_PROGRESS".into()),
        after: vec!["b-dev".into()],
        refused: vec!["an export would change".into()],
        live: Some(Live {
            status: "DRIFTED".into(),
            incomplete: vec!["it is busy".into()],
            resources: vec![LiveResource {
                logical_id: "Orders".into(),
                resource_type: "AWS::SQS::Queue".into(),
                status: "MODIFIED".into(),
                reason: Some("it is hidden".into()),
                action: Some(Action::Update),
                properties: vec![LiveProperty {
                    path: Path::new("Properties").key("DelaySeconds"),
                    deployed: Some(5.into()),
                    live: None,
                    fate: Fate::Overwritten,
                    after: Some(6.into()),
                }],
            }],
            uncertain: true,
        }),
        said,
        ..StackPlan::default()
    };
    Plan {
        stacks: vec![stack, StackPlan::default()],
    }
}

#[test]
fn every_plan_of_the_corpus_has_the_form_of_the_schema() {
    let schema = Schema::read();
    let plans = corpus::plans();
    assert!(plans.len() > 200, "{}", plans.len());
    for stack in plans {
        let document = json!(Plan {
            stacks: vec![stack],
        });
        assert_eq!(schema.problem(&document), None, "{document:#}");
    }
}

#[test]
fn whatever_the_schema_describes_is_in_the_form_and_nothing_else() {
    let schema = Schema::read();
    let last = Last {
        at: "2026-07-27T22:28:28Z".into(),
        origin: Origin::default(),
    };
    let orphan = Orphan {
        stack: "a".into(),
        region: Some("us-east-1".into()),
        status: StackStatus::new("UPDATE_COMPLETE"),
        next: "stackctl destroy a".into(),
        last: Some(last),
        id: "a".into(),
        app: None,
        is_ambiguous: false,
    };
    let taken = Taken {
        stack: "a".into(),
        region: "us-east-1".into(),
        app: "b".into(),
    };
    // What is printed, of which the plan is a part.
    let mut full = json!(Document {
        plan: &everything(),
        orphans: &[orphan],
        taken: &[taken],
    });
    for (field, value) in [("region", "us-east-1"), ("account", "123456789012")] {
        full["stacks"][0][field] = value.into();
    }
    assert_eq!(schema.problem(&full), None);
    let met = schema.met.take();
    let unmet: Vec<_> = schema.described().difference(&met).cloned().collect();
    assert!(unmet.is_empty(), "{unmet:?}");
    for (pointer, value) in [
        ("/version", json!(2)),
        ("/stacks/0/changes/0/grade", json!("harmless")),
        ("/stacks/0/changes/0/action", json!("move")),
        ("/stacks/0/changes/0/unknown", json!(1)),
        ("/stacks/0/changes/48/sources/0", json!("a page")),
        ("/stacks/0/changes/48/properties/0/place", json!("a")),
        ("/stacks/0/changes/48/texts/0/hunks/0/lines/0", json!("a")),
        ("/stacks/0/changes/48/code/files/1/change", json!("moved")),
        ("/stacks/0/environment", json!("a")),
        ("/orphans/0/last/at", json!(1)),
        ("/taken/0/account", json!("a")),
        ("/stacks/0/other", json!(null)),
        ("/stacks/0/changes/48/texts/0/hunks/0/before", json!(-1)),
    ] {
        let mut wrong = full.clone();
        let (parent, key) = pointer.rsplit_once('/').expect("has one");
        let parent = wrong.pointer_mut(parent).expect(pointer);
        match parent {
            Value::Array(elements) => elements[key.parse::<usize>().expect("a number")] = value,
            object => object[key] = value,
        }
        assert!(schema.problem(&wrong).is_some(), "{pointer}");
    }
}
