use serde_json::{Value as Json, json};
use stack_model::events::{
    AnyDetail, ApiDestinationProps, ArnTarget, Authorization, Delivery, EventBusProps, EventBusRef,
    EventPattern, RetryPolicy, RuleProps, RuleRef, Template,
};
use stack_model::kms::KeyProps;
use stack_model::policy::Statement;
use stack_model::secretsmanager::SecretProps;
use stack_model::sns::{self, TopicProps};
use stack_model::sqs::{self, QueueProps};
use stack_model::{Stack, limit};

use super::{Placed, work};
use crate::support::{dev, property, resources, violations};

fn rule(stack: &mut Stack<'_>) -> RuleRef<Placed> {
    let pattern = EventPattern::source("shop").detail_type::<Placed>();
    stack.rule(
        "Rule",
        &EventBusRef::of_account(),
        pattern,
        RuleProps::default(),
    )
}

fn targets(resources: &Json) -> &Json {
    &resources["Rule"]["Properties"]["Targets"]
}

#[test]
fn a_function_gets_a_permission_for_the_rule_alone_and_once() {
    let resources = resources(dev(), |stack| {
        let function = work(stack);
        let rule = rule(stack);
        stack.target(&rule, &function, Delivery::event());
        stack.target(&rule, &function, Delivery::detail());
    });
    assert_eq!(
        *targets(&resources),
        json!([
            {"Arn": {"Fn::GetAtt": ["Work", "Arn"]}, "Id": "Work"},
            {"Arn": {"Fn::GetAtt": ["Work", "Arn"]}, "Id": "Work2", "InputPath": "$.detail"},
        ])
    );
    assert_eq!(
        resources["RuleWorkPermission"]["Properties"],
        json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Fn::GetAtt": ["Work", "Arn"]},
            "Principal": "events.amazonaws.com",
            "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
        })
    );
}

