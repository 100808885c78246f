//! Custom resources: what CloudFormation cannot do itself, done by a function.
//!
//! CloudFormation invokes the function when the resource is created, when its properties change, and when it is
//! deleted, and waits for an answer each time. The function says what it takes with
//! [`event::CustomResource`], so the properties agree with it.
//!
//! ```
//! use std::collections::BTreeMap;
//! use stack_model::Handle;
//! use stack_model::contract::{Accepts, FunctionContract, Wired, event};
//! use stack_model::custom_resource::CustomResourceProps;
//! use stack_model::lambda::FunctionProps;
//! # use stack_model::{App, Stage};
//! # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
//! # let mut app = App::new(Stage::new(request));
//! # let mut stack = app.stack("core");
//!
//! // A function package derives this.
//! struct FindEndpoint;
//!
//! impl FunctionContract for FindEndpoint {
//!     const PACKAGE: &'static str = "core";
//!     const BINARY: &'static str = "core-find-endpoint";
//! }
//!
//! impl Accepts<event::CustomResource<BTreeMap<String, String>>> for FindEndpoint {}
//!
//! let find = stack.function::<FindEndpoint>("Find", Wired::new(Vec::new()), FunctionProps::default());
//! let endpoint = stack.custom_resource(
//!     "Endpoint",
//!     "Custom::Endpoint",
//!     &find,
//!     BTreeMap::from([("Kind".to_owned(), "data".into())]),
//!     CustomResourceProps::default(),
//! );
//! stack.output("EndpointAddress", endpoint.attribute("Address"));
//! # app.synth().unwrap();
//! ```
//!
//! What to know before one is written:
//!
//! - A resource type of CloudFormation is better wherever there is one: it is drift-checked, imported and deleted
//!   without any code. What only has to be read belongs into a stage variable or a dynamic reference, and what has to
//!   happen at every deploy into the pipeline: a custom resource is invoked only when its properties change.
//! - Every value reaches the function as a text, numbers and booleans included. They stand as texts in the template, so
//!   that every engine sends the same; the function reads them from text.
//! - What the function answers as data is read with [`Handle::attribute`], whatever its name.
//! - The resource is created after every policy of the function's role, those of
//!   [`Stack::policy`](crate::Stack::policy) included: the first invocation is allowed all that later ones are.
//! - A physical id that changes with an update makes CloudFormation delete the resource of the old one.

use std::collections::BTreeMap;
use std::panic::Location;

use stack_model_cfn::{Expr, ResourceId, Token, Value};

use crate::contract::{Accepts, ResourceProperties, event};
use crate::handle::{Handle, reference};
use crate::lambda::FunctionRef;
use crate::limit::Limited;
use crate::name::NameRule;
use crate::resource::Resource;
use crate::stack::{Stack, StackData};
use crate::synth::Rendered;

/// How long CloudFormation waits for the function's answer, in seconds.
pub type ServiceTimeout = Limited<1, 3600>;

/// The longest timeout of a function that is done within [`DEFAULT_WAIT`].
const SHORT_FUNCTION: u32 = 120;

/// How long CloudFormation waits for a short function: three attempts, and the one and two minutes that Lambda waits
/// between them; see <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>.
const DEFAULT_WAIT: i64 = 600;

/// What a custom resource is made of, beyond its properties.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html>.
#[derive(Clone, Copy, Debug, Default)]
pub struct CustomResourceProps {
    /// How long CloudFormation waits for an answer. By default 10 minutes where the function may run for at most two,
    /// and else AWS's hour: a function that dies without an answer blocks the stack for so long.
    pub service_timeout: Option<ServiceTimeout>,
}

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

