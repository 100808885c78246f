//! Removals that were stopped, killed or failed, and the run after.

use super::*;

#[tokio::test]
async fn a_removal_of_an_earlier_run_is_waited_for() {
    const OURS: &str = "stackctl-0123456789";
    let played = Script::new()
        .describe(STACK, Stack::new("DELETE_IN_PROGRESS").xml())
        .describe(STACK, Stack::new("DELETE_IN_PROGRESS").xml())
        .template(TEMPLATE)
        .resources(&[])
        .events(&[("2", STACK, "DELETE_IN_PROGRESS", "User Initiated", OURS)])
        .events(&[("3", STACK, "DELETE_COMPLETE", "", OURS)])
        .events(&[("3", STACK, "DELETE_COMPLETE", "", OURS)])
        .describe(STACK, answers::absent(STACK))
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .play();
    destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect("the stack is gone");
    played.finish_as("destroy");
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
    played.finish_as("destroy");
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
    let error = Error::from(error);
    assert_eq!(
        error.message(),
        "stopped; CloudFormation goes on with stack intake-dev, which is DELETE_IN_PROGRESS"
    );
    assert_eq!(error.causes(), [""; 0], "it is said once");
    played.finish_as("destroy");
}

/// A stack that keeps a queue, and has a function without a log group of its own.
const WORKING: &str = r#"{"Resources":{
    "Orders":{"Type":"AWS::SQS::Queue","DeletionPolicy":"Retain"},
    "Work":{"Type":"AWS::Lambda::Function"}}}"#;

/// What that stack holds, with the status of its function.
fn working(status: &str) -> [(&str, &str, &str, &str); 2] {
    let function = "AWS::Lambda::Function";
    [
        ("Orders", "AWS::SQS::Queue", "q", "CREATE_COMPLETE"),
        ("Work", function, "intake-dev-Work-1", status),
    ]
}

/// The log group that the function `Work` made by itself is found and removed.
fn removes_the_group(script: Script) -> Script {
    let groups = r#"{"logGroups":[{"logGroupName":"/aws/lambda/intake-dev-Work-1","arn":"arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/intake-dev-Work-1:*"}]}"#;
    script
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
    let played = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(WORKING)
        .resources(&working("CREATE_COMPLETE"))
        .delete_stack()
        .events(&[("3", STACK, "DELETE_IN_PROGRESS", "User Initiated", "*")])
        .play();
    played.at_wait(1, || panic!("killed"));
    let (context, first) = (played.context.clone(), request());
    let run = tokio::spawn(async move { destroy(&context, first).await.is_ok() });
    run.await.expect_err("it is killed");
    played.finish_as("destroy");

    let script = Script::new()
        .describe(STACK, answers::absent(STACK))
        .describe(STACK, answers::absent(STACK));
    let played = removes_the_group(script)
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
        names(&played.finish_as("destroy")),
        ["stack_started", "log_group_removed", "finished absent"]
    );
    assert!(!state.path().join("removing").exists());
}

/// A build on another machine began it, and its files are gone with it.
#[tokio::test]
async fn what_a_stack_held_that_goes_already_is_read_where_nobody_wrote_it_down() {
    const OURS: &str = "stackctl-0123456789";
    let state = tempfile::tempdir().expect("a directory");
    let mut request = request(&[(STACK, &[])]);
    request.memory = Memory::in_state(state.path());
    let going = || {
        let mut stack = Stack::new("DELETE_IN_PROGRESS");
        stack.removed = Some("2026-07-28T05:59:59.000Z");
        stack.xml()
    };
    let script = Script::new()
        .describe(STACK, going())
        .describe(STACK, going())
        .template(WORKING)
        // The function is gone already, and its log group is not.
        .resources(&working("DELETE_COMPLETE"))
        .events(&[("2", STACK, "DELETE_IN_PROGRESS", "User Initiated", OURS)])
        .events(&[("3", STACK, "DELETE_COMPLETE", "", OURS)])
        .events(&[("3", STACK, "DELETE_COMPLETE", "", OURS)])
        .describe(STACK, answers::absent(STACK));
    let played = removes_the_group(script)
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .play();
    let report = destroy(&played.context, request).await.expect("it is gone");
    assert_eq!(report.stacks[0].retained["Orders"], "q");
    assert!(
        state.path().join("removing").exists(),
        "for a run that is killed"
    );
    let memory = Memory::in_state(state.path());
    memory.forget(&played.context, &report).expect("it is told");
    let told = names(&played.finish_as("destroy"));
    assert!(told.iter().any(|it| it == "log_group_removed"), "{told:?}");
}

/// A function that an earlier update took out may be somebody else's by now, who has logs of that name
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html> tells when the removal began).
#[tokio::test]
async fn logs_of_what_left_before_the_removal_are_nobodys_to_remove() {
    const OURS: &str = "stackctl-0123456789";
    let going = || {
        let mut stack = Stack::new("DELETE_IN_PROGRESS");
        stack.removed = Some("2026-07-28T06:00:01.000Z");
        stack.xml()
    };
    let played = Script::new()
        .describe(STACK, going())
        .describe(STACK, going())
        .template(WORKING)
        .resources(&working("DELETE_COMPLETE"))
        .events(&[("2", STACK, "DELETE_IN_PROGRESS", "User Initiated", OURS)])
        .events(&[("3", STACK, "DELETE_COMPLETE", "", OURS)])
        .events(&[("3", STACK, "DELETE_COMPLETE", "", OURS)])
        .describe(STACK, answers::absent(STACK))
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .play();
    let request = request(&[(STACK, &[])]);
    destroy(&played.context, request).await.expect("it is gone");
    let told = names(&played.finish_as("destroy"));
    assert!(!told.iter().any(|it| it == "log_group_removed"), "{told:?}");
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
    played.finish_as("destroy");
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
    played.finish_as("destroy");
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
    played.finish_as("destroy");
}
