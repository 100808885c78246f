//! What a rollback does that leads released functions back, for which a small server stands in.
#![cfg(target_os = "linux")]

use serde_json::{Value, json};

use super::cloudformation::{Server, error, response, run};
use super::workspace::Workspace;

const STACK_ID: &str = "arn:aws:cloudformation:us-east-1:123456789012:stack/orders-dev/1";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:orders-Work";
const MOVE: &str = "PUT /2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Aorders-Work/aliases/live";

/// A stack in the form of <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>.
fn stack(name: &str, id: &str, status: &str, more: &str) -> String {
    response(
        "DescribeStacks",
        &format!(
            "<Stacks><member><StackName>{name}</StackName><StackId>{id}</StackId>\
             <CreationTime>2026-07-27T06:00:00.000Z</CreationTime><LastUpdatedTime>2026-07-28T06:00:00.000Z</LastUpdatedTime>\
             <StackStatus>{status}</StackStatus>{more}</member></Stacks>"
        ),
    )
}

/// A stack whose update was rolled back, after its run was killed: the alias names what CloudFormation rolled it back to, and
/// what was live before that update is noted.
fn account(_: &str, action: &str, name: &str) -> Option<(&'static str, String)> {
    let ok = |text: String| Some(("200 OK", text));
    match action {
        "DescribeStacks" if name.contains("bootstrap") => ok(stack(
            "stackctl-bootstrap",
            "arn:aws:cloudformation:us-east-1:123456789012:stack/stackctl-bootstrap/2",
            "CREATE_COMPLETE",
            "<Outputs><member><OutputKey>ArtifactBucket</OutputKey><OutputValue>bucket</OutputValue></member></Outputs>",
        )),
        "DescribeStacks" if name.contains("orders-dev") => ok(stack(
            "orders-dev",
            STACK_ID,
            "UPDATE_ROLLBACK_COMPLETE",
            "<Tags><member><Key>stackctl:stage</Key><Value>dev</Value></member></Tags>",
        )),
        "ListStackResources" => {
            let rows = [
                ("Work", "AWS::Lambda::Function", "orders-Work".to_owned()),
                ("WorkAlias", "AWS::Lambda::Alias", format!("{FUNCTION}:live")),
                ("WorkVersion", "AWS::Lambda::Version", format!("{FUNCTION}:4")),
            ];
            let rows = rows.map(|(id, kind, physical_id)| {
                format!(
                    "<member><LogicalResourceId>{id}</LogicalResourceId><PhysicalResourceId>{physical_id}</PhysicalResourceId>\
                     <ResourceType>{kind}</ResourceType><ResourceStatus>UPDATE_COMPLETE</ResourceStatus></member>"
                )
            });
            let rows = format!(
                "<StackResourceSummaries>{}</StackResourceSummaries>",
                rows.concat()
            );
            ok(response(action, &rows))
        }
        _ if action.starts_with("GET /bucket/state/orders-dev.unproven.json") => {
            let note = json!({
                "stack_id": STACK_ID,
                "before": format!("{STACK_ID} UPDATE_COMPLETE 2026-07-27T06:00:00Z"),
                "aliases": {
                    "WorkAlias": {"function": FUNCTION, "name": "live", "live": "3", "good": "3"},
                },
            });
            ok(note.to_string())
        }
        // Nobody moved the function by hand
        // (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>).
        _ if action.starts_with("GET /bucket/") => Some((
            "404 Not Found",
            "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>".to_owned(),
        )),
        // <https://docs.aws.amazon.com/lambda/latest/api/API_GetAlias.html>
        _ if action.ends_with("/aliases/live") => {
            let version = if action.starts_with("GET ") { "4" } else { "3" };
            let alias = json!({
                "AliasArn": format!("{FUNCTION}:live"), "Name": "live", "FunctionVersion": version, "RevisionId": "r1",
            });
            ok(alias.to_string())
        }
        "GetCallerIdentity" => None,
        _ => Some(("403 Forbidden", error("AccessDenied", action))),
    }
}

fn workspace() -> Workspace {
    let workspace = Workspace::valid();
    workspace.assembly(|template, manifest| {
        template["Parameters"] = json!({"WorkRelease": {"Type": "String"}});
        template["Resources"]["Work"] = json!({"Type": "AWS::Lambda::Function"});
        let stack = &mut manifest["stacks"][0];
        stack["releases"] = json!({"WorkRelease": "Work"});
        stack["resources"]["Work"] =
            json!({"type": "AWS::Lambda::Function", "source": "stacks/main.rs:12:9"});
    });
    workspace
}

#[test]
fn what_was_live_before_an_update_that_was_rolled_back_is_live_again_once_that_is_approved() {
    let (workspace, server) = (workspace(), Server::in_regions(account));
    let told = "the update was rolled back, and what was live before it is live again";
    let outcome = run("rollback", &workspace, &server, &[]);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    assert!(outcome.stderr.contains(told), "{outcome:?}");
    assert_eq!(server.request(MOVE), None, "nobody agreed to it");

    // An earlier removal retained the function, which the stack has again.
    let ledger = json!({"orders-dev": [{
        "logical_id": "Work", "resource_type": "AWS::Lambda::Function", "physical_id": "orders-Work",
        "account": "123456789012", "region": "us-east-1", "remove": [],
    }]});
    let file = ".stackctl/retained/dev.json";
    workspace.write(file, &ledger.to_string());
    let outcome = run("rollback", &workspace, &server, &["--yes", "--json"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(!workspace.path(file).exists(), "{outcome:?}");
    let lines: Vec<Value> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("is JSON"))
        .collect();
    let planned = &lines.first().expect("there are lines")["stacks"][0];
    assert_eq!(planned["action"], "lead_back", "{planned}");
    assert_eq!(planned["live"], json!({"WorkAlias": "3"}));
    let summary = lines.last().expect("there are lines");
    assert_eq!(summary["stacks"][0]["outcome"], "rolled_back", "{summary}");
    let moved = server.request(MOVE).expect("the alias was moved");
    assert!(moved.contains(r#""FunctionVersion":"3""#), "{moved}");
}

/// Whoever pastes a command gets to the same stage and place, also where nothing was wrong.
#[test]
fn a_command_that_is_named_works_on_the_same_stage_and_place() {
    let (workspace, server) = (workspace(), Server::in_regions(account));
    let place = format!("--stage dev --endpoint-url {}`", server.url());
    let outcome = run("status", &workspace, &server, &[]);
    // It stands alone on its line, to be pasted.
    let told = format!(
        "\n  to see why: stackctl explain orders-dev {}\n",
        place.trim_end_matches('`')
    );
    assert!(outcome.stderr.contains(&told), "{outcome:?}");
    let outcome = run("rollback", &workspace, &server, &["orders", "--to", "7"]);
    assert_ne!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(
        outcome.stderr.matches("`stackctl ").count(),
        outcome.stderr.matches(&place).count(),
        "{outcome:?}"
    );
}
