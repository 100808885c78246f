//! The stack's side: environment, schema and exactly the needed permissions.

use serde_json::{Value, json};
use stack_bindings::{
    BatchGet, BatchWrite, Bindings, Bucket, ChangeVisibility, ConditionCheck, Delete, Get,
    GetAttributes, GetDecrypted, Invocation, List, Parameter, Publish, Put, Query, QueryIndex,
    Queue, Receive, Scan, ScanIndex, Secret, Send, Table, Topic, Update, Var, Wire,
};
use stack_model::contract::{
    Accepts, FunctionContract, KeyKind, TableItem, Wired, WiredBinding, event,
};
use stack_model::dynamodb::{self, TableProps, TableRef};
use stack_model::kms::{KeyProps, KeyRef};
use stack_model::lambda::FunctionProps;
use stack_model::s3::{self, BucketProps, BucketRef};
use stack_model::secretsmanager::{SecretProps, SecretRef};
use stack_model::sns::{self, TopicProps, TopicRef};
use stack_model::sqs::{self, QueueProps, QueueRef};
use stack_model::ssm::{ParameterProps, ParameterRef};
use stack_model::{App, Arn, Stack, Stage};

use crate::declared::{ByDrink, ByState, LogLevel, Operation, Operations, Order};

/// One resource of every kind.
struct Resources {
    table: TableRef<Order>,
    queue: QueueRef<String>,
    bucket: BucketRef,
    topic: TopicRef<String>,
    secret: SecretRef<String>,
    parameter: ParameterRef<u32>,
    key: Option<KeyRef>,
}

fn resources(stack: &mut Stack<'_>, key: Option<&KeyRef>) -> Resources {
    let mut queue = QueueProps::default();
    let mut table = TableProps::default();
    let mut bucket = BucketProps::default();
    let mut topic = TopicProps::default();
    let mut secret = SecretProps::default();
    if let Some(key) = key {
        queue.encryption = sqs::Encryption::customer_key(key);
        table.encryption = dynamodb::Encryption::CustomerKey(key.clone());
        bucket.encryption = s3::Encryption::CustomerKey(key.clone());
        topic.encryption = sns::Encryption::CustomerKey(key.clone());
        secret.key = Some(key.clone());
    }
    Resources {
        table: stack.table("Table", table),
        queue: stack.queue("Queue", queue),
        bucket: stack.bucket("Bucket", bucket),
        topic: stack.topic("Topic", topic),
        secret: stack.secret("Secret", secret),
        parameter: stack.ssm_parameter("Parameter", "5", ParameterProps::default()),
        key: key.cloned(),
    }
}

pub(crate) fn app() -> App {
    let stage = json!({"name": "dev", "region": "eu-west-1", "architecture": "arm64"});
    App::new(Stage::new(serde_json::from_value(stage).unwrap()))
}

/// Returns the template of a stack with one function.
fn template(with_key: bool, wire: impl FnOnce(&Resources) -> Wired<Operations>) -> Value {
    let mut app = app();
    let mut stack = app.stack("stack");
    let key = with_key.then(|| stack.key("Key", KeyProps::default()));
    let resources = resources(&mut stack, key.as_ref());
    stack.function("Function", wire(&resources), FunctionProps::default());
    let assembly = app.synth().unwrap();
    serde_json::from_str(assembly.template("stack").unwrap()).unwrap()
}

/// What one statement allows: the actions, the resource, and the condition, which is null where there is none.
pub(crate) type Allowed = (Vec<String>, Value, Value);

/// Returns what the role of a function with one binding allows beyond writing its logs.
fn allowed(with_key: bool, wire: impl FnOnce(&Resources) -> WiredBinding) -> Vec<Allowed> {
    allowed_in(&template(with_key, |resources| {
        Wired::new(vec![wire(resources)])
    }))
}

pub(crate) fn allowed_in(template: &Value) -> Vec<Allowed> {
    let policies = &template["Resources"]["FunctionRole"]["Properties"]["Policies"];
    let statements = policies
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
    statements
        .map(|statement| {
            assert_eq!(statement["Effect"], "Allow");
            let actions = match &statement["Action"] {
                Value::Array(actions) => actions.clone(),
                action => vec![action.clone()],
            };
            let actions = actions
                .iter()
                .map(|action| action.as_str().unwrap().to_owned());
            let condition = statement.get("Condition").cloned().unwrap_or_default();
            (
                actions.collect::<Vec<_>>(),
                statement["Resource"].clone(),
                condition,
            )
        })
        .filter(|(actions, ..)| !actions.iter().any(|action| action.starts_with("logs:")))
        .collect()
}

