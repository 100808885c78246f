//! Messages, events, records and lines of logs.

use serde_json::{Map, Value, json};
use stack_graph::{Place, Template};

use super::pattern::{matching, selected};
use super::{Sample, resource};
use crate::template::referenced;

const TIME: &str = "2026-01-02T03:04:05Z";
const MILLIS: u64 = 1_767_323_045_000;
const ID: &str = "059f36b4-87a3-44ab-83d2-661975830a7d";

/// Returns whether a route belongs to a WebSocket API.
pub(super) fn is_websocket(templates: &[Template<'_>], route: &Place) -> bool {
    let Some(route_resource) = resource(templates, route) else {
        return false;
    };
    let by_key = route_resource["Properties"]["RouteKey"]
        .as_str()
        .is_some_and(|key| matches!(key, "$connect" | "$disconnect"));
    by_key
        || referenced(&route_resource["Properties"]["ApiId"])
            .into_iter()
            .any(|logical_id| {
                let api = Place {
                    stack: route.stack.clone(),
                    logical_id,
                };
                resource(templates, &api)
                    .is_some_and(|api| api["Properties"]["ProtocolType"] == "WEBSOCKET")
            })
}

/// See <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>.
pub(super) fn sqs(sample: &Sample<'_>) -> Value {
    let mut attributes = json!({
        "ApproximateReceiveCount": "1",
        "SentTimestamp": MILLIS.to_string(),
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "ApproximateFirstReceiveTimestamp": MILLIS.to_string()
    });
    let mut name = sample.name().to_owned();
    if sample.properties["FifoQueue"] == true {
        // A name that the queue has already ends so.
        if !name.contains('.') {
            name.push_str(".fifo");
        }
        attributes["SequenceNumber"] = "18849496460467696128".into();
        attributes["MessageGroupId"] = "1".into();
        attributes["MessageDeduplicationId"] = "1".into();
    }
    json!({"Records": [{
        "messageId": ID,
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
        "body": "{}",
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
        "eventSource": "aws:sqs",
        "eventSourceARN": sample.arn("sqs", &name),
        "awsRegion": sample.account.region
    }]})
}

/// See <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>.
pub(super) fn sns(sample: &Sample<'_>) -> Value {
    let topic = sample.arn("sns", sample.name());
    json!({"Records": [{
        "EventVersion": "1.0",
        "EventSubscriptionArn": format!("{topic}:21be56ed-a058-49f5-8c98-aedd2564c486"),
        "EventSource": "aws:sns",
        "Sns": {
            "SignatureVersion": "1",
            "Timestamp": "2026-01-02T03:04:05.000Z",
            "Signature": "sample",
            "SigningCertUrl": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-sample.pem",
            "MessageId": ID,
            "Message": "{}",
            "MessageAttributes": {},
            "Type": "Notification",
            "UnsubscribeUrl": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
            "TopicArn": topic,
            "Subject": null
        }
    }]})
}

/// See <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>.
pub(super) fn bus(sample: &Sample<'_>) -> Value {
    if let Some(input) = target_input(sample) {
        return input;
    }
    let mut event = json!({
        "version": "0",
        "id": ID,
        "detail-type": "Sample",
        "source": "sample",
        "account": sample.account.account,
        "time": TIME,
        "region": sample.account.region,
        "resources": [],
        "detail": {}
    });
    if let Value::Object(fields) = matching(&sample.properties["EventPattern"]) {
        for (key, value) in fields {
            // What a pattern says of the resources is about one of them.
            event[&key] = if key == "resources" {
                json!([value])
            } else {
                value
            };
        }
    }
    event
}

/// See <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html> and
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html>.
pub(super) fn schedule(sample: &Sample<'_>) -> Value {
    let by_scheduler = sample.resource_type == "AWS::Scheduler::Schedule";
    let input = if by_scheduler {
        literal(&sample.properties["Target"]["Input"])
    } else {
        target_input(sample)
    };
    if let Some(input) = input {
        return input;
    }
    let (source, resource, detail) = if by_scheduler {
        let resource = format!("schedule/default/{}", sample.name());
        (
            "aws.scheduler",
            sample.arn("scheduler", &resource),
            json!("{}"),
        )
    } else {
        let resource = format!("rule/{}", sample.name());
        ("aws.events", sample.arn("events", &resource), json!({}))
    };
    json!({
        "version": "0",
        "id": ID,
        "detail-type": "Scheduled Event",
        "source": source,
        "account": sample.account.account,
        "time": TIME,
        "region": sample.account.region,
        "resources": [resource],
        "detail": detail
    })
}

/// Returns the input that a rule has for the function, where that is written down.
fn target_input(sample: &Sample<'_>) -> Option<Value> {
    let targets = sample.properties["Targets"].as_array()?;
    let target = targets
        .iter()
        .find(|target| referenced(&target["Arn"]).contains(&sample.function.logical_id))?;
    literal(&target["Input"])
}

fn literal(input: &Value) -> Option<Value> {
    serde_json::from_str(input.as_str()?).ok()
}

/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>.
pub(super) fn s3(sample: &Sample<'_>) -> Value {
    let configurations = &sample.properties["NotificationConfiguration"]["LambdaConfigurations"];
    let none = Value::Null;
    let configuration = configurations
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| referenced(&one["Function"]).contains(&sample.function.logical_id))
        .unwrap_or(&none);
    let name = configuration["Event"]
        .as_str()
        .map_or("ObjectCreated:Put", |name| name.trim_start_matches("s3:"));
    let name = name.replace(
        '*',
        if name.starts_with("ObjectCreated") {
            "Put"
        } else {
            "Delete"
        },
    );
    let part = |wanted: &str| {
        let rules = configuration["Filter"]["S3Key"]["Rules"].as_array();
        rules
            .into_iter()
            .flatten()
            .find(|rule| {
                let name = rule["Name"].as_str().unwrap_or_default();
                name.eq_ignore_ascii_case(wanted)
            })
            .and_then(|rule| rule["Value"].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let bucket = sample.name().to_lowercase();
    json!({"Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": sample.account.region,
        "eventTime": "2026-01-02T03:04:05.000Z",
        "eventName": name,
        "userIdentity": {"principalId": "AWS:AIDAINPONIXQXHT3IKHL2"},
        "requestParameters": {"sourceIPAddress": "192.0.2.1"},
        "responseElements": {
            "x-amz-request-id": "D82B88E5F771F645",
            "x-amz-id-2": "vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLWGVHPZLj5NeC6qMa0emYBDXOo6QBU0Wo="
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "sample",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "A3I5XTEXAMAI3E"},
                "arn": format!("arn:aws:s3:::{bucket}")
            },
            "object": {
                "key": format!("{}sample{}", part("prefix"), part("suffix")),
                "size": 1024,
                "eTag": "b21b84d653bb07b05b1e6b33684dc11b",
                "sequencer": "0C0F6F405D6ED209E1"
            }
        }
    }]})
}

