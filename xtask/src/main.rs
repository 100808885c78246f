//! Developer tasks that need more than a shell line: `cargo xtask --help` lists them.

mod bench;
mod oracle;
mod pinned;
mod spec;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs one of the project's developer tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Measures what the project costs, each figure beside a floor or a target.
    Bench(bench::Args),
    /// Compares what the planner takes for a replacement with what the AWS CDK publishes.
    Oracle(oracle::Args),
    /// Refreshes the distilled facts of every CloudFormation resource type.
    Spec(spec::Args),
}

fn main() -> ExitCode {
    let done: Result<String, Box<dyn Error>> = match Cli::parse().task {
        Task::Bench(args) => bench::run(&args),
        Task::Oracle(args) => oracle::run(&args).map_err(Into::into),
        Task::Spec(args) => spec::run(&args).map_err(Into::into),
    };
    // Nothing is left to do about a closed standard stream.
    match done {
        Ok(report) => {
            let _ = writeln!(std::io::stdout(), "{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let mut text = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                text.push_str(": ");
                text.push_str(&cause.to_string());
                source = cause.source();
            }
            let _ = writeln!(std::io::stderr(), "error: {text}");
            ExitCode::FAILURE
        }
    }
}
