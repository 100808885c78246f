//! Conditions: what a choice compares.

use std::collections::BTreeMap;
use std::ops::{BitAnd, BitOr, Not};

use stack_model_cfn::Expr;

use super::path::Path;
use super::payload::Expression;

/// What a rule of a [`Choice`](super::Choice) demands.
///
/// Conditions are made of paths, such as `path!("$.action").equals("make")`, and put together with `&`, `|` and `!`.
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Test {
        variable: Path,
        operator: String,
        operand: Expr,
    },
    Jsonata(Expression),
}

/// A value that a path can be compared with.
///
/// Literals bring their type with them; what stands at another path is compared as the type that is said:
/// [`text_at`], [`number_at`], [`boolean_at`] or [`time_at`].
#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    family: &'static str,
    value: Expr,
    path: bool,
}

/// A value that comes before or after others: a text, a number or a time, but no boolean.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderedOperand(Operand);

impl Operand {
    fn literal(family: &'static str, value: impl Into<Expr>) -> Self {
        Self {
            family,
            value: value.into(),
            path: false,
        }
    }

    fn at(family: &'static str, path: &Path) -> Self {
        Self {
            family,
            value: path.as_str().into(),
            path: true,
        }
    }
}

impl From<bool> for Operand {
    fn from(value: bool) -> Self {
        Self::literal("Boolean", value)
    }
}

macro_rules! ordered {
    ($($type:ty => $family:literal),*) => {$(
        impl From<$type> for OrderedOperand {
            fn from(value: $type) -> Self {
                Self(Operand::literal($family, value))
            }
        }
        impl From<$type> for Operand {
            fn from(value: $type) -> Self {
                OrderedOperand::from(value).0
            }
        }
    )*};
}

ordered!(&str => "String", String => "String", i32 => "Numeric", i64 => "Numeric", u32 => "Numeric");

impl From<OrderedOperand> for Operand {
    fn from(ordered: OrderedOperand) -> Self {
        ordered.0
    }
}

/// The text at a path, to compare with.
pub fn text_at(path: &Path) -> OrderedOperand {
    OrderedOperand(Operand::at("String", path))
}

/// The number at a path, to compare with.
pub fn number_at(path: &Path) -> OrderedOperand {
    OrderedOperand(Operand::at("Numeric", path))
}

/// The boolean at a path, to compare with.
pub fn boolean_at(path: &Path) -> Operand {
    Operand::at("Boolean", path)
}

/// The time at a path, to compare with.
pub fn time_at(path: &Path) -> OrderedOperand {
    OrderedOperand(Operand::at("Timestamp", path))
}

/// A time such as `2026-11-21T05:28:00Z`, to compare with.
pub fn time(timestamp: &str) -> OrderedOperand {
    OrderedOperand(Operand::literal("Timestamp", timestamp))
}

impl Path {
    fn test(&self, operator: impl Into<String>, operand: impl Into<Expr>) -> Condition {
        Condition {
            kind: Kind::Test {
                variable: self.clone(),
                operator: operator.into(),
                operand: operand.into(),
            },
        }
    }

    fn compare(&self, operator: &str, operand: Operand) -> Condition {
        let path = if operand.path { "Path" } else { "" };
        self.test(format!("{}{operator}{path}", operand.family), operand.value)
    }

    /// Demands the same value.
    #[must_use]
    pub fn equals(&self, operand: impl Into<Operand>) -> Condition {
        self.compare("Equals", operand.into())
    }

    /// Demands a smaller value.
    #[must_use]
    pub fn less_than(&self, operand: impl Into<OrderedOperand>) -> Condition {
        self.compare("LessThan", operand.into().0)
    }

    /// Demands a smaller value or the same.
    #[must_use]
    pub fn less_than_equals(&self, operand: impl Into<OrderedOperand>) -> Condition {
        self.compare("LessThanEquals", operand.into().0)
    }

    /// Demands a greater value.
    #[must_use]
    pub fn greater_than(&self, operand: impl Into<OrderedOperand>) -> Condition {
        self.compare("GreaterThan", operand.into().0)
    }

    /// Demands a greater value or the same.
    #[must_use]
    pub fn greater_than_equals(&self, operand: impl Into<OrderedOperand>) -> Condition {
        self.compare("GreaterThanEquals", operand.into().0)
    }

    /// Demands a text of a pattern, in which `*` stands for any characters.
    #[must_use]
    pub fn matches(&self, pattern: &str) -> Condition {
        self.test("StringMatches", pattern)
    }

    /// Demands that there is a value at all. Comparing what is not there fails the execution.
    #[must_use]
    pub fn is_present(&self) -> Condition {
        self.test("IsPresent", true)
    }

    /// Demands `null`.
    #[must_use]
    pub fn is_null(&self) -> Condition {
        self.test("IsNull", true)
    }

    /// Demands a text.
    #[must_use]
    pub fn is_string(&self) -> Condition {
        self.test("IsString", true)
    }

