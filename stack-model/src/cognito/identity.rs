//! Identity pools: credentials of AWS for users who signed in, or who did not.

use std::collections::BTreeMap;
use std::panic::Location;

use stack_model_cfn::cognito as cfn;
use stack_model_cfn::cognito::{identity_pool, identity_pool_role_attachment as attachment};
use stack_model_cfn::{Expr, Property, Pseudo, ResourceId, Value};

use super::pool::values;
use super::{UserPoolClientRef, UserPoolRef};
use crate::arn::Arn;
use crate::handle::{Handle, ResourceRef, reference};
use crate::iam::{OidcProvider, Role, RoleProps, RoleRef};
use crate::policy::{Principal, Statement};
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

/// Marks the ARN of an identity pool.
#[derive(Debug)]
pub enum IdentityPool {}

/// What an identity pool is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-identitypool.html>.
#[derive(Clone, Debug, Default)]
pub struct IdentityPoolProps {
    /// The name that people see, at most 128 characters. CloudFormation makes one by default.
    pub name: Option<Value<String>>,
    /// The app clients whose users get credentials.
    pub clients: Vec<UserPoolClientRef>,
    /// Providers of IAM that speak `OpenID` Connect, whose users get credentials.
    pub openid: Vec<Value<Arn<OidcProvider>>>,
    /// Providers of IAM that speak SAML, whose users get credentials.
    pub saml: Vec<Value<Arn<IamSamlProvider>>>,
    /// Providers that everybody has an account with, each with the id that it gave the application.
    pub logins: BTreeMap<Login, Value<String>>,
    /// Whether somebody who did not sign in gets credentials too; nobody does by default.
    pub unauthenticated: bool,
    /// Whether a client may ask for the token of an identity and take on any role with it, as it could before 2017; it
    /// may not by default.
    pub classic_flow: bool,
}

/// Marks the ARN of a SAML provider of IAM.
#[derive(Debug)]
pub enum IamSamlProvider {}

/// A provider that everybody has an account with, and that an identity pool asks itself.
///
/// See <https://docs.aws.amazon.com/cognito/latest/developerguide/external-identity-providers.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Login {
    /// Amazon.
    Amazon,
    /// Apple.
    Apple,
    /// Facebook.
    Facebook,
    /// Google.
    Google,
}

impl Login {
    const fn host(self) -> &'static str {
        match self {
            Self::Amazon => "www.amazon.com",
            Self::Apple => "appleid.apple.com",
            Self::Facebook => "graph.facebook.com",
            Self::Google => "accounts.google.com",
        }
    }
}

impl IdentityPoolProps {
    fn lets_in_nobody(&self) -> bool {
        self.clients.is_empty()
            && self.openid.is_empty()
            && self.saml.is_empty()
            && self.logins.is_empty()
            && !self.unauthenticated
    }
}

/// Whether somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// Somebody who signed in.
    Authenticated,
    /// Somebody who did not.
    Unauthenticated,
}

impl Identity {
    const fn name(self) -> &'static str {
        match self {
            Self::Authenticated => "authenticated",
            Self::Unauthenticated => "unauthenticated",
        }
    }
}

/// A user pool and an app client of it, as an identity pool knows them.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    pool: UserPoolRef,
    client: Value<String>,
}

impl Provider {
    /// Returns the name by which rules about roles know the provider.
    pub fn name(&self) -> Value<String> {
        text!("{}:{}", self.pool.provider_name(), &self.client)
    }
}

impl From<&UserPoolClientRef> for Provider {
    fn from(client: &UserPoolClientRef) -> Self {
        Self {
            pool: client.user_pool().clone(),
            client: client.id(),
        }
    }
}

/// The handle of an identity pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityPoolRef {
    id: ResourceId,
    unauthenticated: bool,
    /// The user pools whose users get credentials.
    users: Vec<ResourceId>,
    /// Whether credentials carry tags.
    tagged: bool,
}

