//! State machines: what their roles are for, and how long they wait.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use system_tests::account::Account;
use system_tests::poll::{PATIENCE, eventually};

use super::{Deployed, echo, role, table};

/// A state machine of one task.
struct Machines<'a> {
    account: &'a Account,
    role: String,
}

impl Machines<'_> {
    fn with_role(&self, role: &str) -> Self {
        Self {
            account: self.account,
            role: role.to_owned(),
        }
    }

    /// Starts a machine of one task.
    fn start(&self, task: &Value, input: &Value) -> String {
        let mut task = task.clone();
        task["Type"] = json!("Task");
        if task.get("Next").is_none() {
            task["End"] = json!(true);
        }
        let definition = json!({"StartAt": "Task", "States": {
            "Task": task,
            "Caught": {"Type": "Pass", "Result": "caught", "End": true},
        }});
        let digest = Sha256::digest(definition.to_string() + &self.role);
        let name = digest[..8]
            .iter()
            .fold(String::new(), |name, byte| format!("{name}{byte:02x}"));
        let machine =
            json!({"name": name, "roleArn": self.role, "definition": definition.to_string()});
        let machine = self.call("CreateStateMachine", &machine);
        let execution =
            json!({"stateMachineArn": machine["stateMachineArn"], "input": input.to_string()});
        let execution = self.call("StartExecution", &execution);
        execution["executionArn"]
            .as_str()
            .expect("it has an ARN")
            .to_owned()
    }

    fn call(&self, action: &str, arguments: &Value) -> Value {
        self.account
            .call("states", &format!("AWSStepFunctions.{action}"), arguments)
    }

    /// Waits for the end, and returns the status with the output or with the error.
    fn end_of(&self, execution: &str) -> (String, Value) {
        let arguments = json!({ "executionArn": execution });
        let end = eventually("the end of the execution", PATIENCE, || {
            let found = self.call("DescribeExecution", &arguments);
            (found["status"] != "RUNNING").then_some(found)
        });
        let said = if end["status"] == "SUCCEEDED" {
            &end["output"]
        } else {
            &end["error"]
        };
        (
            end["status"].as_str().expect("it has a status").to_owned(),
            said.clone(),
        )
    }

    fn run(&self, task: &Value, input: &Value) -> (String, Value) {
        self.end_of(&self.start(task, input))
    }
}

fn failed(error: &str) -> (String, Value) {
    ("FAILED".to_owned(), json!(error))
}

fn resources() -> Value {
    let arn = |id: &str| json!({"Fn::GetAtt": [id, "Arn"]});
    let allowed = |action: &str, resource: Value| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let bus =
        json!({"Fn::Sub": "arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"});
    let mut of_the_bar = allowed("events:PutEvents", bus);
    of_the_bar["Condition"] = json!({"StringEquals": {"events:source": "bar"}});
    json!({
        "Echo": echo(),
        "FunctionRole": role("lambda.amazonaws.com", &Value::Null),
        "Table": table(),
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Granted": role("states.amazonaws.com", &json!([
            allowed("lambda:InvokeFunction", arn("Echo")),
            allowed("dynamodb:PutItem", arn("Table")),
            allowed("dynamodb:Query", json!({"Fn::Sub": "${Table.Arn}/index/by-kind"})),
            of_the_bar,
            allowed("sqs:SendMessage", arn("Queue")),
            allowed("sns:Publish", json!({"Ref": "Topic"})),
            allowed("states:SendTaskSuccess", json!("*")),
        ])),
        "Nothing": role("states.amazonaws.com", &Value::Null),
    })
}

fn deployed() -> Deployed {
    let value = |id: &str, attribute: &str| json!({"Value": {"Fn::GetAtt": [id, attribute]}});
    Deployed::new(
        &resources(),
        &json!({
            "Echo": value("Echo", "Arn"), "Granted": value("Granted", "Arn"), "Nothing": value("Nothing", "Arn"),
            "Table": {"Value": {"Ref": "Table"}}, "Queue": {"Value": {"Ref": "Queue"}}, "Topic": {"Value": {"Ref": "Topic"}},
        }),
    )
}

