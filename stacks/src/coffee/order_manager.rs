//! `OrderManager`: the state machine that carries out what customers and baristas ask for.
//!
//! Its input is `{"action", "body", "orderId", "baristaUserId"}`, of which the last is whoever calls, and `admin` where the
//! stage has an admin check. A customer asks for a drink without an action, and may `cancel` an own order; baristas `make`,
//! `unmake`, `complete`, and `cancel` every order. What ends an order or goes on with it answers the task that
//! `OrderProcessor` waits with.

use coffee::detail::MakeOrder;
use coffee::{
    CANCELLED, COMPLETED, CREATED, MENU, ORDERS, OrderRequest, SanitizeOrder, SanitizeOrderWiring,
};
use serde_json::json;
use stack_model::stepfunctions::{
    Attribute, Catch, Choice, Fail, Flow, Key, Pass, Payload, Retry, ReturnValues, Seconds,
    StateMachineProps, StateMachineRef, Succeed, Task, UpdateItem, Wait, context, intrinsic,
};
use stack_model::{Stack, limit, path, payload};

use super::Settings;
use super::bus::Bus;
use super::calls::{DEAD_TOKEN, REFUSED, tried_again};
use super::tables::Tables;

/// What somebody asks for.
#[derive(Debug)]
pub(super) enum OrderAction {}

/// Where the input says whether the caller is of the group that runs the bar. Who is not said to be is not.
pub(super) const IS_ADMIN: &str = "admin";

/// When a customer may choose a drink: once. A second choice would answer the barista's task, since that is what the order
/// waits for as soon as it has a number. The same choice may come again before that, where nobody knows whether it
/// reached the workflow.
const AWAITS_CHOICE: &str = "USERID = :user AND ORDERSTATE = :created AND attribute_exists(TaskToken) AND \
    attribute_not_exists(orderNumber) AND (attribute_not_exists(drinkOrder) OR drinkOrder = :drink)";

/// When an order may end: once. A second call would announce it again and answer with a dead token. The execution that
/// ended it may do so again, since it may have missed that it did.
const MAY_END: &str = "(ORDERSTATE = :created OR endedBy = :execution)";

/// How many seconds an execution may take: more than all retries of a function.
const TIMEOUT: u32 = 300;

