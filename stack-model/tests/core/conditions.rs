//! Conditions and mappings: what they are made of, and what is looked up in them.

use std::collections::BTreeMap;

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::{Condition, Value};

use crate::support::{dev, template, texts, violations};

#[test]
fn conditions_are_made_of_what_is_known_before_there_are_resources() {
    let mut app = dev();
    let size = app
        .stack("data")
        .parameter("Size", stack_model::Parameter::string().default("x"));
    app.stack("data").raw("Own", "AWS::SNS::Topic", json!({}));
    let mut other = dev();
    let unknown = other
        .stack("orders")
        .condition("Unknown", Condition::equals("a", "a"));
    let elsewhere = other
        .stack("elsewhere")
        .condition("Always", Condition::equals("a", "a"));
    let mut stack = app.stack("orders");
    let own = stack.raw("Own", "AWS::SNS::Topic", json!({}));
    let always = stack.condition("Always", Condition::equals("a", "a"));
    stack.only_if(&own, &elsewhere);
    stack.condition("Resource", Condition::equals(own.reference(), "x"));
    stack.condition("Foreign", Condition::equals(size, "x"));
    let imported = stack.import("zone");
    stack.condition("Imported", Condition::equals(imported, "x"));
    stack.condition("None", Condition::and([]));
    stack.condition("One", Condition::or([always.holds()]));
    stack.condition("Ten", Condition::or(vec![always.holds(); 10]));
    stack.condition("Eleven", Condition::or(vec![always.holds(); 11]));
    stack.condition("Named", Condition::not(unknown.holds()));
    stack.condition("Itself", Condition::not(always.holds()));
    let itself = stack
        .condition("Itself", Condition::equals("a", "a"))
        .holds();
    stack.condition("Itself", Condition::not(itself));
    assert_json_snapshot!(texts(&app.synth().unwrap_err()), @r#"
    [
      "orders / Own / Condition: `Always` is a condition of the stack `elsewhere`",
      "orders / Itself: the condition `Itself` is declared twice",
      "orders / Itself: the condition `Itself` is declared twice",
      "orders / Eleven / Condition: Fn::Or takes 2 to 10 conditions and has 11",
      "orders / Foreign / Condition: `Size` is a parameter of the stack `data`, which a condition cannot import",
      "orders / Imported / Condition: a condition cannot import",
      "orders / Named / Condition: `Unknown` is not a condition of this stack",
      "orders / None / Condition: Fn::And takes 2 to 10 conditions and has 0",
      "orders / One / Condition: Fn::Or takes 2 to 10 conditions and has 1",
      "orders / Resource / Condition: `Own` is a resource: a condition is decided before there is any",
      "orders / Itself: the conditions Itself -> Itself need each other: cut the edge Itself -> Itself, which comes from what it is made of"
    ]
    "#);
}

#[test]
fn mappings_have_entries_and_the_keys_that_are_looked_up() {
    let found = violations(dev(), |stack| {
        stack.raw("Own", "AWS::SNS::Topic", json!({}));
        stack.mapping("Empty", BTreeMap::new());
        stack.mapping("Hollow", [("a".to_owned(), BTreeMap::new())].into());
        let sizes = stack.mapping("Sizes", sizes());
        let region = || Value::Token(stack_model::Token::Pseudo(stack_model::Pseudo::Region));
        stack.output("Right", sizes.find("dev", "Small"));
        stack.output("Possible", sizes.find(region(), "Large"));
        stack.output("First", sizes.find("test", "Small"));
        stack.output("Second", sizes.find("dev", "Large"));
        stack.output("Never", sizes.find(region(), "Medium"));
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Empty: the mapping lacks entries: every first key needs a second one",
      "orders / Hollow: the mapping lacks entries: every first key needs a second one",
      "orders / First / Value: the mapping `Sizes` has no key `test`",
      "orders / Never / Value: the mapping `Sizes` has no key `Medium`",
      "orders / Second / Value: the mapping `Sizes` has no key `Large`"
    ]
    "#);
}

#[test]
fn conditions_and_mappings_are_those_of_the_stack() {
    let mut other = dev();
    let mut elsewhere = other.stack("elsewhere");
    let condition = elsewhere.condition("Large", Condition::equals("a", "b"));
    let mapping = elsewhere.mapping("Sizes", BTreeMap::new());
    let found = violations(dev(), |stack| {
        let own = stack.raw("Own", "AWS::SNS::Topic", json!({}));
        stack.only_if(&own, &condition);
        stack.output("Chosen", condition.choose::<String>("a", "b"));
        stack.output("Looked", mapping.find("a", "b"));
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Own / Condition: `Large` is a condition of the stack `elsewhere`",
      "orders / Chosen / Value: `Large` is not a condition of this stack",
      "orders / Looked / Value: `Sizes` is not a mapping of this stack"
    ]
    "#);
}

#[test]
fn a_condition_decides_whether_a_resource_is_there() {
    let template = template(dev(), |stack| {
        let size = stack.parameter("Size", stack_model::Parameter::string().default("small"));
        let large = stack.condition("Large", Condition::equals(size, "large"));
        let both = Condition::and([large.holds(), Condition::not(large.holds())]);
        stack.condition("Never", both);
        let either = Condition::or([large.holds(), Condition::equals("a", "a")]);
        stack.condition("Always", either);
        let topic = stack.raw("Own", "AWS::SNS::Topic", json!({}));
        stack.only_if(&topic, &large);
        stack.override_property(&topic, "DisplayName", large.choose::<String>("L", "S"));
    });
    assert_json_snapshot!(template, @r#"
    {
      "AWSTemplateFormatVersion": "2010-09-09",
      "Conditions": {
        "Always": {
          "Fn::Or": [
            {
              "Condition": "Large"
            },
            {
              "Fn::Equals": [
                "a",
                "a"
              ]
            }
          ]
        },
        "Large": {
          "Fn::Equals": [
            {
              "Ref": "Size"
            },
            "large"
          ]
        },
        "Never": {
          "Fn::And": [
            {
              "Condition": "Large"
            },
            {
              "Fn::Not": [
                {
                  "Condition": "Large"
                }
              ]
            }
          ]
        }
      },
      "Parameters": {
        "Size": {
          "Default": "small",
          "Type": "String"
        }
      },
      "Resources": {
        "Own": {
          "Condition": "Large",
          "Properties": {
            "DisplayName": {
              "Fn::If": [
                "Large",
                "L",
                "S"
              ]
            }
          },
          "Type": "AWS::SNS::Topic"
        }
      }
    }
    "#);
}

#[test]
fn a_mapping_is_looked_up_when_the_stack_is_deployed() {
    let template = template(dev(), |stack| {
        let entry = |value: &str| [("Name".to_owned(), value.to_owned())].into();
        let entries = [("eu-central-1".to_owned(), entry("Frankfurt"))].into();
        let names = stack.mapping("Names", entries);
        let region = Value::Token(stack_model::Token::Pseudo(stack_model::Pseudo::Region));
        let topic = stack.raw("Own", "AWS::SNS::Topic", json!({}));
        stack.override_property(&topic, "DisplayName", names.find(region, "Name"));
    });
    assert_json_snapshot!(template, @r#"
    {
      "AWSTemplateFormatVersion": "2010-09-09",
      "Mappings": {
        "Names": {
          "eu-central-1": {
            "Name": "Frankfurt"
          }
        }
      },
      "Resources": {
        "Own": {
          "Properties": {
            "DisplayName": {
              "Fn::FindInMap": [
                "Names",
                {
                  "Ref": "AWS::Region"
                },
                "Name"
              ]
            }
          },
          "Type": "AWS::SNS::Topic"
        }
      }
    }
    "#);
}

fn sizes() -> BTreeMap<String, BTreeMap<String, String>> {
    let entry = |key: &str, value: &str| [(key.to_owned(), value.to_owned())].into();
    [
        ("dev".to_owned(), entry("Small", "1")),
        ("prod".to_owned(), entry("Large", "9")),
    ]
    .into()
}
