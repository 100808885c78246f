//! What `stackctl diff --against` does between reading the templates and showing the plan: one stack of 500 resources of the
//! shipped systems with parameters, conditions and outputs, a fifth of the resources changed, beside reading and parsing the
//! two files. The exit code is 1 where the comparison takes longer than it may.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use deployer::engine::plan::{App, Plan, Registry, Side, defaults, pseudo_parameters};
use serde_json::{Map, Value, json};
use stack_model::assembly::StackManifest;

/// How many resources a stack may have.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>.
const RESOURCES: usize = 500;

/// How many parameters a stack may have, and how many outputs.
const OTHERS: usize = 200;

/// The most that a comparison may take.
const TARGET: Duration = Duration::from_millis(50);

/// How often everything is repeated; the median counts.
const RUNS: usize = 31;

fn main() -> ExitCode {
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
    let manifest: StackManifest = serde_json::from_value(json!({
        "name": "bench-prod", "id": "bench", "template": "bench.json", "sha256": "",
    }))
    .expect("is a manifest");
    let count = |plan: &Plan| -> (usize, usize) {
        let stacks = plan.stacks.iter();
        stacks.fold((0, 0), |(changes, other), stack| {
            (changes + stack.changes.len(), other + stack.other.len())
        })
    };
    let (changes, other) = count(&planned(&manifest, &old, &new));
    assert!(
        changes >= RESOURCES / 5 && other > 0,
        "{changes} changes, and {other} besides"
    );
    let unchanged = median(|| count(&planned(&manifest, &old, &old)) == (0, 0));
    let of_changes = median(|| count(&planned(&manifest, &old, &new)) == (changes, other));
    let is_over = of_changes > TARGET || unchanged > TARGET;
    let mut out = std::io::stdout();
    let line = |what: &str, time: Duration| {
        format!(
            "{what:44} {:8.2} ms {:6.2}\n",
            time.as_secs_f64() * 1000.0,
            time.as_secs_f64() / read.as_secs_f64()
        )
    };
    let of = |section: &str| old[section].as_object().map_or(0, Map::len);
    let report = [
        format!(
            "comparing two templates of {RESOURCES} resources, {} parameters, {} conditions and {} outputs as `diff --against` does, \
             beside reading and parsing both\n\n",
            of("Parameters"),
            of("Conditions"),
            of("Outputs")
        ),
        line("reading and parsing both", read),
        line("comparing, nothing changed", unchanged),
        line(
            &format!("comparing, {changes} changes, {other} besides"),
            of_changes,
        ),
        line("target", TARGET),
        (if is_over {
            "the comparison takes longer than it may\n"
        } else {
            ""
        })
        .to_owned(),
    ];
    // Nothing is left to do about a closed standard stream.
    let _ = out.write_all(report.concat().as_bytes());
    if is_over {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Compares two templates of a stack as the command does: with the values of parameters, and what follows for the other stacks
/// of the app.
fn planned(manifest: &StackManifest, old: &Value, new: &Value) -> Plan {
    let side = |template| {
        let mut parameters = defaults(template);
        parameters.extend(pseudo_parameters(
            &manifest.name,
            None,
            Some("123456789012"),
            Some("eu-west-1"),
        ));
        Side {
            template: Some(template),
            parameters,
            tags: manifest.tags.clone(),
        }
    };
    let mut app = App::default();
    let compared = app.compare(
        manifest,
        &BTreeMap::new(),
        &side(old),
        &side(new),
        &Registry,
    );
    app.finish(vec![compared])
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

/// Puts the shipped stacks into one template, several times under other names, with as much of each section as a stack may
/// have. No shipped stack has conditions: a fifth of the resources and of the outputs get one of two.
fn template() -> Value {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stacks/golden");
    let mut paths: Vec<_> = std::fs::read_dir(golden)
        .expect("lists")
        .map(|entry| entry.expect("is there").path())
        .collect();
    paths.sort();
    let most = [
        ("Resources", RESOURCES),
        ("Parameters", OTHERS),
        ("Outputs", OTHERS),
    ];
    let mut whole: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for (number, path) in paths.iter().enumerate() {
        let mut text = std::fs::read_to_string(path).expect("reads");
        let template: Value = serde_json::from_str(&text).expect("is JSON");
        let names = |section: &str| -> Vec<String> {
            let entries = template[section].as_object();
            entries.into_iter().flat_map(Map::keys).cloned().collect()
        };
        // What a parameter is called, a property may be called, too.
        let ids = names("Resources").into_iter().map(|id| (id, ""));
        let parameters = names("Parameters")
            .into_iter()
            .map(|name| (name, "\"Ref\": "));
        for (name, before) in ids.chain(parameters) {
            for end in ["}", "."] {
                text = text.replace(
                    &format!("${{{name}{end}"),
                    &format!("${{{name}X{number}{end}"),
                );
            }
            text = text.replace(
                &format!("{before}\"{name}\""),
                &format!("{before}\"{name}X{number}\""),
            );
        }
        let mut template: Value = serde_json::from_str(&text).expect("is still JSON");
        for (section, _) in most {
            let Some(own) = template[section].as_object_mut() else {
                continue;
            };
            let end = format!("X{number}");
            let renamed = std::mem::take(own).into_iter().map(|(name, entry)| {
                let is_renamed = section == "Resources" && name.ends_with(&end);
                (if is_renamed { name } else { name + &end }, entry)
            });
            whole.entry(section).or_default().extend(renamed);
        }
    }
    let mut template = json!({
        "Description": "one",
        "Conditions": {
            "IsHere": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]},
            "IsKnown": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AWS::StackId"}, ""]}]},
        },
    });
    for (section, most) in most {
        let all = whole.remove(section).unwrap_or_default();
        let some: Map<String, Value> = all.into_iter().take(most).collect();
        template[section] = Value::Object(some);
    }
    let count = template["Resources"].as_object().map_or(0, Map::len);
    assert_eq!(count, RESOURCES, "the shipped stacks have enough");
    for section in ["Resources", "Outputs"] {
        let entries = template[section].as_object_mut().expect("is a section");
        for (number, entry) in entries.values_mut().skip(1).step_by(5).enumerate() {
            entry["Condition"] = json!(["IsHere", "IsKnown"][number % 2]);
        }
    }
    template
}

/// Changes every fifth resource and output: descriptions and statements of policies, and the names of tables.
fn change(template: &mut Value) {
    template["Description"] = json!("another");
    let outputs = template["Outputs"].as_object_mut().expect("has outputs");
    for output in outputs.values_mut().step_by(5) {
        output["Value"] = json!("another");
    }
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
