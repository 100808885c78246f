//! Carries out one operation.

use serde::Serialize;
use serde_json::{Map, Value, json};
use stack_bindings::{CallError, Cursor, Reason, Receipt};

use crate::operation::{ListOptions, Operation, Request, RequestError};
use crate::operations::Operations;
use crate::record::{ID, Record, RecordKey};

/// Why an operation was not carried out.
///
/// The text is what the caller reads, as `errorMessage`; the causes are logged.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The request is wrong, and sending it again does not help.
    #[error(transparent)]
    Request(RequestError),
    /// DynamoDB finds the arguments wrong, for instance an item of more than 400 KB.
    #[error("{}", RequestError::Refused)]
    Refused(#[source] CallError),
    /// The table could not be used.
    #[error(transparent)]
    Call(CallError),
    /// An item or a key does not fit JSON or DynamoDB.
    #[error("could not convert an item")]
    Convert(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<CallError> for OperationError {
    fn from(error: CallError) -> Self {
        match error.reason() {
            Reason::Invalid => Self::Refused(error),
            _ => Self::Call(error),
        }
    }
}

/// Carries out a request and returns its result.
///
/// # Errors
///
/// Fails where the request is wrong or the table cannot be used.
pub async fn execute(bindings: &Operations, request: Request) -> Result<Value, OperationError> {
    let table = &bindings.table;
    match Operation::check(request, table.name()).map_err(OperationError::Request)? {
        Operation::Create(record) => Ok(metadata(&table.put(&record).await?)),
        Operation::Delete(id) => Ok(metadata(&table.delete(id).await?)),
        Operation::Read(id) => read(bindings, id).await,
        Operation::List(options) => list(bindings, options).await,
        Operation::Echo(payload) => Ok(payload),
        Operation::Ping => Ok(Value::from("pong")),
    }
}

async fn read(bindings: &Operations, id: String) -> Result<Value, OperationError> {
    let found = bindings.table.get(id).await?;
    let mut result = Map::new();
    if let Some(record) = found {
        result.insert("Item".to_owned(), plain(&record)?);
    }
    Ok(Value::Object(result))
}

async fn list(bindings: &Operations, options: ListOptions) -> Result<Value, OperationError> {
    let mut scan = bindings.table.scan();
    if let Some(limit) = options.limit {
        scan = scan.limit(limit);
    }
    if let Some(id) = options.start_after {
        let after = Cursor::after::<Record>(&RecordKey { id }).map_err(convert)?;
        scan = scan.start(after);
    }
    if options.consistent {
        scan = scan.consistent();
    }
    let page = scan.await?;
    let items = page
        .items
        .iter()
        .map(plain)
        .collect::<Result<Vec<_>, _>>()?;
    let mut result = Map::from_iter([
        ("Count".to_owned(), Value::from(items.len())),
        ("ScannedCount".to_owned(), Value::from(page.scanned)),
        ("Items".to_owned(), Value::from(items)),
    ]);
    if let Some(next) = page.next {
        let key = next.key::<Record>().map_err(convert)?;
        result.insert("LastEvaluatedKey".to_owned(), json!({ (ID): key.id }));
    }
    Ok(Value::Object(result))
}

/// Returns the metadata of a write, with the names that the AWS SDKs for scripting languages use.
///
/// The SDK turns every status but 200 into an error, so the status is known here.
fn metadata(receipt: &Receipt) -> Value {
    let mut metadata = Map::from_iter([("HTTPStatusCode".to_owned(), Value::from(200))]);
    if let Some(id) = receipt.request_id() {
        metadata.insert("RequestId".to_owned(), Value::from(id));
    }
    json!({ "ResponseMetadata": metadata })
}

fn plain(record: &impl Serialize) -> Result<Value, OperationError> {
    serde_json::to_value(record).map_err(convert)
}

fn convert(error: impl std::error::Error + Send + Sync + 'static) -> OperationError {
    OperationError::Convert(Box::new(error))
}

#[cfg(test)]
mod tests;
