//! What a field of an event must be.

use serde_json::Number;
use stack_model_cfn::{Expr, Value};

/// What a field of an event must be.
///
/// See <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct Match(Expr);

impl Match {
    /// Is exactly this text, number or boolean.
    pub fn exact(value: impl Into<Expr>) -> Self {
        Self(value.into())
    }

    /// Is `null`.
    pub fn null() -> Self {
        Self(Expr::Null)
    }

    /// Is this text, whatever the case of its letters.
    pub fn exact_ignoring_case(text: impl Into<Value<String>>) -> Self {
        Self::one("equals-ignore-case", text.into())
    }

    /// Starts with this text.
    pub fn prefix(text: impl Into<Value<String>>) -> Self {
        Self::one("prefix", text.into())
    }

    /// Starts with this text, whatever the case of its letters.
    pub fn prefix_ignoring_case(text: impl Into<Value<String>>) -> Self {
        Self::one("prefix", Self::exact_ignoring_case(text))
    }

    /// Ends with this text.
    pub fn suffix(text: impl Into<Value<String>>) -> Self {
        Self::one("suffix", text.into())
    }

    /// Ends with this text, whatever the case of its letters.
    pub fn suffix_ignoring_case(text: impl Into<Value<String>>) -> Self {
        Self::one("suffix", Self::exact_ignoring_case(text))
    }

    /// Has this form, where `*` stands for any characters; a backslash keeps a `*` or a backslash.
    pub fn wildcard(form: impl Into<Value<String>>) -> Self {
        Self::one("wildcard", form.into())
    }

    /// Is an address in this range, such as `10.0.0.0/24`.
    pub fn cidr(range: impl Into<Value<String>>) -> Self {
        Self::one("cidr", range.into())
    }

    /// Is there, whatever its value; only fields that hold no others can be asked for.
    pub fn exists() -> Self {
        Self::one("exists", true)
    }

    /// Is not there.
    pub fn absent() -> Self {
        Self::one("exists", false)
    }

    /// Is a number that equals this one, however it is written.
    pub fn number(number: impl Into<f64>) -> Self {
        Self::numeric(&[("=", number.into())])
    }

    /// Is a number above this one.
    pub fn above(number: impl Into<f64>) -> Self {
        Self::numeric(&[(">", number.into())])
    }

    /// Is this number or a larger one.
    pub fn at_least(number: impl Into<f64>) -> Self {
        Self::numeric(&[(">=", number.into())])
    }

    /// Is a number below this one.
    pub fn below(number: impl Into<f64>) -> Self {
        Self::numeric(&[("<", number.into())])
    }

    /// Is this number or a smaller one.
    pub fn at_most(number: impl Into<f64>) -> Self {
        Self::numeric(&[("<=", number.into())])
    }

    /// Is a number from the first to the second, both included.
    pub fn between(first: impl Into<f64>, last: impl Into<f64>) -> Self {
        Self::numeric(&[(">=", first.into()), ("<=", last.into())])
    }

    /// Is none of these texts or numbers.
    pub fn anything_but<V: Into<Expr>>(values: impl IntoIterator<Item = V>) -> Self {
        Self::one("anything-but", Expr::list(values))
    }

    /// Starts with none of these texts.
    pub fn no_prefix<T: Into<Value<String>>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::not("prefix", texts)
    }

    /// Ends with none of these texts.
    pub fn no_suffix<T: Into<Value<String>>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::not("suffix", texts)
    }

    /// Is none of these texts, whatever the case of their letters.
    pub fn anything_but_ignoring_case<T: Into<Value<String>>>(
        texts: impl IntoIterator<Item = T>,
    ) -> Self {
        Self::not("equals-ignore-case", texts)
    }

    /// Has none of these forms, where `*` stands for any characters.
    pub fn no_wildcard<T: Into<Value<String>>>(forms: impl IntoIterator<Item = T>) -> Self {
        Self::not("wildcard", forms)
    }

    fn one(operator: &str, value: impl Into<Expr>) -> Self {
        Self(Expr::map([(operator, value.into())]))
    }

    fn not<T: Into<Value<String>>>(operator: &str, texts: impl IntoIterator<Item = T>) -> Self {
        let mut texts: Vec<Expr> = texts.into_iter().map(|text| text.into().into()).collect();
        let texts = match (texts.pop(), texts.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                texts.extend(last);
                Expr::List(texts)
            }
        };
        Self::one("anything-but", Self::one(operator, texts))
    }

    fn numeric(comparisons: &[(&str, f64)]) -> Self {
        let comparisons = comparisons
            .iter()
            .flat_map(|(operator, number)| [Expr::from(*operator), json_number(*number)]);
        Self::one("numeric", Expr::list(comparisons))
    }
}

impl From<Match> for Expr {
    fn from(value: Match) -> Self {
        value.0
    }
}

/// The largest whole number that a pattern can compare with, in both directions.
pub(super) const MAX_NUMBER: f64 = 5.0e9;

/// Writes whole numbers without a fraction, as people do. What is no number becomes `null`, which the grammar refuses.
fn json_number(number: f64) -> Expr {
    if number.fract() == 0.0 && number.abs() <= MAX_NUMBER {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the number is whole and far below 2^53"
        )]
        return Expr::from(number as i64);
    }
    Number::from_f64(number).map_or(Expr::Null, Expr::Number)
}
