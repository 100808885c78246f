//! Orders on the menu, and others.

use serde_json::json;
use stack_bindings::Decode;

use super::*;

async fn answer(state: Value) -> bool {
    let request = Invocation::decode(state).unwrap();
    handle(&SanitizeOrder {}, request).await.unwrap()
}

/// The menu as DynamoDB answers it: a cappuccino with a choice of milk, and an espresso that cannot be had.
fn menu() -> Value {
    json!({"Item": {"PK": {"S": "menu"}, "value": {"L": [
        {"M": {
            "drink": {"S": "Cappuccino"}, "available": {"BOOL": true}, "icon": {"S": "c"},
            "modifiers": {"L": [
                {"M": {"Name": {"S": "Milk"}, "Options": {"L": [{"S": "Oat"}, {"S": "Whole"}]}}},
                {"M": {"Name": {"S": "Size"}, "Options": {"L": [{"S": "Large"}]}}}
            ]}
        }},
        {"M": {
            "drink": {"S": "Espresso"}, "available": {"BOOL": false}, "icon": {"S": "e"},
            "modifiers": {"L": []}
        }}
    ]}}})
}

#[tokio::test]
async fn an_order_is_compared_with_the_menu() {
    for (body, expected) in [
        (
            json!({"userId": "1", "drink": "Cappuccino", "modifiers": []}),
            true,
        ),
        (
            json!({"drink": "Cappuccino", "modifiers": ["Oat", "Large"]}),
            true,
        ),
        (
            json!({"drink": "Cappuccino", "modifiers": ["Oat", "Soy"]}),
            false,
        ),
        (json!({"drink": "Cappuccino"}), true),
        // Whether it can be had is not asked.
        (json!({"drink": "Espresso", "modifiers": []}), true),
        (json!({"drink": "Espresso", "modifiers": ["Oat"]}), false),
        (json!({"drink": "milkshake", "modifiers": []}), false),
        (json!({"drink": "Cappuccino", "modifiers": [null]}), false),
        (json!({"drink": "Cappuccino", "modifiers": "Oat"}), false),
        (json!({"modifiers": []}), false),
        (json!("Cappuccino"), false),
    ] {
        let state = json!({"action": "", "body": body, "orderId": "1", "menu": menu()});
        assert_eq!(answer(state).await, expected, "{body}");
    }
}

#[tokio::test]
async fn without_a_menu_nothing_can_be_ordered() {
    let body = json!({"drink": "Cappuccino", "modifiers": []});
    for menu in [json!({}), json!({"Item": {"PK": {"S": "menu"}}})] {
        assert!(!answer(json!({"body": body, "menu": menu})).await);
    }
    assert!(!answer(json!({ "body": body })).await);
}
