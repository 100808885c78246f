//! Texts that hold JSON, texts that are compared line by line, and defaults, as the registry knows them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Registry, Side, compare};
use super::{Action, Grade, ResourceChange, resources};

/// Returns how a resource of a type changes; nothing, where it does not.
fn change(resource_type: &str, before: &Value, after: &Value) -> Option<ResourceChange> {
    let template = |properties: &Value| {
        resources(&json!({"Thing": {"Type": resource_type, "Properties": properties}}))
    };
    let (before, after) = (template(before), template(after));
    let side = |template| Side {
        template: Some(template),
        ..Side::default()
    };
    let none = BTreeMap::new();
    let plan = compare("a-dev", &side(&before), &side(&after), &none, &Registry);
    plan.changes.into_iter().next()
}

fn paths(change: &ResourceChange) -> Vec<String> {
    let properties = change.properties.iter();
    properties.map(|change| change.path.to_string()).collect()
}

#[test]
fn a_dashboard_is_what_it_says() {
    const TYPE: &str = "AWS::CloudWatch::Dashboard";
    let text = r#"{"widgets":[{"type":"text","properties":{"markdown":"of ${Q}","region":"r"}}]}"#;
    let joined = |title: &str| {
        json!({"DashboardBody": {"Fn::Join": ["", [
            "{\n  \"widgets\": [ {\"properties\": {\"region\": \"r\", \"markdown\": \"", title, " ", {"Ref": "Q"},
            "\"}, \"type\": \"text\"} ]\n}"
        ]]}})
    };
    let written = json!({"DashboardBody": {"Fn::Sub": text}});
    assert_eq!(change(TYPE, &written, &joined("of")), None);
    let change = change(TYPE, &written, &joined("about")).expect("the title changed");
    let path = "Properties.DashboardBody.widgets[0].properties.markdown";
    assert_eq!(paths(&change), [path]);
    assert_eq!(
        change.properties[0].after,
        Some(json!({"Fn::Join": ["", ["about ", {"Ref": "Q"}]]}))
    );
}

#[test]
fn a_policy_that_is_text_is_a_policy() {
    const TYPE: &str = "AWS::Logs::ResourcePolicy";
    let policy = |actions: &str| {
        let text = format!(
            r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"Service": "es.amazonaws.com"}}, "Action": {actions}, "Resource": "*"}}}}"#
        );
        json!({"PolicyName": "a", "PolicyDocument": text})
    };
    let one = policy(r#"["logs:PutLogEvents", "logs:CreateLogStream"]"#);
    let same = policy(r#"["logs:CreateLogStream",   "logs:PutLogEvents"]"#);
    assert_eq!(change(TYPE, &one, &same), None);
    let more = policy(r#"["logs:CreateLogStream", "logs:PutLogEvents", "logs:DeleteLogGroup"]"#);
    let change = change(TYPE, &one, &more).expect("it allows more");
    assert_eq!(change.grade, Grade::PermissionWidened);
    assert_eq!(
        change.reasons,
        ["allows more: logs:DeleteLogGroup on * by Service es.amazonaws.com"]
    );
    assert_eq!(change.untold_properties().count(), 0);
}

#[test]
fn an_object_and_its_text_are_the_same_where_both_are_taken() {
    let object = json!({"RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": "Dead.Arn"}, "maxReceiveCount": 5}});
    let text = json!({"RedrivePolicy": {"Fn::Sub":
        "{\"maxReceiveCount\": \"5\", \"deadLetterTargetArn\": \"${Dead.Arn}\"}"}});
    assert_eq!(change("AWS::SQS::Queue", &object, &text), None);
    // What is meant as text elsewhere is the text that it is.
    let variable = |text: &str| json!({"Environment": {"Variables": {"SETTINGS": text}}});
    let (one, other) = (variable("{\"a\": 1}"), variable("{\"a\":1}"));
    let change = change("AWS::Lambda::Function", &one, &other).expect("it reads other bytes");
    assert_eq!(
        paths(&change),
        ["Properties.Environment.Variables.SETTINGS"]
    );
}

#[test]
fn what_is_no_json_is_compared_as_text() {
    let dashboard = |text: Value| json!({ "DashboardBody": text });
    for (before, after) in [
        (json!("{"), json!("{ ")),
        // A number that only CloudFormation knows.
        (
            json!({"Fn::Sub": "{\"a\": ${B}}"}),
            json!({"Fn::Sub": "{\"a\":${B}}"}),
        ),
        (
            json!({"Fn::Sub": "{\"${B}\": 1}"}),
            json!({"Fn::Sub": "{\"${B}\":1}"}),
        ),
        (
            json!("{\"a\": \"\u{f8ff}\"}"),
            json!("{\"a\":\"\u{f8ff}\"}"),
        ),
    ] {
        let (old, new) = (dashboard(before.clone()), dashboard(after));
        let change = change("AWS::CloudWatch::Dashboard", &old, &new);
        let change = change.unwrap_or_else(|| panic!("{before} differs"));
        assert_eq!(paths(&change), ["Properties.DashboardBody"], "{before}");
    }
}

