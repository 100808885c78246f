//! What a deploy without CloudFormation changes.

use std::collections::BTreeMap;

use stack_model::assembly::StackManifest;

use super::{MachineChange, Record};
use crate::content::Content;
use crate::engine::{Artifact, DeployedStack};

/// What a deployment changes that changes code and definitions alone.
#[derive(Debug)]
pub struct CodeChanges {
    pub(super) stacks: Vec<StackCode>,
    pub(super) artifacts: BTreeMap<String, Artifact>,
}

impl CodeChanges {
    /// Returns the functions that get other code: stacks and logical ids.
    pub fn functions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.stacks.iter().flat_map(|stack| {
            let functions = stack.functions.iter();
            functions.map(|function| (&*stack.manifest.name, &*function.logical_id))
        })
    }

    /// Returns the state machines that get another definition: stacks and logical ids.
    pub fn machines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.stacks.iter().flat_map(|stack| {
            let machines = stack.machines.iter();
            machines.map(|machine| (&*stack.manifest.name, &*machine.logical_id))
        })
    }
}

/// What changes in one stack.
#[derive(Debug)]
pub(super) struct StackCode {
    pub(super) manifest: StackManifest,
    pub(super) contents: BTreeMap<String, Content>,
    pub(super) deployed: DeployedStack,
    /// The artifact bucket, where the stack has functions, or state machines and the region has one.
    pub(super) bucket: Option<String>,
    pub(super) functions: Vec<FunctionCode>,
    pub(super) machines: Vec<MachineChange>,
    pub(super) record: Record,
}

/// A function that gets other code.
#[derive(Debug)]
pub(super) struct FunctionCode {
    pub(super) logical_id: String,
    pub(super) name: String,
    /// The object that CloudFormation believes the function to run.
    pub(super) deployed: String,
    /// The object that it is to run.
    pub(super) wanted: String,
    /// The object that it runs.
    pub(super) runs: String,
    /// What Lambda calls the state that was looked at: nothing is written over a later one.
    pub(super) revision: Option<String>,
}
