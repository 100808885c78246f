//! Tasks that read and write items of a table.

use std::collections::BTreeMap;

use super::{Task, integration, text_of};
use crate::contract::{KeyKind, TableItem};
use crate::dynamodb::{TableOperation, TableRef};
use crate::payload;
use crate::stepfunctions::{Path, Payload};

/// Reading and writing the items of a table.
#[derive(Debug)]
pub enum TableAccess {}

/// An attribute as DynamoDB's API writes it: with its type, and a number as text.
#[derive(Clone, Debug)]
pub struct Attribute(Payload);

impl Attribute {
    /// A text.
    pub fn text(value: impl Into<Payload>) -> Self {
        Self(payload!({ "S": value.into() }))
    }

    /// A number; one at a path is written as text, as DynamoDB wants it.
    pub fn number(value: impl Into<Payload>) -> Self {
        Self(payload!({ "N": number(value.into()) }))
    }

    /// A boolean.
    pub fn boolean(value: impl Into<Payload>) -> Self {
        Self(payload!({ "BOOL": value.into() }))
    }

    /// An attribute that is written out with its type, such as `payload!({ "SS": ["a", "b"] })`, or that stands in
    /// the input in that form.
    pub fn raw(value: impl Into<Payload>) -> Self {
        Self(value.into())
    }
}

/// Writes a number as text.
fn number(value: Payload) -> Payload {
    match value {
        Payload::Literal(stack_model_cfn::Expr::Number(number)) => number.to_string().into(),
        Payload::Expression(expression) if expression.text().starts_with('$') => {
            text_of(&Path::new(expression.text())).into()
        }
        other => other,
    }
}

/// The key of an item, whose attributes take their types from the table's item type.
#[derive(Clone, Debug)]
pub struct Key {
    attributes: BTreeMap<String, Payload>,
}

impl Key {
    /// A key of one attribute, or the first of two.
    pub fn of(name: &str, value: impl Into<Payload>) -> Self {
        Self {
            attributes: BTreeMap::from([(name.to_owned(), value.into())]),
        }
    }

    /// Adds the second attribute.
    #[must_use]
    pub fn and(mut self, name: &str, value: impl Into<Payload>) -> Self {
        self.attributes.insert(name.to_owned(), value.into());
        self
    }

    /// Renders the key of a table of `T`, and says what does not fit.
    fn render<T: TableItem>(self) -> (Payload, Vec<String>) {
        let schema = T::schema();
        let keys = [Some(schema.partition_key), schema.sort_key];
        let keys: Vec<_> = keys.into_iter().flatten().collect();
        let mut problems = Vec::new();
        for key in &keys {
            if !self.attributes.contains_key(&key.name) {
                problems.push(format!(
                    "names an item without `{}`, which is part of the table's key",
                    key.name
                ));
            }
        }
        let attributes = self.attributes.into_iter().map(|(name, value)| {
            let kind = keys.iter().find(|key| key.name == name).map(|key| key.kind);
            let value = match kind {
                Some(KeyKind::Number) => number(value),
                Some(KeyKind::String | KeyKind::Binary) => value,
                None => {
                    let known: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
                    problems.push(format!(
                        "names an item by `{name}`, and the key of the table is {}",
                        known.join(" and ")
                    ));
                    value
                }
            };
            let letter = kind.unwrap_or(KeyKind::String).letter();
            (name, Payload::object([(letter, value)]))
        });
        (Payload::object(attributes.collect::<Vec<_>>()), problems)
    }
}

/// What an answer says of the item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReturnValues {
    /// Nothing.
    #[default]
    None,
    /// The whole item as it was.
    AllOld,
    /// The whole item as it is now.
    AllNew,
    /// What was changed, as it was.
    UpdatedOld,
    /// What was changed, as it is now.
    UpdatedNew,
}

impl ReturnValues {
    const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::AllOld => "ALL_OLD",
            Self::AllNew => "ALL_NEW",
            Self::UpdatedOld => "UPDATED_OLD",
            Self::UpdatedNew => "UPDATED_NEW",
        }
    }
}

