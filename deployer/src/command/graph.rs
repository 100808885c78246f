//! `graph`: draws the stacks of a stage, as they are rendered or with what a deploy would change.

use serde_json::{Value, json};
use stack_graph::{Graph, Place};

use super::compare::{self, Comparison, Made, With};
use super::{Session, diff, prepare};
use crate::cli::{self, Drawing};
use crate::engine::plan::{Plan, picture};
use crate::error::{Error, Kind, Result};
use crate::ui;

pub(super) async fn run(session: &Session, arguments: &cli::Graph) -> Result<u8> {
    let compares = arguments.diff || arguments.offline || arguments.against.is_some();
    if arguments.affected && !compares {
        return Err(
            Error::new(Kind::Usage, "`--affected` needs something to compare with").hint(
                "give `--diff` for what is deployed, `--offline` for what was seen of it last, or `--against DIR` for the templates in a directory",
            ),
        );
    }
    let form = form(arguments);
    let project = session.project()?;
    let (name, stage) = session.stage(&project)?;
    let mut title = format!("The stacks of stage {name}");
    let mut with_changes = None;
    let mut graph = if compares {
        let with = With {
            stacks: &arguments.stacks,
            against: arguments.against.as_deref(),
            offline: arguments.offline,
            change_set: false,
            drift: false,
            build: false,
        };
        title = format!("What changes in stage {name}");
        let chosen = [stage];
        let stages = (name, project.stage(name)?, chosen.as_slice());
        let comparison = Comparison::begin(session, &project, stages, with).await?;
        let Made { plan, wanted, .. } = Box::pin(comparison.of_one(session, stage)).await?;
        let graph = picture(&plan, &compare::templates(&wanted));
        with_changes = Some(plan);
        graph
    } else {
        let assembly = prepare::assembly(session, &project, name, stage).await?;
        let selected = prepare::select(&assembly, &arguments.stacks)?;
        Graph::of(&compare::templates(&compare::wanted(&assembly, &selected)))
    };
    if arguments.affected {
        graph = graph.affected();
    }
    if session.ui.json() && arguments.out.is_none() {
        session
            .ui
            .document(&document(&graph, with_changes.as_ref()));
        return Ok(0);
    }
    let drawing = match form {
        Drawing::Svg => graph.svg(&title),
        Drawing::Mermaid => graph.mermaid(),
        Drawing::Dot => graph.dot(),
        Drawing::Html => ui::drawing(&graph, &title),
    };
    let Some(out) = &arguments.out else {
        session.ui.out(drawing);
        return Ok(0);
    };
    let file = session.directory.join(out);
    diff::write(&file, &drawing)?;
    if session.ui.json() {
        session.ui.document(&json!({"out": file}));
    } else {
        session.ui.done("written", file.display().to_string());
    }
    Ok(0)
}

/// Returns the form that is asked for, or the one that the name of the file ends with.
fn form(arguments: &cli::Graph) -> Drawing {
    let ending = arguments.out.as_ref().and_then(|out| out.extension());
    let by_ending = ending.and_then(|ending| match ending.to_str()? {
        "html" | "htm" => Some(Drawing::Html),
        "mmd" | "mermaid" => Some(Drawing::Mermaid),
        "dot" | "gv" => Some(Drawing::Dot),
        _ => None,
    });
    arguments.format.or(by_ending).unwrap_or_default()
}

/// Returns the nodes and edges for programs, with what happens to them where something is compared.
fn document(graph: &Graph, plan: Option<&Plan>) -> Value {
    let change_of = |place: &Place| {
        let mut stacks = plan.iter().flat_map(|plan| &plan.stacks);
        let stack = stacks.find(|stack| stack.stack == place.stack)?;
        let mut changes = stack.changes.iter();
        changes.find(|change| change.logical_id == place.logical_id)
    };
    let name = |place: &Place| format!("{}/{}", place.stack, place.logical_id);
    let nodes = graph.nodes().iter().map(|(place, node)| {
        let mut told = json!({
            "stack": place.stack,
            "logical_id": place.logical_id,
            "label": node.label,
            "resource_type": node.resource_type,
        });
        if plan.is_some() {
            let change = change_of(place);
            told["action"] = json!(change.map(|change| change.action));
            told["grade"] = json!(change.map(|change| change.grade));
        }
        told
    });
    let edges = graph.edges().iter().map(|edge| {
        let mut told = json!({"from": name(&edge.0), "to": name(&edge.1)});
        if plan.is_some() {
            told["change"] = graph.strokes().get(edge).map(|stroke| stroke.word()).into();
        }
        told
    });
    let mut told = json!({
        "nodes": nodes.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
    });
    if plan.is_some() {
        let reach = graph.reach().iter();
        let reach = reach.map(|(from, to)| json!({"from": name(from), "to": name(to)}));
        told["reach"] = reach.collect::<Vec<_>>().into();
    }
    told
}
