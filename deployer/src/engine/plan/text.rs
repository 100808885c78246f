//! Compares texts line by line: definitions of state machines, templates of mappings, code that a template holds.
//!
//! A definition is compared as what it says: both sides are written with one entry per line and the keys in order, so that
//! another layout is no difference, and each place in it is named by its state.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;
use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

use super::canonical::{intrinsic, json_text};
use super::path::Path;
use super::{PropertyChange, widen};

/// How many lines that stay are shown around those that change.
const AROUND: usize = 2;

/// How one text of a resource differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TextChange {
    /// Where the text is.
    pub path: Path,
    /// The parts that differ, from the first line to the last.
    pub hunks: Vec<Hunk>,
}

/// A part of a text that differs, with some lines around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hunk {
    /// The number of its first line before, from 1; 0, where there was no text.
    pub before: usize,
    /// The number of its first line after.
    pub after: usize,
    /// The states of a definition in which lines differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<String>,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line of a text that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// It stays.
    Kept(String),
    /// It goes.
    Removed(String),
    /// It is new.
    Added(String),
}

impl fmt::Display for Line {
    /// Writes the line behind a blank, a `-` or a `+`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, text) = match self {
            Self::Kept(text) => (' ', text),
            Self::Removed(text) => ('-', text),
            Self::Added(text) => ('+', text),
        };
        write!(f, "{sign}{text}")
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Hunk {
    /// Returns the line that a unified diff has above a part: `@@ -3,5 +3,6 @@ Pause`.
    pub fn heading(&self) -> String {
        let count = |side: fn(&Line) -> bool| self.lines.iter().filter(|line| side(line)).count();
        let before = count(|line| !matches!(line, Line::Added(_)));
        let after = count(|line| !matches!(line, Line::Removed(_)));
        let states = self.states.join(", ");
        let heading = format!(
            "@@ -{},{before} +{},{after} @@ {states}",
            self.before, self.after
        );
        heading.trim_end().to_owned()
    }
}

/// Returns how the texts of a resource differ of which properties are known to differ. Both sides are canonical.
pub(super) fn texts(
    resource_type: &str,
    old: &Value,
    new: &Value,
    properties: &[PropertyChange],
) -> Vec<TextChange> {
    let mut found = Vec::new();
    let definition = (resource_type == "AWS::StepFunctions::StateMachine").then(|| {
        ["DefinitionString", "Definition"].map(|property| Path::new("Properties").key(property))
    });
    let definitions: Vec<Path> = definition.into_iter().flatten().collect();
    for path in &definitions {
        if properties.iter().all(|change| !change.path.is_in(path)) {
            continue;
        }
        let lines = |side| path.find(side).and_then(definition_lines);
        if let (Some(before), Some(after)) = (lines(old), lines(new)) {
            found.extend(difference(path, &before, &after));
        }
    }
    for change in properties {
        if definitions.iter().any(|path| change.path.is_in(path)) {
            continue;
        }
        let (Some(before), Some(after)) = (change.before.as_ref(), change.after.as_ref()) else {
            continue;
        };
        let (Some(before), Some(after)) = (flat(before), flat(after)) else {
            continue;
        };
        // What fits on one line shows its difference by itself.
        if before.lines().nth(1).is_some() || after.lines().nth(1).is_some() {
            let plain = |text: &str| -> Vec<Placed> { text.lines().map(Placed::from).collect() };
            found.extend(difference(&change.path, &plain(&before), &plain(&after)));
        }
    }
    found
}

/// A line, and the state that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Placed {
    text: String,
    state: String,
}

impl From<&str> for Placed {
    fn from(text: &str) -> Self {
        Self {
            text: text.trim_end_matches('\r').to_owned(),
            state: String::new(),
        }
    }
}

/// Compares two texts; nothing, where they have the same lines.
fn difference(path: &Path, before: &[Placed], after: &[Placed]) -> Option<TextChange> {
    let texts =
        |lines: &[Placed]| -> Vec<String> { lines.iter().map(|line| line.text.clone()).collect() };
    let (old, new) = (texts(before), texts(after));
    let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
    let hunks: Vec<Hunk> = group_diff_ops(ops, AROUND)
        .iter()
        .filter(|group| group.iter().any(|op| op.tag() != DiffTag::Equal))
        .map(|group| hunk(group, before, after))
        .collect();
    (!hunks.is_empty()).then(|| TextChange {
        path: path.clone(),
        hunks,
    })
}

