//! What differs from call to call although the request does not.

use jiff::Timestamp;
use uuid::Uuid;

/// The time of a call and an id that nobody has used.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) now: String,
    pub(crate) fresh_id: String,
}

impl Moment {
    /// Takes the time of now and a random id.
    pub(crate) fn take() -> Self {
        Self {
            now: now(),
            fresh_id: Uuid::new_v4().to_string(),
        }
    }
}

/// Returns the time of now as ISO 8601 in UTC with milliseconds, all of one length.
pub(crate) fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_moments_differ_and_their_times_sort_as_texts() {
        let (first, second) = (Moment::take(), Moment::take());
        assert_ne!(first.fresh_id, second.fresh_id);
        assert!(first.now <= second.now, "{first:?} {second:?}");
        for moment in [first, second] {
            assert_eq!(moment.now.len(), "2026-01-01T00:00:00.000Z".len());
        }
    }
}
