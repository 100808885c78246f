//! Tables.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::contract::{IndexSchema, KeyAttribute, KeyKind, TableItem, TableSchema};
use stack_model::dynamodb::{
    Billing, Encryption, StreamView, TableClass, TableOperation, TableProps, TableRef,
};
use stack_model::iam::RoleProps;
use stack_model::kms::KeyProps;

use crate::support::{actions, dev, prod, property, resources, statements, violations};

fn key(name: &str, kind: KeyKind) -> KeyAttribute {
    KeyAttribute {
        name: name.to_owned(),
        kind,
    }
}

fn schema() -> TableSchema {
    TableSchema {
        partition_key: key("id", KeyKind::String),
        sort_key: None,
        indexes: Vec::new(),
        time_to_live: None,
    }
}

/// An item with one key.
struct Plain;

impl TableItem for Plain {
    fn schema() -> TableSchema {
        schema()
    }
}

/// An item with everything that an item type can say.
struct Order;

impl TableItem for Order {
    fn schema() -> TableSchema {
        TableSchema {
            partition_key: key("customer", KeyKind::String),
            sort_key: Some(key("placed", KeyKind::Number)),
            indexes: vec![
                IndexSchema {
                    name: "by-state".to_owned(),
                    partition_key: Some(key("state", KeyKind::String)),
                    sort_key: Some(key("placed", KeyKind::Number)),
                },
                IndexSchema {
                    name: "by-total".to_owned(),
                    partition_key: None,
                    sort_key: Some(key("total", KeyKind::Binary)),
                },
            ],
            time_to_live: Some("expires".to_owned()),
        }
    }
}

#[test]
fn a_table_is_paid_by_request_and_deleted_with_its_stack() {
    let resources = resources(dev(), |stack| {
        stack.table::<Plain>("Orders", TableProps::default());
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Orders": {
        "DeletionPolicy": "Delete",
        "Properties": {
          "AttributeDefinitions": [
            {
              "AttributeName": "id",
              "AttributeType": "S"
            }
          ],
          "BillingMode": "PAY_PER_REQUEST",
          "KeySchema": [
            {
              "AttributeName": "id",
              "KeyType": "HASH"
            }
          ]
        },
        "Type": "AWS::DynamoDB::Table",
        "UpdateReplacePolicy": "Delete"
      }
    }
    "#);
}

#[test]
fn a_table_of_a_protected_stage_is_kept_and_can_be_restored() {
    let resources = resources(prod(), |stack| {
        stack.table::<Plain>("Orders", TableProps::default());
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Orders": {
        "DeletionPolicy": "Retain",
        "Properties": {
          "AttributeDefinitions": [
            {
              "AttributeName": "id",
              "AttributeType": "S"
            }
          ],
          "BillingMode": "PAY_PER_REQUEST",
          "DeletionProtectionEnabled": true,
          "KeySchema": [
            {
              "AttributeName": "id",
              "KeyType": "HASH"
            }
          ],
          "PointInTimeRecoverySpecification": {
            "PointInTimeRecoveryEnabled": true
          }
        },
        "Type": "AWS::DynamoDB::Table",
        "UpdateReplacePolicy": "Retain"
      }
    }
    "#);
}

#[test]
fn protection_can_be_decided_by_hand() {
    let resources = resources(prod(), |stack| {
        stack.table::<Plain>(
            "Cache",
            TableProps {
                point_in_time_recovery: Some(false),
                deletion_protection: Some(false),
                ..TableProps::default()
            },
        );
    });
    let properties = &resources["Cache"]["Properties"];
    assert_eq!(properties.get("DeletionProtectionEnabled"), None);
    assert_eq!(properties.get("PointInTimeRecoverySpecification"), None);
    assert_eq!(resources["Cache"]["DeletionPolicy"], "RetainExceptOnCreate");
}

