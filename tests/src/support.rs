//! Engines, isolated commands and directories for tests.

pub use self::engine::TestEngine;
pub use self::isolation::{cache_dir, isolate, isolated_variables, target_dir};

mod engine;
mod isolation;
