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

/// How many columns of nodes stand beside each other; what is wider goes on below, as lines of a text do.
const COLUMNS: usize = 6;

/// The width up to which stacks stand beside each other.
const WIDEST: f64 = 1_500.0;

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
    /// In which of the bands below each other each node stands, counted over the whole drawing, and at which height nothing
    /// stands above that band.
    pub(crate) bands: BTreeMap<&'a Place, Band>,
    pub(crate) size: Size,
}

/// Columns of nodes beside each other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Band {
    pub(crate) number: usize,
    /// The height of a lane above it that is free of nodes.
    pub(crate) lane: f64,
}

/// The nodes of a stack in bands, each with the band of its node.
struct Folded<'a> {
    nodes: Vec<(&'a Place, Area, usize)>,
    /// The tops of the bands.
    tops: Vec<f64>,
    size: Size,
}

/// Members with their places, and the room they take.
struct Placed<T> {
    areas: Vec<(T, Area)>,
    size: Size,
}

/// Lays every stack out from left to right, and the stacks beside each other along the arrows between them, or below each
/// other where they do not fit on a page.
pub(crate) fn lay_out(graph: &Graph) -> Layout<'_> {
    let mut inner: BTreeMap<&str, Folded<'_>> = BTreeMap::new();
    for (stack, nodes) in graph.stacks() {
        let places: Vec<&Place> = nodes.iter().map(|(place, _)| *place).collect();
        let edges: Vec<(&Place, &Place)> =
            graph.edges.iter().map(|(from, to)| (from, to)).collect();
        let wide = layered(&places, edges.iter().copied(), |_| NODE);
        inner.insert(stack, folded(&wide, &edges));
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
            .map(|folded| folded.size)
            .unwrap_or_default();
        Size {
            width: size.width + 2.0 * MARGIN,
            height: size.height + 2.0 * MARGIN + TITLE,
        }
    };
    let between: Vec<(&str, &str)> = between.collect();
    let mut frames = layered(&stacks, between.iter().copied(), |stack| frame(&stack));
    let below_each_other = frames.size.width > WIDEST && frames.areas.len() > 1;
    if below_each_other {
        frames = frames.below_each_other();
    }
    let mut layout = Layout {
        size: frames.size,
        ..Layout::default()
    };
    let mut bands_above = 0;
    for (stack, area) in frames.areas {
        layout.stacks.insert(stack, area);
        let Some(folded) = inner.get(stack) else {
            continue;
        };
        for (place, node, band) in &folded.nodes {
            let top = area.y + MARGIN + TITLE;
            let node = Area {
                x: area.x + MARGIN + node.x,
                y: top + node.y,
                size: node.size,
            };
            layout.nodes.insert(place, node);
            let lane = match folded.tops.get(*band) {
                Some(of_band) if *band > 0 => top + of_band - GAP,
                _ => area.y - GAP / 2.0,
            };
            let band = Band {
                number: bands_above + band,
                lane,
            };
            layout.bands.insert(place, band);
        }
        // Stacks beside each other share their first band.
        if below_each_other {
            bands_above += folded.tops.len();
        }
    }
    layout
}

/// Divides what is wider than a page into bands below each other, where the fewest arrows lead from one to the next.
fn folded<'a>(placed: &Placed<&'a Place>, edges: &[(&'a Place, &'a Place)]) -> Folded<'a> {
    let step = NODE.width + GAP;
    let column_of = |area: &Area| column(area.x, step);
    let columns: BTreeMap<&Place, usize> = (placed.areas.iter())
        .map(|(place, area)| (*place, column_of(area)))
        .collect();
    let count = columns.values().max().map_or(0, |last| last + 1);
    let crossing = |cut: usize| {
        let ends = edges.iter().filter_map(|(from, to)| {
            let (from, to) = (*columns.get(from)?, *columns.get(to)?);
            Some((from.min(to), from.max(to)))
        });
        ends.filter(|(first, last)| *first < cut && cut <= *last)
            .count()
    };
    let mut starts = vec![0];
    let bands = count.div_ceil(COLUMNS).max(1);
    for band in 1..bands {
        let before = starts.last().copied().unwrap_or_default();
        let rest = (bands - band) * COLUMNS;
        let even = count * band / bands;
        let cuts = (before + 1).max(count.saturating_sub(rest))..=(before + COLUMNS);
        let cut = cuts.min_by_key(|cut| (crossing(*cut), cut.abs_diff(even)));
        starts.push(cut.unwrap_or(before + COLUMNS));
    }
    let mut folded = Folded {
        nodes: Vec::new(),
        tops: Vec::new(),
        size: Size::default(),
    };
    for (band, start) in starts.iter().copied().enumerate() {
        let end = starts.get(band + 1).copied().unwrap_or(count);
        let members: Vec<(&Place, Area)> = (placed.areas.iter())
            .filter(|(_, area)| (start..end).contains(&column_of(area)))
            .copied()
            .collect();
        let left = least(members.iter().map(|(_, area)| area.x));
        let highest = least(members.iter().map(|(_, area)| area.y));
        let top = if band == 0 {
            0.0
        } else {
            folded.size.height + 2.0 * GAP
        };
        folded.tops.push(top);
        for (place, mut area) in members {
            area.x -= left;
            area.y += top - highest;
            folded.size.width = folded.size.width.max(area.x + area.size.width);
            folded.size.height = folded.size.height.max(area.y + area.size.height);
            folded.nodes.push((place, area, band));
        }
    }
    folded
}

/// Returns in which column something stands.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions are no less than 0, and a drawing has few columns"
)]
fn column(x: f64, step: f64) -> usize {
    (x / step).round() as usize
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

impl<T: Copy> Placed<T> {
    /// Puts members below each other, those first that stood on the left.
    fn below_each_other(mut self) -> Self {
        self.areas.sort_by(|(_, one), (_, other)| {
            one.x.total_cmp(&other.x).then(one.y.total_cmp(&other.y))
        });
        let mut below = Self {
            areas: Vec::new(),
            size: Size::default(),
        };
        for member in self.areas {
            below.add_below(vec![member]);
        }
        below
    }
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
