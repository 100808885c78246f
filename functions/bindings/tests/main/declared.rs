//! The declarations that the tests share.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use stack_bindings::{
    BatchGet, BatchWrite, Bindings, Bytes, ConditionCheck, Delete, Get, Invocation, Item, Put,
    Query, QueryIndex, QueueBatch, Scan, ScanIndex, Table, Update, Var,
};

/// An item with everything that keys can have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Item)]
#[serde(rename_all = "camelCase")]
#[item(index(ByState, name = "state-index", partition_key = state, sort_key = placed_at))]
#[item(index(ByDrink, name = "drink.local", sort_key = drink))]
pub(crate) struct Order {
    #[item(partition_key)]
    #[serde(rename = "PK")]
    pub(crate) user: String,
    #[item(sort_key)]
    pub(crate) sequence_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<String>,
    pub(crate) placed_at: i64,
    pub(crate) drink: String,
    #[item(time_to_live)]
    pub(crate) expires: Option<u64>,
}

pub(crate) fn order() -> Order {
    Order {
        user: "u1".to_owned(),
        sequence_number: 7,
        state: Some("placed".to_owned()),
        placed_at: 1_700_000_000,
        drink: "latte".to_owned(),
        expires: None,
    }
}

/// The arbitrary JSON that an item may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Item)]
pub(crate) struct Record {
    #[item(partition_key)]
    pub(crate) id: String,
    #[serde(flatten)]
    pub(crate) rest: serde_json::Map<String, serde_json::Value>,
}

/// An item whose key is bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Item)]
pub(crate) struct Blob {
    #[item(partition_key)]
    pub(crate) digest: Bytes,
}

pub(crate) type EveryOrderOperation = (
    Get,
    Put,
    Update,
    Delete,
    Query,
    Scan,
    BatchGet,
    BatchWrite,
    ConditionCheck,
    QueryIndex<ByState>,
    QueryIndex<ByDrink>,
    ScanIndex<ByState>,
);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogLevel {
    Info,
    Debug,
}

#[derive(Debug)]
pub(crate) struct UnknownLevel(#[expect(dead_code, reason = "shown by Debug alone")] String);

impl std::fmt::Display for LogLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Debug => "debug",
        })
    }
}

impl FromStr for LogLevel {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        match text {
            "info" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            _ => Err(UnknownLevel(text.to_owned())),
        }
    }
}

#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct Operation {
    pub(crate) operation: String,
}

#[derive(Debug, Bindings)]
#[function(binary = "intake-operations", accepts(QueueBatch<Operation>, Invocation<Operation>))]
pub(crate) struct Operations {
    pub(crate) table: Table<Record, (Put, Get, Delete, Scan)>,
    pub(crate) log_level: Var<LogLevel>,
    #[binding(environment = "ORDERS_TABLE")]
    pub(crate) orders: Table<Order, Get>,
}
