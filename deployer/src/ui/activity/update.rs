//! What a stack at work has told of its resources.

use std::collections::BTreeMap;
use std::time::Instant;

use indicatif::ProgressBar;

use super::line::{Sign, line, named};
use crate::engine::ResourceEvent;

/// A stack at work.
pub(super) struct Running {
    pub(super) started: Instant,
    pub(super) region: Option<String>,
    pub(super) bar: Option<ProgressBar>,
    pub(super) total: usize,
    pub(super) finished: usize,
    /// What an update changes, by logical id. Events of other resources say nothing: CloudFormation sends none, and the
    /// local engine one for each that there is.
    pub(super) update: Option<BTreeMap<String, Planned>>,
    /// What events said of resources that an operation began to change, by logical id.
    pub(super) begun: BTreeMap<String, Begun>,
    /// Whether what was done is being taken back.
    pub(super) backwards: bool,
}

/// What an event says of a change that begins, where its end says less: an update ends the same way whatever it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// The resource may be one that was there: AWS names those, and the local engine neither them nor what is new.
    Unsaid,
    Creation,
    Replacement,
}

impl Begun {
    fn of(event: &ResourceEvent) -> Option<Self> {
        let unnamed = event.physical_id.is_none();
        match event.status.as_str() {
            "CREATE_IN_PROGRESS" => Some(Self::Creation),
            "UPDATE_IN_PROGRESS" if event.reason.as_deref().is_some_and(says_replaced) => {
                Some(Self::Replacement)
            }
            "UPDATE_IN_PROGRESS" if unnamed => Some(Self::Unsaid),
            _ => None,
        }
    }
}

/// Returns whether the reason of an update that begins is that the resource is replaced: the status is that of every update
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-monitor-stack.html>).
fn says_replaced(reason: &str) -> bool {
    reason.starts_with("Requested update require") && reason.contains("new physical resource")
}

/// A resource that an update changes.
pub(super) struct Planned {
    pub(super) resource_type: String,
    pub(super) action: String,
    /// Whether another resource takes its place for sure.
    pub(super) is_replaced: bool,
    /// What becomes of the resource itself, where it is removed.
    pub(super) policy: Option<String>,
    /// Whether its line was printed.
    pub(super) told: bool,
}

impl Planned {
    /// A resource that gets another logical id.
    pub(super) fn renamed() -> Self {
        Self {
            resource_type: String::new(),
            action: "Rename".to_owned(),
            is_replaced: false,
            policy: None,
            told: false,
        }
    }
}

impl Running {
    /// Takes note of an event. Returns how its line begins; nothing, where the resource is none that changes.
    pub(super) fn hear(
        &mut self,
        event: &ResourceEvent,
        complete: bool,
        told: bool,
    ) -> Option<Sign> {
        let mut sign = Sign::of(event);
        if self.backwards && matches!(sign, Sign::Created | Sign::Updated | Sign::Deleted) {
            sign = Sign::TakenBack;
        }
        if let Some(begun) = Begun::of(event) {
            let known = self.begun.entry(event.logical_id.clone()).or_insert(begun);
            if begun != Begun::Unsaid {
                *known = begun;
            }
        }
        let begun = self.begun.get(&event.logical_id).copied();
        if sign == Sign::Updated {
            sign = match begun {
                Some(Begun::Creation) => Sign::Created,
                Some(Begun::Replacement) => Sign::Replaced,
                // Of an operation that another run began, nobody knows what it was to do.
                Some(Begun::Unsaid) if self.update.is_none() => Sign::None,
                Some(Begun::Unsaid) | None => Sign::Updated,
            };
        }
        if let Some(update) = &mut self.update {
            match update.get_mut(&event.logical_id) {
                Some(planned) => {
                    planned.told |= told;
                    // The local engine calls a resource updated that an update created.
                    if sign == Sign::Updated && planned.action == "Add" {
                        sign = Sign::Created;
                    }
                    if sign == Sign::Updated && planned.is_replaced {
                        sign = Sign::Replaced;
                    }
                }
                None if event.is_failure() || event.status.starts_with("DELETE_") => {}
                None => return None,
            }
        }
        if complete {
            self.finished += 1;
        }
        Some(sign)
    }

    /// Takes note of a status of the stack itself. Returns whether a rollback begins with it.
    pub(super) fn turns(&mut self, status: &str) -> bool {
        let turns = !self.backwards && status.ends_with("ROLLBACK_IN_PROGRESS");
        self.backwards |= turns;
        turns
    }

    /// Forgets what was told of an operation that is over: a run may wait for one, and then begin another.
    pub(super) fn begin_anew(&mut self) {
        self.total = 0;
        self.finished = 0;
        self.update = None;
        self.begun.clear();
        self.backwards = false;
    }

