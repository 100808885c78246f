//! The limits of a template, each met and then exceeded by one; see
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>.

use std::collections::BTreeMap;

use serde_json::json;
use stack_model::{Parameter, Stack};

use crate::support::{dev, violations};

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
                stack.parameter(&format!("Parameter{number}"), Parameter::string());
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
        let hidden = Parameter::string().no_echo().given("x");
        stack.parameter("Hidden", hidden);
        let chosen = Parameter::string().allowed(["a", "b"]).default("c");
        stack.parameter("Chosen", chosen);
        let described = Parameter::string().description("d".repeat(4001));
        stack.parameter("Described", described);
    });
    assert_eq!(found.len(), 3, "{found:?}");
}
