//! What happens in the bar, one thing after the other.

use std::collections::BTreeMap;
use std::thread;

use serde_json::{Value, json};
use system_tests::poll::{PATIENCE, eventually};

use super::people::Asked;
use super::{Open, text};

const CONFIG_API: &str = "RESTApiForConfigService";
const ORDER_API: &str = "RESTApiForOrderManager";
const VALIDATOR_API: &str = "RESTApiForValidatorService";

/// How often each type of event came.
type Counts = BTreeMap<String, usize>;

fn counts<T: AsRef<str>>(types: &[T]) -> Counts {
    let mut counts = Counts::new();
    for kind in types {
        *counts.entry(kind.as_ref().to_owned()).or_default() += 1;
    }
    counts
}

/// Waits until the messages of a topic about an order are of exactly these types, and returns them.
fn hears(open: &Open, topic: &str, order: &str, types: &[&str]) -> Vec<Value> {
    let expected = counts(types);
    let what = format!("{expected:?} about {order} on {topic}");
    let heard = eventually(&what, PATIENCE, || {
        let messages = open.follower.messages(topic).into_iter();
        let of_order = messages.filter(|message| message["detail"]["orderId"] == order);
        let of_order: Vec<Value> = of_order.collect();
        let types: Vec<String> = of_order.iter().map(|m| text(&m["type"])).collect();
        (counts(&types) == expected).then_some(of_order)
    });
    for message in &heard {
        // Whoever knows the token could answer for the barista.
        assert!(!message.to_string().contains("TaskToken"), "{message}");
    }
    heard
}

/// Everybody reads the menu and the settings that were put there first.
pub(super) fn everybody_reads_the_menu(open: &Open) {
    let bar = &open.bar;
    let answer = bar.call(CONFIG_API, "GET", "config", None, "");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let items = answer.json();
    let item = |key: &str| {
        let items = items.as_array().expect("the items alone");
        let mut of_key = items.iter().filter(|item| item["PK"]["S"] == key);
        of_key.next().cloned().expect("it is seeded")
    };
    assert_eq!(
        item("config"),
        json!({
            "PK": {"S": "config"}, "storeOpen": {"BOOL": true}, "maxOrdersPerUser": {"N": "1"},
            "maxOrdersInQueue": {"N": "10"},
        })
    );
    let menu = item("menu");
    let drinks: Vec<(String, String)> = menu["value"]["L"]
        .as_array()
        .expect("a list of drinks")
        .iter()
        .map(|drink| {
            assert_eq!(drink["M"]["available"], json!({"BOOL": true}));
            assert_eq!(drink["M"]["modifiers"], json!({"L": []}));
            (
                text(&drink["M"]["drink"]["S"]),
                text(&drink["M"]["icon"]["S"]),
            )
        })
        .collect();
    let expected = [
        ("Espresso", "espresso-alternative"),
        ("Cappuccino", "cappuccino-alternative"),
        ("Latte", "cafe-latte"),
        ("Flat White", "flat-white-alternative@2x"),
        ("Americano", "americano"),
        ("Coffee of the day", "americano"),
    ];
    let expected =
        expected.map(|(drink, icon)| (drink.to_owned(), format!("barista-icons_{icon}")));
    assert_eq!(drinks, expected);

    assert_eq!(
        bar.call(CONFIG_API, "GET", "admin-config", None, "").status,
        401
    );
    assert_eq!(
        open.customer.get(bar, CONFIG_API, "admin-config").status,
        403
    );
    let answer = open.barista.get(bar, CONFIG_API, "admin-config");
    assert_eq!((answer.status, answer.json()), (200, items));
}

