//! Why stacks failed, as a person reads it.

use std::fmt::Write as _;

use super::history::{origin, period};
use super::report::fitted;
use super::{paint, palette, terminal};
use crate::engine::{Cause, Explanation, Known, Refused, WaitingOutcome};

/// Renders why stacks failed; for one that did not, that it did not.
pub fn explanations(explanations: &[Explanation]) -> String {
    render(explanations, terminal::width())
}

/// What is said of a stack that nobody has proven.
const UNPROVEN: &str = "what was deployed last is not known to do what it should: that deploy was stopped before its looks, or one of them failed";

/// Says that nobody has proven a stack since it was changed.
pub fn unproven(stack: &str) -> String {
    format!("{stack}: {UNPROVEN}; the next deploy looks again (`stackctl deploy {stack}`)")
}

fn render(explanations: &[Explanation], width: Option<usize>) -> String {
    let mut text = String::new();
    for explanation in explanations {
        stack(&mut text, explanation, width);
    }
    text
}

fn stack(text: &mut String, explanation: &Explanation, width: Option<usize>) {
    let style = if explanation.is_failure() {
        palette::BAD
    } else {
        palette::GOOD
    };
    let _ = writeln!(
        text,
        "{} {}",
        paint(palette::STRONG, &explanation.stack),
        paint(style, &explanation.status)
    );
    if let Some(operation) = &explanation.operation {
        let line = format!("{} {}", operation.operation, period(operation));
        push(text, &paint(palette::WEAK, line), 2, width);
        if let Some(origin) = origin(operation) {
            push(text, &paint(palette::WEAK, origin), 2, width);
        }
    }
    for led_back in &explanation.led_back {
        push(
            text,
            &format!("{}: {led_back}", led_back.function),
            2,
            width,
        );
    }
    if explanation.unproven {
        push(text, UNPROVEN, 2, width);
    }
    if !explanation.is_failure() && explanation.led_back.is_empty() && !explanation.unproven {
        let told = match (&explanation.operation, &explanation.reason) {
            (None, _) => "there is nothing to explain".to_owned(),
            (Some(_), Some(reason)) => reason.clone(),
            (Some(_), None) if explanation.status.as_str().contains("ROLLBACK") => {
                "nothing failed: it was taken back on purpose".to_owned()
            }
            (Some(_), None) => "nothing failed".to_owned(),
        };
        push(text, &told, 2, width);
    }
    if let Some(first) = &explanation.first_cause {
        cause(text, "first cause", first, width);
    }
    for other in &explanation.others {
        cause(text, "failed besides", other, width);
    }
    if !explanation.waiting.is_empty() {
        let _ = writeln!(text, "  {}", paint(palette::STRONG, "waited for it:"));
    }
    for waiting in &explanation.waiting {
        let outcome = match waiting.outcome {
            WaitingOutcome::Cancelled => "cancelled",
            WaitingOutcome::NotReached => "not reached",
        };
        let line = format!(
            "{} {outcome}, needs {}",
            paint(palette::STRONG, &waiting.logical_id),
            waiting.needs.join(", ")
        );
        push(text, &line, 4, width);
    }
    if !explanation.cancelled.is_empty() {
        let line = format!(
            "{} {}",
            paint(palette::STRONG, "cancelled with it:"),
            explanation.cancelled.join(", ")
        );
        push(text, &line, 2, width);
    }
    for change_set in &explanation.refused {
        refused(text, change_set, width);
    }
    for hint in &explanation.hints {
        let line = format!("{} {hint}", paint(palette::HINT, "next:"));
        push(text, &line, 2, width);
    }
}

fn cause(text: &mut String, label: &str, cause: &Cause, width: Option<usize>) {
    let resource = &cause.resource;
    let line = format!(
        "{} {} {} {}",
        paint(palette::BAD, format_args!("{label}:")),
        paint(palette::STRONG, &resource.logical_id),
        paint(palette::WEAK, &resource.resource_type),
        paint(palette::BAD, &resource.status)
    );
    push(text, &line, 2, width);
    push(text, &resource.reason, 4, width);
    if let Some(source) = &resource.source {
        let _ = writeln!(text, "    declared at {source}");
    }
    known(text, cause.known.as_ref(), width);
}

fn refused(text: &mut String, refused: &Refused, width: Option<usize>) {
    let line = format!(
        "{} {}",
        paint(palette::BAD, "change set refused:"),
        refused.change_set
    );
    push(text, &line, 2, width);
    if refused.findings.is_empty() {
        push(text, &refused.reason, 4, width);
    }
    for finding in &refused.findings {
        push(text, &finding.to_string(), 4, width);
    }
    known(text, refused.known.as_ref(), width);
}

fn known(text: &mut String, known: Option<&Known>, width: Option<usize>) {
    let Some(Known {
        title,
        remedy,
        source,
    }) = known
    else {
        return;
    };
    push(text, &format!("that is: {title}"), 4, width);
    let line = format!("{} {remedy}", paint(palette::HINT, "hint:"));
    push(text, &line, 4, width);
    let _ = writeln!(text, "    {} {source}", paint(palette::WEAK, "see:"));
}

