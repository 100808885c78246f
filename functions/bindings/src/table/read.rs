//! Requests that read items.

use std::collections::HashMap;
use std::future::IntoFuture;
use std::marker::PhantomData;

use serde::Serialize;

use super::expression::{PARTITION_NAME, Placeholders};
use super::{Attributes, Cursor, Expression, Page, TableClient, encode};
use crate::Call;
use crate::error::{CallError, Reason};
use crate::item::{Item, KeyAttribute, Prefixed};

/// A request to read one item; await it. `None` means that there is no item with the key.
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited"]
pub struct GetItem<'a, T> {
    table: &'a TableClient,
    key: Result<Attributes, serde_dynamo::Error>,
    consistent: bool,
    item: PhantomData<fn() -> T>,
}

impl<'a, T: Item> GetItem<'a, T> {
    pub(crate) fn new(table: &'a TableClient, key: &T::Key) -> Self {
        Self {
            table,
            key: encode(key),
            consistent: false,
            item: PhantomData,
        }
    }

    /// Reads what the last write left, at twice the cost of a read that may lag behind.
    pub fn consistent(mut self) -> Self {
        self.consistent = true;
        self
    }

    async fn call(self) -> Result<Option<T>, CallError> {
        const ACTION: &str = "get an item from";
        let key = self.key.map_err(self.table.unencodable(ACTION))?;
        let answer = self
            .table
            .client()
            .get_item()
            .table_name(self.table.name())
            .set_key(Some(key))
            .set_consistent_read(self.consistent.then_some(true))
            .send()
            .await
            .map_err(self.table.failed(ACTION))?;
        answer
            .item
            .map(|item| self.table.decode(ACTION, item))
            .transpose()
    }
}

impl<'a, T: Item> IntoFuture for GetItem<'a, T> {
    type Output = Result<Option<T>, CallError>;
    type IntoFuture = Call<'a, Option<T>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.call())
    }
}

/// What queries and scans have in common.
#[derive(Debug)]
struct Reading<'a> {
    table: &'a TableClient,
    index: Option<&'static str>,
    consistent: bool,
    limit: Option<u32>,
    start: Option<Cursor>,
    filter: Option<String>,
    placeholders: Placeholders,
}

impl<'a> Reading<'a> {
    fn new(table: &'a TableClient, index: Option<&'static str>) -> Self {
        Self {
            table,
            index,
            consistent: false,
            limit: None,
            start: None,
            filter: None,
            placeholders: Placeholders::default(),
        }
    }
}

/// Options that queries and scans share.
macro_rules! reading {
    ([$($generics:tt)*] $name:ty) => {
        impl<$($generics)*> $name {
            /// Reads at most so many items for a page, before a filter leaves some out. Zero counts as one.
            pub fn limit(mut self, items: u32) -> Self {
                self.reading.limit = Some(items.max(1));
                self
            }

            /// Starts where an earlier page ended.
            pub fn start(mut self, cursor: Cursor) -> Self {
                self.reading.start = Some(cursor);
                self
            }

            /// Reads what the last write left. Global indexes cannot do that, and the service refuses it.
            pub fn consistent(mut self) -> Self {
                self.reading.consistent = true;
                self
            }

            /// Returns only the items for which the expression holds; the others are read and paid for all the same.
            pub fn filter(mut self, filter: Expression) -> Self {
                self.reading.filter = Some(self.reading.placeholders.take(filter));
                self
            }
        }
    };
}

/// A request to read the items of one partition; await it for one page, or take [`QueryItems::all`].
///
/// `S` is the type of the sort key; there may be one condition on it.
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited"]
pub struct QueryItems<'a, T, S> {
    reading: Reading<'a>,
    sort_key: Option<&'static str>,
    sort_condition: Option<&'static str>,
    descending: bool,
    item: PhantomData<fn() -> (T, S)>,
}

