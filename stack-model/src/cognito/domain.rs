//! Where users sign in in a browser.

use std::panic::Location;

use stack_model_cfn::cognito as cfn;
use stack_model_cfn::cognito::user_pool_domain as part;
use stack_model_cfn::{Pseudo, ResourceId, Value};

use super::{UserPoolClientRef, UserPoolRef};
use crate::acm::CertificateRef;
use crate::handle::{Handle, ResourceRef, get_att};
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

/// The domain that the pages of a user pool stand under.
///
/// See <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-assign-domain.html>.
#[derive(Clone, Debug, PartialEq)]
pub enum UserPoolDomain {
    /// `https://<prefix>.auth.<region>.amazoncognito.com`: 1 to 63 lower case letters, digits and hyphens that nobody
    /// else in the region has.
    Prefix(Value<String>),
    /// A domain of one's own, with a certificate of `us-east-1`. Its parent domain needs an `A` record when it is made.
    Custom {
        /// The name, such as `auth.example.com`.
        name: Value<String>,
        /// The certificate for the name.
        certificate: CertificateRef,
    },
}

/// Which pages users see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ManagedLogin {
    /// The classic ones, which each app client shows as it is.
    #[default]
    Classic,
    /// Managed login, which needs another plan than [`Plan::Lite`](super::Plan::Lite). Each app client is added to the
    /// pages with [`Stack::managed_login`].
    Managed,
}

/// The handle of the domain of a user pool.
#[derive(Clone, Debug, PartialEq)]
pub struct UserPoolDomainRef {
    id: ResourceId,
    domain: UserPoolDomain,
}

impl UserPoolDomainRef {
    /// Returns the URL that the pages stand under, without a slash at its end.
    pub fn url(&self) -> Value<String> {
        match &self.domain {
            UserPoolDomain::Prefix(prefix) => text!(
                "https://{}.auth.{}.amazoncognito.com",
                prefix,
                Pseudo::Region
            ),
            UserPoolDomain::Custom { name, .. } => text!("https://{}", name),
        }
    }

    /// Returns the domain of the distribution that an alias record of a domain of one's own points to.
    pub fn distribution(&self) -> Value<String> {
        get_att(&self.id, "CloudFrontDistribution")
    }
}

impl Handle for UserPoolDomainRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Puts the pages of a user pool under a domain.
    #[track_caller]
    pub fn user_pool_domain(
        &mut self,
        logical_id: &str,
        pool: &UserPoolRef,
        domain: UserPoolDomain,
        login: ManagedLogin,
    ) -> UserPoolDomainRef {
        let source = Location::caller();
        let (name, certificate) = match &domain {
            UserPoolDomain::Prefix(prefix) => {
                if let Some(message) = prefix.literal().and_then(|prefix| wrong_prefix(prefix)) {
                    self.report(logical_id, Some("Properties.Domain"), message, source);
                }
                (prefix.clone(), None)
            }
            UserPoolDomain::Custom { name, certificate } => {
                if let Some(region) = certificate.region().filter(|region| *region != "us-east-1") {
                    let message = format!(
                        "the certificate stands in {region}, and the domain of a user pool needs one of us-east-1"
                    );
                    let path = "Properties.CustomDomainConfig.CertificateArn";
                    self.report(logical_id, Some(path), message, source);
                }
                (name.clone(), Some(certificate))
            }
        };
        let properties = cfn::UserPoolDomain {
            custom_domain_config: certificate
                .map(|certificate| part::CustomDomainConfigType {
                    certificate_arn: certificate.arn().into_text().into(),
                    ..part::CustomDomainConfigType::default()
                })
                .into(),
            domain: name.into(),
            managed_login_version: (login == ManagedLogin::Managed).then_some(2).into(),
            user_pool_id: pool.id().into(),
            ..cfn::UserPoolDomain::default()
        };
        UserPoolDomainRef {
            id: self
                .insert(logical_id, Resource::of(&properties, source))
                .id,
            domain,
        }
    }

    /// Shows the pages of managed login for an app client, as Cognito draws them: a client without this shows an error.
    #[track_caller]
    pub fn managed_login(&mut self, logical_id: &str, client: &UserPoolClientRef) -> ResourceRef {
        let branding = cfn::ManagedLoginBranding {
            client_id: client.id().into(),
            use_cognito_provided_values: true.into(),
            user_pool_id: client.user_pool().id().into(),
            ..cfn::ManagedLoginBranding::default()
        };
        self.insert(logical_id, Resource::of(&branding, Location::caller()))
    }
}

/// See <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolDomain.html>.
fn wrong_prefix(prefix: &str) -> Option<String> {
    let fits = (1..=63).contains(&prefix.len())
        && prefix
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        && !prefix.starts_with('-')
        && !prefix.ends_with('-');
    if !fits {
        return Some(format!(
            "`{prefix}` is not a prefix: use 1 to 63 lower case letters, digits and hyphens, no hyphen at an end"
        ));
    }
    let reserved = ["aws", "amazon", "cognito"];
    let word = reserved.iter().find(|word| prefix.contains(**word))?;
    Some(format!("`{prefix}` holds `{word}`, which Cognito reserves"))
}
