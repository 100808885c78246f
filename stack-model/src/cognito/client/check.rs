//! What Cognito would refuse about an app client.

use std::panic::Location;

use super::super::schema::{Schema, is_read_only};
use super::super::{UserPoolRef, url};
use super::{BrowserSignIn, OAuth, Refresh, Scope, UserPoolClientProps, Validity};
use crate::stack::Stack;

/// How long AWS makes access and identity tokens valid where nothing is said, in seconds.
const DEFAULT_TOKEN: u64 = 3600;

/// How long AWS makes refresh tokens valid where nothing is said, in seconds.
const DEFAULT_REFRESH: u64 = 30 * 86_400;

impl Stack<'_> {
    /// Reports what Cognito would refuse.
    pub(super) fn check_client(
        &mut self,
        id: &str,
        pool: &UserPoolRef,
        props: &UserPoolClientProps,
        source: &Location<'_>,
    ) {
        self.check_attributes(id, pool, props, source);
        self.check_limit(id, "Properties.AuthSessionValidity", props.session, source);
        if let Refresh::Rotated { grace } = props.refresh {
            let path = "Properties.RefreshTokenRotation.RetryGracePeriodSeconds";
            self.check_limit(id, path, Some(grace), source);
        }
        self.check_validity(id, props, source);
        for scope in props.oauth.iter().flat_map(OAuth::scopes) {
            if let Scope::Custom(scope) = scope
                && !scope.known
            {
                let message = format!("the resource server has no scope `{}`", scope.name);
                let path = "Properties.AllowedOAuthScopes";
                self.report(id, Some(path), message, source);
            }
        }
        match &props.oauth {
            None => {}
            Some(OAuth::Machine { scopes }) => {
                if !props.secret {
                    let message =
                        "an application gets tokens for itself with its secret: set `secret`";
                    self.report(id, Some("Properties.GenerateSecret"), message, source);
                }
                let path = "Properties.AllowedOAuthScopes";
                if scopes.is_empty() {
                    let message = "an application that gets tokens for itself needs scopes of a resource server";
                    self.report(id, Some(path), message, source);
                }
                for scope in scopes {
                    if !matches!(scope, Scope::Custom(_)) {
                        let message = format!(
                            "`{}` is about a user, and an application that gets tokens for itself has none",
                            scope.name()
                        );
                        self.report(id, Some(path), message, source);
                    }
                }
            }
            Some(OAuth::Browser(browser)) => self.check_browser(id, browser, source),
        }
    }

    /// Reports attributes that the pool does not have, and those that the application has to write; see
    /// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html>,
    /// under `WriteAttributes`.
    fn check_attributes(
        &mut self,
        id: &str,
        pool: &UserPoolRef,
        props: &UserPoolClientProps,
        source: &Location<'_>,
    ) {
        let providers = props.oauth.iter().flat_map(OAuth::providers);
        for provider in providers.clone().filter(|it| it.is_strange(pool)) {
            let name = provider.name.literal().map_or("it", String::as_str);
            let message = format!("the identity provider `{name}` is one of another user pool");
            let path = "Properties.SupportedIdentityProviders";
            self.report(id, Some(path), message, source);
        }
        let schema = self.schema_of(pool);
        for (path, names) in [
            ("Properties.ReadAttributes", &props.read_attributes),
            ("Properties.WriteAttributes", &props.write_attributes),
        ] {
            for (position, name) in names.iter().enumerate() {
                let message = if is_read_only(name) {
                    let writes = path == "Properties.WriteAttributes";
                    writes.then(|| format!("`{name}` is written by Cognito alone"))
                } else {
                    schema.as_ref().and_then(|schema| schema.unknown(name))
                };
                if let Some(message) = message {
                    self.report(id, Some(&format!("{path}.{position}")), message, source);
                }
            }
        }
        let writes = |name: &str| props.write_attributes.iter().any(|it| it == name);
        let path = "Properties.WriteAttributes";
        if !props.write_attributes.is_empty() {
            let required = schema.iter().flat_map(Schema::required);
            let missing: Vec<String> = required
                .filter(|name| !writes(name))
                .map(str::to_owned)
                .collect();
            for name in missing {
                let message = format!(
                    "the user pool requires `{name}`, and nobody could sign up by an application that may not write it: add it"
                );
                self.report(id, Some(path), message, source);
            }
        }
        for provider in providers {
            for name in provider.fills() {
                // Without a list the application writes the attributes that every pool has.
                let is_written = if props.write_attributes.is_empty() {
                    !name.starts_with("custom:")
                } else {
                    writes(name)
                };
                if !is_written {
                    let message = format!(
                        "a sign-in by an identity provider writes `{name}`, and the application may not write it: add it"
                    );
                    self.report(id, Some(path), message, source);
                }
            }
        }
    }

    fn check_browser(&mut self, id: &str, browser: &BrowserSignIn, source: &Location<'_>) {
        let path = "Properties.AllowedOAuthScopes";
        let about_user = [Scope::Email, Scope::Phone, Scope::Profile];
        if let Some(scope) = browser
            .scopes
            .iter()
            .find(|scope| about_user.contains(scope))
            && !browser.scopes.contains(&Scope::OpenId)
        {
            let message = format!("the scope `{}` needs `openid` besides", scope.name());
            self.report(id, Some(path), message, source);
        }
        if browser.scopes.is_empty() {
            let message = "a sign-in needs a scope: `openid` says who the user is";
            self.report(id, Some(path), message, source);
        }
        let path = "Properties.CallbackURLs";
        if browser.callback_urls.is_empty() {
            let message = "the browser has to be sent back somewhere";
            self.report(id, Some(path), message, source);
        }
        for (path, urls) in [
            (path, &browser.callback_urls),
            ("Properties.LogoutURLs", &browser.logout_urls),
        ] {
            for (position, address) in urls.iter().enumerate() {
                if let Some(message) = address
                    .literal()
                    .and_then(|address| url::violation(address))
                {
                    self.report(id, Some(&format!("{path}.{position}")), message, source);
                }
            }
        }
    }

    /// Reports tokens that are valid too shortly or too long; see
    /// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html>.
    fn check_validity(&mut self, id: &str, props: &UserPoolClientProps, source: &Location<'_>) {
        let refresh = props
            .refresh_token
            .map_or(DEFAULT_REFRESH, Validity::seconds);
        let path = "Properties.RefreshTokenValidity";
        if props.refresh_token.is_some() && !(3600..=315_360_000).contains(&refresh) {
            let message = "a refresh token is valid for an hour to ten years";
            self.report(id, Some(path), message, source);
        }
        for (path, validity) in [
            ("Properties.AccessTokenValidity", props.access_token),
            ("Properties.IdTokenValidity", props.id_token),
        ] {
            let seconds = validity.map_or(DEFAULT_TOKEN, Validity::seconds);
            if validity.is_some() && !(300..=86_400).contains(&seconds) {
                let message = "the token is valid for five minutes to a day";
                self.report(id, Some(path), message, source);
            } else if seconds > refresh {
                let message = "the token would be valid longer than the refresh token";
                self.report(id, Some(path), message, source);
            }
        }
    }
}
