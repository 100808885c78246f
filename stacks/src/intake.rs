//! The intake system: operations arrive over HTTP, and a function carries them out on a table.
//!
//! A stage chooses how they get from the API to the function (its variable `mode`): through a queue, which answers at
//! once and keeps what cannot be carried out yet, or directly, which answers with the result. Both ways end at the same
//! function, and the queue feeds it in either mode, so that messages which wait in it survive a change of the mode.
//!
//! What people and clients know by name has a name with the stage in it; roles and the dead-letter queue keep what
//! CloudFormation calls them, because a named role cannot be replaced.

use intake::{CLIENT_ERROR_PATTERN, Operations, OperationsWiring, Record, Request};
use serde::Deserialize;
use stack_model::apigateway::{
    AccessLogFormat, AccessLogs, Authorization, Credentials, ErrorResponses, HttpMethod,
    Integration, LambdaIntegration, LogAccess, MappingTemplate, MethodProps, RestApiProps,
    StageLogs, StageProps,
};
use stack_model::dynamodb::TableProps;
use stack_model::iam::{RoleProps, RoleRef};
use stack_model::lambda::{BatchSize, FunctionProps};
use stack_model::logs::LogGroupProps;
use stack_model::policy::{Principal, Statement};
use stack_model::sqs::{
    MessageRetention, MessageSize, QueueOperation, QueueProps, QueueRef, VisibilityTimeout,
};
use stack_model::{App, Expr, Pseudo, Stack, Violations, limit, text};

/// What a stage decides, in the table `[stages.<stage>.variables.intake]` of `stackctl.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Variables {
    /// How an operation gets from the API to the function.
    mode: Mode,
    /// The first part of the API's paths.
    stage_name: String,
    /// The table's name, to which the stage is added.
    table_name: String,
    /// The queue's name, to which the stage is added.
    queue_name: String,
    /// Whether the API logs its requests. It then becomes the account's business which role API Gateway logs with: the
    /// setting counts for every API of the account and region.
    api_logs: bool,
}

impl Default for Variables {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            stage_name: "Staging".to_owned(),
            table_name: "name".to_owned(),
            queue_name: "POC-Queue".to_owned(),
            api_logs: false,
        }
    }
}

/// How an operation gets from the API to the function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// Through the queue: the caller learns the id of the message.
    #[default]
    Queue,
    /// Without a detour: the caller learns the result.
    Direct,
}

/// How often a message is tried before it counts as dead.
const RECEIVES: u32 = 5;

