//! Errors, and how to try a deployed system out.

use std::fmt::Write as _;

use stack_model::assembly::FailureItem;

use super::{paint, palette, terminal};
use crate::error::Error;

/// Renders an error: what was quoted, the message, its causes, and what to do.
///
/// Lines are broken between words where a width is given.
pub(super) fn error(error: &Error, width: Option<usize>) -> String {
    let mut text = String::new();
    if let Some(detail) = error.detail_text() {
        text.push_str(detail.trim_end());
        text.push_str("\n\n");
    }
    let message = format!(
        "{} {}",
        paint(palette::BAD, "error:"),
        paint(palette::STRONG, error.message())
    );
    let _ = writeln!(text, "{}", fitted(&message, width, 2));
    for cause in error.untold_causes() {
        section(&mut text, "cause:", palette::STRONG, cause, width);
    }
    for hint in error.hints() {
        section(&mut text, "hint:", palette::HINT, hint, width);
    }
    text
}

/// Stands for a blank at which no line is broken.
const UNBROKEN: char = '\u{a0}';

/// Makes a word of everything between backticks, where they come in pairs.
fn with_whole_commands(line: &str) -> String {
    if line.matches('`').count() % 2 == 1 {
        return line.to_owned();
    }
    let parts = line.split('`').enumerate().map(|(position, part)| {
        if position % 2 == 1 {
            part.replace(' ', &UNBROKEN.to_string())
        } else {
            part.to_owned()
        }
    });
    parts.collect::<Vec<_>>().join("`")
}

/// Breaks lines between words so that they have the width, if any.
///
/// What stands between backticks is not broken: it is there to be pasted, and a terminal that breaks a line itself still
/// copies it as one.
pub(super) fn fitted(text: &str, width: Option<usize>, indent: usize) -> String {
    let Some(width) = width else {
        return text.to_owned();
    };
    let lines = text.split('\n').map(|line| {
        let line = terminal::wrapped(&with_whole_commands(line), width, indent);
        line.replace(UNBROKEN, " ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Writes a labelled paragraph. Lines after the first stand under each other, so that quoted source stays aligned.
fn section(
    text: &mut String,
    label: &str,
    style: anstyle::Style,
    body: &str,
    width: Option<usize>,
) {
    let mut lines = body.lines();
    let first = lines.next().unwrap_or_default();
    let rest: Vec<&str> = lines.collect();
    if rest.is_empty() {
        let line = format!("  {} {first}", paint(style, label));
        let _ = writeln!(text, "{}", fitted(&line, width, 4));
    } else {
        let _ = writeln!(text, "  {}", paint(style, label));
        for line in std::iter::once(first).chain(rest) {
            let _ = writeln!(text, "    {line}");
        }
    }
}

/// Renders a violation of a failed synth as the compiler would: the message, where it is declared, and that line.
pub fn violation(item: &FailureItem, line: Option<&str>) -> String {
    let mut text = format!("{} ", paint(palette::BAD, "error:"));
    let place: Vec<&str> = [&item.stack, &item.logical_id, &item.property]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if !place.is_empty() {
        let _ = write!(text, "{}: ", paint(palette::STRONG, place.join("/")));
    }
    text.push_str(&item.message);
    text.push('\n');
    if let Some(source) = &item.source {
        let number = source.rsplit(':').nth(1).unwrap_or_default();
        let margin = " ".repeat(number.len());
        let arrow = paint(palette::HINT, "-->");
        let _ = writeln!(text, "{margin}{arrow} {source}");
        if let Some(line) = line {
            let bar = paint(palette::HINT, "|");
            let _ = writeln!(
                text,
                "{margin} {bar}\n{} {bar} {line}\n{margin} {bar}",
                paint(palette::HINT, number)
            );
        }
    }
    text
}

/// A command that tries an output out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The stack.
    pub stack: String,
    /// The output's description, or its key.
    pub about: String,
    /// The command, complete.
    pub command: String,
}

/// Renders commands, each on a line of its own with nothing before or behind it that pasting would catch.
pub fn trials(trials: &[Trial]) -> String {
    let mut text = String::new();
    for trial in trials {
        let _ = writeln!(
            text,
            "\n{}\n{}",
            paint(
                palette::WEAK,
                format_args!("# {}: {}", trial.stack, trial.about)
            ),
            trial.command
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn violations_quote_the_source() {
        let item = FailureItem {
            stack: Some("intake".into()),
            logical_id: Some("Orders".into()),
            property: Some("Properties.DelaySeconds".into()),
            source: Some("stacks/src/intake.rs:12:17".into()),
            message: "1000 is more than the limit of 900".into(),
        };
        let line = "    let queue = stack.queue(\"Orders\", props);";
        let plain = anstream::adapter::strip_str(&violation(&item, Some(line))).to_string();
        snapbox::assert_data_eq!(
            plain,
            snapbox::str![[r#"
error: intake/Orders/Properties.DelaySeconds: 1000 is more than the limit of 900
  --> stacks/src/intake.rs:12:17
   |
12 |     let queue = stack.queue("Orders", props);
   |

"#]]
        );
        let item = FailureItem {
            stack: None,
            logical_id: None,
            property: None,
            source: None,
            message: "there are no stacks".into(),
        };
        let plain = anstream::adapter::strip_str(&violation(&item, None)).to_string();
        assert_eq!(plain, "error: there are no stacks\n");
    }

    #[test]
    fn errors_show_message_causes_and_hints_apart() {
        let failure = Error::new(Kind::Build, "the stacks package does not build")
            .cause("1 error in the code")
            .cause("line 3\n  |\n  ^")
            .hint("mend it")
            .detail("error[E0425]: no such value\n");
        let plain = anstream::adapter::strip_str(&error(&failure, None)).to_string();
        insta::assert_snapshot!(plain, @r"
        error[E0425]: no such value

        error: the stacks package does not build
          cause: 1 error in the code
          cause:
            line 3
              |
              ^
          hint: mend it
        ");
    }

    #[test]
    fn errors_break_between_words_and_commands_stay_whole() {
        let failure = Error::new(Kind::Deploy, "stack intake-dev was not deployed")
            .cause("stack intake-dev ended as ROLLBACK_COMPLETE")
            .hint("see `stackctl events intake-dev --stage dev`, and what is written there");
        let plain = anstream::adapter::strip_str(&error(&failure, Some(40))).to_string();
        insta::assert_snapshot!(plain, @r"
        error: stack intake-dev was not deployed
          cause: stack intake-dev ended as
            ROLLBACK_COMPLETE
          hint: see
            `stackctl events intake-dev --stage dev`,
            and what is written there
        ");
    }
}
