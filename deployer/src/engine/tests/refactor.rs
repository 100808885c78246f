//! Renames: CloudFormation refactors the stack, and the change set comes after that.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_smithy_mocks::{Rule, mock};

use super::{
    answers::{self, STACK_ID, Stack},
    script::{Answer, Played, STACK, Script, TEMPLATE, http, one, stack},
};
use crate::engine::plan::{self, Grade, Registry, Wanted};
use crate::engine::{Deployment, Explained as _, Outcome, StackDeployment, deploy};

/// What is deployed: the queue has its old name.
const BEFORE: &str = r#"{"Resources":{"Inbox":{"Type":"AWS::SQS::Queue"}},"Outputs":{"Url":{"Value":{"Ref":"Inbox"}}}}"#;

/// The same with the new name.
const RENAMED: &str = r#"{"Outputs":{"Url":{"Value":{"Ref":"Orders"}}},"Resources":{"Orders":{"Type":"AWS::SQS::Queue"}}}"#;

const ID: &str = "9c384f70-4e07-4ed7-a65d-fee5eb430841";

fn moved() -> StackDeployment {
    let mut stack = stack(STACK, &[]);
    stack.manifest.moved = BTreeMap::from([("Inbox".to_owned(), "Orders".to_owned())]);
    stack
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackRefactor.html>
fn create() -> Rule {
    mock!(CloudFormation::create_stack_refactor)
        .match_requests(|input| {
            let [definition] = input.stack_definitions() else {
                return false;
            };
            let [mapping] = input.resource_mappings() else {
                return false;
            };
            let is = |location: Option<&aws_sdk_cloudformation::types::ResourceLocation>, id| {
                location.is_some_and(|location| {
                    location.stack_name() == Some(STACK)
                        && location.logical_resource_id() == Some(id)
                })
            };
            let body: serde_json::Value =
                serde_json::from_str(definition.template_body().unwrap_or_default())
                    .unwrap_or_default();
            let wanted: serde_json::Value = serde_json::from_str(RENAMED).unwrap_or_default();
            body == wanted
                && input.enable_stack_creation().is_none()
                && is(mapping.source(), "Inbox")
                && is(mapping.destination(), "Orders")
        })
        .then_http_response(|| {
            let id = format!("<StackRefactorId>{ID}</StackRefactorId>");
            http(200, &answers::result("CreateStackRefactor", &id))
        })
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackRefactor.html>
fn describe(status: &str, execution: &str, reason: &str) -> Rule {
    let body = answers::result(
        "DescribeStackRefactor",
        &format!(
            "<StackRefactorId>{ID}</StackRefactorId><Status>{status}</Status><StatusReason>{reason}</StatusReason>\
             <ExecutionStatus>{execution}</ExecutionStatus>"
        ),
    );
    mock!(CloudFormation::describe_stack_refactor)
        .match_requests(|input| input.stack_refactor_id() == Some(ID))
        .then_http_response(move || http(200, &body))
}

/// `GetStackPolicy`
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetStackPolicy.html>).
fn policy(body: &str) -> Rule {
    let body = answers::result("GetStackPolicy", body);
    mock!(CloudFormation::get_stack_policy).then_http_response(move || http(200, &body))
}

/// A policy that allows everything stands against a rename as well.
const POLICY: &str = "<StackPolicyBody>{&quot;Statement&quot;:[{&quot;Effect&quot;:&quot;Allow&quot;,\
    &quot;Action&quot;:&quot;Update:*&quot;,&quot;Principal&quot;:&quot;*&quot;,&quot;Resource&quot;:&quot;*&quot;}]}</StackPolicyBody>";

fn execute() -> Rule {
    mock!(CloudFormation::execute_stack_refactor)
        .match_requests(|input| input.stack_refactor_id() == Some(ID))
        .then_http_response(|| http(200, &answers::empty("ExecuteStackRefactor")))
}

#[tokio::test]
async fn a_resource_is_renamed_before_anything_else_changes() {
    let follow = "describe_stack_refactor";
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(BEFORE)
        .cloudformation("get_stack_policy", policy(""))
        .cloudformation("create_stack_refactor", create())
        .cloudformation(follow, describe("CREATE_IN_PROGRESS", "UNAVAILABLE", ""))
        .cloudformation(follow, describe("CREATE_COMPLETE", "AVAILABLE", ""))
        .cloudformation("execute_stack_refactor", execute())
        .cloudformation(
            follow,
            describe("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", ""),
        )
        .cloudformation(follow, describe("CREATE_COMPLETE", "EXECUTE_COMPLETE", ""))
        // The stack is busy for some seconds longer than its refactor.
        .describe(STACK_ID, Stack::new("UPDATE_IN_PROGRESS").xml())
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(TEMPLATE)
        .template(TEMPLATE)
        .play();
    let answer = Answer::yes();
    let report = deploy(&played.context, one(moved()), answer.clone())
        .await
        .expect("it is renamed");
    // Nothing is left for a change set.
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    assert!(answer.shown.lock().expect("no holder panics").is_empty());
    played.finish();
}

/// Whatever does not end is not waited for without an end, and the way on is told.
#[tokio::test]
async fn a_refactor_that_does_not_end_is_left_with_what_tells_how_far_it_is() {
    for is_executed in [false, true] {
        let follow = "describe_stack_refactor";
        let mut played = Script::new()
            .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
            .template(BEFORE)
            .cloudformation("get_stack_policy", policy(""))
            .cloudformation("create_stack_refactor", create())
            .cloudformation(follow, describe("CREATE_COMPLETE", "AVAILABLE", ""))
            .cloudformation("execute_stack_refactor", execute());
        if is_executed {
            played =
                played.cloudformation(follow, describe("CREATE_COMPLETE", "EXECUTE_COMPLETE", ""));
        }
        for _ in 0..1000 {
            played = if is_executed {
                played.describe(STACK_ID, Stack::new("UPDATE_IN_PROGRESS").xml())
            } else {
                played.cloudformation(
                    follow,
                    describe("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", ""),
                )
            };
        }
        let played = played.play();
        let error = deploy(&played.context, one(moved()), Answer::never())
            .await
            .expect_err("it does not end");
        let waited: u64 = played.waits().iter().sum();
        assert!((3000..=3600).contains(&waited), "{waited}");
        let hints = error.hints().join("\n");
        assert!(
            hints.contains("aws cloudformation describe-stack"),
            "{hints}"
        );
        assert!(hints.contains("`stackctl deploy intake-dev"), "{hints}");
        let causes = crate::error::Error::from(error).causes().join(" ");
        let part = if is_executed {
            "still UPDATE_IN_PROGRESS an hour after"
        } else {
            "did not end the refactor within an hour"
        };
        assert!(causes.contains(part), "{causes}");
    }
}

#[tokio::test]
async fn what_cloudformation_cannot_rename_is_left_as_it_is() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(BEFORE)
        .cloudformation("get_stack_policy", policy(""))
        .cloudformation("create_stack_refactor", create())
        .cloudformation(
            "describe_stack_refactor",
            describe("CREATE_FAILED", "UNAVAILABLE", "the template is another"),
        )
        .play();
    let error = deploy(&played.context, one(moved()), Answer::never())
        .await
        .expect_err("is refused");
    let report = error.report().expect("something was begun");
    let failure = report.stacks[0].failure.as_ref().expect("it failed");
    let told = serde_json::to_string(failure).expect("is JSON");
    assert!(told.contains("the template is another"), "{told}");
    assert!(
        error
            .hints()
            .iter()
            .any(|hint| hint.contains("keep the logical id `Inbox`")),
        "{:?}",
        error.hints()
    );
    played.finish();
}

