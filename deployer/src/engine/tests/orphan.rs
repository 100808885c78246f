//! What is deployed besides what the source says, in the form of
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_smithy_mocks::{Rule, mock};

use super::{
    answers,
    given::Answer,
    script::{STACK, Script, http, stack},
};
use crate::engine::{
    Context, Deployment, DestroyError, DestroyRequest, Explained as _, RollbackRequest,
    StackTarget, Taken, Territory, deploy, destroy, find_orphans, revert, rollback, survey, taken,
};
use crate::error::Kind;

const REGION: &str = "eu-central-1";

/// A stack of an answer, with its tags and whatever else it has.
fn member(name: &str, tags: &[(&str, &str)], more: &str) -> String {
    let mut text = format!(
        "<member><StackName>{name}</StackName>\
         <StackId>arn:aws:cloudformation:{REGION}:123456789012:stack/{name}/1</StackId>{more}\
         <CreationTime>2026-07-27T22:28:28.000Z</CreationTime><StackStatus>UPDATE_COMPLETE</StackStatus><Tags>"
    );
    for (key, value) in tags {
        let _ = write!(
            text,
            "<member><Key>{key}</Key><Value>{value}</Value></member>"
        );
    }
    text + "</Tags></member>"
}

fn page(members: &[String], next: Option<&str>) -> String {
    let next = next.map_or_else(String::new, |next| format!("<NextToken>{next}</NextToken>"));
    answers::result(
        "DescribeStacks",
        &format!("<Stacks>{}</Stacks>{next}", members.concat()),
    )
}

/// The call that lists stacks, from a page on.
fn list(from: Option<&'static str>, answer: String) -> Rule {
    mock!(CloudFormation::describe_stacks)
        .match_requests(move |input| input.stack_name().is_none() && input.next_token() == from)
        .then_http_response(move || http(200, &answer))
}

pub(super) fn territory() -> Territory {
    Territory {
        stage: "dev".to_owned(),
        known: ["intake-dev", "orders-dev", "web-dev"]
            .map(|name| (REGION.to_owned(), name.to_owned()))
            .into(),
        regions: BTreeSet::from([REGION.to_owned()]),
        guessed: BTreeSet::new(),
        stages: ["dev", "prod"].map(str::to_owned).into(),
    }
}

fn shop(context: &Context) -> Context {
    context.clone().of_app(Some("shop"))
}

fn taken_by(stack: &str, app: &str) -> Taken {
    Taken {
        stack: stack.to_owned(),
        region: REGION.to_owned(),
        app: app.to_owned(),
    }
}

const DEV: (&str, &str) = ("stackctl:stage", "dev");
const SHOP: (&str, &str) = ("stackctl:app", "shop");
const OTHER: (&str, &str) = ("stackctl:app", "club");

pub(super) fn script() -> Script {
    let parent = format!(
        "<ParentId>arn:aws:cloudformation:{REGION}:123456789012:stack/late-dev/1</ParentId>\
         <RootId>arn:aws:cloudformation:{REGION}:123456789012:stack/late-dev/1</RootId>"
    );
    let first = page(
        &[
            member("intake-dev", &[DEV, SHOP], ""),
            // Deployed before the app had a name.
            member("orders-dev", &[DEV], ""),
            member("web-dev", &[DEV, OTHER], ""),
            member("late-dev", &[DEV, SHOP], ""),
        ],
        Some("2"),
    );
    let second = page(
        &[
            member("nested-dev", &[DEV, SHOP], &parent),
            member("StackSet-fleet-dev-0f5c", &[DEV, SHOP], ""),
            member("stackctl-bootstrap", &[("stackctl:stage", "bootstrap")], ""),
            member("late-prod", &[("stackctl:stage", "prod"), SHOP], ""),
            member("chat-dev", &[DEV, OTHER], ""),
            member("found-dev", &[DEV], ""),
            member("manual-dev", &[], ""),
            // The stage was called so before; that of another app is none of ours.
            member("late-old", &[("stackctl:stage", "old"), SHOP], ""),
            member("chat-old", &[("stackctl:stage", "old"), OTHER], ""),
            member("bare-old", &[("stackctl:stage", "old")], ""),
        ],
        None,
    );
    Script::new()
        .cloudformation("describe_stacks", list(None, first))
        .cloudformation("describe_stacks", list(Some("2"), second))
}

#[tokio::test]
async fn tags_tell_whose_a_stack_is_that_no_source_has() {
    // The newest event tells who began what happened last.
    let token = "stackctl-0-v0-1-0-g0fe8a21b3c4d-by-alice";
    let event = format!(
        "<StackEvents><member><EventId>1</EventId><StackName>late-dev</StackName><StackId>{0}</StackId>\
         <LogicalResourceId>late-dev</LogicalResourceId><ResourceType>AWS::CloudFormation::Stack</ResourceType>\
         <ResourceStatus>UPDATE_COMPLETE</ResourceStatus><Timestamp>2026-07-27T22:28:28.000Z</Timestamp>\
         <ClientRequestToken>{token}</ClientRequestToken></member></StackEvents>",
        format_args!("arn:aws:cloudformation:{REGION}:123456789012:stack/late-dev/1"),
    );
    let event = answers::result("DescribeStackEvents", &event);
    let event = mock!(CloudFormation::describe_stack_events)
        .match_requests(|input| input.stack_name().is_some_and(|id| id.contains("late-dev")))
        .then_http_response(move || http(200, &event));
    let played = script()
        .cloudformation("describe_stack_events", event)
        .play();
    let survey = survey(&shop(&played.context), &territory()).await;
    let names = |stacks: &[crate::engine::Orphan]| -> Vec<String> {
        stacks.iter().map(|stack| stack.stack.clone()).collect()
    };
    assert_eq!(names(&survey.orphans), ["late-dev"]);
    assert_eq!(survey.orphans[0].next, "stackctl destroy late-dev");
    assert_eq!(survey.orphans[0].region, None);
    assert_eq!(names(&survey.unowned), ["found-dev"]);
    let strays = survey.strays.iter();
    let strays: Vec<_> = strays
        .map(|it| (it.stage.as_str(), it.stack.as_str()))
        .collect();
    assert_eq!(strays, [("old", "late-old")]);
    let last = survey.orphans[0].last.as_ref().expect("is known");
    assert_eq!(last.at, "2026-07-27T22:28:28Z");
    assert_eq!(last.origin.by.as_deref(), Some("alice"));
    assert_eq!(survey.taken, [taken_by("web-dev", "club")]);
    assert!(survey.unseen.is_empty());
    played.finish_as("status");
}

