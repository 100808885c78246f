//! Smoke checks: a route that does not answer as its stack says fails the deploy and leads released functions back.

use std::fs;

use serde_json::{Value, json};
use system_tests::account::texts;
use system_tests::http;
use system_tests::proxy::Proxy;

use crate::fixture::{Fixture, RUNTIME, STACK};
use crate::shipped;
use crate::workspace::hash;

const DEPLOY: [&str; 4] = ["deploy", "--stage", "dev", "--local"];

/// An API with one route, which answers by itself.
fn api() -> Value {
    json!({
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "slow"}},
        "Health": {"Type": "AWS::ApiGateway::Resource", "Properties": {
            "RestApiId": {"Ref": "Api"}, "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]}, "PathPart": "health",
        }},
        "ReadHealth": {"Type": "AWS::ApiGateway::Method", "Properties": {
            "RestApiId": {"Ref": "Api"}, "ResourceId": {"Ref": "Health"}, "HttpMethod": "GET", "AuthorizationType": "NONE",
            "Integration": {
                "Type": "MOCK", "RequestTemplates": {"application/json": "{\"statusCode\": 200}"},
                "IntegrationResponses": [{"StatusCode": "200"}],
            },
            "MethodResponses": [{"StatusCode": "200"}],
        }},
        "ApiDeployment": {
            "Type": "AWS::ApiGateway::Deployment", "DependsOn": ["ReadHealth"], "Properties": {"RestApiId": {"Ref": "Api"}},
        },
        "Live": {"Type": "AWS::ApiGateway::Stage", "Properties": {
            "RestApiId": {"Ref": "Api"}, "DeploymentId": {"Ref": "ApiDeployment"}, "StageName": "live",
        }},
    })
}

/// Describes the stack with a check that its route answers with a status.
fn describe(fixture: &Fixture, status: u16) {
    fixture.describe_released(3, &api());
    let name = "assembly/manifest.json";
    let text = fs::read_to_string(fixture.workspace().join(name)).expect("it was written");
    let mut manifest: Value = serde_json::from_str(&text).expect("it is JSON");
    manifest["stacks"][0]["smoke"] = json!({"HealthAnswers": {
        "api": "Api", "stage": "Live", "method": "GET", "path": "/health", "status": status,
    }});
    fixture.write(name, &manifest.to_string());
}

/// Returns the version that the alias of the function names.
fn live(fixture: &Fixture) -> String {
    live_of(fixture, STACK, "Worker")
}

