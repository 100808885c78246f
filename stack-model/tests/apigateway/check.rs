//! What is checked of an API however it was added.

use serde_json::{Value, json};
use stack_model::apigateway::{
    Authorization, HttpMethod, Integration, MappingTemplate, MethodProps, RestApiProps, StageProps,
};
use stack_model::{App, Stack};

use super::support::violations;
use crate::support::dev;

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

#[test]
fn an_error_is_not_answered_as_a_success() {
    let integration = |responses: Value| {
        json!({
            "HttpMethod": "POST",
            "Integration": {
                "Type": "AWS",
                "IntegrationHttpMethod": "POST",
                "Uri": "arn:aws:apigateway:us-east-1:sqs:path/123456789012/orders",
                "IntegrationResponses": responses,
            },
        })
    };
    for responses in [
        json!([]),
        json!([{"StatusCode": "200"}]),
        json!([{"StatusCode": "200"}, {"StatusCode": "202", "SelectionPattern": "5\\d{2}"}]),
    ] {
        let violations =
            violations(|app| raw_method(&mut app.stack("orders"), integration(responses)));
        assert_eq!(
            violations,
            [
                "orders / Raw / Properties.Integration.IntegrationResponses: every error of the integration would be answered with 200: add a response with a selection pattern and a status that says it failed"
            ]
        );
    }
    let mapped =
        json!([{"StatusCode": "200"}, {"StatusCode": "500", "SelectionPattern": "[45]\\d{2}"}]);
    is_fine(|stack| raw_method(stack, integration(mapped)));
}

#[test]
fn a_stage_is_named_by_its_handle() {
    let describe = |stack: &mut Stack<'_>, waits: bool| {
        let api = stack.rest_api("Api", RestApiProps::default());
        stack.rest_method("Get", &api.root(), get());
        let live = stack.rest_stage("Live", &api, StageProps::named("live"));
        let api_id = json!({"Ref": "Api"});
        let plan = stack.raw(
            "Plan",
            "AWS::ApiGateway::UsagePlan",
            json!({"ApiStages": [{"ApiId": api_id, "Stage": "live"}]}),
        );
        let key = stack.raw(
            "Key",
            "AWS::ApiGateway::ApiKey",
            json!({"StageKeys": [{"RestApiId": api_id, "StageName": "live"}]}),
        );
        let mapping = stack.raw(
            "Mapping",
            "AWS::ApiGateway::BasePathMapping",
            json!({"DomainName": "api.example.com", "RestApiId": api_id, "Stage": "live"}),
        );
        if waits {
            for handle in [&plan, &key, &mapping] {
                stack.depends_on(handle, &live);
            }
        }
    };
    let complaint = |id: &str, path: &str| {
        format!(
            "orders / {id} / {path}: the text `live` names the stage `Live` without waiting for it: use `name()` of the stage's handle"
        )
    };
    assert_eq!(
        violations(|app| describe(&mut app.stack("orders"), false)),
        [
            complaint("Key", "Properties.StageKeys"),
            complaint("Mapping", "Properties.Stage"),
            complaint("Plan", "Properties.ApiStages"),
        ]
    );
    is_fine(|stack| describe(stack, true));
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
