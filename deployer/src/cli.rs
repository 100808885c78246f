//! The command line: arguments, as typed.
//!
//! Parsing stops at what clap can say without reading a file; a command resolves stages and stacks.

mod allow;
pub mod env;
mod operate;
mod prune;
mod report;
mod rollback;
mod select;
mod stackset;
mod watch;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use allow::{Allowance, danger};
pub use operate::{Drift, Events, History, Invoke, Logs, Since};
pub use prune::Prune;
pub use report::{ReportFile, ReportFileError};
pub use rollback::{Rollback, To};
pub use select::{Name, nearest, select, select_known, unknown};
pub use stackset::{StackSet, StackSetVerb};
pub use watch::Watch;

use crate::config::Assignment;

/// What `--help` says about exit codes; scripts rely on them.
const AFTER_HELP: &str = "\
Exit codes:
  0    done, or nothing to do
  1    failed
  2    wrong usage or configuration
  3    `diff --exit-code` or `drift --exit-code` found changes, or could not look for all
  4    refused by a safety rule without consent
  130  interrupted

Environment:
  STACKCTL_STAGE       the stage, where --stage is not given
  STACKCTL_STATE_DIR   the state of the workspace, instead of .stackctl
  STACKCTL_CACHE_DIR   downloaded tools, instead of the user's cache
  STACKCTL_PYTHON      the Python that installs the local engine
  STACKCTL_LOCAL_PORT  the port of the local engine";

/// Deploys stacks written in Rust, with their Lambda functions, to AWS or to this machine.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "stackctl",
    version,
    after_help = AFTER_HELP,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Cli {
    /// Options of every verb.
    #[command(flatten)]
    pub global: Global,
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options of every verb.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The stage of stackctl.toml to work on.
    #[arg(long, global = true, value_name = "NAME", env = env::STAGE.name, hide_env = true)]
    pub stage: Option<String>,
    /// Work in this region of the stage alone, or in ACCOUNT/REGION; may be repeated.
    #[arg(long = "region", global = true, value_name = "REGION")]
    pub regions: Vec<String>,
    /// Work on the local engine instead of AWS, starting it when needed.
    #[arg(long, global = true, conflicts_with = "endpoint_url")]
    pub local: bool,
    /// Send every AWS call to this endpoint.
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Set a variable of the stage, over stackctl.toml; may be repeated.
    #[arg(long = "var", global = true, value_name = "KEY=VALUE")]
    pub variables: Vec<Assignment>,
    /// Print one JSON document, or JSON lines, on standard output.
    #[arg(long, global = true)]
    pub json: bool,
    /// Approve what the command is about to do.
    #[arg(long, short = 'y', global = true)]
    pub yes: bool,
    /// Read this file instead of looking for stackctl.toml.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say more; twice for everything.
    #[arg(long, short = 'v', global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour: auto, always or never.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub color: Color,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal that shows it, unless the environment says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Clone, Debug, Subcommand)]
pub enum Verb {
    /// Render the stacks of a stage to templates.
    Synth(Synth),
    /// Draw stacks: what invokes, reads and writes what.
    Graph(Graph),
    /// Build, publish and deploy stacks, and follow them to the end.
    Deploy(Deploy),
    /// Deploy whatever is changed while you work, and follow the logs.
    Watch(Watch),
    /// Show what a deploy would change.
    Diff(Diff),
    /// Delete stacks and what they hold.
    Destroy(Destroy),
    /// Take back what failed, or go back to an earlier release.
    Rollback(Rollback),
    /// Remove releases, and packages and versions of functions, that nothing needs any more.
    Prune(Prune),
    /// Print the outputs of deployed stacks.
    Outputs(Stacks),
    /// Print the status of stacks.
    Status(Stacks),
    /// Print what happened to stacks, the oldest first.
    Events(Events),
    /// Say why the last operation of stacks failed, and what helps.
    Explain(Stacks),
    /// Find what was changed behind CloudFormation's back, and change it back.
    Drift(Drift),
    /// Print what was done to stacks, by whom and with what, and their releases.
    History(History),
    /// Call a deployed function and print its answer.
    Invoke(Invoke),
    /// Print the logs of deployed functions, merged by time.
    Logs(Logs),
    /// Deploy stacks to the accounts of an organisation, as CloudFormation stack sets.
    Stackset(StackSet),
    /// Create or update the stack that holds the artifact bucket.
    Bootstrap,
    /// Start, stop or look at the local engine.
    Local(Local),
    /// Check the tools, the credentials and the configuration.
    Doctor(Doctor),
    /// Print a completion script for a shell.
    Completions(Completions),
}

/// Which stacks.
#[derive(Clone, Debug, Default, Args)]
pub struct Stacks {
    /// Names or patterns such as 'orders-*', with or without the stage; all by default.
    #[arg(value_name = "STACK")]
    pub stacks: Vec<String>,
}

/// Arguments of `synth`.
#[derive(Clone, Debug, Args)]
pub struct Synth {
    /// Which stacks.
    #[command(flatten)]
    pub stacks: Stacks,
    /// Write manifest.json and STACK.template.json to this directory instead of printing the templates.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The form of the templates; with --out, YAML is written beside JSON.
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    pub format: Format,
}

/// The form of a template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// JSON, what is deployed.
    #[default]
    Json,
    /// YAML, for people.
    Yaml,
}

