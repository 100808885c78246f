//! Custom resources: what CloudFormation cannot do itself, done by a function.

use stack_model_cfn::{ResourceId, Value};

use crate::handle::{Handle, reference};

/// The handle of a custom resource. What its function answers as data is read with [`Handle::attribute`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomResourceRef {
    id: ResourceId,
}

impl CustomResourceRef {
    /// Returns the physical id that the function answered.
    pub fn physical_id(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for CustomResourceRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}
