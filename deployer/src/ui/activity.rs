//! Draws the events of the engine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::terminal::{self, wrapped};
use super::{Ui, paint, palette, task};
use crate::engine::{Event, EventSink, LogLine, Outcome, ResourceEvent};
use crate::error::Kind;

/// Draws events: a line for everything that came to an end, and on a terminal a bar for every stack at work.
#[derive(Clone)]
pub struct Activity {
    ui: Ui,
    verb: &'static str,
    stacks: Arc<Mutex<BTreeMap<String, Running>>>,
}

/// A stack at work.
struct Running {
    started: Instant,
    bar: Option<ProgressBar>,
    total: usize,
    finished: usize,
}

impl Activity {
    /// Makes one that draws with `ui` what a verb does; under `--json` every event is a line on standard output too.
    pub fn new(ui: &Ui, verb: &'static str) -> Self {
        Self {
            ui: ui.clone(),
            verb,
            stacks: Arc::default(),
        }
    }

    /// Returns the sink for the engine.
    pub fn sink(&self) -> EventSink {
        let activity = self.clone();
        EventSink::new(move |event| activity.take(&event))
    }

    /// Clears what is drawn, for whatever comes next.
    pub fn finish(&self) {
        let mut stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
        for running in std::mem::take(&mut *stacks).into_values() {
            if let Some(bar) = running.bar {
                bar.finish_and_clear();
            }
        }
    }

    /// Draws one event.
    pub fn take(&self, event: &Event) {
        if self.ui.json() {
            self.ui.json_line(event);
        }
        match event {
            Event::StackStarted { stack } => self.start(stack),
            Event::StackJoined { stack, status } => {
                self.ui.done(
                    "wait",
                    format!("{stack} is busy ({status}), by an earlier run of ours"),
                );
            }
            Event::StackRecovering {
                stack,
                status,
                action,
            } => self
                .ui
                .done("recover", format!("{stack} is {status}: {action}")),
            Event::ArtifactPresent { asset, .. } => {
                if self.ui.verbose() > 0 {
                    self.ui.done("publish", format!("{asset} is there already"));
                }
            }
            Event::ArtifactUploading { .. } => {}
            Event::ArtifactUploaded { asset, size, .. } => {
                self.ui
                    .done("publish", format!("{asset} ({})", bytes(*size)));
            }
            Event::ContentPublished {
                stack,
                content,
                added,
                changed,
                removed,
                ..
            } => self.ui.done(
                "publish",
                format!("{stack}/{content}: {added} added, {changed} changed, {removed} removed"),
            ),
            Event::ChangeSetCreating { stack, .. } => self.message(stack, "computing changes"),
            Event::ChangeSetReady { changes } => {
                self.message(&changes.stack, "changes are computed");
            }
            Event::ChangeSetExecuting { stack, changes } => {
                self.total(stack, *changes);
                self.message(stack, "executing");
            }
            Event::StackDeleting { stack } => self.message(stack, "deleting"),
            Event::BucketEmptied {
                stack,
                logical_id,
                objects,
            } => self.ui.done(
                "empty",
                format!("{stack}/{logical_id}: {objects} objects removed"),
            ),
            Event::Resource(event) => self.resource(event),
            Event::StackFinished { stack, outcome, .. } => self.end(stack, *outcome),
            Event::StackFailed { stack, failure } => {
                self.drop_bar(stack);
                let (word, style) = match failure.kind {
                    Kind::Interrupted => ("stopped", palette::WARNING),
                    _ => ("failed", palette::BAD),
                };
                let text = format!("{stack}: {}", failure.message);
                self.ui.line(task::labelled(word, style, &text));
            }
            Event::StackSkipped { stack, because } => {
                self.drop_bar(stack);
                self.ui.line(task::labelled(
                    "skipped",
                    palette::WARNING,
                    &format!("{stack}, because of {because}"),
                ));
            }
        }
    }

