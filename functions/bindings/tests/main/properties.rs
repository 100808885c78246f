//! The properties of custom resources: what a stack fills in is what the function reads.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use stack_bindings::{Bindings, CustomResource, Decode, ResourceAction, ResourceProperties};
use stack_model::custom_resource::CustomResourceProps;
use stack_model::dynamodb::TableProps;
use stack_model::lambda::FunctionProps;

use crate::declared::Order;
use crate::wiring::app;

#[derive(Debug, PartialEq, Deserialize, ResourceProperties)]
#[serde(rename_all = "PascalCase")]
struct Seed {
    table: String,
    drinks: u32,
    share: f64,
    open: bool,
    #[serde(rename = "opening_hours")]
    hours: Vec<u16>,
    note: Option<String>,
    r#type: BTreeMap<String, bool>,
    shop: Option<Shop>,
}

#[derive(Debug, PartialEq, Deserialize, ResourceProperties)]
struct Shop {
    id: i64,
}

#[derive(Bindings)]
#[function(binary = "seed", accepts(CustomResource<Seed>))]
struct Fill {}

/// Returns the properties that a stack renders, without those that belong to CloudFormation.
fn rendered() -> Json {
    let mut app = app();
    let mut stack = app.stack("stack");
    let table = stack.table::<Order>("Table", TableProps::default());
    let fill = stack.function("Fill", Fill::bind(FillWiring {}), FunctionProps::default());
    let given = SeedGiven {
        table: table.name(),
        drinks: 12.into(),
        share: 0.5.into(),
        open: true.into(),
        hours: vec![8.into(), 18.into()],
        note: None,
        r#type: BTreeMap::from([("hot".to_owned(), false.into())]),
        shop: Some(ShopGiven { id: (-7).into() }),
    };
    let props = CustomResourceProps::default();
    stack.custom_resource("Seed", "Custom::Seed", &fill, given, props);
    let assembly = app.synth().unwrap();
    let template: Json = serde_json::from_str(assembly.template("stack").unwrap()).unwrap();
    let mut properties = template["Resources"]["Seed"]["Properties"].clone();
    let fields = properties.as_object_mut().unwrap();
    fields.remove("ServiceToken").unwrap();
    fields.remove("ServiceTimeout").unwrap();
    properties
}

#[test]
fn a_stack_writes_the_names_of_serde_and_texts() {
    assert_eq!(
        rendered(),
        json!({
            "Table": {"Ref": "Table"}, "Drinks": "12", "Share": "0.5", "Open": "true",
            "opening_hours": ["8", "18"], "Type": {"hot": "false"}, "Shop": {"id": "-7"}
        })
    );
}

/// CloudFormation sends what stands in the template, with the values of its intrinsic functions.
#[test]
fn a_function_reads_what_a_stack_fills_in() {
    let mut properties = rendered();
    properties["Table"] = json!("stack-Table-1");
    properties["ServiceToken"] = json!("arn:aws:lambda:eu-west-1:123456789012:function:fill");
    let request = json!({
        "RequestType": "Create",
        "ResponseURL": "http://127.0.0.1/answer",
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/stack/guid",
        "RequestId": "request",
        "ResourceType": "Custom::Seed",
        "LogicalResourceId": "Seed",
        "ResourceProperties": properties,
    });
    let resource = CustomResource::<Seed>::decode(request).unwrap();
    let ResourceAction::Create { properties } = resource.action else {
        panic!("the resource is made");
    };
    let expected = Seed {
        table: "stack-Table-1".to_owned(),
        drinks: 12,
        share: 0.5,
        open: true,
        hours: vec![8, 18],
        note: None,
        r#type: BTreeMap::from([("hot".to_owned(), false)]),
        shop: Some(Shop { id: -7 }),
    };
    assert_eq!(properties, expected);
}
