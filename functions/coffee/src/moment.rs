//! What differs from call to call although the request does not.

use jiff::Timestamp;

/// The 64 letters of codes and ids; all of them may stand in a URL.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/// The operating system has no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("there is no randomness")]
pub(crate) struct NoRandomness(#[source] getrandom::Error);

/// Returns the time of now in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Returns so many random letters.
pub(crate) fn random_text(length: usize) -> Result<String, NoRandomness> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(text_of(&bytes))
}

/// Turns each byte into a letter. There are as many letters as six bits can count, so all are equally likely.
fn text_of(bytes: &[u8]) -> String {
    let letter = |byte: &u8| LETTERS.get(usize::from(byte & 0x3f)).copied();
    bytes.iter().filter_map(letter).map(char::from).collect()
}

/// Writes a time for people, such as `Tue, 07 Sep 2021 14:45:00 GMT`.
pub(crate) fn for_people(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .ok()
        .and_then(|time| {
            let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
            printer.timestamp_to_rfc9110_string(&time).ok()
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_can_occur_and_none_is_likelier() {
        let all: Vec<u8> = (0..=255).collect();
        let text = text_of(&all);
        assert_eq!(text.len(), 256);
        for letter in LETTERS {
            let count = text.bytes().filter(|byte| byte == letter).count();
            assert_eq!(count, 4);
        }
    }

    #[test]
    fn two_texts_differ() {
        let (one, other) = (random_text(21).unwrap(), random_text(21).unwrap());
        assert_eq!(one.len(), 21);
        assert_ne!(one, other);
    }

    #[test]
    fn a_time_can_be_read() {
        assert_eq!(
            for_people(1_631_025_900_000),
            "Tue, 07 Sep 2021 14:45:00 GMT"
        );
    }
}
