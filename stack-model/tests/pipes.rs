//! Pipes from queues and streams to targets.

use serde_json::{Value as Json, json};
use stack_model::Stack;
use stack_model::contract::{
    Accepts, EventDetail, FunctionContract, KeyAttribute, KeyKind, TableItem, TableSchema, Wired,
    event,
};
use stack_model::dynamodb::{StreamView, TableProps};
use stack_model::events::{ArnTarget, EventBusProps, Match, PutEvent, Template};
use stack_model::lambda::{ChangeKind, FunctionProps, FunctionRef, RecordFilter, StreamStart};
use stack_model::pipes::{Flow, PipeProps};
use stack_model::policy::Statement;
use stack_model::sqs::{Fifo, QueueProps};

use crate::support::{dev, resources, violations};

struct Order;

impl TableItem for Order {
    fn schema() -> TableSchema {
        TableSchema {
            partition_key: KeyAttribute {
                name: "id".to_owned(),
                kind: KeyKind::String,
            },
            sort_key: None,
            indexes: Vec::new(),
            time_to_live: None,
        }
    }
}

struct Paid;

impl EventDetail for Paid {
    const DETAIL_TYPE: &'static str = "Orders.Paid";
}

struct LookUp;

impl FunctionContract for LookUp {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-look-up";
}

impl Accepts<event::Invocation<Vec<String>>> for LookUp {}

fn look_up(stack: &mut Stack<'_>) -> FunctionRef<LookUp> {
    stack.function("LookUp", Wired::new(Vec::new()), FunctionProps::default())
}

#[test]
fn messages_become_events_by_way_of_a_function() {
    let resources = resources(dev(), |stack| {
        let payments = stack.queue::<Json>("Payments", QueueProps::default());
        let function = look_up(stack);
        let bus = stack.event_bus("Bus", EventBusProps::default());
        let flow = Flow::from_queue(&payments)
            .batches_of(5)
            .window(1)
            .filter(RecordFilter::body("state", [Match::exact("paid")]))
            .transformed::<String>(Template::part("$.body.order"))
            .enriched::<Json, _>(&function)
            .transformed::<Paid>(Template::object([("order", Template::part("$.id"))]));
        let props = PipeProps {
            name: Some("payments".into()),
            description: Some("Tells of payments".to_owned()),
            stopped: true,
            message_group: None,
        };
        stack.pipe("Pipe", flow, &PutEvent::on(&bus, "payments"), props);
    });
    insta::assert_json_snapshot!(
        json!([resources["Pipe"]["Properties"], resources["PipeRole"]["Properties"]]),
        @r#"
    [
      {
        "Description": "Tells of payments",
        "DesiredState": "STOPPED",
        "Enrichment": {
          "Fn::GetAtt": [
            "LookUp",
            "Arn"
          ]
        },
        "EnrichmentParameters": {
          "InputTemplate": "<$.body.order>"
        },
        "Name": "payments",
        "RoleArn": {
          "Fn::GetAtt": [
            "PipeRole",
            "Arn"
          ]
        },
        "Source": {
          "Fn::GetAtt": [
            "Payments",
            "Arn"
          ]
        },
        "SourceParameters": {
          "FilterCriteria": {
            "Filters": [
              {
                "Pattern": "{\"body\":{\"state\":[\"paid\"]}}"
              }
            ]
          },
          "SqsQueueParameters": {
            "BatchSize": 5,
            "MaximumBatchingWindowInSeconds": 1
          }
        },
        "Target": {
          "Fn::GetAtt": [
            "Bus",
            "Arn"
          ]
        },
        "TargetParameters": {
          "EventBridgeEventBusParameters": {
            "DetailType": "Orders.Paid",
            "Source": "payments"
          },
          "InputTemplate": "{\"order\":<$.id>}"
        }
      },
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
                "Service": "pipes.amazonaws.com"
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
                  "Action": [
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ReceiveMessage"
                  ],
                  "Effect": "Allow",
                  "Resource": {
                    "Fn::GetAtt": [
                      "Payments",
                      "Arn"
                    ]
                  }
                },
                {
                  "Action": "lambda:InvokeFunction",
                  "Effect": "Allow",
                  "Resource": {
                    "Fn::GetAtt": [
                      "LookUp",
                      "Arn"
                    ]
                  }
                },
                {
                  "Action": "events:PutEvents",
                  "Effect": "Allow",
                  "Resource": {
                    "Fn::GetAtt": [
                      "Bus",
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
      }
    ]
    "#
    );
}

#[test]
fn changes_of_a_table_reach_a_fifo_queue() {
    let resources = resources(dev(), |stack| {
        let stream = TableProps {
            stream: Some(StreamView::NewImage),
            ..TableProps::default()
        };
        let table = stack.table::<Order>("Orders", stream);
        let fifo = QueueProps {
            fifo: Some(Fifo {
                content_based_deduplication: true,
                ..Fifo::default()
            }),
            ..QueueProps::default()
        };
        let queue = stack.queue::<Json>("Changes", fifo);
        let lost = stack.queue::<String>("Lost", QueueProps::default());
        let flow = Flow::from_changes(&table, StreamStart::Newest)
            .filter(RecordFilter::changes([ChangeKind::Insert]))
            .attempts(3)
            .maximum_age(60)
            .dead_letters(&lost);
        let props = PipeProps {
            message_group: Some("$.dynamodb.Keys.id.S".into()),
            ..PipeProps::default()
        };
        stack.pipe("Pipe", flow, &queue, props);
    });
    insta::assert_json_snapshot!(
        json!([
            resources["Pipe"]["Properties"],
            resources["PipeRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"],
        ]),
        @r#"
    [
      {
        "DesiredState": "RUNNING",
        "RoleArn": {
          "Fn::GetAtt": [
            "PipeRole",
            "Arn"
          ]
        },
        "Source": {
          "Fn::GetAtt": [
            "Orders",
            "StreamArn"
          ]
        },
        "SourceParameters": {
          "DynamoDBStreamParameters": {
            "DeadLetterConfig": {
              "Arn": {
                "Fn::GetAtt": [
                  "Lost",
                  "Arn"
                ]
              }
            },
            "MaximumRecordAgeInSeconds": 60,
            "MaximumRetryAttempts": 3,
            "StartingPosition": "LATEST"
          },
          "FilterCriteria": {
            "Filters": [
              {
                "Pattern": "{\"eventName\":[\"INSERT\"]}"
              }
            ]
          }
        },
        "Target": {
          "Fn::GetAtt": [
            "Changes",
            "Arn"
          ]
        },
        "TargetParameters": {
          "SqsQueueParameters": {
            "MessageGroupId": "$.dynamodb.Keys.id.S"
          }
        }
      },
      [
        {
          "Action": "sqs:SendMessage",
          "Effect": "Allow",
          "Resource": {
            "Fn::GetAtt": [
              "Lost",
              "Arn"
            ]
          }
        },
        {
          "Action": [
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams"
          ],
          "Effect": "Allow",
          "Resource": {
            "Fn::GetAtt": [
              "Orders",
              "StreamArn"
            ]
          }
        },
        {
          "Action": "sqs:SendMessage",
          "Effect": "Allow",
          "Resource": {
            "Fn::GetAtt": [
              "Changes",
              "Arn"
            ]
          }
        }
      ]
    ]
    "#
    );
}

#[test]
fn a_kinesis_stream_is_named_by_its_arn() {
    let resources = resources(dev(), |stack| {
        let arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/clicks";
        let target = "arn:aws:firehose:eu-central-1:123456789012:deliverystream/clicks";
        let put = Statement::allow(["firehose:PutRecordBatch"]).on(target);
        let target = ArnTarget::new("Clicks", target, [put]);
        let flow = Flow::from_kinesis(arn, StreamStart::Oldest);
        stack.pipe("Pipe", flow, &target, PipeProps::default());
    });
    assert_eq!(
        resources["Pipe"]["Properties"]["SourceParameters"],
        json!({"KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON"}})
    );
}

