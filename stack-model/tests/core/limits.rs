//! The limits of a template, each met and then exceeded by one; see
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>.

use std::collections::BTreeMap;

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::contract::{FunctionContract, Wired};
use stack_model::iam::{RoleProps, RoleRef};
use stack_model::lambda::FunctionProps;
use stack_model::{Parameter, Stack};

use crate::support::{dev, synth, violations};

fn topics(stack: &mut Stack<'_>, count: usize) {
    for number in 0..count {
        stack.raw(&format!("Topic{number}"), "AWS::SNS::Topic", json!({}));
    }
}

#[test]
fn a_stack_has_500_resources() {
    assert_eq!(violations(dev(), |stack| topics(stack, 500)), [""; 0]);
    assert_eq!(
        violations(dev(), |stack| topics(stack, 501)),
        ["orders: the stack has 501 resources and CloudFormation takes 500: split the stack"]
    );
}

#[test]
fn a_stack_has_200_outputs() {
    let outputs = |count: usize| {
        violations(dev(), |stack| {
            topics(stack, 1);
            for number in 0..count {
                stack.output(&format!("Output{number}"), "x");
            }
        })
    };
    assert_eq!(outputs(200), [""; 0]);
    assert_eq!(
        outputs(201),
        ["orders: the stack has 201 outputs and CloudFormation takes 200: split the stack"]
    );
}

#[test]
fn a_stack_has_200_parameters() {
    let parameters = |count: usize| {
        violations(dev(), |stack| {
            topics(stack, 1);
            for number in 0..count {
                stack.parameter(
                    &format!("Parameter{number}"),
                    Parameter::string().default("x"),
                );
            }
        })
    };
    assert_eq!(parameters(200), [""; 0]);
    assert_eq!(
        parameters(201),
        ["orders: the stack has 201 parameters and CloudFormation takes 200: split the stack"]
    );
}

#[test]
fn a_stack_has_200_mappings() {
    let mappings = |count: usize| {
        violations(dev(), |stack| {
            topics(stack, 1);
            for number in 0..count {
                let second = BTreeMap::from([("b".to_owned(), "c".to_owned())]);
                let entries = BTreeMap::from([("a".to_owned(), second)]);
                stack.mapping(&format!("Mapping{number}"), entries);
            }
        })
    };
    assert_eq!(mappings(200), [""; 0]);
    assert_eq!(
        mappings(201),
        ["orders: the stack has 201 mappings and CloudFormation takes 200: split the stack"]
    );
}

#[test]
fn a_template_has_a_million_bytes() {
    let sized = |bytes: usize| {
        violations(dev(), |stack| {
            let topic = stack.raw("Own", "AWS::SNS::Topic", json!({}));
            stack.metadata(&topic, "Filling", "x".repeat(bytes));
        })
    };
    assert_eq!(sized(999_000), [""; 0]);
    let found = sized(1_000_000);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].ends_with("bytes and CloudFormation takes 1000000: split the stack"),
        "{found:?}"
    );
}

#[test]
fn descriptions_have_1024_bytes() {
    let described = |bytes: usize| {
        violations(dev(), |stack| {
            topics(stack, 1);
            stack.describe("d".repeat(bytes));
            stack.output("Own", "x").description("d".repeat(bytes));
        })
    };
    assert_eq!(described(1024), [""; 0]);
    assert_eq!(
        described(1025),
        [
            "orders / Own: the description is longer than 1024 bytes",
            "orders: the description is longer than 1024 bytes"
        ]
    );
}

#[test]
fn logical_ids_have_255_characters() {
    let named = |length: usize| {
        violations(dev(), |stack| {
            stack.raw(&"a".repeat(length), "AWS::SNS::Topic", json!({}));
        })
    };
    assert_eq!(named(255), [""; 0]);
    assert_eq!(named(256).len(), 1);
}

#[test]
fn parameters_check_what_they_are_given() {
    let found = violations(dev(), |stack| {
        topics(stack, 1);
        stack.parameter("Empty", Parameter::string());
        let chosen = Parameter::string().allowed(["a", "b"]).default("c");
        stack.parameter("Chosen", chosen);
        let described = Parameter::string().description("d".repeat(4001));
        stack.parameter("Described", described.given("x"));
        stack.parameter("Counted", Parameter::number().default("many").given("1.5"));
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Empty: the parameter has no value: write `default(\"..\")` or `given(\"..\")`",
      "orders / Chosen: `c` is not among the allowed values a, b",
      "orders / Described: the description is longer than 4,000 characters",
      "orders / Counted: `many` is not a number"
    ]
    "#);
}

struct Own;

impl FunctionContract for Own {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-own";
}

#[test]
fn the_parameters_of_artifacts_are_the_synths() {
    let found = violations(dev(), |stack| {
        for name in ["OwnArtifact", "ArtifactBucket"] {
            stack.parameter(name, Parameter::string().default("x"));
        }
        stack.function(
            "Own",
            Wired::<Own>::new(Vec::new()),
            FunctionProps::default(),
        );
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / OwnArtifact: the synth adds a parameter `OwnArtifact` for a function: choose another name",
      "orders / ArtifactBucket: the synth adds a parameter `ArtifactBucket` for a function: choose another name"
    ]
    "#);
}

#[test]
fn a_stack_has_50_tags_with_those_of_its_app() {
    let tagged = |count: usize| {
        let mut app = dev();
        // The app itself tags its stage.
        for number in 0..9 {
            app.tag(format!("app{number}"), "x");
        }
        violations(app, |stack| {
            topics(stack, 1);
            for number in 0..count {
                stack.tag(format!("stack{number}"), "x");
            }
        })
    };
    assert_eq!(tagged(40), [""; 0]);
    assert_eq!(
        tagged(41),
        ["orders: the stack has 51 tags, its stage's among them, and CloudFormation takes 50"]
    );
}

#[test]
fn the_tags_of_an_app_are_checked() {
    let mut app = dev();
    app.tag("aws:team", "x");
    let found = violations(app, |stack| topics(stack, 1));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("the tag `aws:team` does not fit"),
        "{found:?}"
    );
}

#[test]
fn a_named_role_needs_the_greater_capability_however_it_is_named() {
    let capabilities = |change: fn(&mut Stack<'_>, &RoleRef)| {
        let assembly = synth(dev(), |stack| {
            let role = stack.role("Worker", RoleProps::for_service("lambda.amazonaws.com"));
            change(stack, &role);
        });
        assembly.unwrap().manifest().stacks[0].capabilities.clone()
    };
    assert_eq!(capabilities(|_, _| {}), ["CAPABILITY_IAM"]);
    assert_eq!(
        capabilities(|stack, role| stack.override_property(role, "RoleName", "fixed")),
        ["CAPABILITY_NAMED_IAM"]
    );
}
