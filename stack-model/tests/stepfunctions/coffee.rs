//! Two state machines of a coffee shop, written the way a system would: one waits for a customer and a barista, the
//! other carries out what they ask for and answers the first.

use stack_model::contract::{
    Accepts, EventDetail, FunctionContract, KeyAttribute, KeyKind, TableItem, TableSchema, Wired,
    event,
};
use stack_model::dynamodb::{TableProps, TableRef};
use stack_model::events::{EventBusProps, EventBusRef};
use stack_model::lambda::{FunctionProps, FunctionRef};
use stack_model::stepfunctions::{
    Attribute, Catch, Choice, Event, ExecutionStatus, Fail, Flow, Key, Pass, Payload, Retry,
    ReturnValues, StateMachineProps, StateMachineRef, Succeed, Task, UpdateItem, context, errors,
    intrinsic,
};
use stack_model::{Stack, path, payload};

/// Where the events say that they come from.
const SOURCE: &str = "awsserverlessda.serverlesspresso";

/// How long the customer and the barista may take, in seconds. Nobody sends heartbeats, so the first that is missed ends
/// the wait; the timeout behind it does so where nobody watches heartbeats, as in the local engine.
const CUSTOMER_SECONDS: u32 = 300;
const BARISTA_SECONDS: u32 = 900;

pub(super) struct Order;
pub(super) struct Setting;
pub(super) struct Counter;

fn schema(partition_key: &str, sort_key: Option<&str>) -> TableSchema {
    let text = |name: &str| KeyAttribute {
        name: name.to_owned(),
        kind: KeyKind::String,
    };
    TableSchema {
        partition_key: text(partition_key),
        sort_key: sort_key.map(text),
        indexes: Vec::new(),
        time_to_live: None,
    }
}

impl TableItem for Order {
    fn schema() -> TableSchema {
        schema("PK", Some("SK"))
    }
}

impl TableItem for Setting {
    fn schema() -> TableSchema {
        schema("PK", None)
    }
}

impl TableItem for Counter {
    fn schema() -> TableSchema {
        schema("PK", None)
    }
}

/// The event that starts an order, and what an action on one is.
pub(super) struct NewOrder;
pub(super) struct OrderAction;

macro_rules! details {
    ($($detail:ident = $name:literal),* $(,)?) => {$(
        struct $detail;

        impl EventDetail for $detail {
            const DETAIL_TYPE: &'static str = $name;
        }
    )*};
}

details!(
    WorkflowStarted = "OrderProcessor.WorkflowStarted",
    WaitingCompletion = "OrderProcessor.WaitingCompletion",
    OrderTimeOut = "OrderProcessor.OrderTimeOut",
    ShopUnavailable = "OrderProcessor.ShopUnavailable",
    OrderFinished = "OrderProcessor.orderFinished",
    MakeOrder = "OrderManager.MakeOrder",
);

/// A function that says whether a drink is on the menu.
#[derive(Debug)]
pub(super) struct SanitizeOrder;

impl FunctionContract for SanitizeOrder {
    const PACKAGE: &'static str = "coffee";
    const BINARY: &'static str = "coffee-sanitize-order";
}

impl Accepts<event::Invocation<OrderAction>> for SanitizeOrder {}

/// What the state machines work with.
pub(super) struct Shop {
    bus: EventBusRef,
    orders: TableRef<Order>,
    settings: TableRef<Setting>,
    counters: TableRef<Counter>,
    sanitize: FunctionRef<SanitizeOrder>,
}

impl Shop {
    fn new(stack: &mut Stack<'_>) -> Self {
        Self {
            bus: stack.event_bus("Bus", EventBusProps::default()),
            orders: stack.table("Orders", TableProps::default()),
            settings: stack.table("Settings", TableProps::default()),
            counters: stack.table("Counters", TableProps::default()),
            sanitize: stack.function(
                "SanitizeOrder",
                Wired::new(Vec::new()),
                FunctionProps::default(),
            ),
        }
    }

