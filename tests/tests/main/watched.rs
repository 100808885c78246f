//! The dev loop: what is saved is what runs, whatever goes wrong in between.

use std::fs;

use serde_json::{Value, json};
use system_tests::poll::{PATIENCE, eventually};

use crate::fixture::{Fixture, STACK};

/// What the function is called.
const NAME: &str = "slow-dev-worker";

const PLACE: [&str; 3] = ["--stage", "dev", "--local"];

/// A function that speaks with Lambda's runtime API itself, so that it compiles in a moment.
///
/// See <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.
const RUNTIME: &str = r#"
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

fn main() {
    loop {
        let (id, _) = call("GET", "next", "");
        println!("said {TEXT}");
        let answer = format!("\"{} {TEXT}\"", std::env::var("GREETING").unwrap_or_default());
        call("POST", &format!("{}/response", id.expect("an invocation has an id")), &answer);
    }
}

fn call(method: &str, path: &str, body: &str) -> (Option<String>, String) {
    let host = std::env::var("AWS_LAMBDA_RUNTIME_API").expect("this runs as a function");
    let mut stream = TcpStream::connect(&host).expect("the runtime API is there");
    let length = body.len();
    write!(
        stream,
        "{method} /2018-06-01/runtime/invocation/{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
    .expect("it listens");
    let mut reader = BufReader::new(stream);
    let (mut id, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("it answers");
        let Some((name, value)) = line.trim().split_once(':') else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "lambda-runtime-aws-request-id" => id = Some(value.trim().to_owned()),
            "content-length" => length = value.trim().parse().expect("is a number"),
            _ => {}
        }
    }
    let mut answer = vec![0; length];
    reader.read_exact(&mut answer).expect("it answers");
    (id, String::from_utf8(answer).expect("is text"))
}
"#;

/// Stacks that are built from the assembly, so that Cargo knows it as a source of theirs.
const STACKS: &str = r#"
fn main() {
    let out = std::env::args().skip_while(|argument| argument != "--out").nth(1).expect("--out DIR");
    let out = std::path::Path::new(&out);
    std::fs::write(out.join("manifest.json"), include_str!("../../assembly/manifest.json")).expect("it can be written");
    let template = include_str!("../../assembly/slow-dev.template.json");
    std::fs::write(out.join("slow-dev.template.json"), template).expect("it can be written");
}
"#;

fn says(fixture: &Fixture, text: &str) {
    let code = format!("const TEXT: &str = \"{text}\";\n");
    fixture.write("worker/src/main.rs", &(RUNTIME.to_owned() + &code));
}

fn greets(fixture: &Fixture, greeting: &str) {
    fixture.describe(
        &json!({"Worker": {"Type": "AWS::Lambda::Function", "Properties": {
            "FunctionName": NAME, "Runtime": "provided.al2023", "Handler": "bootstrap",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"S3Bucket": {"Ref": "ArtifactBucket"}, "S3Key": {"Ref": "WorkerArtifact"}},
            "Environment": {"Variables": {"GREETING": greeting}},
        }}}),
    );
}

/// Waits until the function answers this.
#[track_caller]
fn answers(fixture: &Fixture, expected: &str) {
    let invoke = [
        &["invoke", "Worker", "--payload", "{}", "--json"],
        &PLACE[..],
    ]
    .concat();
    eventually(expected, PATIENCE * 2, || {
        let run = fixture.sandbox.run(&invoke);
        (run.code == Some(0) && run.json()["payload"] == expected).then_some(())
    });
}

#[test]
fn what_is_saved_is_what_runs() {
    let fixture = Fixture::new(&json!({}));
    fixture.write("stacks/src/main.rs", STACKS);
    greets(&fixture, "hello");
    says(&fixture, "one");
    let watch = [&["watch"], &PLACE[..]].concat();
    let mut running = fixture.sandbox.spawn(&watch);
    running.says("ready deployed");
    answers(&fixture, "hello one");
    running.prints("said one");

    // Code alone goes to the function alone.
    says(&fixture, "two");
    running.says("ready functions run this code");
    answers(&fixture, "hello two");
    running.prints("said two");

    // A change of the stack is deployed, and what belongs to it is not among what a removal retained any more.
    let ledger = fixture.sandbox.state_dir().join("retained/dev.json");
    let kept = json!({STACK: [{
        "logical_id": "Worker", "resource_type": "AWS::Lambda::Function", "physical_id": NAME,
        "account": "000000000000", "region": "us-east-1", "remove": [],
    }]});
    fs::create_dir_all(ledger.parent().expect("it has one")).expect("it can be made");
    fs::write(&ledger, kept.to_string()).expect("it can be written");
    greets(&fixture, "bye");
    answers(&fixture, "bye two");
    eventually("the ledger is settled", PATIENCE, || {
        (!ledger.exists()).then_some(())
    });

    // What does not compile is shown, and what mends it goes on from there.
    fixture.write("worker/src/main.rs", "fn main() { nothing() }\n");
    running.says("the functions do not build");
    assert!(running.is_running());
    says(&fixture, "three");
    answers(&fixture, "bye three");

    // What is saved while something is built is built afterwards.
    let held = fixture.hold_build("2");
    held.reached();
    says(&fixture, "four");
    greets(&fixture, "hi");
    held.release();
    answers(&fixture, "hi four");

    // A stack that cannot be deployed is shown, and the one that can is deployed.
    fixture.describe(&json!({"Broken": {"Type": "AWS::Nothing::AtAll"}}));
    running.says("error:");
    greets(&fixture, "again");
    answers(&fixture, "again four");

    // Files that nothing is built from change nothing.
    fixture.write("notes.md", "later");
    eventually("the end of the round", PATIENCE, || {
        let said = running.said();
        let last = said.lines().last().unwrap_or_default().trim_start();
        (last.starts_with("ready") || last.starts_with("watch")).then_some(())
    });
    running.interrupt();
    let run = running.end_soon();
    assert_eq!(run.code, Some(0), "{run}");
    assert!(!run.stderr.contains("notes.md"), "{run}");
}

#[test]
fn the_loop_tells_events_as_json_lines() {
    let fixture = Fixture::new(&json!({}));
    fixture.write("stacks/src/main.rs", STACKS);
    greets(&fixture, "hello");
    says(&fixture, "one");
    let watch = [&["watch", "--json"], &PLACE[..]].concat();
    let running = fixture.sandbox.spawn(&watch);
    running.prints(r#""type":"ready""#);
    says(&fixture, "two");
    running.prints(r#""type":"code_updated""#);
    running.prints(r#""outcome":"code""#);
    answers(&fixture, "hello two");
    running.prints("said two");
    running.interrupt();
    let run = running.end_soon();
    assert_eq!(run.code, Some(0), "{run}");
    let lines = run.json_lines();
    let types: Vec<&Value> = lines.iter().map(|line| &line["type"]).collect();
    for expected in [
        "stack_finished",
        "summary",
        "ready",
        "changed",
        "code_updated",
        "log",
    ] {
        assert!(
            types.contains(&&json!(expected)),
            "no {expected} in {types:?}"
        );
    }
    // The first build has made the lock file, which is a change too.
    let mut changed = lines.iter().filter(|line| line["type"] == "changed");
    let source = json!(fixture.workspace().join("worker/src/main.rs"));
    let names = |line: &Value| {
        let files = line["files"].as_array().expect("it is a list");
        files.contains(&source)
    };
    assert!(changed.any(names), "{run}");
}
