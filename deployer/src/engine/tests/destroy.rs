//! Removal: protection, buckets, artifacts, failures.

use aws_sdk_cloudformation::{Client as CloudFormation, types::ChangeSetType};
use aws_sdk_cloudwatchlogs::Client as Logs;
use aws_sdk_s3::{Client as S3, types::Delete};
use aws_smithy_mocks::{Rule, mock};
use stack_model::assembly::ResourceManifest;

use super::{
    answers::{self, STACK_ID, Stack},
    script::{Answer, STACK, Script, TEMPLATE, http, names, stack},
};
use crate::{
    engine::{
        BOOTSTRAP_STACK, DestroyError, DestroyRequest, Explained, Memory, Outcome, deploy, destroy,
    },
    error::{Error, Kind},
};

fn request(names: &[(&str, &[&str])]) -> DestroyRequest {
    DestroyRequest {
        stacks: names
            .iter()
            .map(|(name, depends_on)| stack(name, depends_on).manifest)
            .collect(),
        ..DestroyRequest::default()
    }
}

/// The end of a conversation that removes the stack: nothing was ever published.
fn gone(script: Script) -> Script {
    script
        .delete_stack()
        .events(&[
            ("5", STACK, "DELETE_COMPLETE", "", "*"),
            ("4", "Orders", "DELETE_COMPLETE", "", "*"),
            ("3", STACK, "DELETE_IN_PROGRESS", "User Initiated", "*"),
            ("2", STACK, "CREATE_COMPLETE", "", "stackctl-older"),
        ])
        .events(&[("5", STACK, "DELETE_COMPLETE", "", "*")])
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
}

#[tokio::test]
async fn a_stack_is_deleted_and_waited_for() {
    let script = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(TEMPLATE)
        .resources(&[("Orders", "AWS::SQS::Queue", "q", "CREATE_COMPLETE")]);
    let played = gone(script).play();
    let report = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect("the stack is gone");
    assert_eq!(report.stacks[0].outcome, Outcome::Deleted);
    assert!(report.stacks[0].retained.is_empty());
    assert_eq!(
        names(&played.finish()),
        [
            "stack_started",
            "stack_deleting",
            "intake-dev DELETE_IN_PROGRESS",
            "Orders DELETE_COMPLETE",
            "intake-dev DELETE_COMPLETE",
            "finished deleted"
        ]
    );
}

#[tokio::test]
async fn a_stack_that_does_not_exist_is_no_error() {
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .describe(STACK, answers::absent(STACK))
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .play();
    let report = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect("nothing is there");
    assert_eq!(report.stacks[0].outcome, Outcome::Absent);
    played.finish();
}

#[tokio::test]
async fn one_protected_stack_keeps_all_others() {
    let mut protected = Stack::new("CREATE_COMPLETE");
    protected.protected = true;
    let played = Script::new()
        .describe("open-dev", Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, protected.xml())
        .play();
    let error = destroy(
        &played.context,
        request(&[("open-dev", &[]), (STACK, &["open-dev"])]),
    )
    .await
    .expect_err("a stack is protected");
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(error.to_string(), "protected against deletion: intake-dev");
    assert!(names(&played.finish()).is_empty());
}

#[tokio::test]
async fn with_consent_the_protection_is_taken_away_last() {
    let mut protected = Stack::new("CREATE_COMPLETE");
    protected.protected = true;
    let script = Script::new()
        .describe(STACK, protected.xml())
        .describe(STACK, protected.xml())
        .template(TEMPLATE)
        .resources(&[])
        .protect(false);
    let played = gone(script).play();
    let mut request = request(&[(STACK, &[])]);
    request.unprotect = true;
    destroy(&played.context, request)
        .await
        .expect("the stack is gone");
    played.finish();
}

#[tokio::test]
async fn a_stack_that_stays_is_protected_again() {
    let mut protected = Stack::new("CREATE_COMPLETE");
    protected.protected = true;
    let failed = [
        ("5", STACK, "DELETE_FAILED", "", "*"),
        ("4", "Orders", "DELETE_FAILED", "Access Denied", "*"),
    ];
    let played = Script::new()
        .describe(STACK, protected.xml())
        .describe(STACK, protected.xml())
        .template(TEMPLATE)
        .resources(&[])
        .protect(false)
        .delete_stack()
        .events(&failed)
        .events(&failed)
        .resources(&[])
        .protect(true)
        .play();
    let mut request = request(&[(STACK, &[])]);
    request.unprotect = true;
    destroy(&played.context, request)
        .await
        .expect_err("a resource stays");
    played.finish();
}

