//! Runs the tool, the stacks and the functions together, against local engines.

pub mod account;
pub mod faults;
pub mod http;
pub mod poll;
pub mod proxy;
pub mod sandbox;
pub mod support;
pub mod tap;
pub mod websocket;
