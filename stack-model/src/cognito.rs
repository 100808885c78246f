//! Amazon Cognito: user pools, app clients, groups, domains, and identity pools.
//!
//! A user pool keeps the users and signs them in; an app client is an application that users sign in to; an identity
//! pool changes the sign-in into credentials of AWS, by roles that are attached to it.
//!
//! ```
//! use stack_model::cognito::{
//!     Attribute, Identity, IdentityPoolProps, IdentityRoles, SignUp, StandardAttribute, UserPoolClientProps,
//!     UserPoolProps,
//! };
//! use stack_model::iam::RoleProps;
//! use stack_model::policy::{PolicyVariable, Statement};
//! use stack_model::s3::BucketProps;
//! use stack_model::text;
//! # use stack_model::{App, Stage};
//! # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
//! # let mut app = App::new(Stage::new(request));
//! # let mut stack = app.stack("photos");
//!
//! let users = stack.user_pool("Users", UserPoolProps {
//!     attributes: vec![Attribute::standard(StandardAttribute::Email).required()],
//!     sign_up: SignUp::Anyone,
//!     ..UserPoolProps::default()
//! });
//! let web = stack.user_pool_client("Web", &users, UserPoolClientProps::default());
//! let identities = stack.identity_pool("Identities", IdentityPoolProps {
//!     clients: vec![web.clone()],
//!     ..IdentityPoolProps::default()
//! });
//!
//! // Everybody who signed in reads and writes objects of their own, and nobody else's.
//! let photos = stack.bucket("Photos", BucketProps::default());
//! let own = Statement::allow(["s3:GetObject", "s3:PutObject"])
//!     .on(text!("{}/private/{}/*", photos.arn(), PolicyVariable::CognitoIdentity))
//!     .because("every identity has objects of its own");
//! let signed_in = stack.role("SignedIn", RoleProps {
//!     statements: vec![own],
//!     ..identities.role_of(Identity::Authenticated)
//! });
//! stack.identity_pool_roles("Roles", &identities, IdentityRoles::of(&signed_in));
//! stack.output("UserPoolClient", web.id());
//! # app.synth().unwrap();
//! ```
//!
//! What cannot be changed later: how users sign in, whether names are case-sensitive, and each attribute of the
//! schema once it is there. CloudFormation refuses such a change and does not replace the pool, so decide them before
//! the first user signs up; see
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-configuring-app-clients.html>.
//!
//! Functions that a pool asks are triggered by it, as by everything else: `stack.trigger(&check, users.pre_sign_up())`.
//!
//! | child | logical id |
//! |---|---|
//! | the role with which a pool sends text messages | `<Pool>SmsRole` |
//! | the permission of a pool to ask a function | `<Function><Pool>Permission` |

use std::panic::Location;

use stack_model_cfn::cognito as cfn;
use stack_model_cfn::{Pseudo, ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{Handle, elsewhere, get_att, reference};
use crate::resource::{Removal, Resource};
use crate::stack::Stack;
use crate::text;

mod attribute;
mod check;
mod client;
mod domain;
mod grant;
mod group;
mod identity;
mod message;
mod pool;
mod provider;
mod schema;
mod trigger;
mod url;

pub use attribute::{Attribute, StandardAttribute};
pub use client::{
    AuthFlow, BrowserSignIn, OAuth, Refresh, ResourceScope, RotationGrace, Scope, SessionMinutes,
    UserPoolClientProps, UserPoolClientRef, Validity,
};
pub use domain::{ManagedLogin, UserPoolDomain, UserPoolDomainRef};
pub use grant::UserPoolOperation;
pub use group::{GroupProps, Precedence, ResourceServerProps, ResourceServerRef, UserPoolGroupRef};
pub use identity::{
    IamSamlProvider, Identity, IdentityPool, IdentityPoolProps, IdentityPoolRef, IdentityRoles,
    IdentityTags, Login, Provider,
};
pub use message::{Email, EmailMessage, Invitation, Sms, Verification};
pub use pool::{
    Alias, CharacterKind, Contact, Mfa, MfaMethods, PasswordHistory, PasswordLength,
    PasswordPolicy, Plan, Recovery, SignIn, SignUp, TemporaryPasswordDays, ThreatProtection,
    UserPoolProps,
};
pub use provider::{
    AttributeMapping, IdentityProvider, IdentityProviderProps, IdentityProviderRef,
    OpenIdEndpoints, OpenIdProvider, ProviderSecret, SamlMetadata, SamlOption, SamlProvider,
    SignInProvider, SocialProvider,
};
pub use trigger::UserPoolTrigger;
pub(crate) use trigger::{FUNCTIONS, check, remedy};

/// Marks the ARN of a user pool.
#[derive(Debug)]
pub enum UserPool {}

/// The handle of a user pool.
#[derive(Clone, Debug, PartialEq)]
pub struct UserPoolRef {
    id: ResourceId,
    /// The id of a pool that somebody else keeps.
    existing: Option<Value<String>>,
}

impl UserPoolRef {
    /// Stands for a user pool that somebody else keeps, in the account and region of the stack, by its id.
    pub fn existing(id: impl Into<Value<String>>) -> Self {
        Self {
            id: elsewhere("UserPool"),
            existing: Some(id.into()),
        }
    }

    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<UserPool>> {
        match &self.existing {
            Some(id) => text!(
                "arn:{}:cognito-idp:{}:{}:userpool/{}",
                Pseudo::Partition,
                Pseudo::Region,
                Pseudo::AccountId,
                id
            )
            .map(Arn::composed),
            None => get_att(&self.id, "Arn"),
        }
    }

    /// Returns the id, such as `us-east-1_ZgaEXAMPLE`.
    pub fn id(&self) -> Value<String> {
        self.existing.clone().unwrap_or_else(|| reference(&self.id))
    }

    /// Returns the name by which identity pools know the pool:
    /// `cognito-idp.us-east-1.amazonaws.com/us-east-1_ZgaEXAMPLE`.
    pub fn provider_name(&self) -> Value<String> {
        match &self.existing {
            Some(id) => text!(
                "cognito-idp.{}.{}/{}",
                Pseudo::Region,
                Pseudo::UrlSuffix,
                id
            ),
            None => get_att(&self.id, "ProviderName"),
        }
    }

    /// Returns the URL of the issuer of the pool's tokens.
    pub fn provider_url(&self) -> Value<String> {
        match &self.existing {
            Some(_) => text!("https://{}", self.provider_name()),
            None => get_att(&self.id, "ProviderURL"),
        }
    }
}

impl Handle for UserPoolRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a user pool, by default one whose users sign in by their mail address and are added by an administrator.
    ///
    /// In a protected stage it refuses to be deleted and outlives its stack.
    #[track_caller]
    pub fn user_pool(&mut self, logical_id: &str, props: UserPoolProps) -> UserPoolRef {
        let source = Location::caller();
        self.check_user_pool(logical_id, &props, source);
        let deletion_protection = props
            .deletion_protection
            .unwrap_or_else(|| self.stage().is_protected());
        let sms = self.sms_configuration(logical_id, &props.sms, source);
        let pool: cfn::UserPool = props.render(deletion_protection, sms);
        let handle = UserPoolRef {
            id: self.insert_data(logical_id, Resource::of(&pool, source)).id,
            existing: None,
        };
        if deletion_protection {
            // A roll-back of its creation could not delete the pool either, and would leave the stack stuck.
            self.removal(&handle, Removal::Retain);
        }
        handle
    }
}

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/cognito.md")]
struct Guide;
