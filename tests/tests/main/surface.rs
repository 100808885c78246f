//! What the tool says in a log, where nothing is drawn.

use serde_json::{Value, json};
use system_tests::http;

use crate::fixture::Fixture;

const PLACE: [&str; 3] = ["--stage", "dev", "--local"];

fn queue(delay: u32) -> Value {
    json!({"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": delay}})
}

/// An HTTP API without routes.
fn api() -> Value {
    json!({"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "answers", "ProtocolType": "HTTP"}})
}

fn stage() -> Value {
    json!({"Type": "AWS::ApiGatewayV2::Stage", "Properties": {
        "ApiId": {"Ref": "Api"}, "StageName": "$default", "AutoDeploy": true}})
}

#[test]
fn a_log_tells_what_begins_what_changes_and_where_things_are() {
    let fixture = Fixture::new(&json!({}));
    let url = json!({"Url": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}});
    let stack = |own: Value| {
        let mut resources = json!({"Api": api(), "Stage": stage()});
        for (id, resource) in own.as_object().expect("resources are an object") {
            resources[id] = resource.clone();
        }
        fixture.describe_with(&resources, &url);
    };
    stack(json!({"Kept": queue(1), "Old": queue(1)}));
    let first = fixture.sandbox.succeed(&[&["deploy"], &PLACE[..]].concat());
    for told in [
        "    synth slow-stacks ..\n",
        "    build 1 function ..\n",
        "  publish uploading artifacts ..\n",
        "   deploy slow-dev: 7 changes ..\n",
        "  created stackctl-bootstrap (us-east-1) in ",
    ] {
        assert!(first.stderr.contains(told), "no {told:?} in {first}");
    }

    // The engine calls every resource of the stack updated.
    stack(json!({"Kept": queue(2), "New": queue(1)}));
    let second = fixture.sandbox.succeed(&[&["deploy"], &PLACE[..]].concat());
    let mut told: Vec<&str> = second
        .stderr
        .lines()
        .filter(|line| line.contains(" slow-dev/"))
        .map(str::trim)
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "+ slow-dev/New AWS::SQS::Queue",
            "- slow-dev/Old AWS::SQS::Queue",
            "~ slow-dev/Kept AWS::SQS::Queue",
        ],
        "{second}"
    );

    the_address_of_the_api_answers(&fixture);
    an_event_is_a_line(&fixture);
}

/// Names below `localhost` are found by browsers and by nobody else.
fn the_address_of_the_api_answers(fixture: &Fixture) {
    let shown = fixture
        .sandbox
        .succeed(&[&["outputs"], &PLACE[..]].concat());
    let mut lines = shown.stdout.lines().map(str::trim_start);
    let line = lines.find(|line| line.starts_with("Url "));
    let url = line.and_then(|line| line.split_whitespace().nth(1));
    let url = url.unwrap_or_else(|| panic!("no line with the address in {shown}"));
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    // An API that lets no pages in refuses to be asked whether it does; one that is not there is not found.
    let asked = |url: &str| http::send("OPTIONS", url, &[], "").status;
    assert_eq!(asked(&format!("{url}/")), 403);
    assert_eq!(asked(&format!("{url}x/")), 404);
}

fn an_event_is_a_line(fixture: &Fixture) {
    let shown = fixture.sandbox.succeed(&[&["events"], &PLACE[..]].concat());
    for line in shown.stdout.lines() {
        assert!(
            line.starts_with("20") && line.contains(" slow-dev/"),
            "{line}"
        );
    }
    assert!(shown.stdout.contains("slow-dev/Kept"), "{shown}");
}
