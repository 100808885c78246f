//! The algebra of texts: literals stay literals, texts flatten, and what a template says means what was written.

use proptest::prelude::*;
use serde_json::Value as Json;
use stack_model::{Part, Pseudo, ResourceId, Token, Value, interpolate};

use crate::support::{dev, template};

/// A piece that CloudFormation fills in, with what it would be at deployment.
fn token() -> impl Strategy<Value = (Token, &'static str)> {
    prop_oneof![
        Just((Token::Pseudo(Pseudo::Region), "<region>")),
        Just((Token::Pseudo(Pseudo::AccountId), "<account>")),
        Just((Token::Ref(ResourceId::new("orders", "Own")), "<ref>")),
        Just((
            Token::GetAtt(ResourceId::new("orders", "Own"), "TopicName".into()),
            "<name>"
        )),
        Just((
            Token::Select {
                index: 0,
                list: Box::new(Token::Pseudo(Pseudo::NotificationArns).into()),
            },
            "<select>"
        )),
    ]
}

/// Text with many of the characters that `Fn::Sub` gives a meaning.
fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        "[${}!a-z]{0,8}",
        Just("${AWS::Region}".to_owned()),
        Just("${!a}".to_owned()),
        "\\PC{0,4}",
    ]
}

/// A tree of texts in texts, with what it would be at deployment.
fn tree() -> impl Strategy<Value = (Value<String>, String)> {
    let leaf = prop_oneof![
        literal().prop_map(|text| (Value::Literal(text.clone()), text)),
        token().prop_map(|(token, meaning)| (Value::Token(token), meaning.to_owned())),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        (inner.clone(), literal(), inner).prop_map(|(left, between, right)| {
            let part = |value: Value<String>| match value {
                Value::Literal(text) => Part::Text(text),
                Value::Token(token) => Part::Token(token),
            };
            let meaning = format!("{}{between}{}", left.1, right.1);
            let parts = [part(left.0), Part::Text(between), part(right.0)];
            (interpolate("{}{}{}", parts), meaning)
        })
    })
}

/// Does what CloudFormation does with the value of an output.
fn deployed(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        Json::Object(entries) => {
            let (function, argument) = entries.iter().next().unwrap();
            match (function.as_str(), argument) {
                ("Ref", Json::String(name)) => meaning(name),
                ("Fn::GetAtt", Json::Array(names)) => meaning(&format!(
                    "{}.{}",
                    names[0].as_str().unwrap(),
                    names[1].as_str().unwrap()
                )),
                ("Fn::Select", _) => "<select>".to_owned(),
                ("Fn::Sub", Json::String(text)) => substituted(text, &Json::Null),
                ("Fn::Sub", Json::Array(parts)) => {
                    substituted(parts[0].as_str().unwrap(), &parts[1])
                }
                other => panic!("an unexpected function: {other:?}"),
            }
        }
        other => panic!("an unexpected value: {other}"),
    }
}

fn meaning(name: &str) -> String {
    match name {
        "AWS::Region" => "<region>",
        "AWS::AccountId" => "<account>",
        "Own" => "<ref>",
        "Own.TopicName" => "<name>",
        other => panic!("an unexpected name: {other}"),
    }
    .to_owned()
}

/// Reads the text of `Fn::Sub`: `${!x}` is the text `${x}`, and `${x}` is a variable or a reference. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html>.
fn substituted(text: &str, variables: &Json) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        result.push_str(&rest[..start]);
        rest = &rest[start + 2..];
        if let Some(after) = rest.strip_prefix('!') {
            result.push_str("${");
            rest = after;
            continue;
        }
        let end = rest.find('}').expect("every reference ends");
        let name = &rest[..end];
        match variables.get(name) {
            Some(value) => result.push_str(&deployed(value)),
            None => result.push_str(&meaning(name)),
        }
        rest = &rest[end + 1..];
    }
    result.push_str(rest);
    result
}

fn parts(value: &Value<String>) -> &[Part] {
    match value {
        Value::Token(Token::Sub(parts)) => parts,
        _ => &[],
    }
}

proptest! {
    #[test]
    fn a_text_means_what_was_written((value, meaning) in tree()) {
        let template = template(dev(), |stack| {
            stack.raw("Own", "AWS::SNS::Topic", serde_json::json!({}));
            stack.output("Text", value);
        });
        prop_assert_eq!(deployed(&template["Outputs"]["Text"]["Value"]), meaning);
    }

    #[test]
    fn texts_are_flat_and_neighbours_are_joined((value, _) in tree()) {
        let parts = parts(&value);
        let nested = parts.iter().any(|part| matches!(part, Part::Token(Token::Sub(_))));
        prop_assert!(!nested);
        let empty = parts.iter().any(|part| matches!(part, Part::Text(text) if text.is_empty()));
        prop_assert!(!empty);
        let neighbours = parts.windows(2).any(|pair| matches!(pair, [Part::Text(_), Part::Text(_)]));
        prop_assert!(!neighbours);
        prop_assert_ne!(parts.len(), 1);
    }

    #[test]
    fn only_a_text_without_tokens_is_a_literal(pieces in proptest::collection::vec(literal(), 0..4)) {
        let whole: String = pieces.concat();
        let text = pieces.into_iter().fold(Value::Literal(String::new()), |text, piece| {
            let left = match text {
                Value::Literal(text) => Part::Text(text),
                Value::Token(token) => Part::Token(token),
            };
            interpolate("{}{}", [left, Part::Text(piece)])
        });
        prop_assert_eq!(text, Value::Literal(whole));
    }

    #[test]
    fn nesting_does_not_matter((left, _) in tree(), (middle, _) in tree(), (right, _) in tree()) {
        let part = |value: &Value<String>| match value.clone() {
            Value::Literal(text) => Part::Text(text),
            Value::Token(token) => Part::Token(token),
        };
        let first = interpolate("{}{}", [part(&left), part(&middle)]);
        let second = interpolate("{}{}", [part(&middle), part(&right)]);
        prop_assert_eq!(
            interpolate("{}{}", [part(&first), part(&right)]),
            interpolate("{}{}", [part(&left), part(&second)])
        );
    }
}