    /// Demands a number.
    #[must_use]
    pub fn is_numeric(&self) -> Condition {
        self.test("IsNumeric", true)
    }

    /// Demands a boolean.
    #[must_use]
    pub fn is_boolean(&self) -> Condition {
        self.test("IsBoolean", true)
    }

    /// Demands a text that is a time.
    #[must_use]
    pub fn is_timestamp(&self) -> Condition {
        self.test("IsTimestamp", true)
    }
}

impl Condition {
    /// Demands that an expression in `JSONata` is true, written without `{%` and `%}`.
    pub fn jsonata(expression: impl AsRef<str>) -> Self {
        Self {
            kind: Kind::Jsonata(Expression::jsonata(expression)),
        }
    }

    /// Demands all of the given conditions.
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self {
            kind: Kind::All(conditions.into_iter().collect()),
        }
    }

    /// Demands any of the given conditions.
    pub fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self {
            kind: Kind::Any(conditions.into_iter().collect()),
        }
    }

    /// Calls `visit` with every condition in `JSONata`, and says whether there is any other.
    pub(super) fn is_jsonata(&self) -> bool {
        matches!(self.kind, Kind::Jsonata(_))
    }

    pub(super) fn render(&self) -> BTreeMap<String, Expr> {
        let many = |conditions: &[Self]| {
            Expr::List(
                conditions
                    .iter()
                    .map(|condition| Expr::Map(condition.render()))
                    .collect(),
            )
        };
        match &self.kind {
            Kind::All(conditions) => BTreeMap::from([("And".to_owned(), many(conditions))]),
            Kind::Any(conditions) => BTreeMap::from([("Or".to_owned(), many(conditions))]),
            Kind::Not(condition) => {
                BTreeMap::from([("Not".to_owned(), Expr::Map(condition.render()))])
            }
            Kind::Test {
                variable,
                operator,
                operand,
            } => BTreeMap::from([
                ("Variable".to_owned(), variable.as_str().into()),
                (operator.clone(), operand.clone()),
            ]),
            Kind::Jsonata(expression) => {
                BTreeMap::from([("Condition".to_owned(), expression.text().into())])
            }
        }
    }
}

impl Not for Condition {
    type Output = Self;

    /// Demands that the condition does not hold.
    fn not(self) -> Self {
        match self.kind {
            // The tests of what a value is have an opposite of their own, which reads better.
            Kind::Test {
                variable,
                operator,
                operand: Expr::Bool(wanted),
            } if operator.starts_with("Is") => variable.test(operator, !wanted),
            Kind::Not(condition) => *condition,
            kind => Self {
                kind: Kind::Not(Box::new(Self { kind })),
            },
        }
    }
}

impl BitAnd for Condition {
    type Output = Self;

    /// Demands both conditions.
    fn bitand(self, other: Self) -> Self {
        match self.kind {
            Kind::All(mut conditions) => {
                conditions.push(other);
                Self::all(conditions)
            }
            kind => Self::all([Self { kind }, other]),
        }
    }
}

impl BitOr for Condition {
    type Output = Self;

    /// Demands one of the conditions.
    fn bitor(self, other: Self) -> Self {
        match self.kind {
            Kind::Any(mut conditions) => {
                conditions.push(other);
                Self::any(conditions)
            }
            kind => Self::any([Self { kind }, other]),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::path;

    #[test]
    fn conditions_are_put_together() {
        let open = path!("$.open");
        let condition = open.is_present() & open.equals(true) & !path!("$.full").equals("yes");
        let expected = json!({"And": [
            {"Variable": "$.open", "IsPresent": true},
            {"Variable": "$.open", "BooleanEquals": true},
            {"Not": {"Variable": "$.full", "StringEquals": "yes"}},
        ]});
        assert_eq!(Expr::Map(condition.render()), expected.into());
        let condition = !open.is_present() | !!open.equals(1);
        let expected = json!({"Or": [
            {"Variable": "$.open", "IsPresent": false},
            {"Variable": "$.open", "NumericEquals": 1},
        ]});
        assert_eq!(Expr::Map(condition.render()), expected.into());
    }

    #[test]
    fn operators_carry_the_type_of_what_they_compare() {
        let a = path!("$.a");
        let b = path!("$.b");
        for (condition, operator) in [
            (a.less_than("x"), "StringLessThan"),
            (a.less_than_equals(text_at(&b)), "StringLessThanEqualsPath"),
            (a.greater_than(number_at(&b)), "NumericGreaterThanPath"),
            (a.greater_than_equals(5), "NumericGreaterThanEquals"),
            (a.equals(boolean_at(&b)), "BooleanEqualsPath"),
            (a.equals(time("2026-01-01T00:00:00Z")), "TimestampEquals"),
            (a.less_than(time_at(&b)), "TimestampLessThanPath"),
            (a.matches("x-*"), "StringMatches"),
        ] {
            assert!(condition.render().contains_key(operator), "{operator}");
        }
    }
}
