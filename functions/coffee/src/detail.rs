//! What the events of the bus are about.
//!
//! `Message` is always a text for people; nothing depends on it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stack_bindings::Detail;

use crate::item::Bucket;

/// A customer has scanned a code; the order begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Detail)]
#[serde(rename_all = "camelCase")]
#[detail(type = "Validator.NewOrder")]
pub struct NewOrder {
    /// The order.
    pub order_id: String,
    /// The customer.
    pub user_id: String,
    /// A text for people.
    #[serde(default, rename = "Message")]
    pub message: String,
    /// The code that was scanned, with the drink already taken.
    pub bucket: Option<Bucket>,
}

/// The workflow of an order has started, and waits for the choice of a drink.
#[derive(Clone, PartialEq, Serialize, Deserialize, Detail)]
#[serde(rename_all = "camelCase")]
#[detail(type = "OrderProcessor.WorkflowStarted")]
pub struct WorkflowStarted {
    /// A text for people.
    #[serde(default, rename = "Message")]
    pub message: String,
    /// What the workflow waits for.
    #[serde(rename = "TaskToken")]
    pub task_token: String,
    /// The order.
    pub order_id: String,
    /// The customer.
    pub user_id: String,
    /// Whether nobody but a test orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robot: Option<bool>,
    /// The execution that carries the order; events from before it was told have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
}

/// The workflow of an order waits for a barista.
#[derive(Clone, PartialEq, Serialize, Deserialize, Detail)]
#[serde(rename_all = "camelCase")]
#[detail(type = "OrderProcessor.WaitingCompletion")]
pub struct OrderWaiting {
    /// A text for people.
    #[serde(default, rename = "Message")]
    pub message: String,
    /// What the workflow waits for.
    #[serde(rename = "TaskToken")]
    pub task_token: String,
    /// The order.
    pub order_id: String,
    /// The number that is called out, as a text.
    pub order_number: String,
    /// The customer.
    pub user_id: String,
}

/// The workflow of an order has given up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Detail)]
#[serde(rename_all = "camelCase")]
#[detail(type = "OrderProcessor.OrderTimeOut")]
pub struct OrderTimeOut {
    /// A text for people.
    #[serde(default, rename = "Message")]
    pub message: String,
    /// The customer.
    pub user_id: String,
    /// The order.
    pub order_id: String,
    /// `Customer timedout` or `Barista timedout`.
    pub cause: String,
    /// The execution that gave up; events from before it was told have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
}

/// The bar is closed, or has too many orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Detail)]
#[serde(rename_all = "camelCase")]
#[detail(type = "OrderProcessor.ShopUnavailable")]
pub struct ShopUnavailable {
    /// A text for people.
    #[serde(default, rename = "Message")]
    pub message: String,
    /// The customer.
    pub user_id: String,
    /// The order.
    pub order_id: String,
}

/// The workflow of an order has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Detail)]
#[serde(rename_all = "camelCase")]
#[detail(type = "OrderProcessor.orderFinished")]
pub struct OrderFinished {
    /// A text for people.
    #[serde(default, rename = "Message")]
    pub message: String,
    /// The customer.
    pub user_id: String,
    /// The order.
    pub order_id: String,
}

/// An order is in the queue of the baristas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Detail)]
#[serde(rename_all = "camelCase")]
#[detail(type = "OrderManager.WaitingCompletion")]
pub struct WaitingCompletion {
    /// The order.
    pub order_id: String,
    /// The number that is called out, as a text.
    pub order_number: String,
    /// How far the order is, such as `CREATED`.
    pub state: String,
    /// What was ordered.
    pub drink_order: Value,
    /// The customer.
    pub user_id: String,
    /// Whether nobody but a test orders.
    pub robot: bool,
    /// When the order last changed, in milliseconds since 1970.
    #[serde(rename = "TS")]
    pub ts: i64,
    /// A text for people.
    #[serde(default, rename = "Message")]
    pub message: String,
}

/// A barista has taken an order, or has put it back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Detail)]
#[serde(rename_all = "camelCase")]
#[detail(type = "OrderManager.MakeOrder")]
pub struct MakeOrder {
    /// The barista; empty where the order was put back.
    pub barista_user_id: String,
    /// The order.
    pub order_id: String,
    /// The customer.
    pub user_id: String,
    /// A text for people.
    #[serde(default, rename = "Message")]
    pub message: String,
}

/// A drink is ready.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Detail)]
#[serde(rename_all = "camelCase")]
#[detail(type = "OrderManager.OrderCompleted")]
pub struct OrderCompleted {
    /// The order.
    pub order_id: String,
    /// The customer.
    pub user_id: String,
    /// `Completed`.
    #[serde(rename = "ORDERSTATE")]
    pub order_state: String,
    /// A text for people.
    #[serde(default, rename = "Message")]
    pub message: String,
}

/// An order was called off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Detail)]
#[serde(rename_all = "camelCase")]
#[detail(type = "OrderManager.OrderCancelled")]
pub struct OrderCancelled {
    /// The order.
    pub order_id: String,
    /// The customer.
    pub user_id: String,
    /// `Cancelled`.
    #[serde(rename = "ORDERSTATE")]
    pub order_state: String,
    /// A text for people.
    #[serde(default, rename = "Message")]
    pub message: String,
}

/// The settings or the menu have changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Detail)]
#[serde(rename_all = "PascalCase")]
#[detail(type = "ConfigService.ConfigChanged")]
pub struct ConfigChanged {
    /// The item as it is now, in DynamoDB's own JSON; nothing where it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_image: Option<Map<String, Value>>,
}

/// Shows the order and the customer, and never the token: who knows it can answer for the barista.
macro_rules! without_token {
    ($($name:ident),+) => {
        $(
            impl std::fmt::Debug for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.debug_struct(stringify!($name))
                        .field("order_id", &self.order_id)
                        .field("user_id", &self.user_id)
                        .finish_non_exhaustive()
                }
            }
        )+
    };
}

without_token!(WorkflowStarted, OrderWaiting);
