//! The function of the visitors system: it counts the visits of a page, one number per user id.
//!
//! The page calls `GET /count/{userId}` and shows the number that comes back. The contract compiles alone, for the
//! stacks; the handler needs the feature `runtime`.

mod contract;
mod visitor;

#[cfg(feature = "runtime")]
mod count;

pub use contract::*;
pub use visitor::*;

#[cfg(feature = "runtime")]
pub use count::{count, handle};
