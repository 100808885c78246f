//! Who calls.

use std::fmt;
use std::str::FromStr;

/// How the API knows its callers, which the stack decides together with the authorization of its methods.
///
/// It is no guess of the function's: a request that carries the other proof was authorized by nobody that is asked here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallerIdentity {
    /// By the identity id that comes with credentials of the identity pool: the methods use IAM authorization.
    #[default]
    IdentityPool,
    /// By the claim `sub` of a token of the user pool: the methods use a user-pool authorizer.
    UserPool,
}

/// A text that names no [`CallerIdentity`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `identity-pool` or `user-pool`")]
pub struct UnknownIdentity;

impl CallerIdentity {
    /// Returns the id of the caller, if API Gateway has found one out.
    ///
    /// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>.
    #[cfg(feature = "runtime")]
    pub(crate) fn caller(self, request: &stack_bindings::ApiRequest) -> Option<&str> {
        let pointer = match self {
            Self::IdentityPool => "/identity/cognitoIdentityId",
            Self::UserPool => "/authorizer/claims/sub",
        };
        let id = request.request_context.pointer(pointer)?.as_str()?;
        (!id.is_empty()).then_some(id)
    }
}

impl fmt::Display for CallerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IdentityPool => "identity-pool",
            Self::UserPool => "user-pool",
        })
    }
}

impl FromStr for CallerIdentity {
    type Err = UnknownIdentity;

    fn from_str(text: &str) -> Result<Self, UnknownIdentity> {
        match text {
            "identity-pool" => Ok(Self::IdentityPool),
            "user-pool" => Ok(Self::UserPool),
            _ => Err(UnknownIdentity),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_identity_is_read_back() {
        for identity in [CallerIdentity::IdentityPool, CallerIdentity::UserPool] {
            assert_eq!(identity.to_string().parse(), Ok(identity));
        }
        assert_eq!("".parse::<CallerIdentity>(), Err(UnknownIdentity));
    }
}
