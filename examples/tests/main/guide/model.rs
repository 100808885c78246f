//! `docs/model.md`: a stack is an ordinary function.

use serde::{Deserialize, Serialize};
use stack_bindings::Item;
use stack_model::dynamodb::{Billing, TableProps};
use stack_model::{App, Violations};

#[derive(Serialize, Deserialize, Item)]
struct Order {
    #[item(partition_key)]
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variables {
    reads: u32,
    writes: u32,
}

fn describe(app: &mut App) -> Result<(), Violations> {
    let variables: Variables = app.stage().variables("orders")?;
    let mut stack = app.stack("orders");
    let table = stack.table::<Order>(
        "Orders",
        TableProps {
            billing: Billing::Provisioned {
                read: variables.reads.into(),
                write: variables.writes.into(),
            },
            ..TableProps::default()
        },
    );
    stack.output("TableName", table.name());
    Ok(())
}

#[test]
fn the_stack_reads_its_variables() {
    let variables = serde_json::json!({ "orders": { "reads": 5, "writes": 1 } });
    let types = super::render(variables, "orders", describe);
    assert_eq!(types, ["AWS::DynamoDB::Table"]);
}
