//! Rules.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::Stack;
use stack_model::contract::{
    Accepts, FunctionContract, KeyAttribute, KeyKind, TableItem, TableSchema, Wired, event,
};
use stack_model::dynamodb::TableProps;
use stack_model::iot::{Qos, RuleAction, Selection, TopicFamilyRef, TopicRef, TopicRuleProps};
use stack_model::lambda::{FunctionProps, FunctionRef};
use stack_model::logs::LogGroupProps;
use stack_model::s3::BucketProps;
use stack_model::sns::TopicProps;
use stack_model::sqs::{Fifo, QueueProps};

use crate::support::{dev, property, resources, violations};

#[derive(Debug)]
struct Reading;

impl TableItem for Reading {
    fn schema() -> TableSchema {
        TableSchema {
            partition_key: KeyAttribute {
                name: "room".to_owned(),
                kind: KeyKind::String,
            },
            sort_key: None,
            indexes: Vec::new(),
            time_to_live: None,
        }
    }
}

#[derive(Debug)]
struct Store;

impl FunctionContract for Store {
    const PACKAGE: &'static str = "shop";
    const BINARY: &'static str = "shop-store";
}

impl Accepts<event::Invocation<Reading>> for Store {}

fn store(stack: &mut Stack<'_>) -> FunctionRef<Store> {
    stack.function("Store", Wired::new(Vec::new()), FunctionProps::default())
}

fn readings() -> TopicFamilyRef<Reading> {
    TopicFamilyRef::starting_with("shop/readings/")
}

#[test]
fn a_function_is_invoked_without_a_role() {
    let resources = resources(dev(), |stack| {
        let store = store(stack);
        let props = TopicRuleProps::to([RuleAction::function(&store)]);
        stack.topic_rule("Readings", readings().messages(), props);
    });
    assert_eq!(resources.get("ReadingsRole"), None);
    assert_eq!(
        resources["Readings"],
        json!({
            "Type": "AWS::IoT::TopicRule",
            "Properties": {"TopicRulePayload": {
                "Actions": [{"Lambda": {"FunctionArn": {"Fn::GetAtt": ["Store", "Arn"]}}}],
                "AwsIotSqlVersion": "2016-03-23",
                "Sql": "SELECT * FROM 'shop/readings/#'",
            }},
        })
    );
    assert_eq!(
        resources["ReadingsStorePermission"],
        json!({
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Fn::GetAtt": ["Store", "Arn"]},
                "Principal": "iot.amazonaws.com",
                "SourceAccount": {"Ref": "AWS::AccountId"},
                "SourceArn": {"Fn::GetAtt": ["Readings", "Arn"]},
            },
        })
    );
}

