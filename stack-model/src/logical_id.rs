//! Logical ids: written by the author, checked by the synth.

/// Returns what is wrong with a logical id, if anything.
///
/// Logical ids are alphanumeric, 1 to 255 characters, and may start with a digit. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html>.
pub(crate) fn violation(logical_id: &str) -> Option<String> {
    if logical_id.is_empty() || logical_id.len() > 255 {
        return Some(format!(
            "`{logical_id}` is not a logical id: it needs 1 to 255 characters"
        ));
    }
    let strange = logical_id.chars().find(|c| !c.is_ascii_alphanumeric())?;
    Some(format!(
        "`{logical_id}` is not a logical id: {strange:?} is neither a letter nor a digit"
    ))
}

#[cfg(test)]
mod tests {
    use super::violation;

    #[test]
    fn letters_and_digits_only() {
        assert_eq!(violation("OrdersTable"), None);
        assert_eq!(violation("01OrderProcessorRole"), None);
        for wrong in ["", "orders-table", "Überlauf", "a b"] {
            assert!(violation(wrong).is_some(), "{wrong}");
        }
        assert!(violation(&"a".repeat(255)).is_none());
        assert!(violation(&"a".repeat(256)).is_some());
    }
}
