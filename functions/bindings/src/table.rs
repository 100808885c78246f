//! Tables of DynamoDB.

#[cfg(feature = "table")]
mod batch;
#[cfg(feature = "table")]
mod change;
#[cfg(feature = "table")]
mod cursor;
#[cfg(feature = "table")]
mod expression;
#[cfg(feature = "table")]
mod read;
#[cfg(feature = "table")]
mod transaction;
#[cfg(feature = "table")]
mod write;

use std::fmt;
use std::marker::PhantomData;

use crate::binding::Binding;
use crate::grant::Grants;
use crate::item::Item;
use crate::kind;

#[cfg(feature = "table")]
pub use {
    change::Change,
    cursor::{Cursor, Page},
    expression::{AttributePath, Expression},
    read::{GetItem, QueryItems, ScanItems},
    transaction::Transaction,
    write::{DeleteItem, PutItem, Receipt, UpdateItem},
};

/// A table of items of type `T`, with the operations `G` granted.
///
/// `G` is one operation or a tuple of them, such as `(Get, Put)`. Only the methods of granted operations can be
/// called, and the role of the function allows exactly their actions.
pub struct Table<T: Item, G: Grants<kind::Table<T>>> {
    #[cfg(feature = "table")]
    handle: TableClient,
    grants: PhantomData<fn() -> (T, G)>,
}

impl<T: Item, G: Grants<kind::Table<T>>> Binding for Table<T, G> {
    const KIND: &'static str = "table";
    const SUFFIX: &'static str = "_NAME";
}

impl<T: Item, G: Grants<kind::Table<T>>> fmt::Debug for Table<T, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = f.debug_struct("Table");
        #[cfg(feature = "table")]
        table.field("name", &self.handle.name);
        table.finish_non_exhaustive()
    }
}

/// What every request on a table needs.
#[cfg(feature = "table")]
#[derive(Clone, Debug)]
pub(crate) struct TableClient {
    client: aws_sdk_dynamodb::Client,
    name: String,
}

#[cfg(feature = "table")]
mod client {
    use std::collections::HashMap;

    use aws_sdk_dynamodb::error::ProvideErrorMetadata;
    use aws_sdk_dynamodb::error::SdkError;
    use aws_sdk_dynamodb::types::AttributeValue;
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::{Table, TableClient, batch, read, transaction, write};
    use crate::environment::{Connect, Environment, VariableFault};
    use crate::error::{CallError, Reason};
    use crate::grant::{Allows, Grants};
    use crate::item::{Index, Item};
    use crate::kind;
    use crate::operation::{
        BatchGet, BatchWrite, Delete, Get, Put, Query, QueryIndex, Scan, ScanIndex, Update,
    };

    /// An item as DynamoDB's API takes and gives it.
    pub(crate) type Attributes = HashMap<String, AttributeValue>;

    impl<T: Item, G: Grants<kind::Table<T>>> Connect for Table<T, G> {
        fn connect(environment: &Environment, value: &str) -> Result<Self, VariableFault> {
            Ok(Self::with_client(environment.dynamodb(), value))
        }
    }

    impl<T: Item, G: Grants<kind::Table<T>>> Table<T, G> {
        /// Binds to the table of the given name, for tests.
        pub fn with_client(client: aws_sdk_dynamodb::Client, name: impl Into<String>) -> Self {
            Self {
                handle: TableClient {
                    client,
                    name: name.into(),
                },
                grants: std::marker::PhantomData,
            }
        }

        /// Returns the name of the table.
        pub fn name(&self) -> &str {
            &self.handle.name
        }

        pub(crate) fn handle(&self) -> &TableClient {
            &self.handle
        }

        /// Puts an item, replacing one with the same key; await it.
        pub fn put<At>(&self, item: &T) -> write::PutItem<'_>
        where
            G: Allows<Put, At>,
        {
            write::PutItem::new(&self.handle, item)
        }

        /// Reads one item by its key; await it.
        pub fn get<At>(&self, key: impl Into<T::Key>) -> read::GetItem<'_, T>
        where
            G: Allows<Get, At>,
        {
            read::GetItem::new(&self.handle, &key.into())
        }

        /// Changes attributes of one item; await it for the item as it is then.
        ///
        /// The change is a [`Change`](super::Change), or an update expression such as `SET #s = :s`.
        pub fn update<At>(
            &self,
            key: impl Into<T::Key>,
            change: impl Into<super::Expression>,
        ) -> write::UpdateItem<'_, T>
        where
            G: Allows<Update, At>,
        {
            write::UpdateItem::new(&self.handle, &key.into(), change)
        }

