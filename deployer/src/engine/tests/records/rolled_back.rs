//! Updates that were rolled back after their run was killed: what was live before them is live again, once somebody agreed to
//! it.

use super::{
    unbegun::{forgotten, noted},
    *,
};
use crate::engine::{
    RollbackAction, RollbackRequest,
    plan::{self, Registry, Wanted},
    rollback, rollback_plan,
};

const FUNCTION: &str = "arn:aws:lambda:eu-central-1:123456789012:function:intake-Work";
const ALIAS: &str = "arn:aws:lambda:eu-central-1:123456789012:function:intake-Work:live";
const RELEASED: &str = r#"{"Parameters":{"WorkRelease":{"Type":"String"}},"Resources":{"WorkAlias":{"Type":"AWS::Lambda::Alias"}}}"#;

/// CloudFormation believes in version 4, whose check failed and led back to version 3.
fn resources(script: Script) -> Script {
    let version = "arn:aws:lambda:eu-central-1:123456789012:function:intake-Work:4";
    script.resources(&[
        (
            "Work",
            "AWS::Lambda::Function",
            "intake-Work",
            "UPDATE_COMPLETE",
        ),
        ("WorkAlias", "AWS::Lambda::Alias", ALIAS, "UPDATE_COMPLETE"),
        (
            "WorkVersion",
            "AWS::Lambda::Version",
            version,
            "UPDATE_COMPLETE",
        ),
    ])
}

/// `GetAlias` (<https://docs.aws.amazon.com/lambda/latest/api/API_GetAlias.html>).
fn alias(script: Script, version: &'static str) -> Script {
    let answer =
        json!({"AliasArn": ALIAS, "Name": "live", "FunctionVersion": version, "RevisionId": "r1"});
    script.lambda(
        "get_alias",
        mock!(Lambda::get_alias).then_http_response(move || http(200, &answer.to_string())),
    )
}

/// Nobody moved the function by hand.
fn by_nobody(script: Script) -> Script {
    let none = "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>";
    script.s3(
        "get_object",
        mock!(S3::get_object)
            .match_requests(|input| input.key() == Some("intake-dev/by-hand/Work.json"))
            .then_http_response(move || http(404, none)),
    )
}

/// The looks that find the alias where CloudFormation rolled it back to.
fn found(script: Script) -> Script {
    by_nobody(alias(resources(script), "4"))
}

fn led_back(script: Script) -> Script {
    script.lambda(
        "update_alias",
        mock!(Lambda::update_alias)
            .match_requests(|input| {
                input.function_name() == Some(FUNCTION) && input.function_version() == Some("3")
            })
            .then_http_response(|| http(200, &json!({"FunctionVersion": "3"}).to_string())),
    )
}

/// What the run that was killed wrote down before its update.
fn left() -> Rule {
    noted(json!({
        "stack_id": STACK_ID,
        "before": format!("{STACK_ID} UPDATE_COMPLETE 2026-07-27T06:00:00Z"),
        "aliases": {
            "WorkAlias": {"function": FUNCTION, "name": "live", "live": "3", "good": "3"},
        },
    }))
}

/// There is none.
fn forgotten_note() -> Rule {
    let none = "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>";
    mock!(S3::get_object)
        .match_requests(|input| input.key() == Some(UNPROVEN))
        .then_http_response(move || http(404, none))
}

fn deployment() -> Deployment {
    let mut deployment = recorded();
    let stack = &mut deployment.stacks[0];
    RELEASED.clone_into(&mut stack.template);
    stack.manifest.artifacts.clear();
    stack.manifest.releases = [("WorkRelease".to_owned(), "Work".to_owned())].into();
    deployment
}

/// The calls from the list of states to the change set.
fn proposed() -> Script {
    begun(&[(UNPROVEN, "")])
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .s3("get_object", left())
        .proposing(ADD_ORDERS)
}

fn moves(events: &[Event]) -> usize {
    let is_move = |event: &&Event| matches!(event, Event::AliasLedBack { from, to, .. } if from == "4" && to == "3");
    events.iter().filter(is_move).count()
}

#[tokio::test]
async fn nothing_is_led_back_that_nobody_agreed_to() {
    // The script has no call of Lambda.
    let script = proposed().delete_change_set(answers::CHANGE_SET_ID);
    let played = script.play();
    let ended = deploy(&played.context, deployment(), Answer::no()).await;
    ended.expect_err("it is declined");
    played.finish();
}

