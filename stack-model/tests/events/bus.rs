use insta::assert_json_snapshot;
use serde_json::{Value as Json, json};
use stack_model::events::{
    ArchiveProps, BusLogging, BusOperation, Delivery, EventBusProps, EventBusRef, EventPattern,
    LogLevel, RuleProps,
};
use stack_model::kms::KeyProps;
use stack_model::logs::LogGroupProps;
use stack_model::policy::{Principal, Statement};
use stack_model::sqs::{Fifo, QueueProps};
use stack_model::{Arn, Pseudo, text};

use crate::support::{dev, prod, resources, statements, template, violations};

#[test]
fn a_bus_is_named_after_its_stack_as_aws_demands_a_name() {
    let resources = resources(dev(), |stack| {
        stack.event_bus("Bus", EventBusProps::default());
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Bus": {
        "Properties": {
          "Name": {
            "Fn::Sub": "${AWS::StackName}-Bus"
          }
        },
        "Type": "AWS::Events::EventBus"
      }
    }
    "#);
}

#[test]
fn a_key_and_dead_letters_let_this_bus_use_them() {
    let resources = resources(dev(), |stack| {
        let key = stack.key("Key", KeyProps::default());
        let lost = stack.queue::<String>("Lost", QueueProps::default());
        let props = EventBusProps {
            name: Some("shop".into()),
            description: Some("Orders".to_owned()),
            key: Some(key),
            dead_letters: Some((&lost).into()),
            logging: None,
        };
        stack.event_bus("Bus", props);
    });
    let arn = json!({
        "Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/shop"
    });
    assert_eq!(
        resources["Bus"]["Properties"],
        json!({
            "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Lost", "Arn"]}},
            "Description": "Orders",
            "KmsKeyIdentifier": {"Fn::GetAtt": ["Key", "Arn"]},
            "Name": "shop",
        })
    );
    assert_eq!(
        resources["Key"]["Properties"]["KeyPolicy"]["Statement"][1],
        json!({
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
            "Resource": "*",
            "Principal": {"Service": "events.amazonaws.com"},
            "Condition": {"StringEquals": {"aws:SourceArn": arn}},
        })
    );
    assert_eq!(
        resources["LostPolicy"]["Properties"]["PolicyDocument"]["Statement"][1],
        json!({
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": {"Fn::GetAtt": ["Lost", "Arn"]},
            "Principal": {"Service": "events.amazonaws.com"},
            "Condition": {"ArnEquals": {"aws:SourceArn": arn}},
        })
    );
}

