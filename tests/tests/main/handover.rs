//! What stacks take from each other, and what a removal leaves.

use std::fs;

use serde_json::{Value, json};
use system_tests::account::texts;
use system_tests::poll::{PATIENCE, eventually};
use system_tests::sandbox::Run;

use crate::fixture::{Fixture, STACK};
use crate::workspace::hash;

const PLACE: [&str; 4] = ["--stage", "dev", "--local", "--json"];

/// Replaces the stacks of the workspace: names, those they depend on, resources, and exports by key.
fn describe(fixture: &Fixture, stacks: &[(&str, &[&str], Value, Value)]) {
    let assembly = fixture.workspace().join("assembly");
    let manifests: Vec<Value> = stacks
        .iter()
        .map(|(name, depends_on, resources, exports)| {
            let outputs: Value = exports
                .as_object()
                .expect("exports are an object")
                .iter()
                .map(|(key, value)| {
                    let export =
                        json!({"Value": value, "Export": {"Name": format!("{name}-{key}")}});
                    (key.clone(), export)
                })
                .collect();
            let template = json!({"Resources": resources, "Outputs": outputs}).to_string();
            fs::write(assembly.join(format!("{name}.template.json")), &template)
                .expect("the workspace can be written");
            json!({
                "name": name, "id": name.trim_end_matches("-dev"), "sha256": hash(&template),
                "template": format!("{name}.template.json"), "depends_on": depends_on,
            })
        })
        .collect();
    let manifest =
        json!({"format": 1, "stage": "dev", "contracts": {}, "assets": {}, "stacks": manifests});
    fs::write(assembly.join("manifest.json"), manifest.to_string())
        .expect("the workspace can be written");
}

fn queue() -> Value {
    json!({"Type": "AWS::SQS::Queue"})
}

/// A resource that shows what is imported.
fn reader(export: &str) -> Value {
    json!({"Seen": {"Type": "AWS::SSM::Parameter", "Properties": {
        "Name": "/handover/seen", "Type": "String", "Value": {"Fn::ImportValue": export},
    }}})
}

fn positions(run: &Run, kind: &str, stack: &str) -> Vec<usize> {
    let lines = run.json_lines();
    let lines = lines.iter().enumerate();
    lines
        .filter(|(_, line)| line["type"] == kind && line["stack"] == stack)
        .map(|(position, _)| position)
        .collect()
}

#[test]
fn stacks_let_go_of_each_other_in_one_deploy_and_go_in_the_order_of_what_is_deployed() {
    let fixture = Fixture::new(&json!({}));
    let run = |verb: &str| fixture.sandbox.succeed(&[&[verb], &PLACE[..]].concat());
    let old = json!({"Old": queue()});
    describe(
        &fixture,
        &[
            ("base-dev", &[], old, json!({"Old": {"Ref": "Old"}})),
            (
                "reader-dev",
                &["base-dev"],
                reader("base-dev-Old"),
                json!({}),
            ),
        ],
    );
    run("deploy");

    // The importer needs what is new in the same stack, so neither can be updated first as a whole.
    let new = json!({"New": queue()});
    describe(
        &fixture,
        &[
            ("base-dev", &[], new.clone(), json!({"New": {"Ref": "New"}})),
            (
                "reader-dev",
                &["base-dev"],
                reader("base-dev-New"),
                json!({}),
            ),
        ],
    );
    let deploy = run("deploy");
    let kept = positions(&deploy, "exports_kept", "base-dev");
    let base = positions(&deploy, "stack_finished", "base-dev");
    let importer = positions(&deploy, "stack_finished", "reader-dev");
    assert!(
        kept.len() == 1 && base.len() == 2 && importer.len() == 1,
        "{deploy}"
    );
    assert!(
        kept < base && base[0] < importer[0] && importer[0] < base[1],
        "{deploy}"
    );
    let account = fixture.sandbox.account();
    let resources = account.query(
        "cloudformation",
        "2010-05-15",
        "ListStackResources",
        &[("StackName", "base-dev")],
    );
    assert_eq!(
        texts(&resources, "LogicalResourceId"),
        ["New"],
        "{resources}"
    );
    let again = run("deploy");
    assert!(
        positions(&again, "exports_kept", "base-dev").is_empty(),
        "{again}"
    );

    // The source knows nothing of the import any more; CloudFormation does, and deletes no export in use.
    describe(
        &fixture,
        &[
            ("base-dev", &[], new, json!({"New": {"Ref": "New"}})),
            ("reader-dev", &[], json!({"Alone": queue()}), json!({})),
        ],
    );
    let destroy = run("destroy");
    let gone = |stack| positions(&destroy, "stack_finished", stack);
    assert!(gone("reader-dev") < gone("base-dev"), "{destroy}");
}

