//! Methods: what an API answers under a path.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;

use stack_model_cfn::apigateway as cfn;
use stack_model_cfn::lambda::Permission;
use stack_model_cfn::{ResourceId, Value};

use super::RestApiRef;
use super::authorizer::Authorization;
use super::cors::MethodCors;
use super::integration::Integration;
use super::model::{RestModelRef, RestValidatorRef, Validation};
use super::resource::RestResourceRef;
use crate::handle::{Handle, reference};
use crate::resource::Resource;
use crate::stack::Stack;

/// The HTTP method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HttpMethod {
    /// Every method that has no method of its own.
    Any,
    /// `DELETE`
    Delete,
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `OPTIONS`
    Options,
    /// `PATCH`
    Patch,
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

impl HttpMethod {
    /// The methods that a page can ask for.
    pub(super) const EACH: [Self; 7] = [
        Self::Delete,
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Patch,
        Self::Post,
        Self::Put,
    ];

    /// Returns the name in capital letters, as a template has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "ANY",
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// Where a parameter of a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterPlace {
    /// A header.
    Header,
    /// A segment of the path, which the resource declares as `{name}`.
    Path,
    /// The query string.
    Query,
}

/// A parameter that a method knows, and so its integration can be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestParameter {
    /// Where the parameter stands.
    pub place: ParameterPlace,
    /// Its name.
    pub name: String,
    /// Whether a validator refuses requests without it.
    pub required: bool,
}

impl RequestParameter {
    fn key(&self) -> String {
        let place = match self.place {
            ParameterPlace::Header => "header",
            ParameterPlace::Path => "path",
            ParameterPlace::Query => "querystring",
        };
        format!("method.request.{place}.{}", self.name)
    }
}

/// What a method is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-method.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodProps {
    http_method: HttpMethod,
    authorization: Authorization,
    integration: Integration,
    /// Whether callers need an API key of a usage plan.
    pub api_key_required: bool,
    /// The name that generated clients give the method.
    pub operation_name: Option<String>,
    /// Which web pages may call the method, where that is not as its resource says.
    pub cors: MethodCors,
    /// Parameters that the method knows beyond those of its path.
    pub parameters: Vec<RequestParameter>,
    /// What tells cached answers apart, where a stage caches those of this method: nothing by default, so that all
    /// callers get the same.
    pub cache_keys: Vec<RequestParameter>,
    /// What bodies must look like, one model per media type; needs a validator of bodies.
    pub models: Vec<RestModelRef>,
    /// What looks at requests before the integration does.
    pub validator: Option<RestValidatorRef>,
}

impl MethodProps {
    /// Answers requests of one HTTP method with an integration.
    pub fn new(
        http_method: HttpMethod,
        authorization: Authorization,
        integration: Integration,
    ) -> Self {
        Self {
            http_method,
            authorization,
            integration,
            api_key_required: false,
            operation_name: None,
            cors: MethodCors::default(),
            parameters: Vec::new(),
            cache_keys: Vec::new(),
            models: Vec::new(),
            validator: None,
        }
    }
}

/// The handle of a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestMethodRef {
    id: ResourceId,
    http_method: HttpMethod,
    resource: RestResourceRef,
    /// Whether the method knows who calls, and no cache key could.
    personal: bool,
}

impl RestMethodRef {
    /// Returns the API.
    pub(crate) fn api(&self) -> &RestApiRef {
        &self.resource.api
    }

    /// Returns what a caller asks for.
    pub(crate) fn asked(&self) -> (HttpMethod, &str) {
        (self.http_method, self.resource.path())
    }

    /// Returns whether a cached answer, made for one caller, would be shown to others.
    pub(super) const fn shares_what_it_knows(&self) -> bool {
        self.personal
    }

    /// Returns the path and the HTTP method by which the settings of a stage name the method.
    pub(super) fn setting_key(&self) -> (String, &'static str) {
        let path = self.resource.path();
        let path = match path.strip_prefix('/') {
            None | Some("") => "/".to_owned(),
            Some(_) => format!("/{}", path.replace('/', "~1")),
        };
        let http_method = match self.http_method {
            HttpMethod::Any => "*",
            method => method.name(),
        };
        (path, http_method)
    }

