//! What messages to users say.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::event::{PoolAnswer, fields, pool_event};
use crate::event::null_is_empty;

pool_event! {
    /// A user pool asks for the text of a message to a user.
    ///
    /// The shape is that of
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-message.html>.
    CustomMessage asks CustomMessageRequest
    because
    /// Why a message is sent.
    CustomMessageSource {
        /// A user signed up, and gets a code.
        SignUp = "CustomMessage_SignUp",
        /// An administrator made the account; the message needs the name of the user besides the password.
        AdminCreateUser = "CustomMessage_AdminCreateUser",
        /// The user asked for another code.
        ResendCode = "CustomMessage_ResendCode",
        /// The user forgot the password.
        ForgotPassword = "CustomMessage_ForgotPassword",
        /// A mail address or phone number changed.
        UpdateUserAttribute = "CustomMessage_UpdateUserAttribute",
        /// The user asked for a code for a mail address or phone number.
        VerifyUserAttribute = "CustomMessage_VerifyUserAttribute",
        /// The code is a second factor.
        Authentication = "CustomMessage_Authentication",
    }
}

/// What a message is about.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CustomMessageRequest {
    /// The attributes of the user.
    #[serde(deserialize_with = "null_is_empty")]
    pub user_attributes: BTreeMap<String, String>,
    /// What stands in the text where the code, or the temporary password, belongs: usually `{####}`.
    #[serde(deserialize_with = "null_is_empty")]
    pub code_parameter: String,
    /// What stands in the text where the name of the user belongs, in an invitation.
    pub username_parameter: Option<String>,
    /// What stands in the text where a link belongs, in a pool that confirms by links.
    pub link_parameter: Option<String>,
    /// What the application says besides.
    #[serde(deserialize_with = "null_is_empty")]
    pub client_metadata: BTreeMap<String, String>,
}

/// What a message says, by the way it is sent; as the pool says where there is none.
///
/// A text needs the place of its code, [`CustomMessageRequest::code_parameter`]: Cognito sends none without it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageTexts {
    /// The text message, at most 140 characters.
    pub sms: Option<String>,
    /// The mail.
    pub email: Option<EmailText>,
}

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailText {
    /// The subject, at most 140 characters.
    pub subject: String,
    /// The mail, in HTML, at most 20,000 characters.
    pub body: String,
}

impl CustomMessage {
    /// Says what the message says.
    pub fn answer(self, texts: MessageTexts) -> PoolAnswer {
        let mut answer = fields([]);
        if let Some(sms) = texts.sms {
            answer.extend(fields([("smsMessage", sms.into())]));
        }
        if let Some(email) = texts.email {
            answer.extend(fields([
                ("emailSubject", email.subject.into()),
                ("emailMessage", email.body.into()),
            ]));
        }
        PoolAnswer::of(self.sent, answer)
    }
}
