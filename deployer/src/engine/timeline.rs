//! How long each resource of an operation took, and which of them the others waited for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Operation, Origin, ResourceEvent, StackStatus};
use crate::template::dependencies;

/// An operation as bars on a line of time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timeline {
    /// The stack.
    pub stack: String,
    /// What was done.
    pub operation: String,
    /// The last status of the stack.
    pub status: StackStatus,
    /// When it began, in RFC 3339.
    pub began: String,
    /// When it ended, where it did.
    pub ended: Option<String>,
    /// Who began it, with what.
    #[serde(flatten)]
    pub origin: Origin,
    /// How long it took so far, in milliseconds.
    pub took: u64,
    /// What was done to each resource, in the order of the beginnings.
    pub resources: Vec<Span>,
}

/// What was done to one resource, from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The logical id.
    pub logical_id: String,
    /// The resource type.
    pub resource_type: String,
    /// What was done: `create`, `update`, `delete`, `import`.
    pub action: String,
    /// The last status.
    pub status: String,
    /// The part of the operation in which it was done.
    pub phase: Phase,
    /// When it began, in milliseconds after the operation did.
    pub began: u64,
    /// How long it took, in milliseconds; for one that is not done, so far.
    pub took: u64,
    /// Whether the end of the operation waited for it: had it been faster, so had been the operation.
    pub critical: bool,
}

/// A part of an operation, each of which begins when the one before is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// What was asked for.
    Change,
    /// What takes that back.
    Rollback,
    /// The removal of what was replaced.
    Cleanup,
}

impl Timeline {
    /// Lays out the events of an operation. The template tells what waits for what.
    pub fn of(operation: &Operation, template: &Value) -> Self {
        let clock = Clock::of(operation);
        let mut spans = spans(operation, &clock);
        mark_critical(&mut spans, &dependencies(template));
        Self {
            stack: operation.stack.clone(),
            operation: operation.operation.clone(),
            status: operation.status.clone(),
            began: operation.began.clone(),
            ended: operation.ended.clone(),
            origin: operation.origin.clone(),
            took: clock.last,
            resources: spans,
        }
    }
}

/// Milliseconds since the beginning of an operation.
struct Clock {
    began: Option<Timestamp>,
    last: u64,
}

impl Clock {
    fn of(operation: &Operation) -> Self {
        let mut clock = Self {
            began: operation.began.parse().ok(),
            last: 0,
        };
        clock.last = operation
            .events
            .iter()
            .map(|event| clock.at(event))
            .max()
            .unwrap_or_default();
        clock
    }

    /// Returns when an event happened; the beginning, where its time cannot be read.
    fn at(&self, event: &ResourceEvent) -> u64 {
        let since = self
            .began
            .zip(event.time.parse::<Timestamp>().ok())
            .map(|(began, at)| at.duration_since(began).as_millis());
        since
            .and_then(|millis| u64::try_from(millis).ok())
            .unwrap_or_default()
    }
}

fn spans(operation: &Operation, clock: &Clock) -> Vec<Span> {
    let mut spans: Vec<(Span, bool)> = Vec::new();
    let mut phase = Phase::Change;
    for event in &operation.events {
        if event.is_stack() {
            phase = match event.status.as_str() {
                status if status.contains("CLEANUP") => Phase::Cleanup,
                status if status.contains("ROLLBACK") && operation.operation != "rollback" => {
                    Phase::Rollback
                }
                _ => phase,
            };
            continue;
        }
        let at = clock.at(event);
        let action = action(&event.status);
        let over = !event.status.ends_with("_IN_PROGRESS");
        let open = spans.iter_mut().rev().find(|(span, over)| {
            span.logical_id == event.logical_id && span.action == action && !over
        });
        match open {
            Some((span, ended)) => {
                span.took = at.saturating_sub(span.began);
                span.status.clone_from(&event.status);
                *ended = over;
            }
            None => spans.push((
                Span {
                    logical_id: event.logical_id.clone(),
                    resource_type: event.resource_type.clone(),
                    action: action.to_owned(),
                    status: event.status.clone(),
                    phase,
                    began: at,
                    took: 0,
                    critical: false,
                },
                over,
            )),
        }
    }
    let mut spans: Vec<Span> = spans
        .into_iter()
        .map(|(mut span, over)| {
            if !over {
                span.took = clock.last.saturating_sub(span.began);
            }
            span
        })
        .collect();
    spans.sort_by_key(|span| span.began);
    spans
}

fn action(status: &str) -> &'static str {
    match status {
        _ if status.starts_with("CREATE") => "create",
        _ if status.starts_with("DELETE") => "delete",
        _ if status.starts_with("IMPORT") => "import",
        _ => "update",
    }
}