    fn emit<D: EventDetail>(&self, detail: Payload) -> Task<stack_model::stepfunctions::Events> {
        Task::put_event(&self.bus, Event::of::<D>(SOURCE, detail)).at_state_entered_time()
    }
}

pub(super) fn order_processor(shop: &Shop) -> Flow {
    let mut flow = Flow::new();
    let unavailable = flow.later("Emit Shop not ready");
    let customer_timed_out = flow.later("Customer timedout");
    let barista_timed_out = flow.later("Barista timedout");
    let timed_out = flow.later("Emit error timeout");
    let finished = flow.later("Emit order finished");

    flow.add(
        "Get Shop status",
        Task::get_item(&shop.settings, Key::of("PK", "config")).result_path(path!("$.GetStore")),
    );
    let open = path!("$.GetStore.Item.storeOpen.BOOL");
    flow.add(
        "Shop Open?",
        Choice::new().when(!(open.is_present() & open.equals(true)), &unavailable),
    );
    flow.add(
        "ListExecutions",
        Task::list_own_executions(ExecutionStatus::Running, 100)
            .result_path(path!("$.isCapacityAvailable")),
    );
    flow.add(
        "Is capacity available?",
        Choice::new().when(
            // The 21st execution that runs; this one is among them.
            path!("$.isCapacityAvailable.Executions[20]").is_present(),
            &unavailable,
        ),
    );
    flow.add(
        "Emit Workflow Started TT",
        shop.emit::<WorkflowStarted>(payload!({
            "Message": "The order waits for the customer's choice",
            "TaskToken": context::TASK_TOKEN,
            "orderId": path!("$.detail.orderId"),
            "userId": path!("$.detail.userId"),
        }))
        .wait_for_task_token()
        .heartbeat(CUSTOMER_SECONDS)
        .timeout(CUSTOMER_SECONDS + 1)
        .result_path(path!("$.customer"))
        .catch(Catch::on([errors::TIMEOUT], &customer_timed_out).result_path(path!("$.comment"))),
    );
    let cancelled = path!("$.customer.cancelled");
    flow.add(
        "Cancelled?",
        Choice::new().when(cancelled.is_present() & cancelled.equals(true), &finished),
    );
    flow.add(
        "Generate Order Number",
        Task::update_item(
            &shop.counters,
            UpdateItem::new(Key::of("PK", "orderID"), "SET IDvalue = IDvalue + :one")
                .value(":one", Attribute::number(1))
                .returning(ReturnValues::UpdatedNew),
        )
        .result_selector(payload!({
            "Payload": { "orderNumber": path!("$.Attributes.IDvalue.N") },
        }))
        .result_path(path!("$.Order")),
    );
    flow.add(
        "Emit Awaiting Completion TT",
        shop.emit::<WaitingCompletion>(payload!({
            "Message": "The order waits for a barista",
            "TaskToken": context::TASK_TOKEN,
            "orderId": path!("$.detail.orderId"),
            "orderNumber": path!("$.Order.Payload.orderNumber"),
            "userId": path!("$.detail.userId"),
        }))
        .wait_for_task_token()
        .heartbeat(BARISTA_SECONDS)
        .timeout(BARISTA_SECONDS + 1)
        .result_path(path!("$.order"))
        .catch(Catch::on([errors::TIMEOUT], &barista_timed_out).result_path(path!("$.comment"))),
    );
    flow.add(
        &finished,
        shop.emit::<OrderFinished>(payload!({
            "Message": "The order is finished",
            "orderId": path!("$.detail.orderId"),
            "userId": path!("$.detail.userId"),
        }))
        .end(),
    );

    flow.add(
        &customer_timed_out,
        Pass::new()
            .result("Customer timedout")
            .result_path(path!("$.cause"))
            .next(&timed_out),
    );
    flow.add(
        &barista_timed_out,
        Pass::new()
            .result("Barista timedout")
            .result_path(path!("$.cause")),
    );
    flow.add(
        &timed_out,
        shop.emit::<OrderTimeOut>(payload!({
            "Message": "Nobody answered in time",
            "cause": path!("$.cause"),
            "orderId": path!("$.detail.orderId"),
            "userId": path!("$.detail.userId"),
        }))
        .end(),
    );
    flow.add(
        &unavailable,
        shop.emit::<ShopUnavailable>(payload!({
            "Message": "The shop takes no orders now",
            "orderId": path!("$.detail.orderId"),
            "userId": path!("$.detail.userId"),
        }))
        .end(),
    );
    flow
}

