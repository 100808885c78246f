use serde_json::{Value as Json, json};
use stack_model::contract::{Accepts, EventDetail, FunctionContract, Wired, event};
use stack_model::events::{
    AnyDetail, Delivery, EventBusProps, EventPattern, Recurrence, RuleProps, TimeUnit,
};
use stack_model::lambda::{FunctionProps, FunctionRef};
use stack_model::logs::LogGroupProps;
use stack_model::{Stack, text};

use super::work;
use crate::support::{dev, resources, violations};

struct WorkflowStarted;
impl EventDetail for WorkflowStarted {
    const DETAIL_TYPE: &'static str = "OrderProcessor.WorkflowStarted";
}

struct Publisher;
impl FunctionContract for Publisher {
    const PACKAGE: &'static str = "coffee";
    const BINARY: &'static str = "coffee-publisher";
}
impl Accepts<event::BusEvent<AnyDetail>> for Publisher {}

struct Started;
impl FunctionContract for Started {
    const PACKAGE: &'static str = "coffee";
    const BINARY: &'static str = "coffee-started";
}
impl Accepts<event::BusEvent<WorkflowStarted>> for Started {}

fn function<F: FunctionContract>(stack: &mut Stack<'_>, id: &str) -> FunctionRef<F> {
    stack.function(id, Wired::new(Vec::new()), FunctionProps::default())
}

/// The rules of a coffee shop: who hears of what.
fn coffee(stack: &mut Stack<'_>) {
    let bus = stack.event_bus(
        "Bus",
        EventBusProps {
            name: Some(text!("Serverlesspresso-{}", stack.stage().name())),
            ..EventBusProps::default()
        },
    );
    let events = || EventPattern::source("awsserverlessda.serverlesspresso");
    let props = RuleProps::default;

    let admin = function::<Publisher>(stack, "PublisherAdmin");
    let user = function::<Publisher>(stack, "PublisherUser");
    let started = function::<Started>(stack, "Started");
    let log = stack.log_group(
        "BusLog",
        LogGroupProps {
            name: Some("/aws/events/serverlesspressoEventBus".into()),
            ..LogGroupProps::default()
        },
    );

    let prefixes = [
        "OrderManager.",
        "OrderProcessor.",
        "Validator.",
        "ConfigService.",
    ];
    let rule = stack.rule(
        "AdminRule",
        &bus,
        events().detail_type_prefixes(prefixes),
        props(),
    );
    stack.target(&rule, &admin, Delivery::event());

    for (id, prefix) in [
        ("Manager", "OrderManager."),
        ("Processor", "OrderProcessor."),
    ] {
        let pattern = events().detail_type_prefixes([prefix]);
        let rule = stack.rule(&format!("UserRule{id}"), &bus, pattern, props());
        stack.target(&rule, &user, Delivery::event());
    }

    let rule = stack.rule("LogAll", &bus, events(), props());
    stack.target(&rule, &log, Delivery::event());

    let pattern = events().detail_type::<WorkflowStarted>();
    let rule = stack.rule("WorkflowStarted", &bus, pattern, props());
    stack.target(&rule, &started, Delivery::event());
}

