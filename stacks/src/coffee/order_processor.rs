//! `OrderProcessor`: the state machine that carries an order from the scanned code to the drink, and the rules by which
//! it goes on.

use coffee::detail::{
    NewOrder, OrderFinished, OrderTimeOut, OrderWaiting, ShopUnavailable, WorkflowStarted,
};
use coffee::{ORDER_COUNTER, SHOP_CONFIG};
use stack_model::contract::event::BusEvent;
use stack_model::events::{Delivery, RuleProps};
use stack_model::logs::LogGroupProps;
use stack_model::stepfunctions::{
    Attribute, Catch, Choice, ExecutionStatus, Flow, Key, Pass, ReturnValues, StateMachineProps,
    StateMachineRef, Task, UpdateItem, context, errors,
};
use stack_model::{Stack, path, payload};

use super::calls::tried_again;
use super::{Bar, Settings, lost};

pub(super) fn add(stack: &mut Stack<'_>, settings: &Settings, bar: &Bar) {
    let processor = stack.state_machine(
        "OrderProcessor",
        flow(settings, bar),
        StateMachineProps {
            comment: Some("Waits for the choice of a drink and for a barista".to_owned()),
            ..StateMachineProps::default()
        },
    );
    add_rules(stack, settings, bar, &processor);
}

fn flow(settings: &Settings, bar: &Bar) -> Flow {
    let Bar { tables, bus, .. } = bar;
    let mut flow = Flow::new();
    let unavailable = flow.later("Emit Shop not ready");
    let customer_timed_out = flow.later("Customer timedout");
    let barista_timed_out = flow.later("Barista timedout");
    let timed_out = flow.later("Emit error timeout");
    let finished = flow.later("Emit order finished");

    flow.add(
        "Get Shop status",
        tried_again(Task::get_item(&tables.settings, Key::of("PK", SHOP_CONFIG)))
            .result_path(path!("$.GetStore")),
    );
    let open = path!("$.GetStore.Item.storeOpen.BOOL");
    flow.add(
        "Shop Open?",
        Choice::new().when(!(open.is_present() & open.equals(true)), &unavailable),
    );
    flow.add(
        "ListExecutions",
        tried_again(Task::list_own_executions(ExecutionStatus::Running, 100))
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
        tried_again(bus.emit::<WorkflowStarted>(payload!({
            "Message": "The order waits for the choice of a drink",
            "TaskToken": context::TASK_TOKEN,
            "orderId": path!("$.detail.orderId"),
            "userId": path!("$.detail.userId"),
            "workflow": context::EXECUTION_NAME,
        })))
        .wait_for_task_token()
        .heartbeat(settings.variables.customer_heartbeat)
        .result_path(path!("$.customer"))
        .catch(Catch::on([errors::TIMEOUT], &customer_timed_out).result_path(path!("$.comment"))),
    );
    // An order can end before a drink is chosen, and then no barista ever hears of it.
    flow.add(
        "Ended early?",
        Choice::new().when(path!("$.customer.state").is_present(), &finished),
    );
    flow.add(
        "Generate Order Number",
        tried_again(Task::update_item(
            &tables.counters,
            UpdateItem::new(Key::of("PK", ORDER_COUNTER), "SET IDvalue = IDvalue + :one")
                .value(":one", Attribute::number(1))
                .returning(ReturnValues::UpdatedNew),
        ))
        .result_selector(payload!({
            "Payload": { "orderNumber": path!("$.Attributes.IDvalue.N") },
        }))
        .result_path(path!("$.Order")),
    );
    flow.add(
        "Emit Awaiting Completion TT",
        tried_again(bus.emit::<OrderWaiting>(payload!({
            "Message": "The order waits for a barista",
            "TaskToken": context::TASK_TOKEN,
            "orderId": path!("$.detail.orderId"),
            "orderNumber": path!("$.Order.Payload.orderNumber"),
            "userId": path!("$.detail.userId"),
        })))
        .wait_for_task_token()
        .heartbeat(settings.variables.barista_heartbeat)
        .result_path(path!("$.order"))
        .catch(Catch::on([errors::TIMEOUT], &barista_timed_out).result_path(path!("$.comment"))),
    );
    flow.add("Pass", Pass::new());
    flow.add(
        &finished,
        tried_again(bus.emit::<OrderFinished>(payload!({
            "Message": "The order has ended",
            "orderId": path!("$.detail.orderId"),
            "userId": path!("$.detail.userId"),
        })))
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
        tried_again(bus.emit::<OrderTimeOut>(payload!({
            "Message": "Nobody answered in time",
            "cause": path!("$.cause"),
            "orderId": path!("$.detail.orderId"),
            "userId": path!("$.detail.userId"),
            "workflow": context::EXECUTION_NAME,
        })))
        .end(),
    );
    flow.add(
        &unavailable,
        tried_again(bus.emit::<ShopUnavailable>(payload!({
            "Message": "The shop takes no orders now",
            "orderId": path!("$.detail.orderId"),
            "userId": path!("$.detail.userId"),
        })))
        .end(),
    );
    flow
}

/// Starts an execution for each new order, keeps the table of orders up to date with it, and records every event.
fn add_rules(
    stack: &mut Stack<'_>,
    settings: &Settings,
    bar: &Bar,
    processor: &StateMachineRef<BusEvent<NewOrder>>,
) {
    let Bar { bus, records, .. } = bar;
    let props = RuleProps::default;

    let log = stack.log_group(
        "BusLog",
        LogGroupProps {
            name: Some(settings.name("/aws/events/serverlesspressoEventBus").into()),
            retention: settings.retention,
            ..LogGroupProps::default()
        },
    );
    let undelivered = lost::queue(stack, "UndeliveredEvents");
    let lost = || Delivery::event().dead_letters(&undelivered);

    let everything = stack.rule("LogAll", &bus.handle, bus.events(), props());
    stack.target(&everything, &log, lost());

    let events = bus.events().detail_type::<NewOrder>();
    let new_order = stack.rule("OnNewOrder", &bus.handle, events, props());
    stack.target(&new_order, processor, lost());

    let events = bus.events().detail_type::<WorkflowStarted>();
    let started = stack.rule("OnWorkflowStarted", &bus.handle, events, props());
    stack.target(&started, &records.started, lost());

    let events = bus.events().detail_type::<OrderWaiting>();
    let waiting = stack.rule("OnWaitingCompletion", &bus.handle, events, props());
    stack.target(&waiting, &records.waiting, lost());

    let events = bus.events().detail_type::<OrderTimeOut>();
    let timed_out = stack.rule("OnOrderTimedOut", &bus.handle, events, props());
    stack.target(&timed_out, &records.timed_out, lost());
}