/// A change of one item. Without a condition an item that is not there is made.
#[derive(Clone, Debug)]
pub struct UpdateItem {
    key: Key,
    update: String,
    condition: Option<String>,
    names: BTreeMap<String, String>,
    values: BTreeMap<String, Attribute>,
    returning: ReturnValues,
}

impl UpdateItem {
    /// Changes the item with a key by an expression such as `SET orderState = :state`.
    ///
    /// See
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html>.
    pub fn new(key: Key, update: &str) -> Self {
        Self {
            key,
            update: update.to_owned(),
            condition: None,
            names: BTreeMap::new(),
            values: BTreeMap::new(),
            returning: ReturnValues::None,
        }
    }

    /// Demands something of the item; where it does not hold, the task fails with
    /// `DynamoDB.ConditionalCheckFailedException`.
    #[must_use]
    pub fn only_if(mut self, condition: &str) -> Self {
        self.condition = Some(condition.to_owned());
        self
    }

    /// Says what a value such as `:state` is in the expressions.
    #[must_use]
    pub fn value(mut self, placeholder: &str, value: Attribute) -> Self {
        self.values.insert(placeholder.to_owned(), value);
        self
    }

    /// Says which attribute a name such as `#state` is in the expressions, for attributes that are named like words
    /// of the language.
    #[must_use]
    pub fn name(mut self, placeholder: &str, attribute: &str) -> Self {
        self.names
            .insert(placeholder.to_owned(), attribute.to_owned());
        self
    }

    /// Says what the answer holds, in `Attributes`.
    #[must_use]
    pub fn returning(mut self, values: ReturnValues) -> Self {
        self.returning = values;
        self
    }
}

/// The items of one partition of a table or an index.
#[derive(Clone, Debug)]
pub struct Query {
    /// The index, or the table itself.
    pub index: Option<&'static str>,
    /// Which keys are meant, such as `orderState = :state`.
    pub condition: String,
    /// What the values in the condition are.
    pub values: BTreeMap<String, Attribute>,
    /// Which attributes the names in the condition are.
    pub names: BTreeMap<String, String>,
    /// How many items are read at most.
    pub limit: Option<u32>,
    /// Whether the last come first.
    pub descending: bool,
}

impl Query {
    /// Reads the items whose keys fulfil a condition.
    pub fn of<const N: usize>(condition: &str, values: [(&str, Attribute); N]) -> Self {
        Self {
            index: None,
            condition: condition.to_owned(),
            values: values
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            names: BTreeMap::new(),
            limit: None,
            descending: false,
        }
    }
}

/// A call that is put together entry by entry.
struct Call {
    entries: BTreeMap<String, Payload>,
    problems: Vec<String>,
}

impl Call {
    fn on<T>(table: &TableRef<T>) -> Self {
        Self {
            entries: BTreeMap::from([("TableName".to_owned(), table.name().into())]),
            problems: Vec::new(),
        }
    }

    fn key<T: TableItem>(mut self, key: Key) -> Self {
        let (key, problems) = key.render::<T>();
        self.problems.extend(problems);
        self.set("Key", key)
    }

    fn set(mut self, name: &str, value: impl Into<Payload>) -> Self {
        self.entries.insert(name.to_owned(), value.into());
        self
    }

    fn set_some(self, name: &str, value: Option<impl Into<Payload>>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Sets the names and values of expressions, of which DynamoDB wants neither too few nor too many.
    fn placeholders(
        mut self,
        expressions: &[&str],
        names: BTreeMap<String, String>,
        values: BTreeMap<String, Attribute>,
    ) -> Self {
        let mut used: Vec<&str> = Vec::new();
        for expression in expressions {
            used.extend(placeholders(expression));
        }
        for placeholder in &used {
            if !names.contains_key(*placeholder) && !values.contains_key(*placeholder) {
                self.problems.push(format!(
                    "uses `{placeholder}` in an expression and does not say what it is"
                ));
            }
        }
        for placeholder in names.keys().chain(values.keys()) {
            if !used.contains(&placeholder.as_str()) {
                self.problems.push(format!(
                    "says what `{placeholder}` is and uses it in no expression, which DynamoDB refuses"
                ));
            }
        }
        let names = (!names.is_empty())
            .then(|| Payload::object(names.into_iter().map(|(name, to)| (name, to.into()))));
        let values = (!values.is_empty())
            .then(|| Payload::object(values.into_iter().map(|(name, Attribute(to))| (name, to))));
        self.set_some("ExpressionAttributeNames", names)
            .set_some("ExpressionAttributeValues", values)
    }

    fn task<T, S>(
        self,
        resource: String,
        table: &TableRef<T>,
        operation: TableOperation,
    ) -> Task<S> {
        let mut task = Task::calling(
            resource,
            Some(Payload::Object(self.entries)),
            table.statements(&[operation]),
        );
        task.state.wrong.extend(self.problems);
        task
    }
}

/// Finds what begins with `:` or `#` in an expression.
fn placeholders(expression: &str) -> impl Iterator<Item = &str> {
    expression
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '#')))
        .filter(|word| word.starts_with([':', '#']))
}

