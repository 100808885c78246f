//! Events that come twice or late, and events that come to nothing.

use serde_json::{Value, json};
use system_tests::poll::{PATIENCE, eventually};

use super::{Open, text};

/// The first event of an order comes again when the order waits for a barista already.
pub(super) fn a_late_repetition_changes_nothing(open: &Open, bucket: &Value) {
    let Open {
        bar,
        customer,
        barista,
        ..
    } = open;
    let order = customer.begin_order(bar, bucket);
    let begun = bar.awaits_choice(&order);
    let workflow = text(&begun["workflow"]["S"]);
    assert!(bar.workflow_of(&order).ends_with(&format!(":{workflow}")));
    customer.choose(bar, &order, "Latte").ends_in("Resume 2");
    bar.awaits_barista(&order);
    let before = bar.order(&order);
    bar.put_event(
        "OrderProcessor.WorkflowStarted",
        &json!({
            "Message": "The order waits for the choice of a drink", "orderId": order, "workflow": workflow,
            "TaskToken": begun["TaskToken"]["S"], "userId": customer.subject,
        }),
    );
    bar.logged("WorkflowStarted", "the order was noted before", &order);
    assert_eq!(bar.order(&order), before);
    // The same choice would go through before the order has a number; now it would answer for the barista.
    customer
        .choose(bar, &order, "Latte")
        .fails_with("ChoiceNotAwaited");
    assert_eq!(bar.order(&order), before);
    barista
        .ask(bar, &order, "?action=complete", "")
        .ends_in("Resume 1");
    bar.end_of_workflow(&order);
}

/// The event of a new order comes twice and starts two workflows. Nobody answers the second one, and its end leaves the
/// order of the first one alone. The customer has few seconds in this stage, and the baristas have many.
pub(super) fn a_second_workflow_gives_nothing_up(open: &Open) {
    let Open {
        bar,
        customer,
        barista,
        ..
    } = open;
    let order = "twice";
    let new = json!({"userId": customer.subject, "orderId": order});
    bar.put_event("Validator.NewOrder", &new);
    bar.put_event("Validator.NewOrder", &new);
    let begun = bar.awaits_choice(order);
    customer.choose(bar, order, "Espresso").ends_in("Resume 2");
    bar.awaits_barista(order);
    let before = bar.order(order);
    let own = text(&begun["workflow"]["S"]);
    let second = eventually("the second workflow", PATIENCE, || {
        let workflows = bar.workflows_of(order).into_iter();
        let mut others = workflows.filter(|execution| !execution.ends_with(&format!(":{own}")));
        others.next()
    });
    assert_eq!(bar.end_of(&second)["status"], "SUCCEEDED");
    let states = bar.states_of(&second);
    assert_eq!(
        states[states.len() - 2..],
        ["Customer timedout", "Emit error timeout"]
    );
    bar.logged("OrderTimedOut", "another workflow carries it", order);
    assert_eq!(bar.order(order), before);
    barista
        .ask(bar, order, "?action=complete", "")
        .ends_in("Resume 1");
    assert_eq!(
        bar.order(order).expect("it stays")["ORDERSTATE"]["S"],
        "Completed"
    );
}

/// An event with which a function can do nothing is kept, after three tries.
pub(super) fn what_comes_to_nothing_is_kept(open: &Open) {
    let bar = &open.bar;
    let event = json!({
        "version": "0", "id": "6a7e8feb", "account": "000000000000", "time": "2021-09-07T14:56:00Z",
        "region": "us-east-2", "resources": [], "source": "awsserverlessda.serverlesspresso",
        "detail-type": "OrderProcessor.WaitingCompletion",
        "detail": {
            "Message": "nobody has this order", "TaskToken": "none", "orderId": "nobodys", "orderNumber": "0",
            "userId": "nobody",
        },
    });
    bar.deliver("WaitingCompletion", &event);
    let lost = bar.lost_event();
    assert_eq!(lost["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(lost["responsePayload"]["errorType"], "OrderError");
    assert_eq!(lost["requestPayload"], event);
}
