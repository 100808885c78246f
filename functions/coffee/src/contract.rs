//! What the functions need.

use serde::Serialize;
use serde_json::Value;
use stack_bindings::{
    ApiRequest, BatchWrite, Bindings, BusEvent, CustomResource, EventBus, Get, Invocation, IotData,
    IotEndpoint, IotTopic, IotTopicFamily, Put, Table, TableChanges, Update, Var,
};

use crate::detail;
use crate::item::{Bucket, ConfigItem, Counter, Order};
use crate::order_request::OrderRequest;

/// The bindings of the function `coffee-get-iot-endpoint`, which finds the address of the broker.
#[derive(Bindings)]
#[function(binary = "coffee-get-iot-endpoint", accepts(CustomResource<()>))]
pub struct GetIotEndpoint {
    /// Where it asks.
    pub iot: IotEndpoint,
}

/// The bindings of the function `coffee-fill-databases`, which puts first items into tables.
#[derive(Bindings)]
#[function(binary = "coffee-fill-databases", accepts(CustomResource<()>))]
pub struct FillDatabases {
    /// The settings and the menu.
    #[binding(environment = "configTable")]
    pub config_table: Table<ConfigItem, BatchWrite>,
    /// The number of the last order.
    #[binding(environment = "countingTable")]
    pub counting_table: Table<Counter, BatchWrite>,
}

/// The bindings of the function `coffee-config-changed`, which announces changes of the settings.
#[derive(Bindings)]
#[function(binary = "coffee-config-changed", accepts(TableChanges<ConfigItem>))]
pub struct ConfigChanged {
    /// Where changes are announced.
    #[binding(environment = "EventBusName")]
    pub bus: EventBus<detail::ConfigChanged>,
    /// The source of the system's events.
    #[binding(environment = "Source")]
    pub source: Var<String>,
}

/// The bindings of the function `coffee-get-qr-code`, which shows the code of these minutes.
#[derive(Bindings)]
#[function(binary = "coffee-get-qr-code", accepts(ApiRequest))]
pub struct GetQrCode {
    /// The codes.
    #[binding(environment = "TableName")]
    pub table: Table<Bucket, (Get, Put)>,
    /// How many minutes a code is valid.
    #[binding(environment = "TimeInterval")]
    pub time_interval: Var<i64>,
    /// How many characters a code has.
    #[binding(environment = "CodeLength")]
    pub code_length: Var<i64>,
    /// How many drinks a code is good for.
    #[binding(environment = "TokensPerBucket")]
    pub tokens_per_bucket: Var<i64>,
}

/// The bindings of the function `coffee-verify-qr-code`, which takes one drink from a code.
#[derive(Bindings)]
#[function(binary = "coffee-verify-qr-code", accepts(ApiRequest))]
pub struct VerifyQrCode {
    /// The codes.
    #[binding(environment = "TableName")]
    pub table: Table<Bucket, (Get, Update)>,
    /// How many minutes a code is valid.
    #[binding(environment = "TimeInterval")]
    pub time_interval: Var<i64>,
    /// Where the new order is announced.
    #[binding(environment = "BusName")]
    pub bus: EventBus<detail::NewOrder>,
    /// The source of the system's events.
    #[binding(environment = "Source")]
    pub source: Var<String>,
}

/// What web pages receive: an event of the bus, without what only the back end may know.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Notice {
    /// The detail type of the event.
    #[serde(rename = "type")]
    pub detail_type: String,
    /// The detail of the event.
    pub detail: Value,
}

/// The bindings of the function `coffee-publisher-admin`, which hands events on to those who run the bar.
#[derive(Bindings)]
#[function(binary = "coffee-publisher-admin", accepts(BusEvent<Value>))]
pub struct PublisherAdmin {
    /// The broker.
    pub iot: IotData,
    /// The one topic that they all follow.
    #[binding(environment = "IOT_TOPIC")]
    pub topic: IotTopic<Notice>,
}

/// The bindings of the function `coffee-publisher-config`, which hands changes of the settings on.
#[derive(Bindings)]
#[function(binary = "coffee-publisher-config", accepts(BusEvent<Value>))]
pub struct PublisherConfig {
    /// The broker.
    pub iot: IotData,
    /// The one topic that everybody follows.
    #[binding(environment = "IOT_TOPIC")]
    pub topic: IotTopic<Notice>,
}

/// The bindings of the function `coffee-publisher-user`, which hands events on to the customer they are about.
#[derive(Bindings)]
#[function(binary = "coffee-publisher-user", accepts(BusEvent<Value>))]
pub struct PublisherUser {
    /// The broker.
    pub iot: IotData,
    /// One topic for each customer.
    #[binding(environment = "IOT_TOPIC")]
    pub topics: IotTopicFamily<Notice>,
}

/// The bindings of the function `coffee-sanitize-order`, which compares an order with the menu.
#[derive(Bindings)]
#[function(binary = "coffee-sanitize-order", accepts(Invocation<OrderRequest>))]
pub struct SanitizeOrder {}

/// The bindings of the function `coffee-workflow-started`, which notes a new order.
#[derive(Bindings)]
#[function(
    binary = "coffee-workflow-started",
    accepts(BusEvent<detail::WorkflowStarted>)
)]
pub struct WorkflowStarted {
    /// The orders.
    #[binding(environment = "TableName")]
    pub table: Table<Order, Put>,
}

/// The bindings of the function `coffee-waiting-completion`, which hands an order to the baristas.
#[derive(Bindings)]
#[function(
    binary = "coffee-waiting-completion",
    accepts(BusEvent<detail::OrderWaiting>)
)]
pub struct WaitingCompletion {
    /// The orders.
    #[binding(environment = "TableName")]
    pub table: Table<Order, Update>,
    /// Where the baristas learn of it.
    #[binding(environment = "BusName")]
    pub bus: EventBus<detail::WaitingCompletion>,
    /// The source of the system's events.
    #[binding(environment = "Source")]
    pub source: Var<String>,
}

/// The bindings of the function `coffee-order-timed-out`, which gives up an order that nobody went on with.
#[derive(Bindings)]
#[function(
    binary = "coffee-order-timed-out",
    accepts(BusEvent<detail::OrderTimeOut>)
)]
pub struct OrderTimedOut {
    /// The orders.
    #[binding(environment = "TableName")]
    pub table: Table<Order, Update>,
}
