//! `synth`: what the stacks package may do wrong, and what comes out when it does not.

use std::fs;

use serde_json::json;
use snapbox::str;

use super::workspace::Workspace;

const SYNTH: &[&str] = &["synth", "--stage", "dev"];

#[test]
fn an_assembly_is_written_with_its_contract_files() {
    let workspace = Workspace::valid();
    let outcome = workspace.run([
        "synth", "--stage", "dev", "--out", "out", "--format", "yaml",
    ]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stdout, "");
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
    synth stacks ..
    synth 1 stack in [TIME]
  written [ROOT]/out

"#]]
    );
    let mut files: Vec<_> = fs::read_dir(workspace.path("out"))
        .expect("lists")
        .flatten()
        .map(|file| file.file_name())
        .collect();
    files.sort();
    assert_eq!(
        files,
        [
            "manifest.json",
            "orders-dev.template.json",
            "orders-dev.template.yaml"
        ]
    );
    let written = fs::read(workspace.path("out/orders-dev.template.json")).expect("reads");
    let made = fs::read(workspace.path("assembly/orders-dev.template.json")).expect("reads");
    assert_eq!(written, made);
    let mut left: Vec<_> = fs::read_dir(workspace.path(".stackctl"))
        .expect("lists")
        .flatten()
        .map(|file| file.file_name())
        .collect();
    left.sort();
    assert_eq!(
        left,
        [".gitignore", "assemblies", "scratch.lock"],
        "nothing temporary stays"
    );
}

#[test]
fn templates_are_printed_without_a_directory() {
    let workspace = Workspace::valid();
    let outcome = workspace.run(SYNTH);
    assert_eq!(
        outcome.json(),
        json!({"orders-dev": {
            "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 5}}},
            "Outputs": {"QueueUrl": {"Value": {"Ref": "Queue"}}},
        }})
    );
    let outcome = workspace.run(["synth", "--stage", "dev", "--format", "yaml"]);
    snapbox::assert_data_eq!(
        outcome.stdout,
        str![[r#"
---
# orders-dev
Outputs:
  QueueUrl:
    Value:
      Ref: Queue
Resources:
  Queue:
    Properties:
      DelaySeconds: 5
    Type: AWS::SQS::Queue

"#]]
    );
}

#[test]
fn errors_of_the_compiler_are_shown_as_it_wrote_them() {
    let workspace = Workspace::with_stacks("fn main() {\n    let x: u32 = \"one\";\n}\n");
    let outcome = workspace.run(SYNTH);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stdout, "");
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
    synth stacks ..
error[E0308]: mismatched types
 --> stacks/main.rs:2:18
  |
2 |     let x: u32 = "one";
  |            ---   ^^^^^ expected `u32`, found `&str`
  |            |
  |            expected due to this

error: the stacks package `stacks` does not build

"#]]
    );
    let error = workspace
        .run(["synth", "--stage", "dev", "--json"])
        .error(1, "build");
    assert_eq!(
        error["causes"],
        json!(["stacks/main.rs:2:18: mismatched types"])
    );
}

#[test]
fn a_panic_is_shown_with_its_place() {
    let workspace = Workspace::with_stacks("fn main() {\n    panic!(\"no such table\");\n}\n");
    let error = workspace
        .run(["synth", "--stage", "dev", "--json"])
        .error(1, "synth");
    assert_eq!(error["message"], "the stacks package `stacks` panicked");
    assert_eq!(
        error["causes"],
        json!(["stacks/main.rs:2:5: no such table"])
    );
}

#[test]
fn garbage_never_reaches_standard_output() {
    let workspace = Workspace::with_stacks("fn main() {\n    println!(\"hello\");\n}\n");
    let outcome = workspace.run(SYNTH);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stdout, "");
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
    synth stacks ..
hello

error: the stacks package `stacks` left no valid assembly
  cause: it wrote no manifest.json
  hint: its main function must return `stack_model::main(..)`

"#]]
    );
}

#[test]
fn a_failure_without_a_reason_is_told() {
    let workspace = Workspace::with_stacks(
        "fn main() {\n    eprintln!(\"something\");\n    std::process::exit(3);\n}\n",
    );
    let outcome = workspace.run(SYNTH);
    assert_eq!(outcome.code, Some(1));
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
    synth stacks ..
something

error: the stacks package `stacks` ended with exit status: 3 and no reason
  hint: its main function must return `stack_model::main(..)`

"#]]
    );
}

