//! Create, update, approval, rollback, order.

use std::sync::Arc;

use aws_sdk_cloudformation::types::{Capability, ChangeSetType};

use super::{
    answers::{self, ADD_ORDERS, REPLACE_ORDERS, STACK_ID, Stack},
    script::{Answer, STACK, Script, TEMPLATE, names, one, stack},
};
use crate::{
    engine::{Change, Deployment, Event, Explained, Outcome, Replacement, deploy},
    error::{Error, Kind},
};

#[tokio::test]
async fn a_new_stack_is_created_by_the_change_set_that_was_shown() {
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|input| {
            input.change_set_type() == Some(&ChangeSetType::Create)
                && input.template_body() == Some(TEMPLATE)
                && input.template_url().is_none()
                && input
                    .capabilities()
                    .iter()
                    .map(Capability::as_str)
                    .eq(["CAPABILITY_IAM"])
                && input.tags().len() == 2
                && input
                    .change_set_name()
                    .is_some_and(|name| name.starts_with("stackctl-"))
        })
        .change_set("CREATE_IN_PROGRESS", "", "")
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .execute()
        // Nothing has begun: the only event is that of the review, which has no token.
        .events(&[("1", STACK, "REVIEW_IN_PROGRESS", "User Initiated", "")])
        .events(&[
            ("3", "Orders", "CREATE_IN_PROGRESS", "", "*"),
            ("2", STACK, "CREATE_IN_PROGRESS", "User Initiated", "*"),
            ("1", STACK, "REVIEW_IN_PROGRESS", "User Initiated", ""),
        ])
        .events(&[
            ("5", STACK, "CREATE_COMPLETE", "", "*"),
            ("3", "Orders", "CREATE_IN_PROGRESS", "", "*"),
            ("2", STACK, "CREATE_IN_PROGRESS", "User Initiated", "*"),
        ])
        // The event of the queue comes after that of the stack.
        .events(&[
            ("5", STACK, "CREATE_COMPLETE", "", "*"),
            ("3", "Orders", "CREATE_IN_PROGRESS", "", "*"),
        ])
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
        .play();
    let answer = Answer::yes();
    let report = deploy(&played.context, one(stack(STACK, &[])), answer.clone())
        .await
        .expect("the stack is created");
    assert_eq!(report.stacks[0].outcome, Outcome::Created);
    assert_eq!(
        report.stacks[0].outputs["QueueUrl"],
        "https://sqs.eu-central-1.amazonaws.com/1/q"
    );
    assert_eq!(played.waits(), [1, 1, 1]);
    let shown = answer.shown.lock().expect("no holder panics");
    assert_eq!(
        shown[0].changes,
        [Change {
            logical_id: "Orders".into(),
            resource_type: "AWS::SQS::Queue".into(),
            action: "Add".into(),
            source: Some("stacks/src/intake.rs:12:9".into()),
            ..Change::default()
        }]
    );
    assert_eq!(
        names(&played.finish()),
        [
            "stack_started",
            "change_set_creating",
            "change_set_ready",
            "change_set_executing",
            "intake-dev CREATE_IN_PROGRESS",
            "Orders CREATE_IN_PROGRESS",
            "intake-dev CREATE_COMPLETE",
            "finished created",
        ]
    );
}

