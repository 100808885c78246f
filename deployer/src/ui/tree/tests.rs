use serde_json::json;

use super::*;
use crate::engine::plan::{Hunk, Path};

const NARROW: Look = Look {
    width: 80,
    breaks: true,
    full: false,
};

const FULL: Look = Look {
    full: true,
    ..NARROW
};

fn plain(plan: &Plan, look: Look) -> String {
    anstream::adapter::strip_str(&render(plan, look)).to_string()
}

fn queue(position: usize, grade: Grade) -> ResourceChange {
    ResourceChange {
        logical_id: format!("Queue{position}"),
        resource_type: "AWS::SQS::Queue".into(),
        grade,
        ..ResourceChange::default()
    }
}

fn stack_of(changes: Vec<ResourceChange>) -> Plan {
    let stack = "intake-dev".into();
    Plan {
        stacks: vec![StackPlan {
            stack,
            changes,
            ..StackPlan::default()
        }],
    }
}

#[test]
fn long_lists_are_collapsed_but_for_what_is_dangerous() {
    let mut changes: Vec<_> = (100..140)
        .map(|position| queue(position, Grade::UpdateInPlace))
        .collect();
    changes.push(queue(200, Grade::DataLoss));
    let sample = stack_of(changes);
    let text = plain(&sample, NARROW);
    assert!(
        text.contains("  … 16 more: 16 to update (--verbose shows them)"),
        "{text}"
    );
    assert!(
        text.contains("Queue200 AWS::SQS::Queue DATA LOSS"),
        "{text}"
    );
    assert_eq!(text.matches("AWS::SQS::Queue").count(), 25, "{text}");
    let all = plain(&sample, FULL);
    assert_eq!(all.matches("AWS::SQS::Queue").count(), 41, "{all}");
    assert!(!all.contains("more"), "{all}");
}

#[test]
fn lists_of_properties_and_reasons_are_collapsed() {
    let property = |position: usize| PropertyChange {
        path: Path::new("Properties").key(&format!("Property{position}")),
        before: Some(json!(1)),
        after: Some(json!(2)),
    };
    let mut change = ResourceChange {
        reasons: (0..10)
            .map(|n| format!("nothing is known of {n}"))
            .collect(),
        properties: (0..20).map(property).collect(),
        ..queue(1, Grade::UpdateInPlace)
    };
    let text = plain(&stack_of(vec![change.clone()]), NARROW);
    assert!(text.contains("      … 4 more reasons ("), "{text}");
    assert!(text.contains("      … 12 more properties ("), "{text}");
    // Whatever makes a change dangerous is read before it is agreed to.
    change.grade = Grade::PermissionWidened;
    let text = plain(&stack_of(vec![change.clone()]), NARROW);
    assert!(!text.contains("more reasons"), "{text}");
    let all = plain(&stack_of(vec![change]), FULL);
    assert!(!all.contains(" more "), "{all}");
    // One that is hidden would be a line, too.
    let nine = ResourceChange {
        properties: (0..9).map(property).collect(),
        ..queue(1, Grade::UpdateInPlace)
    };
    let text = plain(&stack_of(vec![nine]), NARROW);
    assert!(text.contains("Property8: 1 → 2"), "{text}");
}

#[test]
fn many_stacks_without_a_change_are_counted() {
    let stacks = (10..30).map(|position| StackPlan {
        stack: format!("stack-{position}"),
        ..StackPlan::default()
    });
    let mut sample = Plan {
        stacks: stacks.collect(),
    };
    sample.stacks[19].note = Some("it is UPDATE_IN_PROGRESS".into());
    let text = plain(&sample, NARROW);
    assert!(text.contains("… 11 more without a change"), "{text}");
    assert!(
        text.contains("stack-29") && !text.contains("stack-28"),
        "{text}"
    );
}

