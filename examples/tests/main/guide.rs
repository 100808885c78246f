//! The Rust of the guide, as far as no page is a doctest of its own: what a page shows stands here, compiles, and
//! renders templates.

mod bindings;
mod coming_from;
mod getting_started;
mod model;
mod readme;
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the examples of a page are those of a function package, and of the stacks that use it"
)]
mod services;
mod testing;
mod variables;
mod workspace;

use stack_model::assembly::{Architecture, StageRequest};
use stack_model::{App, Stage, Violations};

/// Renders what a page describes, and returns the resource types of one of its stacks, sorted.
fn render(
    variables: serde_json::Value,
    stack: &str,
    describe: impl FnOnce(&mut App) -> Result<(), Violations>,
) -> Vec<String> {
    let serde_json::Value::Object(variables) = variables else {
        panic!("variables are an object");
    };
    let mut app = App::new(Stage::new(StageRequest {
        name: "dev".to_owned(),
        app: None,
        region: "us-east-1".to_owned(),
        account: None,
        protected: false,
        permissions_boundary: None,
        architecture: Architecture::Arm64,
        variables,
    }));
    describe(&mut app).unwrap_or_else(|violations| panic!("{violations}"));
    let assembly = app
        .synth()
        .unwrap_or_else(|violations| panic!("{violations}"));
    let template = assembly.template(stack).expect("the stack is there");
    let template: serde_json::Value = serde_json::from_str(template).expect("it is JSON");
    let resources = template["Resources"].as_object().expect("it has resources");
    let mut types: Vec<String> = resources
        .values()
        .filter_map(|resource| Some(resource["Type"].as_str()?.to_owned()))
        .collect();
    types.sort();
    types.dedup();
    types
}
