//! `status`: what became of stacks.

use super::Session;
use super::look::Look;
use crate::cli;
use crate::engine::{self, GivenFast};
use crate::error::Result;
use crate::ui::{self, Table};

pub(super) async fn status(session: &Session, arguments: &cli::Stacks) -> Result<u8> {
    let look = Look::open(session, Some(arguments)).await?;
    let mut report = session
        .guard(engine::status(&look.context, &look.targets))
        .await??;
    let given = engine::given_fast(&look.context, &look.targets, &mut report);
    session.guard(Box::pin(given)).await?;
    for stack in report.stacks.iter_mut().filter(|it| it.id.is_some()) {
        stack.led_back = look.led_back(session, &stack.stack).await?;
    }
    for unknown in &report.unknown {
        session.ui.warn(unknown);
    }
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
    for stack in &report.stacks {
        if let Some(began) = &stack.rolled_back {
            session.ui.warn(format!(
                "{0}: the update of {began} failed and was rolled back, so the stack is as it was before: `stackctl explain {0}` says why",
                stack.stack
            ));
        }
    }
    for stack in report.stacks.iter().filter(|it| !it.fast.is_empty()) {
        session.ui.warn(ui::given_fast(&GivenFast {
            stack: stack.stack.clone(),
            resources: stack.fast.clone(),
            last: stack.fast_last.clone(),
        }));
    }
    Ok(0)
}
