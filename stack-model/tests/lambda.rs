//! Functions, permissions and triggers.

mod asynchronous;
mod golden;
mod release;
mod stream;
mod topic;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use stack_model::assembly::{Asset, BindingContract};
use stack_model::contract::{
    Accepts, FunctionContract, RESERVED_VARIABLES, Wired, WiredBinding, event,
};
use stack_model::lambda::{
    FunctionNetwork, FunctionProps, FunctionRef, LogLevel, PermissionProps, QueueTrigger, Release,
};
use stack_model::logs::Retention;
use stack_model::policy::Statement;
use stack_model::sqs::{Fifo, QueueOperation, QueueProps, QueueRef};
use stack_model::{Arn, Stack, Value};

use crate::support::{dev, property, resources, statements, synth, template, violations};

/// A function that reads orders from a queue.
#[derive(Debug)]
struct Work;

impl FunctionContract for Work {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-work";
}

impl Accepts<event::QueueBatch<String>> for Work {}

fn work(stack: &mut Stack<'_>, props: FunctionProps) -> FunctionRef<Work> {
    stack.function("Work", Wired::new(Vec::new()), props)
}

fn environment(entries: &[(&str, &str)]) -> BTreeMap<String, Value<String>> {
    let entry = |(name, value): &(&str, &str)| ((*name).to_owned(), Value::from(*value));
    entries.iter().map(entry).collect()
}

#[test]
fn a_function_has_a_role_and_a_log_group() {
    let template = template(dev(), |stack| {
        work(stack, FunctionProps::default());
    });
    assert_eq!(
        template["Resources"]["Work"],
        json!({
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Architectures": ["arm64"],
                "Code": {"S3Bucket": {"Ref": "ArtifactBucket"}, "S3Key": {"Ref": "WorkArtifact"}},
                "Handler": "bootstrap",
                "LoggingConfig": {"LogFormat": "JSON", "LogGroup": {"Ref": "WorkLogs"}},
                "PackageType": "Zip",
                "Role": {"Fn::GetAtt": ["WorkRole", "Arn"]},
                "Runtime": "provided.al2023",
                "Timeout": 3,
            },
        })
    );
    assert_eq!(
        template["Resources"]["WorkRole"]["Properties"],
        json!({
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                }],
            },
            "Policies": [{
                "PolicyName": "granted",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                        "Resource": {"Fn::GetAtt": ["WorkLogs", "Arn"]},
                    }],
                },
            }],
        })
    );
    assert_eq!(
        template["Resources"]["WorkLogs"]["Properties"]["RetentionInDays"],
        30
    );
    assert_eq!(template["Parameters"]["WorkArtifact"]["Type"], "String");
    assert_eq!(template["Parameters"]["ArtifactBucket"]["Type"], "String");
}

#[test]
fn every_property_reaches_the_template() {
    let resources = resources(dev(), |stack| {
        work(
            stack,
            FunctionProps {
                description: Some("Works".to_owned()),
                name: Some("work".into()),
                memory: Some(1024.into()),
                timeout: Some(60.into()),
                ephemeral_storage: Some(2048.into()),
                reserved_concurrency: Some(0.into()),
                log_retention: Retention::OneWeek,
                release: Release::Latest,
                tracing: true,
                log_level: Some(LogLevel::Warn),
                network: Some(FunctionNetwork {
                    subnets: vec!["subnet-0a1".into(), "subnet-0a2".into()],
                    security_groups: vec!["sg-0b1".into()],
                }),
                layers: vec![
                    Arn::parse("arn:aws:lambda:eu-central-1:123456789012:layer:traces:7")
                        .unwrap()
                        .into(),
                ],
                key: None,
                environment: environment(&[("LEVEL", "info"), ("TZ", "UTC")]),
                statements: vec![
                    Statement::allow(["ses:SendEmail"])
                        .on("arn:aws:ses:eu-central-1:123456789012:identity/example.com"),
                ],
            },
        );
    });
    let properties = &resources["Work"]["Properties"];
    let expected = json!({
        "Description": "Works",
        "Environment": {"Variables": {"LEVEL": "info", "TZ": "UTC"}},
        "EphemeralStorage": {"Size": 2048},
        "FunctionName": "work",
        "Layers": ["arn:aws:lambda:eu-central-1:123456789012:layer:traces:7"],
        "LoggingConfig": {
            "ApplicationLogLevel": "WARN",
            "LogFormat": "JSON",
            "LogGroup": {"Ref": "WorkLogs"},
            "SystemLogLevel": "WARN",
        },
        "MemorySize": 1024,
        "ReservedConcurrentExecutions": 0,
        "Timeout": 60,
        "TracingConfig": {"Mode": "Active"},
        "VpcConfig": {"SecurityGroupIds": ["sg-0b1"], "SubnetIds": ["subnet-0a1", "subnet-0a2"]},
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&properties[name], value, "{name}");
    }
    assert_eq!(
        resources["WorkLogs"]["Properties"]["RetentionInDays"],
        json!(7)
    );
    let granted = &resources["WorkRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    assert_eq!(
        granted["Statement"].as_array().unwrap()[1..],
        [
            json!({
                "Effect": "Allow",
                "Action": [
                    "ec2:AssignPrivateIpAddresses",
                    "ec2:CreateNetworkInterface",
                    "ec2:DeleteNetworkInterface",
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeSubnets",
                    "ec2:UnassignPrivateIpAddresses",
                    "xray:PutTelemetryRecords",
                    "xray:PutTraceSegments",
                ],
                "Resource": "*",
            }),
            json!({
                "Effect": "Allow",
                "Action": "ses:SendEmail",
                "Resource": "arn:aws:ses:eu-central-1:123456789012:identity/example.com",
            }),
        ]
    );
}

