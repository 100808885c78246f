//! Expressions of DynamoDB with their names and values.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

/// An expression of DynamoDB: a condition, a filter or an update.
///
/// The conditions that occur most have constructors, which write names and values themselves; they are combined with
/// [`and`](Self::and) and [`or`](Self::or):
///
/// ```
/// use stack_bindings::Expression;
///
/// let mine = Expression::is("USERID", "u1").and(Expression::exists("TaskToken"));
/// ```
///
/// Every other expression is written as text. Names that may be reserved words are then written `#name` and values
/// `:value`, and both are given beside the text. See
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>. Names and values that start
/// with `binding_` belong to this crate.
///
/// ```
/// use stack_bindings::Expression;
///
/// let paid = Expression::new("SET #s = :s").name("#s", "state").value(":s", "paid");
/// ```
#[derive(Debug, Default)]
pub struct Expression {
    parts: Vec<Part>,
    names: HashMap<String, String>,
    values: Vec<(String, EncodedValue)>,
}

pub(crate) type EncodedValue = Result<AttributeValue, serde_dynamo::Error>;

/// A part of an expression; the request that takes the expression finds the placeholders.
#[derive(Debug)]
pub(crate) enum Part {
    Text(String),
    Name(String),
    Value(EncodedValue),
}

/// Where a value stands in an item: an attribute, and perhaps a place inside of it.
///
/// A plain text is the name of an attribute, whatever characters it has.
///
/// ```
/// use stack_bindings::AttributePath;
///
/// let id_of_the_third = AttributePath::of("photos").at(2).field("id");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributePath(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Position(usize),
}

impl AttributePath {
    /// Names an attribute of the item.
    pub fn of(attribute: impl Into<String>) -> Self {
        Self(vec![Step::Field(attribute.into())])
    }

    /// Goes to an element of a list; the first is 0.
    #[must_use]
    pub fn at(mut self, position: usize) -> Self {
        self.0.push(Step::Position(position));
        self
    }

    /// Goes to a field of a map.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.0.push(Step::Field(name.into()));
        self
    }

    pub(crate) fn into_parts(self) -> Vec<Part> {
        let mut parts = Vec::new();
        for step in self.0 {
            match step {
                Step::Field(name) => {
                    if !parts.is_empty() {
                        parts.push(Part::Text(".".to_owned()));
                    }
                    parts.push(Part::Name(name));
                }
                Step::Position(position) => parts.push(Part::Text(format!("[{position}]"))),
            }
        }
        parts
    }
}

impl From<&str> for AttributePath {
    fn from(attribute: &str) -> Self {
        Self::of(attribute)
    }
}

impl From<String> for AttributePath {
    fn from(attribute: String) -> Self {
        Self::of(attribute)
    }
}

impl Expression {
    /// Makes an expression of the given text.
    pub fn new(text: impl Into<String>) -> Self {
        Self::of_parts(vec![Part::Text(text.into())])
    }

    pub(crate) fn of_parts(parts: Vec<Part>) -> Self {
        Self {
            parts,
            ..Self::default()
        }
    }

    /// Says which attribute a `#name` of the text stands for.
    #[must_use]
    pub fn name(mut self, placeholder: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.names.insert(placeholder.into(), attribute.into());
        self
    }

    /// Says which value a `:value` of the text stands for.
    #[must_use]
    pub fn value(mut self, placeholder: impl Into<String>, value: impl Serialize) -> Self {
        self.values
            .push((placeholder.into(), serde_dynamo::to_attribute_value(&value)));
        self
    }

    /// Holds where the attribute is there, be it null.
    pub fn exists(attribute: impl Into<AttributePath>) -> Self {
        Self::call("attribute_exists", attribute, None)
    }

    /// Holds where the attribute is not there.
    pub fn absent(attribute: impl Into<AttributePath>) -> Self {
        Self::call("attribute_not_exists", attribute, None)
    }

    /// Holds where the attribute has exactly this value.
    pub fn is(attribute: impl Into<AttributePath>, value: impl Serialize) -> Self {
        Self::compare(attribute, " = ", value)
    }

    /// Holds where the attribute has another value than this, or is not there.
    pub fn is_not(attribute: impl Into<AttributePath>, value: impl Serialize) -> Self {
        Self::compare(attribute, " <> ", value)
    }

    /// Holds where the attribute is this number or greater, or sorts so.
    pub fn at_least(attribute: impl Into<AttributePath>, value: impl Serialize) -> Self {
        Self::compare(attribute, " >= ", value)
    }

    /// Holds where the attribute is this number or less, or sorts so.
    pub fn at_most(attribute: impl Into<AttributePath>, value: impl Serialize) -> Self {
        Self::compare(attribute, " <= ", value)
    }

    /// Holds where the attribute is greater than this.
    pub fn above(attribute: impl Into<AttributePath>, value: impl Serialize) -> Self {
        Self::compare(attribute, " > ", value)
    }

    /// Holds where the attribute is less than this.
    pub fn below(attribute: impl Into<AttributePath>, value: impl Serialize) -> Self {
        Self::compare(attribute, " < ", value)
    }

