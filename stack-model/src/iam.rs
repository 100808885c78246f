//! IAM: roles and policies.
//!
//! A role says who may take it on and holds one inline policy, filled by
//! [`Stack::grant`](crate::Stack::grant) with exactly what was granted.

use std::collections::BTreeMap;
use std::panic::Location;

use stack_model_cfn::iam as cfn;
use stack_model_cfn::{Pseudo, ResourceId, Token, Value};

use crate::arn::Arn;
use crate::handle::{Handle, elsewhere, get_att, reference};
use crate::limit::Limited;
use crate::policy::{PolicyDocument, Principal, Statement};
use crate::resource::{INLINE_POLICY, Resource};
use crate::stack::Stack;
use crate::text;
use crate::text::IntoPart;

pub(crate) mod boundary;
mod oidc;
mod size;

pub use oidc::{OidcProvider, OidcProviderProps, OidcProviderRef};
pub(crate) use size::{check, least as least_size};

/// Marks the ARN of a role.
#[derive(Debug)]
pub enum Role {}

impl Role {
    /// Stands for a role of the stack's account that somebody else keeps, by its name, with its path where it has one:
    /// `operators/deploy`.
    ///
    /// ```
    /// use stack_model::{Arn, Value};
    /// use stack_model::iam::Role;
    ///
    /// let deploy: Value<Arn<Role>> = Role::existing("operators/deploy");
    /// # assert!(deploy.literal().is_none());
    /// ```
    pub fn existing(name: impl Into<Value<String>>) -> Value<Arn<Self>> {
        arn_of("role", Pseudo::AccountId, name.into()).map(Arn::composed)
    }
}

/// Marks the ARN of a managed policy.
#[derive(Debug)]
pub enum ManagedPolicy {}

impl ManagedPolicy {
    /// Stands for a managed policy that AWS keeps, by its name, with its path where it has one:
    /// `service-role/AmazonAPIGatewayPushToCloudWatchLogs`.
    ///
    /// Such a policy allows what AWS decides, today and later, and mostly on every resource: prefer statements of
    /// your own.
    pub fn aws(name: impl Into<Value<String>>) -> Value<Arn<Self>> {
        arn_of("policy", "aws", name.into()).map(Arn::composed)
    }

    /// Stands for a managed policy of the stack's account that somebody else keeps, by its name, with its path where
    /// it has one.
    pub fn existing(name: impl Into<Value<String>>) -> Value<Arn<Self>> {
        arn_of("policy", Pseudo::AccountId, name.into()).map(Arn::composed)
    }
}

/// Makes the ARN of something that IAM keeps; it knows no region.
fn arn_of(kind: &str, account: impl IntoPart, name: Value<String>) -> Value<String> {
    text!(
        "arn:{}:iam::{}:{}/{}",
        Pseudo::Partition,
        account,
        kind,
        name
    )
}

/// How many managed policies a role can have, after the quota was raised as far as AWS raises it; see
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const MAX_MANAGED_POLICIES: usize = 20;

/// How long a session of a role may last, in seconds: one to twelve hours.
pub type SessionSeconds = Limited<3600, 43200>;

/// What a role is made of.
///
/// A constructor says who may take the role on, and the rest is set over it:
///
/// ```
/// use stack_model::iam::{ManagedPolicy, RoleProps};
///
/// let props = RoleProps {
///     description: Some("Runs the order workflow".to_owned()),
///     permissions_boundary: Some(ManagedPolicy::existing("boundary")),
///     ..RoleProps::for_service("states.amazonaws.com")
/// };
/// ```
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html>.
#[derive(Clone, Debug)]
pub struct RoleProps {
    /// Who may take the role on: statements with principals and without resources.
    pub trust: PolicyDocument,
    /// What the role is for, at most 1,000 characters.
    pub description: Option<String>,
    /// The physical name, at most 64 characters. Leave it out: a named role cannot be replaced, and the stack then
    /// needs `CAPABILITY_NAMED_IAM`.
    pub name: Option<Value<String>>,
    /// Where the role stands among the others, such as `/orders/`; `/` by default.
    pub path: Option<String>,
    /// Managed policies of AWS or of the account, at most 20: those of [`ManagedPolicy`], or of a
    /// [`ManagedPolicyRef`].
    pub managed_policies: Vec<Value<Arn<ManagedPolicy>>>,
    /// The most that the role can ever be allowed; by default that of the app, where
    /// [`App::permissions_boundary`](crate::App::permissions_boundary) or the stage names one.
    pub permissions_boundary: Option<Value<Arn<ManagedPolicy>>>,
    /// How long a session may last; one hour by default.
    pub max_session: Option<SessionSeconds>,
    /// What the role may do. [`Stack::grant`] adds to it.
    pub statements: Vec<Statement>,
    /// Inline policies with names of their own, for what is looked up by its name; `granted` is taken by the policy
    /// of the statements.
    pub policies: BTreeMap<String, Vec<Statement>>,
}