/// Does the same for a function of another stack.
fn live_of(fixture: &Fixture, stack: &str, function: &str) -> String {
    let account = fixture.sandbox.account();
    let arguments = [("StackName", stack), ("LogicalResourceId", function)];
    let resources = account.query(
        "cloudformation",
        "2010-05-15",
        "DescribeStackResources",
        &arguments,
    );
    let name = texts(&resources, "PhysicalResourceId").concat();
    let path = format!("/2015-03-31/functions/{name}/aliases/live");
    let answer = account.get("lambda", &path);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let version = answer.json()["FunctionVersion"].clone();
    version.as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_check_that_fails_leads_the_release_back_and_the_next_one_leads_on() {
    let fixture = Fixture::new(&json!({}));
    describe(&fixture, 200);
    let run = fixture.sandbox.succeed(&[&DEPLOY[..], &["-v"]].concat());
    assert!(
        run.stderr.contains("slow-dev/HealthAnswers: GET")
            && run.stderr.contains("answered with 200"),
        "{run}"
    );
    assert!(run.stderr.contains("1 API stage as deployed"), "{run}");
    assert_eq!(live(&fixture), "1");

    // The route answers with 200, as before, and this release asks for more.
    fixture.change_code("two");
    describe(&fixture, 418);
    let run = fixture.sandbox.run(&DEPLOY);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(
        run.stderr
            .contains("is answered with 200, and should be with 418"),
        "{run}"
    );
    assert!(
        run.stderr
            .contains("slow-dev/WorkerAlias: led back from version 2 to 1"),
        "{run}"
    );
    assert_eq!(live(&fixture), "1");
    let run = fixture
        .sandbox
        .run(&["history", "--stage", "dev", "--local"]);
    assert_eq!(run.code, Some(0), "{run}");
    let told = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains(
            "is deployed, failed its check HealthAnswers, WorkerAlias led back to version 1"
        ),
        "{run}"
    );
    let run = fixture
        .sandbox
        .run(&["status", "--stage", "dev", "--local"]);
    assert!(
        run.stderr
            .contains("slow-dev/Worker: version 1 is live, and version 2 was deployed last"),
        "{run}"
    );

    // Every deploy fails until the function is mended, and a plan that changes nothing says why.
    assert!(run.stdout.contains("stackctl deploy slow-dev"), "{run}");
    let run = fixture
        .sandbox
        .succeed(&["diff", "--stage", "dev", "--local"]);
    assert!(
        run.stdout
            .contains("Worker: version 1 is live, and version 2 was deployed last"),
        "{run}"
    );

    let run = fixture
        .sandbox
        .succeed(&["explain", "--stage", "dev", "--local"]);
    assert!(
        run.stderr
            .contains("it was led back, because its check failed")
            && run.stdout.contains("next: mend Worker and deploy it"),
        "{run}"
    );

    // The version before answers as it should, and it is not what was asked for.
    describe(&fixture, 200);
    let run = fixture.sandbox.run(&DEPLOY);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(run.stderr.contains("answered with 200"), "{run}");
    assert!(
        run.stderr
            .contains("version 1 is live, and version 2 was deployed last")
            && run.stderr.contains("rollback slow-dev/Worker --to 2"),
        "{run}"
    );
    assert_eq!(live(&fixture), "1");

    fixture.change_code("three");
    describe(&fixture, 200);
    fixture.sandbox.succeed(&DEPLOY);
    assert_eq!(live(&fixture), "3");

    // Nobody goes back to what failed, and what was done on purpose fails no deploy.
    let back = |to| {
        let function = [
            "rollback",
            "slow/Worker",
            "--to",
            to,
            "--stage",
            "dev",
            "--local",
        ];
        fixture.sandbox.succeed(&function);
    };
    back("previous");
    assert_eq!(live(&fixture), "1");
    let run = fixture.sandbox.succeed(&DEPLOY);
    assert!(
        run.stderr
            .contains("version 1 is live, and version 3 was deployed last")
            && run.stderr.contains("led it back by hand at")
            && run.stderr.contains("rollback slow-dev/Worker --to 3"),
        "{run}"
    );
    assert_eq!(live(&fixture), "1");
    back("3");
    let run = fixture.sandbox.succeed(&DEPLOY);
    assert!(!run.stderr.contains("was deployed last"), "{run}");

    // The second release failed, so that the first is the one before.
    let back = [
        "rollback", "slow", "--to", "previous", "--stage", "dev", "--local",
    ];
    let run = fixture.sandbox.run(&back);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stderr.contains("and release 1 of"), "{run}");
}

/// What the shipped system says of itself in a protected stage, with nothing about it changed: its functions are released under
/// an alias that its API asks, and a check goes with it. Only what the functions run is the test's own, so that it can fail.
#[test]
fn a_shipped_system_goes_back_to_the_release_that_answered() {
    let stage = "[stages.dev]\nregion = \"us-east-1\"\nprotected = true\n";
    let fixture = Fixture::new(&json!({}));
    fixture
        .sandbox
        .configure(&format!("[workspace]\nstacks = \"slow-stacks\"\n\n{stage}"));
    render_backend(&fixture, stage);
    let answer = |status: u16, text: &str| {
        let answer = json!({"statusCode": status, "body": text}).to_string();
        let main = format!("{RUNTIME}\nfn main() {{\n    serve(|_| {answer:?}.to_owned());\n}}\n");
        fixture.write("worker/src/main.rs", &main);
    };
    let stack = "orders-backend-dev";
    let live = || live_of(&fixture, stack, "Root");

    answer(200, "one");
    let run = fixture.sandbox.succeed(&[&DEPLOY[..], &["-v"]].concat());
    assert!(
        run.stderr.contains("orders-backend-dev/RootAnswers: GET")
            && run.stderr.contains("answered with 200"),
        "{run}"
    );
    assert_eq!(live(), "1");
    let url = fixture.sandbox.outputs("*").text(stack, "ApiUrl");
    let asked = || {
        let answer = http::send("GET", &url, &[], "");
        (answer.status, answer.body)
    };
    assert_eq!(asked(), (200, "one".to_owned()));

    // A release of new code is nothing that anybody has to allow.
    answer(200, "two");
    let plan = fixture
        .sandbox
        .succeed(&["diff", "--stage", "dev", "--local", "--json"])
        .json();
    let changes = plan["stacks"][0]["changes"].as_array().cloned();
    let changes = changes.expect("it is a list");
    assert!(
        changes
            .iter()
            .any(|change| change["logical_id"] == "RootAlias"),
        "{plan:#}"
    );
    for change in &changes {
        let dangers = change["dangers"].as_array().map_or(0, Vec::len);
        assert_eq!(dangers, 0, "{change:#}");
    }
    fixture.sandbox.succeed(&DEPLOY);
    assert_eq!(live(), "2");
    assert_eq!(asked(), (200, "two".to_owned()));

    answer(503, "three");
    let run = fixture.sandbox.run(&DEPLOY);
    assert_eq!(run.code, Some(1), "{run}");
    for told in [
        "is answered with 503, and should be with 200",
        "orders-backend-dev/RootAlias: led back from version 3 to 2",
    ] {
        assert!(run.stderr.contains(told), "no {told} in {run}");
    }
    assert_eq!(live(), "2");
    assert_eq!(asked(), (200, "two".to_owned()));
}

