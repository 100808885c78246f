//! What every call takes, and that a pipeline may make those of a deploy.
//!
//! The calls are read from the source, so that one which is added is entered here, and one which a deploy makes is
//! allowed to pipelines before it is denied to somebody. Which actions a call takes is what the Service Authorization
//! Reference says (<https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>).

mod commands;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use Of::{Deploy, DeployWith, Engine, Look, People};
use commands::{COMMANDS, RENAMING};
use table::{CALLS, Of, SIGNED};

/// Who is calling takes no right (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>).
const FREE: (&str, &str) = ("sts", "get_caller_identity");

/// Returns what calls take that a command is not said to take.
#[track_caller]
fn untold<'a>(command: &str, methods: impl Iterator<Item = &'a str>) -> BTreeSet<&'static str> {
    let found = COMMANDS.iter().find(|(name, _)| *name == command);
    let (_, taken) = found.expect("the command has a row in COMMANDS");
    let mut missing: BTreeSet<&str> = BTreeSet::new();
    for method in methods {
        let mut calls = CALLS.iter().filter(|(_, it, ..)| *it == method).peekable();
        assert!(calls.peek().is_some(), "{method} is in CALLS");
        let actions = calls.flat_map(|(_, _, actions, _)| *actions);
        missing.extend(actions.copied().filter(|action| !taken.contains(action)));
    }
    missing
}

/// Asserts that `destroy` is said to take what its calls take in the middle of a rename, and no more.
#[track_caller]
pub(crate) fn covers_renaming<'a>(methods: impl Iterator<Item = &'a str>) {
    let told = BTreeSet::from(RENAMING);
    let taken = untold("destroy", methods);
    assert_eq!(taken, told, "enter it in RENAMING and in docs/operating.md");
}

/// Asserts that a command is said to take what its calls take.
#[track_caller]
pub(crate) fn covers<'a>(command: &str, methods: impl Iterator<Item = &'a str>) {
    let missing = untold(command, methods);
    assert!(
        missing.is_empty(),
        "`{command}` takes {missing:?}: enter it in COMMANDS and in docs/operating.md"
    );
}

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Returns the source without its tests, file by file.
fn files(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("the source is there") {
        let path = entry.expect("the source can be read").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() && name != "tests" {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "rs")
            && name != "tests.rs"
            && name != "rights.rs"
        {
            let text = fs::read_to_string(&path).expect("the source can be read");
            let text = text
                .split("#[cfg(test)]\nmod ")
                .next()
                .unwrap_or_default()
                .to_owned();
            found.push((path, text));
        }
    }
    found
}

/// Returns the calls of a text: the names of clients, each followed by a method without arguments.
fn calls(text: &str, clients: &BTreeSet<String>) -> Vec<(String, String)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in text.match_indices('.') {
        let before = text[..at].trim_end();
        let start = before.rfind(|c| !is_word(c)).map_or(0, |before| before + 1);
        let after = text[at + 1..].trim_start();
        let end = after.find(|c| !is_word(c)).unwrap_or(after.len());
        let (client, method) = (&before[start..], &after[..end]);
        if clients.contains(client) && after[end..].starts_with("()") && method != "clone" {
            found.push((client.to_owned(), method.to_owned()));
        }
    }
    found
}

/// Returns the ways to sign a call: the methods of the clients that hand a request to the signer.
fn ways(services: &str) -> BTreeSet<&str> {
    let methods = services.split("pub(crate) async fn ").skip(1);
    methods
        .filter(|text| text.contains(".signed(Request {"))
        .filter_map(|text| text.split('(').next())
        .collect()
}

/// Returns the signed calls of a text: the service and the operation of each, which is written out or the last constant of
/// that name. Where a way takes the service, that is the first argument and the operation the third; any other way is for a
/// service of its own, and takes the operation first.
fn signed(text: &str, ways: &BTreeSet<&str>) -> Vec<(String, String)> {
    let quoted = |text: &str| text.split('"').nth(1).map(str::to_owned);
    let mut found = Vec::new();
    for way in ways {
        let call = format!(".{way}(");
        for (at, _) in text.match_indices(&call) {
            let rest = &text[at + call.len()..];
            let mut arguments = rest.split(',').map(str::trim);
            let first = arguments.next().unwrap_or_default();
            // What is read or written as JSON elsewhere takes one argument, or none.
            let is_only = rest
                .find([',', ')'])
                .is_some_and(|end| rest[end..].starts_with(')'));
            if *way == "json" && is_only {
                continue;
            }
            let (service, operation) = match *way {
                "json" => (first, arguments.nth(1).unwrap_or_default()),
                way => (way, first),
            };
            let operation = if operation == "OPERATION" {
                text[..at].rsplit("const OPERATION").next().and_then(quoted)
            } else {
                quoted(operation)
            };
            let operation = operation.unwrap_or_else(|| {
                let line = text[..at].lines().count();
                panic!("the operation of {call}{first}, .. in line {line} is neither a text nor a constant")
            });
            found.push((service.to_owned(), operation));
        }
    }
    found
}

