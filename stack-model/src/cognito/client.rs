//! Applications that users sign in to.

use std::collections::BTreeSet;
use std::panic::Location;

use stack_model_cfn::cognito as cfn;
use stack_model_cfn::cognito::user_pool_client as part;
use stack_model_cfn::{ResourceId, Value};

use super::UserPoolRef;
use super::pool::{some, values};
use super::url;
use crate::handle::{Handle, reference};
use crate::limit::Limited;
use crate::resource::Resource;
use crate::stack::Stack;

/// How many minutes a user has to answer a challenge while signing in.
pub type SessionMinutes = Limited<3, 15>;

/// How many seconds an exchanged refresh token can still be used, for an answer that got lost.
pub type RotationGrace = Limited<0, 60>;

/// What an app client is made of.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolclient.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct UserPoolClientProps {
    /// The name that people see, at most 128 characters. CloudFormation makes one by default.
    pub name: Option<Value<String>>,
    /// Whether the application proves itself by a secret, as one on a server can; one in a browser or on a phone cannot
    /// keep one. It can never be changed.
    pub secret: bool,
    /// How users prove themselves; by SRP by default, which sends no password.
    pub auth_flows: BTreeSet<AuthFlow>,
    /// How tokens are renewed.
    pub refresh: Refresh,
    /// What the application may do over the pool's domain; nothing by default.
    pub oauth: Option<OAuth>,
    /// How long an access token is valid; an hour by default, which is AWS's.
    pub access_token: Option<Validity>,
    /// How long an identity token is valid; an hour by default, which is AWS's.
    pub id_token: Option<Validity>,
    /// How long a refresh token is valid; 30 days by default, which is AWS's.
    pub refresh_token: Option<Validity>,
    /// How long a user has for a challenge; 3 minutes by default, which is AWS's.
    pub session: Option<SessionMinutes>,
    /// Whether a failed sign-in does not tell if there is such a user; it does not by default.
    pub hide_user_existence: bool,
    /// Whether a user who signs out ends all tokens that came of the sign-in; so by default.
    pub token_revocation: bool,
    /// The attributes that the application can read, such as `email` or `custom:tenant`; all by default.
    pub read_attributes: Vec<String>,
    /// The attributes that the application can write; all that are mutable by default.
    pub write_attributes: Vec<String>,
}

impl Default for UserPoolClientProps {
    fn default() -> Self {
        Self {
            name: None,
            secret: false,
            auth_flows: BTreeSet::from([AuthFlow::UserSrp]),
            refresh: Refresh::default(),
            oauth: None,
            access_token: None,
            id_token: None,
            refresh_token: None,
            session: None,
            hide_user_existence: true,
            token_revocation: true,
            read_attributes: Vec::new(),
            write_attributes: Vec::new(),
        }
    }
}

/// How users prove themselves.
///
/// See
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow-methods.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthFlow {
    /// By what the user chooses among the factors of the pool.
    User,
    /// By the Secure Remote Password protocol: the password never leaves the device.
    UserSrp,
    /// By the password, sent by the application.
    UserPassword,
    /// By the password, sent by a server with credentials of AWS.
    AdminUserPassword,
    /// By challenges of functions.
    Custom,
}

impl AuthFlow {
    const fn name(self) -> &'static str {
        match self {
            Self::User => "ALLOW_USER_AUTH",
            Self::UserSrp => "ALLOW_USER_SRP_AUTH",
            Self::UserPassword => "ALLOW_USER_PASSWORD_AUTH",
            Self::AdminUserPassword => "ALLOW_ADMIN_USER_PASSWORD_AUTH",
            Self::Custom => "ALLOW_CUSTOM_AUTH",
        }
    }
}

/// How tokens are renewed.
///
/// See
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refresh {
    /// With the refresh token, as long as it is valid.
    #[default]
    Reusable,
    /// With the refresh token, which is exchanged for a new one each time: a stolen one is noticed.
    Rotated {
        /// How long an exchanged one can still be used.
        grace: RotationGrace,
    },
    /// Not at all: the user signs in again.
    Never,
}

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
    pub providers: Vec<Value<String>>,
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

/// What a token is good for.
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
    /// A scope of a resource server, as [`ResourceServerRef::scope`](super::ResourceServerRef::scope) makes it.
    Custom(ResourceScope),
}

/// A scope of a resource server.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceScope {
    name: String,
    server: Option<ResourceId>,
    known: bool,
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

    pub(super) fn of(server: &ResourceId, name: String, known: bool) -> Self {
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

/// How long a token is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// So many seconds.
    Seconds(u32),
    /// So many minutes.
    Minutes(u32),
    /// So many hours.
    Hours(u32),
    /// So many days.
    Days(u32),
}

impl Validity {
    const fn parts(self) -> (u32, u64, &'static str) {
        match self {
            Self::Seconds(number) => (number, 1, "seconds"),
            Self::Minutes(number) => (number, 60, "minutes"),
            Self::Hours(number) => (number, 3600, "hours"),
            Self::Days(number) => (number, 86_400, "days"),
        }
    }

    fn seconds(self) -> u64 {
        let (number, seconds, _) = self.parts();
        u64::from(number) * seconds
    }

    fn number(self) -> i64 {
        i64::from(self.parts().0)
    }

    fn unit(self) -> String {
        self.parts().2.to_owned()
    }
}

/// How long AWS makes access and identity tokens valid where nothing is said, in seconds.
const DEFAULT_TOKEN: u64 = 3600;

