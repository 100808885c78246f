//! Parameters that name a value: CloudFormation looks it up in Systems Manager, with each update anew.
//!
//! See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html>.

use std::borrow::Cow;

use serde_json::Value;

use super::Side;

/// How the types of such parameters begin.
const LOOKED_UP: &str = "AWS::SSM::Parameter::Value<";

/// How a dynamic reference begins; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>.
const DYNAMIC: &str = "{{resolve:";

/// Returns a side whose parameters are what they mean: one that only names a value is the dynamic reference to that value,
/// which nobody here knows.
pub(super) fn looked_up<'a, 'b>(side: &'b Side<'a>) -> Cow<'b, Side<'a>> {
    let declared = side
        .template
        .and_then(|template| template.get("Parameters"))
        .and_then(Value::as_object);
    let names = declared.into_iter().flatten().filter(|(_, parameter)| {
        let kind = parameter.get("Type").and_then(Value::as_str);
        kind.is_some_and(|kind| kind.starts_with(LOOKED_UP))
    });
    let mut side = Cow::Borrowed(side);
    for (name, _) in names {
        let known = side.parameters.get(name);
        let Some(stored) = known.filter(|stored| !stored.starts_with(DYNAMIC)) else {
            continue;
        };
        let stored = dynamic(stored);
        side.to_mut().parameters.insert(name.clone(), stored);
    }
    side
}

/// Returns the dynamic reference to what is stored under a name.
pub(super) fn dynamic(stored: &str) -> String {
    format!("{DYNAMIC}ssm:{stored}}}}}")
}

/// Returns whether a text takes something that CloudFormation looks up.
pub(in crate::engine) fn is_dynamic(text: &str) -> bool {
    text.contains(DYNAMIC)
}

/// Returns whether anything in a value does.
pub(super) fn holds_dynamic(value: &Value) -> bool {
    match value {
        Value::String(text) => is_dynamic(text),
        Value::Array(elements) => elements.iter().any(holds_dynamic),
        Value::Object(entries) => entries.values().any(holds_dynamic),
        _ => false,
    }
}

/// Returns whether the value of an output is a text of a template.
///
/// What is not ASCII comes back as question marks
/// (<https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1220>).
pub(in crate::engine) fn is_value(present: &str, text: &str) -> bool {
    present == text || (!text.is_ascii() && blurred(present) == blurred(text))
}

/// Returns a text in which each run of question marks and of what may come back as such is one.
fn blurred(text: &str) -> String {
    let mut blurred = String::new();
    for character in text.chars() {
        if character.is_ascii() && character != '?' {
            blurred.push(character);
        } else if !blurred.ends_with('?') {
            blurred.push('?');
        }
    }
    blurred
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_as_question_marks_is_what_was_sent() {
        for (present, text, same) in [
            ("orders", "orders", true),
            ("Best?tigung", "Bestätigung", true),
            ("Best??tigung", "Bestätigung", true),
            ("Bestätigung", "Bestätigung", true),
            ("Bestatigung", "Bestätigung", false),
            ("Best?tigungen", "Bestätigung", false),
            ("a?", "ab", false),
        ] {
            assert_eq!(is_value(present, text), same, "{present} {text}");
        }
    }
}
