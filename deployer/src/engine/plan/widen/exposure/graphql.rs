//! Who may call an API of AppSync.

use serde_json::Value;

use super::super::super::canonical::alike;
use super::super::{elements, is_unknown, text};

/// The ways in which callers prove who they are: the one that is asked for first, and the others.
fn ways(api: &Value) -> Vec<&Value> {
    // What is beside them, such as tags, decides nothing here.
    let first = api.get("AuthenticationType").map(|_| api);
    let others = elements(api.get("AdditionalAuthenticationProviders"));
    first.into_iter().chain(others).collect()
}

/// What of a configuration decides whom it believes.
struct Believed {
    name: &'static str,
    /// Who says who calls.
    who: &'static str,
    /// What has to match besides, where it is there.
    narrowing: &'static str,
    /// For how long what was said once is believed.
    times: &'static [&'static str],
    /// What such a time is where nothing is said.
    unsaid: f64,
}

/// The configurations of ways; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-appsync-graphqlapi-userpoolconfig.html>,
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-appsync-graphqlapi-openidconnectconfig.html> and
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-appsync-graphqlapi-lambdaauthorizerconfig.html>.
const BELIEVED: [Believed; 3] = [
    Believed {
        name: "LambdaAuthorizerConfig",
        who: "AuthorizerUri",
        narrowing: "IdentityValidationExpression",
        times: &["AuthorizerResultTtlInSeconds"],
        unsaid: 0.0,
    },
    Believed {
        name: "OpenIDConnectConfig",
        who: "Issuer",
        narrowing: "ClientId",
        times: &["AuthTTL", "IatTTL"],
        unsaid: f64::INFINITY,
    },
    Believed {
        name: "UserPoolConfig",
        who: "UserPoolId",
        narrowing: "AppIdClientRegex",
        times: &[],
        unsaid: 0.0,
    },
];

impl Believed {
    /// Returns whether a configuration lets in nobody whom an earlier one did not.
    fn is_within(&self, before: &Value, after: &Value) -> bool {
        let (narrowed, narrows) = (before.get(self.narrowing), after.get(self.narrowing));
        let (answered, answers) = (before.get("DefaultAction"), after.get("DefaultAction"));
        let mut times = self.times.iter();
        alike(before.get(self.who), after.get(self.who))
            && (narrowed.is_none() || alike(narrowed, narrows))
            && (answers.and_then(Value::as_str) == Some("DENY") || alike(answered, answers))
            && times.all(|name| no_longer(before.get(name), after.get(name), self.unsaid))
    }
}

/// Returns whether a time is no longer than before. Where nothing is said, or nothing at all, it is `unsaid`.
fn no_longer(before: Option<&Value>, after: Option<&Value>, unsaid: f64) -> bool {
    let limit = |time: Option<&Value>| {
        let time = match time {
            None => Some(unsaid),
            Some(Value::String(text)) => text.parse().ok(),
            Some(time) => time.as_f64(),
        };
        time.map(|time| if time > 0.0 { time } else { unsaid })
    };
    let shorter = match (limit(before), limit(after)) {
        (Some(before), Some(after)) => after <= before,
        _ => false,
    };
    shorter || alike(before, after)
}

/// Returns whether a way lets in nobody whom an earlier one did not.
fn is_within(before: &Value, after: &Value) -> bool {
    alike(
        before.get("AuthenticationType"),
        after.get("AuthenticationType"),
    ) && BELIEVED.iter().all(|config| {
        let sides = (before.get(config.name), after.get(config.name));
        match sides {
            (Some(before), Some(after)) if !is_unknown(before) && !is_unknown(after) => {
                config.is_within(before, after)
            }
            (before, after) => alike(before, after),
        }
    })
}

/// Returns who is let in that was not; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-appsync-graphqlapi.html>.
pub(super) fn unguarded(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let before = ways(old);
    for way in ways(new) {
        if before.iter().any(|had| is_within(had, way)) {
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