#[test]
fn the_rules_of_a_coffee_shop() {
    let resources = resources(dev(), coffee);
    let of = |kind: &str| -> Json {
        resources
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, resource)| resource["Type"] == kind)
            .map(|(id, resource)| (id.clone(), resource["Properties"].clone()))
            .collect()
    };
    insta::assert_json_snapshot!(of("AWS::Events::Rule"), @r#"
    {
      "AdminRule": {
        "EventBusName": {
          "Ref": "Bus"
        },
        "EventPattern": {
          "detail-type": [
            {
              "prefix": "OrderManager."
            },
            {
              "prefix": "OrderProcessor."
            },
            {
              "prefix": "Validator."
            },
            {
              "prefix": "ConfigService."
            }
          ],
          "source": [
            "awsserverlessda.serverlesspresso"
          ]
        },
        "State": "ENABLED",
        "Targets": [
          {
            "Arn": {
              "Fn::GetAtt": [
                "PublisherAdmin",
                "Arn"
              ]
            },
            "Id": "PublisherAdmin"
          }
        ]
      },
      "LogAll": {
        "EventBusName": {
          "Ref": "Bus"
        },
        "EventPattern": {
          "source": [
            "awsserverlessda.serverlesspresso"
          ]
        },
        "State": "ENABLED",
        "Targets": [
          {
            "Arn": {
              "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${BusLog}"
            },
            "Id": "BusLog"
          }
        ]
      },
      "UserRuleManager": {
        "EventBusName": {
          "Ref": "Bus"
        },
        "EventPattern": {
          "detail-type": [
            {
              "prefix": "OrderManager."
            }
          ],
          "source": [
            "awsserverlessda.serverlesspresso"
          ]
        },
        "State": "ENABLED",
        "Targets": [
          {
            "Arn": {
              "Fn::GetAtt": [
                "PublisherUser",
                "Arn"
              ]
            },
            "Id": "PublisherUser"
          }
        ]
      },
      "UserRuleProcessor": {
        "EventBusName": {
          "Ref": "Bus"
        },
        "EventPattern": {
          "detail-type": [
            {
              "prefix": "OrderProcessor."
            }
          ],
          "source": [
            "awsserverlessda.serverlesspresso"
          ]
        },
        "State": "ENABLED",
        "Targets": [
          {
            "Arn": {
              "Fn::GetAtt": [
                "PublisherUser",
                "Arn"
              ]
            },
            "Id": "PublisherUser"
          }
        ]
      },
      "WorkflowStarted": {
        "EventBusName": {
          "Ref": "Bus"
        },
        "EventPattern": {
          "detail-type": [
            "OrderProcessor.WorkflowStarted"
          ],
          "source": [
            "awsserverlessda.serverlesspresso"
          ]
        },
        "State": "ENABLED",
        "Targets": [
          {
            "Arn": {
              "Fn::GetAtt": [
                "Started",
                "Arn"
              ]
            },
            "Id": "Started"
          }
        ]
      }
    }
    "#);
    insta::assert_json_snapshot!(of("AWS::Lambda::Permission"), @r#"
    {
      "AdminRulePublisherAdminPermission": {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {
          "Fn::GetAtt": [
            "PublisherAdmin",
            "Arn"
          ]
        },
        "Principal": "events.amazonaws.com",
        "SourceArn": {
          "Fn::GetAtt": [
            "AdminRule",
            "Arn"
          ]
        }
      },
      "UserRuleManagerPublisherUserPermission": {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {
          "Fn::GetAtt": [
            "PublisherUser",
            "Arn"
          ]
        },
        "Principal": "events.amazonaws.com",
        "SourceArn": {
          "Fn::GetAtt": [
            "UserRuleManager",
            "Arn"
          ]
        }
      },
      "UserRuleProcessorPublisherUserPermission": {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {
          "Fn::GetAtt": [
            "PublisherUser",
            "Arn"
          ]
        },
        "Principal": "events.amazonaws.com",
        "SourceArn": {
          "Fn::GetAtt": [
            "UserRuleProcessor",
            "Arn"
          ]
        }
      },
      "WorkflowStartedStartedPermission": {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {
          "Fn::GetAtt": [
            "Started",
            "Arn"
          ]
        },
        "Principal": "events.amazonaws.com",
        "SourceArn": {
          "Fn::GetAtt": [
            "WorkflowStarted",
            "Arn"
          ]
        }
      }
    }
    "#);
    insta::assert_json_snapshot!(of("AWS::Logs::ResourcePolicy"), @r#"
    {
      "LogGroupsPolicy": {
        "PolicyDocument": {
          "Statement": [
            {
              "Action": "logs:CreateLogStream",
              "Effect": "Allow",
              "Principal": {
                "Service": [
                  "events.amazonaws.com",
                  "delivery.logs.amazonaws.com"
                ]
              },
              "Resource": {
                "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${BusLog}:*"
              }
            },
            {
              "Action": "logs:PutLogEvents",
              "Condition": {
                "ArnEquals": {
                  "aws:SourceArn": {
                    "Fn::GetAtt": [
                      "LogAll",
                      "Arn"
                    ]
                  }
                }
              },
              "Effect": "Allow",
              "Principal": {
                "Service": [
                  "events.amazonaws.com",
                  "delivery.logs.amazonaws.com"
                ]
              },
              "Resource": {
                "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${BusLog}:*"
              }
            }
          ],
          "Version": "2012-10-17"
        },
        "PolicyName": {
          "Fn::Sub": "${AWS::StackName}-log-groups"
        }
      }
    }
    "#);
}

#[test]
fn a_rule_can_follow_a_clock() {
    let resources = resources(dev(), |stack| {
        let function = work(stack);
        let props = RuleProps {
            name: Some("reset".into()),
            description: Some("Starts the day".to_owned()),
            disabled: true,
        };
        let rule = stack.scheduled_rule("Reset", &Recurrence::cron("0 7 * * ? *"), props);
        stack.target(&rule, &function, Delivery::event());
        stack.output("Name", rule.name());
    });
    assert_eq!(
        resources["Reset"]["Properties"],
        json!({
            "Description": "Starts the day",
            "Name": "reset",
            "ScheduleExpression": "cron(0 7 * * ? *)",
            "State": "DISABLED",
            "Targets": [{"Arn": {"Fn::GetAtt": ["Work", "Arn"]}, "Id": "Work"}],
        })
    );
}

#[test]
fn wrong_schedules_and_names_are_reported() {
    let found = violations(dev(), |stack| {
        let log = stack.log_group("Log", LogGroupProps::default());
        let never = Recurrence::Every(0, TimeUnit::Minutes);
        let never = stack.scheduled_rule("Never", &never, RuleProps::default());
        stack.target(&never, &log, Delivery::event());
        let unix = Recurrence::cron("0 7 * * *");
        let named = RuleProps {
            name: Some("a b".into()),
            ..RuleProps::default()
        };
        let unix = stack.scheduled_rule("Unix", &unix, named);
        stack.target(&unix, &log, Delivery::event());
    });
    assert_eq!(
        found,
        [
            "orders / Never / Properties.ScheduleExpression: a rate is at least 1",
            "orders / Unix / Properties.ScheduleExpression: `0 7 * * *` has 5 fields and a cron expression of AWS has six: minutes, hours, day of the month, month, day of the week, year",
            "orders / Unix / Properties.Name: `a b` holds ' '; AWS takes letters, digits and `.` `-` `_`",
        ]
    );
}
