use stack_bindings::Bindings;
use stack_bindings::user_pool::PostConfirmation;
use stack_model::Stack;
use stack_model::cognito::UserPoolRef;
use stack_model::lambda::{FunctionProps, FunctionRef};

#[derive(Bindings)]
#[function(binary = "users-welcome", accepts(PostConfirmation))]
pub struct Welcome {}

fn ask(stack: &mut Stack<'_>, users: &UserPoolRef) {
    let welcome: FunctionRef<Welcome> =
        stack.function("Welcome", Welcome::bind(WelcomeWiring {}), FunctionProps::default());
    stack.trigger(&welcome, users.pre_sign_up());
}

fn main() {}
