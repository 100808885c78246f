//! What would stop a deploy half-way, looked for before it begins.
//!
//! CloudFormation finds out about a name that is taken when it is in the middle of a deploy, and rolls back. What can be
//! known before is asked while functions are being built. Nothing here changes anything, and what the caller may not look
//! at is said to be unknown: CloudFormation finds it itself.

mod bucket;
mod certificate;
mod look;
mod name;
mod permission;
mod quota;
mod storage;
mod zone;

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use look::Look;
pub(super) use look::partition;
use name::Asked;

use super::{Context, Event, StackDeployment, graph, hint, publish};
use crate::aws::{AwsError, Clients};

/// How long everything that is looked at before a deploy may take together: the deploy waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Something that speaks against a deploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Concern {
    /// What was looked at.
    pub check: Check,
    /// How much it speaks against the deploy.
    pub weight: Weight,
    /// What is concerned: a stack, with a logical id where a resource is, or a bucket.
    pub subject: String,
    /// What is found, as a fragment.
    pub message: String,
    /// What the reader can do about it.
    pub hints: Vec<String>,
}

/// What is looked at before a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The artifact bucket is there, in its region, and closed to the public.
    ArtifactBucket,
    /// No resource has the name of one that is to be created.
    NameTaken,
    /// The code of functions fits into what Lambda keeps for an account.
    CodeStorage,
    /// The account takes as many more resources.
    Quota,
    /// Whoever CloudFormation acts for may do what the deploy needs.
    Permission,
    /// A domain can be served with its certificate.
    Certificate,
    /// The world asks the hosted zone.
    HostedZone,
}

/// How much something speaks against a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Nobody knows: the caller may not look, or got no answer.
    Unknown,
    /// It goes well, and the next one may not.
    Note,
    /// It may go well.
    Warning,
    /// It cannot go well.
    Refused,
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.message)
    }
}

/// Looks for what would stop a deploy of these stacks, until some time. Every concern is an event, too.
pub async fn preflight(
    context: &Context,
    stacks: &[StackDeployment],
    until: Instant,
) -> Vec<Concern> {
    let regions = by_region(stacks.iter()).into_iter();
    let regions = regions.map(|(region, stacks)| of_region(context, region, stacks, until));
    let mut concerns = Vec::new();
    let mut looks = Vec::new();
    for (found, looked) in graph::abreast(context.concurrency, regions.collect()).await {
        concerns.extend(found);
        looks.push(looked);
    }
    let looks: Vec<&[Look<'_>]> = looks.iter().map(Vec::as_slice).collect();
    let account = &context.clients.identity().account;
    let of_account = quota::of_account(&context.clients, &looks);
    concerns.extend(within(until, Check::Quota, account, of_account).await);
    tell(context, &mut concerns);
    concerns
}

/// Looks in the local engine for names that are taken, until some time; at nothing else, as it has no quotas, and rights and
/// domains of its own. It takes over what it finds, so that nothing of this ends a deploy. Stacks without a name that it can be
/// asked about cost no call.
pub async fn preflight_of_engine(
    context: &Context,
    stacks: &[StackDeployment],
    until: Instant,
) -> Vec<Concern> {
    let named = stacks.iter().filter(|stack| {
        let template = serde_json::from_str(&stack.template);
        template.is_ok_and(|template| name::is_askable(&template))
    });
    let mut concerns = Vec::new();
    for (region, stacks) in by_region(named) {
        let clients = context.clients.in_region(region);
        let look = async {
            let (looks, unread) = look::at(&clients, &stacks).await;
            let mut found = name::check(&clients, &looks, Asked::Engine).await;
            let unread = unread.iter();
            found.extend(unread.map(|(stack, error)| unknown(Check::NameTaken, stack, error)));
            found
        };
        concerns.extend(within(until, Check::NameTaken, clients.region(), look).await);
    }
    tell(context, &mut concerns);
    concerns
}

/// Makes an event of every concern, whose commands work on the same stage and place.
fn tell(context: &Context, concerns: &mut [Concern]) {
    for concern in concerns {
        for hint in &mut concern.hints {
            *hint = hint::complete(context, hint);
        }
        context.emit(Event::PreflightFound {
            concern: concern.clone(),
        });
    }
}

fn by_region<'a>(
    stacks: impl Iterator<Item = &'a StackDeployment>,
) -> BTreeMap<Option<&'a str>, Vec<&'a StackDeployment>> {
    let mut regions: BTreeMap<Option<&str>, Vec<&StackDeployment>> = BTreeMap::new();
    for stack in stacks {
        let region = stack.manifest.region.as_deref();
        regions.entry(region).or_default().push(stack);
    }
    regions
}

/// Reads the stacks of a region, and looks at them. Returns what was read, too.
async fn of_region<'a>(
    context: &Context,
    region: Option<&str>,
    stacks: Vec<&'a StackDeployment>,
    until: Instant,
) -> (Vec<Concern>, Vec<Look<'a>>) {
    let clients = context.clients.in_region(region);
    let Ok((looks, unread)) = timeout_at(until, look::at(&clients, &stacks)).await else {
        let unended = unended(Check::NameTaken, clients.region());
        return (vec![unended], Vec::new());
    };
    let unread = unread.iter();
    let mut concerns: Vec<Concern> = unread
        .map(|(stack, error)| unknown(Check::NameTaken, stack, error))
        .collect();
    concerns.extend(Box::pin(of_stacks(context, &clients, &stacks, &looks, until)).await);
    (concerns, looks)
}

