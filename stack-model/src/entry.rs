//! The main function of a stacks package: the one place in this crate that reads and writes.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::assembly::{FAILURE_FILE, FORMAT, MANIFEST_FILE, SynthRequest};
use crate::error::Violations;
use crate::stack::App;
use crate::stage::Stage;

/// How a stacks binary is called.
const USAGE: &str = "usage: <stacks> synth --out DIR, with the request as JSON on standard input; \
                     `stackctl synth` makes this call";

/// Runs a stacks package: reads the request from standard input, calls `describe` to add the stacks, and writes
/// the assembly.
///
/// ```no_run
/// use std::process::ExitCode;
/// use stack_model::{App, Violations};
///
/// fn main() -> ExitCode {
///     stack_model::main(describe)
/// }
///
/// fn describe(app: &mut App) -> Result<(), Violations> {
///     app.stack("orders");
///     Ok(())
/// }
/// ```
pub fn main(describe: impl FnOnce(&mut App) -> Result<(), Violations>) -> ExitCode {
    match run(describe) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            #[expect(
                clippy::print_stderr,
                reason = "this is the main function of the stacks binary"
            )]
            {
                eprintln!("{message}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(describe: impl FnOnce(&mut App) -> Result<(), Violations>) -> Result<(), String> {
    let out = out_directory(std::env::args().skip(1))?;
    let mut request = String::new();
    std::io::stdin()
        .read_to_string(&mut request)
        .map_err(|error| format!("cannot read the request: {error}"))?;
    let request: SynthRequest = serde_json::from_str(&request)
        .map_err(|error| format!("cannot read the request: {error}; {USAGE}"))?;
    if request.format != FORMAT {
        return Err(format!(
            "the request has format {} and this stack-model writes format {FORMAT}: \
             use the same version of stackctl and stack-model",
            request.format
        ));
    }
    let mut app = App::new(Stage::new(request.stage));
    let described = describe(&mut app);
    let synthesised = match described {
        Ok(()) => app.synth(),
        Err(violations) => Err(app.violations_with(&violations)),
    };
    match synthesised {
        Ok(assembly) => {
            for (name, bytes) in assembly.files() {
                write(&out.join(name), bytes)?;
            }
            // The manifest comes last: an assembly with a manifest is complete.
            write(
                &out.join(MANIFEST_FILE),
                assembly.manifest_json().as_bytes(),
            )
        }
        Err(violations) => {
            let failure = serde_json::to_vec_pretty(&violations.failure())
                .map_err(|error| format!("cannot render the violations: {error}"))?;
            write(&out.join(FAILURE_FILE), &failure)?;
            Err(violations.to_string())
        }
    }
}

fn out_directory(mut arguments: impl Iterator<Item = String>) -> Result<PathBuf, String> {
    let call = (arguments.next(), arguments.next(), arguments.next());
    match call {
        (Some(verb), Some(flag), Some(directory)) if verb == "synth" && flag == "--out" => {
            Ok(PathBuf::from(directory))
        }
        _ => Err(USAGE.to_owned()),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
