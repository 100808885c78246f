//! `history`: prints what was done to stacks, by whom and with what.

use std::collections::BTreeMap;

use serde_json::json;

use super::Session;
use super::look::Look;
use crate::aws::{AwsError, Fault};
use crate::cli;
use crate::engine::{self, GivenFast, StackStatusReport, StackTarget};
use crate::error::Result;
use crate::ui::{self, WrittenRelease};

pub(super) async fn run(session: &Session, arguments: &cli::History) -> Result<u8> {
    let look = Look::open(session, Some(&arguments.stacks)).await?;
    let mut found = Vec::new();
    let mut releases = Vec::new();
    for target in &look.targets {
        let operations = engine::operations(&look.context, target, None, arguments.limit);
        found.extend(session.guard(operations).await??);
        let written = Box::pin(written(&look, target, arguments.limit));
        match session.guard(written).await? {
            Ok(written) => releases.extend(written),
            // Whoever may read stacks need not read the bucket.
            Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {
                session.ui.warn(format!(
                    "nobody knows which releases of {} can be gone back to: {error}",
                    target.name
                ));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let mut report = session
        .guard(Box::pin(engine::status(&look.context, &look.targets)))
        .await??;
    let given = engine::given_fast(&look.context, &look.targets, &mut report);
    session.guard(Box::pin(given)).await?;
    for release in &mut releases {
        let mut stacks = report.stacks.iter();
        release.unproven =
            release.live && stacks.any(|it| it.unproven && it.stack == release.stack);
    }
    for unknown in &report.unknown {
        session.ui.warn(unknown);
    }
    for told in report.stacks.iter().filter_map(StackStatusReport::renaming) {
        session.ui.warn(told);
    }
    let given: Vec<GivenFast> = report
        .stacks
        .into_iter()
        .filter(|stack| !stack.fast.is_empty())
        .map(|stack| GivenFast {
            stack: stack.stack,
            resources: stack.fast,
            last: stack.fast_last,
            until: None,
        })
        .collect();
    let mut fast = match session
        .guard(Box::pin(engine::gave_fast(&look.context, &look.targets)))
        .await?
    {
        Ok(gave) => gave,
        Err(error) => {
            session.ui.warn(format!(
                "nobody knows what `deploy --fast` gave before the last full deploys: {error}"
            ));
            Vec::new()
        }
    };
    fast.extend(given);
    // What is live may be older than what was deployed last, and no operation of the stack tells.
    let mut led_back = BTreeMap::new();
    for target in &look.targets {
        let found = look.led_back(session, &target.name).await?;
        if !found.is_empty() {
            led_back.insert(&target.name, found);
        }
    }
    if session.ui.json() {
        session.ui.document(
            &json!({"operations": found, "releases": releases, "fast": fast, "led_back": led_back}),
        );
    } else {
        session.ui.out(ui::history(&found, &releases, &fast));
    }
    Ok(0)
}

/// Returns the newest releases of a stack that are written down, the oldest first.
async fn written(
    look: &Look,
    target: &StackTarget,
    limit: usize,
) -> std::result::Result<Vec<WrittenRelease>, AwsError> {
    let releases = engine::stack_releases(&look.context, target).await?;
    let live = releases.live().await?;
    let mut written = Vec::new();
    for number in releases.newest().take(limit) {
        if let Some(release) = releases.read(number).await? {
            written.push(WrittenRelease {
                stack: target.name.clone(),
                release: number,
                deployed: release.deployed.clone(),
                origin: release.origin.clone(),
                back_to: release.back_to,
                live: live == Some(number),
                failed: releases.failure(number).await?,
                unproven: false,
                lost: releases.lost(&release),
                app: releases.other_app(&release).map(str::to_owned),
            });
        }
    }
    written.reverse();
    Ok(written)
}
