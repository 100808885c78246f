//! Why a stack failed: the first cause, where it is declared, and what to do.

use serde::Serialize;

use crate::error::Kind;

/// Why a stack could not be brought to the state it should have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// The kind under which the command line reports this.
    pub kind: Kind,
    /// What failed.
    pub message: String,
    /// The chain of reasons, the nearest first.
    pub causes: Vec<String>,
    /// The resource that failed first, where a resource did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_cause: Option<FirstCause>,
    /// What the reader can do about it.
    pub hints: Vec<String>,
}

/// The resource that failed first: what follows it in the events was cancelled or rolled back because of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FirstCause {
    /// The logical id.
    pub logical_id: String,
    /// The resource type.
    pub resource_type: String,
    /// The physical id, where the resource got one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// The status of the resource.
    pub status: String,
    /// Why, as AWS said it.
    pub reason: String,
    /// Where the resource is declared in the Rust source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}
