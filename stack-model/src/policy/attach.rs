//! How statements reach the policies of resources.

use std::panic::Location;
use std::sync::Arc;

use stack_model_cfn::ResourceId;

use super::Statement;
use crate::handle::{ELSEWHERE, Handle, ResourceRef};
use crate::resource::Resource;
use crate::stack::Stack;

impl Stack<'_> {
    /// Adds statements to the policy of a resource of this stack, and reports those that are wrong.
    pub(crate) fn add_statements(
        &mut self,
        to: &impl Handle,
        statements: impl IntoIterator<Item = Statement>,
        source: &Location<'_>,
    ) {
        let logical_id = to.resource_id().logical_id();
        for statement in statements {
            if let Some(message) = statement.violation() {
                self.report(logical_id, None, message, source);
            }
            self.change_at(to, source, |resource| resource.policy.add(statement));
        }
    }

    /// Returns whether the policy of a resource, which stands in a resource of its own, lets a service do something.
    pub(crate) fn lets_publish(&self, of: &ResourceId, service: &str) -> bool {
        let policy = format!("{}Policy", of.logical_id());
        let policy = ResourceId::new(Arc::from(of.stack()), policy);
        self.resource_of(&policy).is_some_and(|resource| {
            let mut statements = resource.policy.statements().iter();
            statements.any(|statement| statement.allows_service(service))
        })
    }

    /// Returns a resource of any stack of the app, as it stands now.
    pub(crate) fn resource_of(&self, id: &ResourceId) -> Option<&Resource> {
        let stack = self.app_ref().stacks.iter();
        let mut stack = stack.filter(|stack| *stack.id == *id.stack());
        stack.next()?.resources.get(id.logical_id())
    }

    /// Adds statements to the policy of a resource, which stands in a resource of its own: `<Id>Policy`, made with
    /// the first statement.
    pub(crate) fn attach_resource_policy(
        &mut self,
        of: &impl Handle,
        statements: impl IntoIterator<Item = Statement>,
        source: &Location<'_>,
        make: impl FnOnce() -> Resource,
    ) {
        let owner = of.resource_id();
        if owner.stack() != self.id() {
            let keeper = match owner.stack() {
                ELSEWHERE => "somebody else".to_owned(),
                stack => format!("the stack `{stack}`"),
            };
            let message = format!(
                "`{}` belongs to {keeper}, and its policy can only be changed there",
                owner.logical_id(),
            );
            self.report(owner.logical_id(), None, message, source);
            return;
        }
        let logical_id = format!("{}Policy", owner.logical_id());
        let policy = if self.data_ref().policies.contains(&logical_id) {
            ResourceRef {
                id: ResourceId::new(Arc::clone(&self.data_ref().id), logical_id),
            }
        } else {
            let taken = self.data_ref().resources.contains_key(&logical_id);
            let policy = self.insert(&logical_id, make());
            if taken {
                // The clash is reported; the statements have no place in what took the logical id.
                return;
            }
            self.data().policies.insert(logical_id);
            policy
        };
        self.add_statements(&policy, statements, source);
    }
}
