//! Apps, their stages and what the manifest says of them.

use insta::assert_json_snapshot;
use serde::Deserialize;
use serde_json::json;
use stack_model::sqs::QueueProps;
use stack_model::{App, Parameter, Pseudo, Removal, Stage};

use crate::support::{dev, prod, resources, template};

fn stage(request: serde_json::Value) -> Stage {
    Stage::new(serde_json::from_value(request).unwrap())
}

#[test]
fn the_manifest_says_what_the_deployer_must_know() {
    let mut app = prod();
    app.tag("team", "orders");
    app.tag("owner", "nobody");
    let mut stack = app.stack("orders");
    stack.tag("owner", "somebody");
    stack.describe("Takes orders");
    let queue = stack.queue::<String>("Orders", QueueProps::default());
    let size = stack.parameter("Size", Parameter::string().given("large"));
    stack
        .output("QueueUrl", queue.url())
        .description("Where orders go")
        .example("aws sqs send-message --queue-url {value}");
    stack.output("Size", size);
    let assembly = app.synth().unwrap();
    let mut manifest: serde_json::Value = serde_json::from_str(&assembly.manifest_json()).unwrap();
    let stack = &mut manifest["stacks"][0];
    assert_eq!(stack["sha256"].take().as_str().unwrap().len(), 64);
    for resource in stack["resources"].as_object_mut().unwrap().values_mut() {
        let source = resource["source"].take();
        assert!(
            source
                .as_str()
                .unwrap()
                .starts_with("stack-model/tests/core/app.rs:")
        );
    }
    assert_json_snapshot!(manifest, @r#"
    {
      "assets": {},
      "contracts": {},
      "format": 1,
      "stacks": [
        {
          "artifacts": {},
          "capabilities": [],
          "depends_on": [],
          "id": "orders",
          "moved": {},
          "name": "orders-prod",
          "outputs": {
            "QueueUrl": {
              "description": "Where orders go",
              "example": "aws sqs send-message --queue-url {value}"
            },
            "Size": {}
          },
          "parameters": {
            "Size": "large"
          },
          "resources": {
            "Orders": {
              "source": null,
              "type": "AWS::SQS::Queue"
            },
            "OrdersPolicy": {
              "source": null,
              "type": "AWS::SQS::QueuePolicy"
            }
          },
          "sha256": null,
          "tags": {
            "owner": "somebody",
            "stackctl:stage": "prod",
            "team": "orders"
          },
          "template": "orders-prod.template.json",
          "termination_protection": true
        }
      ],
      "stage": "prod"
    }
    "#);
}

/// Tags tell whose a stack is, and no stack says so of itself.
#[test]
fn a_stack_is_tagged_with_its_app_where_that_has_a_name() {
    let request = |app: Option<&str>| json!({"name": "dev", "region": "us-east-1", "architecture": "arm64", "app": app});
    for (name, tags) in [
        (
            Some("shop"),
            json!({"stackctl:app": "shop", "stackctl:stage": "dev"}),
        ),
        (None, json!({"stackctl:stage": "dev"})),
    ] {
        let mut app = App::new(stage(request(name)));
        app.stack("orders")
            .raw("First", "AWS::SNS::Topic", json!({}));
        let assembly = app.synth().unwrap();
        assert_eq!(json!(assembly.manifest().stacks[0].tags), tags);
    }
}

#[test]
fn a_stack_goes_on_where_it_was_left() {
    let mut app = dev();
    app.stack("orders")
        .raw("First", "AWS::SNS::Topic", json!({}));
    app.stack("orders")
        .raw("Second", "AWS::SNS::Topic", json!({}));
    let assembly = app.synth().unwrap();
    assert_eq!(assembly.manifest().stacks.len(), 1);
    assert_eq!(assembly.manifest().stacks[0].resources.len(), 2);
}

#[test]
fn variables_of_a_stage_are_typed() {
    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default, deny_unknown_fields)]
    struct Variables {
        mode: String,
    }
    let stage = stage(json!({
        "name": "dev",
        "region": "us-east-1",
        "account": "123456789012",
        "architecture": "x86_64",
        "variables": {"orders": {"mode": "queue"}, "wrong": {"mod": "queue"}, "wrong-type": {"mode": 5}},
    }));
    let mode = "queue".to_owned();
    assert_eq!(
        stage.variables::<Variables>("orders"),
        Ok(Variables { mode })
    );
    assert_eq!(
        stage.variables::<Variables>("absent"),
        Ok(Variables::default())
    );
    let message = stage
        .variables::<Variables>("wrong")
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("[stages.dev.variables.wrong]"),
        "{message}"
    );
    assert!(message.contains("unknown field `mod`"), "{message}");
    // A value that is no text stands somewhere, and the table may be long.
    let message = stage
        .variables::<Variables>("wrong-type")
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("`mode`: invalid type: integer `5`, expected a string"),
        "{message}"
    );
    assert_eq!(stage.account(), Some("123456789012"));
}

