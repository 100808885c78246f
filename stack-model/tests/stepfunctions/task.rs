//! Tasks: what they call, and what their role is allowed for it.

use insta::assert_json_snapshot;
use serde_json::{Value as Json, json};
use stack_model::contract::{Accepts, FunctionContract, Wired, event};
use stack_model::events::EventBusProps;
use stack_model::iam::RoleProps;
use stack_model::lambda::FunctionProps;
use stack_model::sns::TopicProps;
use stack_model::sqs::{Fifo, QueueProps};
use stack_model::stepfunctions::{
    Event, Expression, Flow, HttpCall, HttpVerb, Payload, State, StateMachineProps,
    StateMachineRef, Succeed, Task, context, intrinsic,
};
use stack_model::{Stack, path, payload};

use super::{Input, add, read};
use crate::support::{dev, resources, violations};

#[derive(Debug)]
struct Work;

impl FunctionContract for Work {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-work";
}

impl Accepts<event::Invocation<Input>> for Work {}

/// Returns the state and what the role is allowed, for one task.
pub(super) fn rendered(task: impl FnOnce(&mut Stack<'_>) -> State) -> Json {
    let resources = resources(dev(), |stack| {
        let mut flow = Flow::new();
        let task = task(stack);
        flow.add("Task", task);
        flow.add("Done", Succeed::new());
        add(stack, flow);
    });
    let mut state = read(&resources["Machine"])["States"]["Task"].take();
    state
        .as_object_mut()
        .unwrap()
        .retain(|entry, _| entry != "Next" && entry != "Type");
    let policy = &resources["MachineRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    let own = &resources["MachineSelfPolicy"]["Properties"]["PolicyDocument"];
    let mut all = json!({"state": state, "allowed": policy["Statement"], "own": own["Statement"]});
    all.as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    all.sort_all_objects();
    all
}

/// Returns what is wrong with one task.
pub(super) fn wrong(task: impl FnOnce(&mut Stack<'_>) -> State) -> Vec<String> {
    let found = violations(dev(), |stack| {
        let mut flow = Flow::new();
        let task = task(stack);
        flow.add("Task", task);
        flow.add("Done", Succeed::new());
        add(stack, flow);
    });
    let place = "orders / Machine / Properties.DefinitionString: ";
    found.iter().map(|found| found.replace(place, "")).collect()
}

#[test]
fn a_function_is_invoked_with_a_payload() {
    let rendered = rendered(|stack| {
        let work = stack.function::<Work>("Work", Wired::new(Vec::new()), FunctionProps::default());
        let payload = payload!({ "id": path!("$.id"), "token": context::TASK_TOKEN });
        Task::invoke(&work, payload)
            .wait_for_task_token()
            .timeout(60)
            .heartbeat(10)
            .into()
    });
    assert_json_snapshot!(rendered, @r#"
    {
      "allowed": [
        {
          "Action": "lambda:InvokeFunction",
          "Effect": "Allow",
          "Resource": {
            "Fn::GetAtt": [
              "Work",
              "Arn"
            ]
          }
        }
      ],
      "state": {
        "HeartbeatSeconds": 10,
        "Parameters": {
          "FunctionName": "${WorkArn}",
          "Payload": {
            "id.$": "$.id",
            "token.$": "$$.Task.Token"
          }
        },
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "TimeoutSeconds": 60
      }
    }
    "#);
}

#[test]
fn events_are_published_on_a_bus() {
    let put = rendered(|stack| {
        let bus = stack.event_bus("Bus", EventBusProps::default());
        let events = [
            Event::named("Orders.Placed", "orders", payload!({ "id": path!("$.id") }))
                .resource(context::EXECUTION_ID),
            Event::named(
                intrinsic::format("Orders.{}", [path!("$.state").into()]),
                "orders",
                path!("$.detail"),
            ),
        ];
        Task::put_events(&bus, events)
            .at_state_entered_time()
            .into()
    });
    assert_json_snapshot!(put, @r#"
    {
      "allowed": [
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
      "state": {
        "Parameters": {
          "Entries": [
            {
              "Detail": {
                "id.$": "$.id"
              },
              "DetailType": "Orders.Placed",
              "EventBusName": "${Bus}",
              "Resources.$": "States.Array($$.Execution.Id)",
              "Source": "orders",
              "Time.$": "$$.State.EnteredTime"
            },
            {
              "Detail.$": "$.detail",
              "DetailType.$": "States.Format('Orders.{}', $.state)",
              "EventBusName": "${Bus}",
              "Source": "orders",
              "Time.$": "$$.State.EnteredTime"
            }
          ]
        },
        "Resource": "arn:aws:states:::events:putEvents"
      }
    }
    "#);
    let found = wrong(|stack| {
        let bus = stack.event_bus("Bus", EventBusProps::default());
        let event = || Event::named("A", "b", payload!({}));
        Task::put_events(&bus, std::iter::repeat_with(event).take(11)).into()
    });
    assert_eq!(
        found,
        ["the state `Task` publishes 11 events, and a call takes 1 to 10"]
    );
}

#[test]
fn messages_go_to_queues_and_topics() {
    let send = rendered(|stack| {
        let queue = stack.queue::<String>("Queue", QueueProps::default());
        Task::send_message(&queue, path!("$.body")).into()
    });
    assert_eq!(
        send,
        json!({
            "state": {
                "Resource": "arn:aws:states:::sqs:sendMessage",
                "Parameters": {"MessageBody.$": "$.body", "QueueUrl": "${Queue}"},
            },
            "allowed": [{
                "Effect": "Allow",
                "Action": "sqs:SendMessage",
                "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
            }],
        })
    );
    let fifo = || QueueProps {
        fifo: Some(Fifo::default()),
        ..QueueProps::default()
    };
    let grouped = rendered(|stack| {
        let queue = stack.queue::<String>("Queue", fifo());
        Task::send_to_group(&queue, path!("$.group"), payload!({ "a": 1 }))
            .parameter("MessageDeduplicationId", context::EXECUTION_NAME)
            .into()
    });
    assert_eq!(
        grouped["state"]["Parameters"],
        json!({
            "MessageBody": {"a": 1},
            "MessageDeduplicationId.$": "$$.Execution.Name",
            "MessageGroupId.$": "$.group",
            "QueueUrl": "${Queue}",
        })
    );
    let found = wrong(|stack| {
        let queue = stack.queue::<String>("Queue", fifo());
        Task::send_message(&queue, "x").into()
    });
    assert_eq!(
        found,
        [
            "the state `Task` sends to a FIFO queue without a message group: use `Task::send_to_group`"
        ]
    );
    let publish = rendered(|stack| {
        let topic = stack.topic::<String>("Topic", TopicProps::default());
        Task::publish(&topic, path!("$.text")).into()
    });
    assert_eq!(
        publish["state"]["Parameters"],
        json!({"Message.$": "$.text", "TopicArn": "${Topic}"})
    );
    assert_eq!(publish["allowed"][0]["Action"], "sns:Publish");
}

#[test]
fn another_state_machine_is_started_or_waited_for() {
    fn other(stack: &mut Stack<'_>) -> StateMachineRef<Input> {
        let mut flow = Flow::new();
        flow.add("Other", Succeed::new());
        stack.state_machine("Other", flow, StateMachineProps::default())
    }
    let start = rendered(|stack| Task::start_execution(&other(stack), Payload::input()).into());
    assert_eq!(
        start,
        json!({
            "state": {
                "Resource": "arn:aws:states:::states:startExecution",
                "Parameters": {"Input.$": "$", "StateMachineArn": "${Other}"},
            },
            "allowed": [{
                "Effect": "Allow",
                "Action": "states:StartExecution",
                "Resource": {"Ref": "Other"},
            }],
        })
    );
    let run = rendered(|stack| Task::run_execution(&other(stack), payload!({})).into());
    assert_eq!(
        run["state"]["Resource"],
        "arn:aws:states:::states:startExecution.sync:2"
    );
    assert_json_snapshot!(run["allowed"], @r#"
    [
      {
        "Action": "states:StartExecution",
        "Effect": "Allow",
        "Resource": {
          "Ref": "Other"
        }
      },
      {
        "Action": [
          "states:DescribeExecution",
          "states:StopExecution"
        ],
        "Effect": "Allow",
        "Resource": {
          "Fn::Sub": "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${Other.Name}:*"
        }
      },
      {
        "Action": [
          "events:DescribeRule",
          "events:PutRule",
          "events:PutTargets"
        ],
        "Effect": "Allow",
        "Resource": {
          "Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
        }
      }
    ]
    "#);
}

#[test]
fn tokens_are_answered() {
    let success =
        rendered(|_| Task::send_task_success(path!("$.token"), payload!({ "ok": true })).into());
    assert_eq!(
        success,
        json!({
            "state": {
                "Resource": "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess",
                "Parameters": {"Output": "{\"ok\":true}", "TaskToken.$": "$.token"},
            },
            "allowed": [{
                "Effect": "Allow",
                "Action": "states:SendTaskSuccess",
                "Resource": "*",
            }],
        })
    );
    let failure =
        rendered(|_| Task::send_task_failure(path!("$.token"), "Refused", path!("$.why")).into());
    assert_eq!(failure["allowed"][0]["Action"], "states:SendTaskFailure");
    let heartbeat = rendered(|_| Task::send_task_heartbeat(path!("$.token")).into());
    assert_eq!(
        heartbeat["state"]["Parameters"],
        json!({"TaskToken.$": "$.token"})
    );
    let found = wrong(|_| {
        Task::send_task_success(path!("$.token"), payload!({ "id": path!("$.id") })).into()
    });
    assert_eq!(
        found,
        [
            "the state `Task` answers with an output in which some values are computed: make it in a state before, and hand it on with `intrinsic::json_to_string`"
        ]
    );
}

#[test]
fn an_api_is_called_through_a_connection() {
    let http = rendered(|_| {
        Task::http(HttpCall {
            method: HttpVerb::Post,
            endpoint: "https://example.com/orders".into(),
            connection: "arn:aws:events:us-east-1:123456789012:connection/shop/1".into(),
            body: Some(payload!({ "id": path!("$.id") })),
            query: None,
            headers: Some(payload!({ "X-Id": path!("$.id") })),
        })
        .into()
    });
    assert_json_snapshot!(http, @r#"
    {
      "allowed": [
        {
          "Action": "events:RetrieveConnectionCredentials",
          "Effect": "Allow",
          "Resource": "arn:aws:events:us-east-1:123456789012:connection/shop/1"
        },
        {
          "Action": [
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue"
          ],
          "Effect": "Allow",
          "Resource": {
            "Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:events!connection/*"
          }
        }
      ],
      "own": [
        {
          "Action": "states:InvokeHTTPEndpoint",
          "Condition": {
            "StringEquals": {
              "states:HTTPEndpoint": "https://example.com/orders",
              "states:HTTPMethod": "POST"
            }
          },
          "Effect": "Allow",
          "Resource": {
            "Ref": "Machine"
          }
        }
      ],
      "state": {
        "Parameters": {
          "ApiEndpoint": "https://example.com/orders",
          "Authentication": {
            "ConnectionArn": "arn:aws:events:us-east-1:123456789012:connection/shop/1"
          },
          "Headers": {
            "X-Id.$": "$.id"
          },
          "Method": "POST",
          "RequestBody": {
            "id.$": "$.id"
          }
        },
        "Resource": "arn:aws:states:::http:invoke"
      }
    }
    "#);
}

#[test]
fn a_call_may_be_made_with_the_rights_of_another_role() {
    let call = rendered(|stack| {
        let other = stack.role("Other", RoleProps::for_service("states.amazonaws.com"));
        Task::aws_sdk("sts", "getCallerIdentity", payload!({}), [])
            .credentials(&other)
            .into()
    });
    assert_eq!(
        call["state"]["Credentials"],
        json!({"RoleArn": "${OtherArn}"})
    );
    assert_eq!(
        call["allowed"],
        json!([{
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Resource": {"Fn::GetAtt": ["Other", "Arn"]},
        }])
    );
}

#[test]
fn what_a_task_cannot_do_is_reported() {
    let found = wrong(|_| {
        Task::aws_sdk("sts", "GetCallerIdentity", Expression::from(path!("$")), [])
            .parameter("More", 1)
            .timeout(0)
            .into()
    });
    assert_json_snapshot!(found, @r#"
    [
      "the state `Task` calls `GetCallerIdentity`: the action begins with a small letter here",
      "the state `Task` gets the parameter `More`, and its parameters are computed as a whole",
      "`Task` has a `TimeoutSeconds` that is not between 1 and 99999999"
    ]
    "#);
    let activity =
        rendered(|_| Task::activity("arn:aws:states:us-east-1:123456789012:activity:work").into());
    assert_eq!(
        activity["state"],
        json!({"Resource": "arn:aws:states:us-east-1:123456789012:activity:work"})
    );
}

#[test]
fn a_task_does_not_wait_for_its_token_for_ever() {
    let found = wrong(|stack| {
        let queue = stack.queue::<String>("Queue", QueueProps::default());
        let body = payload!({ "token": context::TASK_TOKEN });
        Task::send_message(&queue, body)
            .wait_for_task_token()
            .into()
    });
    assert_eq!(
        found,
        [
            "the state `Task` waits for its token, and so for up to a year where nobody answers: give it a `.timeout(..)` or a `.heartbeat(..)`"
        ]
    );
    let limited = rendered(|stack| {
        let queue = stack.queue::<String>("Queue", QueueProps::default());
        let body = payload!({ "token": context::TASK_TOKEN });
        Task::send_message(&queue, body)
            .wait_for_task_token()
            .timeout_from(path!("$.patience"))
            .into()
    });
    assert_eq!(limited["state"]["TimeoutSecondsPath"], "$.patience");
}

/// The first entry that names an error counts, so what stays as it is stands before what is tried again.
#[test]
fn calls_of_services_are_tried_again_but_not_for_answers_that_stay() {
    let answer = rendered(|_| {
        Task::send_task_success(path!("$.token"), payload!({}))
            .retry_service_errors(["Sfn.TaskTimedOutException"])
            .into()
    });
    assert_json_snapshot!(answer["state"]["Retry"], @r#"
    [
      {
        "ErrorEquals": [
          "States.HeartbeatTimeout",
          "States.ParameterPathFailure",
          "States.ResultPathMatchFailure",
          "States.IntrinsicFailure",
          "States.QueryEvaluationError",
          "Sfn.TaskTimedOutException"
        ],
        "MaxAttempts": 0
      },
      {
        "BackoffRate": 2.0,
        "ErrorEquals": [
          "States.TaskFailed"
        ],
        "IntervalSeconds": 1,
        "JitterStrategy": "FULL",
        "MaxAttempts": 5
      }
    ]
    "#);
}
