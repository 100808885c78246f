//! How long log events are kept.

/// How long log events are kept: one of the spans that CloudWatch Logs knows.
///
/// See <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Retention {
    /// 1 day.
    OneDay,
    /// 3 days.
    ThreeDays,
    /// 5 days.
    FiveDays,
    /// 7 days.
    OneWeek,
    /// 14 days.
    TwoWeeks,
    /// 30 days.
    #[default]
    OneMonth,
    /// 60 days.
    TwoMonths,
    /// 90 days.
    ThreeMonths,
    /// 120 days.
    FourMonths,
    /// 150 days.
    FiveMonths,
    /// 180 days.
    SixMonths,
    /// 365 days.
    OneYear,
    /// 400 days.
    ThirteenMonths,
    /// 545 days.
    EighteenMonths,
    /// 731 days.
    TwoYears,
    /// 1,096 days.
    ThreeYears,
    /// 1,827 days.
    FiveYears,
    /// 2,192 days.
    SixYears,
    /// 2,557 days.
    SevenYears,
    /// 2,922 days.
    EightYears,
    /// 3,288 days.
    NineYears,
    /// 3,653 days.
    TenYears,
    /// Until somebody deletes them.
    Forever,
}

/// A number of days that CloudWatch Logs does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("log events cannot be kept for {days} days: the next longer span is {} days", .longer.days().unwrap_or_default())]
pub struct RetentionError {
    days: u32,
    longer: Retention,
}

impl Retention {
    /// Every limited span, the shortest first.
    const LIMITED: [Self; 22] = [
        Self::OneDay,
        Self::ThreeDays,
        Self::FiveDays,
        Self::OneWeek,
        Self::TwoWeeks,
        Self::OneMonth,
        Self::TwoMonths,
        Self::ThreeMonths,
        Self::FourMonths,
        Self::FiveMonths,
        Self::SixMonths,
        Self::OneYear,
        Self::ThirteenMonths,
        Self::EighteenMonths,
        Self::TwoYears,
        Self::ThreeYears,
        Self::FiveYears,
        Self::SixYears,
        Self::SevenYears,
        Self::EightYears,
        Self::NineYears,
        Self::TenYears,
    ];

    /// Returns the number of days, or `None` where events are kept for ever.
    pub const fn days(self) -> Option<u32> {
        Some(match self {
            Self::OneDay => 1,
            Self::ThreeDays => 3,
            Self::FiveDays => 5,
            Self::OneWeek => 7,
            Self::TwoWeeks => 14,
            Self::OneMonth => 30,
            Self::TwoMonths => 60,
            Self::ThreeMonths => 90,
            Self::FourMonths => 120,
            Self::FiveMonths => 150,
            Self::SixMonths => 180,
            Self::OneYear => 365,
            Self::ThirteenMonths => 400,
            Self::EighteenMonths => 545,
            Self::TwoYears => 731,
            Self::ThreeYears => 1096,
            Self::FiveYears => 1827,
            Self::SixYears => 2192,
            Self::SevenYears => 2557,
            Self::EightYears => 2922,
            Self::NineYears => 3288,
            Self::TenYears => 3653,
            Self::Forever => return None,
        })
    }
}

impl TryFrom<u32> for Retention {
    type Error = RetentionError;

    /// Reads a number of days, such as a stage variable holds it.
    fn try_from(days: u32) -> Result<Self, RetentionError> {
        let longer = Self::LIMITED
            .into_iter()
            .find(|span| span.days().is_some_and(|known| known >= days))
            .unwrap_or(Self::TenYears);
        if longer.days() == Some(days) {
            Ok(longer)
        } else {
            Err(RetentionError { days, longer })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_span_is_one_that_the_registry_knows() {
        let days: Vec<u32> = Retention::LIMITED
            .into_iter()
            .filter_map(Retention::days)
            .collect();
        assert_eq!(
            days,
            [
                1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192,
                2557, 2922, 3288, 3653
            ]
        );
    }

    #[test]
    fn days_are_read_or_refused() {
        assert_eq!(Retention::try_from(30), Ok(Retention::OneMonth));
        assert_eq!(
            Retention::try_from(31).map_err(|error| error.to_string()),
            Err(
                "log events cannot be kept for 31 days: the next longer span is 60 days".to_owned()
            )
        );
        assert!(Retention::try_from(0).is_err());
    }
}