#[tokio::test]
async fn what_was_live_before_is_led_back_with_what_was_agreed_to() {
    let script = led_back(found(proposed()));
    // What is live now is what the next update is to leave live.
    let script = alias(resources(script), "3")
        .s3(
            "put_object",
            put(|input| {
                let note = body(input);
                input.key() == Some(UNPROVEN)
                    && note["aliases"]["WorkAlias"]["live"] == "3"
                    && note["carried"] == true
            }),
        )
        .execute()
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
        .s3("list_objects_v2", listed("intake-dev/release/", &[]))
        .s3("put_object", put(|_| true));
    let played = alias(resources(script), "4")
        .s3("list_objects_v2", listed("intake-dev/failed/", &[]))
        .s3("delete_object", forgotten())
        .s3("put_object", put(|input| input.key() == Some(MARK)))
        .play();
    deploy(&played.context, deployment(), Answer::yes())
        .await
        .expect("it is deployed");
    assert_eq!(moves(&played.finish()), 1);
}

/// The next update is rolled back as well, and its run lives to see it.
#[tokio::test]
async fn what_an_update_moved_that_fails_is_led_back_by_its_deploy() {
    let script = led_back(found(proposed()));
    let script = alias(resources(script), "3")
        .s3("put_object", put(|input| input.key() == Some(UNPROVEN)))
        .execute()
        .events(&[("9", STACK, "UPDATE_ROLLBACK_COMPLETE", "", "*")])
        .events(&[("9", STACK, "UPDATE_ROLLBACK_COMPLETE", "", "*")]);
    // Nothing is forgotten: nobody had proven the stack before either.
    let played = led_back(alias(script, "4")).play();
    let ended = deploy(&played.context, deployment(), Answer::yes()).await;
    ended.expect_err("it is rolled back");
    assert_eq!(moves(&played.finish()), 2);
}

#[tokio::test]
async fn the_plan_tells_what_is_led_back() {
    let deployment = deployment();
    let stack = &deployment.stacks[0];
    let script = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .template(RELEASED)
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .s3("get_object", left());
    let played = found(script).play();
    let template = serde_json::from_str(RELEASED).expect("is JSON");
    let none = std::collections::BTreeMap::new();
    let wanted = Wanted {
        manifest: &stack.manifest,
        template: &template,
        contracts: &std::collections::BTreeMap::new(),
        contents: &none,
    };
    let artifacts = std::collections::BTreeMap::new();
    let plan = plan::plan(&played.context, &[wanted], &artifacts, &Registry)
        .await
        .expect("it is planned");
    let other = plan.stacks[0].other.iter();
    let told: Vec<_> = other
        .filter(|change| change.path.to_string().starts_with("LiveAgain"))
        .map(|change| (change.path.to_string(), &change.before, &change.after))
        .collect();
    let (from, to) = (Some(json!("4")), Some(json!("3")));
    assert_eq!(told, [("LiveAgain.WorkAlias".to_owned(), &from, &to)]);
    played.finish();
}

/// Neither the bucket nor an alias is asked about where no alias will be moved: the script knows of no such call.
#[tokio::test]
async fn a_rollback_plan_reads_the_notes_only_of_own_stacks_that_it_may_lead_back() {
    let stack = deployment().stacks.remove(0).manifest;
    let mut theirs = Stack::new("UPDATE_FAILED");
    theirs.tags.push(("stackctl:app", "blog"));
    for found in [Stack::new("UPDATE_COMPLETE"), theirs] {
        let played = Script::new().describe(STACK, found.xml()).play();
        let context = played.context.clone().of_app(Some("shop"));
        let planned = rollback_plan(&context, std::slice::from_ref(&stack)).await;
        let planned = planned.expect("there is a plan");
        assert!(planned[0].live.is_empty() && planned[0].failed.is_empty());
        played.finish_as("rollback");
    }
    // What was written down before another update, or never, is no state to go back to.
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_FAILED").xml())
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .s3("get_object", forgotten_note())
        .play();
    let planned = rollback_plan(&played.context, &[stack]).await;
    assert!(planned.expect("there is a plan")[0].live.is_empty());
    played.finish_as("rollback");
}

/// Who deployed it was killed, and somebody takes the update back that failed.
#[tokio::test]
async fn a_rollback_leaves_live_what_was_live_before_the_update() {
    let stack = deployment().stacks.remove(0).manifest;
    let request = RollbackRequest {
        stacks: vec![stack.clone()],
        ..RollbackRequest::default()
    };
    let begun = || {
        Script::new()
            .describe(STACK, Stack::new("UPDATE_FAILED").xml())
            .describe(BOOTSTRAP_STACK, bucket_stack().xml())
            .s3("get_object", left())
    };
    let script = begun()
        .describe(STACK, Stack::new("UPDATE_FAILED").xml())
        .rollback_stack()
        .events(&[("9", STACK, "UPDATE_ROLLBACK_COMPLETE", "", "*")])
        .events(&[("9", STACK, "UPDATE_ROLLBACK_COMPLETE", "", "*")])
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .s3("get_object", left());
    let played = led_back(by_nobody(alias(resources(script), "4"))).play();
    let planned = rollback_plan(&played.context, std::slice::from_ref(&stack)).await;
    let planned = planned.expect("there is a plan");
    assert_eq!(planned[0].live["WorkAlias"], "3");
    rollback(&played.context, request)
        .await
        .expect("it is rolled back");
    assert_eq!(moves(&played.finish_as("rollback")), 1);
}

