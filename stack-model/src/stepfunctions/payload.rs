//! Payloads: JSON in which some values are found or computed when the state runs.

use std::collections::BTreeMap;

use serde_json::{Number, Value as Json};
use stack_model_cfn::{Expr, Token, Value};

use super::intrinsic::Argument;
use super::path::Path;

/// A value that Step Functions finds or computes when the state runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    text: String,
    language: QueryLanguage,
}

/// The language in which a state says what it takes and makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueryLanguage {
    /// Paths and intrinsic functions; AWS's default.
    #[default]
    JsonPath,
    /// `JSONata`, with `{% .. %}` around expressions.
    Jsonata,
}

impl QueryLanguage {
    /// Returns the word that the Amazon States Language uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JsonPath => "JSONPath",
            Self::Jsonata => "JSONata",
        }
    }
}

impl Expression {
    /// Calls an intrinsic function, written out such as `States.Format('Order {}', $.id)`. The functions in
    /// [`intrinsic`](super::intrinsic) know how many arguments each takes; the synth checks what is written out.
    pub fn intrinsic(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            language: QueryLanguage::JsonPath,
        }
    }

    /// Computes a value in `JSONata`, without `{%` and `%}`. Only states of that query language take it.
    ///
    /// See <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>.
    pub fn jsonata(expression: impl AsRef<str>) -> Self {
        Self {
            text: format!("{{% {} %}}", expression.as_ref().trim()),
            language: QueryLanguage::Jsonata,
        }
    }

    /// Returns the text as it stands in the definition.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn language(&self) -> QueryLanguage {
        self.language
    }
}

impl From<Path> for Expression {
    fn from(path: Path) -> Self {
        Self {
            text: path.as_str().to_owned(),
            language: QueryLanguage::JsonPath,
        }
    }
}

/// JSON in which any value may be an [`Expression`] or a token.
///
/// It is written with [`payload!`](crate::payload!). Keys are plain: the `.$` that the Amazon States Language wants
/// behind a key whose value is computed is put there by the model, and a list in which a path stands becomes a call of
/// `States.Array`.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// A text, number, boolean, `null` or token that stands for itself.
    Literal(Expr),
    /// A value found or computed when the state runs.
    Expression(Expression),
    /// A list.
    List(Vec<Payload>),
    /// An object.
    Object(BTreeMap<String, Payload>),
}

impl Payload {
    /// Makes an object; a later entry replaces an earlier one of the same key.
    pub fn object<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Object(entries.into_iter().map(|(k, v)| (k.into(), v)).collect())
    }

    /// Hands on everything that the state got.
    pub fn input() -> Self {
        Self::Expression(Path::literal("$").into())
    }

    /// Returns the payload as JSON, where no value of it is computed or known to the deployment alone.
    pub(super) fn json(&self) -> Option<Json> {
        match self {
            Self::Literal(literal) => json(literal),
            Self::Expression(_) => None,
            Self::List(elements) => elements.iter().map(Self::json).collect(),
            Self::Object(entries) => entries
                .iter()
                .map(|(key, value)| Some((key.clone(), value.json()?)))
                .collect(),
        }
    }

    /// Calls `visit` with every expression.
    pub(super) fn walk(&self, visit: &mut dyn FnMut(&Expression)) {
        match self {
            Self::Literal(_) => {}
            Self::Expression(expression) => visit(expression),
            Self::List(elements) => elements.iter().for_each(|element| element.walk(visit)),
            Self::Object(entries) => entries.values().for_each(|entry| entry.walk(visit)),
        }
    }

    /// Renders the payload as a value, which no key says is computed: JSON with expressions in it only where the
    /// query language marks them itself.
    pub(super) fn render(&self) -> Expr {
        match self {
            Self::Literal(literal) => literal.clone(),
            Self::Expression(expression) => Expr::from(expression.text.as_str()),
            Self::List(elements) => Expr::List(elements.iter().map(Self::render).collect()),
            Self::Object(entries) => Expr::map(entries.iter().map(|(key, value)| {
                let computed = match value {
                    Self::Expression(expression) => Some(expression.clone()),
                    Self::List(elements) => array(elements),
                    Self::Literal(_) | Self::Object(_) => None,
                };
                match computed {
                    Some(Expression {
                        text,
                        language: QueryLanguage::JsonPath,
                    }) => (format!("{key}.$"), Expr::from(text)),
                    _ => (key.clone(), value.render()),
                }
            })),
        }
    }

    /// Puts the payload under a key, which says whether the whole of it is computed.
    pub(super) fn put(&self, key: &str, into: &mut BTreeMap<String, Expr>) {
        let entry = Self::Object(BTreeMap::from([(key.to_owned(), self.clone())])).render();
        if let Expr::Map(rendered) = entry {
            into.extend(rendered);
        }
    }
}

