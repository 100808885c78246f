//! Every CloudFormation resource type as a Rust struct, and the registry's facts about it.

mod expr;
pub mod facts;
mod render;
mod tag;
mod token;
mod value;

pub use expr::Expr;
pub use render::{Render, ResourceType, render_fields};
pub use tag::Tag;
pub use token::{Part, Pseudo, ResourceId, Token};
pub use value::{List, Map, Property, Value, list};

include!(concat!(env!("OUT_DIR"), "/services.rs"));
