//! What the marks of a drawing mean: as far as they are in it.

use std::collections::BTreeSet;

use crate::Graph;
use crate::change::{Change, Danger, Stroke, Tone};

/// The marks that are in a drawing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Legend {
    pub(crate) changes: Vec<Change>,
    pub(crate) dangers: Vec<Danger>,
    pub(crate) strokes: Vec<Stroke>,
}

impl Legend {
    /// Returns what has to be told of a graph; nothing, where nothing in it is marked.
    pub(crate) fn of(graph: &Graph) -> Option<Self> {
        if graph.marks.is_empty() && graph.strokes.is_empty() {
            return None;
        }
        let there: BTreeSet<Change> = graph.marks.values().map(|mark| mark.change).collect();
        let dangers: BTreeSet<Danger> = (graph.marks.values())
            .filter_map(|mark| mark.danger)
            .collect();
        let strokes: BTreeSet<Stroke> = graph.strokes.values().copied().collect();
        Some(Self {
            changes: Change::ALL
                .into_iter()
                .filter(|change| there.contains(change))
                .collect(),
            dangers: dangers.into_iter().rev().collect(),
            strokes: Stroke::ALL
                .into_iter()
                .filter(|stroke| strokes.contains(stroke))
                .collect(),
        })
    }

    /// Returns the colours of what is dangerous, with the words.
    pub(crate) fn tones(&self) -> impl Iterator<Item = (Tone, &'static str)> {
        self.dangers
            .iter()
            .map(|danger| (Tone::of(*danger), danger.words()))
    }

    /// Returns a line for each sign, as the forms have it that cannot draw one.
    pub(crate) fn lines(&self) -> Vec<String> {
        let signs = self
            .changes
            .iter()
            .map(|change| format!("{} {}: {}", change.sign(), change.word(), change.told()));
        let arrows = self
            .strokes
            .iter()
            .map(|stroke| format!("{}: {}", stroke.word(), stroke.told()));
        signs.chain(arrows).collect()
    }
}