#[test]
fn a_queue_takes_what_this_rule_sends() {
    let resources = resources(dev(), |stack| {
        let key = stack.key("Key", KeyProps::default());
        let props = QueueProps {
            fifo: Some(sqs::Fifo::default()),
            encryption: sqs::Encryption::customer_key(&key),
            ..QueueProps::default()
        };
        let queue = stack.queue::<Placed>("Orders", props);
        let lost = stack.queue::<String>("Lost", QueueProps::default());
        let rule = rule(stack);
        let delivery = Delivery::detail()
            .message_group("orders")
            .dead_letters(&lost)
            .retry(RetryPolicy {
                maximum_age: Some(limit!(stack_model::events::EventAge, 3600)),
                attempts: Some(5.into()),
            });
        stack.target(&rule, &queue, delivery);
    });
    assert_eq!(
        *targets(&resources),
        json!([{
            "Arn": {"Fn::GetAtt": ["Orders", "Arn"]},
            "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Lost", "Arn"]}},
            "Id": "Orders",
            "InputPath": "$.detail",
            "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 5},
            "SqsParameters": {"MessageGroupId": "orders"},
        }])
    );
    for id in ["OrdersPolicy", "LostPolicy"] {
        let statement = &resources[id]["Properties"]["PolicyDocument"]["Statement"][1];
        assert_eq!(
            statement["Principal"],
            json!({"Service": "events.amazonaws.com"})
        );
        assert_eq!(
            statement["Condition"],
            json!({"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}}})
        );
    }
    assert_eq!(
        resources["Key"]["Properties"]["KeyPolicy"]["Statement"][1]["Principal"],
        json!({"Service": "events.amazonaws.com"})
    );
    assert_eq!(
        resources["Key"]["Properties"]["KeyPolicy"]["Statement"][1]["Condition"],
        json!({"ArnLike": {"aws:SourceArn": {
            "Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:*"
        }}})
    );
}

#[test]
fn a_topic_lets_the_service_publish_without_a_condition() {
    let resources = resources(dev(), |stack| {
        let props = TopicProps {
            encryption: sns::Encryption::Off,
            ..TopicProps::default()
        };
        let topic = stack.topic::<AnyDetail>("Alerts", props);
        let rule = rule(stack);
        stack.target(&rule, &topic, Delivery::event());
    });
    assert_eq!(
        resources["AlertsPolicy"]["Properties"]["PolicyDocument"]["Statement"][1],
        json!({
            "Effect": "Allow",
            "Action": "sns:Publish",
            "Resource": {"Ref": "Alerts"},
            "Principal": {"Service": "events.amazonaws.com"},
        })
    );
}

/// What a key is told of EventBridge is the topic alone; an account in the condition would let nothing in.
#[test]
fn the_key_of_a_topic_serves_topics_of_the_account() {
    let statements = property(dev(), "Key", "KeyPolicy", |stack| {
        let key = stack.key("Key", KeyProps::default());
        let props = TopicProps {
            encryption: sns::Encryption::CustomerKey(key),
            ..TopicProps::default()
        };
        let topic = stack.topic::<AnyDetail>("Alerts", props);
        let rule = rule(stack);
        stack.target(&rule, &topic, Delivery::event());
        stack.let_alarms_publish(&topic);
    });
    let topics = json!({"kms:EncryptionContext:aws:sns:topicArn": {
        "Fn::Sub": "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:*"
    }});
    let allow = |service: &str, condition: Json| {
        json!({
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Principal": {"Service": service},
            "Condition": condition,
        })
    };
    assert_eq!(
        statements["Statement"].as_array().unwrap()[1..],
        [
            allow("events.amazonaws.com", json!({"ArnLike": topics})),
            allow(
                "cloudwatch.amazonaws.com",
                json!({
                    "ArnLike": topics,
                    "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
                })
            ),
        ]
    );
}

#[test]
fn everything_else_is_reached_with_a_role_of_the_rule() {
    let resources = resources(dev(), |stack| {
        let bus = stack.event_bus("Audit", EventBusProps::default());
        let key = stack.secret::<String>("PartnerKey", SecretProps::default());
        let authorization = Authorization::ApiKey {
            header: "x-api-key".into(),
            key: key.value(),
        };
        let partner = stack.connection("Partner", authorization);
        let props = ApiDestinationProps::post("https://partner.example.com/orders");
        let api = stack.api_destination("PartnerOrders", &partner, props);
        let arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/clicks";
        let put = Statement::allow(["kinesis:PutRecord"]).on(arn);
        let rule = rule(stack);
        stack.target(&rule, &bus, Delivery::event());
        stack.target(&rule, &api, Delivery::detail());
        stack.target(
            &rule,
            &ArnTarget::new("Clicks", arn, [put]),
            Delivery::event(),
        );
    });
    insta::assert_json_snapshot!(
        json!([
            targets(&resources),
            resources["RuleRole"]["Properties"],
            resources["Partner"]["Properties"],
            resources["PartnerOrders"]["Properties"],
        ]),
        @r#"
    [
      [
        {
          "Arn": {
            "Fn::GetAtt": [
              "Audit",
              "Arn"
            ]
          },
          "Id": "Audit",
          "RoleArn": {
            "Fn::GetAtt": [
              "RuleRole",
              "Arn"
            ]
          }
        },
        {
          "Arn": {
            "Fn::GetAtt": [
              "PartnerOrders",
              "Arn"
            ]
          },
          "Id": "PartnerOrders",
          "InputPath": "$.detail",
          "RoleArn": {
            "Fn::GetAtt": [
              "RuleRole",
              "Arn"
            ]
          }
        },
        {
          "Arn": "arn:aws:kinesis:eu-central-1:123456789012:stream/clicks",
          "Id": "Clicks",
          "RoleArn": {
            "Fn::GetAtt": [
              "RuleRole",
              "Arn"
            ]
          }
        }
      ],
      {
        "AssumeRolePolicyDocument": {
          "Statement": [
            {
              "Action": "sts:AssumeRole",
              "Condition": {
                "StringEquals": {
                  "aws:SourceAccount": {
                    "Ref": "AWS::AccountId"
                  }
                }
              },
              "Effect": "Allow",
              "Principal": {
                "Service": "events.amazonaws.com"
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
                  "Action": "events:PutEvents",
                  "Effect": "Allow",
                  "Resource": {
                    "Fn::GetAtt": [
                      "Audit",
                      "Arn"
                    ]
                  }
                },
                {
                  "Action": "events:InvokeApiDestination",
                  "Effect": "Allow",
                  "Resource": {
                    "Fn::Sub": "${PartnerOrders.ArnForPolicy}/*"
                  }
                },
                {
                  "Action": "kinesis:PutRecord",
                  "Effect": "Allow",
                  "Resource": "arn:aws:kinesis:eu-central-1:123456789012:stream/clicks"
                }
              ],
              "Version": "2012-10-17"
            },
            "PolicyName": "granted"
          }
        ]
      },
      {
        "AuthParameters": {
          "ApiKeyAuthParameters": {
            "ApiKeyName": "x-api-key",
            "ApiKeyValue": {
              "Fn::Sub": "{{resolve:secretsmanager:${PartnerKey.Id}:SecretString:}}"
            }
          }
        },
        "AuthorizationType": "API_KEY"
      },
      {
        "ConnectionArn": {
          "Fn::GetAtt": [
            "Partner",
            "Arn"
          ]
        },
        "HttpMethod": "POST",
        "InvocationEndpoint": "https://partner.example.com/orders"
      }
    ]
    "#
    );
}

