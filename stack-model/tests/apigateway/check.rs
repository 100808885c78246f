//! What is checked of an API however it was added.

use serde_json::{Value, json};
use stack_model::apigateway::{
    Authorization, HttpMethod, Integration, MappingTemplate, MethodProps, RestApiProps,
};
use stack_model::{App, ResourceRef, Stack};

use super::support::violations;
use crate::support::{dev, texts};

fn get() -> MethodProps {
    let hello = Integration::mock(200, MappingTemplate::message("Hello"));
    MethodProps::new(HttpMethod::Get, Authorization::None, hello)
}

/// Adds a raw method beside a typed one, with properties of its own.
fn raw_method(stack: &mut Stack<'_>, own: Value) {
    let api = stack.rest_api("Api", RestApiProps::default());
    stack.rest_method("Get", &api.root(), get());
    let mut properties = json!({
        "RestApiId": {"Ref": "Api"},
        "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
        "AuthorizationType": "NONE",
    });
    if let (Value::Object(properties), Value::Object(own)) = (&mut properties, own) {
        properties.extend(own);
    }
    stack.raw("Raw", "AWS::ApiGateway::Method", properties);
}

fn is_fine(describe: impl FnOnce(&mut Stack<'_>)) {
    let mut app: App = dev();
    describe(&mut app.stack("orders"));
    if let Err(violations) = app.synth() {
        panic!("{violations}");
    }
}

#[test]
fn a_preflight_is_not_guarded() {
    let message = "orders / Raw / Properties.AuthorizationType: a browser sends its preflight without credentials and without a key, so this OPTIONS method would refuse every one: let anybody call it";
    for guard in [
        json!({"AuthorizationType": "AWS_IAM"}),
        json!({"ApiKeyRequired": true}),
    ] {
        let mut method = json!({"HttpMethod": "OPTIONS", "Integration": {"Type": "MOCK"}});
        method
            .as_object_mut()
            .unwrap()
            .extend(guard.as_object().unwrap().clone());
        let violations = violations(|app| raw_method(&mut app.stack("orders"), method));
        assert_eq!(violations, [message]);
    }
    is_fine(|stack| {
        raw_method(
            stack,
            json!({"HttpMethod": "OPTIONS", "Integration": {"Type": "MOCK"}}),
        );
    });
}

#[test]
fn credentials_are_for_named_origins() {
    let headers = |origin: &str, place: &str| {
        json!({
            (format!("{place}.header.Access-Control-Allow-Origin")): format!("'{origin}'"),
            (format!("{place}.header.Access-Control-Allow-Credentials")): "'true'",
        })
    };
    let describe = |stack: &mut Stack<'_>, origin: &str| {
        let responses = json!([{"StatusCode": "200", "ResponseParameters": headers(origin, "method.response")}]);
        let integration = json!({"Type": "MOCK", "IntegrationResponses": responses});
        raw_method(
            stack,
            json!({"HttpMethod": "POST", "Integration": integration}),
        );
        let errors = json!({
            "RestApiId": {"Ref": "Api"},
            "ResponseType": "DEFAULT_4XX",
            "ResponseParameters": headers(origin, "gatewayresponse"),
        });
        stack.raw("Errors", "AWS::ApiGateway::GatewayResponse", errors);
    };
    let message = "a browser hands no credentials to an answer for any origin: name the origin, or allow no credentials";
    assert_eq!(
        violations(|app| describe(&mut app.stack("orders"), "*")),
        ["Errors", "Raw"].map(|id| format!("orders / {id} / Properties: {message}"))
    );
    is_fine(|stack| describe(stack, "https://www.example.com"));
}

/// Returns what is said of a raw method whose integration is answered so.
fn answered(kind: &str, uri: &str, responses: &Value) -> Vec<String> {
    let integration = json!({
        "Type": kind,
        "IntegrationHttpMethod": "POST",
        "Uri": uri,
        "IntegrationResponses": responses,
    });
    let method = json!({"HttpMethod": "POST", "Integration": integration});
    let mut app: App = dev();
    raw_method(&mut app.stack("orders"), method);
    match app.synth() {
        Ok(_) => Vec::new(),
        Err(violations) => texts(&violations)
            .iter()
            .filter_map(|text| text.split_once("IntegrationResponses: "))
            .map(|(_, message)| message.to_owned())
            .collect(),
    }
}

const QUEUE: &str = "arn:aws:apigateway:us-east-1:sqs:path/123456789012/orders";

