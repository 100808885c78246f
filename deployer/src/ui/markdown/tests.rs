use serde_json::json;

use super::*;
use crate::engine::plan::{Basis, Hunk, Line, Path};

fn comment(plan: &Plan) -> String {
    markdown(plan, "prod", None, COMMENT)
}

fn sample() -> Plan {
    Plan {
        stacks: vec![
            StackPlan {
                after: Vec::new(),
                refused: Vec::new(),
                live: None,
                stack: "intake-prod".into(),
                changes: vec![ResourceChange {
                    logical_id: "Orders".into(),
                    resource_type: "AWS::DynamoDB::Table".into(),
                    action: Action::Replace,
                    grade: Grade::DataLoss,
                    reasons: vec!["TableName cannot change | without <replacement>".into()],
                    properties: vec![PropertyChange {
                        path: Path::new("Properties").key("TableName"),
                        before: Some(json!("a`b")),
                        after: None,
                    }],
                    ..ResourceChange::default()
                }],
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
                stack: "other-prod".into(),
                ..StackPlan::default()
            },
        ],
    }
}

#[test]
fn a_plan_is_a_table_with_details_folded_away() {
    snapbox::assert_data_eq!(
        comment(&sample()),
        snapbox::str![[r####"
### Changes of stage `prod`

1 to replace, 1 besides resources (1 with data loss)

| stack | action | resource | type | danger |
|---|---|---|---|---|
| `intake-prod` | replace | `Orders` | `AWS::DynamoDB::Table` | **DATA LOSS** |
| `intake-prod` | update | 1 besides resources | | |

<details><summary><code>intake-prod</code></summary>

- **replace** `Orders` **DATA LOSS**
  - TableName cannot change /| without &lt;replacement>
  - `TableName`: `` "a`b" `` → (absent)
- `Outputs.Url`: (absent) → `{"Ref":"Queue"}`

</details>

<sub>sha256 of all changes: <code>85a507d099e6f868a1e0dae17c5cd6c6bcf63b03bc4537ec5ac7877c53b8ac87</code></sub>

"####]]
    );
    assert!(comment(&Plan::default()).ends_with("Nothing would change.\n"));
}

#[test]
fn long_values_are_shown_around_their_first_difference() {
    let change = PropertyChange {
        path: Path::new("Properties").key("Description"),
        before: Some(json!(format!("{}queue", "a".repeat(300)))),
        after: Some(json!(format!("{}direct", "a".repeat(300)))),
    };
    let mut text = String::new();
    property(&mut text, "", &change, &BTreeSet::new());
    assert!(
        text.contains("aqueue") && text.contains("adirect"),
        "{text}"
    );
    assert!(text.chars().count() < 2 * VALUE, "{text}");
}

#[test]
fn a_danger_of_the_last_stack_is_not_cut_off() {
    let mut plan = sample();
    let dangerous = plan.stacks.remove(0);
    let mut harmless = dangerous.clone();
    harmless.stack = "harmless-prod".into();
    harmless.changes[0].grade = Grade::UpdateInPlace;
    plan.stacks = vec![harmless; 2000];
    plan.stacks.push(dangerous);
    let text = comment(&plan);
    let first = text.lines().nth(6).unwrap_or_default();
    assert!(
        first.contains("intake-prod") && first.contains("DATA LOSS"),
        "{first}"
    );
}

#[test]
fn a_long_plan_fits_into_a_comment_and_tells_what_is_left_out() {
    let mut plan = sample();
    let mut dangerous = plan.stacks.remove(0);
    dangerous.other.clear();
    dangerous.changes[0].reasons = vec!["a reason".repeat(40); 900];
    let mut harmless = dangerous.clone();
    harmless.stack = "harmless-prod".into();
    harmless.changes[0].grade = Grade::UpdateInPlace;
    harmless.changes[0].reasons.truncate(1);
    plan.stacks = vec![harmless; 700];
    plan.stacks.push(dangerous);
    let text = comment(&plan);
    assert!(text.len() < 65_536, "{}", text.len());
    let note = text
        .lines()
        .find(|line| line.starts_with("> "))
        .expect("something is left out");
    let shown = text.matches("- **replace** `Orders`").count();
    let rows = text.matches("| `AWS::DynamoDB::Table` |").count();
    assert!(rows > 100 && shown > 50, "{rows} rows, {shown} sections");
    assert_eq!(
        note,
        format!(
            "> **Too long to be shown here:** {} changes of the table, {} changes without details, 1 change with some of the \
             reasons and none of the properties; the most dangerous of that is **DATA LOSS**. All of it: `stackctl diff --stage prod --verbose`",
            701 - rows,
            701 - shown
        )
    );
    let last = text.rfind("<details>").expect("there are sections");
    let last = &text[last..];
    assert!(
        last.contains("intake-prod") && last.contains("… 896 more reasons"),
        "{last}"
    );
    // Whatever is cut, every section is closed.
    assert_eq!(
        text.matches("<details>").count(),
        text.matches("</details>").count()
    );
}

#[test]
fn what_neither_shows_tells_two_plans_apart() {
    let long = |end: &str| {
        let mut plan = sample();
        plan.stacks[0].changes[0].properties[0].before = Some(json!("a".repeat(400) + end));
        comment(&plan)
    };
    let (one, other) = (long("one"), long("other"));
    let without_hash = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.contains("sha256"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(without_hash(&one), without_hash(&other));
    assert_ne!(one, other);
    assert_eq!(one, long("one"));
}

#[test]
fn the_time_in_the_name_of_a_release_is_no_difference() {
    let made = |time: &str| {
        let name = format!("{time}-0123456789abcdef");
        let mut plan = sample();
        let stack = &mut plan.stacks[0];
        stack.changes[0].properties[0].after = Some(json!(name));
        stack.basis = Some(Basis {
            releases: [name].into(),
            ..Basis::default()
        });
        comment(&plan)
    };
    let first = made("20250131T093000.125Z");
    assert!(first.contains("(time)-0123456789abcdef"), "{first}");
    assert_eq!(first, made("20260131T093000.125Z"));
}

#[test]
fn texts_are_blocks_of_code() {
    let mut plan = sample();
    let change = &mut plan.stacks[0].changes[0];
    change.texts = vec![TextChange {
        path: Path::new("Properties").key("Template"),
        hunks: vec![Hunk {
            before: 1,
            after: 1,
            states: vec!["Pause".into()],
            lines: vec![
                Line::Kept("{".into()),
                Line::Removed("```".into()),
                Line::Added("</details>\u{7}".into()),
            ],
        }],
    }];
    let text = comment(&plan);
    let block = "  - `Template`:\n\n    ````diff\n    @@ -1,2 +1,2 @@ Pause\n     {\n    -```\n    +</details> \n    ````\n";
    assert!(text.contains(block), "{text}");
}