/// Returns the call that makes a list in which some elements are found by paths: nothing is computed in a plain list.
/// Elements that are no arguments of a call leave the list as it is, and the check of the definition finds it.
fn array(elements: &[Payload]) -> Option<Expression> {
    let is_path = |element: &Payload| matches!(element, Payload::Expression(expression) if expression.language == QueryLanguage::JsonPath);
    if !elements.iter().any(is_path) {
        return None;
    }
    let arguments: Option<Vec<String>> = elements
        .iter()
        .map(|element| match element {
            Payload::Expression(expression) if is_path(element) => Some(expression.text.clone()),
            Payload::Literal(Expr::String(text)) => {
                Some(Argument::from(text.as_str()).text().to_owned())
            }
            Payload::Literal(Expr::Number(number)) => Some(number.to_string()),
            Payload::Literal(Expr::Bool(value)) => Some(value.to_string()),
            Payload::Literal(Expr::Null) => Some("null".to_owned()),
            _ => None,
        })
        .collect();
    let call = format!("States.Array({})", arguments?.join(", "));
    Some(Expression::intrinsic(call))
}

fn json(literal: &Expr) -> Option<Json> {
    Some(match literal {
        Expr::Null => Json::Null,
        Expr::Bool(value) => Json::Bool(*value),
        Expr::Number(number) => Json::Number(number.clone()),
        Expr::String(text) => Json::String(text.clone()),
        Expr::List(elements) => return elements.iter().map(json).collect(),
        Expr::Map(entries) => {
            return entries
                .iter()
                .map(|(key, value)| Some((key.clone(), json(value)?)))
                .collect();
        }
        Expr::Token(_) => return None,
    })
}

macro_rules! literals {
    ($($type:ty),*) => {$(
        impl From<$type> for Payload {
            fn from(literal: $type) -> Self {
                Self::Literal(literal.into())
            }
        }
    )*};
}

literals!(bool, &str, String, i32, i64, u32, u64, Token);

impl From<f64> for Payload {
    /// Takes a fraction; what is no number is `null`, as in JSON.
    fn from(number: f64) -> Self {
        Self::Literal(Number::from_f64(number).map_or(Expr::Null, Expr::Number))
    }
}

impl<T: Into<Expr>> From<Value<T>> for Payload {
    fn from(value: Value<T>) -> Self {
        Self::Literal(value.into())
    }
}

impl From<Path> for Payload {
    fn from(path: Path) -> Self {
        Self::Expression(path.into())
    }
}

impl From<Expression> for Payload {
    fn from(expression: Expression) -> Self {
        Self::Expression(expression)
    }
}

impl From<serde_json::Value> for Payload {
    /// Takes JSON as it is: a key that ends in `.$` already says that its value is computed.
    fn from(json: serde_json::Value) -> Self {
        Self::Literal(json.into())
    }
}

impl<P: Into<Self>> From<Vec<P>> for Payload {
    fn from(elements: Vec<P>) -> Self {
        Self::List(elements.into_iter().map(Into::into).collect())
    }
}

