//! How errors look: colours, streams, and a reader that leaves.

use std::process::Stdio;

use super::workspace::Workspace;

fn stderr_with(color: Option<&str>, variable: Option<(&str, &str)>) -> String {
    let workspace = Workspace::empty();
    let mut command = workspace.command(["synth", "--stage", "none"]);
    if let Some(color) = color {
        command.args(["--color", color]);
    }
    if let Some((name, value)) = variable {
        command.env(name, value);
    }
    let outcome = workspace.finish(command);
    assert_eq!(outcome.code, Some(2));
    outcome.stderr
}

#[test]
fn colours_follow_the_usual_rules() {
    assert!(
        !stderr_with(None, None).contains('\u{1b}'),
        "a pipe has none"
    );
    assert!(stderr_with(Some("always"), None).contains('\u{1b}'));
    assert!(stderr_with(None, Some(("CLICOLOR_FORCE", "1"))).contains('\u{1b}'));
    assert!(!stderr_with(None, Some(("NO_COLOR", "1"))).contains('\u{1b}'));
    assert!(!stderr_with(Some("never"), Some(("CLICOLOR_FORCE", "1"))).contains('\u{1b}'));
}

#[test]
fn under_json_people_and_scripts_are_both_told() {
    let outcome = Workspace::empty().run(["synth", "--stage", "none", "--json"]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("error: there is no stage `none`"));
    let error = outcome.error(2, "configuration");
    assert_eq!(error["causes"], serde_json::json!([]));
    assert_eq!(outcome.stdout.lines().count(), 1);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let workspace = Workspace::empty();
    let mut command = workspace.command(["completions", "bash"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_an_error() {
    let workspace = Workspace::empty();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("opens");
    let output = workspace
        .command(["completions", "bash"])
        .stdout(full)
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("cannot write to standard output"), "{text}");
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let workspace = Workspace::valid();
    let mut command = workspace.command([
        "destroy",
        "--stage",
        "prod",
        "--endpoint-url",
        "http://192.0.2.1:9",
        "--json",
    ]);
    command.env("AWS_MAX_ATTEMPTS", "1");
    workspace.assembly(|_, manifest| manifest["stage"] = "prod".into());
    command.env("AWS_ACCESS_KEY_ID", "test");
    command.env("AWS_SECRET_ACCESS_KEY", "test");
    // A protected stage is refused before AWS is called.
    let outcome = workspace.finish(command);
    let error = outcome.error(4, "refused");
    assert_eq!(error["message"], "stage `prod` is protected");
}
