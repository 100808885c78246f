//! The stack `orders-order`: orders.

use orders::{ORDER_ID, ORDER_SEGMENT, Order, OrderWiring};
use stack_model::App;
use stack_model::apigateway::{Authorization, HttpMethod, Integration, MethodProps};

use super::backend::Backend;
use super::{Settings, open_to_pages};

pub(super) fn describe(app: &mut App, settings: &Settings, backend: &Backend) {
    let mut stack = app.stack("orders-order");
    stack.describe("Orders of the API of users and orders");

    let function = stack.function(
        "Order",
        Order::bind(OrderWiring {
            orders_table: &backend.orders,
            orders_queue: &backend.queue,
        }),
        settings.function("Places and reads orders"),
    );
    let orders = stack.rest_resource(
        "ApiOrders",
        &backend.api.root(),
        open_to_pages(ORDER_SEGMENT, [HttpMethod::Post]),
    );
    let order = stack.rest_resource(
        "ApiOrder",
        &orders,
        open_to_pages(format!("{{{ORDER_ID}}}"), [HttpMethod::Get]),
    );
    for (id, resource, method) in [
        ("PostOrder", &orders, HttpMethod::Post),
        ("GetOrder", &order, HttpMethod::Get),
    ] {
        let proxy = Integration::lambda_proxy(&function);
        stack.rest_method(
            id,
            resource,
            MethodProps::new(method, Authorization::None, proxy),
        );
    }
}
