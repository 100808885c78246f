//! A plan as a tree.

mod property;
#[cfg(test)]
mod tests;

pub(super) use property::{ANEW, first_shown, skip};

use std::fmt::Write as _;

use anstyle::Style;

use super::{WIDTH, paint, palette, said, terminal};
use crate::engine::plan::{
    Action, Grade, Line, LiveResource, Plan, PropertyChange, ResourceChange, StackPlan, TextChange,
};

/// How many changes of a stack are shown that are not dangerous. Those that are always are.
const CHANGES: usize = 24;

/// How many properties of a resource, and how many changes besides resources, are shown.
const PROPERTIES: usize = 8;

/// How many reasons of a change are shown that is not dangerous.
const REASONS: usize = 6;

/// How many lines of a text that differs are shown.
const LINES: usize = 24;

/// How many stacks are named in which nothing changes.
const UNCHANGED: usize = 8;

/// How a tree is laid out.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// How wide lines may be.
    width: usize,
    /// Whether lines are broken: whatever reads what is no terminal wants each as a whole.
    breaks: bool,
    /// Whether everything is shown, in its whole length.
    full: bool,
}

impl Look {
    /// Returns how many of a list are shown. What would hide one only is no help.
    fn shown(self, count: usize, limit: usize) -> usize {
        if self.full || count <= limit + 1 {
            count
        } else {
            limit
        }
    }

    /// Returns how many columns are left beside so many.
    fn room(self, taken: usize) -> usize {
        if self.full {
            usize::MAX
        } else {
            self.width.saturating_sub(taken)
        }
    }