#[test]
fn words_are_broken_on_a_terminal_only() {
    let mut change = queue(1, Grade::Replacement);
    change.logical_id = "Q".repeat(70);
    change.reasons = vec!["a reason that goes on and on ".repeat(5)];
    let sample = stack_of(vec![change]);
    let text = plain(&sample, NARROW);
    for line in text.lines().filter(|line| !line.contains("QQ")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let piped = Look {
        breaks: false,
        ..NARROW
    };
    assert_eq!(plain(&sample, piped).lines().count(), 4);
}

#[test]
fn texts_are_shown_line_by_line() {
    let text = TextChange {
        path: Path::new("Properties").key("DefinitionString"),
        hunks: vec![Hunk {
            before: 3,
            after: 3,
            states: vec!["Pause".into()],
            lines: [
                Line::Kept("  \"Pause\": {".into()),
                Line::Removed("    \"Seconds\": 5,".into()),
                Line::Added(format!("    \"Seconds\": {}\u{1b}[2J", "6".repeat(90))),
            ]
            .into(),
        }],
    };
    let sample = stack_of(vec![ResourceChange {
        properties: vec![PropertyChange {
            path: Path::new("Properties")
                .key("DefinitionString")
                .key("States"),
            before: Some(json!(5)),
            after: Some(json!(6)),
        }],
        texts: vec![text.clone()],
        ..queue(1, Grade::UpdateInPlace)
    }]);
    snapbox::assert_data_eq!(
        plain(&sample, NARROW),
        snapbox::str![[r#"
intake-dev
  ~ update  Queue1 AWS::SQS::Queue
      DefinitionString:
      @@ -3,2 +3,2 @@ Pause
         "Pause": {
      -    "Seconds": 5,
      +    "Seconds": 666666666666666666666666666666666666666666666666666666666…
1 to update

"#]]
    );
    assert!(!render(&sample, FULL).contains("\u{1b}[2J"));
    let mut long = sample;
    long.stacks[0].changes[0].texts[0].hunks[0].lines =
        (0..40).map(|line| Line::Added(line.to_string())).collect();
    let text = plain(&long, NARROW);
    assert!(text.contains("… 17 more lines"), "{text}");
    let hunks = &mut long.stacks[0].changes[0].texts[0].hunks;
    let mut other = hunks[0].clone();
    other.states = vec!["Each / Work".into()];
    hunks.push(other);
    let text = plain(&long, NARROW);
    assert!(text.contains("… 58 more lines, of Each / Work ("), "{text}");
}

#[test]
fn long_values_stand_below_each_other_where_all_is_shown() {
    let change = PropertyChange {
        path: Path::new("Properties").key("Description"),
        before: Some(json!("a".repeat(90))),
        after: None,
    };
    let mut text = String::new();
    property::render(&mut text, &change, 6, FULL);
    let expected = format!(
        "      Description:\n        - \"{}\"\n        + (absent)\n",
        "a".repeat(90)
    );
    assert_eq!(anstream::adapter::strip_str(&text).to_string(), expected);
}

#[test]
fn long_values_are_shown_around_their_first_difference() {
    let change = PropertyChange {
        path: Path::new("Properties").key("Description"),
        before: Some(json!(format!("{}queue and more of it", "a".repeat(90)))),
        after: Some(json!(format!("{}direct and more of it", "a".repeat(90)))),
    };
    let mut text = String::new();
    property::render(&mut text, &change, 6, NARROW);
    let plain = anstream::adapter::strip_str(&text).to_string();
    assert!(plain.chars().count() <= 81, "{plain}");
    assert!(
        plain.contains("queue") && plain.contains("direct"),
        "{plain}"
    );
}

#[test]
fn an_expression_whose_value_changes_is_shown_once() {
    let table = json!({"Fn::GetAtt": ["TableWithAVeryLongNameThatDoesNotFit", "Arn"]});
    let change = PropertyChange {
        path: Path::new("Properties").key("Resource"),
        before: Some(table.clone()),
        after: Some(table),
    };
    let mut text = String::new();
    property::render(&mut text, &change, 6, NARROW);
    assert_eq!(
        anstream::adapter::strip_str(&text).to_string(),
        "      Resource: {\"Fn::GetAtt\":[\"TableWithAVeryLongNameThatDoesNotFit\",\"A… (anew)\n"
    );
}

#[test]
fn a_plan_is_a_tree_that_fits() {
    let sample = Plan {
        stacks: vec![
            StackPlan {
                after: Vec::new(),
                refused: Vec::new(),
                live: None,
                stack: "intake-dev".into(),
                changes: vec![
                    ResourceChange {
                        logical_id: "Orders".into(),
                        resource_type: "AWS::DynamoDB::Table".into(),
                        action: Action::Replace,
                        grade: Grade::DataLoss,
                        reasons: vec!["TableName cannot change without replacement".into()],
                        properties: vec![PropertyChange {
                            path: Path::new("Properties").key("TableName"),
                            before: Some(json!("a".repeat(100))),
                            after: None,
                        }],
                        ..ResourceChange::default()
                    },
                    ResourceChange {
                        logical_id: "Queue".into(),
                        resource_type: "AWS::SQS::Queue".into(),
                        action: Action::Create,
                        grade: Grade::None,
                        reasons: vec!["it is new".into()],
                        ..ResourceChange::default()
                    },
                ],
                other: vec![PropertyChange {
                    path: Path::new("Outputs").key("Url"),
                    before: None,
                    after: Some(json!({"Ref": "Queue"})),
                }],
                note: None,
                create: false,
                basis: None,
                said: crate::engine::plan::Said::default(),
                before: None,
            },
            StackPlan {
                stack: "other-dev".into(),
                ..StackPlan::default()
            },
        ],
    };
    let mut text = String::new();
    text.push_str(&render(&sample, NARROW));
    let plain = anstream::adapter::strip_str(&text).to_string();
    assert!(
        plain.lines().all(|line| line.chars().count() <= 80),
        "{plain}"
    );
    snapbox::assert_data_eq!(
        plain,
        snapbox::str![[r#"
intake-dev
  ± replace Orders AWS::DynamoDB::Table DATA LOSS
      TableName cannot change without replacement
      TableName: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa… → (absent)
  + create  Queue AWS::SQS::Queue
  Outputs.Url: (absent) → {"Ref":"Queue"}
other-dev (unchanged)
1 to create, 1 to replace, 1 besides resources (1 with data loss)

"#]]
    );
}

#[test]
fn what_is_live_is_shortened_too() {
    use crate::engine::plan::{Fate, Live, LiveProperty};
    let resource = |position: usize| LiveResource {
        logical_id: format!("Queue{position:02}"),
        resource_type: "AWS::SQS::Queue".to_owned(),
        status: "MODIFIED".to_owned(),
        reason: None,
        action: None,
        properties: (0..12)
            .map(|_| LiveProperty {
                path: Path::new("Properties").key("Policy"),
                deployed: Some(json!("a".repeat(500))),
                live: Some(json!("b".repeat(500))),
                fate: Fate::Left,
                after: None,
            })
            .collect(),
    };
    let plan = Plan {
        stacks: vec![StackPlan {
            stack: "a-dev".to_owned(),
            live: Some(Live {
                status: "DRIFTED".to_owned(),
                resources: (0..30).map(resource).collect(),
                ..Live::default()
            }),
            ..StackPlan::default()
        }],
    };
    let text = plain(&plan, NARROW);
    assert!(text.contains("Queue23") && !text.contains("Queue24"));
    assert!(
        text.contains("… 6 more that are not as they were deployed"),
        "{text}"
    );
    assert!(text.contains("… 4 more (--verbose shows them)"), "{text}");
    assert!(!text.contains(&"a".repeat(100)));
    let whole = Look {
        full: true,
        ..NARROW
    };
    let text = plain(&plan, whole);
    assert!(text.contains("Queue29") && !text.contains(" more "));
}

/// Returns the lines of a tree that are too wide though they could be broken.
fn too_wide(plan: &Plan, width: usize) -> Vec<String> {
    let look = Look { width, ..NARROW };
    let text = plain(plan, look);
    let lines = text.lines();
    lines
        // A word of a reason is not broken: it may be there to be pasted.
        .filter(|line| console::measure_text_width(line) > width && line.trim_start().contains(' '))
        .map(str::to_owned)
        .collect()
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let plans = crate::engine::plan::corpus_plans();
    assert!(plans.len() > 100, "{}", plans.len());
    for stack in plans {
        let plan = Plan {
            stacks: vec![stack],
        };
        for width in [40, 60, 80, 100] {
            assert_eq!(too_wide(&plan, width), [""; 0], "at {width}");
        }
    }
}

#[test]
fn values_below_a_long_path_stand_in_a_line_of_their_own() {
    let path = |name: &str| {
        Path::new("Properties")
            .key("Policies")
            .position(0)
            .key(name)
            .key("Statement")
            .position(2)
            .key("Resource")
    };
    let value = |name: &str| Some(json!({"Fn::GetAtt": [name, "Arn"]}));
    let property = |name: &str, before, after| PropertyChange {
        path: path(name),
        before,
        after,
    };
    let change = ResourceChange {
        properties: vec![
            property("PolicyDocument", value("Placed"), value("Placed")),
            property("PolicyDocument", value("Placed"), None),
            property(&"Policy".repeat(20), Some(json!(1)), Some(json!(2))),
            property("P", Some(json!("広い".repeat(40))), Some(json!("x"))),
        ],
        ..queue(1, Grade::UpdateInPlace)
    };
    let plan = stack_of(vec![change]);
    for width in [40, 60, 80] {
        assert_eq!(too_wide(&plan, width), [""; 0], "at {width}");
    }
    let text = plain(&plan, NARROW);
    let told = "      Policies[0].PolicyDocument.Statement[2].Resource:\n        \
                {\"Fn::GetAtt\":[\"Placed\",\"Arn\"]} (anew)\n";
    assert!(text.contains(told), "{text}");
    // The end of a path says more than its beginning.
    assert!(
        text.contains("PolicyPolicy.Statement[2].Resource:\n        1 → 2\n"),
        "{text}"
    );
}