/// See <https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html>, and for the error
/// <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>.
#[test]
fn tasks_may_do_what_the_role_may() {
    let system = deployed();
    let granted = Machines {
        account: &system.account,
        role: system.output("Granted").to_owned(),
    };
    let nothing = granted.with_role(system.output("Nothing"));
    let out = |key: &str| system.output(key).to_owned();
    let event = |source: &str| json!({"Source": source, "DetailType": "Ordered", "Detail": "{}"});
    let cases = [
        (
            "lambda:invoke",
            json!({"FunctionName": out("Echo"), "Payload": {}}),
        ),
        (
            "dynamodb:putItem",
            json!({"TableName": out("Table"), "Item": {"id": {"S": "1"}}}),
        ),
        (
            "aws-sdk:dynamodb:query",
            json!({
                "TableName": out("Table"), "IndexName": "by-kind", "KeyConditionExpression": "kind = :k",
                "ExpressionAttributeValues": {":k": {"S": "tea"}},
            }),
        ),
        ("events:putEvents", json!({"Entries": [event("bar")]})),
        (
            "sqs:sendMessage",
            json!({"QueueUrl": out("Queue"), "MessageBody": "-"}),
        ),
        (
            "sns:publish",
            json!({"TopicArn": out("Topic"), "Message": "-"}),
        ),
    ];
    let task = |resource: &str, parameters: &Value| json!({"Resource": format!("arn:aws:states:::{resource}"), "Parameters": parameters});
    for (resource, parameters) in &cases {
        let task = task(resource, parameters);
        let (status, said) = granted.run(&task, &json!({}));
        assert_eq!(status, "SUCCEEDED", "{resource}: {said}");
        assert_eq!(
            nothing.run(&task, &json!({})),
            failed("States.Permissions"),
            "{resource}"
        );
    }
    // A function that is named by its ARN.
    let direct = json!({ "Resource": out("Echo") });
    assert_eq!(granted.run(&direct, &json!({})).0, "SUCCEEDED");
    assert_eq!(
        nothing.run(&direct, &json!({})),
        failed("States.Permissions")
    );
    // Other resources, and other events, than are granted.
    for (resource, parameters) in [
        (
            "dynamodb:getItem",
            json!({"TableName": out("Table"), "Key": {"id": {"S": "1"}}}),
        ),
        (
            "dynamodb:putItem",
            json!({"TableName": "Another", "Item": {"id": {"S": "1"}}}),
        ),
        (
            "events:putEvents",
            json!({"Entries": [event("bar"), event("cellar")]}),
        ),
        (
            "lambda:invoke",
            json!({"FunctionName": "another", "Payload": {}}),
        ),
    ] {
        assert_eq!(
            granted.run(&task(resource, &parameters), &json!({})),
            failed("States.Permissions"),
            "{resource}"
        );
    }
    // AWS refuses definitions whose calls lack what they need; here they are the service's to judge, and end.
    for (resource, _) in &cases {
        let (_, said) = granted.run(&task(resource, &json!({})), &json!({}));
        assert!(!said.to_string().contains("KeyError"), "{resource}: {said}");
    }
}

/// See <https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#wait-token-hearbeat>.
#[test]
fn a_task_that_waits_ends_when_a_heartbeat_is_missed() {
    let system = deployed();
    let machines = Machines {
        account: &system.account,
        role: system.output("Granted").to_owned(),
    };
    let waiting = |times: &Value| {
        let mut task = json!({
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": system.output("Queue"), "MessageBody.$": "$$.Task.Token"},
        });
        for (key, value) in times.as_object().into_iter().flatten() {
            task[key] = value.clone();
        }
        task
    };
    let timeout = || failed("States.Timeout");
    for (name, times, end) in [
        ("no heartbeat", json!({"HeartbeatSeconds": 1}), timeout()),
        (
            "of the input",
            json!({"HeartbeatSecondsPath": "$.soon"}),
            timeout(),
        ),
        (
            "no answer",
            json!({"TimeoutSecondsPath": "$.soon"}),
            timeout(),
        ),
        (
            "a text",
            json!({"HeartbeatSecondsPath": "$.text"}),
            failed("States.Runtime"),
        ),
        (
            "nothing",
            json!({"TimeoutSecondsPath": "$.none"}),
            failed("States.Runtime"),
        ),
        (
            "less than nothing",
            json!({"HeartbeatSecondsPath": "$.less"}),
            failed("States.Runtime"),
        ),
    ] {
        let input = json!({"soon": 1, "text": "1", "less": -1});
        assert_eq!(machines.run(&waiting(&times), &input), end, "{name}");
    }
    for (caught, ends) in [
        ("States.HeartbeatTimeout", true),
        ("States.Timeout", true),
        ("States.TaskFailed", false),
    ] {
        let catch = json!([{"ErrorEquals": [caught], "Next": "Caught"}]);
        let (status, _) = machines.run(
            &waiting(&json!({"HeartbeatSeconds": 1, "Catch": catch})),
            &json!({}),
        );
        assert_eq!(status == "SUCCEEDED", ends, "{caught}");
    }
    beats_keep_it_alive(
        &machines,
        system.output("Queue"),
        &waiting(&json!({"HeartbeatSeconds": 2})),
    );
}

/// A task of two seconds between heartbeats lives for four with them, and is answered then.
fn beats_keep_it_alive(machines: &Machines<'_>, queue: &str, task: &Value) {
    let purge = json!({ "QueueUrl": queue });
    machines
        .account
        .attempt("sqs", "AmazonSQS.PurgeQueue", &purge);
    let execution = machines.start(task, &json!({}));
    let token = eventually("the token", PATIENCE, || {
        let messages = machines
            .account
            .call("sqs", "AmazonSQS.ReceiveMessage", &purge);
        messages["Messages"][0]["Body"].as_str().map(str::to_owned)
    });
    let alive_until = Instant::now() + Duration::from_secs(4);
    eventually("four seconds of heartbeats", PATIENCE, || {
        machines.call("SendTaskHeartbeat", &json!({ "taskToken": token }));
        (Instant::now() > alive_until).then_some(())
    });
    machines.call(
        "SendTaskSuccess",
        &json!({"taskToken": token, "output": "\"done\""}),
    );
    assert_eq!(
        machines.end_of(&execution),
        ("SUCCEEDED".to_owned(), json!("\"done\""))
    );
}
