//! Identity providers outside AWS, such as the one of a build service.

use std::panic::Location;

use stack_model_cfn::iam as cfn;
use stack_model_cfn::{ResourceId, Value};

use super::RoleProps;
use crate::arn::Arn;
use crate::handle::{Handle, reference};
use crate::policy::{Principal, Statement};
use crate::resource::Resource;
use crate::stack::Stack;

/// Marks the ARN of an `OpenID` Connect provider.
#[derive(Debug)]
pub enum OidcProvider {}

/// What a provider is made of. An account has one per URL.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-oidcprovider.html>.
#[derive(Clone, Debug)]
pub struct OidcProviderProps {
    url: String,
    audience: String,
}

impl OidcProviderProps {
    /// A provider by the URL of its issuer, such as `https://token.actions.githubusercontent.com`, whose tokens are
    /// made for this audience, such as `sts.amazonaws.com`.
    pub fn new(url: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            audience: audience.into(),
        }
    }
}

/// The handle of an `OpenID` Connect provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcProviderRef {
    id: ResourceId,
    issuer: String,
    audience: String,
}

impl OidcProviderRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<OidcProvider>> {
        reference(&self.id)
    }

    /// Makes a role that only this subject may take on, such as `repo:example/orders:ref:refs/heads/main`. A `*` in it
    /// stands for any text.
    ///
    /// ```
    /// use stack_model::iam::{OidcProviderProps, RoleProps};
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("pipeline");
    ///
    /// let builds = stack.oidc_provider("Builds", OidcProviderProps::new(
    ///     "https://token.actions.githubusercontent.com",
    ///     "sts.amazonaws.com",
    /// ));
    /// stack.role("Deploy", builds.role_of("repo:example/orders:ref:refs/heads/main"));
    /// # app.synth().unwrap();
    /// ```
    pub fn role_of(&self, subject: impl Into<String>) -> RoleProps {
        let subject = subject.into();
        let (audience, sub) = (
            format!("{}:aud", self.issuer),
            format!("{}:sub", self.issuer),
        );
        let known = subject.split(['*', '?']).next().unwrap_or_default();
        let operator = if subject.contains(['*', '?']) {
            "StringLike"
        } else {
            "StringEquals"
        };
        let statement = Statement::allow(["sts:AssumeRoleWithWebIdentity"])
            .to(Principal::Federated(self.arn().into_text()))
            .when("StringEquals", audience, self.audience.as_str())
            .when(operator, sub, subject.as_str());
        // Everybody who uses the service has tokens of the issuer, so what the subject starts with is what protects
        // the role.
        RoleProps::trusting(if known.contains('/') {
            statement
        } else {
            statement.wrong(format!(
                "`{subject}` would let strangers take the role on: name at least the owner, as `repo:example/orders:*` does"
            ))
        })
    }
}

impl Handle for OidcProviderRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds an `OpenID` Connect provider, so that a service outside AWS takes on roles without stored keys.
    #[track_caller]
    pub fn oidc_provider(&mut self, logical_id: &str, props: OidcProviderProps) -> OidcProviderRef {
        let source = Location::caller();
        let issuer = props.url.strip_prefix("https://");
        if issuer.is_none_or(|issuer| issuer.is_empty() || issuer.contains(['?', ':'])) {
            let message = format!(
                "`{}` is not the URL of an issuer: it starts with `https://` and has neither a port nor a query",
                props.url
            );
            self.report(logical_id, Some("Properties.Url"), message, source);
        }
        let issuer = issuer
            .unwrap_or(&props.url)
            .trim_end_matches('/')
            .to_owned();
        let provider = cfn::OIDCProvider {
            client_id_list: [props.audience.clone()].into(),
            url: props.url.into(),
            ..cfn::OIDCProvider::default()
        };
        OidcProviderRef {
            id: self.insert(logical_id, Resource::of(&provider, source)).id,
            issuer,
            audience: props.audience,
        }
    }
}