/// Two pages of versions; the second holds a delete marker only
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>).
const VERSIONS: [&str; 2] = [
    "<?xml version=\"1.0\"?><ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
     <IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker><NextVersionIdMarker>v1</NextVersionIdMarker>\
     <Version><Key>a</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest></Version>\
     <Version><Key>a</Key><VersionId>v1</VersionId><IsLatest>false</IsLatest></Version></ListVersionsResult>",
    "<?xml version=\"1.0\"?><ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
     <IsTruncated>false</IsTruncated>\
     <DeleteMarker><Key>b</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest></DeleteMarker></ListVersionsResult>",
];

const NO_VERSIONS: &str = "<?xml version=\"1.0\"?><ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
     <IsTruncated>false</IsTruncated></ListVersionsResult>";

fn lists(
    script: Script,
    bucket: &'static str,
    prefix: Option<&'static str>,
    marker: Option<&'static str>,
    body: &'static str,
) -> Script {
    script.s3(
        "list_object_versions",
        mock!(S3::list_object_versions)
            .match_requests(move |input| {
                input.bucket() == Some(bucket)
                    && input.prefix() == prefix
                    && input.key_marker() == marker
            })
            .then_http_response(move || http(200, body)),
    )
}

fn deletes(
    script: Script,
    versions: &'static [(&'static str, &'static str)],
    body: &'static str,
) -> Script {
    script.s3(
        "delete_objects",
        mock!(S3::delete_objects)
            .match_requests(move |input| {
                let objects: Vec<_> = input
                    .delete()
                    .map(Delete::objects)
                    .unwrap_or_default()
                    .iter()
                    .map(|object| (object.key(), object.version_id().unwrap_or_default()))
                    .collect();
                objects == versions
            })
            .then_http_response(move || http(200, body)),
    )
}

const DELETED: &str =
    "<?xml version=\"1.0\"?><DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>";

#[tokio::test]
async fn buckets_that_are_deleted_are_emptied_and_others_are_kept() {
    let template = r#"{"Resources":{
        "Photos":{"Type":"AWS::S3::Bucket"},
        "Kept":{"Type":"AWS::S3::Bucket","DeletionPolicy":"Retain"},
        "Gone":{"Type":"AWS::S3::Bucket"}}}"#;
    let mut script = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(template)
        .resources(&[
            ("Photos", "AWS::S3::Bucket", "photos-1", "CREATE_COMPLETE"),
            ("Kept", "AWS::S3::Bucket", "kept-1", "CREATE_COMPLETE"),
            ("Gone", "AWS::S3::Bucket", "gone-1", "DELETE_COMPLETE"),
        ]);
    script = lists(script, "photos-1", None, None, VERSIONS[0]);
    script = deletes(script, &[("a", "v2"), ("a", "v1")], DELETED);
    script = lists(script, "photos-1", None, Some("a"), VERSIONS[1]);
    script = deletes(script, &[("b", "v3")], DELETED);
    let played = gone(script).play();
    let report = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect("the stack is gone");
    assert_eq!(report.stacks[0].retained["Kept"], "kept-1");
    assert_eq!(report.stacks[0].retained.len(), 1);
    assert_eq!(
        names(&played.finish())[1..3],
        ["bucket_emptying", "bucket_emptied"]
    );
}

