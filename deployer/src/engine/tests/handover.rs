//! Exports that a stack gives up while others import them.

use aws_sdk_cloudformation::{
    Client as CloudFormation, operation::create_change_set::CreateChangeSetInput,
};
use aws_sdk_s3::Client as S3;
use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};

use super::{
    answers::{self, STACK_ID, Stack},
    given::stack,
    publish::bucket_stack,
    script::{Answer, STACK, Script, http, names, one},
};
use crate::engine::plan::{Plan, StackPlan};
use crate::engine::{
    BOOTSTRAP_STACK, Deployment, Event, Explained as _, Outcome, StackDeployment, deploy,
};

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
        .cloudformation("list_imports", imports(&["club-prod", "reports-dev"]))
        // Once to see what is kept, once to see whether anything changes.
        .template(OLD)
        .template(OLD);
    script = update(script, keeps).describe(STACK_ID, exporting("UPDATE_COMPLETE"));
    let played = script.play();
    let answer = Answer::yes();
    let deployment = Deployment {
        names: [STACK, "reports-dev"].map(str::to_owned).into(),
        ..one(wanted())
    };
    let report = deploy(&played.context, deployment, answer.clone())
        .await
        .expect("the stack is updated");
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    assert!(answer.shown.lock().expect("no holder panics")[0].partial);
    let events = played.finish();
    assert!(events.iter().any(|event| matches!(
        event,
        // Who is not in the assembly is no name for a command.
        Event::ExportsKept { importers, foreign, next: Some(next), .. }
            if importers[EXPORT] == ["club-prod", "reports-dev"]
                && foreign == &["club-prod"]
                && next.starts_with("stackctl deploy reports-dev intake-dev")
    )));
}

/// What is kept until somebody else is deployed is what is deployed until then; what is kept for a moment is no release.
#[tokio::test]
async fn what_is_kept_past_the_deploy_is_written_down() {
    let objects = |prefix: &'static str| {
        mock!(S3::list_objects_v2)
            .match_requests(move |input| input.prefix() == Some(prefix))
            .then_http_response(|| {
                let none = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
                http(200, none)
            })
    };
    let put = |check: fn(&str, &Value) -> bool| {
        mock!(S3::put_object)
            .match_requests(move |input| {
                let bytes = input.body().bytes().unwrap_or_default();
                let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
                check(input.key().unwrap_or_default(), &body)
            })
            .then_http_response(|| http(200, ""))
    };
    let mut script = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .s3("list_objects_v2", objects("state/"))
        .describe(STACK, exporting("UPDATE_COMPLETE"))
        .cloudformation("list_imports", imports(&["reports-dev"]))
        .template(OLD)
        .template(OLD);
    script = update(script, keeps)
        .describe(STACK_ID, exporting("UPDATE_COMPLETE"))
        .s3("list_objects_v2", objects("intake-dev/release/"))
        .s3(
            "put_object",
            put(|key, body| {
                let template = body["template"].as_str().unwrap_or_default();
                key.starts_with("intake-dev/release/000001-") && template.contains("ExportOld")
            }),
        )
        .s3(
            "put_object",
            put(|key, _| key == "state/intake-dev.mark.json"),
        );
    let played = script.play();
    let deployment = Deployment {
        records: true,
        ..one(wanted())
    };
    deploy(&played.context, deployment, Answer::yes())
        .await
        .expect("the stack is updated");
    played.finish();
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

