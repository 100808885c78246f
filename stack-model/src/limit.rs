//! Numbers with the limits that AWS gives them.

/// A whole number from `MIN` to `MAX`.
///
/// A number that is known when the stack compiles is best written with [`limit!`](crate::limit!), which refuses
/// one outside the limits at compile time. A number that comes from a stage variable converts with `into()` and is
/// checked when the stack is synthesised, together with everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Limited<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Limited<MIN, MAX> {
    /// Takes a number that is known when the stack compiles.
    ///
    /// # Panics
    ///
    /// Panics outside the limits: call it through [`limit!`](crate::limit!), which turns that into a compile
    /// error.
    #[doc(hidden)]
    pub const fn literal(number: u32) -> Self {
        assert!(
            number >= MIN && number <= MAX,
            "the number is outside the limits that AWS gives this property"
        );
        Self(number)
    }

    /// Returns the number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Returns the number as templates hold it.
    pub(crate) fn number(self) -> i64 {
        i64::from(self.0)
    }

    /// Returns what is wrong with the number, if anything.
    pub(crate) fn violation(self) -> Option<String> {
        (self.0 < MIN || self.0 > MAX).then(|| format!("{} is not between {MIN} and {MAX}", self.0))
    }
}

impl<const MIN: u32, const MAX: u32> From<u32> for Limited<MIN, MAX> {
    /// Takes the number as it is; the synth reports one outside the limits.
    fn from(number: u32) -> Self {
        Self(number)
    }
}

/// Writes a number whose limits are checked when the stack compiles.
///
/// ```
/// use stack_model::limit;
/// use stack_model::sqs::DelaySeconds;
///
/// let delay = limit!(DelaySeconds, 900);
/// assert_eq!(delay.get(), 900);
/// ```
///
/// ```compile_fail
/// use stack_model::limit;
/// use stack_model::sqs::DelaySeconds;
///
/// let delay = limit!(DelaySeconds, 901);
/// ```
#[macro_export]
macro_rules! limit {
    ($limits:ty, $number:expr) => {{
        const LIMITED: $limits = <$limits>::literal($number);
        LIMITED
    }};
}
