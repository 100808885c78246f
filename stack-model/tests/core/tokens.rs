//! The algebra of texts: literals stay literals, texts flatten, and what a template says means what was written.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use stack_model::{Expr, Part, Pseudo, ResourceId, Token, Value, interpolate};

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

/// Renders one output of a stack that has a topic `Own`.
fn rendered(value: impl Into<Expr>) -> Json {
    let mut template = template(dev(), |stack| {
        stack.raw("Own", "AWS::SNS::Topic", json!({}));
        stack.output("Value", value);
    });
    template["Outputs"]["Value"]["Value"].take()
}

fn own() -> ResourceId {
    ResourceId::new("orders", "Own")
}

#[test]
fn every_intrinsic_renders_as_cloudformation_writes_it() {
    let name: Expr = Token::GetAtt(own(), "TopicName".into()).into();
    let topics = || Box::new(Expr::from(Token::Pseudo(Pseudo::NotificationArns)));
    let cases = [
        (Token::Ref(own()), json!({"Ref": "Own"})),
        (
            Token::Pseudo(Pseudo::UrlSuffix),
            json!({"Ref": "AWS::URLSuffix"}),
        ),
        (
            Token::Join {
                delimiter: ",".to_owned(),
                list: Box::new(Expr::List(vec!["a".into(), name.clone()])),
            },
            json!({"Fn::Join": [",", ["a", {"Fn::GetAtt": ["Own", "TopicName"]}]]}),
        ),
        (
            Token::Select {
                index: 1,
                list: topics(),
            },
            json!({"Fn::Select": [1, {"Ref": "AWS::NotificationARNs"}]}),
        ),
        (
            Token::Split {
                delimiter: "-".to_owned(),
                text: Box::new(name.clone()),
            },
            json!({"Fn::Split": ["-", {"Fn::GetAtt": ["Own", "TopicName"]}]}),
        ),
        (
            Token::Base64(Box::new(name)),
            json!({"Fn::Base64": {"Fn::GetAtt": ["Own", "TopicName"]}}),
        ),
        (
            Token::SsmParameter {
                name: "/orders/level".to_owned(),
                version: Some(2),
                secure: false,
            },
            json!("{{resolve:ssm:/orders/level:2}}"),
        ),
    ];
    for (token, expected) in cases {
        assert_eq!(rendered(token), expected);
    }
}

#[test]
fn an_export_of_another_app_is_imported_by_name() {
    let mut app = dev();
    let mut stack = app.stack("orders");
    stack.raw("Own", "AWS::SNS::Topic", json!({}));
    let vpc = stack.import("network-VpcId");
    stack.output("Vpc", vpc);
    let assembly = app.synth().unwrap();
    let template: Json = serde_json::from_str(assembly.template("orders").unwrap()).unwrap();
    assert_eq!(
        template["Outputs"]["Vpc"]["Value"],
        json!({"Fn::ImportValue": "network-VpcId"})
    );
    // Nothing of this app has to be deployed before.
    assert!(assembly.manifest().stacks[0].depends_on.is_empty());
}

#[test]
fn tokens_inside_tokens_are_found() {
    let foreign = Token::Join {
        delimiter: ",".to_owned(),
        list: Box::new(Expr::List(vec![
            Token::Base64(Box::new(
                Token::Ref(ResourceId::new("orders", "Nowhere")).into(),
            ))
            .into(),
        ])),
    };
    let mut app = dev();
    let mut stack = app.stack("orders");
    stack.raw("Own", "AWS::SNS::Topic", json!({}));
    stack.output("Value", foreign);
    let message = app.synth().unwrap_err().to_string();
    assert!(message.contains("`Nowhere`"), "{message}");
}

#[cfg(feature = "yaml")]
#[test]
fn a_template_has_a_yaml_form() {
    let mut app = dev();
    app.stack("orders")
        .raw("Own", "AWS::SNS::Topic", json!({"TopicName": "own"}));
    let yaml = app.synth().unwrap().template_yaml("orders").unwrap();
    assert_eq!(
        yaml,
        "AWSTemplateFormatVersion: \"2010-09-09\"\nResources:\n  Own:\n    Properties:\n      TopicName: own\n    Type: AWS::SNS::Topic\n"
    );
}
