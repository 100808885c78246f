//! Adds what can be seen on a photo to its entry.

use std::error::Error;

use serde_json::Value;
use stack_bindings::{CallError, Expression, Get, ObjectChanges, Reason, Table, Update};
use tracing::warn;

use crate::album::{Album, Label};
use crate::functions::ProcessPhoto;
use crate::object_key::ObjectKey;
use crate::upload::TRIES;

/// Why a photo was not labelled. The invocation then fails, so that Lambda tries it again.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The photo has no entry yet: the object is there before the API is told of it.
    #[error("there is no entry for the object {0} yet")]
    NoEntry(String),
    /// The entry kept moving while it was to be changed.
    #[error("the entry of the object {0} is being changed elsewhere")]
    Contended(String),
    /// The table cannot be used.
    #[error("the album cannot be read or changed")]
    Album(#[source] CallError),
    /// There are no labels to be had.
    #[error("the labels of the object {0} cannot be detected")]
    Labels(String, #[source] Box<dyn Error + Send + Sync>),
}

/// How many labels a photo gets at most.
const LABELS: u16 = 10;

/// Writes what can be seen on every photo of an event into the photo's entry.
///
/// # Errors
///
/// Fails where one of the photos cannot be labelled, after all have been tried.
pub async fn process(bindings: &ProcessPhoto, changes: ObjectChanges) -> Result<(), ProcessError> {
    process_with(&bindings.albums, changes, async |key: &str| {
        let labels = bindings.labels.detect(&bindings.photos, key).limit(LABELS);
        let labels = labels.await?.into_iter().map(|label| Label {
            item: label.name,
            // As the wider type, written as JSON: with the digits that Rekognition sent.
            score: Value::from(f64::from(label.confidence)).to_string(),
        });
        Ok::<_, CallError>(labels.collect())
    })
    .await
}

/// Labels every photo of an event, and reports the first that cannot be labelled after all have been tried.
pub(crate) async fn process_with<E: Error + Send + Sync + 'static>(
    albums: &Table<Album, (Get, Update)>,
    changes: ObjectChanges,
    detect: impl AsyncFn(&str) -> Result<Vec<Label>, E>,
) -> Result<(), ProcessError> {
    let mut outcome = Ok(());
    for change in &changes.changes {
        let Some(key) = ObjectKey::parse(&change.key) else {
            // No upload leads to such a key, so no entry will ever be there for it.
            warn!(key = change.key, "the object is no photo of a person");
            continue;
        };
        outcome = outcome.and(label(albums, key, &detect).await);
    }
    outcome
}

/// Detects what can be seen on a photo, and writes it into the photo's entry.
///
/// The entry is looked for first, so that a photo that has none yet costs no detection.
async fn label<E: Error + Send + Sync + 'static>(
    albums: &Table<Album, (Get, Update)>,
    key: ObjectKey<'_>,
    detect: impl AsyncFn(&str) -> Result<Vec<Label>, E>,
) -> Result<(), ProcessError> {
    let object = key.to_string();
    let mut entry = find(albums, key).await?;
    let labels = detect(&object)
        .await
        .map_err(|error| ProcessError::Labels(object.clone(), Box::new(error)))?;
    for _ in 0..TRIES {
        let (position, id) = &entry;
        let written = albums
            .update(
                key.owner(),
                Expression::new(format!("SET #photos[{position}].#objects = :objects"))
                    .name("#photos", "photos")
                    .name("#objects", "objects")
                    .value(":objects", &labels),
            )
            .when(
                // The same upload as was found: others may have moved it, or put a later one in its place, which is then
                // found anew.
                Expression::new(format!("#photos[{position}].#id = :id"))
                    .name("#id", "id")
                    .value(":id", id),
            )
            .await;
        match written {
            Err(error) if error.reason() == Reason::ConditionFailed => {
                entry = find(albums, key).await?;
            }
            outcome => return outcome.map(|_| ()).map_err(ProcessError::Album),
        }
    }
    Err(ProcessError::Contended(object))
}

/// Returns where the entry of a photo stands, and its id.
async fn find(
    albums: &Table<Album, (Get, Update)>,
    key: ObjectKey<'_>,
) -> Result<(usize, String), ProcessError> {
    let album = albums.get(key.owner()).consistent().await;
    let album = album.map_err(ProcessError::Album)?;
    album
        .as_ref()
        .and_then(|album| album.find(|photo| photo.name == key.name()))
        .map(|(position, photo)| (position, photo.id.clone()))
        .ok_or_else(|| ProcessError::NoEntry(key.to_string()))
}
