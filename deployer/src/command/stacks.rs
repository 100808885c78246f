//! `status` and `events`: what became of stacks.

use super::place::{self, Place};
use super::{Session, prepare};
use crate::assembly::Assembly;
use crate::cli;
use crate::engine::{self, Context, EventSink, ResourceEvent, StackTarget};
use crate::error::Result;
use crate::ui::{self, Table};

pub(super) async fn status(session: &Session, arguments: &cli::Stacks) -> Result<u8> {
    let (context, _, targets) = open(session, arguments).await?;
    let report = session.guard(engine::status(&context, &targets)).await??;
    if session.ui.json() {
        session.ui.document(&report);
        return Ok(0);
    }
    let mut table = Table::new(&["Stack", "Status", "Settled"]);
    for stack in &report.stacks {
        table.row([
            stack.stack.as_str(),
            stack.status.as_str(),
            if stack.settled { "yes" } else { "no" },
        ]);
    }
    session.ui.out(table.render());
    Ok(0)
}

pub(super) async fn events(session: &Session, arguments: &cli::Events) -> Result<u8> {
    let (context, assembly, targets) = open(session, &arguments.stacks).await?;
    let mut found: Vec<ResourceEvent> = Vec::new();
    for target in &targets {
        let mut events = session
            .guard(engine::events(&context, target, None))
            .await??;
        let surplus = events.len().saturating_sub(arguments.limit);
        events.drain(..surplus);
        let resources = assembly
            .manifest
            .stacks
            .iter()
            .find(|stack| stack.name == target.name)
            .map(|stack| &stack.resources);
        for event in &mut events {
            event.source = resources
                .and_then(|resources| resources.get(&event.logical_id))
                .map(|resource| resource.source.clone());
        }
        found.append(&mut events);
    }
    // The sort is stable, so that events of one moment keep the order that AWS gives them.
    found.sort_by_cached_key(|event| event.time.parse::<jiff::Timestamp>().ok());
    for event in &found {
        if session.ui.json() {
            session.ui.json_line(event);
        } else {
            session.ui.out(ui::event_line(event) + "\n");
        }
    }
    Ok(0)
}

async fn open(
    session: &Session,
    stacks: &cli::Stacks,
) -> Result<(Context, Assembly, Vec<StackTarget>)> {
    let project = session.project()?;
    let (name, stage) = session.stage(&project)?;
    let place = Place::of(session);
    let assembly = prepare::assembly(session, &project, name, stage).await?;
    let selected = prepare::select(&assembly, stacks)?;
    let endpoint = place::ensure(session, &project, &place).await?;
    let context = session
        .guard(place::connect(
            session,
            stage,
            &place,
            endpoint.as_ref(),
            EventSink::ignore(),
        ))
        .await??;
    let targets = prepare::targets(&assembly, &selected);
    Ok((context, assembly, targets))
}
