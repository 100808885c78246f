//! Calls of DynamoDB: keys and indexes come from the item type, so nothing undeclared can be asked.

use std::collections::BTreeMap;

use super::{JsonTemplate, RequestValue, ServiceCall, TemplateCondition, TextTemplate};
use crate::contract::{KeyAttribute, KeyKind, TableItem};
use crate::dynamodb::{TableOperation, TableRef};

/// The key of an item: the value of the partition key, and of the sort key where the table has one.
///
/// A single value converts into it.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemKey {
    partition: TextTemplate,
    sort: Option<TextTemplate>,
}

impl ItemKey {
    /// Names an item of a table with a sort key.
    pub fn with_sort(partition: impl Into<TextTemplate>, sort: impl Into<TextTemplate>) -> Self {
        Self {
            partition: partition.into(),
            sort: Some(sort.into()),
        }
    }
}

impl<T: Into<TextTemplate>> From<T> for ItemKey {
    fn from(partition: T) -> Self {
        Self {
            partition: partition.into(),
            sort: None,
        }
    }
}

/// The value of an attribute, in the form that DynamoDB takes.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeTemplate(JsonTemplate);

impl AttributeTemplate {
    fn of(kind: &str, value: JsonTemplate) -> Self {
        Self(JsonTemplate::object([(kind, value)]))
    }

    /// A string.
    pub fn text(text: impl Into<TextTemplate>) -> Self {
        Self::of("S", JsonTemplate::text(text))
    }

    /// A number, which DynamoDB reads from a text and refuses where it is none.
    pub fn number(text: impl Into<TextTemplate>) -> Self {
        Self::of("N", JsonTemplate::text(text))
    }

    /// A boolean.
    pub fn boolean(value: impl Into<JsonTemplate>) -> Self {
        Self::of("BOOL", value.into())
    }

    /// Nothing.
    pub fn null() -> Self {
        Self::of("NULL", true.into())
    }

    fn of_kind(kind: KeyKind, text: TextTemplate) -> JsonTemplate {
        Self::of(kind.letter(), JsonTemplate::text(text)).0
    }
}

impl From<AttributeTemplate> for JsonTemplate {
    fn from(attribute: AttributeTemplate) -> Self {
        attribute.0
    }
}

/// A `(name, value)` of an item.
type Entry = (String, JsonTemplate);

impl ServiceCall {
    /// Reads one item and answers it as DynamoDB writes it; where there is none, 404.
    ///
    /// With [`answering`](Self::answering) the answer takes its parts from `$.Item`, and 404 stays. See
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html>.
    pub fn get_item<T: TableItem>(table: &TableRef<T>, key: impl Into<ItemKey>) -> Self {
        let mut call = Self::table(table, "GetItem", TableOperation::Get);
        call.key::<T>(key.into());
        call.answer = JsonTemplate::body_at("$.Item");
        let present = TemplateCondition::present(RequestValue::body("$.Item"));
        call.otherwise = Some((present, JsonTemplate::message("Not found").with_status(404)));
        call
    }

    /// Reads the items of one partition and answers them as a list, as DynamoDB writes them.
    ///
    /// See <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html>.
    pub fn query<T: TableItem>(table: &TableRef<T>, partition: impl Into<TextTemplate>) -> Self {
        let key = T::schema().partition_key;
        Self::query_by(table, TableOperation::Query, &key, partition.into())
    }

    /// Reads the items of one partition of an index that the item type declares, and answers them as a list.
    pub fn query_index<T: TableItem>(
        table: &TableRef<T>,
        index: &'static str,
        partition: impl Into<TextTemplate>,
    ) -> Self {
        let schema = T::schema();
        let declared = schema.indexes.iter().find(|known| known.name == index);
        let key = declared
            .and_then(|index| index.partition_key.clone())
            .unwrap_or_else(|| schema.partition_key.clone());
        let operation = TableOperation::QueryIndex(index);
        let mut call = Self::query_by(table, operation, &key, partition.into());
        if declared.is_none() {
            call.problem = Some(format!(
                "the item type of the table declares no index `{index}`"
            ));
        }
        call.with("IndexName", index)
    }

    /// Reads every item and answers them as a list, as DynamoDB writes them.
    ///
    /// See <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html>.
    pub fn scan<T>(table: &TableRef<T>) -> Self {
        let mut call = Self::table(table, "Scan", TableOperation::Scan);
        call.answer = JsonTemplate::body_at("$.Items");
        call
    }

    /// Writes one item, whatever was there, and answers `{}`. The item has the attributes of its key among the others.
    ///
    /// See <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html>.
    pub fn put_item<T: TableItem, N: Into<String>>(
        table: &TableRef<T>,
        item: impl IntoIterator<Item = (N, AttributeTemplate)>,
    ) -> Self {
        let mut call = Self::table(table, "PutItem", TableOperation::Put);
        let item: Vec<Entry> = item
            .into_iter()
            .map(|(name, attribute)| (name.into(), attribute.0))
            .collect();
        let schema = T::schema();
        let missing = [Some(&schema.partition_key), schema.sort_key.as_ref()]
            .into_iter()
            .flatten()
            .find(|key| !item.iter().any(|(name, _)| *name == key.name));
        if let Some(key) = missing {
            call.problem = Some(format!(
                "the item lacks `{}`, which is part of the table's key",
                key.name
            ));
        }
        call.with("Item", JsonTemplate::object(item))
    }

