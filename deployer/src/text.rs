//! How numbers and bytes are written, whoever writes them.

use std::fmt::Write as _;

use jiff::Timestamp;

/// Writes bytes in lower case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Writes a number with a noun.
pub(crate) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// Writes a number with commas between its thousands.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a time in RFC 3339 as people read it: to the second. What is no time stays as it is.
pub(crate) fn moment(time: &str) -> String {
    let second = (time.parse::<Timestamp>().ok())
        .and_then(|time| Timestamp::from_second(time.as_second()).ok());
    second.map_or_else(|| time.to_owned(), |time| time.to_string())
}

/// Writes words as a sentence lists them: `a, b and c`.
pub(crate) fn series<T: AsRef<str>>(words: &[T]) -> String {
    joined(words, "and")
}

/// Writes words of which one is meant: `a`, `a or b`, `a, b or c`.
pub(crate) fn choice<T: AsRef<str>>(words: &[T]) -> String {
    joined(words, "or")
}

fn joined<T: AsRef<str>>(words: &[T], between: &str) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [before @ .., last] => format!("{} {between} {last}", before.join(", ")),
    }
}

/// Chooses the form of a verb that agrees with as many as there are.
pub(crate) fn agreeing<T>(of: &[T], one: &'static str, several: &'static str) -> &'static str {
    if of.len() == 1 { one } else { several }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_numbers_are_written_out() {
        assert_eq!(hex(&[0, 10, 255]), "000aff");
        assert_eq!(count(1, "stack"), "1 stack");
        assert_eq!(count(0, "stack"), "0 stacks");
        assert_eq!(thousands(12), "12");
        assert_eq!(thousands(1500), "1,500");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(
            moment("2026-07-28T15:34:27.635224Z"),
            "2026-07-28T15:34:27Z"
        );
        assert_eq!(moment("2026-07-28T15:34:27Z"), "2026-07-28T15:34:27Z");
        assert_eq!(moment("a while ago"), "a while ago");
        assert_eq!(series::<&str>(&[]), "");
        assert_eq!(series(&["a"]), "a");
        assert_eq!(series(&["a", "b", "c"]), "a, b and c");
        assert_eq!(agreeing(&["a"], "is", "are"), "is");
        assert_eq!(agreeing(&["a", "b"], "is", "are"), "are");
    }
}