/// Looks at the stacks of a region.
async fn of_stacks(
    context: &Context,
    clients: &Clients,
    stacks: &[&StackDeployment],
    looks: &[Look<'_>],
    until: Instant,
) -> Vec<Concern> {
    let region = clients.region();
    let has_functions = stacks
        .iter()
        .any(|stack| !stack.manifest.artifacts.is_empty());
    let needs_bucket = has_functions
        || stacks
            .iter()
            .any(|stack| publish::needs_bucket(&stack.template));
    let (bucket, storage, names, quotas, permissions, certificates, zones) = tokio::join!(
        within(until, Check::ArtifactBucket, region, async {
            if needs_bucket {
                bucket::check(clients).await
            } else {
                Vec::new()
            }
        }),
        within(until, Check::CodeStorage, region, async {
            if has_functions {
                storage::check(clients, looks).await
            } else {
                Vec::new()
            }
        }),
        within(
            until,
            Check::NameTaken,
            region,
            name::check(clients, looks, Asked::Aws)
        ),
        within(until, Check::Quota, region, quota::check(clients, looks)),
        within(
            until,
            Check::Permission,
            region,
            permission::check(clients, looks)
        ),
        within(
            until,
            Check::Certificate,
            region,
            certificate::check(clients, looks, context.timing.now())
        ),
        within(
            until,
            Check::HostedZone,
            region,
            zone::check(clients, looks)
        ),
    );
    [
        bucket,
        storage,
        names,
        quotas,
        permissions,
        certificates,
        zones,
    ]
    .concat()
}

/// Ends a look that takes too long.
async fn within(
    until: Instant,
    check: Check,
    subject: &str,
    look: impl Future<Output = Vec<Concern>>,
) -> Vec<Concern> {
    match timeout_at(until, look).await {
        Ok(found) => found,
        Err(_) => vec![unended(check, subject)],
    }
}

/// Says that a look took too long.
fn unended(check: Check, subject: &str) -> Concern {
    let what = match check {
        Check::ArtifactBucket => "the artifact bucket was",
        Check::NameTaken => "names that are taken were",
        Check::CodeStorage => "the room for code was",
        Check::Quota => "quotas were",
        Check::Permission => "permissions were",
        Check::Certificate => "certificates were",
        Check::HostedZone => "hosted zones were",
    };
    Concern {
        check,
        weight: Weight::Warning,
        subject: subject.to_owned(),
        message: format!(
            "{what} not looked at to the end: that took more than {} seconds",
            PATIENCE.as_secs()
        ),
        hints: Vec::new(),
    }
}

/// Says that a call did not tell.
fn unknown(check: Check, subject: &str, error: &AwsError) -> Concern {
    Concern {
        check,
        weight: Weight::Unknown,
        subject: subject.to_owned(),
        message: format!("nobody could look: {error}"),
        hints: Vec::new(),
    }
}

/// What `HeadBucket` says of a name.
pub(super) enum Bucket {
    Free,
    /// It is there, in this region where AWS says so.
    Here(Option<String>),
    /// It is there and somebody else's, or the caller may not look.
    Closed,
}

/// Asks whether there is a bucket of a name. An answer to HEAD has no body, and its status says everything
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>).
///
/// A bucket that has to be the account's own is closed where it is not.
pub(super) async fn head(
    clients: &Clients,
    bucket: &str,
    is_own: bool,
) -> Result<Bucket, AwsError> {
    let owner = is_own.then(|| clients.identity().account.clone());
    let answer = clients
        .s3
        .head_bucket()
        .bucket(bucket)
        .set_expected_bucket_owner(owner)
        .send()
        .await;
    match answer {
        Ok(answer) => Ok(Bucket::Here(answer.bucket_region)),
        Err(error) => match error.raw_response().map(|raw| raw.status().as_u16()) {
            Some(404) => Ok(Bucket::Free),
            Some(301) => {
                let region = error
                    .raw_response()
                    .and_then(|raw| raw.headers().get("x-amz-bucket-region"));
                Ok(Bucket::Here(region.map(str::to_owned)))
            }
            Some(403) => Ok(Bucket::Closed),
            _ => Err(AwsError::new(clients, "HeadBucket", error)),
        },
    }
}

/// Returns the types of the golden templates, which are those that the model renders.
#[cfg(test)]
fn rendered_types() -> std::collections::BTreeSet<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let goldens = [
        "examples/golden",
        "stack-model/tests/golden",
        "stacks/golden",
    ];
    let files = goldens
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).expect("the goldens are there"));
    let mut kinds = std::collections::BTreeSet::new();
    for file in files {
        let path = file.expect("they can be read").path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        let text = std::fs::read(&path).expect("they can be read");
        let template: serde_json::Value = serde_json::from_slice(&text).expect("they are JSON");
        let resources = template["Resources"].as_object().into_iter().flatten();
        kinds.extend(resources.filter_map(|(_, it)| it["Type"].as_str().map(str::to_owned)));
    }
    assert!(kinds.len() > 90, "{kinds:?}");
    kinds
}
