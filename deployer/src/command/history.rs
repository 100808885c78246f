//! `history`: prints what was done to stacks, by whom and with what.

use serde_json::json;

use super::Session;
use super::look::Look;
use crate::cli;
use crate::engine;
use crate::error::Result;
use crate::ui;

pub(super) async fn run(session: &Session, arguments: &cli::History) -> Result<u8> {
    let look = Look::open(session, Some(&arguments.stacks)).await?;
    let mut found = Vec::new();
    for target in &look.targets {
        let operations = engine::operations(&look.context, target, None, arguments.limit);
        found.extend(session.guard(operations).await??);
    }
    if session.ui.json() {
        session.ui.document(&json!({"operations": found}));
    } else {
        session.ui.out(ui::history(&found));
    }
    Ok(0)
}
