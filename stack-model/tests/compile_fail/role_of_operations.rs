//! What a role may do without what it may do it with: the statements come from the handle of the queue.

use stack_model::Stack;
use stack_model::iam::RoleRef;
use stack_model::sqs::QueueOperation;

fn work(stack: &mut Stack<'_>, worker: &RoleRef) {
    stack.grant(worker, [QueueOperation::Send]);
}

fn main() {}
