//! Secrets of Secrets Manager.

#[cfg(feature = "secret")]
mod client;
#[cfg(feature = "secret")]
mod text;

use std::fmt;
use std::marker::PhantomData;

use crate::binding::Binding;

#[cfg(feature = "secret")]
pub use client::SecretValue;

/// A secret, read at run time: its value never passes through the environment or a template.
///
/// `T` is `String` for a secret that is a text, or a struct for one that is a JSON object, such as the credentials of
/// a database. The value is kept for five minutes, so that a rotation is noticed soon.
pub struct Secret<T = String> {
    #[cfg(feature = "secret")]
    inner: client::Cached<T>,
    value: PhantomData<fn() -> T>,
}

impl<T> Binding for Secret<T> {
    const KIND: &'static str = "secret";
    const SUFFIX: &'static str = "_ARN";
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