#[test]
fn what_a_stack_prints_goes_to_standard_error() {
    let workspace = Workspace::valid();
    let source = fs::read_to_string(workspace.path("stacks/main.rs")).expect("reads");
    workspace.write(
        "stacks/main.rs",
        &source.replace(
            "fn main() {",
            "fn main() {\n    println!(\"to out\");\n    eprintln!(\"to err\");",
        ),
    );
    let outcome = workspace.run(SYNTH);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    outcome.json();
    assert!(outcome.stderr.contains("to out\nto err\n"), "{outcome:?}");
}

#[test]
fn violations_are_all_shown_with_their_source() {
    let workspace = Workspace::with_stacks(
        r#"fn main() {
    let out = std::env::args().nth(3).unwrap();
    std::fs::copy("failure.json", format!("{out}/failure.json")).unwrap();
    std::process::exit(1);
}
"#,
    );
    workspace.write(
        "failure.json",
        &json!({"violations": [
            {"stack": "orders", "logical_id": "Queue", "property": "Properties.DelaySeconds",
             "source": "stacks/main.rs:2:9", "message": "1000 is more than the limit of 900"},
            {"message": "the stacks depend on each other"},
        ]})
        .to_string(),
    );
    let outcome = workspace.run(SYNTH);
    assert_eq!(outcome.code, Some(1));
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
    synth stacks ..
error: orders/Queue/Properties.DelaySeconds: 1000 is more than the limit of 900
 --> stacks/main.rs:2:9
  |
2 |     let out = std::env::args().nth(3).unwrap();
  |

error: the stacks depend on each other

error: the stacks have 2 violations

"#]]
    );
    let error = workspace
        .run(["synth", "--stage", "dev", "--json"])
        .error(1, "synth");
    assert_eq!(
        error["causes"],
        json!([
            "orders/Queue/Properties.DelaySeconds: 1000 is more than the limit of 900 (stacks/main.rs:2:9)",
            "the stacks depend on each other",
        ])
    );
}

#[test]
fn a_broken_manifest_is_told() {
    let workspace = Workspace::valid();
    for (text, expected) in [
        ("{", "EOF while parsing an object at line 1 column 1"),
        (
            "{\"format\": 7}",
            "the assembly has format 7, this stackctl reads format 1",
        ),
        ("[]", "invalid type: map, expected u64"),
    ] {
        workspace.write("assembly/manifest.json", text);
        let error = workspace
            .run(["synth", "--stage", "dev", "--json"])
            .error(1, "assembly");
        let causes = error["causes"].to_string();
        assert!(
            causes.contains(expected) || text == "[]",
            "{expected}: {causes}"
        );
    }
    workspace.assembly(|_, manifest| manifest["stage"] = "prod".into());
    let error = workspace
        .run(["synth", "--stage", "dev", "--json"])
        .error(1, "assembly");
    assert_eq!(
        error["message"],
        "the stacks package `stacks` rendered stage `prod` where `dev` was asked for"
    );
    workspace.assembly(|_, manifest| manifest["stacks"][0]["template"] = "../../x.json".into());
    workspace
        .run(["synth", "--stage", "dev", "--json"])
        .error(1, "assembly");
}

#[test]
fn a_missing_stacks_package_is_told() {
    let workspace = Workspace::empty();
    workspace.package("stakcs", "stakcs", "fn main() {}\n");
    let outcome = workspace.run(SYNTH);
    assert_eq!(outcome.code, Some(2));
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
    synth stacks ..
error: the workspace has no package `stacks`, which stackctl.toml names as the stacks package
  hint: did you mean `stakcs`?
  hint: set `stacks` under `[workspace]` in stackctl.toml

"#]]
    );
}

#[test]
fn a_stacks_package_without_a_binary_is_told() {
    let workspace = Workspace::empty();
    workspace.package("stacks", "stacks", "");
    workspace.write(
        "stacks/Cargo.toml",
        "[package]\nname = \"stacks\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\npath = \"main.rs\"\n",
    );
    let error = workspace
        .run(["synth", "--stage", "dev", "--json"])
        .error(1, "synth");
    assert_eq!(
        error["message"],
        "the stacks package `stacks` has no binary"
    );
}

#[test]
fn a_broken_cargo_manifest_is_told() {
    let workspace = Workspace::valid();
    workspace.write("stacks/Cargo.toml", "[package\n");
    let outcome = workspace.run(SYNTH);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("stacks/Cargo.toml"), "{outcome:?}");
    assert!(outcome.stderr.contains("does not build"), "{outcome:?}");
}

