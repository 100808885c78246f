//! What is written down about deployed stacks, and what it spares and allows.

mod doubts;
mod releases;
mod rolled_back;
mod settled;
mod unbegun;

use aws_sdk_lambda::Client as Lambda;
use aws_sdk_s3::{Client as S3, operation::put_object::PutObjectInput};
use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};

use super::{
    answers::{self, ADD_ORDERS, STACK_ID, Stack},
    publish::{BUCKET, bucket_stack},
    script::{Answer, STACK, Script, TEMPLATE, http, names, one, stack},
};
use crate::engine::{
    BOOTSTRAP_STACK, DeployedStack, Deployment, Event, Outcome, StackReleases, StackTarget, deploy,
    deployed,
    release::{mark::Mark, record::hash},
    stack_releases,
};

pub(super) const MARK: &str = "state/intake-dev.mark.json";

/// The stack of a deploy that writes down what it does.
fn recorded() -> Deployment {
    Deployment {
        records: true,
        ..one(stack(STACK, &[]))
    }
}

fn target() -> StackTarget {
    StackTarget {
        name: STACK.to_owned(),
        region: None,
    }
}

async fn read(stack: &Stack) -> DeployedStack {
    let played = Script::new().describe(STACK, stack.xml()).play();
    let found = deployed(&played.context, &target()).await;
    found.expect("is answered").expect("is there")
}

/// Returns the `ETag` of the mark of a stack as it is described, with a template.
pub(super) async fn etag(stack: &Stack, template: &str) -> String {
    let template: Value = serde_json::from_str(template).expect("is JSON");
    let mark = Mark::of(&read(stack).await, &template).expect("the status is good");
    format!("&quot;{}&quot;", mark.etag())
}

/// `ListObjectsV2` of a prefix: keys, each with its `ETag`
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>).
fn listed(prefix: &'static str, objects: &[(&str, &str)]) -> Rule {
    let contents = objects.iter().fold(String::new(), |text, (key, etag)| {
        format!("{text}<Contents><Key>{key}</Key><ETag>{etag}</ETag></Contents>")
    });
    let body =
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>");
    mock!(S3::list_objects_v2)
        .match_requests(move |input| input.prefix() == Some(prefix))
        .then_http_response(move || http(200, &body))
}

fn put(check: impl Fn(&PutObjectInput) -> bool + Send + Sync + 'static) -> Rule {
    mock!(S3::put_object)
        .match_requests(move |input| {
            input.bucket() == Some(BUCKET)
                && input.expected_bucket_owner() == Some("123456789012")
                && check(input)
        })
        .then_http_response(|| http(200, ""))
}

fn body(input: &PutObjectInput) -> Value {
    let bytes = input.body().bytes().unwrap_or_default();
    serde_json::from_slice(bytes).unwrap_or_default()
}

/// The beginning of a deploy where these marks are listed.
pub(super) fn begun(marks: &[(&str, &str)]) -> Script {
    Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .s3("list_objects_v2", listed("state/", marks))
}

#[tokio::test]
async fn a_stack_that_nobody_updated_since_costs_one_call() {
    let found = Stack::new("UPDATE_COMPLETE");
    let etag = etag(&found, TEMPLATE).await;
    // The script has no `GetTemplate`.
    let played = begun(&[(MARK, &etag)]).describe(STACK, found.xml()).play();
    let report = deploy(&played.context, recorded(), Answer::never())
        .await
        .expect("nothing changes");
    assert_eq!(report.stacks[0].outcome, Outcome::Unchanged);
    assert_eq!(
        names(&played.finish()),
        ["stack_started", "finished unchanged"]
    );
}

