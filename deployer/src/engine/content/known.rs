//! What a bucket was found to hold, written down, so that the next look asks only for what changed since.
//!
//! A list of a bucket tells the `ETag` of each object and when it was written, a thousand objects at a time, but not the
//! fingerprint, which needs a call for each. So whoever looked writes down beside the artifacts which fingerprint each
//! object had, with both. Whoever writes an object anew moves its time, be it with the same bytes and other headers: the
//! record says nothing of that one any more, and it is looked at. (S3 tells whole seconds: who writes the same bytes with other
//! headers in the second of our own write is not seen.)

use std::collections::BTreeMap;

use aws_sdk_s3::types;
use serde::{Deserialize, Serialize};

use super::Folder;
use crate::aws::object;
use crate::engine::Event;

/// How many files a folder has at least for a record: fewer are looked at in the time that one takes.
const WORTH: usize = 32;

/// One state of an object, as a list tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    etag: String,
    /// When it was written, in nanoseconds since 1970.
    written: i64,
}

/// An object whose fingerprint is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Object {
    #[serde(flatten)]
    version: Version,
    /// None, where somebody else put it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fingerprint: Option<String>,
}

/// What is known of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    bucket: String,
    /// By key.
    objects: BTreeMap<String, Object>,
    /// Whether it is written down like this.
    #[serde(skip)]
    is_written: bool,
}

impl Version {
    /// Returns the state of a listed object; none, where the list does not tell it.
    pub(super) fn of(object: &types::Object) -> Option<Self> {
        Some(Self {
            etag: object.e_tag.as_deref()?.trim_matches('"').to_owned(),
            written: i64::try_from(object.last_modified?.as_nanos()).ok()?,
        })
    }

    /// Returns whether an object that was written with this `ETag` is still that.
    pub(super) fn is(&self, etag: &str) -> bool {
        self.etag == etag.trim_matches('"')
    }
}

impl Known {
    /// Reads what is known; nothing, where a folder is so small that nobody writes it down. What cannot be read costs a look
    /// at each object, and no more.
    pub(super) async fn read(folder: Folder<'_>) -> Self {
        let nothing = Self {
            bucket: folder.bucket.to_owned(),
            ..Self::default()
        };
        let Some(archive) = archive(folder) else {
            return nothing;
        };
        let read = object::read(&folder.context.clients, archive, &key(folder)).await;
        let known = read
            .ok()
            .and_then(|it| serde_json::from_slice(&it.bytes).ok());
        known
            .filter(|known: &Self| known.bucket == folder.bucket)
            .map_or(nothing, |known| Self {
                is_written: true,
                ..known
            })
    }

    /// Returns the object that had this state; none, where nobody looked at it.
    pub(super) fn object(&self, key: &str, version: &Version) -> Option<&Object> {
        let object = self.objects.get(key)?;
        (object.version == *version).then_some(object)
    }

    /// Takes note of an object, and forgets what it was before.
    pub(super) fn set(&mut self, key: &str, version: Version, fingerprint: Option<String>) {
        let object = Object {
            version,
            fingerprint,
        };
        let before = self.objects.insert(key.to_owned(), object.clone());
        self.is_written &= before == Some(object);
    }

    /// Forgets all but these.
    pub(super) fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        let before = self.objects.len();
        self.objects.retain(|key, _| is_there(key));
        self.is_written &= self.objects.len() == before;
    }

    /// Writes it down, where it is not. What cannot be written costs the next run its looks.
    pub(super) async fn write(&self, folder: Folder<'_>) {
        let Some(archive) = archive(folder) else {
            return;
        };
        if self.is_written {
            return;
        }
        // Texts and numbers are always JSON.
        let body = serde_json::to_vec(self).unwrap_or_default();
        let clients = &folder.context.clients;
        let written = object::write(clients, archive, &key(folder), body).await;
        if let Err(error) = written {
            unwritten(folder, &error);
        }
    }
}

/// Says that nothing new is written down about a bucket.
pub(super) fn unwritten(folder: Folder<'_>, error: &dyn std::error::Error) {
    folder.context.emit(Event::Warning {
        stack: folder.stack.to_owned(),
        message: format!(
            "the next deploy looks at objects of {} again, because what was found could not be written down: {error}",
            folder.name
        ),
    });
}

/// Returns whether an object of the artifact bucket is such a record of a stack.
pub(in crate::engine) fn is_record(stack: &str, key: &str) -> bool {
    let name = key.strip_prefix(&prefix(stack));
    name.is_some_and(|name| name.strip_suffix(".json").is_some())
}

/// Returns whether any of these folders has a record.
pub(super) fn is_worth_of<'a>(
    mut contents: impl Iterator<Item = &'a crate::content::Content>,
) -> bool {
    contents.any(|content| content.files.len() >= WORTH)
}

/// Returns the bucket that a folder has its record in; none, where it has none.
pub(super) fn archive(folder: Folder<'_>) -> Option<&str> {
    let is_worth = is_worth_of(std::iter::once(folder.content));
    folder.archive.filter(|_| is_worth)
}

fn prefix(stack: &str) -> String {
    format!("{stack}/content/")
}

fn key(folder: Folder<'_>) -> String {
    format!("{}{}.json", prefix(folder.stack), folder.name)
}
