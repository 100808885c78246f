//! A typed model of AWS stacks that renders CloudFormation.

mod arn;
pub mod assembly;
pub mod contract;
mod error;
mod handle;
mod limit;
pub mod policy;
mod stage;
mod text;

pub use arn::{Arn, ArnError};
pub use error::{Violation, Violations};
pub use handle::{Handle, ResourceRef};
pub use limit::Limited;
pub use stack_model_cfn::{Expr, Part, Property, Pseudo, ResourceId, Token, Value};
pub use stage::Stage;
pub use text::{IntoPart, interpolate, placeholders};
