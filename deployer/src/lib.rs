//! The library behind `stackctl`: plans, deploys, watches and removes stacks.

#![cfg_attr(
    test,
    expect(
        clippy::needless_raw_string_hashes,
        reason = "snapbox writes snapshots with them"
    )
)]

mod ascii;
pub mod assembly;
pub mod aws;
pub mod build;
pub mod cli;
pub mod command;
pub mod config;
pub mod content;
pub mod engine;
pub mod error;
pub mod local;
pub mod repeat;
pub mod sample;
mod scratch;
mod template;
mod text;
pub mod toolchain;
pub mod ui;
mod watch;

pub use command::run;
