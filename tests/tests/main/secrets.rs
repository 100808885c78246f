//! Marked secrets in every place where the tool may meet one, and a search of every byte that it writes or sends.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use system_tests::account::{Account, texts};
use system_tests::sandbox::{Run, Running};
use system_tests::tap::Tap;
use tempfile::TempDir;

use crate::fixture::{Fixture, STACK};

/// What stands for a secret. Each begins in the same way, so that one search finds all, and ends with its place.
const MARK: &str = "MARKED5ECRET";

/// What stands for a value that the sources hold in plain text and a template hides: it is sent and written with the
/// template, and shown to nobody.
const HIDDEN: &str = "H1DDENVALUE";

fn marked(place: &str) -> String {
    format!("{MARK}{place}")
}

/// Returns what stands in some bytes of what is looked for, with what follows each.
fn found(bytes: &[u8], wanted: &str) -> Vec<String> {
    bytes
        .windows(wanted.len())
        .enumerate()
        .filter(|(_, window)| *window == wanted.as_bytes())
        .map(|(at, _)| {
            let rest = bytes.get(at..).unwrap_or_default();
            String::from_utf8_lossy(rest.get(..40).unwrap_or(rest)).into_owned()
        })
        .collect()
}

fn files(directory: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("it can be listed") {
        let path = entry.expect("it can be listed").path();
        let kind = fs::symlink_metadata(&path).expect("it is there");
        if kind.is_dir() {
            files(&path, all);
        } else if kind.is_file() {
            all.push(path);
        }
    }
}

/// Returns the bytes of a file, and those of the files in it where it is an archive.
fn bytes(file: &Path) -> Vec<u8> {
    let mut bytes = fs::read(file).expect("it can be read");
    if file.extension().is_some_and(|extension| extension == "zip") {
        let archive = fs::File::open(file).expect("it can be read");
        let mut archive = zip::ZipArchive::new(archive).expect("it is whole");
        assert!(!archive.is_empty(), "{} holds nothing", file.display());
        for at in 0..archive.len() {
            let mut entry = archive.by_index(at).expect("it is whole");
            entry.read_to_end(&mut bytes).expect("it is whole");
        }
    }
    bytes
}

struct Search<'a> {
    fixture: &'a Fixture,
    tap: Tap,
    home: TempDir,
    /// A session of a role: a key with its secret, and a token.
    session: Account,
}

impl Search<'_> {
    /// Makes a command with all secrets around it.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.fixture.sandbox.command(arguments);
        command
            .args(["--stage", "dev", "--endpoint-url", &self.tap.url()])
            .env("HOME", self.home.path())
            .env("TMPDIR", self.home.path().join("tmp"))
            .envs(self.session.environment())
            .env("DATABASE_PASSWORD", marked("variable"))
            .env("RUST_BACKTRACE", "full")
            // Whoever looks a shell up finds this one, which leaves a trace.
            .env("PATH", self.path());
        command
    }

    /// Runs a command with all secrets around it, and searches what it printed.
    #[track_caller]
    fn run(&self, code: i32, arguments: &[&str]) -> Run {
        self.end(code, self.command(arguments))
    }

    #[track_caller]
    fn end(&self, code: i32, command: Command) -> Run {
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let run = Running::spawn(command).end();
        assert_eq!(run.code, Some(code), "{arguments:?}: {run}");
        let printed = [run.stdout.as_bytes(), run.stderr.as_bytes()].concat();
        for wanted in self.secrets().into_iter().chain([HIDDEN.to_owned()]) {
            assert_eq!(found(&printed, &wanted), [""; 0], "{arguments:?}: {run}");
        }
        run
    }

    /// Returns what must not be found anywhere.
    fn secrets(&self) -> Vec<String> {
        let variables = self.session.environment().into_iter();
        variables
            .filter(|(name, _)| *name != "AWS_ACCESS_KEY_ID")
            .map(|(_, value)| value)
            .chain([MARK.to_owned()])
            .collect()
    }

    fn path(&self) -> std::ffi::OsString {
        let own = self.home.path().join("bin");
        let others = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(own).chain(std::env::split_paths(&others));
        std::env::join_paths(all).expect("no path has a colon")
    }
}

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
    ] {
        search.run(0, verb);
        search.run(0, &[verb, &["--json"]].concat());
    }
    search.run(0, &["events", "--timeline", page]);
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

    // The stacks binary crashes.
    fixture.describe_released(3, &resources);
    let stacks = fs::read_to_string(fixture.workspace().join("stacks/src/main.rs"));
    let stacks = stacks.expect("it can be read");
    let broken = "fn main() {\n    let none: Option<u8> = std::env::args().nth(99).map(|_| 1);\n    \
                  none.expect(\"a table\");\n}\n";
    fixture.write("stacks/src/main.rs", broken);
    search.run(1, &["deploy", "-vv"]);
    search.run(1, &["diff", "--json"]);
    fixture.write("stacks/src/main.rs", &stacks);
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
    for secret in search.secrets() {
        let mut places = found(rest.as_bytes(), &secret);
        // What the function was sent went to the function.
        places.retain(|place| !place.starts_with(&marked("payload")));
        assert_eq!(places, [""; 0]);
    }
    assert!(
        sent.contains("resolve%3Asecretsmanager"),
        "nothing was looked at"
    );

    let mut written = Vec::new();
    files(&fixture.sandbox.state_dir(), &mut written);
    files(search.home.path(), &mut written);
    files(fixture.workspace(), &mut written);
    written.retain(|file| !file.ends_with(".aws/credentials"));
    // The engine keeps its own values, and they belong there; what is beside them was written by the tool.
    let engine = fixture.sandbox.state_dir().join("local");
    written.retain(|file| {
        ["state", "s3", "tmp"]
            .iter()
            .all(|kept| !file.starts_with(engine.join(kept)))
    });
    let is_there = |end: &str| {
        written
            .iter()
            .any(|file| file.to_string_lossy().ends_with(end))
    };
    assert!(
        is_there("engine.json") && is_there("engine.log"),
        "{written:?}"
    );
    assert!(is_there(".zip") && is_there("timeline.html"), "{written:?}");
    for file in &written {
        let bytes = bytes(file);
        for secret in search.secrets() {
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
