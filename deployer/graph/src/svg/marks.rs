//! What a drawing shows of a change besides colours: badges, and the legend.

use ::svg::node::element::path::Data;
use ::svg::node::element::{Group, Marker, Path, Rectangle, Text};

use super::round;
use crate::change::{Change, Mark, Stroke};
use crate::layout::{Area, Size};
use crate::legend::Legend;

/// The height of a badge, and of a line of the legend.
const BADGE: f64 = 16.0;
const LINE: f64 = 24.0;

/// The least width that the legend is given before it goes on in another line.
const NARROWEST: f64 = 620.0;

/// Draws the sign and the words of a mark on the upper edge of a node.
pub(super) fn badge(mark: Mark, area: Area) -> Group {
    let text = format!("{} {}", mark.change.sign(), mark.words());
    // The text is made as wide as it is meant to be: letters are wider in some fonts than in others.
    let within = round(wide(&text, 6.0));
    let width = within + 12.0;
    let x = area.x + area.size.width - width - 4.0;
    let y = area.y - BADGE + 5.0;
    Group::new()
        .set("class", "badge")
        .add(bare(x, y, width, BADGE, 8))
        .add(
            Text::new(text)
                .set("x", round(x + 6.0))
                .set("y", round(y + 12.0))
                .set("textLength", within)
                .set("lengthAdjust", "spacingAndGlyphs"),
        )
}

/// Draws the second frame of what is replaced.
pub(super) fn inner(area: Area) -> Rectangle {
    bare(
        area.x + 3.0,
        area.y + 3.0,
        area.size.width - 6.0,
        area.size.height - 6.0,
        4,
    )
    .set("class", "inner")
}

/// Returns what stands where an arrow begins that is new or goes.
pub(super) fn sign(stroke: Stroke, id: &str) -> Option<Marker> {
    let data = match stroke {
        Stroke::New => Data::new()
            .move_to((5, 1))
            .line_to((5, 9))
            .move_to((1, 5))
            .line_to((9, 5)),
        Stroke::Gone => Data::new()
            .move_to((2, 2))
            .line_to((8, 8))
            .move_to((8, 2))
            .line_to((2, 8)),
        Stroke::Reach => return None,
    };
    let marker = Marker::new()
        .set("id", id)
        .set("viewBox", (0, 0, 10, 10))
        .set("refX", -1)
        .set("refY", 5)
        .set("markerUnits", "userSpaceOnUse")
        .set("markerWidth", 10)
        .set("markerHeight", 10)
        .add(Path::new().set("class", "sign").set("d", data));
    Some(marker)
}

/// Draws what the marks mean, below a drawing of the width. Returns the room that it takes.
pub(super) fn legend(
    legend: &Legend,
    top: f64,
    width: f64,
    marker: &dyn Fn(&str) -> String,
) -> (Group, Size) {
    let widest = width.max(NARROWEST);
    let mut group = Group::new().set("class", "legend");
    let mut at = (0.0_f64, top);
    let mut size = Size::default();
    let mut put = |sample: Group, text: String, first: bool| {
        let needed = 44.0 + wide(&text, 6.3) + 18.0;
        if at.0 > 0.0 && (first || at.0 + needed > widest) {
            at = (0.0, at.1 + LINE);
        }
        let item = Group::new()
            .set(
                "transform",
                format!("translate({} {})", round(at.0), round(at.1)),
            )
            .add(sample)
            .add(Text::new(text).set("x", 42).set("y", 13));
        at.0 += needed;
        size.width = size.width.max(at.0);
        size.height = at.1 - top + LINE;
        // The group is moved in and out, as an element takes its children by value.
        group = std::mem::replace(&mut group, Group::new()).add(item);
    };
    for change in &legend.changes {
        put(
            frame(*change),
            format!("{}: {}", change.word(), change.told()),
            false,
        );
    }
    for (position, (tone, words)) in legend.tones().enumerate() {
        let swatch = Group::new()
            .set("class", format!("swatch {}", tone.class()))
            .add(bare(4.0, 2.0, 30.0, 14.0, 7));
        put(swatch, words.to_owned(), position == 0);
    }
    for (position, stroke) in legend.strokes.iter().enumerate() {
        let line = Path::new()
            .set("class", format!("arrow {}", stroke.class()))
            .set("d", Data::new().move_to((0, 9)).line_to((34, 9)))
            .set("marker-end", marker("head"));
        let line = match stroke {
            Stroke::Reach => line,
            _ => line.set("marker-start", marker(stroke.class())),
        };
        put(
            Group::new().add(line),
            stroke.told().to_owned(),
            position == 0,
        );
    }
    (group, size)
}

/// Draws a small node with the frame and the sign of a change.
fn frame(change: Change) -> Group {
    let area = Area {
        x: 4.0,
        y: 0.0,
        size: Size {
            width: 30.0,
            height: 18.0,
        },
    };
    let mut group = Group::new()
        .set("class", format!("c-{}", change.word()))
        .add(bare(area.x, area.y, area.size.width, area.size.height, 4));
    if change == Change::Replaced {
        group = group.add(inner(area));
    }
    group.add(
        Text::new(change.sign().to_string())
            .set("x", 19)
            .set("y", 13)
            .set("text-anchor", "middle"),
    )
}

fn bare(x: f64, y: f64, width: f64, height: f64, radius: u32) -> Rectangle {
    Rectangle::new()
        .set("x", round(x))
        .set("y", round(y))
        .set("width", round(width))
        .set("height", round(height))
        .set("rx", radius)
}

/// Returns how wide a text is, about.
#[expect(clippy::cast_precision_loss, reason = "a text on a drawing is short")]
fn wide(text: &str, each: f64) -> f64 {
    text.chars().count() as f64 * each
}
