//! What only AWS knows: a change that may replace a function, and with it a queue whose name is made of the function's.

use std::fs;

use serde_json::{Value, json};
use system_tests::account::texts;

use crate::fixture::Fixture;
use crate::workspace::{described, hash};

const CONFIG: &str = "[workspace]\nstacks = \"slow-stacks\"\n\n[stages.dev]\nregion = \"us-east-1\"\nprotected = true\n";

/// Replaces the stacks of the workspace by one. The registry says that its function may be replaced where this changes, and
/// not when (`conditionalCreateOnlyProperties`); the engine says so of it in change sets, and keeps the name.
fn describe(fixture: &Fixture, durable: &Value) {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let resources = json!({
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
        "Worker": {"Type": "AWS::Lambda::Function", "Properties": {
            "Runtime": "nodejs22.x", "Handler": "index.handler",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"ZipFile": "exports.handler = async () => null;"},
            "DurableConfig": durable,
        }},
        "Letters": {"Type": "AWS::SQS::Queue", "Properties": {
            "QueueName": {"Fn::Sub": "${Worker}-letters"},
        }},
    });
    let template = json!({
        "Resources": resources,
        "Outputs": {"Url": {"Value": {"Ref": "Letters"}}, "Worker": {"Value": {"Ref": "Worker"}}},
    })
    .to_string();
    let assembly = fixture.workspace().join("assembly");
    let write = |name: &str, text: &str| {
        fs::write(assembly.join(name), text).expect("the workspace can be written");
    };
    write("post-dev.template.json", &template);
    let manifest = json!({
        "format": 1, "stage": "dev", "contracts": {}, "assets": {},
        "stacks": [{
            "name": "post-dev", "id": "post", "sha256": hash(&template),
            "template": "post-dev.template.json", "capabilities": ["CAPABILITY_IAM"],
            "resources": described(&resources),
        }],
    });
    write("manifest.json", &manifest.to_string());
}

#[test]
fn what_may_be_replaced_is_told_has_to_be_allowed_and_may_stay() {
    let fixture = Fixture::new(&json!({}));
    fixture.sandbox.configure(CONFIG);
    describe(&fixture, &json!({"ExecutionTimeout": 60}));
    fixture
        .sandbox
        .succeed(&["deploy", "--stage", "dev", "--local"]);
    let outputs = fixture.sandbox.outputs("post");
    let [url, worker] = ["Url", "Worker"].map(|key| outputs.text("post-dev", key));
    let account = fixture.sandbox.account();
    let letter = json!({"QueueUrl": url, "MessageBody": "precious"});
    account.call("sqs", "AmazonSQS.SendMessage", &letter);

    describe(&fixture, &json!({"ExecutionTimeout": 120}));
    let plan = fixture.elsewhere(&["diff", "--json"]).json();
    let changes = plan["stacks"][0]["changes"].as_array().cloned();
    let changes = changes.expect("something changes");
    let change = |id: &str| {
        let found = changes.iter().find(|change| change["logical_id"] == id);
        found.unwrap_or_else(|| panic!("no {id} in {plan}"))
    };
    for (id, grade) in [("Worker", "replacement"), ("Letters", "data_loss")] {
        let change = change(id);
        assert_eq!(change["action"], "update", "{change}");
        assert_eq!(change["perhaps"], true, "{change}");
        assert_eq!(change["grade"], grade, "{change}");
    }
    let told = fixture.elsewhere(&["diff"]);
    let text = format!("{}{}", told.stdout, told.stderr);
    assert!(
        text.contains("it refers to Worker, which may be replaced"),
        "{told}"
    );

    // CloudFormation says the same of both.
    let beside = fixture
        .elsewhere(&["diff", "--change-set", "--json"])
        .json();
    let beside = &beside["stacks"][0]["changes"];
    assert_eq!(beside, &plan["stacks"][0]["changes"], "{beside}");

    let refused = fixture.elsewhere(&["deploy", "--yes"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(
        refused.stderr.contains("--allow data-loss:Letters"),
        "{refused}"
    );
    let allowed = fixture.elsewhere(&["deploy", "--yes", "--allow", "data-loss:Letters"]);
    assert_eq!(allowed.code, Some(0), "{allowed}");

    // It was an if: both are what they were.
    let outputs = fixture.sandbox.outputs("post");
    let after = ["Url", "Worker"].map(|key| outputs.text("post-dev", key));
    assert_eq!(after, [url.clone(), worker.clone()]);
    // The engine tells nothing of `DurableConfig`, so what CloudFormation holds has to say that it changed.
    let again = fixture.elsewhere(&["diff", "--exit-code"]);
    assert_eq!(again.code, Some(0), "{again}");
    let wanted = json!({"QueueUrl": url});
    let found = account.call("sqs", "AmazonSQS.ReceiveMessage", &wanted);
    assert_eq!(found["Messages"][0]["Body"], "precious", "{found}");
    let stack = [("StackName", "post-dev")];
    let listed = account.query("cloudformation", "2010-05-15", "ListChangeSets", &stack);
    let waiting = texts(&listed, "ExecutionStatus");
    assert!(
        waiting.iter().all(|status| status == "EXECUTE_COMPLETE"),
        "{waiting:?}"
    );
}
