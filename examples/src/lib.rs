//! What every example needs: a stage, and a place to print.

use std::io::Write as _;
use std::process::ExitCode;

use stack_model::assembly::{Architecture, StageRequest};
use stack_model::{App, Stage};

/// Renders the stacks that `describe` adds, for a stage `dev`, and prints their templates.
pub fn print(describe: impl FnOnce(&mut App)) -> ExitCode {
    let mut app = App::new(Stage::new(StageRequest {
        name: "dev".to_owned(),
        app: None,
        region: "eu-central-1".to_owned(),
        account: None,
        protected: false,
        permissions_boundary: None,
        architecture: Architecture::Arm64,
        variables: serde_json::Map::new(),
    }));
    describe(&mut app);
    let (text, code) = match app.synth() {
        Ok(assembly) => {
            let templates = assembly
                .files()
                .map(|(_, bytes)| String::from_utf8_lossy(bytes));
            (templates.collect::<String>(), ExitCode::SUCCESS)
        }
        Err(violations) => (format!("{violations}\n"), ExitCode::FAILURE),
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}
