//! A plan as Markdown, for a comment on a pull request or an artifact of a build.

use std::cmp::Reverse;
use std::fmt::Write as _;

use serde_json::Value;

use super::tree::{ANEW, first_shown, skip};
use crate::engine::plan::{Action, Grade, Plan, PropertyChange, ResourceChange, StackPlan};

/// How many bytes are written at most: GitHub takes comments of up to 65,536 characters.
const LIMIT: usize = 60_000;

/// How many characters of a value are shown.
const VALUE: usize = 160;

/// Renders a plan: a table of what changes, and below it the properties of each stack, folded away.
pub fn markdown(plan: &Plan, stage: &str) -> String {
    let mut text = format!("### Changes of stage `{stage}`\n\n");
    if plan.is_empty() {
        text.push_str("Nothing would change.\n");
        return text;
    }
    text.push_str("| stack | action | resource | type | danger |\n|---|---|---|---|---|\n");
    let changed = || plan.stacks.iter().filter(|stack| !stack.is_empty());
    // What is most dangerous comes first, so that a cut takes the least of it.
    let mut rows: Vec<(Grade, String)> = changed().flat_map(rows).collect();
    rows.sort_by_key(|(grade, _)| Reverse(*grade));
    let rows = rows.into_iter().map(|(_, row)| row);
    let parts = rows.chain(changed().map(details));
    for part in parts {
        if text.len() + part.len() > LIMIT {
            text.push_str("\nThe rest is too long to be shown here: run `stackctl diff`.\n");
            break;
        }
        text.push_str(&part);
    }
    text
}

/// Writes a line of the table for every change of a stack, each with its grade.
fn rows(stack: &StackPlan) -> Vec<(Grade, String)> {
    let changes = stack.changes.iter().map(|change| {
        let row = format!(
            "| `{}` | {} | `{}` | `{}` | {} |\n",
            stack.stack,
            word(change.action),
            change.logical_id,
            change.resource_type,
            danger(change.grade)
        );
        (change.grade, row)
    });
    let other = (!stack.other.is_empty()).then(|| {
        let row = format!(
            "| `{}` | update | {} besides resources | | |\n",
            stack.stack,
            stack.other.len()
        );
        (Grade::None, row)
    });
    changes.chain(other).collect()
}

fn details(stack: &StackPlan) -> String {
    let mut text = format!(
        "\n<details><summary><code>{}</code></summary>\n\n",
        stack.stack
    );
    if let Some(note) = &stack.note {
        let _ = writeln!(text, "**{note}**\n");
    }
    for change in &stack.changes {
        resource(&mut text, change);
    }
    for change in &stack.other {
        property(&mut text, "", change);
    }
    text.push_str("\n</details>\n");
    text
}

fn resource(text: &mut String, change: &ResourceChange) {
    let _ = writeln!(
        text,
        "- **{}** {}",
        word(change.action),
        code(&change.logical_id)
    );
    for reason in change.told_reasons() {
        let _ = writeln!(text, "  - {}", plain(reason));
    }
    for difference in change.untold_properties() {
        property(text, "  ", difference);
    }
}

fn property(text: &mut String, indent: &str, change: &PropertyChange) {
    let texts = [&change.before, &change.after].map(|value| value.as_ref().map(Value::to_string));
    let start = match &texts {
        [Some(before), Some(after)] if before != after => first_shown(before, after, VALUE),
        _ => 0,
    };
    let [before, after] = texts.map(|text| match text {
        Some(text) => code(&skip(&text, start)),
        None => "(absent)".to_owned(),
    });
    let path = change.path.to_string();
    let path = path.strip_prefix("Properties.").unwrap_or(&path);
    if change.before == change.after {
        let _ = writeln!(text, "{indent}- {}: {after} {ANEW}", code(path));
        return;
    }
    let _ = writeln!(text, "{indent}- {}: {before} → {after}", code(path));
}

const fn word(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace => "replace",
        Action::Delete => "delete",
        Action::Import => "import",
        Action::Retain => "retain",
    }
}

const fn danger(grade: Grade) -> &'static str {
    match grade {
        Grade::None | Grade::UpdateInPlace => "",
        Grade::Interruption => "interruption",
        Grade::Replacement => "replacement",
        Grade::PermissionWidened => "**permission widened**",
        Grade::ExposureWidened => "**exposure widened**",
        Grade::DataLoss => "**DATA LOSS**",
        Grade::Impossible => "**CANNOT BE DEPLOYED**",
    }
}

/// Writes a text as code, whatever backticks it holds, on one line.
fn code(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let line = console::truncate_str(&line, VALUE, "…").into_owned();
    let longest = line
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    if longest > 0 {
        format!("{fence} {line} {fence}")
    } else {
        format!("{fence}{line}{fence}")
    }
}

/// Keeps a text from meaning anything in Markdown or HTML.
fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '*' | '_' | '[' | ']' | '#' | '|' | '\\' => escaped.extend(['\\', character]),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::plan::Path;

    fn sample() -> Plan {
        Plan {
            stacks: vec![
                StackPlan {
                    stack: "intake-prod".into(),
                    changes: vec![ResourceChange {
                        logical_id: "Orders".into(),
                        resource_type: "AWS::DynamoDB::Table".into(),
                        action: Action::Replace,
                        grade: Grade::DataLoss,
                        dangers: Vec::new(),
                        reasons: vec!["TableName cannot change | without <replacement>".into()],
                        sources: Vec::new(),
                        properties: vec![PropertyChange {
                            path: Path::new("Properties").key("TableName"),
                            before: Some(json!("a`b")),
                            after: None,
                        }],
                        source: None,
                    }],
                    other: vec![PropertyChange {
                        path: Path::new("Outputs").key("Url"),
                        before: None,
                        after: Some(json!({"Ref": "Queue"})),
                    }],
                    note: None,
                    create: false,
                    basis: None,
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
            markdown(&sample(), "prod"),
            snapbox::str![[r#"
### Changes of stage `prod`

| stack | action | resource | type | danger |
|---|---|---|---|---|
| `intake-prod` | replace | `Orders` | `AWS::DynamoDB::Table` | **DATA LOSS** |
| `intake-prod` | update | 1 besides resources | | |

<details><summary><code>intake-prod</code></summary>

- **replace** `Orders`
  - TableName cannot change /| without &lt;replacement>
  - `TableName`: `` "a`b" `` → (absent)
- `Outputs.Url`: (absent) → `{"Ref":"Queue"}`

</details>

"#]]
        );
        assert!(markdown(&Plan::default(), "dev").ends_with("Nothing would change.\n"));
    }

    #[test]
    fn long_values_are_shown_around_their_first_difference() {
        let change = PropertyChange {
            path: Path::new("Properties").key("Description"),
            before: Some(json!(format!("{}queue", "a".repeat(300)))),
            after: Some(json!(format!("{}direct", "a".repeat(300)))),
        };
        let mut text = String::new();
        property(&mut text, "", &change);
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
        let text = markdown(&plan, "prod");
        let first = text.lines().nth(4).unwrap_or_default();
        assert!(
            first.contains("intake-prod") && first.contains("DATA LOSS"),
            "{first}"
        );
    }

    #[test]
    fn a_long_plan_fits_into_a_comment() {
        let mut plan = sample();
        let stack = plan.stacks[0].clone();
        plan.stacks = vec![stack; 2000];
        let text = markdown(&plan, "prod");
        assert!(text.len() < 65_536, "{}", text.len());
        assert!(text.contains("too long to be shown here"));
    }
}
