//! What was done to stacks, as a person reads it.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::report::fitted;
use super::{paint, palette, task, terminal};
use crate::engine::{GivenFast, Operation, Origin, ReleaseFailure};
use crate::text::moment;

/// A release of a stack that was written down.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WrittenRelease {
    /// The stack.
    pub stack: String,
    /// The number.
    pub release: u64,
    /// When it was deployed, in RFC 3339.
    pub deployed: String,
    /// Who deployed it, with what.
    #[serde(flatten)]
    pub origin: Origin,
    /// The release that it went back to, where it is no new one.
    pub back_to: Option<u64>,
    /// Whether it is what is deployed now.
    pub live: bool,
    /// Why it failed after it was deployed, where it did.
    pub failed: Option<ReleaseFailure>,
    /// Whether nobody looked yet whether it does what it should.
    pub unproven: bool,
    /// What is not there any more, so that nobody can go back to it.
    pub lost: Vec<String>,
    /// The app that made it, where the stack was that one's then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
}

/// Renders operations and releases, each stack with its own below it, the oldest first, and what was given past
/// CloudFormation. Who did several one after the other with the same is told once, above them.
pub fn history(
    operations: &[Operation],
    releases: &[WrittenRelease],
    given: &[GivenFast],
) -> String {
    render(operations, releases, given, terminal::width())
}

/// Says what a stack was given past CloudFormation.
pub fn given_fast(given: &GivenFast) -> String {
    let who = given.last.as_ref().map_or(String::new(), |last| {
        let by = last.origin.by.as_ref();
        let by = by.map_or(String::new(), |by| format!(" by {by}"));
        format!(", at {}{by}", moment(&last.at))
    });
    format!(
        "{}: CloudFormation does not know what `deploy --fast` gave {}{who}; the next full deploy deploys what the source says over it",
        given.stack,
        given.resources.join(", ")
    )
}

fn render(
    operations: &[Operation],
    releases: &[WrittenRelease],
    given: &[GivenFast],
    width: Option<usize>,
) -> String {
    let mut text = String::new();
    let mut stacks: Vec<&String> = Vec::new();
    let of_operations = operations.iter().map(|operation| &operation.stack);
    for stack in of_operations.chain(releases.iter().map(|release| &release.stack)) {
        if !stacks.contains(&stack) {
            stacks.push(stack);
        }
    }
    for stack in stacks {
        let _ = writeln!(text, "{}", paint(palette::STRONG, stack));
        let mut entries: Vec<(Option<String>, String)> = Vec::new();
        let of_stack = operations.iter().filter(|it| it.stack == *stack);
        entries.extend(of_stack.map(|it| (origin(it), operation_line(it))));
        let of_stack = releases.iter().filter(|it| it.stack == *stack);
        entries.extend(of_stack.map(|it| (origin_of(&it.origin), format!("release {}", told(it)))));
        for given in given.iter().filter(|it| it.stack == *stack) {
            let last = given.last.as_ref();
            let at = last.map_or(String::new(), |last| format!(" at {}", moment(&last.at)));
            let (style, until) = match &given.until {
                Some(until) => {
                    let until = format!(", until the full deploy at {}", moment(until));
                    (palette::WEAK, until)
                }
                None => (palette::WARNING, String::new()),
            };
            let line = format!(
                "{} {} past CloudFormation{}",
                paint(style, "--fast gave"),
                given.resources.join(", "),
                paint(palette::WEAK, at + &until)
            );
            entries.push((last.and_then(|last| origin_of(&last.origin)), line));
        }
        let mut before = None;
        for (origin, line) in entries {
            let origin = origin.unwrap_or_else(|| "by nobody knows whom".to_owned());
            if before.as_ref() != Some(&origin) {
                let line = format!("  {}", paint(palette::WEAK, format_args!("{origin}:")));
                let _ = writeln!(text, "{}", fitted(&line, width, 6));
            }
            let _ = writeln!(text, "{}", fitted(&format!("    {line}"), width, 6));
            before = Some(origin);
        }
    }
    if text.is_empty() {
        text.push_str("nothing was done in the last 90 days, or nothing is deployed\n");
    }
    text
}

