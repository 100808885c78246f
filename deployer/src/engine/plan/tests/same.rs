//! What is a change, and what only looks like one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::canonical::{canonical, same};
use super::{Action, Path, PropertyChange, plan_of, plan_with, resources};

#[test]
fn parameters_are_compared_by_value() {
    let template = resources(
        &json!({"Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "Code": {"S3Key": {"Ref": "Key"}, "S3Bucket": {"Ref": "Bucket"}},
        }}}),
    );
    let literal = resources(
        &json!({"Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "Code": {"S3Key": "one", "S3Bucket": "b"},
        }}}),
    );
    let values = [("Key", "one"), ("Bucket", "b")];
    assert!(plan_with(&template, &values, &literal, &[]).is_empty());
    let plan = plan_with(
        &template,
        &values,
        &template,
        &[("Key", "two"), ("Bucket", "b")],
    );
    let change = &plan.changes[0];
    assert_eq!(
        change.properties,
        [PropertyChange {
            path: Path::new("Properties").key("Code").key("S3Key"),
            before: Some(json!("one")),
            after: Some(json!("two")),
        }]
    );
    // A masked value says nothing, so the reference stays a reference.
    let masked = [("Key", "****"), ("Bucket", "b")];
    assert!(plan_with(&template, &masked, &template, &masked).is_empty());
}

#[test]
fn what_means_the_same_is_no_change() {
    let pairs = [
        (
            json!({"Fn::GetAtt": "A.Arn"}),
            json!({"Fn::GetAtt": ["A", "Arn"]}),
        ),
        (json!({"Fn::Sub": "x"}), json!("x")),
        (json!({"Fn::Sub": "${A}"}), json!({"Ref": "A"})),
        (
            json!({"Fn::Sub": "a:${AWS::Region}:${A.Arn}/*"}),
            json!({"Fn::Join": ["", ["a:", {"Ref": "AWS::Region"}, ":", {"Fn::GetAtt": ["A", "Arn"]}, "/*"]]}),
        ),
        (
            json!({"Fn::Sub": ["${X}-${!Y}", {"X": {"Ref": "A"}}]}),
            json!({"Fn::Join": ["-", [{"Ref": "A"}, "${Y}"]]}),
        ),
        (
            json!({"Fn::Join": ["", ["a", {"Fn::Join": ["", ["b", {"Ref": "C"}]]}]]}),
            json!({"Fn::Sub": "ab${C}"}),
        ),
        (json!({"Fn::Select": [1, ["a", "b"]]}), json!("b")),
        (json!(["a", {"Ref": "AWS::NoValue"}]), json!(["a"])),
        (json!({"a": {"Ref": "AWS::NoValue"}}), json!({})),
        (json!({"n": 5, "b": true}), json!({"n": "5", "b": "true"})),
        (
            json!({"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": ["b", "a"], "Principal": {"AWS": "x"}}}),
            json!({"Statement": [{"Effect": "Allow", "Action": ["s3:Get*"], "Resource": ["a", "b"], "Principal": {"AWS": ["x"]}}]}),
        ),
        (
            json!({"Statement": [{"Sid": "1"}, {"Sid": "2"}]}),
            json!({"Statement": [{"Sid": "2"}, {"Sid": "1"}]}),
        ),
        (
            json!({"Statement": [{"Sid": "1", "Effect": "Deny"}, {"Effect": "Allow", "Sid": "0"}]}),
            json!({"Statement": [{"Sid": "0", "Effect": "Allow"}, {"Effect": "Deny", "Sid": "1"}]}),
        ),
        (
            json!({"Tags": [{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "2"}]}),
            json!({"Tags": [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "1"}]}),
        ),
    ];
    let none = BTreeMap::new();
    for (left, right) in pairs {
        let (a, b) = (canonical(&left, &none), canonical(&right, &none));
        assert!(same(&a, &b), "{left} became {a}, {right} became {b}");
    }
}

#[test]
fn what_differs_is_a_change() {
    let pairs = [
        (json!({"Ref": "A"}), json!({"Ref": "B"})),
        (json!("a"), json!({"Ref": "a"})),
        (json!({"Fn::Sub": "${!A}"}), json!({"Ref": "A"})),
        (json!([1, 2]), json!([2, 1])),
        (json!({"Fn::Join": [",", ["a", "b"]]}), json!("ab")),
        (
            json!({"Statement": [{"Action": "a"}]}),
            json!({"Statement": [{"Action": ["a", "b"]}]}),
        ),
        (json!(null), json!("null")),
        (json!({"Fn::Sub": "open ${"}), json!("open")),
    ];
    let none = BTreeMap::new();
    for (left, right) in pairs {
        let (a, b) = (canonical(&left, &none), canonical(&right, &none));
        assert!(!same(&a, &b), "{left} and {right}");
    }
}

#[test]
fn lists_without_order_are_sets() {
    let template = |layers: Value| {
        resources(
            &json!({"F": {"Type": "AWS::Lambda::Function", "Properties": {"Layers": layers}}}),
        )
    };
    assert!(plan_of(&template(json!(["a", "b"])), &template(json!(["b", "a"]))).is_empty());
    let plan = plan_of(
        &template(json!(["a", "b"])),
        &template(json!(["a", "b", "c"])),
    );
    assert_eq!(
        plan.changes[0].properties[0].path,
        Path::new("Properties").key("Layers")
    );
}

#[test]
fn a_changed_definition_shows_which_state_changed() {
    let machine = |definition: Value| {
        resources(&json!({"Flow": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"DefinitionString": definition},
        }}))
    };
    let lines = |pause: &str| {
        let pause =
            format!("\"States\": {{\"Pause\": {{\"Seconds\": {pause}, \"Type\": \"Wait\"}}}}");
        json!({"Fn::Join": ["\n", ["{", pause, "}"]]})
    };
    let plan = plan_of(&machine(lines("5")), &machine(lines("6")));
    let change = plan.changes.first().expect("the pause changed");
    let [property] = change.properties.as_slice() else {
        panic!("{:?}", change.properties);
    };
    assert_eq!(
        property.path.to_string(),
        "Properties.DefinitionString.States.Pause.Seconds"
    );
    assert_eq!(
        (&property.before, &property.after),
        (&Some(json!(5)), &Some(json!(6)))
    );
    assert_eq!(change.action, Action::Update);

    let text = r#"{"States":{"Pause":{"Type":"Wait","Seconds":5}}}"#;
    assert!(plan_of(&machine(lines("5")), &machine(json!(text))).is_empty());
    // A number is no text in a definition, whatever it is elsewhere in a template.
    let plan = plan_of(&machine(lines("5")), &machine(lines("\"5\"")));
    assert_eq!(
        plan.changes.first().map(|change| change.properties.len()),
        Some(1)
    );
    let plan = plan_of(&machine(json!("no JSON")), &machine(json!("nor this")));
    assert_eq!(
        plan.changes.first().map(|change| change.properties.len()),
        Some(1)
    );
}
