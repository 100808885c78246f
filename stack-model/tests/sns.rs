//! Topics and subscriptions.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::kms::KeyProps;
use stack_model::sns::{
    Encryption, Endpoint, Fifo, SubscriptionProps, TopicOperation, TopicProps, TopicRef,
};
use stack_model::sqs::{self, QueueProps};

use crate::support::{actions, dev, prod, resources, violations};

#[test]
fn a_topic_is_encrypted_and_published_to_with_tls_only() {
    let resources = resources(prod(), |stack| {
        stack.topic::<String>("Placed", TopicProps::default());
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Placed": {
        "Properties": {
          "KmsMasterKeyId": {
            "Fn::Sub": "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:alias/aws/sns"
          }
        },
        "Type": "AWS::SNS::Topic"
      },
      "PlacedPolicy": {
        "Properties": {
          "PolicyDocument": {
            "Statement": [
              {
                "Action": "sns:Publish",
                "Condition": {
                  "Bool": {
                    "aws:SecureTransport": "false"
                  }
                },
                "Effect": "Deny",
                "Principal": "*",
                "Resource": {
                  "Ref": "Placed"
                }
              }
            ],
            "Version": "2012-10-17"
          },
          "Topics": [
            {
              "Ref": "Placed"
            }
          ]
        },
        "Type": "AWS::SNS::TopicPolicy"
      }
    }
    "#);
}

