//! Draws the events of the engine.

mod contents;
mod line;
mod stacks;
mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use self::contents::Contents;
use self::update::Running;
use super::{Ui, paint, palette};
use crate::engine::{Event, EventSink, LogLine, Weight};
use crate::error::Kind;
use crate::text::{agreeing, count, moment, series};

pub use line::event_line;

/// Draws events: a line for everything that came to an end, and on a terminal a bar for every stack at work.
#[derive(Clone)]
pub struct Activity {
    ui: Ui,
    verb: &'static str,
    stacks: Arc<Mutex<BTreeMap<String, Running>>>,
    contents: Contents,
    /// Whether it was said that artifacts are uploaded.
    publishing: Arc<AtomicBool>,
    said: Said,
}

/// What was said of stacks that come to their turn more than once in a run: it is said again where it became something else.
#[derive(Clone, Debug, Default)]
struct Said(Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>);

impl Said {
    /// Takes note of all that is to be said about something now, and returns what of it was not said last.
    fn news(&self, about: &str, lines: BTreeSet<String>) -> Vec<String> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = said.get(about);
        let is_new = |line: &&String| before.is_none_or(|before| !before.contains(*line));
        let news = lines.iter().filter(is_new).cloned().collect();
        said.insert(about.to_owned(), lines);
        news
    }
}

impl Activity {
    /// Makes one that draws with `ui` what a verb does; under `--json` every event is a line on standard output too.
    pub fn new(ui: &Ui, verb: &'static str) -> Self {
        Self {
            ui: ui.clone(),
            verb,
            stacks: Arc::default(),
            contents: Contents::new(ui),
            publishing: Arc::default(),
            said: Said::default(),
        }
    }

    /// Returns the sink for the engine.
    pub fn sink(&self) -> EventSink {
        let activity = self.clone();
        EventSink::new(move |event| activity.take(&event))
    }

    /// Returns the sink for looks at what is deployed: how far a long one is, and nothing else. It writes no JSON.
    pub fn looks(&self) -> EventSink {
        let contents = self.contents.clone();
        EventSink::new(move |event| contents.take(&event))
    }

