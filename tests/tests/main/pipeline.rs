//! `buildspec.yml`, run as CodeBuild runs it: its commands one after the other in one shell, with the variables of the file
//! and of the project, in a home that holds nothing. Only what CodeBuild does itself is missing: it gets the source, keeps
//! the cache, and uploads the artifacts.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;
use system_tests::sandbox::{Run, Running, Sandbox};
use system_tests::support::target_dir;

use crate::{repository, shipped};

/// The order in which CodeBuild runs phases.
const PHASES: [&str; 4] = ["install", "pre_build", "build", "post_build"];

const CONFIG: &str = "[stages.dev]\nregion = \"us-east-1\"\n";

/// Returns the build spec.
fn spec() -> Value {
    let text = fs::read_to_string(repository().join("buildspec.yml")).expect("there is one");
    serde_yaml::from_str(&text).expect("it is YAML")
}

/// Returns the commands of a phase.
fn commands<'a>(spec: &'a Value, phase: &str) -> Vec<&'a str> {
    let commands = spec["phases"][phase]["commands"].as_array();
    let texts = commands.into_iter().flatten();
    texts
        .map(|command| command.as_str().expect("a command is a text"))
        .collect()
}

/// Returns the script that runs commands in one shell and ends with the first that fails.
fn script(commands: &[&str]) -> String {
    let mut script = String::new();
    for (position, command) in commands.iter().enumerate() {
        let _ = write!(
            script,
            "echo '+ command {position}' >&2\n{command}\n\
             code=$?; [ $code = 0 ] || {{ echo '+ command {position} failed' >&2; exit $code; }}\n"
        );
    }
    script
}

/// Makes the shell of a build: the environment is that of a new machine, but for the caches that Cargo and the tool have.
fn shell(sandbox: &Sandbox, spec: &Value, script: &str) -> Command {
    // The file that the shell runs lies in the sandbox, so that nothing is read from standard input.
    let file = sandbox.directory().join("build.sh");
    fs::write(&file, script).expect("the sandbox can be written");
    let mut command = sandbox
        .engine()
        .command(spec["env"]["shell"].as_str().unwrap_or("sh"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO") && !matches!(&*text, "CARGO_HOME" | "CARGO_NET_OFFLINE") {
            command.env_remove(&name);
        }
    }
    let variables = spec["env"]["variables"].as_object().into_iter().flatten();
    for (name, value) in variables {
        command.env(name, value.as_str().expect("a variable is a text"));
    }
    command
        .arg(file)
        .current_dir(repository())
        .env("CARGO_TARGET_DIR", target_dir())
        .env("CODEBUILD_SRC_DIR", repository())
        .stdin(Stdio::null());
    command
}

/// Gives the shell what a project gives its builds: the plain variables of the template that deploys it.
fn as_project(command: &mut Command, system: &str) {
    let golden = format!("stacks/golden/{system}-pipeline.dev.template.json");
    let text = fs::read_to_string(repository().join(golden)).expect("the system has a pipeline");
    let template: Value = serde_json::from_str(&text).expect("a template is JSON");
    let project = &template["Resources"]["Project"]["Properties"];
    let variables = &project["Environment"]["EnvironmentVariables"];
    for variable in variables.as_array().expect("a project has variables") {
        assert_eq!(variable["Type"], "PLAINTEXT", "{variable}");
        let text = |key: &str| variable[key].as_str().expect("it is a text").to_owned();
        command.env(text("Name"), text("Value"));
    }
}

fn local(sandbox: &Sandbox) -> String {
    let config = sandbox.directory().join("stackctl.toml");
    format!("--local --config {}", config.display())
}

fn run(mut command: Command) -> Run {
    command.env("NO_COLOR", "1");
    Running::spawn(command).end()
}

