//! Two runs at once.

use std::fs::{self, File};

use snapbox::str;

use super::workspace::Workspace;

#[test]
fn a_second_run_on_a_stage_is_told_who_has_it() {
    let workspace = Workspace::valid();
    fs::create_dir_all(workspace.path(".stackctl/locks")).expect("a directory");
    let path = workspace.path(".stackctl/locks/dev.local.lock");
    fs::write(&path, "process 4242 since 2024-01-02 03:04:05 UTC\n").expect("writes");
    let held = File::open(&path).expect("opens");
    held.lock().expect("locks");
    let deploy = [
        "deploy",
        "--stage",
        "dev",
        "--endpoint-url",
        "http://127.0.0.1:1",
    ];
    let outcome = workspace.run(deploy);
    assert_eq!(outcome.code, Some(1));
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
error: another run is working on stage `dev`
  cause: it is process 4242 since 2024-01-02 03:04:05 UTC
  hint: wait until it is done, and run this command again

"#]]
    );
    workspace
        .run(deploy.iter().chain(&["--json"]))
        .error(1, "locked");
    // Whoever only looks waits for nobody.
    let drift = [
        "drift",
        "--stage",
        "dev",
        "--endpoint-url",
        "http://127.0.0.1:1",
        "--json",
    ];
    workspace
        .run(drift.iter().chain(&["--revert"]))
        .error(1, "locked");
    workspace.run(drift).error(1, "aws");
    drop(held);
    // Nothing answers at the endpoint, so getting that far shows that the stage is free.
    workspace
        .run(deploy.iter().chain(&["--json"]))
        .error(1, "aws");
}
