//! The Config service: the menu, and whether the shop is open.

use coffee::{ConfigChanged, ConfigChangedWiring, SHOP_CONFIG};
use stack_model::apigateway::{
    AttributeTemplate, Authorization, Credentials, HttpMethod, Integration, JsonTemplate,
    MethodProps, RequestValue, RestApiProps, ServiceCall, StageProps, TemplateCondition,
};
use stack_model::iam::RoleProps;
use stack_model::{Stack, Value};

use super::bus::Bus;
use super::identity::Identity;
use super::tables::Tables;
use super::{ADMINS, API_STAGE, Settings, open_to_pages};
use crate::pages;

/// Adds the service and returns the address of its API.
pub(super) fn add(
    stack: &mut Stack<'_>,
    settings: &Settings,
    tables: &Tables,
    bus: &Bus,
    identity: &Identity,
) -> Value<String> {
    announce_changes(stack, settings, tables, bus);

    let api = stack.rest_api("ConfigApi", RestApiProps::default());
    let users = stack.rest_user_pool_authorizer("ConfigApiUsers", &api, [&identity.users]);
    let users = Authorization::scopes(&users, ["openid", "aws.cognito.signin.user.admin"]);
    let role = stack.role(
        "ConfigRestApiRole",
        RoleProps::for_service("apigateway.amazonaws.com"),
    );
    let for_admins = |integration: Integration| {
        if settings.variables.admin_check {
            integration.only_for_group(ADMINS)
        } else {
            integration
        }
    };
    let read = || {
        let scan = ServiceCall::scan(&tables.settings);
        Integration::call(scan, Credentials::granting(&role))
    };

    let reads = [HttpMethod::Get, HttpMethod::Options];
    let config = open_to_pages("config", reads);
    let config = stack.rest_resource("Config", &api.root(), config);
    let get = MethodProps::new(HttpMethod::Get, Authorization::None, read());
    stack.rest_method("GetConfig", &config, get);

    let admin_config = open_to_pages("admin-config", reads);
    let admin_config = stack.rest_resource("AdminConfig", &api.root(), admin_config);
    let get = MethodProps::new(HttpMethod::Get, users.clone(), for_admins(read()));
    stack.rest_method("GetAdminConfig", &admin_config, get);

    let store = open_to_pages("store", [HttpMethod::Put, HttpMethod::Options]);
    let store = stack.rest_resource("Store", &api.root(), store);
    let open = TemplateCondition::is(RequestValue::query("state"), "open");
    let open = AttributeTemplate::boolean(JsonTemplate::holds(open));
    let set = ServiceCall::update_item(&tables.settings, SHOP_CONFIG)
        .set([("storeOpen", open)])
        // Without this a shop without settings would get some that lack everything else.
        .only_if_present("PK", 404)
        .with("ReturnValues", "ALL_NEW");
    let set = for_admins(Integration::call(set, Credentials::granting(&role)));
    let put = MethodProps::new(HttpMethod::Put, users, set);
    stack.rest_method("PutStore", &store, put);

    stack.rest_error_cors("ConfigApiErrors", &api, &pages::cors(reads, ["*"]));
    let live = stack.rest_stage("ConfigApiStage", &api, StageProps::named(API_STAGE));
    live.url(&api.root())
}

/// Tells the bus of every change of the settings.
fn announce_changes(stack: &mut Stack<'_>, settings: &Settings, tables: &Tables, bus: &Bus) {
    let changed = stack.function(
        "ConfigChanged",
        ConfigChanged::bind(ConfigChangedWiring {
            bus: &bus.handle,
            source: settings.source(),
        }),
        settings.function("Announces changes of the settings", 15),
    );
    // A change that cannot be announced holds up those after it. After an hour pages have long asked the API themselves.
    let record = tables.settings.changes().batches_of(1);
    let record = record.maximum_age(3600).on_failure(&bus.lost);
    stack.trigger(&changed, record);
}
