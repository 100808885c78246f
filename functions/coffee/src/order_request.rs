//! What the state machine asks about an order: does the menu have it?

use serde::Deserialize;
use serde_json::Value;

/// The state of an execution, of which an order and the menu matter.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OrderRequest {
    /// What the customer sent.
    #[serde(default)]
    pub body: Value,
    /// What DynamoDB answered for the menu.
    #[serde(default)]
    pub menu: MenuAnswer,
}

/// What DynamoDB answered for the menu, in its own JSON.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct MenuAnswer {
    /// The item, where there is one.
    #[serde(rename = "Item")]
    pub item: Option<Value>,
}
