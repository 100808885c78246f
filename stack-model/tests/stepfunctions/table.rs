//! Tasks that read and write the items of a table.

use insta::assert_json_snapshot;
use serde_json::{Value as Json, json};
use stack_model::contract::{IndexSchema, KeyAttribute, KeyKind, TableItem, TableSchema};
use stack_model::dynamodb::{TableProps, TableRef};
use stack_model::stepfunctions::{Attribute, Key, Query, ReturnValues, Task, UpdateItem};
use stack_model::{Stack, path, payload};

use super::task::{rendered, wrong};

struct Reading;

impl TableItem for Reading {
    fn schema() -> TableSchema {
        let key = |name: &str, kind| KeyAttribute {
            name: name.to_owned(),
            kind,
        };
        TableSchema {
            partition_key: key("sensor", KeyKind::String),
            sort_key: Some(key("at", KeyKind::Number)),
            indexes: vec![IndexSchema {
                name: "by-day".to_owned(),
                partition_key: Some(key("day", KeyKind::String)),
                sort_key: None,
            }],
            time_to_live: None,
        }
    }
}

fn readings(stack: &mut Stack<'_>) -> TableRef<Reading> {
    stack.table("Readings", TableProps::default())
}

fn key() -> Key {
    Key::of("sensor", path!("$.sensor")).and("at", path!("$.at"))
}

#[test]
fn items_are_read_written_and_deleted_by_keys_of_the_right_type() {
    let get = rendered(|stack| Task::get_item(&readings(stack), key()).into());
    assert_json_snapshot!(get, @r#"
    {
      "allowed": [
        {
          "Action": "dynamodb:GetItem",
          "Effect": "Allow",
          "Resource": {
            "Fn::GetAtt": [
              "Readings",
              "Arn"
            ]
          }
        }
      ],
      "state": {
        "Parameters": {
          "Key": {
            "at": {
              "N.$": "States.Format('{}', $.at)"
            },
            "sensor": {
              "S.$": "$.sensor"
            }
          },
          "TableName": "${Readings}"
        },
        "Resource": "arn:aws:states:::dynamodb:getItem"
      }
    }
    "#);
    let put = rendered(|stack| {
        let item = [
            ("sensor", Attribute::text("s1")),
            ("at", Attribute::number(5)),
            ("on", Attribute::boolean(path!("$.on"))),
            ("tags", Attribute::raw(payload!({ "SS": ["a"] }))),
        ];
        Task::put_item(&readings(stack), item)
            .discard_result()
            .into()
    });
    assert_eq!(
        put["state"]["Parameters"]["Item"],
        json!({
            "sensor": {"S": "s1"},
            "at": {"N": "5"},
            "on": {"BOOL.$": "$.on"},
            "tags": {"SS": ["a"]},
        })
    );
    assert_eq!(put["state"]["ResultPath"], Json::Null);
    assert_eq!(put["allowed"][0]["Action"], "dynamodb:PutItem");
    let delete = rendered(|stack| Task::delete_item(&readings(stack), key()).into());
    assert_eq!(delete["allowed"][0]["Action"], "dynamodb:DeleteItem");
    let consistent = rendered(|stack| Task::get_item_consistently(&readings(stack), key()).into());
    assert_eq!(consistent["state"]["Parameters"]["ConsistentRead"], true);
}

#[test]
fn an_update_says_what_its_placeholders_are() {
    let update = rendered(|stack| {
        let update = UpdateItem::new(key(), "SET #v = :v")
            .only_if("attribute_exists(sensor) AND #v < :v")
            .name("#v", "value")
            .value(":v", Attribute::number(path!("$.v")))
            .returning(ReturnValues::UpdatedOld);
        Task::update_item(&readings(stack), update).into()
    });
    let mut parameters = update["state"]["Parameters"].clone();
    parameters
        .as_object_mut()
        .unwrap()
        .retain(|entry, _| entry != "Key");
    assert_eq!(
        parameters,
        json!({
            "TableName": "${Readings}",
            "UpdateExpression": "SET #v = :v",
            "ConditionExpression": "attribute_exists(sensor) AND #v < :v",
            "ExpressionAttributeNames": {"#v": "value"},
            "ExpressionAttributeValues": {":v": {"N.$": "States.Format('{}', $.v)"}},
            "ReturnValues": "UPDATED_OLD",
        })
    );
    let found = wrong(|stack| {
        let update = UpdateItem::new(Key::of("sensor", "s").and("when", 5), "SET a = :a")
            .value(":b", Attribute::text("x"));
        Task::update_item(&readings(stack), update).into()
    });
    assert_json_snapshot!(found, @r#"
    [
      "the state `Task` uses `:a` in an expression and does not say what it is",
      "the state `Task` says what `:b` is and uses it in no expression, which DynamoDB refuses",
      "the state `Task` names an item without `at`, which is part of the table's key",
      "the state `Task` names an item by `when`, and the key of the table is sensor and at"
    ]
    "#);
    let found =
        wrong(|stack| Task::put_item(&readings(stack), [("sensor", Attribute::text("s"))]).into());
    assert_eq!(
        found,
        ["the state `Task` writes an item without `at`, which is part of the table's key"]
    );
}

#[test]
fn a_query_may_read_an_index() {
    let query = rendered(|stack| {
        let query = Query {
            index: Some("by-day"),
            limit: Some(5),
            descending: true,
            ..Query::of("#d = :d", [(":d", Attribute::text(path!("$.day")))])
        };
        let query = Query {
            names: [("#d".to_owned(), "day".to_owned())].into(),
            ..query
        };
        Task::query(&readings(stack), query).into()
    });
    assert_json_snapshot!(query, @r##"
    {
      "allowed": [
        {
          "Action": "dynamodb:Query",
          "Effect": "Allow",
          "Resource": {
            "Fn::Sub": "${Readings.Arn}/index/by-day"
          }
        }
      ],
      "state": {
        "Parameters": {
          "ExpressionAttributeNames": {
            "#d": "day"
          },
          "ExpressionAttributeValues": {
            ":d": {
              "S.$": "$.day"
            }
          },
          "IndexName": "by-day",
          "KeyConditionExpression": "#d = :d",
          "Limit": 5,
          "ScanIndexForward": false,
          "TableName": "${Readings}"
        },
        "Resource": "arn:aws:states:::aws-sdk:dynamodb:query"
      }
    }
    "##);
}