/// Arguments of `graph`.
#[derive(Clone, Debug, Args)]
pub struct Graph {
    /// Which stacks.
    #[command(flatten)]
    pub stacks: Stacks,
    /// The form of the drawing; by default what the name of the file ends with, and SVG without.
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Drawing>,
    /// Write the drawing to this file instead of printing it.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Mark what a deploy would change, compared with what is deployed; code is taken as unchanged.
    #[arg(long)]
    pub diff: bool,
    /// Mark what a deploy would change, compared with what was seen last from this machine, without asking AWS.
    #[arg(long, conflicts_with = "diff")]
    pub offline: bool,
    /// Mark what differs from the templates in this directory, without asking AWS.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["diff", "offline"])]
    pub against: Option<PathBuf>,
    /// Draw what changes and what stands next to it alone.
    #[arg(long)]
    pub affected: bool,
}

/// The form of a drawing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Drawing {
    /// SVG, which browsers show.
    #[default]
    Svg,
    /// Mermaid, which GitHub shows in Markdown.
    Mermaid,
    /// The language of Graphviz.
    Dot,
    /// A page, in which the drawing can be moved and enlarged.
    Html,
}

/// Arguments of `deploy`.
#[derive(Clone, Debug, Default, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own, and all of them go together"
)]
pub struct Deploy {
    /// Which stacks; what they depend on must be deployed already.
    #[command(flatten)]
    pub stacks: Stacks,
    /// Consent to one danger in a protected stage, such as data-loss:Orders; may be repeated.
    ///
    /// The dangers are data-loss, exposure-widened, permission-widened, and replacement of what holds data by an empty one. A pattern such as 'data-loss:*' stands for
    /// several resources, and a stack may stand before: 'data-loss:orders-prod/Orders'. owner:STACK takes over a stack that
    /// another app deployed, in any stage.
    #[arg(long, value_name = "DANGER:ID")]
    pub allow: Vec<Allowance>,
    /// Wait for operations that somebody else began, instead of refusing.
    #[arg(long)]
    pub wait: bool,
    /// How many stacks are worked on at once; 8 by default.
    #[arg(long, value_name = "N")]
    pub concurrency: Option<NonZeroUsize>,
    /// Let CloudFormation wait until everything is ready, also in a stage that is not protected.
    #[arg(long)]
    pub no_express: bool,
    /// Do not look beforehand for what would stop the deploy.
    #[arg(long)]
    pub no_preflight: bool,
    /// Give changed code and definitions to functions and state machines without CloudFormation, where nothing else changes.
    ///
    /// Not in protected stages. The next deploy without this tells CloudFormation.
    #[arg(long)]
    pub fast: bool,
    /// Whether `--yes` was given before anybody knew of these changes: `watch` says so, and no option does.
    #[arg(skip)]
    pub beforehand: bool,
    /// Execute the plan that `diff --out` kept in this file, without a question; refused where anything moved since.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["stacks", "fast"])]
    pub plan: Option<PathBuf>,
}

