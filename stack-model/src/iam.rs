//! IAM: roles and policies.
//!
//! A role says who may take it on and holds one inline policy, filled by
//! [`Stack::grant`](crate::Stack::grant) with exactly what was granted.

use std::panic::Location;

use stack_model_cfn::iam as cfn;
use stack_model_cfn::{ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{Handle, get_att, reference};
use crate::limit::Limited;
use crate::policy::{PolicyDocument, Principal, Statement};
use crate::resource::Resource;
use crate::stack::Stack;

/// Marks the ARN of a role.
#[derive(Debug)]
pub enum Role {}

/// Marks the ARN of a managed policy.
#[derive(Debug)]
pub enum ManagedPolicy {}

/// How long a session of a role may last, in seconds: one to twelve hours.
pub type SessionSeconds = Limited<3600, 43200>;

/// What a role is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html>.
#[derive(Clone, Debug)]
pub struct RoleProps {
    trust: PolicyDocument,
    /// What the role is for, at most 1,000 characters.
    pub description: Option<String>,
    /// The physical name, at most 64 characters. Leave it out: a named role cannot be replaced, and the stack then
    /// needs `CAPABILITY_NAMED_IAM`.
    pub name: Option<Value<String>>,
    /// Managed policies of AWS or of the account.
    pub managed_policies: Vec<Value<Arn<ManagedPolicy>>>,
    /// The most that the role can ever be allowed.
    pub permissions_boundary: Option<Value<Arn<ManagedPolicy>>>,
    /// How long a session may last; one hour by default.
    pub max_session: Option<SessionSeconds>,
    /// What the role may do. [`Stack::grant`] adds to it.
    pub statements: Vec<Statement>,
}

impl RoleProps {
    /// A role that an AWS service takes on, such as `lambda.amazonaws.com`.
    pub fn for_service(service: impl Into<String>) -> Self {
        Self::trusting(Statement::allow(["sts:AssumeRole"]).to(Principal::Service(service.into())))
    }

    /// A role with a trust policy of its own.
    pub fn trusting(statement: Statement) -> Self {
        Self {
            trust: PolicyDocument::new([statement]),
            description: None,
            name: None,
            managed_policies: Vec::new(),
            permissions_boundary: None,
            max_session: None,
            statements: Vec::new(),
        }
    }
}

/// The handle of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRef {
    id: ResourceId,
}

impl RoleRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Role>> {
        get_att(&self.id, "Arn")
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the role as the principal of another resource's policy.
    pub fn principal(&self) -> Principal {
        Principal::Aws(self.arn().into_text())
    }
}

impl Handle for RoleRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// What a customer managed policy is made of.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-managedpolicy.html>.
#[derive(Clone, Debug, Default)]
pub struct ManagedPolicyProps {
    /// What the policy is for, at most 1,000 characters.
    pub description: Option<String>,
    /// What it allows or denies.
    pub statements: Vec<Statement>,
}

/// The handle of a customer managed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedPolicyRef {
    id: ResourceId,
}

impl ManagedPolicyRef {
    /// Returns the ARN, as [`RoleProps::managed_policies`] takes it.
    pub fn arn(&self) -> Value<Arn<ManagedPolicy>> {
        reference(&self.id)
    }
}

impl Handle for ManagedPolicyRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a role.
    #[track_caller]
    pub fn role(&mut self, logical_id: &str, props: RoleProps) -> RoleRef {
        let source = Location::caller();
        self.check_statements(logical_id, props.trust.statements(), source);
        self.check_limit(
            logical_id,
            "Properties.MaxSessionDuration",
            props.max_session,
            source,
        );
        let role = cfn::Role {
            assume_role_policy_document: props.trust.render().into(),
            description: props.description.into(),
            managed_policy_arns: arns(props.managed_policies).into(),
            max_session_duration: props.max_session.map(Limited::number).into(),
            permissions_boundary: props.permissions_boundary.map(Value::into_text).into(),
            role_name: props.name.into(),
            ..cfn::Role::default()
        };
        let handle = RoleRef {
            id: self.insert(logical_id, Resource::of(&role, source)).id,
        };
        self.grant(&handle, props.statements);
        handle
    }

    /// Adds a customer managed policy.
    #[track_caller]
    pub fn managed_policy(
        &mut self,
        logical_id: &str,
        props: ManagedPolicyProps,
    ) -> ManagedPolicyRef {
        let source = Location::caller();
        self.check_statements(logical_id, &props.statements, source);
        let policy = cfn::ManagedPolicy {
            description: props.description.into(),
            policy_document: PolicyDocument::new(props.statements).render().into(),
            ..cfn::ManagedPolicy::default()
        };
        ManagedPolicyRef {
            id: self.insert(logical_id, Resource::of(&policy, source)).id,
        }
    }

    /// Adds a policy of its own to a role, for what must not stand in the role itself: statements that name
    /// resources which in turn need the role.
    #[track_caller]
    pub fn policy(
        &mut self,
        logical_id: &str,
        role: &RoleRef,
        statements: impl IntoIterator<Item = Statement>,
    ) {
        let source = Location::caller();
        let document = PolicyDocument::new(statements);
        self.check_statements(logical_id, document.statements(), source);
        let policy = cfn::Policy {
            policy_document: document.render().into(),
            policy_name: logical_id.into(),
            roles: vec![role.name()].into(),
            ..cfn::Policy::default()
        };
        self.insert(logical_id, Resource::of(&policy, source));
    }

    /// Reports statements that are wrong.
    pub(crate) fn check_statements(
        &mut self,
        logical_id: &str,
        statements: &[Statement],
        source: &Location<'_>,
    ) {
        let document = PolicyDocument::new(statements.iter().cloned());
        for message in document.violations() {
            self.report(logical_id, None, message, source);
        }
    }
}

/// Forgets that the texts are ARNs; no ARNs are no property.
fn arns<R>(arns: Vec<Value<Arn<R>>>) -> Option<Vec<Value<String>>> {
    (!arns.is_empty()).then(|| arns.into_iter().map(Value::into_text).collect())
}
