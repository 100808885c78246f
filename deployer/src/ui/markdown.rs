//! A plan as Markdown, for a comment on a pull request or an artifact of a build.
//!
//! A comment has a limit. Where a plan is longer, the most dangerous of it stays, and what is left out is counted; the hash
//! at the end is that of the whole plan, so that two plans can be told apart by what neither of them shows.

mod budget;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::tree::{ANEW, first_shown, skip, summary_line};
use crate::engine::plan::{
    Action, Grade, LiveResource, Plan, PropertyChange, ResourceChange, Said, StackPlan, TextChange,
};
use crate::text::count;
use budget::{Part, Shown, shown};

/// How many bytes are written at most: GitHub takes comments of up to 65,536 characters.
pub const COMMENT: usize = 60_000;

/// How many characters of a value are shown.
const VALUE: usize = 160;

/// How many characters of a reason are shown.
const REASON: usize = 600;

/// How many reasons of a change are shown where not all of it fits.
const REASONS: usize = 4;

/// How many lines of a text that differs are shown.
const LINES: usize = 60;

/// How many bytes are kept for the heading, and for the end with what is left out.
const FRAME: usize = 1_500;

/// Renders a plan in no more than `limit` bytes: a table of what changes, and below it the properties of each stack,
/// folded away.
pub fn markdown(plan: &Plan, stage: &str, environment: Option<&str>, limit: usize) -> String {
    let place = match environment {
        Some(environment) => format!("{} in {}", code(stage), code(environment)),
        None => code(stage),
    };
    let mut text = format!("### Changes of stage {place}\n\n");
    if plan.is_empty() && plan.stacks.iter().all(StackPlan::is_live_as_deployed) {
        text.push_str("Nothing would change.\n");
        for stack in &plan.stacks {
            if let Some(note) = &stack.note {
                let _ = writeln!(text, "\n**{}: {}**", code(&stack.stack), plain(note));
            }
        }
        return text;
    }
    let _ = writeln!(text, "{}\n", plain(&summary_line(plan)));
    let room = limit.saturating_sub(FRAME);
    let mut left_out = LeftOut::default();
    text.push_str("| stack | action | resource | type | danger |\n|---|---|---|---|---|\n");
    // What is most dangerous comes first, so that a cut takes the least of it.
    let mut rows: Vec<(Grade, String)> = plan.stacks.iter().flat_map(rows).collect();
    rows.sort_by_key(|(grade, _)| Reverse(*grade));
    for (grade, row) in rows {
        if left_out.rows == 0 && text.len() + row.len() <= room / 2 {
            text.push_str(&row);
        } else {
            left_out.row(grade);
        }
    }
    details(&mut text, plan, room, &mut left_out);
    left_out.tell(&mut text, stage);
    let _ = writeln!(
        text,
        "\n<sub>sha256 of all changes: <code>{}</code></sub>",
        plan.digest()
    );
    text
}

/// What did not fit.
#[derive(Debug, Default)]
struct LeftOut {
    rows: usize,
    details: usize,
    shortened: usize,
    worst: Grade,
}

impl LeftOut {
    fn row(&mut self, grade: Grade) {
        self.rows += 1;
        self.worst = self.worst.max(grade);
    }

    /// Says what is left out, and how dangerous it is at most.
    fn tell(&self, text: &mut String, stage: &str) {
        let mut parts = Vec::new();
        for (number, what) in [
            (self.rows, "of the table"),
            (self.details, "without details"),
        ] {
            if number > 0 {
                parts.push(format!("{} {what}", count(number, "change")));
            }
        }
        if self.shortened > 0 {
            let what = "with some of the reasons and none of the properties";
            parts.push(format!("{} {what}", count(self.shortened, "change")));
        }
        if parts.is_empty() {
            return;
        }
        let worst = match danger(self.worst) {
            "" => "nothing of that is dangerous".to_owned(),
            word => format!("the most dangerous of that is {word}"),
        };
        let _ = writeln!(
            text,
            "\n> **Too long to be shown here:** {}; {worst}. All of it: {}",
            parts.join(", "),
            code(&format!("stackctl diff --stage {stage} --verbose"))
        );
    }
}

