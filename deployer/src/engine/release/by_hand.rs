//! Moves by hand: which version of a released function somebody made live on purpose, and when.
//!
//! An alias tells which version it names, and not why. A check that failed leads an alias back, and so does whoever goes
//! back by hand: the one must fail the next deploy, and the other must not. So a rollback of a function is written down
//! beside the artifacts, before the alias is moved. It counts as long as the alias names the version that was chosen and the
//! stack has deployed nothing since.

use serde::{Deserialize, Serialize};

use super::{mark, versions::ReleasedFunction};
use crate::{
    aws::{AwsError, Clients, Fault, object},
    engine::{Context, Origin, bootstrap, inspect, stack::rfc3339},
};

/// A version of a released function that somebody made live by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedByHand {
    /// Since when, in RFC 3339.
    pub since: String,
    /// Who did it: the last parts of the ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// The move as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Move {
    #[serde(flatten)]
    how: MovedByHand,
    /// The version that was made live.
    live: String,
    /// The version that the stack had deployed last.
    deployed: String,
}

/// Where a move was written down, and what was there before.
#[derive(Debug)]
pub struct NotedMove {
    bucket: String,
    before: Option<Vec<u8>>,
}

/// Returns what the keys of a stack's moves begin with.
pub(in crate::engine) fn prefix(stack: &str) -> String {
    format!("{stack}/by-hand/")
}

fn key(stack: &str, function: &str) -> String {
    format!("{}{function}.json", prefix(stack))
}

/// Writes down that somebody makes a version of a function live on purpose. Returns nothing where there is no place to write
/// to: a region without an artifact bucket has none.
pub async fn write_by_hand(
    context: &Context,
    function: &ReleasedFunction,
    version: u64,
) -> Result<Option<NotedMove>, AwsError> {
    let function = &function.function;
    let context = context.in_region(function.region.as_deref());
    let clients = &context.clients;
    let Some(bucket) = bootstrap::existing(&context).await? else {
        return Ok(None);
    };
    let key = key(&function.stack, &function.logical_id);
    let (before, denied) = match object::read(clients, &bucket, &key).await {
        Ok(object) => (Some(object.bytes), None),
        Err(error) if error.code() == Some("NoSuchKey") => (None, None),
        Err(error) if is_denied(&error) => (None, Some(error)),
        Err(error) => return Err(error),
    };
    let resources = inspect::resources(clients, &function.stack).await?;
    let deployed = super::deployed_version(&resources, &function.logical_id);
    let moved = Move {
        how: MovedByHand {
            since: rfc3339(context.timing.now()),
            by: Origin::of(&context).by,
        },
        live: version.to_string(),
        deployed: deployed.unwrap_or_default().to_owned(),
    };
    // Texts are always JSON.
    let body = serde_json::to_vec(&moved).unwrap_or_default();
    match denied {
        None => object::write(clients, &bucket, &key, body).await?,
        // Nothing that could not be read is written over.
        Some(denied) => {
            let written = object::write_over(clients, &bucket, &key, body, None).await;
            written.map_err(|error| {
                if mark::is_overtaken(&error) {
                    denied
                } else {
                    error
                }
            })?;
        }
    }
    Ok(Some(NotedMove { bucket, before }))
}

/// Returns whether a read was denied. Whoever may not list a bucket is denied what it does not hold, as what they may not read
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>).
fn is_denied(error: &AwsError) -> bool {
    matches!(error.fault(), Fault::Denied { .. })
}

/// Takes back what was written down about a move that was refused: what was there before is there again.
pub async fn forget_by_hand(
    context: &Context,
    function: &ReleasedFunction,
    noted: NotedMove,
) -> Result<(), AwsError> {
    let function = &function.function;
    let context = context.in_region(function.region.as_deref());
    let clients = &context.clients;
    let key = key(&function.stack, &function.logical_id);
    let NotedMove { bucket, before } = noted;
    match before {
        Some(before) => object::write(clients, &bucket, &key, before).await,
        None => object::delete(clients, &bucket, &key).await,
    }
}

/// Returns who made this version of a function live on purpose, after this one was deployed; none, where nobody did, or the
/// caller may not know.
pub(in crate::engine) async fn read(
    clients: &Clients,
    bucket: &str,
    stack: &str,
    function: &str,
    (live, deployed): (&str, &str),
) -> Result<Option<MovedByHand>, AwsError> {
    let object = match object::read(clients, bucket, &key(stack, function)).await {
        Ok(object) => object,
        Err(error) if error.code() == Some("NoSuchKey") || is_denied(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let moved: Move = serde_json::from_slice(&object.bytes)
        .map_err(|_| AwsError::incomplete("GetObject", "move that this version can read"))?;
    Ok(Some(moved)
        .filter(|moved| moved.live == live && moved.deployed == deployed)
        .map(|moved| moved.how))
}
