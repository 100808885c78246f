//! A plan as a tree.

use std::fmt::Write as _;

use anstyle::Style;
use serde_json::Value;

use super::{WIDTH, paint, palette, terminal};
use crate::engine::plan::{Action, Grade, Plan, PropertyChange, ResourceChange, StackPlan};

/// How much of a tree is shown.
const MIN_VALUE: usize = 20;

/// Stands behind an expression that stays as it is and will have another value.
pub(super) const ANEW: &str = "(anew)";

/// Renders a plan. With `full`, values are not shortened.
pub fn plan(plan: &Plan, full: bool) -> String {
    let width = if full {
        usize::MAX
    } else {
        terminal::width().unwrap_or(WIDTH)
    };
    let mut text = String::new();
    for stack in &plan.stacks {
        render_stack(&mut text, stack, width);
    }
    text.push_str(&summary(plan));
    text
}

fn render_stack(text: &mut String, stack: &StackPlan, width: usize) {
    let note = if stack.create {
        " (new)"
    } else if stack.is_empty() {
        " (unchanged)"
    } else {
        ""
    };
    let _ = writeln!(
        text,
        "{}{}",
        paint(palette::STRONG, &stack.stack),
        paint(palette::WEAK, note)
    );
    if let Some(note) = &stack.note {
        let _ = writeln!(text, "  {}", paint(palette::WARNING, note));
    }
    for change in &stack.changes {
        render_resource(text, change, width);
    }
    for change in &stack.other {
        render_property(text, change, 2, width);
    }
}

fn render_resource(text: &mut String, change: &ResourceChange, width: usize) {
    let (sign, word, style) = match change.action {
        Action::Create => ("+", "create", palette::GOOD),
        Action::Update => ("~", "update", palette::WARNING),
        Action::Replace => ("±", "replace", palette::BAD),
        Action::Delete => ("-", "delete", palette::BAD),
        Action::Import => ("<", "import", palette::GOOD),
        Action::Retain => (">", "retain", palette::WARNING),
    };
    let _ = write!(
        text,
        "  {} {:7} {} {}",
        paint(style, sign),
        word,
        paint(palette::STRONG, &change.logical_id),
        paint(palette::WEAK, &change.resource_type)
    );
    if let Some((label, style)) = label(change.grade) {
        let _ = write!(text, " {}", paint(style, label));
    }
    text.push('\n');
    for reason in change.told_reasons() {
        let _ = writeln!(text, "      {}", paint(palette::WEAK, reason));
    }
    for property in change.untold_properties() {
        render_property(text, property, 6, width);
    }
}

fn label(grade: Grade) -> Option<(&'static str, Style)> {
    match grade {
        Grade::None | Grade::UpdateInPlace => None,
        Grade::Interruption => Some(("interruption", palette::WARNING)),
        Grade::Replacement => Some(("replacement", palette::WARNING)),
        Grade::PermissionWidened => Some(("permission widened", palette::BAD)),
        Grade::ExposureWidened => Some(("exposure widened", palette::BAD)),
        Grade::DataLoss => Some(("DATA LOSS", palette::BAD)),
        Grade::Impossible => Some(("CANNOT BE DEPLOYED", palette::BAD)),
    }
}

fn render_property(text: &mut String, change: &PropertyChange, indent: usize, width: usize) {
    let path = change.path.to_string();
    let path = path.strip_prefix("Properties.").unwrap_or(&path);
    let space = width.saturating_sub(indent + path.chars().count() + 2 + 4);
    let each = (space / 2).max(MIN_VALUE);
    let before = change.before.as_ref().map(render_value);
    let after = change.after.as_ref().map(render_value);
    if let (Some(before), Some(after)) = (&before, &after)
        && before == after
    {
        // In place of the arrow and its blanks there are a blank and the word.
        let space = (space + 4).saturating_sub(1 + ANEW.len());
        let value = shorten(before, space.max(MIN_VALUE));
        let _ = writeln!(
            text,
            "{:indent$}{path}: {value} {}",
            "",
            paint(palette::WEAK, ANEW)
        );
        return;
    }
    let start = match (&before, &after) {
        (Some(before), Some(after)) => first_shown(before, after, each),
        _ => 0,
    };
    let value = |text: &Option<String>| match text {
        Some(text) => shorten(&skip(text, start), each),
        None => "(absent)".to_owned(),
    };
    let _ = writeln!(
        text,
        "{:indent$}{path}: {} {} {}",
        "",
        paint(palette::WEAK, value(&before)),
        paint(palette::WEAK, "→"),
        value(&after)
    );
}

