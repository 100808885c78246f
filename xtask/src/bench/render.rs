//! Rendering inside one process: the micro benchmarks of the model.

use std::error::Error;
use std::path::Path;

use super::measure::{cargo, output};

pub(super) fn run(workspace: &Path) -> Result<String, Box<dyn Error>> {
    let mut bench = cargo(workspace);
    bench.args(["bench", "--quiet", "-p", "stack-model", "--bench", "render"]);
    Ok(format!(
        "synth inside one process, against writing the same JSON with serde_json\n\n{}",
        output(&mut bench)?
    ))
}