    /// Writes a line of words, broken where it does not fit.
    fn line(self, text: &mut String, line: &str, indent: usize) {
        if self.breaks {
            text.push_str(&terminal::wrapped(line, self.width, indent));
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }

    /// Says how much is not shown.
    fn rest(self, text: &mut String, indent: usize, count: usize, what: &str) {
        let line = format!("{:indent$}… {count} more{what} (--verbose shows them)", "");
        self.line(text, &paint(palette::WEAK, line), indent + 2);
    }
}

/// Renders a plan. With `full`, nothing is left out and no value is shortened.
pub fn plan(plan: &Plan, full: bool) -> String {
    let columns = terminal::width();
    let look = Look {
        width: columns.unwrap_or(WIDTH),
        breaks: columns.is_some(),
        full,
    };
    render(plan, look)
}

fn render(plan: &Plan, look: Look) -> String {
    let mut text = String::new();
    let idle = |stack: &&StackPlan| {
        stack.is_empty() && stack.note.is_none() && !stack.create && stack.is_live_as_deployed()
    };
    let count = plan.stacks.iter().filter(idle).count();
    let mut named = look.shown(count, UNCHANGED);
    let hidden = count - named;
    for stack in &plan.stacks {
        if idle(&stack) {
            if named == 0 {
                continue;
            }
            named -= 1;
        }
        render_stack(&mut text, stack, look);
    }
    if hidden > 0 {
        look.rest(&mut text, 0, hidden, " without a change");
    }
    look.line(&mut text, summary(plan).trim_end(), 2);
    text
}

fn render_stack(text: &mut String, stack: &StackPlan, look: Look) {
    let note = if stack.create {
        " (new)"
    } else if stack.is_empty() {
        " (unchanged)"
    } else {
        ""
    };
    let heading = format!(
        "{}{}",
        paint(palette::STRONG, &stack.stack),
        paint(palette::WEAK, note)
    );
    look.line(text, &heading, 2);
    if let Some(note) = &stack.note {
        let line = format!("  {}", paint(palette::WARNING, note));
        look.line(text, &line, 4);
    }
    for reason in &stack.refused {
        let line = format!("  {} {reason}", paint(palette::BAD, "CANNOT BE DEPLOYED"));
        look.line(text, &line, 4);
    }
    for line in said::lines(&stack.said, None, 2) {
        look.line(text, &line, 4);
    }
    for line in stack.live_incomplete() {
        look.line(text, &format!("  {}", paint(palette::WARNING, line)), 4);
    }
    let is_dangerous = |change: &ResourceChange| {
        let live = stack.live_of(&change.logical_id);
        is_dangerous(change)
            || live.is_some_and(|live| live.is_overwritten() || live.status == "DELETED")
    };
    let harmless = stack.changes.iter().filter(|change| !is_dangerous(change));
    let mut left = look.shown(harmless.count(), CHANGES);
    let mut hidden = Vec::new();
    for change in &stack.changes {
        if !is_dangerous(change) {
            if left == 0 {
                hidden.push(change);
                continue;
            }
            left -= 1;
        }
        render_resource(text, change, look);
        if let Some(live) = stack.live_of(&change.logical_id) {
            render_live(text, live, look);
        }
    }
    let alone = stack.live_alone().count();
    let shown = look.shown(alone, CHANGES);
    for live in stack.live_alone().take(shown) {
        let line = format!(
            "  {} live    {} {}",
            paint(palette::WARNING, "!"),
            paint(palette::STRONG, &live.logical_id),
            paint(palette::WEAK, &live.resource_type)
        );
        look.line(text, &line, 4);
        render_live(text, live, look);
    }
    if shown < alone {
        let what = " that are not as they were deployed";
        look.rest(text, 2, alone - shown, what);
    }
    if !hidden.is_empty() {
        let what = format!(": {}", counts(&hidden).join(", "));
        look.rest(text, 2, hidden.len(), &what);
    }
    let shown = look.shown(stack.other.len(), PROPERTIES);
    for change in stack.other.iter().take(shown) {
        match change.files() {
            Some(files) => look.line(text, &format!("  {files}"), 4),
            None => property::render(text, change, 2, look),
        }
    }
    if shown < stack.other.len() {
        let what = " besides resources";
        look.rest(text, 2, stack.other.len() - shown, what);
    }
}

/// Writes what is live of a resource, and what becomes of it.
fn render_live(text: &mut String, resource: &LiveResource, look: Look) {
    let lines = resource.lines(look.room(0));
    let shown = look.shown(lines.len(), PROPERTIES);
    for told in lines.iter().take(shown) {
        let told = paint(palette::WARNING, format_args!("live: {told}"));
        look.line(text, &format!("      {told}"), 8);
    }
    if shown < lines.len() {
        look.rest(text, 6, lines.len() - shown, "");
    }
}

/// Returns whether a change is shown whatever else there is.
fn is_dangerous(change: &ResourceChange) -> bool {
    change.grade >= Grade::Interruption || !change.dangers.is_empty() || !change.said.is_empty()
}

/// Writes the line of a resource: what happens to it, and how dangerous that is.
pub(super) fn head(change: &ResourceChange) -> String {
    let (sign, word, style) = match change.action {
        Action::Create => ("+", "create", palette::GOOD),
        Action::Update => ("~", "update", palette::WARNING),
        Action::Replace => ("±", "replace", palette::BAD),
        Action::Delete => ("-", "delete", palette::BAD),
        Action::Import => ("<", "import", palette::GOOD),
        Action::Retain => (">", "retain", palette::WARNING),
    };
    let mut line = format!(
        "  {} {:7} {} {}",
        paint(style, sign),
        word,
        paint(palette::STRONG, &change.logical_id),
        paint(palette::WEAK, &change.resource_type)
    );
    if let Some((label, style)) = label(change.grade) {
        let _ = write!(line, " {}", paint(style, label));
    }
    line
}

fn render_resource(text: &mut String, change: &ResourceChange, look: Look) {
    look.line(text, &head(change), 12);
    for line in said::lines(&change.said, Some(&change.logical_id), 6) {
        look.line(text, &line, 8);
    }
    let reasons: Vec<&String> = change.told_reasons().collect();
    let shown = if is_dangerous(change) {
        reasons.len()
    } else {
        look.shown(reasons.len(), REASONS)
    };
    for reason in reasons.iter().take(shown) {
        let line = format!("      {}", paint(palette::WEAK, reason));
        look.line(text, &line, 8);
    }
    if shown < reasons.len() {
        look.rest(text, 6, reasons.len() - shown, " reasons");
    }
    if let Some(code) = &change.code {
        look.line(text, &format!("      its code changed: {code}"), 8);
    }
    let properties: Vec<&PropertyChange> = change.beside_texts().collect();
    let shown = look.shown(properties.len(), PROPERTIES);
    for property in properties.iter().take(shown) {
        property::render(text, property, 6, look);
    }
    if shown < properties.len() {
        look.rest(text, 6, properties.len() - shown, " properties");
    }
    for change in &change.texts {
        render_text(text, change, look);
    }
}

/// Writes the lines of a text that differ, behind a bar each.
fn render_text(text: &mut String, change: &TextChange, look: Look) {
    let path = change.path.to_string();
    let path = path.strip_prefix("Properties.").unwrap_or(&path);
    let _ = writeln!(text, "      {}:", property::tail(path, look.room(7)));
    let count = change.hunks.iter().map(|hunk| hunk.lines.len() + 1).sum();
    let shown = look.shown(count, LINES);
    let mut left = shown;
    let mut hidden: Vec<&str> = Vec::new();
    for hunk in &change.hunks {
        if left == 0 {
            hidden.extend(hunk.states.iter().map(String::as_str));
            continue;
        }
        left -= 1;
        let heading = paint(palette::HINT, cut(&hunk.heading(), look));
        let _ = writeln!(text, "      {heading}");
        for line in hunk.lines.iter().take(left) {
            let style = match line {
                Line::Kept(_) => palette::WEAK,
                Line::Removed(_) => palette::REMOVED,
                Line::Added(_) => palette::ADDED,
            };
            let line = paint(style, cut(&line.to_string(), look));
            let _ = writeln!(text, "      {line}");
        }
        left = left.saturating_sub(hunk.lines.len());
    }
    if shown < count {
        let states = if hidden.is_empty() {
            String::new()
        } else {
            format!(", of {}", hidden.join(", "))
        };
        look.rest(text, 6, count - shown, &format!(" lines{states}"));
    }
}

/// Cuts a line of a text where it does not fit, and keeps what is in it from moving the cursor.
fn cut(line: &str, look: Look) -> String {
    let line: String = line
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if look.full {
        return line;
    }
    property::shorten(&line, look.room(6))
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

/// Counts what happens to resources: `2 to create`, `1 to replace`.
fn counts(changes: &[&ResourceChange]) -> Vec<String> {
    let (renamed, changes): (Vec<&ResourceChange>, Vec<_>) =
        changes.iter().partition(|change| change.is_rename());
    let moved = (!renamed.is_empty()).then(|| format!("{} to rename", renamed.len()));
    let counts = [
        (Action::Create, "create"),
        (Action::Update, "update"),
        (Action::Replace, "replace"),
        (Action::Delete, "delete"),
        (Action::Import, "import"),
        (Action::Retain, "retain"),
    ]
    .into_iter()
    .map(|(action, word)| {
        let count = changes.iter().filter(|change| change.action == action);
        (count.count(), word)
    })
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} to {word}"));
    counts.chain(moved).collect()
}

/// Says what happens in one line, without colours: `2 to create, 1 to replace (1 with data loss)`.
pub(super) fn summary_line(plan: &Plan) -> String {
    anstream::adapter::strip_str(summary(plan).trim_end()).to_string()
}

/// Says what happens in one line.
fn summary(plan: &Plan) -> String {
    let changes: Vec<&ResourceChange> = plan
        .stacks
        .iter()
        .flat_map(|stack| &stack.changes)
        .collect();
    let mut parts = counts(&changes);
    let other: Vec<&PropertyChange> = plan.stacks.iter().flat_map(|stack| &stack.other).collect();
    parts.extend(PropertyChange::besides(&other));
    let mut line = if parts.is_empty() {
        "nothing would change".to_owned()
    } else {
        parts.join(", ")
    };
    let detected = plan.stacks.iter().filter_map(|stack| stack.live.as_ref());
    let by_hand: usize = detected.map(|live| live.resources.len()).sum();
    if by_hand > 0 {
        let _ = write!(line, ", {by_hand} not as deployed");
    }
    let dangers = dangers(plan, &changes);
    if !dangers.is_empty() {
        let dangers = format!("({})", dangers.join(", "));
        let _ = write!(line, " {}", paint(palette::BAD, dangers));
    }
    line + "\n"
}

/// Counts what is dangerous: `1 with data loss`, `2 widen permissions`. What is both counts for both.
fn dangers(plan: &Plan, changes: &[&ResourceChange]) -> Vec<String> {
    let widening = |danger: Grade, [one, several]: [&str; 2]| {
        let widening = changes.iter().filter(|it| it.dangers.contains(&danger));
        match widening.count() {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {several}")),
        }
    };
    let lost = plan.of_grade(Grade::DataLoss).count();
    let refused = plan.of_grade(Grade::Impossible).count()
        + plan.stacks.iter().map(|it| it.refused.len()).sum::<usize>();
    let counted = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let counts = [
        counted(lost, "with data loss"),
        widening(Grade::ExposureWidened, ["exposes more", "expose more"]),
        widening(
            Grade::PermissionWidened,
            ["widens permissions", "widen permissions"],
        ),
        widening(
            Grade::Replacement,
            ["leaves its data behind", "leave their data behind"],
        ),
        counted(refused, "that CloudFormation refuses"),
    ];
    counts.into_iter().flatten().collect()
}
