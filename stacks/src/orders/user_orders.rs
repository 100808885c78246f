//! The stack `orders-user-orders`: the orders of a user.

use orders::{USER_ORDERS_SEGMENT, UserOrder, UserOrderWiring};
use stack_model::App;
use stack_model::apigateway::{
    Authorization, HttpMethod, Integration, MethodProps, RestResourceRef,
};

use super::backend::Backend;
use super::{Settings, open_to_pages};

/// Adds the stack, with a path below the resource of a user.
pub(super) fn describe(
    app: &mut App,
    settings: &Settings,
    backend: &Backend,
    user: &RestResourceRef,
) {
    let mut stack = app.stack("orders-user-orders");
    stack.describe("The orders of a user, for the API of users and orders");

    let function = stack.function(
        "UserOrder",
        UserOrder::bind(UserOrderWiring {
            orders_table: &backend.orders,
        }),
        settings.function("Lists the orders of a user"),
    );
    let orders = stack.rest_resource(
        "ApiUserOrders",
        user,
        open_to_pages(USER_ORDERS_SEGMENT, [HttpMethod::Get]),
    );
    let proxy = Integration::lambda_proxy(&function);
    stack.rest_method(
        "ListOrdersOfUser",
        &orders,
        MethodProps::new(HttpMethod::Get, Authorization::None, proxy),
    );
}
