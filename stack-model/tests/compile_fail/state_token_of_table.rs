//! DynamoDB hands a token on to nobody, so no task of it waits for an answer.

use stack_model::stepfunctions::{TableAccess, Task};

fn wait(read: Task<TableAccess>) -> Task<TableAccess> {
    read.wait_for_task_token()
}

fn main() {}
