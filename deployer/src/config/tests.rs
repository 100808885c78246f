use std::path::Path;

use super::*;

const FULL: &str = r#"
[workspace]
stacks = "my-stacks"

[stages.dev]
region = "us-east-1"

[stages.dev.variables.intake]
mode = "queue"
limit = 5
ratio = 0.5
since = 2024-01-02
tags = ["a", "b"]
nested = { on = true }

[stages.prod]
region = "us-gov-west-1"
account = "123456789012"
permissions_boundary = "team/boundary"
profile = "prod"
protected = true
architecture = "x86_64"
"#;

fn parse(text: &str) -> Result<Config> {
    Config::parse(text, Path::new("stackctl.toml"))
}

fn refusal(text: &str) -> String {
    parse(text).expect_err("must be refused").to_string()
}

#[test]
fn a_full_file_is_read() {
    let config = parse(FULL).expect("is valid");
    assert_eq!(config.workspace.stacks, "my-stacks");
    let names: Vec<_> = config.stages.keys().map(StageName::as_str).collect();
    assert_eq!(names, ["dev", "prod"]);
    let request = config.stages[&StageName("prod".into())].request("prod");
    insta::assert_json_snapshot!(request, @r#"
    {
      "format": 1,
      "stage": {
        "name": "prod",
        "region": "us-gov-west-1",
        "account": "123456789012",
        "protected": true,
        "permissions_boundary": "team/boundary",
        "architecture": "x86_64",
        "variables": {}
      }
    }
    "#);
}

#[test]
fn variables_become_json() {
    let config = parse(FULL).expect("is valid");
    let dev = &config.stages[&StageName("dev".into())];
    assert_eq!(
        Value::Object(dev.variables.clone()),
        serde_json::json!({"intake": {
            "mode": "queue", "limit": 5, "ratio": 0.5, "since": "2024-01-02",
            "tags": ["a", "b"], "nested": {"on": true},
        }})
    );
}

#[test]
fn unknown_keys_are_shown_where_they_stand() {
    let text = "[stages.dev]\nregion = \"us-east-1\"\nregoin = \"x\"\n";
    let message = refusal(text);
    assert!(message.contains("unknown field `regoin`"), "{message}");
    assert!(message.contains("line 3, column 1"), "{message}");
    assert!(message.contains("^^^^^^"), "{message}");
}

#[test]
fn wrong_values_are_shown_where_they_stand() {
    for (text, expected, place) in [
        (
            "[stages.dev]\nregion = \"virginia\"\n",
            "`virginia` is not the name of an AWS region",
            "line 2, column 10",
        ),
        (
            "[stages.dev]\nregion = \"us-east-1\"\naccount = \"1234\"\n",
            "`1234` is not the number of an AWS account",
            "line 3, column 11",
        ),
        (
            "[stages.Dev]\nregion = \"us-east-1\"\n",
            "`Dev` is not the name of a stage",
            "line 1, column 9",
        ),
        (
            "[stages.dev]\nregion = \"us-east-1\"\nvariables.a.x = inf\n",
            "`a.x` is inf",
            "line 3",
        ),
        ("[stages.dev]\n", "missing field `region`", "line 1"),
        ("[stages", "", "line 1"),
    ] {
        let message = refusal(text);
        assert!(message.contains(expected), "{message}");
        assert!(message.contains(place), "{message}");
    }
}

#[test]
fn names_are_checked() {
    for good in ["dev", "prod-2", "a"] {
        assert!(is_stage_name(good), "{good}");
    }
    for bad in [
        "",
        "-a",
        "a-",
        "a--b",
        "2a",
        "a_b",
        "ä",
        "abcdefghijklmnopqrstuvwxyz0123456",
    ] {
        assert!(!is_stage_name(bad), "{bad}");
    }
    for good in [
        "us-east-1",
        "us-gov-west-1",
        "eu-isoe-west-1",
        "il-central-1",
    ] {
        assert!(is_region(good), "{good}");
    }
    for bad in [
        "",
        "us",
        "us-1",
        "us-east",
        "us-east-",
        "US-EAST-1",
        "-east-1",
    ] {
        assert!(!is_region(bad), "{bad}");
    }
}

#[test]
fn the_file_is_found_in_an_ancestor() {
    let root = tempfile::tempdir().expect("a directory");
    let deep = root.path().join("a/b");
    std::fs::create_dir_all(&deep).expect("directories");
    std::fs::write(
        root.path().join(FILE_NAME),
        "[stages.dev]\nregion = \"us-east-1\"\n",
    )
    .expect("a file");
    let project = Project::load(&deep, None).expect("is found");
    assert_eq!(project.root, root.path());
    assert_eq!(project.config.workspace.stacks, "stacks");
    let error = project.stage("devv").expect_err("is unknown");
    assert_eq!(error.kind(), Kind::Configuration);
    assert_eq!(error.hints(), ["did you mean `--stage dev`?"]);
}

#[test]
fn an_explicit_file_leaves_the_root_to_cargo() {
    let root = tempfile::tempdir().expect("a directory");
    let member = root.path().join("member");
    std::fs::create_dir_all(&member).expect("a directory");
    std::fs::write(root.path().join("Cargo.toml"), "[workspace]\n").expect("a file");
    std::fs::write(member.join("Cargo.toml"), "[package]\nname = \"m\"\n").expect("a file");
    std::fs::write(
        member.join("other.toml"),
        "[stages.dev]\nregion = \"us-east-1\"\n",
    )
    .expect("a file");
    let project = Project::load(&member, Some(Path::new("other.toml"))).expect("is read");
    assert_eq!(project.root, root.path());
    assert_eq!(project.file, member.join("other.toml"));
}

#[test]
fn a_missing_file_is_a_configuration_error() {
    let root = tempfile::tempdir().expect("a directory");
    std::fs::write(root.path().join("Cargo.toml"), "[workspace]\n").expect("a file");
    let error = Project::load(root.path(), Some(Path::new("none.toml"))).expect_err("is missing");
    assert_eq!(error.kind().exit_code(), 2);
    assert_eq!(error.causes().len(), 1);
}