/// Deploys a stack that another one imports from, and declares that what it exports is renamed.
fn renamed(fixture: &Fixture) {
    let called = |name: &str| {
        let exports = json!({name: {"Ref": name}});
        let import = format!("base-dev-{name}");
        describe(
            fixture,
            &[
                ("base-dev", &[], json!({name: queue()}), exports),
                ("reader-dev", &["base-dev"], reader(&import), json!({})),
            ],
        );
    };
    called("Old");
    fixture.sandbox.succeed(&[&["deploy"], &PLACE[..]].concat());
    called("New");
    let path = fixture.workspace().join("assembly/manifest.json");
    let manifest = fs::read(&path).expect("it was written");
    let mut manifest: Value = serde_json::from_slice(&manifest).expect("is JSON");
    manifest["stacks"][0]["moved"] = json!({"Old": "New"});
    fs::write(&path, manifest.to_string()).expect("the workspace can be written");
}

/// Before and after the exporter is deployed, alone and with it: the importer names the same value under another name.
#[test]
fn importers_of_what_is_renamed_are_told_the_same_whatever_is_compared() {
    let fixture = Fixture::new(&json!({}));
    renamed(&fixture);
    let told = |stacks: &[&str]| {
        let arguments = [&["diff"], stacks, &PLACE[..]].concat();
        let plan = fixture.sandbox.succeed(&arguments).json();
        let all = plan["stacks"].as_array().cloned().unwrap_or_default();
        let reader = all.into_iter().find(|it| it["stack"] == "reader-dev");
        reader.map(|it| it["changes"].clone()).unwrap_or_default()
    };
    let before = told(&[]);
    assert_eq!(before[0]["grade"], "none", "{before}");
    let reason = "it imports the same value as before, which is exported under another name";
    assert_eq!(before[0]["reasons"], json!([reason]), "{before}");
    let deploy = [&["deploy", "base"], &PLACE[..]].concat();
    fixture.sandbox.succeed(&deploy);
    assert_eq!(told(&[]), before);
    assert_eq!(told(&["reader"]), before);
}

/// The value that they import is the same, only its export has another name.
#[test]
fn importers_go_over_to_the_new_name_of_what_is_renamed() {
    let fixture = Fixture::new(&json!({}));
    let run = |verb: &[&str]| fixture.sandbox.succeed(&[verb, &PLACE[..]].concat());
    renamed(&fixture);

    let deploy = run(&["deploy"]);
    let kept = positions(&deploy, "exports_kept", "base-dev");
    assert_eq!(kept.len(), 1, "{deploy}");
    let account = fixture.sandbox.account();
    // The engine's list of exports keeps what an update took away, so the stack is asked.
    let stack = [("StackName", "base-dev")];
    let described = account.query("cloudformation", "2010-05-15", "DescribeStacks", &stack);
    assert_eq!(
        texts(&described, "ExportName"),
        ["base-dev-New"],
        "{deploy}"
    );
    // What was deployed is what is wanted.
    run(&["diff", "--exit-code"]);
}