/// A stack may import by a name that it was given: then it does so after its deploy as well, and what is kept for it is what is
/// deployed, so that it is a release.
#[tokio::test]
async fn what_importers_of_the_same_deploy_do_not_let_go_stays_and_is_a_release() {
    let objects = |prefix: &'static str| {
        mock!(S3::list_objects_v2)
            .match_requests(move |input| input.prefix() == Some(prefix))
            .then_http_response(|| {
                let none = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
                http(200, none)
            })
    };
    let put = |begin: &'static str| {
        mock!(S3::put_object)
            .match_requests(move |input| input.key().unwrap_or_default().starts_with(begin))
            .then_http_response(|| http(200, ""))
    };
    let kept = r#"{"Resources":{"Orders":{"Type":"AWS::SQS::Queue"},"New":{"Type":"AWS::SQS::Queue"},"Old":{"Type":"AWS::SQS::Queue"}},
        "Outputs":{"ExportOld":{"Value":{"Ref":"Old"},"Export":{"Name":"intake-dev-Old"}}}}"#;
    let importer = || {
        let mut stack = Stack::new("UPDATE_COMPLETE");
        stack.name = "reports-dev";
        stack.xml()
    };
    let mut script = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .s3("list_objects_v2", objects("state/"))
        .describe(STACK, exporting("UPDATE_COMPLETE"))
        .cloudformation("list_imports", imports(&["reports-dev"]))
        .template(OLD)
        .template(OLD);
    script = update(script, keeps)
        .describe(STACK_ID, exporting("UPDATE_COMPLETE"))
        .s3("put_object", put("state/intake-dev.mark.json"))
        .describe("reports-dev", importer())
        .template(OLD);
    script = update(script, |input| input.stack_name() == Some("reports-dev"))
        .describe(STACK_ID, importer())
        .s3("list_objects_v2", objects("reports-dev/release/"))
        .s3("put_object", put("reports-dev/release/"))
        .s3("put_object", put("state/reports-dev.mark.json"));
    // Once to see that it is imported still, and once more to settle for that.
    for is_last in [false, true] {
        script = script
            .s3("list_objects_v2", objects("state/intake-dev."))
            .describe(STACK, exporting("UPDATE_COMPLETE"))
            .cloudformation("list_imports", imports(&["reports-dev"]))
            .template(kept)
            .template(kept);
        if is_last {
            script = script
                .s3("list_objects_v2", objects("intake-dev/release/"))
                .s3("put_object", put("intake-dev/release/000001-"));
        }
        script = script.s3("put_object", put("state/intake-dev.mark.json"));
    }
    let played = script.play();
    let deployment = Deployment {
        stage: "dev".to_owned(),
        stacks: vec![wanted(), stack("reports-dev", &[STACK])],
        records: true,
        ..Deployment::default()
    };
    let report = deploy(&played.context, deployment, Answer::yes())
        .await
        .expect("both are updated");
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    let told: Vec<bool> = played
        .finish()
        .into_iter()
        .filter_map(|event| match event {
            Event::ExportsKept { next, .. } => Some(next.is_some()),
            _ => None,
        })
        .collect();
    assert_eq!(told, [false, true], "what is left to do is told once");
}

/// The second update of a stack writes its mark over the one that the first wrote, so that the next deploy need not compare.
#[tokio::test]
async fn the_second_update_is_marked_as_well() {
    let objects = |prefix: &'static str, etag: Option<&'static str>| {
        let object = etag.map_or_else(String::new, |etag| {
            format!("<Contents><Key>state/intake-dev.mark.json</Key><ETag>{etag}</ETag></Contents>")
        });
        let list = format!(
            "<ListBucketResult><IsTruncated>false</IsTruncated>{object}</ListBucketResult>"
        );
        mock!(S3::list_objects_v2)
            .match_requests(move |input| input.prefix() == Some(prefix))
            .then_http_response(move || http(200, &list))
    };
    let put = |key: &'static str, before: Option<&'static str>| {
        mock!(S3::put_object)
            .match_requests(move |input| {
                input.key().unwrap_or_default().starts_with(key) && input.if_match() == before
            })
            .then_http_response(|| http(200, ""))
    };
    let importer = || {
        let mut stack = Stack::new("UPDATE_COMPLETE");
        stack.name = "reports-dev";
        stack.xml()
    };
    let mut script = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .s3(
            "list_objects_v2",
            objects("state/", Some("&quot;begin&quot;")),
        )
        .describe(STACK, exporting("UPDATE_COMPLETE"))
        .cloudformation("list_imports", imports(&["reports-dev"]))
        .template(OLD)
        .template(OLD);
    // What is kept for a moment is no release.
    script = update(script, keeps)
        .describe(STACK_ID, exporting("UPDATE_COMPLETE"))
        .s3(
            "put_object",
            put("state/intake-dev.mark.json", Some("\"begin\"")),
        )
        .describe("reports-dev", importer())
        .template(OLD);
    script = update(script, |input| input.stack_name() == Some("reports-dev"))
        .describe(STACK_ID, importer())
        .s3("list_objects_v2", objects("reports-dev/release/", None))
        .s3("put_object", put("reports-dev/release/", None))
        .s3("put_object", put("state/reports-dev.mark.json", None))
        .s3(
            "list_objects_v2",
            objects("state/intake-dev.", Some("&quot;first&quot;")),
        )
        .describe(STACK, exporting("UPDATE_COMPLETE"))
        .cloudformation("list_imports", imports(&[]))
        .template(OLD);
    script = update(script, |input| body(input).get("Outputs").is_none())
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
        .s3("list_objects_v2", objects("intake-dev/release/", None))
        .s3("put_object", put("intake-dev/release/", None))
        .s3(
            "put_object",
            put("state/intake-dev.mark.json", Some("\"first\"")),
        );
    let played = script.play();
    let deployment = Deployment {
        stage: "dev".to_owned(),
        stacks: vec![wanted(), stack("reports-dev", &[STACK])],
        records: true,
        ..Deployment::default()
    };
    deploy(&played.context, deployment, Answer::yes())
        .await
        .expect("both are updated");
    played.finish();
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

/// The exporting stack, whose export is taken from a queue that is replaced.
fn taken_from_orders() -> StackDeployment {
    let mut stack = stack(STACK, &[]);
    stack.template =
        r#"{"Resources":{"Orders":{"Type":"AWS::SQS::Queue","Properties":{"QueueName":"orders"}}},
        "Outputs":{"ExportOld":{"Value":{"Ref":"Orders"},"Export":{"Name":"intake-dev-Old"}}}}"#
            .to_owned();
    stack
}