#[test]
fn a_build_tests_shows_and_deploys_a_system() {
    let sandbox = shipped(CONFIG);
    let spec = spec();
    let all: Vec<&str> = PHASES
        .iter()
        .flat_map(|phase| commands(&spec, phase))
        .collect();
    let known = spec["phases"].as_object().expect("there are phases");
    assert!(
        known.keys().all(|phase| PHASES.contains(&phase.as_str())),
        "{known:?}"
    );

    let mut build = shell(&sandbox, &spec, &script(&all));
    as_project(&mut build, "intake");
    build
        .env("STACKCTL_OPTIONS", local(&sandbox))
        .env("STACKCTL_VARIABLES", "intake.table_name=BUILD_TABLE")
        .env("BUILD_TABLE", "built");
    let first = run(build);
    assert_eq!(first.code, Some(0), "{first}");

    // The tests ran, and what they test is what was deployed.
    assert!(
        first.stdout.contains("templates_are_as_the_goldens ... ok"),
        "{first}"
    );
    let changes = sandbox.state_dir().join("changes");
    let read = |name: &str| fs::read_to_string(changes.join(name)).expect("the build left it");
    assert!(read("changes.html").starts_with("<!doctype html>"));
    let shown = read("changes.md");
    assert!(
        shown.contains("intake-dev") && shown.contains("AWS::SQS::Queue"),
        "{shown}"
    );
    let outputs: Value = serde_json::from_str(&read("outputs.json")).expect("it is JSON");
    assert_eq!(outputs["intake-dev"]["TableName"], "built-dev", "{outputs}");
    assert_eq!(sandbox.account().inventory()["tables"], ["built-dev"]);

    // Nobody changed anything: the second build finds nothing to do. The tests need not run again for that.
    let deploys: Vec<&str> = all
        .iter()
        .filter(|command| !command.contains("cargo test"))
        .copied()
        .collect();
    let mut build = shell(&sandbox, &spec, &script(&deploys));
    as_project(&mut build, "intake");
    build
        .env("STACKCTL_OPTIONS", local(&sandbox))
        .env("STACKCTL_VARIABLES", "intake.table_name=BUILD_TABLE")
        .env("BUILD_TABLE", "built");
    let second = run(build);
    assert_eq!(second.code, Some(0), "{second}");
    assert!(!read("changes.md").contains("AWS::SQS::Queue"), "{second}");

    shows_first_and_deploys_what_was_approved(&sandbox, &spec, &deploys);

    // A value that the environment does not hold ends the build before anything is deployed.
    let mut build = shell(&sandbox, &spec, &script(&deploys));
    as_project(&mut build, "intake");
    build
        .env("STACKCTL_OPTIONS", local(&sandbox))
        .env("STACKCTL_VARIABLES", "intake.table_name=ABSENT");
    let third = run(build);
    assert_eq!(third.code, Some(2), "{third}");
    assert!(
        third
            .stderr
            .contains("the environment has no ABSENT for intake.table_name"),
        "{third}"
    );
    assert!(
        !third
            .stderr
            .contains(&format!("+ command {}\n", deploys.len() - 1)),
        "{third}"
    );
}

/// A pipeline with an approval runs the build twice: the first time nothing is deployed, and the second time what the first
/// one showed, or nothing.
fn shows_first_and_deploys_what_was_approved(sandbox: &Sandbox, spec: &Value, commands: &[&str]) {
    let changes = sandbox.state_dir().join("changes");
    let approved = sandbox.directory().join("approved");
    fs::create_dir(&approved).expect("the sandbox can be written");
    let step = |step: &str, table: &str| {
        let mut build = shell(sandbox, spec, &script(commands));
        as_project(&mut build, "intake");
        build
            .env("STACKCTL_OPTIONS", local(sandbox))
            .env("STACKCTL_VARIABLES", "intake.table_name=BUILD_TABLE")
            .env("BUILD_TABLE", table)
            .env("STACKCTL_STEP", step)
            .env("CODEBUILD_SRC_DIR_Changes", &approved);
        run(build)
    };
    let tables = || sandbox.account().inventory()["tables"].clone();
    let show = step("show", "approved");
    assert_eq!(show.code, Some(0), "{show}");
    assert_eq!(tables(), ["built-dev"]);
    fs::copy(changes.join("changes.md"), approved.join("changes.md")).expect("it was shown");

    // What would be deployed is another table than the one that was shown.
    let other = step("deploy", "other");
    assert_eq!(other.code, Some(4), "{other}");
    assert!(
        other.stderr.contains("this is not what was approved"),
        "{other}"
    );
    assert_eq!(tables(), ["built-dev"]);

    let deploy = step("deploy", "approved");
    assert_eq!(deploy.code, Some(0), "{deploy}");
    assert_eq!(tables(), ["approved-dev"]);
}

