//! Finds the address of the broker.

use stack_bindings::{CallError, CustomResource, Provided, ResourceAction};

use crate::contract::GetIotEndpoint;

/// The attribute of the custom resource that holds the address.
pub const ADDRESS: &str = "IotEndpointAddress";

/// Answers with the address of the broker; there is nothing to delete.
///
/// # Errors
///
/// Fails where IoT Core does not tell the address.
pub async fn handle(
    bindings: &GetIotEndpoint,
    resource: CustomResource<()>,
) -> Result<Provided, CallError> {
    match resource.action {
        ResourceAction::Create { .. } | ResourceAction::Update { .. } => {
            let address = bindings.iot.data_ats().await?;
            Ok(Provided::new().data(ADDRESS, address))
        }
        ResourceAction::Delete { .. } => Ok(Provided::new()),
    }
}

#[cfg(test)]
mod tests;
