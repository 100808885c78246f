//! Requests that write one item.

use std::future::IntoFuture;
use std::marker::PhantomData;

use aws_sdk_dynamodb::operation::RequestId;
use aws_sdk_dynamodb::types::ReturnValue;

use super::expression::{Conditions, IS_ABSENT, IS_PRESENT, PARTITION_NAME, Placeholders};
use super::{Attributes, Expression, TableClient, encode};
use crate::Call;
use crate::error::CallError;
use crate::item::Item;

/// What AWS says about a write that succeeded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    request_id: Option<String>,
}

impl Receipt {
    pub(crate) fn of(answer: &impl RequestId) -> Self {
        Self {
            request_id: answer.request_id().map(str::to_owned),
        }
    }

    /// Returns the id under which AWS knows the request.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

/// Conditions under which a write happens, for every kind of write.
macro_rules! conditional {
    ([$($generics:tt)*] $name:ty) => {
        impl<$($generics)*> $name {
            /// Writes only where the condition holds; otherwise fails with
            /// [`Reason::ConditionFailed`](crate::Reason::ConditionFailed).
            pub fn when(mut self, condition: Expression) -> Self {
                let text = self.placeholders.take(condition);
                self.conditions.add(text);
                self
            }

            /// Writes only where there is an item with the key.
            pub fn if_present(mut self) -> Self {
                self.placeholders.name(PARTITION_NAME, self.partition_key);
                self.conditions.add(IS_PRESENT.to_owned());
                self
            }
        }
    };
}

/// A request to put one item; await it.
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited"]
pub struct PutItem<'a> {
    table: &'a TableClient,
    item: Result<Attributes, serde_dynamo::Error>,
    partition_key: &'static str,
    conditions: Conditions,
    placeholders: Placeholders,
}

conditional!(['a] PutItem<'a>);

impl<'a> PutItem<'a> {
    pub(crate) fn new<T: Item>(table: &'a TableClient, item: &T) -> Self {
        Self {
            table,
            item: encode(item),
            partition_key: T::PARTITION_KEY,
            conditions: Conditions::default(),
            placeholders: Placeholders::default(),
        }
    }

    /// Puts the item only where there is none with its key.
    pub fn if_absent(mut self) -> Self {
        self.placeholders.name(PARTITION_NAME, self.partition_key);
        self.conditions.add(IS_ABSENT.to_owned());
        self
    }

    async fn call(self) -> Result<Receipt, CallError> {
        const ACTION: &str = "put an item into";
        let item = self.item.map_err(self.table.unencodable(ACTION))?;
        let (names, values) = self
            .placeholders
            .render()
            .map_err(self.table.unencodable(ACTION))?;
        let answer = self
            .table
            .client()
            .put_item()
            .table_name(self.table.name())
            .set_item(Some(item))
            .set_condition_expression(self.conditions.render())
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .send()
            .await
            .map_err(self.table.failed(ACTION))?;
        Ok(Receipt::of(&answer))
    }
}

impl<'a> IntoFuture for PutItem<'a> {
    type Output = Result<Receipt, CallError>;
    type IntoFuture = Call<'a, Receipt>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.call())
    }
}

/// A request to delete one item; await it.
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited"]
pub struct DeleteItem<'a> {
    table: &'a TableClient,
    key: Result<Attributes, serde_dynamo::Error>,
    partition_key: &'static str,
    conditions: Conditions,
    placeholders: Placeholders,
}

conditional!(['a] DeleteItem<'a>);

impl<'a> DeleteItem<'a> {
    pub(crate) fn new<T: Item>(table: &'a TableClient, key: &T::Key) -> Self {
        Self {
            table,
            key: encode(key),
            partition_key: T::PARTITION_KEY,
            conditions: Conditions::default(),
            placeholders: Placeholders::default(),
        }
    }

    async fn call(self) -> Result<Receipt, CallError> {
        const ACTION: &str = "delete an item from";
        let key = self.key.map_err(self.table.unencodable(ACTION))?;
        let (names, values) = self
            .placeholders
            .render()
            .map_err(self.table.unencodable(ACTION))?;
        let answer = self
            .table
            .client()
            .delete_item()
            .table_name(self.table.name())
            .set_key(Some(key))
            .set_condition_expression(self.conditions.render())
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .send()
            .await
            .map_err(self.table.failed(ACTION))?;
        Ok(Receipt::of(&answer))
    }
}

impl<'a> IntoFuture for DeleteItem<'a> {
    type Output = Result<Receipt, CallError>;
    type IntoFuture = Call<'a, Receipt>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.call())
    }
}

/// A request to change one item; awaited, it returns the item as it is afterwards.
///
/// DynamoDB makes the item where there is none; [`UpdateItem::if_present`] prevents that.
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited"]
pub struct UpdateItem<'a, T> {
    table: &'a TableClient,
    key: Result<Attributes, serde_dynamo::Error>,
    partition_key: &'static str,
    change: String,
    conditions: Conditions,
    placeholders: Placeholders,
    item: PhantomData<fn() -> T>,
}

conditional!(['a, T] UpdateItem<'a, T>);

impl<'a, T: Item> UpdateItem<'a, T> {
    pub(crate) fn new(table: &'a TableClient, key: &T::Key, change: Expression) -> Self {
        let mut placeholders = Placeholders::default();
        let change = placeholders.take(change);
        Self {
            table,
            key: encode(key),
            partition_key: T::PARTITION_KEY,
            change,
            conditions: Conditions::default(),
            placeholders,
            item: PhantomData,
        }
    }

    async fn call(self) -> Result<T, CallError> {
        const ACTION: &str = "update an item of";
        let key = self.key.map_err(self.table.unencodable(ACTION))?;
        let (names, values) = self
            .placeholders
            .render()
            .map_err(self.table.unencodable(ACTION))?;
        let answer = self
            .table
            .client()
            .update_item()
            .table_name(self.table.name())
            .set_key(Some(key))
            .update_expression(self.change)
            .set_condition_expression(self.conditions.render())
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(self.table.failed(ACTION))?;
        self.table
            .decode(ACTION, answer.attributes.unwrap_or_default())
    }
}

impl<'a, T: Item> IntoFuture for UpdateItem<'a, T> {
    type Output = Result<T, CallError>;
    type IntoFuture = Call<'a, T>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.call())
    }
}
