//! Drawings as SVG.

use ::svg::Document;
use ::svg::node::element::path::Data;
use ::svg::node::element::{Definitions, Group, Marker, Path, Rectangle, Style, Text, Title};

use crate::kind::{Role, spoken};
use crate::layout::{Area, Layout, lay_out};
use crate::{Graph, Node, Place};

/// The room around the drawing.
const EDGE: f64 = 12.0;

/// How many characters of a label fit into a node.
const LABEL: usize = 26;

pub(crate) fn draw(graph: &Graph, title: &str) -> String {
    let layout = lay_out(graph);
    let width = (layout.size.width + 2.0 * EDGE).ceil();
    let height = (layout.size.height + 2.0 * EDGE).ceil();
    let mut drawing = Document::new()
        .set("viewBox", (0.0, 0.0, width, height))
        .set("width", width)
        .set("height", height)
        .set("role", "img")
        .add(Title::new(title))
        .add(Style::new(style()))
        .add(arrow_head());
    let mut content = Group::new().set("transform", format!("translate({EDGE} {EDGE})"));
    for (stack, area) in &layout.stacks {
        content = content.add(frame(stack, *area));
    }
    for (from, to) in &graph.edges {
        content = content.add(arrow(&layout, from, to));
    }
    for (place, node) in &graph.nodes {
        if let Some(area) = layout.nodes.get(place) {
            content = content.add(drawn(place, node, *area));
        }
    }
    drawing = drawing.add(content);
    let mut text = drawing.to_string();
    text.push('\n');
    text
}

/// Colours that can be told apart by everybody, on light and on dark pages.
fn style() -> String {
    let fills = [
        ("#fdebd8", "#7a4a12"),
        ("#dfeafb", "#1f4a80"),
        ("#fbe2ee", "#7d2150"),
        ("#e9e4fa", "#4b3391"),
        ("#fbe3e0", "#86261b"),
        ("#ececec", "#444444"),
    ];
    let roles: Vec<String> = Role::ALL
        .iter()
        .zip(fills)
        .map(|(role, (fill, stroke))| {
            format!(".{} rect{{fill:{fill};stroke:{stroke}}}", role.class())
        })
        .collect();
    format!(
        "text{{font:12px system-ui,sans-serif;fill:#1d1d1f}}.type{{font-size:10px;fill:#55555a}}.stack rect{{fill:none;stroke:#8a8a90;stroke-dasharray:5 4}}.stack text{{font-weight:600;fill:#76767c}}.arrow{{fill:none;stroke:#84848a;stroke-width:1.2}}.between{{stroke-dasharray:4 3}}.head{{fill:#84848a}}{}",
        roles.concat()
    )
}

fn arrow_head() -> Definitions {
    let head = Path::new().set("class", "head").set(
        "d",
        Data::new()
            .move_to((0, 0))
            .line_to((8, 4))
            .line_to((0, 8))
            .close(),
    );
    let marker = Marker::new()
        .set("id", "head")
        .set("viewBox", (0, 0, 8, 8))
        .set("refX", 8)
        .set("refY", 4)
        .set("markerWidth", 7)
        .set("markerHeight", 7)
        .set("orient", "auto")
        .add(head);
    Definitions::new().add(marker)
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

fn drawn(place: &Place, node: &Node, area: Area) -> Group {
    let x = round(area.x + 10.0);
    let full = format!(
        "{}/{}: {}",
        place.stack, place.logical_id, node.resource_type
    );
    Group::new()
        .set("class", Role::of(&node.resource_type).class())
        .add(Title::new(full))
        .add(rectangle(area, 6))
        .add(
            Text::new(shortened(&node.label))
                .set("x", x)
                .set("y", round(area.y + 18.0)),
        )
        .add(
            Text::new(spoken(&node.resource_type))
                .set("class", "type")
                .set("x", x)
                .set("y", round(area.y + 34.0)),
        )
}

fn rectangle(area: Area, radius: u32) -> Rectangle {
    Rectangle::new()
        .set("x", round(area.x))
        .set("y", round(area.y))
        .set("width", round(area.size.width))
        .set("height", round(area.size.height))
        .set("rx", radius)
}

/// Draws an arrow from the right side of one node to the left side of another, or around where that one stands before it.
/// Arrows between stacks are dashed, as they pass behind whatever stands between their ends.
fn arrow(layout: &Layout<'_>, from: &Place, to: &Place) -> Path {
    let within = from.stack == to.stack;
    let area = |place: &Place| layout.nodes.get(place).copied().unwrap_or_default();
    let (from, to) = (area(from), area(to));
    let middle = |area: Area| area.y + area.size.height / 2.0;
    let data = if to.x >= from.x + from.size.width {
        let (start, end) = (from.x + from.size.width, to.x);
        let bend = ((end - start) / 2.0).min(60.0);
        curve(
            (start, middle(from)),
            (start + bend, middle(from)),
            (end - bend, middle(to)),
            (end, middle(to)),
        )
    } else if to.x + to.size.width <= from.x {
        let (start, end) = (from.x, to.x + to.size.width);
        let bend = ((start - end) / 2.0).min(60.0);
        curve(
            (start, middle(from)),
            (start - bend, middle(from)),
            (end + bend, middle(to)),
            (end, middle(to)),
        )
    } else {
        // One stands above the other: the arrow leaves to the side and comes back.
        let side = (from.x + from.size.width).max(to.x + to.size.width);
        let out = side + 26.0;
        curve(
            (from.x + from.size.width, middle(from)),
            (out, middle(from)),
            (out, middle(to)),
            (to.x + to.size.width, middle(to)),
        )
    };
    let class = if within { "arrow" } else { "arrow between" };
    Path::new()
        .set("class", class)
        .set("d", data)
        .set("marker-end", "url(#head)")
}

fn curve(start: (f64, f64), first: (f64, f64), second: (f64, f64), end: (f64, f64)) -> Data {
    let point = |(x, y): (f64, f64)| (round(x), round(y));
    let (first, second, end) = (point(first), point(second), point(end));
    Data::new()
        .move_to(point(start))
        .cubic_curve_to((first.0, first.1, second.0, second.1, end.0, end.1))
}

/// Rounds to whole pixels, so that a drawing changes only where something moves.
fn round(number: f64) -> f64 {
    number.round()
}

fn shortened(label: &str) -> String {
    if label.chars().count() <= LABEL {
        return label.to_owned();
    }
    let kept: String = label.chars().take(LABEL - 1).collect();
    format!("{kept}…")
}
