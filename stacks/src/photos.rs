//! The photos system: albums of people who sign in.
//!
//! A browser signs in at the user pool, gets credentials of AWS from the identity pool, puts photos into the bucket
//! itself, and tells the API. Three stacks, each of which needs what stands before it, and one with the page:
//!
//! - `photos-data` keeps the table and the bucket, and the function that labels what arrives in the bucket: a bucket and
//!   what it notifies belong together, because S3 asks the function when the notification is set.
//! - `photos-identity` keeps the users and says what they may do with the bucket. Every stage has pools of its own, so
//!   that whoever can sign in to one stage cannot therefore sign in to another, and each stage comes and goes alone.
//! - `photos-api` is the API, and lets the users call it: a role cannot name an API that names the role's user pool, so
//!   the policy that does stands here, beside the role.
//! - `photos-site` shows the page, which CloudFront serves from a private bucket.
//!
//! A stage chooses how callers prove who they are (its variable `authorization`). The id by which the system knows a
//! person follows from that, and so does the beginning of the keys of the person's objects.

mod api;
mod data;
mod identity;

use photos::CallerIdentity;
use serde::Deserialize;
use stack_model::cloudfront::PriceClass;
use stack_model::lambda::FunctionProps;
use stack_model::logs::Retention;
use stack_model::policy::PolicyVariable;
use stack_model::{App, Limited, Stack, Violations};

use crate::site::{Site, SiteVariables};

/// What a stage decides, in the table `[stages.<stage>.variables.photos]` of `stackctl.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Variables {
    /// How callers of the API prove who they are.
    authorization: Authorization,
    /// The region of the system, where it is not that of the stage.
    region: Option<String>,
    /// The name of the table, where it is not `<stage>PhotoUsers`.
    table_name: Option<String>,
    /// The name of the bucket, which nobody else in the world may use, where it is not `crpics2app-<stage>`.
    bucket_name: Option<String>,
    /// The domain of the API; the address that API Gateway makes is all there is by default.
    domain: Option<Domain>,
    /// The page in which people see their albums.
    site: SiteVariables,
}

/// A domain of one's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Domain {
    /// The name, such as `api.pics2.example.com`.
    name: String,
    /// The domain of the hosted zone that the name lies in.
    zone: String,
    /// The id of the hosted zone.
    zone_id: String,
}

/// How callers of the API prove who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Authorization {
    /// They sign each request with credentials of the identity pool.
    #[default]
    Iam,
    /// They send an ID token of the user pool.
    UserPool,
}

impl Authorization {
    /// Returns how the functions learn who calls.
    fn caller_identity(self) -> CallerIdentity {
        match self {
            Self::Iam => CallerIdentity::IdentityPool,
            Self::UserPool => CallerIdentity::UserPool,
        }
    }

    /// Returns what the id of the caller is in a policy.
    fn caller(self) -> PolicyVariable {
        match self {
            Self::Iam => PolicyVariable::CognitoIdentity,
            Self::UserPool => PolicyVariable::PrincipalTag(SUBJECT.to_owned()),
        }
    }
}

/// The claim that says who somebody is, and the tag in which the identity pool passes it on.
const SUBJECT: &str = "sub";

/// Adds the stacks `photos-data`, `photos-identity`, `photos-api` and `photos-site` to an app, and
/// `photos-site-certificate` where the site has a domain.
///
/// # Errors
///
/// Fails where the variables of the stage do not fit.
pub fn describe(app: &mut App) -> Result<(), Violations> {
    let variables: Variables = app.stage().variables("photos")?;
    let data = data::describe(app, &variables);
    let identity = identity::describe(app, &variables, &data);
    api::describe(app, &variables, &data, &identity);
    // The people whom the page is for are in the United States.
    let site = Site {
        system: "photos",
        description: "Shows people their albums",
        region: variables.region.as_deref(),
        price_class: PriceClass::Class100,
    };
    site.describe(app, &variables.site);
    Ok(())
}

impl Variables {
    fn table_name(&self, stage: &str) -> String {
        self.table_name.clone().unwrap_or_else(|| match stage {
            "prod" => "photoUsers".to_owned(),
            stage => format!("{stage}PhotoUsers"),
        })
    }

    fn bucket_name(&self, stage: &str) -> String {
        self.bucket_name.clone().unwrap_or_else(|| match stage {
            "prod" => "crpics2app".to_owned(),
            stage => format!("crpics2app-{stage}"),
        })
    }

    /// Starts a stack in the region of the system.
    fn stack<'a>(&self, app: &'a mut App, id: &str) -> Stack<'a> {
        let mut stack = app.stack(id);
        if let Some(region) = &self.region {
            stack.in_region(region);
        }
        stack
    }
}

/// What all functions of the system have in common.
fn function_props(stack: &Stack<'_>, name: &str, description: &str) -> FunctionProps {
    FunctionProps {
        name: Some(format!("photos-{}-{name}", stack.stage().name()).into()),
        description: Some(description.to_owned()),
        memory: Some(Limited::literal(1024)),
        timeout: Some(Limited::literal(30)),
        log_retention: Retention::FiveDays,
        ..FunctionProps::default()
    }
}
