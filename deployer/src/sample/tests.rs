//! Triggers are found in templates, and their events are what AWS documents.

use serde_json::json;
use stack_graph::{Place, Template};

use super::*;

fn account() -> Account {
    Account {
        region: "eu-central-1".to_owned(),
        account: "123456789012".to_owned(),
        deployed: BTreeMap::new(),
    }
}

fn function() -> Place {
    Place {
        stack: "orders-dev".to_owned(),
        logical_id: "Fulfil".to_owned(),
    }
}

/// Returns the triggers of the function `Fulfil` among some resources, and the event of each.
fn sampled(resources: &Value) -> Vec<(Kind, String, Value)> {
    let mut json =
        json!({"Resources": {"Fulfil": {"Type": "AWS::Lambda::Function", "Properties": {}}}});
    let all = json["Resources"].as_object_mut().expect("is an object");
    all.extend(resources.as_object().expect("is an object").clone());
    let templates = [Template {
        stack: "orders-dev",
        json: &json,
    }];
    triggers(&templates, &function())
        .iter()
        .map(|trigger| {
            let event = event(&templates, &function(), trigger, &account());
            (trigger.kind, trigger.label.clone(), event)
        })
        .collect()
}

/// What is deployed is named as it is there: by the end of its physical id, whatever form that has.
#[test]
fn events_name_what_is_deployed() {
    let of = |kind, logical_id: &str, properties: Value, physical_id: &str, pointer: &str| {
        let json = json!({"Resources": {logical_id: {"Type": "X", "Properties": properties}}});
        let templates = [Template {
            stack: "orders-dev",
            json: &json,
        }];
        let place = Place {
            stack: "orders-dev".to_owned(),
            logical_id: logical_id.to_owned(),
        };
        let trigger = Trigger {
            kind,
            place: place.clone(),
            label: logical_id.to_owned(),
        };
        let account = Account {
            deployed: BTreeMap::from([(place, physical_id.to_owned())]),
            ..account()
        };
        let event = event(&templates, &function(), &trigger, &account);
        let told = event.pointer(pointer).and_then(Value::as_str);
        told.map(str::to_owned).unwrap_or_default()
    };
    let arn = |rest: &str| format!("arn:aws:{rest}");
    let url = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders-dev-Placed-1A2B";
    let source = "/Records/0/eventSourceARN";
    assert_eq!(
        of(Kind::Sqs, "Placed", json!({}), url, source),
        arn("sqs:eu-central-1:123456789012:orders-dev-Placed-1A2B")
    );
    assert_eq!(
        of(
            Kind::Sqs,
            "Placed",
            json!({"FifoQueue": true}),
            &format!("{url}.fifo"),
            source
        ),
        arn("sqs:eu-central-1:123456789012:orders-dev-Placed-1A2B.fifo")
    );
    let topic = arn("sns:eu-central-1:123456789012:orders-dev-News-1A2B");
    assert_eq!(
        of(
            Kind::Sns,
            "News",
            json!({}),
            &topic,
            "/Records/0/Sns/TopicArn"
        ),
        topic
    );
    assert_eq!(
        of(
            Kind::Schedule,
            "Daily",
            json!({}),
            "orders-dev-Daily-1A2B",
            "/resources/0"
        ),
        arn("events:eu-central-1:123456789012:rule/orders-dev-Daily-1A2B")
    );
    assert_eq!(
        of(
            Kind::CustomResource,
            "Made",
            json!({}),
            "other",
            "/LogicalResourceId"
        ),
        "Made"
    );
}

fn one(resources: &Value) -> (Kind, String, Value) {
    let found = sampled(resources);
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().expect("there is one")
}

fn arn(id: &str) -> Value {
    json!({"Fn::GetAtt": [id, "Arn"]})
}

#[test]
fn queues_and_tables_trigger_through_their_mappings() {
    let mapping = |source: Value| {
        json!({"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
            "FunctionName": {"Ref": "Fulfil"}, "EventSourceArn": source
        }})
    };
    let (kind, _, event) = one(&json!({
        "Orders": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": true}},
        "Mapping": mapping(arn("Orders")),
    }));
    assert_eq!(kind, Kind::Sqs);
    let record = &event["Records"][0];
    assert_eq!(
        record["eventSourceARN"],
        "arn:aws:sqs:eu-central-1:123456789012:Orders.fifo"
    );
    assert_eq!(record["attributes"]["MessageGroupId"], "1");
    let (kind, _, event) = one(&json!({
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}
            ],
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "n", "AttributeType": "N"}
            ],
            "StreamSpecification": {"StreamViewType": "KEYS_ONLY"}
        }},
        "Mapping": mapping(json!({"Fn::GetAtt": ["Table", "StreamArn"]})),
    }));
    assert_eq!(kind, Kind::Dynamodb);
    let change = &event["Records"][0]["dynamodb"];
    assert_eq!(
        change["Keys"],
        json!({"pk": {"S": "sample"}, "n": {"N": "1"}})
    );
    assert!(change["NewImage"].is_null(), "the stream has keys only");
}