#[test]
fn logs_are_kept_for_ever_where_that_is_said() {
    let resources = resources(dev(), |stack| {
        let log_retention = Retention::Forever;
        work(
            stack,
            FunctionProps {
                log_retention,
                ..FunctionProps::default()
            },
        );
    });
    assert_eq!(
        resources["WorkLogs"]["Properties"].get("RetentionInDays"),
        None
    );
}

fn sized(memory: u32, timeout: u32, storage: u32, concurrency: u32) -> Vec<String> {
    violations(dev(), |stack| {
        work(
            stack,
            FunctionProps {
                memory: Some(memory.into()),
                timeout: Some(timeout.into()),
                ephemeral_storage: Some(storage.into()),
                reserved_concurrency: Some(concurrency.into()),
                ..FunctionProps::default()
            },
        );
    })
}

#[test]
fn the_smallest_and_the_largest_functions_fit() {
    assert_eq!(sized(128, 1, 512, 0), [""; 0]);
    assert_eq!(sized(10_240, 900, 10_240, 100_000), [""; 0]);
}

#[test]
fn limits_are_reported_once_and_together() {
    let path = |name: &str| format!("orders / Work / Properties.{name}");
    assert_eq!(
        sized(127, 0, 511, 100_001),
        [
            format!("{}: 127 is not between 128 and 10240", path("MemorySize")),
            format!("{}: 0 is not between 1 and 900", path("Timeout")),
            format!(
                "{}: 511 is not between 512 and 10240",
                path("EphemeralStorage.Size")
            ),
            format!(
                "{}: 100001 is not between 0 and 100000",
                path("ReservedConcurrentExecutions")
            ),
        ]
    );
    assert_eq!(sized(10_241, 901, 10_241, 0).len(), 3);
}

#[test]
fn the_handle_knows_what_the_function_was_made_of() {
    let template = template(dev(), |stack| {
        let timeout = Some(9.into());
        let function = work(
            stack,
            FunctionProps {
                timeout,
                ..FunctionProps::default()
            },
        )
        .clone();
        assert_eq!(function.timeout(), 9);
        stack.output("Name", function.name());
        stack.output("Arn", function.arn());
        stack.output("Role", function.role().name());
        stack.output("Logs", function.log_group().name());
    });
    let outputs = &template["Outputs"];
    assert_eq!(outputs["Name"]["Value"], json!({"Ref": "Work"}));
    assert_eq!(
        outputs["Arn"]["Value"],
        json!({"Fn::GetAtt": ["Work", "Arn"]})
    );
    assert_eq!(outputs["Role"]["Value"], json!({"Ref": "WorkRole"}));
    assert_eq!(outputs["Logs"]["Value"], json!({"Ref": "WorkLogs"}));
}

/// Binds a queue as the derive of a function package does.
fn bound(queue: &QueueRef<String>) -> Wired<Work> {
    Wired::new(vec![WiredBinding {
        field: "orders",
        kind: "queue",
        environment: "ORDERS_QUEUE_URL",
        value: queue.url(),
        statements: queue.statements(&[QueueOperation::Send]),
    }])
}

