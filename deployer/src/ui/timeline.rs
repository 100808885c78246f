//! Timelines of operations: bars for a terminal.

mod html;

use std::fmt::Write as _;
use std::time::Duration;

use super::history::{origin_of, period_of};
use super::report::fitted;
use super::{WIDTH, paint, palette, task, terminal};
use crate::engine::{Span, Timeline};

pub use html::html;

/// The widest that the column of names gets.
const NAMES: usize = 28;

/// The columns for how long something took.
const TOOK: usize = 11;

/// The mark of what the end waited for, and of what went on beside.
const BARS: [char; 2] = ['█', '░'];

/// Renders timelines.
pub fn timelines(timelines: &[Timeline]) -> String {
    render(timelines, terminal::width().unwrap_or(WIDTH))
}

fn render(timelines: &[Timeline], width: usize) -> String {
    let mut text = String::new();
    for timeline in timelines {
        one(&mut text, timeline, width);
    }
    if timelines.is_empty() {
        text.push_str("nothing was done in the last 90 days, or nothing is deployed\n");
    } else {
        let [critical, beside] = BARS;
        let legend = format!("{critical} the end waited for it   {beside} beside that");
        let _ = writeln!(text, "{}", paint(palette::WEAK, legend));
    }
    text
}

fn one(text: &mut String, timeline: &Timeline, width: usize) {
    let _ = writeln!(
        text,
        "{} {} {}",
        paint(palette::STRONG, &timeline.stack),
        timeline.operation,
        paint(style(timeline), &timeline.status)
    );
    let mut line = period_of(&timeline.began, timeline.ended.as_deref());
    if let Some(origin) = origin_of(&timeline.origin) {
        let _ = write!(line, ", {origin}");
    }
    let line = format!("  {}", paint(palette::WEAK, line));
    let _ = writeln!(text, "{}", fitted(&line, Some(width), 4));
    let names = timeline
        .resources
        .iter()
        .map(|span| console::measure_text_width(&span.logical_id))
        .max()
        .unwrap_or_default()
        .min(NAMES);
    let bars = width.saturating_sub(names + TOOK + 4).max(10);
    for span in &timeline.resources {
        let _ = writeln!(text, "{}", row(span, timeline.took, names, bars));
    }
}

fn row(span: &Span, took: u64, names: usize, bars: usize) -> String {
    let name = console::truncate_str(&span.logical_id, names, "…");
    let name = console::pad_str(&name, names, console::Alignment::Left, None).into_owned();
    let (start, length) = place(span, took, bars);
    let mark = BARS[usize::from(!span.critical)];
    let bar: String = std::iter::repeat_n(mark, length).collect();
    let style = if span.status.ends_with("_FAILED") {
        palette::BAD
    } else if span.critical {
        palette::WARNING
    } else {
        palette::WEAK
    };
    let sign = match (span.action.as_str(), span.status.ends_with("_FAILED")) {
        (_, true) => '!',
        ("create" | "import", _) => '+',
        ("delete", _) => '-',
        _ => '~',
    };
    let rest = bars.saturating_sub(start + length);
    let time = task::duration(Duration::from_millis(span.took));
    format!(
        "{sign} {name} {:start$}{}{:rest$}{time:>TOOK$}",
        "",
        paint(style, bar),
        ""
    )
}

/// Returns where a bar begins, and how long it is; one that took no time is still seen.
fn place(span: &Span, took: u64, bars: usize) -> (usize, usize) {
    let columns = bars as u64;
    let at = |time: u64| time.saturating_mul(columns) / took.max(1);
    let start = at(span.began).min(columns.saturating_sub(1));
    let end = at(span.began + span.took).clamp(start + 1, columns);
    // Both are at most `bars`.
    let whole = |value: u64| usize::try_from(value).unwrap_or(bars);
    (whole(start), whole(end - start))
}

fn style(timeline: &Timeline) -> anstyle::Style {
    match timeline.ended {
        None => palette::ACTIVE,
        Some(_) if timeline.status.is_good() => palette::GOOD,
        Some(_) => palette::BAD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Origin, Phase, StackStatus};

    pub(super) fn sample() -> Timeline {
        let span = |logical_id: &str, status: &str, began: u64, took: u64, critical| Span {
            logical_id: logical_id.into(),
            resource_type: "AWS::SQS::Queue".into(),
            action: if status.starts_with("DELETE") {
                "delete".into()
            } else {
                "create".into()
            },
            status: status.into(),
            phase: Phase::Change,
            began,
            took,
            critical,
        };
        Timeline {
            stack: "intake-<dev>".into(),
            operation: "update".into(),
            status: StackStatus::new("UPDATE_ROLLBACK_COMPLETE"),
            began: "2026-07-28T06:00:00Z".into(),
            ended: Some("2026-07-28T06:01:31Z".into()),
            origin: Origin {
                ours: true,
                version: Some("0.1.0".into()),
                commit: Some("0fe8a21b3c4d".into()),
                dirty: Some(false),
                by: Some("Admin-alice".into()),
            },
            took: 91_000,
            resources: vec![
                span("Role", "CREATE_COMPLETE", 1_000, 15_000, true),
                span("Orders", "CREATE_COMPLETE", 1_000, 3_400, false),
                span(
                    "AFunctionWithALongNameThatIsCut\"&",
                    "CREATE_FAILED",
                    17_000,
                    6_000,
                    true,
                ),
                span("Policy", "DELETE_COMPLETE", 91_000, 0, false),
            ],
        }
    }

    #[test]
    fn bars_fit_eighty_columns() {
        let text = render(&[sample()], 80);
        let plain = anstream::adapter::strip_str(&text).to_string();
        for line in plain.lines() {
            assert!(console::measure_text_width(line) <= 80, "{line}");
        }
        snapbox::assert_data_eq!(
            plain,
            snapbox::str![[r#"
intake-<dev> update UPDATE_ROLLBACK_COMPLETE
  begun 2026-07-28T06:00:00Z, took 1 min 31 s, by Admin-alice, commit
    0fe8a21b3c4d, stackctl 0.1.0
+ Role                         ██████                                    15.0 s
+ Orders                       ░                                          3.4 s
! AFunctionWithALongNameThatI…       ███                                  6.0 s
- Policy                                                           ░       0 ms
█ the end waited for it   ░ beside that

"#]]
        );
        assert!(render(&[], 80).starts_with("nothing was done"));
    }

    #[test]
    fn a_bar_is_never_outside() {
        for (began, took) in [(0, 0), (100, 0), (99, 1), (0, 100), (50, 500)] {
            let span = Span {
                began,
                took,
                ..sample().resources[0].clone()
            };
            for all in [0, 1, 100] {
                let (start, length) = place(&span, all, 20);
                assert!(
                    length >= 1 && start + length <= 20,
                    "{began} {took} of {all}"
                );
            }
        }
    }
}
