//! Groups of users, and the scopes of resource servers.

use std::panic::Location;

use stack_model_cfn::cognito as cfn;
use stack_model_cfn::cognito::user_pool_resource_server as part;
use stack_model_cfn::{ResourceId, Value};

use super::UserPoolRef;
use super::client::{ResourceScope, Scope};
use super::pool::values;
use crate::arn::Arn;
use crate::handle::Handle;
use crate::iam::Role;
use crate::limit::Limited;
use crate::resource::Resource;
use crate::stack::Stack;

/// Which group of a user counts first: the lowest number.
pub type Precedence = Limited<0, { i32::MAX as u32 }>;

/// What a group of users is made of.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolgroup.html>.
#[derive(Clone, Debug, Default)]
pub struct GroupProps {
    /// What the group is for, at most 2,048 characters.
    pub description: Option<String>,
    /// Which group of a user in several counts first; one without a number counts last.
    pub precedence: Option<Precedence>,
    /// The role that users of the group get from an identity pool that asks their token for it.
    pub role: Option<Value<Arn<Role>>>,
}

/// The handle of a group of users.
#[derive(Clone, Debug, PartialEq)]
pub struct UserPoolGroupRef {
    id: ResourceId,
    name: Value<String>,
}

impl UserPoolGroupRef {
    /// Returns the name, as the claim `cognito:groups` of a token holds it.
    pub fn name(&self) -> Value<String> {
        self.name.clone()
    }
}

impl Handle for UserPoolGroupRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// What a resource server, an API with scopes of its own, is made of.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolresourceserver.html>.
#[derive(Clone, Debug)]
pub struct ResourceServerProps {
    /// What its scopes start with, such as `https://api.example.com` or `orders`.
    pub identifier: String,
    /// The scopes by name, each with what it allows, at most 100.
    pub scopes: Vec<(String, String)>,
}

/// The handle of a resource server.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceServerRef {
    id: ResourceId,
    identifier: String,
    scopes: Vec<String>,
}

impl ResourceServerRef {
    /// Returns a scope of the server, for app clients and authorizers. A name that the server does not have is reported
    /// where the scope is used.
    pub fn scope(&self, name: &str) -> Scope {
        let known = self.scopes.iter().any(|scope| scope == name);
        let name = format!("{}/{name}", self.identifier);
        Scope::Custom(ResourceScope::of(&self.id, name, known))
    }
}

impl Handle for ResourceServerRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a group of users under a name, such as `admin`.
    #[track_caller]
    pub fn user_pool_group(
        &mut self,
        logical_id: &str,
        pool: &UserPoolRef,
        name: impl Into<Value<String>>,
        props: GroupProps,
    ) -> UserPoolGroupRef {
        let source = Location::caller();
        let name = name.into();
        let path = "Properties.Precedence";
        self.check_limit(logical_id, path, props.precedence, source);
        let group = cfn::UserPoolGroup {
            description: props.description.into(),
            group_name: name.clone().into(),
            precedence: props.precedence.map(Limited::number).into(),
            role_arn: props.role.map(Value::into_text).into(),
            user_pool_id: pool.id().into(),
        };
        UserPoolGroupRef {
            id: self.insert(logical_id, Resource::of(&group, source)).id,
            name,
        }
    }

    /// Adds an API with scopes of its own, which access tokens can hold.
    #[track_caller]
    pub fn resource_server(
        &mut self,
        logical_id: &str,
        pool: &UserPoolRef,
        props: ResourceServerProps,
    ) -> ResourceServerRef {
        let source = Location::caller();
        let mut names: Vec<String> = Vec::new();
        let mut scopes = Vec::new();
        for (name, description) in props.scopes {
            let path = format!("Properties.Scopes.{}", scopes.len());
            if name.contains('/') {
                let message = format!(
                    "`{name}` holds a `/`, which stands between the identifier and the scope"
                );
                self.report(logical_id, Some(&path), message, source);
            }
            if names.contains(&name) {
                let message = format!("the scope `{name}` is there twice");
                self.report(logical_id, Some(&path), message, source);
            }
            scopes.push(part::ResourceServerScopeType {
                scope_description: description.into(),
                scope_name: name.as_str().into(),
            });
            names.push(name);
        }
        let server = cfn::UserPoolResourceServer {
            identifier: props.identifier.as_str().into(),
            name: logical_id.into(),
            scopes: (!scopes.is_empty()).then(|| values(scopes)).into(),
            user_pool_id: pool.id().into(),
        };
        ResourceServerRef {
            id: self.insert(logical_id, Resource::of(&server, source)).id,
            identifier: props.identifier,
            scopes: names,
        }
    }
}
