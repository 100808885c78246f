//! What all state machines that ship have in common.

use serde_json::Value;

use crate::golden::{shipped, synth};

/// Services are throttled and fail now and then, and an execution must not end half way for that.
#[test]
fn no_state_machine_has_a_task_that_is_not_tried_again() {
    for stage in ["dev", "prod"] {
        let assembly = synth(shipped(stage));
        let mut tasks = 0;
        for stack in &assembly.manifest().stacks {
            let template: Value =
                serde_json::from_str(assembly.template(&stack.id).unwrap()).unwrap();
            for (id, resource) in template["Resources"].as_object().unwrap() {
                if resource["Type"] != "AWS::StepFunctions::StateMachine" {
                    continue;
                }
                let lines = &resource["Properties"]["DefinitionString"]["Fn::Join"][1];
                let lines = lines.as_array().unwrap().iter();
                let text: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
                let definition = serde_json::from_str(&text.join("\n")).unwrap();
                tasks += check(&definition, &format!("{id} of {}", stack.name));
            }
        }
        assert!(tasks > 15, "there are {tasks} tasks in {stage}");
    }
}

/// Checks the tasks of a definition, those of nested states among them, and returns how many there are.
fn check(definition: &Value, machine: &str) -> usize {
    let mut tasks = 0;
    match definition {
        Value::Object(entries) => {
            if entries.get("Type").is_some_and(|kind| kind == "Task") {
                tasks += 1;
                let retries = entries.get("Retry").and_then(Value::as_array);
                let tried_again = retries.is_some_and(|retries| {
                    let mut retries = retries.iter();
                    retries.any(|retry| retry["MaxAttempts"].as_u64().is_none_or(|most| most > 0))
                });
                assert!(tried_again, "{machine} has the task {definition}");
            }
            for value in entries.values() {
                tasks += check(value, machine);
            }
        }
        Value::Array(items) => {
            tasks += items.iter().map(|item| check(item, machine)).sum::<usize>();
        }
        _ => {}
    }
    tasks
}