    /// Clears what is drawn, for whatever comes next.
    pub fn finish(&self) {
        let mut stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
        for running in std::mem::take(&mut *stacks).into_values() {
            if let Some(bar) = running.bar {
                bar.finish_and_clear();
            }
        }
        self.contents.finish();
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
            Event::JoinedFailed {
                stack,
                status,
                first_cause,
            } => {
                self.turn(stack);
                let because = first_cause.as_ref().map_or_else(String::new, |cause| {
                    format!(" because of {}: {}", cause.logical_id, cause.reason)
                });
                self.ui.warn(format!(
                    "{stack}: what the earlier run began ended as {status}{because}"
                ));
                self.ui.done(self.verb, format!("{stack} goes on with what is left to do"));
            }
            Event::StackWaiting {
                stack,
                status,
                by,
                since,
            } => self.ui.done(
                "wait",
                format!("{stack} is busy ({status}) since {}, by {by}", moment(since)),
            ),
            Event::StackContended { stack, by, since } => self.ui.warn(format!(
                "{by} has computed changes of {stack} too, since {}: \
                 whoever executes first wins, the other is told",
                moment(since)
            )),
            Event::StackSetOperating {
                stack_set, action, ..
            } => {
                let text = format!("{stack_set}: {} in its accounts", action.to_lowercase());
                self.ui.begin(self.verb, text);
            }
            Event::StackSetInstance { stack_set, result } => {
                let width = self.ui.width();
                self.ui.line(line::instance_line(stack_set, result, width));
            }
            Event::StackRecovering {
                stack,
                status,
                action,
            } => {
                self.turn(stack);
                self.ui
                    .done("recover", format!("{stack} is {status}: {action}"));
            }
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
            Event::ContentProgress {
                stack,
                content,
                step,
                ..
            } => {
                let (_, doing) = contents::words(*step);
                self.message(stack, &format!("{doing} {content}"));
                self.contents.take(event);
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
            Event::ExportsKept {
                stack,
                importers,
                foreign,
                next,
            } => {
                let lines = importers.iter().map(|(export, stacks)| {
                    let go = agreeing(stacks, "lets go", "let go");
                    format!("{stack}: {export}, until {} {go}", series(stacks))
                });
                for text in self.said.news(&format!("{stack} keeps"), lines.collect()) {
                    self.ui.done("keep", text);
                }
                let next = self.said.news(&format!("{stack} goes on"), next.iter().cloned().collect());
                for next in next {
                    let first = if foreign.is_empty() {
                        String::new()
                    } else {
                        format!(", and {} elsewhere", series(foreign))
                    };
                    let text = format!(
                        "once they let go of it in the source{first}, `{next}` finishes it"
                    );
                    self.ui.labelled("", palette::WEAK, &text);
                }
            }
            Event::ResourcesMoving { stack, moves, step } => {
                self.rename(stack, moves);
                let moves = moves
                    .iter()
                    .map(|(from, to)| format!("{from} becomes {to}"));
                let moves: Vec<String> = moves.collect();
                let of = if moves.is_empty() {
                    stack.clone()
                } else {
                    format!("{stack}: {}", moves.join(", "))
                };
                self.ui.done("move", format!("{of}, {step}"));
            }
            Event::CodeUpdated {
                stack, logical_id, ..
            } => self.ui.done("code", format!("{stack}/{logical_id}")),
            Event::DefinitionUpdated { stack, logical_id } => {
                self.ui.done("define", format!("{stack}/{logical_id}"));
            }
            Event::ChangeSetCreating { stack, .. } => self.message(stack, "computing changes"),
            Event::StackSettled { stack, status } => self.ui.done(
                "settled",
                format!(
                    "{stack} stays {status}: its last update was rolled back, and what is deployed is what the source says, so nothing is left to do"
                ),
            ),
            Event::ChangeSetReady { changes } => {
                self.plan(changes);
                self.message(&changes.stack, "changes are computed");
            }
            Event::ChangeSetExecuting {
                stack,
                changes,
                follow,
                besides,
                express,
            } => {
                self.total(stack, *changes);
                self.message(stack, "executing");
                let text = format!("{stack}: {}", changed(*changes, *follow, besides));
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
                self.with(|stacks| {
                    if let Some(running) = stacks.get_mut(stack) {
                        running.backwards = true;
                    }
                });
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
            Event::PreflightFound { concern } => match concern.weight {
                // What refuses the deploy is its error.
                Weight::Refused => {}
                Weight::Unknown | Weight::Note if self.ui.verbose() == 0 => {}
                Weight::Warning | Weight::Note | Weight::Unknown => {
                    self.ui.warn(concern.to_string());
                    for hint in &concern.hints {
                        self.ui.tell(format!("  {hint}"));
                    }
                }
            },
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
                stages,
                ..
            } => {
                if self.ui.verbose() > 0 {
                    let seen = [
                        (*functions, "function"),
                        (*triggers, "trigger"),
                        (*stages, "API stage"),
                    ];
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
                // Whoever stopped the run reads next what that means for each stack: the error of the run says so.
                if failure.kind != Kind::Interrupted {
                    let text = format!("{stack}: {}", failure.message);
                    self.ui.labelled("failed", palette::BAD, &text);
                }
            }
            Event::StackSkipped { stack, because } => {
                self.drop_bar(stack);
                let text = format!("{stack}, because of {because}");
                self.ui.labelled("skipped", palette::WARNING, &text);
            }
        }
    }
}

/// Counts what an update changes: resources, those among them that merely follow others, and whatever changes besides.
fn changed(changes: usize, follow: usize, besides: &[String]) -> String {
    let mut sections: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for path in besides {
        let (section, rest) = path.split_once('.').unwrap_or((path, ""));
        let name = rest.split('.').next().unwrap_or_default();
        sections.entry(section).or_default().insert(name);
    }
    let mut parts = Vec::new();
    if changes > follow {
        parts.push(count(changes - follow, "change"));
    }
    if follow > 0 {
        parts.push(if follow == 1 {
            "1 follows".to_owned()
        } else {
            format!("{follow} follow")
        });
    }
    if changes == 0 && sections.is_empty() {
        // Outputs, tags or the description: without a plan nobody looked which.
        parts.push("no resource changes".to_owned());
    }
    for (section, names) in sections {
        // The sections of a template are called after many, and the description is one.
        let one = section.strip_suffix('s').unwrap_or(section);
        parts.push(count(names.len(), &one.to_lowercase()));
    }
    parts.join(", ")
}

/// Renders a line of a log.
pub fn log_line(line: &LogLine) -> String {
    format!(
        "{} {} {}",
        paint(palette::WEAK, moment(&line.time)),
        paint(palette::ACTIVE, &line.function),
        line.message
    )
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

    #[test]
    fn what_changes_besides_resources_is_counted() {
        let besides = |paths: &[&str]| -> Vec<String> {
            paths.iter().map(|path| (*path).to_owned()).collect()
        };
        assert_eq!(changed(0, 0, &[]), "no resource changes");
        assert_eq!(changed(2, 0, &[]), "2 changes");
        assert_eq!(changed(3, 2, &[]), "1 change, 2 follow");
        assert_eq!(
            changed(1, 1, &besides(&["Outputs.A"])),
            "1 follows, 1 output"
        );
        let outputs = ["Outputs.Url.Value", "Outputs.Url.Description"];
        assert_eq!(changed(0, 0, &besides(&outputs)), "1 output");
        let all = ["Outputs.A", "Outputs.B", "Tags.team", "Description"];
        assert_eq!(
            changed(1, 0, &besides(&all)),
            "1 change, 1 description, 2 outputs, 1 tag"
        );
    }

    #[test]
    fn what_was_said_is_said_again_where_it_became_something_else() {
        let said = Said::default();
        let lines = |lines: &[&str]| lines.iter().map(|it| (*it).to_owned()).collect();
        let keeps = |text: &[&str]| said.news("data-dev keeps", lines(text));
        assert_eq!(
            keeps(&["a until b", "c until d"]),
            ["a until b", "c until d"]
        );
        assert_eq!(keeps(&["a until b", "c until d"]), [""; 0]);
        assert_eq!(keeps(&["a until e", "c until d"]), ["a until e"]);
        assert_eq!(keeps(&["a until b"]), ["a until b"], "it was not said last");
        assert_eq!(said.news("work-dev keeps", lines(&["a until b"])).len(), 1);
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(bytes(12), "12 B");
        assert_eq!(bytes(354_616), "354 kB");
        assert_eq!(bytes(2_345_678), "2.3 MB");
    }
}
