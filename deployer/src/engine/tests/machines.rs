//! Definitions that go to state machines past CloudFormation.

use aws_sdk_s3::Client as S3;
use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};

use super::{
    answers::{STACK_ID, Stack},
    fast::{forget, record},
    given::{one, stack},
    publish::{BUCKET, bucket_stack},
    script::{Answer, Played, STACK, Script, http, names},
    signed::Signed,
};
use crate::{
    engine::{
        BOOTSTRAP_STACK, Deployment, Explained as _, FastError, FastPlan, Outcome, StackTarget,
        deploy, fast, fast_plan, given_fast, status,
    },
    error::Kind,
};

const ARN: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:Process-1";

/// A template whose state machine begins with this state.
fn template(first: &str, more: &Value) -> String {
    let mut resources = json!({
        "Rows": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
        "Process": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
            "RoleArn": "arn:aws:iam::123456789012:role/process",
            "DefinitionString": {"Fn::Join": ["\n", [
                "{", format!("\"StartAt\": \"{first}\","), "\"Comment\": \"${Rows}\"", "}"]]},
            "DefinitionSubstitutions": {"Rows": {"Ref": "Rows"}},
        }},
    });
    for (id, resource) in more.as_object().expect("resources are an object") {
        resources[id] = resource.clone();
    }
    json!({ "Resources": resources }).to_string()
}

/// The definition as Step Functions has it.
fn definition(first: &str) -> String {
    json!({"StartAt": first, "Comment": "rows-1"}).to_string()
}

fn hash(first: &str) -> String {
    crate::engine::fast::hash_of_definition(&definition(first))
}

/// What is written down of one state machine.
fn content(deployed: &str, live: &str, before: Option<&str>) -> String {
    let before = before.map_or(String::new(), |it| format!(",\"before\":\"{}\"", hash(it)));
    format!(
        "{{\"stack_id\":\"{STACK_ID}\",\"functions\":{{}},\"machines\":{{\"Process\":{{\"deployed\":\"{}\",\"live\":\"{}\"{before}}}}}}}",
        hash(deployed),
        hash(live)
    )
}

fn deployment(template: String) -> Deployment {
    let mut stack = stack(STACK, &[]);
    stack.template = template;
    one(stack)
}

/// The look at a stack whose state machine began with `deployed` after the last full deploy.
fn looks(deployed: &str, written: Option<String>) -> Script {
    Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(&template(deployed, &json!({})))
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .s3("get_object", record(written))
        .resources(&[
            ("Rows", "AWS::DynamoDB::Table", "rows-1", "CREATE_COMPLETE"),
            (
                "Process",
                "AWS::StepFunctions::StateMachine",
                ARN,
                "UPDATE_COMPLETE",
            ),
        ])
}

fn writes(content: String) -> Rule {
    mock!(S3::put_object)
        .match_requests(move |input| {
            input.bucket() == Some(BUCKET)
                && input.key() == Some("state/intake-dev.fast.json")
                && super::fast::says(input, &content)
        })
        .then_http_response(|| http(200, ""))
}

/// `DescribeStateMachine`
/// (<https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html>).
fn has(signed: Signed, first: &str) -> Signed {
    // What is the same is written in another way.
    let text = definition(first).replace(':', " :\n");
    let body =
        json!({"stateMachineArn": ARN, "status": "ACTIVE", "definition": text, "revisionId": "r"});
    signed.json("DescribeStateMachine", ARN, 200, &body)
}

/// `UpdateStateMachine` with a definition and nothing else
/// (<https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html>).
fn takes(signed: Signed) -> Signed {
    let body = json!({"updateDate": 1_790_000_000.0, "revisionId": "s"});
    signed.json("UpdateStateMachine", "definition", 200, &body)
}

/// Returns the only definition that was given.
fn given(signed: &Signed) -> Value {
    let asked = signed.asked("UpdateStateMachine");
    assert_eq!(asked.len(), 1, "{asked:?}");
    let mut input: Value = serde_json::from_str(&asked[0]).expect("is JSON");
    assert_eq!(input["stateMachineArn"], ARN);
    assert_eq!(input.as_object().map(serde_json::Map::len), Some(2));
    let text = input["definition"].take();
    serde_json::from_str(text.as_str().expect("is a text")).expect("is JSON")
}

