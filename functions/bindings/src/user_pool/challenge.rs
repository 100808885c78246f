//! Sign-ins by challenges of functions.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::event::{PoolAnswer, fields, pool_event};
use crate::event::null_is_empty;

/// The name of a challenge that functions make.
const CUSTOM: &str = "CUSTOM_CHALLENGE";

pool_event! {
    /// A user pool asks what comes next in a sign-in by challenges.
    ///
    /// The shape is that of
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-define-auth-challenge.html>.
    DefineAuthChallenge asks DefineAuthChallengeRequest
    because
    /// Why a user pool asks what comes next.
    DefineAuthChallengeSource {
        /// Somebody signs in.
        Authentication = "DefineAuthChallenge_Authentication",
    }
}

/// What has happened in a sign-in so far.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DefineAuthChallengeRequest {
    /// The attributes of the user.
    #[serde(deserialize_with = "null_is_empty")]
    pub user_attributes: BTreeMap<String, String>,
    /// The challenges so far, in their order.
    #[serde(deserialize_with = "null_is_empty")]
    pub session: Vec<AnsweredChallenge>,
    /// What the application says besides.
    #[serde(deserialize_with = "null_is_empty")]
    pub client_metadata: BTreeMap<String, String>,
    /// Whether there is no such user, and nobody is to notice: answer as for one who is there.
    #[serde(deserialize_with = "null_is_empty")]
    pub user_not_found: bool,
}

/// A challenge that a user has answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AnsweredChallenge {
    /// The name, such as `CUSTOM_CHALLENGE`, `SRP_A` or `PASSWORD_VERIFIER`.
    #[serde(deserialize_with = "null_is_empty")]
    pub challenge_name: String,
    /// Whether the answer was right.
    #[serde(deserialize_with = "null_is_empty")]
    pub challenge_result: bool,
    /// The name that the function gave its own challenge.
    pub challenge_metadata: Option<String>,
}

/// What comes next in a sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// A challenge that a function makes.
    Challenge,
    /// One of Cognito's own, such as `PASSWORD_VERIFIER` after `SRP_A`.
    Named(String),
    /// The user is signed in.
    SignedIn,
    /// The sign-in fails.
    Fail,
}

impl DefineAuthChallenge {
    /// Says what comes next.
    pub fn answer(self, next: NextStep) -> PoolAnswer {
        let (signed_in, fails) = (next == NextStep::SignedIn, next == NextStep::Fail);
        let challenge = match next {
            NextStep::Challenge => CUSTOM.into(),
            NextStep::Named(name) => name.into(),
            NextStep::SignedIn | NextStep::Fail => Value::Null,
        };
        let answer = fields([
            ("challengeName", challenge),
            ("issueTokens", signed_in.into()),
            ("failAuthentication", fails.into()),
        ]);
        PoolAnswer::of(self.sent, answer)
    }
}

pool_event! {
    /// A user pool asks for a challenge.
    ///
    /// The shape is that of
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-create-auth-challenge.html>.
    CreateAuthChallenge asks CreateAuthChallengeRequest
    because
    /// Why a user pool asks for a challenge.
    CreateAuthChallengeSource {
        /// Somebody signs in.
        Authentication = "CreateAuthChallenge_Authentication",
    }
}

/// Which challenge is wanted.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CreateAuthChallengeRequest {
    /// The attributes of the user.
    #[serde(deserialize_with = "null_is_empty")]
    pub user_attributes: BTreeMap<String, String>,
    /// The name of the challenge.
    #[serde(deserialize_with = "null_is_empty")]
    pub challenge_name: String,
    /// The challenges so far, in their order.
    #[serde(deserialize_with = "null_is_empty")]
    pub session: Vec<AnsweredChallenge>,
    /// What the application says besides.
    #[serde(deserialize_with = "null_is_empty")]
    pub client_metadata: BTreeMap<String, String>,
    /// Whether there is no such user, and nobody is to notice: make a challenge as for one who is there.
    #[serde(deserialize_with = "null_is_empty")]
    pub user_not_found: bool,
}

/// A challenge.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct NewChallenge {
    /// What the application shows to the user.
    pub public: BTreeMap<String, String>,
    /// What the function that checks the answer gets to see, such as the right answer.
    pub private: BTreeMap<String, String>,
    /// A name by which later steps know the challenge.
    pub metadata: Option<String>,
}

/// Shows nothing of the right answer.
impl std::fmt::Debug for NewChallenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewChallenge")
            .field("public", &self.public)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

impl CreateAuthChallenge {
    /// Challenges the user.
    pub fn answer(self, challenge: NewChallenge) -> PoolAnswer {
        let texts = |texts: BTreeMap<String, String>| -> Value {
            let texts = texts.into_iter();
            Value::Object(texts.map(|(name, text)| (name, text.into())).collect())
        };
        let mut answer = fields([
            ("publicChallengeParameters", texts(challenge.public)),
            ("privateChallengeParameters", texts(challenge.private)),
        ]);
        if let Some(metadata) = challenge.metadata {
            answer.extend(fields([("challengeMetadata", metadata.into())]));
        }
        PoolAnswer::of(self.sent, answer)
    }
}

pool_event! {
    /// A user pool asks whether a challenge was answered rightly.
    ///
    /// The shape is that of
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-verify-auth-challenge-response.html>.
    VerifyAuthChallengeResponse asks VerifyAuthChallengeResponseRequest
    because
    /// Why a user pool asks whether an answer is right.
    VerifyAuthChallengeResponseSource {
        /// Somebody signs in.
        Authentication = "VerifyAuthChallengeResponse_Authentication",
    }
}

/// What a user answered.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VerifyAuthChallengeResponseRequest {
    /// The attributes of the user.
    #[serde(deserialize_with = "null_is_empty")]
    pub user_attributes: BTreeMap<String, String>,
    /// What the function that made the challenge wanted to be known here, such as the right answer.
    #[serde(deserialize_with = "null_is_empty")]
    pub private_challenge_parameters: BTreeMap<String, String>,
    /// What the user answered.
    #[serde(deserialize_with = "null_is_empty")]
    pub challenge_answer: String,
    /// What the application says besides.
    #[serde(deserialize_with = "null_is_empty")]
    pub client_metadata: BTreeMap<String, String>,
    /// Whether there is no such user, and nobody is to notice: no answer is right then.
    #[serde(deserialize_with = "null_is_empty")]
    pub user_not_found: bool,
}

impl VerifyAuthChallengeResponse {
    /// Says whether the answer is right.
    pub fn answer(self, correct: bool) -> PoolAnswer {
        PoolAnswer::of(self.sent, fields([("answerCorrect", correct.into())]))
    }
}
