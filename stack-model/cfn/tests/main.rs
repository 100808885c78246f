//! The crate, used as a dependent uses it.

mod facts;
mod names;
mod properties;
mod samples;
mod structs;
mod validate;
