//! What the function needs.

use stack_bindings::{Bindings, Delete, Get, Invocation, Put, QueueBatch, Scan, Table};

use crate::operation::Request;
use crate::record::Record;

/// The bindings of the function `intake-operations`.
#[derive(Bindings)]
#[function(
    binary = "intake-operations",
    accepts(QueueBatch<Request>, Invocation<Request>)
)]
pub struct Operations {
    /// The one table that requests may name.
    pub table: Table<Record, (Put, Get, Delete, Scan)>,
}
