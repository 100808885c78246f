//! Options that say what is asked of AWS, for which a small server stands in: what it is asked with each, and without.
#![cfg(target_os = "linux")]

use serde_json::{Value, json};

use super::cloudformation::{Answers, Server, error, field, response, run, stack};
use super::workspace::Workspace;

/// The form of <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html>.
fn resource(id: &str, kind: &str, status: &str) -> String {
    response(
        "ListStackResources",
        &format!(
            "<StackResourceSummaries><member><LogicalResourceId>{id}</LogicalResourceId>\
             <PhysicalResourceId>orders-dev-{id}</PhysicalResourceId><ResourceType>{kind}</ResourceType>\
             <ResourceStatus>{status}</ResourceStatus><ResourceStatusReason>It is in use.</ResourceStatusReason>\
             <LastUpdatedTimestamp>2026-07-27T22:28:28.000Z</LastUpdatedTimestamp></member></StackResourceSummaries>"
        ),
    )
}

/// A stack with a function, in the forms of
/// <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html>,
/// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html> and
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>.
fn function(operation: &str, _: &str) -> Option<String> {
    const NAME: &str = "/2015-03-31/functions/orders-dev-Create";
    if operation == "ListStackResources" {
        let function = resource("Create", "AWS::Lambda::Function", "CREATE_COMPLETE");
        return Some(function);
    }
    if operation == "FilterLogEvents" {
        let event = json!({"timestamp": 1_785_218_400_001_i64, "message": "ERROR no order", "eventId": "1"});
        return Some(json!({"events": [event], "searchedLogStreams": []}).to_string());
    }
    if operation == format!("GET {NAME}/configuration") {
        return Some(json!({"FunctionName": "orders-dev-Create"}).to_string());
    }
    let is_call = operation.starts_with(&format!("POST {NAME}/invocations"));
    is_call.then(|| r#"{"order": 7}"#.to_owned())
}

fn server(status: &'static str, answers: Answers) -> Server {
    Server::answering(Some(status), answers)
}

#[test]
fn logs_are_asked_for_from_a_time_and_by_a_pattern() {
    let workspace = Workspace::valid();
    let asked = |options: &[&str]| -> Value {
        let server = server("UPDATE_COMPLETE", function);
        let outcome = run("logs", &workspace, &server, options);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let body = server.request("FilterLogEvents").expect("it is asked for");
        serde_json::from_str(&body).expect("is JSON")
    };
    let all = asked(&[]);
    assert_eq!(all.get("filterPattern"), None, "{all}");
    let some = asked(&["--filter", "ERROR", "--since", "2026-07-28T06:00:00Z"]);
    assert_eq!(some["filterPattern"], "ERROR");
    assert_eq!(some["startTime"], 1_785_218_400_000_i64);
    let today = asked(&["--since", "2h"]);
    let [ten_minutes, two_hours] =
        [&all, &today].map(|body| body["startTime"].as_i64().expect("is a number"));
    let between = ten_minutes - two_hours;
    // The runs themselves take a while, though none as long as this.
    let (least, most) = (60 * 60 * 1000, 110 * 60 * 1000);
    assert!((least..=most).contains(&between), "{between}");
}

#[test]
fn the_version_that_is_called_is_the_one_that_was_asked_for() {
    let workspace = Workspace::valid();
    let called = |options: &[&str]| {
        let server = server("UPDATE_COMPLETE", function);
        let arguments = [&["Create", "--payload", "{}"], options].concat();
        let outcome = run("invoke", &workspace, &server, &arguments);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_eq!(outcome.stdout, "{\"order\": 7}\n");
        let call = server.operation("POST /2015").expect("it is called");
        call.split_once('?').map(|(_, query)| query.to_owned())
    };
    assert_eq!(called(&[]), None);
    let seventh = called(&["--qualifier", "7"]);
    assert_eq!(seventh.as_deref(), Some("Qualifier=7"));
    let latest = called(&["--qualifier", "$LATEST"]);
    assert_eq!(latest.as_deref(), Some("Qualifier=%24LATEST"));
}

/// A rollback that failed at a resource, which CloudFormation may be told to skip
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html>).
#[test]
fn a_rollback_goes_on_without_what_is_to_be_skipped() {
    fn failed(operation: &str, _: &str) -> Option<String> {
        (operation == "ListStackResources")
            .then(|| resource("Orders", "AWS::DynamoDB::Table", "UPDATE_FAILED"))
    }
    let workspace = Workspace::valid();
    let skipped = |options: &[&str]| {
        let server = server("UPDATE_ROLLBACK_FAILED", failed);
        let outcome = run(
            "rollback",
            &workspace,
            &server,
            &[&["--yes"], options].concat(),
        );
        // This caller may look, and do nothing.
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        let body = server.request("ContinueUpdateRollback");
        let body = body.unwrap_or_else(|| panic!("it is not asked for: {outcome:?}"));
        field(&body, "ResourcesToSkip.member.1")
    };
    assert_eq!(skipped(&[]), "");
    assert_eq!(skipped(&["--skip", "Orders"]), "Orders");
    let server = server("UPDATE_ROLLBACK_FAILED", failed);
    let outcome = run(
        "rollback",
        &workspace,
        &server,
        &["--yes", "--skip", "Queue"],
    );
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert_eq!(server.count("ContinueUpdateRollback"), 0);
}

