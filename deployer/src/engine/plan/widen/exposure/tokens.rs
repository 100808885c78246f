//! Whose tokens and signatures are taken, and where sign-ins lead.

use serde_json::Value;

use super::super::super::canonical::same;
use super::super::{elements, is_unknown, text};
use super::is_authorized;

/// A list of what is let in: the type, where it stands, and how a line about one that is new begins.
type Taken = (&'static str, &'static str, &'static str);

/// Lists of which each element lets somebody in; see
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-app-idp-settings.html>,
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>.
const LISTS: &[Taken] = &[
    (
        "AWS::ApiGateway::Authorizer",
        "/ProviderARNs",
        "tokens of the pool",
    ),
    (
        "AWS::ApiGatewayV2::Authorizer",
        "/JwtConfiguration/Audience",
        "tokens for the audience",
    ),
    (
        "AWS::Cognito::UserPoolClient",
        "/AllowedOAuthFlows",
        "sign-ins by the flow",
    ),
    (
        "AWS::Cognito::UserPoolClient",
        "/AllowedOAuthScopes",
        "sign-ins with the scope",
    ),
    (
        "AWS::Cognito::UserPoolClient",
        "/CallbackURLs",
        "sign-ins that return to",
    ),
    (
        "AWS::Cognito::UserPoolClient",
        "/ExplicitAuthFlows",
        "sign-ins by the flow",
    ),
    (
        "AWS::Cognito::UserPoolClient",
        "/SupportedIdentityProviders",
        "sign-ins at",
    ),
];

/// What decides whom else an authorizer believes: another value is another one who decides.
const DECIDERS: &[(&str, &str)] = &[
    ("AWS::ApiGateway::Authorizer", "/AuthorizerUri"),
    (
        "AWS::ApiGateway::Authorizer",
        "/IdentityValidationExpression",
    ),
    ("AWS::ApiGatewayV2::Authorizer", "/AuthorizerUri"),
    ("AWS::ApiGatewayV2::Authorizer", "/JwtConfiguration/Issuer"),
];

/// The flows of a client that names none; see
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPoolClient.html>.
const FLOWS: [&str; 3] = [
    "ALLOW_CUSTOM_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
    "ALLOW_USER_SRP_AUTH",
];

/// Returns whose tokens are taken that were not.
pub(super) fn unguarded(resource_type: &str, old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let lists = LISTS.iter().filter(|(of, _, _)| *of == resource_type);
    for (_, place, says) in lists {
        let by_default: &[&str] = match *place {
            "/ExplicitAuthFlows" => &FLOWS,
            "/SupportedIdentityProviders" => &["COGNITO"],
            _ => &[],
        };
        let taken = |side: &'_ Value| -> Vec<Value> {
            match side.pointer(place) {
                Some(list) => elements(Some(list)).into_iter().cloned().collect(),
                None => by_default.iter().map(|one| Value::from(*one)).collect(),
            }
        };
        let (had, has) = (taken(old), taken(new));
        let more: Vec<String> = has
            .iter()
            .filter(|one| !had.iter().any(|had| same(had, one)))
            .map(text)
            .collect();
        if !more.is_empty() {
            found.push(format!("{says} {} are taken", more.join(", ")));
        }
    }
    let deciders = DECIDERS.iter().filter(|(of, _)| *of == resource_type);
    for (_, place) in deciders {
        if let (Some(before), Some(after)) = (old.pointer(place), new.pointer(place))
            && !same(before, after)
        {
            let name = place.rsplit('/').next().unwrap_or_default();
            found.push(decides(name, after));
        }
    }
    found.extend(caller(resource_type, old, new));
    found
}

fn decides(name: &str, value: &Value) -> String {
    format!("another {name} decides who is let in: {}", text(value))
}

/// Returns that something else decides who may call a method or a route: those with a token of a pool are not those who
/// sign as principals of IAM.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-to-api.html>.
fn caller(resource_type: &str, old: &Value, new: &Value) -> Option<String> {
    let asks = ["AWS::ApiGateway::Method", "AWS::ApiGatewayV2::Route"];
    // Whether anybody is asked at all is judged besides.
    let is_asked = is_authorized(old) && is_authorized(new);
    if !asks.contains(&resource_type) || !is_asked {
        return None;
    }
    let (kind, id) = ("AuthorizationType", "AuthorizerId");
    let (before, after) = (old.get(kind)?, new.get(kind)?);
    if is_unknown(before) || is_unknown(after) {
        return None;
    }
    let authorizer = new.get(id);
    if !same(before, after) {
        let line = decides(kind, after);
        return Some(match authorizer {
            Some(authorizer) => format!("{line} by {}", text(authorizer)),
            None => line,
        });
    }
    let authorizer = authorizer?;
    (!old.get(id).is_some_and(|before| same(before, authorizer))).then(|| decides(id, authorizer))
}

/// Returns how much a pool asks for a second factor: never, of those who have one, or of everybody.
///
/// See <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa.html>.
pub(super) fn second_factor(pool: &Value) -> u8 {
    match pool.get("MfaConfiguration") {
        None => 0,
        Some(Value::String(asks)) if asks == "OFF" => 0,
        Some(Value::String(asks)) if asks == "OPTIONAL" => 1,
        // Of what nobody knows, the worst case is judged besides.
        Some(_) => 2,
    }
}