/// Marks what the end of the operation waited for: the last to end, of what that one needs the last to end, and so on.
/// A phase waits for the end of the one before.
fn mark_critical(spans: &mut [Span], needs: &BTreeMap<String, BTreeSet<String>>) {
    let end = |span: &Span| span.began + span.took;
    let waits = |span: &Span, before: &Span| {
        let of = |id: &str, other: &str| needs.get(id).is_some_and(|needs| needs.contains(other));
        if span.action == "delete" {
            of(&before.logical_id, &span.logical_id)
        } else {
            of(&span.logical_id, &before.logical_id)
        }
    };
    let last = (0..spans.len()).max_by_key(|position| end(&spans[*position]));
    let mut next = last;
    while let Some(position) = next {
        spans[position].critical = true;
        let span = &spans[position];
        let ended_before = |other: &usize| {
            let other = &spans[*other];
            !other.critical && end(other) <= span.began
        };
        let before = || (0..spans.len()).filter(ended_before);
        next = before()
            .filter(|other| spans[*other].phase == span.phase && waits(span, &spans[*other]))
            .max_by_key(|other| end(&spans[*other]))
            .or_else(|| {
                before()
                    .filter(|other| spans[*other].phase < span.phase)
                    .max_by_key(|other| (spans[*other].phase, end(&spans[*other])))
            });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(second: u32, logical_id: &str, status: &str) -> ResourceEvent {
        ResourceEvent {
            stack: "intake-dev".into(),
            logical_id: logical_id.into(),
            resource_type: if logical_id == "intake-dev" {
                "AWS::CloudFormation::Stack".into()
            } else {
                "AWS::SQS::Queue".into()
            },
            physical_id: None,
            status: status.into(),
            reason: None,
            time: format!("2026-07-28T06:{:02}:{:02}.500Z", second / 60, second % 60),
            source: None,
        }
    }

    fn timeline(events: Vec<ResourceEvent>) -> Timeline {
        let operation = Operation {
            stack: "intake-dev".into(),
            operation: "update".into(),
            status: StackStatus::new("UPDATE_COMPLETE"),
            began: events[0].time.clone(),
            ended: None,
            origin: Origin::default(),
            events,
        };
        let template = json!({"Resources": {
            "Role": {}, "Table": {}, "Slow": {},
            "Function": {"Role": {"Ref": "Role"}, "Table": {"Ref": "Table"}},
            "Alarm": {"Function": {"Ref": "Function"}},
        }});
        Timeline::of(&operation, &template)
    }

    fn told(timeline: &Timeline) -> Vec<(&str, &str, u64, u64, bool)> {
        timeline
            .resources
            .iter()
            .map(|span| {
                (
                    span.logical_id.as_str(),
                    span.action.as_str(),
                    span.began / 1000,
                    span.took / 1000,
                    span.critical,
                )
            })
            .collect()
    }

    #[test]
    fn the_critical_path_follows_what_waits() {
        let timeline = timeline(vec![
            event(0, "intake-dev", "UPDATE_IN_PROGRESS"),
            event(1, "Role", "CREATE_IN_PROGRESS"),
            event(1, "Table", "CREATE_IN_PROGRESS"),
            event(1, "Slow", "UPDATE_IN_PROGRESS"),
            event(2, "Table", "CREATE_IN_PROGRESS"),
            event(9, "Table", "CREATE_COMPLETE"),
            event(16, "Role", "CREATE_COMPLETE"),
            event(17, "Function", "CREATE_IN_PROGRESS"),
            event(23, "Function", "CREATE_COMPLETE"),
            event(24, "Slow", "UPDATE_COMPLETE"),
            event(24, "Alarm", "CREATE_IN_PROGRESS"),
            event(25, "Alarm", "CREATE_COMPLETE"),
            event(26, "intake-dev", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
            event(27, "Old", "DELETE_IN_PROGRESS"),
            event(90, "Old", "DELETE_COMPLETE"),
            event(91, "intake-dev", "UPDATE_COMPLETE"),
        ]);
        assert_eq!(
            told(&timeline),
            [
                ("Role", "create", 1, 15, true),
                ("Table", "create", 1, 8, false),
                ("Slow", "update", 1, 23, false),
                ("Function", "create", 17, 6, true),
                ("Alarm", "create", 24, 1, true),
                ("Old", "delete", 27, 63, true),
            ]
        );
        assert_eq!(timeline.took, 91_000);
        assert_eq!(timeline.resources[5].phase, Phase::Cleanup);
    }

    #[test]
    fn what_is_taken_back_is_a_bar_of_its_own_and_what_runs_reaches_to_now() {
        let timeline = timeline(vec![
            event(0, "intake-dev", "UPDATE_IN_PROGRESS"),
            event(1, "Role", "UPDATE_IN_PROGRESS"),
            event(3, "Role", "UPDATE_COMPLETE"),
            event(4, "Function", "UPDATE_IN_PROGRESS"),
            event(6, "Function", "UPDATE_FAILED"),
            event(7, "intake-dev", "UPDATE_ROLLBACK_IN_PROGRESS"),
            event(8, "Role", "UPDATE_IN_PROGRESS"),
            event(20, "Table", "UPDATE_IN_PROGRESS"),
        ]);
        assert_eq!(
            told(&timeline),
            [
                ("Role", "update", 1, 2, true),
                ("Function", "update", 4, 2, true),
                ("Role", "update", 8, 12, false),
                ("Table", "update", 20, 0, true),
            ]
        );
        let phases: Vec<Phase> = timeline.resources.iter().map(|span| span.phase).collect();
        assert_eq!(
            phases,
            [
                Phase::Change,
                Phase::Change,
                Phase::Rollback,
                Phase::Rollback
            ]
        );
    }

    #[test]
    fn deletions_wait_for_those_that_need_what_goes() {
        let timeline = timeline(vec![
            event(0, "intake-dev", "DELETE_IN_PROGRESS"),
            event(1, "Alarm", "DELETE_IN_PROGRESS"),
            event(2, "Alarm", "DELETE_COMPLETE"),
            event(2, "Function", "DELETE_IN_PROGRESS"),
            event(5, "Function", "DELETE_COMPLETE"),
            event(5, "Table", "DELETE_IN_PROGRESS"),
            event(9, "Table", "DELETE_COMPLETE"),
        ]);
        assert!(timeline.resources.iter().all(|span| span.critical));
    }
}