#[test]
fn an_error_of_a_service_is_not_answered_as_a_success() {
    let both = r"every error of the integration would be answered with 200: add a response with the selection pattern `4\d{2}` and one with `5\d{2}`, and statuses that say it failed";
    let refused = |status: &str| {
        format!(
            r"an error {status} of the integration would be answered with 200: add a response with the selection pattern `4\d{{2}}`, and statuses that say it failed"
        )
    };
    let failed = r"an error 500 of the integration would be answered with 200: add a response with the selection pattern `5\d{2}`, and statuses that say it failed";
    let selecting = |pairs: &[(&str, &str)]| -> Value {
        let default = json!({"StatusCode": "200"});
        let others = pairs
            .iter()
            .map(|(pattern, status)| json!({"StatusCode": status, "SelectionPattern": pattern}));
        std::iter::once(default).chain(others).collect()
    };
    for (responses, expected) in [
        (selecting(&[]), both.to_owned()),
        (json!([]), both.replace("with 200", "as a success")),
        (selecting(&[(r"4\d{2}|5\d{2}", "202")]), both.to_owned()),
        (selecting(&[(r"4\d{2}", "400")]), failed.to_owned()),
        (selecting(&[(r"5\d{2}", "500")]), refused("400")),
        (
            selecting(&[(r"5\d{2}", "500"), ("400", "400")]),
            refused("401"),
        ),
        // A pattern has to match the whole status.
        (
            selecting(&[("5", "500"), (r"4\d{2}", "400")]),
            failed.to_owned(),
        ),
        // A success is an answer to an error where it is named, and to nothing else.
        (
            selecting(&[
                (r"5\d{2}", "500"),
                ("404", "204"),
                (r"(?!404\z)4\d{2}", "400"),
            ]),
            String::new(),
        ),
        (
            selecting(&[(r"5\d{2}", "500"), ("40.", "204"), (r"4[1-9]\d", "400")]),
            refused("400"),
        ),
        (selecting(&[(r"[45]\d{2}", "500")]), String::new()),
        (selecting(&[(".*", "500")]), String::new()),
        (
            json!([{"StatusCode": "500"}, {"StatusCode": "200", "SelectionPattern": "200"}]),
            String::new(),
        ),
    ] {
        let expected: Vec<String> = Some(expected)
            .filter(|text| !text.is_empty())
            .into_iter()
            .collect();
        assert_eq!(answered("AWS", QUEUE, &responses), expected, "{responses}");
        let found = answered("HTTP", "https://example.com", &responses);
        assert_eq!(found, expected, "{responses}");
    }
    assert!(answered("MOCK", "", &selecting(&[])).is_empty());
    assert!(answered("AWS_PROXY", QUEUE, &selecting(&[])).is_empty());
}

#[test]
fn an_error_of_a_function_is_not_answered_as_a_success() {
    let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:f/invocations";
    let default = json!({"StatusCode": "200"});
    assert_eq!(
        answered("AWS", uri, &json!([default])),
        [
            r"every error of the function would be answered with 200: add a response whose selection pattern matches the messages of errors, such as `(.|\n)+`, and whose status says that it failed"
        ]
    );
    let told = json!([default, {"StatusCode": "400", "SelectionPattern": "Invalid.*"}]);
    assert!(answered("AWS", uri, &told).is_empty());
}

/// Adds what names the stage `live` of an API by a text, wherever that is possible.
fn naming(stack: &mut Stack<'_>, rest: &Value, http: &Value) -> Vec<ResourceRef> {
    let arn = json!({"Fn::Sub": ["arn:aws:apigateway:${AWS::Region}::/restapis/${Id}/stages/live", {"Id": rest}]});
    let direct =
        json!({"Fn::Sub": "arn:aws:apigateway:${AWS::Region}::/restapis/${Api}/stages/live"});
    let arn = if rest.get("Ref").is_some() {
        direct
    } else {
        arn
    };
    vec![
        stack.raw(
            "Acl",
            "AWS::WAFv2::WebACLAssociation",
            json!({"ResourceArn": arn, "WebACLArn": "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/a/1"}),
        ),
        stack.raw(
            "HttpMapping",
            "AWS::ApiGatewayV2::ApiMapping",
            json!({"DomainName": "api.example.com", "ApiId": http, "Stage": "live"}),
        ),
        stack.raw(
            "Key",
            "AWS::ApiGateway::ApiKey",
            json!({"StageKeys": [{"RestApiId": rest, "StageName": "live"}]}),
        ),
        stack.raw(
            "Mapping",
            "AWS::ApiGateway::BasePathMapping",
            json!({"DomainName": "api.example.com", "RestApiId": rest, "Stage": "live"}),
        ),
        stack.raw(
            "Plan",
            "AWS::ApiGateway::UsagePlan",
            json!({"ApiStages": [{"ApiId": rest, "Stage": "live"}, {"ApiId": "zyxwvu9876", "Stage": "live"}]}),
        ),
    ]
}

