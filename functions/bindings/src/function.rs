//! A function as its package declares it.

use crate::event::Decode;

/// A Lambda function: its bindings, its binary, and the events that it accepts; derive it with
/// `#[derive(Bindings)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the bindings struct of a function",
    note = "derive `Bindings` for it and describe the function with `#[function(binary = \"..\", accepts(..))]`"
)]
pub trait Function: Sized {
    /// What the handler is given: the accepted event, or an enum of them where there are several.
    type Event: Decode;

    /// The Cargo package that holds the binary.
    const PACKAGE: &'static str;
    /// The binary that is deployed.
    const BINARY: &'static str;

    /// Reads every field, so that a build without handlers does not call the declared bindings unused.
    #[doc(hidden)]
    fn declared(&self);
}
