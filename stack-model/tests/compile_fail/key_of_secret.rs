//! What is done with a secret, where what is done with its key belongs.

use stack_model::kms::KeyRef;
use stack_model::secretsmanager::SecretOperation;

fn allow(key: &KeyRef) {
    key.statements(&[SecretOperation::Read]);
}

fn main() {}