#[test]
fn requests_have_the_route_and_its_parameters() {
    let uri = json!({"Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Fulfil.Arn}/invocations"});
    let (kind, label, event) = one(&json!({
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {}},
        "OrdersId": {"Type": "AWS::ApiGateway::Resource", "Properties": {
            "RestApiId": {"Ref": "Api"}, "PathPart": "{id}",
            "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]}
        }},
        "PutOrder": {"Type": "AWS::ApiGateway::Method", "Properties": {
            "HttpMethod": "PUT", "RestApiId": {"Ref": "Api"}, "ResourceId": {"Ref": "OrdersId"},
            "Integration": {"Type": "AWS_PROXY", "Uri": uri}
        }},
    }));
    assert_eq!((kind, label.as_str()), (Kind::RestApi, "PUT /{id}"));
    assert_eq!(event["resource"], "/{id}");
    assert_eq!(event["path"], "/id");
    assert_eq!(event["pathParameters"], json!({"id": "id"}));
    assert_eq!(event["body"], "{}");
    assert_eq!(event["requestContext"]["resourcePath"], "/{id}");

    let routed = |version: &str, protocol: &str, key: &str| {
        json!({
            "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": protocol}},
            "Integration": {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {
                "ApiId": {"Ref": "Api"}, "IntegrationUri": arn("Fulfil"),
                "PayloadFormatVersion": version
            }},
            "Route": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {
                "ApiId": {"Ref": "Api"}, "RouteKey": key,
                "Target": {"Fn::Sub": "integrations/${Integration}"}
            }},
        })
    };
    let (kind, _, event) = one(&routed("2.0", "HTTP", "GET /orders/{proxy+}"));
    assert_eq!(kind, Kind::HttpApi);
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "GET /orders/{proxy+}");
    assert_eq!(event["pathParameters"], json!({"proxy": "proxy"}));
    assert!(event.get("body").is_none(), "a GET has none");
    let (_, _, event) = one(&routed("1.0", "HTTP", "POST /orders"));
    assert_eq!(
        (&event["version"], &event["httpMethod"]),
        (&json!("1.0"), &json!("POST"))
    );
    let (kind, _, event) = one(&routed("1.0", "WEBSOCKET", "$connect"));
    assert_eq!(kind, Kind::Websocket);
    assert_eq!(event["requestContext"]["eventType"], "CONNECT");
    let (_, _, event) = one(&routed("1.0", "WEBSOCKET", "order"));
    assert_eq!(event["body"], r#"{"action":"order"}"#);
}

#[test]
fn rules_and_schedules_send_what_they_match_or_say() {
    let rule = |properties: Value| json!({"Rule": {"Type": "AWS::Events::Rule", "Properties": properties}});
    let (kind, _, event) = one(&rule(json!({
        "EventPattern": {
            "source": ["orders"], "detail-type": [{"prefix": "Order"}],
            "detail": {"total": [{"numeric": [">", 100]}], "state": {"name": ["paid", "sent"]}}
        },
        "Targets": [{"Arn": arn("Fulfil"), "Id": "a"}]
    })));
    assert_eq!(kind, Kind::Event);
    assert_eq!(event["source"], "orders");
    assert_eq!(event["detail-type"], "Ordersample");
    assert_eq!(
        event["detail"],
        json!({"total": 101, "state": {"name": "paid"}})
    );
    let (kind, _, event) = one(&rule(json!({
        "ScheduleExpression": "rate(1 hour)", "Targets": [{"Arn": arn("Fulfil"), "Id": "a"}]
    })));
    assert_eq!(kind, Kind::Schedule);
    assert_eq!(event["detail-type"], "Scheduled Event");
    assert_eq!(event["source"], "aws.events");
    let (_, _, event) = one(
        &json!({"Nightly": {"Type": "AWS::Scheduler::Schedule", "Properties": {
            "Target": {"Arn": arn("Fulfil"), "Input": "{\"job\":\"clean\"}"}
        }}}),
    );
    assert_eq!(event, json!({"job": "clean"}));
}

#[test]
fn aliases_stand_for_their_function() {
    let (kind, label, _) = one(&json!({
        "Live": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "Fulfil"}}},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}},
        "Subscription": {"Type": "AWS::SNS::Subscription", "Properties": {
            "Protocol": "lambda", "TopicArn": {"Ref": "Topic"}, "Endpoint": {"Ref": "Live"}
        }},
    }));
    assert_eq!((kind, label.as_str()), (Kind::Sns, "Topic"));
}