/// See <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>.
pub(super) fn dynamodb(sample: &Sample<'_>) -> Value {
    let types = sample.properties["AttributeDefinitions"].as_array();
    let of = |name: &str| {
        types
            .into_iter()
            .flatten()
            .find(|attribute| attribute["AttributeName"] == name)
            .and_then(|attribute| attribute["AttributeType"].as_str())
            .unwrap_or("S")
    };
    let mut keys = Map::new();
    for key in sample.properties["KeySchema"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = key["AttributeName"].as_str().unwrap_or_default();
        let value = match of(name) {
            "N" => json!({"N": "1"}),
            "B" => json!({"B": "c2FtcGxl"}),
            _ => json!({"S": "sample"}),
        };
        keys.insert(name.to_owned(), value);
    }
    if keys.is_empty() {
        keys.insert("id".to_owned(), json!({"S": "sample"}));
    }
    let view = sample.properties["StreamSpecification"]["StreamViewType"]
        .as_str()
        .unwrap_or("NEW_AND_OLD_IMAGES");
    let mut change = json!({
        "ApproximateCreationDateTime": MILLIS / 1000,
        "Keys": keys,
        "SequenceNumber": "4421584500000000017450439091",
        "SizeBytes": 26,
        "StreamViewType": view
    });
    // An item that is new has no old image.
    if view.starts_with("NEW") {
        change["NewImage"] = change["Keys"].clone();
    }
    let stream = format!("table/{}/stream/2026-01-02T03:04:05.000", sample.name());
    json!({"Records": [{
        "eventID": "c81e728d9d4c2f636f067f89cc14862c",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": sample.account.region,
        "dynamodb": change,
        "eventSourceARN": sample.arn("dynamodb", &stream)
    }]})
}