fn expected(first: &str) -> Value {
    serde_json::from_str(&definition(first)).expect("is JSON")
}

async fn plan(played: &Played, template: String) -> Result<FastPlan, FastError> {
    fast_plan(&played.context, &deployment(template)).await
}

#[tokio::test]
async fn a_changed_definition_goes_to_the_state_machine_and_is_written_down_before() {
    let signed = takes(has(Signed::new(), "Old"));
    let played = looks("Old", None)
        .s3("put_object", writes(content("Old", "New", None)))
        .play();
    let played = signed.with(played);
    let plan = plan(&played, template("New", &json!({}))).await;
    let FastPlan::Code(changes) = plan.expect("can be read") else {
        panic!("the definition alone changes")
    };
    assert_eq!(changes.functions().count(), 0);
    let all: Vec<_> = changes.machines().collect();
    assert_eq!(all, [(STACK, "Process")]);
    let report = fast(&played.context, changes).await.expect("is taken");
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    assert_eq!(given(&signed), expected("New"));
    signed.finish();
    let seen = names(&played.finish());
    assert!(
        seen.iter().any(|name| name == "definition_updated"),
        "{seen:?}"
    );
}

/// The second on top of the first, and the way back to what CloudFormation knows.
#[tokio::test]
async fn what_was_given_before_is_gone_on_from() {
    for (wanted, written) in [
        ("Newer", content("Old", "Newer", Some("New"))),
        ("Old", content("Old", "Old", Some("New"))),
    ] {
        let signed = takes(has(Signed::new(), "New"));
        let played = looks("Old", Some(content("Old", "New", None)))
            .s3("put_object", writes(written))
            .play();
        let played = signed.with(played);
        let plan = plan(&played, template(wanted, &json!({}))).await;
        let FastPlan::Code(changes) = plan.expect("can be read") else {
            panic!("the definition alone changes")
        };
        fast(&played.context, changes).await.expect("is taken");
        assert_eq!(given(&signed), expected(wanted));
        signed.finish();
        played.finish();
    }
}

#[tokio::test]
async fn a_definition_that_somebody_changed_is_left_alone() {
    let signed = has(Signed::new(), "Theirs");
    let played = signed.with(looks("Old", Some(content("Old", "New", None))).play());
    let error = plan(&played, template("Newer", &json!({})))
        .await
        .expect_err("is refused");
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(
        error.to_string(),
        "intake-dev/Process does not have the definition that was deployed last: somebody changed it"
    );
    signed.finish();
    played.finish();
}

#[tokio::test]
async fn a_definition_that_is_changed_meanwhile_is_left_alone_too() {
    let first = has(Signed::new(), "Old");
    let played = looks("Old", None)
        .s3("put_object", writes(content("Old", "New", None)))
        .play();
    let mut played = first.with(played);
    let plan = plan(&played, template("New", &json!({}))).await;
    let FastPlan::Code(changes) = plan.expect("can be read") else {
        panic!("the definition alone changes")
    };
    // The script has no `UpdateStateMachine`.
    let second = has(Signed::new(), "Theirs");
    played = second.with(played);
    let error = fast(&played.context, changes)
        .await
        .expect_err("is refused");
    assert_eq!(error.kind(), Kind::Refused);
    second.finish();
    played.finish();
}