impl IdentityPoolRef {
    /// Returns the id, such as `us-east-1:128d0a74-c82f-4553-916d-90053EXAMPLE`.
    pub fn id(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<IdentityPool>> {
        self.arn_of("cognito-identity").map(Arn::composed)
    }

    /// Returns the ARN by which Cognito Sync knows the pool and what is kept for its identities.
    pub fn sync_arn(&self) -> Value<String> {
        self.arn_of("cognito-sync")
    }

    fn arn_of(&self, service: &str) -> Value<String> {
        text!(
            "arn:{}:{}:{}:{}:identitypool/{}",
            Pseudo::Partition,
            service,
            Pseudo::Region,
            Pseudo::AccountId,
            self.id()
        )
    }

    /// Makes a role that identities of this pool take on, and of no other: those who signed in, or those who did not.
    ///
    /// Where the pool tags what those who signed in do ([`Stack::identity_tags`]), the role lets it.
    ///
    /// See <https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html>.
    pub fn role_of(&self, identity: Identity) -> RoleProps {
        const SERVICE: &str = "cognito-identity.amazonaws.com";
        let statement = Statement::allow(["sts:AssumeRoleWithWebIdentity"])
            .to(Principal::Federated(SERVICE.into()))
            .when("StringEquals", format!("{SERVICE}:aud"), self.id())
            .when(
                "ForAnyValue:StringLike",
                format!("{SERVICE}:amr"),
                identity.name(),
            );
        let mut role = RoleProps::trusting(statement);
        if self.tagged && identity == Identity::Authenticated {
            let tag = Statement::allow(["sts:TagSession"])
                .to(Principal::Federated(SERVICE.into()))
                .when("StringEquals", format!("{SERVICE}:aud"), self.id());
            role.trust.add(tag);
        }
        role
    }
}

impl Handle for IdentityPoolRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// Which roles the identities of a pool take on.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityRoles {
    /// The role of those who signed in.
    pub authenticated: Value<Arn<Role>>,
    /// The role of those who did not.
    pub unauthenticated: Option<Value<Arn<Role>>>,
    /// Providers whose tokens say the role by the groups of the user; a user without such a group gets the role of
    /// those who signed in.
    pub by_group: Vec<Provider>,
}

impl IdentityRoles {
    /// One role for those who signed in.
    pub fn of(authenticated: &RoleRef) -> Self {
        Self {
            authenticated: authenticated.arn(),
            unauthenticated: None,
            by_group: Vec::new(),
        }
    }
}

/// What the credentials of users are tagged with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityTags {
    /// `username` with the claim `sub`, and `client` with the claim `aud`.
    Usual,
    /// A tag for each of some claims of the token, by the name of the tag.
    Claims(BTreeMap<String, String>),
}

impl IdentityTags {
    /// Names tags, each with the claim that it has the value of.
    pub fn claims<'a>(claims: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let claims = claims.into_iter();
        Self::Claims(
            claims
                .map(|(tag, claim)| (tag.to_owned(), claim.to_owned()))
                .collect(),
        )
    }
}

/// The most tags of a session; see <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html>.
const MAX_TAGS: usize = 50;