/// A blank would make an option of what follows it, and a wildcard the names of files.
#[test]
fn values_that_the_shell_would_take_apart_end_a_build() {
    let sandbox = shipped(CONFIG);
    let spec = spec();
    let reads = commands(&spec, "pre_build")
        .into_iter()
        .filter(|command| command.contains("STACKCTL_VARIABLES"));
    let reads: Vec<&str> = reads
        .chain(["echo \"options:$STACKCTL_OPTIONS\""])
        .collect();
    assert_eq!(reads.len(), 2, "{reads:?}");
    let build = |value: &str| {
        let mut build = shell(&sandbox, &spec, &script(&reads));
        build
            .env("STACKCTL_OPTIONS", "--local")
            .env("STACKCTL_VARIABLES", "intake.table_name=BUILD_TABLE")
            .env("BUILD_TABLE", value);
        run(build)
    };
    let good = build("a-table_1.x/y:z=");
    assert_eq!(good.code, Some(0), "{good}");
    assert_eq!(
        good.stdout,
        "options:--local --var intake.table_name=a-table_1.x/y:z=\n"
    );
    for value in [
        "x --endpoint-url http://127.0.0.1:1",
        "*",
        "tab\tle",
        "a?",
        "[ab]",
        "two\nlines",
    ] {
        let bad = build(value);
        assert_eq!(bad.code, Some(2), "{value:?}: {bad}");
        assert_eq!(bad.stdout, "", "{value:?}");
        assert!(
            bad.stderr
                .contains("BUILD_TABLE holds a blank or a wildcard"),
            "{bad}"
        );
    }
}

/// The stacks of the pipelines are stacks like others: they come and go in the local engine.
#[test]
fn pipelines_deploy_where_a_stage_has_them() {
    let config =
        format!("{CONFIG}\n[stages.dev.variables.pipelines]\nrepository = \"example/stackctl\"\n");
    let sandbox = shipped(&config);
    let arguments = ["deploy", "*-pipeline", "--stage", "dev", "--local", "--yes"];
    sandbox.succeed(&arguments);
    let arguments = [
        "outputs",
        "*-pipeline",
        "--stage",
        "dev",
        "--local",
        "--json",
    ];
    let outputs = sandbox.succeed(&arguments).json();
    for system in ["coffee", "intake", "orders", "photos", "visitors"] {
        let name = outputs[format!("{system}-pipeline-dev")]["ProjectName"].as_str();
        assert!(name.is_some_and(|name| !name.is_empty()), "{outputs}");
    }
    // Where people approve, a pipeline runs the project. The engine has no pipelines; all else is there.
    let approved = [
        "deploy",
        "intake-pipeline",
        "--stage",
        "dev",
        "--local",
        "--yes",
        "--var",
        "pipelines.approval=manual",
        "--var",
        "pipelines.connection=arn:aws:codeconnections:us-east-1:123456789012:connection/1",
    ];
    sandbox.succeed(&approved);
    let outputs = sandbox.succeed(&arguments).json();
    let name = &outputs["intake-pipeline-dev"]["PipelineName"];
    assert_eq!(name, "intake-pipeline-dev", "{outputs}");
    sandbox.succeed(&[
        "destroy",
        "*-pipeline",
        "--stage",
        "dev",
        "--local",
        "--yes",
    ]);
    assert_eq!(sandbox.account().inventory()["policies"], [""; 0]);
}
