//! Whole templates that use the service modules together, as files that people and `cfn-lint` read.
//!
//! `SNAPSHOTS=overwrite cargo test -p stack-model --test main golden` writes them anew.

use std::path::Path;

use stack_model::contract::{IndexSchema, KeyAttribute, KeyKind, TableItem, TableSchema};
use stack_model::dynamodb::{self, Billing, StreamView, TableOperation, TableProps};
use stack_model::iam::RoleProps;
use stack_model::kms::KeyProps;
use stack_model::logs::{LogGroupProps, Retention};
use stack_model::s3::{self, BucketOperation, BucketProps, CorsMethod, CorsRule, LifecycleRule};
use stack_model::secretsmanager::{SecretOperation, SecretProps};
use stack_model::sns::{self, Endpoint, SubscriptionProps, TopicOperation, TopicProps};
use stack_model::sqs::{self, QueueOperation, QueueProps};
use stack_model::ssm::{ParameterOperation, ParameterProps};
use stack_model::{App, Stack, text};

use crate::support::{dev, prod, synth};

struct Order;

impl TableItem for Order {
    fn schema() -> TableSchema {
        let key = |name: &str, kind| KeyAttribute {
            name: name.to_owned(),
            kind,
        };
        TableSchema {
            partition_key: key("customer", KeyKind::String),
            sort_key: Some(key("placed", KeyKind::Number)),
            indexes: vec![
                IndexSchema {
                    name: "by-state".to_owned(),
                    partition_key: Some(key("state", KeyKind::String)),
                    sort_key: None,
                },
                IndexSchema {
                    name: "by-total".to_owned(),
                    partition_key: None,
                    sort_key: Some(key("total", KeyKind::Number)),
                },
            ],
            time_to_live: Some("expires".to_owned()),
        }
    }
}

/// Everything with the defaults.
fn plain(stack: &mut Stack<'_>) {
    stack.describe("Every service module with its defaults");
    let dead = stack.queue::<Order>("DeadLetters", QueueProps::default());
    let queue = stack.queue::<Order>(
        "Orders",
        QueueProps {
            redrive: Some(dead.after(5)),
            ..QueueProps::default()
        },
    );
    let table = stack.table::<Order>("Table", TableProps::default());
    let bucket = stack.bucket("Photos", BucketProps::default());
    let topic = stack.topic::<Order>("Placed", TopicProps::default());
    let props = SubscriptionProps::default();
    stack.subscription("OrdersOfPlaced", &topic, Endpoint::Queue(&queue), props);
    let secret = stack.secret::<String>("Token", SecretProps::default());
    let parameter = stack.ssm_parameter::<u32>("Size", "25", ParameterProps::default());
    let key = stack.key("Key", KeyProps::default());
    let logs = stack.log_group("Audit", LogGroupProps::default());
    let role = stack.role("Worker", RoleProps::for_service("lambda.amazonaws.com"));
    stack.grant(
        &role,
        queue.statements(&[QueueOperation::Receive, QueueOperation::Delete]),
    );
    stack.grant(
        &role,
        table.statements(&[TableOperation::Get, TableOperation::QueryIndex("by-state")]),
    );
    stack.grant(
        &role,
        bucket.statements(&[BucketOperation::Get, BucketOperation::List]),
    );
    stack.grant(&role, topic.statements(&[TopicOperation::Publish]));
    stack.grant(&role, secret.statements(&[SecretOperation::Read]));
    stack.grant(&role, parameter.statements(&[ParameterOperation::Get]));
    stack.grant(&role, [logs.write_statement()]);
    stack.output("KeyArn", key.arn()).description("The key");
    stack.output("QueueUrl", queue.url());
}

