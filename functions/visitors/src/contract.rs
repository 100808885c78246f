//! What the function needs.

use stack_bindings::{ApiRequest, Bindings, Table, Update};

use crate::visitor::Visitor;

/// The bindings of the function `visitors-count`.
#[derive(Bindings)]
#[function(binary = "visitors-count", accepts(ApiRequest))]
pub struct Count {
    /// One item per user id.
    pub users_table: Table<Visitor, Update>,
}

/// The parameter of the path that says whose visits are counted.
pub const USER_ID: &str = "userId";
