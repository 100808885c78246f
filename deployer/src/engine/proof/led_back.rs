//! Released functions of which another version is live than was deployed last: which, why, and the way forward.

use std::{collections::BTreeSet, fmt};

use serde::Serialize;
use stack_model::assembly::StackManifest;

use super::{Claim, Disproof, Found, alias::look, physical_id, unseen, warn};
use crate::{
    aws::{AwsError, Clients, Fault},
    engine::{
        Context, bootstrap, hint,
        inspect::{self, DeployedResource},
        release::{
            by_hand, by_hand::MovedByHand, deployed_version, failed, failed::ReleaseFailure,
        },
        stack::Work,
    },
    text::moment,
};

/// A released function that is invoked as another version than the one that its stack deployed last: a check that failed led
/// it back, or somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedBack {
    /// The logical id of the function.
    pub function: String,
    /// The version that its alias names.
    pub live: String,
    /// The version that was deployed last.
    pub deployed: String,
    /// Who led it back by hand, and when, where somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<MovedByHand>,
    /// Whether the version that was deployed last failed its check.
    pub failed: bool,
}

impl fmt::Display for LedBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "version {} is live, and version {} was deployed last: ",
            self.live, self.deployed
        )?;
        match &self.by_hand {
            _ if self.failed => f.write_str("it was led back, because its check failed"),
            Some(MovedByHand {
                since,
                by: Some(by),
            }) => {
                write!(f, "{by} led it back by hand at {}", moment(since))
            }
            Some(MovedByHand { since, by: None }) => {
                write!(f, "it was led back by hand at {}", moment(since))
            }
            None => f.write_str("it was led back, after a check that failed or by hand"),
        }
    }
}

impl LedBack {
    /// Says that code is deployed and not live.
    fn disproof(&self) -> Disproof {
        Disproof {
            subject: self.function.clone(),
            claim: Claim::ReleaseLive,
            message: self.to_string(),
        }
    }

    /// Returns whether that is what somebody wanted.
    pub fn is_wanted(&self) -> bool {
        self.by_hand.is_some() && !self.failed
    }

    /// Returns how the code that is deployed, or a better one, gets live, with commands that work when they are pasted.
    pub fn way_forward(&self, context: &Context, stack: &str) -> String {
        hint::complete(context, &self.way(stack))
    }

    /// The same, for an error that completes its commands itself.
    fn way(&self, stack: &str) -> String {
        let lead = if self.is_wanted() { "change" } else { "mend" };
        format!(
            "{lead} {0} and deploy it: its next release leads on; or `stackctl rollback {stack}/{0} --to {1}` makes version {1} live as it is",
            self.function, self.deployed
        )
    }
}

/// Finds the released functions of a deployed stack of which another version is live than it deployed last.
pub async fn led_back(context: &Context, stack: &StackManifest) -> Result<Vec<LedBack>, AwsError> {
    let functions: BTreeSet<&String> = stack.releases.values().collect();
    if functions.is_empty() {
        return Ok(Vec::new());
    }
    let clients = context.clients.in_region(stack.region.as_deref());
    let resources = inspect::resources(&clients, &stack.name).await?;
    let mut led_back = Vec::new();
    for function in functions {
        led_back.extend(compare(&clients, function, &resources).await?);
    }
    if !led_back.is_empty() {
        let there = context.in_region(stack.region.as_deref());
        // Whoever may not look is told what the alias tells.
        let bucket = match bootstrap::existing(&there).await {
            Err(error) if !matches!(error.fault(), Fault::Denied { .. }) => return Err(error),
            found => found.ok().flatten(),
        };
        if let Some(bucket) = bucket {
            match why(&clients, &bucket, &stack.name, &resources, &mut led_back).await {
                Err(error) if !matches!(error.fault(), Fault::Denied { .. }) => return Err(error),
                _ => {}
            }
        }
    }
    Ok(led_back)
}

/// Finds out why functions were led back.
async fn why(
    clients: &Clients,
    bucket: &str,
    stack: &str,
    resources: &[DeployedResource],
    led_back: &mut [LedBack],
) -> Result<(), AwsError> {
    let has_failed = |it: &LedBack, failures: &[ReleaseFailure]| {
        let name = physical_id(resources, &it.function).unwrap_or_default();
        let mut failures = failures.iter();
        failures.any(|failure| failure.is_of(name, &it.deployed))
    };
    let failures = failed::newest(clients, bucket, stack, |failures| {
        led_back.iter().all(|it| has_failed(it, failures))
    })
    .await?;
    for it in led_back {
        it.failed = has_failed(it, &failures);
        let versions = (&*it.live, &*it.deployed);
        it.by_hand = by_hand::read(clients, bucket, stack, &it.function, versions).await?;
    }
    Ok(())
}

/// Finds released functions of which another version is live than their stack deployed last, and returns besides what looking
/// for them came to.
///
/// Whoever may not look is warned: a deploy that was allowed is not undone by that.
pub(super) async fn not_live(
    context: &Context,
    work: &Work,
    resources: &[DeployedResource],
) -> (Vec<LedBack>, Found) {
    let (mut led_back, mut seen) = (Vec::new(), Found::Good);
    let functions: BTreeSet<&String> = work.manifest.releases.values().collect();
    for function in functions {
        match compare(&context.clients, function, resources).await {
            Ok(found) => led_back.extend(found),
            Err(error) => {
                seen = seen.and(unseen(&error));
                let message = format!("nobody knows which release of {function} is live: {error}");
                warn(context, work, message);
            }
        }
    }
    if let (false, Some(archive)) = (led_back.is_empty(), &work.archive) {
        let (clients, stack) = (&context.clients, &work.manifest.name);
        if let Err(error) = why(clients, &archive.bucket, stack, resources, &mut led_back).await {
            let message = format!("nobody knows why an earlier release is live: {error}");
            warn(context, work, message);
        }
    }
    (led_back, seen)
}

/// Compares the version that the alias of a function names with the one that its stack has.
async fn compare(
    clients: &Clients,
    function: &str,
    resources: &[DeployedResource],
) -> Result<Option<LedBack>, AwsError> {
    // The name that the model gives the alias of a released function.
    let alias = physical_id(resources, &format!("{function}Alias"));
    let (Some(alias), Some(version)) = (alias, deployed_version(resources, function)) else {
        return Ok(None);
    };
    let alias = look(clients, alias).await?;
    Ok(alias
        .filter(|alias| alias.version != version)
        .map(|alias| LedBack {
            function: function.to_owned(),
            live: alias.version,
            deployed: version.to_owned(),
            by_hand: None,
            failed: false,
        }))
}

/// Returns what is wrong with functions that were led back, and the ways forward. What somebody wanted is nothing wrong, and
/// told as it is.
pub(super) fn told(
    context: &Context,
    work: &Work,
    led_back: &[LedBack],
) -> (Vec<Disproof>, Vec<String>) {
    let stack = &work.manifest.name;
    let (wanted, wrong): (Vec<&LedBack>, Vec<_>) = led_back.iter().partition(|it| it.is_wanted());
    for it in wanted {
        let way = it.way_forward(context, stack);
        warn(context, work, format!("{}: {it}; {way}", it.function));
    }
    let found = wrong.iter().map(|it| it.disproof());
    let hints = wrong.iter().map(|it| it.way(stack));
    (found.collect(), hints.collect())
}