fn push(text: &mut String, line: &str, indent: usize, width: Option<usize>) {
    let line = format!("{:indent$}{line}", "");
    let _ = writeln!(text, "{}", fitted(&line, width, indent + 2));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{FirstCause, LedBack, Operation, Origin, StackStatus, Waiting};

    fn operation(status: &str) -> Operation {
        Operation {
            stack: "intake-dev".into(),
            operation: "create".into(),
            status: StackStatus::new(status),
            began: "2026-07-28T06:00:00Z".into(),
            ended: Some("2026-07-28T06:01:05Z".into()),
            origin: Origin {
                ours: true,
                version: Some("0.1.0".into()),
                commit: Some("0fe8a21b3c4d".into()),
                dirty: Some(true),
                by: Some("Admin-alice".into()),
            },
            events: Vec::new(),
        }
    }

    fn well(status: &str) -> Explanation {
        Explanation {
            stack: "other-dev".into(),
            status: StackStatus::new(status),
            reason: None,
            operation: Some(operation(status)),
            first_cause: None,
            others: Vec::new(),
            waiting: Vec::new(),
            cancelled: Vec::new(),
            refused: Vec::new(),
            hints: Vec::new(),
            led_back: Vec::new(),
            unproven: false,
        }
    }

    #[test]
    fn a_failure_is_told_from_its_cause_to_its_consequences() {
        let failed = Explanation {
            stack: "intake-dev".into(),
            first_cause: Some(Cause {
                resource: FirstCause {
                    logical_id: "Orders".into(),
                    resource_type: "AWS::SQS::Queue".into(),
                    physical_id: None,
                    status: "CREATE_FAILED".into(),
                    reason: "You must wait 60 seconds after deleting a queue before you can create another with the same name."
                        .into(),
                    source: Some("stacks/src/intake.rs:12:9".into()),
                },
                known: Some(Known {
                    title: "the queue was deleted a moment ago".into(),
                    remedy: "wait, and deploy again".into(),
                    source: "https://docs.aws.amazon.com/x".into(),
                }),
            }),
            waiting: vec![
                Waiting {
                    logical_id: "Fulfil".into(),
                    needs: vec!["Orders".into()],
                    outcome: WaitingOutcome::Cancelled,
                },
                Waiting {
                    logical_id: "FulfilMapping".into(),
                    needs: vec!["Fulfil".into(), "Orders".into()],
                    outcome: WaitingOutcome::NotReached,
                },
            ],
            cancelled: vec!["Table".into()],
            hints: vec!["mend stacks/src/intake.rs:12:9, and deploy again (`stackctl deploy intake-dev`)".into()],
            ..well("ROLLBACK_COMPLETE")
        };
        let refused = Explanation {
            stack: "third-dev".into(),
            operation: None,
            refused: vec![Refused {
                change_set: "release-7".into(),
                reason: "Circular dependency between resources: [A, B]".into(),
                findings: Vec::new(),
                known: None,
            }],
            ..well("UPDATE_COMPLETE")
        };
        let led_back = Explanation {
            stack: "fourth-dev".into(),
            led_back: vec![LedBack {
                function: "Work".into(),
                live: "1".into(),
                deployed: "2".into(),
                by_hand: None,
                failed: true,
            }],
            hints: vec!["mend Work and deploy it".into()],
            ..well("UPDATE_COMPLETE")
        };
        let unproven = Explanation {
            unproven: true,
            ..well("UPDATE_COMPLETE")
        };
        let all = [failed, well("UPDATE_COMPLETE"), refused, led_back, unproven];
        let text = render(&all, Some(80));
        let plain = anstream::adapter::strip_str(&text).to_string();
        snapbox::assert_data_eq!(
            plain,
            snapbox::str![[r#"
intake-dev ROLLBACK_COMPLETE
  create begun 2026-07-28T06:00:00Z, took 1 min 5 s
  by Admin-alice, commit 0fe8a21b3c4d and what was not committed, stackctl 0.1.0
  first cause: Orders AWS::SQS::Queue CREATE_FAILED
    You must wait 60 seconds after deleting a queue before you can create
      another with the same name.
    declared at stacks/src/intake.rs:12:9
    that is: the queue was deleted a moment ago
    hint: wait, and deploy again
    see: https://docs.aws.amazon.com/x
  waited for it:
    Fulfil cancelled, needs Orders
    FulfilMapping not reached, needs Fulfil, Orders
  cancelled with it: Table
  next: mend stacks/src/intake.rs:12:9, and deploy again
    (`stackctl deploy intake-dev`)
other-dev UPDATE_COMPLETE
  create begun 2026-07-28T06:00:00Z, took 1 min 5 s
  by Admin-alice, commit 0fe8a21b3c4d and what was not committed, stackctl 0.1.0
  nothing failed
third-dev UPDATE_COMPLETE
  change set refused: release-7
    Circular dependency between resources: [A, B]
fourth-dev UPDATE_COMPLETE
  create begun 2026-07-28T06:00:00Z, took 1 min 5 s
  by Admin-alice, commit 0fe8a21b3c4d and what was not committed, stackctl 0.1.0
  Work: version 1 is live, and version 2 was deployed last: it was led back,
    because its check failed
  next: mend Work and deploy it
other-dev UPDATE_COMPLETE
  create begun 2026-07-28T06:00:00Z, took 1 min 5 s
  by Admin-alice, commit 0fe8a21b3c4d and what was not committed, stackctl 0.1.0
  what was deployed last is not known to do what it should: that deploy was
    stopped before its looks, or one of them failed

"#]]
        );
    }
}
