//! ARNs that know what they name.

use std::fmt;
use std::marker::PhantomData;

use stack_model_cfn::Expr;

/// The ARN of a resource of the kind `R`.
///
/// `Arn<Queue>` and `Arn<Table>` are different types, so a queue cannot be wired where a table belongs. A literal
/// ARN is checked to have the six parts that every ARN has; see
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>.
pub struct Arn<R: ?Sized> {
    text: String,
    kind: PhantomData<fn() -> R>,
}

/// A text that is not an ARN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an ARN: it needs the form arn:partition:service:region:account:resource")]
pub struct ArnError {
    text: String,
}

impl<R: ?Sized> Arn<R> {
    /// Reads a literal ARN.
    ///
    /// # Errors
    ///
    /// Fails where the text does not start with `arn:` or has fewer than six parts.
    pub fn parse(text: impl Into<String>) -> Result<Self, ArnError> {
        let text = text.into();
        let mut parts = text.splitn(6, ':');
        let complete = parts.next() == Some("arn")
            && parts.next().is_some_and(|partition| !partition.is_empty())
            && parts.next().is_some_and(|service| !service.is_empty())
            && parts.nth(2).is_some_and(|resource| !resource.is_empty());
        if complete {
            Ok(Self {
                text,
                kind: PhantomData,
            })
        } else {
            Err(ArnError { text })
        }
    }

    /// Takes a text that this crate put together with all six parts.
    pub(crate) fn composed(text: String) -> Self {
        Self {
            text,
            kind: PhantomData,
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<R: ?Sized> Clone for Arn<R> {
    fn clone(&self) -> Self {
        Self {
            text: self.text.clone(),
            kind: PhantomData,
        }
    }
}

impl<R: ?Sized> PartialEq for Arn<R> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<R: ?Sized> Eq for Arn<R> {}

impl<R: ?Sized> fmt::Debug for Arn<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Arn").field(&self.text).finish()
    }
}

impl<R: ?Sized> From<Arn<R>> for String {
    fn from(arn: Arn<R>) -> Self {
        arn.text
    }
}

impl<R: ?Sized> From<Arn<R>> for Expr {
    fn from(arn: Arn<R>) -> Self {
        Self::String(arn.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Queue;

    #[test]
    fn an_arn_has_six_parts() {
        let arn = Arn::<Queue>::parse("arn:aws:sqs:us-east-1:123456789012:orders").unwrap();
        assert_eq!(arn.as_str(), "arn:aws:sqs:us-east-1:123456789012:orders");
        assert!(Arn::<Queue>::parse("arn:aws:s3:::bucket/key:with:colons").is_ok());
        for text in [
            "",
            "orders",
            "arn:aws:sqs",
            "arn::sqs:r:a:q",
            "arn:aws:sqs:us-east-1:1:",
        ] {
            assert!(Arn::<Queue>::parse(text).is_err(), "{text}");
        }
    }
}
