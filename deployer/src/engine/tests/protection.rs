//! The policies of protected stacks.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_smithy_mocks::mock;
use serde_json::{Value, json};

use super::{
    answers::{self, STACK_ID, Stack},
    given::stack,
    script::{Answer, STACK, Script, http, one},
};
use crate::engine::plan::{self, Registry, Wanted};
use crate::engine::{StackDeployment, deploy};

/// `GetStackPolicy`, as
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetStackPolicy.html> shows it; without a
/// policy the answer is empty.
fn get(script: Script, policy: Option<&Value>) -> Script {
    let policy = policy.map_or_else(String::new, |policy| {
        let policy = policy.to_string().replace('"', "&quot;");
        format!("<StackPolicyBody>{policy}</StackPolicyBody>")
    });
    let body = answers::result("GetStackPolicy", &policy);
    script.cloudformation(
        "get_stack_policy",
        mock!(CloudFormation::get_stack_policy)
            .match_requests(|input| input.stack_name() == Some(STACK_ID))
            .then_http_response(move || http(200, &body)),
    )
}

/// `SetStackPolicy`.
fn set(script: Script, policy: Value) -> Script {
    script.cloudformation(
        "set_stack_policy",
        mock!(CloudFormation::set_stack_policy)
            .match_requests(move |input| {
                let body = input.stack_policy_body().unwrap_or_default();
                serde_json::from_str::<Value>(body).is_ok_and(|body| body == policy)
            })
            .then_http_response(|| http(200, &answers::empty("SetStackPolicy"))),
    )
}

fn policy(guarded: &[&str]) -> Value {
    let mut statements =
        vec![json!({"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"})];
    if !guarded.is_empty() {
        let resources: Vec<_> = guarded
            .iter()
            .map(|id| format!("LogicalResourceId/{id}"))
            .collect();
        statements.push(json!({
            "Effect": "Deny",
            "Action": ["Update:Replace", "Update:Delete"],
            "Principal": "*",
            "Resource": resources,
        }));
    }
    json!({"Statement": statements})
}

fn protected() -> StackDeployment {
    let mut stack = stack(STACK, &[]);
    stack.manifest.termination_protection = true;
    stack
}

fn deployed() -> String {
    let mut stack = Stack::new("UPDATE_COMPLETE");
    stack.protected = true;
    stack.xml()
}

