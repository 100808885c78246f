//! What happens to the bar as a whole, and at its limits.

use std::thread;

use serde_json::{Value, json};
use system_tests::poll::{PATIENCE, eventually};

use super::people::Asked;
use super::{ADMIN_TOPIC, CONFIG_API, CONFIG_TOPIC, ORDER_API, Open, text};

/// The state machines take what the workshop gives them by hand.
pub(super) fn the_state_machines_work_alone(open: &Open) {
    let bar = &open.bar;
    let manage = |action: &str, body: &Value, order: &str, caller: &str| {
        let input =
            json!({"action": action, "body": body, "orderId": order, "baristaUserId": caller});
        Asked::of(bar, &bar.start(&bar.order_manager, &input))
    };
    let cappuccino = json!({
        "userId": "1", "drink": "Cappuccino", "modifiers": [], "icon": "barista-icons_cappuccino-alternative",
    });
    for (order, number) in [("1", "3"), ("2", "4")] {
        bar.put_event(
            "Validator.NewOrder",
            &json!({"userId": "1", "orderId": order}),
        );
        let before = bar.awaits_choice(order);
        let workflow = bar.workflow_of(order);
        let running = bar.executions(&bar.order_processor, Some("RUNNING"));
        assert!(running.contains(&workflow));
        let states = bar.states_of(&workflow);
        let first_wait = "Emit Workflow Started TT";
        assert_eq!(states.last().map(String::as_str), Some(first_wait));
        let mut milkshake = cappuccino.clone();
        milkshake["drink"] = json!("milkshake");
        manage("", &milkshake, order, "1").ends_in("not a valid order");
        // The workshop calls as `3`; here the caller has to be the customer.
        manage("", &cappuccino, order, "3").fails_with("ChoiceNotAwaited");
        assert_eq!(bar.order(order), Some(before));
        manage("", &cappuccino, order, "1").ends_in("Resume 2");
        // Earlier orders took the numbers before.
        assert_eq!(bar.awaits_barista(order), number);
    }
    manage("make", &json!({}), "2", "3").ends_in("Emit Making");
    let order = bar.order("2").expect("it is there");
    assert_eq!(order["baristaUserId"]["S"], "3");
    for order in ["1", "2"] {
        manage("complete", &json!({}), order, "3").ends_in("Resume 1");
        let order = bar.order(order).expect("it is there");
        assert_eq!(order["ORDERSTATE"]["S"], "Completed");
    }
    let states = bar.end_of_workflow("2");
    assert_eq!(
        states.last().map(String::as_str),
        Some("Emit order finished")
    );
    let of_order = [
        "Validator.NewOrder",
        "OrderProcessor.WorkflowStarted",
        "OrderProcessor.WaitingCompletion",
        "OrderManager.WaitingCompletion",
        "OrderManager.MakeOrder",
        "OrderManager.OrderCompleted",
        "OrderProcessor.orderFinished",
    ];
    open.hears(ADMIN_TOPIC, "2", &of_order);
}

/// An order ends between the choice of its drink and the barista's turn, where it has the token of a task that has its
/// answer already.
pub(super) fn an_order_ends_between_two_tokens(open: &Open, bucket: &Value) {
    let Open { bar, customer, .. } = open;
    let order = customer.begin_order(bar, bucket);
    let used = bar.awaits_choice(&order)["TaskToken"].clone();
    customer.choose(bar, &order, "Latte").ends_in("Resume 2");
    bar.awaits_barista(&order);
    let awaited = bar.order(&order).expect("it is there")["TaskToken"].clone();
    assert_ne!(used, awaited);
    bar.set_token(&order, &used);
    thread::scope(|scope| {
        let cancelling = scope.spawn(|| customer.ask(bar, &order, "?action=cancel", ""));
        eventually("a second look at the token", PATIENCE, || {
            let running = bar.executions(&bar.order_manager, Some("RUNNING"));
            let waiting = "Await the next token".to_owned();
            let mut states = running.iter().map(|execution| bar.states_of(execution));
            states.find(|states| states.contains(&waiting))
        });
        bar.set_token(&order, &awaited);
        let cancelled = cancelling.join().expect("it is asked for");
        cancelled.ends_in("Resume 1");
    });
    bar.end_of_workflow(&order);
}

