//! The lines of events.

use std::fmt::Write as _;

use crate::engine::{InstanceResult, ResourceEvent};
use crate::text::moment;
use crate::ui::report::fitted;
use crate::ui::{paint, palette, terminal};

/// What the line of a resource begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Created,
    Updated,
    Replaced,
    Deleted,
    Kept,
    /// In a rollback.
    TakenBack,
    Failed,
    /// The status says more.
    None,
}

impl Sign {
    pub(super) fn of(event: &ResourceEvent) -> Self {
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

/// Renders an event of a resource while it happens: a sign for what was done, or the status in full where that says
/// more.
pub(super) fn resource_line(event: &ResourceEvent, sign: Sign, width: Option<usize>) -> String {
    let mut line = line(
        sign,
        &named(&event.stack, &event.logical_id, &event.resource_type),
    );
    if matches!(sign, Sign::None | Sign::TakenBack) {
        let _ = write!(line, " {}", paint(palette::WEAK, &event.status));
    }
    if event.is_failure() {
        let _ = write!(line, " {}", paint(palette::BAD, &event.status));
        if let Some(reason) = &event.reason {
            let _ = write!(line, "\n{:12}{}", "", indented(reason, 12));
        }
        if let Some(source) = &event.source {
            let _ = write!(line, "\n{:12}declared at {source}", "");
        }
    }
    fitted(&line, width, 14)
}

pub(super) fn named(stack: &str, logical_id: &str, resource_type: &str) -> String {
    format!(
        "{stack}/{} {}",
        paint(palette::STRONG, logical_id),
        paint(palette::WEAK, resource_type)
    )
}

pub(super) fn line(sign: Sign, text: &str) -> String {
    let (sign, style) = match sign {
        Sign::Created => ("+", palette::GOOD),
        Sign::Updated => ("~", palette::WARNING),
        Sign::Replaced => ("±", palette::BAD),
        Sign::Deleted => ("-", palette::BAD),
        Sign::Kept => (">", palette::WARNING),
        Sign::TakenBack => ("<", palette::WARNING),
        Sign::Failed => ("!", palette::BAD),
        Sign::None => return format!("{:12}{text}", ""),
    };
    format!("{:10}{} {text}", "", paint(style, sign))
}

/// Renders how an operation on a stack set ended in an account and region.
pub(super) fn instance_line(
    stack_set: &str,
    result: &InstanceResult,
    width: Option<usize>,
) -> String {
    let (style, sign) = match result.status.as_str() {
        "SUCCEEDED" => (palette::GOOD, Sign::None),
        "FAILED" => (palette::BAD, Sign::Failed),
        _ => (palette::WARNING, Sign::None),
    };
    let place = paint(
        palette::STRONG,
        format_args!("{}/{}", result.account, result.region),
    );
    let status = paint(style, &result.status);
    let mut line = line(sign, &format!("{stack_set} {place} {status}"));
    if let Some(reason) = &result.reason {
        let _ = write!(line, "\n{:12}{}", "", indented(reason, 12));
    }
    fitted(&line, width, 14)
}

/// Writes the lines of a text below each other; a space stands before the first already.
fn indented(text: &str, indent: usize) -> String {
    text.replace('\n', &format!("\n{:indent$}", ""))
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
        paint(palette::WEAK, moment(&event.time)),
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
    if let Some(reason) = &event.reason {
        let _ = write!(line, "\n  {}", indented(reason, 2));
    }
    if let Some(source) = source {
        let _ = write!(line, "\n  declared at {source}");
    }
    fitted(&line, Some(width), 2)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn event(status: &str) -> ResourceEvent {
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
        .map(|status| resource_line(&event(status), Sign::of(&event(status)), None))
        .chain([resource_line(
            &event("DELETE_COMPLETE"),
            Sign::TakenBack,
            None,
        )])
        .chain([resource_line(
            &event("UPDATE_COMPLETE"),
            Sign::Replaced,
            None,
        )])
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
          < intake-dev/Queue AWS::SQS::Queue DELETE_COMPLETE
          ± intake-dev/Queue AWS::SQS::Queue
2024-01-02T03:04:05Z CREATE_FAILED intake-dev/Queue AWS::SQS::Queue
  the name is taken
  declared at stacks/src/intake.rs:7:5
2024-01-02T03:04:05Z CREATE_FAILED intake-dev/Queue AWS::SQS::Queue the name is taken (declared at stacks/src/intake.rs:7:5)
"#]]
        );
    }
}
