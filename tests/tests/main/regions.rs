//! One stage in several regions, wave by wave.

use std::fs;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use system_tests::account::texts;
use system_tests::sandbox::Run;

use crate::fixture::{Fixture, STACK, hexadecimal};

/// The stack that stands in one region, whichever region renders it.
const EDGE: &str = "edge-dev";

const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-southeast-2"];

const CONFIG: &str = r#"
[workspace]
stacks = "slow-stacks"

[stages.dev]
regions = ["us-east-1", "eu-west-1", "ap-southeast-2"]
rollout = { waves = [1, 2] }
"#;

/// A stacks binary that copies the assembly of the region it is asked for.
const STACKS: &str = r#"
use std::io::Read as _;

fn main() {
    let out = std::env::args().skip_while(|argument| argument != "--out").nth(1).expect("--out DIR");
    let mut request = String::new();
    std::io::stdin().read_to_string(&mut request).expect("there is a request");
    let (_, rest) = request.split_once("\"region\":\"").expect("it names a region");
    let (region, _) = rest.split_once('"').expect("the name ends");
    for file in std::fs::read_dir(format!("assembly-{region}")).expect("there is an assembly") {
        let file = file.expect("it can be listed");
        std::fs::copy(file.path(), std::path::Path::new(&out).join(file.file_name())).expect("it can be copied");
    }
}
"#;

/// A resource whose zone is none, which nobody finds out before the record is made.
fn bad() -> Value {
    json!({
        "Type": "AWS::Route53::RecordSet",
        "Properties": {"HostedZoneName": "gone.example.com.", "Name": "a.gone.example.com", "Type": "A",
                       "TTL": "60", "ResourceRecords": ["192.0.2.1"]},
    })
}

/// Describes the stacks of a region: a function with its queue, and a topic that stands in us-east-1 for all.
fn describe(fixture: &Fixture, region: &str, resources: &Value) {
    fixture.describe(resources);
    let assembly = fixture.workspace().join("assembly");
    let text = fs::read_to_string(assembly.join("manifest.json")).expect("is there");
    let mut manifest: Value = serde_json::from_str(&text).expect("is JSON");
    let template = json!({
        "Resources": {"Alarms": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"Arn": {"Value": {"Ref": "Alarms"}}},
    })
    .to_string();
    let mut edge = json!({
        "name": EDGE, "id": "edge", "template": format!("{EDGE}.template.json"),
        "sha256": hexadecimal(&Sha256::digest(&template)), "outputs": {"Arn": {}},
        "resources": {"Alarms": {"type": "AWS::SNS::Topic", "source": "stacks/src/main.rs:1:1"}},
    });
    if region != "us-east-1" {
        edge["region"] = json!("us-east-1");
    }
    let stacks = manifest["stacks"].as_array_mut().expect("is a list");
    stacks.push(edge);
    let directory = format!("assembly-{region}");
    fixture.write(&format!("{directory}/manifest.json"), &manifest.to_string());
    fixture.write(&format!("{directory}/{EDGE}.template.json"), &template);
    let name = format!("{STACK}.template.json");
    let template = fs::read_to_string(assembly.join(&name)).expect("is there");
    fixture.write(&format!("{directory}/{name}"), &template);
}

/// Returns the stacks of a region, without the one that holds the artifact bucket.
fn stacks(fixture: &Fixture, region: &str) -> Vec<String> {
    let account = fixture.sandbox.account().in_region(region);
    let answer = account.query("cloudformation", "2010-05-15", "DescribeStacks", &[]);
    let mut names = texts(&answer, "StackName");
    names.retain(|name| name != "stackctl-bootstrap");
    names.sort();
    names
}

fn outcomes(summary: &Value) -> Vec<(&str, &str)> {
    let environments = summary["environments"].as_array();
    let environments = environments.unwrap_or_else(|| panic!("no environments in {summary}"));
    environments
        .iter()
        .map(|environment| {
            let text = |key: &str| environment[key].as_str().unwrap_or_default();
            (text("region"), text("outcome"))
        })
        .collect()
}