#[test]
fn the_request_carries_the_stage() {
    let workspace = Workspace::with_stacks(
        r#"use std::io::Read;
fn main() {
    let mut request = String::new();
    std::io::stdin().read_to_string(&mut request).unwrap();
    std::fs::write("request.json", request).unwrap();
}
"#,
    );
    workspace.write(
        "stackctl.toml",
        "[stages.dev]\nregion = \"us-east-1\"\naccount = \"123456789012\"\n[stages.dev.variables.orders]\nlimit = 5\n",
    );
    workspace.run(SYNTH);
    let request = fs::read_to_string(workspace.path("request.json")).expect("was written");
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&request).expect("is JSON"),
        json!({"format": 1, "stage": {
            "name": "dev", "region": "us-east-1", "account": "123456789012", "protected": false,
            "architecture": "arm64", "variables": {"orders": {"limit": 5}},
        }})
    );
}

#[test]
fn whoever_looks_waits_for_no_build_and_hears_how_old_the_stacks_are() {
    let workspace = Workspace::valid();
    let look = |verb: &[&str]| {
        let mut command = workspace.command([verb, &["--stage", "dev", "--json"]].concat());
        command.env("CARGO", "/nowhere/cargo");
        workspace.finish(command)
    };
    // Without a synth there is nothing to take the stacks from.
    look(&["status"]).error(1, "build");
    workspace.run(["synth", "--stage", "dev"]);
    // There are no credentials, and that they are missed shows that the stacks are known.
    for verb in [
        &["status"][..],
        &["events"],
        &["outputs"],
        &["logs"],
        &["invoke", "Create"],
    ] {
        let outcome = look(verb);
        let error = outcome.error(1, "credentials");
        assert_eq!(error["message"], "no AWS credentials were found");
        assert_eq!(error["causes"], serde_json::json!([]));
        assert!(!outcome.stderr.contains("last synth"), "{outcome:?}");
    }
    // What was not rendered is in no source, as long as none has changed since.
    look(&["status", "added"]).error(2, "usage");
    // Other variables may be other stacks, whoever asked for them, and so may other settings of the stage.
    let direct = ["--var", "orders.mode=direct"];
    look(&["status", direct[0], direct[1]]).error(1, "build");
    workspace.run(["synth", "--stage", "dev", direct[0], direct[1]]);
    look(&["status"]).error(1, "build");
    look(&["status", direct[0], direct[1]]).error(1, "credentials");
    workspace.run(["synth", "--stage", "dev"]);
    look(&["status"]).error(1, "credentials");
    let settings = fs::read_to_string(workspace.path("stackctl.toml")).expect("reads");
    let elsewhere = format!("{settings}\n[stages.dev.variables.orders]\nlimit = 5\n");
    workspace.write("stackctl.toml", &elsewhere);
    look(&["status"]).error(1, "build");
    workspace.write("stackctl.toml", &settings);
    workspace.write("stacks/main.rs", "fn main() { nothing() }\n");
    let outcome = look(&["status"]);
    outcome.error(1, "credentials");
    assert!(
        outcome
            .stderr
            .contains("stacks/main.rs has changed since the last synth, of 2"),
        "{outcome:?}"
    );
}

#[test]
fn stacks_that_do_not_compile_can_still_be_removed() {
    let workspace = Workspace::valid();
    workspace.run(["synth", "--stage", "dev"]);
    workspace.write("stacks/main.rs", "fn main() { nothing() }\n");
    let outcome = workspace.run([
        "destroy",
        "--stage",
        "dev",
        "--endpoint-url",
        "http://127.0.0.1:1",
        "--json",
    ]);
    // Nothing answers at the endpoint, so the failure to connect shows that the stacks are known.
    outcome.error(1, "aws");
    assert!(
        outcome
            .stderr
            .contains("the stacks are taken from their last synth, of 2"),
        "{outcome:?}"
    );
    assert!(!outcome.stderr.contains("with other"), "{outcome:?}");
    let outcome = workspace.run([
        "destroy",
        "--stage",
        "dev",
        "--endpoint-url",
        "http://127.0.0.1:1",
        "--json",
        "--var",
        "orders.mode=direct",
    ]);
    outcome.error(1, "aws");
    let told = "UTC, with other variables or settings of the stage";
    assert!(outcome.stderr.contains(told), "{outcome:?}");
    // What changes stacks never takes old ones.
    let deploy = [
        "deploy",
        "--stage",
        "dev",
        "--endpoint-url",
        "http://127.0.0.1:1",
        "--json",
    ];
    workspace.run(deploy).error(1, "build");
    // Another stage was never rendered.
    let other = [
        "status",
        "--stage",
        "prod",
        "--endpoint-url",
        "http://127.0.0.1:1",
        "--json",
    ];
    workspace.run(other).error(1, "build");
}
