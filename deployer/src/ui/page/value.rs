//! What stands at a path before and after.

use std::fmt::Write as _;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::escape;
use crate::engine::plan::{Line, PropertyChange, TextChange};
use crate::text::count;
use crate::ui::tree::ANEW;

/// How long a value is at most that is shown on the line of its path.
const SHORT: usize = 80;

/// How many lines that stay the same are shown around those that do not.
const AROUND: usize = 3;

/// How many lines of a value are shown at most.
const LINES: usize = 400;

/// Writes a row of the table of properties.
pub(super) fn row(html: &mut String, change: &PropertyChange) {
    if let Some(files) = change.files() {
        let _ = writeln!(html, "<tr><td colspan=\"2\">{}</td></tr>", escape(&files));
        return;
    }
    let path = change.path.to_string();
    let path = path.strip_prefix("Properties.").unwrap_or(&path);
    // Writing to a string cannot fail.
    let _ = write!(
        html,
        "<tr><th scope=\"row\"><code>{}</code></th><td>",
        escape(path)
    );
    if change.before == change.after {
        let text = change
            .after
            .as_ref()
            .map(Value::to_string)
            .unwrap_or_default();
        let _ = write!(html, "<code>{}</code> <em>{ANEW}</em>", escape(&text));
    } else {
        values(html, change.before.as_ref(), change.after.as_ref());
    }
    html.push_str("</td></tr>\n");
}

/// Writes how a text differs, line by line.
pub(super) fn text(html: &mut String, change: &TextChange) {
    let path = change.path.to_string();
    let path = path.strip_prefix("Properties.").unwrap_or(&path);
    let _ = write!(
        html,
        "<p><code>{}</code></p><pre class=\"lines\">",
        escape(path)
    );
    let lines = change.hunks.iter().flat_map(|hunk| {
        let heading = format!("<i>{}</i>", escape(&hunk.heading()));
        std::iter::once(heading).chain(hunk.lines.iter().map(|line| match line {
            Line::Kept(text) => format!("<span>  {}</span>", escape(text)),
            Line::Removed(text) => format!("<del>- {}</del>", escape(text)),
            Line::Added(text) => format!("<ins>+ {}</ins>", escape(text)),
        }))
    });
    let lines: Vec<String> = lines.collect();
    html.extend(lines.iter().take(LINES).map(String::as_str));
    if lines.len() > LINES {
        let _ = write!(
            html,
            "<i>and {} more</i>",
            count(lines.len() - LINES, "line")
        );
    }
    html.push_str("</pre>\n");
}

fn values(html: &mut String, before: Option<&Value>, after: Option<&Value>) {
    let short = |value: Option<&Value>| value.is_none_or(is_short);
    if short(before) && short(after) {
        one(html, before, "was");
        html.push_str(" → ");
        one(html, after, "is");
        return;
    }
    let text = |value: Option<&Value>| value.map(in_lines).unwrap_or_default();
    lines(html, &text(before), &text(after));
}

fn one(html: &mut String, value: Option<&Value>, class: &str) {
    let _ = match value {
        Some(value) => write!(
            html,
            "<code class=\"{class}\">{}</code>",
            escape(&value.to_string())
        ),
        None => write!(html, "<span class=\"none\">(absent)</span>"),
    };
}

fn is_short(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.is_empty(),
        Value::Object(entries) if entries.len() > 1 => false,
        Value::String(text) if text.contains('\n') => false,
        value => value.to_string().chars().count() <= SHORT,
    }
}

/// Writes a value in lines: a text as it is, and what is or holds JSON with an entry on each.
fn in_lines(value: &Value) -> String {
    let read = |text: &str| {
        let value: Value = serde_json::from_str(text).ok()?;
        (value.is_object() || value.is_array()).then_some(value)
    };
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    match value {
        Value::String(text) => match read(text) {
            Some(inner) => pretty(&inner),
            None => text.clone(),
        },
        value => pretty(value),
    }
}

/// Writes two texts as one, with what goes and what comes.
fn lines(html: &mut String, before: &str, after: &str) {
    html.push_str("<pre class=\"lines\">");
    let difference = TextDiff::from_lines(before, after);
    let mut shown = 0;
    let mut cut = 0;
    for (number, group) in difference.grouped_ops(AROUND).iter().enumerate() {
        if number > 0 && shown < LINES {
            html.push_str("<i>⋯</i>");
        }
        for change in group
            .iter()
            .flat_map(|operation| difference.iter_changes(operation))
        {
            if shown == LINES {
                cut += 1;
                continue;
            }
            shown += 1;
            let line = escape(change.value().trim_end_matches('\n'));
            let _ = match change.tag() {
                ChangeTag::Delete => write!(html, "<del>- {line}</del>"),
                ChangeTag::Insert => write!(html, "<ins>+ {line}</ins>"),
                ChangeTag::Equal => write!(html, "<span>  {line}</span>"),
            };
        }
    }
    if cut > 0 {
        let _ = write!(html, "<i>and {} more</i>", count(cut, "line"));
    }
    if shown == 0 {
        // Other blanks or another order are another text, of which the lines say the same.
        let _ = write!(html, "<i>written otherwise, the same in lines</i>");
    }
    html.push_str("</pre>");
}
