//! What the functions need. Their environment variables have the names that the system knows.

use stack_bindings::{
    ApiRequest, Bindings, Get, Put, Query, QueryIndex, Queue, QueueBatch, Scan, Send, Table, Update,
};

use crate::record::{ByUser, OrderRecord, Placed, UserRecord};

/// The bindings of the function `orders-root`, which says that the API is there.
#[derive(Bindings)]
#[function(binary = "orders-root", accepts(ApiRequest))]
pub struct Root {}

/// The bindings of the function `orders-user`.
#[derive(Bindings)]
#[function(binary = "orders-user", accepts(ApiRequest))]
pub struct User {
    /// All users.
    #[binding(environment = "usersTable")]
    pub users_table: Table<UserRecord, (Get, Put, Scan)>,
}

/// The bindings of the function `orders-user-orders`.
#[derive(Bindings)]
#[function(binary = "orders-user-orders", accepts(ApiRequest))]
pub struct UserOrder {
    /// The orders of all users.
    #[binding(environment = "ordersTable")]
    pub orders_table: Table<OrderRecord, QueryIndex<ByUser>>,
}

/// The bindings of the function `orders-order`.
#[derive(Bindings)]
#[function(binary = "orders-order", accepts(ApiRequest))]
pub struct Order {
    /// The orders of all users.
    #[binding(environment = "ordersTable")]
    pub orders_table: Table<OrderRecord, (Put, Query)>,
    /// Placed orders on their way to [`Orders`].
    #[binding(environment = "ordersQueue")]
    pub orders_queue: Queue<Placed, Send>,
}

/// The bindings of the function `orders-worker`.
#[derive(Bindings)]
#[function(binary = "orders-worker", accepts(QueueBatch<Placed>))]
pub struct Orders {
    /// The orders of all users.
    #[binding(environment = "ordersTable")]
    pub orders_table: Table<OrderRecord, Update>,
}

/// The parameter of a path that names a user.
pub const USER_ID: &str = "userid";

/// The parameter of a path that names an order.
pub const ORDER_ID: &str = "orderid";

/// The segment that all paths about users begin with.
pub const USER_SEGMENT: &str = "user";

/// The segment that all paths about orders begin with.
pub const ORDER_SEGMENT: &str = "order";

/// The segment under a user that lists the orders of that user.
pub const USER_ORDERS_SEGMENT: &str = "orders";
