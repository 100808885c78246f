//! Puts the first items into tables: the settings, the menu, and the counter of orders.

use stack_bindings::{CallError, CustomResource, Provided, ResourceAction};

use crate::contract::FillDatabases;
use crate::item::{
    ConfigContent, ConfigItem, Counter, Drink, MENU, Menu, ORDER_COUNTER, SHOP_CONFIG, ShopConfig,
};

/// The drinks and their pictures, in the order in which they are shown.
const DRINKS: [(&str, &str); 6] = [
    ("Espresso", "barista-icons_espresso-alternative"),
    ("Cappuccino", "barista-icons_cappuccino-alternative"),
    ("Latte", "barista-icons_cafe-latte"),
    ("Flat White", "barista-icons_flat-white-alternative@2x"),
    ("Americano", "barista-icons_americano"),
    ("Coffee of the day", "barista-icons_americano"),
];

/// Fills the tables when the resource is made or changed; there is nothing to delete, since the tables go themselves.
///
/// # Errors
///
/// Fails where an item could not be written, even after retries.
pub async fn handle(
    bindings: &FillDatabases,
    resource: CustomResource<()>,
) -> Result<Provided, CallError> {
    match resource.action {
        ResourceAction::Create { .. } | ResourceAction::Update { .. } => {
            let config = [shop(), menu()];
            bindings.config_table.batch_write(&config, []).await?;
            let counter = Counter {
                id: ORDER_COUNTER.to_owned(),
                value: 0,
            };
            bindings.counting_table.batch_write([&counter], []).await?;
        }
        ResourceAction::Delete { .. } => {}
    }
    Ok(Provided::new())
}

fn shop() -> ConfigItem {
    ConfigItem {
        id: SHOP_CONFIG.to_owned(),
        content: ConfigContent::Shop(ShopConfig {
            store_open: true,
            max_orders_per_user: 1,
            max_orders_in_queue: 10,
        }),
    }
}

fn menu() -> ConfigItem {
    let drinks = DRINKS.map(|(drink, icon)| Drink {
        drink: drink.to_owned(),
        available: true,
        icon: icon.to_owned(),
        modifiers: Vec::new(),
    });
    ConfigItem {
        id: MENU.to_owned(),
        content: ConfigContent::Menu(Menu {
            value: drinks.into(),
        }),
    }
}

#[cfg(test)]
mod tests;