#[tokio::test]
async fn without_a_name_nothing_is_known_to_be_ours() {
    let played = script().play();
    let survey = survey(&played.context, &territory()).await;
    assert!(survey.orphans.is_empty());
    assert_eq!(survey.unowned.len(), 1);
    // Whoever has a name keeps what is its own.
    assert_eq!(
        survey.taken,
        [taken_by("intake-dev", "shop"), taken_by("web-dev", "club")]
    );
    played.finish();
}

#[tokio::test]
async fn an_orphan_is_found_by_its_name_where_nobody_else_owns_it() {
    for (tags, is_found) in [
        (&[DEV, SHOP][..], true),
        (&[DEV], true),
        (&[DEV, OTHER], false),
        (&[("stackctl:stage", "prod"), SHOP], false),
        (&[], false),
    ] {
        let answer = page(&[member("late-dev", tags, "")], None);
        let mut script = Script::new().describe("late-dev", answer);
        if is_found {
            let denied = mock!(CloudFormation::describe_stack_events)
                .then_http_response(|| http(403, &answers::error("AccessDenied", "no")));
            script = script.cloudformation("describe_stack_events", denied);
        }
        let played = script.play();
        let found = find_orphans(&shop(&played.context), &territory(), "late-dev").await;
        assert!(found.unseen.is_empty());
        assert_eq!(!found.orphans.is_empty(), is_found, "{tags:?}");
        for orphan in found.orphans {
            let manifest = orphan.manifest("dev");
            assert_eq!(manifest.name, "late-dev");
            assert_eq!(
                manifest.tags.len(),
                tags.len(),
                "it is removed as whose it is"
            );
        }
        played.finish_as("destroy");
    }
    let gone = answers::absent("late-dev");
    let played = Script::new().describe("late-dev", gone).play();
    let found = find_orphans(&played.context, &territory(), "late-dev").await;
    assert_eq!(found.orphans, []);
    assert!(found.unseen.is_empty());
    played.finish_as("destroy");
}

#[tokio::test]
async fn a_stack_of_another_app_is_not_removed() {
    let mut ours = stack(STACK, &[]).manifest;
    ours.tags
        .insert("stackctl:app".to_owned(), "shop".to_owned());
    let answer = page(&[member(STACK, &[DEV, OTHER], "")], None);
    let played = Script::new()
        .describe(STACK, answer.clone())
        .describe(STACK, answer)
        .play();
    let context = &shop(&played.context);
    let all = taken(context, &[StackTarget::from(&ours)])
        .await
        .expect("it can be described");
    assert_eq!(all, [taken_by(STACK, "club")]);
    let request = DestroyRequest {
        stacks: vec![ours],
        ..DestroyRequest::default()
    };
    let error = destroy(context, request).await.expect_err("it is refused");
    assert!(matches!(error, DestroyError::OtherApp { .. }), "{error}");
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(
        error.to_string(),
        "of another app: intake-dev (of club); nothing was removed"
    );
    played.finish();
}

/// Every operation asks whose a stack is, whatever was looked at before it began.
#[tokio::test]
async fn nothing_changes_a_stack_of_another_app() {
    let theirs = || page(&[member(STACK, &[DEV, OTHER], "")], None);
    let play = || Script::new().describe(STACK, theirs()).play();

    let played = play();
    let request = RollbackRequest {
        stacks: vec![stack(STACK, &[]).manifest],
        ..RollbackRequest::default()
    };
    let error = rollback(&shop(&played.context), request).await;
    let error = error.expect_err("it is refused");
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.details()[0].contains("belongs to another app"));
    played.finish();

    let played = play();
    let deployment = Deployment {
        stage: "dev".to_owned(),
        stacks: vec![stack(STACK, &[])],
        ..Deployment::default()
    };
    let error = deploy(&shop(&played.context), deployment, Answer::never()).await;
    let error = error.expect_err("it is refused");
    assert_eq!(error.kind(), Kind::Refused);
    let hint = format!("`stackctl deploy {STACK} --allow owner:{STACK}`");
    assert!(error.hints().iter().any(|it| it.contains(&hint)));
    played.finish();

    let played = play();
    let manifest = Arc::new(stack(STACK, &[]).manifest);
    let error = revert(&shop(&played.context), &manifest, &*Answer::never()).await;
    assert_eq!(error.expect_err("it is refused").kind(), Kind::Refused);
    played.finish();

    // Consent to exactly this stack.
    let played = play();
    let consenting = shop(&played.context).taking_over(BTreeSet::from([STACK.to_owned()]));
    let all = taken(&consenting, &[StackTarget::from(&*manifest)]).await;
    assert_eq!(all.expect("it can be described"), []);
    played.finish();
}
