//! From the scanned code to the drink.

use serde_json::{Value, json};

use super::{ADMIN_TOPIC, CONFIG_API, ORDER_API, Open, VALIDATOR_API, text};

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
    let heard = open.hears(&customer.topic(), &order, &of_customer);
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
    let heard = open.hears(ADMIN_TOPIC, &order, &of_admin);
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
        .retain(|name, _| name != "TaskToken" && name != "workflow");
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

/// An order is called off before and after its drink is chosen; only then does it have a number. Whose order it is may
/// do that, and who runs the bar; the API takes what others ask for, and nothing comes of it.
pub(super) fn orders_are_cancelled(open: &Open, bucket: &Value) {
    let Open {
        bar,
        customer,
        barista,
        other,
        ..
    } = open;
    for (caller, drink, number) in [
        (customer, None, None),
        (customer, Some("Latte"), Some("2")),
        (barista, None, None),
    ] {
        let order = customer.begin_order(bar, bucket);
        if let Some(drink) = drink {
            customer.choose(bar, &order, drink).ends_in("Resume 2");
            assert_eq!(Some(bar.awaits_barista(&order).as_str()), number);
        }
        let before = bar.order(&order);
        other
            .ask(bar, &order, "?action=cancel", r#"{"admin": true}"#)
            .fails_with("OrderNotOpen");
        assert_eq!(bar.order(&order), before);
        caller
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
        open.hears(&customer.topic(), &order, &types);
    }
}

/// Where nobody has to be in a group, whoever signed in makes the drinks, calls off orders of others, lists them and closes
/// the shop. Only the code is shown to administrators alone.
pub(super) fn anybody_makes_a_drink(open: &Open) {
    let Open {
        bar,
        customer,
        other,
        barista,
        ..
    } = open;
    assert_eq!(customer.get(bar, VALIDATOR_API, "qr-code").status, 403);
    let bucket = barista.get(bar, VALIDATOR_API, "qr-code").json()["bucket"].clone();
    let settings = customer.get(bar, CONFIG_API, "admin-config");
    assert_eq!(settings.status, 200, "{settings:?}");

    let order = customer.begin_order(bar, &bucket);
    customer.choose(bar, &order, "Espresso").ends_in("Resume 2");
    bar.awaits_barista(&order);
    let listed = other.get(bar, ORDER_API, "orders?state=CREATED");
    assert_eq!(
        (listed.status, &listed.json()[0]["SK"]["S"]),
        (200, &json!(order))
    );
    other
        .ask(bar, &order, "?action=make", "")
        .ends_in("Emit Making");
    other
        .ask(bar, &order, "?action=complete", "")
        .ends_in("Resume 1");
    let item = bar.order(&order).expect("it is there");
    assert_eq!(item["ORDERSTATE"]["S"], "Completed");
    assert_eq!(item["baristaUserId"]["S"], other.subject);
    let states = bar.end_of_workflow(&order);
    assert_eq!(
        states.last().map(String::as_str),
        Some("Emit order finished")
    );
    let of_customer = [
        "OrderProcessor.WorkflowStarted",
        "OrderProcessor.WaitingCompletion",
        "OrderManager.WaitingCompletion",
        "OrderManager.MakeOrder",
        "OrderManager.OrderCompleted",
        "OrderProcessor.orderFinished",
    ];
    open.hears(&customer.topic(), &order, &of_customer);
    let of_admin = [&["Validator.NewOrder"][..], &of_customer].concat();
    open.hears(ADMIN_TOPIC, &order, &of_admin);

    let called_off = customer.begin_order(bar, &bucket);
    other
        .ask(bar, &called_off, "?action=cancel", "")
        .ends_in("Resume 1");
    let item = bar.order(&called_off).expect("it stays");
    assert_eq!(item["ORDERSTATE"]["S"], "Cancelled");
    for state in ["closed", "open"] {
        let answer = customer.put(bar, CONFIG_API, &format!("store?state={state}"), "");
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}
