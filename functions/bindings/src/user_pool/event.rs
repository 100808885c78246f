//! What all events of a user pool have in common.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::event::null_is_empty;

/// What Cognito says with every event; see
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html#cognito-user-pools-lambda-trigger-event-parameter-shared>.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolContext {
    /// The id of the pool that asks, such as `us-east-1_ZgaEXAMPLE`.
    pub user_pool_id: String,
    /// The region of the pool.
    #[serde(default)]
    pub region: String,
    /// The name of the user; empty where an application signs in for itself.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub user_name: String,
    #[serde(default)]
    caller_context: Caller,
}

#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Caller {
    #[serde(default, deserialize_with = "null_is_empty")]
    client_id: String,
}

impl PoolContext {
    /// Returns the id of the app client that the user came by; `CLIENT_ID_NOT_APPLICABLE` where an administrator did
    /// it.
    pub fn client_id(&self) -> &str {
        &self.caller_context.client_id
    }
}

impl fmt::Debug for PoolContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolContext")
            .field("user_pool_id", &self.user_pool_id)
            .field("client_id", &self.client_id())
            .finish_non_exhaustive()
    }
}

/// What a handler returns: the event that it was asked with, with the answer in it.
#[derive(Clone, PartialEq, Serialize)]
#[serde(transparent)]
#[must_use = "Cognito waits for the answer"]
pub struct PoolAnswer(Map<String, Value>);

impl PoolAnswer {
    /// Puts an answer into the event that it answers. What is not answered stays as Cognito sent it.
    pub(super) fn of(mut event: Map<String, Value>, answer: Map<String, Value>) -> Self {
        let response = event
            .entry("response")
            .or_insert_with(|| Value::Object(Map::new()));
        match response {
            Value::Object(response) => response.extend(answer),
            // Cognito sends null, or nothing, where there is nothing to answer.
            nothing => *nothing = Value::Object(answer),
        }
        Self(event)
    }
}

/// Shows nothing of the event, which may hold a password.
impl fmt::Debug for PoolAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolAnswer").finish_non_exhaustive()
    }
}

/// Collects the fields of an answer.
pub(super) fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    let fields = fields.into_iter();
    fields
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Makes the event of one moment: what Cognito asks, and why.
///
/// `recognised` says what tells the event from others with the same trigger sources.
macro_rules! pool_event {
    (
        $(#[$docs:meta])*
        $event:ident asks $request:ident
        because $(#[$source_docs:meta])* $source:ident {
            $($(#[$variant_docs:meta])* $variant:ident = $name:literal,)+
        }
        $(where $recognised:expr)?
    ) => {
        $(#[$docs])*
        #[derive(Clone)]
        pub struct $event {
            /// Why Cognito asks.
            pub source: $source,
            /// Who asks, and about whom.
            pub context: $crate::user_pool::PoolContext,
            /// What Cognito asks.
            pub request: $request,
            sent: serde_json::Map<String, serde_json::Value>,
        }

        impl std::fmt::Debug for $event {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($event))
                    .field("source", &self.source)
                    .field("context", &self.context)
                    .finish_non_exhaustive()
            }
        }

        /// Shows nothing of what users tell nobody else.
        impl std::fmt::Debug for $request {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($request)).finish_non_exhaustive()
            }
        }

        $(#[$source_docs])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $source {
            $($(#[$variant_docs])* $variant,)+
            /// For a reason that is newer than this crate, by its name.
            Other(String),
        }

        impl $source {
            fn named(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)+
                    _ => Self::Other(name.to_owned()),
                }
            }
        }

        impl $crate::Decode for $event {
            fn decode(payload: serde_json::Value) -> Result<Self, $crate::EventError> {
                use serde::Deserialize as _;

                let content = $crate::EventError::Content;
                let context = $crate::user_pool::PoolContext::deserialize(&payload).map_err(content)?;
                let request = $request::deserialize(&payload["request"]).map_err(content)?;
                let source = $source::named(payload["triggerSource"].as_str().unwrap_or_default());
                let sent = serde_json::Map::deserialize(payload).map_err(content)?;
                Ok(Self { source, context, request, sent })
            }
        }

        impl $crate::Event for $event {
            #[cfg(feature = "wiring")]
            type Sent = stack_model::contract::event::$event;

            fn recognises(payload: &serde_json::Value) -> bool {
                // The names of all reasons for a moment begin with the moment.
                let moments = [$($name.split('_').next()),+];
                let source = payload["triggerSource"].as_str().and_then(|it| it.split('_').next());
                let known = source.is_some() && moments.contains(&source);
                let besides: &[fn(&serde_json::Value) -> bool] = &[$($recognised)?];
                let known = known && besides.iter().all(|recognised| recognised(payload));
                known && payload["userPoolId"].is_string()
            }
        }
    };
}

pub(super) use pool_event;
