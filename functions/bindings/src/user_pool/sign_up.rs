//! Before and after users sign up.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::event::{PoolAnswer, fields, pool_event};
use crate::event::null_is_empty;

pool_event! {
    /// A user pool asks whether somebody may sign up, and whether the account is confirmed at once.
    ///
    /// The shape is that of
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html>.
    PreSignUp asks PreSignUpRequest
    because
    /// Why a user pool asks before an account is made.
    PreSignUpSource {
        /// Somebody signs up.
        SignUp = "PreSignUp_SignUp",
        /// An administrator makes the account.
        AdminCreateUser = "PreSignUp_AdminCreateUser",
        /// Somebody comes for the first time who has an account with an identity provider.
        ExternalProvider = "PreSignUp_ExternalProvider",
    }
}

/// What is known of somebody who signs up.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PreSignUpRequest {
    /// The attributes of the user.
    #[serde(deserialize_with = "null_is_empty")]
    pub user_attributes: BTreeMap<String, String>,
    /// What the application says for this decision, and nobody keeps.
    #[serde(deserialize_with = "null_is_empty")]
    pub validation_data: BTreeMap<String, String>,
    /// What the application says besides.
    #[serde(deserialize_with = "null_is_empty")]
    pub client_metadata: BTreeMap<String, String>,
}

/// How an account begins; by default as the pool says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignUpAnswer {
    /// Confirms the account, so that the user may sign in at once.
    pub confirm: bool,
    /// Takes the mail address to be the user's. Nobody has shown that it is.
    pub verify_email: bool,
    /// Takes the phone number to be the user's. Nobody has shown that it is.
    pub verify_phone: bool,
}

impl PreSignUp {
    /// Lets the user sign up.
    pub fn answer(self, answer: SignUpAnswer) -> PoolAnswer {
        let answer = fields([
            ("autoConfirmUser", answer.confirm.into()),
            ("autoVerifyEmail", answer.verify_email.into()),
            ("autoVerifyPhone", answer.verify_phone.into()),
        ]);
        PoolAnswer::of(self.sent, answer)
    }
}

pool_event! {
    /// A user of a user pool has confirmed an account, or a new password.
    ///
    /// The shape is that of
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-confirmation.html>. An error of
    /// the handler is shown to the user, and the account is confirmed nevertheless.
    PostConfirmation asks PostConfirmationRequest
    because
    /// What a user has confirmed.
    PostConfirmationSource {
        /// The account.
        ConfirmSignUp = "PostConfirmation_ConfirmSignUp",
        /// A new password, for a forgotten one.
        ConfirmForgotPassword = "PostConfirmation_ConfirmForgotPassword",
    }
}

/// What is known of a user who confirmed something.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PostConfirmationRequest {
    /// The attributes of the user.
    #[serde(deserialize_with = "null_is_empty")]
    pub user_attributes: BTreeMap<String, String>,
    /// What the application says besides.
    #[serde(deserialize_with = "null_is_empty")]
    pub client_metadata: BTreeMap<String, String>,
}

impl PostConfirmation {
    /// Says that all is well.
    pub fn done(self) -> PoolAnswer {
        PoolAnswer::of(self.sent, fields([]))
    }
}