#[tokio::test]
async fn events_that_come_after_the_end_are_not_lost() {
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|_| true)
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .execute()
        .events(&[("5", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[
            ("6", "Orders", "CREATE_COMPLETE", "", "*"),
            ("5", STACK, "CREATE_COMPLETE", "", "*"),
        ])
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
        .await
        .expect("the stack is created");
    let seen = names(&played.finish());
    assert!(
        seen.contains(&"Orders CREATE_COMPLETE".to_owned()),
        "{seen:?}"
    );
}

#[tokio::test]
async fn an_update_shows_replacement_and_reads_every_page() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .list_change_sets(&[])
        .create_change_set(|input| input.change_set_type() == Some(&ChangeSetType::Update))
        .change_set_page(None, REPLACE_ORDERS, Some("page2"))
        .change_set_page(Some("page2"), &ADD_ORDERS.replace("Orders", "Dead"), None)
        .execute()
        .events_page(
            &[("9", STACK, "UPDATE_COMPLETE", "", "*")],
            None,
            Some("older"),
        )
        .events_page(
            &[
                ("8", "Orders", "UPDATE_COMPLETE", "", "*"),
                ("7", STACK, "CREATE_COMPLETE", "", "somebody"),
            ],
            Some("older"),
            Some("oldest"),
        )
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
        .play();
    let answer = Answer::yes();
    let report = deploy(&played.context, one(stack(STACK, &[])), answer.clone())
        .await
        .expect("the stack is updated");
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    {
        let shown = answer.shown.lock().expect("no holder panics");
        let [dead, orders] = shown[0].changes.as_slice() else {
            panic!("two pages with a change each: {shown:?}")
        };
        assert_eq!(dead.logical_id, "Dead");
        assert_eq!(orders.replacement, Some(Replacement::Always));
        assert_eq!(orders.policy_action.as_deref(), Some("ReplaceAndDelete"));
        assert_eq!(orders.properties, ["DelaySeconds", "QueueName"]);
    }
    let seen = names(&played.finish());
    assert_eq!(
        seen[4..],
        [
            "Orders UPDATE_COMPLETE",
            "intake-dev UPDATE_COMPLETE",
            "finished updated"
        ]
    );
}

#[tokio::test]
async fn a_stack_that_is_as_it_should_be_costs_two_calls() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template("{\n \"Resources\": {\"Orders\": {\"Type\": \"AWS::SQS::Queue\"}}\n}")
        .play();
    let report = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect("nothing is to be done");
    assert_eq!(report.stacks[0].outcome, Outcome::Unchanged);
    assert_eq!(
        report.stacks[0].outputs["QueueUrl"],
        "https://sqs.eu-central-1.amazonaws.com/1/q"
    );
    assert_eq!(
        names(&played.finish()),
        ["stack_started", "finished unchanged"]
    );
}

#[tokio::test]
async fn a_first_deploy_that_fails_names_the_first_cause() {
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|_| true)
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .execute()
        .events(&[
            ("8", STACK, "ROLLBACK_COMPLETE", "", "*"),
            ("7", "Orders", "DELETE_COMPLETE", "", "*"),
            (
                "6",
                STACK,
                "ROLLBACK_IN_PROGRESS",
                "The following resource(s) failed to create: [Dead, Orders]. Rollback requested by user.",
                "*",
            ),
            ("5", "Dead", "CREATE_FAILED", "Resource creation cancelled", "*"),
            (
                "4",
                "Orders",
                "CREATE_FAILED",
                "Resource of type &apos;AWS::SQS::Queue&apos; with identifier &apos;orders&apos; already exists.",
                "*",
            ),
            ("3", STACK, "CREATE_IN_PROGRESS", "User Initiated", "*"),
        ])
        .events(&[("8", STACK, "ROLLBACK_COMPLETE", "", "*")])
        .play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
        .await
        .expect_err("the stack fails");
    let failure = error.report().expect("it was begun").stacks[0]
        .failure
        .clone()
        .expect("it failed");
    let cause = failure.first_cause.expect("the events tell");
    assert_eq!(cause.logical_id, "Orders");
    assert_eq!(cause.source.as_deref(), Some("stacks/src/intake.rs:12:9"));
    assert_eq!(cause.physical_id.as_deref(), Some("Orders-physical"));
    assert_eq!(
        failure.message,
        "stack intake-dev ended as ROLLBACK_COMPLETE"
    );
    assert_eq!(
        failure.causes,
        [
            "Orders (AWS::SQS::Queue): Resource of type 'AWS::SQS::Queue' with identifier 'orders' already exists. \
             (declared at stacks/src/intake.rs:12:9)"
        ]
    );
    assert_eq!(failure.hints.len(), 2, "{:?}", failure.hints);
    let events = played.finish();
    assert!(matches!(events.last(), Some(Event::StackFailed { .. })));
}