fn render_value(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

/// Returns where two texts begin to be shown: at the start, or a little before their first difference where that
/// would be cut off.
pub(super) fn first_shown(before: &str, after: &str, width: usize) -> usize {
    let same = before
        .chars()
        .zip(after.chars())
        .take_while(|(before, after)| before == after)
        .count();
    let fits = |text: &str| text.chars().count() <= width;
    if (fits(before) && fits(after)) || same < width / 2 {
        0
    } else {
        same - width / 4
    }
}

/// Leaves the beginning of a text out, and says so.
pub(super) fn skip(text: &str, start: usize) -> String {
    if start == 0 {
        return text.to_owned();
    }
    std::iter::once('…')
        .chain(text.chars().skip(start))
        .collect()
}

fn shorten(text: &str, width: usize) -> String {
    console::truncate_str(text, width, "…").into_owned()
}

/// Counts what happens: `2 to create, 1 to replace (1 with data loss)`.
fn summary(plan: &Plan) -> String {
    let changes: Vec<&ResourceChange> = plan
        .stacks
        .iter()
        .flat_map(|stack| &stack.changes)
        .collect();
    let count = |action: Action| {
        changes
            .iter()
            .filter(|change| change.action == action)
            .count()
    };
    let mut parts: Vec<String> = [
        (Action::Create, "create"),
        (Action::Update, "update"),
        (Action::Replace, "replace"),
        (Action::Delete, "delete"),
        (Action::Import, "import"),
        (Action::Retain, "retain"),
    ]
    .into_iter()
    .map(|(action, word)| (count(action), word))
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} to {word}"))
    .collect();
    let other: usize = plan.stacks.iter().map(|stack| stack.other.len()).sum();
    if other > 0 {
        parts.push(format!("{other} besides resources"));
    }
    if parts.is_empty() {
        return "nothing would change\n".to_owned();
    }
    let mut line = parts.join(", ");
    for (grade, what) in [
        (Grade::DataLoss, "with data loss"),
        (Grade::Impossible, "that CloudFormation refuses"),
    ] {
        let count = plan.of_grade(grade).count();
        if count > 0 {
            let _ = write!(
                line,
                " {}",
                paint(palette::BAD, format_args!("({count} {what})"))
            );
        }
    }
    line + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::plan::Path;

    #[test]
    fn long_values_are_shown_around_their_first_difference() {
        let change = PropertyChange {
            path: Path::new("Properties").key("Description"),
            before: Some(json!(format!("{}queue and more of it", "a".repeat(90)))),
            after: Some(json!(format!("{}direct and more of it", "a".repeat(90)))),
        };
        let mut text = String::new();
        render_property(&mut text, &change, 6, 80);
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
        render_property(&mut text, &change, 6, 80);
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
                    stack: "intake-dev".into(),
                    changes: vec![
                        ResourceChange {
                            logical_id: "Orders".into(),
                            resource_type: "AWS::DynamoDB::Table".into(),
                            action: Action::Replace,
                            grade: Grade::DataLoss,
                            dangers: Vec::new(),
                            reasons: vec!["TableName cannot change without replacement".into()],
                            sources: Vec::new(),
                            properties: vec![PropertyChange {
                                path: Path::new("Properties").key("TableName"),
                                before: Some(json!("a".repeat(100))),
                                after: None,
                            }],
                            source: None,
                        },
                        ResourceChange {
                            logical_id: "Queue".into(),
                            resource_type: "AWS::SQS::Queue".into(),
                            action: Action::Create,
                            grade: Grade::None,
                            dangers: Vec::new(),
                            reasons: vec!["it is new".into()],
                            sources: Vec::new(),
                            properties: vec![],
                            source: None,
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
                },
                StackPlan {
                    stack: "other-dev".into(),
                    ..StackPlan::default()
                },
            ],
        };
        let mut text = String::new();
        for stack in &sample.stacks {
            render_stack(&mut text, stack, 80);
        }
        text.push_str(&summary(&sample));
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
      TableName: "aaaaaaaaaaaaaaaaaaaaaaaaaaa… → (absent)
  + create  Queue AWS::SQS::Queue
  Outputs.Url: (absent) → {"Ref":"Queue"}
other-dev (unchanged)
1 to create, 1 to replace, 1 besides resources (1 with data loss)

"#]]
        );
    }
}
