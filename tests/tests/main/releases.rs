//! Functions that are released: versions, the alias that names one of them, and going back.

use serde_json::{Value, json};
use system_tests::account::{Account, texts};

use crate::fixture::{Fixture, STACK};

const DEPLOY: [&str; 4] = ["deploy", "--stage", "dev", "--local"];

/// The function of the fixture, as Lambda has it.
struct Worker {
    account: Account,
    name: String,
}

impl Worker {
    fn of(fixture: &Fixture) -> Self {
        let account = fixture.sandbox.account();
        let arguments = [("StackName", STACK), ("LogicalResourceId", "Worker")];
        let resources = account.query(
            "cloudformation",
            "2010-05-15",
            "DescribeStackResources",
            &arguments,
        );
        let name = texts(&resources, "PhysicalResourceId").concat();
        Self { account, name }
    }

    fn get(&self, path: &str) -> Value {
        let path = format!("/2015-03-31/functions/{}{path}", self.name);
        let answer = self.account.get("lambda", &path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// Returns the version that the alias names.
    fn live(&self) -> String {
        text(&self.get("/aliases/live"), "FunctionVersion")
    }

    /// Returns all versions but `$LATEST`.
    fn versions(&self) -> Vec<String> {
        let versions = self.get("/versions");
        let all = versions["Versions"].as_array().expect("is a list");
        all.iter()
            .map(|version| text(version, "Version"))
            .filter(|version| version != "$LATEST")
            .collect()
    }

    /// Returns the hash of the code of a version.
    fn code(&self, version: &str) -> String {
        let path = format!("/configuration?Qualifier={version}");
        text(&self.get(&path), "CodeSha256")
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_release_is_a_version_and_nothing_else_is() {
    let fixture = Fixture::new(&json!({}));
    fixture.describe_released(3, &json!({}));
    fixture.sandbox.succeed(&DEPLOY);
    let worker = Worker::of(&fixture);
    assert_eq!(worker.live(), "1");

    // New code, and the version that runs the old one is still there.
    fixture.change_code("two");
    tells_because_of_what_code_changes(&fixture);
    fixture.sandbox.succeed(&DEPLOY);
    assert_eq!(worker.live(), "2");
    assert_eq!(worker.versions(), ["1", "2"]);
    assert_ne!(worker.code("1"), worker.code("2"));

    // New configuration of the same code.
    fixture.describe_released(5, &json!({}));
    fixture.sandbox.succeed(&DEPLOY);
    assert_eq!(worker.live(), "3");
    assert_eq!(worker.code("2"), worker.code("3"));

    // Nothing new of the function.
    fixture.describe_released(5, &json!({"Topic": {"Type": "AWS::SNS::Topic"}}));
    fixture.sandbox.succeed(&DEPLOY);
    let run = fixture.sandbox.succeed(&DEPLOY);
    assert!(run.stderr.contains("unchanged"), "{run}");
    assert_eq!(worker.live(), "3");

    // What is rolled back does not stay live, and can be released once it is mended.
    let broken = json!({"Type": "AWS::SQS::Queue", "DependsOn": "WorkerAlias", "Properties": {
        "QueueName": {"Fn::ImportValue": "nobody-exports-this"},
    }});
    fixture.describe_released(7, &json!({"Broken": broken}));
    let run = fixture.sandbox.run(&DEPLOY);
    assert_eq!(run.code, Some(1), "{run}");
    assert_eq!(worker.live(), "3");
    // The release before it is deployed again, whether or not somebody deploys the source before it too.
    assert_eq!(deployed_releases(&fixture), [4]);
    fixture.describe_released(5, &json!({"Topic": {"Type": "AWS::SNS::Topic"}}));
    let run = fixture.sandbox.succeed(&DEPLOY);
    assert!(run.stderr.contains("unchanged"), "{run}");
    assert_eq!(deployed_releases(&fixture), [4]);
    let back = ["rollback", "slow", "--stage", "dev", "--local", "--to", "4"];
    let run = fixture.sandbox.succeed(&back);
    assert!(run.stderr.contains("release 4 is deployed"), "{run}");
    fixture.describe_released(7, &json!({}));
    fixture.sandbox.succeed(&DEPLOY);
    let live = worker.live();
    assert!(!["1", "2", "3"].contains(&live.as_str()), "{live}");
    assert_eq!(
        worker.get(&format!("/configuration?Qualifier={live}"))["Timeout"],
        7
    );

    fixture.sandbox.destroy(&[]);
    let inventory = fixture.sandbox.account().inventory_of_systems();
    assert_eq!(inventory["functions"], [""; 0], "{inventory:?}");
}

/// Returns the numbers of the releases of which `history` says that they are deployed.
fn deployed_releases(fixture: &Fixture) -> Vec<u64> {
    let history = ["history", "--stage", "dev", "--local", "--json"];
    let document = fixture.sandbox.succeed(&history).json();
    let releases = document["releases"].as_array().expect("is a list");
    releases
        .iter()
        .filter(|release| release["live"] == true)
        .filter_map(|release| release["release"].as_u64())
        .collect()
}

/// The release that is deployed knows what its code was made from.
fn tells_because_of_what_code_changes(fixture: &Fixture) {
    let diff = ["diff", "--stage", "dev", "--local"];
    let run = fixture.sandbox.succeed(&[&diff[..], &["--json"]].concat());
    let document = run.json();
    let changes = document["stacks"][0]["changes"].as_array();
    let worker = changes
        .and_then(|changes| {
            changes
                .iter()
                .find(|change| change["logical_id"] == "Worker")
        })
        .unwrap_or_else(|| panic!("{run}"));
    let file = json!({"path": "worker/src/main.rs", "package": "slow-worker", "change": "changed"});
    assert_eq!(
        worker["code"],
        json!({"files": [file], "dependencies": []}),
        "{run}"
    );
    let run = fixture.sandbox.succeed(&diff);
    let told = "its code changed: worker/src/main.rs\n";
    assert!(run.stdout.contains(told), "{run}");
}

#[test]
fn code_alone_goes_past_cloudformation_and_the_next_full_deploy_knows() {
    let fixture = Fixture::new(&json!({}));
    let fast = [&DEPLOY[..], &["--fast"]].concat();

    // There is nothing yet that could change.
    let run = fixture.sandbox.succeed(&fast);
    assert!(run.stderr.contains("slow-dev is not deployed yet"), "{run}");
    let worker = Worker::of(&fixture);
    let first = worker.code("$LATEST");
    let updated = || {
        let stacks = fixture.sandbox.account().query(
            "cloudformation",
            "2010-05-15",
            "DescribeStacks",
            &[("StackName", STACK)],
        );
        texts(&stacks, "LastUpdatedTime")
    };
    let before = updated();

    fixture.change_code("two");
    let run = fixture.sandbox.succeed(&fast);
    assert!(run.stderr.contains("slow-dev/Worker"), "{run}");
    let second = worker.code("$LATEST");
    assert_ne!(second, first);
    assert_eq!(updated(), before, "CloudFormation was not asked");
    // A third on top of the second, which is not what CloudFormation knows.
    fixture.change_code("three");
    fixture.sandbox.succeed(&fast);
    let third = worker.code("$LATEST");
    assert!(![&first, &second].contains(&&third));

    // The source goes back to what CloudFormation knows. It finds nothing to do, and still the code is that again.
    fixture.write(
        "worker/src/main.rs",
        "fn main() {\n    let noise: &[u8] = std::hint::black_box(include_bytes!(\"../noise\"));\n    \
         println!(\"{}\", noise.len());\n}\n",
    );
    fixture.sandbox.succeed(&DEPLOY);
    assert_eq!(worker.code("$LATEST"), first);
    assert_eq!(updated(), before);
    let run = fixture.sandbox.succeed(&DEPLOY);
    assert!(run.stderr.contains("unchanged"), "{run}");

    // A full deploy of new code takes over from a fast one.
    fixture.change_code("four");
    fixture.sandbox.succeed(&fast);
    let fourth = worker.code("$LATEST");
    fixture.sandbox.succeed(&DEPLOY);
    assert_eq!(worker.code("$LATEST"), fourth);
    assert_ne!(updated(), before);

    // More than code is no matter for this.
    fixture.describe(&json!({"Topic": {"Type": "AWS::SNS::Topic"}}));
    let run = fixture.sandbox.succeed(&fast);
    assert!(
        run.stderr.contains("the template of slow-dev changes"),
        "{run}"
    );

    // Somebody else gives the function other code.
    let key = fixture.artifact_of(&first);
    let body = json!({"S3Bucket": fixture.bucket(), "S3Key": key});
    let path = format!("/2015-03-31/functions/{}/code", worker.name);
    let headers = [("content-type", "application/json".to_owned())];
    let answer = worker
        .account
        .request("lambda", "PUT", &path, &headers, &body.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    fixture.change_code("five");
    let run = fixture.sandbox.run(&fast);
    assert_eq!(run.code, Some(4), "{run}");
    assert!(run.stderr.contains("somebody changed it"), "{run}");
    assert_eq!(worker.code("$LATEST"), first);
    fixture.sandbox.succeed(&DEPLOY);
    assert_ne!(worker.code("$LATEST"), first);
}

#[test]
fn an_alias_goes_back_and_forth_and_what_nothing_names_is_pruned() {
    let fixture = Fixture::new(&json!({}));
    let place = ["--stage", "dev", "--local"];
    let tool = |arguments: &[&str]| fixture.sandbox.run(&[arguments, &place[..]].concat());
    for code in ["one", "two", "three"] {
        fixture.change_code(code);
        fixture.describe_released(3, &json!({}));
        fixture.sandbox.succeed(&DEPLOY);
    }
    let worker = Worker::of(&fixture);
    assert_eq!(worker.live(), "3");

    let run = tool(&["rollback", "Worker", "--to", "previous", "--json"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(run.json()["functions"][0]["to"], 2);
    assert_eq!(worker.live(), "2");
    assert_eq!(
        tool(&["rollback", "slow/Worker", "--to", "1"]).code,
        Some(0)
    );
    assert_eq!(worker.live(), "1");
    let run = tool(&["rollback", "Worker", "--to", "previous"]);
    assert_eq!(run.code, Some(2), "{run}");
    assert!(run.stderr.contains("1, 2, 3"), "{run}");
    // A deploy of the same source is nothing new, so that what was taken back on purpose stays back: it says so once.
    let run = fixture.sandbox.succeed(&DEPLOY);
    let told = "version 1 is live, and version 3 was deployed last: ";
    assert_eq!(run.stderr.matches(told).count(), 1, "{run}");
    assert!(run.stderr.contains("led it back by hand at"), "{run}");
    let history = tool(&["history", "--json"]).json();
    let led_back = &history["led_back"]["slow-dev"][0];
    assert_eq!(led_back["live"], "1", "{history}");
    assert!(led_back["by_hand"]["by"].is_string(), "{history}");
    assert_eq!(worker.live(), "1");
    assert_eq!(
        tool(&["rollback", "Worker", "--to", "latest"]).code,
        Some(0)
    );
    assert_eq!(worker.live(), "3");

    // All of it is young.
    let run = tool(&["prune", "--keep", "1", "--json"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(run.json()["stacks"][0]["objects"], json!([]));
    assert_eq!(worker.versions(), ["3"]);
    let (old, live) = (worker.code("3"), fixture.artifact_of(&worker.code("3")));
    let run = tool(&["prune", "--keep", "1", "--older-than", "0s", "--json"]);
    let removed = run.json()["stacks"][0]["objects"].clone();
    // Two packages, and what is written down about the releases that need them.
    assert_eq!(removed.as_array().map(Vec::len), Some(4), "{run}");
    assert!(!removed.to_string().contains(&live), "{removed}");
    assert_eq!(fixture.artifact_of(&old), live);
    let run = tool(&["prune", "--keep", "1", "--older-than", "0s"]);
    assert!(run.stderr.contains("nothing to remove"), "{run}");

    // The next release comes after all that.
    fixture.change_code("four");
    fixture.sandbox.succeed(&DEPLOY);
    assert_eq!(worker.live(), "4");
}

/// A release that an earlier one lacks a table of: going back deletes it with its data.
#[test]
fn going_back_in_a_protected_stage_needs_what_a_deploy_needs() {
    let fixture = Fixture::new(&json!({}));
    let config = "[workspace]\nstacks = \"slow-stacks\"\n\n[stages.dev]\nregion = \"us-east-1\"\nprotected = true\n";
    fixture.sandbox.configure(config);
    fixture.sandbox.succeed(&DEPLOY);
    let table = json!({"Orders": {"Type": "AWS::DynamoDB::Table", "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    }}});
    fixture.describe(&table);
    fixture.sandbox.succeed(&DEPLOY);
    let account = fixture.sandbox.account();
    let tables = || {
        let found = account.call("dynamodb", "DynamoDB_20120810.ListTables", &json!({}));
        found["TableNames"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(tables(), 1);

    let back = |more: &[&str]| {
        fixture.elsewhere(&[&["rollback", "slow", "--to", "previous"], more].concat())
    };
    let run = back(&["--yes"]);
    assert_eq!(run.code, Some(4), "{run}");
    assert!(run.stderr.contains("--allow data-loss:Orders"), "{run}");
    assert_eq!(tables(), 1);
    let allowed = ["--allow", "data-loss:Orders"];
    let run = back(&allowed);
    assert_eq!(run.code, Some(4), "it is no yes: {run}");
    assert_eq!(tables(), 1);
    let run = back(&["--yes", "--confirm", "dev"]);
    assert_eq!(run.code, Some(2), "{run}");
    let run = back(&["--yes", allowed[0], allowed[1]]);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(tables(), 0);
}

/// A state machine whose one state says this.
fn machine(says: &str) -> Value {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    json!({
        "ProcessRole": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
        "Process": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
            "RoleArn": {"Fn::GetAtt": ["ProcessRole", "Arn"]},
            "DefinitionString": {"Fn::Join": ["\n", [
                "{", "\"StartAt\": \"Say\",", "\"Comment\": \"${Queue} ${Url} ${Worker}\",", "\"States\": {\"Say\": {",
                format!("\"Type\": \"Pass\", \"Result\": \"{says}\", \"End\": true"), "}}", "}"]]},
            "DefinitionSubstitutions": {
                "Queue": {"Fn::GetAtt": ["Queue", "Arn"]},
                "Url": {"Ref": "Queue"},
                "Worker": {"Fn::GetAtt": ["Worker", "Arn"]},
            },
        }},
    })
}

#[test]
fn a_definition_alone_goes_past_cloudformation_and_the_next_full_deploy_gives_it_back() {
    let fixture = Fixture::new(&machine("one"));
    let fast = [&DEPLOY[..], &["--fast"]].concat();
    let account = fixture.sandbox.account();
    fixture.sandbox.succeed(&DEPLOY);
    let arguments = [("StackName", STACK), ("LogicalResourceId", "Process")];
    let version = "2010-05-15";
    let resources = account.query(
        "cloudformation",
        version,
        "DescribeStackResources",
        &arguments,
    );
    let arn = texts(&resources, "PhysicalResourceId").concat();
    let states = |action: &str, arguments: &Value| {
        account.call("states", &format!("AWSStepFunctions.{action}"), arguments)
    };
    let definition = || {
        let found = states("DescribeStateMachine", &json!({ "stateMachineArn": arn }));
        let text = text(&found, "definition");
        serde_json::from_str::<Value>(&text).expect("a definition is JSON")
    };
    let says = || text(&definition()["States"]["Say"], "Result");
    let fast_of_status = || {
        let run = fixture
            .sandbox
            .succeed(&["status", "--stage", "dev", "--local", "--json"]);
        run.json()["stacks"][0]["fast"].clone()
    };
    let first = definition();
    assert_eq!(says(), "one");
    assert_eq!(fast_of_status(), Value::Null);

    // Two times in a row, and everything but the state stays: what it names, too.
    for text in ["two", "three"] {
        fixture.describe(&machine(text));
        let run = fixture.sandbox.succeed(&fast);
        assert!(run.stderr.contains("slow-dev/Process"), "{run}");
        assert_eq!(says(), text);
        assert_eq!(definition()["Comment"], first["Comment"]);
    }
    assert_eq!(fast_of_status(), json!(["Process"]));
    let run = fixture
        .sandbox
        .succeed(&["status", "--stage", "dev", "--local"]);
    assert!(
        run.stderr
            .contains("CloudFormation does not know what `deploy --fast` gave Process"),
        "{run}"
    );

    // CloudFormation finds nothing to change, and still the definition is that again.
    fixture.describe(&machine("one"));
    fixture.sandbox.succeed(&DEPLOY);
    assert_eq!(definition(), first);
    assert_eq!(fast_of_status(), Value::Null);

    // A full deploy takes over from a fast one.
    fixture.describe(&machine("four"));
    fixture.sandbox.succeed(&fast);
    fixture.sandbox.succeed(&DEPLOY);
    assert_eq!(says(), "four");
    assert_eq!(fast_of_status(), Value::Null);

    // Somebody else changes it.
    let theirs = json!({"StartAt": "Say", "States": {"Say": {"Type": "Succeed"}}}).to_string();
    states(
        "UpdateStateMachine",
        &json!({"stateMachineArn": arn, "definition": theirs}),
    );
    fixture.describe(&machine("five"));
    let run = fixture.sandbox.run(&fast);
    assert_eq!(run.code, Some(4), "{run}");
    assert!(run.stderr.contains("somebody changed it"), "{run}");
    fixture.sandbox.succeed(&DEPLOY);
    assert_eq!(says(), "five");
}