impl Task<TableAccess> {
    /// Reads an item, in `Item`; where there is none, the answer has no such entry.
    ///
    /// See <https://docs.aws.amazon.com/step-functions/latest/dg/connect-ddb.html>.
    pub fn get_item<T: TableItem>(table: &TableRef<T>, key: Key) -> Self {
        Call::on(table).key::<T>(key).task(
            integration("dynamodb", "getItem"),
            table,
            TableOperation::Get,
        )
    }

    /// Reads an item as it is after every write that came before.
    pub fn get_item_consistently<T: TableItem>(table: &TableRef<T>, key: Key) -> Self {
        Call::on(table)
            .key::<T>(key)
            .set("ConsistentRead", true)
            .task(
                integration("dynamodb", "getItem"),
                table,
                TableOperation::Get,
            )
    }

    /// Writes an item, over one that is there.
    pub fn put_item<T: TableItem>(
        table: &TableRef<T>,
        item: impl IntoIterator<Item = (&'static str, Attribute)>,
    ) -> Self {
        let item: BTreeMap<String, Payload> = item
            .into_iter()
            .map(|(name, Attribute(value))| (name.to_owned(), value))
            .collect();
        let schema = T::schema();
        let mut call = Call::on(table);
        for key in [Some(schema.partition_key), schema.sort_key]
            .into_iter()
            .flatten()
        {
            if !item.contains_key(&key.name) {
                call.problems.push(format!(
                    "writes an item without `{}`, which is part of the table's key",
                    key.name
                ));
            }
        }
        call.set("Item", Payload::Object(item)).task(
            integration("dynamodb", "putItem"),
            table,
            TableOperation::Put,
        )
    }

    /// Changes an item.
    pub fn update_item<T: TableItem>(table: &TableRef<T>, update: UpdateItem) -> Self {
        let returning = update.returning;
        let expressions = [
            update.update.as_str(),
            update.condition.as_deref().unwrap_or_default(),
        ];
        let mut call = Call::on(table).placeholders(&expressions, update.names, update.values);
        if returning != ReturnValues::None {
            call = call.set("ReturnValues", returning.name());
        }
        call.key::<T>(update.key)
            .set("UpdateExpression", update.update)
            .set_some("ConditionExpression", update.condition)
            .task(
                integration("dynamodb", "updateItem"),
                table,
                TableOperation::Update,
            )
    }

    /// Deletes an item, where it is there.
    pub fn delete_item<T: TableItem>(table: &TableRef<T>, key: Key) -> Self {
        Call::on(table).key::<T>(key).task(
            integration("dynamodb", "deleteItem"),
            table,
            TableOperation::Delete,
        )
    }
}

impl Task<super::Sdk> {
    /// Reads the items of one partition of a table or one of its indexes, in `Items`.
    pub fn query<T: TableItem>(table: &TableRef<T>, query: Query) -> Self {
        let operation = match query.index {
            Some(index) => TableOperation::QueryIndex(index),
            None => TableOperation::Query,
        };
        let call = Call::on(table)
            .placeholders(&[&query.condition], query.names, query.values)
            .set("KeyConditionExpression", query.condition.clone())
            .set_some("IndexName", query.index)
            .set_some("Limit", query.limit)
            .set_some("ScanIndexForward", query.descending.then_some(false));
        call.task(integration("aws-sdk:dynamodb", "query"), table, operation)
    }
}