/// An update that replaces the queue, up to its change set.
fn replaces_what_is_exported(importers: &[&str]) -> Script {
    Script::new()
        .describe(STACK, exporting("UPDATE_COMPLETE"))
        .template(OLD)
        .proposing(answers::REPLACE_ORDERS)
        .cloudformation("list_imports", imports(importers))
}

/// CloudFormation would find out at the end of the update, and roll it back.
#[tokio::test]
async fn a_value_that_others_import_is_not_changed_under_the_same_name() {
    let played = replaces_what_is_exported(&["reports-dev"])
        .delete_change_set(answers::CHANGE_SET_ID)
        .play();
    let error = deploy(&played.context, one(taken_from_orders()), Answer::never())
        .await
        .expect_err("the importer needs it");
    assert_eq!(
        error.hints(),
        [
            "give Orders another logical id, which gives its exports other names: one deploy then makes the new one beside the \
             old one, hands the importers over, and removes the old one"
        ]
    );
    assert_eq!(
        crate::error::Error::from(error).causes(),
        [
            "stack intake-dev cannot be updated",
            "the value of its export intake-dev-Old would change (Orders, from which it is taken, is made anew), and \
             reports-dev imports it; the stack is as it was"
        ]
    );
    played.finish();
}

#[tokio::test]
async fn a_value_that_nobody_imports_may_change() {
    let played = replaces_what_is_exported(&[])
        .execute()
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
        .play();
    deploy(&played.context, one(taken_from_orders()), Answer::yes())
        .await
        .expect("nobody is in the way");
    played.finish();
}

/// The exporting stack, which gives its export up and has the queue replaced from which that is taken.
fn gives_up_what_is_replaced() -> StackDeployment {
    let mut stack = stack(STACK, &[]);
    stack.template =
        r#"{"Resources":{"Orders":{"Type":"AWS::SQS::Queue","Properties":{"QueueName":"orders"}}}}"#.to_owned();
    stack
}

/// What is deployed: a queue that another stack uses, under the id that goes on.
const EXPORTING: &str = r#"{"Resources":{"Orders":{"Type":"AWS::SQS::Queue"}},
    "Outputs":{"ExportOld":{"Value":{"Ref":"Orders"},"Export":{"Name":"intake-dev-Old"}}}}"#;

