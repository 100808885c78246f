//! What can be asked for: the request as it was sent, and the operation it turns out to be.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::record::{ID, Record};

/// How the message of every error begins that the caller can mend, apart from an unknown operation.
const INVALID: &str = "Invalid request: ";

/// How the message of an unknown operation begins.
const UNRECOGNIZED: &str = "Unrecognized operation ";

/// The longest partition key of DynamoDB, in bytes.
///
/// See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>.
const LONGEST_ID: usize = 2048;

/// One request as it was sent: any JSON at all.
///
/// Reading one never fails, so that what is wrong with it is said here, in one wording, however it arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Request(pub Value);

/// One operation with its arguments, checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Stores an item, replacing the one with the same id.
    Create(Record),
    /// Reads the item with an id.
    Read(String),
    /// Deletes the item with an id.
    Delete(String),
    /// Lists items.
    List(ListOptions),
    /// Answers what was sent.
    Echo(Value),
    /// Answers `pong`.
    Ping,
}

/// The options of [`Operation::List`], as DynamoDB's `Scan` names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// `Limit`: how many items are read at most.
    pub limit: Option<u32>,
    /// `ExclusiveStartKey`: the id after which to go on, from `LastEvaluatedKey` of the answer before.
    pub start_after: Option<String>,
    /// `ConsistentRead`: whether writes that have ended are certainly seen.
    pub consistent: bool,
}

/// What the caller can mend in a request.
///
/// The messages are the ones of [`CLIENT_ERROR_PATTERN`](crate::CLIENT_ERROR_PATTERN), by which an API tells a bad
/// request from a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// The request is not a JSON object.
    NotAnObject,
    /// There is no such operation.
    Unrecognized(String),
    /// A field is missing.
    Missing(String),
    /// A field is not what it has to be.
    Unfit {
        /// The path of the field, such as `payload.Key`.
        field: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// A field would change the meaning of the operation, and is not supported.
    Unsupported(String),
    /// The table is another one than that of the stack.
    ForeignTable {
        /// The table that was asked for.
        asked: String,
        /// The table that is served.
        served: String,
    },
    /// DynamoDB found the arguments invalid.
    Refused,
}

impl Operation {
    /// Checks a request.
    ///
    /// `table` is the only table that requests may name: a caller who could choose any would reach the whole account.
    ///
    /// # Errors
    ///
    /// Fails with the first field that is missing or unfit.
    pub fn check(request: Request, table: &str) -> Result<Self, RequestError> {
        let Value::Object(mut fields) = request.0 else {
            return Err(RequestError::NotAnObject);
        };
        let operation = text(take(&mut fields, "operation")?, "operation")?;
        match operation.as_str() {
            "create" => {
                let mut payload = table_payload(&mut fields, table)?;
                let item = object(take_of(&mut payload, "Item")?, "payload.Item")?;
                nothing_else(&payload)?;
                Ok(Self::Create(record(item)?))
            }
            "read" => Ok(Self::Read(key(&mut fields, table)?)),
            "delete" => Ok(Self::Delete(key(&mut fields, table)?)),
            "list" => {
                let payload = table_payload(&mut fields, table)?;
                Ok(Self::List(ListOptions::read(payload)?))
            }
            "echo" => Ok(Self::Echo(take(&mut fields, "payload")?)),
            "ping" => Ok(Self::Ping),
            _ => Err(RequestError::Unrecognized(operation)),
        }
    }
}

impl ListOptions {
    fn read(mut payload: Map<String, Value>) -> Result<Self, RequestError> {
        let limit = payload
            .remove("Limit")
            .map(|value| {
                value
                    .as_u64()
                    .and_then(|limit| u32::try_from(limit).ok())
                    .filter(|limit| *limit > 0)
                    .ok_or_else(|| unfit("payload.Limit", "a whole number above zero"))
            })
            .transpose()?;
        let start_after = payload
            .remove("ExclusiveStartKey")
            .map(|value| read_key(value, "payload.ExclusiveStartKey"))
            .transpose()?;
        let consistent = match payload.remove("ConsistentRead") {
            None => false,
            Some(Value::Bool(consistent)) => consistent,
            Some(_) => return Err(unfit("payload.ConsistentRead", "true or false")),
        };
        nothing_else(&payload)?;
        Ok(Self {
            limit,
            start_after,
            consistent,
        })
    }
}

