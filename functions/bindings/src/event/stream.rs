//! Changes of a table, from its stream.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Map, Number, Value};

#[cfg(feature = "runtime")]
use super::BatchFailures;
use super::{Decode, Event, EventError};
use crate::base64;
use crate::item::Item;

/// Changes of the items `T` of a table, in the order in which they were made to each item.
///
/// The shape is that of
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-sample-dynamodb>.
#[derive(Debug)]
pub struct TableChanges<T: Item> {
    changes: Vec<TableChange<T>>,
}

/// One item that was put, changed or deleted.
#[derive(Debug)]
pub struct TableChange<T: Item> {
    /// The id of the change, the same each time it is sent.
    pub id: String,
    /// What happened to the item.
    pub action: ChangeAction,
    /// The key of the item, or why it cannot be read.
    pub key: Result<T::Key, serde_json::Error>,
    /// The item before, where the stream shows it.
    pub old: Option<ItemImage<T>>,
    /// The item after, where the stream shows it.
    pub new: Option<ItemImage<T>>,
    /// Orders the changes of a shard, and tells Lambda where to go on after a failure.
    pub sequence_number: String,
    /// When it happened, in seconds since 1970.
    pub time: Option<f64>,
    /// Whether the item was deleted by DynamoDB because its time had come.
    pub expired: bool,
    /// The ARN of the stream.
    pub stream_arn: String,
}

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChangeAction {
    /// The item is new.
    Insert,
    /// The item was there and has changed.
    Modify,
    /// The item is gone.
    Remove,
}

/// An item at one time, as the stream shows it.
#[derive(Debug)]
pub struct ItemImage<T> {
    /// The item, or why it cannot be read as a `T`.
    pub item: Result<T, serde_json::Error>,
    /// The item in DynamoDB's own JSON, such as `{"PK": {"S": "config"}}`.
    pub raw: Map<String, Value>,
}

impl<T: DeserializeOwned> ItemImage<T> {
    fn read(raw: Map<String, Value>) -> Self {
        Self {
            item: typed(&raw),
            raw,
        }
    }
}

impl<T: Item> TableChanges<T> {
    /// Makes a batch of the given changes, for tests.
    pub fn new(changes: impl IntoIterator<Item = TableChange<T>>) -> Self {
        Self {
            changes: changes.into_iter().collect(),
        }
    }

    /// Returns the changes in their order.
    pub fn changes(&self) -> &[TableChange<T>] {
        &self.changes
    }

    /// Takes the changes out, in their order.
    pub fn into_changes(self) -> Vec<TableChange<T>> {
        self.changes
    }

    /// Handles the changes one after the other, up to the first that fails, which is logged and reported.
    ///
    /// Lambda sends the batch again from there on, so nothing is left out and nothing overtakes. The trigger must ask
    /// for it with `ReportBatchItemFailures`; see
    /// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>.
    #[cfg(feature = "runtime")]
    pub async fn process<F, R, E>(self, mut handle: F) -> BatchFailures
    where
        F: AsyncFnMut(TableChange<T>) -> Result<R, E>,
        E: std::error::Error,
    {
        let mut failures = BatchFailures::default();
        for change in self.changes {
            let (sequence_number, action) = (change.sequence_number.clone(), change.action);
            if let Err(failure) = handle(change).await {
                tracing::warn!(
                    sequence_number,
                    ?action,
                    error = crate::run::chain(&failure),
                    "change failed"
                );
                failures.add(sequence_number);
                break;
            }
        }
        failures
    }
}

#[derive(Deserialize)]
struct Records {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(default, rename = "eventID")]
    event_id: String,
    event_name: ChangeAction,
    dynamodb: Change,
    user_identity: Option<UserIdentity>,
    #[serde(default, rename = "eventSourceARN")]
    event_source_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    #[serde(default)]
    keys: Map<String, Value>,
    new_image: Option<Map<String, Value>>,
    old_image: Option<Map<String, Value>>,
    sequence_number: String,
    approximate_creation_date_time: Option<f64>,
}

/// Who made the change; DynamoDB is named where the time of the item had come. See
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html>.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserIdentity {
    #[serde(default)]
    principal_id: String,
}

impl<T: Item> Decode for TableChanges<T> {
    fn decode(payload: Value) -> Result<Self, EventError> {
        let records = Records::deserialize(payload).map_err(EventError::Content)?;
        let changes = records.records.into_iter().map(|record| TableChange {
            id: record.event_id,
            action: record.event_name,
            key: typed(&record.dynamodb.keys),
            old: record.dynamodb.old_image.map(ItemImage::read),
            new: record.dynamodb.new_image.map(ItemImage::read),
            sequence_number: record.dynamodb.sequence_number,
            time: record.dynamodb.approximate_creation_date_time,
            expired: record
                .user_identity
                .is_some_and(|user| user.principal_id == "dynamodb.amazonaws.com"),
            stream_arn: record.event_source_arn,
        });
        Ok(Self::new(changes))
    }
}

impl<T: Item> Event for TableChanges<T> {
    #[cfg(feature = "wiring")]
    type Sent = stack_model::contract::event::TableChanges<T>;

    fn recognises(payload: &Value) -> bool {
        payload["Records"]
            .get(0)
            .is_some_and(|record| record["eventSource"] == "aws:dynamodb")
    }
}

fn typed<T: DeserializeOwned>(attributes: &Map<String, Value>) -> Result<T, serde_json::Error> {
    T::deserialize(plain_map(attributes)?)
}

fn plain_map(attributes: &Map<String, Value>) -> Result<Value, serde_json::Error> {
    let plain = attributes
        .iter()
        .map(|(name, attribute)| Ok((name.clone(), plain(attribute)?)));
    plain.collect::<Result<_, _>>().map(Value::Object)
}

/// Turns one of DynamoDB's typed values into plain JSON; the types are listed at
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>.
fn plain(attribute: &Value) -> Result<Value, serde_json::Error> {
    let typed = attribute
        .as_object()
        .filter(|fields| fields.len() == 1)
        .and_then(|fields| fields.iter().next());
    let Some((letters, value)) = typed else {
        return Err(serde_json::Error::custom(
            "an attribute is an object with its type as the only field",
        ));
    };
    match (letters.as_str(), value) {
        ("S", Value::String(_)) | ("BOOL", Value::Bool(_)) | ("SS", Value::Array(_)) => {
            Ok(value.clone())
        }
        ("NULL", _) => Ok(Value::Null),
        ("N", value) => number(value),
        ("B", value) => bytes(value),
        ("M", Value::Object(fields)) => plain_map(fields),
        ("L", Value::Array(elements)) => elements.iter().map(plain).collect(),
        ("NS", Value::Array(elements)) => elements.iter().map(number).collect(),
        ("BS", Value::Array(elements)) => elements.iter().map(bytes).collect(),
        _ => Err(serde_json::Error::custom(format!(
            "an attribute has the unknown or unfit type {letters}"
        ))),
    }
}

fn number(value: &Value) -> Result<Value, serde_json::Error> {
    let text = value
        .as_str()
        .ok_or_else(|| serde_json::Error::custom("a number is sent as a text"))?;
    serde_json::from_str::<Number>(text).map(Value::Number)
}

fn bytes(value: &Value) -> Result<Value, serde_json::Error> {
    let bytes = value.as_str().and_then(base64::decode);
    bytes
        .map(Value::from)
        .ok_or_else(|| serde_json::Error::custom("bytes are sent as Base64"))
}