/// The text that would be kept names a queue that is gone, and the importer would use it on.
#[tokio::test]
async fn a_value_of_what_is_replaced_is_not_kept_for_importers() {
    let played = Script::new()
        .describe(STACK, exporting("UPDATE_COMPLETE"))
        .cloudformation("list_imports", imports(&["reports-dev"]))
        .template(EXPORTING)
        .template(EXPORTING)
        .list_change_sets(&[])
        .create_change_set(|input| body(input)["Outputs"]["ExportOld"]["Value"] == "https://old")
        .change_set("CREATE_COMPLETE", "", answers::REPLACE_ORDERS)
        .cloudformation("list_imports", imports(&["reports-dev"]))
        .delete_change_set(answers::CHANGE_SET_ID)
        .play();
    let error = deploy(
        &played.context,
        one(gives_up_what_is_replaced()),
        Answer::never(),
    )
    .await
    .expect_err("the importer needs it");
    assert_eq!(
        error.hints(),
        ["deploy reports-dev first, so that it imports intake-dev-Old no more"]
    );
    assert_eq!(
        crate::error::Error::from(error).causes()[1],
        "its export intake-dev-Old cannot be kept (Orders, from which it is taken, is made anew), and reports-dev imports it; \
         the stack is as it was"
    );
    played.finish();
}

/// The plan says that the importer lets go first: then the stack is updated once, and keeps nothing.
#[tokio::test]
async fn an_importer_that_lets_go_is_deployed_first_where_the_plan_says_so() {
    let importer = || {
        let mut stack = Stack::new("UPDATE_COMPLETE");
        stack.name = "reports-dev";
        stack.xml()
    };
    let mut script = Script::new()
        .describe("reports-dev", importer())
        .template(OLD);
    script = update(script, |input| input.stack_name() == Some("reports-dev"))
        .describe(STACK_ID, importer())
        .describe(STACK, exporting("UPDATE_COMPLETE"))
        .cloudformation("list_imports", imports(&[]))
        .template(OLD);
    script = update(script, |input| body(input).get("Outputs").is_none())
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml());
    let played = script.play();
    let order = StackPlan {
        stack: STACK.to_owned(),
        after: vec!["reports-dev".to_owned(), "of-nobody".to_owned()],
        ..StackPlan::default()
    };
    let circle = StackPlan {
        stack: "reports-dev".to_owned(),
        after: vec![STACK.to_owned()],
        ..StackPlan::default()
    };
    let deployment = Deployment {
        stage: "dev".to_owned(),
        stacks: vec![wanted(), stack("reports-dev", &[])],
        agreed: Plan {
            stacks: vec![order, circle],
        },
        ..Deployment::default()
    };
    deploy(&played.context, deployment, Answer::yes())
        .await
        .expect("both are updated");
    played.finish();
}

/// The template fits into the call, and with what others still need of the deployed one it does not.
#[tokio::test]
async fn what_is_kept_may_need_the_bucket() {
    let filler = "x".repeat(51_000);
    let old = OLD.replace(
        r#""Old":{"Type":"AWS::SQS::Queue"}"#,
        &format!(r#""Old":{{"Type":"AWS::SQS::Queue","Metadata":"{filler}"}}"#),
    );
    let script = || {
        Script::new()
            .describe(STACK, exporting("UPDATE_COMPLETE"))
            .cloudformation("list_imports", imports(&["reports-dev"]))
            .template(&old)
            .template(&old)
    };
    let played = script()
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .play();
    let mut wanted = wanted();
    wanted.template = wanted.template.replace(
        r#""New":{"Type":"AWS::SQS::Queue"}"#,
        &format!(
            r#""New":{{"Type":"AWS::SQS::Queue","Metadata":"{}"}}"#,
            "y".repeat(300)
        ),
    );
    let error = deploy(&played.context, one(wanted.clone()), Answer::never())
        .await
        .expect_err("there is no bucket");
    assert_eq!(
        error.hints(),
        ["make one with `stackctl bootstrap`, and deploy again"]
    );
    played.finish();

    let mut script = script()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .object_absent()
        .s3(
            "put_object",
            mock!(S3::put_object).then_http_response(|| http(200, "")),
        );
    script = update(script, |input| input.template_url().is_some())
        .describe(STACK_ID, exporting("UPDATE_COMPLETE"));
    let played = script.play();
    deploy(&played.context, one(wanted), Answer::yes())
        .await
        .expect("the bucket takes it");
    played.finish();
}
