//! Draws the events of the engine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::terminal::{self, wrapped};
use super::{Ui, paint, palette, task};
use crate::engine::{Event, EventSink, LogLine, Outcome, ProposedChanges, ResourceEvent};
use crate::error::Kind;

/// Draws events: a line for everything that came to an end, and on a terminal a bar for every stack at work.
#[derive(Clone)]
pub struct Activity {
    ui: Ui,
    verb: &'static str,
    stacks: Arc<Mutex<BTreeMap<String, Running>>>,
    /// Whether it was said that artifacts are uploaded.
    publishing: Arc<AtomicBool>,
}

/// A stack at work.
struct Running {
    started: Instant,
    region: Option<String>,
    bar: Option<ProgressBar>,
    total: usize,
    finished: usize,
    /// What an update changes, by logical id. Events of other resources say nothing: CloudFormation sends none, and the
    /// local engine one for each that there is.
    update: Option<BTreeMap<String, Planned>>,
}

/// A resource that an update changes.
struct Planned {
    resource_type: String,
    action: String,
    /// What becomes of the resource itself, where it is removed.
    policy: Option<String>,
    /// Whether its line was printed.
    told: bool,
}

impl Activity {
    /// Makes one that draws with `ui` what a verb does; under `--json` every event is a line on standard output too.
    pub fn new(ui: &Ui, verb: &'static str) -> Self {
        Self {
            ui: ui.clone(),
            verb,
            stacks: Arc::default(),
            publishing: Arc::default(),
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
            Event::StackStarted { stack, region } => self.start(stack, region.as_deref()),
            Event::Warning { stack, message } => self.ui.warn(format!("{stack}: {message}")),
            Event::StackJoined { stack, status } => {
                self.ui.done(
                    "wait",
                    format!("{stack} is busy ({status}), by an earlier run of ours"),
                );
            }
            Event::StackWaiting {
                stack,
                status,
                by,
                since,
            } => self.ui.done(
                "wait",
                format!("{stack} is busy ({status}) since {since}, by {by}"),
            ),
            Event::StackContended { stack, by, since } => self.ui.warn(format!(
                "{by} has computed changes of {stack} too, since {since}: whoever executes first wins, the other is told"
            )),
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
            Event::ArtifactUploading { .. } => {
                if !self.publishing.swap(true, Ordering::Relaxed) {
                    self.ui.begin("publish", "uploading artifacts");
                }
            }
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
            Event::ExportsKept { stack, importers } => {
                for (export, stacks) in importers {
                    let text = format!("{stack}: {export}, until {} lets go", stacks.join(", "));
                    self.ui.done("keep", text);
                }
            }
            Event::CodeUpdated {
                stack, logical_id, ..
            } => self.ui.done("code", format!("{stack}/{logical_id}")),
            Event::ChangeSetCreating { stack, .. } => self.message(stack, "computing changes"),
            Event::ChangeSetReady { changes } => {
                self.plan(changes);
                self.message(&changes.stack, "changes are computed");
            }
            Event::ChangeSetExecuting {
                stack,
                changes,
                express,
            } => {
                self.total(stack, *changes);
                self.message(stack, "executing");
                let text = format!("{stack}: {}", count(*changes, "change"));
                self.ui.begin(self.verb, text);
                if *express {
                    self.ui.done(
                        "express",
                        format!("{stack}: resources may get ready only after the deploy (`--no-express` waits)"),
                    );
                }
            }
            Event::StackRollingBack {
                stack,
                status,
                skip,
            } => {
                let without = if skip.is_empty() {
                    String::new()
                } else {
                    format!(", without {}", skip.join(", "))
                };
                self.message(stack, "rolling back");
                self.ui
                    .begin(self.verb, format!("{stack} from {status}{without}"));
            }
            Event::StackDeleting { stack } => {
                self.message(stack, "deleting");
                self.ui.begin(self.verb, stack);
            }
            Event::BucketEmptying {
                stack,
                logical_id,
                objects,
            } => self.message(stack, &format!("{logical_id}: {objects} objects removed")),
            Event::LogGroupRemoved { stack, log_group } => {
                self.ui
                    .done("remove", format!("{log_group}, made for {stack}"));
            }
            Event::BucketEmptied {
                stack,
                logical_id,
                objects,
            } => self.ui.done(
                "empty",
                format!(
                    "{stack}/{logical_id}: {} removed",
                    count(*objects, "object")
                ),
            ),
            Event::SmokeAnswered {
                stack,
                check,
                method,
                url,
                status,
            } => self.ui.done(
                "check",
                format!("{stack}/{check}: {method} {url} is answered with {status}"),
            ),
            Event::AliasLedBack {
                stack,
                logical_id,
                from,
                to,
            } => self.ui.warn(format!(
                "{stack}/{logical_id}: led back from version {from} to {to}"
            )),
            Event::StackProven {
                stack,
                functions,
                triggers,
                ..
            } => {
                if self.ui.verbose() > 0 {
                    let seen = [(*functions, "function"), (*triggers, "trigger")];
                    let seen = seen.iter().filter(|(number, _)| *number > 0);
                    let seen: Vec<String> = seen.map(|(number, of)| count(*number, of)).collect();
                    if !seen.is_empty() {
                        let text = format!("{stack}: {} as deployed", seen.join(", "));
                        self.ui.done("check", text);
                    }
                }
            }
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

    fn start(&self, stack: &str, region: Option<&str>) {
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
                    region: region.map(str::to_owned),
                    bar,
                    total: 0,
                    finished: 0,
                    update: None,
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
        let told = event.is_failure() || complete || event.status == "DELETE_SKIPPED";
        let Some(sign) = self.with(|stacks| match stacks.get_mut(&event.stack) {
            Some(running) => running.hear(event, complete, told),
            None => Some(Sign::of(event)),
        }) else {
            return;
        };
        // What rolls back or is skipped is told; what merely begins is not, unless it is asked for.
        if told || self.ui.verbose() > 0 {
            self.ui.line(resource_line(event, sign));
        }
        self.message(
            &event.stack,
            &format!("{} {}", event.logical_id, event.status),
        );
    }

    /// Remembers what an update changes.
    fn plan(&self, changes: &ProposedChanges) {
        if changes.create {
            return;
        }
        let planned = changes.changes.iter().map(|change| {
            let planned = Planned {
                resource_type: change.resource_type.clone(),
                action: change.action.clone(),
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

    fn end(&self, stack: &str, outcome: Outcome) {
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
        let style = if outcome.is_good() {
            palette::GOOD
        } else {
            palette::WARNING
        };
        self.ui
            .line(task::labelled(word, style, &format!("{name}{time}")));
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

impl Running {
    /// Takes note of an event. Returns how its line begins; nothing, where the resource is none that changes.
    fn hear(&mut self, event: &ResourceEvent, complete: bool, told: bool) -> Option<Sign> {
        let mut sign = Sign::of(event);
        if let Some(update) = &mut self.update {
            match update.get_mut(&event.logical_id) {
                Some(planned) => {
                    planned.told |= told;
                    // The local engine calls a resource updated that an update created.
                    if sign == Sign::Updated && planned.action == "Add" {
                        sign = Sign::Created;
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

    /// Returns lines for what an update removed without an event, as it does in the local engine.
    fn silently_gone(&self, stack: &str) -> Vec<String> {
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

/// What the line of a resource begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Created,
    Updated,
    Deleted,
    Kept,
    Failed,
    /// The status says more.
    None,
}

impl Sign {
    fn of(event: &ResourceEvent) -> Self {
        match event.status.as_str() {
            "CREATE_COMPLETE" | "IMPORT_COMPLETE" => Self::Created,
            "UPDATE_COMPLETE" => Self::Updated,
            "DELETE_COMPLETE" => Self::Deleted,
            "DELETE_SKIPPED" => Self::Kept,
            _ if event.is_failure() => Self::Failed,
            _ => Self::None,
        }
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

/// Renders an event of a resource while it happens: a sign for what was done, or the status in full where that says
/// more.
fn resource_line(event: &ResourceEvent, sign: Sign) -> String {
    let mut line = line(
        sign,
        &named(&event.stack, &event.logical_id, &event.resource_type),
    );
    if sign == Sign::None {
        let _ = write!(line, " {}", paint(palette::WEAK, &event.status));
    }
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

fn named(stack: &str, logical_id: &str, resource_type: &str) -> String {
    format!(
        "{stack}/{} {}",
        paint(palette::STRONG, logical_id),
        paint(palette::WEAK, resource_type)
    )
}

fn line(sign: Sign, text: &str) -> String {
    let (sign, style) = match sign {
        Sign::Created => ("+", palette::GOOD),
        Sign::Updated => ("~", palette::WARNING),
        Sign::Deleted => ("-", palette::BAD),
        Sign::Kept => (">", palette::WARNING),
        Sign::Failed => ("!", palette::BAD),
        Sign::None => return format!("{:12}{text}", ""),
    };
    format!("{:10}{} {text}", "", paint(style, sign))
}

/// Renders an event of a stack that lies in the past; where there is no terminal, on one line.
pub fn event_line(event: &ResourceEvent) -> String {
    render_event(event, terminal::width())
}

fn render_event(event: &ResourceEvent, width: Option<usize>) -> String {
    let style = if event.is_failure() {
        palette::BAD
    } else if event.status.ends_with("_COMPLETE") {
        palette::GOOD
    } else {
        palette::ACTIVE
    };
    let mut line = format!(
        "{} {} {}/{} {}",
        paint(palette::WEAK, &event.time),
        paint(style, &event.status),
        event.stack,
        paint(palette::STRONG, &event.logical_id),
        paint(palette::WEAK, &event.resource_type),
    );
    let source = event.source.as_ref().filter(|_| event.is_failure());
    let Some(width) = width else {
        if let Some(reason) = &event.reason {
            let _ = write!(line, " {}", reason.replace(['\n', '\r'], " "));
        }
        if let Some(source) = source {
            let _ = write!(line, " (declared at {source})");
        }
        return line;
    };
    line = wrapped(&line, width, 2);
    if let Some(reason) = &event.reason {
        let _ = write!(line, "\n{}", wrapped(&format!("  {reason}"), width, 2));
    }
    if let Some(source) = source {
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

/// Writes a number with a noun.
pub(crate) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// Writes a size as a person would say it.
pub(crate) fn bytes(size: u64) -> String {
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
        .map(|status| resource_line(&event(status), Sign::of(&event(status))))
        .chain([Some(80), None].map(|width| render_event(&event("CREATE_FAILED"), width)))
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
2024-01-02T03:04:05Z CREATE_FAILED intake-dev/Queue AWS::SQS::Queue the name is taken (declared at stacks/src/intake.rs:7:5)
"#]]
        );
    }

    #[test]
    fn an_update_tells_what_it_changes_and_nothing_else() {
        let planned = |action: &str, policy: Option<&str>| Planned {
            resource_type: "AWS::SQS::Queue".to_owned(),
            action: action.to_owned(),
            policy: policy.map(str::to_owned),
            told: false,
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
            ])),
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
        assert_eq!(hear("Untouched", "UPDATE_FAILED"), Some(Sign::Failed));
        // What a replacement leaves behind is told too.
        assert_eq!(hear("Queue", "DELETE_COMPLETE"), Some(Sign::Deleted));
        assert_eq!(running.finished, 3);
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
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(bytes(12), "12 B");
        assert_eq!(bytes(354_616), "354 kB");
        assert_eq!(bytes(2_345_678), "2.3 MB");
    }
}
