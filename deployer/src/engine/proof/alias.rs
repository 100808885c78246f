//! Aliases of released functions: which version they name, and the way back from one that does not answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;
use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::{Claim, Disproof, declared, physical_id, warn};
use crate::{
    aws::{AwsError, Clients, Fault, OrAws},
    engine::{
        Context, Event, bootstrap,
        fast::OTHER_REVISION,
        hint,
        inspect::{self, DeployedResource, present},
        release::{
            by_hand, by_hand::MovedByHand, deployed_version, failed, failed::MovedAlias, versions,
        },
        stack::Work,
    },
};

const TYPE: &str = "AWS::Lambda::Alias";

/// The aliases as they were before a deploy, by logical id.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Before(BTreeMap<String, Alias>);

#[derive(Clone, Debug)]
struct Alias {
    /// The ARN of the function, which does for its name.
    function: String,
    name: String,
    version: String,
    /// What Lambda calls the state of the alias: nothing is written over a later one.
    revision: Option<String>,
}

/// Notes the versions that the aliases of a stack name; none, where the stack is new.
pub(super) async fn before(context: &Context, work: &Work) -> Result<Before, AwsError> {
    let template: Value = serde_json::from_str(&work.template).unwrap_or_default();
    if !declared(&template).any(|(_, kind, _)| kind == TYPE) {
        return Ok(Before::default());
    }
    let resources = inspect::resources(&context.clients, &work.manifest.name).await?;
    let mut aliases = BTreeMap::new();
    for resource in resources.iter().filter(|it| it.resource_type == TYPE) {
        if let Some(alias) = look(&context.clients, &resource.physical_id).await? {
            aliases.insert(resource.logical_id.clone(), alias);
        }
    }
    Ok(Before(aliases))
}

/// Returns the versions that the aliases of a stack named before its last deploy, which another run began and nobody
/// proved: the newest before the one that was deployed last, of those that did what they should.
///
/// An alias that was led back is led no further, and one that somebody led to what is deployed stays there.
pub(super) async fn earlier(
    context: &Context,
    work: &Work,
    resources: &[DeployedResource],
) -> Result<Before, AwsError> {
    let (clients, stack) = (&context.clients, &work.manifest.name);
    let Some(archive) = &work.archive else {
        return Ok(Before::default());
    };
    let mut aliases = BTreeMap::new();
    let mut failures = None;
    let functions: BTreeSet<&String> = work.manifest.releases.values().collect();
    for function in functions {
        let logical_id = format!("{function}Alias");
        let (Some(arn), Some(deployed), Some(name)) = (
            physical_id(resources, &logical_id),
            deployed_version(resources, function),
            physical_id(resources, function),
        ) else {
            continue;
        };
        let Some(alias) = look(clients, arn)
            .await?
            .filter(|it| it.version == deployed)
        else {
            continue;
        };
        let chosen = (deployed, deployed);
        let bucket = &archive.bucket;
        if by_hand::read(clients, bucket, stack, function, chosen)
            .await?
            .is_some()
        {
            continue;
        }
        let failures = match &failures {
            Some(failures) => failures,
            None => failures.insert(failed::all(clients, bucket, stack).await?),
        };
        let versions = versions::versions(clients, name).await?.into_iter().rev();
        let before = versions
            .map(|it| it.version)
            .filter(|version| {
                deployed
                    .parse()
                    .is_ok_and(|deployed: u64| *version < deployed)
            })
            .map(|version| version.to_string())
            .find(|version| !failures.iter().any(|it| it.is_of(name, version)));
        if let Some(version) = before {
            aliases.insert(logical_id, Alias { version, ..alias });
        }
    }
    Ok(Before(aliases))
}

