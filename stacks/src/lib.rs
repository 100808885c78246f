//! The stacks that stackctl ships: one module per system.

use stack_model::{App, Violations};

mod domain;
mod pages;
mod site;

pub mod coffee;
pub mod intake;
pub mod orders;
pub mod photos;
pub mod pipelines;
pub mod visitors;

/// Adds every shipped stack to an app.
///
/// # Errors
///
/// Fails where the variables of a stage do not fit what a system reads from them.
pub fn describe(app: &mut App) -> Result<(), Violations> {
    coffee::describe(app)?;
    intake::describe(app)?;
    orders::describe(app)?;
    photos::describe(app)?;
    visitors::describe(app)?;
    // What a pipeline may do follows from the stacks that it deploys.
    pipelines::describe(app)
}