    /// Changes one item, or makes it where there is none, and answers `{}`; [`set`](Self::set) says what changes.
    ///
    /// See <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html>.
    pub fn update_item<T: TableItem>(table: &TableRef<T>, key: impl Into<ItemKey>) -> Self {
        let mut call = Self::table(table, "UpdateItem", TableOperation::Update);
        call.key::<T>(key.into());
        call
    }

    /// Deletes one item, where it is there, and answers `{}`.
    ///
    /// See <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html>.
    pub fn delete_item<T: TableItem>(table: &TableRef<T>, key: impl Into<ItemKey>) -> Self {
        let mut call = Self::table(table, "DeleteItem", TableOperation::Delete);
        call.key::<T>(key.into());
        call
    }

    /// Sets attributes of the item that [`update_item`](Self::update_item) changes.
    #[must_use]
    pub fn set<N: Into<String>>(
        mut self,
        attributes: impl IntoIterator<Item = (N, AttributeTemplate)>,
    ) -> Self {
        let mut changes = Vec::new();
        let mut values: Vec<Entry> = Vec::new();
        for (position, (name, value)) in attributes.into_iter().enumerate() {
            let placeholder = self.placeholder(&name.into());
            changes.push(format!("{placeholder} = :v{position}"));
            values.push((format!(":v{position}"), value.0));
        }
        let changes = format!("SET {}", changes.join(", "));
        self.with("UpdateExpression", changes)
            .with("ExpressionAttributeValues", JsonTemplate::object(values))
    }

    /// Reads these attributes alone.
    #[must_use]
    pub fn attributes<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        let names: Vec<String> = names
            .into_iter()
            .map(|name| self.placeholder(name.as_ref()))
            .collect();
        self.with("ProjectionExpression", names.join(", "))
    }

    /// Writes the item only where it is there already, by an attribute that every item has; otherwise answers a status
    /// such as 404.
    #[must_use]
    pub fn only_if_present(
        mut self,
        attribute: &str,
        otherwise: impl Into<super::StatusCode>,
    ) -> Self {
        let name = self.placeholder(attribute);
        self.with("ConditionExpression", format!("attribute_exists({name})"))
            .on_condition(otherwise, "Not found")
    }

    /// Writes the item only where there is none yet, by an attribute that every item has; otherwise answers a status
    /// such as 409.
    #[must_use]
    pub fn only_if_absent(
        mut self,
        attribute: &str,
        otherwise: impl Into<super::StatusCode>,
    ) -> Self {
        let name = self.placeholder(attribute);
        self.with(
            "ConditionExpression",
            format!("attribute_not_exists({name})"),
        )
        .on_condition(otherwise, "Exists already")
    }

    fn on_condition(self, status: impl Into<super::StatusCode>, message: &str) -> Self {
        let body = JsonTemplate::message(message);
        self.on_error("ConditionalCheckFailedException", status, body)
    }

    fn table<T>(table: &TableRef<T>, action: &'static str, operation: TableOperation) -> Self {
        Self::new(
            "dynamodb",
            action,
            JsonTemplate::object([("TableName", JsonTemplate::from(table.name()))]),
            table.statements(&[operation]),
            JsonTemplate::body(),
        )
    }

    fn query_by<T>(
        table: &TableRef<T>,
        operation: TableOperation,
        key: &KeyAttribute,
        partition: TextTemplate,
    ) -> Self {
        let mut call = Self::table(table, "Query", operation);
        let name = call.placeholder(&key.name);
        call.answer = JsonTemplate::body_at("$.Items");
        let value = AttributeTemplate::of_kind(key.kind, partition);
        call.with("KeyConditionExpression", format!("{name} = :partition"))
            .with(
                "ExpressionAttributeValues",
                JsonTemplate::object([(":partition", value)]),
            )
    }

    fn key<T: TableItem>(&mut self, key: ItemKey) {
        let schema = T::schema();
        let mut entries: BTreeMap<String, JsonTemplate> = BTreeMap::new();
        let mut put = |attribute: &KeyAttribute, text| {
            let value = AttributeTemplate::of_kind(attribute.kind, text);
            entries.insert(attribute.name.clone(), value);
        };
        put(&schema.partition_key, key.partition);
        match (&schema.sort_key, key.sort) {
            (Some(attribute), Some(text)) => put(attribute, text),
            (None, None) => {}
            (Some(attribute), None) => {
                self.problem = Some(format!(
                    "the key of the table has the sort key `{}`: give its value with `ItemKey::with_sort`",
                    attribute.name
                ));
            }
            (None, Some(_)) => {
                self.problem =
                    Some("the table has no sort key: give the partition key alone".to_owned());
            }
        }
        self.body = self.body.clone().with("Key", JsonTemplate::object(entries));
    }

    /// Returns what stands for a name in an expression: any name may be a reserved word of DynamoDB.
    fn placeholder(&mut self, name: &str) -> String {
        let known = self.names.iter().find(|(_, known)| *known == name);
        if let Some((placeholder, _)) = known {
            return placeholder.clone();
        }
        let placeholder = format!("#n{}", self.names.len());
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }
}
