//! Functions that cannot be built. The endpoint is never reached: building comes first.

use std::fs;

use serde_json::json;
use snapbox::str;

use super::workspace::Workspace;

/// A local place that starts no engine.
const DEPLOY: &[&str] = &[
    "deploy",
    "--stage",
    "dev",
    "--endpoint-url",
    "http://127.0.0.1:1",
];

fn deploy_json(workspace: &Workspace) -> super::workspace::Outcome {
    workspace.run(DEPLOY.iter().chain(&["--json"]))
}

#[test]
fn a_function_that_does_not_compile_is_shown() {
    let workspace = Workspace::valid();
    workspace.package("orders", "create", "fn main() { missing(); }\n");
    workspace.assembly_with_function("orders", "create");
    let outcome = workspace.run(DEPLOY);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stdout, "");
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
    synth stacks ..
    synth 1 stack in [TIME]
    build 1 function ..
error[E0425]: cannot find function `missing` in this scope
 --> orders/main.rs:1:13
  |
1 | fn main() { missing(); }
  |             ^^^^^^^ not found in this scope

error: the functions do not build

"#]]
    );
    let error = deploy_json(&workspace).error(1, "build");
    assert_eq!(
        error["causes"],
        json!(["orders/main.rs:1:13: cannot find function `missing` in this scope"])
    );
}

#[test]
fn a_missing_binary_is_named_with_its_resource() {
    let workspace = Workspace::valid();
    workspace.package("orders", "create", "fn main() {}\n");
    workspace.assembly_with_function("orders", "creat");
    let outcome = workspace.run(DEPLOY);
    assert_eq!(outcome.code, Some(1));
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
    synth stacks ..
    synth 1 stack in [TIME]
    build 1 function ..
error: package `orders` has no binary `creat`
  cause: Create in stack orders needs it, declared at stacks/main.rs:12:9
  hint: did you mean `create`?

"#]]
    );
    deploy_json(&workspace).error(1, "build");
}

#[test]
fn a_missing_package_is_named_with_its_resource() {
    let workspace = Workspace::valid();
    workspace.package("orders", "create", "fn main() {}\n");
    workspace.assembly_with_function("odrers", "create");
    let error = deploy_json(&workspace).error(1, "build");
    assert_eq!(error["message"], "the workspace has no package `odrers`");
    assert_eq!(
        error["causes"],
        json!(["Create in stack orders needs it, declared at stacks/main.rs:12:9"])
    );
    assert_eq!(error["hints"], json!(["did you mean `orders`?"]));
}

#[test]
fn functions_are_packed_once_and_reproducibly() {
    let workspace = Workspace::valid();
    workspace.package("orders", "create", "fn main() {}\n");
    workspace.assembly_with_function("orders", "create");
    let archives = || {
        let mut found: Vec<_> = fs::read_dir(workspace.path(".stackctl/artifacts"))
            .expect("lists")
            .flatten()
            .filter(|file| file.path().extension().is_some_and(|end| end == "zip"))
            .map(|file| {
                (
                    file.file_name(),
                    file.metadata()
                        .and_then(|file| file.modified())
                        .expect("has a time"),
                )
            })
            .collect();
        found.sort();
        found
    };
    // Nothing answers at the endpoint, so the run ends after packing.
    deploy_json(&workspace).error(1, "aws");
    let first = archives();
    assert_eq!(first.len(), 1);
    deploy_json(&workspace).error(1, "aws");
    assert_eq!(archives(), first, "an unchanged binary is not packed again");
    fs::remove_dir_all(workspace.path(".stackctl")).expect("removes");
    deploy_json(&workspace).error(1, "aws");
    assert_eq!(
        archives()[0].0,
        first[0].0,
        "the same binary gives the same bytes"
    );
}

#[test]
fn an_archive_that_cannot_be_written_is_told_and_leaves_nothing_partial() {
    let workspace = Workspace::valid();
    workspace.package("orders", "create", "fn main() {}\n");
    workspace.assembly_with_function("orders", "create");
    deploy_json(&workspace).error(1, "aws");
    let artifacts = workspace.path(".stackctl/artifacts");
    fs::remove_dir_all(&artifacts).expect("removes");
    // A file where the directory has to be.
    fs::write(&artifacts, "in the way").expect("writes");
    let error = deploy_json(&workspace).error(1, "io");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|message| message.starts_with("cannot write the artifact of create")),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&artifacts).expect("reads"), "in the way");
}
