//! What callers get where API Gateway itself answers.

use serde_json::json;
use stack_model::Stack;
use stack_model::apigateway::{
    Authorization, Cors, CorsOrigin, GatewayBody, GatewayError, GatewayResponseProps, HttpMethod,
    Integration, MappingTemplate, MethodProps, RestApiProps, RestApiRef,
};

use super::support::{deployment, properties, template, violations};

fn api(stack: &mut Stack<'_>) -> RestApiRef {
    let api = stack.rest_api("Api", RestApiProps::default());
    let hello = Integration::mock(200, MappingTemplate::message("Hello"));
    let get = MethodProps::new(HttpMethod::Get, Authorization::None, hello);
    stack.rest_method("Get", &api.root(), get);
    api
}

#[test]
fn pages_read_the_errors_of_the_gateway() {
    let template = template(|stack| {
        let api = api(stack);
        let mut cors = Cors::new(CorsOrigin::Any, [HttpMethod::Get]);
        cors.headers = vec!["*".to_owned()];
        stack.rest_error_cors("Error", &api, &cors);
    });
    for (id, kind) in [("Error4xx", "DEFAULT_4XX"), ("Error5xx", "DEFAULT_5XX")] {
        assert_eq!(
            template["Resources"][id],
            json!({
                "Type": "AWS::ApiGateway::GatewayResponse",
                "Properties": {
                    "ResponseParameters": {
                        "gatewayresponse.header.Access-Control-Allow-Headers": "'*'",
                        "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
                    },
                    "ResponseType": kind,
                    "RestApiId": {"Ref": "Api"},
                },
            })
        );
    }
    assert_eq!(
        template["Resources"][deployment(&template)]["DependsOn"],
        json!(["Error4xx", "Error5xx", "Get"])
    );
}

#[test]
fn an_error_has_a_status_headers_and_a_body_of_its_own() {
    let template = template(|stack| {
        let api = api(stack);
        let mut props = GatewayResponseProps::to(GatewayError::MissingAuthenticationToken);
        props.status = Some(404.into());
        props
            .headers
            .insert("Retry-After".to_owned(), "5".to_owned());
        props.body = Some(GatewayBody::json(&json!({
            "message": "$context.error.messageString",
            "request": "$context.requestId",
        })));
        stack.rest_gateway_response("NotFound", &api, props);
    });
    assert_eq!(
        *properties(&template, "NotFound"),
        json!({
            "ResponseParameters": {"gatewayresponse.header.Retry-After": "'5'"},
            "ResponseTemplates": {
                "application/json": r#"{"message":$context.error.messageString,"request":"$context.requestId"}"#,
            },
            "ResponseType": "MISSING_AUTHENTICATION_TOKEN",
            "RestApiId": {"Ref": "Api"},
            "StatusCode": "404",
        })
    );
}

#[test]
fn what_an_error_cannot_say_is_reported() {
    let violations = violations(|app| {
        let stack = &mut app.stack("orders");
        let api = api(stack);
        let mut props = GatewayResponseProps::to(GatewayError::Throttled);
        props.status = Some(199.into());
        props
            .headers
            .insert("X-Note".to_owned(), "it's late".to_owned());
        stack.rest_gateway_response("Throttled", &api, props);
        let several = CorsOrigin::Several {
            origins: ["a", "b"]
                .map(|host| format!("https://{host}.example.com"))
                .to_vec(),
            credentials: false,
        };
        stack.rest_error_cors("Error", &api, &Cors::new(several, [HttpMethod::Get]));
    });
    assert_eq!(
        violations,
        [
            "orders / Throttled / Properties.StatusCode: 199 is not between 200 and 599",
            "orders / Throttled / Properties.ResponseParameters: the header `X-Note` has an apostrophe, which API Gateway takes for its end",
            "orders / Error: an error of API Gateway itself cannot choose among several origins: give one, or any",
        ]
    );
}
