//! State machines.

pub(crate) mod coffee;
