//! Notifications of S3 about objects.

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;

use super::{Decode, Event, EventError};

/// Objects of a bucket that were created or removed, as S3 itself notifies.
///
/// The shape is that of
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectChanges {
    /// The changes, usually one.
    pub changes: Vec<ObjectChange>,
}

/// One object that was created or removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectChange {
    /// What happened, such as `ObjectCreated:Put`.
    pub event_name: String,
    /// The name of the bucket.
    pub bucket: String,
    /// The key, decoded: S3 sends it as a form does, with `+` for a space.
    pub key: String,
    /// The size in bytes, of an object that was created.
    pub size: Option<u64>,
    /// The entity tag, of an object that was created.
    pub e_tag: Option<String>,
    /// The version, in a bucket that keeps versions.
    pub version_id: Option<String>,
    /// Orders the changes of one key: the greater text is the later change.
    pub sequencer: Option<String>,
    /// When it happened, such as `1970-01-01T00:00:00.000Z`.
    pub time: String,
}

impl ObjectChange {
    /// Returns whether the object was created, or written once more.
    pub fn is_created(&self) -> bool {
        self.event_name.starts_with("ObjectCreated:")
    }

    /// Returns whether the object was removed, or hidden by a delete marker.
    pub fn is_removed(&self) -> bool {
        self.event_name.starts_with("ObjectRemoved:")
    }
}

#[derive(Deserialize)]
struct Records {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_name: String,
    #[serde(default)]
    event_time: String,
    s3: Place,
}

#[derive(Deserialize)]
struct Place {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    key: String,
    size: Option<u64>,
    e_tag: Option<String>,
    version_id: Option<String>,
    sequencer: Option<String>,
}

impl Decode for ObjectChanges {
    fn decode(payload: Value) -> Result<Self, EventError> {
        let records = Records::deserialize(payload).map_err(EventError::Content)?;
        let changes = records.records.into_iter().map(|record| {
            let Place { bucket, object } = record.s3;
            let key = form_decoded(&object.key).ok_or_else(|| {
                EventError::Content(serde_json::Error::custom(
                    "the key of the object is not encoded as a form encodes it",
                ))
            })?;
            Ok(ObjectChange {
                event_name: record.event_name,
                bucket: bucket.name,
                key,
                size: object.size,
                e_tag: object.e_tag,
                version_id: object.version_id,
                sequencer: object.sequencer,
                time: record.event_time,
            })
        });
        Ok(Self {
            changes: changes.collect::<Result<_, _>>()?,
        })
    }
}

impl Event for ObjectChanges {
    #[cfg(feature = "wiring")]
    type Sent = stack_model::contract::event::ObjectChanges;

    fn recognises(payload: &Value) -> bool {
        payload["Records"]
            .get(0)
            .is_some_and(|record| record["eventSource"] == "aws:s3")
    }
}

/// Decodes a text of the type `application/x-www-form-urlencoded`; `None` where an escape is broken or the bytes are
/// not UTF-8.
fn form_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let code = digit()? * 16 + digit()?;
                u8::try_from(code).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_as_forms_are() {
        for (sent, key) in [
            (
                "private/us-west-2%3A1/a+b%2B.png",
                Some("private/us-west-2:1/a b+.png"),
            ),
            ("gr%C3%BCn.jpg", Some("grün.jpg")),
            ("100%25", Some("100%")),
            ("%C3", None),
            ("%4", None),
            ("%zz", None),
        ] {
            assert_eq!(form_decoded(sent).as_deref(), key, "{sent}");
        }
    }
}