#[test]
fn every_property_reaches_the_template() {
    let resources = resources(dev(), |stack| {
        let key = stack.key("OrdersKey", KeyProps::default());
        stack.table::<Order>(
            "Orders",
            TableProps {
                name: Some("orders".into()),
                billing: Billing::Provisioned {
                    read: 5.into(),
                    write: 2.into(),
                },
                stream: Some(StreamView::NewAndOldImages),
                encryption: Encryption::CustomerKey(key),
                point_in_time_recovery: Some(true),
                recovery_period: Some(7.into()),
                deletion_protection: Some(true),
                class: TableClass::StandardInfrequentAccess,
            },
        );
    });
    assert_json_snapshot!(resources["Orders"], @r#"
    {
      "DeletionPolicy": "Retain",
      "Properties": {
        "AttributeDefinitions": [
          {
            "AttributeName": "customer",
            "AttributeType": "S"
          },
          {
            "AttributeName": "placed",
            "AttributeType": "N"
          },
          {
            "AttributeName": "state",
            "AttributeType": "S"
          },
          {
            "AttributeName": "total",
            "AttributeType": "B"
          }
        ],
        "BillingMode": "PROVISIONED",
        "DeletionProtectionEnabled": true,
        "GlobalSecondaryIndexes": [
          {
            "IndexName": "by-state",
            "KeySchema": [
              {
                "AttributeName": "state",
                "KeyType": "HASH"
              },
              {
                "AttributeName": "placed",
                "KeyType": "RANGE"
              }
            ],
            "Projection": {
              "ProjectionType": "ALL"
            },
            "ProvisionedThroughput": {
              "ReadCapacityUnits": 5,
              "WriteCapacityUnits": 2
            }
          }
        ],
        "KeySchema": [
          {
            "AttributeName": "customer",
            "KeyType": "HASH"
          },
          {
            "AttributeName": "placed",
            "KeyType": "RANGE"
          }
        ],
        "LocalSecondaryIndexes": [
          {
            "IndexName": "by-total",
            "KeySchema": [
              {
                "AttributeName": "customer",
                "KeyType": "HASH"
              },
              {
                "AttributeName": "total",
                "KeyType": "RANGE"
              }
            ],
            "Projection": {
              "ProjectionType": "ALL"
            }
          }
        ],
        "PointInTimeRecoverySpecification": {
          "PointInTimeRecoveryEnabled": true,
          "RecoveryPeriodInDays": 7
        },
        "ProvisionedThroughput": {
          "ReadCapacityUnits": 5,
          "WriteCapacityUnits": 2
        },
        "SSESpecification": {
          "KMSMasterKeyId": {
            "Fn::GetAtt": [
              "OrdersKey",
              "Arn"
            ]
          },
          "SSEEnabled": true,
          "SSEType": "KMS"
        },
        "StreamSpecification": {
          "StreamViewType": "NEW_AND_OLD_IMAGES"
        },
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
        "TableName": "orders",
        "TimeToLiveSpecification": {
          "AttributeName": "expires",
          "Enabled": true
        }
      },
      "Type": "AWS::DynamoDB::Table",
      "UpdateReplacePolicy": "Retain"
    }
    "#);
}

#[test]
fn the_accounts_key_needs_no_key_id() {
    let specification = property(dev(), "Orders", "SSESpecification", |stack| {
        stack.table::<Plain>(
            "Orders",
            TableProps {
                encryption: Encryption::AwsManaged,
                ..TableProps::default()
            },
        );
    });
    assert_json_snapshot!(specification, @r#"
    {
      "SSEEnabled": true,
      "SSEType": "KMS"
    }
    "#);
}

#[test]
fn streams_show_what_was_asked_for() {
    let cases = [
        (StreamView::KeysOnly, "KEYS_ONLY"),
        (StreamView::NewImage, "NEW_IMAGE"),
        (StreamView::OldImage, "OLD_IMAGE"),
        (StreamView::NewAndOldImages, "NEW_AND_OLD_IMAGES"),
    ];
    for (view, name) in cases {
        let specification = property(dev(), "Orders", "StreamSpecification", |stack| {
            let props = TableProps {
                stream: Some(view),
                ..TableProps::default()
            };
            let table = stack.table::<Plain>("Orders", props);
            assert!(table.stream_arn().is_some());
        });
        assert_eq!(specification["StreamViewType"], name);
    }
    let table: TableRef<Plain> = dev().stack("orders").table("Orders", TableProps::default());
    assert_eq!(table.stream_arn(), None);
}

#[test]
fn every_operation_allows_its_actions_and_no_others() {
    let cases = [
        (TableOperation::Get, "dynamodb:GetItem"),
        (TableOperation::Put, "dynamodb:PutItem"),
        (TableOperation::Update, "dynamodb:UpdateItem"),
        (TableOperation::Delete, "dynamodb:DeleteItem"),
        (TableOperation::Query, "dynamodb:Query"),
        (TableOperation::Scan, "dynamodb:Scan"),
        (TableOperation::BatchGet, "dynamodb:BatchGetItem"),
        (TableOperation::BatchWrite, "dynamodb:BatchWriteItem"),
        (
            TableOperation::ConditionCheck,
            "dynamodb:ConditionCheckItem",
        ),
        (TableOperation::Describe, "dynamodb:DescribeTable"),
        (TableOperation::QueryIndex("by-state"), "dynamodb:Query"),
        (TableOperation::ScanIndex("by-total"), "dynamodb:Scan"),
    ];
    let table: TableRef<Order> = dev().stack("orders").table("Orders", TableProps::default());
    for (operation, action) in cases {
        assert_eq!(
            actions(&table.statements(&[operation])),
            [[action]],
            "{operation:?}"
        );
    }
    assert!(table.statements(&[]).is_empty());
}

#[test]
fn tables_indexes_and_streams_are_granted_apart() {
    let statements = statements(dev(), |stack| {
        let props = TableProps {
            stream: Some(StreamView::NewImage),
            ..TableProps::default()
        };
        let table = stack.table::<Order>("Orders", props);
        table.statements(&[
            TableOperation::Get,
            TableOperation::QueryIndex("by-state"),
            TableOperation::ScanIndex("by-total"),
            TableOperation::Put,
            TableOperation::ReadStream,
        ])
    });
    assert_json_snapshot!(statements, @r#"
    [
      {
        "Action": [
          "dynamodb:GetItem",
          "dynamodb:PutItem"
        ],
        "Effect": "Allow",
        "Resource": {
          "Fn::GetAtt": [
            "Orders",
            "Arn"
          ]
        }
      },
      {
        "Action": "dynamodb:Query",
        "Effect": "Allow",
        "Resource": {
          "Fn::Sub": "${Orders.Arn}/index/by-state"
        }
      },
      {
        "Action": "dynamodb:Scan",
        "Effect": "Allow",
        "Resource": {
          "Fn::Sub": "${Orders.Arn}/index/by-total"
        }
      },
      {
        "Action": [
          "dynamodb:DescribeStream",
          "dynamodb:GetRecords",
          "dynamodb:GetShardIterator"
        ],
        "Effect": "Allow",
        "Resource": {
          "Fn::GetAtt": [
            "Orders",
            "StreamArn"
          ]
        }
      }
    ]
    "#);
}

#[test]
fn a_customer_key_is_granted_for_what_the_operations_need() {
    let encrypted = |operations: &[TableOperation]| {
        let mut app = dev();
        let mut stack = app.stack("orders");
        let key = stack.key("OrdersKey", KeyProps::default());
        let props = TableProps {
            encryption: Encryption::CustomerKey(key),
            ..TableProps::default()
        };
        actions(&stack.table::<Order>("Orders", props).statements(operations))
    };
    assert_eq!(
        encrypted(&[TableOperation::Get, TableOperation::QueryIndex("by-state")])
            .last()
            .unwrap(),
        &["kms:Decrypt", "kms:DescribeKey"]
    );
    assert_eq!(
        encrypted(&[TableOperation::Put])[1],
        [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo"
        ]
    );
    assert_eq!(encrypted(&[TableOperation::Describe]).len(), 1);
}

#[test]
fn an_index_or_stream_that_is_not_there_cannot_be_granted() {
    let found = violations(dev(), |stack| {
        let plain = stack.table::<Plain>("Plain", TableProps::default());
        let orders = stack.table::<Order>("Orders", TableProps::default());
        let statements = [
            plain.statements(&[TableOperation::QueryIndex("by-state")]),
            orders.statements(&[TableOperation::ScanIndex("by-name")]),
            orders.statements(&[TableOperation::ReadStream]),
        ];
        let role = stack.role(
            "Reader",
            stack_model::iam::RoleProps::for_service("lambda.amazonaws.com"),
        );
        stack.grant(&role, statements.concat());
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Reader: the table `Plain` has no index `by-state`: its item type declares none",
      "orders / Reader: the table `Orders` has no index `by-name`: its item type declares by-state, by-total",
      "orders / Reader: the table `Orders` has no stream: give `TableProps::stream` a view"
    ]
    "#);
}

/// An item type with everything wrong that an item type can get wrong.
struct Wrong;

impl TableItem for Wrong {
    fn schema() -> TableSchema {
        let local = |name: &str, sort_key| IndexSchema {
            name: name.to_owned(),
            partition_key: None,
            sort_key,
        };
        let mut indexes = vec![
            local("twice", Some(key("id", KeyKind::Number))),
            local("twice", None),
        ];
        for number in 0..5 {
            indexes.push(local(
                &format!("local-{number}"),
                Some(key("other", KeyKind::String)),
            ));
        }
        TableSchema {
            indexes,
            ..schema()
        }
    }
}

#[test]
fn what_no_table_can_be_made_of_is_reported_together() {
    let found = violations(dev(), |stack| {
        stack.table::<Wrong>(
            "Orders",
            TableProps {
                name: Some("a!".into()),
                billing: Billing::Provisioned {
                    read: 0.into(),
                    write: 0.into(),
                },
                point_in_time_recovery: Some(false),
                recovery_period: Some(36.into()),
                ..TableProps::default()
            },
        );
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Orders / Properties.TableName: `a!` has 2 characters and AWS takes 3 to 255",
      "orders / Orders / Properties.ProvisionedThroughput.ReadCapacityUnits: 0 is not between 1 and 4294967295",
      "orders / Orders / Properties.ProvisionedThroughput.WriteCapacityUnits: 0 is not between 1 and 4294967295",
      "orders / Orders / Properties.PointInTimeRecoverySpecification.RecoveryPeriodInDays: 36 is not between 1 and 35",
      "orders / Orders / Properties.PointInTimeRecoverySpecification.RecoveryPeriodInDays: a recovery period needs point in time recovery",
      "orders / Orders / Properties.AttributeDefinitions: the key attribute `id` has two types: an attribute has one type in the table and all its indexes",
      "orders / Orders / Properties.LocalSecondaryIndexes: the local index `twice` needs a table with a sort key: use a global index",
      "orders / Orders / Properties.LocalSecondaryIndexes: the index `twice` is declared twice",
      "orders / Orders / Properties.LocalSecondaryIndexes: the local index `twice` needs a sort key: it shares the partition key of the table",
      "orders / Orders / Properties.LocalSecondaryIndexes: the local index `twice` needs a table with a sort key: use a global index",
      "orders / Orders / Properties.LocalSecondaryIndexes: the local index `local-0` needs a table with a sort key: use a global index",
      "orders / Orders / Properties.LocalSecondaryIndexes: the local index `local-1` needs a table with a sort key: use a global index",
      "orders / Orders / Properties.LocalSecondaryIndexes: the local index `local-2` needs a table with a sort key: use a global index",
      "orders / Orders / Properties.LocalSecondaryIndexes: the local index `local-3` needs a table with a sort key: use a global index",
      "orders / Orders / Properties.LocalSecondaryIndexes: the local index `local-4` needs a table with a sort key: use a global index",
      "orders / Orders: the table has 7 local indexes and DynamoDB takes 5",
      "orders / Orders / Properties.LocalSecondaryIndexes.1.KeySchema: 1 elements are less than the least of 2"
    ]
    "#);
}

/// An item type with more global indexes than a table takes.
struct Many;

impl TableItem for Many {
    fn schema() -> TableSchema {
        let indexes = (0..21).map(|number| IndexSchema {
            name: format!("index-{number}"),
            partition_key: Some(key("id", KeyKind::String)),
            sort_key: None,
        });
        TableSchema {
            indexes: indexes.collect(),
            ..schema()
        }
    }
}

#[test]
fn global_indexes_are_counted() {
    let found = violations(dev(), |stack| {
        stack.table::<Many>("Orders", TableProps::default());
    });
    assert_eq!(
        found,
        ["orders / Orders: the table has 21 global indexes and DynamoDB takes 20"]
    );
}

#[test]
fn a_table_can_be_named_in_another_stack_without_an_import() {
    let mut app = dev();
    let props = TableProps {
        name: Some("Orders-dev".into()),
        ..TableProps::default()
    };
    let table = app.stack("data").table::<Order>("Orders", props).by_name();
    let unnamed = app
        .stack("data")
        .table::<Order>("Others", TableProps::default())
        .by_name();
    let mut stack = app.stack("orders");
    let role = stack.role("Role", RoleProps::for_service("lambda.amazonaws.com"));
    let operations = [TableOperation::Get, TableOperation::QueryIndex("by-state")];
    stack.grant(&role, table.statements(&operations));
    stack.output("Table", table.name());
    stack.output("Other", unnamed.name());
    let assembly = app.synth().unwrap();
    let template: serde_json::Value =
        serde_json::from_str(assembly.template("orders").unwrap()).unwrap();
    let arn = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/Orders-dev";
    let policies = &template["Resources"]["Role"]["Properties"]["Policies"];
    let statements = &policies[0]["PolicyDocument"]["Statement"];
    assert_eq!(statements[0]["Resource"], json!({ "Fn::Sub": arn }));
    let index = json!({ "Fn::Sub": format!("{arn}/index/by-state") });
    assert_eq!(statements[1]["Resource"], index);
    assert_eq!(template["Outputs"]["Table"]["Value"], "Orders-dev");
    // What CloudFormation names is known after its deploy alone.
    assert_eq!(
        template["Outputs"]["Other"]["Value"],
        json!({"Fn::ImportValue": "data-dev-Others"})
    );
    let data: serde_json::Value = serde_json::from_str(assembly.template("data").unwrap()).unwrap();
    assert_eq!(
        data["Outputs"].as_object().map(serde_json::Map::len),
        Some(1)
    );
}

#[test]
fn the_key_attributes_of_raw_tables_are_the_declared_ones() {
    let table = |attributes: serde_json::Value| {
        violations(dev(), |stack| {
            let index = serde_json::json!({
                "IndexName": "by-user",
                "KeySchema": [{"AttributeName": "user_id", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            });
            let properties = serde_json::json!({
                "AttributeDefinitions": attributes,
                "BillingMode": "PAY_PER_REQUEST",
                "GlobalSecondaryIndexes": [index],
                "KeySchema": [{"AttributeName": "order_id", "KeyType": "HASH"}],
            });
            stack.raw("Orders", "AWS::DynamoDB::Table", properties);
        })
    };
    let attribute = |name: &str| serde_json::json!({"AttributeName": name, "AttributeType": "S"});
    let right = serde_json::json!([attribute("order_id"), attribute("user_id")]);
    assert_eq!(table(right), Vec::<String>::new());
    let wrong = serde_json::json!([attribute("order_id"), attribute("created")]);
    assert_eq!(
        table(wrong),
        [
            "orders / Orders / Properties.AttributeDefinitions: the key attribute `user_id` is not declared: say its type among the attributes",
            "orders / Orders / Properties.AttributeDefinitions: the attribute `created` is declared and no key of the table or an index uses it: only key attributes are declared",
        ]
    );
    let unknown = serde_json::json!([attribute("order_id"), {"AttributeName": {"Ref": "AWS::Region"}, "AttributeType": "S"}]);
    assert_eq!(table(unknown), Vec::<String>::new());
}
