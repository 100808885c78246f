//! The properties of every resource as its template has them, but for the tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use stack_model_cfn::Expr;

use crate::error::Violation;
use crate::stack::StackData;

/// The properties of every resource, by stack and logical id.
#[derive(Debug, Default)]
pub(crate) struct Rendered {
    stacks: BTreeMap<Arc<str>, BTreeMap<String, Expr>>,
}

impl Rendered {
    /// Takes the properties out of all resources, with what was granted and overridden in them.
    pub(super) fn take(stacks: &mut [StackData], violations: &mut Vec<Violation>) -> Self {
        let mut rendered = Self::default();
        for stack in stacks {
            let mut resources = BTreeMap::new();
            for (id, resource) in &mut stack.resources {
                let properties = std::mem::replace(&mut resource.properties, Expr::Null);
                let (properties, astray) = resource.completed(properties);
                for one in astray {
                    violations.push(
                        Violation::new("the override leads nowhere: check its path")
                            .in_stack(&*stack.id)
                            .of(id)
                            .at(&one.path)
                            .declared(&one.source),
                    );
                }
                resources.insert(id.clone(), properties);
            }
            rendered.stacks.insert(Arc::clone(&stack.id), resources);
        }
        rendered
    }

    /// Returns the properties of a resource.
    pub(crate) fn get(&self, stack: &str, logical_id: &str) -> Option<&Expr> {
        self.stacks.get(stack)?.get(logical_id)
    }

    /// Returns the properties of a resource, to change them.
    pub(crate) fn get_mut(&mut self, stack: &str, logical_id: &str) -> Option<&mut Expr> {
        self.stacks.get_mut(stack)?.get_mut(logical_id)
    }

    /// Adds the properties of a resource that the synth adds.
    pub(crate) fn insert(&mut self, stack: &Arc<str>, logical_id: &str, properties: Expr) {
        let resources = self.stacks.entry(Arc::clone(stack)).or_default();
        resources.insert(logical_id.to_owned(), properties);
    }
}
