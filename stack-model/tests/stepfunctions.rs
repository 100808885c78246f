//! State machines.

use serde_json::Value as Json;
use stack_model::stepfunctions::{
    Definition, StateMachineProps, StateMachineRef, StateMachineType,
};
use stack_model::{App, Stack};

use crate::support::{dev, resources};

mod alias;
mod check;
mod flow;
pub(crate) mod golden;
mod machine;
mod nested;
mod random;
mod table;
mod task;

/// The input of the executions.
struct Input;

fn add(stack: &mut Stack<'_>, definition: impl Into<Definition>) -> StateMachineRef<Input> {
    stack.state_machine("Machine", definition, StateMachineProps::default())
}

fn express() -> StateMachineProps {
    StateMachineProps {
        kind: StateMachineType::Express,
        ..StateMachineProps::default()
    }
}

/// Returns the definition of the state machine `Machine`, read as JSON.
fn definition(app: App, describe: impl FnOnce(&mut Stack<'_>)) -> Json {
    let resources = resources(app, describe);
    read(&resources["Machine"])
}

/// Reads the definition of a rendered state machine.
fn read(machine: &Json) -> Json {
    let join = &machine["Properties"]["DefinitionString"]["Fn::Join"];
    let lines: Vec<&str> = join[1]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    let mut definition: Json =
        serde_json::from_str(&lines.join(join[0].as_str().unwrap())).unwrap();
    // The maps of `serde_json` keep the order of the text where some crate of a build asks for it.
    definition.sort_all_objects();
    definition
}

/// Returns the definition of one flow.
fn flow_of(flow: impl Into<Definition>) -> Json {
    definition(dev(), |stack| {
        add(stack, flow);
    })
}
