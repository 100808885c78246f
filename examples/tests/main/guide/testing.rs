//! `docs/testing.md`: tests of stacks.

use super::getting_started::orders::{Fulfil, FulfilWiring, Order, OrderPlaced};
use stack_model::dynamodb::TableProps;
use stack_model::lambda::FunctionProps;
use stack_model::sqs::QueueProps;
use stack_model::{App, Violations};

#[expect(
    clippy::unnecessary_wraps,
    reason = "every page describes its stacks so"
)]
fn describe(app: &mut App) -> Result<(), Violations> {
    let mut stack = app.stack("orders");
    let placed = stack.queue::<OrderPlaced>("Placed", QueueProps::default());
    let orders = stack.table::<Order>("Orders", TableProps::default());
    let wired = Fulfil::bind(FulfilWiring { orders: &orders });
    let fulfil = stack.function("Fulfil", wired, FunctionProps::default());
    stack.trigger(&fulfil, placed.batches_of(10));
    Ok(())
}

mod tests {
    use super::*;
    use serde_json::{Value, json};
    use stack_model::{Assembly, Stage};

    /// Renders the stacks for a stage, as `stackctl` does.
    fn synth(protected: bool) -> Result<Assembly, Violations> {
        let stage = json!({
            "name": "test",
            "region": "us-east-1",
            "architecture": "arm64",
            "protected": protected,
        });
        let stage = serde_json::from_value(stage).expect("it is a stage");
        let mut app = App::new(Stage::new(stage));
        describe(&mut app)?;
        app.synth()
    }

    fn template(protected: bool) -> Value {
        let assembly = synth(protected).unwrap_or_else(|violations| panic!("{violations}"));
        let template = assembly.template("orders").expect("there is such a stack");
        serde_json::from_str(template).expect("a template is JSON")
    }

    #[test]
    fn orders_outlive_a_protected_stage() {
        assert_eq!(
            template(true)["Resources"]["Orders"]["DeletionPolicy"],
            "Retain"
        );
        assert_eq!(
            template(false)["Resources"]["Orders"]["DeletionPolicy"],
            "Delete"
        );
    }

    #[test]
    fn the_worker_may_read_and_write_orders_and_no_more() {
        let template = template(false);
        let role = &template["Resources"]["FulfilRole"]["Properties"];
        let allowed: Vec<&Value> = role["Policies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|policy| policy["PolicyDocument"]["Statement"].as_array())
            .flatten()
            .filter(|statement| statement["Resource"] == json!({"Fn::GetAtt": ["Orders", "Arn"]}))
            .map(|statement| &statement["Action"])
            .collect();
        assert_eq!(allowed, [&json!(["dynamodb:GetItem", "dynamodb:PutItem"])]);
    }

    #[test]
    fn the_template_is_the_one_that_was_reviewed() {
        let assembly = synth(false).unwrap_or_else(|violations| panic!("{violations}"));
        let template = assembly.template("orders").expect("there is such a stack");
        snapbox::assert_data_eq!(template, snapbox::file!["golden/orders.template.json"]);
    }
}
