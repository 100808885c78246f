//! Functions for the methods of an API, and what a stack of them renders.

use serde_json::Value;
use stack_model::contract::{Accepts, FunctionContract, Wired, event};
use stack_model::lambda::{FunctionProps, FunctionRef};
use stack_model::{App, Stack};

use crate::support::{dev, texts};

/// A function that answers requests of an API.
pub(super) struct Answer;

impl FunctionContract for Answer {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-answer";
}

impl Accepts<event::ApiRequest> for Answer {}

/// A function that is invoked with a number.
pub(super) struct Count;

impl FunctionContract for Count {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-count";
}

impl Accepts<event::Invocation<u32>> for Count {}

pub(super) fn function<F: FunctionContract>(stack: &mut Stack<'_>, id: &str) -> FunctionRef<F> {
    stack.function(id, Wired::<F>::new(Vec::new()), FunctionProps::default())
}

/// Renders what `describe` adds to the stack `orders`.
pub(super) fn template(describe: impl FnOnce(&mut Stack<'_>)) -> Value {
    crate::support::template(dev(), describe)
}

/// Returns what is wrong with what `describe` adds, each as one line without the place in the source.
pub(super) fn violations(describe: impl FnOnce(&mut App)) -> Vec<String> {
    let mut app = dev();
    describe(&mut app);
    texts(&app.synth().unwrap_err())
}

pub(super) fn properties<'a>(template: &'a Value, id: &str) -> &'a Value {
    &template["Resources"][id]["Properties"]
}

/// Returns the logical id of the one deployment.
pub(super) fn deployment(template: &Value) -> String {
    let resources = template["Resources"].as_object().unwrap();
    let mut deployments = resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::ApiGateway::Deployment");
    let (id, _) = deployments.next().unwrap();
    assert_eq!(deployments.next(), None);
    id.clone()
}