#[tokio::test]
async fn an_object_that_may_not_be_deleted_ends_the_removal() {
    let mut script = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(r#"{"Resources":{"Photos":{"Type":"AWS::S3::Bucket"}}}"#)
        .resources(&[("Photos", "AWS::S3::Bucket", "photos-1", "CREATE_COMPLETE")]);
    script = lists(script, "photos-1", None, None, VERSIONS[1]);
    script = deletes(
        script,
        &[("b", "v3")],
        "<?xml version=\"1.0\"?><DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Error><Key>b</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>",
    );
    let played = script.play();
    let error = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect_err("an object stays");
    assert_eq!(
        Error::from(error).causes(),
        [
            "a call for stack intake-dev failed",
            "AWS denied the call: b: Access Denied (DeleteObjects: AccessDenied)"
        ]
    );
    played.finish();
}

#[tokio::test]
async fn the_artifacts_of_a_stack_go_with_it() {
    let mut bucket = Stack::new("CREATE_COMPLETE");
    bucket.name = BOOTSTRAP_STACK;
    bucket.outputs = vec![("ArtifactBucket", "artifacts-1")];
    let mut script = Script::new()
        .describe(STACK, answers::absent(STACK))
        .describe(STACK, answers::absent(STACK))
        .describe(BOOTSTRAP_STACK, bucket.xml());
    script = lists(
        script,
        "artifacts-1",
        Some("intake-dev/"),
        None,
        NO_VERSIONS,
    );
    script = lists(
        script,
        "artifacts-1",
        Some("state/intake-dev."),
        None,
        NO_VERSIONS,
    );
    let played = script.play();
    destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect("nothing is left");
    played.finish();
}

/// One answer of `ListImports`, as
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListImports.html> shows it.
fn imports(export: &'static str, answer: String) -> Rule {
    mock!(CloudFormation::list_imports)
        .match_requests(move |input| input.export_name() == Some(export))
        .then_http_response(move || http(answers::status_of(&answer), &answer))
}

#[tokio::test]
async fn a_stack_that_another_one_imports_from_keeps_its_objects_and_its_protection() {
    let mut exporting = Stack::new("CREATE_COMPLETE");
    exporting.protected = true;
    exporting.exports = vec![("QueueUrl", "intake-dev-QueueUrl")];
    let importers = answers::result(
        "ListImports",
        "<Imports><member>reports-dev</member></Imports>",
    );
    let played = Script::new()
        .describe(STACK, exporting.xml())
        .cloudformation("list_imports", imports("intake-dev-QueueUrl", importers))
        .describe("open-dev", answers::absent("open-dev"))
        .play();
    let mut request = request(&[(STACK, &[]), ("open-dev", &[])]);
    request.unprotect = true;
    let error = destroy(&played.context, request)
        .await
        .expect_err("another stack needs it");
    assert_eq!(
        error.hints(),
        ["destroy reports-dev first, or deploy what no longer imports it"]
    );
    assert_eq!(
        error.to_string(),
        "stack intake-dev cannot be deleted: reports-dev imports its export intake-dev-QueueUrl; nothing was removed"
    );
    assert!(names(&played.finish()).is_empty());
}

#[tokio::test]
async fn an_importer_that_came_while_stacks_go_is_seen_too() {
    let mut exporting = Stack::new("CREATE_COMPLETE");
    exporting.exports = vec![("QueueUrl", "intake-dev-QueueUrl")];
    let late = "<Imports><member>reports-dev</member></Imports>";
    let played = Script::new()
        .describe(STACK, exporting.xml())
        .cloudformation("list_imports", imports("intake-dev-QueueUrl", nobody()))
        .describe(STACK, exporting.xml())
        .cloudformation(
            "list_imports",
            imports("intake-dev-QueueUrl", answers::result("ListImports", late)),
        )
        .play();
    let error = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect_err("another stack needs it");
    assert_eq!(
        Error::from(error).causes(),
        [
            "stack intake-dev cannot be deleted",
            "reports-dev imports its export intake-dev-QueueUrl; the stack is as it was"
        ]
    );
    played.finish();
}

/// What `ListImports` answers where nobody imports.
fn nobody() -> String {
    answers::error(
        "ValidationError",
        "Export 'intake-dev-QueueUrl' is not imported by any stack.",
    )
}

#[tokio::test]
async fn an_export_that_nobody_imports_is_no_obstacle() {
    let mut exporting = Stack::new("CREATE_COMPLETE");
    exporting.exports = vec![("QueueUrl", "intake-dev-QueueUrl")];
    let script = Script::new()
        .describe(STACK, exporting.xml())
        .cloudformation("list_imports", imports("intake-dev-QueueUrl", nobody()))
        .describe(STACK, exporting.xml())
        .cloudformation("list_imports", imports("intake-dev-QueueUrl", nobody()))
        .template(TEMPLATE)
        .resources(&[]);
    let played = gone(script).play();
    destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect("the stack is gone");
    played.finish();
}

#[tokio::test]
async fn an_export_in_use_is_explained() {
    let message =
        "Export user-dev-UserTableArn cannot be deleted as it is in use by user-order-dev";
    let played = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(TEMPLATE)
        .resources(&[])
        .refuse_delete("ValidationError", message)
        .play();
    let error = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect_err("another stack needs it");
    assert_eq!(
        error.hints(),
        ["another stack imports that value: deploy or destroy that stack first"]
    );
    assert_eq!(
        Error::from(error).causes(),
        ["stack intake-dev cannot be deleted", message]
    );
    played.finish();
}

#[tokio::test]
async fn a_deletion_that_fails_names_the_first_cause() {
    let played = Script::new()
        .describe(STACK, Stack::new("DELETE_FAILED").xml())
        .describe(STACK, Stack::new("DELETE_FAILED").xml())
        .template(TEMPLATE)
        .resources(&[])
        .delete_stack()
        .events(&[
            (
                "5",
                STACK,
                "DELETE_FAILED",
                "The following resource(s) failed to delete: [Orders].",
                "*",
            ),
            (
                "4",
                "Orders",
                "DELETE_FAILED",
                "User is not authorized to perform: sqs:DeleteQueue",
                "*",
            ),
        ])
        .events(&[("5", STACK, "DELETE_FAILED", "", "*")])
        .resources(&[])
        .play();
    let error = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect_err("the queue stays");
    assert!(matches!(error, DestroyError::Failed(_)), "{error:?}");
    assert_eq!(
        error.hints(),
        [
            "the credentials of the deploy lack the action that the reason names",
            "finish the removal with `stackctl destroy intake-dev`; then deploy again, if it is to come back"
        ]
    );
    played.finish();
}

#[tokio::test]
async fn dependants_go_first_and_a_failure_keeps_what_they_need() {
    let played = Script::new()
        .describe("base-dev", Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&[("2", STACK, "UPDATE_IN_PROGRESS", "", "")])
        .play();
    let error = destroy(
        &played.context,
        request(&[("base-dev", &[]), (STACK, &["base-dev"])]),
    )
    .await
    .expect_err("the stack is busy");
    let outcomes: Vec<_> = error
        .report()
        .expect("it was begun")
        .stacks
        .iter()
        .map(|stack| (stack.stack.as_str(), stack.outcome))
        .collect();
    assert_eq!(
        outcomes,
        [(STACK, Outcome::Failed), ("base-dev", Outcome::Skipped)]
    );
    played.finish();
}

#[tokio::test]
async fn a_removal_of_an_earlier_run_is_waited_for() {
    const OURS: &str = "stackctl-0123456789";
    let played = Script::new()
        .describe(STACK, Stack::new("DELETE_IN_PROGRESS").xml())
        .describe(STACK, Stack::new("DELETE_IN_PROGRESS").xml())
        .events(&[("2", STACK, "DELETE_IN_PROGRESS", "User Initiated", OURS)])
        .events(&[("3", STACK, "DELETE_COMPLETE", "", OURS)])
        .events(&[("3", STACK, "DELETE_COMPLETE", "", OURS)])
        .describe(STACK, answers::absent(STACK))
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .play();
    destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect("the stack is gone");
    played.finish();
}

#[tokio::test]
async fn a_stack_that_goes_without_an_event_is_gone() {
    // Nothing is in it, so that nothing of anybody can be lost.
    let mut review = Stack::new("REVIEW_IN_PROGRESS");
    review.tags.clear();
    let mut script = Script::new()
        .describe(STACK, review.xml())
        .describe(STACK, review.xml())
        .list_change_sets(&[("stackctl-0123", 0)])
        .delete_stack();
    for _ in 0..10 {
        script = script.events(&[("1", STACK, "REVIEW_IN_PROGRESS", "User Initiated", "")]);
    }
    let played = script
        .describe(STACK_ID, Stack::new("DELETE_COMPLETE").xml())
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .play();
    destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect("the stack is gone");
    played.finish();
}

#[tokio::test]
async fn stopping_a_removal_says_what_goes_on_and_what_it_keeps() {
    let played = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(RETAINING)
        .resources(&[("Orders", "AWS::SQS::Queue", "q", "CREATE_COMPLETE")])
        .delete_stack()
        .events(&[("3", STACK, "DELETE_IN_PROGRESS", "User Initiated", "*")])
        .play();
    let handle = played.handle.clone();
    played.at_wait(1, move || handle.cancel());
    let error = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect_err("the run was stopped");
    assert_eq!(error.kind(), Kind::Interrupted);
    let report = error.report().expect("it was begun");
    assert_eq!(report.stacks[0].left.ledger[0].physical_id, "q");
    assert_eq!(
        Error::from(error).causes(),
        ["stopped; CloudFormation goes on with stack intake-dev, which is DELETE_IN_PROGRESS"]
    );
    played.finish();
}

/// A run that is killed after CloudFormation took the deletion tells nobody what the stack kept.
#[tokio::test]
async fn what_a_killed_run_left_to_do_is_done_by_the_next() {
    let state = tempfile::tempdir().expect("a directory");
    let request = || {
        let mut request = request(&[(STACK, &[])]);
        request.memory = Memory::in_state(state.path());
        request
    };
    let template = r#"{"Resources":{
        "Orders":{"Type":"AWS::SQS::Queue","DeletionPolicy":"Retain"},
        "Work":{"Type":"AWS::Lambda::Function"}}}"#;
    let played = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(template)
        .resources(&[
            ("Orders", "AWS::SQS::Queue", "q", "CREATE_COMPLETE"),
            (
                "Work",
                "AWS::Lambda::Function",
                "intake-dev-Work-1",
                "CREATE_COMPLETE",
            ),
        ])
        .delete_stack()
        .events(&[("3", STACK, "DELETE_IN_PROGRESS", "User Initiated", "*")])
        .play();
    played.at_wait(1, || panic!("killed"));
    let (context, first) = (played.context.clone(), request());
    let run = tokio::spawn(async move { destroy(&context, first).await.is_ok() });
    run.await.expect_err("it is killed");
    played.finish();

    let groups = r#"{"logGroups":[{"logGroupName":"/aws/lambda/intake-dev-Work-1","arn":"arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/intake-dev-Work-1:*"}]}"#;
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .describe(STACK, answers::absent(STACK))
        .logs(
            "describe_log_groups",
            mock!(Logs::describe_log_groups).then_http_response(move || http(200, groups)),
        )
        .logs(
            "list_tags_for_resource",
            mock!(Logs::list_tags_for_resource).then_http_response(|| http(200, r#"{"tags":{}}"#)),
        )
        .logs(
            "delete_log_group",
            mock!(Logs::delete_log_group).then_http_response(|| http(200, "{}")),
        )
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .play();
    let report = destroy(&played.context, request())
        .await
        .expect("it is gone");
    assert_eq!(report.stacks[0].outcome, Outcome::Absent);
    assert_eq!(report.stacks[0].retained["Orders"], "q");
    assert_eq!(report.stacks[0].left.adoptions.len(), 1);
    let memory = Memory::in_state(state.path());
    memory.forget(&played.context, &report).expect("it is told");
    assert_eq!(
        names(&played.finish()),
        ["stack_started", "log_group_removed", "finished absent"]
    );
    assert!(!state.path().join("removing").exists());
}

/// What was written down before a removal that never began says nothing of what the stack holds by now.
#[tokio::test]
async fn a_removal_that_never_began_tells_nothing() {
    let state = tempfile::tempdir().expect("a directory");
    let request = || {
        let mut request = request(&[(STACK, &[])]);
        request.memory = Memory::in_state(state.path());
        request
    };
    let denied = "User is not authorized to perform: cloudformation:DeleteStack";
    let played = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(RETAINING)
        .resources(&[("Orders", "AWS::SQS::Queue", "q", "CREATE_COMPLETE")])
        .refuse_delete("AccessDenied", denied)
        .play();
    destroy(&played.context, request())
        .await
        .expect_err("it may not be deleted");
    played.finish();
    // Somebody deployed meanwhile, without the queue.
    let script = Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(TEMPLATE)
        .resources(&[]);
    let played = gone(script).play();
    let report = destroy(&played.context, request())
        .await
        .expect("it is gone");
    assert!(report.stacks[0].retained.is_empty());
    played.finish();
}

const RETAINING: &str =
    r#"{"Resources":{"Orders":{"Type":"AWS::SQS::Queue","DeletionPolicy":"Retain"}}}"#;

/// The stack is gone, and the next run cannot find out any more what it kept.
#[tokio::test]
async fn what_a_stack_kept_is_known_where_something_fails_after_it_went() {
    let denied = answers::error(
        "AccessDenied",
        "User: arn:aws:iam::123456789012:user/dev is not authorized to perform: cloudformation:DescribeStacks",
    );
    let played = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(RETAINING)
        .resources(&[("Orders", "AWS::SQS::Queue", "q", "CREATE_COMPLETE")])
        .delete_stack()
        .events(&[("5", STACK, "DELETE_COMPLETE", "", "*")])
        .events(&[("5", STACK, "DELETE_COMPLETE", "", "*")])
        .describe(BOOTSTRAP_STACK, denied)
        .play();
    let error = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect_err("the artifacts cannot be removed");
    let stack = &error.report().expect("it was begun").stacks[0];
    assert_eq!(stack.outcome, Outcome::Failed);
    assert_eq!(stack.retained["Orders"], "q");
    assert_eq!(stack.left.ledger[0].physical_id, "q");
    played.finish();
}

#[tokio::test]
async fn a_stack_that_somebody_else_made_under_the_same_name_is_left_alone() {
    let mut foreign = Stack::new("CREATE_COMPLETE");
    foreign.tags = vec![("team", "blue")];
    // A stack of ours beside it stays too: all are looked at first.
    let played = Script::new()
        .describe("open-dev", Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, foreign.xml())
        .play();
    let mut request = request(&[("open-dev", &[]), (STACK, &[])]);
    request.unprotect = true;
    let error = destroy(&played.context, request)
        .await
        .expect_err("it is not ours");
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(
        error.to_string(),
        "not made by stackctl: intake-dev; nothing was removed"
    );
    assert_eq!(
        error.hints(),
        [
            "the stack was not made by stackctl; if it may go, run `aws cloudformation delete-stack --stack-name intake-dev --region eu-central-1 --profile work`"
        ]
    );
    assert!(names(&played.finish()).is_empty());
}

/// After a removal the stack is new again: names are reused, ARNs are not.
#[tokio::test]
async fn a_deleted_stack_is_deployed_as_a_new_one() {
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|input| input.change_set_type() == Some(&ChangeSetType::Create))
        .change_set("CREATE_COMPLETE", "", answers::ADD_ORDERS)
        .execute()
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
        .play();
    deploy(
        &played.context,
        super::script::one(stack(STACK, &[])),
        Answer::yes(),
    )
    .await
    .expect("the stack is created");
    played.finish();
}

