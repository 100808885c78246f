//! Queues.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::kms::KeyProps;
use stack_model::policy::{Principal, Statement};
use stack_model::sqs::{
    Encryption, Fifo, QueueOperation, QueueProps, QueueRef, RedriveAllow, VisibilityTimeout,
};
use stack_model::{App, limit};

use crate::support::{actions, dev, prod, property, resources, statements, violations};

#[test]
fn a_queue_is_encrypted_and_reached_with_tls_only() {
    let resources = resources(dev(), |stack| {
        stack.queue::<String>("Orders", QueueProps::default());
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Orders": {
        "DeletionPolicy": "Delete",
        "Properties": {
          "SqsManagedSseEnabled": true
        },
        "Type": "AWS::SQS::Queue",
        "UpdateReplacePolicy": "Delete"
      },
      "OrdersPolicy": {
        "Properties": {
          "PolicyDocument": {
            "Statement": [
              {
                "Action": "sqs:*",
                "Condition": {
                  "Bool": {
                    "aws:SecureTransport": "false"
                  }
                },
                "Effect": "Deny",
                "Principal": "*",
                "Resource": {
                  "Fn::GetAtt": [
                    "Orders",
                    "Arn"
                  ]
                }
              }
            ],
            "Version": "2012-10-17"
          },
          "Queues": [
            {
              "Ref": "Orders"
            }
          ]
        },
        "Type": "AWS::SQS::QueuePolicy"
      }
    }
    "#);
}

#[test]
fn a_queue_of_a_protected_stage_outlives_its_stack() {
    let resources = resources(prod(), |stack| {
        stack.queue::<String>("Orders", QueueProps::default());
    });
    assert_eq!(
        resources["Orders"]["DeletionPolicy"],
        "RetainExceptOnCreate"
    );
    assert_eq!(resources["Orders"]["UpdateReplacePolicy"], "Retain");
    assert_eq!(resources["OrdersPolicy"].get("DeletionPolicy"), None);
}

