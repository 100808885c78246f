//! Marked secrets in every place where the tool may meet one, and a search of every byte that it writes or sends.

mod fleeting;
mod search;

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use system_tests::account::texts;
use system_tests::poll::{PATIENCE, eventually};
use system_tests::tap::Tap;
use tempfile::TempDir;

use self::search::{CRASHED, HIDDEN, Search, bytes, found, marked};
use crate::fixture::{Fixture, STACK};

#[test]
fn no_secret_is_printed_written_or_sent_where_it_does_not_belong() {
    let resources = json!({
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {
            "DisplayName": "{{resolve:ssm:/slow/plain}}",
        }},
        "Password": {"Type": "AWS::SSM::Parameter", "Properties": {
            "Type": "String", "Value": "{{resolve:secretsmanager:slow:SecretString:password}}",
        }},
    });
    let fixture = Fixture::new(&json!({}));
    fixture.describe_released(3, &resources);
    let account = fixture.sandbox.account();
    let secret = json!({"password": marked("manager")}).to_string();
    account.call(
        "secretsmanager",
        "secretsmanager.CreateSecret",
        &json!({"Name": "slow", "SecretString": secret}),
    );
    for (name, kind) in [("plain", "String"), ("hidden", "SecureString")] {
        account.call(
            "ssm",
            "AmazonSSM.PutParameter",
            &json!({"Name": format!("/slow/{name}"), "Type": kind, "Value": marked(name)}),
        );
    }
    let home = TempDir::with_prefix("stackctl-home-").expect("a directory can be made");
    fs::create_dir_all(home.path().join(".aws")).expect("a directory can be made");
    fs::create_dir(home.path().join("tmp")).expect("a directory can be made");
    fs::create_dir(home.path().join("bin")).expect("a directory can be made");
    let profile = format!(
        "[default]\naws_access_key_id = test\naws_secret_access_key = {}\n",
        marked("profile")
    );
    fs::write(home.path().join(".aws/credentials"), profile).expect("it can be written");
    for shell in ["sh", "bash", "zsh", "dash"] {
        let file = home.path().join("bin").join(shell);
        let trace = home.path().join("shell");
        let script = format!(
            "#!/bin/sh\necho \"$@\" >> {}\nexec /bin/sh \"$@\"\n",
            trace.display()
        );
        fs::write(&file, script).expect("it can be written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let search = Search {
        fixture: &fixture,
        tap: Tap::start(fixture.sandbox.engine().url()),
        home,
        session: fixture.caller("deployer"),
        gone: RefCell::default(),
    };
    assert_eq!(search.secrets().len(), 3, "a key, a token and the marks");
    fixture.open_bucket();
    search.run(0, &["synth", "--json"]);
    search.run(0, &["deploy", "-vv"]);
    search.run(0, &["deploy", "--json"]);
    // A second release, so that there is something to go back to.
    fixture.change_code("two");
    search.run(0, &["deploy", "-vv"]);
    search.run(0, &["rollback", "Worker", "--to", "previous"]);
    search.run(0, &["rollback", "Worker", "--to", "latest", "--json"]);
    let page = search.home.path().join("timeline.html");
    let page = page.to_str().expect("it is text");
    for verb in [
        &["diff"][..],
        &["status"],
        &["outputs"],
        &["events"],
        &["events", "--timeline"],
        &["logs"],
        &["explain"],
        &["history"],
        &["drift"],
        &["rollback"],
        &["prune", "--keep", "1", "--older-than", "0s"],
        &["graph"],
        &["graph", "--diff"],
        &["diff", "--drift"],
    ] {
        search.run(0, verb);
        search.run(0, &[verb, &["--json"]].concat());
    }
    for format in ["markdown", "html"] {
        search.run(0, &["diff", "--format", format]);
    }
    for format in ["svg", "mermaid", "dot", "html"] {
        search.run(0, &["graph", "--format", format]);
    }
    search.run(0, &["events", "--timeline", page]);
    for more in [&[][..], &["--json"]] {
        // The Python that it looks for may be a script for a shell, and is the machine's own.
        let mut command = search.command(&[&["doctor"], more].concat());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        search.end(0, command);
    }
    // Somebody gives the parameter another secret past CloudFormation.
    let arguments = [("StackName", STACK), ("LogicalResourceId", "Password")];
    let resources_of = |action| account.query("cloudformation", "2010-05-15", action, &arguments);
    let name = texts(
        &resources_of("DescribeStackResources"),
        "PhysicalResourceId",
    )
    .concat();
    account.call(
        "ssm",
        "AmazonSSM.PutParameter",
        &json!({"Name": name, "Type": "String", "Overwrite": true, "Value": marked("drifted")}),
    );
    let run = search.run(0, &["drift", "-vv"]);
    assert!(run.stdout.contains("Password"), "{run}");
    search.run(3, &["drift", "--json", "--exit-code"]);
    // The function is none, and what it was sent is nobody's business but its own.
    let payload = json!({"password": marked("payload")}).to_string();
    fixture.write("payload.json", &payload);
    let file = fixture.workspace().join("payload.json");
    let file = file.to_str().expect("it is text");
    search.run(1, &["invoke", "Worker", "--payload-file", file]);
    search.run(1, &["invoke", "Worker", "--payload", &payload, "--json"]);
    fs::remove_file(file).expect("it is there");
    search.run(1, &["invoke", "Worker", "--sample", "sqs"]);
    search.run(0, &["invoke", "Worker", "--sample", "sqs", "--print"]);

    // What is agreed to is kept in a file, and deployed from it; code alone goes past CloudFormation; and what was deployed
    // comes back.
    let plan = search.home.path().join("plan.json");
    let plan = plan.to_str().expect("it is text");
    fixture.describe_released(4, &resources);
    search.run(0, &["diff", "-vv", "--out", plan]);
    search.run(0, &["deploy", "-vv", "--plan", plan]);
    fixture.change_code("three");
    search.run(0, &["deploy", "-vv", "--fast"]);
    search.run(0, &["deploy", "--json", "--fast"]);
    search.run(0, &["deploy"]);
    search.run(0, &["rollback", STACK, "--to", "previous", "-vv"]);
    search.run(0, &["rollback", STACK, "--to", "latest", "--json"]);

    // What fails says more than what succeeds.
    let mut broken = resources.clone();
    broken["Topic"]["Properties"]["DisplayName"] = "{{resolve:ssm:/slow/absent}}".into();
    broken["Broken"] = json!({"Type": "AWS::Lambda::Permission", "Properties": {
        "FunctionName": "nobody", "Action": "lambda:InvokeFunction", "Principal": "x",
    }});
    fixture.describe_released(3, &broken);
    search.run(1, &["deploy", "-vv"]);
    search.run(1, &["deploy", "--json"]);
    search.run(0, &["explain"]);
    search.run(0, &["explain", "--json"]);
    let mut command = search.command(&["status"]);
    command.env("AWS_SESSION_TOKEN", marked("token"));
    search.end(1, command);
    let mut command = search.command(&["deploy", "-vv"]);
    command.env("AWS_SECRET_ACCESS_KEY", marked("key"));
    search.end(1, command);

    // A value that the template hides, and that the sources of the stacks hold.
    for value in ["one", "two"] {
        fixture.describe_released(3, &resources);
        fixture.edit(|template, _| {
            template["Parameters"]["Hidden"] = json!({
                "Type": "String", "NoEcho": true, "Default": format!("{HIDDEN}{value}"),
            });
            template["Resources"]["Named"] = json!({"Type": "AWS::SNS::Topic", "Properties": {
                "DisplayName": {"Fn::Sub": "${Hidden}, which is hidden"},
            }});
        });
        search.run(0, &["diff", "-vv"]);
        search.run(0, &["diff", "--json"]);
        search.run(0, &["diff", "--format", "markdown"]);
        search.run(0, &["deploy", "-vv"]);
        for verb in ["status", "events", "explain", "drift", "history", "outputs"] {
            search.run(0, &[verb, "--json"]);
        }
    }
    // One that the assembly gives besides is refused without a word of it.
    fixture.edit(|_, stack| stack["parameters"] = json!({"Hidden": marked("given")}));
    search.run(1, &["deploy", "-vv"]);
    search.run(1, &["diff", "--json"]);

    // The stacks binary crashes, with what it worked on in its words. These are shown to whoever runs it, as those of any
    // program of theirs, and go nowhere else.
    fixture.describe_released(3, &resources);
    let stacks = fs::read_to_string(fixture.workspace().join("stacks/src/main.rs"));
    let stacks = stacks.expect("it can be read");
    let broken = "fn main() {\n    let password = std::env::var(\"CRASH_WORKED_ON\").expect(\"it is set\");\n    \
                  panic!(\"{password} is no number\");\n}\n";
    fixture.write("stacks/src/main.rs", broken);
    for arguments in [&["deploy", "-vv"][..], &["diff", "--json"]] {
        let mut command = search.command(arguments);
        command.env("CRASH_WORKED_ON", CRASHED);
        let run = search.end(1, command);
        let shown = format!("{}{}", run.stdout, run.stderr);
        assert!(shown.contains(&format!("{CRASHED} is no number")), "{run}");
    }
    fixture.write("stacks/src/main.rs", &stacks);
    search.run(0, &["deploy"]);
    watched(&search);
    search.run(0, &["destroy", "-vv"]);
    search.run(0, &["deploy"]);
    search.run(0, &["destroy", "--json"]);

    // The engine got the template and its references, and never a value; the token says who calls, in its own header.
    let sent = String::from_utf8_lossy(&search.tap.sent()).into_owned();
    let mut tokens = 0;
    let lines = sent.lines().filter(|line| {
        let is_token = line
            .to_ascii_lowercase()
            .starts_with("x-amz-security-token:");
        tokens += usize::from(is_token);
        !is_token
    });
    let rest = lines.collect::<Vec<_>>().join("\n");
    assert!(tokens > 0, "nobody was called");
    for secret in search.secrets().into_iter().chain([CRASHED.to_owned()]) {
        let mut places = found(rest.as_bytes(), &secret);
        // What the function was sent went to the function.
        places.retain(|place| !place.starts_with(&marked("payload")));
        assert_eq!(places, [""; 0]);
    }
    assert!(
        sent.contains("resolve%3Asecretsmanager"),
        "nothing was looked at"
    );

    // What was there for a moment alone was looked at after each run: the templates that are read while stacks are rendered are.
    let gone = search.gone.borrow();
    assert!(
        gone.iter()
            .any(|file| file.to_string_lossy().ends_with(".template.json")),
        "{gone:?}"
    );
    let written = search.written();
    let is_there = |end: &str| {
        written
            .iter()
            .any(|file| file.to_string_lossy().ends_with(end))
    };
    assert!(
        is_there("engine.json") && is_there("engine.log"),
        "{written:?}"
    );
    assert!(
        is_there(".zip") && is_there("timeline.html") && is_there("plan.json"),
        "{written:?}"
    );
    for file in &written {
        let bytes = bytes(file);
        for secret in search.secrets().into_iter().chain([CRASHED.to_owned()]) {
            assert_eq!(found(&bytes, &secret), [""; 0], "{}", file.display());
        }
        assert!(
            !file.ends_with("shell"),
            "a shell was run: {}",
            String::from_utf8_lossy(&bytes)
        );
        assert!(
            !file.starts_with(search.home.path().join("tmp")),
            "{} is left",
            file.display()
        );
    }
}

/// Watches while code changes once.
fn watched(search: &Search<'_>) {
    let command = search.command(&["watch", "-vv"]);
    search.end_of(0, command, |running| {
        let rounds = |number: usize| {
            eventually("a round", PATIENCE * 5, || {
                let said = running.said();
                let ends = said
                    .lines()
                    .filter(|line| line.trim_start().starts_with("ready "));
                (ends.count() >= number).then_some(())
            });
        };
        rounds(1);
        search.fixture.change_code("four");
        rounds(2);
        running.interrupt();
    });
}
