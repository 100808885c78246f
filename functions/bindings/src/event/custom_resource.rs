//! Requests of CloudFormation for a custom resource.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;

use super::lenient::Lenient;
use super::{Decode, Event, EventError};

/// The creation, change or deletion of a custom resource with the properties `P`.
///
/// The function answers with [`provide`](crate::provide) and not with `run`: CloudFormation waits for an answer at an
/// address of its own. Its shape is that of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html>. CloudFormation sends
/// every number and boolean as a text, and `P` reads them from it.
#[derive(Debug)]
pub struct CustomResource<P> {
    /// What is to be done.
    pub action: ResourceAction<P>,
    /// What CloudFormation calls the request and the resource.
    pub request: ResourceRequest,
}

/// What is to be done with a custom resource.
#[derive(Debug)]
pub enum ResourceAction<P> {
    /// The resource is to be made.
    Create {
        /// What it is to be.
        properties: P,
    },
    /// The properties have changed.
    Update {
        /// The physical id of the resource. Answering with another one means that it was replaced: CloudFormation
        /// then asks for the deletion of this one.
        physical_id: String,
        /// What the resource is to be.
        properties: P,
        /// What it was, or why that cannot be read: an earlier version of the function may have had other properties.
        old_properties: Result<P, serde_json::Error>,
    },
    /// The resource is to be removed. It may be gone already, or may never have been finished.
    Delete {
        /// The physical id of the resource.
        physical_id: String,
        /// What it is, or why that cannot be read: an earlier version of the function may have had other properties.
        properties: Result<P, serde_json::Error>,
    },
}

/// What CloudFormation calls a request and its resource.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceRequest {
    /// The ARN of the stack.
    pub stack_id: String,
    /// The id of the request, the same when it is made once more.
    pub request_id: String,
    /// The logical id of the resource.
    #[serde(rename = "LogicalResourceId")]
    pub logical_id: String,
    /// The type of the resource, such as `Custom::IotEndpoint`.
    #[serde(default)]
    pub resource_type: String,
    /// Where the answer goes. Whoever knows it can answer, so it is never shown.
    #[serde(rename = "ResponseURL")]
    pub(crate) response_url: String,
}

impl ResourceRequest {
    /// Makes the request of a resource, for tests.
    pub fn of(stack_id: impl Into<String>, logical_id: impl Into<String>) -> Self {
        Self {
            stack_id: stack_id.into(),
            request_id: "request".to_owned(),
            logical_id: logical_id.into(),
            resource_type: "Custom::Test".to_owned(),
            response_url: String::new(),
        }
    }

    /// Returns the physical id of a resource that has none of its own: the same for each request about it.
    pub fn stable_id(&self) -> String {
        // The ARN of a stack ends with its name and an id that no other stack ever has.
        let stack = self.stack_id.split_once(":stack/");
        let stack = stack.map_or(self.stack_id.as_str(), |(_, name)| name);
        format!("{}/{stack}", self.logical_id)
    }
}

impl fmt::Debug for ResourceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceRequest")
            .field("stack_id", &self.stack_id)
            .field("request_id", &self.request_id)
            .field("logical_id", &self.logical_id)
            .field("resource_type", &self.resource_type)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    request_type: String,
    physical_resource_id: Option<String>,
    resource_properties: Option<Value>,
    old_resource_properties: Option<Value>,
}

impl<P: DeserializeOwned> CustomResource<P> {
    /// Reads what is to be done, of a request whose names were read before.
    pub(crate) fn read(
        request: ResourceRequest,
        payload: Value,
    ) -> Result<Self, serde_json::Error> {
        let content = Content::deserialize(payload)?;
        let physical_id = content
            .physical_resource_id
            .ok_or_else(|| serde_json::Error::custom("missing field `PhysicalResourceId`"));
        let properties = properties(content.resource_properties);
        let action = match content.request_type.as_str() {
            "Create" => ResourceAction::Create {
                properties: properties?,
            },
            "Update" => ResourceAction::Update {
                physical_id: physical_id?,
                properties: properties?,
                old_properties: self::properties(content.old_resource_properties),
            },
            "Delete" => ResourceAction::Delete {
                physical_id: physical_id?,
                properties,
            },
            unknown => {
                let message = format!("the request type `{unknown}` is unknown");
                return Err(serde_json::Error::custom(message));
            }
        };
        Ok(Self { action, request })
    }
}

/// Reads properties without those that belong to CloudFormation.
fn properties<P: DeserializeOwned>(given: Option<Value>) -> Result<P, serde_json::Error> {
    let mut given = given.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    if let Some(fields) = given.as_object_mut() {
        fields.remove("ServiceToken");
        fields.remove("ServiceTimeout");
    }
    P::deserialize(Lenient(given))
}

impl<P: DeserializeOwned + Send + 'static> Decode for CustomResource<P> {
    fn decode(payload: Value) -> Result<Self, EventError> {
        let request = ResourceRequest::deserialize(&payload).map_err(EventError::Content)?;
        Self::read(request, payload).map_err(EventError::Content)
    }
}

impl<P: DeserializeOwned + Send + 'static> Event for CustomResource<P> {
    #[cfg(feature = "wiring")]
    type Sent = stack_model::contract::event::CustomResource<P>;

    fn recognises(payload: &Value) -> bool {
        payload["RequestType"].is_string() && payload["ResponseURL"].is_string()
    }
}