/// Writes a line of the table for every change of a stack, each with its grade.
fn rows(stack: &StackPlan) -> Vec<(Grade, String)> {
    let changes = stack.changes.iter().map(|change| {
        let row = format!(
            "| {} | {} | {} | {} | {} |\n",
            code(&stack.stack),
            word(change.action),
            code(&change.logical_id),
            code(&change.resource_type),
            danger(change.grade)
        );
        (change.grade, row)
    });
    let other = (!stack.other.is_empty()).then(|| {
        let grade = if stack.refused.is_empty() {
            Grade::None
        } else {
            Grade::Impossible
        };
        let other: Vec<&PropertyChange> = stack.other.iter().collect();
        let row = format!(
            "| {} | update | {} | |{} |\n",
            code(&stack.stack),
            plain(&PropertyChange::besides(&other).join(", ")),
            if grade == Grade::None {
                String::new()
            } else {
                format!(" {}", danger(grade))
            }
        );
        (grade, row)
    });
    changes.chain(other).collect()
}

/// Writes a section for every stack that has something to tell, as far as there is room.
fn details(text: &mut String, plan: &Plan, room: usize, left_out: &mut LeftOut) {
    let stacks: Vec<&StackPlan> = plan
        .stacks
        .iter()
        .filter(|stack| !stack.is_empty() || stack.note.is_some() || !stack.is_live_as_deployed())
        .collect();
    let mut parts = Vec::new();
    for (section, stack) in stacks.iter().enumerate() {
        let none = BTreeSet::new();
        let releases = stack.basis.as_ref().map_or(&none, |basis| &basis.releases);
        parts.extend(stack.changes.iter().map(|change| Part {
            section,
            grade: change.grade,
            whole: resource(change, releases) + &live(stack.live_of(&change.logical_id)),
            short: short(change),
        }));
        parts.extend(stack.live_alone().map(|alone| {
            let heading = format!(
                "- live {} {}\n",
                code(&alone.logical_id),
                code(&alone.resource_type)
            );
            Part {
                section,
                grade: Grade::Interruption,
                whole: heading.clone() + &live(Some(alone)),
                short: heading,
            }
        }));
        parts.extend(stack.other.iter().map(|change| {
            let mut whole = String::new();
            match change.files() {
                Some(files) => whole = format!("- {}\n", plain(&files)),
                None => property(&mut whole, "", change, releases),
            }
            Part {
                section,
                grade: Grade::None,
                short: whole.clone(),
                whole,
            }
        }));
    }
    let frames: Vec<(String, &str)> = stacks.iter().map(|stack| frame(stack)).collect();
    let lengths: Vec<usize> = frames.iter().map(|(a, b)| a.len() + b.len()).collect();
    let choice = shown(&parts, &lengths, room.saturating_sub(text.len()));
    for (section, (begin, end)) in frames.iter().enumerate() {
        let own = || {
            let all = parts.iter().zip(&choice);
            all.filter(move |(part, _)| part.section == section)
        };
        let is_told = own().any(|(_, shown)| *shown != Shown::Nothing);
        let fits = || text.len() + begin.len() + end.len() <= room;
        let is_framed = is_told || (own().next().is_none() && fits());
        if is_framed {
            text.push_str(begin);
        }
        for (part, shown) in own() {
            match shown {
                Shown::Whole => text.push_str(&part.whole),
                Shown::Short => {
                    text.push_str(&part.short);
                    left_out.shortened += 1;
                    left_out.worst = left_out.worst.max(part.grade);
                }
                Shown::Nothing => {
                    left_out.details += 1;
                    left_out.worst = left_out.worst.max(part.grade);
                }
            }
        }
        if is_framed {
            text.push_str(end);
        }
    }
}

/// Returns what stands around the changes of a stack.
fn frame(stack: &StackPlan) -> (String, &'static str) {
    let mut text = format!(
        "\n<details><summary><code>{}</code></summary>\n\n",
        stack.stack
    );
    if let Some(note) = &stack.note {
        let _ = writeln!(text, "**{}**\n", plain(note));
    }
    for reason in &stack.refused {
        let _ = writeln!(text, "**CANNOT BE DEPLOYED** {}\n", plain(reason));
    }
    for line in stack.live_incomplete() {
        let _ = writeln!(text, "**{}**\n", plain(&line));
    }
    said(&mut text, &stack.said, None, "");
    (text, "\n</details>\n")
}

