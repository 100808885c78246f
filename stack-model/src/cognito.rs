//! Amazon Cognito: user pools, app clients, identity pools.

use stack_model_cfn::{ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{Handle, get_att, reference};

/// Marks the ARN of a user pool.
#[derive(Debug)]
pub enum UserPool {}

/// The handle of a user pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPoolRef {
    id: ResourceId,
}

impl UserPoolRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<UserPool>> {
        get_att(&self.id, "Arn")
    }

    /// Returns the id, such as `us-east-1_ZgaEXAMPLE`.
    pub fn id(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the name by which identity pools and issuers know the pool:
    /// `cognito-idp.us-east-1.amazonaws.com/us-east-1_ZgaEXAMPLE`.
    pub fn provider_name(&self) -> Value<String> {
        get_att(&self.id, "ProviderName")
    }

    /// Returns the URL of the issuer of the pool's tokens.
    pub fn provider_url(&self) -> Value<String> {
        get_att(&self.id, "ProviderURL")
    }
}

impl Handle for UserPoolRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// The handle of an app client of a user pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPoolClientRef {
    id: ResourceId,
    pool: UserPoolRef,
}

impl UserPoolClientRef {
    /// Returns the id, which is also the audience of the tokens.
    pub fn id(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the user pool whose users sign in.
    pub fn user_pool(&self) -> &UserPoolRef {
        &self.pool
    }
}

impl Handle for UserPoolClientRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// The handle of an identity pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityPoolRef {
    id: ResourceId,
}

impl IdentityPoolRef {
    /// Returns the id, such as `us-east-1:128d0a74-c82f-4553-916d-90053EXAMPLE`.
    pub fn id(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for IdentityPoolRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}
