//! `local`: starts, stops and looks at the local engine.

use serde_json::json;

use super::{Session, place};
use crate::cli::{Local, LocalVerb};
use crate::error::Result;
use crate::local::Stopped;
use crate::ui::Table;

pub(super) async fn run(session: &Session, arguments: &Local) -> Result<u8> {
    let project = session.project()?;
    match arguments.verb {
        LocalVerb::Start { port } => {
            let task = session.ui.spinner("engine", "starting the local engine");
            let engine = place::engine(session, &project, port)?;
            let endpoint = place::start(session, engine).await?;
            drop(task);
            if session.ui.json() {
                session.ui.document(&endpoint);
            } else {
                session.ui.out(format!("{}\n", endpoint.url));
            }
        }
        LocalVerb::Stop => {
            let engine = place::engine(session, &project, None)?;
            stopped(session, engine.stop().await?);
        }
        LocalVerb::Reset => {
            let engine = place::engine(session, &project, None)?;
            stopped(session, engine.reset().await?);
        }
        LocalVerb::Status => {
            let status = place::engine(session, &project, None)?.status().await?;
            if session.ui.json() {
                session.ui.document(&status);
            } else {
                let mut table = Table::new(&["Running", "Endpoint", "Version", "State"]);
                table.row([
                    if status.running { "yes" } else { "no" },
                    status.endpoint.as_deref().unwrap_or("-"),
                    &status.version,
                    &status.state_dir,
                ]);
                session.ui.out(table.render());
            }
        }
    }
    Ok(0)
}

fn stopped(session: &Session, stopped: Stopped) {
    if session.ui.json() {
        session.ui.document(&json!({ "stopped": stopped }));
    } else {
        session.ui.done(
            "engine",
            match stopped {
                Stopped::NotRunning => "was not running",
                Stopped::Saved => "stopped, its state is saved",
                Stopped::Unsaved => "stopped without saving its state",
            },
        );
    }
}
