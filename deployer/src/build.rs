//! Builds functions with one cargo invocation and packs them into reproducible archives.

pub(crate) mod cargo;
mod elf;
mod functions;
mod pack;

use std::fmt::Write as _;

pub use cargo::{CargoError, Progress};
pub use functions::{BuildError, Platform, Request, functions};
pub use pack::PackError;

/// Writes bytes in lower case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