/// Arguments of `diff`.
#[derive(Clone, Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own on the command line"
)]
pub struct Diff {
    /// Which stacks.
    #[command(flatten)]
    pub stacks: Stacks,
    /// End with exit code 3 when there are changes.
    #[arg(long)]
    pub exit_code: bool,
    /// Do not build the functions: their code is then taken as unchanged.
    #[arg(long)]
    pub no_build: bool,
    /// Compare with the templates in this directory instead of what is deployed.
    #[arg(long, value_name = "DIR")]
    pub against: Option<PathBuf>,
    /// Compare with what was seen last from this machine, without asking AWS.
    #[arg(long, conflicts_with_all = ["against", "out"])]
    pub offline: bool,
    /// Have CloudFormation compute change sets too, show what they say otherwise, and remove them.
    #[arg(long, conflicts_with_all = ["against", "offline", "out"])]
    pub change_set: bool,
    /// Detect what was changed by hand, and show what the deploy would make of it.
    #[arg(long, conflicts_with_all = ["against", "offline"])]
    pub drift: bool,
    /// Keep the plan in this file, for `deploy --plan`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["against", "no_build"])]
    pub out: Option<PathBuf>,
    /// The form of the report.
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        conflicts_with = "json"
    )]
    pub format: Report,
    /// Write the report to this file too, as a page or as Markdown: FILE.html or FILE.md; may be repeated.
    #[arg(long = "report", value_name = "FILE")]
    pub reports: Vec<ReportFile>,
}

/// The form of a report about changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// A tree, for a terminal.
    #[default]
    Text,
    /// Markdown, for a comment on a pull request.
    Markdown,
    /// A page with the graph of what changes, for a browser.
    Html,
}

/// Arguments of `destroy`.
#[derive(Clone, Debug, Args)]
pub struct Destroy {
    /// Which stacks.
    #[command(flatten)]
    pub stacks: Stacks,
    /// Consent to deleting a protected stage, or stacks that left the source, by the name of the stage.
    #[arg(long, value_name = "STAGE")]
    pub confirm: Option<String>,
    /// Keep this resource, which kept an earlier removal from its end, outside of any stack; may be repeated.
    #[arg(long, value_name = "LOGICAL_ID")]
    pub retain: Vec<String>,
    /// Wait for operations that somebody else began, instead of refusing.
    #[arg(long)]
    pub wait: bool,
    /// How many stacks are worked on at once; 8 by default.
    #[arg(long, value_name = "N")]
    pub concurrency: Option<NonZeroUsize>,
}

/// Arguments of `local`.
#[derive(Clone, Debug, Args)]
pub struct Local {
    /// What to do with the engine.
    #[command(subcommand)]
    pub verb: LocalVerb,
}

/// What to do with the local engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum LocalVerb {
    /// Start the engine, installing it first when needed.
    Start {
        /// The port on 127.0.0.1; 0 for any free one.
        #[arg(long, value_name = "PORT", env = env::LOCAL_PORT.name, hide_env = true)]
        port: Option<u16>,
    },
    /// Stop the engine; its state is kept.
    Stop,
    /// Say whether the engine runs, and where.
    Status,
    /// Stop the engine and delete its state.
    Reset,
}

/// Arguments of `doctor`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Doctor {
    /// Install what is missing into the tool's private environment.
    #[arg(long)]
    pub install: bool,
}

/// Arguments of `completions`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Completions {
    /// The shell.
    pub shell: clap_complete::Shell,
}

/// Returns whether the arguments ask for JSON, where they could not be parsed.
pub fn asks_for_json(arguments: &[std::ffi::OsString]) -> bool {
    arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| argument == "--json")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_names_every_exit_code_and_variable() {
        for (kind, _, code, _) in crate::error::KINDS {
            assert!(AFTER_HELP.contains(&format!("\n  {code}  ")), "{kind:?}");
        }
        assert!(AFTER_HELP.contains(&format!("\n  {}  ", crate::error::EXIT_CHANGES)));
        for variable in env::VARIABLES {
            assert!(AFTER_HELP.contains(variable.name), "{}", variable.name);
        }
    }

    #[test]
    fn global_options_stand_before_and_after_the_verb() {
        for arguments in [
            ["stackctl", "--stage", "dev", "--json", "status"],
            ["stackctl", "status", "--json", "--stage", "dev"],
        ] {
            let cli = Cli::try_parse_from(arguments).expect("is valid");
            assert_eq!(cli.global.stage.as_deref(), Some("dev"));
            assert!(cli.global.json);
        }
    }
}
