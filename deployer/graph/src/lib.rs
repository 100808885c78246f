//! Draws stacks: what invokes, reads and writes what.
//!
//! A [`Graph`] is read from rendered templates, so it shows what is deployed and not what somebody once drew. What only
//! makes the rest work, such as roles, permissions and log groups, is left out, and what connects two resources, such as
//! an event source mapping, becomes the arrow between them. Drawings are deterministic.

mod change;
mod compare;
mod dot;
mod kind;
mod layout;
mod legend;
mod mermaid;
mod read;
mod reference;
mod svg;

use std::collections::{BTreeMap, BTreeSet};

pub use change::{Change, Danger, Mark, Stroke, Tone};
pub use compare::Changed;
pub use svg::{Part, dark_style, style};

/// The template of one stack.
#[derive(Clone, Debug)]
pub struct Template<'a> {
    /// The name of the stack.
    pub stack: &'a str,
    /// The template as JSON.
    pub json: &'a serde_json::Value,
}

/// The place of a node: the stack and the logical id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The name of the stack.
    pub stack: String,
    /// The logical id.
    pub logical_id: String,
}

/// One resource of a drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is called in the drawing: the logical id, or the method and path of a route.
    pub label: String,
    /// The resource type.
    pub resource_type: String,
}

/// Resources and the arrows between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    nodes: BTreeMap<Place, Node>,
    edges: BTreeSet<(Place, Place)>,
    marks: BTreeMap<Place, Mark>,
    strokes: BTreeMap<(Place, Place), Stroke>,
    reach: BTreeSet<(Place, Place)>,
    undrawn: usize,
}

impl Graph {
    /// Reads the graph of some stacks, among which exports and imports are followed.
    pub fn of(templates: &[Template<'_>]) -> Self {
        read::read(templates, &BTreeSet::new())
    }

    /// Reads the graph of some stacks before and after a change, in one: what goes and what comes is in it, and marked.
    ///
    /// What only makes the rest work is left out as ever, but for what of it is dangerous or reached by a replacement.
    pub fn compared(
        before: &[Template<'_>],
        after: &[Template<'_>],
        changes: &BTreeMap<Place, Changed<'_>>,
    ) -> Self {
        compare::compare(before, after, changes)
    }

    /// Returns what changes, and what stands next to it.
    #[must_use]
    pub fn affected(&self) -> Self {
        compare::affected(self)
    }

    /// Returns the resources by place.
    pub fn nodes(&self) -> &BTreeMap<Place, Node> {
        &self.nodes
    }

    /// Returns the arrows, each from what invokes, feeds or uses to what is invoked, fed or used.
    pub fn edges(&self) -> &BTreeSet<(Place, Place)> {
        &self.edges
    }

    /// Returns what happens to the resources that change.
    pub fn marks(&self) -> &BTreeMap<Place, Mark> {
        &self.marks
    }

    /// Returns the arrows that are not the same before and after.
    pub fn strokes(&self) -> &BTreeMap<(Place, Place), Stroke> {
        &self.strokes
    }

    /// Returns what notices that something is replaced: pairs of what is replaced and what refers to it, drawn or not.
    pub fn reach(&self) -> &BTreeSet<(Place, Place)> {
        &self.reach
    }

    /// Returns how many changes are left out, as they are of what only makes the rest work.
    pub fn undrawn(&self) -> usize {
        self.undrawn
    }

    /// Draws the graph as SVG, with a frame for each stack. The title is read out to people who cannot see it.
    pub fn svg(&self, title: &str) -> String {
        svg::draw(self, title, None)
    }

    /// Draws the graph as a part of a page, which has [`style`] once.
    pub fn svg_part(&self, title: &str, part: &Part<'_>) -> String {
        svg::draw(self, title, Some(part))
    }

    /// Writes the graph for Mermaid, which GitHub draws in Markdown.
    pub fn mermaid(&self) -> String {
        mermaid::write(self)
    }

    /// Writes the graph in the language of Graphviz.
    pub fn dot(&self) -> String {
        dot::write(self)
    }

    /// Returns the stacks that have nodes, each with its nodes.
    fn stacks(&self) -> BTreeMap<&str, Vec<(&Place, &Node)>> {
        let mut stacks: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (place, node) in &self.nodes {
            stacks.entry(&place.stack).or_default().push((place, node));
        }
        stacks
    }
}

#[cfg(test)]
mod tests;