/// How long AWS makes refresh tokens valid where nothing is said, in seconds.
const DEFAULT_REFRESH: u64 = 30 * 86_400;

/// The handle of an app client of a user pool.
#[derive(Clone, Debug, PartialEq)]
pub struct UserPoolClientRef {
    id: ResourceId,
    pool: UserPoolRef,
}

impl UserPoolClientRef {
    /// Returns the id, which is also the audience of the identity tokens.
    pub fn id(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the user pool whose users sign in.
    pub fn user_pool(&self) -> &UserPoolRef {
        &self.pool
    }
}

impl Handle for UserPoolClientRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds an application that the users of a pool sign in to, by default one without a secret, such as a web page.
    #[track_caller]
    pub fn user_pool_client(
        &mut self,
        logical_id: &str,
        pool: &UserPoolRef,
        props: UserPoolClientProps,
    ) -> UserPoolClientRef {
        let source = Location::caller();
        self.check_client(logical_id, &props, source);
        let servers: Vec<ResourceId> = props.oauth.iter().flat_map(OAuth::servers).collect();
        let mut resource = Resource::of(&props.render(pool), source);
        let own = servers.into_iter().filter(|id| id.stack() == self.id());
        resource.depends_on.extend(own);
        UserPoolClientRef {
            id: self.insert(logical_id, resource).id,
            pool: pool.clone(),
        }
    }

    fn check_client(&mut self, id: &str, props: &UserPoolClientProps, source: &Location<'_>) {
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

impl OAuth {
    fn scopes(&self) -> &[Scope] {
        match self {
            Self::Browser(browser) => &browser.scopes,
            Self::Machine { scopes } => scopes,
        }
    }

    fn servers(&self) -> impl Iterator<Item = ResourceId> {
        self.scopes().iter().filter_map(|scope| match scope {
            Scope::Custom(scope) => scope.server.clone(),
            _ => None,
        })
    }

    fn flows(&self) -> Vec<String> {
        let flows: &[&str] = match self {
            Self::Machine { .. } => &["client_credentials"],
            Self::Browser(browser) if browser.implicit => &["code", "implicit"],
            Self::Browser(_) => &["code"],
        };
        flows.iter().map(|flow| (*flow).to_owned()).collect()
    }
}

impl UserPoolClientProps {
    fn render(self, pool: &UserPoolRef) -> cfn::UserPoolClient {
        let refreshed = (self.refresh == Refresh::Reusable).then_some("ALLOW_REFRESH_TOKEN_AUTH");
        let flows = self.auth_flows.iter().map(|flow| flow.name());
        let mut flows: Vec<String> = flows.chain(refreshed).map(str::to_owned).collect();
        flows.sort();
        let (oauth_flows, scopes) = self
            .oauth
            .as_ref()
            .map(|oauth| {
                let scopes = oauth.scopes().iter().map(|scope| scope.name().to_owned());
                (oauth.flows(), scopes.collect())
            })
            .unwrap_or_default();
        let (callbacks, logouts, providers) = match self.oauth {
            Some(OAuth::Browser(browser)) => {
                let mut providers = vec![Value::from("COGNITO")];
                providers.extend(browser.providers);
                (browser.callback_urls, browser.logout_urls, providers)
            }
            _ => (Vec::new(), Vec::new(), Vec::new()),
        };
        let present = |urls: Vec<Value<String>>| (!urls.is_empty()).then_some(urls);
        let units = [self.access_token, self.id_token, self.refresh_token];
        let unit = |validity: Option<Validity>| validity.map(Validity::unit).into();
        let rotation = match self.refresh {
            Refresh::Rotated { grace } => Some(part::RefreshTokenRotation {
                feature: "ENABLED".into(),
                retry_grace_period_seconds: grace.number().into(),
            }),
            Refresh::Reusable | Refresh::Never => None,
        };
        cfn::UserPoolClient {
            access_token_validity: self.access_token.map(Validity::number).into(),
            allowed_oauth_flows_user_pool_client: (!oauth_flows.is_empty()).then_some(true).into(),
            allowed_oauth_flows: some(oauth_flows).into(),
            allowed_oauth_scopes: some(scopes).into(),
            auth_session_validity: self.session.map(Limited::number).into(),
            callback_urls: present(callbacks).into(),
            client_name: self.name.into(),
            enable_token_revocation: self.token_revocation.into(),
            // Without any flow Cognito would allow its own choice of them.
            explicit_auth_flows: values(flows).into(),
            generate_secret: self.secret.then_some(true).into(),
            id_token_validity: self.id_token.map(Validity::number).into(),
            logout_urls: present(logouts).into(),
            prevent_user_existence_errors: if self.hide_user_existence {
                "ENABLED".into()
            } else {
                "LEGACY".into()
            },
            read_attributes: some(self.read_attributes).into(),
            refresh_token_rotation: rotation.into(),
            refresh_token_validity: self.refresh_token.map(Validity::number).into(),
            supported_identity_providers: present(providers).into(),
            token_validity_units: units
                .iter()
                .any(Option::is_some)
                .then(|| part::TokenValidityUnits {
                    access_token: unit(self.access_token),
                    id_token: unit(self.id_token),
                    refresh_token: unit(self.refresh_token),
                })
                .into(),
            user_pool_id: pool.id().into(),
            write_attributes: some(self.write_attributes).into(),
            ..cfn::UserPoolClient::default()
        }
    }
}
