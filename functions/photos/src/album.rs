//! The items of the table.

use serde::{Deserialize, Serialize};
use stack_bindings::Item;

/// The photos of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Item)]
pub struct Album {
    /// The person: the identity id or the `sub` claim, as [`CallerIdentity`](crate::CallerIdentity) says.
    #[item(partition_key)]
    pub id: String,
    /// The photos, the latest upload last. Their names differ.
    #[serde(default)]
    pub photos: Vec<Photo>,
}

/// What is known of a photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    /// The id, a UUID that is new with every upload.
    pub id: String,
    /// The name, with which the object's key ends.
    pub name: String,
    /// When the photo was uploaded, in UTC: ISO 8601 without a zone.
    pub date: String,
    /// What can be seen on it, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<Vec<Label>>,
}

/// Something that can be seen on a photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// What it is, such as `Plant`.
    pub item: String,
    /// How certain that is, in percent: a number as text.
    pub score: String,
}

impl Album {
    /// Returns the photo for which something holds, and where it stands.
    #[cfg(feature = "runtime")]
    pub(crate) fn find(&self, holds: impl Fn(&Photo) -> bool) -> Option<(usize, &Photo)> {
        let mut photos = self.photos.iter().enumerate();
        photos.find(|(_, photo)| holds(photo))
    }
}
