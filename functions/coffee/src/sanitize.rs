//! Compares an order with the menu.

use std::convert::Infallible;
use std::future::{Ready, ready};

use serde_json::Value;
use stack_bindings::Invocation;

use crate::contract::SanitizeOrder;
use crate::order_request::OrderRequest;

/// Says whether the menu has the drink, and every choice that the customer made about it.
///
/// Whether the drink can be had now does not matter: a page may be older than the menu, and the barista decides.
///
/// # Errors
///
/// Never fails: an order that cannot be understood is not on the menu.
pub fn handle(
    _: &SanitizeOrder,
    request: Invocation<OrderRequest>,
) -> Ready<Result<bool, Infallible>> {
    let Invocation(request) = request;
    let menu = request.menu.item.unwrap_or_default();
    ready(Ok(is_on_the_menu(&request.body, &menu)))
}

fn is_on_the_menu(order: &Value, menu: &Value) -> bool {
    let Some(drink) = order["drink"].as_str() else {
        return false;
    };
    let entry = list(&menu["value"])
        .iter()
        .map(|entry| &entry["M"])
        .find(|entry| entry["drink"]["S"] == drink);
    let Some(entry) = entry else {
        return false;
    };
    let offered = |choice: &Value| {
        list(&entry["modifiers"])
            .iter()
            .flat_map(|modifier| list(&modifier["M"]["Options"]))
            .any(|option| option["S"].is_string() && option["S"] == *choice)
    };
    match &order["modifiers"] {
        Value::Null => true,
        Value::Array(choices) => choices.iter().all(offered),
        _ => false,
    }
}

/// Returns the elements of a list in DynamoDB's own JSON.
fn list(attribute: &Value) -> &[Value] {
    attribute["L"].as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests;