#[test]
fn each_action_is_allowed_exactly_what_it_does() {
    let resources = resources(dev(), |stack| {
        let queue = stack.queue::<Reading>("Queue", QueueProps::default());
        let topic = stack.topic::<Reading>("Topic", TopicProps::default());
        let table = stack.table::<Reading>("Table", TableProps::default());
        let bucket = stack.bucket("Bucket", BucketProps::default());
        let logs = stack.log_group("Failures", LogGroupProps::default());
        let alarms = TopicRef::<Reading>::named("shop/alarms");
        let props = TopicRuleProps {
            name: Some("readings".into()),
            description: Some("Keeps readings".to_owned()),
            on_error: Some(RuleAction::<String>::logs(&logs).on_error()),
            disabled: true,
            ..TopicRuleProps::to([
                RuleAction::queue(&queue),
                RuleAction::topic(&topic),
                RuleAction::table(&table),
                RuleAction::bucket(&bucket, "readings/${topic(3)}/${timestamp()}.json"),
                RuleAction::republish(&alarms, Qos::AtLeastOnce),
            ])
        };
        let hot = Selection::sql("SELECT * FROM 'shop/readings/+' WHERE temperature > 30");
        stack.topic_rule("Readings", hot, props);
    });
    assert_json_snapshot!([&resources["Readings"], &resources["ReadingsRole"]], @r#"
    [
      {
        "Properties": {
          "RuleName": "readings",
          "TopicRulePayload": {
            "Actions": [
              {
                "Sqs": {
                  "QueueUrl": {
                    "Ref": "Queue"
                  },
                  "RoleArn": {
                    "Fn::GetAtt": [
                      "ReadingsRole",
                      "Arn"
                    ]
                  },
                  "UseBase64": false
                }
              },
              {
                "Sns": {
                  "MessageFormat": "RAW",
                  "RoleArn": {
                    "Fn::GetAtt": [
                      "ReadingsRole",
                      "Arn"
                    ]
                  },
                  "TargetArn": {
                    "Ref": "Topic"
                  }
                }
              },
              {
                "DynamoDBv2": {
                  "PutItem": {
                    "TableName": {
                      "Ref": "Table"
                    }
                  },
                  "RoleArn": {
                    "Fn::GetAtt": [
                      "ReadingsRole",
                      "Arn"
                    ]
                  }
                }
              },
              {
                "S3": {
                  "BucketName": {
                    "Ref": "Bucket"
                  },
                  "Key": "readings/${topic(3)}/${timestamp()}.json",
                  "RoleArn": {
                    "Fn::GetAtt": [
                      "ReadingsRole",
                      "Arn"
                    ]
                  }
                }
              },
              {
                "Republish": {
                  "Qos": 1,
                  "RoleArn": {
                    "Fn::GetAtt": [
                      "ReadingsRole",
                      "Arn"
                    ]
                  },
                  "Topic": "shop/alarms"
                }
              }
            ],
            "AwsIotSqlVersion": "2016-03-23",
            "Description": "Keeps readings",
            "ErrorAction": {
              "CloudwatchLogs": {
                "LogGroupName": {
                  "Ref": "Failures"
                },
                "RoleArn": {
                  "Fn::GetAtt": [
                    "ReadingsRole",
                    "Arn"
                  ]
                }
              }
            },
            "RuleDisabled": true,
            "Sql": "SELECT * FROM 'shop/readings/+' WHERE temperature > 30"
          }
        },
        "Type": "AWS::IoT::TopicRule"
      },
      {
        "Properties": {
          "AssumeRolePolicyDocument": {
            "Statement": [
              {
                "Action": "sts:AssumeRole",
                "Condition": {
                  "ArnLike": {
                    "aws:SourceArn": {
                      "Fn::Sub": "arn:${AWS::Partition}:iot:${AWS::Region}:${AWS::AccountId}:rule/readings"
                    }
                  },
                  "StringEquals": {
                    "aws:SourceAccount": {
                      "Ref": "AWS::AccountId"
                    }
                  }
                },
                "Effect": "Allow",
                "Principal": {
                  "Service": "iot.amazonaws.com"
                }
              }
            ],
            "Version": "2012-10-17"
          },
          "Policies": [
            {
              "PolicyDocument": {
                "Statement": [
                  {
                    "Action": "sqs:SendMessage",
                    "Effect": "Allow",
                    "Resource": {
                      "Fn::GetAtt": [
                        "Queue",
                        "Arn"
                      ]
                    }
                  },
                  {
                    "Action": "sns:Publish",
                    "Effect": "Allow",
                    "Resource": {
                      "Ref": "Topic"
                    }
                  },
                  {
                    "Action": "dynamodb:PutItem",
                    "Effect": "Allow",
                    "Resource": {
                      "Fn::GetAtt": [
                        "Table",
                        "Arn"
                      ]
                    }
                  },
                  {
                    "Action": "s3:PutObject",
                    "Effect": "Allow",
                    "Resource": {
                      "Fn::Sub": "${Bucket.Arn}/readings/*"
                    }
                  },
                  {
                    "Action": "iot:Publish",
                    "Effect": "Allow",
                    "Resource": {
                      "Fn::Sub": "arn:${AWS::Partition}:iot:${AWS::Region}:${AWS::AccountId}:topic/shop/alarms"
                    }
                  },
                  {
                    "Action": [
                      "logs:CreateLogStream",
                      "logs:DescribeLogStreams",
                      "logs:PutLogEvents"
                    ],
                    "Effect": "Allow",
                    "Resource": {
                      "Fn::GetAtt": [
                        "Failures",
                        "Arn"
                      ]
                    }
                  }
                ],
                "Version": "2012-10-17"
              },
              "PolicyName": "granted"
            }
          ]
        },
        "Type": "AWS::IAM::Role"
      }
    ]
    "#);
}

#[test]
fn a_family_that_ends_within_a_level_is_selected_by_a_condition() {
    let sql = |prefix: &'static str| {
        property(dev(), "Rule", "TopicRulePayload", |stack| {
            let store = store(stack);
            let family = TopicFamilyRef::<Reading>::starting_with(prefix);
            let props = TopicRuleProps::to([RuleAction::function(&store)]);
            stack.topic_rule("Rule", family.messages(), props);
        })["Sql"]
            .take()
    };
    assert_eq!(
        sql("shop-user-"),
        "SELECT * FROM '#' WHERE startswith(topic(), 'shop-user-')"
    );
    assert_eq!(
        sql("shop/user-"),
        "SELECT * FROM 'shop/#' WHERE startswith(topic(), 'shop/user-')"
    );
}

