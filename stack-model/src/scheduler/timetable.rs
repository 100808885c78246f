//! When a schedule sends.

use crate::events::{Recurrence, TimeUnit};

/// When a schedule sends: once, or again and again.
///
/// ```
/// use stack_model::events::TimeUnit;
/// use stack_model::scheduler::Timetable;
///
/// let once = Timetable::at("2027-01-01T00:00:00").in_zone("Europe/Berlin");
/// let often = Timetable::every(5, TimeUnit::Minutes).until("2027-01-01T00:00:00Z");
/// let daily = Timetable::cron("0 7 * * ? *");
/// ```
///
/// See <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timetable {
    times: Times,
    pub(super) zone: Option<String>,
    pub(super) from: Option<String>,
    pub(super) until: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Times {
    Once(String),
    Recurring(Recurrence),
}

impl Timetable {
    /// Sends once, at a time such as `2027-01-01T00:00:00`, which is in UTC unless a zone is given.
    pub fn at(time: impl Into<String>) -> Self {
        Self::of(Times::Once(time.into()))
    }

    /// Sends at a regular rate.
    pub fn every(number: u32, unit: TimeUnit) -> Self {
        Self::of(Times::Recurring(Recurrence::Every(number, unit)))
    }

    /// Sends at the times that six fields say: minutes, hours, day of the month, month, day of the week, year.
    pub fn cron(fields: impl Into<String>) -> Self {
        Self::of(Times::Recurring(Recurrence::cron(fields)))
    }

    fn of(times: Times) -> Self {
        Self {
            times,
            zone: None,
            from: None,
            until: None,
        }
    }

    /// Says in which time zone the times are, such as `Europe/Berlin`; summer time is followed.
    #[must_use]
    pub fn in_zone(mut self, zone: impl Into<String>) -> Self {
        self.zone = Some(zone.into());
        self
    }

    /// Starts at a time in UTC, such as `2027-01-01T00:00:00Z`.
    #[must_use]
    pub fn from(mut self, time: impl Into<String>) -> Self {
        self.from = Some(time.into());
        self
    }

    /// Ends at a time in UTC, such as `2027-01-01T00:00:00Z`.
    #[must_use]
    pub fn until(mut self, time: impl Into<String>) -> Self {
        self.until = Some(time.into());
        self
    }

    pub(super) fn expression(&self) -> String {
        match &self.times {
            Times::Once(time) => format!("at({time})"),
            Times::Recurring(recurrence) => recurrence.to_string(),
        }
    }

    /// Returns what is wrong with it.
    pub(super) fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        match &self.times {
            Times::Once(time) => {
                if !is_time(time) {
                    found.push(format!(
                        "`{time}` is no time: it looks like `2027-01-01T00:00:00`, without a zone"
                    ));
                }
                if self.from.is_some() || self.until.is_some() {
                    found.push("a schedule that sends once has no start and no end".to_owned());
                }
            }
            Times::Recurring(recurrence) => found.extend(recurrence.violation()),
        }
        for time in [&self.from, &self.until].into_iter().flatten() {
            if !time.strip_suffix('Z').is_some_and(is_time) {
                found.push(format!(
                    "`{time}` is no time in UTC: it looks like `2027-01-01T00:00:00Z`"
                ));
            }
        }
        if let (Some(from), Some(until)) = (&self.from, &self.until)
            && from >= until
        {
            found.push(format!(
                "the schedule ends at {until}, before it starts at {from}"
            ));
        }
        if let Some(zone) = &self.zone
            && !is_zone(zone)
        {
            found.push(format!(
                "`{zone}` is no time zone of the IANA data base: it looks like `Europe/Berlin` or `UTC`"
            ));
        }
        found
    }
}

/// Returns whether a text is a date and a time of day.
fn is_time(text: &str) -> bool {
    let digits = |text: &str, length: usize| -> Option<u32> {
        let right = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
        right.then(|| text.parse().ok())?
    };
    let parse = || -> Option<bool> {
        let (date, time) = text.split_once('T')?;
        let mut date = date.split('-');
        let (year, month, day) = (date.next()?, date.next()?, date.next()?);
        let mut time = time.split(':');
        let (hour, minute, second) = (time.next()?, time.next()?, time.next()?);
        let year = digits(year, 4)?;
        let month = digits(month, 2)?;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        Some(
            date.next().is_none()
                && time.next().is_none()
                && (1..=days).contains(&digits(day, 2)?)
                && digits(hour, 2)? < 24
                && digits(minute, 2)? < 60
                && digits(second, 2)? < 60,
        )
    };
    parse().unwrap_or(false)
}

/// Returns whether a text has the form of a name of the IANA data base: words with slashes between them.
fn is_zone(text: &str) -> bool {
    text == "UTC"
        || (text.contains('/')
            && text.split('/').all(|word| {
                word.starts_with(|c: char| c.is_ascii_uppercase())
                    && word
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))
            }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_timetables_pass() {
        for timetable in [
            Timetable::at("2028-02-29T23:59:59").in_zone("America/Argentina/Buenos_Aires"),
            Timetable::every(1, TimeUnit::Days)
                .from("2027-01-01T00:00:00Z")
                .until("2027-01-02T00:00:00Z"),
            Timetable::cron("0 7 * * ? *").in_zone("UTC"),
            Timetable::cron("0 7 * * ? *").in_zone("Etc/GMT+5"),
        ] {
            assert_eq!(
                timetable.violations(),
                Vec::<String>::new(),
                "{timetable:?}"
            );
        }
    }

    #[test]
    fn wrong_timetables_say_what_is_wrong() {
        for (timetable, part) in [
            (Timetable::at("2027-01-01T00:00:00Z"), "without a zone"),
            (Timetable::at("2027-02-29T00:00:00"), "is no time"),
            (Timetable::at("2027-13-01T00:00:00"), "is no time"),
            (Timetable::at("2027-01-01"), "is no time"),
            (Timetable::at("2027-01-01T24:00:00"), "is no time"),
            (
                Timetable::at("2027-01-01T00:00:00").from("2027-01-01T00:00:00Z"),
                "no start and no end",
            ),
            (Timetable::cron("0 7 * * *"), "5 fields"),
            (
                Timetable::cron("0 7 * * ? *").in_zone("CET5"),
                "no time zone",
            ),
            (
                Timetable::cron("0 7 * * ? *").in_zone("europe/berlin"),
                "no time zone",
            ),
            (Timetable::cron("0 7 * * ? *").from("2027-01-01"), "in UTC"),
            (
                Timetable::cron("0 7 * * ? *")
                    .from("2027-01-02T00:00:00Z")
                    .until("2027-01-01T00:00:00Z"),
                "before it starts",
            ),
        ] {
            let found = timetable.violations();
            assert!(
                matches!(found.as_slice(), [only] if only.contains(part)),
                "{timetable:?}: {found:?}"
            );
        }
    }
}
