//! Chooses what is shown where not everything fits.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::engine::plan::Grade;

/// Something to show.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The section that it stands in.
    pub(super) section: usize,
    /// How dangerous it is.
    pub(super) grade: Grade,
    /// All of it.
    pub(super) whole: String,
    /// Less of it.
    pub(super) short: String,
}

/// How much of a part is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// All of it.
    Whole,
    /// Less of it.
    Short,
    /// Nothing.
    Nothing,
}

/// Chooses how much of each part is shown in `room` bytes. `frames` are the lengths of what stands around each section.
///
/// Nothing is shown of a part while anything of a more dangerous one is missing.
pub(super) fn shown(parts: &[Part], frames: &[usize], room: usize) -> Vec<Shown> {
    let mut order: Vec<(usize, &Part)> = parts.iter().enumerate().collect();
    order.sort_by_key(|(_, part)| Reverse(part.grade));
    let mut shown = vec![Shown::Nothing; parts.len()];
    let mut choose = |position: usize, how: Shown| {
        if let Some(shown) = shown.get_mut(position) {
            *shown = how;
        }
    };
    let mut used = 0;
    let mut opened = BTreeSet::new();
    let mut begun = 0;
    for (position, part) in &order {
        let frame = frames.get(part.section).copied().unwrap_or_default();
        let frame = if opened.contains(&part.section) {
            0
        } else {
            frame
        };
        let length = part.short.len().min(part.whole.len()) + frame;
        if used + length > room {
            break;
        }
        used += length;
        opened.insert(part.section);
        choose(*position, Shown::Short);
        begun += 1;
    }
    for (position, part) in order.iter().take(begun) {
        let more = part.whole.len().saturating_sub(part.short.len());
        if used + more <= room {
            used += more;
            choose(*position, Shown::Whole);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(section: usize, grade: Grade, whole: usize, short: usize) -> Part {
        Part {
            section,
            grade,
            whole: "w".repeat(whole),
            short: "s".repeat(short),
        }
    }

    #[test]
    fn the_most_dangerous_is_kept() {
        let parts = [
            part(0, Grade::None, 10, 5),
            part(1, Grade::DataLoss, 40, 8),
            part(1, Grade::Replacement, 20, 6),
        ];
        let of = |room| shown(&parts, &[3, 3], room);
        assert_eq!(of(100), [Shown::Whole; 3]);
        assert_eq!(of(10), [Shown::Nothing; 3]);
        assert_eq!(of(11), [Shown::Nothing, Shown::Short, Shown::Nothing]);
        assert_eq!(of(24), [Shown::Nothing, Shown::Short, Shown::Short]);
        // All are there in short: 3 + 8 + 6 + 3 + 5 = 25. Whatever then fits is whole.
        assert_eq!(of(25), [Shown::Short; 3]);
        assert_eq!(of(30), [Shown::Whole, Shown::Short, Shown::Short]);
        assert_eq!(of(57), [Shown::Short, Shown::Whole, Shown::Short]);
    }
}
