//! What still carries the tags of removed stacks, whatever the stacks themselves said.
//!
//! CloudFormation tags what it makes with the name of the stack
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html>). A resource that
//! was replaced and kept, or whose deletion failed in a cleanup, belongs to no stack any more and is found by nothing
//! else. The index of tags lags: it may name for a while what is gone
//! (<https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>), so what was seen to
//! go is not named, and the rest is looked at.
//!
//! The index of a region has what is in that region. What is in none, such as a distribution or a hosted zone, stands in that
//! of the region in which its service is at home
//! (<https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html>), whichever region its
//! stack is in. Roles and users stand in no index.

mod standing;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_resourcegroupstagging::types::TagFilter;
use serde::{Serialize, Serializer};

use super::{DestroyReport, bygone};
use crate::aws::{
    AwsError, Clients, Fault, OrAws,
    signed::{Home, is_known},
};
use crate::engine::{
    Context, Event, Outcome, inspect,
    recover::{APP_TAG, STAGE_TAG},
};

/// The tag in which CloudFormation writes the name of the stack.
const STACK_TAG: &str = "aws:cloudformation:stack-name";

/// The tag in which it writes the ARN of the stack.
const STACK_ID_TAG: &str = "aws:cloudformation:stack-id";

/// Something that is left of a removed stack and that nobody decided to keep.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Survivor {
    /// The stack that it was made by.
    pub stack: String,
    /// The ARN.
    pub arn: String,
    /// What it was found by: the commands that remove it, under `remove`, where they are known.
    #[serde(
        rename = "remove",
        serialize_with = "removal",
        skip_serializing_if = "Evidence::lags"
    )]
    pub evidence: Evidence,
}

/// What something is found by that is left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// The tags of the stack, in an index that lags. Nobody knows whether it is there.
    Tags,
    /// The tags of the stack, and a look: it is there.
    There {
        /// The commands that remove it; none, where it is not known how.
        remove: Vec<String>,
        /// What is to be known of them, where they do not do that at once.
        remark: Option<&'static str>,
    },
    /// Its name: a service made it for a resource of the stack. These commands remove it.
    Name(Vec<String>),
}

impl Evidence {
    fn lags(&self) -> bool {
        matches!(self, Self::Tags)
    }
}

fn removal<S: Serializer>(evidence: &Evidence, serializer: S) -> Result<S::Ok, S::Error> {
    match evidence {
        Evidence::Tags => serializer.serialize_none(),
        Evidence::There { remove, .. } | Evidence::Name(remove) => remove.serialize(serializer),
    }
}

/// Where to search, and for what.
#[derive(Clone, Copy, Debug)]
pub struct SurvivorSearch<'a> {
    /// The name of the stage.
    pub stage: &'a str,
    /// The physical ids of what earlier removals kept, which is left out.
    pub kept: &'a BTreeSet<String>,
    /// The regions in which the app has or had stacks of the stage, where all of the stage is removed: then whatever carries the
    /// tags of both is left, whichever stack made it.
    pub whole: Option<&'a BTreeSet<String>>,
}

/// What a search found, and where nobody could look.
#[derive(Debug, Default)]
pub struct Survivors {
    /// What is left.
    pub found: Vec<Survivor>,
    /// The regions beside those of the stacks in whose index what is global stands, and that did not answer.
    pub unsearched: BTreeMap<&'static str, AwsError>,
    /// Why nobody knows of some of what was found whether it is there.
    pub unseen: Option<AwsError>,
}

/// Something that CloudFormation made for a stage.
struct Tagged {
    stack: String,
    /// The region of the stack: what is global is found in another one.
    region: Option<String>,
    app: Option<String>,
    arn: String,
}

