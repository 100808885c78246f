//! Releases that nobody has looked at: a deploy was killed before its checks, or could not see.

use super::*;

/// What an update began with, as whoever comes after its deploy was killed reads it.
fn left_by_a_killed_run() -> Note {
    let alias = NotedAlias {
        function: FUNCTION.to_owned(),
        name: "live".to_owned(),
        live: "3".to_owned(),
        good: "2".to_owned(),
    };
    Note {
        aliases: [("WorkAlias".to_owned(), alias)].into(),
        is_old: true,
        ..Note::default()
    }
}

/// The deploy that released version 4 was killed before its check: the next one does what that one would have done. Version
/// 3 was not proven either, and version 2 was live when nothing was held against the stack.
#[tokio::test]
async fn what_a_killed_deploy_left_unproven_is_led_back_as_well() {
    let restore = mock!(Lambda::update_alias)
        .match_requests(|input| input.function_version() == Some("2"))
        .then_http_response(|| http(200, &json!({"FunctionVersion": "2"}).to_string()));
    let put = mock!(S3::put_object)
        .match_requests(|input| {
            let body = body(input);
            body["led_back"][0]["from"] == "4"
                && body["led_back"][0]["to"] == "2"
                && body["versions"] == json!({"intake-Work": "4"})
        })
        .then_http_response(|| http(200, ""));
    let script = by_hand(alias(alias(running(), "4"), "4"), None)
        .lambda("update_alias", restore)
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .s3("put_object", put);
    let (found_claims, events) = proven_after_a_killed_run(script).await;
    assert_eq!(found_claims[0].0, Claim::SmokeCheck);
    assert!(matches!(
        &events[..],
        [Event::AliasLedBack { from, to, .. }] if from == "4" && to == "2"
    ));
}

/// Somebody chose the version that fails, and saw more than the run that was killed.
#[tokio::test]
async fn a_version_that_somebody_chose_stays_where_its_check_fails() {
    let put = mock!(S3::put_object)
        .match_requests(|input| input.key().unwrap_or_default().contains("/failed/"))
        .then_http_response(|| http(200, ""));
    let script = by_hand(alias(alias(running(), "4"), "4"), Some(("4", "4")))
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .s3("put_object", put);
    let (_, events) = proven_after_a_killed_run(script).await;
    assert_eq!(events, []);
}

/// Looks at a stack that a killed run left, whose route fails.
async fn proven_after_a_killed_run(script: Script) -> (Vec<(Claim, String)>, Vec<Event>) {
    let played = answered_by(script.play(), &Api::new(&[500]));
    let work = without_trigger(released(true));
    let error = looked(
        &played,
        &work,
        Standing::Unproven,
        Some(&left_by_a_killed_run()),
    )
    .await
    .expect_err("the route fails");
    (found(error), played.finish())
}

/// Nothing tells that the release of the stack was never proven, so that something else may be to blame, however often the
/// deploy is repeated.
#[tokio::test]
async fn a_stack_that_nothing_is_known_of_is_neither_led_back_nor_failed() {
    let script = alias(running(), "4");
    let played = answered_by(script.play(), &Api::new(&[500]));
    let work = without_trigger(released(true));
    let error = looked(&played, &work, Standing::Unknown, None)
        .await
        .expect_err("the route fails");
    assert!(error.hints()[0].contains("rollback intake-dev/Work --to previous"));
    // The script has neither `UpdateAlias` nor `PutObject`.
    played.finish();
}

/// A deploy of something else follows one that was killed before its check: version 4 is live, and nobody has seen it well.
#[tokio::test]
async fn what_was_good_is_kept_while_updates_follow_unproven_ones() {
    let put = |check: fn(&Value) -> bool, prefix: &'static str| {
        mock!(S3::put_object)
            .match_requests(move |input| {
                input.key().unwrap_or_default().starts_with(prefix) && check(&body(input))
            })
            .then_http_response(|| http(200, ""))
    };
    // No check and no more than a release: an update of it may fail as well.
    let work = released(false);
    let script = by_hand(alias(Script::new().resources(&RESOURCES), "4"), None)
        .s3(
            "put_object",
            put(
                |body| {
                    let alias = &body["aliases"]["WorkAlias"];
                    body["stack_id"] == STACK_ID && alias["live"] == "4" && alias["good"] == "2"
                },
                "state/intake-dev.unproven.json",
            ),
        )
        // Nobody goes back to what nobody looked at, unless they name it.
        .s3(
            "put_object",
            put(
                |body| {
                    body["checks"] == json!([]) && body["versions"] == json!({"intake-Work": "4"})
                },
                "intake-dev/failed/",
            ),
        );
    let played = script.play();
    let deployed = described("UPDATE_COMPLETE");
    let left = Some(left_by_a_killed_run());
    let noting = note(&played.context, &work, STACK_ID, Some(&deployed), &[], left);
    let (noted, written) = noting.await;
    written.expect("is written");
    let noted = noted.expect("there is something to prove");
    assert!(noted.is_fresh && noted.is_old);
    assert_eq!(noted.aliases["WorkAlias"].good, "2");
    played.finish();
}

