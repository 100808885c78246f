//! Wrong usage and wrong configuration: exit code 2, and nothing is built.

use std::fs;

use snapbox::str;

use super::workspace::Workspace;

#[test]
fn unknown_options_and_verbs_are_usage_errors() {
    let workspace = Workspace::empty();
    for arguments in [
        &["deplyo"][..],
        &["deploy", "--stag", "dev"],
        &[],
        &["logs", "--since", "soon"],
        &["deploy", "--local", "--endpoint-url", "http://127.0.0.1:1"],
    ] {
        let outcome = workspace.run(arguments);
        assert_eq!(outcome.code, Some(2), "{arguments:?}");
        assert_eq!(outcome.stdout, "", "{arguments:?}");
        assert!(outcome.stderr.contains("Usage:") || outcome.stderr.contains("error:"));
    }
}

#[test]
fn usage_errors_are_json_on_request() {
    let error = Workspace::empty()
        .run(["deplyo", "--json"])
        .error(2, "usage");
    assert_eq!(error["message"], "unrecognized subcommand 'deplyo'");
}

#[test]
fn a_missing_file_is_told() {
    let workspace = Workspace::empty();
    fs::remove_file(workspace.path("stackctl.toml")).expect("removes");
    let outcome = workspace.run(["synth", "--stage", "dev"]);
    assert_eq!(outcome.code, Some(2));
    assert_eq!(outcome.stdout, "");
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
error: there is no stackctl.toml in [ROOT] or above it
  hint: change to the workspace, or name the file with `--config FILE`

"#]]
    );
}

#[test]
fn mistakes_are_shown_in_their_line() {
    let workspace = Workspace::empty();
    workspace.write(
        "stackctl.toml",
        "[stages.dev]\nregion = \"us-east-1\"\nprotect = true\n",
    );
    let outcome = workspace.run(["synth", "--stage", "dev"]);
    assert_eq!(outcome.code, Some(2));
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
error: [ROOT]/stackctl.toml is not valid
  cause:
    TOML parse error at line 3, column 1
      |
    3 | protect = true
      | ^^^^^^^
    unknown field `protect`, expected one of `region`, `regions`, `environments`, `account`, `profile`, `protected`, `permissions_boundary`, `architecture`, `variables`, `rollout`, `stacksets`

"#]]
    );
}

#[test]
fn a_stage_must_be_named_and_known() {
    let workspace = Workspace::empty();
    let outcome = workspace.run(["synth"]);
    assert_eq!(outcome.code, Some(2));
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
error: no stage is given
  hint: name one with `--stage NAME`, or set STACKCTL_STAGE
  hint: the stages are `dev` and `prod`

"#]]
    );
    let outcome = workspace.run(["synth", "--stage", "pord"]);
    assert_eq!(outcome.code, Some(2));
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
error: there is no stage `pord` in [ROOT]/stackctl.toml
  hint: did you mean `--stage prod`?

"#]]
    );
    let error = workspace
        .run(["synth", "--stage", "pord", "--json"])
        .error(2, "configuration");
    assert_eq!(error["hints"][0], "did you mean `--stage prod`?");
}

#[test]
fn the_stage_may_come_from_the_environment() {
    let workspace = Workspace::valid();
    let mut command = workspace.command(["synth"]);
    command.env("STACKCTL_STAGE", "dev");
    let outcome = workspace.finish(command);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}

#[test]
fn another_file_can_be_named() {
    let workspace = Workspace::valid();
    fs::rename(
        workspace.path("stackctl.toml"),
        workspace.path("other.toml"),
    )
    .expect("moves");
    let outcome = workspace.run(["synth", "--stage", "dev", "--config", "other.toml"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let outcome = workspace.run(["synth", "--stage", "dev", "--config", "none.toml"]);
    assert_eq!(outcome.code, Some(2));
}

#[test]
fn unknown_stacks_are_refused_with_the_nearest_name() {
    let workspace = Workspace::valid();
    let outcome = workspace.run(["synth", "--stage", "dev", "ordres"]);
    assert_eq!(outcome.code, Some(2));
    assert_eq!(outcome.stdout, "");
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
    synth stacks ..
    synth 1 stack in [TIME]
error: no stack is called `ordres`
  hint: did you mean `orders`?
  hint: the stacks are `orders`

"#]]
    );
}

#[test]
fn a_variable_of_the_command_line_is_checked_before_anything_is_read() {
    let outcome = Workspace::empty().run(["synth", "--stage", "dev", "--var", "mode"]);
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.stderr.contains("`mode` is not KEY=VALUE"),
        "{outcome:?}"
    );
}
