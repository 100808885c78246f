//! The address of the account's broker, which CloudFormation does not know.

use std::panic::Location;

use stack_model_cfn::Value;

use crate::contract::{Accepts, ResourceProperties, event};
use crate::custom_resource::CustomResourceProps;
use crate::handle::Handle;
use crate::lambda::FunctionRef;
use crate::stack::Stack;

/// The name under which a function answers the address of the broker.
pub const ENDPOINT_ATTRIBUTE: &str = "IotEndpointAddress";

impl Stack<'_> {
    /// Adds a custom resource of the type `Custom::IotEndpoint` and returns the address that its function answers as
    /// [`ENDPOINT_ATTRIBUTE`]: the one of `iot:Data-ATS`, which `DescribeEndpoint` tells and which never changes for an
    /// account and region. See
    /// <https://docs.aws.amazon.com/iot/latest/developerguide/iot-connect-devices.html#iot-connect-device-endpoints>.
    #[track_caller]
    pub fn iot_endpoint<F, P>(
        &mut self,
        logical_id: &str,
        function: &FunctionRef<F>,
    ) -> Value<String>
    where
        F: Accepts<event::CustomResource<P>>,
        P: ResourceProperties<Given: Default>,
    {
        let properties = P::render(P::Given::default());
        let props = CustomResourceProps::default();
        let source = Location::caller();
        let kind = "Custom::IotEndpoint";
        self.add_custom_resource(logical_id, kind, function, properties, props, source)
            .attribute(ENDPOINT_ATTRIBUTE)
    }
}