#[tokio::test]
async fn a_new_name_that_is_taken_is_refused_beforehand() {
    let both =
        r#"{"Resources":{"Inbox":{"Type":"AWS::SQS::Queue"},"Orders":{"Type":"AWS::SQS::Queue"}}}"#;
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(both)
        .play();
    let error = deploy(&played.context, one(moved()), Answer::never())
        .await
        .expect_err("is refused");
    assert!(!error.hints().is_empty());
    played.finish();
}

/// A deploy comes to the import, which CloudFormation does not do here.
async fn cannot_import(played: &Played) {
    let error = deploy(&played.context, one(moved()), Answer::never())
        .await
        .expect_err("is refused");
    let causes = crate::error::Error::from(error).causes().join(" ");
    assert!(
        causes.contains("did not say that it imports resources"),
        "{causes}"
    );
}

/// What refactoring does not support is imported; here CloudFormation does not do that either.
#[tokio::test]
async fn what_is_not_supported_is_imported() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(BEFORE)
        .cloudformation("get_stack_policy", policy(""))
        .cloudformation("create_stack_refactor", create())
        .cloudformation(
            "describe_stack_refactor",
            describe(
                "CREATE_FAILED",
                "UNAVAILABLE",
                "AWS::SQS::Queue is not supported",
            ),
        )
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(BEFORE)
        .resources(&[("Inbox", "AWS::SQS::Queue", "https://q", "CREATE_COMPLETE")])
        .cloudformation("get_template_summary", summary(""))
        .play();
    cannot_import(&played).await;
    let told = super::script::names(&played.finish());
    assert!(told.contains(&"warning".to_owned()), "{told:?}");
}

