//! Expressions of DynamoDB with their names and values.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

/// An expression of DynamoDB: a condition, a filter or an update.
///
/// Names that may be reserved words are written `#name` and values `:value`, and both are given beside the text.
/// See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>. Names and values that
/// start with `binding_` belong to this crate.
///
/// ```
/// use stack_bindings::Expression;
///
/// let paid = Expression::new("SET #s = :s").name("#s", "state").value(":s", "paid");
/// ```
#[derive(Debug, Default)]
pub struct Expression {
    text: String,
    names: HashMap<String, String>,
    values: Vec<(String, Result<AttributeValue, serde_dynamo::Error>)>,
}

impl Expression {
    /// Makes an expression of the given text.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
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

    pub(crate) fn into_text(self) -> (String, Placeholders) {
        let placeholders = Placeholders {
            names: self.names,
            values: self.values,
        };
        (self.text, placeholders)
    }
}

/// The names and values of all expressions of one request.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    names: HashMap<String, String>,
    values: Vec<(String, Result<AttributeValue, serde_dynamo::Error>)>,
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
    pub(crate) fn take(&mut self, expression: Expression) -> String {
        let (text, placeholders) = expression.into_text();
        self.names.extend(placeholders.names);
        self.values.extend(placeholders.values);
        text
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
