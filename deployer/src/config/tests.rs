use std::path::Path;

use super::*;

const FULL: &str = r#"
[workspace]
stacks = "my-stacks"
name = "shop"

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
    let request = config.stages[&StageName("prod".into())].environments()[0]
        .request("prod", &config.workspace);
    insta::assert_json_snapshot!(request, @r#"
    {
      "format": 1,
      "stage": {
        "name": "prod",
        "app": "shop",
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
    let dev = &config.stages[&StageName("dev".into())].environments()[0];
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

fn environments(text: &str) -> StageConfig {
    let mut config = parse(&format!("[stages.prod]\n{text}")).expect("is valid");
    config
        .stages
        .remove(&StageName("prod".into()))
        .expect("is there")
}

#[test]
fn regions_are_environments_of_one_account() {
    let stage = environments("region = \"us-east-1\"\nprofile = \"p\"");
    let [only] = stage.environments() else {
        panic!("there is one")
    };
    assert_eq!(
        (only.label.as_deref(), only.key("prod")),
        (None, "prod".to_owned())
    );
    let stage = environments(
        "regions = [\"us-east-1\", \"eu-west-1\"]\naccount = \"111111111111\"\nprofile = \"p\"",
    );
    for (environment, region) in stage.environments().iter().zip(["us-east-1", "eu-west-1"]) {
        assert_eq!(environment.label.as_deref(), Some(region));
        assert_eq!(environment.key("prod"), format!("prod.{region}"));
        let request = environment.request("prod", &Workspace::default()).stage;
        assert_eq!(request.region, region);
        assert_eq!(request.account.as_deref(), Some("111111111111"));
        assert_eq!(environment.profile.as_deref(), Some("p"));
    }
}

#[test]
fn environments_take_from_the_stage_what_they_do_not_say() {
    let stage = environments(
        r#"
        account = "111111111111"
        variables.orders = { mode = "queue", table = { size = 1 } }
        [[stages.prod.environments]]
        region = "us-east-1"
        [[stages.prod.environments]]
        region = "us-east-1"
        account = "222222222222"
        profile = "other"
        variables.orders = { table = { name = "x" } }
        "#,
    );
    let [one, other] = stage.environments() else {
        panic!("there are two")
    };
    assert_eq!(one.label.as_deref(), Some("111111111111/us-east-1"));
    assert_eq!(one.profile, None);
    assert_eq!(other.key("prod"), "prod.222222222222.us-east-1");
    assert_eq!(other.profile.as_deref(), Some("other"));
    assert_eq!(
        Value::Object(other.variables.clone()),
        serde_json::json!({"orders": {"mode": "queue", "table": {"size": 1, "name": "x"}}})
    );
}

#[test]
fn environments_that_nobody_could_tell_apart_are_refused() {
    for (text, expected) in [
        (
            "region = \"us-east-1\"\nregions = [\"us-east-1\"]",
            "write one of `region`, `regions`",
        ),
        ("regions = []", "the stage has no region"),
        (
            "regions = [\"us-east-1\", \"us-east-1\"]",
            "each needs its `account`",
        ),
        (
            "account = \"111111111111\"\nregions = [\"us-east-1\", \"us-east-1\"]",
            "111111111111/us-east-1 is there twice",
        ),
        (
            "environments = [{ account = \"111111111111\" }]",
            "missing field `region`",
        ),
        (
            "region = \"us-east-1\"\nrollout = { waves = [0] }",
            "nonzero",
        ),
        (
            "region = \"us-east-1\"\nrollout = { waves = [] }",
            "`waves` is empty",
        ),
        (
            "region = \"us-east-1\"\nrollout = { wave = [1] }",
            "unknown field `wave`",
        ),
    ] {
        let message = refusal(&format!("[stages.prod]\n{text}\n"));
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn waves_are_one_by_one_unless_they_are_said_to_be_larger() {
    assert_eq!(
        environments("region = \"us-east-1\"")
            .rollout
            .waves(3)
            .len(),
        3
    );
    let stage = environments("region = \"us-east-1\"\nrollout = { waves = [1, 2], failures = 1 }");
    assert_eq!(stage.rollout.waves(5).len(), 3);
}

#[test]
fn what_cannot_be_the_name_of_an_app_is_refused() {
    for (name, is_one) in [
        ("shop", true),
        ("Shop.Front_2-x", true),
        ("2shop", false),
        ("my shop", false),
        ("", false),
    ] {
        let text = format!("[workspace]\nname = \"{name}\"\n");
        match parse(&text) {
            Ok(config) => assert_eq!(config.workspace.name(), is_one.then_some(name)),
            Err(error) => {
                assert!(!is_one, "{error}");
                let message = error.to_string();
                assert!(message.contains("is not the name of an app"), "{message}");
            }
        }
    }
}

#[test]
fn regions_that_nobody_knows_are_odd_wherever_they_stand() {
    let config = parse(
        r#"
        [stages.dev]
        region = "us-esat-1"
        [stages.prod]
        regions = ["eu-west-1", "eu-wset-2"]
        [stages.fleet]
        region = "us-east-1"
        stacksets = { accounts = ["111111111111"], regions = ["us-eats-2"] }
        "#,
    )
    .expect("odd, and valid");
    let known = "is no region that stackctl knows: did you mean";
    assert_eq!(
        Vec::from_iter(config.oddities()),
        [
            format!("`eu-wset-2` {known} `eu-west-2`?"),
            format!("`us-eats-2` {known} `us-east-2`?"),
            format!("`us-esat-1` {known} `us-east-1`?"),
        ]
    );
}
