//! Notifications and events that come without being asked for: buckets, tables, topics and buses.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stack_bindings::{
    BusEvent, ChangeAction, Decode, Detail, Event, ObjectChanges, QueueBatch, TableChanges,
    TopicMessages,
};

use crate::declared::{Order, order};

/// The event of
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>.
fn notification() -> Value {
    json!({"Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-west-2",
        "eventTime": "1970-01-01T00:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AIDAJDPLRKLG7UEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "testConfigRule",
            "bucket": {
                "name": "amzn-s3-demo-bucket",
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": "arn:aws:s3:::amzn-s3-demo-bucket"
            },
            "object": {
                "key": "private/us-west-2%3A1/Happy+Face.jpg",
                "size": 1024,
                "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
                "sequencer": "0055AED6DCD90281E5"
            }
        }
    }]})
}

#[test]
fn an_object_is_named_as_its_owner_named_it() {
    let payload = notification();
    assert!(ObjectChanges::recognises(&payload));
    assert!(!QueueBatch::<Value>::recognises(&payload));
    let changes = ObjectChanges::decode(payload).unwrap().changes;
    let change = &changes[0];
    assert_eq!(change.key, "private/us-west-2:1/Happy Face.jpg");
    assert_eq!(change.bucket, "amzn-s3-demo-bucket");
    assert!(change.is_created() && !change.is_removed());
    assert_eq!(change.size, Some(1024));

    let mut broken = notification();
    broken["Records"][0]["s3"]["object"]["key"] = "100%".into();
    let error = ObjectChanges::decode(broken).unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid event: the key of the object is not encoded as a form encodes it"
    );
}

/// A record as in <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-sample-dynamodb>.
fn record(sequence_number: &str, action: &str, drink: Option<&str>) -> Value {
    let mut record = json!({
        "eventID": format!("e{sequence_number}"),
        "eventVersion": "1.0",
        "dynamodb": {
            "ApproximateCreationDateTime": 1.5e9,
            "Keys": {"PK": {"S": "u1"}, "sequenceNumber": {"N": "7"}},
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            "SequenceNumber": sequence_number,
            "SizeBytes": 26
        },
        "awsRegion": "us-west-2",
        "eventName": action,
        "eventSourceARN": "arn:aws:dynamodb:us-west-2:111122223333:table/t/stream/2015-05-11T21:21:33.291",
        "eventSource": "aws:dynamodb"
    });
    if let Some(drink) = drink {
        record["dynamodb"]["NewImage"] = json!({
            "PK": {"S": "u1"},
            "sequenceNumber": {"N": "7"},
            "state": {"S": "placed"},
            "placedAt": {"N": "1700000000"},
            "drink": {"S": drink},
            "expires": {"NULL": true}
        });
    }
    record
}

#[test]
fn a_change_shows_the_item_typed_and_raw() {
    let payload =
        json!({"Records": [record("1", "INSERT", Some("latte")), record("2", "REMOVE", None)]});
    assert!(TableChanges::<Order>::recognises(&payload));
    let changes = TableChanges::<Order>::decode(payload)
        .unwrap()
        .into_changes();
    let inserted = &changes[0];
    assert_eq!(inserted.action, ChangeAction::Insert);
    let image = inserted.new.as_ref().unwrap();
    assert_eq!(image.item.as_ref().unwrap(), &order());
    assert_eq!(image.raw["sequenceNumber"], json!({"N": "7"}));
    assert_eq!(inserted.key.as_ref().unwrap().sequence_number, 7);
    assert!(inserted.old.is_none() && !inserted.expired);
    assert_eq!(changes[1].action, ChangeAction::Remove);
    assert!(changes[1].new.is_none());
}