reading!(['a, T, S] QueryItems<'a, T, S>);

impl<'a, T: Item, S> QueryItems<'a, T, S> {
    pub(crate) fn new(
        table: &'a TableClient,
        index: Option<&'static str>,
        (partition_key, sort_key): (&str, Option<&'static str>),
        partition: &impl Serialize,
    ) -> Self {
        let mut reading = Reading::new(table, index);
        reading.placeholders.name(PARTITION_NAME, partition_key);
        reading.placeholders.value(":binding_partition", partition);
        Self {
            reading,
            sort_key,
            sort_condition: None,
            descending: false,
            item: PhantomData,
        }
    }

    /// Returns the items from the greatest sort key to the smallest.
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// Reads page after page, and returns all items of the partition that fit.
    ///
    /// # Errors
    ///
    /// Fails with the first page that cannot be read.
    pub async fn all(mut self) -> Result<Vec<T>, CallError> {
        let mut start = self.reading.start.take();
        let (prepared, condition, forward) = self.prepare()?;
        let mut items = Vec::new();
        loop {
            let page = prepared.query(&condition, forward, start).await?;
            items.extend(page.items);
            match page.next {
                Some(next) => start = Some(next),
                None => return Ok(items),
            }
        }
    }

    async fn call(mut self) -> Result<Page<T>, CallError> {
        let start = self.reading.start.take();
        let (prepared, condition, forward) = self.prepare()?;
        prepared.query(&condition, forward, start).await
    }

    fn prepare(self) -> Result<(Prepared<'a, T>, String, bool), CallError> {
        let mut condition = "#binding_partition = :binding_partition".to_owned();
        if let Some(sort) = self.sort_condition {
            condition.push_str(" AND ");
            condition.push_str(sort);
        }
        let prepared = Prepared::new(self.reading, QUERY)?;
        Ok((prepared, condition, !self.descending))
    }
}

impl<T, S: KeyAttribute> QueryItems<'_, T, S> {
    /// Keeps the items whose sort key is the given one.
    pub fn sort_is(self, key: impl Into<S>) -> Self {
        self.sorted("#binding_sort = :binding_sort", &key.into())
    }

    /// Keeps the items whose sort key is less than the given one.
    pub fn sort_below(self, key: impl Into<S>) -> Self {
        self.sorted("#binding_sort < :binding_sort", &key.into())
    }

    /// Keeps the items whose sort key is the given one or less.
    pub fn sort_to(self, key: impl Into<S>) -> Self {
        self.sorted("#binding_sort <= :binding_sort", &key.into())
    }

    /// Keeps the items whose sort key is greater than the given one.
    pub fn sort_above(self, key: impl Into<S>) -> Self {
        self.sorted("#binding_sort > :binding_sort", &key.into())
    }

    /// Keeps the items whose sort key is the given one or greater.
    pub fn sort_from(self, key: impl Into<S>) -> Self {
        self.sorted("#binding_sort >= :binding_sort", &key.into())
    }

    /// Keeps the items whose sort key lies between the given ones, both included.
    pub fn sort_between(self, first: impl Into<S>, last: impl Into<S>) -> Self {
        let mut query = self.sorted(
            "#binding_sort BETWEEN :binding_sort AND :binding_sort_end",
            &first.into(),
        );
        query
            .reading
            .placeholders
            .value(":binding_sort_end", &last.into());
        query
    }

    /// Keeps the items whose sort key starts with the given text or bytes.
    pub fn sort_starts_with(self, prefix: impl Into<S>) -> Self
    where
        S: Prefixed,
    {
        self.sorted("begins_with(#binding_sort, :binding_sort)", &prefix.into())
    }

    /// Sets the condition on the sort key; DynamoDB takes one, so a later one replaces an earlier one.
    fn sorted(mut self, condition: &'static str, key: &S) -> Self {
        if let Some(name) = self.sort_key {
            self.reading.placeholders.name("#binding_sort", name);
            self.reading.placeholders.forget(":binding_sort_end");
            self.reading.placeholders.value(":binding_sort", key);
            self.sort_condition = Some(condition);
        }
        self
    }
}

impl<'a, T: Item, S: Send + 'static> IntoFuture for QueryItems<'a, T, S> {
    type Output = Result<Page<T>, CallError>;
    type IntoFuture = Call<'a, Page<T>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.call())
    }
}

/// A request to read all items; await it for one page, or take [`ScanItems::all`].
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited"]
pub struct ScanItems<'a, T> {
    reading: Reading<'a>,
    item: PhantomData<fn() -> T>,
}