/// Says what a release is, and whether it can be gone back to.
fn told(release: &WrittenRelease) -> String {
    let mut text = paint(palette::STRONG, release.release.to_string());
    if let Some(back_to) = release.back_to {
        let _ = write!(text, ", release {back_to} again,");
    }
    let when = format!(" of {}", moment(&release.deployed));
    text += &paint(palette::WEAK, &when);
    if let Some(app) = &release.app {
        text += &paint(palette::WEAK, format!(" by app {app}"));
    }
    if let Some(failure) = &release.failed {
        let deployed = if release.live { " is deployed," } else { "" };
        text += &paint(palette::BAD, format!("{deployed} {}", failed(failure)));
    } else if release.live && release.unproven {
        let unproven =
            " is deployed, and not known to do what it should: the deploy ended before its looks";
        text += &paint(palette::WARNING, unproven);
    } else if release.live {
        text += &paint(palette::GOOD, " is deployed");
    } else if !release.lost.is_empty() {
        let lost = release.lost.join(" and ");
        let gone = format!(" cannot be gone back to without {lost}");
        text += &paint(palette::BAD, &gone);
    }
    text
}

/// Says which checks a release failed, and what became of it.
fn failed(failure: &ReleaseFailure) -> String {
    if failure.checks.is_empty() {
        return "was followed by another before anybody looked whether it does what it should"
            .to_owned();
    }
    let checks: Vec<&str> = failure
        .checks
        .iter()
        .map(|it| it.subject.as_str())
        .collect();
    let mut text = format!("failed its check {}", checks.join(", "));
    for alias in &failure.led_back {
        let _ = write!(
            text,
            ", {} led back to version {}",
            alias.logical_id, alias.to
        );
    }
    text
}

fn operation_line(operation: &Operation) -> String {
    let style = match &operation.ended {
        None => palette::ACTIVE,
        Some(_) if operation.status.is_good() => palette::GOOD,
        Some(_) => palette::BAD,
    };
    format!(
        "{:8} {} {}",
        operation.operation,
        paint(style, &operation.status),
        paint(palette::WEAK, period(operation))
    )
}

/// Says when an operation began and how long it took.
pub(super) fn period(operation: &Operation) -> String {
    period_of(&operation.began, operation.ended.as_deref())
}

/// Says when something began and how long it took.
pub(super) fn period_of(began: &str, ended: Option<&str>) -> String {
    let mut text = format!("begun {}", moment(began));
    match ended.map(|ended| took(began, ended)) {
        Some(Some(took)) => {
            let _ = write!(text, ", took {}", task::duration(took));
        }
        Some(None) => {}
        None => text.push_str(", still running"),
    }
    text
}

/// Says who began an operation, with what, as far as it is known.
pub(super) fn origin(operation: &Operation) -> Option<String> {
    origin_of(&operation.origin)
}

