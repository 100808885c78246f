//! Every CloudFormation resource type as a Rust struct, and the registry's facts about it.

mod expr;
mod render;
mod token;
mod value;

pub use expr::Expr;
pub use render::{Render, ResourceType, render_fields};
pub use token::{Part, Pseudo, ResourceId, Token};
pub use value::{Property, Value};
