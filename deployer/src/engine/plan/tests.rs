use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;

mod app;
mod certificates;
mod corpus;
mod drift;
mod grades;
mod known;
mod laws;
mod names;
mod oracle;
mod perhaps;
mod policies;
mod protections;
mod registry;
mod reimported;
mod released;
mod renames;
mod same;
mod schema;
mod texts;
mod values;

pub(crate) use corpus::plans as corpus_plans;

/// Knows of a queue's name and of what a sample function refers to.
struct Sample;

impl Knowledge for Sample {
    fn update(&self, resource_type: &str, place: &[Step]) -> Update {
        let Some(Step::Key(first)) = place.first() else {
            return Update::Unknown;
        };
        match (resource_type, first.as_str()) {
            (_, "QueueName" | "TableName" | "FunctionName")
            | ("AWS::Lambda::EventSourceMapping", "EventSourceArn") => Update::Replacement,
            (_, "Maybe") => Update::Conditional,
            (_, "Strange") => Update::Unknown,
            _ => Update::InPlace,
        }
    }

    fn is_unordered(&self, _: &str, place: &[Step]) -> bool {
        place == [Step::Key("Layers".to_owned())]
    }

    fn name(&self, resource_type: &str) -> Vec<&'static str> {
        match resource_type {
            "AWS::DynamoDB::Table" => vec!["TableName"],
            "AWS::Lambda::Function" => vec!["FunctionName"],
            "AWS::SQS::Queue" => vec!["QueueName"],
            _ => Vec::new(),
        }
    }
}

fn plan_of(old: &Value, new: &Value) -> StackPlan {
    plan_with(old, &[], new, &[])
}

fn plan_with(
    old: &Value,
    old_parameters: &[(&str, &str)],
    new: &Value,
    new_parameters: &[(&str, &str)],
) -> StackPlan {
    let values = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<BTreeMap<_, _>>()
    };
    let old = Side {
        template: Some(old),
        parameters: values(old_parameters),
        tags: BTreeMap::new(),
    };
    let new = Side {
        template: Some(new),
        parameters: values(new_parameters),
        tags: BTreeMap::new(),
    };
    compare("intake-dev", &old, &new, &BTreeMap::new(), &Sample)
}

fn resources(resources: &Value) -> Value {
    json!({ "Resources": resources })
}

/// Compares two templates by what the registry knows.
fn registered(old: &Value, new: &Value) -> StackPlan {
    let side = |template| Side {
        template: Some(template),
        ..Side::default()
    };
    let none = BTreeMap::new();
    compare("intake-dev", &side(old), &side(new), &none, &Registry)
}

/// Returns how one resource changes, in one line.
fn line(plan: &StackPlan, id: &str) -> String {
    let change = plan.changes.iter().find(|change| change.logical_id == id);
    let change = change.expect("it changes");
    format!(
        "{:?} {:?}: {}",
        change.action,
        change.grade,
        change.reasons.join("; ")
    )
}

#[test]
fn the_json_shape_is_the_contract() {
    let plan = Plan {
        stacks: vec![plan_of(
            &resources(
                &json!({"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "a", "DelaySeconds": 1}}}),
            ),
            &resources(
                &json!({"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "b", "DelaySeconds": 2}}}),
            ),
        )],
    };
    let text = serde_json::to_string_pretty(&plan).expect("is JSON");
    snapbox::assert_data_eq!(
        text,
        snapbox::str![[r#"
{
  "version": 1,
  "stacks": [
    {
      "stack": "intake-dev",
      "changes": [
        {
          "logical_id": "Queue",
          "resource_type": "AWS::SQS::Queue",
          "action": "replace",
          "grade": "data_loss",
          "dangers": [
            "data_loss"
          ],
          "reasons": [
            "the replaced resource is deleted with the data that it holds",
            "QueueName cannot change without replacement"
          ],
          "properties": [
            {
              "path": "Properties.DelaySeconds",
              "before": 1,
              "after": 2
            },
            {
              "path": "Properties.QueueName",
              "before": "a",
              "after": "b"
            }
          ]
        }
      ],
      "other": []
    }
  ]
}
"#]]
    );
}

#[test]
fn sections_besides_resources_are_compared() {
    let old = json!({"Resources": {}, "Outputs": {"A": {"Value": "1"}}, "Description": "x"});
    let new = json!({"Resources": {}, "Outputs": {"A": {"Value": "2"}, "B": {"Value": "3"}}, "Description": "x", "Conditions": {}});
    let plan = plan_of(&old, &new);
    let paths: Vec<_> = plan
        .other
        .iter()
        .map(|change| change.path.to_string())
        .collect();
    assert_eq!(paths, ["Outputs.A.Value", "Outputs.B"]);
    assert!(plan.changes.is_empty() && !plan.is_empty());
}

/// What a macro makes of a template is in no comparison, whatever else there is to note.
#[test]
fn a_template_that_a_macro_changes_says_so() {
    let template = json!({"Transform": "AWS::Serverless-2016-10-31", "Resources": {}});
    let mut plan = plan_of(&template, &template);
    let note = plan.note.clone().unwrap_or_default();
    assert!(
        note.starts_with("AWS::Serverless-2016-10-31 makes "),
        "{note}"
    );
    plan.note_first(Some("it is UPDATE_FAILED".to_owned()));
    let both = plan.note.unwrap_or_default();
    assert_eq!(both, format!("it is UPDATE_FAILED; {note}"));
    assert_eq!(
        plan_of(&resources(&json!({})), &resources(&json!({}))).note,
        None
    );
}

#[test]
fn tags_of_the_stack_are_compared_but_for_that_of_the_stage() {
    let template = resources(&json!({"Queue": {"Type": "AWS::SQS::Queue"}}));
    let side = |tags: &[(&str, &str)]| Side {
        template: Some(&template),
        parameters: BTreeMap::new(),
        tags: tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    };
    let old = side(&[("stackctl:stage", "dev"), ("team", "a")]);
    let new = side(&[("stackctl:app", "shop"), ("team", "b")]);
    let plan = compare("x", &old, &new, &BTreeMap::new(), &Sample);
    let paths: Vec<_> = plan
        .other
        .iter()
        .map(|change| change.path.to_string())
        .collect();
    assert_eq!(paths, ["Tags.stackctl:app", "Tags.team"]);
}

#[test]
fn a_new_stack_creates_everything() {
    let template = resources(&json!({"Queue": {"Type": "AWS::SQS::Queue"}}));
    let wanted = Side {
        template: Some(&template),
        ..Side::default()
    };
    let plan = compare("x", &Side::default(), &wanted, &BTreeMap::new(), &Sample);
    assert!(plan.create);
    assert_eq!(plan.changes[0].action, Action::Create);
    assert!(plan.other.is_empty());
}

#[test]
fn values_that_are_hidden_are_shown_to_nobody() {
    let template = json!({"Parameters": {
        "Level": {"Type": "String", "Default": "info"},
        "Hidden": {"Type": "String", "Default": "a password", "NoEcho": true},
    }});
    assert_eq!(
        super::defaults(&template),
        [("Level".to_owned(), "info".to_owned())].into()
    );
}
