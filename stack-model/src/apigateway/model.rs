//! Models and request validators: what a request must look like to be let through.

use std::panic::Location;

use stack_model_cfn::apigateway as cfn;
use stack_model_cfn::{Expr, ResourceId, Value};

use super::RestApiRef;
use super::response::JSON;
use crate::handle::{Handle, reference};
use crate::resource::Resource;
use crate::stack::Stack;

/// What a body must look like, as a JSON schema.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-model.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelProps {
    schema: Expr,
    /// The name, letters and digits. Leave it out: a named model cannot be replaced.
    pub name: Option<String>,
    /// What the model describes.
    pub description: Option<String>,
    /// The media type that the model is for; `application/json` by default.
    pub content_type: Option<String>,
}

impl ModelProps {
    /// Takes a JSON schema of draft 4, the one that API Gateway knows.
    pub fn schema(schema: serde_json::Value) -> Self {
        Self {
            schema: schema.into(),
            name: None,
            description: None,
            content_type: None,
        }
    }
}

/// The handle of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestModelRef {
    id: ResourceId,
    pub(super) content_type: String,
}

impl RestModelRef {
    /// Returns the name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for RestModelRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// What a validator looks at before a request reaches its integration; what does not fit is answered with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validation {
    /// The body, by the models of the method.
    Body,
    /// The parameters that the method requires.
    Parameters,
    /// Both.
    BodyAndParameters,
}

/// The handle of a request validator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestValidatorRef {
    id: ResourceId,
    pub(super) validation: Validation,
}

impl RestValidatorRef {
    /// Returns the physical id.
    pub(super) fn validator_id(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for RestValidatorRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a model, which methods of the API can demand of a body.
    #[track_caller]
    pub fn rest_model(
        &mut self,
        logical_id: &str,
        api: &RestApiRef,
        props: ModelProps,
    ) -> RestModelRef {
        let source = Location::caller();
        let content_type = props.content_type.unwrap_or_else(|| JSON.to_owned());
        let model = cfn::Model {
            content_type: content_type.as_str().into(),
            description: props.description.into(),
            name: props.name.into(),
            rest_api_id: api.rest_api_id().into(),
            schema: props.schema.into(),
        };
        let id = self.insert(logical_id, Resource::of(&model, source)).id;
        RestModelRef { id, content_type }
    }

    /// Adds a validator, which methods of the API can put before their integration.
    #[track_caller]
    pub fn rest_validator(
        &mut self,
        logical_id: &str,
        api: &RestApiRef,
        validation: Validation,
    ) -> RestValidatorRef {
        let source = Location::caller();
        let validator = cfn::RequestValidator {
            rest_api_id: api.rest_api_id().into(),
            validate_request_body: (validation != Validation::Parameters).into(),
            validate_request_parameters: (validation != Validation::Body).into(),
            ..Default::default()
        };
        let id = self.insert(logical_id, Resource::of(&validator, source)).id;
        RestValidatorRef { id, validation }
    }
}
