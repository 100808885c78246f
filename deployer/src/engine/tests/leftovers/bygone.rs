//! What is left of stacks that another machine removed, whose notes are gone with it.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_smithy_mocks::mock;
use serde_json::{Value, json};

use super::{GROUPS, Logs, Script, Stack, answers, http, survivors::tagged, tags};
use crate::engine::{
    DestroyReport, DestroyedStack, Event, Evidence, Left, Outcome, SurvivorSearch, Survivors,
    survivors,
    tests::script::{Played, STACK},
};

/// When the newest stack of the name went, in milliseconds since 1970.
const DELETED: i64 = 1_785_220_108_000;

/// `ListStacks`, which tells of a deleted stack for 90 days
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStacks.html>).
fn lists_deleted(script: Script, rows: &[(&str, &str, &str)]) -> Script {
    let rows: Vec<String> = rows
        .iter()
        .map(|(name, id, deleted)| {
            format!(
                "<member><StackName>{name}</StackName><StackId>{id}</StackId>\
                 <StackStatus>DELETE_COMPLETE</StackStatus>\
                 <CreationTime>2026-07-27T22:28:28.000Z</CreationTime>\
                 <DeletionTime>{deleted}</DeletionTime></member>"
            )
        })
        .collect();
    let body = answers::result(
        "ListStacks",
        &format!("<StackSummaries>{}</StackSummaries>", rows.concat()),
    );
    script.cloudformation(
        "list_stacks",
        mock!(CloudFormation::list_stacks)
            .match_requests(|input| {
                let [status] = input.stack_status_filter() else {
                    return false;
                };
                status.as_str() == "DELETE_COMPLETE"
            })
            .then_http_response(move || http(200, &body)),
    )
}

/// `DescribeLogGroups` of what functions made whose names CloudFormation gave.
fn groups(script: Script, status: u16, body: &Value) -> Script {
    let body = body.to_string();
    script.logs(
        "describe_log_groups",
        mock!(Logs::describe_log_groups)
            .match_requests(|input| {
                input.log_group_name_prefix() == Some("/aws/lambda/intake-dev-")
            })
            .then_http_response(move || http(status, &body)),
    )
}

const TEMPLATE: &str = r#"{"Resources":{
    "Work":{"Type":"AWS::Lambda::Function"},
    "Late":{"Type":"AWS::Lambda::Function"},
    "Kept":{"Type":"AWS::Lambda::Function","DeletionPolicy":"Retain"}}}"#;

/// The stack as it was, and what it held.
fn was(script: Script, stack: &Stack) -> Script {
    let of = |id, name, status| (id, "AWS::Lambda::Function", name, status);
    script
        .describe(answers::STACK_ID, stack.xml())
        .template(TEMPLATE)
        .resources(&[
            of("Work", "intake-dev-Work-1", "DELETE_COMPLETE"),
            of("Late", "intake-dev-Late-1", "DELETE_COMPLETE"),
            of("Kept", "intake-dev-Kept-1", "DELETE_SKIPPED"),
        ])
}

fn deleted() -> [(&'static str, &'static str, &'static str); 3] {
    [
        (STACK, "arn:an-older-one", "2026-07-01T06:28:28.000Z"),
        (STACK, answers::STACK_ID, "2026-07-28T06:28:28.000Z"),
        ("reports-dev", "arn:another", "2026-07-28T07:28:28.000Z"),
    ]
}

async fn searched(played: &Played) -> Survivors {
    let report = DestroyReport {
        stacks: vec![DestroyedStack {
            stack: STACK.to_owned(),
            outcome: Outcome::Absent,
            failure: None,
            retained: BTreeMap::new(),
            left: Left::default(),
        }],
    };
    let search = SurvivorSearch {
        stage: "dev",
        kept: &["nothing".to_owned()].into(),
        whole: None,
    };
    survivors(&played.context, search, &report)
        .await
        .expect("the account is searched")
}

/// The index of tags, which knows nothing of log groups that functions made by themselves.
fn untagged() -> Script {
    tagged(tagged(Script::new(), None, &[], ""), None, &[], "")
}

#[tokio::test]
async fn logs_of_a_stack_that_was_gone_before_are_named() {
    let group = |name: &str, made: i64| {
        let name = format!("/aws/lambda/intake-dev-{name}-1");
        json!({"logGroupName": name, "arn": format!("{GROUPS}{name}:*"), "creationTime": made})
    };
    let script = was(
        lists_deleted(untagged(), &deleted()),
        &Stack::new("DELETE_COMPLETE"),
    );
    let script = groups(
        script,
        200,
        &json!({"logGroups": [
            group("Work", DELETED - 1),
            group("Late", DELETED + 1),
            group("Kept", DELETED - 1),
        ]}),
    );
    let script = tags(script, "/aws/lambda/intake-dev-Work-1", &json!({}));
    let script = tags(script, "/aws/lambda/intake-dev-Late-1", &json!({}));
    let played = script.play();
    let found = searched(&played).await.found;
    let [found] = found.as_slice() else {
        panic!("one log group, not {found:?}");
    };
    assert_eq!(found.arn, format!("{GROUPS}/aws/lambda/intake-dev-Work-1"));
    let Evidence::Name(remove) = &found.evidence else {
        panic!("it has no tags: {found:?}");
    };
    assert!(
        remove[0].starts_with(
            "aws logs delete-log-group --log-group-name /aws/lambda/intake-dev-Work-1"
        ),
        "{remove:?}"
    );
    assert_eq!(json!(found)["remove"], json!(remove));
    played.finish_as("destroy");
}

#[tokio::test]
async fn a_deleted_stack_of_somebody_else_says_nothing() {
    for tags in [
        vec![],
        vec![("stackctl:stage", "prod")],
        vec![("stackctl:stage", "dev"), ("stackctl:app", "another")],
    ] {
        let mut stack = Stack::new("DELETE_COMPLETE");
        stack.tags = tags;
        let script = lists_deleted(untagged(), &deleted());
        let played = script.describe(answers::STACK_ID, stack.xml()).play();
        assert!(searched(&played).await.found.is_empty());
        played.finish_as("destroy");
    }
}

#[tokio::test]
async fn who_may_not_look_at_logs_is_warned() {
    let denied = json!({
        "__type": "AccessDeniedException",
        "message": "User: arn:aws:iam::123456789012:user/ana is not authorized to perform: logs:DescribeLogGroups",
    });
    let script = was(
        lists_deleted(untagged(), &deleted()),
        &Stack::new("DELETE_COMPLETE"),
    );
    let played = groups(script, 400, &denied).play();
    assert!(searched(&played).await.found.is_empty());
    let told = played.finish_as("destroy");
    let [Event::Warning { message, .. }] = told.as_slice() else {
        panic!("one warning, not {told:?}");
    };
    assert!(message.contains("logs:DescribeLogGroups"), "{message}");
}
