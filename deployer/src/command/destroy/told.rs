//! What a removal says, before it begins and when it has ended.

use std::path::Path;

use serde_json::json;

use crate::command::{Session, ledger, orphans};
use crate::engine::{DestroyReport, Orphan, Outlook, Survivors};
use crate::ui::Ui;

/// Says what is known of a stack that the source does not have.
pub(super) fn described(orphan: &Orphan) -> String {
    if orphan.is_gone() {
        return format!(
            "{} is gone, and what its removal left to do is done now",
            orphans::placed(orphan)
        );
    }
    let whose = match &orphan.app {
        Some(_) => "",
        None => ", and of no app that its tags name",
    };
    format!(
        "{} is not in this source{whose}: {}{}",
        orphans::placed(orphan),
        orphan.status,
        orphans::last(orphan)
    )
}

/// Says what data goes and what stays, what goes and stands in no template, and what stays and is of no use any more.
pub(super) fn show(ui: &Ui, outlook: &Outlook) {
    for data in &outlook.data {
        if data.is_lost() {
            ui.warn(data.to_string());
        } else {
            ui.line(format!("  {data}"));
        }
    }
    for unreadable in &outlook.unreadable {
        ui.warn(unreadable.to_string());
    }
    for (stack, log_group) in &outlook.log_groups {
        ui.line(format!("  with {stack} go the logs in {log_group}"));
    }
}

/// Says how the removal ended, and what it left.
pub(super) fn finish(
    session: &Session,
    report: &DestroyReport,
    survivors: Option<&Survivors>,
    file: Option<&Path>,
    besides: (&[Orphan], &[String]),
) {
    if session.ui.json() {
        let mut summary = summary(report, besides);
        // Nothing, where nobody could look.
        let found = survivors.map(|survivors| &survivors.found);
        summary.insert("survivors".to_owned(), json!(found));
        let unsearched = survivors.map(|survivors| survivors.unsearched.keys());
        let unsearched: Vec<_> = unsearched.into_iter().flatten().collect();
        if !unsearched.is_empty() {
            summary.insert("unsearched".to_owned(), json!(unsearched));
        }
        session.ui.json_line(&summary);
    } else {
        let found = survivors.map(|survivors| survivors.found.as_slice());
        ledger::show(&session.ui, report, found.unwrap_or_default(), file);
    }
}

/// Tells which stacks stay that the source does not have.
pub(super) fn tell_left(ui: &Ui, left: &[Orphan]) {
    for orphan in left {
        let next = &orphan.next;
        if orphan.is_gone() {
            orphans::tell_gone(ui, &orphans::placed(orphan), next);
            continue;
        }
        let why = if orphan.is_ambiguous {
            "it is not the only one of its name"
        } else {
            "consent was given before anybody knew of it"
        };
        ui.warn(format!(
            "{} is not in this source and stays, as {why}: `{next}` removes it",
            orphans::placed(orphan)
        ));
    }
}

/// The last line of the stream: how every stack ended up, which stay that the source does not have, and in which regions nobody
/// could look for such.
pub(super) fn summary(
    report: &DestroyReport,
    (left, unseen): (&[Orphan], &[String]),
) -> serde_json::Map<String, serde_json::Value> {
    let mut fields = serde_json::Map::new();
    fields.insert("type".to_owned(), "summary".into());
    fields.insert("stacks".to_owned(), json!(report.stacks));
    if !left.is_empty() {
        fields.insert("orphans".to_owned(), json!(left));
    }
    if !unseen.is_empty() {
        fields.insert("unseen".to_owned(), json!(unseen));
    }
    fields
}