        /// Deletes one item by its key; await it. Deleting what is not there succeeds.
        pub fn delete<At>(&self, key: impl Into<T::Key>) -> write::DeleteItem<'_>
        where
            G: Allows<Delete, At>,
        {
            write::DeleteItem::new::<T>(&self.handle, &key.into())
        }

        /// Reads the items of one partition, in the order of the sort key; await it for one page.
        pub fn query<At>(
            &self,
            partition: impl Into<T::Partition>,
        ) -> read::QueryItems<'_, T, T::Sort>
        where
            G: Allows<Query, At>,
        {
            read::QueryItems::new(
                &self.handle,
                None,
                (T::PARTITION_KEY, T::SORT_KEY),
                &partition.into(),
            )
        }

        /// Reads the items of one partition of an index, such as `table.query_index(ByUser, "u1")`.
        pub fn query_index<I, At>(
            &self,
            _index: I,
            partition: impl Into<I::Partition>,
        ) -> read::QueryItems<'_, T, I::Sort>
        where
            I: Index<Item = T>,
            G: Allows<QueryIndex<I>, At>,
        {
            read::QueryItems::new(
                &self.handle,
                Some(I::NAME),
                (I::PARTITION_KEY, I::SORT_KEY),
                &partition.into(),
            )
        }

        /// Reads all items, in no order; await it for one page.
        pub fn scan<At>(&self) -> read::ScanItems<'_, T>
        where
            G: Allows<Scan, At>,
        {
            read::ScanItems::new(&self.handle, None)
        }

        /// Reads all items of an index, in no order; items without the index's key are not in it.
        pub fn scan_index<I, At>(&self, _index: I) -> read::ScanItems<'_, T>
        where
            I: Index<Item = T>,
            G: Allows<ScanIndex<I>, At>,
        {
            read::ScanItems::new(&self.handle, Some(I::NAME))
        }

        /// Reads the items with the given keys, in no order, in calls of 100; keys without an item are left out.
        ///
        /// # Errors
        ///
        /// Fails with [`Reason::Incomplete`] where the service still leaves keys out after eight tries.
        pub async fn batch_get<At>(
            &self,
            keys: impl IntoIterator<Item = T::Key>,
        ) -> Result<Vec<T>, CallError>
        where
            G: Allows<BatchGet, At>,
        {
            batch::get(&self.handle, keys).await
        }

        /// Puts items and deletes others by their keys, in calls of 25.
        ///
        /// The calls are not one transaction: what was written before a failure stays written. One key must not
        /// occur twice.
        ///
        /// # Errors
        ///
        /// Fails with [`Reason::Incomplete`] where the service still leaves items out after eight tries.
        pub async fn batch_write<'i, At>(
            &self,
            puts: impl IntoIterator<Item = &'i T>,
            deletes: impl IntoIterator<Item = T::Key>,
        ) -> Result<(), CallError>
        where
            G: Allows<BatchWrite, At>,
        {
            batch::write(&self.handle, puts, deletes).await
        }

        /// Starts a transaction of writes to this table and others.
        pub fn transaction(&self) -> transaction::Transaction {
            transaction::Transaction::new(self.handle.client.clone())
        }
    }

    impl TableClient {
        pub(crate) fn client(&self) -> &aws_sdk_dynamodb::Client {
            &self.client
        }

        pub(crate) fn name(&self) -> &str {
            &self.name
        }

        /// Returns how messages call the table.
        pub(crate) fn described(&self) -> String {
            format!("table `{}`", self.name)
        }

        pub(crate) fn failed<E, R>(
            &self,
            action: &'static str,
        ) -> impl FnOnce(SdkError<E, R>) -> CallError
        where
            E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
            R: std::fmt::Debug + Send + Sync + 'static,
        {
            let resource = self.described();
            move |error| CallError::from_sdk(action, &resource, error)
        }

        pub(crate) fn unencodable(
            &self,
            action: &'static str,
        ) -> impl FnOnce(serde_dynamo::Error) -> CallError {
            let resource = self.described();
            move |error| CallError::new(action, &resource, Reason::Encode).caused_by(error)
        }

        pub(crate) fn decode<T: DeserializeOwned>(
            &self,
            action: &'static str,
            attributes: Attributes,
        ) -> Result<T, CallError> {
            serde_dynamo::from_item(attributes).map_err(|error| {
                CallError::new(action, &self.described(), Reason::Decode).caused_by(error)
            })
        }
    }

    pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Attributes, serde_dynamo::Error> {
        serde_dynamo::to_item(value)
    }
}

#[cfg(feature = "table")]
pub(crate) use client::{Attributes, encode};