/// Somebody made version 3 live by hand, and nobody may move the alias when the update of this deploy is rolled back.
#[tokio::test]
async fn what_was_live_is_remembered_until_it_is_live_again() {
    let script = begun(&[])
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .list_change_sets(&[])
        .create_change_set(|_| true)
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS);
    let denied = r#"{"message": "User is not authorized to perform: lambda:UpdateAlias"}"#;
    let noted = put(|input| {
        let note = body(input);
        input.key() == Some(UNPROVEN) && note["aliases"]["WorkAlias"]["live"] == "3"
    });
    let script = alias(resources(script), "3")
        .s3("put_object", noted)
        .execute()
        .events(&[("9", STACK, "UPDATE_ROLLBACK_COMPLETE", "", "*")])
        .events(&[("9", STACK, "UPDATE_ROLLBACK_COMPLETE", "", "*")]);
    // What was written down is not deleted.
    let played = alias(script, "4")
        .lambda(
            "update_alias",
            mock!(Lambda::update_alias).then_http_response(move || http(403, denied)),
        )
        .play();
    let ended = deploy(&played.context, deployment(), Answer::yes()).await;
    ended.expect_err("it is rolled back");
    assert_eq!(moves(&played.finish()), 0);
}

/// Nor does the next deploy, which may not move it either, write down that something else was live.
#[tokio::test]
async fn what_was_live_is_remembered_by_the_next_update_as_well() {
    let denied = r#"{"message": "User is not authorized to perform: lambda:UpdateAlias"}"#;
    let noted = put(|input| {
        let note = body(input);
        input.key() == Some(UNPROVEN) && note["aliases"]["WorkAlias"]["live"] == "3"
    });
    let script = found(proposed()).lambda(
        "update_alias",
        mock!(Lambda::update_alias).then_http_response(move || http(403, denied)),
    );
    let played = by_nobody(alias(resources(script), "4"))
        .s3("put_object", noted)
        .refuse_execution("AccessDenied", "no identity-based policy allows it")
        .play();
    let ended = deploy(&played.context, deployment(), Answer::yes()).await;
    ended.expect_err("it is denied");
    assert_eq!(moves(&played.finish()), 0);
}

/// Nothing is to be rolled back but what is live, which nobody may move unasked.
#[tokio::test]
async fn a_rollback_that_only_leads_back_is_planned_and_told() {
    let stack = deployment().stacks.remove(0).manifest;
    let described = || Stack::new("UPDATE_ROLLBACK_COMPLETE").xml();
    let request = |unasked: &[&str]| RollbackRequest {
        stacks: vec![stack.clone()],
        unasked: unasked.iter().map(|stack| (*stack).to_owned()).collect(),
        ..RollbackRequest::default()
    };
    let looked = |script: Script| {
        script
            .describe(BOOTSTRAP_STACK, bucket_stack().xml())
            .s3("get_object", left())
    };
    let script = found(looked(Script::new().describe(STACK, described())));
    let script = script
        .describe(STACK, described())
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .describe(STACK, described())
        .s3("get_object", left());
    let played = led_back(found(script)).play();
    let planned = rollback_plan(&played.context, std::slice::from_ref(&stack)).await;
    let planned = planned.expect("there is a plan");
    assert_eq!(planned[0].action, RollbackAction::LeadBack);
    assert_eq!(planned[0].live["WorkAlias"], "3");
    let report = rollback(&played.context, request(&[])).await;
    let report = report.expect("it is led back");
    assert_eq!(report.stacks[0].outcome, Outcome::RolledBack);
    assert_eq!(moves(&played.finish()), 1);

    // Where nobody was asked, nothing moves.
    let played = Script::new().describe(STACK, described()).play();
    let report = rollback(&played.context, request(&[STACK])).await;
    let report = report.expect("nothing is to be done");
    assert_eq!(report.stacks[0].outcome, Outcome::Unchanged);
    played.finish();

    // Somebody moved it by hand, and there it stays.
    let script = looked(Script::new().describe(STACK, described()));
    let played = alias(resources(script), "2").play();
    let planned = rollback_plan(&played.context, std::slice::from_ref(&stack)).await;
    let planned = planned.expect("there is a plan");
    assert_eq!(planned[0].action, RollbackAction::Nothing);
    assert!(planned[0].live.is_empty());
    played.finish();
}