#[test]
fn what_is_wrong_with_a_pipe_is_reported() {
    let found = violations(dev(), |stack| {
        let payments = stack.queue::<Json>("Payments", QueueProps::default());
        let lost = stack.queue::<Json>("Lost", QueueProps::default());
        let table = stack.table::<Order>("Orders", TableProps::default());
        let flow = Flow::from_queue(&payments)
            .batches_of(10_001)
            .attempts(1)
            .filter(RecordFilter::changes([ChangeKind::Insert]))
            .filter(RecordFilter::body("a", [Match::no_prefix(["x"])]))
            .transformed::<Json>(Template::rule_name())
            .transformed::<Json>(Template::part("$.body"));
        let props = PipeProps {
            message_group: Some("x".into()),
            ..PipeProps::default()
        };
        stack.pipe("Wrong", flow, &lost, props);
        let flow = Flow::from_changes(&table, StreamStart::Oldest);
        stack.pipe("NoStream", flow, &lost, PipeProps::default());
    });
    assert_eq!(
        found,
        [
            "orders / Wrong: a message group is for a FIFO queue",
            "orders / Wrong: two templates follow one another: put them into one",
            "orders / Wrong / Properties.SourceParameters.SqsQueueParameters.BatchSize: 10001 is not between 1 and 10000",
            "orders / Wrong / Properties.SourceParameters: attempts, age and dead letters of a pipe are for streams: the queue has a redrive of its own",
            "orders / Wrong / Properties.FilterCriteria: the records have no field `eventName`, so nothing would get through: they have body, attributes, messageAttributes, messageId",
            "orders / Wrong / Properties.FilterCriteria: the pattern is wrong at `body.a`: a pipe knows `anything-but` with values alone",
            "orders / NoStreamRole: the table `Orders` has no stream: give `TableProps::stream` a view",
            "orders / NoStream: the property `Source` is missing",
        ]
    );
}

