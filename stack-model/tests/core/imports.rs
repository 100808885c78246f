//! Exports that are imported by their names.

use serde_json::{Value as Json, json};
use stack_model::sqs::{QueueProps, QueueRef};
use stack_model::{App, Assembly, Parameter, Pseudo, Stack, text};

use crate::support::{dev, texts};

/// Adds a stack that holds something, because CloudFormation takes none without.
fn stack<'a>(app: &'a mut App, id: &str) -> Stack<'a> {
    let mut stack = app.stack(id);
    stack.raw("Own", "AWS::SNS::Topic", json!({}));
    stack
}

fn order(assembly: &Assembly) -> Vec<&str> {
    let stacks = assembly.manifest().stacks.iter();
    stacks.map(|stack| &*stack.id).collect()
}

fn imports(assembly: &Assembly, id: &str) -> Vec<String> {
    let stacks = &assembly.manifest().stacks;
    let stack = stacks.iter().find(|stack| stack.id == id).unwrap();
    stack.imports.iter().cloned().collect()
}

/// Every way in which a name can be written that the synth can read.
fn names() -> Vec<Json> {
    vec![
        json!("shared-queue-eu-central-1"),
        json!({"Fn::Sub": "shared-queue-${AWS::Region}"}),
        json!({"Fn::Sub": ["${What}-${AWS::Region}", {"What": "shared-queue"}]}),
        json!({"Fn::Join": ["-", ["shared", {"Ref": "What"}, {"Ref": "AWS::Region"}]]}),
    ]
}

#[test]
fn an_import_by_name_orders_the_stacks() {
    for name in names() {
        let mut app = dev();
        let mut api = stack(&mut app, "api");
        api.parameter("What", Parameter::string().default("queue"));
        let value: stack_model::Expr = json!({"Fn::ImportValue": name}).into();
        api.output("Url", value);
        stack(&mut app, "data")
            .output("Url", "https://example.com")
            .export("shared-queue-eu-central-1");
        let assembly = app
            .synth()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(order(&assembly), ["data", "api"], "{name}");
        let api = &assembly.manifest().stacks[1];
        assert_eq!(api.depends_on, ["data-dev"], "{name}");
        assert!(api.imports.is_empty(), "{name}");
    }
    let mut app = dev();
    let mut api = stack(&mut app, "api");
    let url = api.import(text!("shared-{}", Pseudo::Region));
    api.output("Url", text!("{}/path", url));
    stack(&mut app, "data")
        .output("Url", "https://example.com")
        .export("shared-eu-central-1");
    assert_eq!(order(&app.synth().unwrap()), ["data", "api"]);
}

#[test]
fn an_export_that_the_synth_makes_can_be_imported_by_name() {
    let mut app = dev();
    let mut late = stack(&mut app, "late");
    let url = late.import("data-dev-Orders");
    late.output("Url", url);
    let queue: QueueRef<String> = app.stack("data").queue("Orders", QueueProps::default());
    stack(&mut app, "api").output("Url", queue.url());
    assert_eq!(order(&app.synth().unwrap()), ["data", "late", "api"]);
}

#[test]
fn an_export_of_another_app_is_told_to_the_deployer() {
    let mut app = dev();
    let mut api = stack(&mut app, "api");
    let zone = api.import("zone-id");
    api.output("Zone", zone);
    api.raw(
        "Raw",
        "AWS::SNS::Topic",
        json!({"DisplayName": {"Fn::Sub": ["${X}", {"X": {"Fn::ImportValue": "network-dev"}}]}}),
    );
    // The stage is pinned to no account, so only the deployment knows it.
    let unknown = api.import(text!("{}-zone", Pseudo::AccountId));
    api.output("Unknown", unknown);
    assert_eq!(
        imports(&app.synth().unwrap(), "api"),
        ["network-dev", "zone-id"]
    );
}

#[test]
fn a_name_of_the_app_that_nothing_exports_is_reported() {
    let mut app = dev();
    let mut data = stack(&mut app, "data");
    data.output("Url", "https://example.com")
        .export("data-dev-Orders");
    let mut api = stack(&mut app, "api");
    let url = api.import("data-dev-Ordrs");
    api.output("Url", url);
    api.raw(
        "Raw",
        "AWS::SNS::Topic",
        json!({"DisplayName": {"Fn::ImportValue": {"Fn::Sub": "${AWS::StackName}-Own"}}}),
    );
    assert_eq!(
        texts(&app.synth().unwrap_err()),
        [
            "api / Url / Value: the stack `data` has no export `data-dev-Ordrs` (it exports `data-dev-Orders`): use a handle of what it should hold, or give an output of it that name with `.export(..)`",
            "api / Raw / Properties.DisplayName: the stack `api` has no export `api-dev-Own` (it exports nothing): use a handle of what it should hold, or give an output of it that name with `.export(..)`",
        ]
    );
}

#[test]
fn imports_by_name_that_need_each_other_are_a_cycle() {
    let mut app = dev();
    for (own, other) in [("first", "second"), ("second", "first")] {
        let mut stack = stack(&mut app, own);
        stack.output("Url", "x").export(format!("{own}-url"));
        let value = stack.import(format!("{other}-url"));
        stack.output("Other", value);
    }
    assert_eq!(
        texts(&app.synth().unwrap_err()),
        [
            "first: the stacks first -> second -> first need each other: cut the edge second -> first, which comes from Other (Value)"
        ]
    );
}

#[test]
fn an_import_does_not_lead_to_its_own_stack_or_another_region() {
    let mut app = dev();
    let mut far = stack(&mut app, "far");
    far.in_region("us-east-1");
    far.output("Url", "x").export("far-url");
    let mut api = stack(&mut app, "api");
    api.output("Url", "x").export("api-url");
    let own = api.import("api-url");
    api.output("Own", own);
    let other = api.import("far-url");
    api.output("Other", other);
    assert_eq!(
        texts(&app.synth().unwrap_err()),
        [
            "api / Other / Value: the export `far-url` is one of the stack `far` in us-east-1, and no export leaves its region: use a handle, whose value is passed over",
            "api / Own / Value: the stack exports `api-url` itself, and a stack cannot import what it exports: use what its output `Url` holds",
        ]
    );
}
