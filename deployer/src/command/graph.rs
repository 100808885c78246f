//! `graph`: draws the stacks of a stage.

use serde_json::json;
use stack_graph::{Graph, Template};

use super::{Session, prepare};
use crate::cli::{self, Drawing};
use crate::error::{Error, Kind, Result};

pub(super) async fn run(session: &Session, arguments: &cli::Graph) -> Result<u8> {
    let project = session.project()?;
    let (name, stage) = session.stage(&project)?;
    let assembly = prepare::assembly(session, &project, name, stage).await?;
    let selected = prepare::select(&assembly, &arguments.stacks)?;
    let stacks: Vec<_> = assembly.stacks().collect();
    let templates: Vec<Template<'_>> = selected
        .iter()
        .filter_map(|position| stacks.get(*position))
        .map(|(manifest, template)| Template {
            stack: &manifest.name,
            json: &template.json,
        })
        .collect();
    let graph = Graph::of(&templates);
    if session.ui.json() && arguments.out.is_none() {
        session.ui.document(&document(&graph));
        return Ok(0);
    }
    let drawing = match arguments.format {
        Drawing::Svg => graph.svg(&format!("The stacks of stage {name}")),
        Drawing::Mermaid => graph.mermaid(),
        Drawing::Dot => graph.dot(),
    };
    let Some(out) = &arguments.out else {
        session.ui.out(drawing);
        return Ok(0);
    };
    let file = session.directory.join(out);
    std::fs::write(&file, drawing).map_err(|error| {
        Error::new(Kind::Io, format!("cannot write {}", file.display())).caused_by(&error)
    })?;
    if session.ui.json() {
        session.ui.document(&json!({"out": file}));
    } else {
        session.ui.done("written", file.display().to_string());
    }
    Ok(0)
}

/// Returns the nodes and edges for programs.
fn document(graph: &Graph) -> serde_json::Value {
    let name = |place: &stack_graph::Place| format!("{}/{}", place.stack, place.logical_id);
    let nodes: Vec<_> = graph
        .nodes()
        .iter()
        .map(|(place, node)| {
            json!({
                "stack": place.stack,
                "logical_id": place.logical_id,
                "label": node.label,
                "resource_type": node.resource_type,
            })
        })
        .collect();
    let edges: Vec<_> = graph
        .edges()
        .iter()
        .map(|(from, to)| json!({"from": name(from), "to": name(to)}))
        .collect();
    json!({"nodes": nodes, "edges": edges})
}