#[test]
fn every_property_reaches_the_template() {
    let resources = resources(dev(), |stack| {
        let key = stack.key("OrdersKey", KeyProps::default());
        let dead = stack.queue::<String>(
            "DeadLetters",
            QueueProps {
                fifo: Some(Fifo::default()),
                redrive_allow: RedriveAllow::None,
                ..QueueProps::default()
            },
        );
        stack.queue::<String>(
            "Orders",
            QueueProps {
                name: Some("orders.fifo".into()),
                delay: Some(5.into()),
                visibility_timeout: Some(limit!(VisibilityTimeout, 60)),
                retention: Some(3600.into()),
                maximum_message_size: Some(2048.into()),
                receive_wait_time: Some(20.into()),
                redrive: Some(dead.after(5)),
                redrive_allow: RedriveAllow::Queues(vec![dead.arn()]),
                fifo: Some(Fifo {
                    content_based_deduplication: true,
                    high_throughput: true,
                }),
                encryption: Encryption::CustomerKey {
                    key,
                    data_key_reuse: Some(600.into()),
                },
            },
        );
    });
    assert_json_snapshot!(resources["Orders"], @r#"
    {
      "DeletionPolicy": "Delete",
      "Properties": {
        "ContentBasedDeduplication": true,
        "DeduplicationScope": "messageGroup",
        "DelaySeconds": 5,
        "FifoQueue": true,
        "FifoThroughputLimit": "perMessageGroupId",
        "KmsDataKeyReusePeriodSeconds": 600,
        "KmsMasterKeyId": {
          "Fn::GetAtt": [
            "OrdersKey",
            "Arn"
          ]
        },
        "MaximumMessageSize": 2048,
        "MessageRetentionPeriod": 3600,
        "QueueName": "orders.fifo",
        "ReceiveMessageWaitTimeSeconds": 20,
        "RedriveAllowPolicy": {
          "redrivePermission": "byQueue",
          "sourceQueueArns": [
            {
              "Fn::GetAtt": [
                "DeadLetters",
                "Arn"
              ]
            }
          ]
        },
        "RedrivePolicy": {
          "deadLetterTargetArn": {
            "Fn::GetAtt": [
              "DeadLetters",
              "Arn"
            ]
          },
          "maxReceiveCount": 5
        },
        "VisibilityTimeout": 60
      },
      "Type": "AWS::SQS::Queue",
      "UpdateReplacePolicy": "Delete"
    }
    "#);
    assert_eq!(
        resources["DeadLetters"]["Properties"]["RedriveAllowPolicy"],
        json!({"redrivePermission": "denyAll"})
    );
}

#[test]
fn statements_join_the_policy_of_the_queue() {
    let document = property(dev(), "OrdersPolicy", "PolicyDocument", |stack| {
        let queue = stack.queue::<String>("Orders", QueueProps::default());
        let sender = Principal::Aws("arn:aws:iam::123456789012:role/sender".into());
        let statement = Statement::allow(["sqs:SendMessage"]).to(sender);
        stack.queue_policy(&queue, [statement]);
    });
    assert_json_snapshot!(document["Statement"][1], @r#"
    {
      "Action": "sqs:SendMessage",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::123456789012:role/sender"
      },
      "Resource": {
        "Fn::GetAtt": [
          "Orders",
          "Arn"
        ]
      }
    }
    "#);
}

#[test]
fn every_operation_allows_its_action_and_no_other() {
    let cases = [
        (QueueOperation::Send, "sqs:SendMessage"),
        (QueueOperation::Receive, "sqs:ReceiveMessage"),
        (QueueOperation::Delete, "sqs:DeleteMessage"),
        (
            QueueOperation::ChangeVisibility,
            "sqs:ChangeMessageVisibility",
        ),
        (QueueOperation::GetAttributes, "sqs:GetQueueAttributes"),
        (QueueOperation::GetUrl, "sqs:GetQueueUrl"),
        (QueueOperation::Purge, "sqs:PurgeQueue"),
    ];
    let queue: QueueRef<String> = dev().stack("orders").queue("Orders", QueueProps::default());
    for (operation, action) in cases {
        assert_eq!(actions(&queue.statements(&[operation])), [[action]]);
    }
    assert!(queue.statements(&[]).is_empty());
}

#[test]
fn operations_on_one_queue_are_one_statement() {
    let statements = statements(dev(), |stack| {
        let queue = stack.queue::<String>("Orders", QueueProps::default());
        queue.statements(&[
            QueueOperation::Send,
            QueueOperation::Receive,
            QueueOperation::Send,
        ])
    });
    assert_json_snapshot!(statements, @r#"
    [
      {
        "Action": [
          "sqs:ReceiveMessage",
          "sqs:SendMessage"
        ],
        "Effect": "Allow",
        "Resource": {
          "Fn::GetAtt": [
            "Orders",
            "Arn"
          ]
        }
      }
    ]
    "#);
}

#[test]
fn a_customer_key_is_granted_for_what_the_operations_need() {
    let encrypted = |operations: &[QueueOperation]| {
        let mut app = dev();
        let mut stack = app.stack("orders");
        let key = stack.key("OrdersKey", KeyProps::default());
        let props = QueueProps {
            encryption: Encryption::customer_key(&key),
            ..QueueProps::default()
        };
        actions(
            &stack
                .queue::<String>("Orders", props)
                .statements(operations),
        )
    };
    let send = encrypted(&[QueueOperation::Send]);
    assert_eq!(send[1], ["kms:GenerateDataKey", "kms:Decrypt"]);
    assert_eq!(encrypted(&[QueueOperation::Receive])[1], ["kms:Decrypt"]);
    assert_eq!(encrypted(&[QueueOperation::Delete]).len(), 1);

    let statements = statements(dev(), |stack| {
        let key = stack.key("OrdersKey", KeyProps::default());
        let props = QueueProps {
            encryption: Encryption::customer_key(&key),
            ..QueueProps::default()
        };
        stack
            .queue::<String>("Orders", props)
            .statements(&[QueueOperation::Receive])
    });
    assert_json_snapshot!(statements[1], @r#"
    {
      "Action": "kms:Decrypt",
      "Condition": {
        "StringEquals": {
          "kms:ViaService": {
            "Fn::Sub": "sqs.${AWS::Region}.${AWS::URLSuffix}"
          }
        }
      },
      "Effect": "Allow",
      "Resource": {
        "Fn::GetAtt": [
          "OrdersKey",
          "Arn"
        ]
      }
    }
    "#);
}

#[test]
fn limits_are_reported_once_and_together() {
    let found = violations(dev(), |stack| {
        stack.queue::<String>(
            "Orders",
            QueueProps {
                delay: Some(901.into()),
                visibility_timeout: Some(43_201.into()),
                retention: Some(59.into()),
                maximum_message_size: Some(1023.into()),
                receive_wait_time: Some(21.into()),
                ..QueueProps::default()
            },
        );
        let key = stack.key("Key", KeyProps::default());
        let encryption = Encryption::CustomerKey {
            key,
            data_key_reuse: Some(59.into()),
        };
        stack.queue::<String>(
            "Encrypted",
            QueueProps {
                encryption,
                ..QueueProps::default()
            },
        );
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Orders / Properties.DelaySeconds: 901 is not between 0 and 900",
      "orders / Orders / Properties.VisibilityTimeout: 43201 is not between 0 and 43200",
      "orders / Orders / Properties.MessageRetentionPeriod: 59 is not between 60 and 1209600",
      "orders / Orders / Properties.MaximumMessageSize: 1023 is not between 1024 and 1048576",
      "orders / Orders / Properties.ReceiveMessageWaitTimeSeconds: 21 is not between 0 and 20",
      "orders / Encrypted / Properties.KmsDataKeyReusePeriodSeconds: 59 is not between 60 and 86400"
    ]
    "#);
}

#[test]
fn the_highest_numbers_fit() {
    let found = violations(dev(), |stack| {
        stack.queue::<String>(
            "Orders",
            QueueProps {
                name: Some("a".repeat(80).into()),
                delay: Some(900.into()),
                visibility_timeout: Some(43_200.into()),
                retention: Some(1_209_600.into()),
                maximum_message_size: Some(1_048_576.into()),
                receive_wait_time: Some(20.into()),
                ..QueueProps::default()
            },
        );
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn names_fit_the_kind_of_queue() {
    let named = |name: &str, fifo: bool| {
        violations(dev(), |stack| {
            stack.queue::<String>(
                "Orders",
                QueueProps {
                    name: Some(name.into()),
                    fifo: fifo.then(Fifo::default),
                    ..QueueProps::default()
                },
            );
        })
    };
    assert_eq!(named("orders-dev_1", false), [""; 0]);
    assert_eq!(named("orders.fifo", true), [""; 0]);
    assert_json_snapshot!(
        [named("orders.fifo", false), named("orders", true), named("or ders", false), named(&"a".repeat(81), false)].concat(),
        @r#"
    [
      "orders / Orders / Properties.QueueName: `orders.fifo` does not fit: the name of a FIFO queue ends with `.fifo`, and no other does",
      "orders / Orders / Properties.QueueName: `orders` does not fit: the name of a FIFO queue ends with `.fifo`, and no other does",
      "orders / Orders / Properties.QueueName: `or ders` holds ' '; AWS takes letters, digits and `-` `_`",
      "orders / Orders / Properties.QueueName: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` has 81 characters and AWS takes 1 to 80"
    ]
    "#
    );
}

#[test]
fn dead_letters_go_to_a_queue_of_the_same_kind() {
    let found = violations(dev(), |stack| {
        let dead = stack.queue::<String>("DeadLetters", QueueProps::default());
        stack.queue::<String>(
            "Orders",
            QueueProps {
                fifo: Some(Fifo::default()),
                redrive: Some(dead.after(1001)),
                redrive_allow: RedriveAllow::Queues(Vec::new()),
                ..QueueProps::default()
            },
        );
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Orders / Properties.RedrivePolicy.maxReceiveCount: 1001 is not between 1 and 1000",
      "orders / Orders / Properties.RedrivePolicy: the dead letters of a FIFO queue need a FIFO queue, and those of a standard queue a standard queue",
      "orders / Orders / Properties.RedriveAllowPolicy.sourceQueueArns: 0 queues are named and SQS takes 1 to 10: use `RedriveAllow::All` or `RedriveAllow::None`"
    ]
    "#);
}

#[test]
fn a_queue_of_another_stack_is_exported_and_keeps_its_policy() {
    let mut app: App = dev();
    let queue: QueueRef<String> = app.stack("data").queue("Orders", QueueProps::default());
    let mut stack = app.stack("orders");
    stack.queue::<String>(
        "Source",
        QueueProps {
            redrive: Some(queue.after(3)),
            ..QueueProps::default()
        },
    );
    let assembly = app.synth().unwrap();
    let template: serde_json::Value =
        serde_json::from_str(assembly.template("orders").unwrap()).unwrap();
    assert_eq!(
        template["Resources"]["Source"]["Properties"]["RedrivePolicy"],
        json!({
            "deadLetterTargetArn": {"Fn::ImportValue": "data-dev-Orders-Arn"},
            "maxReceiveCount": 3,
        })
    );

    let mut app = dev();
    let queue: QueueRef<String> = app.stack("data").queue("Orders", QueueProps::default());
    let mut stack = app.stack("orders");
    stack.queue::<String>("Own", QueueProps::default());
    stack.queue_policy(
        &queue,
        [Statement::deny(["sqs:SendMessage"]).to(Principal::Anyone)],
    );
    let found = crate::support::texts(&app.synth().unwrap_err());
    assert_eq!(
        found,
        [
            "orders / Orders: `Orders` belongs to the stack `data`, and its policy can only be changed there"
        ]
    );
}

#[test]
fn a_trigger_carries_the_type_of_the_messages() {
    let queue: QueueRef<String> = dev().stack("orders").queue("Orders", QueueProps::default());
    let trigger: stack_model::lambda::QueueTrigger<String> = queue.batches_of(10);
    assert!(format!("{trigger:?}").contains("Orders"));
    assert_eq!(queue.visibility_timeout(), 30);
}

#[test]
fn a_queue_can_be_named_in_another_stack_without_an_import() {
    let mut app: App = dev();
    let props = QueueProps {
        name: Some("Orders-dev".into()),
        ..QueueProps::default()
    };
    let queue: QueueRef<String> = app.stack("data").queue("Orders", props);
    let queue = queue.by_name();
    let mut stack = app.stack("orders");
    stack.queue::<String>("Own", QueueProps::default());
    stack.output("Arn", queue.arn());
    stack.output("Name", queue.name());
    stack.output("Url", queue.url());
    let assembly = app.synth().unwrap();
    let template: serde_json::Value =
        serde_json::from_str(assembly.template("orders").unwrap()).unwrap();
    let value = |key: &str| template["Outputs"][key]["Value"].clone();
    assert_eq!(
        value("Arn"),
        json!({"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:Orders-dev"})
    );
    assert_eq!(value("Name"), "Orders-dev");
    assert_eq!(
        value("Url"),
        json!({"Fn::Sub": "https://sqs.${AWS::Region}.${AWS::URLSuffix}/${AWS::AccountId}/Orders-dev"})
    );
    let data: serde_json::Value = serde_json::from_str(assembly.template("data").unwrap()).unwrap();
    assert_eq!(data.get("Outputs"), None);
}
