//! Tests of the bindings as functions and stacks use them.

mod clients;
mod declared;
mod environment;
mod event;
mod run;
mod support;
mod table;
mod tree;
mod wiring;