reading!(['a, T] ScanItems<'a, T>);

impl<'a, T: Item> ScanItems<'a, T> {
    pub(crate) fn new(table: &'a TableClient, index: Option<&'static str>) -> Self {
        Self {
            reading: Reading::new(table, index),
            item: PhantomData,
        }
    }

    /// Reads page after page, and returns all items.
    ///
    /// # Errors
    ///
    /// Fails with the first page that cannot be read.
    pub async fn all(mut self) -> Result<Vec<T>, CallError> {
        let mut start = self.reading.start.take();
        let prepared = Prepared::new(self.reading, SCAN)?;
        let mut items = Vec::new();
        loop {
            let page = prepared.scan(start).await?;
            items.extend(page.items);
            match page.next {
                Some(next) => start = Some(next),
                None => return Ok(items),
            }
        }
    }

    async fn call(mut self) -> Result<Page<T>, CallError> {
        let start = self.reading.start.take();
        Prepared::new(self.reading, SCAN)?.scan(start).await
    }
}

impl<'a, T: Item> IntoFuture for ScanItems<'a, T> {
    type Output = Result<Page<T>, CallError>;
    type IntoFuture = Call<'a, Page<T>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.call())
    }
}

const QUERY: &str = "query";
const SCAN: &str = "scan";

/// A query or a scan that can be sent for one page after the other.
struct Prepared<'a, T> {
    table: &'a TableClient,
    index: Option<&'static str>,
    consistent: Option<bool>,
    limit: Option<i32>,
    filter: Option<String>,
    names: Option<HashMap<String, String>>,
    values: Option<Attributes>,
    item: PhantomData<fn() -> T>,
}

impl<'a, T: Item> Prepared<'a, T> {
    fn new(reading: Reading<'a>, action: &'static str) -> Result<Self, CallError> {
        let (names, values) = reading
            .placeholders
            .render()
            .map_err(reading.table.unencodable(action))?;
        Ok(Self {
            table: reading.table,
            index: reading.index,
            consistent: reading.consistent.then_some(true),
            limit: reading
                .limit
                .map(|items| i32::try_from(items).unwrap_or(i32::MAX)),
            filter: reading.filter,
            names,
            values,
            item: PhantomData,
        })
    }

    async fn query(
        &self,
        condition: &str,
        forward: bool,
        start: Option<Cursor>,
    ) -> Result<Page<T>, CallError> {
        let answer = self
            .table
            .client()
            .query()
            .table_name(self.table.name())
            .set_index_name(self.index.map(str::to_owned))
            .key_condition_expression(condition)
            .set_filter_expression(self.filter.clone())
            .set_expression_attribute_names(self.names.clone())
            .set_expression_attribute_values(self.values.clone())
            .set_consistent_read(self.consistent)
            .set_limit(self.limit)
            .scan_index_forward(forward)
            .set_exclusive_start_key(start.map(Cursor::into_attributes))
            .send()
            .await
            .map_err(self.table.failed(QUERY))?;
        self.page(
            QUERY,
            answer.items.unwrap_or_default(),
            answer.last_evaluated_key,
            answer.scanned_count,
        )
    }

    async fn scan(&self, start: Option<Cursor>) -> Result<Page<T>, CallError> {
        let answer = self
            .table
            .client()
            .scan()
            .table_name(self.table.name())
            .set_index_name(self.index.map(str::to_owned))
            .set_filter_expression(self.filter.clone())
            .set_expression_attribute_names(self.names.clone())
            .set_expression_attribute_values(self.values.clone())
            .set_consistent_read(self.consistent)
            .set_limit(self.limit)
            .set_exclusive_start_key(start.map(Cursor::into_attributes))
            .send()
            .await
            .map_err(self.table.failed(SCAN))?;
        self.page(
            SCAN,
            answer.items.unwrap_or_default(),
            answer.last_evaluated_key,
            answer.scanned_count,
        )
    }

    fn page(
        &self,
        action: &'static str,
        items: Vec<Attributes>,
        last: Option<Attributes>,
        scanned: i32,
    ) -> Result<Page<T>, CallError> {
        let items = items
            .into_iter()
            .map(|item| self.table.decode(action, item))
            .collect::<Result<_, _>>()?;
        let next = last
            .filter(|key| !key.is_empty())
            .map(|key| {
                Cursor::from_attributes(key)
                    .ok_or_else(|| CallError::new(action, &self.table.described(), Reason::Decode))
            })
            .transpose()?;
        Ok(Page {
            items,
            next,
            scanned: u32::try_from(scanned).unwrap_or_default(),
        })
    }
}
