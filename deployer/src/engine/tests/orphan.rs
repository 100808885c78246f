//! What is deployed besides what the source says, in the form of
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_smithy_mocks::{Rule, mock};

use super::{
    answers,
    script::{STACK, Script, http, stack},
};
use crate::engine::{
    DestroyError, DestroyRequest, Explained as _, Territory, destroy, find_orphan, survey, taken,
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

fn territory(app: Option<&str>) -> Territory {
    Territory {
        stage: "dev".to_owned(),
        app: app.map(str::to_owned),
        known: ["intake-dev", "orders-dev", "web-dev"]
            .map(|name| (REGION.to_owned(), name.to_owned()))
            .into(),
        regions: BTreeSet::from([REGION.to_owned()]),
    }
}

const DEV: (&str, &str) = ("stackctl:stage", "dev");
const SHOP: (&str, &str) = ("stackctl:app", "shop");
const OTHER: (&str, &str) = ("stackctl:app", "club");

fn script() -> Script {
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
        ],
        None,
    );
    Script::new()
        .cloudformation("describe_stacks", list(None, first))
        .cloudformation("describe_stacks", list(Some("2"), second))
}

#[tokio::test]
async fn tags_tell_whose_a_stack_is_that_no_source_has() {
    let played = script().play();
    let survey = survey(&played.context, &territory(Some("shop")))
        .await
        .expect("they can be listed");
    let names = |stacks: &[crate::engine::Orphan]| -> Vec<String> {
        stacks.iter().map(|stack| stack.stack.clone()).collect()
    };
    assert_eq!(names(&survey.orphans), ["late-dev"]);
    assert_eq!(survey.orphans[0].next, "stackctl destroy late-dev");
    assert_eq!(survey.orphans[0].region, None);
    assert_eq!(names(&survey.unowned), ["found-dev"]);
    let taken = BTreeMap::from([("web-dev".to_owned(), "club".to_owned())]);
    assert_eq!(survey.taken, taken);
    played.finish();
}

#[tokio::test]
async fn without_a_name_nothing_is_known_to_be_ours() {
    let played = script().play();
    let survey = survey(&played.context, &territory(None))
        .await
        .expect("they can be listed");
    assert!(survey.orphans.is_empty());
    assert_eq!(survey.unowned.len(), 1);
    // Whoever has a name keeps what is its own.
    let taken: Vec<&String> = survey.taken.keys().collect();
    assert_eq!(taken, ["intake-dev", "web-dev"]);
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
        let played = Script::new().describe("late-dev", answer).play();
        let found = find_orphan(&played.context, &territory(Some("shop")), "late-dev")
            .await
            .expect("it can be described");
        assert_eq!(found.is_some(), is_found, "{tags:?}");
        if let Some(orphan) = found {
            let manifest = orphan.manifest("dev");
            assert_eq!(manifest.name, "late-dev");
            assert_eq!(
                manifest.tags.len(),
                tags.len(),
                "it is removed as whose it is"
            );
        }
        played.finish();
    }
    let gone = answers::absent("late-dev");
    let played = Script::new().describe("late-dev", gone).play();
    let found = find_orphan(&played.context, &territory(Some("shop")), "late-dev").await;
    assert_eq!(found.expect("nothing is there"), None);
    played.finish();
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
    let all = taken(&played.context, std::slice::from_ref(&ours))
        .await
        .expect("it can be described");
    assert_eq!(all[STACK], "club");
    let request = DestroyRequest {
        stacks: vec![ours],
        ..DestroyRequest::default()
    };
    let error = destroy(&played.context, request)
        .await
        .expect_err("it is refused");
    assert!(matches!(error, DestroyError::OtherApp { .. }), "{error}");
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(
        error.to_string(),
        "of another app: intake-dev (of club); nothing was removed"
    );
    played.finish();
}
