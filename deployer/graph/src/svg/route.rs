//! The ways of arrows.

use ::svg::node::element::path::Data;

use super::round;
use crate::Place;
use crate::layout::{Area, GAP, Layout};

/// Leads from the right side of one node to the left side of another, or around where that one stands before it.
pub(super) fn way(layout: &Layout<'_>, from: &Place, to: &Place) -> Data {
    let band = |place: &Place| layout.bands.get(place).copied().unwrap_or_default();
    let bands = (band(from), band(to));
    let area = |place: &Place| layout.nodes.get(place).copied().unwrap_or_default();
    let (from, to) = (area(from), area(to));
    let middle = |area: Area| area.y + area.size.height / 2.0;
    let ends = if to.x >= from.x + from.size.width {
        Some((from.x + from.size.width, to.x))
    } else if to.x + to.size.width <= from.x {
        Some((from.x, to.x + to.size.width))
    } else {
        None
    };
    if bands.0.number != bands.1.number {
        let lower = if bands.0.number > bands.1.number {
            bands.0
        } else {
            bands.1
        };
        let start = (from.x + from.size.width, middle(from));
        around(start, (to.x, middle(to)), lower.lane)
    } else if let Some((start, end)) = ends {
        let (start, end) = ((start, middle(from)), (end, middle(to)));
        let others: Vec<Area> = layout
            .nodes
            .values()
            .copied()
            .filter(|area| *area != from && *area != to)
            .collect();
        route(start, end, &others)
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
    }
}

/// Leads from the right side of a node in one band to the left side of one in another: between columns to the lane that is
/// free, along it, and between columns again.
fn around(start: (f64, f64), end: (f64, f64), lane: f64) -> Data {
    // Nearer to its own node than the frame of the stack is.
    let (out, back) = (start.0 + GAP / 3.0, end.0 - GAP / 3.0);
    let corners = [
        start,
        (out, start.1),
        (out, lane),
        (back, lane),
        (back, end.1),
    ];
    let data = Data::new().move_to((round(start.0), round(start.1)));
    let last = (round(end.0), round(end.1));
    corners
        .windows(2)
        .zip(corners.iter().skip(2).chain([&end]))
        .fold(data, |data, (ends, next)| match ends {
            [before, corner] => rounded(data, *before, *corner, *next),
            _ => data,
        })
        .line_to(last)
}

/// How far from a corner a line begins to turn.
const TURN: f64 = 8.0;

/// Leads to a corner and around it.
fn rounded(data: Data, before: (f64, f64), corner: (f64, f64), next: (f64, f64)) -> Data {
    let towards = |point: (f64, f64)| {
        let (x, y) = (point.0 - corner.0, point.1 - corner.1);
        let far = x.hypot(y);
        let part = if far > 0.0 {
            (TURN / far).min(0.5)
        } else {
            0.0
        };
        (round(corner.0 + x * part), round(corner.1 + y * part))
    };
    let (turn, turned) = (towards(before), towards(next));
    data.line_to(turn)
        .quadratic_curve_to((round(corner.0), round(corner.1), turned.0, turned.1))
}

/// Leads from one point to another, in one curve where nothing stands in its way, and along a free lane otherwise.
fn route(start: (f64, f64), end: (f64, f64), others: &[Area]) -> Data {
    let ahead = (end.0 - start.0).signum();
    let bend = ((end.0 - start.0).abs() / 2.0).min(60.0) * ahead;
    let (first, second) = ((start.0 + bend, start.1), (end.0 - bend, end.1));
    let free = (1..32).all(|step| {
        let point = bezier(start, first, second, end, f64::from(step) / 32.0);
        others.iter().all(|area| !near(*area, point.0, point.1))
    });
    let (from, to) = (start.0 + GAP * ahead, end.0 - GAP * ahead);
    if free || (to - from) * ahead <= 0.0 {
        return curve(start, first, second, end);
    }
    // Columns stand a gap apart, so that an arrow can change its height between them.
    let between = |area: &&Area| area.x < from.max(to) && area.x + area.size.width > from.min(to);
    let blocking: Vec<Area> = others.iter().filter(between).copied().collect();
    let beside = blocking
        .iter()
        .flat_map(|area| [area.y - GAP / 2.0, area.y + area.size.height + GAP / 2.0]);
    let is_free = |lane: &f64| {
        blocking
            .iter()
            .all(|area| *lane < area.y - CLEAR || *lane > area.y + area.size.height + CLEAR)
    };
    let detour = |lane: f64| (lane - start.1).abs() + (lane - end.1).abs();
    let lane = [start.1, end.1]
        .into_iter()
        .chain(beside)
        .filter(is_free)
        .min_by(|one, other| detour(*one).total_cmp(&detour(*other)));
    let Some(lane) = lane else {
        return curve(start, first, second, end);
    };
    let half = GAP / 2.0 * ahead;
    let point = |x: f64, y: f64| (round(x), round(y));
    let change = |data: Data, x: f64, from: f64, end: (f64, f64)| {
        let (first, second) = (point(x + half, from), point(x + half, end.1));
        let end = point(end.0, end.1);
        data.cubic_curve_to((first.0, first.1, second.0, second.1, end.0, end.1))
    };
    let data = Data::new().move_to(point(start.0, start.1));
    let data = change(data, start.0, start.1, (from, lane));
    let data = data.line_to(point(to, lane));
    change(data, to, lane, end)
}

/// How near an arrow comes to a node that it has nothing to do with.
const CLEAR: f64 = 4.0;

fn near(area: Area, x: f64, y: f64) -> bool {
    let across = x > area.x - CLEAR && x < area.x + area.size.width + CLEAR;
    across && y > area.y - CLEAR && y < area.y + area.size.height + CLEAR
}

/// Returns a point of a curve, from 0 at its start to 1 at its end.
fn bezier(
    start: (f64, f64),
    first: (f64, f64),
    second: (f64, f64),
    end: (f64, f64),
    at: f64,
) -> (f64, f64) {
    let rest = 1.0 - at;
    let mix = |start: f64, first: f64, second: f64, end: f64| {
        rest * rest * rest * start
            + 3.0 * rest * rest * at * first
            + 3.0 * rest * at * at * second
            + at * at * at * end
    };
    (
        mix(start.0, first.0, second.0, end.0),
        mix(start.1, first.1, second.1, end.1),
    )
}

fn curve(start: (f64, f64), first: (f64, f64), second: (f64, f64), end: (f64, f64)) -> Data {
    let point = |(x, y): (f64, f64)| (round(x), round(y));
    let (first, second, end) = (point(first), point(second), point(end));
    Data::new()
        .move_to(point(start))
        .cubic_curve_to((first.0, first.1, second.0, second.1, end.0, end.1))
}

#[cfg(test)]
mod tests {
    use ::svg::node::element::Path;

    use super::*;
    use crate::layout::NODE;

    fn way(others: &[Area]) -> String {
        let data = route((0.0, 22.0), (400.0, 22.0), others);
        Path::new().set("d", data).to_string()
    }

    #[test]
    fn an_arrow_goes_around_what_stands_in_its_way() {
        let blocking = Area {
            x: 100.0,
            y: 0.0,
            size: NODE,
        };
        assert!(!way(&[]).contains('L'));
        assert!(way(&[blocking]).contains("L366,-17"));
        // The other side of it is as near, where this one is taken.
        let above = Area {
            y: -40.0,
            ..blocking
        };
        assert!(way(&[above, blocking]).contains("L366,61"));
    }
}