#[test]
fn rules_are_checked() {
    let found = violations(dev(), |stack| {
        let store = store(stack);
        let invoke = || TopicRuleProps::to([RuleAction::function(&store)]);
        for (id, sql) in [
            ("Update", "UPDATE 'shop/readings'"),
            ("Unquoted", "SELECT * FROM shop/readings"),
            ("Filter", "select * from 'shop/#/readings'"),
            ("Open", "SELECT * FROM 'shop/readings"),
        ] {
            stack.topic_rule(id, Selection::sql(sql), invoke());
        }
        stack.topic_rule(
            "BasicIngest",
            Selection::sql("SELECT temperature"),
            invoke(),
        );
        let fifo = QueueProps {
            fifo: Some(Fifo::default()),
            ..QueueProps::default()
        };
        let queue = stack.queue::<Reading>("Fifo", fifo);
        let props = TopicRuleProps {
            name: Some("to-fifo".into()),
            ..TopicRuleProps::to([RuleAction::queue(&queue)])
        };
        stack.topic_rule("ToFifo", readings().messages(), props);
        let none = TopicRuleProps::to([]);
        stack.topic_rule("Idle", readings().messages(), none);
    });
    assert_eq!(
        found,
        [
            "Update / Properties.TopicRulePayload.Sql: `UPDATE 'shop/readings'` is not SQL of a rule: it starts with `SELECT`",
            "Unquoted / Properties.TopicRulePayload.Sql: `SELECT * FROM shop/readings` does not quote its topic: write `FROM 'shop/readings'`",
            "Filter / Properties.TopicRulePayload.Sql: `shop/#/readings` is no topic filter: in `#`, a wildcard stands beside something, or `#` before the end",
            "Open / Properties.TopicRulePayload.Sql: `SELECT * FROM 'shop/readings` does not end the quotation of its topic",
            "ToFifo / Properties.RuleName: `to-fifo` holds '-'; AWS takes letters, digits and `_`",
            "ToFifo: a rule sends to no FIFO queue: it gives no message group",
            "Idle / Properties.TopicRulePayload.Actions: the rule has 0 actions and AWS IoT takes 1 to 10",
        ]
        .map(|text| format!("orders / {text}"))
    );
}

#[test]
fn one_function_twice_has_one_permission() {
    let resources = resources(dev(), |stack| {
        let store = store(stack);
        let action = || RuleAction::function(&store);
        let props = TopicRuleProps {
            on_error: Some(action().on_error()),
            ..TopicRuleProps::to([action(), action()])
        };
        stack.topic_rule("Rule", readings().messages(), props);
    });
    let permissions = resources.as_object().unwrap();
    let permissions = permissions.keys().filter(|id| id.ends_with("Permission"));
    assert_eq!(permissions.count(), 1);
}