fn hunk(group: &[DiffOp], before: &[Placed], after: &[Placed]) -> Hunk {
    let mut lines = Vec::new();
    let mut states: Vec<String> = Vec::new();
    let mut take = |line: &Placed, kind: fn(String) -> Line| {
        let line_of = kind(line.text.clone());
        let differs = !matches!(line_of, Line::Kept(_));
        if differs && !line.state.is_empty() && !states.contains(&line.state) {
            states.push(line.state.clone());
        }
        lines.push(line_of);
    };
    for op in group {
        let old = before.get(op.old_range()).unwrap_or_default();
        let new = after.get(op.new_range()).unwrap_or_default();
        match op.tag() {
            DiffTag::Equal => {
                for line in old {
                    take(line, Line::Kept);
                }
            }
            DiffTag::Delete | DiffTag::Insert | DiffTag::Replace => {
                for line in old {
                    take(line, Line::Removed);
                }
                for line in new {
                    take(line, Line::Added);
                }
            }
        }
    }
    let first = |all: &[Placed], start: Option<usize>| match start {
        Some(start) if !all.is_empty() => start + 1,
        _ => 0,
    };
    Hunk {
        before: first(before, group.first().map(|op| op.old_range().start)),
        after: first(after, group.first().map(|op| op.new_range().start)),
        states,
        lines,
    }
}

/// Writes a definition with one entry per line.
fn definition_lines(definition: &Value) -> Option<Vec<Placed>> {
    let definition = match definition {
        Value::Object(entries) => match json_text(definition) {
            Some(structure) => structure,
            None if intrinsic(entries).is_some() => return None,
            None => definition,
        },
        _ => return None,
    };
    let mut lines = Vec::new();
    write(&mut lines, definition, 0, "", "", "");
    Some(lines)
}

/// Writes a value behind its key and before a comma. `state` is the one that it is in.
fn write(
    lines: &mut Vec<Placed>,
    value: &Value,
    depth: usize,
    key: &str,
    comma: &str,
    state: &str,
) {
    let indent = "  ".repeat(depth);
    let mut line = |text: String| {
        lines.push(Placed {
            text: format!("{indent}{text}"),
            state: state.to_owned(),
        });
    };
    let key_text = if key.is_empty() {
        String::new()
    } else {
        format!("{}: ", Value::from(key))
    };
    let last = |count: usize, position: usize| if position + 1 < count { "," } else { "" };
    match value {
        Value::Object(entries) if intrinsic(entries).is_none() && !entries.is_empty() => {
            line(format!("{key_text}{{"));
            let ordered: BTreeMap<&String, &Value> = entries.iter().collect();
            for (position, (name, entry)) in ordered.iter().enumerate() {
                let inner = match (key, state) {
                    ("States", "") => (*name).clone(),
                    ("States", outer) => format!("{outer} / {name}"),
                    _ => state.to_owned(),
                };
                let comma = last(ordered.len(), position);
                write(lines, entry, depth + 1, name, comma, &inner);
            }
            lines.push(Placed {
                text: format!("{indent}}}{comma}"),
                state: state.to_owned(),
            });
        }
        Value::Array(elements) if !elements.is_empty() => {
            line(format!("{key_text}["));
            for (position, element) in elements.iter().enumerate() {
                let comma = last(elements.len(), position);
                write(lines, element, depth + 1, "", comma, state);
            }
            lines.push(Placed {
                text: format!("{indent}]{comma}"),
                state: state.to_owned(),
            });
        }
        other => {
            let text = flat(other).filter(|_| other.is_object());
            let text = text.map_or_else(|| other.to_string(), |text| Value::from(text).to_string());
            line(format!("{key_text}{text}{comma}"));
        }
    }
}

/// Writes a canonical text with what it refers to as `${Name}`; nothing, where it is none.
pub(super) fn flat(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(entries) => match intrinsic(entries)? {
            ("Fn::Join", Value::Array(join)) => match join.as_slice() {
                [Value::String(between), Value::Array(pieces)] => {
                    let pieces: Option<Vec<String>> = pieces.iter().map(flat).collect();
                    Some(pieces?.join(between))
                }
                _ => None,
            },
            ("Ref" | "Fn::GetAtt", _) => {
                let name = widen::text(value);
                let name = name.strip_prefix("${").unwrap_or(&name);
                Some(format!("${{{}}}", name.strip_suffix('}').unwrap_or(name)))
            }
            ("Fn::ImportValue", Value::String(name)) => Some(format!("${{{name}}}")),
            _ => None,
        },
        _ => None,
    }
}
