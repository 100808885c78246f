//! Users who move in from elsewhere.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::event::{PoolAnswer, fields, pool_event};
use crate::event::null_is_empty;

pool_event! {
    /// A user pool asks for a user whom it does not know.
    ///
    /// The shape is that of
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-migrate-user.html>. An error of the
    /// handler says that there is no such user, or that the password is wrong.
    UserMigration asks UserMigrationRequest
    because
    /// Why a user pool looks for a user.
    UserMigrationSource {
        /// Somebody signs in with a password.
        Authentication = "UserMigration_Authentication",
        /// Somebody forgot the password.
        ForgotPassword = "UserMigration_ForgotPassword",
    }
}

/// Who is looked for; the name stands in the [context](super::PoolContext::user_name).
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserMigrationRequest {
    /// The password, where somebody signs in.
    pub password: Option<Password>,
    /// What the application says for this decision, and nobody keeps.
    #[serde(deserialize_with = "null_is_empty")]
    pub validation_data: BTreeMap<String, String>,
    /// What the application says besides.
    #[serde(deserialize_with = "null_is_empty")]
    pub client_metadata: BTreeMap<String, String>,
}

/// A password as the user wrote it. It is never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// Returns the password, to be checked where the user comes from.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// A user who moves in.
#[derive(Clone, PartialEq, Eq)]
pub struct MigratedUser {
    /// The attributes, one at least. `email_verified` and `phone_number_verified` are `true` where they were shown to be
    /// the user's.
    pub attributes: BTreeMap<String, String>,
    /// Whether the password that was given stays; the user has to choose another by default, which is Cognito's.
    pub status: MigratedStatus,
    /// The ways in which the user is welcomed; with a text message by default, which is Cognito's, and not at all with
    /// an empty list.
    pub welcome: Option<Vec<Medium>>,
    /// Takes a mail address or phone number away from another user who signs in by it.
    pub force_alias: bool,
    /// Makes codes in text messages the second factor.
    pub sms_mfa: bool,
}

impl MigratedUser {
    /// A user with these attributes, of whom Cognito's defaults are right.
    pub fn new(attributes: BTreeMap<String, String>) -> Self {
        Self {
            attributes,
            status: MigratedStatus::default(),
            welcome: None,
            force_alias: false,
            sms_mfa: false,
        }
    }
}

/// Shows nothing of the attributes.
impl fmt::Debug for MigratedUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigratedUser")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Whether a user who moves in keeps the password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MigratedStatus {
    /// The user chooses another one.
    #[default]
    ResetRequired,
    /// It stays. Only where the handler has checked it.
    Confirmed,
}

/// How a user is welcomed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// By mail.
    Email,
    /// By text message.
    Sms,
}

impl UserMigration {
    /// Adds the user to the pool.
    pub fn answer(self, user: MigratedUser) -> PoolAnswer {
        let attributes = user.attributes.into_iter();
        let attributes = attributes.map(|(name, value)| (name, Value::from(value)));
        let status = match user.status {
            MigratedStatus::ResetRequired => "RESET_REQUIRED",
            MigratedStatus::Confirmed => "CONFIRMED",
        };
        let mut answer = fields([
            ("userAttributes", Value::Object(attributes.collect())),
            ("finalUserStatus", status.into()),
            ("forceAliasCreation", user.force_alias.into()),
            ("enableSMSMFA", user.sms_mfa.into()),
        ]);
        match user.welcome.as_deref() {
            None => {}
            Some([]) => answer.extend(fields([("messageAction", "SUPPRESS".into())])),
            Some(media) => {
                let media = media.iter().map(|medium| match medium {
                    Medium::Email => "EMAIL",
                    Medium::Sms => "SMS",
                });
                answer.extend(fields([(
                    "desiredDeliveryMediums",
                    media.collect::<Vec<_>>().into(),
                )]));
            }
        }
        PoolAnswer::of(self.sent, answer)
    }
}