#[test]
fn a_pipe_reports_every_number_and_name() {
    const KINESIS: &str = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks";
    let found = violations(dev(), |stack| {
        let function = look_up(stack);
        let lost = QueueProps {
            fifo: Some(Fifo::default()),
            ..QueueProps::default()
        };
        let lost = stack.queue::<Json>("Lost", lost);
        let ordered = QueueProps {
            fifo: Some(Fifo::default()),
            ..QueueProps::default()
        };
        let ordered = stack.queue::<Json>("Ordered", ordered);
        let flow = Flow::from_kinesis(KINESIS, StreamStart::Newest)
            .batches_of(0)
            .window(301)
            .attempts(10_001)
            .maximum_age(59)
            .dead_letters(&lost)
            .filter(RecordFilter::body("a", [Match::exact("x")]))
            .transformed::<String>(Template::part("$.data"))
            .enriched::<String, _>(&function)
            .enriched::<Json, _>(&function);
        let props = PipeProps {
            name: Some("a b".into()),
            ..PipeProps::default()
        };
        stack.pipe("Clicks", flow, &ordered, props);
    });
    assert_eq!(
        found,
        [
            "orders / Clicks / Properties.Name: `a b` holds ' '; AWS takes letters, digits and `.` `-` `_`",
            "orders / Clicks: the FIFO queue `Ordered` needs a message group: set `message_group`",
            "orders / Clicks: a pipe has one enrichment: let one function do both",
            "orders / Clicks / Properties.SourceParameters.KinesisStreamParameters.BatchSize: 0 is not between 1 and 10000",
            "orders / Clicks / Properties.SourceParameters.KinesisStreamParameters.MaximumBatchingWindowInSeconds: 301 is not between 0 and 300",
            "orders / Clicks / Properties.SourceParameters.KinesisStreamParameters.MaximumRetryAttempts: 10001 is not between 0 and 10000",
            "orders / Clicks / Properties.SourceParameters.KinesisStreamParameters.MaximumRecordAgeInSeconds: 59 is not between 60 and 604800",
            "orders / Clicks: the FIFO queue `Lost` cannot take these dead letters: use a standard queue",
            "orders / Clicks / Properties.FilterCriteria: the records have no field `body`, so nothing would get through: they have data, partitionKey, eventID, eventSource",
        ]
    );
}

#[test]
fn a_pipe_stands_still_and_says_what_it_is_for() {
    let resources = resources(dev(), |stack| {
        let payments = stack.queue::<Json>("Payments", QueueProps::default());
        let archive = stack.queue::<Json>("Archive", QueueProps::default());
        let flow = Flow::from_queue(&payments)
            .window(60)
            .transformed::<Json>(Template::part("$.body"));
        let props = PipeProps {
            name: Some("payments".into()),
            description: Some("Keeps payments".to_owned()),
            stopped: true,
            ..PipeProps::default()
        };
        stack.pipe("Keep", flow, &archive, props);
    });
    assert_eq!(
        resources["Keep"]["Properties"],
        json!({
            "Description": "Keeps payments",
            "DesiredState": "STOPPED",
            "Name": "payments",
            "RoleArn": {"Fn::GetAtt": ["KeepRole", "Arn"]},
            "Source": {"Fn::GetAtt": ["Payments", "Arn"]},
            "SourceParameters": {
                "SqsQueueParameters": {"MaximumBatchingWindowInSeconds": 60},
            },
            "Target": {"Fn::GetAtt": ["Archive", "Arn"]},
            "TargetParameters": {"InputTemplate": "<$.body>"},
        })
    );
    // Only this pipe takes the role on.
    assert_eq!(
        resources["KeepRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"],
        json!({"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}})
    );
}

/// Pipes from a queue and a table.
fn pipes(stack: &mut Stack<'_>) {
    stack.describe("Pipes from a queue and a table");
    let function = look_up(stack);
    let payments = stack.queue::<Json>("Payments", QueueProps::default());
    let bus = stack.event_bus("Bus", EventBusProps::default());
    let flow = Flow::from_queue(&payments)
        .filter(RecordFilter::body("state", [Match::exact("paid")]))
        .transformed::<String>(Template::part("$.body.order"))
        .enriched::<Json, _>(&function)
        .transformed::<Paid>(Template::object([("order", Template::part("$.id"))]));
    let target = PutEvent::on(&bus, "payments");
    stack.pipe("PaymentsToBus", flow, &target, PipeProps::default());
    let table = stack.table::<Order>(
        "Orders",
        TableProps {
            stream: Some(StreamView::NewImage),
            ..TableProps::default()
        },
    );
    let lost = stack.queue::<String>("Lost", QueueProps::default());
    let flow = Flow::from_changes(&table, StreamStart::Oldest)
        .batches_of(10)
        .filter(RecordFilter::changes([ChangeKind::Insert]))
        .attempts(3)
        .dead_letters(&lost)
        .transformed::<String>(Template::part("$.dynamodb.Keys.id.S"));
    stack.pipe("OrdersToFunction", flow, &function, PipeProps::default());
}

#[test]
fn pipes_from_a_queue_and_a_table() {
    crate::golden::compare("pipes.dev", dev(), pipes);
}