pub(super) fn order_manager(shop: &Shop) -> Flow {
    let mut flow = Flow::new();
    let cancel = flow.later("Cancel Order");
    let complete = flow.later("Complete Order");
    let update_record = flow.later("Update Record");
    let claim = flow.later("Claim Order");
    let unmake = flow.later("Unmake Order");
    let update_barista = flow.later("Update barista");
    let not_valid = flow.later("not a valid order");
    let not_open = flow.later("Order is not open");
    let not_own = flow.later("Order of another customer");
    let unknown = flow.later("Unknown order");

    let order = || Key::of("PK", "orders").and("SK", path!("$.orderId"));
    let refused = "DynamoDB.ConditionalCheckFailedException";
    let action = path!("$.action");

    flow.add(
        "Decide Action",
        Choice::new()
            .when(action.equals("complete"), &complete)
            .when(action.equals("cancel"), &cancel)
            .when(action.equals("make") | action.equals("unmake"), &claim),
    );

    // The customer chose a drink.
    flow.add("Customer Put Order", Pass::new());
    flow.add(
        "get menu",
        Task::get_item(&shop.settings, Key::of("PK", "menu")).result_path(path!("$.menu")),
    );
    flow.add(
        "Sanitize",
        Task::invoke(&shop.sanitize, Payload::input())
            .result_path(path!("$.sanitise"))
            .retry(Retry::on_lambda_service_errors()),
    );
    flow.add(
        "Is Order Valid?",
        Choice::new().when(path!("$.sanitise.Payload").equals(false), &not_valid),
    );
    flow.add(
        "Update order",
        Task::update_item(
            &shop.orders,
            UpdateItem::new(order(), "SET drinkOrder = :drink")
                .only_if("USERID = :user AND attribute_exists(TaskToken)")
                .value(
                    ":drink",
                    Attribute::text(intrinsic::json_to_string(path!("$.body"))),
                )
                .value(":user", Attribute::text(path!("$.baristaUserId")))
                .returning(ReturnValues::AllNew),
        )
        .result_selector(payload!({ "TaskToken": path!("$.Attributes.TaskToken.S") }))
        .catch(Catch::on([refused], &not_own).result_path(path!("$.error"))),
    );
    flow.add(
        "Resume 2",
        Task::send_task_success(path!("$.TaskToken"), payload!({})).end(),
    );
    flow.add(&not_valid, Succeed::new());
    flow.add(
        &not_own,
        Fail::new("OrderNotOpen").cause("the order is not the caller's, or nobody waits for it"),
    );

    // The order ends, one way or the other.
    flow.add(
        &cancel,
        Pass::new()
            .result(serde_json::json!({ "state": "Cancelled", "answer": "{\"cancelled\":true}" }))
            .result_path(path!("$.result"))
            .next(&update_record),
    );
    flow.add(
        &complete,
        Pass::new()
            .result(serde_json::json!({ "state": "Completed", "answer": "{}" }))
            .result_path(path!("$.result")),
    );
    flow.add(
        &update_record,
        Task::update_item(
            &shop.orders,
            // An order ends once: a second call would announce it again and answer with a dead token.
            UpdateItem::new(order(), "SET ORDERSTATE = :state")
                .only_if("ORDERSTATE = :created")
                .value(":created", Attribute::text("CREATED"))
                .value(":state", Attribute::text(path!("$.result.state")))
                .returning(ReturnValues::AllNew),
        )
        .result_path(path!("$.record"))
        .catch(Catch::on([refused], &not_open).result_path(path!("$.error"))),
    );
    flow.add(
        "Construct (1)",
        Pass::new()
            .parameters(payload!({
                "Message": intrinsic::format(
                    "The order is {}",
                    [path!("$.record.Attributes.ORDERSTATE.S").into()],
                ),
                "ORDERSTATE": path!("$.record.Attributes.ORDERSTATE.S"),
                "orderId": path!("$.orderId"),
                "userId": path!("$.record.Attributes.USERID.S"),
            }))
            .result_path(path!("$.detail")),
    );
    flow.add(
        "Emit Completed/Cancelled",
        Task::put_event(
            &shop.bus,
            Event::named(
                intrinsic::format(
                    "OrderManager.Order{}",
                    [path!("$.detail.ORDERSTATE").into()],
                ),
                SOURCE,
                path!("$.detail"),
            ),
        )
        .at_state_entered_time()
        .discard_result(),
    );
    flow.add(
        "Resume 1",
        Task::send_task_success(
            path!("$.record.Attributes.TaskToken.S"),
            path!("$.result.answer"),
        )
        .end(),
    );
    flow.add(
        &not_open,
        Fail::new("OrderNotOpen").cause("the order does not exist or has ended"),
    );

    // A barista takes an order, or gives it back.
    flow.add(
        &claim,
        Pass::new()
            .result("A barista takes the order")
            .result_path(path!("$.Message")),
    );
    flow.add(
        "Make OR Unmake?",
        Choice::new()
            .when(action.equals("unmake"), &unmake)
            .otherwise(&update_barista),
    );
    flow.add(
        &unmake,
        Pass::new().parameters(payload!({
            "Message": "The barista gave the order back",
            "baristaUserId": "",
            "orderId": path!("$.orderId"),
        })),
    );
    flow.add(
        &update_barista,
        Task::update_item(
            &shop.orders,
            UpdateItem::new(order(), "SET baristaUserId = :barista")
                .only_if("attribute_exists(PK)")
                .value(":barista", Attribute::text(path!("$.baristaUserId")))
                .returning(ReturnValues::AllNew),
        )
        .result_path(path!("$.result"))
        .catch(Catch::on([refused], &unknown).result_path(path!("$.error"))),
    );
    flow.add(
        "Construct",
        Pass::new()
            .parameters(payload!({
                "Message": path!("$.Message"),
                "baristaUserId": path!("$.result.Attributes.baristaUserId.S"),
                "orderId": path!("$.orderId"),
                "userId": path!("$.result.Attributes.USERID.S"),
            }))
            .result_path(path!("$.detail")),
    );
    flow.add(
        "Emit Making",
        Task::put_event(&shop.bus, Event::of::<MakeOrder>(SOURCE, path!("$.detail")))
            .at_state_entered_time()
            .end(),
    );
    flow.add(
        &unknown,
        Fail::new("UnknownOrder").cause("there is no such order"),
    );
    flow
}

/// Describes the stack with both state machines.
pub(crate) fn workflows(stack: &mut Stack<'_>) {
    stack.describe("The workflows of a coffee shop");
    let shop = Shop::new(stack);
    let processor: StateMachineRef<NewOrder> = stack.state_machine(
        "OrderProcessor",
        order_processor(&shop),
        StateMachineProps {
            comment: Some("Waits for a customer's choice and for a barista".to_owned()),
            ..StateMachineProps::default()
        },
    );
    let manager: StateMachineRef<OrderAction> = stack.state_machine(
        "OrderManager",
        order_manager(&shop),
        StateMachineProps::default(),
    );
    stack.output("OrderProcessorArn", processor.arn());
    stack.output("OrderManagerArn", manager.arn());
}
