//! Events as the services send them.

use serde_json::json;
use stack_bindings::{ApiRequest, ApiResponse, BatchFailures, Decode, Event, QueueBatch};

use crate::declared::{Operation, OperationsEvent};

/// The event of <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event>,
/// with the given bodies.
fn batch(bodies: &[&str], group: Option<&str>) -> serde_json::Value {
    let records: Vec<_> = bodies
        .iter()
        .enumerate()
        .map(|(position, body)| {
            let mut record = json!({
                "messageId": format!("m{position}"),
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "3",
                    "SentTimestamp": "1545082649183",
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": "1545082649185"
                },
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue",
                "awsRegion": "us-east-2"
            });
            if let Some(group) = group {
                record["attributes"]["MessageGroupId"] = group.into();
            }
            record
        })
        .collect();
    json!({ "Records": records })
}

#[test]
fn records_are_a_batch_and_everything_else_is_a_payload() {
    let event = OperationsEvent::decode(batch(&[r#"{"operation": "ping"}"#], None)).unwrap();
    let OperationsEvent::QueueBatch(batch) = event else {
        panic!("not a batch");
    };
    let message = &batch.messages()[0];
    assert_eq!(message.body.as_ref().unwrap().operation, "ping");
    assert_eq!((message.id.as_str(), message.receive_count), ("m0", 3));
    assert_eq!(
        message.queue_arn,
        "arn:aws:sqs:us-east-2:123456789012:my-queue"
    );

    let event = OperationsEvent::decode(json!({"operation": "ping"})).unwrap();
    let OperationsEvent::Invocation(payload) = event else {
        panic!("not a payload");
    };
    assert_eq!(payload.operation, "ping");
}

#[test]
fn a_payload_of_another_shape_says_what_is_wrong() {
    let Err(error) = OperationsEvent::decode(json!({"payload": 1})) else {
        panic!("accepted");
    };
    assert_eq!(
        error.to_string(),
        "invalid event: missing field `operation`"
    );
}

#[tokio::test]
async fn one_bad_message_fails_alone() {
    let bodies = [
        r#"{"operation": "ping"}"#,
        "not json",
        r#"{"operation": "frobnicate"}"#,
        r#"{"operation": "echo"}"#,
    ];
    let batch = QueueBatch::<Operation>::decode(batch(&bodies, None)).unwrap();
    let mut seen = Vec::new();
    let failures = batch
        .process(async |message| {
            seen.push(message.operation.clone());
            match message.operation.as_str() {
                "frobnicate" => Err(std::io::Error::other("unrecognized")),
                _ => Ok(()),
            }
        })
        .await;
    assert_eq!(seen, ["ping", "frobnicate", "echo"]);
    // The answer of
    // <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>.
    assert_eq!(
        serde_json::to_value(&failures).unwrap(),
        json!({"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]})
    );
}

#[tokio::test]
async fn the_rest_of_an_ordered_batch_waits_behind_a_failure() {
    let bodies = [
        r#"{"operation": "ping"}"#,
        "not json",
        r#"{"operation": "echo"}"#,
    ];
    let batch = QueueBatch::<Operation>::decode(batch(&bodies, Some("g"))).unwrap();
    let mut tried = 0;
    let failures = batch
        .process(async |_| {
            tried += 1;
            Ok::<_, std::io::Error>(())
        })
        .await;
    assert_eq!(tried, 1);
    assert_eq!(failures.message_ids().collect::<Vec<_>>(), ["m1", "m2"]);
}

#[test]
fn no_failures_are_an_empty_list() {
    assert_eq!(
        serde_json::to_value(BatchFailures::default()).unwrap(),
        json!({"batchItemFailures": []})
    );
}

/// The "input format" of
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>, where absent
/// maps are `null`.
#[test]
fn a_request_of_an_api() {
    let payload = json!({
        "resource": "/orders/{id}",
        "path": "/orders/7",
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": {"id": "7"},
        "stageVariables": null,
        "requestContext": {"requestId": "r"},
        "body": "{\"operation\": \"ping\"}",
        "isBase64Encoded": false
    });
    assert!(ApiRequest::recognises(&payload));
    let request = ApiRequest::decode(payload).unwrap();
    assert_eq!(request.path_parameters["id"], "7");
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert!(request.query_string_parameters.is_empty());
    assert_eq!(request.json::<Operation>().unwrap().operation, "ping");

    let response = ApiResponse::json(201, &json!({"id": 7})).unwrap();
    assert_eq!(
        serde_json::to_value(response).unwrap(),
        json!({
            "statusCode": 201,
            "headers": {"content-type": "application/json"},
            "body": "{\"id\":7}",
            "isBase64Encoded": false
        })
    );
}

/// A request with what a user-pool authorizer and IAM authorization add to the context; the claims are texts, as
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html> has
/// them under `$context.authorizer.claims.property`.
#[test]
fn a_request_tells_who_calls() {
    let request = |groups: serde_json::Value| {
        ApiRequest::decode(json!({
            "resource": "/user/{userid}",
            "path": "/user/7",
            "httpMethod": "GET",
            "pathParameters": {"userid": "7"},
            "queryStringParameters": {"token": "a b"},
            "requestContext": {
                "requestId": "r1",
                "authorizer": {"claims": {"sub": "s1", "cognito:groups": groups}, "plan": "free"},
                "identity": {"cognitoIdentityId": "eu-west-1:1"},
            },
            "body": "eyJvcGVyYXRpb24iOiAicGluZyJ9",
            "isBase64Encoded": true,
        }))
        .unwrap()
    };
    for groups in ["admin,barista", "[admin, barista]", "[admin barista]"] {
        assert_eq!(
            request(groups.into()).groups(),
            ["admin", "barista"],
            "{groups}"
        );
    }
    assert_eq!(request("admins".into()).groups(), ["admins"]);
    assert!(request("[]".into()).groups().is_empty());
    let request = request(serde_json::Value::Null);
    assert!(request.groups().is_empty());
    assert_eq!(request.claim("sub"), Some("s1"));
    assert_eq!(request.cognito_identity_id(), Some("eu-west-1:1"));
    assert_eq!(request.authorized("plan"), Some("free"));
    assert_eq!(request.request_id(), Some("r1"));
    assert_eq!(request.route(), ("GET", "/user/{userid}"));
    assert_eq!(request.path_parameter("userid"), Some("7"));
    assert_eq!(request.query("token"), Some("a b"));
    assert!(request.has_query());
    assert_eq!(request.json::<Operation>().unwrap().operation, "ping");

    let broken = ApiRequest {
        body: Some("{}".to_owned()),
        is_base64_encoded: true,
        ..ApiRequest::default()
    };
    let error = broken.json::<Operation>().unwrap_err();
    assert_eq!(error.to_string(), "the body is not Base64");
}