/// Every type of
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>.
#[test]
fn every_type_of_attribute_can_be_read() {
    use crate::declared::Record;

    let mut record = record("1", "MODIFY", None);
    record["dynamodb"]["NewImage"] = json!({
        "id": {"S": "1"},
        "yes": {"BOOL": true},
        "nothing": {"NULL": true},
        "whole": {"N": "-12"},
        "fraction": {"N": "1.5"},
        "bytes": {"B": "AQI="},
        "list": {"L": [{"S": "a"}, {"N": "1"}]},
        "map": {"M": {"a": {"M": {"b": {"BOOL": false}}}}},
        "texts": {"SS": ["a", "b"]},
        "numbers": {"NS": ["1", "2.5"]},
        "blobs": {"BS": ["AQ=="]}
    });
    record["dynamodb"]["OldImage"] = json!({"id": {"S": "1"}, "odd": {"X": "1"}});
    let changes = TableChanges::<Record>::decode(json!({"Records": [record]}))
        .unwrap()
        .into_changes();
    let item = changes[0].new.as_ref().unwrap().item.as_ref().unwrap();
    assert_eq!(
        Value::Object(item.rest.clone()),
        json!({
            "yes": true, "nothing": null, "whole": -12, "fraction": 1.5, "bytes": [1, 2],
            "list": ["a", 1], "map": {"a": {"b": false}}, "texts": ["a", "b"], "numbers": [1, 2.5],
            "blobs": [[1]]
        })
    );
    let old = changes[0].old.as_ref().unwrap();
    assert_eq!(
        old.item.as_ref().unwrap_err().to_string(),
        "an attribute has the unknown or unfit type X"
    );
    assert_eq!(old.raw["odd"], json!({"X": "1"}));
}

#[tokio::test]
async fn nothing_overtakes_a_change_that_failed() {
    let records: Vec<_> = ["1", "2", "3"]
        .map(|number| record(number, "MODIFY", Some(number)))
        .into();
    let changes = TableChanges::<Order>::decode(json!({ "Records": records })).unwrap();
    let mut seen = Vec::new();
    let failures = changes
        .process(async |change| {
            seen.push(change.sequence_number.clone());
            match change.sequence_number.as_str() {
                "2" => Err(std::io::Error::other("broken")),
                _ => Ok(()),
            }
        })
        .await;
    assert_eq!(seen, ["1", "2"]);
    assert_eq!(
        serde_json::to_value(&failures).unwrap(),
        json!({"batchItemFailures": [{"itemIdentifier": "2"}]})
    );
}

/// The event of <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>.
#[test]
fn a_message_of_a_topic() {
    let payload = json!({"Records": [{
        "EventVersion": "1.0",
        "EventSubscriptionArn": "arn:aws:sns:us-east-1:123456789012:sns-lambda:21be56ed",
        "EventSource": "aws:sns",
        "Sns": {
            "SignatureVersion": "1",
            "Timestamp": "2019-01-02T12:45:07.000Z",
            "Signature": "tcc6faL2yUC6dgZdmrwh1Y4cGa/ebXEkAi6RibDsvpi+tE/1+82j...65r==",
            "SigningCertUrl": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService.pem",
            "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
            "Message": "[1, 2]",
            "MessageAttributes": {"kind": {"Type": "String", "Value": "numbers"}},
            "Type": "Notification",
            "UnsubscribeUrl": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
            "TopicArn": "arn:aws:sns:us-east-1:123456789012:sns-lambda",
            "Subject": "TestInvoke"
        }
    }]});
    assert!(TopicMessages::<Vec<u8>>::recognises(&payload));
    let messages = TopicMessages::<Vec<u8>>::decode(payload).unwrap().messages;
    assert_eq!(messages[0].message.as_ref().unwrap(), &[1, 2]);
    assert_eq!(messages[0].attributes["kind"], "numbers");
    assert_eq!(messages[0].subject.as_deref(), Some("TestInvoke"));
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Detail)]
#[serde(rename_all = "camelCase")]
#[detail(type = "Orders.Placed")]
struct Placed {
    order_id: String,
}

/// The event of <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>.
fn event(detail_type: &str) -> Value {
    json!({
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": detail_type,
        "source": "orders",
        "account": "111122223333",
        "time": "2017-12-22T18:43:48Z",
        "region": "us-west-1",
        "resources": ["arn:aws:lambda:us-west-1:123456789012:function:f"],
        "detail": {"orderId": "7"}
    })
}

#[test]
fn an_event_is_told_by_its_detail_type() {
    let placed = event("Orders.Placed");
    assert!(BusEvent::<Placed>::recognises(&placed));
    let other = event("Orders.Paid");
    assert!(!BusEvent::<Placed>::recognises(&other));
    assert!(BusEvent::<Value>::recognises(&other));
    assert!(!BusEvent::<Value>::recognises(&notification()));

    let event = BusEvent::<Placed>::decode(placed).unwrap();
    assert_eq!(event.detail.order_id, "7");
    assert_eq!(event.source, "orders");
    assert_eq!(event.resources.len(), 1);
    assert_eq!(
        <Placed as Detail>::DETAIL_TYPE,
        <Placed as stack_model::contract::EventDetail>::DETAIL_TYPE
    );
}
