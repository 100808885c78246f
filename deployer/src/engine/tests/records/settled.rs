//! Stacks that were rolled back and are as their source says.

use super::*;
use crate::engine::status;

/// CloudFormation keeps the status for ever, where the source was taken back as well.
#[tokio::test]
async fn a_stack_that_was_rolled_back_and_is_as_its_source_says_is_settled() {
    const SETTLED: &str = "state/intake-dev.settled.json";
    let state = format!("{STACK_ID} UPDATE_ROLLBACK_COMPLETE 2026-07-28T06:00:00Z");
    let found = Stack::new("UPDATE_ROLLBACK_COMPLETE");
    let told = json!({"state": state});
    let wanted = told.clone();
    let played = begun(&[])
        .describe(STACK, found.xml())
        .proposing_nothing()
        .s3(
            "put_object",
            put(move |input| input.key() == Some(SETTLED) && body(input) == wanted),
        )
        .play();
    let report = deploy(&played.context, recorded(), Answer::never())
        .await
        .expect("nothing changes");
    assert_eq!(report.stacks[0].outcome, Outcome::Unchanged);
    assert_eq!(
        names(&played.finish()),
        [
            "stack_started",
            "change_set_creating",
            "stack_settled",
            "finished unchanged"
        ]
    );

    // Whoever looks knows, until something else happens to the stack.
    let mut later = Stack::new("UPDATE_ROLLBACK_COMPLETE");
    later.updated = "2026-07-29T06:00:00.000Z";
    for (found, next) in [(found, None), (later, Some("stackctl deploy intake-dev"))] {
        let told = told.to_string();
        let played = Script::new()
            .describe(STACK, found.xml())
            .describe(BOOTSTRAP_STACK, bucket_stack().xml())
            .s3(
                "get_object",
                mock!(S3::get_object)
                    .match_requests(|input| input.key() == Some(SETTLED))
                    .then_http_response(move || http(200, &told)),
            )
            .play();
        let report = status(&played.context, &[target()]).await.expect("is read");
        let stack = &report.stacks[0];
        assert_eq!(stack.next.as_deref(), next);
        assert!(stack.rolled_back.is_some());
        played.finish();
    }
}

/// What the folders of a stack hold is part of what its source says.
#[tokio::test]
async fn nothing_is_settled_before_all_of_it_is_done() {
    let root = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(root.path().join("site")).expect("it can be made");
    std::fs::write(root.path().join("site/index.html"), "hello").expect("it can be written");
    let manifest = stack_model::assembly::ContentManifest {
        bucket: "Site".to_owned(),
        folder: "site".to_owned(),
        ..stack_model::assembly::ContentManifest::default()
    };
    let content = crate::content::read(root.path(), &manifest).expect("it can be read");
    let mut deployment = recorded();
    deployment.stacks[0].contents = [("Pages".to_owned(), content)].into();
    let refused = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let played = begun(&[])
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .proposing_nothing()
        .resources(&[("Site", "AWS::S3::Bucket", "site-bucket", "CREATE_COMPLETE")])
        .s3(
            "list_objects_v2",
            mock!(S3::list_objects_v2)
                .match_requests(|input| input.bucket() == Some("site-bucket"))
                .then_http_response(move || http(403, refused)),
        )
        .play();
    let ended = deploy(&played.context, deployment, Answer::never()).await;
    ended.expect_err("nobody may fill the bucket");
    assert!(!names(&played.finish()).contains(&"stack_settled".to_owned()));
}
