//! Tests of the shipped stacks.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod coffee;
mod diagrams;
mod golden;
mod guide;
mod intake;
mod names;
mod orders;
mod photos;
mod pipelines;
mod releases;
mod site;
mod state_machines;
mod visitors;
