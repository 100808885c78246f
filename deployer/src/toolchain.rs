//! Finds and installs the tools that a deploy needs: Rust and its targets, cargo-lambda, Python, and the private
//! Python environments that tools are installed into.
//!
//! Nothing here prints: progress is reported through callbacks, problems are errors with hints.

pub use self::environment::{InstallError, PythonEnvironment, Requirements};
pub use self::lambda::{BUILD_TOOLS, LambdaBuilder, MissingLambdaBuilder};
pub use self::python::{Python, PythonError};
pub use self::rust::{Rust, RustError, Version, check_target, target};
pub use self::variables::{CacheDirError, Variables};

pub(crate) use self::environment::last_lines;

pub(crate) mod child;
mod environment;
mod lambda;
mod python;
mod rust;
#[cfg(test)]
pub(crate) mod testing;
mod variables;
