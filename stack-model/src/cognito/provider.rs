//! Where users come from who have an account elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;

use stack_model_cfn::cognito as cfn;
use stack_model_cfn::{Property, ResourceId, Value};

use super::UserPoolRef;
use super::attribute::StandardAttribute;
use crate::handle::Handle;
use crate::resource::Resource;
use crate::secretsmanager::SecretRef;
use crate::stack::Stack;

mod details;

/// An identity provider outside the user pool: a company's own, or one that everybody has an account with.
///
/// The keys of each are those of
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateIdentityProvider.html>.
#[derive(Clone, Debug, PartialEq)]
pub enum IdentityProvider {
    /// `Google`.
    Google(SocialProvider),
    /// `Facebook`.
    Facebook(SocialProvider),
    /// `LoginWithAmazon`.
    Amazon(SocialProvider),
    /// `SignInWithApple`.
    Apple {
        /// The id of the service, such as `com.example.orders`.
        services_id: Value<String>,
        /// The id of the team, 10 characters.
        team_id: Value<String>,
        /// The id of the key.
        key_id: Value<String>,
        /// The key itself.
        private_key: ProviderSecret,
        /// What the user is asked for: `name` and `email`.
        scopes: Vec<String>,
    },
    /// Any provider that speaks `OpenID` Connect.
    OpenId(OpenIdProvider),
    /// A provider that speaks SAML 2.0.
    Saml(SamlProvider),
}

/// A provider that everybody has an account with.
#[derive(Clone, Debug, PartialEq)]
pub struct SocialProvider {
    /// The id that the provider gave the application.
    pub client_id: Value<String>,
    /// The secret that the provider gave the application.
    pub client_secret: ProviderSecret,
    /// What the user is asked for, in the provider's words: `openid email profile` of Google, `public_profile email` of
    /// Facebook, `profile postal_code` of Amazon.
    pub scopes: Vec<String>,
}

/// A provider that speaks `OpenID` Connect.
///
/// See <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-oidc-idp.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenIdProvider {
    /// The name by which applications ask for it: 3 to 32 characters without spaces and `_`.
    pub name: String,
    /// The URL of the issuer, under which the other addresses are found.
    pub issuer: Value<String>,
    /// The id that the provider gave the application.
    pub client_id: Value<String>,
    /// The secret that the provider gave the application, where it gave one.
    pub client_secret: Option<ProviderSecret>,
    /// What the user is asked for; `openid` has to be among it.
    pub scopes: Vec<String>,
    /// Whether attributes are asked for with `POST`; with `GET` by default.
    pub attributes_by_post: bool,
    /// The addresses of a provider whose issuer does not tell them.
    pub endpoints: Option<OpenIdEndpoints>,
}

impl OpenIdProvider {
    /// A provider whose issuer tells its addresses, without a secret, asked for `openid`.
    pub fn new(
        name: impl Into<String>,
        issuer: impl Into<Value<String>>,
        client_id: impl Into<Value<String>>,
    ) -> Self {
        Self {
            name: name.into(),
            issuer: issuer.into(),
            client_id: client_id.into(),
            client_secret: None,
            scopes: vec!["openid".to_owned()],
            attributes_by_post: false,
            endpoints: None,
        }
    }
}

/// The addresses of a provider that speaks `OpenID` Connect.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenIdEndpoints {
    /// Where users sign in.
    pub authorize: Value<String>,
    /// Where codes are changed into tokens.
    pub token: Value<String>,
    /// Where attributes are read.
    pub attributes: Value<String>,
    /// Where the keys of tokens are published.
    pub keys: Value<String>,
}

/// A provider that speaks SAML 2.0.
///
/// See <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-saml-idp.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct SamlProvider {
    /// The name by which applications ask for it: 3 to 32 characters without spaces and `_`.
    pub name: String,
    /// What the provider says of itself.
    pub metadata: SamlMetadata,
    /// What is asked of the provider besides; nothing by default.
    pub options: BTreeSet<SamlOption>,
}

impl SamlProvider {
    /// A provider of which nothing more than its metadata is asked.
    pub fn new(name: impl Into<String>, metadata: SamlMetadata) -> Self {
        Self {
            name: name.into(),
            metadata,
            options: BTreeSet::new(),
        }
    }
}

/// What is asked of a SAML provider besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SamlOption {
    /// Users who sign out are signed out at the provider, too.
    SignOut,
    /// Its answers have to be encrypted.
    EncryptedAnswers,
    /// Requests to it are signed, with `rsa-sha256`.
    SignedRequests,
    /// Users may start at the provider. Its answer is then one that nobody asked for, which is easier to forge.
    StartedThere,
}

