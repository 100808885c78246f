//! The stack `orders-user`: users.

use orders::{USER_ID, USER_SEGMENT, User, UserWiring};
use stack_model::App;
use stack_model::apigateway::{
    Authorization, HttpMethod, Integration, MethodProps, RestResourceRef,
};

use super::backend::Backend;
use super::{Settings, open_to_pages};

/// Adds the stack, and returns the resource `/user/{userid}`.
pub(super) fn describe(app: &mut App, settings: &Settings, backend: &Backend) -> RestResourceRef {
    let mut stack = app.stack("orders-user");
    stack.describe("Users of the API of users and orders");

    let function = stack.function(
        "User",
        User::bind(UserWiring {
            users_table: &backend.users,
        }),
        settings.function("Makes, lists and reads users"),
    );
    let users = stack.rest_resource(
        "ApiUsers",
        &backend.api.root(),
        open_to_pages(USER_SEGMENT, [HttpMethod::Post, HttpMethod::Get]),
    );
    let user = stack.rest_resource(
        "ApiUser",
        &users,
        open_to_pages(format!("{{{USER_ID}}}"), [HttpMethod::Get]),
    );
    for (id, resource, method) in [
        ("PostUser", &users, HttpMethod::Post),
        ("ListUsers", &users, HttpMethod::Get),
        ("GetUser", &user, HttpMethod::Get),
    ] {
        let proxy = Integration::lambda_proxy(&function);
        stack.rest_method(
            id,
            resource,
            MethodProps::new(method, Authorization::None, proxy),
        );
    }

    stack
        .output("ApiRootUser", users.rest_resource_id())
        .description("The resource /user, for stacks that add to it")
        .export(settings.name("ApiRootUser"));
    stack
        .output("ApiRootUserUseridVar", user.rest_resource_id())
        .description("The resource /user/{userid}, for stacks that add to it")
        .export(settings.name("ApiRootUserUseridVar"));
    user
}
