//! The names in a text of `Fn::Sub`; see
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html>.

use std::collections::BTreeSet;

use serde_json::Value;

/// Says what stands for a resource, or for one of its attributes, braces and all; nothing leaves it as it is.
pub(in crate::engine) type Put<'a> = dyn FnMut(&str, Option<&str>) -> Option<String> + 'a;

/// Replaces `${Name}` and `${Name.Attribute}`. A variable that the text brings itself is named by all that stands between the
/// braces, so that one called `Name` hides no attribute of a resource of that name.
pub(in crate::engine) fn replaced(text: &str, own: &BTreeSet<&str>, put: &mut Put<'_>) -> String {
    let mut pieces = text.split("${");
    let mut replaced = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let found = piece.split_once('}').and_then(|(name, rest)| {
            let (id, attribute) = match name.split_once('.') {
                Some((id, attribute)) => (id, Some(attribute)),
                None => (name, None),
            };
            let is_own = own.contains(name);
            let text = (!is_own).then(|| put(id, attribute)).flatten()?;
            Some((text, rest))
        });
        if let Some((text, rest)) = found {
            replaced += &text;
            replaced += rest;
        } else {
            replaced += "${";
            replaced += piece;
        }
    }
    replaced
}

/// Returns the variables that the arguments of `Fn::Sub` bring themselves.
pub(in crate::engine) fn own(arguments: &[Value]) -> BTreeSet<&str> {
    let variables = arguments.get(1).and_then(Value::as_object);
    let variables = variables.into_iter().flatten();
    variables.map(|(name, _)| name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::{renamed, texts};

    /// Whatever becomes a text has the new name when it is one no more, and nothing else has.
    #[test]
    fn what_becomes_a_text_is_what_is_renamed() {
        let moves = BTreeMap::from([("Old".to_owned(), "New".to_owned())]);
        for (text, becomes_text, becomes_new) in [
            ("${Old}", "${Old}", "${Old}"),
            ("${Old.Arn}", "(Old.Arn)", "${New.Arn}"),
            ("${Old.A.B}", "(Old.A.B)", "${New.A.B}"),
            ("${Mine.Arn}", "${Mine.Arn}", "${Mine.Arn}"),
            (
                "${!Old.Arn} ${Older} Old",
                "${!Old.Arn} ${Older} Old",
                "${!Old.Arn} ${Older} Old",
            ),
            ("${Old.Arn", "${Old.Arn", "${Old.Arn"),
        ] {
            let value = json!({"Fn::Sub": [text, {"Old": "x", "Old.Mine": "y"}]});
            let mut lookup = |id: &str, attribute: Option<&str>| {
                (id == "Old").then(|| format!("(Old.{})", attribute.unwrap_or_default()))
            };
            let resolved = texts::resolved(&value, &mut lookup);
            assert_eq!(resolved["Fn::Sub"][0], becomes_text);
            let template = json!({"Resources": {"Reader": value}});
            let renamed = renamed(&template, &moves);
            assert_eq!(renamed["Resources"]["Reader"]["Fn::Sub"][0], becomes_new);
        }
    }
}
