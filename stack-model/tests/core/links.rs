//! Stacks that use each other's resources.

use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::{Value as Json, json};
use stack_model::sqs::{QueueProps, QueueRef};
use stack_model::{Handle, text};

use crate::support::{dev, texts, violations};

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
fn a_value_of_another_region_is_passed_as_a_parameter() {
    let mut app = dev();
    let mut data = app.stack("order-data");
    data.in_region("us-east-1");
    let queue: QueueRef<String> = data.queue("Orders", QueueProps::default());
    data.output("Name", queue.name());
    let mut near = app.stack("near");
    near.in_region("us-east-1");
    near.raw("Own", "AWS::SNS::Topic", json!({}));
    near.output("Url", queue.url());
    let mut api = app.stack("api");
    let reader = api.raw("Reader", "AWS::SNS::Topic", json!({}));
    api.override_property(&reader, "DisplayName", text!("reads {}", queue.name()));
    api.output("Url", queue.url());
    api.output("Arn", queue.arn());
    let assembly = app.synth().unwrap();

    // The stack of the same region imports; what the author wrote himself is not written again.
    assert_json_snapshot!(template(&assembly, "order-data")["Outputs"], @r#"
    {
      "ExportOrders": {
        "Export": {
          "Name": "order-data-dev-Orders"
        },
        "Value": {
          "Ref": "Orders"
        }
      },
      "Name": {
        "Value": {
          "Fn::GetAtt": [
            "Orders",
            "QueueName"
          ]
        }
      },
      "PassedOrdersArn": {
        "Value": {
          "Fn::GetAtt": [
            "Orders",
            "Arn"
          ]
        }
      }
    }
    "#);
    let near = template(&assembly, "near");
    assert_eq!(
        near["Outputs"]["Url"]["Value"],
        json!({"Fn::ImportValue": "order-data-dev-Orders"})
    );
    let api = template(&assembly, "api");
    assert_json_snapshot!(api["Parameters"], @r#"
    {
      "OrderDataOrders": {
        "Description": "Output ExportOrders of the stack order-data-dev in us-east-1",
        "Type": "String"
      },
      "OrderDataOrdersArn": {
        "Description": "Output PassedOrdersArn of the stack order-data-dev in us-east-1",
        "Type": "String"
      },
      "OrderDataOrdersQueueName": {
        "Description": "Output Name of the stack order-data-dev in us-east-1",
        "Type": "String"
      }
    }
    "#);
    assert_eq!(
        api["Resources"]["Reader"]["Properties"]["DisplayName"],
        json!({"Fn::Sub": "reads ${OrderDataOrdersQueueName}"})
    );
    assert_eq!(
        api["Outputs"]["Arn"]["Value"],
        json!({"Ref": "OrderDataOrdersArn"})
    );
    let stacks = &assembly.manifest().stacks;
    let api = stacks.iter().find(|stack| stack.id == "api").unwrap();
    assert_eq!(api.depends_on, ["order-data-dev"]);
    assert!(api.parameters.is_empty());
    assert_json_snapshot!(api.references, @r#"
    {
      "OrderDataOrders": {
        "stack": "order-data-dev",
        "region": "us-east-1",
        "output": "ExportOrders"
      },
      "OrderDataOrdersArn": {
        "stack": "order-data-dev",
        "region": "us-east-1",
        "output": "PassedOrdersArn"
      },
      "OrderDataOrdersQueueName": {
        "stack": "order-data-dev",
        "region": "us-east-1",
        "output": "Name"
      }
    }
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
    let size = data.parameter("Size", stack_model::Parameter::string().default("x"));
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

#[test]
fn a_rename_leads_from_what_is_gone_to_what_is_there() {
    let mut app = dev();
    let foreign = app
        .stack("data")
        .raw("Foreign", "AWS::SNS::Topic", json!({}));
    let mut stack = app.stack("orders");
    let own = stack.raw("Own", "AWS::SNS::Topic", json!({}));
    stack.raw("Other", "AWS::SNS::Topic", json!({}));
    stack.moved("Own", &own);
    stack.moved("Other", &own);
    stack.moved("First", &own);
    stack.moved("Second", &own);
    stack.moved("Second", &own);
    stack.moved("Bad id", &own);
    stack.moved("Away", &foreign);
    let violations = app.synth().unwrap_err();
    assert_json_snapshot!(texts(&violations), @r#"
    [
      "orders / Second: `Second` is moved twice",
      "orders / Away: `Foreign` belongs to the stack `data`, and resources do not move between stacks: declare `moved` in `data` if it was renamed there; else leave it where it was, and use its handle here",
      "orders / Bad id: `Bad id` is not a logical id: ' ' is neither a letter nor a digit",
      "orders / Other: `Other` is still a resource of this stack, so it was not moved to `Own`",
      "orders / Own: `Own` is moved onto itself",
      "orders / Second: `First` is moved to `Own`, too"
    ]
    "#);
    assert_eq!(violations.to_string().matches("links.rs:").count(), 6);
}

#[test]
fn the_key_of_a_made_export_is_its_own() {
    let mut app = dev();
    let mut data = app.stack("data");
    let orders = data.raw("Orders", "AWS::SNS::Topic", json!({}));
    let twin = data.raw("OrdersTopicName", "AWS::SNS::Topic", json!({}));
    data.output("ExportOrders", "the author's");
    let mut api = app.stack("api");
    api.raw("Own", "AWS::SNS::Topic", json!({}));
    api.output("First", orders.attribute("TopicName"));
    api.output("Second", twin.reference());
    api.output("Third", orders.reference());
    let assembly = app.synth().unwrap();
    let data = template(&assembly, "data")["Outputs"].take();
    assert_eq!(data["ExportOrders"], json!({"Value": "the author's"}));
    let exports: std::collections::BTreeMap<&str, &Json> = data
        .as_object()
        .unwrap()
        .values()
        .filter_map(|output| Some((output["Export"]["Name"].as_str()?, &output["Value"])))
        .collect();
    assert_json_snapshot!(exports, @r#"
    {
      "data-dev-Orders": {
        "Ref": "Orders"
      },
      "data-dev-Orders-TopicName": {
        "Fn::GetAtt": [
          "Orders",
          "TopicName"
        ]
      },
      "data-dev-OrdersTopicName": {
        "Ref": "OrdersTopicName"
      }
    }
    "#);
}

#[test]
fn names_of_exports_are_checked_and_unique_in_a_region() {
    let mut app = dev();
    let mut data = app.stack("data");
    data.raw("Own", "AWS::SNS::Topic", json!({}));
    data.output("Name", "x").export("orders:name-1");
    data.output("Strange", "x").export("orders_name");
    data.output("Empty", "x").export("");
    data.output("Long", "x").export("x".repeat(256));
    let mut api = app.stack("api");
    api.raw("Own", "AWS::SNS::Topic", json!({}));
    api.output("Again", "x").export("orders:name-1");
    let mut elsewhere = app.stack("elsewhere");
    elsewhere.in_region("us-east-1");
    elsewhere.raw("Own", "AWS::SNS::Topic", json!({}));
    elsewhere.output("Again", "x").export("orders:name-1");
    let found = texts(&app.synth().unwrap_err()).join("\n");
    let found = found.replace(&"x".repeat(256), "x256");
    assert_snapshot!(found, @r#"
    data / Empty / Export: `` is not the name of an export: use 1 to 255 letters, digits, colons and hyphens
    data / Long / Export: `x256` is not the name of an export: use 1 to 255 letters, digits, colons and hyphens
    data / Strange / Export: `orders_name` is not the name of an export: use 1 to 255 letters, digits, colons and hyphens
    api / Again / Export: the export `orders:name-1` is taken by the output `Name` of the stack `data`
    "#);
}

#[test]
fn a_region_is_the_same_written_or_inherited() {
    let mut app = dev();
    let mut data = app.stack("data");
    data.in_region("eu-central-1");
    let queue: QueueRef<String> = data.queue("Orders", QueueProps::default());
    let mut api = app.stack("api");
    api.raw("Own", "AWS::SNS::Topic", json!({}));
    api.output("Url", queue.url());
    app.synth().unwrap();
}

#[test]
fn a_region_has_the_form_of_one() {
    for region in ["us-gov-west-1", "ap-southeast-5", "us-iso-east-1"] {
        assert_eq!(in_region(region), [""; 0]);
    }
    for region in [
        "",
        "Frankfurt",
        "eu-1",
        "eu-central",
        "EU-central-1",
        "eu central 1",
    ] {
        assert_eq!(
            in_region(region),
            [format!(
                "orders: `{region}` is not a region: it looks like `eu-central-1`"
            )]
        );
    }
}

fn in_region(region: &str) -> Vec<String> {
    violations(dev(), |stack| {
        stack.in_region(region);
        stack.raw("Own", "AWS::SNS::Topic", json!({}));
    })
}

#[test]
fn metadata_can_name_resources_of_other_stacks() {
    let mut app = dev();
    let queue: QueueRef<String> = app.stack("data").queue("Orders", QueueProps::default());
    let mut api = app.stack("api");
    let own = api.raw("Own", "AWS::SNS::Topic", json!({}));
    api.metadata(&own, "Reads", queue.url());
    let assembly = app.synth().unwrap();
    assert_eq!(
        template(&assembly, "api")["Resources"]["Own"]["Metadata"]["Reads"],
        json!({"Fn::ImportValue": "data-dev-Orders"})
    );
}