impl SamlOption {
    const fn detail(self) -> (&'static str, &'static str) {
        match self {
            Self::SignOut => ("IDPSignout", "true"),
            Self::EncryptedAnswers => ("EncryptedResponses", "true"),
            Self::SignedRequests => ("RequestSigningAlgorithm", "rsa-sha256"),
            Self::StartedThere => ("IDPInit", "true"),
        }
    }
}

/// What a SAML provider says of itself.
#[derive(Clone, Debug, PartialEq)]
pub enum SamlMetadata {
    /// At an address, `https://`, which Cognito reads again from time to time.
    Url(Value<String>),
    /// In a document, which is to be changed here when the provider's certificate does.
    Document(Value<String>),
}

/// A secret that a provider gave the application: what a secret of Secrets Manager holds, read while the stack is
/// deployed. A text is none, so that no secret stands in a template.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderSecret(Value<String>);

impl ProviderSecret {
    /// The whole value of a secret.
    pub fn of<T>(secret: &SecretRef<T>) -> Self {
        Self(secret.value())
    }

    /// One field of a secret that is a JSON object.
    pub fn field<T>(secret: &SecretRef<T>, key: impl Into<String>) -> Self {
        Self(secret.field(key))
    }
}

/// Which attribute of the user pool is filled with which of the provider. They are written at each sign-in.
///
/// ```
/// use stack_model::cognito::{AttributeMapping, StandardAttribute};
///
/// let mapping = AttributeMapping::default()
///     .standard(StandardAttribute::Email, "email")
///     .custom("tenant", "tid");
/// # assert_ne!(mapping, AttributeMapping::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributeMapping(BTreeMap<String, String>);

impl AttributeMapping {
    /// Fills an attribute that every pool has.
    #[must_use]
    pub fn standard(mut self, attribute: StandardAttribute, from: impl Into<String>) -> Self {
        self.0.insert(attribute.name().to_owned(), from.into());
        self
    }

    /// Fills an attribute of the pool's own, named without the `custom:`.
    #[must_use]
    pub fn custom(mut self, attribute: &str, from: impl Into<String>) -> Self {
        self.0.insert(format!("custom:{attribute}"), from.into());
        self
    }

    /// Tells users apart by an attribute of the provider; by `sub`, and by the `NameID` of SAML, by default.
    #[must_use]
    pub fn username(mut self, from: impl Into<String>) -> Self {
        self.0.insert(USERNAME.to_owned(), from.into());
        self
    }
}

/// What a mapping calls the name of the user, which is no attribute.
const USERNAME: &str = "username";

/// What an identity provider of a user pool is made of, beyond the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityProviderProps {
    /// What of the provider's attributes the pool keeps. All that the pool requires have to be among them.
    pub mapping: AttributeMapping,
    /// Other names by which applications ask for the provider, at most 50, such as the domain of a company.
    pub identifiers: Vec<String>,
}

/// The handle of an identity provider of a user pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProviderRef {
    id: ResourceId,
    name: String,
    pool: ResourceId,
    /// The attributes of the pool that it fills.
    fills: BTreeSet<String>,
}

impl IdentityProviderRef {
    /// Returns the name by which applications ask for the provider, such as `Google`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Handle for IdentityProviderRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// An identity provider that users of an app client come from. The client waits for one of this app: Cognito refuses a
/// client of providers that are not there yet.
#[derive(Clone, Debug, PartialEq)]
pub struct SignInProvider {
    pub(super) name: Value<String>,
    pub(super) made: Option<IdentityProviderRef>,
}

impl SignInProvider {
    /// Stands for a provider of a pool that somebody else keeps, by its name.
    pub fn existing(name: impl Into<Value<String>>) -> Self {
        Self {
            name: name.into(),
            made: None,
        }
    }

    /// Returns the attributes of the pool that the provider fills.
    pub(super) fn fills(&self) -> impl Iterator<Item = &str> {
        let made = self.made.iter();
        made.flat_map(|made| made.fills.iter().map(String::as_str))
    }

