//! A variable that the stack sets and the function reads as a typed value.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
#[cfg(feature = "runtime")]
use std::str::FromStr;

use crate::binding::Binding;
#[cfg(feature = "runtime")]
use crate::environment::{Connect, Environment, VariableFault, short_type_name};

/// A value that the stack sets, read when the function starts.
///
/// In the stack it is filled with a `Value<T>`, a literal or a token, whose text [`FromStr`](std::str::FromStr)
/// reads here. A secret never belongs here: it would be visible to everyone who may read the function's
/// configuration. Use [`Secret`](crate::Secret).
pub struct Var<T> {
    value: T,
    kind: PhantomData<fn() -> T>,
}

impl<T> Var<T> {
    /// Makes a variable of the given value, for tests.
    pub fn of(value: T) -> Self {
        Self {
            value,
            kind: PhantomData,
        }
    }
}

impl<T> Deref for Var<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Var<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Var").field(&self.value).finish()
    }
}

impl<T> Binding for Var<T> {
    const KIND: &'static str = "variable";
    const SUFFIX: &'static str = "";
}

#[cfg(feature = "runtime")]
impl<T: FromStr> Connect for Var<T> {
    const EMPTY_ALLOWED: bool = true;

    fn connect(_: &Environment, value: &str) -> Result<Self, VariableFault> {
        // The error of the type is dropped on purpose: many quote the text they could not read.
        value
            .parse()
            .map(Self::of)
            .map_err(|_| VariableFault::Unreadable {
                type_name: short_type_name::<T>(),
            })
    }
}
