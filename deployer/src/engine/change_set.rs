//! Change sets: made, read, removed.

use serde::Serialize;

/// What a change set would do, as CloudFormation computed it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProposedChanges {
    /// The stack.
    pub stack: String,
    /// Whether the stack is new.
    pub create: bool,
    /// The name of the change set.
    pub change_set: String,
    /// The changes, by logical id.
    pub changes: Vec<Change>,
}

/// One change of a change set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The logical id.
    pub logical_id: String,
    /// The resource type.
    pub resource_type: String,
    /// The physical id, where the resource exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// What happens, in the word of AWS: `Add`, `Modify`, `Remove`, `Import`, `Dynamic`.
    pub action: String,
    /// Whether the resource is replaced, where it is modified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replacement: Option<Replacement>,
    /// What AWS does with the old resource, where it is removed or replaced: `Delete`, `Retain`, `Snapshot` or
    /// another word of AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_action: Option<String>,
    /// The parts of the resource that change: `Properties`, `Metadata`, `Tags` and others.
    pub scope: Vec<String>,
    /// The names of the properties that change, sorted.
    pub properties: Vec<String>,
    /// Where the resource is declared in the Rust source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Whether a modified resource is replaced by a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Replacement {
    /// It is replaced.
    Always,
    /// It is updated in place.
    Never,
    /// CloudFormation knows only when it does it.
    Conditional,
    /// An answer that is not known here.
    Unknown,
}
