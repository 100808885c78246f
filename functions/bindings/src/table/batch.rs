//! Calls that read or write many items.

use std::time::Duration;

use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest};

use super::{Attributes, TableClient, encode};
use crate::error::{CallError, Reason};
use crate::item::Item;

/// How many keys one call may read, and how many items it may write; see
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html> and
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>.
const KEYS: usize = 100;
const WRITES: usize = 25;

/// How often a call is made for what the service left out, and how long the first pause is; each is twice the last.
const TRIES: u32 = 8;
const PAUSE: Duration = Duration::from_millis(25);

pub(crate) async fn get<T: Item>(
    table: &TableClient,
    keys: impl IntoIterator<Item = T::Key>,
) -> Result<Vec<T>, CallError> {
    const ACTION: &str = "get items from";
    let keys = keys
        .into_iter()
        .map(|key| encode(&key))
        .collect::<Result<Vec<Attributes>, _>>()
        .map_err(table.unencodable(ACTION))?;
    let mut items = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(KEYS) {
        let mut left = chunk.to_vec();
        for attempt in 0..TRIES {
            pause(attempt).await;
            let request = KeysAndAttributes::builder()
                .set_keys(Some(left))
                .build()
                .map_err(|error| {
                    CallError::new(ACTION, &table.described(), Reason::Encode).caused_by(error)
                })?;
            let mut answer = table
                .client()
                .batch_get_item()
                .request_items(table.name(), request)
                .send()
                .await
                .map_err(table.failed(ACTION))?;
            let found = answer
                .responses
                .as_mut()
                .and_then(|tables| tables.remove(table.name()))
                .unwrap_or_default();
            for item in found {
                items.push(table.decode(ACTION, item)?);
            }
            left = answer
                .unprocessed_keys
                .as_mut()
                .and_then(|tables| tables.remove(table.name()))
                .map(|keys| keys.keys)
                .unwrap_or_default();
            if left.is_empty() {
                break;
            }
        }
        if !left.is_empty() {
            return Err(CallError::new(
                ACTION,
                &table.described(),
                Reason::Incomplete,
            ));
        }
    }
    Ok(items)
}

pub(crate) async fn write<'i, T: Item>(
    table: &TableClient,
    puts: impl IntoIterator<Item = &'i T>,
    deletes: impl IntoIterator<Item = T::Key>,
) -> Result<(), CallError> {
    const ACTION: &str = "write items to";
    let mut writes = Vec::new();
    for item in puts {
        let item = encode(item).map_err(table.unencodable(ACTION))?;
        let request = PutRequest::builder().set_item(Some(item)).build();
        writes.push(request.map(|put| WriteRequest::builder().put_request(put).build()));
    }
    for key in deletes {
        let key = encode(&key).map_err(table.unencodable(ACTION))?;
        let request = DeleteRequest::builder().set_key(Some(key)).build();
        writes.push(request.map(|delete| WriteRequest::builder().delete_request(delete).build()));
    }
    let writes = writes
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| {
            CallError::new(ACTION, &table.described(), Reason::Encode).caused_by(error)
        })?;
    for chunk in writes.chunks(WRITES) {
        let mut left = chunk.to_vec();
        for attempt in 0..TRIES {
            pause(attempt).await;
            let answer = table
                .client()
                .batch_write_item()
                .request_items(table.name(), left)
                .send()
                .await
                .map_err(table.failed(ACTION))?;
            left = answer
                .unprocessed_items
                .and_then(|mut tables| tables.remove(table.name()))
                .unwrap_or_default();
            if left.is_empty() {
                break;
            }
        }
        if !left.is_empty() {
            return Err(CallError::new(
                ACTION,
                &table.described(),
                Reason::Incomplete,
            ));
        }
    }
    Ok(())
}

/// Waits before another try, as AWS asks for with unprocessed items; the first try is made at once.
async fn pause(attempt: u32) {
    if let Some(doublings) = attempt.checked_sub(1) {
        tokio::time::sleep(PAUSE * 2_u32.pow(doublings)).await;
    }
}
