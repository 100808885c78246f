//! Things, groups of them, and the address of the broker.

use std::collections::BTreeMap;

use serde_json::json;
use stack_model::Value;
use stack_model::contract::{Accepts, FunctionContract, Wired, event};
use stack_model::iot::{ThingGroupProps, ThingProps};
use stack_model::lambda::FunctionProps;

use crate::support::{dev, resources, template, violations};

fn attributes(count: usize) -> BTreeMap<String, Value<String>> {
    (0..count)
        .map(|number| (format!("a{number}"), Value::from("v")))
        .collect()
}

#[test]
fn things_and_groups_have_names_and_attributes() {
    let template = template(dev(), |stack| {
        let thing = stack.thing(
            "Realtime",
            ThingProps {
                name: Some("serverlesspresso-realtime-workshop".into()),
                attributes: attributes(1),
            },
        );
        let shops = stack.thing_group("Shops", ThingGroupProps::default());
        stack.thing_group(
            "Displays",
            ThingGroupProps {
                name: Some("displays".into()),
                description: Some("What customers see".to_owned()),
                parent: Some(shops),
                attributes: attributes(1),
                query: None,
            },
        );
        stack.output("Thing", thing.name());
    });
    assert_eq!(
        template["Resources"],
        json!({
            "Realtime": {
                "Type": "AWS::IoT::Thing",
                "Properties": {
                    "AttributePayload": {"Attributes": {"a0": "v"}},
                    "ThingName": "serverlesspresso-realtime-workshop",
                },
            },
            "Shops": {"Type": "AWS::IoT::ThingGroup"},
            "Displays": {
                "Type": "AWS::IoT::ThingGroup",
                "Properties": {
                    "ParentGroupName": {"Ref": "Shops"},
                    "ThingGroupName": "displays",
                    "ThingGroupProperties": {
                        "AttributePayload": {"Attributes": {"a0": "v"}},
                        "ThingGroupDescription": "What customers see",
                    },
                },
            },
        })
    );
    assert_eq!(
        template["Outputs"]["Thing"]["Value"],
        json!({"Ref": "Realtime"})
    );
}

#[test]
fn things_are_checked() {
    let found = violations(dev(), |stack| {
        stack.thing(
            "Many",
            ThingProps {
                name: Some("a thing".into()),
                attributes: attributes(4),
            },
        );
        let long = BTreeMap::from([("story".to_owned(), Value::from("x".repeat(801)))]);
        let props = ThingProps {
            attributes: long,
            ..ThingProps::default()
        };
        stack.thing("Long", props);
        let written = BTreeMap::from([
            ("fine".to_owned(), Value::from("a=[1]/b-c_d.e,f@g:h#i")),
            ("free".to_owned(), Value::from("second floor")),
            ("no name".to_owned(), Value::from("")),
        ]);
        let props = ThingGroupProps {
            attributes: written,
            ..ThingGroupProps::default()
        };
        stack.thing_group("Written", props);
        let parent = stack.thing_group("Parent", ThingGroupProps::default());
        let props = ThingGroupProps {
            parent: Some(parent),
            query: Some("attributes.floor:2".to_owned()),
            ..ThingGroupProps::default()
        };
        stack.thing_group("Floor", props);
    });
    assert_eq!(
        found,
        [
            "Many / Properties.ThingName: `a thing` holds ' '; AWS takes letters, digits and `:` `-` `_`",
            "Many / Properties.AttributePayload.Attributes: the thing has 4 attributes and takes 3: keep the others where its data is",
            "Long / Properties.AttributePayload.Attributes: `story` is longer than 800 characters",
            "Written / Properties.ThingGroupProperties.AttributePayload.Attributes: the value `second floor` of `free` holds ' '; the registry takes letters, digits and `_.,@/:#=[]-`",
            "Written / Properties.ThingGroupProperties.AttributePayload.Attributes: `no name` holds ' '; AWS takes letters, digits and `_` `.` `,` `@` `/` `:` `#` `-`",
            "Floor / Properties.ParentGroupName: a dynamic group is part of no other: leave the parent or the query out",
        ]
        .map(|text| format!("orders / {text}"))
    );
}

#[derive(Debug)]
struct FindEndpoint;

impl FunctionContract for FindEndpoint {
    const PACKAGE: &'static str = "coffee";
    const BINARY: &'static str = "coffee-find-endpoint";
}

impl Accepts<event::CustomResource<()>> for FindEndpoint {}

#[test]
fn a_function_tells_the_address_of_the_broker() {
    let template = template(dev(), |stack| {
        let wired = Wired::new(Vec::new());
        let find = stack.function::<FindEndpoint>("Find", wired, FunctionProps::default());
        let address = stack.iot_endpoint("Endpoint", &find);
        stack.output("IotEndpointAddress", address);
    });
    assert_eq!(
        template["Resources"]["Endpoint"],
        json!({
            "Type": "Custom::IotEndpoint",
            "Properties": {
                "ServiceTimeout": 600,
                "ServiceToken": {"Fn::GetAtt": ["Find", "Arn"]},
            },
        })
    );
    assert_eq!(
        template["Outputs"]["IotEndpointAddress"]["Value"],
        json!({"Fn::GetAtt": ["Endpoint", "IotEndpointAddress"]})
    );
}

#[test]
fn a_dynamic_group_has_a_query() {
    let resources = resources(dev(), |stack| {
        let props = ThingGroupProps {
            query: Some("attributes.floor:2".to_owned()),
            ..ThingGroupProps::default()
        };
        stack.thing_group("Floor", props);
    });
    assert_eq!(
        resources["Floor"]["Properties"],
        json!({"QueryString": "attributes.floor:2"})
    );
}
