//! The crate, used as a dependent uses it.

mod facts;
mod structs;
mod validate;
