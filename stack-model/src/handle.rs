//! What every handle has: the resource it stands for, and the tokens made from it.

use std::sync::Arc;

use stack_model_cfn::{ResourceId, Token, Value};

/// A handle of a resource: returned when the resource is added, needed wherever it is used.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the handle of a resource",
    label = "expected a handle, such as `QueueRef` or `TableRef`",
    note = "handles are returned by the methods of `Stack` that add resources"
)]
pub trait Handle {
    /// Returns the stack and logical id of the resource.
    fn resource_id(&self) -> &ResourceId;

    /// Returns an attribute that the handle has no method for, as a text.
    ///
    /// The attribute is checked against the registry when the stack is synthesised.
    fn attribute(&self, name: &str) -> Value<String> {
        get_att(self.resource_id(), name)
    }
}

/// The handle of a resource that was added without a service module: generated or raw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRef {
    pub(crate) id: ResourceId,
}

impl ResourceRef {
    /// Returns `Ref` of the resource: its physical id, or what the type returns instead.
    pub fn reference(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for ResourceRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// Makes `Ref` of a resource, as the type that the resource type's documentation gives it.
pub(crate) fn reference<T>(id: &ResourceId) -> Value<T> {
    Value::Token(Token::Ref(id.clone()))
}

/// Makes `Fn::GetAtt` of a resource, as the type that the attribute has.
pub(crate) fn get_att<T>(id: &ResourceId, attribute: &str) -> Value<T> {
    Value::Token(Token::GetAtt(id.clone(), Arc::from(attribute)))
}

/// Makes the id of something that no stack of the app makes: the handle of what somebody else keeps has it. Only the
/// values that such a handle was given name the resource, and nothing about it can be changed.
pub(crate) fn elsewhere(name: &str) -> ResourceId {
    ResourceId::new(Arc::from(ELSEWHERE), name)
}

/// The stack of what no stack of the app makes; no stack can have this name.
pub(crate) const ELSEWHERE: &str = "";

/// Implements what every handle with a type parameter has: the parameter stands for what the resource holds and
/// needs no trait of its own, so the derives, which would demand them, do not fit.
macro_rules! typed_handle {
    ($handle:ident { $($field:ident),* $(,)? }) => {
        impl<T> Clone for $handle<T> {
            fn clone(&self) -> Self {
                Self { $($field: self.$field.clone()),* }
            }
        }

        impl<T> std::fmt::Debug for $handle<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($handle))
                    .field("id", &self.id)
                    .finish_non_exhaustive()
            }
        }

        impl<T> $crate::Handle for $handle<T> {
            fn resource_id(&self) -> &stack_model_cfn::ResourceId {
                &self.id
            }
        }
    };
}

pub(crate) use typed_handle;
