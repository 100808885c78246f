//! What Cognito has to know of each kind of provider.

use std::collections::BTreeMap;

use stack_model_cfn::Value;

use super::{IdentityProvider, OpenIdEndpoints, SamlMetadata, SamlOption};

impl IdentityProvider {
    /// Returns the name by which applications ask for it.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::OpenId(provider) => &provider.name,
            Self::Saml(provider) => &provider.name,
            // The others have the name of their kind.
            _ => self.kind(),
        }
    }

    /// Returns the word that Cognito has for the kind of provider.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Google(_) => "Google",
            Self::Facebook(_) => "Facebook",
            Self::Amazon(_) => "LoginWithAmazon",
            Self::Apple { .. } => "SignInWithApple",
            Self::OpenId(_) => "OIDC",
            Self::Saml(_) => "SAML",
        }
    }

    fn scopes(&self) -> Option<&[String]> {
        match self {
            Self::Google(social) | Self::Facebook(social) | Self::Amazon(social) => {
                Some(&social.scopes)
            }
            Self::Apple { scopes, .. } => Some(scopes),
            Self::OpenId(provider) => Some(&provider.scopes),
            Self::Saml(_) => None,
        }
    }

    /// Returns what Cognito would refuse, each with the property.
    pub(super) fn violations(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let name = self.name();
        let fits = (3..=32).contains(&name.chars().count())
            && !name.contains(|c: char| c == '_' || c.is_whitespace());
        if !fits {
            let message = format!(
                "`{name}` does not fit: a name has 3 to 32 characters without spaces and `_`"
            );
            found.push(("ProviderName", message));
        } else if name.eq_ignore_ascii_case("cognito") {
            let message = format!(
                "`{name}` is what app clients call the user pool itself: choose another name"
            );
            found.push(("ProviderName", message));
        }
        if self.scopes().is_some_and(<[String]>::is_empty) {
            let message = "say what the user is asked for, such as `email`".to_owned();
            found.push(("ProviderDetails.authorize_scopes", message));
        }
        let mut secure = |path: &'static str, url: &Value<String>| {
            if let Some(url) = url.literal().filter(|url| !url.starts_with("https://")) {
                let message = format!("`{url}` is not an address that starts with `https://`");
                found.push((path, message));
            }
        };
        match self {
            Self::OpenId(provider) => {
                secure("ProviderDetails.oidc_issuer", &provider.issuer);
                if let Some(endpoints) = &provider.endpoints {
                    for (name, url) in endpoints.entries() {
                        secure(name, url);
                    }
                }
                if !provider.scopes.is_empty() && !provider.scopes.iter().any(|it| it == "openid") {
                    let message = "a sign-in with OpenID Connect asks for `openid`".to_owned();
                    found.push(("ProviderDetails.authorize_scopes", message));
                }
            }
            Self::Saml(provider) => {
                if let SamlMetadata::Url(url) = &provider.metadata {
                    secure("ProviderDetails.MetadataURL", url);
                }
            }
            _ => {}
        }
        found
    }

    /// Returns what Cognito has to know of the provider.
    pub(super) fn details(self) -> BTreeMap<String, Value<String>> {
        // Facebook separates what it is asked for by commas, all others by spaces.
        let separator = if matches!(self, Self::Facebook(_)) {
            ","
        } else {
            " "
        };
        let scopes = self.scopes().map(|scopes| scopes.join(separator));
        let mut details: Vec<(&str, Value<String>)> = Vec::new();
        match self {
            Self::Google(social) | Self::Facebook(social) | Self::Amazon(social) => {
                details.push(("client_id", social.client_id));
                details.push(("client_secret", social.client_secret.0));
            }
            Self::Apple {
                services_id,
                team_id,
                key_id,
                private_key,
                scopes: _,
            } => {
                details.push(("client_id", services_id));
                details.push(("team_id", team_id));
                details.push(("key_id", key_id));
                details.push(("private_key", private_key.0));
            }
            Self::OpenId(provider) => {
                let method = if provider.attributes_by_post {
                    "POST"
                } else {
                    "GET"
                };
                details.push(("attributes_request_method", method.into()));
                details.push(("client_id", provider.client_id));
                details.push(("oidc_issuer", provider.issuer));
                details.extend(
                    provider
                        .client_secret
                        .map(|secret| ("client_secret", secret.0)),
                );
                if let Some(endpoints) = provider.endpoints {
                    details.push(("authorize_url", endpoints.authorize));
                    details.push(("token_url", endpoints.token));
                    details.push(("attributes_url", endpoints.attributes));
                    details.push(("jwks_uri", endpoints.keys));
                }
            }
            Self::Saml(provider) => {
                details.push(match provider.metadata {
                    SamlMetadata::Url(url) => ("MetadataURL", url),
                    SamlMetadata::Document(document) => ("MetadataFile", document),
                });
                let options = provider.options.into_iter().map(SamlOption::detail);
                details.extend(options.map(|(name, value)| (name, value.into())));
            }
        }
        details.extend(scopes.map(|scopes| ("authorize_scopes", scopes.into())));
        let details = details.into_iter();
        details
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

impl OpenIdEndpoints {
    const fn entries(&self) -> [(&'static str, &Value<String>); 4] {
        [
            ("ProviderDetails.authorize_url", &self.authorize),
            ("ProviderDetails.token_url", &self.token),
            ("ProviderDetails.attributes_url", &self.attributes),
            ("ProviderDetails.jwks_uri", &self.keys),
        ]
    }
}
