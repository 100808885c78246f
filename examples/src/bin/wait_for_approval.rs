//! A state machine that asks a person and waits for the answer, for a day at most.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use stack_bindings::Detail;
use stack_model::events::EventBusProps;
use stack_model::stepfunctions::{
    Catch, Choice, Event, Fail, Flow, StateMachineProps, Succeed, Task, context, errors,
};
use stack_model::{path, payload};

/// What the execution begins with.
#[derive(Serialize, Deserialize)]
pub struct Expense {
    id: String,
}

/// Whoever hears it shows it to somebody, and answers `{"approved": true}` with the token.
#[derive(Serialize, Deserialize, Detail)]
#[detail(type = "Expenses.ApprovalWanted")]
pub struct ApprovalWanted {
    id: String,
    token: String,
}

fn main() -> ExitCode {
    examples::print(|app| {
        let mut stack = app.stack("expenses");
        let bus = stack.event_bus("Bus", EventBusProps::default());

        let mut flow = Flow::new();
        let late = flow.later("Nobody answered");
        let refused = flow.later("Refused");
        flow.add(
            "Ask",
            Task::put_event(
                &bus,
                Event::of::<ApprovalWanted>(
                    "expenses",
                    payload!({ "id": path!("$.id"), "token": context::TASK_TOKEN }),
                ),
            )
            .wait_for_task_token()
            .timeout(24 * 3600)
            .result_path(path!("$.answer"))
            .catch(Catch::on([errors::TIMEOUT], &late)),
        );
        let approved = path!("$.answer.approved");
        flow.add(
            "Approved?",
            Choice::new().when(!(approved.is_present() & approved.equals(true)), &refused),
        );
        flow.add("Approved", Succeed::new());
        flow.add(&late, Fail::new("ApprovalTimedOut"));
        flow.add(&refused, Fail::new("ApprovalRefused"));
        let props = StateMachineProps::default();
        let approval = stack.state_machine::<Expense>("Approval", flow, props);
        stack.output("StateMachineArn", approval.arn());
    })
}
