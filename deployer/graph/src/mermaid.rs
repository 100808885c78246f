//! Drawings in the language of Mermaid.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::kind::spoken;
use crate::{Graph, Place};

pub(crate) fn write(graph: &Graph) -> String {
    let ids: BTreeMap<&Place, String> = graph
        .nodes
        .keys()
        .zip(1..)
        .map(|(place, number)| (place, format!("n{number}")))
        .collect();
    let mut text = "flowchart LR\n".to_owned();
    for (number, (stack, nodes)) in graph.stacks().into_iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    subgraph s{}[\"{}\"]", number + 1, quoted(stack));
        for (place, node) in nodes {
            if let Some(id) = ids.get(place) {
                let label = quoted(&node.label);
                let _ = writeln!(
                    text,
                    "        {id}[\"{label}<br><small>{}</small>\"]",
                    spoken(&node.resource_type)
                );
            }
        }
        text.push_str("    end\n");
    }
    for (from, to) in &graph.edges {
        if let (Some(from), Some(to)) = (ids.get(from), ids.get(to)) {
            let _ = writeln!(text, "    {from} --> {to}");
        }
    }
    text
}

/// Writes a text as it stands between quotation marks.
fn quoted(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