/// Says where something comes from, as far as it is known.
pub(super) fn origin_of(origin: &Origin) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(by) = &origin.by {
        parts.push(format!("by {by}"));
    }
    if let Some(commit) = &origin.commit {
        let note = match origin.dirty {
            Some(true) => " and what was not committed",
            _ => "",
        };
        parts.push(format!("commit {commit}{note}"));
    }
    if let Some(version) = &origin.version {
        parts.push(format!("stackctl {version}"));
    } else if !origin.ours {
        parts.push("not by stackctl".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn took(began: &str, ended: &str) -> Option<Duration> {
    let began: Timestamp = began.parse().ok()?;
    let ended: Timestamp = ended.parse().ok()?;
    Duration::try_from(ended.duration_since(began)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{FailedCheck, FastOrigin, MovedAlias, StackStatus};

    #[test]
    fn operations_stand_below_their_stack() {
        let operation = |name: &str, status: &str, ended: Option<&str>, origin| Operation {
            stack: "intake-dev".into(),
            operation: name.into(),
            status: StackStatus::new(status),
            began: "2026-07-28T06:00:00Z".into(),
            ended: ended.map(str::to_owned),
            origin,
            events: Vec::new(),
        };
        let ours = Origin {
            ours: true,
            version: Some("0.1.0".into()),
            commit: Some("0fe8a21b3c4d".into()),
            dirty: Some(true),
            by: Some("Admin-alice-example-com".into()),
        };
        let release = |release, origin, lost: &[&str]| WrittenRelease {
            stack: "intake-dev".into(),
            release,
            deployed: "2026-07-28T06:00:00Z".into(),
            origin,
            back_to: None,
            live: false,
            app: None,
            failed: None,
            unproven: false,
            lost: lost.iter().map(|lost| (*lost).to_owned()).collect(),
        };
        let failure = ReleaseFailure {
            checks: vec![FailedCheck {
                subject: "OrdersAnswer".into(),
                message: "is not answered".into(),
            }],
            led_back: vec![MovedAlias {
                logical_id: "ReadAlias".into(),
                function: "arn:aws:lambda:eu-central-1:123456789012:function:intake-Read".into(),
                from: "6".into(),
                to: "5".into(),
            }],
            ..ReleaseFailure::default()
        };
        let taken_over = GivenFast {
            stack: "intake-dev".into(),
            resources: vec!["Work".into()],
            last: Some(FastOrigin {
                at: "2026-07-28T05:00:00.000Z".into(),
                origin: ours.clone(),
            }),
            until: Some("2026-07-28T06:00:00.000Z".into()),
        };
        let text = render(
            &[
                operation(
                    "create",
                    "CREATE_COMPLETE",
                    Some("2026-07-28T06:02:03Z"),
                    Origin::default(),
                ),
                operation(
                    "update",
                    "UPDATE_COMPLETE",
                    Some("2026-07-28T06:00:09Z"),
                    ours.clone(),
                ),
                operation("update", "UPDATE_IN_PROGRESS", None, ours.clone()),
            ],
            &[
                release(1, Origin::default(), &["the package of worker"]),
                WrittenRelease {
                    live: true,
                    back_to: Some(1),
                    ..release(2, ours.clone(), &[])
                },
                WrittenRelease {
                    live: true,
                    failed: Some(failure),
                    ..release(3, Origin::default(), &[])
                },
            ],
            &[
                taken_over,
                GivenFast {
                    stack: "intake-dev".into(),
                    resources: vec!["Fulfil".into(), "Work".into()],
                    last: Some(FastOrigin {
                        at: "2026-07-28T07:00:00.000Z".into(),
                        origin: ours.clone(),
                    }),
                    until: None,
                },
            ],
            Some(80),
        );
        snapbox::assert_data_eq!(
            anstream::adapter::strip_str(&text).to_string(),
            snapbox::str![[r#"
intake-dev
  not by stackctl:
    create   CREATE_COMPLETE begun 2026-07-28T06:00:00Z, took 2 min 3 s
  by Admin-alice-example-com, commit 0fe8a21b3c4d and what was not committed,
      stackctl 0.1.0:
    update   UPDATE_COMPLETE begun 2026-07-28T06:00:00Z, took 9.0 s
    update   UPDATE_IN_PROGRESS begun 2026-07-28T06:00:00Z, still running
  not by stackctl:
    release 1 of 2026-07-28T06:00:00Z cannot be gone back to without the package
      of worker
  by Admin-alice-example-com, commit 0fe8a21b3c4d and what was not committed,
      stackctl 0.1.0:
    release 2, release 1 again, of 2026-07-28T06:00:00Z is deployed
  not by stackctl:
    release 3 of 2026-07-28T06:00:00Z is deployed, failed its check
      OrdersAnswer, ReadAlias led back to version 5
  by Admin-alice-example-com, commit 0fe8a21b3c4d and what was not committed,
      stackctl 0.1.0:
    --fast gave Work past CloudFormation at 2026-07-28T05:00:00Z, until the full
      deploy at 2026-07-28T06:00:00Z
    --fast gave Fulfil, Work past CloudFormation at 2026-07-28T07:00:00Z

"#]]
        );
        assert_eq!(
            given_fast(&GivenFast {
                stack: "intake-dev".into(),
                resources: vec!["Fulfil".into()],
                last: Some(FastOrigin {
                    at: "2026-07-28T07:00:00Z".into(),
                    origin: Origin {
                        by: Some("user/alice".into()),
                        ..Origin::default()
                    },
                }),
                until: None,
            }),
            "intake-dev: CloudFormation does not know what `deploy --fast` gave Fulfil, at 2026-07-28T07:00:00Z by user/alice; \
             the next full deploy deploys what the source says over it"
        );
        assert!(render(&[], &[], &[], Some(80)).starts_with("nothing was done"));
    }
}
