//! Tests of the bindings as functions and stacks use them.

mod declared;
mod environment;
mod event;
mod support;
mod table;
mod wiring;
