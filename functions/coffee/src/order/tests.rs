//! The table of orders, event by event.

use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};
use stack_bindings::sdk::dynamodb::Client;
use stack_bindings::sdk::dynamodb::operation::put_item::{PutItemError, PutItemOutput};
use stack_bindings::sdk::dynamodb::operation::update_item::{
    UpdateItemError, UpdateItemInput, UpdateItemOutput,
};
use stack_bindings::sdk::dynamodb::types::AttributeValue;
use stack_bindings::sdk::eventbridge;
use stack_bindings::{EventBus, Table, Var};

use super::*;
use crate::testing::{
    Attributes, BUS, SOURCE, attributes, condition_failed, event, number, put_event, scripted, text,
};

const NOW: i64 = 1_631_026_560_000;

fn started(detail: &Value) -> detail::WorkflowStarted {
    event::<detail::WorkflowStarted>("OrderProcessor.WorkflowStarted", detail).detail
}

async fn start_with(detail: &Value, rule: &Rule) -> Result<(), OrderError> {
    let bindings = WorkflowStarted {
        table: Table::with_client(scripted!(dynamodb, [rule]), "order"),
    };
    start(&bindings, started(detail), NOW).await
}

fn stored(robot: bool) -> Attributes {
    attributes([
        ("PK", text("orders")),
        ("SK", text("1")),
        ("USERID", text("u1")),
        ("ORDERSTATE", text("CREATED")),
        ("TaskToken", text("t1")),
        ("workflow", text("w1")),
        ("robot", AttributeValue::Bool(robot)),
        ("TS", number(NOW)),
    ])
}

#[tokio::test]
async fn a_workflow_that_started_makes_an_order() {
    for (sent, robot) in [(Some(true), true), (Some(false), false), (None, false)] {
        let put = mock!(Client::put_item)
            .match_requests(move |request| request.item() == Some(&stored(robot)))
            .then_output(|| PutItemOutput::builder().build());
        let mut detail = json!({
            "Message": "m", "TaskToken": "t1", "orderId": "1", "userId": "u1", "workflow": "w1"
        });
        if let Some(sent) = sent {
            detail["robot"] = sent.into();
        }
        start_with(&detail, &put).await.unwrap();
        assert_eq!(put.num_calls(), 1);
    }
}

/// The workflow has another token where it did not learn that its first event went out; then it has to be the last one
/// that is kept, unless the order went on meanwhile.
#[tokio::test]
async fn an_event_that_comes_twice_forgets_nothing() {
    for (workflow, condition) in [
        (
            Some("w1"),
            "(attribute_not_exists(#binding_0)) OR (((#binding_1 = :binding_2) AND (#binding_3 = :binding_4)) \
             AND (attribute_not_exists(#binding_5)))",
        ),
        (None, "attribute_not_exists(#binding_0)"),
    ] {
        let put = mock!(Client::put_item)
            .match_requests(move |request| {
                let names = request.expression_attribute_names().unwrap();
                let values = request.expression_attribute_values();
                // Whatever became of the order meanwhile, its token among it.
                request.condition_expression() == Some(condition)
                    && names["#binding_0"] == "PK"
                    && (workflow.is_none()
                        || [
                            &names["#binding_1"],
                            &names["#binding_3"],
                            &names["#binding_5"],
                        ] == ["workflow", "ORDERSTATE", "drinkOrder"]
                            && values.unwrap()[":binding_2"] == text("w1")
                            && values.unwrap()[":binding_4"] == text("CREATED"))
            })
            .then_error(|| PutItemError::ConditionalCheckFailedException(condition_failed()));
        let mut detail = json!({"TaskToken": "t1", "orderId": "1", "userId": "u1"});
        if let Some(workflow) = workflow {
            detail["workflow"] = workflow.into();
        }
        start_with(&detail, &put).await.unwrap();
        assert_eq!(put.num_calls(), 1);
    }
}

/// What the table holds after the update.
fn waiting(drink_order: Option<&str>) -> UpdateItemOutput {
    let mut order = stored(false);
    order.insert("TaskToken".to_owned(), text("t2"));
    order.insert("orderNumber".to_owned(), text("7"));
    if let Some(drink_order) = drink_order {
        order.insert("drinkOrder".to_owned(), text(drink_order));
    }
    UpdateItemOutput::builder()
        .set_attributes(Some(order))
        .build()
}

async fn wait_with(update: &Rule, bus: eventbridge::Client) -> Result<(), OrderError> {
    let bindings = WaitingCompletion {
        table: Table::with_client(scripted!(dynamodb, [update]), "order"),
        bus: EventBus::with_client(bus, BUS),
        source: Var::of(SOURCE.to_owned()),
    };
    let detail = json!({
        "Message": "m", "TaskToken": "t2", "orderId": "1", "orderNumber": "7", "userId": "u1"
    });
    let event = event::<detail::OrderWaiting>("OrderProcessor.WaitingCompletion", &detail);
    wait(&bindings, event.detail, NOW).await
}

