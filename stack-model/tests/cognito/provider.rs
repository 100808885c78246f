//! Users who have an account elsewhere.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::cognito::{
    Attribute, AttributeMapping, BrowserSignIn, IdentityPoolProps, IdentityProvider,
    IdentityProviderProps, Login, OAuth, OpenIdEndpoints, OpenIdProvider, ProviderSecret,
    SamlMetadata, SamlOption, SamlProvider, SocialProvider, StandardAttribute, UserPoolClientProps,
    UserPoolProps, UserPoolRef,
};
use stack_model::iam::OidcProviderProps;
use stack_model::secretsmanager::SecretRef;
use stack_model::{Arn, Stack, Value};

use crate::support::{dev, property, resources, violations};

fn secret() -> SecretRef<String> {
    let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:providers-AbCdEf";
    SecretRef::existing(Arn::parse(arn).unwrap())
}

fn users(stack: &mut Stack<'_>) -> UserPoolRef {
    stack.user_pool(
        "Users",
        UserPoolProps {
            attributes: vec![
                Attribute::standard(StandardAttribute::Email).required(),
                Attribute::text("tenant", 1, 36),
                Attribute::text("origin", 1, 36).immutable(),
            ],
            ..UserPoolProps::default()
        },
    )
}

fn mapped() -> IdentityProviderProps {
    IdentityProviderProps {
        mapping: AttributeMapping::default()
            .standard(StandardAttribute::Email, "email")
            .custom("tenant", "tid"),
        ..IdentityProviderProps::default()
    }
}

fn social(scopes: &[&str]) -> SocialProvider {
    SocialProvider {
        client_id: "1example".into(),
        client_secret: ProviderSecret::field(&secret(), "google"),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
    }
}

/// Returns the details of one provider.
fn details(provider: IdentityProvider) -> serde_json::Value {
    property(dev(), "Provider", "ProviderDetails", |stack| {
        let users = users(stack);
        stack.identity_provider("Provider", &users, provider, mapped());
    })
}

