//! Before and after users sign in.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::event::{PoolAnswer, fields, pool_event};
use crate::event::null_is_empty;

pool_event! {
    /// A user pool asks whether a user may sign in, before the password is checked.
    ///
    /// The shape is that of
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-authentication.html>.
    PreAuthentication asks PreAuthenticationRequest
    because
    /// Why a user pool asks before a sign-in.
    PreAuthenticationSource {
        /// Somebody signs in.
        Authentication = "PreAuthentication_Authentication",
    }
}

/// What is known of somebody who wants to sign in.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PreAuthenticationRequest {
    /// The attributes of the user.
    #[serde(deserialize_with = "null_is_empty")]
    pub user_attributes: BTreeMap<String, String>,
    /// What the application says for this decision, and nobody keeps.
    #[serde(deserialize_with = "null_is_empty")]
    pub validation_data: BTreeMap<String, String>,
    /// Whether there is no such user, and nobody is to notice: answer as for one who is there.
    #[serde(deserialize_with = "null_is_empty")]
    pub user_not_found: bool,
}

impl PreAuthentication {
    /// Lets the user sign in, with the right password.
    pub fn admit(self) -> PoolAnswer {
        PoolAnswer::of(self.sent, fields([]))
    }
}

pool_event! {
    /// A user of a user pool has signed in.
    ///
    /// The shape is that of
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-authentication.html>. An error of
    /// the handler fails the sign-in.
    PostAuthentication asks PostAuthenticationRequest
    because
    /// How a user has signed in.
    PostAuthenticationSource {
        /// In whatever way.
        Authentication = "PostAuthentication_Authentication",
    }
}

/// What is known of a user who signed in.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PostAuthenticationRequest {
    /// The attributes of the user.
    #[serde(deserialize_with = "null_is_empty")]
    pub user_attributes: BTreeMap<String, String>,
    /// Whether the user came with a device that the pool did not know, where it remembers devices.
    #[serde(deserialize_with = "null_is_empty")]
    pub new_device_used: bool,
    /// What the application says besides.
    #[serde(deserialize_with = "null_is_empty")]
    pub client_metadata: BTreeMap<String, String>,
}

impl PostAuthentication {
    /// Says that all is well.
    pub fn done(self) -> PoolAnswer {
        PoolAnswer::of(self.sent, fields([]))
    }
}
