//! Exports that a stack gives up while others import them.

use aws_sdk_cloudformation::{
    Client as CloudFormation, operation::create_change_set::CreateChangeSetInput,
};
use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};

use super::{
    answers::{self, STACK_ID, Stack},
    given::stack,
    script::{Answer, STACK, Script, http, names, one},
};
use crate::engine::{Deployment, Event, Outcome, StackDeployment, deploy};

const EXPORT: &str = "intake-dev-Old";

/// What is deployed: a queue that another stack uses.
const OLD: &str = r#"{"Resources":{"Orders":{"Type":"AWS::SQS::Queue"},"Old":{"Type":"AWS::SQS::Queue"}},
    "Outputs":{"ExportOld":{"Value":{"Ref":"Old"},"Export":{"Name":"intake-dev-Old"}}}}"#;

fn exporting(status: &'static str) -> String {
    let mut stack = Stack::new(status);
    stack.outputs = vec![("ExportOld", "https://old")];
    stack.exports = vec![("ExportOld", EXPORT)];
    stack.xml()
}

/// One answer of `ListImports`, as
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListImports.html> shows it; that nobody
/// imports is an error.
fn imports(importers: &[&str]) -> Rule {
    let members: Vec<String> = importers
        .iter()
        .map(|stack| format!("<member>{stack}</member>"))
        .collect();
    let body = if members.is_empty() {
        answers::error(
            "ValidationError",
            "Export 'intake-dev-Old' is not imported by any stack.",
        )
    } else {
        let members = members.concat();
        answers::result("ListImports", &format!("<Imports>{members}</Imports>"))
    };
    mock!(CloudFormation::list_imports)
        .match_requests(|input| input.export_name() == Some(EXPORT))
        .then_http_response(move || http(answers::status_of(&body), &body))
}

fn body(input: &CreateChangeSetInput) -> Value {
    serde_json::from_str(input.template_body().unwrap_or_default()).unwrap_or_default()
}

/// The exporting stack as it should be: something new, and nothing that anybody uses.
fn wanted() -> StackDeployment {
    let mut stack = stack(STACK, &[]);
    stack.template =
        r#"{"Resources":{"Orders":{"Type":"AWS::SQS::Queue"},"New":{"Type":"AWS::SQS::Queue"}}}"#
            .to_owned();
    stack
}

/// What both updates of a stack begin and end with.
fn update(
    script: Script,
    check: impl Fn(&CreateChangeSetInput) -> bool + Send + Sync + 'static,
) -> Script {
    script
        .list_change_sets(&[])
        .create_change_set(check)
        .change_set("CREATE_COMPLETE", "", "")
        .execute()
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
}

fn keeps(input: &CreateChangeSetInput) -> bool {
    let body = body(input);
    body["Resources"]["Old"] == json!({"Type": "AWS::SQS::Queue"})
        && body["Resources"].get("New").is_some()
        && body["Outputs"]["ExportOld"]
            == json!({"Value": {"Ref": "Old"}, "Export": {"Name": EXPORT}})
}

#[tokio::test]
async fn what_a_stack_outside_of_the_deploy_imports_is_kept() {
    let mut script = Script::new()
        .describe(STACK, exporting("UPDATE_COMPLETE"))
        .cloudformation("list_imports", imports(&["reports-dev"]))
        // Once to see what is kept, once to see whether anything changes.
        .template(OLD)
        .template(OLD);
    script = update(script, keeps).describe(STACK_ID, exporting("UPDATE_COMPLETE"));
    let played = script.play();
    let answer = Answer::yes();
    let report = deploy(&played.context, one(wanted()), answer.clone())
        .await
        .expect("the stack is updated");
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    assert!(answer.shown.lock().expect("no holder panics")[0].partial);
    let events = played.finish();
    assert!(events.iter().any(|event| matches!(
        event,
        Event::ExportsKept { importers, .. } if importers[EXPORT] == ["reports-dev"]
    )));
}

#[tokio::test]
async fn a_stack_that_keeps_what_it_kept_before_is_unchanged() {
    let played = Script::new()
        .describe(STACK, exporting("UPDATE_COMPLETE"))
        .cloudformation("list_imports", imports(&["reports-dev"]))
        .template(OLD)
        .template(OLD)
        .play();
    let report = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect("nothing is to be done");
    assert_eq!(report.stacks[0].outcome, Outcome::Unchanged);
    played.finish();
}

#[tokio::test]
async fn importers_of_the_same_deploy_let_go_in_between() {
    let importer = || {
        let mut stack = Stack::new("UPDATE_COMPLETE");
        stack.name = "reports-dev";
        stack.xml()
    };
    let mut script = Script::new()
        .describe(STACK, exporting("UPDATE_COMPLETE"))
        .cloudformation("list_imports", imports(&["reports-dev"]))
        .template(OLD)
        .template(OLD);
    script = update(script, keeps)
        .describe(STACK_ID, exporting("UPDATE_COMPLETE"))
        // The importer needs the new version of the exporting stack, so that it cannot go first.
        .describe("reports-dev", importer())
        .template(OLD);
    script = update(script, |input| input.stack_name() == Some("reports-dev"))
        .describe(STACK_ID, importer())
        .describe(STACK, exporting("UPDATE_COMPLETE"))
        .cloudformation("list_imports", imports(&[]))
        .template(OLD);
    script = update(script, |input| {
        let body = body(input);
        body.get("Outputs").is_none() && body["Resources"].get("Old").is_none()
    })
    .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml());
    let played = script.play();
    let deployment = Deployment {
        stage: "dev".to_owned(),
        stacks: vec![wanted(), stack("reports-dev", &[STACK])],
        ..Deployment::default()
    };
    let report = deploy(&played.context, deployment, Answer::yes())
        .await
        .expect("both are updated");
    assert_eq!(report.stacks.len(), 2);
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    let events = names(&played.finish());
    let finished = events.iter().filter(|name| *name == "finished updated");
    assert_eq!(finished.count(), 3, "{events:?}");
}

#[tokio::test]
async fn who_may_not_ask_who_imports_deploys_as_before() {
    let denied = answers::error(
        "AccessDenied",
        "User is not authorized to perform: cloudformation:ListImports",
    );
    let script = Script::new()
        .describe(STACK, exporting("UPDATE_COMPLETE"))
        .cloudformation(
            "list_imports",
            mock!(CloudFormation::list_imports).then_http_response(move || http(403, &denied)),
        )
        .template(OLD);
    let played = update(script, |input| body(input).get("Outputs").is_none())
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
        .await
        .expect("nobody imports it after all");
    played.finish();
}