/// Nor where nobody knows the call
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html>).
#[tokio::test]
async fn what_nobody_knows_how_to_refactor_is_imported() {
    let unknown = mock!(CloudFormation::create_stack_refactor).then_http_response(|| {
        let message = "Could not find operation CreateStackRefactor for version 2010-05-15";
        http(400, &answers::error("InvalidAction", message))
    });
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(BEFORE)
        .cloudformation("get_stack_policy", policy(""))
        .cloudformation("create_stack_refactor", unknown)
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(BEFORE)
        .resources(&[("Inbox", "AWS::SQS::Queue", "https://q", "CREATE_COMPLETE")])
        .cloudformation("get_template_summary", summary(""))
        .play();
    cannot_import(&played).await;
    played.finish();
}

/// Nobody agreed to another way than the one that was planned.
#[tokio::test]
async fn another_way_than_the_planned_one_is_asked_for() {
    let found = || Stack::new("UPDATE_COMPLETE").xml();
    let played = Script::new()
        .describe(STACK, found())
        .template(BEFORE)
        .cloudformation("get_stack_policy", policy(""))
        // The deploy.
        .describe(STACK, found())
        .template(BEFORE)
        .cloudformation("get_stack_policy", policy(""))
        .cloudformation("create_stack_refactor", create())
        .cloudformation(
            "describe_stack_refactor",
            describe(
                "CREATE_FAILED",
                "UNAVAILABLE",
                "AWS::SQS::Queue is not supported",
            ),
        )
        .describe(STACK, found())
        // The plan that is made anew.
        .describe(STACK, found())
        .template(BEFORE)
        .events(&[])
        .resources(&[])
        .cloudformation("get_template_summary", summary(IMPORTABLE))
        .cloudformation("get_stack_policy", policy(""))
        .cloudformation("detect_stack_resource_drift", in_sync())
        .play();
    let stack = moved();
    let template = serde_json::from_str(RENAMED).expect("is JSON");
    let wanted = Wanted {
        manifest: &stack.manifest,
        template: &template,
        contracts: &BTreeMap::new(),
        contents: &BTreeMap::new(),
    };
    let agreed = plan::plan(&played.context, &[wanted], &BTreeMap::new(), &Registry)
        .await
        .expect("it is planned");
    let deployment = Deployment {
        agreed,
        ..one(stack)
    };
    let answer = Answer::no();
    let error = deploy(&played.context, deployment, answer.clone())
        .await
        .expect_err("it is declined");
    let report = error.report().expect("something was begun");
    assert_eq!(report.stacks[0].outcome, Outcome::Declined);
    let anew = answer.anew.lock().expect("no holder panics");
    let told = format!("{:?}", anew[0].changes[0].reasons);
    assert!(told.contains("by import in up to four updates"), "{told}");
    played.finish();
}

/// Nobody agreed to what somebody else did to the stack while it was renamed. What is deployed then is what tells: a refactor
/// has no time of its end
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackRefactor.html>).
#[tokio::test]
async fn what_somebody_does_while_a_resource_is_renamed_is_planned_anew() {
    let moved_on = RENAMED.replace(
        r#""Resources":{"#,
        r#""Resources":{"Table":{"Type":"AWS::DynamoDB::Table"},"#,
    );
    for (after, is_asked) in [(RENAMED, false), (moved_on.as_str(), true)] {
        let later = || {
            let mut stack = Stack::new("UPDATE_COMPLETE");
            stack.updated = "2026-07-28T07:00:00.000Z";
            stack.xml()
        };
        let found = || Stack::new("UPDATE_COMPLETE").xml();
        let script = Script::new()
            .describe(STACK, found())
            .template(BEFORE)
            .cloudformation("get_stack_policy", policy(""))
            // The deploy.
            .describe(STACK, found())
            .template(BEFORE)
            .cloudformation("get_stack_policy", policy(""))
            .cloudformation("create_stack_refactor", create())
            .cloudformation(
                "describe_stack_refactor",
                describe("CREATE_COMPLETE", "AVAILABLE", ""),
            )
            .cloudformation("execute_stack_refactor", execute())
            .cloudformation(
                "describe_stack_refactor",
                describe("CREATE_COMPLETE", "EXECUTE_COMPLETE", ""),
            )
            .describe(STACK_ID, later())
            .template(after)
            // What is left to do.
            .describe(STACK, later());
        let script = if is_asked {
            script.describe(STACK, later()).template(after)
        } else {
            script.template(RENAMED).template(RENAMED)
        };
        let played = script.play();
        let mut stack = moved();
        stack.template = RENAMED.to_owned();
        let template = serde_json::from_str(RENAMED).expect("is JSON");
        let wanted = Wanted {
            manifest: &stack.manifest,
            template: &template,
            contracts: &BTreeMap::new(),
            contents: &BTreeMap::new(),
        };
        let agreed = plan::plan(&played.context, &[wanted], &BTreeMap::new(), &Registry)
            .await
            .expect("it is planned");
        let deployment = Deployment {
            agreed,
            ..one(stack)
        };
        let answer = Answer::no();
        let ended = deploy(&played.context, deployment, answer.clone()).await;
        let anew = answer.anew.lock().expect("no holder panics");
        assert_eq!(anew.len(), usize::from(is_asked));
        let outcome = match &ended {
            Ok(report) => report.stacks[0].outcome,
            Err(error) => error.report().expect("something was begun").stacks[0].outcome,
        };
        let expected = if is_asked {
            Outcome::Declined
        } else {
            Outcome::Updated
        };
        assert_eq!(outcome, expected);
        played.finish();
    }
}