/// Without a body, a caller, or an order there is nothing to do, and errors are no success.
pub(super) fn what_makes_no_sense_is_refused(open: &Open) {
    let Open {
        bar,
        customer,
        barista,
        ..
    } = open;
    let nobody = bar.call(ORDER_API, "PUT", "orders/1?action=cancel", None, "{}");
    assert_eq!(nobody.status, 401, "{nobody:?}");
    for query in ["?action=make", "?action=unmake"] {
        barista
            .ask(bar, "unknown", query, "")
            .fails_with("UnknownOrder");
    }
    for query in ["?action=complete", "?action=cancel"] {
        barista
            .ask(bar, "unknown", query, "")
            .fails_with("OrderNotOpen");
    }
    customer
        .choose(bar, "unknown", "Latte")
        .fails_with("ChoiceNotAwaited");
    // An order without a drink is on no menu.
    customer
        .ask(bar, "unknown", "", "")
        .ends_in("not a valid order");
    assert_eq!(bar.order("unknown"), None, "nothing was left behind");
}

/// A closed shop takes no orders, and everybody hears that it closed.
pub(super) fn the_shop_closes_and_opens(open: &Open) {
    let Open {
        bar,
        customer,
        barista,
        ..
    } = open;
    let refused = customer.put(bar, CONFIG_API, "store?state=closed", "");
    assert_eq!(refused.status, 403, "{refused:?}");
    let heard = || open.follower.messages(CONFIG_TOPIC);
    let mut changes = heard().len();
    // Nothing but `open` opens.
    for (state, is_open) in [
        ("open", true),
        ("Open", false),
        ("open", true),
        ("closed", false),
    ] {
        let before = bar.call(CONFIG_API, "GET", "config", None, "").json();
        let was_open = before
            .as_array()
            .into_iter()
            .flatten()
            .any(|item| item["storeOpen"]["BOOL"] == true);
        let answer = barista.put(bar, CONFIG_API, &format!("store?state={state}"), "");
        assert_eq!(answer.status, 200, "{answer:?}");
        let item = &answer.json()["Attributes"];
        assert_eq!(item["storeOpen"], json!({ "BOOL": is_open }));
        // A stream does not tell of a change that changes nothing.
        changes += usize::from(was_open != is_open);
        if was_open != is_open {
            let message = eventually("the change", PATIENCE, || {
                let heard = heard();
                (heard.len() >= changes).then(|| heard.last().cloned())?
            });
            eventually("the change on the display", PATIENCE, || {
                let shown = open.display.messages(CONFIG_TOPIC);
                (shown.last() == Some(&message)).then_some(())
            });
            assert_eq!(
                message,
                json!({"type": "ConfigService.ConfigChanged", "detail": {"NewImage": item}})
            );
        }
    }
    assert_eq!(heard().len(), changes);

    let detail = json!({"orderId": "closed", "userId": "testuser"});
    let execution = bar.start(&bar.order_processor, &json!({ "detail": detail }));
    assert_eq!(bar.end_of(&execution)["status"], "SUCCEEDED");
    assert_eq!(
        bar.states_of(&execution),
        ["Get Shop status", "Shop Open?", "Emit Shop not ready"]
    );
    open.hears(ADMIN_TOPIC, "closed", &["OrderProcessor.ShopUnavailable"]);
    assert_eq!(bar.order("closed"), None);
    let answer = barista.put(bar, CONFIG_API, "store?state=open", "");
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Twenty orders run at a time; of 26, six are turned away.
pub(super) fn the_shop_is_full(open: &Open) {
    let bar = &open.bar;
    let running = || bar.executions(&bar.order_processor, Some("RUNNING")).len();
    eventually("the end of all workflows", PATIENCE, || {
        (running() == 0).then_some(())
    });
    let mut turned_away = 0;
    for number in 1..=26 {
        let order = format!("full-{number}");
        let detail = json!({"orderId": order, "userId": "1"});
        let execution = bar.start(&bar.order_processor, &json!({ "detail": detail }));
        if number <= 20 {
            bar.awaits_choice(&order);
        } else {
            assert_eq!(bar.end_of(&execution)["status"], "SUCCEEDED");
            let states = bar.states_of(&execution);
            assert_eq!(
                states.last().map(String::as_str),
                Some("Emit Shop not ready")
            );
            turned_away += 1;
        }
        assert_eq!(running(), number.min(20));
    }
    assert_eq!(turned_away, 6);
    bar.stop_workflows();
}

/// Twelve customers scan a code of ten drinks at once: ten get one.
pub(super) fn twelve_scans_race_for_ten_drinks(open: &Open, bucket: &Value) {
    let Open { bar, customer, .. } = open;
    bar.refill(bucket, 10);
    let query = format!("?token={}", text(&bucket["last_code"]));
    let answers: Vec<_> = thread::scope(|scope| {
        let scans: Vec<_> = (0..12)
            .map(|_| scope.spawn(|| customer.scan(bar, &query)))
            .collect();
        let ends = scans.into_iter().map(|scan| scan.join().expect("it scans"));
        ends.collect()
    });
    let (mut orders, mut refusals) = (Vec::new(), 0);
    for answer in answers {
        assert_eq!(answer.status, 200, "{answer:?}");
        let body = answer.json();
        if let Some(order) = body["orderId"].as_str() {
            orders.push(order.to_owned());
        } else {
            assert_eq!(body, json!({"error": "No tokens remaining"}));
            refusals += 1;
        }
    }
    assert_eq!((orders.len(), refusals), (10, 2));
    assert_eq!(bar.drinks_left(bucket), 0);
    for order in &orders {
        bar.awaits_choice(order);
    }
    let late = customer.scan(bar, &query);
    assert_eq!(
        (late.status, late.json()),
        (200, json!({"error": "No tokens remaining"}))
    );
    bar.stop_workflows();
}

/// Customers and baristas who do not answer in time lose the order. The times are not those of a shipped stage: its
/// variables `customer_heartbeat` and `barista_heartbeat` are seconds here.
pub(super) fn nobody_answers_within_shortened_heartbeats(open: &Open, bucket: &Value) {
    let Open { bar, customer, .. } = open;
    bar.refill(bucket, 2);
    let forgotten = customer.begin_order(bar, bucket);
    let chosen = customer.begin_order(bar, bucket);
    customer
        .choose(bar, &chosen, "Espresso")
        .ends_in("Resume 2");
    bar.awaits_barista(&chosen);
    for (order, cause) in [
        (&forgotten, "Customer timedout"),
        (&chosen, "Barista timedout"),
    ] {
        let given_up = bar.order_where(order, "the end", |order| {
            order["ORDERSTATE"]["S"] == "Cancelled"
        });
        assert_eq!(given_up["reason"]["S"], cause);
        let states = bar.end_of_workflow(order);
        assert_eq!(states[states.len() - 2..], [cause, "Emit error timeout"]);
        let mut types = vec![
            "OrderProcessor.WorkflowStarted",
            "OrderProcessor.OrderTimeOut",
        ];
        if cause == "Barista timedout" {
            types.push("OrderProcessor.WaitingCompletion");
            types.push("OrderManager.WaitingCompletion");
        }
        let heard = open.hears(&customer.topic(), order, &types);
        let mut causes = heard.iter().filter_map(|m| m["detail"]["cause"].as_str());
        assert_eq!(causes.next(), Some(cause));
    }
    // What was given up cannot be completed any more.
    open.barista
        .ask(bar, &chosen, "?action=complete", "")
        .fails_with("OrderNotOpen");
}

/// Who gave what to whom, for the rules of which the engine does not show the effect.
pub(super) fn every_event_would_be_recorded(open: &Open) {
    let account = &open.bar.account;
    let bus = json!({"EventBusName": "Serverlesspresso-dev"});
    let rules = account.call("events", "AWSEvents.ListRules", &bus);
    let rules = rules["Rules"].as_array().expect("it is a list").clone();
    assert_eq!(rules.len(), 9, "{rules:?}");
    let targets = rules.iter().flat_map(|rule| {
        let rule = json!({"EventBusName": "Serverlesspresso-dev", "Rule": rule["Name"]});
        let targets = account.call("events", "AWSEvents.ListTargetsByRule", &rule);
        targets["Targets"].as_array().cloned().unwrap_or_default()
    });
    // The engine delivers to no log groups, so that the rule has one as its target has to do.
    let log =
        "arn:aws:logs:us-east-2:000000000000:log-group:/aws/events/serverlesspressoEventBus-dev";
    let to_log = targets.filter(|target| target["Arn"] == log);
    assert_eq!(to_log.count(), 1);
}
