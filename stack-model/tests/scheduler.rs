//! Schedules and their targets.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use stack_model::Stack;
use stack_model::contract::{Accepts, EventDetail, FunctionContract, Wired, event};
use stack_model::events::{EventBusRef, PutEvent, RetryPolicy, TimeUnit};
use stack_model::kms::KeyProps;
use stack_model::lambda::{FunctionProps, FunctionRef};
use stack_model::policy::Statement;
use stack_model::scheduler::{ScheduleProps, ScheduledInput, Timetable, UniversalTarget};
use stack_model::sns::TopicProps;
use stack_model::sqs::{Fifo, QueueProps};
use stack_model::stepfunctions::{Flow, StateMachineProps, StateMachineRef, Succeed};

use crate::support::{dev, resources, violations};

#[derive(Serialize, Deserialize)]
struct Reset {
    to: u32,
}

impl EventDetail for Reset {
    const DETAIL_TYPE: &'static str = "Counter.Reset";
}

struct ResetCounter;

impl FunctionContract for ResetCounter {
    const PACKAGE: &'static str = "coffee";
    const BINARY: &'static str = "coffee-reset";
}

impl Accepts<event::Invocation<Reset>> for ResetCounter {}

fn function(stack: &mut Stack<'_>) -> FunctionRef<ResetCounter> {
    stack.function(
        "ResetCounter",
        Wired::new(Vec::new()),
        FunctionProps::default(),
    )
}

#[test]
fn a_schedule_has_a_role_for_its_target_alone() {
    let resources = resources(dev(), |stack| {
        let function = function(stack);
        let timetable = Timetable::cron("0 7 * * ? *");
        let props = ScheduleProps::default();
        stack.schedule("Daily", timetable, &function, &Reset { to: 0 }, props);
    });
    assert_eq!(
        resources["Daily"]["Properties"],
        json!({
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ScheduleExpression": "cron(0 7 * * ? *)",
            "State": "ENABLED",
            "Target": {
                "Arn": {"Fn::GetAtt": ["ResetCounter", "Arn"]},
                "Input": r#"{"to":0}"#,
                "RoleArn": {"Fn::GetAtt": ["DailyRole", "Arn"]},
            },
        })
    );
    assert_eq!(
        resources["DailyRole"]["Properties"],
        json!({
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": "scheduler.amazonaws.com"},
                    "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
                }],
            },
            "Policies": [{
                "PolicyName": "granted",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Action": "lambda:InvokeFunction",
                        "Resource": {"Fn::GetAtt": ["ResetCounter", "Arn"]},
                    }],
                },
            }],
        })
    );
}

