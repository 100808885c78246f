//! Drawings in the language of Mermaid.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::change::{Change, Mark, Stroke};
use crate::kind::spoken;
use crate::legend::Legend;
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
                let (mut words, mut class) = (String::new(), String::new());
                if let Some(mark) = graph.marks.get(place) {
                    // A label that begins with a sign is taken for a list.
                    let told = format!("{} {}", mark.change.sign(), mark.words());
                    words = format!("<br><b>{}</b>", quoted(&told));
                    class = format!(":::{}", class_of(*mark));
                }
                let _ = writeln!(
                    text,
                    "        {id}[\"{label}<br><small>{}</small>{words}\"]{class}",
                    spoken(&node.resource_type)
                );
            }
        }
        text.push_str("    end\n");
    }
    for edge in &graph.edges {
        if let (Some(from), Some(to)) = (ids.get(&edge.0), ids.get(&edge.1)) {
            let way = match graph.strokes.get(edge) {
                None => "-->",
                Some(Stroke::New) => "== new ==>",
                Some(Stroke::Gone) => "-. gone .->",
                Some(Stroke::Reach) => "== reached ==>",
            };
            let _ = writeln!(text, "    {from} {way} {to}");
        }
    }
    if let Some(legend) = Legend::of(graph) {
        let lines: Vec<String> = legend.lines().iter().map(|line| quoted(line)).collect();
        let _ = writeln!(text, "    legend[\"Legend<br>{}\"]", lines.join("<br>"));
        text.push_str("    style legend text-align:left,stroke-dasharray:2 2\n");
        let there: BTreeMap<String, Mark> = (graph.marks.values())
            .map(|mark| (class_of(*mark), *mark))
            .collect();
        for (class, mark) in there {
            let (strong, weak) = mark.tone().light();
            let _ = writeln!(
                text,
                "    classDef {class} fill:{weak},stroke:{strong},color:#1d1d1f,{}",
                frame_of(mark.change)
            );
        }
    }
    text
}

/// Returns the class of what changes: its form and its colour.
fn class_of(mark: Mark) -> String {
    format!("{}-{}", mark.change.word(), mark.tone().class())
}

const fn frame_of(change: Change) -> &'static str {
    match change {
        Change::New | Change::Imported => "stroke-width:3px",
        Change::Changed => "stroke-width:1.5px",
        Change::Replaced => "stroke-width:5px",
        Change::Removed => "stroke-width:2px,stroke-dasharray:7 4",
        Change::Kept => "stroke-width:2px,stroke-dasharray:2 3",
    }
}

/// Writes a text as it stands between quotation marks.
fn quoted(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