/// Adds the stack `intake` to an app.
///
/// # Errors
///
/// Fails where the variables of the stage do not fit.
pub fn describe(app: &mut App) -> Result<(), Violations> {
    let variables: Variables = app.stage().variables("intake")?;
    let stage = app.stage().name().to_owned();
    let mut stack = app.stack("intake");
    stack.describe("Operations on a table, taken over HTTP and carried out by a function");

    let table = stack.table::<Record>(
        "Table",
        TableProps {
            name: Some(format!("{}-{stage}", variables.table_name).into()),
            ..TableProps::default()
        },
    );

    // What is dead waits for somebody to look at it, as long as SQS keeps it.
    let dead = stack.queue::<Request>(
        "DeadLetters",
        QueueProps {
            retention: Some(limit!(MessageRetention, 14 * 24 * 3600)),
            ..QueueProps::default()
        },
    );
    let queue = stack.queue::<Request>(
        "Queue",
        QueueProps {
            name: Some(format!("{}-{stage}", variables.queue_name).into()),
            visibility_timeout: Some(limit!(VisibilityTimeout, 30)),
            retention: Some(limit!(MessageRetention, 4 * 24 * 3600)),
            maximum_message_size: Some(limit!(MessageSize, 256 * 1024)),
            redrive: Some(dead.after(RECEIVES)),
            ..QueueProps::default()
        },
    );

    let operations = stack.function(
        "Operations",
        Operations::bind(OperationsWiring { table: &table }),
        FunctionProps {
            name: Some(format!("POC-Lambda-1-{stage}").into()),
            description: Some("Carries out operations on the table".to_owned()),
            ..FunctionProps::default()
        },
    );
    stack.trigger(&operations, queue.batches_of(limit!(BatchSize, 10)));

    let sender = stack.role("SenderRole", {
        // API Gateway does not say whose API it is when it takes on a role, so no condition can keep others out.
        let mut role = RoleProps::for_service("apigateway.amazonaws.com");
        role.description = Some("Lets the API send messages to the queue".to_owned());
        role
    });
    keep_to_roles(&mut stack, &queue, &sender, operations.role());

    let integration = match variables.mode {
        // The role has no policy for the queue: the policy of the queue names the role.
        Mode::Queue => Integration::send_message(&queue, Credentials::allowed_elsewhere(&sender)),
        Mode::Direct => Integration::lambda(
            &operations,
            LambdaIntegration::passing_through(
                ErrorResponses::otherwise(500, MappingTemplate::message("Internal server error"))
                    .when(CLIENT_ERROR_PATTERN, 400, MappingTemplate::error_message()),
            ),
        ),
    };
    let api = stack.rest_api(
        "Api",
        RestApiProps {
            name: Some(format!("POC-API-{stage}").into()),
            ..RestApiProps::default()
        },
    );
    let manager = stack.rest_resource("DynamoDBManager", &api.root(), "dynamodbmanager");
    stack.rest_method(
        "DynamoDBManagerPost",
        &manager,
        MethodProps::new(HttpMethod::Post, Authorization::None, integration),
    );
    let mut live = StageProps::named(variables.stage_name);
    if variables.api_logs {
        live.logs = Some(api_logs(&mut stack, &sender));
    }
    let live = stack.rest_stage("ApiStage", &api, live);

    let create = format!(
        r#"{{"operation":"create","tableName":"{}-{stage}","payload":{{"Item":{{"id":"1","name":"Bob"}}}}}}"#,
        variables.table_name
    );
    stack
        .output("ApiUrl", live.url(&manager))
        .description(match variables.mode {
            Mode::Queue => "Takes operations and answers with the id of the message",
            Mode::Direct => "Takes operations and answers with the result",
        })
        .example(format!(
            "curl -H 'Content-Type: application/json' -d '{create}' {{value}}"
        ));
    stack
        .output("QueueUrl", queue.url())
        .description("The queue that feeds the function");
    stack
        .output("DeadLetterQueueUrl", dead.url())
        .description("Messages that failed five times");
    stack
        .output("TableName", table.name())
        .description("The table that operations work on");
    stack
        .output("FunctionArn", operations.arn())
        .description("The function that carries operations out");
    Ok(())
}

/// Lets one role send to the queue and one receive from it, and nobody else, whatever else allows it: the policy of a
/// queue alone could not keep out who is allowed by a policy of their own.
fn keep_to_roles(
    stack: &mut Stack<'_>,
    queue: &QueueRef<Request>,
    sender: &RoleRef,
    receiver: &RoleRef,
) {
    let send = [QueueOperation::Send];
    let receive = [
        QueueOperation::Receive,
        QueueOperation::Delete,
        QueueOperation::ChangeVisibility,
    ];
    stack.queue_policy(
        queue,
        [
            allow(&send, sender),
            allow(&receive, receiver),
            deny_others(&send, sender),
            deny_others(&receive, receiver),
        ],
    );
}

fn allow(operations: &[QueueOperation], role: &RoleRef) -> Statement {
    Statement::allow(operations.iter().map(|operation| operation.action())).to(role.principal())
}

fn deny_others(operations: &[QueueOperation], role: &RoleRef) -> Statement {
    // The account's root user stays able to mend a queue whose roles are gone.
    let root = text!("arn:{}:iam::{}:root", Pseudo::Partition, Pseudo::AccountId);
    let keepers: [Expr; 2] = [role.arn().into(), root.into()];
    Statement::deny(operations.iter().map(|operation| operation.action()))
        .to(Principal::Anyone)
        .when("ArnNotEquals", "aws:PrincipalArn", Expr::list(keepers))
}

/// Logs one line per request. API Gateway logs with one role for the whole account and region, and only that role has a
/// use for the right to push logs, so it is given here and not where the role is made.
fn api_logs(stack: &mut Stack<'_>, role: &RoleRef) -> StageLogs {
    let group = stack.log_group("ApiLogs", LogGroupProps::default());
    let account = stack.rest_account("ApiAccount", role);
    let mut logs = StageLogs::with(LogAccess::Account(account));
    logs.requests = Some(AccessLogs {
        group,
        format: AccessLogFormat::Json,
    });
    logs
}
