//! The secret of a provider, written into the template.

use stack_model::cognito::SocialProvider;

fn google() -> SocialProvider {
    SocialProvider {
        client_id: "1example".into(),
        client_secret: "provider-app-client-secret".into(),
        scopes: vec!["openid".to_owned()],
    }
}

fn main() {}