    /// Returns how usage plans name the method: its path, a slash, and what it answers to.
    pub(super) fn plan_key(&self) -> String {
        format!("{}/{}", self.resource.path(), self.http_method.name())
    }

    /// Returns the ARN of the method's requests in a stage, or in every stage by `*`: what a policy about
    /// `execute-api:Invoke` names.
    pub fn execute_arn(&self, stage: impl Into<Value<String>>) -> Value<String> {
        let method = match self.http_method {
            HttpMethod::Any => "*",
            method => method.name(),
        };
        self.resource
            .api
            .execute_arn(stage, method, &self.resource.path_in_arn())
    }
}

impl Handle for RestMethodRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a method to a resource of an API.
    ///
    /// A method with a function gets the permission `<Id>Permission`, which lets this method of this API invoke the
    /// function, and no other.
    #[track_caller]
    pub fn rest_method(
        &mut self,
        logical_id: &str,
        resource: &RestResourceRef,
        props: MethodProps,
    ) -> RestMethodRef {
        self.add_method(logical_id, resource, props, Location::caller())
    }

    pub(super) fn add_method(
        &mut self,
        logical_id: &str,
        resource: &RestResourceRef,
        props: MethodProps,
        source: &'static Location<'static>,
    ) -> RestMethodRef {
        self.check_method(logical_id, resource, &props, source);
        let mut integration = props.integration;
        let cors = match &props.cors {
            MethodCors::AsResource => resource.cors.as_ref(),
            MethodCors::Closed => None,
            MethodCors::Own(own) => Some(own),
        };
        if let Some(cors) = cors {
            for response in &mut integration.responses {
                cors.apply(response);
            }
        }
        if let Some((role, statements)) = integration.grants.take() {
            self.grant(&role, statements);
        }
        let invokes = integration.invokes.take();
        let responses = integration.render_method_responses();
        // An integration can only be given parameters that the method knows.
        let mapped = integration
            .request_parameters
            .values()
            .filter(|parameter| parameter.starts_with("method.request."))
            .map(|parameter| (parameter.clone(), parameter.contains(".path.").into()));
        let own = props
            .parameters
            .iter()
            .chain(&props.cache_keys)
            .map(|parameter| (parameter.key(), parameter.required.into()));
        let cache_keys: Vec<Value<String>> = props
            .cache_keys
            .iter()
            .map(|parameter| parameter.key().into())
            .collect();
        let parameters: BTreeMap<String, Value<bool>> = mapped.chain(own).collect();
        let models: BTreeMap<String, Value<String>> = props
            .models
            .iter()
            .map(|model| (model.content_type.clone(), model.name()))
            .collect();
        let authorizer = props.authorization.authorizer();
        let scopes = match &props.authorization {
            Authorization::UserPool { scopes, .. } if !scopes.is_empty() => {
                Some(scopes.iter().map(|scope| scope.as_str().into()).collect())
            }
            _ => None::<Vec<Value<String>>>,
        };
        let method = cfn::Method {
            api_key_required: props.api_key_required.then_some(true).into(),
            authorization_scopes: scopes.into(),
            authorization_type: props.authorization.name().into(),
            authorizer_id: authorizer.map(|(id, _)| reference::<String>(id)).into(),
            http_method: props.http_method.name().into(),
            integration: integration.render(cache_keys).into(),
            method_responses: (!responses.is_empty()).then_some(responses).into(),
            operation_name: props.operation_name.into(),
            request_models: (!models.is_empty()).then_some(models).into(),
            request_parameters: (!parameters.is_empty()).then_some(parameters).into(),
            request_validator_id: props
                .validator
                .as_ref()
                .map(RestValidatorRef::validator_id)
                .into(),
            resource_id: resource.rest_resource_id().into(),
            rest_api_id: resource.api.rest_api_id().into(),
        };
        let id = self.insert(logical_id, Resource::of(&method, source)).id;
        let handle = RestMethodRef {
            id,
            http_method: props.http_method,
            resource: resource.clone(),
            personal: props.authorization != Authorization::None && props.cache_keys.is_empty(),
        };
        if let Some(function) = invokes {
            let permission = Permission {
                action: "lambda:InvokeFunction".into(),
                function_name: function.into_text().into(),
                principal: "apigateway.amazonaws.com".into(),
                // The stage is free, because a method is part of every stage of its API; the method is not.
                source_arn: handle.execute_arn("*").into(),
                ..Default::default()
            };
            self.insert(
                &format!("{logical_id}Permission"),
                Resource::of(&permission, source),
            );
        }
        handle
    }

    /// Looks at which pages may call a method, and adds what it says itself to the preflight of its resource.
    fn check_pages(
        &mut self,
        logical_id: &str,
        resource: &RestResourceRef,
        props: &MethodProps,
        source: &Location<'_>,
    ) {
        let path = Some("Properties.HttpMethod");
        let message = match (&resource.cors, &props.cors) {
            (Some(cors), own) => cors.violation_of(props.http_method, own),
            (None, MethodCors::Own(_)) => Some(
                "the method says which pages may call it, and its resource has no preflight to say so: set `cors` of the resource, or use `rest_cors`".to_owned(),
            ),
            (None, _) => None,
        };
        if let Some(message) = message {
            return self.report(logical_id, path, message, source);
        }
        if let MethodCors::Own(own) = &props.cors {
            self.check_rest_cors(logical_id, own, source);
            self.extend_preflight(resource, props.http_method, own, source);
        }
    }

    fn check_method(
        &mut self,
        logical_id: &str,
        resource: &RestResourceRef,
        props: &MethodProps,
        source: &Location<'_>,
    ) {
        if let Some((authorizer, api)) = props.authorization.authorizer()
            && *api != resource.api
        {
            let message = format!(
                "`{}` is an authorizer of another API: add one to the API of the method",
                authorizer.logical_id()
            );
            let path = Some("Properties.AuthorizerId");
            self.report(logical_id, path, message, source);
        }
        self.check_pages(logical_id, resource, props, source);
        let path = "Properties.Integration.TimeoutInMillis";
        self.check_limit(logical_id, path, props.integration.timeout, source);
        let templates = props.integration.requests.values();
        let wrong = templates.clone().find(|template| template.sets_status);
        let wrong = wrong.map(|_| {
            "only the template of an answer can set its status, and this is that of a request"
                .to_owned()
        });
        let problems = templates
            .chain(
                props
                    .integration
                    .responses
                    .iter()
                    .filter_map(|r| r.template.as_ref()),
            )
            .filter_map(|template| template.problem.clone());
        let violation = props.integration.violation.clone();
        for message in violation.into_iter().chain(wrong).chain(problems) {
            self.report(logical_id, Some("Properties.Integration"), message, source);
        }
        if props.integration.asks_for_group
            && !matches!(props.authorization, Authorization::UserPool { .. })
        {
            let message = "the integration asks for a group of the caller, which only an authorizer by user pools knows: nobody could call";
            let path = Some("Properties.AuthorizationType");
            self.report(logical_id, path, message, source);
        }
        let mut statuses = BTreeSet::new();
        for response in &props.integration.responses {
            let path = "Properties.Integration.IntegrationResponses";
            self.check_limit(logical_id, path, Some(response.status), source);
            if !statuses.insert(response.status) {
                let message = format!(
                    "the status {} is answered twice, and API Gateway keeps one answer per status: join the patterns that lead to it with `|`",
                    response.status.get()
                );
                self.report(logical_id, Some(path), message, source);
            }
        }
        let validation = props
            .validator
            .as_ref()
            .map(|validator| validator.validation);
        if !props.models.is_empty() && validation.is_none_or(|v| v == Validation::Parameters) {
            let message = "the method has models and no validator of bodies, so nothing would be refused: set `validator`";
            self.report(
                logical_id,
                Some("Properties.RequestValidatorId"),
                message,
                source,
            );
        }
        let mut media_types = BTreeSet::new();
        for model in &props.models {
            if !media_types.insert(model.content_type.as_str()) {
                let message = format!("the method has two models for `{}`", model.content_type);
                self.report(
                    logical_id,
                    Some("Properties.RequestModels"),
                    message,
                    source,
                );
            }
        }
    }
}