#[test]
fn what_others_import_is_not_replaced_under_them() {
    let fixture = Fixture::new(&json!({}));
    let run = |verb: &[&str]| fixture.sandbox.run(&[verb, &PLACE[..]].concat());
    let called = |name: &str| json!({"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}});
    let exports = json!({"Queue": {"Ref": "Queue"}});
    describe(
        &fixture,
        &[
            ("base-dev", &[], called("first"), exports),
            (
                "reader-dev",
                &["base-dev"],
                reader("base-dev-Queue"),
                json!({}),
            ),
        ],
    );
    fixture.sandbox.succeed(&[&["deploy"], &PLACE[..]].concat());

    // The queue is replaced, its export is given up, and nobody needs it any more; another stack is new.
    let account = fixture.sandbox.account();
    let alone = json!({"Alone": queue()});
    describe(
        &fixture,
        &[
            ("alone-dev", &[], alone.clone(), json!({})),
            ("base-dev", &[], called("second"), json!({})),
            ("reader-dev", &[], alone, json!({})),
        ],
    );
    // No source is another one, so that names are looked for in what was rendered last.
    fixture.sandbox.succeed(&["synth", "--stage", "dev"]);
    let diff = run(&["diff", "alone", "base", "--out", "plan"]);
    assert_eq!(diff.code, Some(1), "{diff}");
    assert!(
        diff.stderr
            .contains("this cannot be deployed: base-dev/Queue"),
        "{diff}"
    );
    let queue = &diff.json()["stacks"][1]["changes"][0];
    assert_eq!(queue["grade"], "impossible", "{diff}");
    let refused = run(&["deploy", "alone", "base"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    let said = refused.stdout.clone() + &refused.stderr;
    assert!(said.contains("deploy reader-dev first"), "{refused}");
    let stacks = account.query("cloudformation", "2010-05-15", "DescribeStacks", &[]);
    let mut names = texts(&stacks, "StackName");
    names.sort();
    assert_eq!(names, ["base-dev", "reader-dev"], "nothing was changed");
    let outputs = fixture.sandbox.outputs("base").text("base-dev", "Queue");
    assert!(outputs.ends_with("/first"), "{outputs}");

    // All of them in one deploy: the importer goes first, and the stack is updated once.
    let deploy = run(&["deploy"]);
    assert_eq!(deploy.code, Some(0), "{deploy}");
    let base = positions(&deploy, "stack_finished", "base-dev");
    let importer = positions(&deploy, "stack_finished", "reader-dev");
    let begun = positions(&deploy, "stack_started", "base-dev");
    assert_eq!((base.len(), importer.len()), (1, 1), "{deploy}");
    assert!(importer < begun, "{deploy}");
    assert!(
        positions(&deploy, "exports_kept", "base-dev").is_empty(),
        "{deploy}"
    );
    let queues = account.call("sqs", "AmazonSQS.ListQueues", &json!({}));
    let urls = queues["QueueUrls"].to_string();
    assert!(
        urls.contains("/second") && !urls.contains("/first"),
        "{urls}"
    );
    let again = run(&["deploy"]);
    let summary = again.json_lines().pop().unwrap_or_default();
    for stack in summary["stacks"].as_array().into_iter().flatten() {
        assert_eq!(stack["outcome"], "unchanged", "{again}");
    }
}

#[test]
fn a_removal_takes_the_logs_of_functions_and_names_what_it_keeps() {
    let fixture = Fixture::new(&json!({
        "Kept": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"},
    }));
    let run = |verb: &str| fixture.sandbox.succeed(&[&[verb], &PLACE[..]].concat());
    run("deploy");
    let account = fixture.sandbox.account();
    let resources = account.query(
        "cloudformation",
        "2010-05-15",
        "ListStackResources",
        &[("StackName", STACK)],
    );
    let function = texts(&resources, "PhysicalResourceId")
        .into_iter()
        .find(|id| id.contains("Worker"))
        .expect("there is a function");
    // As Lambda does it at the first call of a function whose role allows it.
    for name in [
        format!("/aws/lambda/{function}"),
        "/aws/lambda/slow-dev-other".to_owned(),
    ] {
        account.call(
            "logs",
            "Logs_20140328.CreateLogGroup",
            &json!({ "logGroupName": name }),
        );
    }
    let destroy = run("destroy");
    let lines = destroy.json_lines();
    let summary = lines.last().expect("the last line is the summary");
    let kept = &summary["stacks"][0]["ledger"][0];
    assert_eq!(kept["logical_id"], "Kept", "{destroy}");
    assert!(
        kept["remove"][0]
            .as_str()
            .is_some_and(|command| command.starts_with("aws sqs delete-queue")),
        "{kept}"
    );
    assert_eq!(summary["survivors"], json!([]), "{destroy}");
    let groups = account.call("logs", "Logs_20140328.DescribeLogGroups", &json!({}));
    let names: Vec<&Value> = groups["logGroups"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|group| &group["logGroupName"])
        .collect();
    assert_eq!(
        names,
        ["/aws/lambda/slow-dev-other"],
        "what is not of the stack stays"
    );
    let ledger = fixture.sandbox.state_dir().join("retained/dev.json");
    let text = fs::read_to_string(&ledger).expect("it is written down");
    assert!(text.contains("aws sqs delete-queue"), "{text}");
    assert!(
        !fixture.sandbox.state_dir().join("removing").exists(),
        "all is done"
    );

    // What is written down takes the queue back, and the next deploy makes the rest around it.
    take_back(&fixture, &summary["stacks"][0]["adopt"][0]["adopt"]);
    run("deploy");
    assert!(!ledger.exists(), "nobody removes a queue that is in use");
    let resources = account.query(
        "cloudformation",
        "2010-05-15",
        "ListStackResources",
        &[("StackName", STACK)],
    );
    let ids = texts(&resources, "PhysicalResourceId");
    let queue = kept["physical_id"].as_str().expect("it has one");
    assert!(ids.iter().any(|id| id == queue), "{resources}");
    assert!(ids.iter().any(|id| id.contains("Worker")), "{resources}");
}

/// Does what the commands say that take back what a removal kept.
fn take_back(fixture: &Fixture, commands: &Value) {
    let account = fixture.sandbox.account();
    let commands: Vec<&str> = commands
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let [create, _, execute, _, tag, _] = commands.as_slice() else {
        panic!("{commands:?}");
    };
    assert!(
        tag.contains("update-stack") && tag.contains("stackctl:stage"),
        "{tag}"
    );
    assert!(
        execute.starts_with(&format!(
            "aws cloudformation execute-change-set --stack-name {STACK} --change-set-name adopt "
        )),
        "{execute}"
    );
    let words: Vec<&str> = create.split(' ').collect();
    let argument = |name: &str| {
        let at = words.iter().position(|word| *word == name);
        let word = at.and_then(|at| words.get(at + 1));
        word.unwrap_or_else(|| panic!("{name} in {create}"))
            .trim_matches('\'')
    };
    let file = argument("--template-body")
        .strip_prefix("file://")
        .expect("it is a file");
    let template = fs::read_to_string(file).expect("it was written");
    let imports: Value =
        serde_json::from_str(argument("--resources-to-import")).expect("it is JSON");
    let text = |value: &Value| value.as_str().expect("it is a text").to_owned();
    let import = &imports[0];
    let (property, id) = import["ResourceIdentifier"]
        .as_object()
        .and_then(|by| by.iter().next())
        .expect("it is identified");
    let arguments = [
        ("StackName", STACK.to_owned()),
        ("ChangeSetName", argument("--change-set-name").to_owned()),
        ("ChangeSetType", argument("--change-set-type").to_owned()),
        ("TemplateBody", template),
        (
            "ResourcesToImport.member.1.ResourceType",
            text(&import["ResourceType"]),
        ),
        (
            "ResourcesToImport.member.1.LogicalResourceId",
            text(&import["LogicalResourceId"]),
        ),
        (
            "ResourcesToImport.member.1.ResourceIdentifier.entry.1.key",
            property.clone(),
        ),
        (
            "ResourcesToImport.member.1.ResourceIdentifier.entry.1.value",
            text(id),
        ),
    ];
    let arguments: Vec<(&str, &str)> = arguments
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    account.query(
        "cloudformation",
        "2010-05-15",
        "CreateChangeSet",
        &arguments,
    );
    let named = [("StackName", STACK), ("ChangeSetName", "adopt")];
    let ask = |action: &str| account.query("cloudformation", "2010-05-15", action, &named);
    eventually("the change set", PATIENCE, || {
        texts(&ask("DescribeChangeSet"), "ExecutionStatus")
            .contains(&"AVAILABLE".to_owned())
            .then_some(())
    });
    ask("ExecuteChangeSet");
    eventually("the import", PATIENCE, || {
        let stack = account.query(
            "cloudformation",
            "2010-05-15",
            "DescribeStacks",
            &[("StackName", STACK)],
        );
        texts(&stack, "StackStatus")
            .contains(&"IMPORT_COMPLETE".to_owned())
            .then_some(())
    });
}