/// `GetTemplateSummary`
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplateSummary.html>).
fn summary(identifiers: &str) -> Rule {
    let body = format!("<ResourceIdentifierSummaries>{identifiers}</ResourceIdentifierSummaries>");
    let body = answers::result("GetTemplateSummary", &body);
    mock!(CloudFormation::get_template_summary)
        .match_requests(|input| {
            input.template_body()
                == Some(r#"{"Resources":{"Resource0":{"Type":"AWS::SQS::Queue"}}}"#)
        })
        .then_http_response(move || http(200, &body))
}

/// `DetectStackResourceDrift`
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackResourceDrift.html>).
fn in_sync() -> Rule {
    let body = format!(
        "<StackResourceDrift><StackId>{STACK_ID}</StackId><LogicalResourceId>Inbox</LogicalResourceId>\
         <ResourceType>AWS::SQS::Queue</ResourceType><StackResourceDriftStatus>IN_SYNC</StackResourceDriftStatus>\
         <Timestamp>2026-07-28T06:00:00.000Z</Timestamp></StackResourceDrift>"
    );
    let body = answers::result("DetectStackResourceDrift", &body);
    mock!(CloudFormation::detect_stack_resource_drift)
        .match_requests(|input| input.logical_resource_id() == Some("Inbox"))
        .then_http_response(move || http(200, &body))
}

/// What CloudFormation says of queues: alternatives stand beside each other.
const IMPORTABLE: &str = "<member><ResourceType>AWS::SQS::Queue</ResourceType><ResourceIdentifiers>\
    <member>QueueName</member><member>QueueUrl</member></ResourceIdentifiers></member>";

/// "Stack refactor doesn't support stacks that have stack policies attached":
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-refactoring.html>.
#[tokio::test]
async fn the_plan_says_how_a_resource_is_renamed() {
    for (body, types, expected, part) in [
        ("", None, Grade::None, "it is renamed first, and stays"),
        (
            POLICY,
            Some(IMPORTABLE),
            Grade::UpdateInPlace,
            "by import in up to four updates",
        ),
        (
            POLICY,
            Some(""),
            Grade::Impossible,
            "did not say that it imports",
        ),
    ] {
        let mut script = Script::new()
            .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
            .template(BEFORE)
            .cloudformation("get_stack_policy", policy(body));
        if let Some(types) = types {
            script = script
                .events(&[])
                .resources(&[])
                .cloudformation("get_template_summary", summary(types))
                .cloudformation("get_stack_policy", policy(body))
                .cloudformation("detect_stack_resource_drift", in_sync());
        }
        let played = script.play();
        let stack = moved();
        let template = serde_json::from_str(RENAMED).expect("is JSON");
        let wanted = Wanted {
            manifest: &stack.manifest,
            template: &template,
            contracts: &BTreeMap::new(),
            contents: &BTreeMap::new(),
        };
        let plan = plan::plan(&played.context, &[wanted], &BTreeMap::new(), &Registry)
            .await
            .expect("it is planned");
        let [change] = plan.stacks[0].changes.as_slice() else {
            panic!("{plan:?}")
        };
        assert_eq!(change.grade, expected, "{change:?}");
        assert!(change.reasons[0].contains(part), "{change:?}");
        played.finish();
    }
}
