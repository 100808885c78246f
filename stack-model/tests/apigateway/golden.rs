//! An API with everything that it can have, as a file that people and `cfn-lint` read.

use stack_model::apigateway::{
    AccessLogFormat, AccessLogs, ApiKeyProps, AttributeTemplate, Authorization, CacheSize, Canary,
    Cors, CorsOrigin, Credentials, ExecutionLogs, GatewayError, GatewayResponseProps, HttpMethod,
    Integration, JsonTemplate, LogAccess, MethodCors, MethodProps, MethodSettings, ModelProps,
    ParameterPlace, PlanStage, Preflight, Quota, QuotaPeriod, RequestParameter, RequestValue,
    RestApiProps, RestResourceProps, ServiceCall, StageLogs, StageProps, TemplateCondition,
    TextTemplate, Throttle, UsagePlanProps, UserPoolAuthorizerProps, Validation,
};
use stack_model::contract::{IndexSchema, KeyAttribute, KeyKind, TableItem, TableSchema};
use stack_model::dynamodb::TableProps;
use stack_model::iam::RoleProps;
use stack_model::logs::LogGroupProps;
use stack_model::secretsmanager::{Content, SecretProps};
use stack_model::sqs::QueueProps;
use stack_model::{Arn, Stack, Value};

use super::support::{Answer, function};
use crate::golden::compare;
use crate::support::dev;

struct Order;

impl TableItem for Order {
    fn schema() -> TableSchema {
        let key = |name: &str| KeyAttribute {
            name: name.to_owned(),
            kind: KeyKind::String,
        };
        TableSchema {
            partition_key: key("id"),
            sort_key: None,
            indexes: vec![IndexSchema {
                name: "by-state".to_owned(),
                partition_key: Some(key("state")),
                sort_key: None,
            }],
            time_to_live: None,
        }
    }
}

fn cors(methods: &[HttpMethod]) -> Cors {
    let mut cors = Cors::new(CorsOrigin::Any, methods.iter().copied());
    cors.headers = vec!["Authorization".to_owned(), "Content-Type".to_owned()];
    cors.max_age = Some(600.into());
    cors.preflight = Preflight::EmptyObject;
    cors
}

