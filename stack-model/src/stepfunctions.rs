//! AWS Step Functions: state machines as typed descriptions.

use std::marker::PhantomData;

use stack_model_cfn::{Pseudo, ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{get_att, reference, typed_handle};
use crate::kms::KeyRef;
use crate::text;

mod grant;

pub use grant::StateMachineOperation;

/// Marks the ARN of a state machine.
#[derive(Debug)]
pub enum StateMachine {}

/// The handle of a state machine whose executions start with an input of type `I`.
pub struct StateMachineRef<I> {
    id: ResourceId,
    key: Option<KeyRef>,
    input: PhantomData<fn() -> I>,
}

typed_handle!(StateMachineRef { id, key, input });

impl<I> StateMachineRef<I> {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<StateMachine>> {
        reference(&self.id)
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        get_att(&self.id, "Name")
    }

    /// Returns the ARN of an execution up to the colon before its name.
    pub fn execution_arn_prefix(&self) -> Value<String> {
        text!(
            "arn:{}:states:{}:{}:execution:{}",
            Pseudo::Partition,
            Pseudo::Region,
            Pseudo::AccountId,
            self.name()
        )
    }
}
