//! The items of the table.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stack_bindings::Item;

/// The name of the partition key.
pub(crate) const ID: &str = "id";

/// One item of the table: a key, and whatever else its sender put into it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Item)]
pub struct Record {
    /// The key.
    #[item(partition_key)]
    pub id: String,
    /// All other attributes, as plain JSON.
    #[serde(flatten)]
    pub attributes: Map<String, Value>,
}