    /// Returns lines for what an update removed without an event, as it does in the local engine.
    pub(super) fn silently_gone(&self, stack: &str) -> Vec<String> {
        let update = self.update.iter().flatten();
        let gone = update.filter(|(_, planned)| planned.action == "Remove" && !planned.told);
        gone.map(|(logical_id, planned)| {
            let sign = match planned.policy.as_deref() {
                None | Some("Delete") => Sign::Deleted,
                Some(_) => Sign::Kept,
            };
            line(sign, &named(stack, logical_id, &planned.resource_type))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::tests::event;
    use super::*;

    #[test]
    fn an_update_tells_what_it_changes_and_nothing_else() {
        let planned = |action: &str, policy: Option<&str>| Planned {
            resource_type: "AWS::SQS::Queue".to_owned(),
            action: action.to_owned(),
            is_replaced: false,
            policy: policy.map(str::to_owned),
            told: false,
        };
        let replaced = Planned {
            is_replaced: true,
            ..planned("Modify", None)
        };
        let mut running = Running {
            started: Instant::now(),
            region: None,
            bar: None,
            total: 3,
            finished: 0,
            update: Some(BTreeMap::from([
                ("New".to_owned(), planned("Add", None)),
                ("Old".to_owned(), planned("Remove", Some("Delete"))),
                ("Kept".to_owned(), planned("Remove", Some("Retain"))),
                ("Queue".to_owned(), planned("Modify", None)),
                ("Other".to_owned(), replaced),
            ])),
            begun: BTreeMap::new(),
            backwards: false,
        };
        let mut hear = |logical_id: &str, status: &str| {
            let event = ResourceEvent {
                logical_id: logical_id.to_owned(),
                ..event(status)
            };
            running.hear(&event, status.ends_with("_COMPLETE"), true)
        };
        assert_eq!(hear("Untouched", "UPDATE_COMPLETE"), None);
        assert_eq!(hear("Queue", "UPDATE_COMPLETE"), Some(Sign::Updated));
        assert_eq!(hear("New", "UPDATE_COMPLETE"), Some(Sign::Created));
        assert_eq!(hear("Other", "UPDATE_COMPLETE"), Some(Sign::Replaced));
        assert_eq!(hear("Untouched", "UPDATE_FAILED"), Some(Sign::Failed));
        // What a replacement leaves behind is told too.
        assert_eq!(hear("Queue", "DELETE_COMPLETE"), Some(Sign::Deleted));
        assert_eq!(running.finished, 4);
        let gone = running.silently_gone("intake-dev").join("\n");
        snapbox::assert_data_eq!(
            anstream::adapter::strip_str(&gone).to_string(),
            snapbox::str![[r#"
          > intake-dev/Kept AWS::SQS::Queue
          - intake-dev/Old AWS::SQS::Queue
"#]]
        );
        running.hear(
            &ResourceEvent {
                logical_id: "Old".to_owned(),
                ..event("DELETE_COMPLETE")
            },
            true,
            true,
        );
        assert_eq!(running.silently_gone("intake-dev").len(), 1);

        // A rollback sends the same statuses.
        assert!(!running.turns("UPDATE_IN_PROGRESS"));
        assert!(running.turns("UPDATE_ROLLBACK_IN_PROGRESS"));
        assert!(
            !running.turns("UPDATE_ROLLBACK_IN_PROGRESS"),
            "it is told once"
        );
        for (status, sign) in [
            ("UPDATE_COMPLETE", Sign::TakenBack),
            ("DELETE_COMPLETE", Sign::TakenBack),
            ("UPDATE_FAILED", Sign::Failed),
        ] {
            assert_eq!(running.hear(&event(status), true, true), Some(sign));
        }

        // What was taken back may have been the operation of an earlier run.
        running.begin_anew();
        assert_eq!(
            running.hear(&event("UPDATE_COMPLETE"), true, true),
            Some(Sign::Updated)
        );
        assert!(running.turns("UPDATE_ROLLBACK_IN_PROGRESS"));
    }

    /// The events of an operation that an earlier run began, whose changes nobody here computed.
    #[test]
    fn without_a_plan_the_beginning_of_a_change_says_what_its_end_is() {
        let mut running = Running {
            started: Instant::now(),
            region: None,
            bar: None,
            total: 0,
            finished: 0,
            update: None,
            begun: BTreeMap::new(),
            backwards: false,
        };
        let mut hear = |logical_id: &str, status: &str, id: Option<&str>, reason: Option<&str>| {
            let event = ResourceEvent {
                logical_id: logical_id.to_owned(),
                physical_id: id.map(str::to_owned),
                reason: reason.map(str::to_owned),
                ..event(status)
            };
            running.hear(&event, status.ends_with("_COMPLETE"), true)
        };
        let old = Some("old");
        let replacing = "Requested update requires the creation of a new physical resource; hence creating one.";
        hear("Made", "CREATE_IN_PROGRESS", None, None);
        hear("Anew", "UPDATE_IN_PROGRESS", None, None);
        hear("Anew", "UPDATE_IN_PROGRESS", old, Some(replacing));
        hear("Anew", "UPDATE_IN_PROGRESS", Some("new"), None);
        hear("There", "UPDATE_IN_PROGRESS", old, None);
        // The local engine does not say whether it is new.
        hear("Unsaid", "UPDATE_IN_PROGRESS", None, None);
        for (logical_id, sign) in [
            ("Made", Sign::Created),
            ("Anew", Sign::Replaced),
            ("There", Sign::Updated),
            ("Unsaid", Sign::None),
        ] {
            let heard = hear(logical_id, "UPDATE_COMPLETE", Some("id"), None);
            assert_eq!(heard, Some(sign), "{logical_id}");
        }
        running.begin_anew();
        assert!(running.begun.is_empty());
    }
}