impl RoleProps {
    /// A role that an AWS service takes on, such as `lambda.amazonaws.com`, whoever it works for.
    ///
    /// Prefer [`for_service_here`](Self::for_service_here). This is for Lambda, API Gateway and the other services that
    /// do not tell whom they work for, so that a condition would keep them out too. They take on no role of another
    /// account: whoever configures them with a role needs `iam:PassRole` for it, which does not reach over accounts. See
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>.
    pub fn for_service(service: impl Into<String>) -> Self {
        Self::trusting(Statement::allow(["sts:AssumeRole"]).to(Principal::Service(service.into())))
    }

    /// A role that an AWS service takes on for resources of the same account, and for no other's: a stranger who
    /// learns the ARN of the role cannot have the service act with it. The service must say whose resources it works
    /// for, as EventBridge, its scheduler and pipes, Step Functions, IoT, Cognito, CodeBuild and CloudWatch Logs do.
    ///
    /// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html#cross-service-confused-deputy-prevention>.
    ///
    /// ```
    /// use stack_model::iam::RoleProps;
    ///
    /// let delivers = RoleProps::for_service_here("events.amazonaws.com");
    /// ```
    pub fn for_service_here(service: impl Into<String>) -> Self {
        let account = Value::<String>::Token(Token::Pseudo(Pseudo::AccountId));
        Self::trusting(
            Statement::allow(["sts:AssumeRole"])
                .to(Principal::Service(service.into()))
                .when("StringEquals", "aws:SourceAccount", account),
        )
    }

    /// A role with a trust policy of its own.
    pub fn trusting(statement: Statement) -> Self {
        Self {
            trust: PolicyDocument::new([statement]),
            description: None,
            name: None,
            path: None,
            managed_policies: Vec::new(),
            permissions_boundary: None,
            max_session: None,
            statements: Vec::new(),
            policies: BTreeMap::new(),
        }
    }
}

/// The handle of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRef {
    id: ResourceId,
    /// The name, with its path, of a role that somebody else keeps.
    existing: Option<String>,
}

impl RoleRef {
    /// Makes the handle of a role that is there already.
    pub(crate) fn of(id: ResourceId) -> Self {
        Self { id, existing: None }
    }

    /// Stands for a role of the stack's account that somebody else keeps, by its name, with its path where it has one:
    /// `operators/deploy`. Nothing can be granted to it: whoever keeps it does that.
    pub fn existing(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            id: elsewhere(&name),
            existing: Some(name),
        }
    }

    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Role>> {
        match &self.existing {
            Some(name) => Role::existing(name.as_str()),
            None => get_att(&self.id, "Arn"),
        }
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        match &self.existing {
            Some(name) => name.rsplit('/').next().unwrap_or(name).into(),
            None => reference(&self.id),
        }
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
    /// The physical name, at most 128 characters. Leave it out: a named policy cannot be replaced, and the stack then
    /// needs `CAPABILITY_NAMED_IAM`.
    pub name: Option<Value<String>>,
    /// Where the policy stands among the others, such as `/orders/`; `/` by default.
    pub path: Option<String>,
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
        self.add_role(logical_id, props, Location::caller())
    }

    /// Adds a role on behalf of a resource declared at `source`.
    pub(crate) fn add_role(
        &mut self,
        logical_id: &str,
        props: RoleProps,
        source: &Location<'_>,
    ) -> RoleRef {
        self.check_statements(logical_id, props.trust.statements(), source);
        self.check_limit(
            logical_id,
            "Properties.MaxSessionDuration",
            props.max_session,
            source,
        );
        if props.managed_policies.len() > MAX_MANAGED_POLICIES {
            let message = format!(
                "the role has {} managed policies and IAM takes at most {MAX_MANAGED_POLICIES}",
                props.managed_policies.len()
            );
            let path = "Properties.ManagedPolicyArns";
            self.report(logical_id, Some(path), message, source);
        }
        let policies: Vec<cfn::role::Policy> = props
            .policies
            .into_iter()
            .map(|(name, statements)| {
                self.check_statements(logical_id, &statements, source);
                if name == INLINE_POLICY {
                    let message = format!(
                        "`{name}` is the policy of what is granted to the role: choose another name"
                    );
                    self.report(logical_id, Some("Properties.Policies"), message, source);
                }
                cfn::role::Policy {
                    policy_document: PolicyDocument::new(statements).render().into(),
                    policy_name: name.into(),
                }
            })
            .collect();
        let role = cfn::Role {
            assume_role_policy_document: props.trust.render().into(),
            description: props.description.into(),
            managed_policy_arns: arns(props.managed_policies).into(),
            max_session_duration: props.max_session.map(Limited::number).into(),
            path: props.path.into(),
            permissions_boundary: props.permissions_boundary.map(Value::into_text).into(),
            policies: (!policies.is_empty())
                .then(|| policies.into_iter().map(Value::Literal).collect::<Vec<_>>())
                .into(),
            role_name: props.name.into(),
            ..cfn::Role::default()
        };
        let handle = RoleRef::of(self.insert(logical_id, Resource::of(&role, source)).id);
        self.add_statements(&handle, props.statements, source);
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
            managed_policy_name: props.name.into(),
            path: props.path.into(),
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

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/iam.md")]
struct Guide;

/// Forgets that the texts are ARNs; no ARNs are no property.
fn arns<R>(arns: Vec<Value<Arn<R>>>) -> Option<Vec<Value<String>>> {
    (!arns.is_empty()).then(|| arns.into_iter().map(Value::into_text).collect())
}
