//! JSON whose leaves may be tokens: what every property renders to.

use std::collections::BTreeMap;

use serde_json::Number;

use crate::{Token, Value};

/// A JSON value that may hold tokens anywhere.
///
/// Numbers and booleans stay what they are; maps are ordered by key, so that the same stack always renders the
/// same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// `null`, which CloudFormation accepts in raw JSON only.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text that stands for itself.
    String(String),
    /// A list.
    List(Vec<Expr>),
    /// A map ordered by key.
    Map(BTreeMap<String, Expr>),
    /// A value that CloudFormation computes.
    Token(Token),
}

impl Expr {
    /// Makes a map of the given entries; a later entry replaces an earlier one of the same key.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Expr)>) -> Self {
        Self::Map(entries.into_iter().map(|(k, v)| (k.into(), v)).collect())
    }

    /// Makes a list of the given elements.
    pub fn list<E: Into<Expr>>(elements: impl IntoIterator<Item = E>) -> Self {
        Self::List(elements.into_iter().map(Into::into).collect())
    }

    /// Calls `visit` with every token, outer ones before those inside them.
    pub fn walk(&self, visit: &mut dyn FnMut(&Token)) {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => {}
            Self::List(elements) => elements.iter().for_each(|e| e.walk(visit)),
            Self::Map(entries) => entries.values().for_each(|e| e.walk(visit)),
            Self::Token(token) => token.walk(visit),
        }
    }

    /// Puts what `change` returns in place of every token that it returns something for, inside other tokens too.
    pub fn replace(&mut self, change: &dyn Fn(&Token) -> Option<Expr>) {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => {}
            Self::List(elements) => elements.iter_mut().for_each(|e| e.replace(change)),
            Self::Map(entries) => entries.values_mut().for_each(|e| e.replace(change)),
            Self::Token(token) => match change(token) {
                Some(changed) => *self = changed,
                None => token.replace(change),
            },
        }
    }

    /// Returns the text if this is a literal text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

impl From<bool> for Expr {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Expr {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Expr {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Expr {
            fn from(value: $integer) -> Self {
                Self::Number(value.into())
            }
        }
    )*};
}

from_integers!(i32, i64, u16, u32, u64);

impl From<Token> for Expr {
    fn from(value: Token) -> Self {
        Self::Token(value)
    }
}

impl<T: Into<Expr>> From<Value<T>> for Expr {
    fn from(value: Value<T>) -> Self {
        match value {
            Value::Literal(literal) => literal.into(),
            Value::Token(token) => Self::Token(token),
        }
    }
}

impl From<serde_json::Value> for Expr {
    /// Takes JSON as it is: intrinsics written as JSON stay plain maps, and so are rendered unchanged.
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match value {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(value) => Self::Number(value),
            Json::String(value) => Self::String(value),
            Json::Array(elements) => Self::list(elements),
            Json::Object(entries) => Self::map(entries.into_iter().map(|(k, v)| (k, v.into()))),
        }
    }
}
