//! Calls of services without a function between: what is called, what it may do, and what callers get.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stack_model::Stack;
use stack_model::apigateway::{
    AttributeTemplate, Authorization, Credentials, HttpMethod, Integration, ItemKey, JsonTemplate,
    MappingTemplate, MethodProps, RequestValue, RestApiProps, ServiceCall, ServiceIntegration,
    ServiceResponses, ServiceTarget, StageProps, TemplateCondition, TextTemplate,
    UserPoolAuthorizerProps,
};
use stack_model::contract::{
    EventDetail, IndexSchema, KeyAttribute, KeyKind, TableItem, TableSchema,
};
use stack_model::dynamodb::{TableProps, TableRef};
use stack_model::events::EventBusRef;
use stack_model::iam::{RoleProps, RoleRef};
use stack_model::s3::BucketProps;
use stack_model::sns::TopicProps;
use stack_model::{Arn, Value as Property};

use super::support::{properties, template, violations};
use super::velocity::{Evaluated, Request, evaluate};

struct Order;

impl TableItem for Order {
    fn schema() -> TableSchema {
        let key = |name: &str| KeyAttribute {
            name: name.to_owned(),
            kind: KeyKind::String,
        };
        TableSchema {
            partition_key: key("PK"),
            sort_key: Some(key("SK")),
            indexes: vec![IndexSchema {
                name: "GSI-status".to_owned(),
                partition_key: Some(key("ORDERSTATE")),
                sort_key: Some(key("SK")),
            }],
            time_to_live: None,
        }
    }
}

struct Counter;

impl TableItem for Counter {
    fn schema() -> TableSchema {
        TableSchema {
            partition_key: KeyAttribute {
                name: "id".to_owned(),
                kind: KeyKind::Number,
            },
            sort_key: None,
            indexes: Vec::new(),
            time_to_live: None,
        }
    }
}

fn role(stack: &mut Stack<'_>) -> RoleRef {
    stack.role("Caller", RoleProps::for_service("apigateway.amazonaws.com"))
}

fn orders(stack: &mut Stack<'_>) -> TableRef<Order> {
    stack.table::<Order>("OrdersTable", TableProps::default())
}

fn route(stack: &mut Stack<'_>, path: &str, integration: Integration) {
    let api = stack.rest_api("Api", RestApiProps::default());
    let arn = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_Ab1";
    let pools = UserPoolAuthorizerProps::pools([Property::Literal(Arn::parse(arn).unwrap())]);
    let users = stack.rest_user_pool_authorizer("Users", &api, pools);
    let resource = stack.rest_resource("Path", &api.root(), path);
    let who = Authorization::users(&users);
    stack.rest_method(
        "Route",
        &resource,
        MethodProps::new(HttpMethod::Put, who, integration),
    );
    stack.rest_stage("Live", &api, StageProps::named("live"));
}

/// What a route without a function renders.
struct Rendered {
    method: Value,
    allowed: Value,
}

