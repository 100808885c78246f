//! A property in the tree: the values before and after, beside each other in the width that there is.

use std::fmt::Write as _;

use serde_json::Value;

use super::Look;
use crate::engine::plan::PropertyChange;
use crate::ui::{paint, palette};

/// How much of a value is shown at least.
const MIN_VALUE: usize = 20;

/// Stands behind an expression that stays as it is and will have another value.
pub(in crate::ui) const ANEW: &str = "(anew)";

/// Writes a property with its value before and after.
pub(super) fn render(text: &mut String, change: &PropertyChange, indent: usize, look: Look) {
    let path = change.path.to_string();
    let path = path.strip_prefix("Properties.").unwrap_or(&path);
    let before = change.before.as_ref().map(render_value);
    let after = change.after.as_ref().map(render_value);
    let fits = |text: &Option<String>| {
        text.as_ref()
            .is_none_or(|text| console::measure_text_width(text) <= look.width / 2)
    };
    if look.full && before != after && !(fits(&before) && fits(&after)) {
        // Two long values are compared where they stand one below the other.
        let value = |text: &Option<String>| text.clone().unwrap_or_else(|| "(absent)".to_owned());
        let _ = writeln!(text, "{:indent$}{path}:", "");
        let removed = paint(palette::WEAK, format_args!("- {}", value(&before)));
        let _ = writeln!(text, "{:indent$}  {removed}", "");
        let _ = writeln!(text, "{:indent$}  + {}", "", value(&after));
        return;
    }
    let width = look.room(0);
    let differs = Differs { before, after };
    let room = width.saturating_sub(indent + console::measure_text_width(path) + 2);
    if differs.fits(room) {
        let _ = writeln!(text, "{:indent$}{path}: {}", "", differs.within(room));
    } else {
        // Of a long path the end says most.
        let _ = writeln!(
            text,
            "{:indent$}{}:",
            "",
            tail(path, width.saturating_sub(indent + 1))
        );
        let indent = indent + 2;
        let _ = writeln!(
            text,
            "{:indent$}{}",
            "",
            differs.within(width.saturating_sub(indent))
        );
    }
}

/// The texts of a value before and after.
struct Differs {
    before: Option<String>,
    after: Option<String>,
}

/// How wide `(absent)` is, which stands for a value.
const ABSENT: usize = 8;

/// How much stands between two values, with room for the sign of what is left out.
const ARROW: usize = 4;

impl Differs {
    fn lengths(&self) -> (usize, usize) {
        let length = |text: &Option<String>| {
            let text = text.as_ref();
            text.map_or(ABSENT, |text| console::measure_text_width(text))
        };
        (length(&self.before), length(&self.after))
    }

    /// Returns whether enough of the values is to be seen in so many columns.
    fn fits(&self, room: usize) -> bool {
        let (before, after) = self.lengths();
        if self.before == self.after {
            room > before.min(MIN_VALUE) + ANEW.len()
        } else {
            room >= before.min(MIN_VALUE) + after.min(MIN_VALUE) + ARROW
        }
    }

    /// Writes both in so many columns.
    fn within(&self, room: usize) -> String {
        let (before, after) = (&self.before, &self.after);
        if let (Some(before), Some(after)) = (before, after)
            && before == after
        {
            let value = shorten(before, room.saturating_sub(1 + ANEW.len()));
            return format!("{value} {}", paint(palette::WEAK, ANEW));
        }
        let each = room.saturating_sub(ARROW) / 2;
        // What one side leaves of its half is the other's.
        let (one, other) = self.lengths();
        let (short, long) = (one.min(other), one.max(other));
        let each = if short < each && long > each {
            each + (each - short)
        } else {
            each
        };
        let start = match (before, after) {
            (Some(before), Some(after)) => first_shown(before, after, each),
            _ => 0,
        };
        let value = |text: &Option<String>| match text {
            Some(text) => shorten(&skip(text, start), each),
            None => "(absent)".to_owned(),
        };
        format!(
            "{} {} {}",
            paint(palette::WEAK, value(before)),
            paint(palette::WEAK, "→"),
            value(after)
        )
    }
}

/// Leaves out of a text what does not fit before its end.
pub(super) fn tail(text: &str, width: usize) -> String {
    if console::measure_text_width(text) <= width {
        return text.to_owned();
    }
    let mut end = Vec::new();
    let mut room = width.saturating_sub(1);
    for c in text.chars().rev() {
        let wide = console::measure_text_width(c.encode_utf8(&mut [0; 4]));
        if wide > room {
            break;
        }
        room -= wide;
        end.push(c);
    }
    std::iter::once('…').chain(end.into_iter().rev()).collect()
}

fn render_value(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

/// Returns where two texts begin to be shown: at the start, or a little before their first difference where that
/// would be cut off.
pub(in crate::ui) fn first_shown(before: &str, after: &str, width: usize) -> usize {
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
pub(in crate::ui) fn skip(text: &str, start: usize) -> String {
    if start == 0 {
        return text.to_owned();
    }
    std::iter::once('…')
        .chain(text.chars().skip(start))
        .collect()
}

/// Cuts the end off a text, and says so.
pub(super) fn shorten(text: &str, width: usize) -> String {
    console::truncate_str(text, width, "…").into_owned()
}
