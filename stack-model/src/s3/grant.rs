//! What a caller may do with a bucket.

use stack_model_cfn::Expr;

use super::BucketRef;
use crate::kms::KeyOperation;
use crate::policy::{Statement, allow_on};

/// What a caller may do with a bucket and its objects.
///
/// A caller that may read objects but not list them is told 403 for one that is not there, not 404. See
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BucketOperation {
    /// Reads objects.
    Get,
    /// Writes objects, also in parts.
    Put,
    /// Deletes objects; in a versioned bucket, earlier versions stay.
    Delete,
    /// Lists objects.
    List,
}

impl BucketOperation {
    /// Returns the IAM action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Get => "s3:GetObject",
            Self::Put => "s3:PutObject",
            Self::Delete => "s3:DeleteObject",
            Self::List => "s3:ListBucket",
        }
    }

    /// Returns what the caller must be allowed to do with the bucket's key; an upload in parts decrypts too. See
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>.
    const fn key_operations(self) -> &'static [KeyOperation] {
        match self {
            Self::Get => &[KeyOperation::Decrypt],
            Self::Put => &[KeyOperation::GenerateDataKey, KeyOperation::Decrypt],
            Self::Delete | Self::List => &[],
        }
    }
}

/// Why a grant has a wildcard.
const OBJECTS: &str = "keys of objects are made at run time";

impl BucketRef {
    /// Returns what a role must allow for the given operations: exactly their actions on the objects, on the bucket
    /// itself for listing, and on its key where it has one of the customer's own.
    pub fn statements(&self, operations: &[BucketOperation]) -> Vec<Statement> {
        self.statements_under("", operations)
    }

    /// Returns what a role must allow for the given operations on objects whose keys start with a prefix.
    pub fn statements_under(&self, prefix: &str, operations: &[BucketOperation]) -> Vec<Statement> {
        let lists = |operation: &&BucketOperation| **operation == BucketOperation::List;
        let listing = operations.iter().filter(lists).map(|list| list.action());
        let others = operations.iter().filter(|operation| !lists(operation));
        let pattern = format!("{prefix}*");
        let listing = allow_on(listing, self.arn()).map(|statement| {
            if prefix.is_empty() {
                statement
            } else {
                let prefixes = Expr::list([prefix, pattern.as_str()]);
                statement.when("StringLike", "s3:prefix", prefixes)
            }
        });
        let actions = others.map(|operation| operation.action());
        let key_operations = operations
            .iter()
            .flat_map(|operation| operation.key_operations().iter().copied());
        let key = self.key.as_ref();
        allow_on(actions, self.objects(&pattern))
            .map(|statement| statement.because(OBJECTS))
            .into_iter()
            .chain(listing)
            .chain(key.and_then(|key| key.through("s3", key_operations)))
            .collect()
    }
}
