//! Finds and installs the tools that a deploy needs: Python, private Python environments, cargo and cargo-lambda.
//!
//! Nothing here prints: progress is reported through callbacks, problems are errors with hints.

pub use self::environment::{InstallError, PythonEnvironment, Requirements};
pub use self::python::{Python, PythonError};
pub use self::variables::{CacheDirError, Variables};

pub(crate) use self::environment::last_lines;

mod environment;
mod python;
#[cfg(test)]
pub(crate) mod testing;
mod variables;