pub(super) fn add(
    stack: &mut Stack<'_>,
    settings: &Settings,
    tables: &Tables,
    bus: &Bus,
) -> StateMachineRef<OrderAction> {
    let sanitize = stack.function(
        "SanitizeOrder",
        SanitizeOrder::bind(SanitizeOrderWiring {}),
        settings.function("Says whether the menu has a drink", 20),
    );
    let mut flow = Flow::new();
    let cancel = flow.later("Cancel Order");
    let complete = flow.later("Complete Order");
    let update_record = flow.later("Update Record");
    let construct = flow.later("Construct (1)");
    let claim = flow.later("Claim Order");
    let unmake = flow.later("Unmake Order");
    let update_barista = flow.later("Update barista");
    let resume = flow.later("Resume 1");
    let next_token = flow.later("Await the next token");
    let not_valid = flow.later("not a valid order");
    let not_open = flow.later("Order is not open");
    let not_awaited = flow.later("Choice is not awaited");
    let unknown = flow.later("Unknown order");

    let order = || Key::of("PK", ORDERS).and("SK", path!("$.orderId"));
    let action = path!("$.action");

    let mut decide = Choice::new().when(action.equals("complete"), &complete);
    let mut cancel_own = None;
    if settings.variables.admin_check {
        let admin = path!("$.admin");
        let admin = admin.is_present() & admin.equals(true);
        let own = flow.later("Cancel own Order");
        decide = decide.when(action.equals("cancel") & !admin, &own);
        cancel_own = Some(own);
    }
    flow.add(
        "Decide Action",
        decide
            .when(action.equals("cancel"), &cancel)
            .when(action.equals("make") | action.equals("unmake"), &claim),
    );

    // The customer chose a drink.
    flow.add("Customer Put Order", Pass::new());
    flow.add(
        "get menu",
        tried_again(Task::get_item(&tables.settings, Key::of("PK", MENU)))
            .result_path(path!("$.menu")),
    );
    flow.add(
        "Sanitize",
        Task::invoke::<_, OrderRequest>(&sanitize, Payload::input())
            .result_path(path!("$.sanitise"))
            .retry(Retry::on_lambda_service_errors()),
    );
    flow.add(
        "Is Order Valid?",
        Choice::new().when(path!("$.sanitise.Payload").equals(false), &not_valid),
    );
    flow.add(
        "Update order",
        tried_again(Task::update_item(
            &tables.orders,
            UpdateItem::new(order(), "SET drinkOrder = :drink")
                .only_if(AWAITS_CHOICE)
                .value(":created", Attribute::text(CREATED))
                .value(
                    ":drink",
                    Attribute::text(intrinsic::json_to_string(path!("$.body"))),
                )
                .value(":user", Attribute::text(path!("$.baristaUserId")))
                .returning(ReturnValues::AllNew),
        ))
        .result_selector(payload!({ "TaskToken": path!("$.Attributes.TaskToken.S") }))
        .catch(Catch::on([REFUSED], &not_awaited).result_path(path!("$.error"))),
    );
    flow.add(
        "Resume 2",
        tried_again(Task::send_task_success(path!("$.TaskToken"), payload!({})))
            .catch(Catch::on(DEAD_TOKEN, &not_awaited).result_path(path!("$.error")))
            .end(),
    );
    flow.add(&not_valid, Succeed::new());
    flow.add(
        &not_awaited,
        Fail::new("ChoiceNotAwaited")
            .cause("the caller has no such order, or its drink is chosen already"),
    );

    // The order ends, one way or the other. Its workflow is told which, since it may not even wait for a barista yet.
    let end = |state: &str| {
        let answer = json!({ "state": state }).to_string();
        Pass::new()
            .result(json!({ "state": state, "answer": answer }))
            .result_path(path!("$.result"))
    };
    let update = |condition: &str| {
        UpdateItem::new(order(), "SET ORDERSTATE = :state, endedBy = :execution")
            .only_if(condition)
            .value(":created", Attribute::text(CREATED))
            .value(":execution", Attribute::text(context::EXECUTION_NAME))
            .value(":state", Attribute::text(path!("$.result.state")))
            .returning(ReturnValues::AllNew)
    };
    let record = |update: UpdateItem| {
        tried_again(Task::update_item(&tables.orders, update))
            .result_path(path!("$.record"))
            .catch(Catch::on([REFUSED], &not_open).result_path(path!("$.error")))
    };
    if let Some(cancel_own) = cancel_own {
        flow.add(&cancel_own, end(CANCELLED));
        let own = update(&format!("{MAY_END} AND USERID = :user"))
            .value(":user", Attribute::text(path!("$.baristaUserId")));
        flow.add("Update own Record", record(own).next(&construct));
    }
    flow.add(&cancel, end(CANCELLED).next(&update_record));
    flow.add(&complete, end(COMPLETED));
    flow.add(&update_record, record(update(MAY_END)));
    flow.add(
        &construct,
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
        tried_again(bus.emit_named(
            intrinsic::format(
                "OrderManager.Order{}",
                [path!("$.detail.ORDERSTATE").into()],
            ),
            path!("$.detail"),
        ))
        .discard_result(),
    );
    flow.add(
        &resume,
        tried_again(Task::send_task_success(
            path!("$.record.Attributes.TaskToken.S"),
            path!("$.result.answer"),
        ))
        .catch(Catch::on(DEAD_TOKEN, &next_token).result_path(path!("$.error")))
        .end(),
    );
    // Between the choice of a drink and the barista's turn, the order has the token of a task that has its answer.
    flow.add(&next_token, Wait::seconds(2));
    flow.add(
        "Read the token",
        tried_again(Task::get_item_consistently(&tables.orders, order()))
            .result_selector(payload!({ "Attributes": path!("$.Item") }))
            .result_path(path!("$.record"))
            .next(&resume),
    );
    flow.add(
        &not_open,
        Fail::new("OrderNotOpen")
            .cause("there is no such order, it has ended, or it is somebody else's"),
    );

    // A barista takes an order, or gives it back.
    flow.add(&claim, Pass::new());
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
        tried_again(Task::update_item(
            &tables.orders,
            UpdateItem::new(order(), "SET baristaUserId = :barista")
                .only_if("attribute_exists(PK)")
                .value(":barista", Attribute::text(path!("$.baristaUserId")))
                .returning(ReturnValues::AllNew),
        ))
        .result_path(path!("$.result"))
        .catch(Catch::on([REFUSED], &unknown).result_path(path!("$.error"))),
    );
    flow.add(
        "Construct",
        Pass::new()
            .parameters(payload!({
                "Message": "A barista takes the order, or gave it back",
                "baristaUserId": path!("$.result.Attributes.baristaUserId.S"),
                "orderId": path!("$.orderId"),
                "userId": path!("$.result.Attributes.USERID.S"),
            }))
            .result_path(path!("$.detail")),
    );
    flow.add(
        "Emit Making",
        tried_again(bus.emit::<MakeOrder>(path!("$.detail"))).end(),
    );
    flow.add(
        &unknown,
        Fail::new("UnknownOrder").cause("there is no such order"),
    );
    stack.state_machine(
        "OrderManager",
        flow,
        StateMachineProps {
            comment: Some("Carries out what customers and baristas ask for".to_owned()),
            timeout: Some(limit!(Seconds, TIMEOUT)),
            ..StateMachineProps::default()
        },
    )
}