/// Searches the account for what is left of removed stacks, in every region that they were in and in those in which what is
/// global is found; where all of the stage is removed, of those that an earlier run or somebody else removed as well. Without a
/// name, an app knows its own stacks alone.
///
/// What is found in a region beside those of the stacks counts only where it says that its stack was in one of them.
pub async fn survivors(
    context: &Context,
    search: SurvivorSearch<'_>,
    report: &DestroyReport,
) -> Result<Survivors, AwsError> {
    let own = context.clients.region();
    let app = context.ownership.app.as_deref();
    let whole = search.whole.filter(|_| app.is_some());
    let mut regions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    // Those that were gone before, and of which nothing is remembered.
    let mut forgotten: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for stack in &report.stacks {
        if stack.outcome.is_good() {
            let region = stack.left.region.as_deref().unwrap_or(own);
            regions.entry(region).or_default().insert(&stack.stack);
            if stack.outcome == Outcome::Absent && stack.left.is_unknown() {
                forgotten.entry(region).or_default().insert(&stack.stack);
            }
        }
    }
    for region in whole.into_iter().flatten() {
        regions.entry(region).or_default();
    }
    let expected: Vec<&str> = report
        .stacks
        .iter()
        .flat_map(|stack| stack.left.gone.iter().chain(stack.retained.values()))
        .chain(search.kept)
        .map(String::as_str)
        .collect();
    let ids: BTreeSet<&str> = expected.iter().copied().collect();
    let tails: BTreeSet<&str> = expected.iter().copied().map(tail).collect();
    let is_expected = |arn: &str| match log_group(arn) {
        Some(name) => ids.contains(name),
        None => tails.contains(tail(arn)),
    };
    let mut candidates = Vec::new();
    for region in regions.keys().copied() {
        let clients = context.clients.in_region(Some(region));
        for tagged in tagged(&clients, search.stage).await? {
            let of = tagged.region.clone().unwrap_or_else(|| region.to_owned());
            candidates.push((region.to_owned(), of, tagged));
        }
    }
    let mut unsearched = BTreeMap::new();
    for region in elsewhere(&regions) {
        let clients = context.clients.in_region(Some(region));
        match tagged(&clients, search.stage).await {
            Ok(found) => candidates.extend(found.into_iter().filter_map(|tagged| {
                let of = tagged.region.clone()?;
                let is_of = regions.contains_key(of.as_str());
                is_of.then(|| (region.to_owned(), of, tagged))
            })),
            Err(error) => {
                unsearched.insert(region, error);
            }
        }
    }
    let mut live: BTreeMap<(String, String), bool> = BTreeMap::new();
    let mut found = Vec::new();
    for (index, region, tagged) in candidates {
        let Tagged {
            stack,
            app: of,
            arn,
            ..
        } = tagged;
        if is_expected(&arn) {
            continue;
        }
        let removed = regions.get(region.as_str());
        if removed.is_some_and(|stacks| stacks.contains(stack.as_str())) {
            found.push((index, tagged_by(stack, arn)));
            continue;
        }
        if whole.is_none() || of.as_deref() != app {
            continue;
        }
        let place = (region, stack);
        let is_live = if let Some(is_live) = live.get(&place) {
            *is_live
        } else {
            let there = context.clients.in_region(Some(&place.0));
            let deployed = inspect::describe(&there, &place.1).await?;
            let is_live = deployed.is_some_and(|stack| !stack.status.is_deleted());
            live.insert(place.clone(), is_live);
            is_live
        };
        if !is_live {
            found.push((index, tagged_by(place.1, arn)));
        }
    }
    let (mut found, unseen) = standing::sift(context, found).await;
    for (region, stacks) in &forgotten {
        let context = context.in_region(Some(region));
        match bygone::log_groups(&context, search.stage, stacks).await {
            Ok(groups) => found.extend(groups),
            Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {
                for stack in stacks {
                    context.emit(Event::Warning {
                        stack: (*stack).to_owned(),
                        message: format!(
                            "it was gone before, and nobody knows which log groups its functions left: {error}"
                        ),
                    });
                }
            }
            Err(error) => return Err(error),
        }
    }
    found.sort();
    found.dedup();
    Ok(Survivors {
        found,
        unsearched,
        unseen,
    })
}

fn tagged_by(stack: String, arn: String) -> Survivor {
    Survivor {
        stack,
        arn,
        evidence: Evidence::Tags,
    }
}