fn apis(stack: &mut Stack<'_>) {
    let api = stack.rest_api("Api", RestApiProps::default());
    stack.rest_method("Get", &api.root(), get());
    stack.raw(
        "HttpApi",
        "AWS::ApiGatewayV2::Api",
        json!({"Name": "http", "ProtocolType": "HTTP"}),
    );
}

const NAMING: [(&str, &str, &str); 5] = [
    ("Acl", "ResourceArn", "Live"),
    ("HttpMapping", "Stage", "HttpLive"),
    ("Key", "StageKeys", "Live"),
    ("Mapping", "Stage", "Live"),
    ("Plan", "ApiStages", "Live"),
];

#[test]
fn a_stage_is_named_by_its_handle() {
    let describe = |stack: &mut Stack<'_>, waits: bool| {
        apis(stack);
        let live = stack.raw(
            "Live",
            "AWS::ApiGateway::Stage",
            json!({"RestApiId": {"Ref": "Api"}, "StageName": "live"}),
        );
        let http = stack.raw(
            "HttpLive",
            "AWS::ApiGatewayV2::Stage",
            json!({"ApiId": {"Ref": "HttpApi"}, "StageName": "live"}),
        );
        let naming = naming(stack, &json!({"Ref": "Api"}), &json!({"Ref": "HttpApi"}));
        // What waits for something that waits for the stage waits for the stage.
        let between = stack.raw("Between", "AWS::SNS::Topic", json!({}));
        stack.depends_on(&between, &live);
        stack.depends_on(&between, &http);
        for handle in naming.iter().filter(|_| waits) {
            stack.depends_on(handle, &between);
        }
    };
    assert_eq!(
        violations(|app| describe(&mut app.stack("orders"), false)),
        NAMING.map(|(id, path, stage)| format!(
            "orders / {id} / Properties.{path}: the text `live` names the stage `{stage}` without waiting for it: use `name()` of the stage's handle"
        ))
    );
    is_fine(|stack| describe(stack, true));
}

#[test]
fn a_stage_of_another_stack_is_named_by_its_handle() {
    // The APIs stand in one stack, their stages in a second one, and what names those by a text in a third.
    let describe = |app: &mut App, waits: bool| {
        let mut apis_stack = app.stack("apis");
        apis(&mut apis_stack);
        for (key, id) in [("RestId", "Api"), ("HttpId", "HttpApi")] {
            let id: stack_model::Expr = json!({ "Ref": id }).into();
            apis_stack.output(key, id).export(key);
        }
        let import = |key: &str| json!({ "Fn::ImportValue": key });
        let mut stages = app.stack("stages");
        let own = json!({"RestApiId": import("RestId"), "StageName": "live"});
        stages.raw("Live", "AWS::ApiGateway::Stage", own);
        let own = json!({"ApiId": import("HttpId"), "StageName": "live"});
        stages.raw("HttpLive", "AWS::ApiGatewayV2::Stage", own);
        let mut users = app.stack("users");
        naming(&mut users, &import("RestId"), &import("HttpId"));
        if waits {
            users.after("stages");
        }
        // A stage of the same name of another API is another stage.
        let mut others = app.stack("others");
        naming(&mut others, &json!("abcdef1234"), &json!("ghijkl5678"));
    };
    let expected = NAMING.map(|(id, path, stage)| format!(
        "users / {id} / Properties.{path}: the text `live` names the stage `{stage}` of the stack `stages` without waiting for it: use `name()` of the stage's handle"
    ));
    assert_eq!(violations(|app| describe(app, false)), expected);
    let mut app = dev();
    describe(&mut app, true);
    if let Err(violations) = app.synth() {
        panic!("{violations}");
    }
}

#[test]
fn a_method_and_a_segment_are_there_once() {
    let violations = violations(|app| {
        let stack = &mut app.stack("orders");
        let api = stack.rest_api("Api", RestApiProps::default());
        let orders = stack.rest_resource("Orders", &api.root(), "orders");
        stack.rest_resource("OrdersAgain", &api.root(), "orders");
        stack.rest_method("Get", &orders, get());
        stack.rest_method("GetAgain", &orders, get());
    });
    assert_eq!(
        violations,
        [
            "orders / GetAgain / Properties: `Get` is the same HTTP method at the same place: API Gateway takes one",
            "orders / OrdersAgain / Properties: `Orders` is the same segment at the same place: API Gateway takes one",
        ]
    );
}

#[test]
fn an_api_has_a_method() {
    let violations = violations(|app| {
        app.stack("orders").rest_api("Api", RestApiProps::default());
    });
    assert_eq!(
        violations,
        [
            "orders / Api / Properties: the API has no method, and API Gateway deploys none without one: add one with `rest_method`"
        ]
    );
    is_fine(|stack| {
        let api = stack.rest_api("Api", RestApiProps::default());
        stack.override_property(&api, "Body", serde_json::json!({"openapi": "3.0.1"}));
    });
}
