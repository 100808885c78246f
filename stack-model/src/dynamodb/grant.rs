//! What a caller may do with a table.

use std::collections::BTreeMap;

use super::TableRef;
use crate::kms::KeyOperation;
use crate::policy::{Statement, allow_on};
use crate::text;

/// What a caller may do with a table, one of its indexes, or its stream.
///
/// A transaction needs the operations that it is made of. See
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableOperation {
    /// Reads one item by its key.
    Get,
    /// Writes one item.
    Put,
    /// Changes one item.
    Update,
    /// Deletes one item.
    Delete,
    /// Reads the items of one partition.
    Query,
    /// Reads every item.
    Scan,
    /// Reads many items by their keys.
    BatchGet,
    /// Writes and deletes many items.
    BatchWrite,
    /// Checks an item inside a transaction.
    ConditionCheck,
    /// Reads what the table is.
    Describe,
    /// Reads the items of one partition of the index.
    QueryIndex(&'static str),
    /// Reads every item of the index.
    ScanIndex(&'static str),
    /// Reads the changes of the items from the stream.
    ReadStream,
}

/// What the actions of an operation are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Table,
    Index(&'static str),
    Stream,
}

impl TableOperation {
    /// Returns the IAM actions.
    pub const fn actions(self) -> &'static [&'static str] {
        match self {
            Self::Get => &["dynamodb:GetItem"],
            Self::Put => &["dynamodb:PutItem"],
            Self::Update => &["dynamodb:UpdateItem"],
            Self::Delete => &["dynamodb:DeleteItem"],
            Self::Query | Self::QueryIndex(_) => &["dynamodb:Query"],
            Self::Scan | Self::ScanIndex(_) => &["dynamodb:Scan"],
            Self::BatchGet => &["dynamodb:BatchGetItem"],
            Self::BatchWrite => &["dynamodb:BatchWriteItem"],
            Self::ConditionCheck => &["dynamodb:ConditionCheckItem"],
            Self::Describe => &["dynamodb:DescribeTable"],
            Self::ReadStream => &[
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
            ],
        }
    }

    const fn scope(self) -> Scope {
        match self {
            Self::QueryIndex(name) | Self::ScanIndex(name) => Scope::Index(name),
            Self::ReadStream => Scope::Stream,
            _ => Scope::Table,
        }
    }

    /// Returns what the caller must be allowed to do with the table's key. DynamoDB uses it for the caller, to open
    /// the table's own key; see
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html>.
    const fn key_operations(self) -> &'static [KeyOperation] {
        match self {
            Self::Describe => &[],
            Self::Put | Self::Update | Self::Delete | Self::BatchWrite => &[
                KeyOperation::Decrypt,
                KeyOperation::Describe,
                KeyOperation::Encrypt,
                KeyOperation::GenerateDataKey,
                KeyOperation::ReEncryptFrom,
                KeyOperation::ReEncryptTo,
            ],
            _ => &[KeyOperation::Decrypt, KeyOperation::Describe],
        }
    }
}

impl<T> TableRef<T> {
    /// Returns what a role must allow for the given operations: exactly their actions on this table, its named
    /// indexes and its stream, and on its key where it has one of the customer's own.
    pub fn statements(&self, operations: &[TableOperation]) -> Vec<Statement> {
        let mut scopes: BTreeMap<Scope, Vec<&'static str>> = BTreeMap::new();
        for operation in operations {
            let actions = scopes.entry(operation.scope()).or_default();
            actions.extend(operation.actions());
        }
        let key_operations = operations
            .iter()
            .flat_map(|operation| operation.key_operations().iter().copied());
        let key = self.facts.key.as_ref();
        scopes
            .into_iter()
            .filter_map(|(scope, actions)| self.allow(scope, actions))
            .chain(key.and_then(|key| key.through("dynamodb", key_operations)))
            .collect()
    }

    /// Returns what a role must allow so that a service follows the changes for it. Lambda and EventBridge Pipes refuse
    /// a role that may not list streams; see
    /// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-dynamodb-permissions>.
    pub(crate) fn follow_statements(&self) -> Vec<Statement> {
        let list = self
            .stream_arn()
            .map(|stream| Statement::allow(["dynamodb:ListStreams"]).on(stream));
        let read = self.statements(&[TableOperation::ReadStream]);
        read.into_iter().chain(list).collect()
    }

    fn allow(&self, scope: Scope, actions: Vec<&'static str>) -> Option<Statement> {
        let id = self.id.logical_id();
        match scope {
            Scope::Table => allow_on(actions, self.arn()),
            Scope::Index(name) => {
                let statement = allow_on(actions, text!("{}/index/{}", self.arn(), name))?;
                if self.facts.indexes.iter().any(|known| known == name) {
                    return Some(statement);
                }
                Some(statement.wrong(format!(
                    "the table `{id}` has no index `{name}`: {}",
                    match self.facts.indexes.as_slice() {
                        [] => "its item type declares none".to_owned(),
                        indexes => format!("its item type declares {}", indexes.join(", ")),
                    }
                )))
            }
            Scope::Stream => match self.stream_arn() {
                Some(stream) => allow_on(actions, stream),
                None => Some(allow_on(actions, self.arn())?.wrong(format!(
                    "the table `{id}` has no stream: give `TableProps::stream` a view"
                ))),
            },
        }
    }
}