/// Writes what CloudFormation says, once there is a change set.
fn said(text: &mut String, said: &Said, of: Option<&str>, indent: &str) {
    for (weighty, line) in said.lines(of) {
        let line = told(&line);
        let line = if weighty { format!("**{line}**") } else { line };
        let _ = writeln!(text, "{indent}- {line}");
    }
}

/// How much is shown of a value that is live.
const LIVE: usize = 200;

/// Writes what is live of a resource, and what becomes of it.
fn live(live: Option<&LiveResource>) -> String {
    let lines = live.into_iter().flat_map(|live| live.lines(LIVE));
    let lines = lines.map(|line| format!("  - **live**: {}\n", told(&line)));
    lines.collect()
}

fn resource(change: &ResourceChange, releases: &BTreeSet<String>) -> String {
    let mut text = headline(change);
    said(&mut text, &change.said, Some(&change.logical_id), "  ");
    for reason in change.told_reasons() {
        let _ = writeln!(text, "  - {}", told(reason));
    }
    if let Some(code) = &change.code {
        let _ = writeln!(text, "  - its code changed: {}", told(&code.to_string()));
    }
    for difference in change.beside_texts() {
        property(&mut text, "  ", difference, releases);
    }
    for change in &change.texts {
        lines(&mut text, change);
    }
    text
}

/// Writes a change where there is no room for all of it.
fn short(change: &ResourceChange) -> String {
    let mut text = headline(change);
    said(&mut text, &change.said, Some(&change.logical_id), "  ");
    let reasons: Vec<&String> = change.told_reasons().collect();
    for reason in reasons.iter().take(REASONS) {
        let _ = writeln!(text, "  - {}", told(reason));
    }
    let rest = reasons.len().saturating_sub(REASONS);
    let properties = change.beside_texts().count() + change.texts.len();
    if rest + properties > 0 {
        let _ = writeln!(
            text,
            "  - … {rest} more reasons, {} left out",
            count(properties, "difference")
        );
    }
    text
}

fn headline(change: &ResourceChange) -> String {
    let danger = match danger(change.grade) {
        "" => String::new(),
        danger => format!(" {danger}"),
    };
    format!(
        "- **{}** {}{danger}\n",
        word(change.action),
        code(&change.logical_id)
    )
}

/// Writes a reason on one line.
fn told(reason: &str) -> String {
    plain(&console::truncate_str(reason, REASON, "…"))
}

/// Writes the lines of a text that differ as a block of code.
fn lines(text: &mut String, change: &TextChange) {
    let path = change.path.to_string();
    let path = path.strip_prefix("Properties.").unwrap_or(&path);
    let all: Vec<String> = change
        .hunks
        .iter()
        .flat_map(|hunk| {
            std::iter::once(hunk.heading()).chain(hunk.lines.iter().map(ToString::to_string))
        })
        .collect();
    let fence = "`".repeat(longest_run(&all.concat()).max(2) + 1);
    let _ = writeln!(text, "  - {}:\n\n    {fence}diff", code(path));
    for line in all.iter().take(LINES) {
        let _ = writeln!(text, "    {}", one_line(line));
    }
    let _ = writeln!(text, "    {fence}\n");
    if let Some(rest) = all.len().checked_sub(LINES).filter(|rest| *rest > 0) {
        let _ = writeln!(text, "    … {}\n", count(rest, "more line"));
    }
}

/// Writes one difference. The names of releases begin with the time, which says nothing: two plans are the same whenever
/// they are made.
fn property(text: &mut String, indent: &str, change: &PropertyChange, releases: &BTreeSet<String>) {
    let texts = [&change.before, &change.after].map(|value| {
        let text = value.as_ref()?.to_string();
        Some(releases.iter().fold(text, |text, name| {
            let fingerprint = name.split_once('-').map_or("", |(_, rest)| rest);
            text.replace(name, &format!("(time)-{fingerprint}"))
        }))
    });
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
    let line = console::truncate_str(&one_line(text), VALUE, "…").into_owned();
    let longest = longest_run(&line);
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

/// Returns how many backticks stand next to each other at most.
fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or_default()
}

/// Keeps a text on one line.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
