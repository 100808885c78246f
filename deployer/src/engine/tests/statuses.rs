//! Every operation against every status: what is called, how it ends, and the command that is named.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use snapbox::{Data, assert_data_eq};

use super::{
    given::{Answer, one, stack},
    script::{STACK, Script},
    simulated::Simulated,
};
use crate::engine::{
    Context, DestroyRequest, Explained, RollbackRequest, StackTarget, deploy, destroy, origin,
    plan::{self, Registry, Wanted},
    rollback,
    status::State,
    status::page::{self, ROWS, is_express},
};

/// The token of somebody who works in the console.
const CONSOLE: &str = "Console-UpdateStack-7f59c3cf";

const OPERATIONS: [&str; 6] = [
    "deploy",
    "deploy --wait",
    "diff",
    "destroy",
    "rollback",
    "status",
];

#[test]
fn the_page_shows_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/statuses.md");
    assert_data_eq!(page::page(), Data::read_from(&path, None).raw());
}

#[test]
fn every_status_of_the_sdk_has_a_row() {
    use aws_sdk_cloudformation::types::StackStatus;
    for name in StackStatus::values() {
        assert!(
            ROWS.iter().any(|(_, row)| row == name),
            "{name} has no row: decide what every operation does with it"
        );
    }
}

/// The file is the specification: a line for every cell, and two where it matters whose stack or operation it is.
#[tokio::test]
async fn every_cell_does_what_it_says() {
    let mut text = String::new();
    for (state, name) in ROWS {
        let mode = if is_express(state) {
            " in express mode"
        } else {
            ""
        };
        let _ = writeln!(text, "{name}{mode}");
        for operation in OPERATIONS {
            let ours = Box::pin(cell(state, name, operation, true)).await;
            let theirs = Box::pin(cell(state, name, operation, false)).await;
            if ours == theirs {
                let _ = writeln!(text, "  {operation}: {ours}");
            } else {
                let _ = writeln!(text, "  {operation}, ours: {ours}");
                let _ = writeln!(text, "  {operation}, theirs: {theirs}");
            }
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/tests/statuses.txt");
    assert_data_eq!(text, Data::read_from(&path, None).raw());
}

/// Runs an operation against a stack in a status, and tells what happened.
async fn cell(state: State, status: &'static str, operation: &str, ours: bool) -> String {
    let played = Script::new().play();
    let mut context = played.context.clone();
    let token = if ours {
        origin::sign(
            "stackctl-0123456789abcdef0123".to_owned(),
            &context.revision,
            &context.clients.identity().arn,
        )
    } else {
        CONSOLE.to_owned()
    };
    let status = (state != State::Absent).then_some(status);
    let simulated = Simulated::new(status, ours, is_express(state), &token);
    context.clients.cloudformation = simulated.client();
    context.wait = operation == "deploy --wait";
    let ended = run(&context, operation).await;
    let calls = simulated.calls();
    let mut told = if calls.is_empty() {
        String::new()
    } else {
        format!("{}; ", calls.join(", "))
    };
    told += &ended;
    if !calls.is_empty() {
        let _ = write!(told, " as {}", simulated.status().unwrap_or("none"));
    }
    told
}

async fn run(context: &Context, operation: &str) -> String {
    let manifest = stack(STACK, &[]).manifest;
    match operation {
        "deploy" | "deploy --wait" => {
            match deploy(context, one(stack(STACK, &[])), Answer::yes()).await {
                Ok(report) => ended(report.stacks[0].outcome),
                Err(error) => failed(&error),
            }
        }
        "destroy" => {
            let request = DestroyRequest {
                stacks: vec![manifest],
                ..DestroyRequest::default()
            };
            match destroy(context, request).await {
                Ok(report) => ended(report.stacks[0].outcome),
                Err(error) => failed(&error),
            }
        }
        "rollback" => {
            let request = RollbackRequest {
                stacks: vec![manifest],
                ..RollbackRequest::default()
            };
            match rollback(context, request).await {
                Ok(report) => ended(report.stacks[0].outcome),
                Err(error) => failed(&error),
            }
        }
        "diff" => {
            let deployment = stack(STACK, &[]);
            let template = serde_json::from_str(&deployment.template).expect("is JSON");
            let wanted = Wanted {
                manifest: &deployment.manifest,
                template: &template,
                contracts: &BTreeMap::new(),
                contents: &BTreeMap::new(),
            };
            let plan = plan::plan(context, &[wanted], &BTreeMap::new(), &Registry)
                .await
                .expect("there is a plan");
            let stack = &plan.stacks[0];
            let with = if stack.create {
                "compared with nothing"
            } else {
                "compared"
            };
            let note = stack.note.as_deref().map(|note| format!("; {note}"));
            format!("{with}{}", note.unwrap_or_default())
        }
        "status" => {
            let target = StackTarget::from(&manifest);
            let report = crate::engine::status(context, &[target])
                .await
                .expect("there is a report");
            let stack = &report.stacks[0];
            let settled = if stack.settled {
                "settled"
            } else {
                "not settled"
            };
            match &stack.next {
                Some(next) => format!("{settled}, next `{next}`"),
                None => settled.to_owned(),
            }
        }
        other => panic!("{other} is no operation"),
    }
}

fn ended(outcome: crate::engine::Outcome) -> String {
    let name = serde_json::to_value(outcome).expect("outcomes are plain data");
    format!("ends {}", name.as_str().unwrap_or_default())
}

/// Tells the commands that an error names, and where there is none, what it says.
fn failed(error: &impl Explained) -> String {
    let hints = error.hints();
    let commands: Vec<String> = hints
        .iter()
        .flat_map(|hint| hint.split('`').skip(1).step_by(2))
        .map(|command| format!("`{command}`"))
        .collect();
    assert!(!commands.is_empty(), "{error} names no command: {hints:?}");
    let by = error.details().iter().any(|line| {
        line.contains("begun by somebody in the console since")
            || line.contains("begun by somebody in the console")
    });
    let by = if by {
        " begun by somebody in the console"
    } else {
        ""
    };
    format!("refused{by}: {}", commands.join(", "))
}