/// The display shows a code to administrators alone, and customers scan it.
pub(super) fn the_code_is_shown(open: &Open) -> Value {
    let bar = &open.bar;
    let nobody = bar.call(VALIDATOR_API, "GET", "qr-code", None, "");
    assert_eq!(nobody.status, 401, "{nobody:?}");
    // A method with scopes wants an access token.
    let token = Some(open.barista.id_token.as_str());
    let with_id_token = bar.call(VALIDATOR_API, "GET", "qr-code", token, "");
    assert_eq!(with_id_token.status, 401, "{with_id_token:?}");
    let refused = open.customer.get(bar, VALIDATOR_API, "qr-code");
    assert_eq!((refused.status, refused.body.as_str()), (403, ""));

    let shown = open.barista.get(bar, VALIDATOR_API, "qr-code");
    assert_eq!(shown.status, 200, "{shown:?}");
    for (header, value) in [
        ("access-control-allow-headers", "*"),
        ("access-control-allow-methods", "OPTIONS,POST,GET"),
        ("access-control-allow-origin", "*"),
    ] {
        assert_eq!(shown.header(header), Some(value));
    }
    let bucket = shown.json()["bucket"].clone();
    let code = text(&bucket["last_code"]);
    assert_eq!(code.len(), 10);
    assert!(
        code.chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'),
        "{code}"
    );
    assert_eq!(bucket["availableTokens"], 10);
    let again = open.barista.get(bar, VALIDATOR_API, "qr-code");
    assert_eq!(again.json()["bucket"], bucket);

    for (query, status, error) in [
        ("", 422, "Missing parameter"),
        ("?token=0123456789", 400, "Invalid code"),
        ("?other=1", 400, "Invalid code"),
    ] {
        let answer = open.customer.scan(bar, query);
        assert_eq!(answer.status, status, "{query}: {answer:?}");
        assert_eq!(answer.json(), json!({ "error": error }));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    assert_eq!(bar.drinks_left(&bucket), 10);
    bucket
}

/// From the scanned code to the drink.
pub(super) fn a_drink_is_ordered_and_made(open: &Open, bucket: &Value) {
    let Open {
        bar,
        customer,
        barista,
        other,
        ..
    } = open;
    let order = customer.begin_order(bar, bucket);
    assert_eq!(order.len(), 21);
    assert_eq!(bar.drinks_left(bucket), 9);

    // What is not on the menu changes nothing, and neither does somebody else.
    let before = bar.awaits_choice(&order);
    customer
        .choose(bar, &order, "milkshake")
        .ends_in("not a valid order");
    other
        .choose(bar, &order, "Latte")
        .fails_with("ChoiceNotAwaited");
    assert_eq!(bar.order(&order).as_ref(), Some(&before));

    // The body is what the customer sends, whatever stands in it.
    let choice = json!({
        "userId": "somebody", "drink": "Cappuccino", "icon": "barista-icons_cappuccino-alternative", "modifiers": [],
        "note": "it's \"hot\" ☕ \\ ${x} #end $$\n",
    });
    customer
        .ask(bar, &order, "", &choice.to_string())
        .ends_in("Resume 2");
    assert_eq!(bar.awaits_barista(&order), "1");
    let chosen = bar.order(&order).expect("it is there");
    let drink: Value = serde_json::from_str(&text(&chosen["drinkOrder"]["S"])).expect("it is JSON");
    assert_eq!(drink, choice);
    // A drink is chosen once: a second choice would answer for the barista.
    customer
        .choose(bar, &order, "Latte")
        .fails_with("ChoiceNotAwaited");

    orders_are_listed(open, &order, &chosen);

    for query in ["?action=make", "?action=unmake", "?action=complete"] {
        let refused = customer.put(bar, ORDER_API, &format!("orders/{order}{query}"), "{}");
        assert_eq!(refused.status, 403, "{query}: {refused:?}");
    }
    barista
        .ask(bar, &order, "?action=make", "{}")
        .ends_in("Emit Making");
    let made_by = |order: &Value| text(&order["baristaUserId"]["S"]);
    let order_now = || bar.order(&order).expect("it is there");
    assert_eq!(made_by(&order_now()), barista.subject);
    barista
        .ask(bar, &order, "?action=unmake", "")
        .ends_in("Emit Making");
    assert_eq!(made_by(&order_now()), "");

    barista
        .ask(bar, &order, "?action=complete", "")
        .ends_in("Resume 1");
    assert_eq!(order_now()["ORDERSTATE"]["S"], "Completed");
    let states = bar.end_of_workflow(&order);
    assert_eq!(
        states.last().map(String::as_str),
        Some("Emit order finished")
    );
    // It ends once.
    for query in ["?action=complete", "?action=cancel"] {
        barista
            .ask(bar, &order, query, "")
            .fails_with("OrderNotOpen");
    }

    let of_customer = [
        "OrderProcessor.WorkflowStarted",
        "OrderProcessor.WaitingCompletion",
        "OrderManager.WaitingCompletion",
        "OrderManager.MakeOrder",
        "OrderManager.MakeOrder",
        "OrderManager.OrderCompleted",
        "OrderProcessor.orderFinished",
    ];
    let heard = hears(open, &customer.topic(), &order, &of_customer);
    let waiting = heard
        .iter()
        .find(|message| message["type"] == "OrderManager.WaitingCompletion")
        .expect("it was heard");
    let detail = &waiting["detail"];
    assert_eq!(detail["drinkOrder"], choice);
    assert_eq!(
        (&detail["orderNumber"], &detail["state"], &detail["robot"]),
        (&json!("1"), &json!("CREATED"), &json!(false))
    );
    let of_admin = [&["Validator.NewOrder"][..], &of_customer].concat();
    let heard = hears(open, super::ADMIN_TOPIC, &order, &of_admin);
    let new_order = heard
        .iter()
        .find(|message| message["type"] == "Validator.NewOrder")
        .expect("it was heard");
    assert_eq!(new_order["detail"]["bucket"]["availableTokens"], 9);
    assert_eq!(open.follower.messages(&other.topic()), [] as [Value; 0]);
}

/// What the lists say of an order that waits for a barista.
fn orders_are_listed(open: &Open, order: &str, item: &Value) {
    let Open {
        bar,
        customer,
        barista,
        other,
        ..
    } = open;
    let mut listed = item.clone();
    listed
        .as_object_mut()
        .expect("an item is an object")
        .remove("TaskToken");
    for path in ["orders?state=CREATED", "orders?state=created&maxItems=1"] {
        let answer = barista.get(bar, ORDER_API, path);
        assert_eq!((answer.status, answer.json()), (200, json!([listed])));
    }
    for (path, status) in [
        ("orders?state=Completed", 200),
        ("orders?state=CREATED&maxItems=-1", 400),
        ("orders", 400),
    ] {
        let answer = barista.get(bar, ORDER_API, path);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
    let refused = customer.get(bar, ORDER_API, "orders?state=CREATED");
    assert_eq!(refused.status, 403, "{refused:?}");

    listed
        .as_object_mut()
        .expect("an item is an object")
        .remove("USERID");
    let own = customer.get(bar, ORDER_API, "myOrders?sub=ignored");
    assert_eq!((own.status, own.json()), (200, json!([listed])));
    let own = other.get(bar, ORDER_API, "myOrders");
    assert_eq!((own.status, own.json()), (200, json!([])));

    let one = customer.get(bar, ORDER_API, &format!("orders/{order}"));
    let moment: i64 = text(&item["TS"]["N"]).parse().expect("it is a number");
    assert_eq!(
        (one.status, one.json()),
        (
            200,
            json!({
                "orderId": order, "drinkOrder": item["drinkOrder"], "orderState": "CREATED", "TS": moment,
            })
        )
    );
    let none = customer.get(bar, ORDER_API, "orders/unknown");
    assert_eq!(none.status, 404, "{none:?}");
}

/// An order is called off before and after its drink is chosen; only then does it have a number.
pub(super) fn orders_are_cancelled(open: &Open, bucket: &Value) {
    let Open { bar, customer, .. } = open;
    for (drink, number) in [(None, None), (Some("Latte"), Some("2"))] {
        let order = customer.begin_order(bar, bucket);
        if let Some(drink) = drink {
            customer.choose(bar, &order, drink).ends_in("Resume 2");
            assert_eq!(Some(bar.awaits_barista(&order).as_str()), number);
        }
        customer
            .ask(bar, &order, "?action=cancel", "")
            .ends_in("Resume 1");
        let item = bar.order(&order).expect("it stays");
        assert_eq!(item["ORDERSTATE"]["S"], "Cancelled");
        assert_eq!(item["orderNumber"]["S"].as_str(), number);
        let states = bar.end_of_workflow(&order);
        assert_eq!(
            states.last().map(String::as_str),
            Some("Emit order finished")
        );
        let numbered = states.iter().any(|state| state == "Generate Order Number");
        assert_eq!(numbered, number.is_some(), "{states:?}");
        let mut types = vec![
            "OrderProcessor.WorkflowStarted",
            "OrderManager.OrderCancelled",
            "OrderProcessor.orderFinished",
        ];
        if drink.is_some() {
            types.push("OrderProcessor.WaitingCompletion");
            types.push("OrderManager.WaitingCompletion");
        }
        hears(open, &customer.topic(), &order, &types);
    }
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
    hears(open, super::ADMIN_TOPIC, "2", &of_order);
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
    let heard = || open.follower.messages(super::CONFIG_TOPIC);
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
    hears(
        open,
        super::ADMIN_TOPIC,
        "closed",
        &["OrderProcessor.ShopUnavailable"],
    );
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

/// Customers and baristas who do not answer in time lose the order.
pub(super) fn nobody_answers_in_time(open: &Open, bucket: &Value) {
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
        let heard = hears(open, &customer.topic(), order, &types);
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
