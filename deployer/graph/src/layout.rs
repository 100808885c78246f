//! Where the nodes of a drawing stand.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rust_sugiyama::configure::Config;

use crate::{Graph, Place};

/// The size of every node.
pub(crate) const NODE: Size = Size {
    width: 190.0,
    height: 44.0,
};

/// The room between nodes.
pub(crate) const GAP: f64 = 34.0;

/// The room between a stack's frame and what is in it, and the room for the frame's title.
const MARGIN: f64 = 18.0;
const TITLE: f64 = 24.0;

/// A width and a height.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Size {
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A rectangle by its upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Area {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) size: Size,
}

/// Where everything stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout<'a> {
    pub(crate) nodes: BTreeMap<&'a Place, Area>,
    pub(crate) stacks: BTreeMap<&'a str, Area>,
    pub(crate) size: Size,
}

/// Members with their places, and the room they take.
struct Placed<T> {
    areas: Vec<(T, Area)>,
    size: Size,
}

/// Lays every stack out from left to right, and the stacks beside each other along the arrows between them.
pub(crate) fn lay_out(graph: &Graph) -> Layout<'_> {
    let mut inner: BTreeMap<&str, Placed<&Place>> = BTreeMap::new();
    for (stack, nodes) in graph.stacks() {
        let places: Vec<&Place> = nodes.iter().map(|(place, _)| *place).collect();
        let edges = graph.edges.iter().map(|(from, to)| (from, to));
        inner.insert(stack, layered(&places, edges, |_| NODE));
    }
    let stacks: Vec<&str> = inner.keys().copied().collect();
    let between = graph
        .edges
        .iter()
        .filter(|(from, to)| from.stack != to.stack)
        .map(|(from, to)| (from.stack.as_str(), to.stack.as_str()));
    let frame = |stack: &&str| {
        let size = inner
            .get(*stack)
            .map(|placed| placed.size)
            .unwrap_or_default();
        Size {
            width: size.width + 2.0 * MARGIN,
            height: size.height + 2.0 * MARGIN + TITLE,
        }
    };
    let between: Vec<(&str, &str)> = between.collect();
    let frames = layered(&stacks, between.iter().copied(), |stack| frame(&stack));
    let mut layout = Layout {
        size: frames.size,
        ..Layout::default()
    };
    for (stack, area) in frames.areas {
        layout.stacks.insert(stack, area);
        for (place, node) in inner
            .get(stack)
            .into_iter()
            .flat_map(|placed| &placed.areas)
        {
            let node = Area {
                x: area.x + MARGIN + node.x,
                y: area.y + MARGIN + TITLE + node.y,
                size: node.size,
            };
            layout.nodes.insert(place, node);
        }
    }
    layout
}

/// Lays members out in layers from left to right along the edges between them; members without edges stand below.
fn layered<T: Copy + Ord>(
    members: &[T],
    edges: impl Iterator<Item = (T, T)>,
    size: impl Fn(T) -> Size,
) -> Placed<T> {
    let edges: BTreeSet<(T, T)> = edges
        .filter(|(from, to)| from != to && members.contains(from) && members.contains(to))
        .collect();
    let connected: BTreeSet<T> = edges.iter().flat_map(|(from, to)| [*from, *to]).collect();
    let mut placed = Placed {
        areas: Vec::new(),
        size: Size::default(),
    };
    for part in parts(&connected, &edges, &size) {
        placed.add_below(part);
    }
    let width = placed.size.width.max(3.0 * (NODE.width + GAP));
    let mut row: Vec<(T, Area)> = Vec::new();
    let mut x = 0.0;
    for member in members.iter().filter(|member| !connected.contains(member)) {
        let size = size(*member);
        if x + size.width > width {
            placed.add_below(std::mem::take(&mut row));
            x = 0.0;
        }
        row.push((*member, Area { x, y: 0.0, size }));
        x += size.width + GAP;
    }
    placed.add_below(row);
    placed
}

impl<T> Placed<T> {
    /// Adds what was laid out on its own below everything else.
    fn add_below(&mut self, areas: Vec<(T, Area)>) {
        let left = least(areas.iter().map(|(_, area)| area.x));
        let top = least(areas.iter().map(|(_, area)| area.y));
        let above = if self.areas.is_empty() {
            0.0
        } else {
            self.size.height + GAP
        };
        for (member, mut area) in areas {
            area.x -= left;
            area.y += above - top;
            self.size.width = self.size.width.max(area.x + area.size.width);
            self.size.height = self.size.height.max(area.y + area.size.height);
            self.areas.push((member, area));
        }
    }
}

fn least(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.fold(f64::INFINITY, f64::min)
}

/// Lays out the parts that are not connected with each other, the largest first.
fn parts<T: Copy + Ord>(
    members: &BTreeSet<T>,
    edges: &BTreeSet<(T, T)>,
    size: &impl Fn(T) -> Size,
) -> Vec<Vec<(T, Area)>> {
    let members: Vec<T> = members.iter().copied().collect();
    let number: BTreeMap<T, u32> = members.iter().copied().zip(0..).collect();
    let numbered: BTreeSet<(u32, u32)> = edges
        .iter()
        .filter_map(|(from, to)| Some((*number.get(from)?, *number.get(to)?)))
        .collect();
    // The algorithm works from top to bottom, so it is given everything turned by a right angle. It answers with the
    // positions of the vertices in what it is given.
    let vertices: Vec<(u32, (f64, f64))> = members
        .iter()
        .zip(0..)
        .map(|(member, number)| (number, (size(*member).height, size(*member).width)))
        .collect();
    let config = Config {
        vertex_spacing: GAP,
        ..Config::default()
    };
    let edges = without_cycles(members.len(), &numbered);
    let mut parts: Vec<Vec<(T, Area)>> =
        rust_sugiyama::from_vertices_and_edges(&vertices, &edges, &config)
            .into_iter()
            .map(|(part, _, _)| {
                part.into_iter()
                    .filter_map(|(number, (x, y))| {
                        let member = *members.get(number)?;
                        let size = size(member);
                        let (x, y) = (y - size.width / 2.0, x - size.height / 2.0);
                        Some((member, Area { x, y, size }))
                    })
                    .collect()
            })
            .collect();
    for part in &mut parts {
        part.sort_by_key(|(member, _)| *member);
    }
    parts.sort_by_key(|part| (Reverse(part.len()), part.first().map(|(member, _)| *member)));
    parts
}

/// Turns the edges around that close a cycle.
fn without_cycles(members: usize, edges: &BTreeSet<(u32, u32)>) -> Vec<(u32, u32)> {
    let mut order: Vec<u32> = Vec::new();
    let mut seen = BTreeSet::new();
    let numbers = 0..u32::try_from(members).unwrap_or(u32::MAX);
    for start in numbers {
        // Depth first without recursion: a chain of resources may be as long as a template allows.
        let mut pending = vec![(start, false)];
        while let Some((member, left)) = pending.pop() {
            if left {
                order.push(member);
            } else if seen.insert(member) {
                pending.push((member, true));
                let next = edges.range((member, 0)..=(member, u32::MAX)).rev();
                pending.extend(next.map(|(_, to)| (*to, false)));
            }
        }
    }
    let rank: BTreeMap<u32, usize> = order.into_iter().rev().zip(0..).collect();
    let turned: BTreeSet<(u32, u32)> = edges
        .iter()
        .map(|(from, to)| {
            if rank.get(from) <= rank.get(to) {
                (*from, *to)
            } else {
                (*to, *from)
            }
        })
        .collect();
    turned.into_iter().collect()
}
