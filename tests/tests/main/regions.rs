//! One stage in several regions, wave by wave.

use std::fs;

use serde_json::{Value, json};
use system_tests::account::texts;
use system_tests::sandbox::Run;

use crate::fixture::{Fixture, STACK};
use crate::workspace::{COPY, hash};

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

/// A program that copies the assembly of the region it is asked for.
const MAIN: &str = r#"
use std::io::Read as _;

fn main() {
    let mut request = String::new();
    std::io::stdin().read_to_string(&mut request).expect("there is a request");
    let (_, rest) = request.split_once("\"region\":\"").expect("it names a region");
    let (region, _) = rest.split_once('"').expect("the name ends");
    copy(&format!("assembly-{region}"));
}
"#;

/// A resource whose zone is none, which nobody finds out before the record is made.
pub(crate) fn bad() -> Value {
    json!({
        "Type": "AWS::Route53::RecordSet",
        "Properties": {"HostedZoneName": "gone.example.com.", "Name": "a.gone.example.com", "Type": "A",
                       "TTL": "60", "ResourceRecords": ["192.0.2.1"]},
    })
}

/// Describes the stacks of a region: a function with its queue, and a topic that stands in us-east-1 for all.
fn describe(fixture: &Fixture, region: &str, resources: &Value) {
    fixture.describe(resources);
    let manifest = fixture.workspace().join("assembly/manifest.json");
    let text = fs::read_to_string(manifest).expect("is there");
    let mut manifest: Value = serde_json::from_str(&text).expect("is JSON");
    let template = json!({
        "Resources": {"Alarms": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"Arn": {"Value": {"Ref": "Alarms"}}},
    })
    .to_string();
    let mut edge = json!({
        "name": EDGE, "id": "edge", "template": format!("{EDGE}.template.json"),
        "sha256": hash(&template), "outputs": {"Arn": {}},
        "resources": {"Alarms": {"type": "AWS::SNS::Topic", "source": "stacks/src/main.rs:1:1"}},
    });
    // It is rendered so in that region too.
    edge["region"] = json!("us-east-1");
    let stacks = manifest["stacks"].as_array_mut().expect("is a list");
    stacks.push(edge);
    write(fixture, region, &manifest.to_string());
    fixture.write(
        &format!("assembly-{region}/{EDGE}.template.json"),
        &template,
    );
}

/// Describes a region in which there is nothing but its own.
fn describe_alone(fixture: &Fixture, region: &str, resources: &Value) {
    fixture.describe(resources);
    let manifest = fixture.workspace().join("assembly/manifest.json");
    let manifest = fs::read_to_string(manifest).expect("is there");
    write(fixture, region, &manifest);
}

