//! Killed before the first request: nobody cleans up after the stacks binary, the build and the files of the run.

use std::fs;

use serde_json::json;

use crate::fixture::Fixture;

const DEPLOY: [&str; 4] = ["deploy", "--stage", "dev", "--local"];

/// Returns the temporary files and directories of the tool in its state directory.
fn leftovers(fixture: &Fixture) -> Vec<String> {
    let state = fixture.sandbox.state_dir();
    [
        state.clone(),
        state.join("artifacts"),
        state.join("assemblies/dev"),
    ]
    .iter()
    .flat_map(fs::read_dir)
    .flatten()
    .map(|entry| {
        let entry = entry.expect("a directory can be listed");
        entry.file_name().to_string_lossy().into_owned()
    })
    .filter(|name| {
        name.starts_with("synth-")
            || name.starts_with(".stackctl-")
            || name.starts_with(".packing-")
    })
    .collect()
}

#[test]
fn a_run_that_was_killed_before_its_first_request_is_cleaned_up_by_the_next() {
    let fixture = Fixture::new(&json!({}));
    let held = fixture.hold_synth();
    let running = fixture.sandbox.spawn(&DEPLOY);
    held.reached();
    running.signal("KILL");
    assert_eq!(running.end_soon().code, None);
    held.release();
    let left = leftovers(&fixture);
    assert!(
        left.iter().any(|name| name.starts_with("synth-")),
        "{left:?}"
    );

    let held = fixture.hold_build("2");
    let running = fixture.sandbox.spawn(&DEPLOY);
    held.reached();
    assert_eq!(leftovers(&fixture), Vec::<String>::new());
    running.signal("KILL");
    assert_eq!(running.end_soon().code, None);
    held.release();
    assert_eq!(fixture.status(), None);

    fixture.sandbox.succeed(&DEPLOY);
    assert_eq!(leftovers(&fixture), Vec::<String>::new());
    assert_eq!(fixture.status().as_deref(), Some("CREATE_COMPLETE"));
}