    /// Returns whether the provider is one of another pool.
    pub(super) fn is_strange(&self, pool: &UserPoolRef) -> bool {
        let made = self.made.as_ref();
        made.is_some_and(|made| made.pool != *pool.resource_id())
    }
}

impl From<&IdentityProviderRef> for SignInProvider {
    fn from(provider: &IdentityProviderRef) -> Self {
        Self {
            name: provider.name.as_str().into(),
            made: Some(provider.clone()),
        }
    }
}

impl Stack<'_> {
    /// Lets users come to a user pool who have an account elsewhere. An app client lets them in that names the provider
    /// in [`BrowserSignIn::providers`](super::BrowserSignIn::providers), and the pool needs a
    /// [domain](Stack::user_pool_domain).
    ///
    /// ```
    /// use stack_model::cognito::{
    ///     AttributeMapping, BrowserSignIn, IdentityProvider, IdentityProviderProps, ManagedLogin, OAuth,
    ///     ProviderSecret, SocialProvider, StandardAttribute, UserPoolClientProps, UserPoolDomain, UserPoolProps,
    /// };
    /// use stack_model::Arn;
    /// use stack_model::secretsmanager::SecretRef;
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("photos");
    ///
    /// let users = stack.user_pool("Users", UserPoolProps::default());
    /// stack.user_pool_domain("Pages", &users, UserPoolDomain::Prefix("photos-dev".into()), ManagedLogin::Classic);
    /// let arn = Arn::parse("arn:aws:secretsmanager:us-east-1:123456789012:secret:google-AbCdEf")?;
    /// let secret = SecretRef::<String>::existing(arn);
    /// let google = stack.identity_provider(
    ///     "Google",
    ///     &users,
    ///     IdentityProvider::Google(SocialProvider {
    ///         client_id: "1example23456789.apps.googleusercontent.com".into(),
    ///         client_secret: ProviderSecret::of(&secret),
    ///         scopes: vec!["openid".to_owned(), "email".to_owned()],
    ///     }),
    ///     IdentityProviderProps {
    ///         mapping: AttributeMapping::default().standard(StandardAttribute::Email, "email"),
    ///         ..IdentityProviderProps::default()
    ///     },
    /// );
    /// stack.user_pool_client("Web", &users, UserPoolClientProps {
    ///     oauth: Some(OAuth::Browser(BrowserSignIn {
    ///         providers: vec![(&google).into()],
    ///         ..BrowserSignIn::to("https://photos.example.com")
    ///     })),
    ///     ..UserPoolClientProps::default()
    /// });
    /// # app.synth().unwrap();
    /// # Ok::<(), stack_model::ArnError>(())
    /// ```
    ///
    /// The secret has to hold its value before the stack is deployed that reads it: keep it in a stack of its own, or
    /// name one with [`SecretRef::existing`].
    #[track_caller]
    pub fn identity_provider(
        &mut self,
        logical_id: &str,
        pool: &UserPoolRef,
        provider: IdentityProvider,
        props: IdentityProviderProps,
    ) -> IdentityProviderRef {
        let source = Location::caller();
        for (path, message) in provider.violations() {
            let path = format!("Properties.{path}");
            self.report(logical_id, Some(&path), message, source);
        }
        self.check_mapping(logical_id, pool, &props.mapping, source);
        let name = provider.name().to_owned();
        let fills = props.mapping.0.keys().filter(|name| *name != USERNAME);
        let fills = fills.cloned().collect();
        let mapping = props.mapping.0.into_iter();
        let mapping: BTreeMap<String, Value<String>> =
            mapping.map(|(name, from)| (name, from.into())).collect();
        let rendered = cfn::UserPoolIdentityProvider {
            attribute_mapping: if mapping.is_empty() {
                Property::Absent
            } else {
                Property::Literal(mapping)
            },
            idp_identifiers: super::pool::some(props.identifiers).into(),
            provider_name: name.as_str().into(),
            provider_type: provider.kind().into(),
            provider_details: Property::Literal(provider.details()),
            user_pool_id: pool.id().into(),
        };
        IdentityProviderRef {
            id: self.insert(logical_id, Resource::of(&rendered, source)).id,
            name,
            pool: pool.resource_id().clone(),
            fills,
        }
    }

    /// Reports attributes that a sign-in could not write, or would lack; see
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-specifying-attribute-mapping.html>.
    fn check_mapping(
        &mut self,
        id: &str,
        pool: &UserPoolRef,
        mapping: &AttributeMapping,
        source: &Location<'_>,
    ) {
        let Some(schema) = self.schema_of(pool) else {
            return;
        };
        for name in mapping.0.keys().filter(|name| *name != USERNAME) {
            let path = format!("Properties.AttributeMapping.{name}");
            if let Some(message) = schema.unknown(name) {
                self.report(id, Some(&path), message, source);
            } else if !schema.is_mutable(name) {
                let message = format!(
                    "`{name}` can never be changed, and a sign-in writes what is mapped each time: leave it out, or make it mutable"
                );
                self.report(id, Some(&path), message, source);
            }
        }
        let missing: Vec<String> = schema
            .required()
            .filter(|name| !mapping.0.contains_key(*name))
            .map(str::to_owned)
            .collect();
        for name in missing {
            let message = format!(
                "the user pool requires `{name}`, and nobody could sign up without it: map it to an attribute of the provider"
            );
            let path = Some("Properties.AttributeMapping");
            self.report(id, path, message, source);
        }
    }
}
