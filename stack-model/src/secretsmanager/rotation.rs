//! Secrets that change by themselves, copies of them, and who else may read them.

use std::panic::Location;

use stack_model_cfn::Value;
use stack_model_cfn::secretsmanager as cfn;

use super::{SecretOperation, SecretRef};
use crate::arn::Arn;
use crate::contract::{Accepts, event};
use crate::handle::ResourceRef;
use crate::kms::Key;
use crate::lambda::{FunctionRef, PermissionProps};
use crate::limit::Limited;
use crate::policy::{Statement, allow_on};
use crate::resource::Resource;
use crate::stack::Stack;

/// How many days pass between two rotations.
pub type RotationDays = Limited<1, 1000>;

/// When a secret changes.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-rotationschedule.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationProps {
    every: RotationDays,
    /// How long a rotation may take from midnight on, in hours; the whole day by default.
    pub window_hours: Option<RotationHours>,
    /// Whether the secret also changes as soon as the stack is deployed, which is AWS's default.
    pub at_once: bool,
}

/// The hours of a day in which a rotation happens.
pub type RotationHours = Limited<1, 24>;

impl RotationProps {
    /// Changes a secret every so many days.
    pub fn every(days: impl Into<RotationDays>) -> Self {
        Self {
            every: days.into(),
            window_hours: None,
            at_once: true,
        }
    }
}

/// A copy of a secret in another region, kept equal by Secrets Manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretReplica {
    /// The region.
    pub region: String,
    /// A key of the customer's own in that region; the account's key for Secrets Manager by default.
    pub key: Option<Value<Arn<Key>>>,
}

impl SecretReplica {
    /// A copy in a region, encrypted with the account's key there.
    pub fn in_region(region: impl Into<String>) -> Self {
        Self {
            region: region.into(),
            key: None,
        }
    }

    pub(super) fn render(self) -> cfn::secret::ReplicaRegion {
        cfn::secret::ReplicaRegion {
            kms_key_id: self.key.map(Value::into_text).into(),
            region: self.region.into(),
        }
    }
}

impl Stack<'_> {
    /// Has a function change a secret, with the permission `<Id>Permission`. The function is invoked four times for
    /// each change, with the step and the secret; `P` is what it reads that as. Its role may read, write and label
    /// this secret, and make up passwords. Whoever else the change concerns, such as a database, is its own affair.
    ///
    /// See <https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html>.
    #[track_caller]
    pub fn secret_rotation<T, P, F: Accepts<event::Invocation<P>>>(
        &mut self,
        logical_id: &str,
        secret: &SecretRef<T>,
        function: &FunctionRef<F>,
        props: RotationProps,
    ) -> ResourceRef {
        let source = Location::caller();
        let path = "Properties.RotationRules";
        self.check_limit(logical_id, path, Some(props.every), source);
        self.check_limit(logical_id, path, props.window_hours, source);
        let operations = [
            SecretOperation::Read,
            SecretOperation::Write,
            SecretOperation::Describe,
        ];
        let label = allow_on(["secretsmanager:UpdateSecretVersionStage"], secret.arn());
        let make_up = Statement::allow(["secretsmanager:GetRandomPassword"])
            .on_everything("a password that is made up belongs to no secret yet");
        let granted = secret.statements(&operations).into_iter().chain(label);
        self.grant(function.role(), granted.chain([make_up]));
        let permission = self.permission_from(
            &format!("{logical_id}Permission"),
            function,
            PermissionProps::service("secretsmanager.amazonaws.com", secret.arn().into_text())
                .same_account(),
            source,
        );
        let rotation = cfn::RotationSchedule {
            rotate_immediately_on_update: (!props.at_once).then_some(false).into(),
            rotation_lambda_arn: function.arn().into_text().into(),
            rotation_rules: cfn::rotation_schedule::RotationRules {
                automatically_after_days: props.every.number().into(),
                duration: props
                    .window_hours
                    .map(|hours| format!("{}h", hours.get()))
                    .into(),
                ..cfn::rotation_schedule::RotationRules::default()
            }
            .into(),
            secret_id: secret.arn().into_text().into(),
            ..cfn::RotationSchedule::default()
        };
        let mut rotation = Resource::of(&rotation, source);
        rotation.depends_on.insert(permission.id);
        self.insert(logical_id, rotation)
    }

    /// Adds statements to the policy `<Secret>Policy` of a secret of this stack, such as for a role of another account.
    /// They need no resource: it is always the secret. A policy that lets everybody read is refused by AWS.
    #[track_caller]
    pub fn secret_policy<T>(
        &mut self,
        secret: &SecretRef<T>,
        statements: impl IntoIterator<Item = Statement>,
    ) {
        let source = Location::caller();
        let Some(resource) = secret.resource() else {
            let message = "the secret is kept by somebody else, who decides who reads it";
            let violation = self.violation(message);
            return self.violate(violation.declared(crate::resource::source_text(source)));
        };
        let statements = statements.into_iter().map(|statement| {
            statement
                .or_on("*")
                .because("in the policy of a secret, `*` is the secret that the policy belongs to")
        });
        self.attach_resource_policy(&resource, statements, source, || {
            let policy = cfn::ResourcePolicy {
                block_public_policy: true.into(),
                secret_id: resource.reference().into(),
                ..cfn::ResourcePolicy::default()
            };
            Resource::of(&policy, source).with_policy_at("ResourcePolicy")
        });
    }

    pub(super) fn check_replicas(
        &mut self,
        id: &str,
        replicas: &[SecretReplica],
        source: &Location<'_>,
    ) {
        for (position, replica) in replicas.iter().enumerate() {
            let earlier = replicas.iter().take(position);
            let message = if replica.region == self.region() {
                "the secret itself stands in this region"
            } else if earlier.map(|it| &it.region).any(|it| *it == replica.region) {
                "there is a copy in this region already"
            } else {
                continue;
            };
            let path = format!("Properties.ReplicaRegions.{position}.Region");
            self.report(
                id,
                Some(&path),
                format!("`{}`: {message}", replica.region),
                source,
            );
        }
    }
}
