//! How numbers and bytes are written, whoever writes them.

use std::fmt::Write as _;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_numbers_are_written_out() {
        assert_eq!(hex(&[0, 10, 255]), "000aff");
        assert_eq!(count(1, "stack"), "1 stack");
        assert_eq!(count(0, "stack"), "0 stacks");
    }
}
