//! A graph before and after a change, in one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::change::{Change, Danger, Mark, Stroke};
use crate::kind::{Drawn, drawn};
use crate::read::{Exports, read};
use crate::{Graph, Node, Place, Template};

/// What a change does to one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed<'a> {
    /// The resource type.
    pub resource_type: &'a str,
    /// What happens to it.
    pub change: Change,
    /// What is dangerous about that.
    pub danger: Option<Danger>,
    /// The values that differ, before and after. One that is the same on both sides refers to what becomes another.
    pub values: Vec<(Option<&'a Value>, Option<&'a Value>)>,
}

impl Changed<'_> {
    /// Returns whether it becomes another one, of which others notice something.
    fn is_replaced(&self) -> bool {
        self.change == Change::Replaced && self.danger.is_some()
    }

    /// Returns whether nothing changes but the values of what it refers to.
    fn is_anew(&self) -> bool {
        let same = |(before, after): &(Option<&Value>, Option<&Value>)| before == after;
        !self.values.is_empty() && self.values.iter().all(same)
    }
}

pub(crate) fn compare(
    before: &[Template<'_>],
    after: &[Template<'_>],
    changes: &BTreeMap<Place, Changed<'_>>,
) -> Graph {
    let reach = reach(after, changes);
    let reached: BTreeSet<&Place> = reach.iter().map(|(_, reached)| reached).collect();
    // Of what only makes the rest work there are many changes that nobody has to see.
    let mut told: BTreeSet<Place> = changes
        .iter()
        .filter(|(place, change)| change.danger.is_some() || reached.contains(place))
        .map(|(place, _)| place.clone())
        .collect();
    // One that goes and one that comes in its place look alike: an arrow beside a node would seem to be something else.
    let alike: Vec<Place> = changes
        .iter()
        .filter(|(place, change)| {
            let of_told = |other: &Place| {
                other.stack == place.stack
                    && changes
                        .get(other)
                        .is_some_and(|it| it.resource_type == change.resource_type)
            };
            matches!(drawn(change.resource_type), Drawn::Arrow(..)) && told.iter().any(of_told)
        })
        .map(|(place, _)| place.clone())
        .collect();
    told.extend(alike);
    let (old, mut graph) = (read(before, &told), read(after, &told));
    for edge in &graph.edges {
        if !old.edges.contains(edge) {
            graph.strokes.insert(edge.clone(), Stroke::New);
        }
    }
    for edge in old.edges {
        if !graph.edges.contains(&edge) {
            graph.strokes.insert(edge.clone(), Stroke::Gone);
            graph.edges.insert(edge);
        }
    }
    for (place, node) in old.nodes {
        graph.nodes.entry(place).or_insert(node);
    }
    for (place, change) in changes {
        // What no template has here is drawn as far as the change tells it.
        let is_node = matches!(drawn(change.resource_type), Drawn::Node | Drawn::Fed(_));
        if told.contains(place) || (is_node && !graph.is_in(place, before, after)) {
            graph.nodes.entry(place.clone()).or_insert_with(|| Node {
                label: place.logical_id.clone(),
                resource_type: change.resource_type.to_owned(),
            });
        }
        if graph.nodes.contains_key(place) {
            let mark = Mark {
                change: change.change,
                danger: change.danger,
                reached: change.is_anew() && reached.contains(place),
            };
            graph.marks.insert(place.clone(), mark);
        }
    }
    for (from, to) in reach.iter().cloned() {
        if !graph.nodes.contains_key(&from) || !graph.nodes.contains_key(&to) {
            continue;
        }
        let ways = [(from.clone(), to.clone()), (to, from)];
        // An arrow that is there leads one way or the other; where there is none, what is reached uses what is replaced.
        let edge = ways.iter().find(|edge| graph.edges.contains(edge));
        let edge = edge.unwrap_or(&ways[1]).clone();
        graph.edges.insert(edge.clone());
        graph.strokes.entry(edge).or_insert(Stroke::Reach);
    }
    graph.reach = reach;
    graph.undrawn = changes
        .keys()
        .filter(|place| !graph.nodes.contains_key(place))
        .count();
    graph
}

/// Returns what is reached by the replacement of something else: pairs of what is replaced and what notices it.
fn reach(
    after: &[Template<'_>],
    changes: &BTreeMap<Place, Changed<'_>>,
) -> BTreeSet<(Place, Place)> {
    let exports = Exports::of(after);
    let mut pairs = BTreeSet::new();
    for (place, change) in changes {
        let Some(template) = after.iter().find(|template| template.stack == place.stack) else {
            continue;
        };
        for (old, new) in &change.values {
            let Some(value) = new else { continue };
            let named: BTreeSet<Place> = exports
                .named(template, value)
                .into_iter()
                .filter(|named| named != place)
                .collect();
            let is_replaced = |named: &&Place| changes.get(named).is_some_and(Changed::is_replaced);
            let replaced: Vec<&Place> = named.iter().filter(is_replaced).collect();
            let from = if replaced.is_empty() && old == new {
                // An attribute becomes another although the resource does not, such as the stream of a table.
                let changes_in_place = |named: &&Place| {
                    changes
                        .get(named)
                        .is_some_and(|change| change.change == Change::Changed)
                };
                named.iter().filter(changes_in_place).collect()
            } else {
                replaced
            };
            pairs.extend(from.into_iter().map(|from| (from.clone(), place.clone())));
        }
    }
    pairs
}

impl Graph {
    /// Returns whether a resource is in one of the templates.
    fn is_in(&self, place: &Place, before: &[Template<'_>], after: &[Template<'_>]) -> bool {
        let has = |template: &Template<'_>| {
            template.stack == place.stack
                && template.json["Resources"].get(&place.logical_id).is_some()
        };
        self.nodes.contains_key(place) || before.iter().chain(after).any(has)
    }
}

/// Keeps what changes, and what stands next to it.
pub(crate) fn affected(graph: &Graph) -> Graph {
    let edges: BTreeSet<(Place, Place)> = graph
        .edges
        .iter()
        .filter(|edge| {
            graph.strokes.contains_key(edge)
                || graph.marks.contains_key(&edge.0)
                || graph.marks.contains_key(&edge.1)
        })
        .cloned()
        .collect();
    let ends: BTreeSet<&Place> = edges.iter().flat_map(|(from, to)| [from, to]).collect();
    let nodes = graph
        .nodes
        .iter()
        .filter(|(place, _)| ends.contains(place) || graph.marks.contains_key(place))
        .map(|(place, node)| (place.clone(), node.clone()))
        .collect();
    Graph {
        nodes,
        edges,
        ..graph.clone()
    }
}
