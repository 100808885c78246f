//! What applications do over the domain of a user pool.

use stack_model_cfn::{ResourceId, Value};

use super::super::provider::SignInProvider;

/// What an application may do over the pool's domain.
#[derive(Clone, Debug, PartialEq)]
pub enum OAuth {
    /// Users sign in in a browser, which is then sent back.
    Browser(BrowserSignIn),
    /// The application itself gets tokens with its secret, for scopes of resource servers.
    Machine {
        /// What the tokens are good for.
        scopes: Vec<Scope>,
    },
}

/// How users sign in in a browser.
#[derive(Clone, Debug, PartialEq)]
pub struct BrowserSignIn {
    /// Where the browser is sent back to, at most 100: `https://`, a scheme of an app, or `http://` on localhost.
    pub callback_urls: Vec<Value<String>>,
    /// Where the browser is sent after signing out, at most 100.
    pub logout_urls: Vec<Value<String>>,
    /// What the tokens are good for.
    pub scopes: Vec<Scope>,
    /// Whether tokens may stand in the address that the browser is sent to, where they end up in its history. Only old
    /// applications that cannot exchange a code need it.
    pub implicit: bool,
    /// The identity providers that users may come from besides the pool itself.
    pub providers: Vec<SignInProvider>,
}

impl BrowserSignIn {
    /// Users sign in with a code that is sent to one address, for tokens that say who they are.
    pub fn to(callback_url: impl Into<Value<String>>) -> Self {
        Self {
            callback_urls: vec![callback_url.into()],
            logout_urls: Vec::new(),
            scopes: vec![Scope::OpenId],
            implicit: false,
            providers: Vec::new(),
        }
    }
}

/// What a token is good for. Without [`OpenId`](Self::OpenId) there is no ID token, and nothing for the scopes to say
/// that are about the user; see <https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html>.
#[derive(Clone, Debug, PartialEq)]
pub enum Scope {
    /// `openid`: it says who the user is.
    OpenId,
    /// `email`: it says the user's mail address. Needs `openid`.
    Email,
    /// `phone`: it says the user's number. Needs `openid`.
    Phone,
    /// `profile`: it says every attribute that the application can read. Needs `openid`.
    Profile,
    /// `aws.cognito.signin.user.admin`: the user may change the account itself.
    UserAdmin,
    /// A scope of a resource server, as [`ResourceServerRef::scope`](super::super::ResourceServerRef::scope) makes it.
    Custom(ResourceScope),
}

/// A scope of a resource server.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceScope {
    pub(super) name: String,
    server: Option<ResourceId>,
    pub(super) known: bool,
}

impl ResourceScope {
    /// Stands for a scope of a resource server that somebody else keeps: the identifier of the server and the name of
    /// the scope, with a `/` between them.
    pub fn existing(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            server: None,
            known: true,
        }
    }

    pub(in crate::cognito) fn of(server: &ResourceId, name: String, known: bool) -> Self {
        Self {
            name,
            server: Some(server.clone()),
            known,
        }
    }
}

impl Scope {
    /// Returns the name that tokens hold.
    pub fn name(&self) -> &str {
        match self {
            Self::OpenId => "openid",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Profile => "profile",
            Self::UserAdmin => "aws.cognito.signin.user.admin",
            Self::Custom(scope) => &scope.name,
        }
    }
}

impl OAuth {
    /// Returns the identity providers that users may come from besides the pool itself.
    pub(super) fn providers(&self) -> &[SignInProvider] {
        match self {
            Self::Browser(browser) => &browser.providers,
            Self::Machine { .. } => &[],
        }
    }

    pub(super) fn scopes(&self) -> &[Scope] {
        match self {
            Self::Browser(browser) => &browser.scopes,
            Self::Machine { scopes } => scopes,
        }
    }

    pub(super) fn servers(&self) -> impl Iterator<Item = ResourceId> {
        self.scopes().iter().filter_map(|scope| match scope {
            Scope::Custom(scope) => scope.server.clone(),
            _ => None,
        })
    }

    pub(super) fn flows(&self) -> Vec<String> {
        let flows: &[&str] = match self {
            Self::Machine { .. } => &["client_credentials"],
            Self::Browser(browser) if browser.implicit => &["code", "implicit"],
            Self::Browser(_) => &["code"],
        };
        flows.iter().map(|flow| (*flow).to_owned()).collect()
    }
}
