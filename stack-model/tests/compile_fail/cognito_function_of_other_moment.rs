//! A pool asks before somebody signs up, and the function is told of those who did.

use stack_model::Stack;
use stack_model::cognito::UserPoolRef;
use stack_model::contract::{Accepts, FunctionContract, event};
use stack_model::lambda::FunctionRef;

struct Welcome;

impl FunctionContract for Welcome {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-welcome";
}

impl Accepts<event::PostConfirmation> for Welcome {}

fn ask(stack: &mut Stack<'_>, users: &UserPoolRef, welcome: &FunctionRef<Welcome>) {
    stack.trigger(welcome, users.pre_sign_up());
}

fn main() {}