#[test]
fn every_property_reaches_the_template() {
    let resources = resources(dev(), |stack| {
        let key = stack.key("PlacedKey", KeyProps::default());
        stack.topic::<String>(
            "Placed",
            TopicProps {
                name: Some("placed.fifo".into()),
                display_name: Some("Orders".into()),
                fifo: Some(Fifo {
                    content_based_deduplication: true,
                }),
                encryption: Encryption::CustomerKey(key),
            },
        );
        let props = TopicProps {
            encryption: Encryption::Off,
            ..TopicProps::default()
        };
        stack.topic::<String>("Plain", props);
    });
    assert_json_snapshot!(resources["Placed"], @r#"
    {
      "Properties": {
        "ContentBasedDeduplication": true,
        "DisplayName": "Orders",
        "FifoTopic": true,
        "KmsMasterKeyId": {
          "Fn::GetAtt": [
            "PlacedKey",
            "Arn"
          ]
        },
        "TopicName": "placed.fifo"
      },
      "Type": "AWS::SNS::Topic"
    }
    "#);
    assert_eq!(resources["Plain"].get("Properties"), None);
}

#[test]
fn publishing_needs_one_action_and_a_customer_key_where_there_is_one() {
    let mut app = dev();
    let mut stack = app.stack("orders");
    let topic: TopicRef<String> = stack.topic("Placed", TopicProps::default());
    assert_eq!(
        actions(&topic.statements(&[TopicOperation::Publish])),
        [["sns:Publish"]]
    );
    assert!(topic.statements(&[]).is_empty());
    let key = stack.key("Key", KeyProps::default());
    let props = TopicProps {
        encryption: Encryption::CustomerKey(key),
        ..TopicProps::default()
    };
    let topic: TopicRef<String> = stack.topic("Encrypted", props);
    assert_eq!(
        actions(&topic.statements(&[TopicOperation::Publish]))[1],
        ["kms:GenerateDataKey", "kms:Decrypt"]
    );
}

#[test]
fn a_subscribed_queue_lets_the_topic_send() {
    let resources = resources(dev(), |stack| {
        let key = stack.key("InvoicesKey", KeyProps::default());
        let topic = stack.topic::<String>("Placed", TopicProps::default());
        let queue = stack.queue::<String>(
            "Invoices",
            QueueProps {
                encryption: sqs::Encryption::customer_key(&key),
                ..QueueProps::default()
            },
        );
        let props = SubscriptionProps {
            filter: Some(json!({"country": ["DE"]})),
            filter_on_body: true,
            ..SubscriptionProps::default()
        };
        stack.subscription("InvoicesOfOrders", &topic, Endpoint::Queue(&queue), props);
    });
    assert_json_snapshot!(resources["InvoicesOfOrders"], @r#"
    {
      "Properties": {
        "Endpoint": {
          "Fn::GetAtt": [
            "Invoices",
            "Arn"
          ]
        },
        "FilterPolicy": {
          "country": [
            "DE"
          ]
        },
        "FilterPolicyScope": "MessageBody",
        "Protocol": "sqs",
        "RawMessageDelivery": true,
        "TopicArn": {
          "Ref": "Placed"
        }
      },
      "Type": "AWS::SNS::Subscription"
    }
    "#);
    assert_json_snapshot!(resources["InvoicesPolicy"]["Properties"]["PolicyDocument"]["Statement"][1], @r#"
    {
      "Action": "sqs:SendMessage",
      "Condition": {
        "ArnEquals": {
          "aws:SourceArn": {
            "Ref": "Placed"
          }
        }
      },
      "Effect": "Allow",
      "Principal": {
        "Service": "sns.amazonaws.com"
      },
      "Resource": {
        "Fn::GetAtt": [
          "Invoices",
          "Arn"
        ]
      }
    }
    "#);
    assert_json_snapshot!(resources["InvoicesKey"]["Properties"]["KeyPolicy"]["Statement"][1], @r#"
    {
      "Action": [
        "kms:Decrypt",
        "kms:GenerateDataKey"
      ],
      "Condition": {
        "ArnLike": {
          "aws:SourceArn": {
            "Fn::Sub": "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:*"
          }
        }
      },
      "Effect": "Allow",
      "Principal": {
        "Service": "sns.amazonaws.com"
      },
      "Resource": "*"
    }
    "#);
}

#[test]
fn people_and_servers_can_subscribe() {
    let resources = resources(dev(), |stack| {
        let topic = stack.topic::<String>("Placed", TopicProps::default());
        let mail = Endpoint::Email("orders@example.com".into());
        stack.subscription("Mail", &topic, mail, SubscriptionProps::default());
        let url = Endpoint::Https("https://example.com/hook".into());
        stack.subscription("Hook", &topic, url, SubscriptionProps::default());
    });
    assert_json_snapshot!([&resources["Mail"]["Properties"], &resources["Hook"]["Properties"]], @r#"
    [
      {
        "Endpoint": "orders@example.com",
        "Protocol": "email",
        "TopicArn": {
          "Ref": "Placed"
        }
      },
      {
        "Endpoint": "https://example.com/hook",
        "Protocol": "https",
        "TopicArn": {
          "Ref": "Placed"
        }
      }
    ]
    "#);
}

#[test]
fn what_does_not_fit_is_reported_together() {
    let found = violations(dev(), |stack| {
        let topic = stack.topic::<String>(
            "Placed",
            TopicProps {
                name: Some("placed".into()),
                display_name: Some("o".repeat(101).into()),
                fifo: Some(Fifo::default()),
                ..TopicProps::default()
            },
        );
        stack.topic::<String>(
            "Named",
            TopicProps {
                name: Some("pla ced".into()),
                ..TopicProps::default()
            },
        );
        let queue = stack.queue::<String>("Invoices", QueueProps::default());
        let props = SubscriptionProps {
            filter_on_body: true,
            ..SubscriptionProps::default()
        };
        stack.subscription("InvoicesOfOrders", &topic, Endpoint::Queue(&queue), props);
        let url = Endpoint::Https("http://example.com/hook".into());
        stack.subscription("Hook", &topic, url, SubscriptionProps::default());
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Placed / Properties.DisplayName: the display name is longer than 100 characters",
      "orders / Placed / Properties.TopicName: `placed` does not fit: the name of a FIFO topic ends with `.fifo`, and no other does",
      "orders / Named / Properties.TopicName: `pla ced` holds ' '; AWS takes letters, digits and `-` `_`",
      "orders / InvoicesOfOrders / Properties.FilterPolicyScope: a scope without a filter says nothing: give `SubscriptionProps::filter`",
      "orders / Hook / Properties.Endpoint: the URL does not start with `https://`",
      "orders / Hook / Properties.Endpoint: the FIFO topic `Placed` delivers to queues only"
    ]
    "#);
}

#[test]
fn a_queue_of_another_stack_cannot_be_subscribed_here() {
    let mut app = dev();
    let queue = app
        .stack("data")
        .queue::<String>("Invoices", QueueProps::default());
    let mut stack = app.stack("orders");
    let topic = stack.topic::<String>("Placed", TopicProps::default());
    stack.subscription(
        "InvoicesOfOrders",
        &topic,
        Endpoint::Queue(&queue),
        SubscriptionProps::default(),
    );
    let found = crate::support::texts(&app.synth().unwrap_err());
    assert_eq!(
        found,
        [
            "orders / Invoices: `Invoices` belongs to the stack `data`, and its policy can only be changed there"
        ]
    );
}

#[test]
fn what_could_not_be_delivered_goes_to_a_queue() {
    let resources = resources(dev(), |stack| {
        let topic = stack.topic::<String>("Placed", TopicProps::default());
        let lost = stack.queue::<String>("Lost", QueueProps::default());
        let props = SubscriptionProps {
            raw: true,
            dead_letters: Some((&lost).into()),
            ..SubscriptionProps::default()
        };
        let url = Endpoint::Https("https://example.com/hook".into());
        stack.subscription("Hook", &topic, url, props);
        let phone = Endpoint::Sms("+491700000000".into());
        stack.subscription("Phone", &topic, phone, SubscriptionProps::default());
    });
    assert_eq!(
        resources["Hook"]["Properties"],
        json!({
            "Endpoint": "https://example.com/hook",
            "Protocol": "https",
            "RawMessageDelivery": true,
            "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Lost", "Arn"]}},
            "TopicArn": {"Ref": "Placed"},
        })
    );
    assert_eq!(resources["Phone"]["Properties"]["Protocol"], "sms");
    assert_eq!(
        resources["LostPolicy"]["Properties"]["PolicyDocument"]["Statement"][1]["Condition"],
        json!({"ArnEquals": {"aws:SourceArn": {"Ref": "Placed"}}})
    );
}

#[test]
fn what_a_subscription_does_not_take_is_reported() {
    let found = violations(dev(), |stack| {
        let fifo = TopicProps {
            fifo: Some(Fifo::default()),
            ..TopicProps::default()
        };
        let ordered = stack.topic::<String>("Ordered", fifo);
        let lost = stack.queue::<String>("Lost", QueueProps::default());
        let props = SubscriptionProps {
            raw: true,
            filter: Some(json!({"country": "DE", "total": [{"more": 5}]})),
            dead_letters: Some((&lost).into()),
            ..SubscriptionProps::default()
        };
        let phone = Endpoint::Sms("0170 000".into());
        stack.subscription("Phone", &ordered, phone, props);
    });
    assert_eq!(
        found,
        [
            "orders / Phone / Properties.Endpoint: the number does not have the form `+491700000000`",
            "orders / Phone / Properties.RawMessageDelivery: only URLs and queues get messages that are not wrapped",
            "orders / Phone / Properties.Endpoint: the FIFO topic `Ordered` delivers to queues only",
            "orders / Phone / Properties.FilterPolicy: the pattern is wrong at `country`: values stand in a list, even a single one",
            "orders / Phone / Properties.FilterPolicy: the pattern is wrong at `total`: there is no operator `more`",
            "orders / Phone / Properties.RedrivePolicy: the dead letters of a FIFO topic need a FIFO queue, and `Lost` is none",
        ]
    );
}
