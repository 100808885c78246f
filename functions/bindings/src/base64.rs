//! Base64, in which bodies and binary attributes arrive.
//!
//! The SDK has a decoder, too, but the stacks read the events' types without the SDK.

/// Decodes the standard alphabet of <https://www.rfc-editor.org/rfc/rfc4648#section-4>; `None` where the text is not
/// Base64.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    if padding > 2 || (padding > 0 && !text.len().is_multiple_of(4)) || digits.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    let (mut pending, mut bits) = (0_u32, 0);
    for digit in digits.bytes() {
        pending = (pending << 6) | u32::from(value(digit)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            // The mask keeps one byte of what was shifted.
            bytes.push(u8::try_from((pending >> bits) & 0xff).ok()?);
            pending &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of <https://www.rfc-editor.org/rfc/rfc4648#section-10>.
    #[test]
    fn the_vectors_of_the_standard() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(decode("/+8A").as_deref(), Some([0xff, 0xef, 0].as_slice()));
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in ["Z", "Zm9v=", "Zm9v====", "Zm 9", "Zm9_", "é"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