    fn start(&self, stack: &str) {
        let bar = self.ui.bars().map(|bars| {
            let bar = bars.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{prefix} {spinner} {wide_msg}") {
                bar.set_style(style.tick_chars("-\\|/ "));
            }
            bar.set_prefix(task::column(self.verb));
            bar.set_message(stack.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        self.with(|stacks| {
            stacks.insert(
                stack.to_owned(),
                Running {
                    started: Instant::now(),
                    bar,
                    total: 0,
                    finished: 0,
                },
            );
        });
    }

    fn message(&self, stack: &str, text: &str) {
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

    fn total(&self, stack: &str, changes: usize) {
        self.with(|stacks| {
            if let Some(running) = stacks.get_mut(stack) {
                running.total = changes;
                running.finished = 0;
            }
        });
    }

    fn resource(&self, event: &ResourceEvent) {
        if event.is_stack() {
            self.message(&event.stack, &event.status);
            return;
        }
        let complete = event.status.ends_with("_COMPLETE");
        if complete {
            self.with(|stacks| {
                if let Some(running) = stacks.get_mut(&event.stack) {
                    running.finished += 1;
                }
            });
        }
        // What rolls back or is skipped is told; what merely begins is not, unless it is asked for.
        if event.is_failure() || complete || self.ui.verbose() > 0 {
            self.ui.line(resource_line(event));
        }
        self.message(
            &event.stack,
            &format!("{} {}", event.logical_id, event.status),
        );
    }

    fn end(&self, stack: &str, outcome: Outcome) {
        let took = self.with(|stacks| {
            stacks.remove(stack).map(|running| {
                if let Some(bar) = running.bar {
                    bar.finish_and_clear();
                }
                running.started.elapsed()
            })
        });
        let word = word(outcome);
        let time = took.map_or_else(String::new, |took| {
            paint(palette::WEAK, format_args!(" in {}", task::duration(took)))
        });
        let style = if outcome.is_good() {
            palette::GOOD
        } else {
            palette::WARNING
        };
        self.ui
            .line(task::labelled(word, style, &format!("{stack}{time}")));
    }

    fn drop_bar(&self, stack: &str) {
        self.with(|stacks| {
            if let Some(Running { bar: Some(bar), .. }) = stacks.remove(stack) {
                bar.finish_and_clear();
            }
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<String, Running>) -> T) -> T {
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
        Outcome::Absent => "absent",
        Outcome::Declined => "declined",
        Outcome::Skipped => "skipped",
        Outcome::Failed => "failed",
        Outcome::Interrupted => "stopped",
    }
}

/// Renders an event of a resource while it happens: a sign for what was done, or the status in full where that says
/// more.
fn resource_line(event: &ResourceEvent) -> String {
    let name = format!(
        "{}/{} {}",
        event.stack,
        paint(palette::STRONG, &event.logical_id),
        paint(palette::WEAK, &event.resource_type)
    );
    let (sign, style) = match event.status.as_str() {
        "CREATE_COMPLETE" | "IMPORT_COMPLETE" => ("+", palette::GOOD),
        "UPDATE_COMPLETE" => ("~", palette::WARNING),
        "DELETE_COMPLETE" => ("-", palette::BAD),
        "DELETE_SKIPPED" => (">", palette::WARNING),
        _ if event.is_failure() => ("!", palette::BAD),
        _ => return format!("{:12}{name} {}", "", paint(palette::WEAK, &event.status)),
    };
    let mut line = format!("{:10}{} {name}", "", paint(style, sign));
    if event.is_failure() {
        let _ = write!(line, " {}", paint(palette::BAD, &event.status));
        if let Some(reason) = &event.reason {
            let _ = write!(line, "\n{:12}{reason}", "");
        }
        if let Some(source) = &event.source {
            let _ = write!(line, "\n{:12}declared at {source}", "");
        }
    }
    line
}

/// Renders an event of a stack that lies in the past.
pub fn event_line(event: &ResourceEvent) -> String {
    let style = if event.is_failure() {
        palette::BAD
    } else if event.status.ends_with("_COMPLETE") {
        palette::GOOD
    } else {
        palette::ACTIVE
    };
    let width = terminal::width();
    let line = format!(
        "{} {} {}/{} {}",
        paint(palette::WEAK, &event.time),
        paint(style, &event.status),
        event.stack,
        paint(palette::STRONG, &event.logical_id),
        paint(palette::WEAK, &event.resource_type),
    );
    let mut line = wrapped(&line, width, 2);
    if let Some(reason) = &event.reason {
        let _ = write!(line, "\n{}", wrapped(&format!("  {reason}"), width, 2));
    }
    if let Some(source) = &event.source
        && event.is_failure()
    {
        let _ = write!(line, "\n  declared at {source}");
    }
    line
}

/// Renders a line of a log.
pub fn log_line(line: &LogLine) -> String {
    format!(
        "{} {} {}",
        paint(palette::WEAK, &line.time),
        paint(palette::ACTIVE, &line.function),
        line.message
    )
}

/// Writes a size as a person would say it.
fn bytes(size: u64) -> String {
    match size {
        0..1_000 => format!("{size} B"),
        1_000..1_000_000 => format!("{} kB", size / 1_000),
        _ => format!("{}.{} MB", size / 1_000_000, size % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(status: &str) -> ResourceEvent {
        ResourceEvent {
            stack: "intake-dev".to_owned(),
            logical_id: "Queue".to_owned(),
            resource_type: "AWS::SQS::Queue".to_owned(),
            physical_id: None,
            status: status.to_owned(),
            reason: Some("the name is taken".to_owned()),
            time: "2024-01-02T03:04:05Z".to_owned(),
            source: Some("stacks/src/intake.rs:7:5".to_owned()),
        }
    }

    #[test]
    fn events_are_lines() {
        let lines: Vec<String> = [
            "CREATE_COMPLETE",
            "UPDATE_COMPLETE",
            "DELETE_COMPLETE",
            "CREATE_IN_PROGRESS",
            "CREATE_FAILED",
        ]
        .into_iter()
        .map(|status| resource_line(&event(status)))
        .chain([event_line(&event("CREATE_FAILED"))])
        .collect();
        let plain = anstream::adapter::strip_str(&lines.join("\n")).to_string();
        snapbox::assert_data_eq!(
            plain,
            snapbox::str![[r#"
          + intake-dev/Queue AWS::SQS::Queue
          ~ intake-dev/Queue AWS::SQS::Queue
          - intake-dev/Queue AWS::SQS::Queue
            intake-dev/Queue AWS::SQS::Queue CREATE_IN_PROGRESS
          ! intake-dev/Queue AWS::SQS::Queue CREATE_FAILED
            the name is taken
            declared at stacks/src/intake.rs:7:5
2024-01-02T03:04:05Z CREATE_FAILED intake-dev/Queue AWS::SQS::Queue
  the name is taken
  declared at stacks/src/intake.rs:7:5
"#]]
        );
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(bytes(12), "12 B");
        assert_eq!(bytes(354_616), "354 kB");
        assert_eq!(bytes(2_345_678), "2.3 MB");
    }
}
