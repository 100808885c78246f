//! Synth inside one process, beside a floor: `serde_json` reading and writing the same template.

#[path = "scale/stack.rs"]
mod stack;

use divan::Bencher;
use stack_model::assembly::{Architecture, StageRequest};
use stack_model::{App, Assembly, Stage};

const SIZES: [usize; 3] = [1, 100, 500];

fn main() {
    divan::main();
}

fn synth(resources: usize) -> Assembly {
    let mut app = App::new(Stage::new(StageRequest {
        name: "dev".to_owned(),
        app: None,
        region: "us-east-1".to_owned(),
        account: None,
        protected: false,
        permissions_boundary: None,
        architecture: Architecture::Arm64,
        variables: serde_json::Map::new(),
    }));
    stack::describe(&mut app, resources);
    app.synth().expect("the stack is valid")
}

/// Describing the stack, checking it and rendering the template.
#[divan::bench(args = SIZES)]
fn describe_check_and_render(bencher: Bencher<'_, '_>, resources: usize) {
    bencher.bench_local(|| synth(resources));
}

/// The floor: the finished template, read and written by `serde_json`.
#[divan::bench(args = SIZES)]
fn floor_read_and_write(bencher: Bencher<'_, '_>, resources: usize) {
    let assembly = synth(resources);
    let template = assembly.template("scale").expect("the stack is there");
    bencher.bench_local(|| {
        let json: serde_json::Value = serde_json::from_str(template).expect("it is JSON");
        format!("{json:#}")
    });
}
