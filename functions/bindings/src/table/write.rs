//! Requests that write one item.

use std::collections::HashMap;
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

/// What every write has: the item or its key, and the conditions under which it happens.
#[derive(Debug)]
struct Write<'a> {
    table: &'a TableClient,
    attributes: Result<Attributes, serde_dynamo::Error>,
    partition_key: &'static str,
    conditions: Conditions,
    placeholders: Placeholders,
}

/// A write in the form that the SDK takes.
struct WriteFields {
    attributes: Attributes,
    condition: Option<String>,
    names: Option<HashMap<String, String>>,
    values: Option<Attributes>,
}

impl<'a> Write<'a> {
    fn new<T: Item>(
        table: &'a TableClient,
        attributes: Result<Attributes, serde_dynamo::Error>,
    ) -> Self {
        Self {
            table,
            attributes,
            partition_key: T::PARTITION_KEY,
            conditions: Conditions::default(),
            placeholders: Placeholders::default(),
        }
    }

    fn when(&mut self, condition: Expression) {
        let text = self.placeholders.take(condition);
        self.conditions.add(text);
    }

    /// Adds one of the conditions on whether there is an item.
    fn when_the_item(&mut self, condition: &str) {
        self.placeholders.name(PARTITION_NAME, self.partition_key);
        self.conditions.add(condition.to_owned());
    }

    fn render(self, action: &'static str) -> Result<WriteFields, CallError> {
        let attributes = self.attributes.map_err(self.table.unencodable(action))?;
        let rendered = self.placeholders.render();
        let (names, values) = rendered.map_err(self.table.unencodable(action))?;
        Ok(WriteFields {
            attributes,
            condition: self.conditions.render(),
            names,
            values,
        })
    }
}

/// Conditions under which a write happens, for every kind of write.
macro_rules! conditional {
    ([$($generics:tt)*] $name:ty) => {
        impl<$($generics)*> $name {
            /// Writes only where the condition holds; otherwise fails with
            /// [`Reason::ConditionFailed`](crate::Reason::ConditionFailed).
            pub fn when(mut self, condition: Expression) -> Self {
                self.write.when(condition);
                self
            }

            /// Writes only where there is an item with the key.
            pub fn if_present(mut self) -> Self {
                self.write.when_the_item(IS_PRESENT);
                self
            }
        }
    };
}

/// A request to put one item; await it.
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited"]
pub struct PutItem<'a> {
    write: Write<'a>,
}

conditional!(['a] PutItem<'a>);

impl<'a> PutItem<'a> {
    pub(crate) fn new<T: Item>(table: &'a TableClient, item: &T) -> Self {
        Self {
            write: Write::new::<T>(table, encode(item)),
        }
    }

    /// Puts the item only where there is none with its key.
    pub fn if_absent(mut self) -> Self {
        self.write.when_the_item(IS_ABSENT);
        self
    }

    async fn call(self) -> Result<Receipt, CallError> {
        const ACTION: &str = "put an item into";
        let table = self.write.table;
        let write = self.write.render(ACTION)?;
        let answer = table
            .client()
            .put_item()
            .table_name(table.name())
            .set_item(Some(write.attributes))
            .set_condition_expression(write.condition)
            .set_expression_attribute_names(write.names)
            .set_expression_attribute_values(write.values)
            .send()
            .await
            .map_err(table.failed(ACTION))?;
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
    write: Write<'a>,
}

conditional!(['a] DeleteItem<'a>);

impl<'a> DeleteItem<'a> {
    pub(crate) fn new<T: Item>(table: &'a TableClient, key: &T::Key) -> Self {
        Self {
            write: Write::new::<T>(table, encode(key)),
        }
    }

    async fn call(self) -> Result<Receipt, CallError> {
        const ACTION: &str = "delete an item from";
        let table = self.write.table;
        let write = self.write.render(ACTION)?;
        let answer = table
            .client()
            .delete_item()
            .table_name(table.name())
            .set_key(Some(write.attributes))
            .set_condition_expression(write.condition)
            .set_expression_attribute_names(write.names)
            .set_expression_attribute_values(write.values)
            .send()
            .await
            .map_err(table.failed(ACTION))?;
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
    write: Write<'a>,
    change: String,
    item: PhantomData<fn() -> T>,
}

conditional!(['a, T] UpdateItem<'a, T>);

impl<'a, T: Item> UpdateItem<'a, T> {
    pub(crate) fn new(table: &'a TableClient, key: &T::Key, change: impl Into<Expression>) -> Self {
        let mut write = Write::new::<T>(table, encode(key));
        Self {
            change: write.placeholders.take(change),
            write,
            item: PhantomData,
        }
    }

    async fn call(self) -> Result<T, CallError> {
        const ACTION: &str = "update an item of";
        let table = self.write.table;
        let write = self.write.render(ACTION)?;
        let answer = table
            .client()
            .update_item()
            .table_name(table.name())
            .set_key(Some(write.attributes))
            .update_expression(self.change)
            .set_condition_expression(write.condition)
            .set_expression_attribute_names(write.names)
            .set_expression_attribute_values(write.values)
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(table.failed(ACTION))?;
        table.decode(ACTION, answer.attributes.unwrap_or_default())
    }
}

impl<'a, T: Item> IntoFuture for UpdateItem<'a, T> {
    type Output = Result<T, CallError>;
    type IntoFuture = Call<'a, T>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.call())
    }
}