#[test]
fn a_binding_is_a_variable_a_grant_and_a_part_of_the_contract() {
    let assembly = synth(dev(), |stack| {
        let queue = stack.queue("Orders", QueueProps::default());
        let environment = environment(&[("LEVEL", "info")]);
        let props = FunctionProps {
            environment,
            ..FunctionProps::default()
        };
        stack.function("Work", bound(&queue), props);
    })
    .unwrap();
    let template: Json = serde_json::from_str(assembly.template("orders").unwrap()).unwrap();
    let resources = &template["Resources"];
    assert_eq!(
        resources["Work"]["Properties"]["Environment"]["Variables"],
        json!({"LEVEL": "info", "ORDERS_QUEUE_URL": {"Ref": "Orders"}})
    );
    let granted = &resources["WorkRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    assert_eq!(
        granted["Statement"][1],
        json!({
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": {"Fn::GetAtt": ["Orders", "Arn"]},
        })
    );
    let manifest = assembly.manifest();
    let Asset::Function {
        package, binary, ..
    } = &manifest.assets["orders-work"];
    assert_eq!((&**package, &**binary), ("orders", "orders-work"));
    assert_eq!(
        manifest.stacks[0].artifacts,
        BTreeMap::from([("WorkArtifact".to_owned(), "orders-work".to_owned())])
    );
    assert_eq!(
        manifest.contracts["orders-work"].bindings["orders"],
        BindingContract {
            kind: "queue".to_owned(),
            environment: "ORDERS_QUEUE_URL".to_owned(),
            actions: ["sqs:SendMessage".to_owned()].into(),
        }
    );
}

#[test]
fn no_variable_is_set_twice() {
    let found = violations(dev(), |stack| {
        let queue = stack.queue("Orders", QueueProps::default());
        let environment = environment(&[("ORDERS_QUEUE_URL", "mine")]);
        let props = FunctionProps {
            environment,
            ..FunctionProps::default()
        };
        stack.function("Work", bound(&queue), props);
    });
    assert_eq!(
        found,
        [
            "orders / Work / Properties.Environment.Variables: the environment variable `ORDERS_QUEUE_URL` is set twice"
        ]
    );
}

fn with_variable(name: &str, value: &str) -> Vec<String> {
    violations(dev(), |stack| {
        let environment = environment(&[(name, value)]);
        work(
            stack,
            FunctionProps {
                environment,
                ..FunctionProps::default()
            },
        );
    })
}

#[test]
fn reserved_variables_are_lambdas() {
    for name in RESERVED_VARIABLES {
        assert_eq!(
            with_variable(name, "x"),
            [format!(
                "orders / Work / Properties.Environment.Variables: the environment variable `{name}` is reserved by Lambda"
            )]
        );
    }
    for name in [
        "AWS_LAMBDA_EXEC_WRAPPER",
        "AWS_XRAY_CONTEXT_MISSING",
        "AWS_XRAY_DAEMON_ADDRESS",
        "LANG",
        "PATH",
        "TZ",
    ] {
        assert_eq!(with_variable(name, "x"), [""; 0], "{name}");
    }
}

#[test]
fn variables_have_names() {
    assert_eq!(with_variable("a1", "x"), [""; 0]);
    for name in ["", "A", "1A", "_A", "A-B", "ÄB"] {
        let found = with_variable(name, "x");
        let message = format!("`{name}` is not the name of an environment variable");
        assert!(
            found.iter().any(|found| found.contains(&message)),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn the_environment_has_four_kilobytes() {
    assert_eq!(with_variable("LONG", &"x".repeat(4092)), [""; 0]);
    assert_eq!(
        with_variable("LONG", &"x".repeat(4093)),
        [
            "orders / Work / Properties.Environment.Variables: the environment has 4097 bytes and Lambda takes 4096: move values to Parameter Store"
        ]
    );
}

#[test]
fn a_caller_is_allowed_to_invoke_the_one_function() {
    let statements = statements(dev(), |stack| {
        vec![work(stack, FunctionProps::default()).invoke_statement()]
    });
    assert_eq!(
        statements,
        json!([{
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": {"Fn::GetAtt": ["Work", "Arn"]},
        }])
    );
}

#[test]
fn a_service_may_invoke_for_one_source() {
    let resources = resources(dev(), |stack| {
        let function = work(stack, FunctionProps::default());
        let rule = "arn:aws:events:eu-central-1:123456789012:rule/daily";
        let props = PermissionProps::service("events.amazonaws.com", rule);
        stack.permission("Daily", &function, props);
        let props = PermissionProps::service("s3.amazonaws.com", "arn:aws:s3:::uploads");
        stack.permission("Uploads", &function, props.same_account());
    });
    assert_eq!(
        resources["Daily"],
        json!({
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Fn::GetAtt": ["Work", "Arn"]},
                "Principal": "events.amazonaws.com",
                "SourceArn": "arn:aws:events:eu-central-1:123456789012:rule/daily",
            },
        })
    );
    assert_eq!(
        resources["Uploads"]["Properties"],
        json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Fn::GetAtt": ["Work", "Arn"]},
            "Principal": "s3.amazonaws.com",
            "SourceAccount": {"Ref": "AWS::AccountId"},
            "SourceArn": "arn:aws:s3:::uploads",
        })
    );
}

