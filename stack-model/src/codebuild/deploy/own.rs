//! What keeps a deploy from widening its own rights.

use std::panic::Location;

use stack_model_cfn::{Expr, Token, Value};

use super::place::{Place, made};
use super::registry;
use super::statements::{Needs, of_iam};
use crate::arn::Arn;
use crate::iam::{ManagedPolicy, RoleRef};
use crate::policy::Statement;
use crate::stack::Stack;

impl Stack<'_> {
    /// Returns what denies a role to change itself and the policies `<Id>1` and so on that hold its rights. Patterns of
    /// names may reach them: CloudFormation keeps the first 24 characters of a stack's name, in which the stack of a
    /// pipeline and a stack that it deploys need not differ.
    pub(super) fn own_changes(
        &self,
        logical_id: &str,
        role: &RoleRef,
        needs: &Needs,
    ) -> Vec<Statement> {
        if !needs.touches_iam() {
            return Vec::new();
        }
        let policies = format!("policy/{}{logical_id}*", made(&self.name()));
        let policies = Place::new("iam", "", true, &policies);
        vec![
            Statement::deny(registry::ROLE_EDITS.map(of_iam)).on(role.arn()),
            Statement::deny(registry::POLICY_EDITS.map(of_iam)).on(policies.arn("")),
        ]
    }

    /// Reports a boundary that the deploy itself would make: it must not be able to change it, so it could never deploy
    /// it.
    pub(super) fn check_boundary(
        &mut self,
        logical_id: &str,
        stacks: &[String],
        boundary: Option<&Value<Arn<ManagedPolicy>>>,
        source: &Location<'_>,
    ) {
        let Some(Value::Token(boundary)) = boundary else {
            return;
        };
        let mut own = None;
        Expr::Token(boundary.clone()).walk(&mut |token| {
            if let Token::Ref(id) | Token::GetAtt(id, _) = token
                && stacks.iter().any(|stack| stack == id.stack())
            {
                own = Some(id.stack().to_owned());
            }
        });
        if let Some(stack) = own {
            let message = format!(
                "the permissions boundary stands in `{stack}`, which the deploy changes, and no deploy may change its own boundary: keep it in a stack that people deploy"
            );
            self.report(logical_id, None, message, source);
        }
    }
}