#[test]
fn variables_that_no_reader_has_a_field_for_are_reported() {
    #[derive(Deserialize)]
    struct Region {
        #[expect(dead_code, reason = "what is read does not matter")]
        region: String,
    }
    #[derive(Deserialize)]
    struct Domain {
        #[expect(dead_code, reason = "what is read does not matter")]
        domain: Option<Name>,
    }
    #[derive(Deserialize)]
    struct Name {
        #[expect(dead_code, reason = "what is read does not matter")]
        name: String,
    }
    let orders = json!({
        "region": "eu-central-1",
        "greting": "x",
        "domain": {"name": "example.com", "zone": "Z1"},
    });
    let mut app = App::new(stage(json!({
        "name": "dev",
        "region": "us-east-1",
        "architecture": "x86_64",
        "variables": {"orders": orders},
    })));
    app.stage().variables::<Region>("orders").unwrap();
    app.stage().variables::<Domain>("orders").unwrap();
    app.stack("orders")
        .raw("Topic", "AWS::SNS::Topic", json!({}));
    assert_eq!(
        app.synth().unwrap_err().to_string(),
        "1 violation\nno stack reads `domain.zone`, `greting` of the variables of `orders`: they come from \
         [stages.dev.variables.orders] of stackctl.toml, or from `--var orders.KEY=VALUE`"
    );
}

#[test]
fn a_table_of_variables_that_is_not_there_is_named_beside_those_that_are() {
    #[derive(Debug, Deserialize)]
    struct Variables {
        #[expect(dead_code, reason = "what is read does not matter")]
        greeting: String,
    }
    let stage = stage(json!({
        "name": "dev",
        "region": "us-east-1",
        "architecture": "x86_64",
        "variables": {"ordrs": {"greeting": "x"}},
    }));
    assert_eq!(
        stage
            .variables::<Variables>("orders")
            .unwrap_err()
            .to_string(),
        "1 violation\nthe variables of `orders` do not fit: missing field `greeting`; there is no \
         [stages.dev.variables.orders] of stackctl.toml, only those of ordrs"
    );
}

#[test]
fn variables_that_nobody_reads_are_reported() {
    #[derive(Deserialize)]
    struct Anything {}
    let request = json!({
        "name": "dev",
        "region": "eu-central-1",
        "architecture": "arm64",
        "variables": {"orders": {}, "ordrs": {"mode": "direct"}},
    });
    let mut app = App::new(stage(request));
    app.stage().variables::<Anything>("orders").unwrap();
    app.stack("orders")
        .raw("Topic", "AWS::SNS::Topic", json!({}));
    let message = app.synth().unwrap_err().to_string();
    assert!(
        message.contains("[stages.dev.variables.ordrs]")
            && message.contains("the stacks read those of orders"),
        "{message}"
    );
}

#[test]
fn a_stack_can_be_in_another_region() {
    let mut app = dev();
    let mut stack = app.stack("certificates");
    assert_eq!(stack.region(), "eu-central-1");
    stack.in_region("us-east-1");
    assert_eq!(stack.region(), "us-east-1");
    assert_eq!(stack.name(), "certificates-dev");
    stack.raw("Own", "AWS::SNS::Topic", json!({}));
    let assembly = app.synth().unwrap();
    assert_eq!(
        assembly.manifest().stacks[0].region.as_deref(),
        Some("us-east-1")
    );
}

#[test]
fn properties_can_be_overridden_and_removed() {
    let resources = resources(dev(), |stack| {
        let queue = stack.queue::<String>(
            "Orders",
            QueueProps {
                delay: Some(5.into()),
                ..QueueProps::default()
            },
        );
        stack.remove_property(&queue, "DelaySeconds");
        stack.override_property(&queue, "RedrivePolicy.maxReceiveCount", 3);
        stack.override_property(&queue, "VisibilityTimeout", 60);
        stack.metadata(&queue, "Owner", "orders");
        stack.removal(&queue, Removal::Retain);
    });
    assert_json_snapshot!(resources["Orders"], @r#"
    {
      "DeletionPolicy": "Retain",
      "Metadata": {
        "Owner": "orders"
      },
      "Properties": {
        "RedrivePolicy": {
          "maxReceiveCount": 3
        },
        "SqsManagedSseEnabled": true,
        "VisibilityTimeout": 60
      },
      "Type": "AWS::SQS::Queue",
      "UpdateReplacePolicy": "Retain"
    }
    "#);
}

#[test]
fn generated_and_raw_resources_stand_beside_each_other() {
    let template = template(dev(), |stack| {
        let topic = stack.raw(
            "Raw",
            "AWS::SNS::Topic",
            json!({"DisplayName": {"Ref": "AWS::Region"}}),
        );
        let other = stack.raw("Other", "AWS::SNS::Topic", json!({}));
        stack.depends_on(&other, &topic);
        stack.output("Region", stack_model::text!("in {}", Pseudo::Region));
    });
    assert_json_snapshot!(template, @r#"
    {
      "AWSTemplateFormatVersion": "2010-09-09",
      "Outputs": {
        "Region": {
          "Value": {
            "Fn::Sub": "in ${AWS::Region}"
          }
        }
      },
      "Resources": {
        "Other": {
          "DependsOn": [
            "Raw"
          ],
          "Type": "AWS::SNS::Topic"
        },
        "Raw": {
          "Properties": {
            "DisplayName": {
              "Ref": "AWS::Region"
            }
          },
          "Type": "AWS::SNS::Topic"
        }
      }
    }
    "#);
}

#[test]
fn an_empty_app_of_a_wrong_stage_reports_the_stage_only() {
    let app = App::new(stage(
        json!({"name": "1", "region": "us-east-1", "architecture": "arm64"}),
    ));
    let found = crate::support::texts(&app.synth().unwrap_err());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("is not the name of a stage"), "{found:?}");
}