/// Returns the regions in which what is global is found, and that no stack is in. Of a partition that is not known, none is:
/// what is signed for one says nothing to another.
fn elsewhere(regions: &BTreeMap<&str, BTreeSet<&str>>) -> BTreeSet<&'static str> {
    let known = regions.keys().filter(|region| is_known(region));
    known
        .flat_map(|region| {
            let Home { iam, edge } = Home::of(region);
            [iam, edge]
        })
        .filter(|region| !regions.contains_key(region))
        .collect()
}

/// Returns everything that CloudFormation made in the region for a stage, with the stack of each.
async fn tagged(clients: &Clients, stage: &str) -> Result<Vec<Tagged>, AwsError> {
    let filter = TagFilter::builder().key(STAGE_TAG).values(stage).build();
    let mut found = Vec::new();
    let mut next = None;
    loop {
        let page = clients
            .tagging
            .get_resources()
            .tag_filters(filter.clone())
            .set_pagination_token(next)
            .send()
            .await
            .or_aws(clients, "GetResources")?;
        for resource in page.resource_tag_mapping_list.unwrap_or_default() {
            let tags = resource.tags.unwrap_or_default();
            let tag = |key: &str| {
                let tag = tags.iter().find(|tag| tag.key == key);
                tag.map(|tag| tag.value.clone())
            };
            if let (Some(arn), Some(stack)) = (resource.resource_arn, tag(STACK_TAG)) {
                let region = tag(STACK_ID_TAG);
                let region = region.and_then(|id| Some(id.split(':').nth(3)?.to_owned()));
                found.push(Tagged {
                    stack,
                    region: region.filter(|region| !region.is_empty()),
                    app: tag(APP_TAG),
                    arn,
                });
            }
        }
        // The last page has an empty token.
        next = page.pagination_token.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(found);
        }
    }
}

/// Returns what identifies a resource in its physical id and in its ARN alike: the last step of a path, or the last
/// part of an ARN.
fn tail(id: &str) -> &str {
    id.rsplit(['/', ':']).next().unwrap_or(id)
}

/// Returns the name of a log group, where an ARN is one: it is a path of its own, and ends with the name of what writes
/// to it.
fn log_group(arn: &str) -> Option<&str> {
    let (_, name) = arn.split_once(":log-group:")?;
    Some(name.trim_end_matches(":*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_physical_id_and_its_arn_end_alike() {
        for (id, arn) in [
            ("orders", "arn:aws:dynamodb:eu-central-1:1:table/orders"),
            ("uploads-1", "arn:aws:s3:::uploads-1"),
            (
                "https://sqs.eu-central-1.amazonaws.com/1/q",
                "arn:aws:sqs:eu-central-1:1:q",
            ),
            (
                "arn:aws:sns:eu-central-1:1:t",
                "arn:aws:sns:eu-central-1:1:t",
            ),
            (
                "/orders/limit",
                "arn:aws:ssm:eu-central-1:1:parameter/orders/limit",
            ),
        ] {
            assert_eq!(tail(id), tail(arn));
        }
    }

    #[test]
    fn what_is_global_is_searched_for_in_the_regions_of_its_partition_that_no_stack_is_in() {
        for (regions, expected) in [
            (&["eu-central-1", "ap-south-1"][..], &["us-east-1"][..]),
            (&["eu-central-1", "us-east-1"], &[]),
            (&["cn-north-1"], &["cn-northwest-1"]),
            (&["us-gov-east-1"], &["us-gov-west-1"]),
            (&["us-iso-east-1"], &[]),
            (&[], &[]),
        ] {
            let regions = regions.iter().map(|it| (*it, BTreeSet::new())).collect();
            let found: Vec<&str> = elsewhere(&regions).into_iter().collect();
            assert_eq!(found, expected, "{regions:?}");
        }
    }

    #[test]
    fn a_log_group_is_known_by_its_whole_name() {
        let arn = "arn:aws:logs:eu-central-1:1:log-group:/aws/lambda/f";
        assert_eq!(log_group(arn), Some("/aws/lambda/f"));
        assert_eq!(log_group(&format!("{arn}:*")), Some("/aws/lambda/f"));
        assert_eq!(log_group("arn:aws:lambda:eu-central-1:1:function:f"), None);
    }
}
