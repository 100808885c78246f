//! The generated structs, used as a dependent uses them.

mod structs;