#[tokio::test]
async fn an_update_that_is_rolled_back_is_a_failure() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .executing(REPLACE_ORDERS)
        .events(&[
            ("4", STACK, "UPDATE_ROLLBACK_IN_PROGRESS", "", "*"),
            (
                "3",
                "Orders",
                "UPDATE_FAILED",
                "Invalid request provided: the delay is too long",
                "*",
            ),
            ("2", STACK, "UPDATE_IN_PROGRESS", "User Initiated", "*"),
        ])
        .events(&[
            ("6", STACK, "UPDATE_ROLLBACK_COMPLETE", "", "*"),
            (
                "5",
                STACK,
                "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
                "",
                "*",
            ),
            ("4", STACK, "UPDATE_ROLLBACK_IN_PROGRESS", "", "*"),
        ])
        .events(&[("6", STACK, "UPDATE_ROLLBACK_COMPLETE", "", "*")])
        .play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
        .await
        .expect_err("the update is rolled back");
    let error = Error::from(error);
    assert_eq!(
        error.causes()[1],
        "Orders (AWS::SQS::Queue): Invalid request provided: the delay is too long \
         (declared at stacks/src/intake.rs:12:9)"
    );
    assert_eq!(
        error.hints(),
        [
            "the stack is as it was before: mend stacks/src/intake.rs:12:9, and deploy again (`stackctl deploy intake-dev`)"
        ]
    );
    assert_eq!(played.waits(), [1]);
    played.finish();
}

#[tokio::test]
async fn a_failed_stack_stops_its_dependants() {
    let mut deployment = Deployment {
        stage: "dev".into(),
        stacks: vec![stack("late-dev", &[STACK]), stack(STACK, &[])],
        ..Deployment::default()
    };
    deployment.stacks.swap(0, 1);
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_FAILED").xml())
        .resources(&[])
        .play();
    let error = deploy(&played.context, deployment, Answer::never())
        .await
        .expect_err("the first stack is stuck");
    let outcomes: Vec<_> = error
        .report()
        .expect("it was begun")
        .stacks
        .iter()
        .map(|stack| (stack.stack.as_str(), stack.outcome))
        .collect();
    assert_eq!(
        outcomes,
        [(STACK, Outcome::Failed), ("late-dev", Outcome::Skipped)]
    );
    assert_eq!(
        error.to_string(),
        "stack intake-dev was not deployed; not tried because of that: late-dev"
    );
    assert_eq!(
        names(&played.finish()),
        ["stack_started", "stack_failed", "stack_skipped"]
    );
}

#[tokio::test]
async fn a_circle_is_refused_before_any_call() {
    let played = Script::new().play();
    let deployment = Deployment {
        stage: "dev".into(),
        stacks: vec![stack("a-dev", &["b-dev"]), stack("b-dev", &["a-dev"])],
        ..Deployment::default()
    };
    let error = deploy(&played.context, deployment, Answer::never())
        .await
        .expect_err("the stacks depend on each other");
    assert_eq!(
        error.to_string(),
        "the assembly cannot be deployed: stacks depend on each other in a circle: a-dev, b-dev"
    );
    assert_eq!(error.kind(), Kind::Assembly);
    played.finish();
}

#[tokio::test]
async fn protection_is_turned_on_and_never_off() {
    // Wanted, found, whether a call is made.
    for (wanted, found, called) in [
        (true, false, true),
        (true, true, false),
        (false, true, false),
    ] {
        let mut protected = stack(STACK, &[]);
        protected.manifest.termination_protection = wanted;
        // Nothing in it needs a policy.
        let topic = r#"{"Resources":{"Orders":{"Type":"AWS::SNS::Topic"}}}"#;
        protected.template = topic.to_owned();
        let mut answer = Stack::new("UPDATE_COMPLETE");
        answer.protected = found;
        let mut script = Script::new().describe(STACK, answer.xml()).template(topic);
        if called {
            script = script.protect(true);
        }
        let played = script.play();
        deploy(&played.context, one(protected), Answer::never())
            .await
            .expect("nothing else is to be done");
        played.finish();
    }
}

/// Compiles only while a deploy can be run on another thread.
#[tokio::test]
async fn a_deploy_may_be_spawned() {
    let played = Script::new().play();
    let context = played.context.clone();
    let report =
        tokio::spawn(async move { deploy(&context, Deployment::default(), Answer::never()).await })
            .await
            .expect("it does not panic")
            .expect("nothing is to be done");
    assert!(report.stacks.is_empty());
    let _: Arc<dyn crate::engine::Approve> = Answer::yes();
}
