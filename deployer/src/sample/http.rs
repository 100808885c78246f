//! Requests: REST, HTTP and WebSocket APIs, function URLs, authorizers.

use serde_json::{Map, Value, json};

use super::{Sample, resource};
use crate::template::referenced;

/// The moment of every made up event: 2026-01-02T03:04:05Z.
const EPOCH_MILLIS: u64 = 1_767_323_045_000;

/// A route: its method and path, and the path as a caller would write it.
struct Route<'a> {
    method: &'a str,
    template: &'a str,
    path: String,
    parameters: Map<String, Value>,
}

/// Reads a label such as `GET /orders/{id}`; parameters get their own name as their value.
fn route(label: &str) -> Route<'_> {
    let (method, template) = label.split_once(' ').unwrap_or(("GET", "/"));
    let mut parameters = Map::new();
    let segments: Vec<&str> = template
        .split('/')
        .map(|segment| {
            let name = segment
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'));
            match name {
                Some(name) => {
                    let name = name.trim_end_matches('+');
                    parameters.insert(name.to_owned(), name.into());
                    name
                }
                None => segment,
            }
        })
        .collect();
    Route {
        method: if method == "ANY" { "GET" } else { method },
        template,
        path: segments.join("/"),
        parameters,
    }
}

/// A body, where the method has one.
fn body(method: &str) -> Value {
    if matches!(method, "POST" | "PUT" | "PATCH") {
        "{}".into()
    } else {
        Value::Null
    }
}

fn or_null(map: Map<String, Value>) -> Value {
    if map.is_empty() {
        Value::Null
    } else {
        map.into()
    }
}

/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>.
pub(super) fn rest(sample: &Sample<'_>) -> Value {
    let route = route(sample.label);
    json!({
        "resource": route.template,
        "path": route.path,
        "httpMethod": route.method,
        "headers": {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Host": host(sample),
            "User-Agent": "sample"
        },
        "multiValueHeaders": {
            "Accept": ["application/json"],
            "Content-Type": ["application/json"],
            "Host": [host(sample)],
            "User-Agent": ["sample"]
        },
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": or_null(route.parameters.clone()),
        "stageVariables": null,
        "requestContext": {
            "accountId": sample.account.account,
            "apiId": "sampleapi1",
            "authorizer": {},
            "domainName": host(sample),
            "domainPrefix": "sampleapi1",
            "extendedRequestId": "sample=",
            "httpMethod": route.method,
            "identity": {
                "accessKey": null,
                "accountId": null,
                "caller": null,
                "cognitoAuthenticationProvider": null,
                "cognitoAuthenticationType": null,
                "cognitoIdentityId": null,
                "cognitoIdentityPoolId": null,
                "principalOrgId": null,
                "sourceIp": "192.0.2.1",
                "user": null,
                "userAgent": "sample",
                "userArn": null
            },
            "path": format!("/prod{}", route.path),
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTime": "02/Jan/2026:03:04:05 +0000",
            "requestTimeEpoch": EPOCH_MILLIS,
            "resourceId": "sample",
            "resourcePath": route.template,
            "stage": "prod"
        },
        "body": body(route.method),
        "isBase64Encoded": false
    })
}

/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
pub(super) fn api(sample: &Sample<'_>) -> Value {
    let integrations = referenced(&sample.properties["Target"]);
    let first_version = integrations.iter().any(|id| {
        let place = stack_graph::Place {
            stack: sample.trigger.stack.clone(),
            logical_id: id.clone(),
        };
        resource(sample.templates, &place)
            .is_some_and(|integration| integration["Properties"]["PayloadFormatVersion"] == "1.0")
    });
    if first_version {
        let mut event = rest(sample);
        event["version"] = "1.0".into();
        return event;
    }
    let label = if sample.label == "$default" {
        "GET /"
    } else {
        sample.label
    };
    second(sample, sample.label, label)
}

/// A function URL sends what an HTTP API does, with the route `$default`
/// (<https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>).
pub(super) fn url(sample: &Sample<'_>) -> Value {
    second(sample, "$default", "GET /")
}