/// Takes the payload of an operation on the table, and checks that it is the right table.
fn table_payload(
    fields: &mut Map<String, Value>,
    table: &str,
) -> Result<Map<String, Value>, RequestError> {
    let asked = text(take(fields, "tableName")?, "tableName")?;
    if asked != table {
        return Err(RequestError::ForeignTable {
            asked,
            served: table.to_owned(),
        });
    }
    object(take(fields, "payload")?, "payload")
}

/// Takes the id from a payload that holds nothing but `Key`.
fn key(fields: &mut Map<String, Value>, table: &str) -> Result<String, RequestError> {
    let mut payload = table_payload(fields, table)?;
    let key = take_of(&mut payload, "Key")?;
    nothing_else(&payload)?;
    read_key(key, "payload.Key")
}

fn read_key(value: Value, path: &str) -> Result<String, RequestError> {
    let mut key = object(value, path)?;
    let id = take_id(&mut key, path)?;
    match key.keys().next() {
        None => Ok(id),
        Some(other) => Err(RequestError::Unsupported(format!("{path}.{other}"))),
    }
}

fn record(mut item: Map<String, Value>) -> Result<Record, RequestError> {
    let id = take_id(&mut item, "payload.Item")?;
    Ok(Record {
        id,
        attributes: item,
    })
}

fn take_id(fields: &mut Map<String, Value>, path: &str) -> Result<String, RequestError> {
    let path = format!("{path}.{ID}");
    match fields.remove(ID) {
        None => Err(RequestError::Missing(path)),
        Some(Value::String(id)) if (1..=LONGEST_ID).contains(&id.len()) => Ok(id),
        Some(_) => Err(unfit(path, "a string of 1 to 2048 bytes")),
    }
}

fn take(fields: &mut Map<String, Value>, field: &str) -> Result<Value, RequestError> {
    fields
        .remove(field)
        .ok_or_else(|| RequestError::Missing(field.to_owned()))
}

fn take_of(payload: &mut Map<String, Value>, field: &str) -> Result<Value, RequestError> {
    payload
        .remove(field)
        .ok_or_else(|| RequestError::Missing(format!("payload.{field}")))
}

/// Refuses fields that are left over: to ignore a condition would be to do what was not asked for.
fn nothing_else(payload: &Map<String, Value>) -> Result<(), RequestError> {
    match payload.keys().next() {
        None => Ok(()),
        Some(field) => Err(RequestError::Unsupported(format!("payload.{field}"))),
    }
}

fn text(value: Value, field: &str) -> Result<String, RequestError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(unfit(field, "a string")),
    }
}

fn object(value: Value, field: &str) -> Result<Map<String, Value>, RequestError> {
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(unfit(field, "an object")),
    }
}

fn unfit(field: impl Into<String>, expected: &'static str) -> RequestError {
    RequestError::Unfit {
        field: field.into(),
        expected,
    }
}

impl std::fmt::Display for RequestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unrecognized(operation) => write!(f, "{UNRECOGNIZED}\"{operation}\""),
            Self::NotAnObject => write!(f, "{INVALID}expected a JSON object"),
            Self::Missing(field) => write!(f, "{INVALID}the field \"{field}\" is missing"),
            Self::Unfit { field, expected } => {
                write!(f, "{INVALID}the field \"{field}\" must be {expected}")
            }
            Self::Unsupported(field) => {
                write!(f, "{INVALID}the field \"{field}\" is not supported")
            }
            Self::ForeignTable { asked, served } => write!(
                f,
                "{INVALID}the field \"tableName\" is \"{asked}\", and only \"{served}\" is served"
            ),
            Self::Refused => write!(f, "{INVALID}DynamoDB finds the arguments wrong"),
        }
    }
}

impl std::error::Error for RequestError {}

#[cfg(test)]
mod tests;
