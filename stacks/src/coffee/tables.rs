//! The tables, and what they hold at first.

use coffee::{Bucket, ConfigItem, Counter, FillDatabases, FillDatabasesWiring, Order};
use stack_model::Stack;
use stack_model::contract::TableItem;
use stack_model::custom_resource::CustomResourceProps;
use stack_model::dynamodb::{StreamView, TableProps, TableRef};

use super::Settings;

pub(super) struct Tables {
    /// The number of the last order.
    pub(super) counters: TableRef<Counter>,
    /// The settings of the shop, and the menu.
    pub(super) settings: TableRef<ConfigItem>,
    /// The codes that customers scan.
    pub(super) codes: TableRef<Bucket>,
    /// The orders.
    pub(super) orders: TableRef<Order>,
}

pub(super) fn add(stack: &mut Stack<'_>, settings: &Settings) -> Tables {
    let changes = Some(StreamView::NewAndOldImages);
    let tables = Tables {
        counters: table(stack, settings, "CountingTable", "counting", None),
        settings: table(stack, settings, "ConfigTable", "config", changes),
        codes: table(stack, settings, "ValidatorTable", "validator", changes),
        orders: table(stack, settings, "OrderTable", "order", changes),
    };
    let fill = stack.function(
        "FillDatabases",
        FillDatabases::bind(FillDatabasesWiring {
            config_table: &tables.settings,
            counting_table: &tables.counters,
        }),
        settings.function("Puts the first items into tables", 15),
    );
    let props = CustomResourceProps::default();
    stack.custom_resource("FirstItems", "Custom::FirstItems", &fill, (), props);
    tables
}

fn table<T: TableItem>(
    stack: &mut Stack<'_>,
    settings: &Settings,
    id: &str,
    what: &str,
    stream: Option<StreamView>,
) -> TableRef<T> {
    let name = settings.name(&format!("serverlesspresso-{what}-table"));
    stack.table(
        id,
        TableProps {
            name: Some(name.into()),
            stream,
            ..TableProps::default()
        },
    )
}
