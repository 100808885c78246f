//! Whose stack sets are.

use std::collections::BTreeSet;

use super::*;
use crate::engine::{Context, orphan_sets};

fn tags(app: Option<&str>) -> String {
    let app =
        app.map(|app| format!("<member><Key>stackctl:app</Key><Value>{app}</Value></member>"));
    format!("{OURS}{}", app.unwrap_or_default())
}

fn shop(played: &Played) -> Context {
    played.context.clone().of_app(Some("shop"))
}

#[tokio::test]
async fn a_stack_set_of_another_app_is_taken_over_with_consent_alone() {
    let settings = accounts(&["us-east-1"]);
    let script = || {
        let tags = tags(Some("club"));
        let set = there(Script::new(), TEMPLATE, "SELF_MANAGED", &tags, "");
        operations(set, &[])
    };
    let played = script().play();
    let error = stack_set_plan(&shop(&played), &request(settings.clone())).await;
    let error = error.expect_err("it is refused");
    assert_eq!(error.kind(), Kind::Refused);
    let text = "stack set intake-dev belongs to another app: its tag `stackctl:app` is `club`";
    assert_eq!(error.to_string(), text);
    assert!(error.hints()[1].contains("--allow owner:intake-dev"));
    let played = script().play();
    let error = removal_plan(&shop(&played), STACK, &settings, false).await;
    assert_eq!(error.expect_err("it is refused").to_string(), text);
    // What was deployed before the app had a name belongs to whoever has it in its source.
    let set = there(Script::new(), TEMPLATE, "SELF_MANAGED", &tags(None), "");
    let played = operations(set, &[]).play();
    let plan = stack_set_plan(&shop(&played), &request(settings.clone())).await;
    plan.expect("it is ours");
    let played = script().play();
    let consent = BTreeSet::from([STACK.to_owned()]);
    let context = shop(&played).taking_over(consent);
    let mut request = request(settings);
    request.manifest.tags = [("stackctl:app", "shop"), ("team", "blue")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    let plan = stack_set_plan(&context, &request)
        .await
        .expect("it is allowed");
    assert!(plan.update, "its tag changes");
}

/// A set as
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackSets.html> lists it, which is without tags.
fn listed(name: &str) -> String {
    format!(
        "<member><StackSetName>{name}</StackSetName><StackSetId>{name}:22f04391-472b-4e36-b11a-727example</StackSetId>\
         <Status>ACTIVE</Status><PermissionModel>SELF_MANAGED</PermissionModel></member>"
    )
}

fn page(script: Script, from: Option<&'static str>, names: &[&str], next: Option<&str>) -> Script {
    let members: String = names.iter().map(|name| listed(name)).collect();
    let next = next.map_or_else(String::new, |next| format!("<NextToken>{next}</NextToken>"));
    let body = answers::result(
        "ListStackSets",
        &format!("<Summaries>{members}</Summaries>{next}"),
    );
    script.cloudformation(
        "list_stack_sets",
        mock!(CloudFormation::list_stack_sets)
            .match_requests(move |input| {
                input.next_token() == from && input.call_as() == Some(&CallAs::SelfValue)
            })
            .then_http_response(move || http(200, &body)),
    )
}

fn described(script: Script, name: &'static str, tags: &str) -> Script {
    let body = answers::result(
        "DescribeStackSet",
        &format!(
            "<StackSet><StackSetName>{name}</StackSetName><Status>ACTIVE</Status><TemplateBody>{{}}</TemplateBody>\
             <Tags>{tags}</Tags></StackSet>"
        ),
    );
    script.cloudformation(
        "describe_stack_set",
        mock!(CloudFormation::describe_stack_set)
            .match_requests(move |input| input.stack_set_name() == Some(name))
            .then_http_response(move || http(200, &body)),
    )
}

#[tokio::test]
async fn a_stack_set_that_left_the_source_is_found_by_its_tags() {
    let script = page(
        Script::new(),
        None,
        &[STACK, "late-dev", "late-prod"],
        Some("2"),
    );
    let script = page(
        script,
        Some("2"),
        &["bare-dev", "chat-dev", "manual-dev", "gone-dev"],
        None,
    );
    let script = described(script, "bare-dev", &tags(None));
    let script = described(script, "chat-dev", &tags(Some("club")));
    let missing = answers::error("StackSetNotFoundException", "StackSet gone-dev not found");
    let script = script.cloudformation(
        "describe_stack_set",
        mock!(CloudFormation::describe_stack_set)
            .match_requests(|input| input.stack_set_name() == Some("gone-dev"))
            .then_http_response(move || http(404, &missing)),
    );
    let script = described(script, "late-dev", &tags(Some("shop")));
    let played = described(script, "manual-dev", "").play();
    let known = BTreeSet::from([STACK.to_owned()]);
    let settings = accounts(&["us-east-1"]);
    let found = orphan_sets(&shop(&played), "dev", &known, &settings).await;
    let found = found.expect("they are listed");
    let found: Vec<_> = found
        .iter()
        .map(|it| (it.stack_set.as_str(), it.is_owned, it.next.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("bare-dev", false, "stackctl stackset destroy bare-dev"),
            ("late-dev", true, "stackctl stackset destroy late-dev"),
        ]
    );
    played.finish_as("stackset");
}
