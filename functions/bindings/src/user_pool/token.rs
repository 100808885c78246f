//! What tokens hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::event::{PoolAnswer, fields, pool_event};
use crate::event::null_is_empty;

pool_event! {
    /// A user pool asks what the identity and access tokens of a user hold, in the version 2 or 3 of the event.
    ///
    /// The shape is that of
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html>.
    PreTokenGeneration asks PreTokenGenerationRequest
    because
    /// Why tokens are made.
    PreTokenGenerationSource {
        /// A user signed in in a browser.
        HostedAuth = "TokenGeneration_HostedAuth",
        /// A user signed in by an application.
        Authentication = "TokenGeneration_Authentication",
        /// A user whom an administrator made chose a password.
        NewPasswordChallenge = "TokenGeneration_NewPasswordChallenge",
        /// An application signed in for itself, in the version 3 of the event.
        ClientCredentials = "TokenGeneration_ClientCredentials",
        /// A device of the user was recognised.
        AuthenticateDevice = "TokenGeneration_AuthenticateDevice",
        /// The tokens are renewed.
        RefreshTokens = "TokenGeneration_RefreshTokens",
    }
    where |payload| payload["version"] != "1"
}

pool_event! {
    /// A user pool asks what the identity token of a user holds, in the version 1 of the event.
    ///
    /// The shape is that of
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html>.
    PreIdTokenGeneration asks PreIdTokenGenerationRequest
    because
    /// Why an identity token is made.
    PreIdTokenGenerationSource {
        /// A user signed in in a browser.
        HostedAuth = "TokenGeneration_HostedAuth",
        /// A user signed in by an application.
        Authentication = "TokenGeneration_Authentication",
        /// A user whom an administrator made chose a password.
        NewPasswordChallenge = "TokenGeneration_NewPasswordChallenge",
        /// A device of the user was recognised.
        AuthenticateDevice = "TokenGeneration_AuthenticateDevice",
        /// The tokens are renewed.
        RefreshTokens = "TokenGeneration_RefreshTokens",
    }
    where |payload| payload["version"] == "1"
}

/// What tokens would hold.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PreTokenGenerationRequest {
    /// The attributes of the user.
    #[serde(deserialize_with = "null_is_empty")]
    pub user_attributes: BTreeMap<String, String>,
    /// The groups of the user, and their roles.
    #[serde(rename = "groupConfiguration", deserialize_with = "null_is_empty")]
    pub groups: Groups,
    /// The scopes of the access token.
    #[serde(deserialize_with = "null_is_empty")]
    pub scopes: Vec<String>,
    /// What the application says besides.
    #[serde(deserialize_with = "null_is_empty")]
    pub client_metadata: BTreeMap<String, String>,
}

/// What an identity token would hold.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PreIdTokenGenerationRequest {
    /// The attributes of the user.
    #[serde(deserialize_with = "null_is_empty")]
    pub user_attributes: BTreeMap<String, String>,
    /// The groups of the user, and their roles.
    #[serde(rename = "groupConfiguration", deserialize_with = "null_is_empty")]
    pub groups: Groups,
    /// What the application says besides.
    #[serde(deserialize_with = "null_is_empty")]
    pub client_metadata: BTreeMap<String, String>,
}

/// Groups of a user, and the roles that an identity pool gives for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Groups {
    /// The names of the groups.
    #[serde(rename = "groupsToOverride", deserialize_with = "null_is_empty")]
    pub names: Vec<String>,
    /// The ARNs of their roles.
    #[serde(rename = "iamRolesToOverride", deserialize_with = "null_is_empty")]
    pub roles: Vec<String>,
    /// The ARN of the role that is taken on.
    #[serde(rename = "preferredRole", skip_serializing_if = "Option::is_none")]
    pub preferred_role: Option<String>,
}

/// What tokens hold besides what they would; nothing by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenChanges {
    /// What changes about the identity token.
    pub id_token: IdTokenChanges,
    /// What changes about the access token.
    pub access_token: AccessTokenChanges,
    /// The groups that both hold, instead of the user's own.
    pub groups: Option<Groups>,
}

/// What changes about an identity token.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct IdTokenChanges {
    /// The claims that are added or changed. In the version 1 of the event they are texts, and otherwise any JSON.
    #[serde(
        rename = "claimsToAddOrOverride",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub claims: BTreeMap<String, Value>,
    /// The claims that are left out.
    #[serde(rename = "claimsToSuppress", skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}

/// What changes about an access token.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AccessTokenChanges {
    /// The claims that are added or changed.
    #[serde(
        rename = "claimsToAddOrOverride",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub claims: BTreeMap<String, Value>,
    /// The claims that are left out.
    #[serde(rename = "claimsToSuppress", skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// The scopes that are added. One with a `/` is a resource server's.
    #[serde(rename = "scopesToAdd", skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The scopes that are left out.
    #[serde(rename = "scopesToSuppress", skip_serializing_if = "Vec::is_empty")]
    pub without_scopes: Vec<String>,
}

impl PreTokenGeneration {
    /// Says what the tokens hold.
    pub fn answer(self, changes: &TokenChanges) -> PoolAnswer {
        let mut details = json!({
            "idTokenGeneration": changes.id_token,
            "accessTokenGeneration": changes.access_token,
        });
        if let Some(groups) = &changes.groups {
            details["groupOverrideDetails"] = json!(groups);
        }
        PoolAnswer::of(
            self.sent,
            fields([("claimsAndScopeOverrideDetails", details)]),
        )
    }
}

impl PreIdTokenGeneration {
    /// Says what the identity token holds, with the user's own groups or others. Claims are texts here.
    pub fn answer(self, changes: &IdTokenChanges, groups: Option<&Groups>) -> PoolAnswer {
        let mut details = json!(changes);
        if let Some(groups) = groups {
            details["groupOverrideDetails"] = json!(groups);
        }
        PoolAnswer::of(self.sent, fields([("claimsOverrideDetails", details)]))
    }
}