impl Stack<'_> {
    /// Adds an identity pool for the users of app clients.
    #[track_caller]
    pub fn identity_pool(&mut self, logical_id: &str, props: IdentityPoolProps) -> IdentityPoolRef {
        let source = Location::caller();
        if props.lets_in_nobody() {
            let message = "nobody gets credentials: add an app client or another provider";
            let path = "Properties.CognitoIdentityProviders";
            self.report(logical_id, Some(path), message, source);
        }
        let providers: Vec<_> = props
            .clients
            .iter()
            .map(|client| identity_pool::CognitoIdentityProvider {
                client_id: client.id().into(),
                provider_name: client.user_pool().provider_name().into(),
                // A user who was removed or signed out everywhere gets no credentials any more.
                server_side_token_check: true.into(),
            })
            .collect();
        let users = props.clients.iter();
        let users = users
            .map(|client| client.user_pool().resource_id().clone())
            .collect();
        let arns = |arns: Vec<Value<String>>| (!arns.is_empty()).then_some(arns);
        let openid = props.openid.into_iter().map(Value::into_text).collect();
        let saml = props.saml.into_iter().map(Value::into_text).collect();
        let logins = props.logins.into_iter();
        let logins: Vec<(&str, Expr)> = logins
            .map(|(login, id)| (login.host(), id.into()))
            .collect();
        let pool = cfn::IdentityPool {
            allow_classic_flow: props.classic_flow.then_some(true).into(),
            allow_unauthenticated_identities: props.unauthenticated.into(),
            cognito_identity_providers: (!providers.is_empty()).then(|| values(providers)).into(),
            identity_pool_name: props.name.into(),
            open_id_connect_provider_arns: arns(openid).into(),
            saml_provider_arns: arns(saml).into(),
            supported_login_providers: (!logins.is_empty()).then(|| Expr::map(logins)).into(),
            ..cfn::IdentityPool::default()
        };
        IdentityPoolRef {
            id: self.insert(logical_id, Resource::of(&pool, source)).id,
            unauthenticated: props.unauthenticated,
            users,
            tagged: false,
        }
    }

    /// Tags the credentials of users of a user pool by what their tokens say, and returns the handle to make their role
    /// with.
    ///
    /// Policies then tell people apart by it, as `${aws:PrincipalTag/<tag>}`. See
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/attributes-for-access-control.html>.
    ///
    /// ```
    /// use stack_model::cognito::{Identity, IdentityPoolProps, IdentityTags, UserPoolClientProps, UserPoolProps};
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("photos");
    ///
    /// let users = stack.user_pool("Users", UserPoolProps::default());
    /// let web = stack.user_pool_client("Web", &users, UserPoolClientProps::default());
    /// let identities = stack.identity_pool("Identities", IdentityPoolProps {
    ///     clients: vec![web],
    ///     ..IdentityPoolProps::default()
    /// });
    /// let tags = IdentityTags::claims([("team", "custom:team")]);
    /// let identities = stack.identity_tags("IdentityTags", &identities, &users, tags);
    /// stack.role("Person", identities.role_of(Identity::Authenticated));
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn identity_tags(
        &mut self,
        logical_id: &str,
        pool: &IdentityPoolRef,
        users: &UserPoolRef,
        tags: IdentityTags,
    ) -> IdentityPoolRef {
        let source = Location::caller();
        if !pool.users.contains(users.resource_id()) {
            let message = format!(
                "users of `{}` get no credentials of the identity pool: name an app client of theirs in its `clients`",
                users.resource_id().logical_id()
            );
            let path = Some("Properties.IdentityProviderName");
            self.report(logical_id, path, message, source);
        }
        if let IdentityTags::Claims(claims) = &tags {
            let path = Some("Properties.PrincipalTags");
            if claims.is_empty() {
                let message = "there is no tag: name a claim, or take `IdentityTags::Usual`";
                self.report(logical_id, path, message, source);
            } else if claims.len() > MAX_TAGS {
                let message = format!(
                    "there are {} tags, and credentials carry {MAX_TAGS}",
                    claims.len()
                );
                self.report(logical_id, path, message, source);
            }
        }
        let usual = tags == IdentityTags::Usual;
        let claims = match tags {
            IdentityTags::Usual => None,
            IdentityTags::Claims(claims) => Some(claims.into_iter()),
        };
        let claims = claims.map(|claims| Expr::map(claims.map(|(tag, claim)| (tag, claim.into()))));
        let tag = cfn::IdentityPoolPrincipalTag {
            identity_pool_id: pool.id().into(),
            identity_provider_name: users.provider_name().into(),
            principal_tags: claims.into(),
            use_defaults: usual.into(),
        };
        self.insert(logical_id, Resource::of(&tag, source));
        IdentityPoolRef {
            tagged: true,
            ..pool.clone()
        }
    }

    /// Says which roles the identities of a pool take on. A pool takes this once.
    #[track_caller]
    pub fn identity_pool_roles(
        &mut self,
        logical_id: &str,
        pool: &IdentityPoolRef,
        roles: IdentityRoles,
    ) -> ResourceRef {
        let source = Location::caller();
        if roles.unauthenticated.is_some() != pool.unauthenticated {
            let message = if pool.unauthenticated {
                "the pool gives credentials to those who did not sign in: say which role they take on"
            } else {
                "the pool gives no credentials to those who did not sign in, so the role would never be taken on: leave it out, or set `unauthenticated` of the pool"
            };
            self.report(logical_id, Some("Properties.Roles"), message, source);
        }
        let named = [
            (Identity::Authenticated, Some(roles.authenticated)),
            (Identity::Unauthenticated, roles.unauthenticated),
        ];
        let named = named
            .into_iter()
            .filter_map(|(identity, role)| Some((identity.name().to_owned(), role?.into_text())))
            .collect();
        let mappings = (1..)
            .zip(&roles.by_group)
            .map(|(number, provider): (u32, _)| {
                let mapping = attachment::RoleMapping {
                    ambiguous_role_resolution: "AuthenticatedRole".into(),
                    identity_provider: provider.name().into(),
                    type_: "Token".into(),
                    ..attachment::RoleMapping::default()
                };
                (format!("Provider{number}"), Value::Literal(mapping))
            })
            .collect();
        let roles = cfn::IdentityPoolRoleAttachment {
            identity_pool_id: pool.id().into(),
            role_mappings: if roles.by_group.is_empty() {
                Property::Absent
            } else {
                Property::Literal(mappings)
            },
            roles: Property::Literal(named),
        };
        self.insert(logical_id, Resource::of(&roles, source))
    }
}
