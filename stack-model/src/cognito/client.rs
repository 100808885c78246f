//! Applications that users sign in to.

use std::collections::BTreeSet;
use std::panic::Location;

use stack_model_cfn::cognito as cfn;
use stack_model_cfn::cognito::user_pool_client as part;
use stack_model_cfn::{ResourceId, Value};

use super::UserPoolRef;
use super::pool::{some, values};
use crate::handle::{Handle, reference};
use crate::limit::Limited;
use crate::resource::Resource;
use crate::stack::Stack;

mod check;
mod oauth;

pub use oauth::{BrowserSignIn, OAuth, ResourceScope, Scope};

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
    /// The attributes that the application can read, such as `email` or `custom:tenant`; those that every pool has by
    /// default.
    pub read_attributes: Vec<String>,
    /// The attributes that the application can write; those that every pool has by default. A list has to hold all that
    /// the pool requires, and all that identity providers fill.
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
        self.check_client(logical_id, pool, &props, source);
        let servers = props.oauth.iter().flat_map(OAuth::servers);
        let providers = props.oauth.iter().flat_map(OAuth::providers);
        let providers = providers.filter_map(|it| it.made.as_ref());
        // Both are named by text in the client, and have to be there before it.
        let after: Vec<ResourceId> = servers
            .chain(providers.map(|made| made.resource_id().clone()))
            .collect();
        let mut resource = Resource::of(&props.render(pool), source);
        let own = after.into_iter().filter(|id| id.stack() == self.id());
        resource.depends_on.extend(own);
        UserPoolClientRef {
            id: self.insert(logical_id, resource).id,
            pool: pool.clone(),
        }
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
                providers.extend(browser.providers.into_iter().map(|it| it.name));
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
