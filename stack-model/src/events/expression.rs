//! When something happens again and again.

use std::fmt;

/// When something happens again and again.
///
/// See <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recurrence {
    /// At a regular rate.
    Every(u32, TimeUnit),
    /// At the times that six fields say: minutes, hours, day of the month, month, day of the week, year, such as
    /// `0 7 * * ? *` for 07:00 each day.
    Cron(String),
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeUnit {
    /// 60 seconds.
    Minutes,
    /// 60 minutes.
    Hours,
    /// 24 hours.
    Days,
}

impl TimeUnit {
    const fn word(self) -> &'static str {
        match self {
            Self::Minutes => "minute",
            Self::Hours => "hour",
            Self::Days => "day",
        }
    }
}

impl Recurrence {
    /// Makes one of six cron fields: minutes, hours, day of the month, month, day of the week, year.
    pub fn cron(fields: impl Into<String>) -> Self {
        Self::Cron(fields.into())
    }

    /// Returns what is wrong with the expression, if anything.
    pub(crate) fn violation(&self) -> Option<String> {
        match self {
            Self::Every(0, _) => Some("a rate is at least 1".to_owned()),
            Self::Every(..) => None,
            Self::Cron(fields) => cron_violation(fields),
        }
    }
}

impl fmt::Display for Recurrence {
    /// Writes the expression as AWS reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(number, unit) => {
                let plural = if *number == 1 { "" } else { "s" };
                write!(f, "rate({number} {}{plural})", unit.word())
            }
            Self::Cron(fields) => write!(f, "cron({fields})"),
        }
    }
}

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// One field of a cron expression.
struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    /// The words that stand for numbers, counted from one.
    words: &'static [&'static str],
}

const FIELDS: [Field; 6] = [
    Field {
        name: "minutes",
        first: 0,
        last: 59,
        words: &[],
    },
    Field {
        name: "hours",
        first: 0,
        last: 23,
        words: &[],
    },
    Field {
        name: "day of the month",
        first: 1,
        last: 31,
        words: &[],
    },
    Field {
        name: "month",
        first: 1,
        last: 12,
        words: &MONTHS,
    },
    Field {
        name: "day of the week",
        first: 1,
        last: 7,
        words: &WEEKDAYS,
    },
    Field {
        name: "year",
        first: 1970,
        last: 2199,
        words: &[],
    },
];

fn cron_violation(text: &str) -> Option<String> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let [_, _, month_day, _, week_day, _] = fields.as_slice() else {
        return Some(format!(
            "`{text}` has {} fields and a cron expression of AWS has six: minutes, hours, day of the month, month, day of the week, year",
            fields.len()
        ));
    };
    for (field, value) in FIELDS.iter().zip(&fields) {
        if !value.split(',').all(|item| field.accepts(item, value)) {
            return Some(format!(
                "`{value}` is wrong for the {} in `cron({text})`: use {} to {}, `*`, ranges and steps",
                field.name, field.first, field.last
            ));
        }
    }
    if (*month_day == "?") == (*week_day == "?") {
        return Some(format!(
            "`cron({text})` needs `?` as the day of the month or as the day of the week, and not as both: only one of them can decide"
        ));
    }
    None
}

impl Field {
    /// Returns whether one item of the comma-separated list that is the field can stand in it.
    fn accepts(&self, item: &str, whole: &str) -> bool {
        let month_day = self.name == "day of the month";
        let week_day = self.name == "day of the week";
        match item {
            "?" => return (month_day || week_day) && whole == "?",
            "L" if month_day || week_day => return true,
            "LW" if month_day => return true,
            _ => {}
        }
        if month_day && let Some(day) = item.strip_suffix('W') {
            return self.number(day).is_some();
        }
        if week_day && let Some((day, week)) = item.split_once('#') {
            let week = week.parse::<u32>();
            return self.number(day).is_some() && week.is_ok_and(|week| (1..=5).contains(&week));
        }
        if week_day && let Some(day) = item.strip_suffix('L') {
            return self.number(day).is_some();
        }
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        if step.is_some_and(|step| step.parse::<u32>().map_or(true, |step| step == 0)) {
            return false;
        }
        match range.split_once('-') {
            _ if range == "*" => true,
            Some((first, last)) => match (self.number(first), self.number(last)) {
                // Hours and weekdays may go over the end, such as `22-2`.
                (Some(first), Some(last)) => first <= last || self.name != "year",
                _ => false,
            },
            None => self.number(range).is_some(),
        }
    }

    fn number(&self, text: &str) -> Option<u32> {
        let word = self.words.iter().position(|word| *word == text);
        if let Some(position) = word {
            return u32::try_from(position + 1).ok();
        }
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number: u32 = digits.then(|| text.parse().ok())??;
        (self.first..=self.last).contains(&number).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_written_in_the_singular_and_the_plural() {
        assert_eq!(
            Recurrence::Every(1, TimeUnit::Hours).to_string(),
            "rate(1 hour)"
        );
        assert_eq!(
            Recurrence::Every(5, TimeUnit::Minutes).to_string(),
            "rate(5 minutes)"
        );
        assert!(Recurrence::Every(0, TimeUnit::Days).violation().is_some());
    }

    #[test]
    fn right_cron_expressions_pass() {
        for fields in [
            "0 7 * * ? *",
            "15 10 ? * 6L 2019-2029",
            "0/15 * * * ? *",
            "0/10 * ? * MON-FRI *",
            "0 18 ? * 2#1 *",
            "0 9 LW * ? *",
            "0 9 3W JAN,JUN ? *",
            "*/5 8-17 ? * MON,WED *",
        ] {
            let cron = Recurrence::cron(fields);
            assert_eq!(cron.violation(), None, "{fields}");
        }
    }

    #[test]
    fn wrong_cron_expressions_say_what_is_wrong() {
        for (fields, part) in [
            ("0 7 * * *", "5 fields"),
            ("0 7 * * * *", "needs `?`"),
            ("0 7 ? * ? *", "needs `?`"),
            ("60 7 * * ? *", "minutes"),
            ("0 24 * * ? *", "hours"),
            ("0 7 0 * ? *", "day of the month"),
            ("0 7 * 13 ? *", "month"),
            ("0 7 ? * 8 *", "day of the week"),
            ("0 7 ? * MON#6 *", "day of the week"),
            ("0 7 * * ? 1969", "year"),
            ("0/0 7 * * ? *", "minutes"),
            ("0 ? * * ? *", "hours"),
            ("+5 7 * * ? *", "minutes"),
        ] {
            let message = Recurrence::cron(fields).violation().unwrap_or_default();
            assert!(message.contains(part), "{fields}: {message}");
        }
    }
}
