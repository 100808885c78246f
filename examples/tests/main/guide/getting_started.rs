//! `docs/getting-started.md`: a workspace of one's own. The function package stands among the tests of the bindings.

#[expect(unreachable_pub, reason = "it is written as the root of a package")]
#[path = "../../../../functions/bindings/tests/main/guide/orders.rs"]
pub(super) mod orders;

mod stacks {
    use super::orders;
    use std::process::ExitCode;

    use orders::{Fulfil, FulfilWiring, Order, OrderPlaced};
    use stack_model::dynamodb::TableProps;
    use stack_model::lambda::FunctionProps;
    use stack_model::sqs::QueueProps;
    use stack_model::{App, Violations};

    #[expect(dead_code, reason = "the entry of a package of its own")]
    fn main() -> ExitCode {
        stack_model::main(describe)
    }

    #[expect(clippy::unnecessary_wraps, reason = "`stack_model::main` takes it so")]
    fn describe(app: &mut App) -> Result<(), Violations> {
        let mut stack = app.stack("orders");
        let placed = stack.queue::<OrderPlaced>("Placed", QueueProps::default());
        let orders = stack.table::<Order>("Orders", TableProps::default());
        let fulfil = stack.function(
            "Fulfil",
            Fulfil::bind(FulfilWiring { orders: &orders }),
            FunctionProps::default(),
        );
        stack.trigger(&fulfil, placed.batches_of(10));
        stack.output("QueueUrl", placed.url());
        Ok(())
    }

    #[test]
    fn the_first_stack_is_rendered() {
        let types = super::super::render(serde_json::json!({}), "orders", describe);
        assert_eq!(
            types,
            [
                "AWS::DynamoDB::Table",
                "AWS::IAM::Role",
                "AWS::Lambda::EventSourceMapping",
                "AWS::Lambda::Function",
                "AWS::Logs::LogGroup",
                "AWS::SQS::Queue",
                "AWS::SQS::QueuePolicy",
            ]
        );
    }
}