/// Throttled, say: nobody looked at anything, so that nothing is proven.
#[tokio::test]
async fn what_could_not_be_listed_is_unseen() {
    let throttled = "<ErrorResponse><Error><Code>InternalFailure</Code><Message>again</Message></Error></ErrorResponse>";
    let rule = mock!(aws_sdk_cloudformation::Client::list_stack_resources)
        .then_http_response(move || http(400, throttled));
    let played = Script::new()
        .cloudformation("list_stack_resources", rule)
        .play();
    let seen = looked(&played, &work(true, true), Standing::Unproven, None)
        .await
        .expect("nothing is known to be wrong");
    assert_eq!(seen, Found::Unseen);
    assert_eq!(warnings(played.finish()).len(), 1);
}

#[tokio::test]
async fn what_did_not_change_is_asked_again() {
    let script = alias(Script::new().resources(&RESOURCES), "4");
    let api = Api::new(&[404]);
    let played = answered_by(script.play(), &api);
    looked(&played, &work(true, true), Standing::Proven, None)
        .await
        .expect("the route answers, and what was deployed is live");
    assert_eq!(api.asked().len(), 1);
    played.finish();
}

/// What Lambda answers where there is no such alias: <https://docs.aws.amazon.com/lambda/latest/api/API_GetAlias.html>.
fn refused_alias(status: u16, code: &'static str) -> Rule {
    mock!(Lambda::get_alias).then_http_response(move || {
        let mut answer = http(status, r#"{"Message": "refused"}"#);
        answer.headers_mut().insert("x-amzn-errortype", code);
        answer
    })
}

/// One look that fails loses nothing of what an earlier run noted, and calls no version bad that may be good for months.
#[tokio::test]
async fn a_look_that_fails_keeps_what_was_noted_before() {
    for (script, left, is_told) in [
        (
            Script::new()
                .resources(&RESOURCES)
                .lambda("get_alias", refused_alias(400, "SomethingElse")),
            Some(left_by_a_killed_run()),
            true,
        ),
        (
            Script::new()
                .resources(&RESOURCES)
                .lambda("get_alias", refused_alias(400, "SomethingElse")),
            None,
            true,
        ),
        // Somebody deleted the alias, so that there is nothing to lead back.
        (
            Script::new()
                .resources(&RESOURCES)
                .lambda("get_alias", refused_alias(404, "ResourceNotFoundException")),
            None,
            false,
        ),
    ] {
        let good = left
            .as_ref()
            .map(|left| left.aliases["WorkAlias"].good.clone());
        let wanted = good.clone();
        let put = mock!(S3::put_object)
            .match_requests(move |input| {
                let note = body(input);
                match &wanted {
                    Some(good) => note["aliases"]["WorkAlias"]["good"] == **good,
                    None => note["unknown"] == json!(["WorkAlias"]),
                }
            })
            .then_http_response(|| http(200, ""));
        let mut script = script.s3("put_object", put);
        if left.is_some() {
            let failed = mock!(S3::put_object)
                .match_requests(|input| input.key().unwrap_or_default().contains("/failed/"))
                .then_http_response(|| http(200, ""));
            script = script.s3("put_object", failed);
        }
        let played = script.play();
        let work = released(false);
        let deployed = described("UPDATE_COMPLETE");
        let noting = note(&played.context, &work, STACK_ID, Some(&deployed), &[], left);
        let (noted, written) = noting.await;
        written.expect("is written");
        let noted = noted.expect("there is something to prove");
        let kept = noted
            .aliases
            .get("WorkAlias")
            .map(|alias| alias.good.clone());
        assert_eq!(kept, good);
        assert_eq!(noted.unknown.contains("WorkAlias"), good.is_none());
        assert_eq!(warnings(played.finish()).len(), usize::from(is_told));
    }
}

/// Version 4 may have been good for months: nobody knows what was live before.
#[tokio::test]
async fn a_version_is_not_called_bad_where_nobody_knows_whether_this_deploy_made_it() {
    let put = mock!(S3::put_object)
        .match_requests(|input| {
            let body = body(input);
            body["checks"][0]["subject"] == "OrdersAnswer" && body.get("versions").is_none()
        })
        .then_http_response(|| http(200, ""));
    let script = alias(running(), "4")
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .s3("put_object", put);
    let played = answered_by(script.play(), &Api::new(&[500]));
    let noted = Note {
        unknown: ["WorkAlias".to_owned()].into(),
        is_fresh: true,
        ..Note::default()
    };
    let work = without_trigger(released(true));
    looked(&played, &work, Standing::Unproven, Some(&noted))
        .await
        .expect_err("the route fails");
    played.finish();
}
