//! Drawings in the language of Graphviz.

use std::fmt::Write as _;

use crate::kind::spoken;
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
            let label = format!("{}\n{}", node.label, spoken(&node.resource_type));
            let _ = writeln!(text, "        {} [label={}];", id(place), quoted(&label));
        }
        text.push_str("    }\n");
    }
    for (from, to) in &graph.edges {
        let _ = writeln!(text, "    {} -> {};", id(from), id(to));
    }
    text.push_str("}\n");
    text
}

fn id(place: &Place) -> String {
    quoted(&format!("{}/{}", place.stack, place.logical_id))
}

fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}
