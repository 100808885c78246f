//! Whose tokens and signatures are taken, and where sign-ins lead.

use serde_json::Value;

use super::super::super::canonical::same;
use super::super::{elements, text};

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
    ("AWS::ApiGateway::Method", "/AuthorizerId"),
    ("AWS::ApiGatewayV2::Authorizer", "/AuthorizerUri"),
    ("AWS::ApiGatewayV2::Authorizer", "/JwtConfiguration/Issuer"),
    ("AWS::ApiGatewayV2::Route", "/AuthorizerId"),
];

/// The flows of a client that names none.
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
        let had = old.pointer(place);
        let by_default: &[&str] = match *place {
            _ if had.is_some() => &[],
            "/ExplicitAuthFlows" => &FLOWS,
            "/SupportedIdentityProviders" => &["COGNITO"],
            _ => &[],
        };
        let had = elements(had);
        let more: Vec<String> = elements(new.pointer(place))
            .into_iter()
            .filter(|one| !had.iter().any(|had| same(had, one)))
            .map(text)
            .filter(|one| !by_default.contains(&one.as_str()))
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
            found.push(format!(
                "another {name} decides who is let in: {}",
                text(after)
            ));
        }
    }
    found
}