#[test]
fn a_trigger_maps_the_queue_and_lets_the_function_read_it() {
    let resources = resources(dev(), |stack| {
        let queue = stack.queue::<String>("Orders", QueueProps::default());
        let function = work(stack, FunctionProps::default());
        let trigger = queue.batches_of(100).window(5).maximum_concurrency(2);
        stack.trigger(&function, trigger);
    });
    assert_eq!(
        resources["WorkOrdersTrigger"],
        json!({
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "BatchSize": 100,
                "EventSourceArn": {"Fn::GetAtt": ["Orders", "Arn"]},
                "FunctionName": {"Fn::GetAtt": ["Work", "Arn"]},
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "MaximumBatchingWindowInSeconds": 5,
                "ScalingConfig": {"MaximumConcurrency": 2},
            },
        })
    );
    let granted = &resources["WorkRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    assert_eq!(
        granted["Statement"][1],
        json!({
            "Effect": "Allow",
            "Action": ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            "Resource": {"Fn::GetAtt": ["Orders", "Arn"]},
        })
    );
}

#[test]
fn a_trigger_says_no_more_than_it_was_told() {
    let mapping = property(dev(), "WorkOrdersTrigger", "ScalingConfig", |stack| {
        let queue = stack.queue::<String>("Orders", QueueProps::default());
        let function = work(stack, FunctionProps::default());
        stack.trigger(&function, queue.batches_of(10));
    });
    assert_eq!(mapping, Json::Null);
}

/// Returns what is wrong with a trigger of a queue with the given properties.
fn triggered(
    queue: QueueProps,
    timeout: u32,
    trigger: impl FnOnce(&QueueRef<String>) -> QueueTrigger<String>,
) -> Vec<String> {
    violations(dev(), |stack| {
        let queue = stack.queue::<String>("Orders", queue);
        let timeout = Some(timeout.into());
        let function = work(
            stack,
            FunctionProps {
                timeout,
                ..FunctionProps::default()
            },
        );
        stack.trigger(&function, trigger(&queue));
    })
}

fn fifo() -> QueueProps {
    QueueProps {
        fifo: Some(Fifo::default()),
        ..QueueProps::default()
    }
}

#[test]
fn a_trigger_keeps_within_its_limits() {
    let largest = triggered(QueueProps::default(), 3, |queue| {
        queue
            .batches_of(10_000)
            .window(300)
            .maximum_concurrency(1000)
    });
    assert_eq!(largest, [""; 0]);
    let found = triggered(QueueProps::default(), 3, |queue| {
        queue.batches_of(10_001).window(301).maximum_concurrency(1)
    });
    let path = "orders / WorkOrdersTrigger / Properties";
    assert_eq!(
        found,
        [
            format!("{path}.BatchSize: 10001 is not between 1 and 10000"),
            format!("{path}.MaximumBatchingWindowInSeconds: 301 is not between 0 and 300"),
            format!("{path}.ScalingConfig.MaximumConcurrency: 1 is not between 2 and 1000"),
        ]
    );
}

#[test]
fn a_batch_over_ten_needs_a_window() {
    let batch = |size: u32| triggered(QueueProps::default(), 3, |queue| queue.batches_of(size));
    assert_eq!(batch(10), [""; 0]);
    let message = "orders / WorkOrdersTrigger / Properties.MaximumBatchingWindowInSeconds: a batch over 10 messages needs a window of at least one second";
    assert_eq!(batch(11), [message]);
    let without = triggered(QueueProps::default(), 3, |queue| {
        queue.batches_of(11).window(0)
    });
    assert_eq!(without, [message]);
}

#[test]
fn a_fifo_queue_sends_ten_messages_at_once() {
    assert_eq!(triggered(fifo(), 3, |queue| queue.batches_of(10)), [""; 0]);
    let path = "orders / WorkOrdersTrigger / Properties";
    assert_eq!(
        triggered(fifo(), 3, |queue| queue.batches_of(11).window(5)),
        [
            format!("{path}.BatchSize: a FIFO queue sends at most 10 messages in a batch"),
            format!(
                "{path}.MaximumBatchingWindowInSeconds: a FIFO queue does not wait for a batch to fill: leave the window out"
            ),
        ]
    );
}

#[test]
fn a_message_stays_hidden_while_the_function_runs() {
    let by_default =
        |timeout: u32| triggered(QueueProps::default(), timeout, |queue| queue.batches_of(1));
    assert_eq!(by_default(30), [""; 0]);
    assert_eq!(
        by_default(31),
        [
            "orders / WorkOrdersTrigger: the visibility timeout of `Orders` is 30 s and the function may run 31 s: a message would be delivered again while it is being worked on; AWS recommends six times the function's timeout"
        ]
    );
    let hidden = QueueProps {
        visibility_timeout: Some(31.into()),
        ..QueueProps::default()
    };
    assert_eq!(triggered(hidden, 31, |queue| queue.batches_of(1)), [""; 0]);
}