/// Returns the names of the clients.
fn clients() -> BTreeSet<String> {
    let text = fs::read_to_string(source("src/aws.rs")).expect("the clients are there");
    let fields = text.lines().filter_map(|line| {
        let (name, kind) = line.trim().strip_prefix("pub ")?.split_once(": ")?;
        kind.starts_with("aws_sdk_").then(|| name.to_owned())
    });
    fields.chain([FREE.0.to_owned()]).collect()
}

/// Returns the actions that the policies of a pipeline allow.
fn allowed(template: &Value) -> BTreeSet<&str> {
    let resources = template["Resources"].as_object().into_iter().flatten();
    resources
        .filter(|(_, resource)| resource["Type"] == "AWS::IAM::ManagedPolicy")
        .flat_map(|(_, policy)| {
            let document = &policy["Properties"]["PolicyDocument"];
            document["Statement"].as_array().into_iter().flatten()
        })
        .filter(|statement| statement["Effect"] == "Allow")
        .flat_map(|statement| {
            let actions = &statement["Action"];
            let one = actions.as_str();
            let many = actions.as_array().into_iter().flatten();
            one.into_iter().chain(many.filter_map(Value::as_str))
        })
        .collect()
}

#[test]
fn every_call_is_entered_and_nothing_else() {
    let clients = clients();
    assert!(clients.contains("cloudformation"), "{clients:?}");
    let mut called: BTreeMap<(String, String), PathBuf> = BTreeMap::new();
    for (path, text) in files(&source("src")) {
        let calls = calls(&text, &clients);
        // Who keeps a client or a request under another name would hide from this test.
        let sent = text.matches(".send()").count();
        assert!(
            sent <= calls.len(),
            "{}: {sent} calls are sent and only {calls:?} are seen",
            path.display()
        );
        called.extend(calls.into_iter().map(|call| (call, path.clone())));
    }
    let free = (FREE.0.to_owned(), FREE.1.to_owned());
    assert!(called.remove(&free).is_some());
    let known: BTreeSet<(String, String)> = CALLS
        .iter()
        .map(|(client, method, _, _)| ((*client).to_owned(), (*method).to_owned()))
        .collect();
    assert_eq!(known.len(), CALLS.len(), "one row for each");
    for (call, path) in &called {
        assert!(
            known.contains(call),
            "enter {call:?} of {} in CALLS: which actions it takes, and whether a deploy makes it; what a deploy calls is \
             allowed to pipelines in stack-model/src/codebuild/deploy/statements.rs",
            path.display()
        );
    }
    for call in &known {
        assert!(called.contains_key(call), "nobody calls {call:?} any more");
    }
}

#[test]
fn every_signed_call_is_entered_and_nothing_else() {
    let services = fs::read_to_string(source("src/aws/signed/service.rs")).expect("it is there");
    let ways = ways(&services);
    assert_eq!(
        Vec::from_iter(&ways),
        [&"api_gateway_v2", &"iam", &"json", &"route53"]
    );
    let mut called = BTreeSet::new();
    for (path, text) in files(&source("src")) {
        let is_way = path.ends_with("aws/signed/service.rs");
        assert!(
            is_way || !text.contains(".signed("),
            "{} hands requests to the signer past the ways that this test sees",
            path.display()
        );
        called.extend(signed(&text, &ways));
    }
    let known: BTreeSet<(String, String)> = SIGNED
        .iter()
        .map(|(service, operation, ..)| ((*service).to_owned(), (*operation).to_owned()))
        .collect();
    assert_eq!(called, known, "enter each call in SIGNED, and no other");
}

#[test]
fn pipelines_may_call_what_a_deploy_calls() {
    let golden = source("../stacks/golden");
    let mut seen = 0;
    for entry in fs::read_dir(&golden).expect("there are goldens") {
        let path = entry.expect("they can be read").path();
        let name = path.display().to_string();
        if !name.contains("-pipeline.") {
            continue;
        }
        seen += 1;
        let text = fs::read(&path).expect("they can be read");
        let template = serde_json::from_slice(&text).expect("a template is JSON");
        let allowed = allowed(&template);
        for (_, method, actions, of) in CALLS.into_iter().chain(SIGNED) {
            let is_made = match of {
                Deploy => true,
                DeployWith(action) => allowed.contains(action),
                Engine | Look | People => false,
            };
            for action in actions.iter().filter(|_| is_made) {
                assert!(
                    allowed.contains(action),
                    "{name} does not allow {action}, which {method} takes"
                );
            }
        }
    }
    assert!(seen > 0, "no pipeline in {}", golden.display());
}

#[test]
fn the_guide_tells_what_commands_take() {
    let guide = fs::read_to_string(source("../docs/operating.md")).expect("it is there");
    for (command, actions) in COMMANDS {
        let row = guide
            .lines()
            .find_map(|line| line.strip_prefix(&format!("| `{command}` | ")));
        let row = row.unwrap_or_else(|| panic!("no row tells what `{command}` takes"));
        let told: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        assert_eq!(told, *actions, "{command}");
    }
    let renaming = RENAMING.map(|action| format!("`{action}`")).join(", ");
    assert!(guide.contains(&renaming), "{renaming}");
}