/// Writes a [`Payload`] as JSON, in which a value may be any Rust expression that turns into one: a path, an
/// intrinsic function, a handle's attribute, a text or a number.
///
/// ```
/// use stack_model::stepfunctions::{Payload, context, intrinsic};
/// use stack_model::{path, payload};
///
/// let detail = payload!({
///     "orderId": path!("$.detail.orderId"),
///     "token": context::TASK_TOKEN,
///     "text": intrinsic::format("Order {}", [path!("$.detail.orderId").into()]),
///     "tags": ["new", 5, true, null],
///     "nested": { "source": "orders" },
/// });
/// assert!(matches!(detail, Payload::Object(_)));
/// ```
#[macro_export]
macro_rules! payload {
    (null) => {
        $crate::stepfunctions::Payload::Literal($crate::Expr::Null)
    };
    ({}) => {
        $crate::stepfunctions::Payload::Object(::std::collections::BTreeMap::new())
    };
    ([]) => {
        $crate::stepfunctions::Payload::List(::std::vec::Vec::new())
    };
    ({ $($entries:tt)+ }) => {{
        let mut entries = ::std::collections::BTreeMap::<
            ::std::string::String,
            $crate::stepfunctions::Payload,
        >::new();
        $crate::payload!(@object entries $($entries)+);
        $crate::stepfunctions::Payload::Object(entries)
    }};
    ([ $($elements:tt)+ ]) => {{
        let mut elements = ::std::vec::Vec::<$crate::stepfunctions::Payload>::new();
        $crate::payload!(@list elements $($elements)+);
        $crate::stepfunctions::Payload::List(elements)
    }};
    (@object $map:ident) => {};
    (@object $map:ident $key:literal : null $(, $($rest:tt)*)?) => {
        $map.insert($key.into(), $crate::payload!(null));
        $crate::payload!(@object $map $($($rest)*)?);
    };
    (@object $map:ident $key:literal : { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        $map.insert($key.into(), $crate::payload!({ $($inner)* }));
        $crate::payload!(@object $map $($($rest)*)?);
    };
    (@object $map:ident $key:literal : [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        $map.insert($key.into(), $crate::payload!([ $($inner)* ]));
        $crate::payload!(@object $map $($($rest)*)?);
    };
    (@object $map:ident $key:literal : $value:expr $(, $($rest:tt)*)?) => {
        $map.insert($key.into(), $crate::stepfunctions::Payload::from($value));
        $crate::payload!(@object $map $($($rest)*)?);
    };
    (@list $list:ident) => {};
    (@list $list:ident null $(, $($rest:tt)*)?) => {
        $list.extend([$crate::payload!(null)]);
        $crate::payload!(@list $list $($($rest)*)?);
    };
    (@list $list:ident { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        $list.extend([$crate::payload!({ $($inner)* })]);
        $crate::payload!(@list $list $($($rest)*)?);
    };
    (@list $list:ident [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        $list.extend([$crate::payload!([ $($inner)* ])]);
        $crate::payload!(@list $list $($($rest)*)?);
    };
    (@list $list:ident $value:expr $(, $($rest:tt)*)?) => {
        $list.extend([$crate::stepfunctions::Payload::from($value)]);
        $crate::payload!(@list $list $($($rest)*)?);
    };
    ($value:expr) => {
        $crate::stepfunctions::Payload::from($value)
    };
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::path;
    use crate::stepfunctions::context;

    #[test]
    fn keys_of_computed_values_are_marked() {
        let payload = payload!({
            "plain": "text",
            "path": path!("$.a"),
            "nested": { "token": context::TASK_TOKEN, "none": null, "empty": {} },
            "list": [1, [true], { "deep": path!("$.b") }],
            "array": ["it's", path!("$.b"), 5, null, true],
            "jsonata": Expression::jsonata(" $states.input.a "),
        });
        let expected = json!({
            "plain": "text",
            "path.$": "$.a",
            "nested": { "token.$": "$$.Task.Token", "none": null, "empty": {} },
            "list": [1, [true], { "deep.$": "$.b" }],
            "array.$": "States.Array('it\\'s', $.b, 5, null, true)",
            "jsonata": "{% $states.input.a %}",
        });
        assert_eq!(payload.render(), Expr::from(expected));
    }

    #[test]
    fn a_payload_that_is_computed_as_a_whole_marks_its_key() {
        let mut entries = BTreeMap::new();
        Payload::input().put("Payload", &mut entries);
        payload!({}).put("Empty", &mut entries);
        assert_eq!(
            Expr::Map(entries),
            Expr::from(json!({"Payload.$": "$", "Empty": {}}))
        );
    }
}
