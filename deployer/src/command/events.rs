//! `events`: what happened to stacks, as it comes, or as a timeline.

use std::path::Path;

use serde_json::json;

use super::look::Look;
use super::{Session, logs};
use crate::cli;
use crate::engine::{self, ResourceEvent, Timeline};
use crate::error::{Error, Kind, Result};
use crate::ui;

pub(super) async fn run(session: &Session, arguments: &cli::Events) -> Result<u8> {
    let look = Look::open(session, Some(&arguments.stacks)).await?;
    match &arguments.timeline {
        Some(page) => timeline(session, &look, page.as_deref()).await,
        None if arguments.follow => follow(session, look, arguments.limit).await,
        None => past(session, &look, arguments.limit).await,
    }
}

async fn past(session: &Session, look: &Look, limit: usize) -> Result<u8> {
    let mut found: Vec<ResourceEvent> = Vec::new();
    for target in &look.targets {
        let mut events = session
            .guard(engine::events(&look.context, target, None))
            .await??;
        if events.is_empty() {
            session.ui.warn(format!("{} is not deployed", target.name));
        }
        let surplus = events.len().saturating_sub(limit);
        events.drain(..surplus);
        found.append(&mut events);
    }
    // The sort is stable, so that events of one moment keep the order that AWS gives them.
    found.sort_by_cached_key(|event| event.time.parse::<jiff::Timestamp>().ok());
    for event in found {
        print(session, &sourced(look, event));
    }
    Ok(0)
}

async fn follow(session: &Session, mut look: Look, limit: usize) -> Result<u8> {
    let context = look.context.clone();
    let (context, handle, forward) = logs::until_closed(session, context);
    look.context = context.clone();
    let result = engine::follow_events(&context, &look.targets, limit, &mut |event| {
        print(session, &sourced(&look, event));
        if session.ui.is_closed() {
            handle.cancel();
        }
    })
    .await;
    forward.abort();
    result?;
    Ok(0)
}

fn print(session: &Session, event: &ResourceEvent) {
    if session.ui.json() {
        session.ui.json_line(event);
    } else {
        session.ui.out(ui::event_line(event) + "\n");
    }
}

/// Adds where the resource of an event is declared.
fn sourced(look: &Look, mut event: ResourceEvent) -> ResourceEvent {
    let stacks = &look.assembly.manifest.stacks;
    event.source = stacks
        .iter()
        .find(|stack| stack.name == event.stack)
        .and_then(|stack| stack.resources.get(&event.logical_id))
        .map(|resource| resource.source.clone());
    event
}

async fn timeline(session: &Session, look: &Look, page: Option<&Path>) -> Result<u8> {
    let none = serde_json::Value::Null;
    let mut timelines: Vec<Timeline> = Vec::new();
    for target in &look.targets {
        let operations = engine::operations(&look.context, target, None, 1);
        let template = look
            .assembly
            .stacks()
            .find(|(manifest, _)| manifest.name == target.name)
            .map_or(&none, |(_, template)| &template.json);
        let operations = session.guard(operations).await??;
        timelines.extend(
            operations
                .iter()
                .map(|operation| Timeline::of(operation, template)),
        );
    }
    let Some(page) = page else {
        if session.ui.json() {
            session.ui.document(&json!({"operations": timelines}));
        } else {
            session.ui.out(ui::timelines(&timelines));
        }
        return Ok(0);
    };
    let stage = session.global.stage.as_deref().unwrap_or_default();
    let html = ui::html(&format!("Timeline of stage {stage}"), &timelines);
    let file = session.directory.join(page);
    std::fs::write(&file, html).map_err(|error| {
        Error::new(Kind::Io, format!("cannot write {}", file.display())).caused_by(&error)
    })?;
    if session.ui.json() {
        session.ui.document(&json!({"out": file}));
    } else {
        session.ui.done("written", file.display().to_string());
    }
    Ok(0)
}
