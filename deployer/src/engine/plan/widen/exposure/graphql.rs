//! Who may call an API of AppSync.

use serde_json::Value;

use super::super::super::canonical::same;
use super::super::{elements, is_unknown, text};

/// The ways in which callers prove who they are: the one that is asked for first, and the others.
fn ways(api: &Value) -> Vec<&Value> {
    // What is beside them, such as tags, decides nothing here.
    let first = api.get("AuthenticationType").map(|_| api);
    let others = elements(api.get("AdditionalAuthenticationProviders"));
    first.into_iter().chain(others).collect()
}

/// What of a way decides whom it believes.
const BELIEVED: [&str; 4] = [
    "AuthenticationType",
    "LambdaAuthorizerConfig",
    "OpenIDConnectConfig",
    "UserPoolConfig",
];

/// Returns who is let in that was not; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-appsync-graphqlapi.html>.
pub(super) fn unguarded(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let believes_the_same = |one: &Value, other: &Value| {
        BELIEVED
            .iter()
            .all(|part| match (one.get(*part), other.get(*part)) {
                (Some(one), Some(other)) => same(one, other),
                (one, other) => one.is_none() && other.is_none(),
            })
    };
    let before = ways(old);
    for way in ways(new) {
        if before.iter().any(|had| believes_the_same(had, way)) {
            continue;
        }
        let kind = way.get("AuthenticationType");
        let line = match kind.map(|kind| (kind, kind.as_str())) {
            Some((_, Some("API_KEY"))) => "whoever has a key of the API calls it".to_owned(),
            Some((kind, None)) if is_unknown(kind) => {
                format!(
                    "others may be let in, as nobody knows what {} is",
                    text(kind)
                )
            }
            Some((kind, _)) => format!("who proves by {} who it is may be let in", text(kind)),
            None => continue,
        };
        found.push(line);
    }
    let is_private = |api: &Value| api.get("Visibility").and_then(Value::as_str) == Some("PRIVATE");
    if is_private(old) && !is_private(new) {
        found.push("the API is no longer private".to_owned());
    }
    found
}
