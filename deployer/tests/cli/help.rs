//! Help, versions and completions.

use snapbox::str;

use super::workspace::Workspace;

#[test]
fn help_shows_verbs_options_exit_codes_and_variables() {
    let outcome = Workspace::empty().run(["--help"]);
    assert_eq!(outcome.code, Some(0));
    assert_eq!(outcome.stderr, "");
    snapbox::assert_data_eq!(
        outcome.stdout,
        str![[r#"
Deploys stacks written in Rust, with their Lambda functions, to AWS or to this machine

Usage: stackctl [OPTIONS] <COMMAND>

Commands:
  synth        Render the stacks of a stage to templates
  graph        Draw stacks: what invokes, reads and writes what
  deploy       Build, publish and deploy stacks, and follow them to the end
  watch        Deploy whatever is changed while you work, and follow the logs
  diff         Show what a deploy would change
  destroy      Delete stacks and what they hold
  rollback     Take back what failed, or go back to an earlier release
  prune        Remove releases, and packages and versions of functions, that nothing needs any more
  outputs      Print the outputs of deployed stacks
  status       Print the status of stacks
  events       Print what happened to stacks, the oldest first
  explain      Say why the last operation of stacks failed, and what helps
  drift        Find what was changed behind CloudFormation's back, and change it back
  history      Print what was done to stacks, by whom and with what, and their releases
  invoke       Call a deployed function and print its answer
  logs         Print the logs of deployed functions, merged by time
  stackset     Deploy stacks to the accounts of an organisation, as CloudFormation stack sets
  bootstrap    Create or update the stack that holds the artifact bucket
  local        Start, stop or look at the local engine
  doctor       Check the tools, the credentials and the configuration
  completions  Print a completion script for a shell

Options:
  -h, --help     Print help
  -V, --version  Print version

Global options:
      --stage <NAME>        The stage of stackctl.toml to work on
      --region <REGION>     Work in this region of the stage alone, or in ACCOUNT/REGION; may be
                            repeated
      --local               Work on the local engine instead of AWS, starting it when needed
      --endpoint-url <URL>  Send every AWS call to this endpoint
      --var <KEY=VALUE>     Set a variable of the stage, over stackctl.toml; may be repeated
      --json                Print one JSON document, or JSON lines, on standard output
  -y, --yes                 Approve what the command is about to do
      --config <FILE>       Read this file instead of looking for stackctl.toml
  -v, --verbose...          Say more; twice for everything
      --color <WHEN>        When to use colour: auto, always or never

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
  STACKCTL_LOCAL_PORT  the port of the local engine

"#]]
    );
}

#[test]
fn every_verb_has_help() {
    let workspace = Workspace::empty();
    for verb in [
        "synth",
        "graph",
        "deploy",
        "diff",
        "destroy",
        "outputs",
        "status",
        "events",
        "drift",
        "explain",
        "history",
        "invoke",
        "logs",
        "bootstrap",
        "local",
        "doctor",
        "completions",
    ] {
        let outcome = workspace.run([verb, "--help"]);
        assert_eq!(outcome.code, Some(0), "{verb}");
        assert!(outcome.stdout.contains("Usage: stackctl"), "{verb}");
        assert!(
            outcome
                .stdout
                .lines()
                .all(|line| line.chars().count() <= 100),
            "{verb} has long lines"
        );
    }
}

#[test]
fn completions_are_scripts() {
    let workspace = Workspace::empty();
    for (shell, sign) in [
        ("bash", "complete -F _stackctl"),
        ("zsh", "#compdef stackctl"),
        ("fish", "complete -c stackctl"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion"),
    ] {
        let outcome = workspace.run(["completions", shell]);
        assert_eq!(outcome.code, Some(0), "{shell}");
        assert!(outcome.stdout.contains(sign), "{shell}");
        assert_eq!(outcome.stderr, "", "{shell}");
    }
}

#[test]
fn the_version_is_the_packages() {
    let outcome = Workspace::empty().run(["--version"]);
    assert_eq!(
        outcome.stdout,
        format!("stackctl {}\n", env!("CARGO_PKG_VERSION"))
    );
}