/// A removal that failed at a resource, which CloudFormation may be told to leave
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html>).
#[test]
fn a_removal_goes_on_without_what_is_to_be_retained() {
    fn failed(operation: &str, _: &str) -> Option<String> {
        let tags = "<Tags><member><Key>stackctl:stage</Key><Value>dev</Value></member></Tags>";
        match operation {
            "DescribeStacks" => {
                let stack = stack("orders-dev", "DELETE_FAILED");
                Some(stack.replace("</StackStatus>", &format!("</StackStatus>{tags}")))
            }
            "ListStackResources" => {
                Some(resource("Orders", "AWS::DynamoDB::Table", "DELETE_FAILED"))
            }
            "GetTemplate" => Some(response(
                operation,
                "<TemplateBody>{\"Resources\": {\"Orders\": {\"Type\": \"AWS::DynamoDB::Table\"}}}</TemplateBody>",
            )),
            _ => None,
        }
    }
    let workspace = Workspace::valid();
    let retained = |options: &[&str]| {
        let server = server("DELETE_FAILED", failed);
        let arguments = [&["--yes"], options].concat();
        let outcome = run("destroy", &workspace, &server, &arguments);
        // This caller may look, and delete nothing.
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        let body = server.request("DeleteStack");
        let body = body.unwrap_or_else(|| panic!("it is not asked for: {outcome:?}"));
        field(&body, "RetainResources.member.1")
    };
    assert_eq!(retained(&[]), "");
    assert_eq!(retained(&["--retain", "Orders"]), "Orders");
}

/// A stack set with instances in an account that stackctl.toml targets and in one that it does not, in the forms of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackSet.html> and
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackInstances.html>.
#[test]
fn what_is_no_target_any_more_goes_alone() {
    fn sets(operation: &str, _: &str) -> Option<String> {
        match operation {
            "DescribeStackSet" => Some(response(
                operation,
                "<StackSet><StackSetName>orders-dev</StackSetName><PermissionModel>SELF_MANAGED</PermissionModel>\
                 <Status>ACTIVE</Status><TemplateBody>{}</TemplateBody>\
                 <Tags><member><Key>stackctl:stage</Key><Value>dev</Value></member></Tags></StackSet>",
            )),
            "ListStackSetOperations" | "ListStackSetOperationResults" => {
                Some(response(operation, "<Summaries/>"))
            }
            "ListStackInstances" => {
                let instances = ["210987654321", "320987654321"].map(|account| {
                    format!(
                        "<member><Account>{account}</Account><Region>us-east-1</Region><Status>CURRENT</Status></member>"
                    )
                });
                let instances = format!("<Summaries>{}</Summaries>", instances.concat());
                Some(response(operation, &instances))
            }
            "DeleteStackInstances" => Some(response(operation, "<OperationId>1</OperationId>")),
            "DescribeStackSetOperation" => Some(response(
                operation,
                "<StackSetOperation><OperationId>1</OperationId><Action>DELETE</Action><Status>SUCCEEDED</Status>\
                 </StackSetOperation>",
            )),
            "DeleteStackSet" => Some(response(operation, "")),
            _ => None,
        }
    }
    let workspace = Workspace::valid();
    workspace.write(
        "stackctl.toml",
        "[stages.dev]\nregion = \"us-east-1\"\n\n\
         [stages.dev.stacksets]\naccounts = [\"210987654321\"]\nregions = [\"us-east-1\"]\n",
    );
    let removed = |options: &[&str]| {
        let server = server("UPDATE_COMPLETE", sets);
        let arguments = [&["destroy", "--yes"], options].concat();
        let outcome = run("stackset", &workspace, &server, &arguments);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let body = server.request("DeleteStackInstances");
        let body = body.unwrap_or_else(|| panic!("it is not asked for: {outcome:?}"));
        let accounts = ["Accounts.member.1", "Accounts.member.2"].map(|name| field(&body, name));
        (accounts.join(" "), server.count("DeleteStackSet"))
    };
    assert_eq!(removed(&["--untargeted"]), ("320987654321 ".to_owned(), 0));
    assert_eq!(removed(&[]), ("210987654321 320987654321".to_owned(), 1));
}

/// A table of that name is there, in the form of
/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_GetResource.html>.
#[test]
fn who_does_not_want_to_be_looked_out_for_finds_out_from_aws() {
    fn taken(_: &str, operation: &str, name: &str) -> Option<(&'static str, String)> {
        let described =
            json!({"Identifier": "orders", "Properties": "{\"TableName\": \"orders\"}"});
        let body = json!({"TypeName": "AWS::DynamoDB::Table", "ResourceDescription": described});
        let absent = format!("Stack with id {name} does not exist");
        match operation {
            "GetResource" => Some(("200 OK", body.to_string())),
            "ListStackResources" => Some(("400 Bad Request", error("ValidationError", &absent))),
            _ => None,
        }
    }
    let workspace = Workspace::valid();
    workspace.assembly(|template, manifest| {
        template["Resources"]["Orders"] = json!({"Type": "AWS::DynamoDB::Table", "Properties": {
            "TableName": "orders", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        }});
        manifest["stacks"][0]["resources"]["Orders"] =
            json!({"type": "AWS::DynamoDB::Table", "source": "stacks/main.rs:9:5"});
    });
    for (options, looks) in [
        (&["--yes"][..], true),
        (&["--yes", "--no-preflight"], false),
    ] {
        let server = Server::in_regions(taken);
        let outcome = run("deploy", &workspace, &server, options);
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert_eq!(
            outcome.stderr.contains("this deploy would fail half-way"),
            looks,
            "{outcome:?}"
        );
        assert_eq!(
            server.count("CreateChangeSet"),
            usize::from(!looks),
            "{outcome:?}"
        );
        assert_eq!(server.request("GetResource").is_some(), looks);
    }
}