#[test]
fn a_stage_goes_from_region_to_region_and_on_where_it_stopped() {
    let fixture = Fixture::new(&json!({}));
    fixture.sandbox.configure(CONFIG);
    fixture.write("stacks/src/main.rs", STACKS);
    for region in REGIONS {
        describe(&fixture, region, &json!({}));
    }
    describe(&fixture, "us-east-1", &json!({"Bad": bad()}));
    let place = ["--stage", "dev", "--local", "--json"];
    let run = |verb: &[&str]| fixture.sandbox.run(&[verb, &place[..]].concat());
    let succeed = |verb: &[&str]| fixture.sandbox.succeed(&[verb, &place[..]].concat());
    let last = |run: &Run| run.json_lines().pop().expect("says something");

    // The first wave fails, so the second does not begin.
    let failed = run(&["deploy"]);
    assert_eq!(failed.code, Some(1), "{failed}");
    let summary = last(&failed);
    assert_eq!(
        outcomes(&summary),
        [
            ("us-east-1", "failed"),
            ("eu-west-1", "not_begun"),
            ("ap-southeast-2", "not_begun")
        ]
    );
    let causes = summary["error"]["causes"].as_array().expect("are there");
    assert!(
        causes.contains(&json!("`eu-west-1` and `ap-southeast-2` were not begun")),
        "{failed}"
    );
    assert!(stacks(&fixture, "eu-west-1").is_empty());

    // What is mended goes on, through all waves; code is built once and is in a bucket of each region.
    describe(&fixture, "us-east-1", &json!({}));
    let deployed = succeed(&["deploy"]);
    assert_eq!(
        outcomes(&last(&deployed)),
        REGIONS.map(|region| (region, "deployed"))
    );
    assert_eq!(stacks(&fixture, "us-east-1"), [EDGE, STACK]);
    assert_eq!(stacks(&fixture, "eu-west-1"), [STACK]);
    assert_eq!(stacks(&fixture, "ap-southeast-2"), [STACK]);
    let finished = deployed.json_lines();
    let regions: Vec<&str> = finished
        .iter()
        .filter(|line| line["type"] == "stack_finished" && line["stack"] == STACK)
        .filter_map(|line| line["region"].as_str())
        .collect();
    assert_eq!(regions.first(), Some(&"us-east-1"), "{deployed}");
    assert_eq!(regions.len(), 3, "{deployed}");

    // A run that finds everything as it should be changes nothing.
    let again = succeed(&["deploy"]);
    let unchanged = last(&again);
    for environment in unchanged["environments"].as_array().expect("are there") {
        for stack in environment["stacks"].as_array().expect("are there") {
            assert_eq!(stack["outcome"], "unchanged", "{again}");
        }
    }

    // Looking is for all regions or for one, and what works in one says so.
    let outputs = succeed(&["outputs"]).json();
    for region in REGIONS {
        let url = outputs[region][STACK]["QueueUrl"].as_str();
        assert!(url.is_some_and(|url| url.starts_with("http")), "{outputs}");
    }
    let one = succeed(&["outputs", "--region", "eu-west-1"]).json();
    assert_eq!(one[STACK], outputs["eu-west-1"][STACK]);
    let status = succeed(&["status", STACK]).json();
    let rows = status["stacks"].as_array().expect("are there");
    let told: Vec<_> = rows
        .iter()
        .map(|row| (&row["region"], &row["settled"]))
        .collect();
    let wanted = REGIONS.map(|region| (json!(region), json!(true)));
    assert_eq!(
        told,
        wanted.each_ref().map(|(region, settled)| (region, settled))
    );
    let logs = run(&["logs"]);
    assert_eq!(logs.code, Some(2), "{logs}");
    assert!(logs.stdout.contains("--region"), "{logs}");

    // One region goes alone and leaves what it shares; the last to go takes that with it.
    succeed(&["destroy", "--region", "ap-southeast-2"]);
    assert!(stacks(&fixture, "ap-southeast-2").is_empty());
    assert_eq!(stacks(&fixture, "us-east-1"), [EDGE, STACK]);
    succeed(&["destroy"]);
    for region in REGIONS {
        assert!(stacks(&fixture, region).is_empty(), "{region}");
    }
}
