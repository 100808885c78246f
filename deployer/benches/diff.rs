//! What the comparison of two templates takes: 500 resources of the shipped systems, a fifth of them changed, beside
//! reading and parsing the two files.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use deployer::engine::plan::{Registry, Side, compare};
use serde_json::{Map, Value, json};

/// How many resources a stack may have.
const RESOURCES: usize = 500;

/// The most that a comparison may take.
const TARGET: Duration = Duration::from_millis(50);

/// How often everything is repeated; the median counts.
const RUNS: usize = 31;

fn main() {
    let scratch = tempfile::tempdir().expect("there is a directory for scratch files");
    let old = template();
    let mut new = old.clone();
    change(&mut new);
    let files = [("old.json", &old), ("new.json", &new)].map(|(name, template)| {
        let path = scratch.path().join(name);
        let text = serde_json::to_string_pretty(template).expect("is JSON");
        std::fs::write(&path, text).expect("writes");
        path
    });
    let read = median(|| {
        let [old, new] = files.each_ref().map(|path| {
            let text = std::fs::read(path).expect("reads");
            let template: Value = serde_json::from_slice(&text).expect("is JSON");
            template
        });
        old.is_object() && new.is_object()
    });
    let plan = |new: &Value| {
        let side = |template| Side {
            template: Some(template),
            ..Side::default()
        };
        compare(
            "bench-prod",
            &side(&old),
            &side(new),
            &BTreeMap::new(),
            &Registry,
        )
    };
    let count = plan(&new).changes.len();
    let unchanged = median(|| plan(&old).is_empty());
    let changed = median(|| plan(&new).changes.len() == count);
    let mut out = std::io::stdout();
    let line = |what: &str, time: Duration| {
        format!(
            "{what:44} {:8.2} ms {:6.2}\n",
            time.as_secs_f64() * 1000.0,
            time.as_secs_f64() / read.as_secs_f64()
        )
    };
    let report = [
        format!(
            "comparing two templates of {RESOURCES} resources, beside reading and parsing both\n\n"
        ),
        line("reading and parsing both", read),
        line("comparing, nothing changed", unchanged),
        line(&format!("comparing, {count} changes"), changed),
        line("target", TARGET),
    ];
    // Nothing is left to do about a closed standard stream.
    let _ = out.write_all(report.concat().as_bytes());
}

fn median(mut run: impl FnMut() -> bool) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            assert!(std::hint::black_box(run()), "it does what is measured");
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[RUNS / 2]
}

/// Puts the resources of the shipped stacks into one template, several times under other names.
fn template() -> Value {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stacks/golden");
    let mut paths: Vec<_> = std::fs::read_dir(golden)
        .expect("lists")
        .map(|entry| entry.expect("is there").path())
        .collect();
    paths.sort();
    let mut resources = Map::new();
    for (number, path) in paths.iter().enumerate() {
        let mut text = std::fs::read_to_string(path).expect("reads");
        let template: Value = serde_json::from_str(&text).expect("is JSON");
        for id in template["Resources"]
            .as_object()
            .expect("has resources")
            .keys()
        {
            for end in ["}", "."] {
                text = text.replace(&format!("${{{id}{end}"), &format!("${{{id}X{number}{end}"));
            }
            text = text.replace(&format!("\"{id}\""), &format!("\"{id}X{number}\""));
        }
        let mut template: Value = serde_json::from_str(&text).expect("is still JSON");
        if let Some(own) = template["Resources"].as_object_mut() {
            resources.append(own);
        }
    }
    let resources: Map<String, Value> = resources.into_iter().take(RESOURCES).collect();
    assert_eq!(resources.len(), RESOURCES, "the shipped stacks have enough");
    json!({ "Resources": resources })
}

/// Changes every fifth resource: descriptions and statements of policies, and the names of tables.
fn change(template: &mut Value) {
    let resources = template["Resources"]
        .as_object_mut()
        .expect("has resources");
    for body in resources.values_mut().step_by(5) {
        let kind = body["Type"].as_str().unwrap_or_default().to_owned();
        let properties = &mut body["Properties"];
        match kind.as_str() {
            "AWS::DynamoDB::Table" => properties["TableName"] = json!("another"),
            "AWS::IAM::Role" => {
                let more = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"});
                properties["Policies"] =
                    json!([{"PolicyName": "more", "PolicyDocument": {"Statement": [more]}}]);
            }
            _ => properties["Description"] = json!("another"),
        }
    }
}
