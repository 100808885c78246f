//! The items of the table.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stack_bindings::Item;

/// How often a user was counted, and when.
///
/// The times are texts: seconds since 1970 with a fraction, such as `1580000000.123456`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Item)]
#[serde(rename_all = "camelCase")]
pub struct Visitor {
    /// Whose visits are counted.
    #[item(partition_key)]
    pub user_id: String,
    /// How many there were.
    pub user_count: u64,
    /// The time of the first visit.
    pub created_at: String,
    /// The time of the last visit, from the second one on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// Whatever else the item holds; callers get it too.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}
