//! A user pool among the app clients of an identity pool.

use stack_model::cognito::{IdentityPoolProps, UserPoolRef};

fn props(users: &UserPoolRef) -> IdentityPoolProps {
    IdentityPoolProps {
        clients: vec![users.clone()],
        ..IdentityPoolProps::default()
    }
}

fn main() {}