    /// Holds where the attribute is a text that starts so.
    pub fn starts_with(attribute: impl Into<AttributePath>, prefix: impl Serialize) -> Self {
        let prefix = serde_dynamo::to_attribute_value(&prefix);
        Self::call("begins_with", attribute, Some(prefix))
    }

    /// Holds where the attribute is a text, a list or a set that contains this.
    pub fn contains(attribute: impl Into<AttributePath>, value: impl Serialize) -> Self {
        let value = serde_dynamo::to_attribute_value(&value);
        Self::call("contains", attribute, Some(value))
    }

    /// Holds where both conditions hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.joined(") AND (", other)
    }

    /// Holds where one of the conditions holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.joined(") OR (", other)
    }

    fn compare(attribute: impl Into<AttributePath>, operator: &str, value: impl Serialize) -> Self {
        let mut parts = attribute.into().into_parts();
        parts.push(Part::Text(operator.to_owned()));
        parts.push(Part::Value(serde_dynamo::to_attribute_value(&value)));
        Self::of_parts(parts)
    }

    fn call(
        function: &str,
        attribute: impl Into<AttributePath>,
        argument: Option<EncodedValue>,
    ) -> Self {
        let mut parts = vec![Part::Text(format!("{function}("))];
        parts.extend(attribute.into().into_parts());
        if let Some(argument) = argument {
            parts.push(Part::Text(", ".to_owned()));
            parts.push(Part::Value(argument));
        }
        parts.push(Part::Text(")".to_owned()));
        Self::of_parts(parts)
    }

    fn joined(mut self, with: &str, other: Self) -> Self {
        self.parts.insert(0, Part::Text("(".to_owned()));
        self.parts.push(Part::Text(with.to_owned()));
        self.parts.extend(other.parts);
        self.parts.push(Part::Text(")".to_owned()));
        self.names.extend(other.names);
        self.values.extend(other.values);
        self
    }
}

/// The names and values of all expressions of one request.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    names: HashMap<String, String>,
    values: Vec<(String, EncodedValue)>,
    /// How many placeholders were made up so far.
    made: usize,
}

/// Names and values as the SDK takes them: absent where there are none, because DynamoDB refuses empty ones.
pub(crate) type Rendered = (
    Option<HashMap<String, String>>,
    Option<HashMap<String, AttributeValue>>,
);

impl Placeholders {
    pub(crate) fn name(&mut self, placeholder: &str, attribute: &str) {
        self.names
            .insert(placeholder.to_owned(), attribute.to_owned());
    }

    pub(crate) fn value(&mut self, placeholder: &str, value: &impl Serialize) {
        self.values.push((
            placeholder.to_owned(),
            serde_dynamo::to_attribute_value(value),
        ));
    }

    /// Forgets a value; DynamoDB refuses values that no expression uses.
    pub(crate) fn forget(&mut self, placeholder: &str) {
        self.values.retain(|(name, _)| name != placeholder);
    }

    /// Takes in an expression and returns its text.
    pub(crate) fn take(&mut self, expression: impl Into<Expression>) -> String {
        let expression = expression.into();
        self.names.extend(expression.names);
        self.values.extend(expression.values);
        let mut text = String::new();
        for part in expression.parts {
            match part {
                Part::Text(part) => text.push_str(&part),
                Part::Name(attribute) => {
                    let placeholder = self.placeholder_of(attribute);
                    text.push_str(&placeholder);
                }
                Part::Value(value) => {
                    let placeholder = format!(":binding_{}", self.made);
                    self.made += 1;
                    text.push_str(&placeholder);
                    self.values.push((placeholder, value));
                }
            }
        }
        text
    }

    /// Returns the placeholder of a name; one that was made up for the same name already serves again.
    fn placeholder_of(&mut self, attribute: String) -> String {
        let known = self
            .names
            .iter()
            .find(|(placeholder, known)| {
                placeholder.starts_with("#binding_") && **known == attribute
            })
            .map(|(placeholder, _)| placeholder.clone());
        known.unwrap_or_else(|| {
            let placeholder = format!("#binding_{}", self.made);
            self.made += 1;
            self.names.insert(placeholder.clone(), attribute);
            placeholder
        })
    }

    pub(crate) fn render(self) -> Result<Rendered, serde_dynamo::Error> {
        let values = self
            .values
            .into_iter()
            .map(|(name, value)| Ok((name, value?)))
            .collect::<Result<HashMap<_, _>, _>>()?;
        Ok((
            Some(self.names).filter(|names| !names.is_empty()),
            Some(values).filter(|values| !values.is_empty()),
        ))
    }
}

/// Conditions that must all hold.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    texts: Vec<String>,
}

impl Conditions {
    pub(crate) fn add(&mut self, text: String) {
        self.texts.push(text);
    }

    pub(crate) fn render(mut self) -> Option<String> {
        match self.texts.len() {
            0 | 1 => self.texts.pop(),
            _ => Some(format!("({})", self.texts.join(") AND ("))),
        }
    }
}

/// The placeholder of the partition key in expressions that this crate writes.
pub(crate) const PARTITION_NAME: &str = "#binding_partition";
/// The condition that there is no item with the key.
pub(crate) const IS_ABSENT: &str = "attribute_not_exists(#binding_partition)";
/// The condition that there is an item with the key.
pub(crate) const IS_PRESENT: &str = "attribute_exists(#binding_partition)";
