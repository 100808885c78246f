//! The functions of the photos system: albums of people who sign in.
//!
//! The browser puts a photo into the bucket itself, with the credentials of the person who is signed in, and then tells
//! the API its name. What is known of the photos is one item per person in a table; a fourth function adds what can be
//! seen on them.
//!
//! The contracts compile alone, for the stacks; the handlers need the feature `runtime`.

mod album;
mod caller;
mod functions;
mod object_key;

#[cfg(feature = "runtime")]
mod answer;
#[cfg(feature = "runtime")]
mod delete;
#[cfg(feature = "runtime")]
mod list;
#[cfg(feature = "runtime")]
mod process;
#[cfg(feature = "runtime")]
mod upload;

#[cfg(all(test, feature = "runtime"))]
mod tests;

pub use album::*;
pub use caller::{CallerIdentity, UnknownIdentity};
pub use functions::*;
pub use object_key::{NameError, OWN_OBJECTS, ObjectKey};

#[cfg(feature = "runtime")]
pub use answer::Refusal;
#[cfg(feature = "runtime")]
pub use delete::delete;
#[cfg(feature = "runtime")]
pub use list::list;
#[cfg(feature = "runtime")]
pub use process::{ProcessError, process};
#[cfg(feature = "runtime")]
pub use upload::{Stamp, upload};
