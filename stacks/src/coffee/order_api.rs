//! The API of the orders: what customers and baristas see and ask for.

use coffee::{CANCELLED, COMPLETED, CREATED, ORDERS};
use stack_model::apigateway::{
    Authorization, Credentials, HttpMethod, Integration, ItemKey, JsonTemplate, MethodProps,
    RequestValue, RestApiProps, ServiceCall, StageProps, TemplateCondition, TextTemplate,
};
use stack_model::iam::RoleProps;
use stack_model::stepfunctions::StateMachineRef;
use stack_model::{Stack, Value};

use super::identity::Identity;
use super::order_manager::{IS_ADMIN, OrderAction};
use super::tables::Tables;
use super::{ADMINS, API_STAGE, Settings, open_to_pages};
use crate::pages;

/// What baristas do to orders. Customers choose a drink, and call their own orders off, which `OrderManager` sees to.
const BARISTA_ACTIONS: [&str; 3] = ["complete", "make", "unmake"];

/// Adds the API and returns its address.
pub(super) fn add(
    stack: &mut Stack<'_>,
    settings: &Settings,
    tables: &Tables,
    order_manager: &StateMachineRef<OrderAction>,
    identity: &Identity,
) -> Value<String> {
    let api = stack.rest_api("OrderApi", RestApiProps::default());
    let users = stack.rest_user_pool_authorizer("OrderApiUsers", &api, [&identity.users]);
    let users = Authorization::scopes(&users, ["openid", "aws.cognito.signin.user.admin"]);
    let role = stack.role(
        "RestApiRole",
        RoleProps::for_service("apigateway.amazonaws.com"),
    );
    let call = |call: ServiceCall| Integration::call(call, Credentials::granting(&role));
    let get = |integration| MethodProps::new(HttpMethod::Get, users.clone(), integration);
    let reads = [HttpMethod::Get, HttpMethod::Options];

    let orders = open_to_pages("orders", reads);
    let orders = stack.rest_resource("Orders", &api.root(), orders);
    let mut list = call(orders_of_state(tables));
    if settings.variables.admin_check {
        list = list.only_for_group(ADMINS);
    }
    stack.rest_method("ListOrders", &orders, get(list));

    let order = open_to_pages(
        "{id}",
        [HttpMethod::Get, HttpMethod::Options, HttpMethod::Put],
    );
    let order = stack.rest_resource("Order", &orders, order);
    stack.rest_method("GetOrder", &order, get(call(one_order(tables))));
    let mut start = call(act(order_manager, settings));
    if settings.variables.admin_check {
        let of_barista = BARISTA_ACTIONS
            .map(|action| TemplateCondition::is(RequestValue::query("action"), action));
        start = start.only_where(&TemplateCondition::any([
            TemplateCondition::not(TemplateCondition::any(of_barista)),
            TemplateCondition::in_group(ADMINS),
        ]));
    }
    let put = MethodProps::new(HttpMethod::Put, users.clone(), start);
    stack.rest_method("PutOrder", &order, put);

    let own = open_to_pages("myOrders", reads);
    let own = stack.rest_resource("MyOrders", &api.root(), own);
    stack.rest_method("ListMyOrders", &own, get(call(own_orders(tables))));

    stack.rest_error_cors("OrderApiErrors", &api, &pages::cors(reads, ["*"]));
    let live = stack.rest_stage("OrderApiStage", &api, StageProps::named(API_STAGE));
    live.url(&api.root())
}

/// Reads the orders of one state, by whatever capital and small letters the state is asked for.
fn orders_of_state(tables: &Tables) -> ServiceCall {
    let state = RequestValue::query("state");
    let state = TextTemplate::spelled(state, [CREATED, COMPLETED, CANCELLED]);
    ServiceCall::query_index(&tables.orders, "GSI-status", state)
        .attributes([
            "PK",
            "SK",
            "orderNumber",
            "robot",
            "drinkOrder",
            "ORDERSTATE",
            "TS",
            "USERID",
            "baristaUserId",
        ])
        .with(
            "Limit",
            JsonTemplate::integer(RequestValue::query("maxItems"), 100),
        )
        .with("ScanIndexForward", true)
}

/// Reads one order. Whoever waits for a drink may look at it, and the token of its workflow never leaves.
fn one_order(tables: &Tables) -> ServiceCall {
    let key = ItemKey::with_sort(ORDERS, RequestValue::path("id"));
    ServiceCall::get_item(&tables.orders, key).answering(JsonTemplate::object([
        ("orderId", JsonTemplate::body_at("$.Item.SK.S")),
        (
            "drinkOrder",
            JsonTemplate::body_at_or("$.Item.drinkOrder", serde_json::Value::Null),
        ),
        ("orderState", JsonTemplate::body_at("$.Item.ORDERSTATE.S")),
        (
            "TS",
            JsonTemplate::integer(RequestValue::body("$.Item.TS.N"), 0),
        ),
    ]))
}

/// Starts what somebody asks for; what becomes of it, the topics tell. Who calls, and whether that is a barista, the
/// token says and never the body.
fn act(order_manager: &StateMachineRef<OrderAction>, settings: &Settings) -> ServiceCall {
    let mut input = vec![
        ("action", RequestValue::query("action").into()),
        ("body", JsonTemplate::body()),
        ("orderId", RequestValue::path("id").into()),
        ("baristaUserId", RequestValue::claim("sub").into()),
    ];
    if settings.variables.admin_check {
        let admin = TemplateCondition::in_group(ADMINS);
        input.push((IS_ADMIN, JsonTemplate::holds(admin)));
    }
    ServiceCall::start_execution(order_manager, JsonTemplate::object(input)).answering_nothing()
}

/// Reads the orders of the caller.
fn own_orders(tables: &Tables) -> ServiceCall {
    ServiceCall::query_index(&tables.orders, "GSI-userId", RequestValue::claim("sub")).attributes([
        "PK",
        "SK",
        "orderNumber",
        "robot",
        "drinkOrder",
        "ORDERSTATE",
        "TS",
    ])
}
