//! An operation of queues on a table.

use stack_model::dynamodb::TableRef;
use stack_model::policy::Statement;
use stack_model::sqs::QueueOperation;

fn grant<T>(orders: &TableRef<T>) -> Vec<Statement> {
    orders.statements(&[QueueOperation::Send])
}

fn main() {}