#[test]
fn every_choice_reaches_the_schedule() {
    let resources = resources(dev(), |stack| {
        let fifo = QueueProps {
            fifo: Some(Fifo::default()),
            ..QueueProps::default()
        };
        let queue = stack.queue::<Reset>("Resets", fifo);
        let lost = stack.queue::<String>("Lost", QueueProps::default());
        let group = stack.schedule_group("Resetting");
        let key = stack.key("Key", KeyProps::default());
        let timetable = Timetable::every(2, TimeUnit::Hours)
            .in_zone("Europe/Berlin")
            .from("2027-01-01T00:00:00Z")
            .until("2028-01-01T00:00:00Z");
        let props = ScheduleProps {
            name: Some("reset".into()),
            description: Some("Starts again".to_owned()),
            group: Some(group),
            flexible_window: Some(15.into()),
            retry: RetryPolicy {
                maximum_age: Some(600.into()),
                attempts: Some(3.into()),
            },
            dead_letters: Some((&lost).into()),
            message_group: Some("resets".into()),
            key: Some(key),
            disabled: true,
        };
        let input = ScheduledInput::json(json!({"to": 1}));
        stack.schedule("Often", timetable, &queue, input, props);
    });
    insta::assert_json_snapshot!(
        json!([
            resources["Often"]["Properties"],
            resources["OftenRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"],
        ]),
        @r#"
    [
      {
        "Description": "Starts again",
        "EndDate": "2028-01-01T00:00:00Z",
        "FlexibleTimeWindow": {
          "MaximumWindowInMinutes": 15,
          "Mode": "FLEXIBLE"
        },
        "GroupName": {
          "Ref": "Resetting"
        },
        "KmsKeyArn": {
          "Fn::GetAtt": [
            "Key",
            "Arn"
          ]
        },
        "Name": "reset",
        "ScheduleExpression": "rate(2 hours)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "StartDate": "2027-01-01T00:00:00Z",
        "State": "DISABLED",
        "Target": {
          "Arn": {
            "Fn::GetAtt": [
              "Resets",
              "Arn"
            ]
          },
          "DeadLetterConfig": {
            "Arn": {
              "Fn::GetAtt": [
                "Lost",
                "Arn"
              ]
            }
          },
          "Input": "{\"to\":1}",
          "RetryPolicy": {
            "MaximumEventAgeInSeconds": 600,
            "MaximumRetryAttempts": 3
          },
          "RoleArn": {
            "Fn::GetAtt": [
              "OftenRole",
              "Arn"
            ]
          },
          "SqsParameters": {
            "MessageGroupId": "resets"
          }
        }
      },
      [
        {
          "Action": "sqs:SendMessage",
          "Effect": "Allow",
          "Resource": {
            "Fn::GetAtt": [
              "Resets",
              "Arn"
            ]
          }
        },
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
          "Action": "kms:Decrypt",
          "Condition": {
            "StringEquals": {
              "kms:ViaService": {
                "Fn::Sub": "scheduler.${AWS::Region}.${AWS::URLSuffix}"
              }
            }
          },
          "Effect": "Allow",
          "Resource": {
            "Fn::GetAtt": [
              "Key",
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
fn a_bus_gets_the_detail_of_an_event() {
    let resources = resources(dev(), |stack| {
        let target = PutEvent::on(&EventBusRef::of_account(), "shop");
        let timetable = Timetable::at("2027-01-01T00:00:00");
        let props = ScheduleProps::default();
        stack.schedule("Once", timetable, &target, &Reset { to: 0 }, props);
    });
    let target = &resources["Once"]["Properties"]["Target"];
    assert_eq!(
        target["EventBridgeParameters"],
        json!({"DetailType": "Counter.Reset", "Source": "shop"})
    );
    assert_eq!(
        resources["OnceRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"],
        "events:PutEvents"
    );
}

#[test]
fn any_call_of_an_api_can_be_scheduled() {
    let target = |service: &str, action: &str| {
        let table = "arn:aws:dynamodb:eu-central-1:123456789012:table/counters";
        let allowed = Statement::allow(["dynamodb:UpdateItem"]).on(table);
        UniversalTarget::new(service, action, [allowed])
    };
    let schedule = |stack: &mut Stack<'_>, target: &UniversalTarget| {
        let input = ScheduledInput::<Json>::json(json!({"TableName": "counters"}));
        let timetable = Timetable::every(1, TimeUnit::Days);
        stack.schedule("Call", timetable, target, input, ScheduleProps::default());
    };
    let resources = resources(dev(), |stack| {
        schedule(stack, &target("dynamodb", "updateItem"));
    });
    assert_eq!(
        resources["Call"]["Properties"]["Target"]["Arn"],
        json!({"Fn::Sub": "arn:${AWS::Partition}:scheduler:::aws-sdk:dynamodb:updateItem"})
    );
    let found = violations(dev(), |stack| {
        schedule(stack, &target("DynamoDB", "UpdateItem"));
    });
    assert_eq!(
        found,
        [
            "orders / CallRole: `DynamoDB` and `UpdateItem` are no call: the service is lower-case and the action begins with a lower-case letter"
        ]
    );
}

#[test]
fn what_is_wrong_with_a_schedule_is_reported() {
    let found = violations(dev(), |stack| {
        let function = function(stack);
        let props = ScheduleProps {
            name: Some("a/b".into()),
            flexible_window: Some(1441.into()),
            retry: RetryPolicy {
                maximum_age: Some(59.into()),
                attempts: Some(186.into()),
            },
            message_group: Some("x".into()),
            ..ScheduleProps::default()
        };
        let timetable = Timetable::at("tomorrow").in_zone("here");
        stack.schedule("Wrong", timetable, &function, &Reset { to: 0 }, props);
    });
    assert_eq!(
        found,
        [
            "orders / Wrong / Properties.ScheduleExpression: `tomorrow` is no time: it looks like `2027-01-01T00:00:00`, without a zone",
            "orders / Wrong / Properties.ScheduleExpression: `here` is no time zone of the IANA data base: it looks like `Europe/Berlin` or `UTC`",
            "orders / Wrong / Properties.Name: `a/b` holds '/'; AWS takes letters, digits and `.` `-` `_`",
            "orders / Wrong / Properties.FlexibleTimeWindow.MaximumWindowInMinutes: 1441 is not between 1 and 1440",
            "orders / Wrong / Properties.Target.RetryPolicy.MaximumEventAgeInSeconds: 59 is not between 60 and 86400",
            "orders / Wrong / Properties.Target.RetryPolicy.MaximumRetryAttempts: 186 is not between 0 and 185",
            "orders / Wrong: a message group is for a FIFO queue",
        ]
    );
}

#[test]
fn a_call_needs_rights() {
    let found = violations(dev(), |stack| {
        for (id, action) in [("Nothing", "stopInstances"), ("Wrong", "StopInstances")] {
            let call = UniversalTarget::new("ec2", action, []);
            let input = ScheduledInput::<Json>::json(json!({}));
            let once = Timetable::at("2027-01-01T00:00:00");
            stack.schedule(id, once, &call, input, ScheduleProps::default());
        }
    });
    assert_eq!(
        found,
        [
            "orders / NothingRole: nothing lets the schedule call `stopInstances` of `ec2`: give the statements that its role needs",
            "orders / WrongRole: `ec2` and `StopInstances` are no call: the service is lower-case and the action begins with a lower-case letter",
        ]
    );
}

#[test]
fn queues_of_a_schedule_are_of_the_right_kind() {
    let found = violations(dev(), |stack| {
        let fifo = || QueueProps {
            fifo: Some(Fifo::default()),
            ..QueueProps::default()
        };
        let ordered = stack.queue::<Reset>("Ordered", fifo());
        let lost = stack.queue::<String>("Lost", fifo());
        let hearers = TopicProps {
            fifo: Some(stack_model::sns::Fifo::default()),
            ..TopicProps::default()
        };
        let hearers = stack.topic::<Reset>("Hearers", hearers);
        let reset = Reset { to: 0 };
        let daily = || Timetable::every(1, TimeUnit::Days);
        let props = ScheduleProps {
            dead_letters: Some((&lost).into()),
            ..ScheduleProps::default()
        };
        stack.schedule("ToQueue", daily(), &ordered, &reset, props);
        stack.schedule(
            "ToTopic",
            daily(),
            &hearers,
            &reset,
            ScheduleProps::default(),
        );
    });
    assert_eq!(
        found,
        [
            "orders / ToQueue: the FIFO queue `Ordered` needs a message group: set `message_group`",
            "orders / ToQueue: the FIFO queue `Lost` cannot take these dead letters: use a standard queue",
            "orders / ToTopic: a FIFO topic needs a message group, which EventBridge does not give: send to a FIFO queue",
        ]
    );
}

#[test]
fn an_input_has_its_length() {
    let found = violations(dev(), |stack| {
        let queue = stack.queue::<String>("Texts", QueueProps::default());
        let long = "x".repeat(262_143);
        let daily = Timetable::every(1, TimeUnit::Days);
        stack.schedule("Long", daily, &queue, &long, ScheduleProps::default());
    });
    assert_eq!(
        found,
        [
            "orders / Long / Properties.Target.Input: the input has 262145 characters and EventBridge takes 262144"
        ]
    );
}

/// A group is named by its schedules, and whoever removes it removes them.
#[test]
fn schedules_stand_in_a_group() {
    let resources = resources(dev(), |stack| {
        let queue = stack.queue::<Reset>("Resets", QueueProps::default());
        let props = ScheduleProps {
            group: Some(stack.schedule_group("Daily")),
            ..ScheduleProps::default()
        };
        let daily = Timetable::cron("0 7 * * ? *")
            .from("2027-01-01T00:00:00Z")
            .until("2028-01-01T00:00:00Z");
        stack.schedule("Morning", daily, &queue, &Reset { to: 0 }, props);
    });
    assert_eq!(
        resources["Morning"]["Properties"],
        json!({
            "EndDate": "2028-01-01T00:00:00Z",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "GroupName": {"Ref": "Daily"},
            "ScheduleExpression": "cron(0 7 * * ? *)",
            "StartDate": "2027-01-01T00:00:00Z",
            "State": "ENABLED",
            "Target": {
                "Arn": {"Fn::GetAtt": ["Resets", "Arn"]},
                "Input": r#"{"to":0}"#,
                "RoleArn": {"Fn::GetAtt": ["MorningRole", "Arn"]},
            },
        })
    );
}

/// Schedules to every kind of target.
fn schedules(stack: &mut Stack<'_>) {
    stack.describe("Schedules to every kind of target");
    let group = stack.schedule_group("Daily");
    let lost = stack.queue::<String>("Lost", QueueProps::default());
    let props = || ScheduleProps {
        group: Some(group.clone()),
        dead_letters: Some((&lost).into()),
        ..ScheduleProps::default()
    };
    let morning = || Timetable::cron("0 7 * * ? *").in_zone("Europe/Berlin");
    let reset = Reset { to: 0 };
    let function = function(stack);
    stack.schedule("ToFunction", morning(), &function, &reset, props());
    let queue = stack.queue::<Reset>("Resets", QueueProps::default());
    stack.schedule("ToQueue", morning(), &queue, &reset, props());
    let topic = stack.topic::<Reset>("Hearers", TopicProps::default());
    stack.schedule("ToTopic", morning(), &topic, &reset, props());
    let mut flow = Flow::new();
    flow.add("Done", Succeed::new());
    let machine: StateMachineRef<Reset> =
        stack.state_machine("Workflow", flow, StateMachineProps::default());
    stack.schedule("ToStateMachine", morning(), &machine, &reset, props());
    let bus = PutEvent::on(&EventBusRef::of_account(), "shop");
    stack.schedule("ToBus", morning(), &bus, &reset, props());
    let stop = Statement::allow(["ec2:StopInstances"])
        .on("arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0");
    let call = UniversalTarget::new("ec2", "stopInstances", [stop]);
    let input = ScheduledInput::<Json>::json(json!({"InstanceIds": ["i-0123456789abcdef0"]}));
    let once = Timetable::at("2027-01-01T00:00:00");
    stack.schedule("ToCall", once, &call, input, ScheduleProps::default());
}

#[test]
fn schedules_to_every_kind_of_target() {
    crate::golden::compare("schedules.dev", dev(), schedules);
}
