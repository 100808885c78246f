//! The items of the tables.

use serde::{Deserialize, Serialize};
use stack_bindings::Item;

/// The key of the one item that counts orders.
pub const ORDER_COUNTER: &str = "orderID";
/// The key of the settings.
pub const SHOP_CONFIG: &str = "config";
/// The key of the menu.
pub const MENU: &str = "menu";
/// The partition of all orders.
pub const ORDERS: &str = "orders";

/// The state of an order that is under way.
pub const CREATED: &str = "CREATED";
/// The state of an order whose drink is ready.
pub const COMPLETED: &str = "Completed";
/// The state of an order that was called off, or given up.
pub const CANCELLED: &str = "Cancelled";

/// A number that grows; the item [`ORDER_COUNTER`] holds that of the last order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Item)]
pub struct Counter {
    /// What is counted.
    #[item(partition_key)]
    #[serde(rename = "PK")]
    pub id: String,
    /// The last number.
    #[serde(rename = "IDvalue")]
    pub value: u64,
}

/// An item of the settings: [`SHOP_CONFIG`] or [`MENU`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Item)]
pub struct ConfigItem {
    /// Which of the two.
    #[item(partition_key)]
    #[serde(rename = "PK")]
    pub id: String,
    /// What it holds.
    #[serde(flatten)]
    pub content: ConfigContent,
}

/// What an item of the settings holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConfigContent {
    /// The settings of the shop.
    Shop(ShopConfig),
    /// The menu.
    Menu(Menu),
}

/// The settings of the shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShopConfig {
    /// Whether orders are taken.
    pub store_open: bool,
    /// How many orders a customer may have at a time; nothing reads it yet.
    pub max_orders_per_user: u32,
    /// How many orders may wait; nothing reads it yet.
    pub max_orders_in_queue: u32,
}

/// The menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Menu {
    /// The drinks in the order in which they are shown.
    pub value: Vec<Drink>,
}

/// A drink of the menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drink {
    /// The name.
    pub drink: String,
    /// Whether it can be had now.
    pub available: bool,
    /// The name of the picture.
    pub icon: String,
    /// What can be chosen about it.
    pub modifiers: Vec<Modifier>,
}

/// What can be chosen about a drink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Modifier {
    /// What it is about, such as `Milk`.
    pub name: String,
    /// The choices.
    pub options: Vec<String>,
}

/// A code that can be scanned for some minutes, and how many drinks it still has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Item)]
pub struct Bucket {
    /// The number of the interval.
    #[item(partition_key)]
    #[serde(rename = "PK")]
    pub number: i64,
    /// The number of the interval once more.
    pub last_id: i64,
    /// The code.
    pub last_code: String,
    /// When the interval begins, in milliseconds since 1970.
    pub start_ts: i64,
    /// When the interval ends, in milliseconds since 1970: its last one.
    pub end_ts: i64,
    /// When the interval begins, for people.
    pub start_full: String,
    /// When the interval ends, for people.
    pub end_full: String,
    /// How many drinks are left.
    #[serde(rename = "availableTokens")]
    pub available_tokens: i64,
}

/// An order.
///
/// All orders share one partition, as the pages that list them expect; it bounds how many orders a bar can take at a
/// time to what one partition can write.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Item)]
#[item(index(ByTime, name = "LSI-timestamp", sort_key = ts))]
#[item(index(ByStatus, name = "GSI-status", partition_key = order_state, sort_key = order_id))]
#[item(index(ByUser, name = "GSI-userId", partition_key = user_id, sort_key = order_id))]
pub struct Order {
    /// Always [`ORDERS`].
    #[item(partition_key)]
    #[serde(rename = "PK")]
    pub partition: String,
    /// The id of the order.
    #[item(sort_key)]
    #[serde(rename = "SK")]
    pub order_id: String,
    /// The customer.
    #[serde(rename = "USERID")]
    pub user_id: String,
    /// How far the order is: [`CREATED`], [`COMPLETED`] or [`CANCELLED`].
    #[serde(rename = "ORDERSTATE")]
    pub order_state: String,
    /// What the workflow of the order waits for.
    #[serde(rename = "TaskToken", skip_serializing_if = "Option::is_none")]
    pub task_token: Option<String>,
    /// The execution that carries the order: the first one that was started for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// Whether nobody but a test orders.
    #[serde(default)]
    pub robot: bool,
    /// When the order last changed, in milliseconds since 1970.
    #[serde(rename = "TS")]
    pub ts: i64,
    /// What was ordered: a text that holds JSON.
    #[serde(rename = "drinkOrder", skip_serializing_if = "Option::is_none")]
    pub drink_order: Option<String>,
    /// The number that is called out, as a text.
    #[serde(rename = "orderNumber", skip_serializing_if = "Option::is_none")]
    pub order_number: Option<String>,
    /// The barista who makes the drink; empty where one has put it back.
    #[serde(rename = "baristaUserId", skip_serializing_if = "Option::is_none")]
    pub barista_user_id: Option<String>,
    /// The execution of `OrderManager` that ended the order.
    #[serde(rename = "endedBy", skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// Why the order was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl std::fmt::Debug for Order {
    /// Leaves the token out: who knows it can answer for the barista.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Order")
            .field("order_id", &self.order_id)
            .field("user_id", &self.user_id)
            .field("order_state", &self.order_state)
            .field("ts", &self.ts)
            .finish_non_exhaustive()
    }
}