/// An API whose reads and most writes need no function.
fn shop(stack: &mut Stack<'_>) {
    stack.describe("An API with direct integrations, an authorizer, keys and a stage");
    let table = stack.table::<Order>("Orders", TableProps::default());
    let queue = stack.queue::<Order>("Jobs", QueueProps::default());
    let caller = stack.role("Caller", RoleProps::for_service("apigateway.amazonaws.com"));
    let credentials = || Credentials::granting(&caller);

    let api = stack.rest_api("Api", RestApiProps::default());
    let pool = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_Ab1Cd2Ef3";
    let pools = UserPoolAuthorizerProps::pools(Arn::parse(pool).map(Value::Literal));
    let users = stack.rest_user_pool_authorizer("Users", &api, pools);
    let orders = stack.rest_resource(
        "OrdersPath",
        &api.root(),
        RestResourceProps {
            path_part: "orders".to_owned(),
            cors: Some(cors(&[HttpMethod::Get, HttpMethod::Post])),
        },
    );
    let order = stack.rest_resource(
        "OrderPath",
        &orders,
        RestResourceProps {
            path_part: "{id}".to_owned(),
            cors: Some(cors(&[HttpMethod::Get])),
        },
    );

    let state = TextTemplate::spelled(RequestValue::query("state"), ["CREATED", "Completed"]);
    let list = ServiceCall::query_index(&table, "by-state", state).with(
        "Limit",
        JsonTemplate::integer(RequestValue::query("max"), 100),
    );
    let mut props = MethodProps::new(
        HttpMethod::Get,
        Authorization::scopes(&users, ["shop/orders"]),
        Integration::call(list, credentials()),
    );
    props.cache_keys = ["state", "max"]
        .map(|name| RequestParameter {
            place: ParameterPlace::Query,
            name: name.to_owned(),
            required: false,
        })
        .to_vec();
    let list = stack.rest_method("ListOrders", &orders, props);

    let model = stack.rest_model(
        "OrderModel",
        &api,
        ModelProps::schema(serde_json::json!({"type": "object", "required": ["drink"]})),
    );
    let validator = stack.rest_validator("Bodies", &api, Validation::Body);
    let mut props = MethodProps::new(
        HttpMethod::Post,
        Authorization::users(&users),
        Integration::send_message(&queue, credentials()),
    );
    props.models = vec![model];
    props.validator = Some(validator);
    stack.rest_method("SubmitOrder", &orders, props);

    let get = ServiceCall::get_item(&table, RequestValue::path("id"));
    let get = MethodProps::new(
        HttpMethod::Get,
        Authorization::users(&users),
        Integration::call(get, credentials()),
    );
    stack.rest_method("GetOrder", &order, get);
    let ready = TemplateCondition::is(RequestValue::query("ready"), "yes");
    let change = ServiceCall::update_item(&table, RequestValue::path("id"))
        .set([
            (
                "ready",
                AttributeTemplate::boolean(JsonTemplate::holds(ready)),
            ),
            (
                "note",
                AttributeTemplate::text(TextTemplate::json(JsonTemplate::body())),
            ),
            (
                "barista",
                AttributeTemplate::text(RequestValue::claim("sub")),
            ),
        ])
        .only_if_present("id", 404);
    let mut change = MethodProps::new(
        HttpMethod::Put,
        Authorization::users(&users),
        Integration::call(change, credentials()).only_for_group("admin"),
    );
    // Only the pages of the shop itself may change orders.
    let shop = CorsOrigin::One {
        origin: "https://shop.example.com".to_owned(),
        credentials: false,
    };
    let mut shop = Cors::new(shop, [HttpMethod::Put]);
    shop.headers = vec!["Authorization".to_owned(), "Content-Type".to_owned()];
    change.cors = MethodCors::Own(shop);
    stack.rest_method("ChangeOrder", &order, change);

    let answer = function::<Answer>(stack, "Answer");
    let mut props = MethodProps::new(
        HttpMethod::Get,
        Authorization::None,
        Integration::lambda_proxy(&answer),
    );
    props.api_key_required = true;
    stack.rest_method("Health", &api.root(), props);

    stack.rest_error_cors("Error", &api, &cors(&[HttpMethod::Get]));
    let mut quota = GatewayResponseProps::to(GatewayError::QuotaExceeded);
    quota
        .headers
        .insert("Retry-After".to_owned(), "3600".to_owned());
    stack.rest_gateway_response("TooMany", &api, quota);

    let requests = stack.log_group("Requests", LogGroupProps::default());
    let mut logs = StageLogs::with(LogAccess::SetElsewhere);
    logs.requests = Some(AccessLogs {
        group: requests,
        format: AccessLogFormat::Json,
    });
    logs.execution = ExecutionLogs::Errors;
    let mut props = StageProps::named("live");
    props.logs = Some(logs);
    props.tracing = true;
    props.throttle = Some(Throttle {
        rate: 50.0,
        burst: 100.into(),
    });
    props.cache = Some(CacheSize::Half);
    props.methods = vec![(
        list,
        MethodSettings {
            cache: Some(10.into()),
            ..MethodSettings::default()
        },
    )];
    let live = stack.rest_stage("Live", &api, props);

    // One request in ten sees what is newest, before everybody does.
    let mut props = StageProps::named("next");
    props.canary = Some(Canary::beside("a1b2c3", 10.0));
    stack.rest_stage("Next", &api, props);

    let secret = SecretProps {
        content: Content::Later,
        ..SecretProps::default()
    };
    let secret = stack.secret::<String>("KeyValue", secret);
    let key = ApiKeyProps {
        value: Some(secret.value()),
        ..ApiKeyProps::default()
    };
    let key = stack.rest_api_key("Key", key);
    let plan = UsagePlanProps {
        stages: vec![PlanStage::from(&live)],
        quota: Some(Quota::new(1000, QuotaPeriod::Month)),
        ..UsagePlanProps::default()
    };
    let plan = stack.rest_usage_plan("Plan", plan);
    stack.rest_plan_key("PlanKey", &plan, &key);
    stack.output("OrdersUrl", live.url(&orders));
}

#[test]
fn an_api_with_everything() {
    compare("api.dev", dev(), shop);
}