/// Writes the assembly of a region with the stack that every region has, as the fixture describes it now.
fn write(fixture: &Fixture, region: &str, manifest: &str) {
    let file = format!("{STACK}.template.json");
    let template = fixture.workspace().join("assembly").join(&file);
    let template = fs::read_to_string(template).expect("is there");
    fixture.write(&format!("assembly-{region}/{file}"), &template);
    fixture.write(&format!("assembly-{region}/manifest.json"), manifest);
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

/// Returns how many topics there are in a region.
fn topics(fixture: &Fixture, region: &str) -> usize {
    let account = fixture.sandbox.account().in_region(region);
    let answer = account.query("sns", "2010-03-31", "ListTopics", &[]);
    texts(&answer, "TopicArn").len()
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
    fixture.write("stacks/src/main.rs", &format!("{COPY}{MAIN}"));
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

    // A comparison takes each region as it is deployed: rendered once, and what they share is the first one's.
    let text = ["diff", "--no-build", "--stage", "dev", "--local"];
    let diff = fixture.sandbox.succeed(&text);
    assert_eq!(
        diff.stderr.matches(" synth 2 stacks in ").count(),
        3,
        "{diff}"
    );
    assert!(!diff.stderr.contains("not chosen"), "{diff}");
    let diff = succeed(&["diff", "--no-build"]).json();
    let compared = diff["stacks"].as_array().expect("are there").iter();
    let compared: Vec<_> = compared.map(|it| (&it["region"], &it["stack"])).collect();
    let (slow, edge) = (json!(STACK), json!(EDGE));
    let [first, second, third] = REGIONS.map(|region| json!(region));
    assert_eq!(
        compared,
        [
            (&first, &slow),
            (&first, &edge),
            (&second, &slow),
            (&third, &slow)
        ]
    );

    // A region does nothing about what belongs to another one.
    let own = ["deploy", "edge", "--region", "eu-west-1"];
    let left = fixture
        .sandbox
        .succeed(&[&own[..], &["--stage", "dev", "--local"]].concat());
    let told = "left edge-dev belongs to us-east-1, which is not chosen";
    assert!(left.stderr.contains(told), "{left}");
    assert_eq!(stacks(&fixture, "eu-west-1"), [STACK]);
    let summary = last(&succeed(&own));
    assert_eq!(summary["stacks"], json!([]), "{summary}");

    // What the others use does not go with the one that deploys it.
    let refused = run(&["destroy", "--region", "us-east-1"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert_eq!(stacks(&fixture, "us-east-1"), [EDGE, STACK]);

    // One region goes alone and leaves what it shares; the last to go takes that with it.
    succeed(&["destroy", "--region", "ap-southeast-2"]);
    assert!(stacks(&fixture, "ap-southeast-2").is_empty());
    assert_eq!(stacks(&fixture, "us-east-1"), [EDGE, STACK]);
    succeed(&["destroy"]);
    for region in REGIONS {
        assert!(stacks(&fixture, region).is_empty(), "{region}");
    }
}

/// A region that fails is within the budget, and two are not.
#[test]
fn a_rollout_goes_on_while_no_more_fail_than_may() {
    let fixture = Fixture::new(&json!({}));
    fixture
        .sandbox
        .configure(&CONFIG.replace("{ waves = [1, 2] }", "{ waves = [1, 1, 1], failures = 1 }"));
    fixture.write("stacks/src/main.rs", &format!("{COPY}{MAIN}"));
    let [first, second, third] = REGIONS;
    for region in REGIONS {
        describe_alone(&fixture, region, &json!({}));
    }
    let deploy = || {
        let run = fixture
            .sandbox
            .run(&["deploy", "--stage", "dev", "--local", "--json"]);
        let summary = run.json_lines().pop().expect("says something");
        (run, summary)
    };

    describe_alone(&fixture, first, &json!({"Bad": bad()}));
    let (run, summary) = deploy();
    assert_eq!(run.code, Some(1), "{run}");
    assert_eq!(
        outcomes(&summary),
        [(first, "failed"), (second, "deployed"), (third, "deployed")]
    );
    assert_eq!(stacks(&fixture, third), [STACK]);

    describe_alone(&fixture, second, &json!({"Bad": bad()}));
    let topic = json!({"Topic": {"Type": "AWS::SNS::Topic"}});
    describe_alone(&fixture, third, &topic);
    let (run, summary) = deploy();
    assert_eq!(run.code, Some(1), "{run}");
    assert_eq!(
        outcomes(&summary),
        [(first, "failed"), (second, "failed"), (third, "not_begun")]
    );
    assert_eq!(topics(&fixture, third), 0);

    for region in [first, second] {
        describe_alone(&fixture, region, &json!({}));
    }
    let (run, summary) = deploy();
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(outcomes(&summary), REGIONS.map(|it| (it, "deployed")));
    assert_eq!(topics(&fixture, third), 1);
}

/// Every region has releases of its own, and goes back alone.
#[test]
fn a_region_goes_back_and_the_others_stay() {
    let fixture = Fixture::new(&json!({}));
    fixture.sandbox.configure(CONFIG);
    fixture.write("stacks/src/main.rs", &format!("{COPY}{MAIN}"));
    let place = ["--stage", "dev", "--local", "--json"];
    let run = |verb: &[&str]| fixture.sandbox.run(&[verb, &place[..]].concat());
    let succeed = |verb: &[&str]| fixture.sandbox.succeed(&[verb, &place[..]].concat());
    let topic = json!({"Topic": {"Type": "AWS::SNS::Topic"}});
    for resources in [&json!({}), &topic] {
        for region in REGIONS {
            describe_alone(&fixture, region, resources);
        }
        succeed(&["deploy"]);
    }
    let live = || {
        let history = succeed(&["history"]).json();
        let releases = history["releases"].as_array().expect("are there").iter();
        releases
            .filter(|release| release["live"] == true)
            .map(|release| {
                let region = release["region"].as_str().unwrap_or_default().to_owned();
                (region, release["release"].as_u64().unwrap_or_default())
            })
            .collect::<Vec<_>>()
    };
    let all = |numbers: [u64; 3]| {
        let regions = REGIONS.map(str::to_owned).into_iter();
        regions.zip(numbers).collect::<Vec<_>>()
    };
    assert_eq!(live(), all([2, 2, 2]));

    let back = ["rollback", "slow", "--to", "previous"];
    let which = run(&back);
    assert_eq!(which.code, Some(2), "{which}");
    assert!(which.stdout.contains("--region"), "{which}");
    succeed(&[&back[..], &["--region", "eu-west-1"]].concat());
    assert_eq!(live(), all([2, 3, 2]));
    let there = REGIONS.map(|region| topics(&fixture, region));
    assert_eq!(there, [1, 0, 1]);
}
