//! What the golden of workflows shows: goods that come back. Each parcel is looked at in its turn by somebody who answers
//! with a token, the refund is tried again, and whatever cannot be done has a name.

use serde_json::json;
use stack_model::contract::{KeyAttribute, KeyKind, TableItem, TableSchema};
use stack_model::dynamodb::TableProps;
use stack_model::s3::BucketProps;
use stack_model::sqs::QueueProps;
use stack_model::stepfunctions::{
    Attribute, Catch, ChildExecutions, Choice, Fail, Flow, ItemReader, Key, Map, Parallel, Pass,
    Retry, ReturnValues, Seconds, StateMachineProps, StateMachineRef, StateMachineType, Succeed,
    Task, UpdateItem, context, errors, intrinsic,
};
use stack_model::{Stack, limit, path, payload};

/// What came back.
struct Return;

impl TableItem for Return {
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

pub(crate) fn workflows(stack: &mut Stack<'_>) {
    let returns = stack.table::<Return>("Returns", TableProps::default());
    let parcels = stack.queue::<serde_json::Value>("Parcels", QueueProps::default());

    let mut parcel = Flow::new();
    let lost = parcel.later("Lost");
    parcel.add(
        "Look at it",
        Task::send_message(
            &parcels,
            payload!({ "parcel": path!("$.parcel"), "token": context::TASK_TOKEN }),
        )
        .wait_for_task_token()
        .heartbeat(3_600)
        .result_path(path!("$.seen"))
        .catch(Catch::on([errors::TIMEOUT], &lost).result_path(path!("$.error")))
        .end(),
    );
    parcel.add(&lost, Pass::new().result(json!({"seen": "lost"})).end());

    let mut flow = Flow::new();
    let refused = flow.later("Refused");
    let unknown = flow.later("Unknown return");
    flow.add(
        "Each parcel",
        Map::each(parcel)
            .items(path!("$.parcels"))
            .item_selector(payload!({ "parcel": context::MAP_ITEM_VALUE }))
            .max_concurrency(2)
            .result_path(path!("$.looks")),
    );
    flow.add(
        "All there?",
        Choice::new().when(path!("$.looks[0].seen").equals("lost"), &refused),
    );
    flow.add(
        "Refund",
        Task::update_item(
            &returns,
            UpdateItem::new(Key::of("id", path!("$.id")), "SET answer = :answer")
                .only_if("attribute_exists(id)")
                .value(
                    ":answer",
                    Attribute::text(intrinsic::json_to_string(path!("$.looks"))),
                )
                .returning(ReturnValues::AllNew),
        )
        .retry(Retry::on([
            "DynamoDB.ProvisionedThroughputExceededException",
        ]))
        .catch(Catch::on(
            ["DynamoDB.ConditionalCheckFailedException"],
            &unknown,
        )),
    );
    flow.add("Refunded", Succeed::new());
    flow.add(
        &refused,
        Fail::new("ParcelLost").cause("a parcel never came"),
    );
    flow.add(
        &unknown,
        Fail::new("UnknownReturn").cause("nobody announced it"),
    );
    let machine: StateMachineRef<Return> = stack.state_machine(
        "TakeBack",
        flow,
        StateMachineProps {
            comment: Some("Takes goods back".to_owned()),
            timeout: Some(limit!(Seconds, 86_400)),
            ..StateMachineProps::default()
        },
    );
    stack.output("TakeBackArn", machine.arn());

    // How many parcels there were is counted at once, and in five minutes at most.
    let mut flow = Flow::new();
    let count = intrinsic::array_length(path!("$.parcels"));
    flow.add(
        "Count",
        Pass::new().parameters(payload!({ "parcels": count })).end(),
    );
    let props = StateMachineProps {
        kind: StateMachineType::Express,
        ..StateMachineProps::default()
    };
    let _: StateMachineRef<Return> = stack.state_machine("CountParcels", flow, props);
    stock_taking(stack);
}

/// Adds what counts the stock once a year: all shelves of a file, and at the same time who was there.
fn stock_taking(stack: &mut Stack<'_>) {
    let shelves = stack.bucket("Shelves", BucketProps::default());
    let mut shelf = Flow::new();
    shelf.add("Count a shelf", Pass::new().end());
    let mut all = Flow::new();
    all.add(
        "Each shelf",
        Map::distributed(shelf, ChildExecutions::Express)
            .reader(ItemReader::csv(&shelves, path!("$.key")))
            .results_to(&shelves, "counted/")
            .tolerated_failure_percentage(5)
            .batches_of(10)
            .end(),
    );
    let mut people = Flow::new();
    people.add("Who was there", Pass::new().result(json!([])).end());
    let mut flow = Flow::new();
    flow.add(
        "Both",
        Parallel::of([all, people])
            .result_selector(payload!({ "people": path!("$[1]") }))
            .retry(Retry::on([errors::BRANCH_FAILED]))
            .end(),
    );
    let _: StateMachineRef<Return> =
        stack.state_machine("TakeStock", flow, StateMachineProps::default());
}