#[test]
fn a_template_is_json_whatever_the_event_holds() {
    let resources = resources(dev(), |stack| {
        let function = work(stack);
        let rule = rule(stack);
        let template = Template::object([
            ("order", Template::part("$.detail.order")),
            (
                "text",
                Template::text("\"{}\" of {}\n", ["$.detail.order", "$.account"]),
            ),
            (
                "list",
                Template::list([Template::value(1), Template::event()]),
            ),
            ("function", Template::value(function.name())),
            ("rule", Template::rule_name()),
        ]);
        stack.target(&rule, &function, Delivery::transformed::<Placed>(template));
    });
    assert_eq!(
        targets(&resources)[0]["InputTransformer"],
        json!({
            "InputPathsMap": {"part1": "$.detail.order", "part2": "$.account"},
            "InputTemplate": {"Fn::Sub": "{\"function\":\"${Work}\",\"list\":[1,<aws.events.event.json>],\"order\":<part1>,\"rule\":\"<aws.events.rule-name>\",\"text\":\"\\\"<part1>\\\" of <part2>\\n\"}"},
        })
    );
}

#[test]
fn a_constant_is_the_same_for_every_event() {
    let resources = resources(dev(), |stack| {
        let function = work(stack);
        let rule = rule(stack);
        let order = Placed {
            order: "test".to_owned(),
        };
        stack.target(&rule, &function, Delivery::constant(&order));
    });
    assert_eq!(targets(&resources)[0]["Input"], r#"{"order":"test"}"#);
}

#[test]
fn what_is_wrong_with_a_target_is_reported() {
    let found = violations(dev(), |stack| {
        let function = work(stack);
        let fifo = QueueProps {
            fifo: Some(sqs::Fifo::default()),
            ..QueueProps::default()
        };
        let queue = stack.queue::<Placed>("Orders", fifo);
        let topic = stack.topic::<Placed>("Topic", TopicProps::default());
        let rule = rule(stack);
        let delivery = Delivery::event().message_group("x").dead_letters(&queue);
        stack.target(&rule, &function, delivery);
        stack.target(&rule, &queue, Delivery::detail());
        stack.target(&rule, &topic, Delivery::part::<Placed>("detail.order"));
        let template = Template::text("{} <b>", ["$.detail.order", "detail"]);
        stack.target(&rule, &function, Delivery::transformed::<Placed>(template));
        let retry = RetryPolicy {
            maximum_age: Some(59.into()),
            attempts: Some(186.into()),
        };
        stack.target(&rule, &function, Delivery::event().retry(retry));
        stack.target(&rule, &function, Delivery::event());
    });
    assert_eq!(
        found,
        [
            "orders / Rule: the FIFO queue `Orders` cannot take these dead letters: use a standard queue",
            "orders / Rule: a message group is for a FIFO queue",
            "orders / Rule: the FIFO queue `Orders` needs a message group: set `message_group`",
            "orders / Rule / Properties.Targets: `detail.order` is no path into an event: it looks like `$.detail.order`",
            "orders / Topic / Properties.KmsMasterKeyId: the topic is encrypted with the key `aws/sns`, which `events.amazonaws.com` may not use, so nothing would arrive: give `TopicProps::encryption` a key of the customer's own, or `Encryption::Off`",
            "orders / Rule / Properties.Targets: the text `{} <b>` has 1 places and 2 paths",
            "orders / Rule / Properties.Targets: ` <b>` holds `<` or `>`, which EventBridge takes for a part of the event",
            "orders / Rule / Properties.Targets.4.RetryPolicy.MaximumEventAgeInSeconds: 59 is not between 60 and 86400",
            "orders / Rule / Properties.Targets.4.RetryPolicy.MaximumRetryAttempts: 186 is not between 0 and 185",
            "orders / Rule / Properties.Targets: the rule has more than 5 targets: add another rule with the same pattern",
        ]
    );
}

#[test]
fn a_rule_cannot_change_the_policy_of_a_queue_of_another_stack() {
    let mut app = dev();
    let queue = app
        .stack("queues")
        .queue::<Placed>("Orders", QueueProps::default());
    let mut stack = app.stack("orders");
    let rule = rule(&mut stack);
    stack.target(&rule, &queue, Delivery::detail());
    let found = app.synth().unwrap_err();
    assert_eq!(
        crate::support::texts(&found),
        [
            "orders / Orders: `Orders` belongs to the stack `queues`, and its policy can only be changed there"
        ]
    );
}
