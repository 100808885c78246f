//! The whole system against local engines: one binary, so that it links once.

mod accounts;
mod adversity;
mod coffee;
mod corpus;
mod corrections;
mod doctor;
mod earlier;
mod everything;
mod fixture;
mod folder;
mod handover;
mod intake;
mod interrupted;
mod killed;
mod looks;
mod many;
mod moved;
mod orders;
mod orphans;
mod perhaps;
mod photos;
mod pipeline;
mod regions;
mod releases;
mod rows;
mod secrets;
mod site;
mod smoke;
mod soak;
mod statuses;
mod surface;
mod told;
mod visitors;
mod watched;
mod workspace;

use std::path::Path;

use system_tests::sandbox::Sandbox;

/// The tool.
const PROGRAM: &str = env!("CARGO_BIN_EXE_stackctl-under-test");

/// Returns the workspace that ships the systems.
fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this package lies in the workspace")
}

/// Starts a sandbox for the shipped systems.
fn shipped(config: &str) -> Sandbox {
    Sandbox::new(PROGRAM, repository(), config)
}
