//! Drawings as SVG.

mod marks;
mod route;
mod style;

use std::collections::BTreeMap;

use ::svg::Document;
use ::svg::node::element::path::Data;
use ::svg::node::element::{
    Anchor, Definitions, Group, Marker, Path, Rectangle, Style, Text, Title,
};

use crate::change::{Change, Stroke};
use crate::kind::{Role, spoken};
use crate::layout::{Area, Layout, lay_out};
use crate::legend::Legend;
use crate::{Graph, Node, Place};

pub use style::{dark_style, style};

/// The room around the drawing.
const EDGE: f64 = 12.0;

/// The room between the drawing and its legend.
const BELOW: f64 = 22.0;

/// How many characters of a label fit into a node.
const LABEL: usize = 26;

/// How many characters of a type fit below it in letters of the usual size.
const TYPE: usize = 23;

/// A drawing that is a part of a page.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// A name that no other drawing of the page has, of letters and digits.
    pub name: &'a str,
    /// The places of the page that nodes lead to.
    pub links: &'a BTreeMap<Place, String>,
}

pub(crate) fn draw(graph: &Graph, title: &str, part: Option<&Part<'_>>) -> String {
    let layout = lay_out(graph);
    let told = Legend::of(graph);
    let id = |id: &str| match part {
        Some(part) => format!("{}-{id}", part.name),
        None => id.to_owned(),
    };
    let marker = |name: &str| format!("url(#{})", id(name));
    let mut size = layout.size;
    let legend = told.as_ref().map(|told| {
        let (drawn, room) = marks::legend(told, size.height + BELOW, size.width, &marker);
        size.width = size.width.max(room.width);
        size.height += BELOW + room.height;
        drawn
    });
    let width = (size.width + 2.0 * EDGE).ceil();
    let height = (size.height + 2.0 * EDGE).ceil();
    let mut drawing = Document::new()
        .set("viewBox", (0.0, 0.0, width, height))
        .set("width", width)
        .set("height", height)
        // What is drawn as an image has no links for those who hear it.
        .set("role", if part.is_some() { "group" } else { "img" })
        .add(Title::new(title));
    if part.is_none() {
        drawing = drawing.add(Style::new(style::own(told.is_some())));
    }
    let mut definitions = Definitions::new().add(arrow_head(&id("head"), told.is_some()));
    for stroke in told.iter().flat_map(|told| &told.strokes) {
        if let Some(sign) = marks::sign(*stroke, &id(stroke.class())) {
            definitions = definitions.add(sign);
        }
    }
    drawing = drawing.add(definitions);
    let mut content = Group::new().set("transform", format!("translate({EDGE} {EDGE})"));
    for (stack, area) in &layout.stacks {
        content = content.add(frame(stack, *area));
    }
    for edge in &graph.edges {
        content = content.add(arrow(&layout, edge, graph.strokes.get(edge), &marker));
    }
    for (place, node) in &graph.nodes {
        if let Some(area) = layout.nodes.get(place) {
            let link = part.and_then(|part| part.links.get(place));
            content = content.add(drawn(graph, told.is_some(), place, node, *area, link));
        }
    }
    if let Some(legend) = legend {
        content = content.add(legend);
    }
    drawing = drawing.add(content);
    let mut text = drawing.to_string();
    text.push('\n');
    text
}

/// Returns the head of arrows, which are as large as each other where some are drawn thick.
fn arrow_head(id: &str, marked: bool) -> Marker {
    let head = Path::new().set("class", "head").set(
        "d",
        Data::new()
            .move_to((0, 0))
            .line_to((8, 4))
            .line_to((0, 8))
            .close(),
    );
    let size = if marked { 9 } else { 7 };
    let mut whole = Marker::new()
        .set("id", id)
        .set("viewBox", (0, 0, 8, 8))
        .set("refX", 8)
        .set("refY", 4)
        .set("markerWidth", size)
        .set("markerHeight", size)
        .set("orient", "auto");
    if marked {
        whole = whole.set("markerUnits", "userSpaceOnUse");
    }
    whole.add(head)
}

fn frame(stack: &str, area: Area) -> Group {
    Group::new()
        .set("class", "stack")
        .add(rectangle(area, 10))
        .add(
            Text::new(stack)
                .set("x", round(area.x + 14.0))
                .set("y", round(area.y + 22.0)),
        )
}

/// Draws an arrow; those between stacks are dashed.
fn arrow(
    layout: &Layout<'_>,
    (from, to): &(Place, Place),
    stroke: Option<&Stroke>,
    marker: &dyn Fn(&str) -> String,
) -> Path {
    let mut class = "arrow".to_owned();
    if from.stack != to.stack {
        class.push_str(" between");
    }
    if let Some(stroke) = stroke {
        class = format!("{class} {}", stroke.class());
    }
    let arrow = Path::new()
        .set("class", class)
        .set("d", route::way(layout, from, to))
        .set("marker-end", marker("head"));
    match stroke {
        Some(stroke @ (Stroke::New | Stroke::Gone)) => {
            arrow.set("marker-start", marker(stroke.class()))
        }
        _ => arrow,
    }
}

/// Draws a node: in the colour of what it is for, or where something else is marked, of what happens to it.
fn drawn(
    graph: &Graph,
    marked: bool,
    place: &Place,
    node: &Node,
    area: Area,
    link: Option<&String>,
) -> Group {
    let x = round(area.x + 10.0);
    let mark = graph.marks.get(place);
    let mut full = format!(
        "{}/{}: {}",
        place.stack, place.logical_id, node.resource_type
    );
    let class = match mark {
        Some(mark) => format!("c-{} {}", mark.change.word(), mark.tone().class()),
        None if marked => "same".to_owned(),
        None => Role::of(&node.resource_type).class().to_owned(),
    };
    if let Some(mark) = mark {
        full = format!("{full}: {}", mark.words());
    }
    let mut label = Text::new(shortened(&node.label))
        .set("x", x)
        .set("y", round(area.y + 18.0));
    if marked {
        label = label.set("class", "label");
    }
    let mut group = Group::new()
        .set("class", class)
        .add(Title::new(full))
        .add(rectangle(area, 6));
    if mark.is_some_and(|mark| mark.change == Change::Replaced) {
        group = group.add(marks::inner(area));
    }
    let kind = spoken(&node.resource_type);
    let class = if marked && kind.chars().count() > TYPE {
        "type long"
    } else {
        "type"
    };
    group = group.add(label).add(
        Text::new(kind)
            .set("class", class)
            .set("x", x)
            .set("y", round(area.y + 34.0)),
    );
    if let Some(mark) = mark {
        group = group.add(marks::badge(*mark, area));
    }
    match link {
        Some(link) => Group::new().add(Anchor::new().set("href", link.as_str()).add(group)),
        None => group,
    }
}

fn rectangle(area: Area, radius: u32) -> Rectangle {
    Rectangle::new()
        .set("x", round(area.x))
        .set("y", round(area.y))
        .set("width", round(area.size.width))
        .set("height", round(area.size.height))
        .set("rx", radius)
}

/// Rounds to whole pixels, so that a drawing changes only where something moves.
fn round(number: f64) -> f64 {
    number.round()
}

/// Returns a label as far as it fits, with a sign in place of what nobody sees or what no XML may hold.
fn shortened(label: &str) -> String {
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let clean = |c: char| {
        if unseen(c) {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    let label = label.chars().map(clean);
    if label.clone().count() <= LABEL {
        return label.collect();
    }
    let kept: String = label.take(LABEL - 1).collect();
    format!("{kept}…")
}