#[tokio::test]
async fn whatever_else_of_a_state_machine_changes_needs_a_full_deploy_and_is_named() {
    let other_role = template("New", &json!({})).replace("role/process", "role/other");
    let version = json!({"ProcessVersion": {
        "Type": "AWS::StepFunctions::StateMachineVersion",
        "Properties": {"StateMachineArn": {"Ref": "Process"}}}});
    let unknown = template("New", &json!({})).replace(
        r#"{"Ref":"Rows"}"#,
        r#"{"Fn::GetAtt":["Rows","StreamArn"]}"#,
    );
    for (old, new, bucket, reason) in [
        (
            template("Old", &json!({})),
            other_role,
            None,
            "the template of intake-dev changes",
        ),
        (
            template("Old", &version),
            template("New", &version),
            Some(true),
            "intake-dev/Process is released in versions, and a full deploy publishes the next",
        ),
        (
            template("Old", &json!({})),
            unknown,
            Some(true),
            r#"only CloudFormation knows the value of {"Fn::GetAtt":["Rows","StreamArn"]} in the definition of intake-dev/Process"#,
        ),
        (
            template("Old", &json!({})),
            template("New", &json!({})),
            Some(false),
            "the region of intake-dev has no artifact bucket in which a change past CloudFormation is written down",
        ),
    ] {
        let mut script = Script::new()
            .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
            .template(&old);
        script = match bucket {
            None => script,
            Some(true) => script
                .describe(BOOTSTRAP_STACK, bucket_stack().xml())
                .s3("get_object", record(None))
                .resources(&[
                    ("Rows", "AWS::DynamoDB::Table", "rows-1", "CREATE_COMPLETE"),
                    (
                        "Process",
                        "AWS::StepFunctions::StateMachine",
                        ARN,
                        "UPDATE_COMPLETE",
                    ),
                ]),
            Some(false) => {
                script.describe(BOOTSTRAP_STACK, super::answers::absent(BOOTSTRAP_STACK))
            }
        };
        let played = script.play();
        match plan(&played, new).await.expect("can be read") {
            FastPlan::Full(reasons) => assert_eq!(reasons, [reason]),
            FastPlan::Code(_) => panic!("{reason}"),
        }
        played.finish();
    }
}

/// A full deploy of the source that CloudFormation deployed last: the state machine has another definition since.
#[tokio::test]
async fn the_next_full_deploy_gives_back_what_cloudformation_believes() {
    let text = template("Old", &json!({}));
    let played = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .listed_fast(&["state/intake-dev.fast.json"])
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(&text)
        // The release of what is there.
        .s3(
            "list_objects_v2",
            mock!(S3::list_objects_v2)
                .then_http_response(|| http(200, "<ListBucketResult></ListBucketResult>")),
        )
        .s3(
            "put_object",
            mock!(S3::put_object).then_http_response(|| http(200, "")),
        )
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .s3("get_object", record(Some(content("Old", "New", None))))
        .resources(&[
            ("Rows", "AWS::DynamoDB::Table", "rows-1", "CREATE_COMPLETE"),
            (
                "Process",
                "AWS::StepFunctions::StateMachine",
                ARN,
                "UPDATE_COMPLETE",
            ),
        ])
        .s3("delete_object", forget(204, ""))
        // The mark of what is as it should be again.
        .s3(
            "put_object",
            mock!(S3::put_object).then_http_response(|| http(200, "")),
        )
        .play();
    let signed = takes(Signed::new());
    let played = signed.with(played);
    let mut deployment = deployment(text);
    deployment.records = true;
    let report = deploy(&played.context, deployment, Answer::never())
        .await
        .expect("is mended");
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    assert_eq!(given(&signed), expected("Old"));
    signed.finish();
    played.finish();
}

#[tokio::test]
async fn the_status_tells_what_cloudformation_does_not_know() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .describe("gone-dev", super::answers::absent("gone-dev"))
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .listed_fast(&["state/intake-dev.fast.json", "state/other-dev.fast.json"])
        .s3("get_object", record(Some(content("Old", "New", None))))
        .play();
    let targets = [STACK, "gone-dev"].map(|name| StackTarget {
        name: name.to_owned(),
        region: None,
    });
    let mut report = status(&played.context, &targets)
        .await
        .expect("can be read");
    given_fast(&played.context, &targets, &mut report).await;
    assert_eq!(report.stacks[0].fast, ["Process"]);
    assert_eq!(report.stacks[1].fast, [""; 0]);
    assert_eq!(report.unknown, [""; 0]);
    played.finish_as("status");
}

#[tokio::test]
async fn who_may_not_list_the_bucket_gets_a_status_and_is_told_what_it_lacks() {
    let denied = mock!(S3::list_objects_v2).then_http_response(|| {
        http(
            403,
            "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
        )
    });
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .s3("list_objects_v2", denied)
        .play();
    let targets = [StackTarget {
        name: STACK.to_owned(),
        region: None,
    }];
    let mut report = status(&played.context, &targets)
        .await
        .expect("can be read");
    given_fast(&played.context, &targets, &mut report).await;
    assert_eq!(report.unknown.len(), 1);
    assert!(
        report.unknown[0]
            .starts_with("nobody knows what was changed with `deploy --fast` in eu-central-1, "),
        "{:?}",
        report.unknown
    );
    played.finish_as("history");
}