/// The update that replaces the queue, up to its execution.
fn replacing() -> Script {
    Script::new()
        .describe(STACK, deployed())
        .template(r#"{"Resources":{}}"#)
        .proposing(answers::REPLACE_ORDERS)
}

#[tokio::test]
async fn a_protected_stack_gets_its_policy_once() {
    let unchanged = || {
        Script::new()
            .describe(STACK, deployed())
            .template(super::script::TEMPLATE)
    };
    for script in [
        set(get(unchanged(), None), policy(&["Orders"])),
        get(unchanged(), Some(&policy(&["Orders"]))),
        // A run that was killed left it open.
        set(get(unchanged(), Some(&policy(&[]))), policy(&["Orders"])),
        // Somebody else's.
        get(unchanged(), Some(&json!({"Statement": []}))),
    ] {
        let played = script.play();
        deploy(&played.context, one(protected()), Answer::never())
            .await
            .expect("nothing is to be done");
        played.finish();
    }
}

#[tokio::test]
async fn who_may_not_set_policies_is_told_so_and_deploys_all_the_same() {
    let denied = answers::error(
        "AccessDenied",
        "User is not authorized to perform: cloudformation:GetStackPolicy",
    );
    let played = Script::new()
        .describe(STACK, deployed())
        .template(super::script::TEMPLATE)
        .cloudformation(
            "get_stack_policy",
            mock!(CloudFormation::get_stack_policy).then_http_response(move || http(403, &denied)),
        )
        .play();
    deploy(&played.context, one(protected()), Answer::never())
        .await
        .expect("the stack is as it should be");
    assert!(super::script::names(&played.finish()).contains(&"warning".to_owned()));
}

#[tokio::test]
async fn the_policy_is_open_for_exactly_what_was_approved() {
    let guarded = policy(&["Orders", "Uploads"]);
    let script = get(replacing(), Some(&guarded));
    let script = set(script, policy(&["Uploads"]))
        .execute()
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")]);
    let script = set(script, policy(&["Orders"])).describe(STACK_ID, deployed());
    let played = get(script, Some(&policy(&["Orders"]))).play();
    deploy(&played.context, one(protected()), Answer::yes())
        .await
        .expect("the queue is replaced");
    played.finish();
}

#[tokio::test]
async fn the_policy_is_closed_after_a_failure_too() {
    // The template knows no uploads any more, but the stack has them again.
    let script = get(replacing(), Some(&policy(&["Orders", "Uploads"])));
    let failed = [("9", STACK, "UPDATE_ROLLBACK_COMPLETE", "", "*")];
    let script = set(script, policy(&["Uploads"]))
        .execute()
        .events(&failed)
        .events(&failed);
    let played = set(script, policy(&["Orders", "Uploads"])).play();
    deploy(&played.context, one(protected()), Answer::yes())
        .await
        .expect_err("the update is rolled back");
    played.finish();
}

#[tokio::test]
async fn a_policy_of_somebody_else_is_never_opened() {
    let theirs = json!({"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]});
    let script = get(replacing(), Some(&theirs))
        .execute()
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .describe(STACK_ID, deployed());
    let played = get(script, Some(&theirs)).play();
    deploy(&played.context, one(protected()), Answer::yes())
        .await
        .expect("it allowed that after all");
    played.finish();
}

#[tokio::test]
async fn what_was_not_approved_opens_nothing() {
    let played = replacing().delete_change_set(answers::CHANGE_SET_ID).play();
    deploy(&played.context, one(protected()), Answer::no())
        .await
        .expect_err("nobody approved it");
    played.finish();
}

#[tokio::test]
async fn a_policy_that_is_too_long_is_no_failure() {
    let mut wanted = protected();
    let tables: Vec<String> = (0..400)
        .map(|number| format!(r#""ATableWithALongName{number}":{{"Type":"AWS::DynamoDB::Table"}}"#))
        .collect();
    wanted.template = format!(r#"{{"Resources":{{{}}}}}"#, tables.join(","));
    // Neither read nor set.
    let played = Script::new()
        .describe(STACK, deployed())
        .template(&wanted.template.clone())
        .play();
    deploy(&played.context, one(wanted), Answer::never())
        .await
        .expect("nothing is to be done");
    let told = played.finish().into_iter().find_map(|event| match event {
        crate::engine::Event::Warning { message, .. } => Some(message),
        _ => None,
    });
    let told = told.expect("there is a warning");
    assert!(told.contains("CloudFormation takes 16384"), "{told}");
}

#[tokio::test]
async fn what_a_deploy_protects_is_in_its_plan() {
    let on = json!(["Protection.TerminationProtection", false, true]);
    let guarded = |before: Value| json!(["Protection.StackPolicy", before, ["Orders"]]);
    let off = Stack::new("UPDATE_COMPLETE").xml();
    for (body, present, expected) in [
        (off, None, vec![on, guarded(json!(null))]),
        (
            deployed(),
            Some(policy(&["Old"])),
            vec![guarded(json!(["Old"]))],
        ),
        (deployed(), Some(policy(&["Orders"])), vec![]),
        // Somebody else's stays as it is.
        (deployed(), Some(json!({"Statement": []})), vec![]),
    ] {
        let script = Script::new()
            .describe(STACK, body)
            .template(super::script::TEMPLATE);
        let played = get(script, present.as_ref()).play();
        let stack = protected();
        let template = serde_json::from_str(super::script::TEMPLATE).expect("is JSON");
        let wanted = Wanted {
            manifest: &stack.manifest,
            template: &template,
            contracts: &BTreeMap::new(),
            contents: &BTreeMap::new(),
        };
        let plan = plan::plan(&played.context, &[wanted], &BTreeMap::new(), &Registry)
            .await
            .expect("it is planned");
        let found: Vec<Value> = plan.stacks[0]
            .other
            .iter()
            .map(|change| json!([change.path.to_string(), change.before, change.after]))
            .collect();
        assert_eq!(found, expected);
        played.finish();
    }
}

/// What was to go is still there, as somebody else was first: the codes are those of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html>.
#[tokio::test]
async fn the_policy_is_as_it_was_where_nothing_was_executed() {
    let before = policy(&["Orders", "Uploads"]);
    let script = get(replacing(), Some(&before));
    let theirs = "stackctl-0123456789abcdef0123-v0-1-0-by--keve";
    let script = set(script, policy(&["Uploads"]))
        .refuse_execution(
            "InvalidChangeSetStatus",
            "ChangeSet [stackctl-x] cannot be executed in its current status of [OBSOLETE]",
        )
        .events(&[
            ("2", STACK, "UPDATE_COMPLETE", "", theirs),
            ("1", STACK, "UPDATE_IN_PROGRESS", "", theirs),
        ]);
    let played = set(script, before).play();
    deploy(&played.context, one(protected()), Answer::yes())
        .await
        .expect_err("somebody was first");
    played.finish();
}
