//! Tests of the shipped stacks.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod diagrams;
mod coffee;
mod golden;
mod intake;
mod orders;
mod photos;
mod visitors;
