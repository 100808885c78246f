//! Stacks that use each other's resources.

use insta::assert_json_snapshot;
use serde_json::{Value as Json, json};
use stack_model::sqs::{QueueProps, QueueRef};
use stack_model::{Handle, text};

use crate::support::{dev, texts};

fn template(assembly: &stack_model::Assembly, id: &str) -> Json {
    serde_json::from_str(assembly.template(id).unwrap()).unwrap()
}

#[test]
fn using_a_handle_of_another_stack_exports_and_imports() {
    let mut app = dev();
    // The user comes first, so the order of deployment is found, not taken from the source.
    app.stack("api").raw("Own", "AWS::SNS::Topic", json!({}));
    let queue: QueueRef<String> = app.stack("data").queue("Orders", QueueProps::default());
    let mut api = app.stack("api");
    let reader = api.raw("Reader", "AWS::SNS::Topic", json!({}));
    api.override_property(&reader, "DisplayName", text!("reads {}", queue.name()));
    api.output("Url", queue.url());
    api.output("Again", queue.url());

    let assembly = app.synth().unwrap();
    let stacks: Vec<_> = assembly
        .manifest()
        .stacks
        .iter()
        .map(|stack| &*stack.name)
        .collect();
    assert_eq!(stacks, ["data-dev", "api-dev"]);
    assert_eq!(assembly.manifest().stacks[1].depends_on, ["data-dev"]);
    assert_json_snapshot!(template(&assembly, "data")["Outputs"], @r#"
    {
      "ExportOrders": {
        "Export": {
          "Name": "data-dev-Orders"
        },
        "Value": {
          "Ref": "Orders"
        }
      },
      "ExportOrdersQueueName": {
        "Export": {
          "Name": "data-dev-Orders-QueueName"
        },
        "Value": {
          "Fn::GetAtt": [
            "Orders",
            "QueueName"
          ]
        }
      }
    }
    "#);
    assert_json_snapshot!(template(&assembly, "api")["Outputs"], @r#"
    {
      "Again": {
        "Value": {
          "Fn::ImportValue": "data-dev-Orders"
        }
      },
      "Url": {
        "Value": {
          "Fn::ImportValue": "data-dev-Orders"
        }
      }
    }
    "#);
    assert_json_snapshot!(template(&assembly, "api")["Resources"]["Reader"]["Properties"], @r#"
    {
      "DisplayName": {
        "Fn::Sub": [
          "reads ${Value1}",
          {
            "Value1": {
              "Fn::ImportValue": "data-dev-Orders-QueueName"
            }
          }
        ]
      }
    }
    "#);
}

#[test]
fn a_written_export_keeps_its_name() {
    let mut app = dev();
    let mut data = app.stack("data");
    let queue: QueueRef<String> = data.queue("Orders", QueueProps::default());
    data.output("QueueUrl", queue.url())
        .export("shared-queue-url");
    let mut api = app.stack("api");
    api.raw("Own", "AWS::SNS::Topic", json!({}));
    api.output("Url", queue.url());
    let assembly = app.synth().unwrap();
    assert_eq!(
        template(&assembly, "api")["Outputs"]["Url"]["Value"],
        json!({"Fn::ImportValue": "shared-queue-url"})
    );
    assert_eq!(
        template(&assembly, "data")["Outputs"]
            .as_object()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn an_export_of_another_app_is_imported_by_name() {
    let mut app = dev();
    let mut api = app.stack("api");
    api.raw("Own", "AWS::SNS::Topic", json!({}));
    let zone = api.import("zone-id");
    api.output("Zone", zone);
    let assembly = app.synth().unwrap();
    assert_eq!(
        template(&assembly, "api")["Outputs"]["Zone"]["Value"],
        json!({"Fn::ImportValue": "zone-id"})
    );
}

#[test]
fn stacks_that_need_each_other_are_a_cycle_with_an_edge_to_cut() {
    let mut app = dev();
    let first: QueueRef<String> = app.stack("first").queue("Orders", QueueProps::default());
    let second: QueueRef<String> = app.stack("second").queue("Orders", QueueProps::default());
    app.stack("first").output("Other", second.url());
    app.stack("second").output("Other", first.url());
    assert_json_snapshot!(texts(&app.synth().unwrap_err()), @r#"
    [
      "first: the stacks first -> second -> first need each other: cut the edge second -> first, which comes from Other (Value)"
    ]
    "#);
}

#[test]
fn exports_do_not_reach_other_regions() {
    let mut app = dev();
    let mut data = app.stack("data");
    data.in_region("us-east-1");
    let queue: QueueRef<String> = data.queue("Orders", QueueProps::default());
    let mut api = app.stack("api");
    api.raw("Own", "AWS::SNS::Topic", json!({}));
    api.output("Url", queue.url());
    assert_json_snapshot!(texts(&app.synth().unwrap_err()), @r#"
    [
      "api / Url / Value: `Orders` of the stack `data` is in another region, where exports do not reach: pass the value through a stage variable or Parameter Store"
    ]
    "#);
}

#[test]
fn an_order_can_be_declared() {
    let mut app = dev();
    let mut api = app.stack("api");
    api.raw("Own", "AWS::SNS::Topic", json!({}));
    api.after("data");
    app.stack("data").raw("Own", "AWS::SNS::Topic", json!({}));
    let assembly = app.synth().unwrap();
    assert_eq!(assembly.manifest().stacks[0].id, "data");

    let mut app = dev();
    let mut api = app.stack("api");
    api.raw("Own", "AWS::SNS::Topic", json!({}));
    api.after("dta");
    assert_eq!(
        texts(&app.synth().unwrap_err()),
        ["api: `after(\"dta\")` names a stack that is not part of this app"]
    );
}

#[test]
fn a_parameter_of_another_stack_is_linked_too() {
    let mut app = dev();
    let mut data = app.stack("data");
    data.raw("Own", "AWS::SNS::Topic", json!({}));
    let size = data.parameter("Size", stack_model::Parameter::string());
    let mut api = app.stack("api");
    api.raw("Own", "AWS::SNS::Topic", json!({}));
    api.output("Size", size);
    let assembly = app.synth().unwrap();
    assert_eq!(
        template(&assembly, "api")["Outputs"]["Size"]["Value"],
        json!({"Fn::ImportValue": "data-dev-Size"})
    );
}

#[test]
fn renames_travel_in_the_manifest() {
    let mut app = dev();
    let mut data = app.stack("data");
    let queue: QueueRef<String> = data.queue("Orders", QueueProps::default());
    data.moved("OldOrders", &queue);
    let assembly = app.synth().unwrap();
    let moved = &assembly.manifest().stacks[0].moved;
    assert_eq!(moved.get("OldOrders").map(String::as_str), Some("Orders"));
    assert_eq!(queue.resource_id().logical_id(), "Orders");
}
