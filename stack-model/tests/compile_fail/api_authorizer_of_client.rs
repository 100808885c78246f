//! An authorizer checks the tokens of user pools, not of one app client.

use stack_model::Stack;
use stack_model::apigateway::RestApiRef;
use stack_model::cognito::UserPoolClientRef;

fn guard(stack: &mut Stack<'_>, api: &RestApiRef, client: &UserPoolClientRef) {
    stack.rest_user_pool_authorizer("Users", api, [client]);
}

fn main() {}