impl Rendered {
    fn of(path: &str, describe: impl FnOnce(&mut Stack<'_>, Credentials) -> Integration) -> Self {
        let template = template(|stack| {
            let role = role(stack);
            let integration = describe(stack, Credentials::granting(&role));
            route(stack, path, integration);
        });
        Self {
            method: properties(&template, "Route").clone(),
            allowed: properties(&template, "Caller")["Policies"][0]["PolicyDocument"]["Statement"]
                .clone(),
        }
    }

    fn uri(&self) -> &str {
        self.method["Integration"]["Uri"]["Fn::Sub"]
            .as_str()
            .unwrap()
    }

    /// Returns the template of the request, with the names that only the deployment knows as they are written.
    fn request(&self, request: &Request) -> Value {
        let template = &self.method["Integration"]["RequestTemplates"]["application/json"];
        parsed(&evaluate(text(template), request).text)
    }

    /// Returns what the caller gets for an answer of the service.
    fn response(&self, status: &str, answer: &Value) -> (u64, Value) {
        self.response_to(status, answer, &["admin"])
    }

    fn response_to(&self, status: &str, answer: &Value, groups: &[&str]) -> (u64, Value) {
        let responses = self.method["Integration"]["IntegrationResponses"]
            .as_array()
            .unwrap();
        let response = responses
            .iter()
            .find(|response| response["StatusCode"] == status)
            .unwrap();
        let request = Request {
            body: answer.to_string(),
            ..member_of(groups)
        };
        let template = &response["ResponseTemplates"]["application/json"];
        let Evaluated {
            text, status: over, ..
        } = evaluate(text(template), &request);
        (
            over.unwrap_or_else(|| status.parse().unwrap()),
            parsed(&text),
        )
    }
}

fn text(template: &Value) -> &str {
    template
        .as_str()
        .or_else(|| template["Fn::Sub"].as_str())
        .unwrap_or_else(|| panic!("{template}"))
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn member_of(groups: &[&str]) -> Request {
    let mut claims = BTreeMap::from([("sub".to_owned(), "user-1".to_owned())]);
    if !groups.is_empty() {
        claims.insert(
            "cognito:groups".to_owned(),
            format!("[{}]", groups.join(", ")),
        );
    }
    Request {
        claims,
        ..Request::default()
    }
}

fn asking(query: &[(&str, &str)], path: &[(&str, &str)]) -> Request {
    let map = |entries: &[(&str, &str)]| -> BTreeMap<String, String> {
        entries
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    };
    Request {
        query: map(query),
        path: map(path),
        ..member_of(&["admin"])
    }
}

#[test]
fn orders_of_a_state_are_queried_by_an_index() {
    let rendered = Rendered::of("orders", |stack, credentials| {
        let table = orders(stack);
        let state = TextTemplate::spelled(
            RequestValue::query("state"),
            ["CREATED", "Completed", "Cancelled"],
        );
        let call = ServiceCall::query_index(&table, "GSI-status", state)
            .attributes(["PK", "SK", "ORDERSTATE"])
            .with(
                "Limit",
                JsonTemplate::integer(RequestValue::query("maxItems"), 100),
            )
            .with("ScanIndexForward", true);
        Integration::call(call, credentials)
    });
    assert_eq!(
        rendered.uri(),
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:dynamodb:action/Query"
    );
    assert_eq!(
        rendered.allowed,
        json!([{
            "Action": "dynamodb:Query",
            "Effect": "Allow",
            "Resource": {"Fn::Sub": "${OrdersTable.Arn}/index/GSI-status"},
        }])
    );
    let query = |state: &str, limit: Value| {
        json!({
            "ExpressionAttributeNames": {"#n0": "ORDERSTATE", "#n1": "PK", "#n2": "SK"},
            "ExpressionAttributeValues": {":partition": {"S": state}},
            "IndexName": "GSI-status",
            "KeyConditionExpression": "#n0 = :partition",
            "Limit": limit,
            "ProjectionExpression": "#n1, #n2, #n0",
            "ScanIndexForward": true,
            "TableName": "${OrdersTable}",
        })
    };
    let asked = asking(&[("state", "COMPLETED"), ("maxItems", "5")], &[]);
    assert_eq!(rendered.request(&asked), query("Completed", json!(5)));
    let hostile = asking(
        &[
            ("state", r#"it's "} x"#),
            ("maxItems", "1,\"TableName\":\"x\""),
        ],
        &[],
    );
    assert_eq!(
        rendered.request(&hostile),
        query(r#"it's "} x"#, json!(100))
    );
    let items = json!([{"PK": {"S": "orders"}}]);
    let answer = json!({"Items": items, "Count": 1});
    assert_eq!(rendered.response("200", &answer), (200, items));
}

#[test]
fn an_item_is_read_by_its_key_or_not_found() {
    let rendered = Rendered::of("{id}", |stack, credentials| {
        let table = orders(stack);
        let key = ItemKey::with_sort("orders", RequestValue::path("id"));
        let call = ServiceCall::get_item(&table, key).answering(JsonTemplate::object([
            ("orderId", JsonTemplate::body_at("$.Item.SK.S")),
            (
                "drinkOrder",
                JsonTemplate::body_at_or("$.Item.drinkOrder", Value::Null),
            ),
            ("TS", JsonTemplate::body_at("$.Item.TS")),
        ]));
        Integration::call(call, credentials)
    });
    assert_eq!(
        rendered.request(&asking(&[], &[("id", "O'Brien\"")])),
        json!({
            "Key": {"PK": {"S": "orders"}, "SK": {"S": "O'Brien\""}},
            "TableName": "${OrdersTable}",
        })
    );
    let item = json!({"Item": {"SK": {"S": "1"}, "TS": {"N": "5"}}});
    assert_eq!(
        rendered.response("200", &item),
        (
            200,
            json!({"orderId": "1", "drinkOrder": null, "TS": {"N": "5"}})
        )
    );
    assert_eq!(
        rendered.response("200", &json!({})),
        (404, json!({"message": "Not found"}))
    );
    assert_eq!(rendered.allowed[0]["Action"], "dynamodb:GetItem");
}

#[test]
fn the_shop_is_opened_by_members_of_a_group_alone() {
    let rendered = Rendered::of("store", |stack, credentials| {
        let table = orders(stack);
        let open = TemplateCondition::is(RequestValue::query("state"), "open");
        let call = ServiceCall::update_item(&table, ItemKey::with_sort("config", "store"))
            .set([(
                "storeOpen",
                AttributeTemplate::boolean(JsonTemplate::holds(open)),
            )])
            .only_if_present("PK", 404)
            .with("ReturnValues", "ALL_NEW");
        Integration::call(call, credentials).only_for_group("admin")
    });
    let update = |open: bool| {
        json!({
            "ConditionExpression": "attribute_exists(#n1)",
            "ExpressionAttributeNames": {"#n0": "storeOpen", "#n1": "PK"},
            "ExpressionAttributeValues": {":v0": {"BOOL": open}},
            "Key": {"PK": {"S": "config"}, "SK": {"S": "store"}},
            "ReturnValues": "ALL_NEW",
            "TableName": "${OrdersTable}",
            "UpdateExpression": "SET #n0 = :v0",
        })
    };
    for (state, open) in [("open", true), ("closed", false), ("Open", false)] {
        assert_eq!(
            rendered.request(&asking(&[("state", state)], &[])),
            update(open)
        );
    }
    let forbidden = (403, json!({"message": "Forbidden"}));
    for groups in [&["admin"][..], &["x", "admin"], &["admin", "y"]] {
        assert_eq!(
            rendered.request(&member_of(groups)),
            update(false),
            "{groups:?}"
        );
        assert_eq!(
            rendered.response_to("200", &json!({"a": 1}), groups),
            (200, json!({"a": 1}))
        );
    }
    for groups in [&[][..], &["administrators"], &["x", "sub-admin"]] {
        // A call without arguments is one that the service refuses.
        assert_eq!(
            rendered.request(&member_of(groups)),
            json!({}),
            "{groups:?}"
        );
        for status in ["200", "400", "500"] {
            assert_eq!(rendered.response_to(status, &json!({}), groups), forbidden);
        }
    }
    let kind = |kind: &str| json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{kind}")});
    for (error, status, message) in [
        ("ConditionalCheckFailedException", 404, "Not found"),
        ("ValidationException", 400, "Bad request"),
        ("AccessDeniedException", 500, "Internal server error"),
        ("ResourceNotFoundException", 500, "Internal server error"),
    ] {
        let (given, body) = rendered.response("400", &kind(error));
        assert_eq!(
            (given, body),
            (status, json!({"message": message})),
            "{error}"
        );
    }
}

#[test]
fn what_only_some_may_ask_for_is_answered_without_a_body() {
    let rendered = Rendered::of("{id}", |stack, credentials| {
        let table = orders(stack);
        let key = ItemKey::with_sort("orders", RequestValue::path("id"));
        let call = ServiceCall::delete_item(&table, key).answering_nothing();
        let asks_for_all = TemplateCondition::is(RequestValue::query("scope"), "all");
        Integration::call(call, credentials).only_where(&TemplateCondition::any([
            TemplateCondition::not(asks_for_all),
            TemplateCondition::in_group("admin"),
        ]))
    });
    let success = rendered.method["Integration"]["IntegrationResponses"][0].clone();
    let template = text(&success["ResponseTemplates"]["application/json"]).to_owned();
    assert!(success.get("SelectionPattern").is_none(), "{success}");
    for (scope, groups, allowed) in [
        ("", &[][..], true),
        ("mine", &[], true),
        ("all", &[], false),
        ("all", &["administrators"], false),
        ("all", &["admin"], true),
    ] {
        let mut request = member_of(groups);
        request.query.insert("scope".to_owned(), scope.to_owned());
        request.path.insert("id".to_owned(), "7".to_owned());
        let asked = rendered.request(&request);
        assert_eq!(asked != json!({}), allowed, "{scope} {groups:?}: {asked}");

        request.body = r#"{"executionArn": "secret"}"#.to_owned();
        let Evaluated { text, status, .. } = evaluate(&template, &request);
        if allowed {
            assert_eq!((text.as_str(), status), ("", None));
        } else {
            assert_eq!(status, Some(403));
            assert_eq!(parsed(&text), json!({"message": "Forbidden"}));
        }
    }
}

#[test]
fn items_are_put_deleted_and_scanned() {
    let put = Rendered::of("orders", |stack, credentials| {
        let table = orders(stack);
        let call = ServiceCall::put_item(
            &table,
            [
                ("PK", AttributeTemplate::text("orders")),
                (
                    "SK",
                    AttributeTemplate::text(RequestValue::context("requestId")),
                ),
                (
                    "total",
                    AttributeTemplate::number(RequestValue::body("$.total")),
                ),
                ("note", AttributeTemplate::null()),
            ],
        )
        .only_if_absent("PK", 409)
        .answering(serde_json::json!({}));
        Integration::call(call, credentials)
    });
    let request = Request {
        body: r#"{"total": 4.5}"#.to_owned(),
        ..Request::default()
    };
    assert_eq!(
        put.request(&request),
        json!({
            "ConditionExpression": "attribute_not_exists(#n0)",
            "ExpressionAttributeNames": {"#n0": "PK"},
            "Item": {
                "PK": {"S": "orders"},
                "SK": {"S": "a-request"},
                "note": {"NULL": true},
                "total": {"N": "4.5"},
            },
            "TableName": "${OrdersTable}",
        })
    );
    let failed = json!({"__type": "x#ConditionalCheckFailedException"});
    assert_eq!(
        put.response("400", &failed),
        (409, json!({"message": "Exists already"}))
    );

    let delete = Rendered::of("{id}", |stack, credentials| {
        let table = stack.table::<Counter>("Counters", TableProps::default());
        let call = ServiceCall::delete_item(&table, RequestValue::path("id"));
        Integration::call(call, credentials)
    });
    assert_eq!(
        delete.request(&asking(&[], &[("id", "7")])),
        json!({"Key": {"id": {"N": "7"}}, "TableName": "${Counters}"})
    );
    assert_eq!(delete.allowed[0]["Action"], "dynamodb:DeleteItem");

    let scan = Rendered::of("config", |stack, credentials| {
        let table = orders(stack);
        Integration::call(ServiceCall::scan(&table), credentials)
    });
    assert_eq!(
        scan.request(&Request::default()),
        json!({"TableName": "${OrdersTable}"})
    );
    assert_eq!(
        scan.response("200", &json!({"Items": []})),
        (200, json!([]))
    );
}

#[test]
fn an_event_is_put_on_a_bus() {
    struct Placed;
    impl EventDetail for Placed {
        const DETAIL_TYPE: &'static str = "Orders.Placed";
    }
    let rendered = Rendered::of("orders", |_, credentials| {
        let detail = JsonTemplate::object([
            ("order", JsonTemplate::body()),
            ("user", RequestValue::claim("sub").into()),
        ]);
        let call = ServiceCall::put_event::<Placed>(&EventBusRef::of_account(), "shop", detail);
        Integration::call(call, credentials)
    });
    assert_eq!(
        rendered.method["Integration"]["RequestParameters"],
        json!({
            "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
            "integration.request.header.X-Amz-Target": "'AWSEvents.PutEvents'",
        })
    );
    let request = Request {
        body: r#"{"drink":"it's \"hot\""}"#.to_owned(),
        ..member_of(&[])
    };
    let made = rendered.request(&request);
    let entry = &made["Entries"][0];
    assert_eq!(entry["DetailType"], "Orders.Placed");
    assert_eq!(entry["EventBusName"], "default");
    assert_eq!(
        parsed(entry["Detail"].as_str().unwrap()),
        json!({"order": {"drink": "it's \"hot\""}, "user": "user-1"})
    );
    let taken = json!({"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]});
    assert_eq!(
        rendered.response("200", &taken),
        (200, json!({"eventId": "e"}))
    );
    let refused = json!({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "x"}]});
    assert_eq!(rendered.response("200", &refused).0, 500);
}

#[test]
fn a_message_is_published() {
    let rendered = Rendered::of("orders", |stack, credentials| {
        let topic = stack.topic::<Order>("Placed", TopicProps::default());
        Integration::publish(&topic, credentials)
    });
    assert_eq!(
        rendered.uri(),
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:sns:path//"
    );
    assert_eq!(
        rendered.method["Integration"]["RequestTemplates"],
        json!({"application/json": {"Fn::Sub": "Action=Publish&TopicArn=${Placed}&Message=$util.urlEncode($input.body)"}})
    );
    assert_eq!(rendered.allowed[0]["Action"], "sns:Publish");
    let answer = json!({"PublishResponse": {"PublishResult": {"MessageId": "m"}}});
    assert_eq!(
        rendered.response("200", &answer),
        (200, json!({"messageId": "m"}))
    );
}

#[test]
fn objects_are_read_and_written_by_their_path() {
    let get = Rendered::of("{file}", |stack, credentials| {
        let bucket = stack.bucket("Photos", BucketProps::default());
        Integration::get_object(&bucket, "public/", "file", credentials)
    });
    assert_eq!(
        get.uri(),
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:s3:path/${Photos}/public/{key}"
    );
    let integration = &get.method["Integration"];
    assert_eq!(integration["IntegrationHttpMethod"], "GET");
    assert_eq!(
        integration["RequestParameters"],
        json!({"integration.request.path.key": "method.request.path.file"})
    );
    assert_eq!(
        get.method["RequestParameters"],
        json!({"method.request.path.file": true})
    );
    assert_eq!(
        integration["IntegrationResponses"][0],
        json!({
            "ResponseParameters": {
                "method.response.header.Cache-Control": "integration.response.header.Cache-Control",
                "method.response.header.Content-Type": "integration.response.header.Content-Type",
                "method.response.header.ETag": "integration.response.header.ETag",
                "method.response.header.Last-Modified": "integration.response.header.Last-Modified",
            },
            "StatusCode": "200",
        })
    );
    let patterns: Vec<&Value> = integration["IntegrationResponses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|response| &response["SelectionPattern"])
        .collect();
    assert_eq!(
        patterns,
        [
            &json!(null),
            &json!("400"),
            &json!(r"(?!(?:404)\z)(?:4(?:0[1-9]|[1-9]\d)|5\d{2})"),
            &json!("404")
        ]
    );
    let actions: Vec<&Value> = get
        .allowed
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["Action"])
        .collect();
    assert_eq!(actions, ["s3:GetObject", "s3:ListBucket"]);

    let put = Rendered::of("{file}", |stack, credentials| {
        let bucket = stack.bucket("Photos", BucketProps::default());
        Integration::put_object(&bucket, "", "file", credentials)
    });
    assert_eq!(put.method["Integration"]["IntegrationHttpMethod"], "PUT");
    assert_eq!(
        put.method["RequestParameters"],
        json!({"method.request.header.Content-Type": false, "method.request.path.file": true})
    );
    assert_eq!(put.allowed[0]["Action"], "s3:PutObject");
}

#[test]
fn calls_that_could_not_work_are_reported() {
    let messages = violations(|app| {
        let stack = &mut app.stack("orders");
        let role = role(stack);
        let credentials = || Credentials::allowed_elsewhere(&role);
        let table = orders(stack);
        let counters = stack.table::<Counter>("Counters", TableProps::default());
        let bucket = stack.bucket("Photos", BucketProps::default());
        let api = stack.rest_api("Api", RestApiProps::default());
        let mut add = |id: &str, integration: Integration| {
            let path = stack.rest_resource(&format!("{id}Path"), &api.root(), id);
            let props = MethodProps::new(HttpMethod::Put, Authorization::None, integration);
            stack.rest_method(id, &path, props);
        };
        let id = || RequestValue::path("id");
        let call = |call| Integration::call(call, credentials());
        add(
            "Index",
            call(ServiceCall::query_index(&table, "by-drink", "x")),
        );
        add("NoSort", call(ServiceCall::get_item(&table, id())));
        add(
            "Sort",
            call(ServiceCall::get_item(
                &counters,
                ItemKey::with_sort(id(), id()),
            )),
        );
        let half = [("PK", AttributeTemplate::text("orders"))];
        add("Half", call(ServiceCall::put_item(&table, half)));
        add(
            "Group",
            call(ServiceCall::scan(&table)).only_for_group("admin"),
        );
        let objects = Integration::put_object(&bucket, "/x", "file", credentials());
        add("Object", objects);
        let anything = Integration::service(ServiceIntegration {
            service: "sqs".to_owned(),
            target: ServiceTarget::Action("SendMessage".to_owned()),
            credentials: credentials(),
            statements: Vec::new(),
            request_parameters: BTreeMap::new(),
            requests: BTreeMap::from([(
                "application/json".to_owned(),
                MappingTemplate::of(JsonTemplate::message("x").with_status(404)),
            )]),
            responses: ServiceResponses::answering(MappingTemplate::body()),
        });
        add("Anything", anything.only_for_group("admin"));
    });
    assert_eq!(
        messages,
        [
            "orders / Index / Properties.Integration: the item type of the table declares no index `by-drink`",
            "orders / NoSort / Properties.Integration: the key of the table has the sort key `SK`: give its value with `ItemKey::with_sort`",
            "orders / Sort / Properties.Integration: the table has no sort key: give the partition key alone",
            "orders / Half / Properties.Integration: the item lacks `SK`, which is part of the table's key",
            "orders / Group / Properties.AuthorizationType: the integration asks for a group of the caller, which only an authorizer by user pools knows: nobody could call",
            "orders / Object / Properties.Integration: `/x` is not a prefix of keys: it ends with `/` and does not start with one",
            "orders / Anything / Properties.Integration: the service might do something without arguments too, so only a function or an authorizer can keep callers from it",
            "orders / Anything / Properties.Integration: only the template of an answer can set its status, and this is that of a request",
            "orders / Anything / Properties.AuthorizationType: the integration asks for a group of the caller, which only an authorizer by user pools knows: nobody could call",
        ]
    );
}
