//! Watches the files that stacks and functions are made of.
//!
//! The files are looked at a few times a second. The services of operating systems that tell of changes would need no
//! looks, but they miss network file systems and folders that are mounted into containers, run out of a limit that the
//! user must raise, tell of what came and went, and still leave the looks to do when they overflow. A look at a thousand
//! files takes a few milliseconds, and [`Watcher`] sees to it that looks never take a noticeable part of a processor.
//!
//! Nothing here deploys, builds or prints.

mod affected;
mod ignored;
mod packages;
mod scan;
mod watcher;

pub(crate) use affected::{Affected, Workspace};
pub(crate) use packages::{Packages, PackagesError};
pub(crate) use scan::{Scope, plain};
pub(crate) use watcher::Watcher;