pub(crate) fn arn(logical_id: &str) -> Value {
    json!({"Fn::GetAtt": [logical_id, "Arn"]})
}

pub(crate) fn reference(logical_id: &str) -> Value {
    json!({"Ref": logical_id})
}

/// Asserts that a binding of the given type allows exactly one statement.
macro_rules! allows_exactly {
    ($($binding:ty, $resource:ident => [$($action:literal),+], $on:expr;)+) => {
        $(
            assert_eq!(
                allowed(false, |resources| {
                    <$binding as Wire>::wire(&resources.$resource, "field", "FIELD")
                }),
                [(vec![$($action.to_owned()),+], $on, Value::Null)],
                stringify!($binding)
            );
        )+
    };
}

#[test]
fn every_operation_allows_exactly_its_action_on_exactly_its_resource() {
    let objects = json!({"Fn::Sub": "${Bucket.Arn}/*"});
    // The name of a parameter starts with the `/` that its ARN has there.
    let parameter = json!({
        "Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${Parameter}"
    });
    // `Id` is the ARN of a secret, with the six characters at its end that make it unique.
    let secret = json!({"Fn::GetAtt": ["Secret", "Id"]});
    let index = |name: &str| json!({"Fn::Sub": format!("${{Table.Arn}}/index/{name}")});
    allows_exactly! {
        Table<Order, Get>, table => ["dynamodb:GetItem"], arn("Table");
        Table<Order, Put>, table => ["dynamodb:PutItem"], arn("Table");
        Table<Order, Update>, table => ["dynamodb:UpdateItem"], arn("Table");
        Table<Order, Delete>, table => ["dynamodb:DeleteItem"], arn("Table");
        Table<Order, Query>, table => ["dynamodb:Query"], arn("Table");
        Table<Order, Scan>, table => ["dynamodb:Scan"], arn("Table");
        Table<Order, BatchGet>, table => ["dynamodb:BatchGetItem"], arn("Table");
        Table<Order, BatchWrite>, table => ["dynamodb:BatchWriteItem"], arn("Table");
        Table<Order, ConditionCheck>, table => ["dynamodb:ConditionCheckItem"], arn("Table");
        Table<Order, QueryIndex<ByState>>, table => ["dynamodb:Query"], index("state-index");
        Table<Order, QueryIndex<ByDrink>>, table => ["dynamodb:Query"], index("drink.local");
        Table<Order, ScanIndex<ByState>>, table => ["dynamodb:Scan"], index("state-index");
        Queue<String, Send>, queue => ["sqs:SendMessage"], arn("Queue");
        Queue<String, Receive>, queue => ["sqs:ReceiveMessage"], arn("Queue");
        Queue<String, Delete>, queue => ["sqs:DeleteMessage"], arn("Queue");
        Queue<String, ChangeVisibility>, queue => ["sqs:ChangeMessageVisibility"], arn("Queue");
        Queue<String, GetAttributes>, queue => ["sqs:GetQueueAttributes"], arn("Queue");
        Bucket<Get>, bucket => ["s3:GetObject"], objects.clone();
        Bucket<Put>, bucket => ["s3:PutObject"], objects.clone();
        Bucket<Delete>, bucket => ["s3:DeleteObject"], objects.clone();
        Bucket<List>, bucket => ["s3:ListBucket"], arn("Bucket");
        Topic<String, Publish>, topic => ["sns:Publish"], reference("Topic");
        Secret, secret => ["secretsmanager:GetSecretValue"], secret;
        Parameter<u32, Get>, parameter => ["ssm:GetParameter"], parameter.clone();
        Parameter<u32, GetDecrypted>, parameter => ["ssm:GetParameter"], parameter.clone();
        Table<Order, (Get, Put, Delete)>, table =>
            ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"], arn("Table");
    }
}

#[test]
fn a_table_and_its_index_are_two_resources() {
    let allowed = allowed(false, |resources| {
        type Both = Table<Order, (Query, QueryIndex<ByState>)>;
        Both::wire(&resources.table, "table", "TABLE_NAME")
    });
    assert_eq!(
        allowed,
        [
            (vec!["dynamodb:Query".to_owned()], arn("Table"), Value::Null),
            (
                vec!["dynamodb:Query".to_owned()],
                json!({"Fn::Sub": "${Table.Arn}/index/state-index"}),
                Value::Null
            ),
        ]
    );
}