#[test]
fn objects_messages_and_users_are_those_that_were_asked_for() {
    let (kind, _, event) = one(
        &json!({"Photos": {"Type": "AWS::S3::Bucket", "Properties": {
            "NotificationConfiguration": {"LambdaConfigurations": [{
                "Event": "s3:ObjectRemoved:*", "Function": arn("Fulfil"),
                "Filter": {"S3Key": {"Rules": [
                    {"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".jpg"}
                ]}}
            }]}
        }}}),
    );
    assert_eq!(kind, Kind::S3);
    assert_eq!(event["Records"][0]["eventName"], "ObjectRemoved:Delete");
    assert_eq!(event["Records"][0]["s3"]["object"]["key"], "in/sample.jpg");
    let (kind, _, event) = one(
        &json!({"Rule": {"Type": "AWS::IoT::TopicRule", "Properties": {
            "TopicRulePayload": {
                "Sql": "SELECT *, topic(2) AS device, clientid() AS client, temperature FROM 'bar/+/state'",
                "Actions": [{"Lambda": {"FunctionArn": arn("Fulfil")}}]
            }
        }}}),
    );
    assert_eq!(kind, Kind::Iot);
    assert_eq!(
        event,
        json!({"device": "sample", "client": "sample", "temperature": "sample"})
    );
    let (kind, _, event) = one(
        &json!({"Users": {"Type": "AWS::Cognito::UserPool", "Properties": {
            "LambdaConfig": {"PostConfirmation": arn("Fulfil")}
        }}}),
    );
    assert_eq!(kind, Kind::Cognito);
    assert_eq!(event["triggerSource"], "PostConfirmation_ConfirmSignUp");
    let (kind, _, event) = one(
        &json!({"Sub": {"Type": "AWS::Logs::SubscriptionFilter", "Properties": {
            "DestinationArn": arn("Fulfil")
        }}}),
    );
    assert_eq!(kind, Kind::Logs);
    let data = event["awslogs"]["data"].as_str().expect("is text");
    let bytes = aws_smithy_types::base64::decode(data).expect("is base64");
    assert_eq!(unzipped(&bytes)["subscriptionFilters"], json!(["Sub"]));
}

/// Unpacks what `gzip` packed, by a program that knows better.
fn unzipped(bytes: &[u8]) -> Value {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut child = Command::new("gzip")
        .arg("-dc")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("gzip is there");
    let mut stdin = child.stdin.take().expect("is piped");
    stdin.write_all(bytes).expect("gzip reads");
    drop(stdin);
    let output = child.wait_with_output().expect("gzip ends");
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).expect("is JSON")
}

#[test]
fn what_a_function_uses_does_not_trigger_it() {
    let found = sampled(&json!({
        "Caller": {"Type": "AWS::Lambda::Function", "Properties": {
            "Environment": {"Variables": {"FULFIL": {"Ref": "Fulfil"}}}
        }},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Dimensions": [{"Value": {"Ref": "Fulfil"}}]}},
    }));
    assert_eq!(found, []);
}

#[test]
fn every_kind_has_an_event_without_a_template() {
    for kind in Kind::value_variants() {
        let event = event_of_kind(*kind, &function(), &account());
        assert!(event.is_object(), "{kind:?}");
        let empty = event.as_object().is_some_and(serde_json::Map::is_empty);
        let free = matches!(kind, Kind::StateMachine | Kind::Iot);
        assert_eq!(empty, free, "{kind:?}");
    }
}

#[test]
fn an_event_matches_the_pattern_it_is_made_from() {
    let pattern = json!({
        "source": ["shop.orders"],
        "detail": {
            "total": [{"numeric": [">", 100]}],
            "name": [{"prefix": "big-"}],
            "coupon": [{"exists": false}],
            "$or": [{"a": [1]}, {"b": [2]}],
        },
    });
    assert_eq!(
        super::pattern::matching(&pattern),
        json!({
            "source": "shop.orders",
            "detail": {"total": 101, "name": "big-sample"},
        })
    );
}

/// What only looks longer in lower case, such as the Kelvin sign, moves no place at which a statement is cut.
#[test]
fn statements_are_cut_between_characters() {
    let sql =
        "SELECT \u{212a}\u{212a}\u{212a} as aaaaaaaa, topic(2) AS segment FROM 'devices/+/seen'";
    assert_eq!(
        super::pattern::selected(sql),
        json!({"aaaaaaaa": "sample", "segment": "sample"})
    );
}
