//! The engine against scripted answers: what AWS sends, byte for byte as far as it matters.
//!
//! The shapes are those of the API reference
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/Welcome.html>); statuses and reasons are what a
//! real stack shows. A script is a conversation: calls must come in its order, and all of them must come.

mod anew;
mod answers;
mod clock;
mod connect;
mod consent;
mod content;
mod deploy;
mod destroy;
mod drift;
mod export;
mod express;
mod fast;
mod faults;
mod follow;
mod given;
mod handover;
mod leftovers;
mod letters;
mod machines;
mod moving;
mod operate;
mod orphan;
mod others;
mod outlook;
mod outside;
mod owner;
mod plan;
mod preflight;
mod proof;
mod propose;
mod protection;
mod prune;
mod publish;
mod rates;
mod read;
mod records;
mod recover;
mod refactor;
mod refused;
mod released;
mod repeated;
mod rollback;
mod said;
mod script;
mod signed;
mod simulated;
mod stackset;
mod statuses;
mod virtual_time;

pub(super) use given::{described, event, stack};
pub(crate) use script::Script;
pub(crate) use signed::Signed;
