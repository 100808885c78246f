//! The arguments of what looks at deployed systems and works with them.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::Args;
use jiff::{Timestamp, civil, tz::TimeZone};

use super::{Allowance, Stacks};
use crate::sample::Kind;

/// Arguments of `events`.
#[derive(Clone, Debug, Args)]
pub struct Events {
    /// Which stacks.
    #[command(flatten)]
    pub stacks: Stacks,
    /// How many of the newest events of each stack.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub limit: usize,
    /// Keep printing what comes.
    #[arg(long, short = 'f', conflicts_with = "timeline")]
    pub follow: bool,
    /// Draw how long each resource of the last operation took; to a page, where a FILE.html is named.
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        conflicts_with = "limit",
        value_parser = parse_page
    )]
    pub timeline: Option<Option<PathBuf>>,
}

/// Arguments of `history`.
#[derive(Clone, Debug, Args)]
pub struct History {
    /// Which stacks.
    #[command(flatten)]
    pub stacks: Stacks,
    /// How many of the newest operations of each stack.
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub limit: usize,
}

/// Arguments of `drift`.
#[derive(Clone, Debug, Args)]
pub struct Drift {
    /// Which stacks.
    #[command(flatten)]
    pub stacks: Stacks,
    /// End with exit code 3 when something was changed.
    #[arg(long, conflicts_with = "revert")]
    pub exit_code: bool,
    /// Change it back, through a change set; what that does is shown first.
    #[arg(long)]
    pub revert: bool,
    /// With `--revert`, consent to one danger in a protected stage, such as exposure-widened:Gate; may be repeated.
    #[arg(long, value_name = "DANGER:ID", requires = "revert")]
    pub allow: Vec<Allowance>,
}

/// Arguments of `invoke`.
#[derive(Clone, Debug, Args)]
pub struct Invoke {
    /// The logical id of the function, with its stack where it is not unique: STACK/FUNCTION.
    pub function: String,
    /// The event, as JSON.
    #[arg(long, value_name = "JSON", conflicts_with_all = ["payload_file", "sample"])]
    pub payload: Option<String>,
    /// A file that holds the event, or - for standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "sample")]
    pub payload_file: Option<PathBuf>,
    /// Make up an event as the function's trigger sends it; TRIGGER says which, where it has several.
    #[arg(long, value_name = "TRIGGER", num_args = 0..=1)]
    pub sample: Option<Option<Kind>>,
    /// Call this version of the function: its number, an alias, or $LATEST. By default the alias under which the function is
    /// released, where it is.
    #[arg(long, value_name = "VERSION", conflicts_with = "print")]
    pub qualifier: Option<String>,
    /// Print the made up event instead of calling the function.
    #[arg(long, requires = "sample")]
    pub print: bool,
}

/// Arguments of `logs`.
#[derive(Clone, Debug, Args)]
pub struct Logs {
    /// Logical ids of functions, or stacks for all of theirs; all by default.
    #[arg(value_name = "FUNCTION|STACK")]
    pub functions: Vec<String>,
    /// Keep printing what comes.
    #[arg(long, short = 'f')]
    pub follow: bool,
    /// Since when: 30s, 10m, 2h or 1d ago, or a time such as 2026-07-28T06:00:00Z or 2026-07-28.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parse_since)]
    pub since: Since,
    /// A CloudWatch filter pattern.
    #[arg(long, value_name = "PATTERN")]
    pub filter: Option<String>,
}

/// A time, or how long before now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// That long ago.
    Ago(Duration),
    /// Then.
    At(SystemTime),
}

impl Since {
    /// Returns the time; nothing, where that is before all time.
    pub fn time(self, now: SystemTime) -> Option<SystemTime> {
        match self {
            Self::Ago(span) => now.checked_sub(span),
            Self::At(time) => Some(time),
        }
    }
}

/// Reads a length of time, or a time in UTC or with its offset.
fn parse_since(text: &str) -> Result<Since, String> {
    if let Some(span) = parse_span(text) {
        return Ok(Since::Ago(span));
    }
    let timestamp = text.parse::<Timestamp>().ok().or_else(|| {
        let date: civil::Date = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()
    });
    timestamp
        .map(|timestamp| Since::At(timestamp.into()))
        .ok_or_else(|| {
            "expected a number and a unit, such as 30s, 10m, 2h or 1d, or a time, such as \
             2026-07-28T06:00:00Z or 2026-07-28"
                .to_owned()
        })
}

/// Reads a length of time: a whole number and `s`, `m`, `h` or `d`.
pub(super) fn parse_span(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        _ => return None,
    };
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// Reads the name of a page: a stack that follows the option would be taken for one otherwise.
fn parse_page(text: &str) -> Result<PathBuf, String> {
    let file = PathBuf::from(text);
    let is_page = file
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("html"));
    is_page.then_some(file).ok_or_else(|| {
        "the name of a page ends with .html; name stacks before the option".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_times_are_read() {
        let ago = |seconds| Ok(Since::Ago(Duration::from_secs(seconds)));
        assert_eq!(parse_since("90s"), ago(90));
        assert_eq!(parse_since("2h"), ago(7200));
        let at = |seconds| {
            Ok(Since::At(
                SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
            ))
        };
        assert_eq!(parse_since("1970-01-02"), at(86_400));
        assert_eq!(parse_since("1970-01-01T01:00:00+01:00"), at(0));
        for bad in [
            "",
            "m",
            "10",
            "1.5h",
            "-1m",
            "5ä",
            "99999999999999999999d",
            "yesterday",
            "1970-13-01",
        ] {
            assert!(parse_since(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_stack_is_not_taken_for_a_page() {
        assert_eq!(parse_page("x.html"), Ok(PathBuf::from("x.html")));
        assert!(parse_page("orders").is_err());
    }
}
