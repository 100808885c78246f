//! Where the object of a photo lies.

use std::fmt;

/// The longest key of an object, in bytes; see
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>.
const LONGEST_KEY: usize = 1024;

/// The beginning of the keys of all people's photos.
///
/// A policy lets each person reach the objects under it that bear their own id, and notifications come from here.
pub const OWN_OBJECTS: &str = "private/";

/// The key of the object of a photo: `private/<owner>/<name>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectKey<'k> {
    owner: &'k str,
    name: &'k str,
}

/// Why a photo cannot have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is no name.
    #[error("the name is missing")]
    Missing,
    /// The name would be taken for a part of the path, or lead out of it.
    #[error("the name must not contain `/`, and must not be `.` or `..`")]
    Path,
    /// The key would be longer than S3 allows.
    #[error("the name is too long")]
    TooLong,
}

impl<'k> ObjectKey<'k> {
    /// Makes the key of a person's photo.
    ///
    /// # Errors
    ///
    /// Fails where the name could not be told from the rest of the key again.
    pub fn new(owner: &'k str, name: &'k str) -> Result<Self, NameError> {
        let length = OWN_OBJECTS.len() + owner.len() + 1 + name.len();
        match name {
            "" => Err(NameError::Missing),
            "." | ".." => Err(NameError::Path),
            name if name.contains('/') => Err(NameError::Path),
            _ if length > LONGEST_KEY => Err(NameError::TooLong),
            _ => Ok(Self { owner, name }),
        }
    }

    /// Takes a key apart; `None` where it is not that of a photo.
    pub fn parse(key: &'k str) -> Option<Self> {
        let (owner, name) = key.strip_prefix(OWN_OBJECTS)?.split_once('/')?;
        Self::new(owner, name)
            .ok()
            .filter(|key| !key.owner.is_empty())
    }

    /// Returns the person's id.
    pub fn owner(&self) -> &'k str {
        self.owner
    }

    /// Returns the photo's name.
    pub fn name(&self) -> &'k str {
        self.name
    }
}

impl fmt::Display for ObjectKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OWN_OBJECTS}{}/{}", self.owner, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: &str = "us-west-2:0e3f4c2a-2f7b-4f0e-9d7a-2d6d3c3c1a11";

    #[test]
    fn a_key_is_taken_apart_into_what_it_was_made_of() {
        let key = ObjectKey::new(OWNER, "a b+ü%.png").unwrap();
        let text = key.to_string();
        assert_eq!(text, format!("private/{OWNER}/a b+ü%.png"));
        assert_eq!(ObjectKey::parse(&text), Some(key));
    }

    #[test]
    fn names_that_break_the_key_are_refused() {
        for (name, error) in [
            ("", NameError::Missing),
            ("a/b.png", NameError::Path),
            ("/", NameError::Path),
            (".", NameError::Path),
            ("..", NameError::Path),
        ] {
            assert_eq!(ObjectKey::new(OWNER, name), Err(error), "{name}");
        }
        let longest = "n".repeat(LONGEST_KEY - "private//".len() - OWNER.len());
        assert!(ObjectKey::new(OWNER, &longest).is_ok());
        assert_eq!(
            ObjectKey::new(OWNER, &format!("{longest}n")),
            Err(NameError::TooLong)
        );
    }

    #[test]
    fn other_keys_are_no_photos() {
        for key in [
            "",
            "private",
            "private/",
            "private/owner",
            "private/owner/",
            "private//a.png",
            "private/owner/album/a.png",
            "public/owner/a.png",
            "/private/owner/a.png",
        ] {
            assert_eq!(ObjectKey::parse(key), None, "{key}");
        }
    }
}
