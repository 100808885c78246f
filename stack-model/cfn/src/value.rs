//! Typed values: a literal of the type, or a token that yields one.

use std::collections::BTreeMap;

use crate::{Expr, Token};

/// A literal, or a token that yields a value of the same type once the stack is deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<T> {
    /// Known when the stack is rendered.
    Literal(T),
    /// Known when the stack is deployed.
    Token(Token),
}

impl<T> Value<T> {
    /// Returns the literal, or `None` where only the deployment knows.
    pub fn literal(&self) -> Option<&T> {
        match self {
            Self::Literal(literal) => Some(literal),
            Self::Token(_) => None,
        }
    }

    /// Changes the type of a literal. A token keeps what it yields, so `U` must be the same on the wire: the model's
    /// own crates see to that, and nobody else calls this.
    #[doc(hidden)]
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Value<U> {
        match self {
            Self::Literal(literal) => Value::Literal(change(literal)),
            Self::Token(token) => Value::Token(token),
        }
    }

    /// Forgets what kind of text this is, such as the resource type of an ARN.
    pub fn into_text(self) -> Value<String>
    where
        T: Into<String>,
    {
        self.map(Into::into)
    }
}

impl Value<i64> {
    /// Writes the number as text, in decimal digits, which is what CloudFormation makes of it in a text.
    pub fn into_digits(self) -> Value<String> {
        self.map(|number| number.to_string())
    }
}

impl<T> From<T> for Value<T> {
    fn from(literal: T) -> Self {
        Self::Literal(literal)
    }
}

impl From<&str> for Value<String> {
    fn from(literal: &str) -> Self {
        Self::Literal(literal.to_owned())
    }
}

/// One property of a resource: absent, a literal, or a token.
///
/// Every field of a generated struct has this type, so `"text".into()`, `5.into()`, a handle's attribute and a
/// nested struct all fit, and `..Default::default()` leaves the rest out of the template.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Property<T> {
    /// Left out of the template.
    #[default]
    Absent,
    /// Known when the stack is rendered.
    Literal(T),
    /// Known when the stack is deployed.
    Token(Token),
}

impl<T> From<T> for Property<T> {
    fn from(literal: T) -> Self {
        Self::Literal(literal)
    }
}

impl From<&str> for Property<String> {
    fn from(literal: &str) -> Self {
        Self::Literal(literal.to_owned())
    }
}

impl<T> From<Value<T>> for Property<T> {
    fn from(value: Value<T>) -> Self {
        match value {
            Value::Literal(literal) => Self::Literal(literal),
            Value::Token(token) => Self::Token(token),
        }
    }
}

impl<T> From<Option<T>> for Property<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Literal)
    }
}

impl<T> From<Option<Value<T>>> for Property<T> {
    fn from(value: Option<Value<T>>) -> Self {
        value.map_or(Self::Absent, Self::from)
    }
}

impl<T> From<T> for Property<Box<T>> {
    /// Takes a nested struct as it is; the box only keeps structs small.
    fn from(literal: T) -> Self {
        Self::Literal(Box::new(literal))
    }
}

impl<T> From<Option<T>> for Property<Box<T>> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::from)
    }
}

/// A list, any element of which may be a token.
pub type List<T> = Vec<Value<T>>;

/// A map with free keys, any value of which may be a token.
pub type Map<T> = BTreeMap<String, Value<T>>;

impl<T> From<Vec<T>> for Property<List<T>> {
    fn from(elements: Vec<T>) -> Self {
        Self::Literal(elements.into_iter().map(Value::Literal).collect())
    }
}

impl<T, const N: usize> From<[T; N]> for Property<List<T>> {
    fn from(elements: [T; N]) -> Self {
        Self::Literal(elements.into_iter().map(Value::Literal).collect())
    }
}

impl<T, const N: usize> From<[Value<T>; N]> for Property<List<T>> {
    fn from(elements: [Value<T>; N]) -> Self {
        Self::Literal(elements.into())
    }
}

impl<const N: usize> From<[&str; N]> for Property<List<String>> {
    fn from(elements: [&str; N]) -> Self {
        Self::Literal(elements.into_iter().map(Value::from).collect())
    }
}

impl<K: Into<String>, T, const N: usize> From<[(K, T); N]> for Property<Map<T>> {
    /// Takes the entries of a map; a later entry replaces an earlier one of the same key.
    fn from(entries: [(K, T); N]) -> Self {
        Self::Literal(
            entries
                .into_iter()
                .map(|(key, value)| (key.into(), Value::Literal(value)))
                .collect(),
        )
    }
}

impl From<i32> for Property<f64> {
    /// Takes a whole number where fractions are possible, so that `5.into()` fits.
    fn from(literal: i32) -> Self {
        Self::Literal(literal.into())
    }
}

impl From<serde_json::Value> for Property<Expr> {
    fn from(json: serde_json::Value) -> Self {
        Self::Literal(json.into())
    }
}

/// Makes a list of anything that turns into its elements: texts, numbers, structs, tokens, or values of any of them.
pub fn list<T, E: Into<Value<T>>>(elements: impl IntoIterator<Item = E>) -> Property<List<T>> {
    Property::Literal(elements.into_iter().map(Into::into).collect())
}
