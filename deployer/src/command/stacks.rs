//! `status`: what became of stacks.

use super::Session;
use super::look::Look;
use crate::cli;
use crate::engine;
use crate::error::Result;
use crate::ui::Table;

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
