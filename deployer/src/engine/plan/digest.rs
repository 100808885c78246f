//! Tells plans apart by one hash.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Plan, Seal};
use crate::engine::release::sorted;
use crate::text::hex;

impl Plan {
    /// Returns a hash of all changes: that of another plan is the same where the same would happen, whenever it is made. What
    /// is live beside it is no part of that.
    pub fn digest(&self) -> String {
        let stacks = self.stacks.iter().map(|stack| {
            let Seal { changes, other, .. } = Seal::of(stack);
            json!([
                stack.stack,
                stack.create,
                stack.note,
                changes,
                other,
                stack.refused
            ])
        });
        hex(&Sha256::digest(sorted(&stacks.collect()).to_string()))
    }
}
