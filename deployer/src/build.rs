//! Builds functions with one cargo invocation and packs them into reproducible archives.

pub(crate) mod cargo;
mod elf;
mod functions;
mod pack;
mod sources;

pub use cargo::{CargoError, Progress};
pub use functions::{BuildError, Platform, Request, functions};
pub use pack::PackError;
pub(crate) use sources::listed;