#[test]
fn a_client_waits_for_its_providers() {
    let resources = resources(dev(), |stack| {
        let users = users(stack);
        let google = IdentityProvider::Google(social(&["openid", "email"]));
        let google = stack.identity_provider("Google", &users, google, mapped());
        stack.user_pool_client(
            "Web",
            &users,
            UserPoolClientProps {
                oauth: Some(OAuth::Browser(BrowserSignIn {
                    providers: vec![(&google).into()],
                    ..BrowserSignIn::to("https://example.com")
                })),
                write_attributes: vec!["email".to_owned(), "custom:tenant".to_owned()],
                ..UserPoolClientProps::default()
            },
        );
    });
    assert_json_snapshot!(resources["Google"], @r#"
    {
      "Properties": {
        "AttributeMapping": {
          "custom:tenant": "tid",
          "email": "email"
        },
        "ProviderDetails": {
          "authorize_scopes": "openid email",
          "client_id": "1example",
          "client_secret": "{{resolve:secretsmanager:arn:aws:secretsmanager:eu-central-1:123456789012:secret:providers-AbCdEf:SecretString:google}}"
        },
        "ProviderName": "Google",
        "ProviderType": "Google",
        "UserPoolId": {
          "Ref": "Users"
        }
      },
      "Type": "AWS::Cognito::UserPoolIdentityProvider"
    }
    "#);
    assert_eq!(resources["Web"]["DependsOn"], json!(["Google"]));
    assert_eq!(
        resources["Web"]["Properties"]["SupportedIdentityProviders"],
        json!(["COGNITO", "Google"])
    );
}

/// The details are those of
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateIdentityProvider.html>.
#[test]
fn every_kind_of_provider_has_its_details() {
    let secret = "{{resolve:secretsmanager:arn:aws:secretsmanager:eu-central-1:123456789012:secret:providers-AbCdEf:SecretString:google}}";
    let whole = "{{resolve:secretsmanager:arn:aws:secretsmanager:eu-central-1:123456789012:secret:providers-AbCdEf:SecretString:}}";
    let facebook = IdentityProvider::Facebook(social(&["public_profile", "email"]));
    assert_eq!(
        details(facebook),
        json!({
            "authorize_scopes": "public_profile,email", "client_id": "1example", "client_secret": secret
        })
    );
    let apple = IdentityProvider::Apple {
        services_id: "com.example".into(),
        team_id: "TEAM123456".into(),
        key_id: "KEY1234567".into(),
        private_key: ProviderSecret::of(&self::secret()),
        scopes: vec!["name".to_owned(), "email".to_owned()],
    };
    assert_eq!(
        details(apple),
        json!({
            "authorize_scopes": "name email", "client_id": "com.example", "key_id": "KEY1234567",
            "private_key": whole, "team_id": "TEAM123456"
        })
    );
    let url = |path: &str| Value::from(format!("https://auth.example.com/{path}").as_str());
    let openid = IdentityProvider::OpenId(OpenIdProvider {
        attributes_by_post: true,
        endpoints: Some(OpenIdEndpoints {
            authorize: url("authorize"),
            token: url("token"),
            attributes: url("userInfo"),
            keys: url("jwks.json"),
        }),
        ..OpenIdProvider::new("Example", "https://auth.example.com", "1example")
    });
    assert_eq!(
        details(openid),
        json!({
            "attributes_request_method": "POST", "attributes_url": "https://auth.example.com/userInfo",
            "authorize_scopes": "openid", "authorize_url": "https://auth.example.com/authorize",
            "client_id": "1example", "jwks_uri": "https://auth.example.com/jwks.json",
            "oidc_issuer": "https://auth.example.com", "token_url": "https://auth.example.com/token"
        })
    );
    let saml = IdentityProvider::Saml(SamlProvider {
        options: [
            SamlOption::SignOut,
            SamlOption::EncryptedAnswers,
            SamlOption::SignedRequests,
        ]
        .into(),
        ..SamlProvider::new("Example", SamlMetadata::Url(url("metadata")))
    });
    assert_eq!(
        details(saml),
        json!({
            "EncryptedResponses": "true", "IDPSignout": "true",
            "MetadataURL": "https://auth.example.com/metadata", "RequestSigningAlgorithm": "rsa-sha256"
        })
    );
}

#[test]
fn what_a_sign_in_could_not_write_is_reported() {
    let found = violations(dev(), |stack| {
        let users = users(stack);
        let amazon = IdentityProvider::Amazon(social(&[]));
        let props = IdentityProviderProps {
            mapping: AttributeMapping::default()
                .username("user_id")
                .custom("colour", "colour")
                .custom("origin", "origin"),
            ..IdentityProviderProps::default()
        };
        let amazon = stack.identity_provider("Amazon", &users, amazon, props);
        let openid = OpenIdProvider {
            scopes: vec!["email".to_owned()],
            ..OpenIdProvider::new("my_own", "http://auth.example.com", "1example")
        };
        let openid = IdentityProvider::OpenId(openid);
        stack.identity_provider("Own", &users, openid, mapped());
        let sign_in = || BrowserSignIn {
            providers: vec![(&amazon).into()],
            ..BrowserSignIn::to("https://example.com")
        };
        let props = || UserPoolClientProps {
            oauth: Some(OAuth::Browser(sign_in())),
            ..UserPoolClientProps::default()
        };
        stack.user_pool_client("Web", &users, props());
        let others = stack.user_pool("Others", UserPoolProps::default());
        let mut strange = props();
        strange.write_attributes = vec!["custom:colour".to_owned(), "custom:origin".to_owned()];
        stack.user_pool_client("Strange", &others, strange);
    });
    let path = "Properties.ProviderDetails";
    assert_eq!(
        found,
        [
            format!("Amazon / {path}.authorize_scopes: say what the user is asked for, such as `email`"),
            "Amazon / Properties.AttributeMapping.custom:colour: the user pool has no attribute `custom:colour`: add it to `attributes` of the pool".to_owned(),
            "Amazon / Properties.AttributeMapping.custom:origin: `custom:origin` can never be changed, and a sign-in writes what is mapped each time: leave it out, or make it mutable".to_owned(),
            "Amazon / Properties.AttributeMapping: the user pool requires `email`, and nobody could sign up without it: map it to an attribute of the provider".to_owned(),
            "Own / Properties.ProviderName: `my_own` does not fit: a name has 3 to 32 characters without spaces and `_`".to_owned(),
            format!("Own / {path}.oidc_issuer: `http://auth.example.com` is not an address that starts with `https://`"),
            format!("Own / {path}.authorize_scopes: a sign-in with OpenID Connect asks for `openid`"),
            "Web / Properties.WriteAttributes: a sign-in by an identity provider writes `custom:colour`, and the application may not write it: add it".to_owned(),
            "Web / Properties.WriteAttributes: a sign-in by an identity provider writes `custom:origin`, and the application may not write it: add it".to_owned(),
            "Strange / Properties.SupportedIdentityProviders: the identity provider `LoginWithAmazon` is one of another user pool".to_owned(),
            "Strange / Properties.WriteAttributes.0: the user pool has no attribute `custom:colour`: add it to `attributes` of the pool".to_owned(),
            "Strange / Properties.WriteAttributes.1: the user pool has no attribute `custom:origin`: add it to `attributes` of the pool".to_owned(),
        ]
        .map(|text| format!("orders / {text}"))
    );
}

#[test]
fn an_identity_pool_takes_users_of_other_providers() {
    let properties = resources(dev(), |stack| {
        let builds = OidcProviderProps::new("https://auth.example.com", "orders");
        let openid = stack.oidc_provider("OpenId", builds);
        let saml = Arn::parse("arn:aws:iam::123456789012:saml-provider/example").unwrap();
        stack.identity_pool(
            "Identities",
            IdentityPoolProps {
                openid: vec![openid.arn()],
                saml: vec![saml.into()],
                logins: [(Login::Google, "1example".into())].into(),
                ..IdentityPoolProps::default()
            },
        );
    })["Identities"]["Properties"]
        .take();
    assert_eq!(
        properties,
        json!({
            "AllowUnauthenticatedIdentities": false,
            "OpenIdConnectProviderARNs": [{"Ref": "OpenId"}],
            "SamlProviderARNs": ["arn:aws:iam::123456789012:saml-provider/example"],
            "SupportedLoginProviders": {"accounts.google.com": "1example"},
        })
    );
}