#[test]
fn a_definition_is_shown_line_by_line_with_its_states() {
    const TYPE: &str = "AWS::StepFunctions::StateMachine";
    let machine = |pause: u32, work: &str| {
        let definition = json!({"StartAt": "Pause", "States": {
            "Pause": {"Type": "Wait", "Seconds": pause, "Next": "Each"},
            "Each": {"Type": "Map", "End": true, "ItemProcessor": {"StartAt": "Work", "States": {
                "Work": {"Type": "Task", "Resource": "PLACE", "Comment": work, "End": true},
            }}},
        }});
        let text = definition.to_string().replace("PLACE", "${Worker.Arn}");
        json!({"RoleArn": "r", "DefinitionString": {"Fn::Sub": text}})
    };
    let change = change(TYPE, &machine(5, "a"), &machine(6, "b")).expect("two states changed");
    assert_eq!(
        paths(&change),
        [
            "Properties.DefinitionString.States.Each.ItemProcessor.States.Work.Comment",
            "Properties.DefinitionString.States.Pause.Seconds",
        ]
    );
    assert_eq!(change.beside_texts().count(), 0);
    let [text] = change.texts.as_slice() else {
        panic!("{:?}", change.texts);
    };
    let shown: Vec<String> = text
        .hunks
        .iter()
        .flat_map(|hunk| {
            std::iter::once(hunk.heading()).chain(hunk.lines.iter().map(ToString::to_string))
        })
        .collect();
    snapbox::assert_data_eq!(
        shown.join("\n") + "\n",
        snapbox::str![[r#"
@@ -8,5 +8,5 @@ Each / Work
         "States": {
           "Work": {
-            "Comment": "a",
+            "Comment": "b",
             "End": true,
             "Resource": "${Worker.Arn}",
@@ -19,5 +19,5 @@ Pause
     "Pause": {
       "Next": "Each",
-      "Seconds": 5,
+      "Seconds": 6,
       "Type": "Wait"
     }

"#]]
    );
}

#[test]
fn a_template_of_a_mapping_is_shown_line_by_line() {
    const TYPE: &str = "AWS::ApiGateway::Method";
    let method = |template: &str| {
        json!({"HttpMethod": "GET", "ResourceId": "a", "RestApiId": "b", "Integration": {
            "Type": "AWS",
            "RequestTemplates": {"application/json": template},
        }})
    };
    let velocity = |end: &str| {
        method(&format!(
            "#set($a = $input.params('a'))\n{{\n  \"id\": \"$a\",\n  \"to\": \"{end}\"\n}}\n"
        ))
    };
    let change_of = change(TYPE, &velocity("one"), &velocity("two")).expect("one line changed");
    let [text] = change_of.texts.as_slice() else {
        panic!("{change_of:?}");
    };
    assert_eq!(
        text.path.to_string(),
        "Properties.Integration.RequestTemplates.application/json"
    );
    let lines: Vec<String> = text.hunks[0]
        .lines
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        lines,
        [
            " {",
            "   \"id\": \"$a\",",
            "-  \"to\": \"one\"",
            "+  \"to\": \"two\"",
            " }"
        ]
    );
    assert_eq!(change_of.beside_texts().count(), 0);
    // One that makes JSON of JSON is what it says; one line needs no diff.
    let (one, same) = (
        method("{\"statusCode\": 200}"),
        method("{\n\"statusCode\":200\n}"),
    );
    assert_eq!(change(TYPE, &one, &same), None);
    let other = change(TYPE, &one, &method("{\"statusCode\": 201}")).expect("another code");
    assert!(other.texts.is_empty(), "{other:?}");
    assert!(
        paths(&other)[0].ends_with("application/json.statusCode"),
        "{other:?}"
    );
}

#[test]
fn a_value_that_is_there_by_default_changes_nothing() {
    let queue = |properties: Value| change("AWS::SQS::Queue", &json!({}), &properties);
    let added = queue(json!({"DelaySeconds": 0})).expect("CloudFormation updates it");
    assert_eq!((added.action, added.grade), (Action::Update, Grade::None));
    assert_eq!(
        added.reasons,
        ["DelaySeconds is that by default: it stays as it is"]
    );
    let removed = change(
        "AWS::SQS::Queue",
        &json!({"VisibilityTimeout": "30"}),
        &json!({}),
    );
    let removed = removed.expect("CloudFormation updates it");
    assert_eq!(removed.grade, Grade::None);
    assert_eq!(
        removed.reasons,
        ["VisibilityTimeout was what it is by default: it stays as it is"]
    );
    // Beside something else, and where it is another value, it is an update.
    for properties in [
        json!({"DelaySeconds": 1}),
        json!({"DelaySeconds": 0, "FifoThroughputLimit": "perQueue"}),
    ] {
        let change = queue(properties.clone()).expect("it changes");
        assert_eq!(change.grade, Grade::UpdateInPlace, "{properties}");
    }
    let traced = json!({"TracingConfig": {"Mode": "PassThrough"}});
    let traced = change("AWS::Lambda::Function", &json!({}), &traced).expect("updated");
    assert_eq!(traced.grade, Grade::None, "{traced:?}");
    let active = json!({"TracingConfig": {"Mode": "Active"}});
    let active = change("AWS::Lambda::Function", &json!({}), &active).expect("updated");
    assert_eq!(active.grade, Grade::UpdateInPlace);
    // The registry says what the default is; CloudFormation replaces what it cannot update, whatever the value.
    let class = change(
        "AWS::Logs::LogGroup",
        &json!({}),
        &json!({"DeletionProtectionEnabled": false}),
    );
    assert_eq!(class.expect("updated").grade, Grade::None);
    let kind = change(
        "AWS::StepFunctions::StateMachine",
        &json!({"RoleArn": "r"}),
        &json!({"RoleArn": "r", "StateMachineType": "STANDARD"}),
    );
    assert_eq!(kind.expect("replaced").action, Action::Replace);
}
