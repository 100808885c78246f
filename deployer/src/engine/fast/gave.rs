//! What stacks were given past CloudFormation before their last full deploys: who went past it stays known, though the deploy
//! that followed took it over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::GivenFast;
use crate::{
    aws::{AwsError, Clients, object},
    engine::{Context, StackTarget, bootstrap, state_key::About},
};

/// How many are kept of a stack, the newest.
const KEPT: usize = 20;

/// What is written down about one stack.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Gave {
    given: Vec<GivenFast>,
}

async fn read(clients: &Clients, bucket: &str, stack: &str) -> Result<Gave, AwsError> {
    match object::read(clients, bucket, &About::Given.key(stack)).await {
        Ok(object) => serde_json::from_slice(&object.bytes)
            .map_err(|_| AwsError::incomplete("GetObject", "list that this version can read")),
        Err(error) if error.code() == Some("NoSuchKey") => Ok(Gave::default()),
        Err(error) => Err(error),
    }
}

/// Adds what a full deploy takes over.
pub(super) async fn add(clients: &Clients, bucket: &str, given: GivenFast) -> Result<(), AwsError> {
    let stack = given.stack.clone();
    let mut gave = read(clients, bucket, &stack).await?;
    // A run that was killed right after this added it already.
    gave.given
        .retain(|it| (&it.last, &it.resources) != (&given.last, &given.resources));
    gave.given.push(given);
    let surplus = gave.given.len().saturating_sub(KEPT);
    gave.given.drain(..surplus);
    // Texts are always JSON.
    let body = serde_json::to_vec(&gave).unwrap_or_default();
    object::write(clients, bucket, &About::Given.key(&stack), body).await
}

/// Returns what stacks were given past CloudFormation before their last full deploys, the oldest first.
pub async fn gave_fast(
    context: &Context,
    stacks: &[StackTarget],
) -> Result<Vec<GivenFast>, AwsError> {
    let mut buckets: BTreeMap<&Option<String>, Option<String>> = BTreeMap::new();
    let mut given = Vec::new();
    for target in stacks {
        let there = context.in_region(target.region.as_deref());
        if !buckets.contains_key(&target.region) {
            buckets.insert(&target.region, bootstrap::existing(&there).await?);
        }
        if let Some(Some(bucket)) = buckets.get(&target.region) {
            given.extend(read(&there.clients, bucket, &target.name).await?.given);
        }
    }
    Ok(given)
}
