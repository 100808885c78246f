//! Tests of the bindings as functions and stacks use them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clients;
mod declared;
mod environment;
mod event;
mod event_calls;
mod event_records;
mod guide;
mod properties;
mod queue_batch;
mod run;
mod services;
mod support;
mod table;
mod tree;
mod user_pool;
mod wiring;
mod wiring_services;