/// Who may not ask is told so, and CloudFormation refuses what it has to.
#[tokio::test]
async fn a_caller_who_may_not_list_imports_is_warned_and_not_stopped() {
    let mut exporting = Stack::new("CREATE_COMPLETE");
    exporting.exports = vec![("QueueUrl", "intake-dev-QueueUrl")];
    let denied = || {
        let denied = answers::error(
            "AccessDenied",
            "User: arn:aws:iam::123456789012:user/dev is not authorized to perform: cloudformation:ListImports",
        );
        mock!(CloudFormation::list_imports).then_http_response(move || http(403, &denied))
    };
    let script = Script::new()
        .describe(STACK, exporting.xml())
        .cloudformation("list_imports", denied())
        .describe(STACK, exporting.xml())
        .cloudformation("list_imports", denied())
        .template(TEMPLATE)
        .resources(&[]);
    let played = gone(script).play();
    destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect("the stack is gone");
    let told = names(&played.finish());
    assert_eq!(told[..2], ["warning", "stack_started"]);
    assert!(!told[2..].contains(&"warning".to_owned()), "{told:?}");
}

/// Two changes of one API at the same instant are refused by API Gateway.
#[tokio::test]
async fn stacks_of_one_api_are_deleted_one_after_the_other() {
    const METHOD: &str = r#"{"Resources":{"Get":{"Type":"AWS::ApiGateway::Method","Properties":{"RestApiId":"a1b2c3"}}}}"#;
    let script = Script::new()
        .describe("user-dev", Stack::new("CREATE_COMPLETE").xml())
        .describe("order-dev", Stack::new("CREATE_COMPLETE").xml())
        .template(METHOD)
        .resources(&[("Get", "AWS::ApiGateway::Method", "m", "CREATE_COMPLETE")])
        .delete_stack()
        // Each deletion is waited for, and read once more after its end.
        .events_in_turns(&[
            &[("4", STACK, "DELETE_IN_PROGRESS", "", "*")],
            &[("5", STACK, "DELETE_COMPLETE", "", "*")],
            &[("5", STACK, "DELETE_COMPLETE", "", "*")],
        ])
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK));
    let played = script.play_in_any_order();
    let mut request = request(&[("user-dev", &[]), ("order-dev", &[])]);
    for stack in &mut request.stacks {
        let get = ResourceManifest {
            resource_type: "AWS::ApiGateway::Method".to_owned(),
            source: "stacks/src/orders.rs:1:1".to_owned(),
        };
        stack.resources.insert("Get".to_owned(), get);
    }
    destroy(&played.context, request)
        .await
        .expect("both are gone");
    let mut told = names(&played.finish());
    told.retain(|name| name.starts_with("stack_") || name.starts_with("finished"));
    assert_eq!(
        told,
        [
            "stack_started",
            "stack_deleting",
            "stack_started",
            "finished deleted",
            "stack_deleting",
            "finished deleted"
        ]
    );
}
