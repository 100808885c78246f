//! `status` and `events`: what became of stacks.

use super::Session;
use super::look::Look;
use crate::cli;
use crate::engine::{self, ResourceEvent};
use crate::error::Result;
use crate::ui::{self, Table};

pub(super) async fn status(session: &Session, arguments: &cli::Stacks) -> Result<u8> {
    let look = Look::open(session, Some(arguments)).await?;
    let report = session
        .guard(engine::status(&look.context, &look.targets))
        .await??;
    if session.ui.json() {
        session.ui.document(&report);
        return Ok(0);
    }
    let mut table = Table::new(&["Stack", "Status", "Settled", "Next"]);
    for stack in &report.stacks {
        table.row([
            stack.stack.as_str(),
            stack.status.as_str(),
            if stack.settled { "yes" } else { "no" },
            stack.next.as_deref().unwrap_or_default(),
        ]);
    }
    session.ui.out(table.render());
    Ok(0)
}

pub(super) async fn events(session: &Session, arguments: &cli::Events) -> Result<u8> {
    let look = Look::open(session, Some(&arguments.stacks)).await?;
    let mut found: Vec<ResourceEvent> = Vec::new();
    for target in &look.targets {
        let mut events = session
            .guard(engine::events(&look.context, target, None))
            .await??;
        let surplus = events.len().saturating_sub(arguments.limit);
        events.drain(..surplus);
        let resources = look
            .assembly
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