fn second(sample: &Sample<'_>, key: &str, label: &str) -> Value {
    let route = route(label);
    let mut event = json!({
        "version": "2.0",
        "routeKey": key,
        "rawPath": route.path,
        "rawQueryString": "",
        "headers": {
            "accept": "application/json",
            "content-type": "application/json",
            "host": host(sample),
            "user-agent": "sample"
        },
        "requestContext": {
            "accountId": sample.account.account,
            "apiId": "sampleapi1",
            "domainName": host(sample),
            "domainPrefix": "sampleapi1",
            "http": {
                "method": route.method,
                "path": route.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "sample"
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": key,
            "stage": "$default",
            "time": "02/Jan/2026:03:04:05 +0000",
            "timeEpoch": EPOCH_MILLIS
        },
        "isBase64Encoded": false
    });
    // Unlike in the first version, what is not there is left out.
    if !route.parameters.is_empty() {
        event["pathParameters"] = route.parameters.clone().into();
    }
    if let Value::String(body) = body(route.method) {
        event["body"] = body.into();
    }
    event
}

/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>.
pub(super) fn websocket(sample: &Sample<'_>) -> Value {
    let (kind, message) = match sample.label {
        "$connect" => ("CONNECT", None),
        "$disconnect" => ("DISCONNECT", None),
        _ => ("MESSAGE", Some("AAAAASample=")),
    };
    let mut event = json!({
        "requestContext": {
            "routeKey": sample.label,
            "eventType": kind,
            "extendedRequestId": "sample=",
            "requestTime": "02/Jan/2026:03:04:05 +0000",
            "messageDirection": "IN",
            "stage": "prod",
            "connectedAt": EPOCH_MILLIS,
            "requestTimeEpoch": EPOCH_MILLIS,
            "identity": {"sourceIp": "192.0.2.1"},
            "requestId": "sample=",
            "domainName": host(sample),
            "connectionId": "SampleConnection=",
            "apiId": "sampleapi1"
        },
        "isBase64Encoded": false
    });
    if let Some(message) = message {
        event["requestContext"]["messageId"] = message.into();
        event["body"] = json!({"action": sample.label}).to_string().into();
    } else {
        event["headers"] = json!({"Host": host(sample)});
        event["multiValueHeaders"] = json!({"Host": [host(sample)]});
    }
    event
}

/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html> and
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>.
pub(super) fn authorizer(sample: &Sample<'_>) -> Value {
    let arn = sample.arn("execute-api", "sampleapi1/prod/GET/sample");
    if sample.resource_type == "AWS::ApiGatewayV2::Api" {
        let mut event = second(sample, "GET /sample", "GET /sample");
        event["type"] = "REQUEST".into();
        event["routeArn"] = arn.into();
        event["identitySource"] = json!(["sample-token"]);
        event["headers"]["authorization"] = "sample-token".into();
        return event;
    }
    if authorizer_type(sample) == Some("REQUEST") {
        let mut event = rest(&Sample {
            label: "GET /sample",
            ..*sample
        });
        event["type"] = "REQUEST".into();
        event["methodArn"] = arn.into();
        event["headers"]["Authorization"] = "sample-token".into();
        return event;
    }
    json!({"type": "TOKEN", "authorizationToken": "sample-token", "methodArn": arn})
}

/// Returns the type of the authorizer of the API that asks the function.
fn authorizer_type<'a>(sample: &'a Sample<'_>) -> Option<&'a str> {
    sample
        .templates
        .iter()
        .flat_map(|template| template.json["Resources"].as_object().into_iter().flatten())
        .filter(|(_, resource)| resource["Type"] == "AWS::ApiGateway::Authorizer")
        .find(|(_, resource)| {
            let names = referenced(&resource["Properties"]["AuthorizerUri"]);
            names.contains(&sample.function.logical_id)
        })
        .and_then(|(_, resource)| resource["Properties"]["Type"].as_str())
}

fn host(sample: &Sample<'_>) -> String {
    format!(
        "sampleapi1.execute-api.{}.amazonaws.com",
        sample.account.region
    )
}