/// Asserts which actions of the key a binding allows beside its own: through the service alone.
macro_rules! allows_of_the_key {
    ($($binding:ty, $resource:ident, $service:literal => $expected:expr;)+) => {
        $(
            let of_the_key: Vec<Allowed> = allowed(true, |resources| {
                <$binding as Wire>::wire(&resources.$resource, "field", "FIELD")
            })
            .into_iter()
            .filter(|(actions, ..)| actions.iter().any(|action| action.starts_with("kms:")))
            .collect();
            let actions: &[&str] = &$expected;
            let expected: Vec<Allowed> = if actions.is_empty() {
                Vec::new()
            } else {
                let actions = actions.iter().map(|action| (*action).to_owned()).collect();
                let service = concat!($service, ".${AWS::Region}.${AWS::URLSuffix}");
                let via = json!({"StringEquals": {"kms:ViaService": {"Fn::Sub": service}}});
                vec![(actions, arn("Key"), via)]
            };
            assert_eq!(of_the_key, expected, stringify!($binding));
        )+
    };
}

/// What the services ask for:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html>,
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>,
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html> and
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html>.
#[test]
fn a_key_of_the_customers_own_is_allowed_as_the_operation_needs_it() {
    const OPENED: [&str; 1] = ["kms:Decrypt"];
    const SEALED: [&str; 2] = ["kms:Decrypt", "kms:GenerateDataKey"];
    const READ: [&str; 2] = ["kms:Decrypt", "kms:DescribeKey"];
    const WRITTEN: [&str; 6] = [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ];
    allows_of_the_key! {
        Table<Order, Get>, table, "dynamodb" => READ;
        Table<Order, Query>, table, "dynamodb" => READ;
        Table<Order, Scan>, table, "dynamodb" => READ;
        Table<Order, BatchGet>, table, "dynamodb" => READ;
        Table<Order, ConditionCheck>, table, "dynamodb" => READ;
        Table<Order, QueryIndex<ByState>>, table, "dynamodb" => READ;
        Table<Order, ScanIndex<ByState>>, table, "dynamodb" => READ;
        Table<Order, Put>, table, "dynamodb" => WRITTEN;
        Table<Order, Update>, table, "dynamodb" => WRITTEN;
        Table<Order, Delete>, table, "dynamodb" => WRITTEN;
        Table<Order, BatchWrite>, table, "dynamodb" => WRITTEN;
        Table<Order, (Get, Put)>, table, "dynamodb" => WRITTEN;
        Queue<String, Send>, queue, "sqs" => SEALED;
        Queue<String, Receive>, queue, "sqs" => OPENED;
        Queue<String, Delete>, queue, "sqs" => [];
        Queue<String, ChangeVisibility>, queue, "sqs" => [];
        Queue<String, GetAttributes>, queue, "sqs" => [];
        Bucket<Get>, bucket, "s3" => OPENED;
        Bucket<Put>, bucket, "s3" => SEALED;
        Bucket<Delete>, bucket, "s3" => [];
        Bucket<List>, bucket, "s3" => [];
        Topic<String, Publish>, topic, "sns" => SEALED;
        Secret, secret, "secretsmanager" => OPENED;
        Parameter<u32, Get>, parameter, "ssm" => [];
        Parameter<u32, GetDecrypted>, parameter, "ssm" => [];
    }
}

