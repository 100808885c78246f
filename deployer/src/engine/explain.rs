//! How the errors of the engine reach the command line.

use crate::{
    aws::{AwsError, ConnectError},
    error::{Error, Kind},
};

/// An error that knows its kind and what to do about it.
pub trait Explained: std::error::Error {
    /// Returns the kind under which the command line reports it.
    fn kind(&self) -> Kind;

    /// Returns what the reader can do about it.
    fn hints(&self) -> Vec<String>;

    /// Returns whether a stack was deployed all the same: what failed is what came afterwards.
    fn is_deployed(&self) -> bool {
        false
    }

    /// Returns what is to be told beside the chain of sources.
    fn details(&self) -> Vec<String> {
        Vec::new()
    }
}

impl<E: Explained> From<E> for Error {
    fn from(explained: E) -> Self {
        let mut error = Error::from_source(explained.kind(), &explained);
        for detail in explained.details() {
            error = error.cause(detail);
        }
        for hint in explained.hints() {
            error = error.hint(hint);
        }
        error
    }
}

impl Explained for AwsError {
    fn kind(&self) -> Kind {
        self.kind()
    }

    fn hints(&self) -> Vec<String> {
        self.hints()
    }
}

impl Explained for ConnectError {
    fn kind(&self) -> Kind {
        self.kind()
    }

    fn hints(&self) -> Vec<String> {
        self.hints()
    }
}