#[tokio::test]
async fn a_stack_that_somebody_else_updated_is_compared_and_marked_anew() {
    let old = etag(&Stack::new("UPDATE_COMPLETE"), TEMPLATE).await;
    let mut found = Stack::new("UPDATE_COMPLETE");
    found.updated = "2026-07-29T06:00:00.000Z";
    let new = etag(&found, TEMPLATE).await;
    assert_ne!(old, new);
    let before = old.replace("&quot;", "\"");
    let played = begun(&[(MARK, &old)])
        .describe(STACK, found.xml())
        .template(TEMPLATE)
        .s3(
            "list_objects_v2",
            listed(
                "intake-dev/release/",
                &[("intake-dev/release/000004-0123456789abcdef.json", "")],
            ),
        )
        .s3(
            "put_object",
            put(|input| {
                let key = input.key().unwrap_or_default();
                key.starts_with("intake-dev/release/000005-")
                    && input.if_none_match() == Some("*")
                    && body(input)["release"] == 5
            }),
        )
        .s3(
            "put_object",
            put(move |input| input.key() == Some(MARK) && input.if_match() == Some(&before)),
        )
        .play();
    let report = deploy(&played.context, recorded(), Answer::never())
        .await
        .expect("nothing changes");
    assert_eq!(report.stacks[0].outcome, Outcome::Unchanged);
    played.finish();
}

#[tokio::test]
async fn a_template_that_changed_is_deployed_whatever_the_mark_says() {
    let found = Stack::new("UPDATE_COMPLETE");
    let etag = etag(&found, r#"{"Resources":{}}"#).await;
    let played = begun(&[(MARK, &etag)])
        .describe(STACK, found.xml())
        .template(r#"{"Resources":{}}"#)
        .proposing(ADD_ORDERS)
        .delete_change_set(answers::CHANGE_SET_ID)
        .play();
    deploy(&played.context, recorded(), Answer::no())
        .await
        .expect_err("is not approved");
    // Nothing was deployed, and nothing is written.
    played.finish();
}

#[tokio::test]
async fn what_is_deployed_is_written_down_without_what_is_hidden() {
    let template = r#"{"Parameters":{"Level":{"Type":"String"},"Token":{"Type":"String","NoEcho":true}},
        "Resources":{"Orders":{"Type":"AWS::SQS::Queue"}}}"#;
    let mut deployment = recorded();
    deployment.back_to.insert(STACK.to_owned(), 2);
    let with = &mut deployment.stacks[0];
    with.template = template.to_owned();
    for (name, value) in [("Level", "info"), ("Token", "MARKED-SECRET")] {
        let parameters = &mut with.manifest.parameters;
        parameters.insert(name.to_owned(), value.to_owned());
    }
    let played = begun(&[])
        .describe(STACK, answers::absent(STACK))
        .creating(ADD_ORDERS)
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
        .s3("list_objects_v2", listed("intake-dev/release/", &[]))
        .s3(
            "put_object",
            put(|input| {
                let record = body(input);
                record["release"] == 1
                    && record["back_to"] == 2
                    && record["by"] == "user/dev"
                    && record["deployed"] == "2026-07-28T06:00:00Z"
                    && record["manifest"]["parameters"] == json!({"Level": "info"})
                    && !record.to_string().contains("MARKED-SECRET")
            }),
        )
        .s3(
            "put_object",
            put(|input| input.key() == Some(MARK) && input.if_none_match() == Some("*")),
        )
        .play();
    let report = deploy(&played.context, deployment, Answer::yes())
        .await
        .expect("is created");
    assert_eq!(report.stacks[0].outcome, Outcome::Created);
    played.finish();
}

/// The key of what says that nobody has proven the stack.
const UNPROVEN: &str = "state/intake-dev.unproven.json";

/// What is there to be looked at of a stack with one function.
fn looked_at(script: Script, state: &'static str) -> Script {
    let answer = json!({"Configuration": {
        "FunctionName": "intake-Work", "State": state, "LastUpdateStatus": "Successful",
    }});
    let work = (
        "Work",
        "AWS::Lambda::Function",
        "intake-Work",
        "CREATE_COMPLETE",
    );
    script.resources(&[work]).lambda(
        "get_function",
        mock!(Lambda::get_function).then_http_response(move || http(200, &answer.to_string())),
    )
}

/// A deploy that was killed ahead of its checks left what it wrote down before its update: whoever comes next looks first,
/// and marks what is well. Of a stack of which nothing is written down nobody says that its release failed.
#[tokio::test]
async fn what_nobody_looked_at_is_looked_at_before_it_is_marked() {
    let template = json!({"Resources": {"Work": {"Type": "AWS::Lambda::Function"}}}).to_string();
    for (state, well, is_left) in [
        ("Active", true, true),
        ("Failed", false, true),
        ("Active", true, false),
        ("Failed", false, false),
    ] {
        let found = Stack::new("UPDATE_COMPLETE");
        let hash = hash(&read(&found).await).expect("is good");
        let release = format!("intake-dev/release/000004{hash}");
        let mut script = if is_left {
            let note = json!({"stack_id": STACK_ID}).to_string();
            begun(&[(UNPROVEN, "")]).describe(STACK, found.xml()).s3(
                "get_object",
                mock!(S3::get_object)
                    .match_requests(|input| input.key() == Some(UNPROVEN))
                    .then_http_response(move || http(200, &note)),
            )
        } else {
            begun(&[]).describe(STACK, found.xml())
        };
        script = script.template(&template).s3(
            "list_objects_v2",
            listed("intake-dev/release/", &[(&release, "")]),
        );
        script = looked_at(script, state);
        if well {
            script = script.s3("list_objects_v2", listed("intake-dev/failed/", &[]));
            if is_left {
                let forget = mock!(S3::delete_object)
                    .match_requests(|input| input.key() == Some(UNPROVEN))
                    .then_http_response(|| http(204, ""));
                script = script.s3("delete_object", forget);
            }
            script = script.s3("put_object", put(|input| input.key() == Some(MARK)));
        } else if is_left {
            // What no deploy found well is what failed.
            script = script.describe(STACK, found.xml()).s3(
                "put_object",
                put(|input| {
                    let key = input.key().unwrap_or_default();
                    key.starts_with("intake-dev/failed/")
                        && body(input)["checks"][0]["subject"] == "Work"
                }),
            );
        }
        let played = script.play();
        let mut deployment = recorded();
        deployment.stacks[0].template.clone_from(&template);
        let ended = deploy(&played.context, deployment, Answer::never()).await;
        assert_eq!(ended.is_ok(), well, "{ended:?}");
        played.finish();
    }
}

/// From right before the update until all looks were good, the bucket says that nobody has proven the stack.
#[tokio::test]
async fn a_stack_is_unproven_from_its_update_to_its_looks() {
    let template = json!({"Resources": {"Work": {"Type": "AWS::Lambda::Function"}}}).to_string();
    let forget = mock!(S3::delete_object)
        .match_requests(|input| input.key() == Some(UNPROVEN))
        .then_http_response(|| http(204, ""));
    let script = begun(&[])
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|_| true)
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .s3(
            "put_object",
            put(|input| input.key() == Some(UNPROVEN) && body(input)["stack_id"] == STACK_ID),
        )
        .execute()
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
        .s3("list_objects_v2", listed("intake-dev/release/", &[]))
        .s3(
            "put_object",
            put(|input| input.key().unwrap_or_default().contains("/release/")),
        );
    let played = looked_at(script, "Active")
        .s3("delete_object", forget)
        .s3("put_object", put(|input| input.key() == Some(MARK)))
        .play();
    let mut deployment = recorded();
    deployment.stacks[0].template = template;
    deploy(&played.context, deployment, Answer::yes())
        .await
        .expect("is created");
    played.finish();
}

