//! Marked secrets in every place where the tool may meet one, and a search of every byte that it writes or sends.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use system_tests::sandbox::{Run, Running};
use system_tests::tap::Tap;
use tempfile::TempDir;

use crate::fixture::Fixture;

/// What stands for a secret. Each begins in the same way, so that one search finds all, and ends with its place.
const MARK: &str = "MARKED5ECRET";

fn marked(place: &str) -> String {
    format!("{MARK}{place}")
}

/// Returns the marks that stand in some bytes, with what follows each.
fn found(bytes: &[u8]) -> Vec<String> {
    bytes
        .windows(MARK.len())
        .enumerate()
        .filter(|(_, window)| *window == MARK.as_bytes())
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

struct Search<'a> {
    fixture: &'a Fixture,
    tap: Tap,
    home: TempDir,
}

impl Search<'_> {
    /// Runs a command with all secrets around it, and searches what it printed.
    #[track_caller]
    fn run(&self, code: i32, arguments: &[&str]) -> Run {
        let mut command = self.fixture.sandbox.command(arguments);
        command
            .args(["--stage", "dev", "--endpoint-url", &self.tap.url()])
            .env("HOME", self.home.path())
            .env("TMPDIR", self.home.path().join("tmp"))
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", marked("environment"))
            .env("DATABASE_PASSWORD", marked("variable"))
            .env("RUST_BACKTRACE", "full")
            // Whoever looks a shell up finds this one, which leaves a trace.
            .env("PATH", self.path());
        let run = Running::spawn(command).end();
        assert_eq!(run.code, Some(code), "{arguments:?}: {run}");
        let printed = [run.stdout.as_bytes(), run.stderr.as_bytes()].concat();
        assert_eq!(found(&printed), [""; 0], "{arguments:?}: {run}");
        run
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
    let fixture = Fixture::new(&resources);
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
    };
    search.run(0, &["synth", "--json"]);
    search.run(0, &["deploy", "-vv"]);
    search.run(0, &["deploy", "--json"]);
    for verb in [
        "diff", "status", "outputs", "events", "logs", "explain", "history",
    ] {
        search.run(0, &[verb]);
        search.run(0, &[verb, "--json"]);
    }
    // What fails says more than what succeeds.
    let mut broken = resources.clone();
    broken["Topic"]["Properties"]["DisplayName"] = "{{resolve:ssm:/slow/absent}}".into();
    broken["Broken"] = json!({"Type": "AWS::Lambda::Permission", "Properties": {
        "FunctionName": "nobody", "Action": "lambda:InvokeFunction", "Principal": "x",
    }});
    fixture.describe(&broken);
    search.run(1, &["deploy", "-vv"]);
    search.run(1, &["deploy", "--json"]);
    search.run(0, &["explain"]);
    fixture.describe(&resources);
    search.run(0, &["deploy"]);
    search.run(0, &["destroy", "--json"]);

    // The engine got the template and its references, and never a value.
    let sent = search.tap.sent();
    assert!(!sent.is_empty());
    assert_eq!(found(&sent), [""; 0]);
    let text = String::from_utf8_lossy(&sent);
    assert!(
        text.contains("resolve%3Asecretsmanager"),
        "nothing was looked at"
    );

    let mut written = Vec::new();
    files(&fixture.sandbox.state_dir(), &mut written);
    files(search.home.path(), &mut written);
    files(fixture.workspace(), &mut written);
    written.retain(|file| !file.ends_with(".aws/credentials"));
    // The engine keeps its own values, and they belong there.
    let engine = fixture.sandbox.state_dir().join("local");
    written.retain(|file| !file.starts_with(&engine));
    assert!(written.len() > 10, "{written:?}");
    for file in written {
        let bytes = fs::read(&file).expect("it can be read");
        assert_eq!(found(&bytes), [""; 0], "{}", file.display());
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