/// See <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>.
pub(super) fn kinesis(sample: &Sample<'_>) -> Value {
    let sequence = "49590338271490256608559692538361571095921575989136588898";
    json!({"Records": [{
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "1",
            "sequenceNumber": sequence,
            "data": "e30=",
            "approximateArrivalTimestamp": MILLIS / 1000
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": format!("shardId-000000000006:{sequence}"),
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": format!("arn:aws:iam::{}:role/sample", sample.account.account),
        "awsRegion": sample.account.region,
        "eventSourceARN": sample.arn("kinesis", &format!("stream/{}", sample.name()))
    }]})
}

/// A rule hands on what its statement selects of the message.
pub(super) fn iot(sample: &Sample<'_>) -> Value {
    let sql = sample.properties["TopicRulePayload"]["Sql"].as_str();
    selected(sql.unwrap_or("SELECT *"))
}

/// See <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>.
pub(super) fn logs(sample: &Sample<'_>) -> Value {
    let message = json!({
        "messageType": "DATA_MESSAGE",
        "owner": sample.account.account,
        "logGroup": "/sample",
        "logStream": "sample",
        "subscriptionFilters": [sample.name()],
        "logEvents": [{
            "id": "31953106606966983378809025079804211143289615424298221568",
            "timestamp": MILLIS,
            "message": "sample"
        }]
    });
    let data = aws_smithy_types::base64::encode(gzip(message.to_string().as_bytes()));
    json!({"awslogs": {"data": data}})
}

/// Wraps bytes as gzip (RFC 1952) without making them smaller: blocks of a length that a header can say.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    const BLOCK: usize = u16::MAX as usize;
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(BLOCK).peekable();
    while let Some(block) = blocks.next() {
        out.push(u8::from(blocks.peek().is_none()));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    out.extend(crc32(bytes).to_le_bytes());
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc >>= 1;
            if carry == 1 {
                crc ^= 0xedb8_8320;
            }
        }
    }
    !crc
}

/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html>.
pub(super) fn custom_resource(sample: &Sample<'_>) -> Value {
    let own = |key: &str| {
        let value = &sample.properties[key];
        if value.is_string() || value.is_number() || value.is_boolean() {
            value.clone()
        } else {
            "sample".into()
        }
    };
    let properties: Map<String, Value> = sample
        .properties
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| *key != "ServiceTimeout")
        .map(|(key, _)| (key.clone(), own(key)))
        .collect();
    let resource_type = if sample.resource_type.is_empty() {
        "AWS::CloudFormation::CustomResource"
    } else {
        sample.resource_type
    };
    let stack = format!("stack/{}/{ID}", sample.trigger.stack);
    json!({
        "RequestType": "Create",
        "ServiceToken": sample.arn("lambda", &format!("function:{}", sample.function.logical_id)),
        // An address of nobody: what the function answers goes nowhere.
        "ResponseURL": "https://cloudformation-custom-resource-response.invalid/sample",
        "StackId": sample.arn("cloudformation", &stack),
        "RequestId": ID,
        "ResourceType": resource_type,
        "LogicalResourceId": sample.trigger.logical_id,
        "ResourceProperties": properties
    })
}
