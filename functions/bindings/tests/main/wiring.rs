//! The stack's side: environment, schema and exactly the needed permissions.

use stack_model::contract::{Accepts, FunctionContract, KeyKind, TableItem, event};

use crate::declared::{Operation, Operations, Order};

#[test]
fn the_schema_follows_serde() {
    let schema = Order::schema();
    assert_eq!(schema.partition_key.name, "PK");
    assert_eq!(schema.partition_key.kind, KeyKind::String);
    let sort = schema.sort_key.unwrap();
    assert_eq!(
        (sort.name.as_str(), sort.kind),
        ("orderNumber", KeyKind::Number)
    );
    assert_eq!(schema.time_to_live.as_deref(), Some("expires"));
    let [global, local] = schema.indexes.as_slice() else {
        panic!("two indexes are declared");
    };
    assert_eq!(global.name, "state-index");
    assert_eq!(global.partition_key.as_ref().unwrap().name, "state");
    assert_eq!(global.partition_key.as_ref().unwrap().kind, KeyKind::String);
    assert_eq!(global.sort_key.as_ref().unwrap().name, "placedAt");
    assert_eq!(
        (local.name.as_str(), &local.partition_key),
        ("drink.local", &None)
    );
    assert_eq!(local.sort_key.as_ref().unwrap().name, "drink");
}

#[test]
fn the_contract_reaches_the_stack() {
    fn accepts<F, A, B>() -> (&'static str, &'static str)
    where
        F: FunctionContract + Accepts<A> + Accepts<B>,
    {
        (F::PACKAGE, F::BINARY)
    }

    assert_eq!(
        accepts::<Operations, event::QueueBatch<Operation>, event::Invocation<Operation>>(),
        ("stack-bindings", "intake-operations")
    );
}
