//! The items of the tables, and the message of the queue.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stack_bindings::Item;

/// A user: an id, and whatever else was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Item)]
pub struct UserRecord {
    /// The key.
    #[item(partition_key)]
    pub user_id: String,
    /// All other attributes, as plain JSON.
    #[serde(flatten)]
    pub attributes: Map<String, Value>,
}

/// An order of a user. The times are those of ISO 8601, so that their order is that of the texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Item)]
#[item(index(ByUser, name = "user_id-index", partition_key = user_id, sort_key = created_at))]
pub struct OrderRecord {
    /// The key.
    #[item(partition_key)]
    pub order_id: String,
    /// Who has placed the order.
    pub user_id: String,
    /// What was ordered, as it was sent.
    pub items: Vec<Value>,
    /// How far the order has come.
    pub status: OrderStatus,
    /// When the order was placed.
    pub created_at: String,
    /// When the order was fulfilled, once it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfilled_at: Option<String>,
    /// All other attributes, as plain JSON.
    #[serde(flatten)]
    pub attributes: Map<String, Value>,
}

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum OrderStatus {
    /// The order is in the table, and waits for the worker.
    New,
    /// The worker is done with the order.
    Fulfilled,
}

/// What the queue says about an order that was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// The order.
    pub order_id: String,
    /// Who has placed it.
    pub user_id: String,
}