/// Replaces the assembly of the workspace by the stack `orders-backend` as the shipped system renders it for a stage, with a
/// function of the workspace where those of the system would be built.
fn render_backend(fixture: &Fixture, stage: &str) {
    let sandbox = shipped(stage);
    let out = sandbox.directory().join("rendered");
    let path = out.to_str().expect("temporary directories are UTF-8");
    sandbox.succeed(&["synth", "--stage", "dev", "--out", path]);
    let read = |name: &str| fs::read_to_string(out.join(name)).expect("it was rendered");
    let mut manifest: Value = serde_json::from_str(&read("manifest.json")).expect("it is JSON");
    let stacks = manifest["stacks"].as_array().expect("it is a list").iter();
    let mut stacks = stacks.filter(|stack| stack["id"] == "orders-backend");
    let stack = stacks.next().expect("the system has it").clone();
    let file = stack["template"].as_str().expect("it is a text");
    let template = read(file);
    assert_eq!(stack["sha256"], hash(&template));
    let artifacts = stack["artifacts"].as_object().expect("it has functions");
    let assets = artifacts.values().map(|asset| {
        let asset = asset.as_str().expect("it is a name");
        let mut built = manifest["assets"][asset].clone();
        built["package"] = json!("slow-worker");
        built["binary"] = json!("slow-worker");
        (asset.to_owned(), built)
    });
    manifest["assets"] = Value::Object(assets.collect());
    fixture.write(&format!("assembly/{file}"), &template);
    manifest["stacks"] = json!([stack]);
    fixture.write("assembly/manifest.json", &manifest.to_string());
}

/// Deploys, and kills the run when it asks the route, after its update.
fn killed_before_its_check(fixture: &Fixture) {
    let proxy = Proxy::start(fixture.sandbox.engine().url());
    let hold = proxy.hold("/health");
    let url = proxy.url();
    let deploy = ["deploy", "--stage", "dev", "--endpoint-url", &url];
    let running = fixture.sandbox.spawn(&deploy);
    hold.reached();
    running.signal("KILL");
    hold.abandon();
    let run = running.end_soon();
    assert_eq!(run.code, None, "{run}");
}

/// CloudFormation finds nothing to do after a run that was killed between its update and its check: the next run looks all
/// the same, does what that one would have done, and what nobody ever looked at is not what anybody goes back to.
#[test]
fn a_release_whose_deploy_was_killed_before_its_check_is_looked_at_by_the_next() {
    let fixture = Fixture::new(&json!({}));
    describe(&fixture, 200);
    fixture.sandbox.succeed(&DEPLOY);
    let release = |text: &str, status| {
        fixture.change_code(text);
        describe(&fixture, status);
    };
    let rollback = |to| {
        let place = ["--stage", "dev", "--local"];
        fixture
            .sandbox
            .succeed(&[&["rollback", "slow/Worker", "--to", to], &place[..]].concat())
    };

    // One that is not what it should be is led back, and stays back however often the same is deployed.
    release("two", 418);
    killed_before_its_check(&fixture);
    assert_eq!(live(&fixture), "2");
    for told in ["led back from version 2 to 1", "version 1 is live"] {
        let run = fixture.sandbox.run(&DEPLOY);
        assert_eq!(run.code, Some(1), "{run}");
        assert!(run.stderr.contains(told), "{run}");
        assert_eq!(live(&fixture), "1");
    }

    // One that is well stays, and is nothing special any more.
    release("three", 200);
    killed_before_its_check(&fixture);
    assert_eq!(live(&fixture), "3");
    let run = fixture.sandbox.succeed(&DEPLOY);
    assert!(run.stderr.contains("unchanged"), "{run}");
    assert_eq!(live(&fixture), "3");

    // One that another follows before anybody looked.
    release("four", 200);
    killed_before_its_check(&fixture);
    release("five", 200);
    fixture.sandbox.succeed(&DEPLOY);
    assert_eq!(live(&fixture), "5");
    rollback("previous");
    assert_eq!(live(&fixture), "3");
    let run = rollback("4");
    assert!(
        run.stderr
            .contains("at which nobody looked when it was deployed"),
        "{run}"
    );
}