#[test]
fn a_level_of_logging_delivers_that_level_and_the_more_severe_ones() {
    let resources = resources(dev(), |stack| {
        let log = stack.log_group("Log", LogGroupProps::default());
        let props = EventBusProps {
            logging: Some(BusLogging::to(&log, LogLevel::Info)),
            ..EventBusProps::default()
        };
        stack.event_bus("Bus", props);
    });
    assert_eq!(
        resources["Bus"]["Properties"]["LogConfig"],
        json!({"IncludeDetail": "NONE", "Level": "INFO"})
    );
    let names: Vec<&str> = resources
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "Bus",
            "BusErrorDelivery",
            "BusErrorLogs",
            "BusInfoDelivery",
            "BusInfoLogs",
            "BusLogDestination",
            "Log",
            "LogGroupsPolicy",
        ]
    );
    assert_json_snapshot!(
        json!([
            resources["BusErrorDelivery"]["Properties"],
            resources["BusErrorLogs"]["Properties"],
            resources["BusLogDestination"]["Properties"],
            resources["LogGroupsPolicy"]["Properties"]["PolicyDocument"]["Statement"],
        ]),
        @r#"
    [
      {
        "DeliveryDestinationArn": {
          "Fn::GetAtt": [
            "BusLogDestination",
            "Arn"
          ]
        },
        "DeliverySourceName": {
          "Ref": "BusErrorLogs"
        }
      },
      {
        "LogType": "ERROR_LOGS",
        "Name": {
          "Fn::Sub": [
            "BusErrorLogs-${Value1}",
            {
              "Value1": {
                "Fn::Select": [
                  0,
                  {
                    "Fn::Split": [
                      "-",
                      {
                        "Fn::Select": [
                          2,
                          {
                            "Fn::Split": [
                              "/",
                              {
                                "Ref": "AWS::StackId"
                              }
                            ]
                          }
                        ]
                      }
                    ]
                  }
                ]
              }
            }
          ]
        },
        "ResourceArn": {
          "Fn::GetAtt": [
            "Bus",
            "Arn"
          ]
        }
      },
      {
        "DestinationResourceArn": {
          "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Log}"
        },
        "Name": {
          "Fn::Sub": [
            "BusLogDestination-${Value1}",
            {
              "Value1": {
                "Fn::Select": [
                  0,
                  {
                    "Fn::Split": [
                      "-",
                      {
                        "Fn::Select": [
                          2,
                          {
                            "Fn::Split": [
                              "/",
                              {
                                "Ref": "AWS::StackId"
                              }
                            ]
                          }
                        ]
                      }
                    ]
                  }
                ]
              }
            }
          ]
        }
      },
      [
        {
          "Action": [
            "logs:CreateLogStream",
            "logs:PutLogEvents"
          ],
          "Condition": {
            "ArnLike": {
              "aws:SourceArn": {
                "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"
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
            "Service": "delivery.logs.amazonaws.com"
          },
          "Resource": {
            "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Log}:*"
          }
        }
      ]
    ]
    "#
    );
}

#[test]
fn the_bus_of_the_account_is_no_resource() {
    let granted = statements(dev(), |_| {
        EventBusRef::of_account().statements(&[BusOperation::Put])
    });
    assert_eq!(
        granted,
        json!([{
            "Effect": "Allow",
            "Action": "events:PutEvents",
            "Resource": {
                "Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
            },
        }])
    );
    assert_eq!(
        violations(dev(), |stack| {
            stack.event_bus("Bus", EventBusProps::default());
            stack.override_property(&EventBusRef::of_account(), "Name", "other");
        }),
        [
            "orders / default: `default` is kept by somebody else, so no stack of this app can change it",
        ]
    );
}

#[test]
fn an_existing_bus_is_named_by_its_arn() {
    let bus = Arn::parse("arn:aws:events:eu-central-1:123456789012:event-bus/shop").unwrap();
    let bus = EventBusRef::existing(bus);
    assert_eq!(bus.name().literal().map(String::as_str), Some("shop"));
    let arn = stack_model::Value::from("arn:aws:events:eu-central-1:123456789012:event-bus/shop");
    assert_eq!(bus.arn().into_text(), arn);
}

#[test]
fn an_existing_bus_is_named_by_its_name() {
    let resources = resources(dev(), |stack| {
        let bus = EventBusRef::named(stack.import("shop-bus-name"));
        let pattern = EventPattern::source("shop");
        let rule = stack.rule("Rule", &bus, pattern, RuleProps::default());
        stack.target(&rule, &EventBusRef::named("audit"), Delivery::event());
    });
    let rule = &resources["Rule"]["Properties"];
    assert_eq!(
        rule["EventBusName"],
        json!({"Fn::ImportValue": "shop-bus-name"})
    );
    assert_eq!(
        rule["Targets"][0]["Arn"],
        json!({
            "Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/audit"
        })
    );
}

#[test]
fn a_policy_statement_is_a_resource_of_its_own() {
    let resources = resources(dev(), |stack| {
        let bus = stack.event_bus("Bus", EventBusProps::default());
        let partner = text!("arn:{}:iam::111122223333:root", Pseudo::Partition);
        let put = Statement::allow([BusOperation::Put.action()]).to(Principal::Aws(partner));
        stack.event_bus_policy("Partner", &bus, put);
    });
    assert_eq!(
        resources["Partner"]["Properties"],
        json!({
            "EventBusName": {"Ref": "Bus"},
            "Statement": {
                "Effect": "Allow",
                "Action": "events:PutEvents",
                "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::111122223333:root"}},
                "Resource": {"Fn::GetAtt": ["Bus", "Arn"]},
            },
            "StatementId": "Partner",
        })
    );
}

#[test]
fn an_archive_outlives_a_protected_stack() {
    let template = template(prod(), |stack| {
        let bus = stack.event_bus("Bus", EventBusProps::default());
        let props = ArchiveProps {
            pattern: Some(EventPattern::source("shop")),
            retention: Some(30.into()),
            ..ArchiveProps::default()
        };
        stack.archive("Archive", &bus, props);
    });
    let archive = &template["Resources"]["Archive"];
    assert_eq!(archive["DeletionPolicy"], "RetainExceptOnCreate");
    assert_eq!(
        archive["Properties"],
        json!({
            "EventPattern": {"source": ["shop"]},
            "RetentionDays": 30,
            "SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]},
        })
    );
}

#[test]
fn what_is_wrong_with_a_bus_is_reported() {
    let found = violations(dev(), |stack| {
        let fifo = QueueProps {
            fifo: Some(Fifo::default()),
            ..QueueProps::default()
        };
        let lost = stack.queue::<Json>("Lost", fifo);
        let default = EventBusProps {
            name: Some("default".into()),
            ..EventBusProps::default()
        };
        stack.event_bus("Default", default);
        let slash = EventBusProps {
            name: Some("a/b".into()),
            dead_letters: Some((&lost).into()),
            ..EventBusProps::default()
        };
        stack.event_bus("Slash", slash);
        let everyone = Statement::allow(["events:PutEvents"]).to(Principal::Anyone);
        stack.event_bus_policy("Everyone", &EventBusRef::of_account(), everyone);
    });
    assert_eq!(
        found,
        [
            "orders / Default / Properties.Name: every account has a bus `default`: use `EventBusRef::of_account()`",
            "orders / Slash / Properties.Name: `a/b` holds '/'; AWS takes letters, digits and `.` `-` `_`",
            "orders / Slash / Properties.DeadLetterConfig: only events of a bus with a key of the customer's own go to its dead letters: give `EventBusProps::key`, or give the dead letters to the targets of rules",
            "orders / Slash: the FIFO queue `Lost` cannot take these dead letters: use a standard queue",
            "orders / Everyone: the principal `*` is a wildcard: name exactly what is needed, or say why it must be with `because(\"..\")`",
        ]
    );
}