#[test]
fn what_somebody_else_keeps_fills_a_binding_too() {
    const SECRET: &str =
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:payments/token-AbCdEf";

    let template = template(true, |resources| {
        let key = resources.key.as_ref().unwrap();
        let secret = SecretRef::existing(Arn::parse(SECRET).unwrap());
        let sealed = ParameterRef::<u32>::existing_secure("/payments/limit", Some(key));
        Wired::new(vec![
            <Secret as Wire>::wire(&secret, "secret", "SECRET_ARN"),
            <Parameter<u32, GetDecrypted> as Wire>::wire(&sealed, "limit", "LIMIT_NAME"),
        ])
    });
    let function = &template["Resources"]["Function"]["Properties"];
    assert_eq!(
        function["Environment"]["Variables"],
        json!({"SECRET_ARN": SECRET, "LIMIT_NAME": "/payments/limit"})
    );
    let via = |service| json!({"StringEquals": {"kms:ViaService": {"Fn::Sub": format!("{service}.${{AWS::Region}}.${{AWS::URLSuffix}}")}}});
    let parameter = json!({
        "Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/payments/limit"
    });
    let text = |action: &str| vec![action.to_owned()];
    let mut expected = vec![
        (
            text("secretsmanager:GetSecretValue"),
            json!(SECRET),
            Value::Null,
        ),
        (text("ssm:GetParameter"), parameter, Value::Null),
        (text("kms:Decrypt"), arn("Key"), via("ssm")),
    ];
    let mut found = allowed_in(&template);
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    found.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(found, expected);
}

/// A function with a binding of every kind.
#[derive(Bindings)]
#[function(binary = "everything", accepts(Invocation<String>))]
struct Everything {
    table: Table<Order, Get>,
    queue: Queue<String, Send>,
    bucket: Bucket<Get>,
    topic: Topic<String>,
    secret: Secret,
    parameter: Parameter<u32>,
    level: Var<LogLevel>,
    #[binding(environment = "STAGE")]
    r#type: Var<String>,
}

#[test]
fn the_environment_names_every_resource_and_no_secret() {
    let mut app = app();
    let mut stack = app.stack("stack");
    let resources = resources(&mut stack, None);
    let wired = Everything::bind(EverythingWiring {
        table: &resources.table,
        queue: &resources.queue,
        bucket: &resources.bucket,
        topic: &resources.topic,
        secret: &resources.secret,
        parameter: &resources.parameter,
        level: LogLevel::Debug.into(),
        r#type: "dev".into(),
    });
    let kinds: Vec<_> = wired
        .bindings()
        .iter()
        .map(|binding| (binding.field, binding.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("table", "table"),
            ("queue", "queue"),
            ("bucket", "bucket"),
            ("topic", "topic"),
            ("secret", "secret"),
            ("parameter", "parameter"),
            ("level", "variable"),
            ("type", "variable"),
        ]
    );
    stack.function("Function", wired, FunctionProps::default());
    let assembly = app.synth().unwrap();
    let template: Value = serde_json::from_str(assembly.template("stack").unwrap()).unwrap();
    assert_eq!(
        template["Resources"]["Function"]["Properties"]["Environment"]["Variables"],
        json!({
            "TABLE_NAME": reference("Table"),
            "QUEUE_URL": reference("Queue"),
            "BUCKET_NAME": reference("Bucket"),
            "TOPIC_ARN": reference("Topic"),
            "SECRET_ARN": {"Fn::GetAtt": ["Secret", "Id"]},
            "PARAMETER_NAME": reference("Parameter"),
            "LEVEL": "debug",
            "STAGE": "dev",
        })
    );
}

#[test]
fn the_schema_follows_serde() {
    let schema = Order::schema();
    assert_eq!(schema.partition_key.name, "PK");
    assert_eq!(schema.partition_key.kind, KeyKind::String);
    let sort = schema.sort_key.unwrap();
    assert_eq!(
        (sort.name.as_str(), sort.kind),
        ("sequenceNumber", KeyKind::Number)
    );
    assert_eq!(schema.time_to_live.as_deref(), Some("expires"));
    let [global, local] = schema.indexes.as_slice() else {
        panic!("two indexes are declared");
    };
    assert_eq!(global.name, "state-index");
    assert_eq!(global.partition_key.as_ref().unwrap().name, "state");
    assert_eq!(global.partition_key.as_ref().unwrap().kind, KeyKind::String);
    assert_eq!(global.sort_key.as_ref().unwrap().name, "placedAt");
    assert_eq!(
        (local.name.as_str(), &local.partition_key),
        ("drink.local", &None)
    );
    assert_eq!(local.sort_key.as_ref().unwrap().name, "drink");
}

#[test]
fn the_contract_reaches_the_stack() {
    fn accepts<F, A, B>() -> (&'static str, &'static str)
    where
        F: FunctionContract + Accepts<A> + Accepts<B>,
    {
        (F::PACKAGE, F::BINARY)
    }

    assert_eq!(
        accepts::<Operations, event::QueueBatch<Operation>, event::Invocation<Operation>>(),
        ("stack-bindings", "intake-operations")
    );
}
