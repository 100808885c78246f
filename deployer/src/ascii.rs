//! Templates as CloudFormation gives them back.
//!
//! `GetTemplate` answers a question mark for each character that is not ASCII, whatever CloudFormation holds
//! (<https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1220>); escape sequences come back as they
//! were sent (<https://github.com/aws/aws-cli/issues/10185>). So templates are sent with them, and texts that were sent
//! otherwise are known by what became of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// Writes a JSON text in ASCII. Other characters can only be in its strings.
pub(crate) fn escaped(json: &str) -> Cow<'_, str> {
    if json.is_ascii() {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() * 2);
    for character in json.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    Cow::Owned(escaped)
}

/// Writes a value as a JSON text in ASCII.
pub(crate) fn json(value: &Value) -> String {
    escaped(&value.to_string()).into_owned()
}

/// Returns a template as it was sent, where CloudFormation gave it back with question marks and `wanted` has the texts that
/// they stand for. A text of question marks that means itself is taken for another one only where that is wanted, too.
pub(crate) fn healed<'a>(deployed: &'a Value, wanted: &Value) -> Cow<'a, Value> {
    let mut texts = BTreeMap::new();
    collect(wanted, &mut texts);
    if texts.is_empty() {
        Cow::Borrowed(deployed)
    } else {
        Cow::Owned(replaced(deployed, &texts))
    }
}

/// Collects the texts that are not ASCII by what CloudFormation makes of them.
fn collect(value: &Value, texts: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) => note(text, texts),
        Value::Array(elements) => elements.iter().for_each(|it| collect(it, texts)),
        Value::Object(entries) => {
            for (key, value) in entries {
                note(key, texts);
                collect(value, texts);
            }
        }
        _ => {}
    }
}

fn note(text: &str, texts: &mut BTreeMap<String, String>) {
    if !text.is_ascii() {
        let mangled = |c: char| if c.is_ascii() { c } else { '?' };
        texts.insert(text.chars().map(mangled).collect(), text.to_owned());
    }
}

fn replaced(value: &Value, texts: &BTreeMap<String, String>) -> Value {
    let text = |text: &String| texts.get(text).unwrap_or(text).clone();
    match value {
        Value::String(it) => text(it).into(),
        Value::Array(elements) => elements.iter().map(|it| replaced(it, texts)).collect(),
        Value::Object(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| (text(key), replaced(value, texts)));
            Value::Object(entries.collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_sent_is_ascii_and_means_the_same() {
        let value = json!({"Name": "Gr\u{fc}\u{df}e \"\\\" \u{1f980}", "\u{e9}": ["a"]});
        let sent = json(&value);
        assert!(sent.is_ascii(), "{sent}");
        assert_eq!(serde_json::from_str::<Value>(&sent).ok(), Some(value));
        assert!(matches!(escaped("{}"), Cow::Borrowed(_)));
    }

    #[test]
    fn question_marks_are_known_by_what_is_wanted() {
        let wanted = json!({"A": "Hello\u{3053}\u{263a}", "\u{e9}t\u{e9}": 1, "B": "why?"});
        let deployed = json!({"A": "Hello??", "?t?": 1, "B": "why?", "C": "Other??"});
        let healed = healed(&deployed, &wanted);
        let all =
            json!({"A": "Hello\u{3053}\u{263a}", "\u{e9}t\u{e9}": 1, "B": "why?", "C": "Other??"});
        assert_eq!(*healed, all);
    }
}