/// Everything with a key of the customer's own and most properties set.
fn encrypted(stack: &mut Stack<'_>) {
    stack.describe("Every service module with a key of the customer's own");
    let key = stack.key(
        "Key",
        KeyProps {
            description: Some("Encrypts orders".to_owned()),
            alias: Some(text!("orders/{}", stack.stage().name())),
            ..KeyProps::default()
        },
    );
    let dead = stack.queue::<Order>(
        "DeadLetters",
        QueueProps {
            fifo: Some(sqs::Fifo::default()),
            encryption: sqs::Encryption::customer_key(&key),
            ..QueueProps::default()
        },
    );
    let queue = stack.queue::<Order>(
        "Orders",
        QueueProps {
            redrive: Some(dead.after(3)),
            fifo: Some(sqs::Fifo {
                content_based_deduplication: true,
                high_throughput: true,
            }),
            visibility_timeout: Some(60.into()),
            encryption: sqs::Encryption::customer_key(&key),
            ..QueueProps::default()
        },
    );
    let table = stack.table::<Order>(
        "Table",
        TableProps {
            billing: Billing::Provisioned {
                read: 5.into(),
                write: 5.into(),
            },
            stream: Some(StreamView::NewImage),
            encryption: dynamodb::Encryption::CustomerKey(key.clone()),
            ..TableProps::default()
        },
    );
    let bucket = stack.bucket(
        "Photos",
        BucketProps {
            encryption: s3::Encryption::CustomerKey(key.clone()),
            cors: vec![CorsRule {
                origins: vec!["https://example.com".into()],
                methods: vec![CorsMethod::Get],
                ..CorsRule::default()
            }],
            lifecycle: vec![LifecycleRule {
                abort_incomplete_uploads_after: Some(7.into()),
                ..LifecycleRule::default()
            }],
            event_bridge: true,
            ..BucketProps::default()
        },
    );
    let topic = stack.topic::<Order>(
        "Placed",
        TopicProps {
            fifo: Some(sns::Fifo::default()),
            encryption: sns::Encryption::CustomerKey(key.clone()),
            ..TopicProps::default()
        },
    );
    let props = SubscriptionProps::default();
    stack.subscription("OrdersOfPlaced", &topic, Endpoint::Queue(&queue), props);
    let secret = stack.secret::<String>(
        "Token",
        SecretProps {
            key: Some(key.clone()),
            ..SecretProps::default()
        },
    );
    stack.log_group(
        "Audit",
        LogGroupProps {
            retention: Retention::OneYear,
            key: Some(key),
            ..LogGroupProps::default()
        },
    );
    let role = stack.role("Worker", RoleProps::for_service("lambda.amazonaws.com"));
    stack.grant(&role, queue.statements(&[QueueOperation::Send]));
    stack.grant(
        &role,
        table.statements(&[TableOperation::Put, TableOperation::ReadStream]),
    );
    stack.grant(
        &role,
        bucket.statements_under("raw/", &[BucketOperation::Put, BucketOperation::List]),
    );
    stack.grant(&role, topic.statements(&[TopicOperation::Publish]));
    stack.grant(&role, secret.statements(&[SecretOperation::Read]));
}

#[track_caller]
pub(crate) fn compare(name: &str, app: App, describe: fn(&mut Stack<'_>)) {
    let assembly = synth(app, describe).unwrap_or_else(|violations| panic!("{violations}"));
    let rendered = assembly.template("orders").unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(format!("{name}.template.json"));
    if std::env::var_os("SNAPSHOTS").is_some_and(|wanted| wanted == "overwrite") {
        std::fs::write(&file, rendered).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap();
    let position = golden
        .lines()
        .zip(rendered.lines())
        .position(|(old, new)| old != new);
    assert!(
        golden == rendered,
        "{} differs in line {:?}",
        file.display(),
        position.map(|line| line + 1)
    );
}

#[test]
fn defaults_of_a_stage_that_is_not_protected() {
    compare("plain.dev", dev(), plain);
}

#[test]
fn defaults_of_a_protected_stage() {
    compare("plain.prod", prod(), plain);
}

#[test]
fn keys_of_the_customers_own() {
    compare("encrypted.prod", prod(), encrypted);
}

#[test]
fn workflows() {
    compare(
        "workflows.dev",
        dev(),
        crate::stepfunctions::golden::workflows,
    );
}

#[test]
fn http_and_websocket_apis() {
    compare("apigatewayv2.dev", dev(), crate::apigatewayv2::golden::apis);
}

#[test]
fn projects_of_codebuild() {
    compare("codebuild.dev", dev(), crate::codebuild::golden);
}

#[test]
fn pipelines() {
    compare("codepipeline.dev", dev(), crate::codepipeline::golden);
}