/// A call that was repeated because its answer was lost finds what the first one wrote.
#[tokio::test]
async fn what_was_written_already_is_no_trouble() {
    let overtaken = || {
        mock!(S3::put_object).then_http_response(|| {
            http(
                412,
                "<Error><Code>PreconditionFailed</Code><Message>At least one of the pre-conditions you specified did not hold</Message></Error>",
            )
        })
    };
    let played = begun(&[])
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(TEMPLATE)
        .s3("list_objects_v2", listed("intake-dev/release/", &[]))
        .s3("put_object", overtaken())
        .s3("put_object", overtaken())
        .play();
    deploy(&played.context, recorded(), Answer::never())
        .await
        .expect("nothing changes");
    assert_eq!(
        names(&played.finish()),
        ["stack_started", "finished unchanged"]
    );
}

/// What S3 answers whoever lacks a permission: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";

#[tokio::test]
async fn whoever_may_not_write_is_told_once_and_deploys_all_the_same() {
    let denied = || mock!(S3::put_object).then_http_response(|| http(403, DENIED));
    let mut deployment = recorded();
    deployment.stacks.push(stack("intake-two-dev", &[STACK]));
    let played = begun(&[])
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(TEMPLATE)
        .s3("list_objects_v2", listed("intake-dev/release/", &[]))
        .s3("put_object", denied())
        .describe("intake-two-dev", Stack::new("UPDATE_COMPLETE").xml())
        .template(TEMPLATE)
        .s3("list_objects_v2", listed("intake-two-dev/release/", &[]))
        .s3("put_object", denied())
        .play();
    let report = deploy(&played.context, deployment, Answer::never())
        .await
        .expect("nothing changes");
    assert!(
        report
            .stacks
            .iter()
            .all(|stack| stack.outcome == Outcome::Unchanged)
    );
    let events = played.finish();
    let warnings = events
        .iter()
        .filter(|event| matches!(event, Event::Warning { .. }));
    assert_eq!(warnings.count(), 1, "{events:?}");
}