/// Looks at an alias by its ARN, which is its physical id: that of the function, a colon, and the name
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-alias.html>).
async fn look(clients: &Clients, arn: &str) -> Result<Option<Alias>, AwsError> {
    let Some((function, name)) = arn.rsplit_once(':') else {
        return Ok(None);
    };
    let answer = clients
        .lambda
        .get_alias()
        .function_name(function)
        .name(name)
        .send()
        .await
        .or_aws(clients, "GetAlias")?;
    Ok(present(answer.function_version).map(|version| Alias {
        function: function.to_owned(),
        name: name.to_owned(),
        version,
        revision: answer.revision_id,
    }))
}

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
                write!(f, "{by} led it back by hand at {since}")
            }
            Some(MovedByHand { since, by: None }) => {
                write!(f, "it was led back by hand at {since}")
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
    fn is_wanted(&self) -> bool {
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
    let failures = failed::all(clients, bucket, stack).await?;
    for it in led_back {
        let name = physical_id(resources, &it.function).unwrap_or_default();
        it.failed = failures
            .iter()
            .any(|failure| failure.is_of(name, &it.deployed));
        let versions = (&*it.live, &*it.deployed);
        it.by_hand = by_hand::read(clients, bucket, stack, &it.function, versions).await?;
    }
    Ok(())
}

/// Finds released functions of which another version is live than their stack deployed last.
///
/// Whoever may not look is warned: a deploy that was allowed is not undone by that.
pub(super) async fn not_live(
    context: &Context,
    work: &Work,
    resources: &[DeployedResource],
) -> Vec<LedBack> {
    let mut led_back = Vec::new();
    let functions: BTreeSet<&String> = work.manifest.releases.values().collect();
    for function in functions {
        match compare(&context.clients, function, resources).await {
            Ok(found) => led_back.extend(found),
            Err(error) => {
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
    led_back
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

/// Leads the aliases that a deploy moved back to the versions that they named before. Returns those, and what the reader
/// should know.
pub(super) async fn lead_back(
    context: &Context,
    work: &Work,
    before: Before,
    template: &Value,
) -> (Vec<MovedAlias>, Vec<String>) {
    let mut hints = Vec::new();
    let mut moved = Vec::new();
    for (logical_id, alias) in before.0 {
        match restore(&context.clients, &alias).await {
            Ok(None) => {}
            Ok(Some(from)) => {
                context.emit(Event::AliasLedBack {
                    stack: work.manifest.name.clone(),
                    logical_id: logical_id.clone(),
                    from: from.clone(),
                    to: alias.version.clone(),
                });
                moved.push(MovedAlias {
                    logical_id,
                    function: alias.function,
                    from,
                    to: alias.version,
                });
            }
            Err(error) => hints.push(format!(
                "{logical_id} was not led back to version {}: {error}",
                alias.version
            )),
        }
    }
    let functions = declared(template).filter(|(_, kind, _)| *kind == super::function::TYPE);
    let others: Vec<&str> = functions
        .map(|(logical_id, _, _)| logical_id)
        .filter(|id| {
            !work
                .manifest
                .releases
                .values()
                .any(|released| released == id)
        })
        .collect();
    if !moved.is_empty() {
        hints.push(format!(
            "what is released under an alias was led back to its earlier version, and all else stays as it was deployed: mend what failed, and deploy again (`stackctl deploy {}`)",
            work.manifest.name
        ));
    }
    if !others.is_empty() {
        hints.push(format!(
            "{} stays as it was deployed: deploy the earlier sources again, and release functions under an alias (`Release::Live`) for a way back",
            others.join(", ")
        ));
    } else if moved.is_empty() {
        hints.push(format!(
            "nothing that was live before can be led back to, and what was deployed stays: mend what failed, and deploy again (`stackctl deploy {}`)",
            work.manifest.name
        ));
    }
    (moved, hints)
}

/// Makes the aliases name the versions again that they named before an update that was rolled back.
pub(super) async fn keep(context: &Context, work: &Work, before: Before) {
    for (logical_id, alias) in before.0 {
        match restore(&context.clients, &alias).await {
            Ok(None) => {}
            Ok(Some(from)) => context.emit(Event::AliasLedBack {
                stack: work.manifest.name.clone(),
                logical_id,
                from,
                to: alias.version,
            }),
            Err(error) => warn(
                context,
                work,
                format!(
                    "{logical_id} may name another version than {}, which was live before this update: {error}",
                    alias.version
                ),
            ),
        }
    }
}

/// Returns how released functions are led back by hand, where a check failed and this deploy changed nothing: the one that
/// did may have been killed before its check, or something else went wrong since, which only the reader can tell.
///
/// Those that were led back already are told apart.
pub(super) fn ways_back(work: &Work, led_back: &[LedBack]) -> Vec<String> {
    let stack = &work.manifest;
    let released: BTreeSet<&String> = stack.releases.values().collect();
    released
        .into_iter()
        .filter(|function| !led_back.iter().any(|it| it.function == **function))
        .map(|function| {
            format!(
                "this deploy changed nothing, so nothing was led back; where the live version of {function} is to blame: `stackctl rollback {}/{function} --to previous`",
                stack.name
            )
        })
        .collect()
}

/// Makes an alias name its earlier version again. Returns the version that it named instead; nothing, where it named none
/// other.
async fn restore(clients: &Clients, before: &Alias) -> Result<Option<String>, AwsError> {
    let arn = format!("{}:{}", before.function, before.name);
    let Some(now) = look(clients, &arn).await? else {
        return Ok(None);
    };
    if now.version == before.version {
        return Ok(None);
    }
    let moved = clients
        .lambda
        .update_alias()
        .function_name(&before.function)
        .name(&before.name)
        .function_version(&before.version)
        .set_revision_id(now.revision)
        .send()
        .await
        .or_aws(clients, "UpdateAlias");
    if let Err(error) = moved {
        // A call whose answer was lost is repeated, and the revision is no longer the last one: the alias tells.
        let is_repeated = error.code() == Some(OTHER_REVISION)
            && look(clients, &arn)
                .await?
                .is_some_and(|it| it.version == before.version);
        if !is_repeated {
            return Err(error);
        }
    }
    Ok(Some(now.version))
}
