//! Reads `stackctl.toml`.
