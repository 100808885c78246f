//! Drawings in the language of Graphviz.

use std::fmt::Write as _;

use crate::change::{Change, Mark, Stroke};
use crate::kind::spoken;
use crate::legend::Legend;
use crate::{Graph, Place};

pub(crate) fn write(graph: &Graph) -> String {
    let mut text =
        "digraph stacks {\n    rankdir=LR;\n    node [shape=box, style=rounded];\n".to_owned();
    for (stack, nodes) in graph.stacks() {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "    subgraph {} {{",
            quoted(&format!("cluster_{stack}"))
        );
        let _ = writeln!(text, "        label={};", quoted(stack));
        for (place, node) in nodes {
            let mut label = format!("{}\n{}", node.label, spoken(&node.resource_type));
            let mut looks = String::new();
            if let Some(mark) = graph.marks.get(place) {
                label = format!("{label}\n{} {}", mark.change.sign(), mark.words());
                looks = format!(", {}", looks_of(*mark));
            }
            let _ = writeln!(
                text,
                "        {} [label={}{looks}];",
                id(place),
                quoted(&label)
            );
        }
        text.push_str("    }\n");
    }
    for edge in &graph.edges {
        let looks = match graph.strokes.get(edge) {
            Some(stroke) => format!(" [label={}, {}]", quoted(stroke.word()), line_of(*stroke)),
            None => String::new(),
        };
        let _ = writeln!(text, "    {} -> {}{looks};", id(&edge.0), id(&edge.1));
    }
    if let Some(legend) = Legend::of(graph) {
        // Lines of a label end with a mark that puts them on the left.
        let lines: String = legend
            .lines()
            .iter()
            .map(|line| escaped(line) + "\\l")
            .collect();
        let _ = writeln!(
            text,
            "    legend [shape=note, style=solid, label=\"{lines}\"];"
        );
    }
    text.push_str("}\n");
    text
}

/// Returns the form and the colour of what changes.
fn looks_of(mark: Mark) -> String {
    let style = match mark.change {
        Change::New | Change::Imported => "\"rounded,filled,bold\"",
        Change::Changed | Change::Replaced => "\"rounded,filled\"",
        Change::Removed => "\"rounded,filled,dashed\"",
        Change::Kept => "\"rounded,filled,dotted\"",
    };
    let (strong, weak) = mark.tone().light();
    let lines = if mark.change == Change::Replaced {
        ", peripheries=2"
    } else {
        ""
    };
    format!("style={style}, color=\"{strong}\", fillcolor=\"{weak}\"{lines}")
}

/// Returns the form and the colour of an arrow that is not the same before and after.
const fn line_of(stroke: Stroke) -> &'static str {
    match stroke {
        Stroke::New => "style=bold, color=\"#1a7f37\"",
        Stroke::Gone => "style=dotted, color=\"#57606a\"",
        Stroke::Reach => "style=\"dashed,bold\", color=\"#bc4c00\"",
    }
}

fn id(place: &Place) -> String {
    quoted(&format!("{}/{}", place.stack, place.logical_id))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
