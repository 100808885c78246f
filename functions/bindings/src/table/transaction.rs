//! Writes that happen together or not at all.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{ConditionCheck, Delete, Put, TransactWriteItem, Update};

use super::expression::{IS_ABSENT, PARTITION_NAME, Placeholders};
use super::{Expression, Receipt, Table, TableClient, encode};
use crate::error::{CallError, Reason};
use crate::grant::{Allows, Grants};
use crate::item::Item;
use crate::{kind, operation};

/// Writes to one table or several that happen together or not at all, at most 100.
///
/// Each write demands the grant of its operation on its table, because that is what IAM checks; see
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>.
#[derive(Debug)]
#[must_use = "a transaction does nothing until it is committed"]
pub struct Transaction {
    client: aws_sdk_dynamodb::Client,
    writes: Vec<TransactWriteItem>,
    tables: Vec<String>,
    failure: Option<CallError>,
}

const ACTION: &str = "commit a transaction on";

impl Transaction {
    pub(crate) fn new(client: aws_sdk_dynamodb::Client) -> Self {
        Self {
            client,
            writes: Vec::new(),
            tables: Vec::new(),
            failure: None,
        }
    }

    /// Puts an item, replacing one with the same key.
    pub fn put<T: Item, G, At>(self, table: &Table<T, G>, item: &T) -> Self
    where
        G: Grants<kind::Table<T>> + Allows<operation::Put, At>,
    {
        self.put_with(table.handle(), item, None, Placeholders::default())
    }

    /// Puts an item where there is none with its key.
    pub fn put_if_absent<T: Item, G, At>(self, table: &Table<T, G>, item: &T) -> Self
    where
        G: Grants<kind::Table<T>> + Allows<operation::Put, At>,
    {
        let mut placeholders = Placeholders::default();
        placeholders.name(PARTITION_NAME, T::PARTITION_KEY);
        self.put_with(
            table.handle(),
            item,
            Some(IS_ABSENT.to_owned()),
            placeholders,
        )
    }

    /// Changes attributes of one item as an update expression says.
    pub fn update<T: Item, G, At>(
        self,
        table: &Table<T, G>,
        key: impl Into<T::Key>,
        change: impl Into<Expression>,
    ) -> Self
    where
        G: Grants<kind::Table<T>> + Allows<operation::Update, At>,
    {
        let key = key.into();
        self.add(table.handle(), |table| {
            let mut placeholders = Placeholders::default();
            let change = placeholders.take(change);
            let (names, values) = placeholders.render().map_err(table.unencodable(ACTION))?;
            let update = Update::builder()
                .table_name(table.name())
                .set_key(Some(encode(&key).map_err(table.unencodable(ACTION))?))
                .update_expression(change)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .build()
                .map_err(|error| unbuildable(table, error))?;
            Ok(TransactWriteItem::builder().update(update).build())
        })
    }

    /// Deletes one item by its key.
    pub fn delete<T: Item, G, At>(self, table: &Table<T, G>, key: impl Into<T::Key>) -> Self
    where
        G: Grants<kind::Table<T>> + Allows<operation::Delete, At>,
    {
        let key = key.into();
        self.add(table.handle(), |table| {
            let delete = Delete::builder()
                .table_name(table.name())
                .set_key(Some(encode(&key).map_err(table.unencodable(ACTION))?))
                .build()
                .map_err(|error| unbuildable(table, error))?;
            Ok(TransactWriteItem::builder().delete(delete).build())
        })
    }

    /// Demands that a condition on one item holds, without changing it.
    pub fn check<T: Item, G, At>(
        self,
        table: &Table<T, G>,
        key: impl Into<T::Key>,
        condition: Expression,
    ) -> Self
    where
        G: Grants<kind::Table<T>> + Allows<operation::ConditionCheck, At>,
    {
        let key = key.into();
        self.add(table.handle(), |table| {
            let mut placeholders = Placeholders::default();
            let condition = placeholders.take(condition);
            let (names, values) = placeholders.render().map_err(table.unencodable(ACTION))?;
            let check = ConditionCheck::builder()
                .table_name(table.name())
                .set_key(Some(encode(&key).map_err(table.unencodable(ACTION))?))
                .condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .build()
                .map_err(|error| unbuildable(table, error))?;
            Ok(TransactWriteItem::builder().condition_check(check).build())
        })
    }

    /// Writes everything, or nothing.
    ///
    /// # Errors
    ///
    /// Fails with [`Reason::ConditionFailed`] where a condition does not hold, and with [`Reason::Conflict`] where
    /// another transaction is changing one of the items.
    pub async fn commit(self) -> Result<Receipt, CallError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let resource = self.tables.join(", ");
        let answer = self
            .client
            .transact_write_items()
            .set_transact_items(Some(self.writes))
            .send()
            .await
            .map_err(|error| {
                let reason = error.as_service_error().and_then(cancellation);
                let error = CallError::from_sdk(ACTION, &resource, error);
                match reason {
                    Some(reason) => error.because(reason),
                    None => error,
                }
            })?;
        Ok(Receipt::of(&answer))
    }

    fn put_with<T: Item>(
        self,
        table: &TableClient,
        item: &T,
        condition: Option<String>,
        placeholders: Placeholders,
    ) -> Self {
        self.add(table, |table| {
            let (names, values) = placeholders.render().map_err(table.unencodable(ACTION))?;
            let put = Put::builder()
                .table_name(table.name())
                .set_item(Some(encode(item).map_err(table.unencodable(ACTION))?))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .build()
                .map_err(|error| unbuildable(table, error))?;
            Ok(TransactWriteItem::builder().put(put).build())
        })
    }

    /// Adds a write; the first that cannot be encoded is reported by the commit.
    fn add(
        mut self,
        table: &TableClient,
        write: impl FnOnce(&TableClient) -> Result<TransactWriteItem, CallError>,
    ) -> Self {
        let described = table.described();
        if !self.tables.contains(&described) {
            self.tables.push(described);
        }
        match write(table) {
            Ok(write) => self.writes.push(write),
            Err(failure) => self.failure = self.failure.or(Some(failure)),
        }
        self
    }
}

fn unbuildable(
    table: &TableClient,
    error: impl std::error::Error + Send + Sync + 'static,
) -> CallError {
    CallError::new(ACTION, &table.described(), Reason::Encode).caused_by(error)
}

/// Finds out why a transaction was cancelled; the codes are listed at
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>.
fn cancellation(error: &TransactWriteItemsError) -> Option<Reason> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return None;
    };
    let codes = || {
        cancelled
            .cancellation_reasons()
            .iter()
            .filter_map(|reason| reason.code())
    };
    [
        ("ConditionalCheckFailed", Reason::ConditionFailed),
        ("TransactionConflict", Reason::Conflict),
        ("ThrottlingError", Reason::Throttled),
        ("ProvisionedThroughputExceeded", Reason::Throttled),
        ("ValidationError", Reason::Invalid),
        ("ItemCollectionSizeLimitExceeded", Reason::Invalid),
    ]
    .into_iter()
    .find(|(code, _)| codes().any(|given| given == *code))
    .map(|(_, reason)| reason)
}
