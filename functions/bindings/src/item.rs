//! Items of tables: their keys and indexes, known to the function and to the stack from one declaration.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bytes::Bytes;

/// The type of a table's items; derive it with `#[derive(Item)]`.
///
/// The derive also makes the key type, `OrderKey` for `Order`, whose fields are the key attributes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the item type of a table",
    note = "derive `Item` for it and mark the partition key with `#[item(partition_key)]`"
)]
pub trait Item: Serialize + DeserializeOwned + std::marker::Send + Sync + 'static {
    /// The key of one item: the partition key and, where there is one, the sort key.
    type Key: ItemKey;
    /// The type of the partition key.
    type Partition: KeyAttribute;
    /// The type of the sort key, [`NoSortKey`] where there is none.
    type Sort: SortAttribute;

    /// The name of the partition key's attribute.
    const PARTITION_KEY: &'static str;
    /// The name of the sort key's attribute.
    const SORT_KEY: Option<&'static str>;

    /// Returns the key of the item.
    fn key(&self) -> Self::Key;
}

/// The key of an item, as the derive of [`Item`] makes it.
pub trait ItemKey:
    Serialize + DeserializeOwned + Clone + Debug + std::marker::Send + Sync + 'static
{
}

/// A secondary index of a table; declared in the `#[item(index(..))]` of the items.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an index",
    note = "declare it on the item type, as in `#[item(index({Self}, name = \"..\", partition_key = ..))]`"
)]
pub trait Index: std::marker::Send + Sync + 'static {
    /// The items of the table that the index belongs to.
    type Item: Item;
    /// The type of the index's partition key.
    type Partition: KeyAttribute;
    /// The type of the index's sort key, [`NoSortKey`] where there is none.
    type Sort: SortAttribute;

    /// The name of the index.
    const NAME: &'static str;
    /// The name of the partition key's attribute.
    const PARTITION_KEY: &'static str;
    /// The name of the sort key's attribute.
    const SORT_KEY: Option<&'static str>;
}

/// The type of a key attribute, as DynamoDB stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// `S`: a string.
    String,
    /// `N`: a number.
    Number,
    /// `B`: bytes.
    Binary,
}

/// A type that a key attribute can have.
///
/// Implement it for a newtype that serialises as the type inside it:
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use stack_bindings::{KeyAttribute, KeyKind};
///
/// #[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
/// #[serde(transparent)]
/// struct OrderId(String);
///
/// impl KeyAttribute for OrderId {
///     const KIND: KeyKind = KeyKind::String;
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key of a table",
    note = "a key is a `String`, an integer or `Bytes`, or a newtype of one that implements `KeyAttribute`"
)]
pub trait KeyAttribute:
    Serialize + DeserializeOwned + Clone + Debug + PartialEq + std::marker::Send + Sync + 'static
{
    /// How DynamoDB stores the attribute.
    const KIND: KeyKind;
}

/// The type of a sort key: a [`KeyAttribute`], or [`NoSortKey`].
pub trait SortAttribute: Serialize + std::marker::Send + 'static {}

impl<T: KeyAttribute> SortAttribute for T {}

/// A key attribute that can be searched by its beginning: a text or bytes.
pub trait Prefixed: KeyAttribute {}

/// A type that can say when DynamoDB may delete an item: seconds since 1970, perhaps none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a time to live",
    note = "DynamoDB wants seconds since 1970: `u64`, `u32`, `i64`, or an `Option` of one"
)]
pub trait TimeToLive {}

impl TimeToLive for u32 {}
impl TimeToLive for u64 {}
impl TimeToLive for i64 {}
impl<T: TimeToLive> TimeToLive for Option<T> {}

/// The sort key of a table or an index that has none. It has no values, so no condition on it can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSortKey {}

impl Serialize for NoSortKey {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match *self {}
    }
}

impl SortAttribute for NoSortKey {}

macro_rules! key_attributes {
    ($($kind:ident: $($name:ty),+;)+) => {
        $($(
            impl KeyAttribute for $name {
                const KIND: KeyKind = KeyKind::$kind;
            }
        )+)+
    };
}

key_attributes! {
    String: String;
    Number: i8, i16, i32, i64, u8, u16, u32, u64;
    Binary: Bytes;
}

impl Prefixed for String {}
impl Prefixed for Bytes {}