impl Stack<'_> {
    /// Adds a custom resource of a type such as `Custom::IotEndpoint`, kept by a function that accepts its properties.
    ///
    /// The type can never be changed under the same logical id.
    #[track_caller]
    pub fn custom_resource<F, P>(
        &mut self,
        logical_id: &str,
        resource_type: &str,
        function: &FunctionRef<F>,
        properties: P::Given,
        props: CustomResourceProps,
    ) -> CustomResourceRef
    where
        F: Accepts<event::CustomResource<P>>,
        P: ResourceProperties,
    {
        let source = Location::caller();
        let properties = P::render(properties);
        self.add_custom_resource(
            logical_id,
            resource_type,
            function,
            properties,
            props,
            source,
        )
    }

    /// Adds a custom resource with rendered properties on behalf of the given line.
    pub(crate) fn add_custom_resource<F>(
        &mut self,
        logical_id: &str,
        resource_type: &str,
        function: &FunctionRef<F>,
        properties: BTreeMap<String, Expr>,
        props: CustomResourceProps,
        source: &Location<'_>,
    ) -> CustomResourceRef {
        let path = "Properties.ServiceTimeout";
        self.check_limit(logical_id, path, props.service_timeout, source);
        if let Some(timeout) = props.service_timeout
            && timeout.get() < function.timeout()
        {
            let message = format!(
                "CloudFormation waits {} s and the function may run {} s: it would give up on a function that is still at work",
                timeout.get(),
                function.timeout()
            );
            self.report(logical_id, Some(path), message, source);
        }
        let name = resource_type.strip_prefix("Custom::");
        if let Some(message) = match name {
            Some(name) => TYPE_NAME.violation(name),
            None => Some(format!(
                "`{resource_type}` is not the type of a custom resource: it starts with `Custom::`"
            )),
        } {
            self.report(logical_id, None, message, source);
        }
        let mut rendered: BTreeMap<String, Expr> = properties
            .into_iter()
            .map(|(name, value)| (name, as_text(value)))
            .collect();
        for (name, value) in [
            // CloudFormation does not let this be changed, so it stays the same whether or not the function is released. It
            // asks once all of the function is deployed, and nothing of the old is met. See
            // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html.
            ("ServiceToken", Some(function.latest_arn().into())),
            ("ServiceTimeout", service_timeout(props, function.timeout())),
        ] {
            if rendered.contains_key(name) {
                let message = format!("`{name}` belongs to CloudFormation: choose another name");
                let path = format!("Properties.{name}");
                self.report(logical_id, Some(&path), message, source);
            }
            if let Some(value) = value {
                rendered.insert(name.to_owned(), value);
            }
        }
        let resource = Resource::new(resource_type, Expr::Map(rendered), source);
        CustomResourceRef {
            id: self.insert(logical_id, resource).id,
        }
    }
}

fn service_timeout(props: CustomResourceProps, function: u32) -> Option<Expr> {
    // The default does not follow the function's timeout more closely, since each change of it invokes the function.
    let default = (function <= SHORT_FUNCTION).then_some(DEFAULT_WAIT);
    props
        .service_timeout
        .map(Limited::number)
        .or(default)
        .map(Expr::from)
}

/// Writes numbers and booleans as CloudFormation sends them.
fn as_text(value: Expr) -> Expr {
    match value {
        Expr::Bool(value) => Expr::String(value.to_string()),
        Expr::Number(value) => Expr::String(value.to_string()),
        Expr::List(elements) => Expr::List(elements.into_iter().map(as_text).collect()),
        Expr::Map(entries) => Expr::map(
            entries
                .into_iter()
                .map(|(name, value)| (name, as_text(value))),
        ),
        other => other,
    }
}

/// Makes every custom resource wait for the policies of its function's role that stand in resources of their own. Those
/// in the role are there before the function is.
pub(crate) fn wait_for_policies(stacks: &mut [StackData], rendered: &Rendered) {
    for stack in stacks {
        let properties = |id: &str| rendered.get(&stack.id, id);
        let property = |id: &str, name: &str| match properties(id) {
            Some(Expr::Map(entries)) => entries.get(name),
            _ => None,
        };
        let mut waits: Vec<(String, ResourceId)> = Vec::new();
        for (id, resource) in &stack.resources {
            if !is_custom(&resource.kind) {
                continue;
            }
            let function = property(id, "ServiceToken").and_then(|token| named(token, &stack.id));
            let role = function
                .and_then(|function| property(function.logical_id(), "Role"))
                .and_then(|role| named(role, &stack.id));
            let Some(role) = role else {
                continue;
            };
            for (policy, other) in &stack.resources {
                let attached = match other.kind.as_str() {
                    "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => property(policy, "Roles"),
                    "AWS::IAM::RolePolicy" => property(policy, "RoleName"),
                    _ => None,
                };
                let policy = ResourceId::new(stack.id.clone(), policy.as_str());
                // A policy about the custom resource itself can only come after it.
                let about_it = properties(policy.logical_id()).is_some_and(|policy| {
                    names(policy, &ResourceId::new(stack.id.clone(), id.as_str()))
                });
                if attached.is_some_and(|roles| names(roles, &role)) && !about_it {
                    waits.push((id.clone(), policy));
                }
            }
        }
        for (id, policy) in waits {
            if let Some(resource) = stack.resources.get_mut(&id) {
                resource.depends_on.insert(policy);
            }
        }
    }
}

/// Returns whether a resource type is that of a custom resource.
fn is_custom(kind: &str) -> bool {
    kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource"
}

/// Returns the resource of the stack that a value is an attribute of.
fn named(value: &Expr, stack: &str) -> Option<ResourceId> {
    match value {
        Expr::Token(Token::Ref(id) | Token::GetAtt(id, _)) if id.stack() == stack => {
            Some(id.clone())
        }
        _ => None,
    }
}

/// Returns whether an expression names a resource.
fn names(expr: &Expr, resource: &ResourceId) -> bool {
    let mut found = false;
    expr.walk(&mut |token| {
        if let Token::Ref(id) | Token::GetAtt(id, _) = token {
            found |= id == resource;
        }
    });
    found
}

/// What stands behind `Custom::`; the whole type has at most 60 characters. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html>.
const TYPE_NAME: NameRule = NameRule {
    min: 1,
    max: 52,
    others: "_@-",
};
