//! What all bindings have: a kind, and an environment variable that says which resource is meant.

/// A field of a struct that derives [`Bindings`](crate::Bindings).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a binding",
    label = "a field of a bindings struct is a binding",
    note = "bindings are `Bucket`, `Connections`, `EventBus`, `ImageLabels`, `IotData`, `IotEndpoint`, `IotTopic`, `IotTopicFamily`, `Parameter`, `Queue`, `Secret`, `StateMachine`, `Table`, `Topic` and `Var`"
)]
pub trait Binding {
    /// The kind, as manifests and messages name it.
    const KIND: &'static str;
    /// What the name of the environment variable ends with, after the name of the field.
    const SUFFIX: &'static str;
}

/// The longest name of an environment variable that a field can get.
const CAPACITY: usize = 256;

/// The name of an environment variable, put together when the function compiles.
#[doc(hidden)]
#[derive(Debug)]
pub struct VariableName {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl VariableName {
    /// Puts the name of a field, in upper case, before the suffix of its kind.
    #[doc(hidden)]
    pub const fn new(field: &str, suffix: &str) -> Self {
        assert!(
            field.len() + suffix.len() <= CAPACITY,
            "the name of the field is too long for an environment variable"
        );
        let mut bytes = [0; CAPACITY];
        let mut length = 0;
        let mut at = 0;
        while at < field.len() {
            bytes[length] = field.as_bytes()[at].to_ascii_uppercase();
            length += 1;
            at += 1;
        }
        at = 0;
        while at < suffix.len() {
            bytes[length] = suffix.as_bytes()[at];
            length += 1;
            at += 1;
        }
        Self { bytes, length }
    }

    /// Returns the name.
    #[doc(hidden)]
    pub const fn as_str(&self) -> &str {
        match str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(name) => name,
            // Only possible if a multi-byte character were cut, and no string is cut here.
            Err(_) => "",
        }
    }
}

/// Says whether all names differ; the derive asserts it when the function compiles.
#[doc(hidden)]
pub const fn distinct(names: &[&str]) -> bool {
    let mut one = 0;
    while one < names.len() {
        let mut other = one + 1;
        while other < names.len() {
            if same(names[one].as_bytes(), names[other].as_bytes()) {
                return false;
            }
            other += 1;
        }
        one += 1;
    }
    true
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_field_and_the_suffix() {
        const NAME: VariableName = VariableName::new("dead_letters", "_URL");
        assert_eq!(NAME.as_str(), "DEAD_LETTERS_URL");
        assert_eq!(VariableName::new("log_level", "").as_str(), "LOG_LEVEL");
    }

    #[test]
    fn equal_names_are_found_wherever_they_stand() {
        assert!(distinct(&[]));
        assert!(distinct(&["A", "AB", "B"]));
        assert!(!distinct(&["A", "B", "A"]));
        assert!(!distinct(&["B", "A", "A"]));
    }
}