#[tokio::test]
async fn the_baristas_learn_of_an_order_with_its_drink_as_an_object() {
    let update = mock!(Client::update_item)
        .match_requests(|request| {
            let names = request.expression_attribute_names().unwrap();
            let values = request.expression_attribute_values().unwrap();
            request.key() == Some(&attributes([("PK", text("orders")), ("SK", text("1"))]))
                && request.update_expression()
                    == Some("SET #binding_0 = :binding_1, #binding_2 = :binding_3, #binding_4 = :binding_5")
                && request.condition_expression() == Some("#binding_6 = :binding_7")
                && [&names["#binding_0"], &names["#binding_2"], &names["#binding_4"], &names["#binding_6"]]
                    == ["TS", "TaskToken", "orderNumber", "USERID"]
                && values[":binding_1"] == number(NOW)
                && values[":binding_3"] == text("t2")
                && values[":binding_5"] == text("7")
                && values[":binding_7"] == text("u1")
        })
        .then_output(|| waiting(Some(r#"{"drink": "Latte", "modifiers": []}"#)));
    let put = mock!(eventbridge::Client::put_events)
        .match_requests(|request| {
            let entry = &request.entries()[0];
            let mut detail: Value = serde_json::from_str(entry.detail().unwrap()).unwrap();
            let message = detail["Message"].take();
            entry.detail_type() == Some("OrderManager.WaitingCompletion")
                && entry.source() == Some(SOURCE)
                && message.is_string()
                && detail
                    == json!({
                        "orderId": "1", "orderNumber": "7", "state": "CREATED", "userId": "u1",
                        "robot": false, "TS": NOW, "drinkOrder": {"drink": "Latte", "modifiers": []},
                        "Message": null,
                    })
        })
        .then_output(|| put_event(None));
    wait_with(&update, scripted!(eventbridge, [&put]))
        .await
        .unwrap();
    assert_eq!((update.num_calls(), put.num_calls()), (1, 1));
}

#[tokio::test]
async fn the_order_of_another_customer_stays_as_it_is() {
    let update = mock!(Client::update_item)
        .then_error(|| UpdateItemError::ConditionalCheckFailedException(condition_failed()));
    let failed = wait_with(&update, scripted!(eventbridge, [])).await;
    assert!(matches!(
        failed,
        Err(OrderError::Call(error)) if error.reason() == Reason::ConditionFailed
    ));
}

#[tokio::test]
async fn an_order_without_a_drink_is_not_announced() {
    for drink_order in [None, Some("a latte")] {
        let update = mock!(Client::update_item).then_output(move || waiting(drink_order));
        let failed = wait_with(&update, scripted!(eventbridge, [])).await;
        assert_eq!(
            failed.unwrap_err().to_string(),
            "the order 1 has no drink that can be read"
        );
    }
}

#[tokio::test]
async fn an_order_that_has_ended_is_kept_from_the_baristas() {
    for state in ["Cancelled", "Completed"] {
        let update = mock!(Client::update_item).then_output(move || {
            let mut order = waiting(Some(r#"{"drink": "Latte"}"#)).attributes.unwrap();
            order.insert("ORDERSTATE".to_owned(), text(state));
            UpdateItemOutput::builder()
                .set_attributes(Some(order))
                .build()
        });
        wait_with(&update, scripted!(eventbridge, []))
            .await
            .unwrap();
        // The token is there all the same, since whoever ended the order needs it.
        assert_eq!(update.num_calls(), 1);
    }
}

async fn give_up_with(workflow: Option<&str>, update: &Rule) -> Result<(), OrderError> {
    let bindings = OrderTimedOut {
        table: Table::with_client(scripted!(dynamodb, [update]), "order"),
    };
    let mut detail = json!({
        "Message": "m", "userId": "u1", "orderId": "1", "cause": "Customer timedout"
    });
    if let Some(workflow) = workflow {
        detail["workflow"] = workflow.into();
    }
    let event = event::<detail::OrderTimeOut>("OrderProcessor.OrderTimeOut", &detail);
    give_up(&bindings, event.detail, NOW).await
}

fn is_given_up(request: &UpdateItemInput) -> bool {
    let names = request.expression_attribute_names().unwrap();
    let values = request.expression_attribute_values().unwrap();
    names["#binding_0"] == "ORDERSTATE"
        && names["#binding_2"] == "reason"
        && values[":binding_1"] == text("Cancelled")
        && values[":binding_3"] == text("Customer timedout")
        && values[":binding_5"] == number(NOW)
        && values[":binding_6"] == text("CREATED")
}

/// The first execution that was started for an order carries it; that of an event which came twice does not.
#[tokio::test]
async fn an_order_that_timed_out_is_cancelled_by_the_workflow_that_carries_it() {
    let update = mock!(Client::update_item)
        .match_requests(|request| {
            let names = request.expression_attribute_names().unwrap();
            let values = request.expression_attribute_values().unwrap();
            is_given_up(request)
                && request.condition_expression()
                    == Some(
                        "(#binding_0 = :binding_6) AND ((#binding_7 = :binding_8) OR (attribute_not_exists(#binding_7)))",
                    )
                && names["#binding_7"] == "workflow"
                && values[":binding_8"] == text("w1")
        })
        .then_output(|| waiting(None));
    give_up_with(Some("w1"), &update).await.unwrap();
    assert_eq!(update.num_calls(), 1);
}

/// An execution from before an update of the stack goes on as it was defined, and does not say who it is.
#[tokio::test]
async fn a_workflow_without_a_name_gives_up_what_is_under_way() {
    let update = mock!(Client::update_item)
        .match_requests(|request| {
            is_given_up(request)
                && request.condition_expression() == Some("#binding_0 = :binding_6")
        })
        .then_output(|| waiting(None));
    give_up_with(None, &update).await.unwrap();
    assert_eq!(update.num_calls(), 1);
}

#[tokio::test]
async fn an_order_that_ended_otherwise_stays_as_it_is() {
    let update = mock!(Client::update_item)
        .then_error(|| UpdateItemError::ConditionalCheckFailedException(condition_failed()));
    give_up_with(Some("w1"), &update).await.unwrap();
    assert_eq!(update.num_calls(), 1);
}
