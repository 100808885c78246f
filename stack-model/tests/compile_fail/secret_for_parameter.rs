//! A secret, where a parameter belongs.

use stack_model::secretsmanager::SecretRef;
use stack_model::ssm::ParameterRef;

fn reads(_: &ParameterRef<String>) {}

fn wire(token: &SecretRef<String>) {
    reads(token);
}

fn main() {}
