//! Changes of one item.

use serde::Serialize;

use super::expression::{AttributePath, EncodedValue, Expression, Part};

/// What an update does with the attributes of an item.
///
/// ```
/// use stack_bindings::Change;
///
/// // Two visitors at the same time count two, and only the first visit sets the time.
/// let visit = Change::new()
///     .add("userCount", 1)
///     .set_if_absent("createdAt", "1700000000.5");
/// ```
///
/// Reading and writing happen in one step, and every right side sees the item as it was before. An attribute may be
/// changed once. See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html>.
#[derive(Debug, Default)]
#[must_use = "a change does nothing until a table is updated with it"]
pub struct Change {
    set: Vec<Vec<Part>>,
    add: Vec<Vec<Part>>,
    remove: Vec<Vec<Part>>,
}

impl Change {
    /// Makes a change of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an attribute.
    pub fn set(mut self, attribute: impl Into<AttributePath>, value: impl Serialize) -> Self {
        let mut parts = attribute.into().into_parts();
        parts.push(text(" = "));
        parts.push(encoded(&value));
        self.set.push(parts);
        self
    }

    /// Sets an attribute where the item does not have it yet.
    pub fn set_if_absent(
        mut self,
        attribute: impl Into<AttributePath>,
        value: impl Serialize,
    ) -> Self {
        let attribute = attribute.into();
        let mut parts = attribute.clone().into_parts();
        parts.push(text(" = if_not_exists("));
        parts.extend(attribute.into_parts());
        parts.push(text(", "));
        parts.push(encoded(&value));
        parts.push(text(")"));
        self.set.push(parts);
        self
    }

    /// Adds to a number, which starts at zero; a negative number is subtracted. To a set, elements are added.
    pub fn add(mut self, attribute: impl Into<String>, value: impl Serialize) -> Self {
        self.add.push(vec![
            Part::Name(attribute.into()),
            text(" "),
            encoded(&value),
        ]);
        self
    }

    /// Appends elements to a list, which starts empty.
    pub fn append<V: Serialize>(
        mut self,
        attribute: impl Into<AttributePath>,
        elements: impl IntoIterator<Item = V>,
    ) -> Self {
        let attribute = attribute.into();
        let elements: Vec<V> = elements.into_iter().collect();
        let mut parts = attribute.clone().into_parts();
        parts.push(text(" = list_append(if_not_exists("));
        parts.extend(attribute.into_parts());
        parts.push(text(", "));
        parts.push(encoded::<[V; 0]>(&[]));
        parts.push(text("), "));
        parts.push(encoded(&elements));
        parts.push(text(")"));
        self.set.push(parts);
        self
    }

    /// Removes an attribute, or one element of a list, whose successors then move up.
    pub fn remove(mut self, attribute: impl Into<AttributePath>) -> Self {
        self.remove.push(attribute.into().into_parts());
        self
    }
}

impl From<Change> for Expression {
    fn from(change: Change) -> Self {
        let clauses = [
            ("SET ", change.set),
            ("ADD ", change.add),
            ("REMOVE ", change.remove),
        ];
        let mut parts = Vec::new();
        for (keyword, actions) in clauses {
            for (position, action) in actions.into_iter().enumerate() {
                let before = match (position, parts.is_empty()) {
                    (0, true) => keyword.to_owned(),
                    (0, false) => format!(" {keyword}"),
                    _ => ", ".to_owned(),
                };
                parts.push(Part::Text(before));
                parts.extend(action);
            }
        }
        Self::of_parts(parts)
    }
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

fn encoded<V: Serialize>(value: &V) -> Part {
    let value: EncodedValue = serde_dynamo::to_attribute_value(value);
    Part::Value(value)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::super::expression::Placeholders;
    use super::*;

    fn rendered(
        expressions: impl IntoIterator<Item = Expression>,
    ) -> (Vec<String>, Vec<(String, String)>, usize) {
        let mut placeholders = Placeholders::default();
        let texts = expressions
            .into_iter()
            .map(|expression| placeholders.take(expression))
            .collect();
        let (names, values) = placeholders.render().expect("the values can be encoded");
        let mut names: Vec<_> = names.unwrap_or_default().into_iter().collect();
        names.sort();
        (texts, names, values.unwrap_or_default().len())
    }

    #[test]
    fn the_clauses_stand_in_one_expression_with_a_name_each() {
        let change = Change::new()
            .set("a", 1)
            .add("count", 1)
            .set_if_absent("b", "x")
            .remove(AttributePath::of("photos").at(2))
            .append("photos", ["p"]);
        let (texts, names, values) = rendered([change.into()]);
        assert_eq!(
            texts,
            [
                "SET #binding_0 = :binding_1, #binding_2 = if_not_exists(#binding_2, :binding_3), \
              #binding_4 = list_append(if_not_exists(#binding_4, :binding_5), :binding_6) \
              ADD #binding_7 :binding_8 REMOVE #binding_4[2]"
            ]
        );
        let names: Vec<_> = names.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["a", "b", "photos", "count"]);
        assert_eq!(values, 5);
    }

    #[test]
    fn two_conditions_of_one_request_do_not_share_values() {
        let (texts, names, values) = rendered([
            Expression::is(AttributePath::of("photos").at(0).field("id"), "1"),
            Expression::at_least("id", 1).or(Expression::absent("gone").and(Expression::new("x"))),
        ]);
        assert_eq!(
            texts,
            [
                "#binding_0[0].#binding_1 = :binding_2",
                "(#binding_1 >= :binding_3) OR ((attribute_not_exists(#binding_4)) AND (x))",
            ]
        );
        assert_eq!((names.len(), values), (3, 2));
    }

    #[test]
    fn an_empty_list_is_a_list() {
        let Part::Value(Ok(value)) = encoded::<[String; 0]>(&[]) else {
            panic!("not encoded");
        };
        assert_eq!(value, AttributeValue::L(Vec::new()));
    }
}