#[tokio::test]
async fn whoever_may_not_list_is_told_and_compares() {
    let played = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .s3(
            "list_objects_v2",
            mock!(S3::list_objects_v2).then_http_response(|| http(403, DENIED)),
        )
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(TEMPLATE)
        .play();
    deploy(&played.context, recorded(), Answer::never())
        .await
        .expect("nothing changes");
    assert_eq!(
        names(&played.finish()),
        ["warning", "stack_started", "finished unchanged"]
    );
}

#[tokio::test]
async fn no_bucket_is_made_for_records_alone() {
    let played = Script::new()
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(TEMPLATE)
        .play();
    deploy(&played.context, recorded(), Answer::never())
        .await
        .expect("nothing changes");
    played.finish();
}

/// What is described after the end of an operation may be what the next one made of the stack.
#[tokio::test]
async fn what_somebody_else_deployed_right_after_gets_neither_record_nor_mark_of_ours() {
    let mut after = Stack::new("UPDATE_COMPLETE");
    after.updated = "2026-07-28T06:00:02.000Z";
    let played = begun(&[])
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|_| true)
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .execute()
        // At 06:00:01.
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .describe(STACK_ID, after.xml())
        .play();
    deploy(&played.context, recorded(), Answer::yes())
        .await
        .expect("is created");
    let events = played.finish();
    let warned = events.iter().any(|event| {
        matches!(event, Event::Warning { message, .. } if message.contains("somebody updated the stack right after"))
    });
    assert!(warned, "{events:?}");
}

/// With SSE-KMS the `ETag` is no MD5 (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>).
#[tokio::test]
async fn where_marks_would_tell_nothing_they_are_written_once() {
    const NO_MARKS: &str = "state/no-marks.json";
    let compared = |marks: &[(&str, &str)]| {
        begun(marks)
            .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
            .template(TEMPLATE)
    };
    let first = compared(&[])
        .s3("list_objects_v2", listed("intake-dev/release/", &[]))
        .s3("put_object", put(|input| input.key() != Some(MARK)))
        .s3(
            "put_object",
            mock!(S3::put_object)
                .match_requests(|input| input.key() == Some(MARK))
                .then_http_response(|| {
                    let mut answer = http(200, "");
                    let headers = answer.headers_mut();
                    headers.insert("etag", "\"0123456789abcdef0123456789abcdef\"");
                    answer
                }),
        )
        .s3(
            "put_object",
            put(|input| input.key() == Some(NO_MARKS) && input.if_none_match() == Some("*")),
        );
    let found = read(&Stack::new("UPDATE_COMPLETE")).await;
    let hash = crate::engine::release::record::hash(&found).expect("is good");
    let release = format!("intake-dev/release/000001{hash}");
    // Neither the record nor the mark is written again.
    let later = compared(&[
        (MARK, "\"0123456789abcdef0123456789abcdef\""),
        (NO_MARKS, ""),
    ])
    .s3(
        "list_objects_v2",
        listed("intake-dev/release/", &[(&release, "")]),
    );
    for script in [first, later] {
        let played = script.play();
        deploy(&played.context, recorded(), Answer::never())
            .await
            .expect("nothing changes");
        assert_eq!(
            names(&played.finish()),
            ["stack_started", "finished unchanged"]
        );
    }
}
