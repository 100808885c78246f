//! The stacks at work: a bar for each on a terminal, and what is told of their resources.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::Activity;
use super::line::{Sign, resource_line};
use super::update::{Planned, Running};
use crate::engine::{Outcome, ProposedChanges, Replacement, ResourceEvent};
use crate::ui::{paint, palette, task};

impl Activity {
    pub(super) fn start(&self, stack: &str, region: Option<&str>) {
        let bar = self.ui.bars().map(|bars| {
            let bar = bars.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{prefix} {spinner} {wide_msg}") {
                bar.set_style(style.tick_chars("-\\|/ "));
            }
            bar.set_prefix(self.ui.column(self.verb));
            bar.set_message(stack.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        self.with(|stacks| {
            stacks.insert(
                stack.to_owned(),
                Running {
                    started: Instant::now(),
                    region: region.map(str::to_owned),
                    bar,
                    total: 0,
                    finished: 0,
                    update: None,
                    begun: BTreeMap::new(),
                    backwards: false,
                },
            );
        });
    }

    pub(super) fn message(&self, stack: &str, text: &str) {
        self.with(|stacks| {
            if let Some(running) = stacks.get(stack)
                && let Some(bar) = &running.bar
            {
                let count = if running.total > 0 {
                    format!(" {}/{}", running.finished.min(running.total), running.total)
                } else {
                    String::new()
                };
                bar.set_message(format!("{stack}{count}: {text}"));
            }
        });
    }

    pub(super) fn total(&self, stack: &str, changes: usize) {
        self.with(|stacks| {
            if let Some(running) = stacks.get_mut(stack) {
                running.total = changes;
                running.finished = 0;
            }
        });
    }

    pub(super) fn resource(&self, event: &ResourceEvent) {
        if event.is_stack() {
            self.message(&event.stack, &event.status);
            let turns = self.with(|stacks| {
                let running = stacks.get_mut(&event.stack)?;
                running.turns(&event.status).then_some(())
            });
            if turns.is_some() {
                let text = format!("{}: what was done is taken back", event.stack);
                self.ui.labelled("rollback", palette::WARNING, &text);
            }
            return;
        }
        let complete = event.status.ends_with("_COMPLETE");
        let told = event.is_failure() || complete || event.status == "DELETE_SKIPPED";
        let Some(sign) = self.with(|stacks| match stacks.get_mut(&event.stack) {
            Some(running) => running.hear(event, complete, told),
            None => Some(Sign::of(event)),
        }) else {
            return;
        };
        // What rolls back or is skipped is told; what merely begins is not, unless it is asked for.
        if told || self.ui.verbose() > 0 {
            self.ui.line(resource_line(event, sign, self.ui.width()));
        }
        self.message(
            &event.stack,
            &format!("{} {}", event.logical_id, event.status),
        );
    }

    /// Says that what follows is another operation than the one that was told of so far.
    pub(super) fn turn(&self, stack: &str) {
        self.with(|stacks| {
            if let Some(running) = stacks.get_mut(stack) {
                running.begin_anew();
            }
        });
    }

    /// Remembers what an update changes.
    pub(super) fn plan(&self, changes: &ProposedChanges) {
        self.turn(&changes.stack);
        if changes.create {
            return;
        }
        let planned = changes.changes.iter().map(|change| {
            let planned = Planned {
                resource_type: change.resource_type.clone(),
                action: change.action.clone(),
                is_replaced: change.replacement == Some(Replacement::Always),
                policy: change.policy_action.clone(),
                told: false,
            };
            (change.logical_id.clone(), planned)
        });
        let planned = planned.collect();
        self.with(|stacks| {
            if let Some(running) = stacks.get_mut(&changes.stack) {
                running.update = Some(planned);
            }
        });
    }

    /// Remembers what a step of a rename is about. What takes its name from that is updated with it, and is not told.
    pub(super) fn rename(&self, stack: &str, moves: &BTreeMap<String, String>) {
        let ids = moves.iter().flat_map(|(from, to)| [from, to]);
        let renamed = ids.map(|id| (id.clone(), Planned::renamed())).collect();
        self.with(|stacks| {
            if let Some(running) = stacks.get_mut(stack) {
                running.begin_anew();
                running.update = Some(renamed);
            }
        });
    }

    pub(super) fn end(&self, stack: &str, outcome: Outcome) {
        let ended = self.with(|stacks| stacks.remove(stack));
        let (mut name, mut time) = (stack.to_owned(), String::new());
        if let Some(running) = ended {
            if let Some(bar) = &running.bar {
                bar.finish_and_clear();
            }
            if outcome == Outcome::Updated {
                for line in running.silently_gone(stack) {
                    self.ui.line(line);
                }
            }
            let took = task::duration(running.started.elapsed());
            time = paint(palette::WEAK, format_args!(" in {took}"));
            if let Some(region) = running.region {
                name = format!("{stack} ({region})");
            }
        }
        let word = word(outcome);
        // A stack may come to its turn more than once in a run.
        let told = BTreeSet::from([word.to_owned()]);
        if self.said.news(&format!("{name} ends"), told).is_empty() && outcome == Outcome::Unchanged
        {
            return;
        }
        let style = if outcome.is_good() {
            palette::GOOD
        } else {
            palette::WARNING
        };
        self.ui.labelled(word, style, &format!("{name}{time}"));
    }

    pub(super) fn drop_bar(&self, stack: &str) {
        self.with(|stacks| {
            if let Some(Running { bar: Some(bar), .. }) = stacks.remove(stack) {
                bar.finish_and_clear();
            }
        });
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<String, Running>) -> T) -> T {
        act(&mut self.stacks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns the verb that says how a stack ended up.
fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Updated => "updated",
        Outcome::Unchanged => "unchanged",
        Outcome::Deleted => "deleted",
        Outcome::RolledBack => "restored",
        Outcome::Absent => "absent",
        Outcome::Declined => "declined",
        Outcome::Skipped => "skipped",
        Outcome::Failed => "failed",
        Outcome::Interrupted => "stopped",
    }
}
