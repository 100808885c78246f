//! Who may invoke a function, from the function's side.

use std::panic::Location;

use stack_model_cfn::lambda as cfn;
use stack_model_cfn::{Pseudo, Token, Value};

use super::FunctionRef;
use crate::handle::ResourceRef;
use crate::resource::Resource;
use crate::stack::Stack;

/// A statement of a function's resource policy.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html>.
#[derive(Clone, Debug)]
pub struct PermissionProps {
    principal: String,
    source_arn: Value<String>,
    /// The account that owns the source, for sources whose ARN does not say so, such as buckets.
    pub source_account: Option<Value<String>>,
}

impl PermissionProps {
    /// Lets a service invoke the function for one source: a permission without a source would let every account
    /// have the service call it.
    pub fn service(service: impl Into<String>, source_arn: impl Into<Value<String>>) -> Self {
        Self {
            principal: service.into(),
            source_arn: source_arn.into(),
            source_account: None,
        }
    }

    /// Demands that the source belongs to the account of the stack.
    #[must_use]
    pub fn same_account(mut self) -> Self {
        self.source_account = Some(Value::Token(Token::Pseudo(Pseudo::AccountId)));
        self
    }
}

/// Lets a service invoke a function for one source.
pub(crate) fn of_service(
    function_arn: Value<String>,
    service: &str,
    source_arn: Value<String>,
) -> cfn::Permission {
    cfn::Permission {
        action: "lambda:InvokeFunction".into(),
        function_name: function_arn.into(),
        principal: service.into(),
        source_arn: source_arn.into(),
        ..cfn::Permission::default()
    }
}

impl Stack<'_> {
    /// Lets a service invoke a function.
    #[track_caller]
    pub fn permission<F>(
        &mut self,
        logical_id: &str,
        function: &FunctionRef<F>,
        props: PermissionProps,
    ) -> ResourceRef {
        self.permission_from(logical_id, function, props, Location::caller())
    }

    /// Returns whether a permission stands under a logical id of this stack already. Anything else there is a clash.
    pub(crate) fn is_permission(&self, logical_id: &str) -> bool {
        let resource = self.data_ref().resources.get(logical_id);
        resource.is_some_and(|resource| resource.kind == "AWS::Lambda::Permission")
    }

    /// Lets a service invoke a function on behalf of what is declared at `source`.
    pub(crate) fn permission_from<F>(
        &mut self,
        logical_id: &str,
        function: &FunctionRef<F>,
        props: PermissionProps,
        source: &Location<'_>,
    ) -> ResourceRef {
        let permission = cfn::Permission {
            action: "lambda:InvokeFunction".into(),
            function_name: function.arn().into_text().into(),
            principal: props.principal.into(),
            source_account: props.source_account.into(),
            source_arn: props.source_arn.into(),
            ..cfn::Permission::default()
        };
        self.insert(logical_id, Resource::of(&permission, source))
    }
}
