//! The functions that keep the table of orders up to date with what the workflows announce.

use coffee::{
    OrderTimedOut, OrderTimedOutWiring, WaitingCompletion, WaitingCompletionWiring,
    WorkflowStarted, WorkflowStartedWiring,
};
use stack_model::Stack;
use stack_model::lambda::FunctionRef;

use super::bus::Bus;
use super::tables::Tables;
use super::{Settings, lost};

pub(super) struct OrderRecords {
    pub(super) started: FunctionRef<WorkflowStarted>,
    pub(super) waiting: FunctionRef<WaitingCompletion>,
    pub(super) timed_out: FunctionRef<OrderTimedOut>,
}

pub(super) fn add(
    stack: &mut Stack<'_>,
    settings: &Settings,
    tables: &Tables,
    bus: &Bus,
) -> OrderRecords {
    let table = &tables.orders;
    let records = OrderRecords {
        started: stack.function(
            "WorkflowStarted",
            WorkflowStarted::bind(WorkflowStartedWiring { table }),
            settings.function("Notes a new order", 15),
        ),
        waiting: stack.function(
            "WaitingCompletion",
            WaitingCompletion::bind(WaitingCompletionWiring {
                table,
                bus: &bus.handle,
                source: settings.source(),
            }),
            settings.function("Hands an order to the baristas", 15),
        ),
        timed_out: stack.function(
            "OrderTimedOut",
            OrderTimedOut::bind(OrderTimedOutWiring { table }),
            settings.function("Gives up an order that nobody went on with", 15),
        ),
    };
    lost::keep(stack, &records.started, &bus.lost);
    lost::keep(stack, &records.waiting, &bus.lost);
    lost::keep(stack, &records.timed_out, &bus.lost);
    records
}
