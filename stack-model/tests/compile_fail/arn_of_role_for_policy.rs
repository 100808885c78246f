//! A role, where the managed policy of a role belongs.

use stack_model::iam::{RoleProps, RoleRef};

fn like(other: &RoleRef) -> RoleProps {
    let mut props = RoleProps::for_service("lambda.amazonaws.com");
    props.managed_policies.push(other.arn());
    props
}

fn main() {}
