//! Calls of HTTP and WebSocket APIs, and the questions of authorizers.

use serde_json::json;
use stack_bindings::{
    ApiRequest, Decode, Event, HttpAuthorization, HttpRequest, HttpResponse, MethodPolicy,
    RequestAuthorization, SimpleAnswer, TokenAuthorization, WebSocketEvent, WebSocketRequest,
    WebSocketResponse,
};

/// The "format 2.0" of
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
#[test]
fn a_request_of_an_http_api() {
    let payload = json!({
        "version": "2.0",
        "routeKey": "POST /orders/{id}",
        "rawPath": "/orders/7",
        "rawQueryString": "a=1&a=2",
        "cookies": ["c1=1"],
        "headers": {"content-type": "application/json"},
        "queryStringParameters": {"a": "1,2"},
        "requestContext": {
            "accountId": "123456789012",
            "authorizer": {
                "jwt": {"claims": {"sub": "s1", "cognito:groups": "[admin barista]"}, "scopes": null},
                "lambda": {"tags": ["x"]}
            },
            "http": {"method": "POST", "path": "/orders/7", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "requestId": "id",
            "routeKey": "POST /orders/{id}",
            "stage": "$default",
            "timeEpoch": 1_583_348_638_390_i64
        },
        "body": "WzFd",
        "pathParameters": {"id": "7"},
        "isBase64Encoded": true,
        "stageVariables": {"v": "1"}
    });
    assert!(HttpRequest::recognises(&payload));
    assert!(!ApiRequest::recognises(&payload));
    let request = HttpRequest::decode(payload).unwrap();
    assert_eq!(request.route_key, "POST /orders/{id}");
    assert_eq!(request.method(), "POST");
    assert_eq!(request.path_parameter("id"), Some("7"));
    assert_eq!(request.query("a"), Some("1,2"));
    assert_eq!(request.claim("sub"), Some("s1"));
    assert_eq!(request.groups(), ["admin", "barista"]);
    assert_eq!(request.authorized("tags"), Some(&json!(["x"])));
    assert_eq!(request.json::<Vec<u8>>().unwrap(), [1]);

    let response = HttpResponse::json(200, &[1]).unwrap().cookie("s=1");
    assert_eq!(
        serde_json::to_value(response).unwrap(),
        json!({
            "statusCode": 200, "headers": {"content-type": "application/json"}, "cookies": ["s=1"],
            "body": "[1]", "isBase64Encoded": false
        })
    );
}

/// The context of
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>.
#[test]
fn a_message_of_a_connection() {
    let payload = json!({
        "requestContext": {
            "routeKey": "order", "eventType": "MESSAGE", "connectionId": "L0SM9cOFvHcCIhw=",
            "messageId": "m", "domainName": "x.execute-api.eu-west-1.amazonaws.com", "stage": "dev",
            "requestId": "r", "connectedAt": 1_583_348_638_390_i64, "apiId": "x"
        },
        "body": "[1]",
        "isBase64Encoded": false
    });
    assert!(WebSocketRequest::recognises(&payload));
    let request = WebSocketRequest::decode(payload).unwrap();
    assert_eq!(request.request_context.event_type, WebSocketEvent::Message);
    assert_eq!(
        (request.route(), request.connection_id()),
        ("order", "L0SM9cOFvHcCIhw=")
    );
    assert_eq!(request.json::<Vec<u8>>().unwrap(), [1]);
    assert_eq!(
        serde_json::to_value(WebSocketResponse::ok()).unwrap(),
        json!({"statusCode": 200})
    );
}

const METHOD: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET/request";

/// The inputs and the output of
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html> and
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html>.
#[test]
fn authorizers_of_rest_apis() {
    let payload = json!({
        "type": "TOKEN", "methodArn": METHOD, "authorizationToken": "Bearer allow-me"
    });
    assert!(TokenAuthorization::recognises(&payload));
    let question = TokenAuthorization::decode(payload).unwrap();
    assert_eq!(question.token(), "allow-me");
    assert!(!format!("{question:?}").contains("allow-me"));

    let payload = json!({
        "type": "REQUEST", "methodArn": METHOD, "resource": "/request", "path": "/request",
        "httpMethod": "GET", "headers": {"HeaderAuth1": "headerValue1"},
        "queryStringParameters": null, "pathParameters": {}, "stageVariables": {"StageVar1": "v"},
        "requestContext": {"path": "/request"}
    });
    assert!(RequestAuthorization::recognises(&payload));
    assert!(!ApiRequest::recognises(&payload));
    assert!(!HttpAuthorization::recognises(&payload));
    let question = RequestAuthorization::decode(payload).unwrap();
    assert_eq!(question.header("headerauth1"), Some("headerValue1"));

    let answer = MethodPolicy::of("u1")
        .allow(&*question.method_arn)
        .context("plan", "free")
        .context("limit", 3);
    assert_eq!(
        serde_json::to_value(answer).unwrap(),
        json!({
            "principalId": "u1",
            "policyDocument": {"Version": "2012-10-17", "Statement": [
                {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": METHOD}
            ]},
            "context": {"plan": "free", "limit": 3}
        })
    );
}

/// The input and the simple answer of
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>.
#[test]
fn authorizers_of_http_apis() {
    let payload = json!({
        "version": "2.0", "type": "REQUEST",
        "routeArn": "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET/request",
        "identitySource": ["user1", "123"], "routeKey": "$default", "rawPath": "/my/path",
        "headers": {"authorization": "user1"}, "requestContext": {"http": {"method": "POST"}}
    });
    assert!(HttpAuthorization::recognises(&payload));
    assert!(!HttpRequest::recognises(&payload));
    let question = HttpAuthorization::decode(payload).unwrap();
    assert_eq!(question.identity_source, ["user1", "123"]);
    assert_eq!(
        serde_json::to_value(SimpleAnswer::allow().context("tags", vec!["x"])).unwrap(),
        json!({"isAuthorized": true, "context": {"tags": ["x"]}})
    );
    assert_eq!(
        serde_json::to_value(SimpleAnswer::deny()).unwrap(),
        json!({"isAuthorized": false})
    );
}
