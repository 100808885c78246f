//! What is looked at after a deploy: functions, triggers, smoke checks, and the way back from one that fails.

mod alias;
mod api;

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use aws_sdk_lambda::Client as Lambda;
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use serde_json::{Value, json};
use stack_model::assembly::SmokeManifest;

use super::{
    answers::{self, ADD_ORDERS, STACK_ID, Stack},
    script::{Answer, Played, STACK, Script, http, names, one, stack},
};
use crate::{
    engine::{
        Artifact, Claim, DeployError, Event, Explained, StackError, deploy,
        proof::{Found, Note, Standing, failed, note, prove},
        stack::Work,
    },
    error::{Error, Kind},
};

/// The SHA-256 of no bytes at all, and the same as Lambda writes it.
const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const CODE: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

const FUNCTION: &str = "arn:aws:lambda:eu-central-1:123456789012:function:intake-Work";
const ALIAS: &str = "arn:aws:lambda:eu-central-1:123456789012:function:intake-Work:live";

/// The resources of the stack as `ListStackResources` shows them.
const RESOURCES: [(&str, &str, &str, &str); 6] = [
    (
        "Api",
        "AWS::ApiGateway::RestApi",
        "a1b2c3",
        "CREATE_COMPLETE",
    ),
    ("Live", "AWS::ApiGateway::Stage", "live", "CREATE_COMPLETE"),
    (
        "Reads",
        "AWS::Lambda::EventSourceMapping",
        "14e0db71",
        "CREATE_COMPLETE",
    ),
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
        "arn:aws:lambda:eu-central-1:123456789012:function:intake-Work:4",
        "UPDATE_COMPLETE",
    ),
];

fn work(released: bool, checked: bool) -> Work {
    let mut resources = json!({
        "Api": {"Type": "AWS::ApiGateway::RestApi"},
        "Live": {"Type": "AWS::ApiGateway::Stage", "Properties": {"StageName": "live"}},
        "Off": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"Enabled": false}},
        "Reads": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"BatchSize": 1}},
        "Work": {"Type": "AWS::Lambda::Function", "Properties": {
            "Code": {"S3Bucket": {"Ref": "ArtifactBucket"}, "S3Key": {"Ref": "WorkArtifact"}},
        }},
    });
    let mut manifest = stack(STACK, &[]).manifest;
    let artifact = ("WorkArtifact".to_owned(), "work".to_owned());
    manifest.artifacts = [artifact].into();
    if released {
        resources["WorkAlias"] = json!({"Type": "AWS::Lambda::Alias"});
        manifest.releases = [("WorkRelease".to_owned(), "Work".to_owned())].into();
    }
    if checked {
        let check = SmokeManifest {
            api: "Api".to_owned(),
            stage: "Live".to_owned(),
            method: "GET".to_owned(),
            path: "/orders/none".to_owned(),
            status: 404,
        };
        manifest.smoke = [("OrdersAnswer".to_owned(), check)].into();
    }
    Work {
        manifest: Arc::new(manifest),
        template: json!({"Resources": resources}).to_string(),
        contents: BTreeMap::new(),
        bucket: None,
        direct: false,
        archive: None,
    }
}

fn artifacts() -> BTreeMap<String, Artifact> {
    let artifact = Artifact {
        path: PathBuf::from("work.zip"),
        sha256: SHA256.to_owned(),
        size: 6,
        made_from: None,
    };
    BTreeMap::from([("work".to_owned(), artifact)])
}

/// `GetFunction`
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html>).
fn function(script: Script, state: &str, update: &str, code: &str) -> Script {
    let body = json!({"Configuration": {
        "FunctionName": "intake-Work", "FunctionArn": FUNCTION, "CodeSha256": code,
        "State": state, "StateReason": "The function is being created.",
        "LastUpdateStatus": update, "LastUpdateStatusReason": "",
    }});
    let rule = mock!(Lambda::get_function)
        .match_requests(|input| input.function_name() == Some("intake-Work"))
        .then_http_response(move || http(200, &body.to_string()));
    script.lambda("get_function", rule)
}

/// The looks at a stack whose function runs what was deployed.
fn running() -> Script {
    let script = Script::new().resources(&RESOURCES);
    function(script, "Active", "Successful", CODE)
}

/// `GetEventSourceMapping`
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html>).
fn mapping(script: Script, state: &str) -> Script {
    let body =
        json!({"UUID": "14e0db71", "State": state, "StateTransitionReason": "USER_INITIATED"});
    let rule = mock!(Lambda::get_event_source_mapping)
        .match_requests(|input| input.uuid() == Some("14e0db71"))
        .then_http_response(move || http(200, &body.to_string()));
    script.lambda("get_event_source_mapping", rule)
}

/// `GetAlias` (<https://docs.aws.amazon.com/lambda/latest/api/API_GetAlias.html>).
fn alias(script: Script, version: &str) -> Script {
    let body = json!({
        "AliasArn": ALIAS, "Name": "live", "FunctionVersion": version, "RevisionId": format!("r{version}"),
    });
    let rule = mock!(Lambda::get_alias)
        .match_requests(|input| {
            input.function_name() == Some(FUNCTION) && input.name() == Some("live")
        })
        .then_http_response(move || http(200, &body.to_string()));
    script.lambda("get_alias", rule)
}

/// Answers requests to the API of the user with these statuses, and the last one again and again.
#[derive(Clone, Debug)]
struct Api {
    statuses: Arc<Mutex<VecDeque<u16>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Api {
    fn new(statuses: &[u16]) -> Self {
        Self {
            statuses: Arc::new(Mutex::new(statuses.iter().copied().collect())),
            asked: Arc::default(),
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no holder panics").clone()
    }
}

impl HttpConnector for Api {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut statuses = self.statuses.lock().expect("no holder panics");
        let status = statuses[0];
        if statuses.len() > 1 {
            statuses.pop_front();
        }
        let asked = format!("{} {}", request.method(), request.uri());
        self.asked.lock().expect("no holder panics").push(asked);
        HttpConnectorFuture::ready(Ok(http(status, "{}")))
    }
}

fn answered_by(mut played: Played, api: &Api) -> Played {
    let connector = SharedHttpConnector::new(api.clone());
    played.context.clients = played.context.clients.with_http(connector);
    played
}

/// Looks at the stack as a deploy of it does at its end.
async fn looked(
    played: &Played,
    work: &Work,
    standing: Standing,
    note: Option<&Note>,
) -> Result<Found, StackError> {
    prove(&played.context, &artifacts(), work, standing, note).await
}

fn found(error: StackError) -> Vec<(Claim, String)> {
    let StackError::Unproven { found, .. } = error else {
        panic!("{error:?}");
    };
    found
        .into_iter()
        .map(|it| (it.claim, it.to_string()))
        .collect()
}

fn warnings(events: Vec<Event>) -> Vec<String> {
    events
        .into_iter()
        .filter_map(|event| match event {
            Event::Warning { message, .. } => Some(message),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn what_is_not_ready_yet_is_waited_for_and_then_routes_are_asked() {
    let script = Script::new().resources(&RESOURCES);
    let script = mapping(script, "Enabled");
    let script = function(script, "Pending", "InProgress", CODE);
    // The answer still shows the code from before.
    let script = function(script, "Active", "Successful", "b2xk");
    let script = function(script, "Active", "Successful", CODE);
    let api = Api::new(&[403, 502, 404]);
    let played = answered_by(script.play(), &api);
    let seen = looked(&played, &work(false, true), Standing::Unproven, None)
        .await
        .expect("all is as it should be");
    assert_eq!(seen, Found::Good);
    let url = "https://a1b2c3.execute-api.eu-central-1.amazonaws.com/live/orders/none";
    assert_eq!(
        api.asked(),
        [
            format!("GET {url}"),
            format!("GET {url}"),
            format!("GET {url}")
        ]
    );
    let events = played.finish();
    let [
        Event::SmokeAnswered { status: 404, .. },
        Event::StackProven {
            functions: 1,
            triggers: 1,
            answered,
            ..
        },
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(answered, &["OrdersAnswer"]);
}

#[tokio::test]
async fn a_stack_that_does_not_do_what_it_should_is_a_failure() {
    let cases: [(&str, &str, &str, &str, Claim, &str); 4] = [
        (
            "Failed",
            "Successful",
            CODE,
            "Enabled",
            Claim::FunctionSettled,
            "Work: function intake-Work cannot be invoked: The function is being created.",
        ),
        (
            "Pending",
            "Successful",
            CODE,
            "Enabled",
            Claim::FunctionSettled,
            "Work: function intake-Work is not ready yet: The function is being created.",
        ),
        (
            "Active",
            "Successful",
            "b2xk",
            "Enabled",
            Claim::FunctionCode,
            "Work: function intake-Work runs code with the SHA-256 b2xk, and not 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=, which was deployed",
        ),
        (
            "Active",
            "Successful",
            CODE,
            "Disabled",
            Claim::TriggerEnabled,
            "Reads: event source mapping 14e0db71 is Disabled: USER_INITIATED",
        ),
    ];
    for (state, update, code, reading, claim, expected) in cases {
        let script = Script::new().resources(&RESOURCES);
        let script = mapping(function(script, state, update, code), reading);
        let api = Api::new(&[404]);
        let played = answered_by(script.play_in_any_order(), &api);
        let work = work(false, true);
        let error = looked(&played, &work, Standing::Unproven, Some(&Note::default()))
            .await
            .expect_err("something is wrong");
        assert_eq!(found(error), [(claim, expected.to_owned())]);
        // Nobody waits for ever.
        assert!(played.waits().iter().sum::<u64>() < 310, "{state}");
        assert_eq!(api.asked(), [""; 0], "what does not run is not asked");
        played.finish();
    }
}

#[tokio::test]
async fn without_an_alias_the_error_says_that_what_was_deployed_stays() {
    let script = mapping(running(), "Enabled");
    let played = answered_by(script.play_in_any_order(), &Api::new(&[500]));
    let work = work(false, true);
    let error = looked(&played, &work, Standing::Unproven, Some(&Note::default()))
        .await
        .expect_err("the route fails");
    assert_eq!(
        error.hints(),
        [
            "Work stays as it was deployed: deploy the earlier sources again, and release functions under an alias (`Release::Live`) for a way back"
        ]
    );
    played.finish();
}

#[tokio::test]
async fn a_route_that_fails_where_nothing_changed_names_the_way_back() {
    let script = alias(Script::new().resources(&RESOURCES), "4");
    let played = answered_by(script.play(), &Api::new(&[500]));
    let error = looked(&played, &work(true, true), Standing::Proven, None)
        .await
        .expect_err("the route fails");
    assert_eq!(
        error.hints(),
        [
            "this deploy changed nothing, so nothing was led back; where the live version of Work is to blame: `stackctl rollback intake-dev/Work --to previous`"
        ]
    );
    // The script has no `UpdateAlias`.
    played.finish();
}

#[tokio::test]
async fn who_may_not_look_is_warned() {
    // Lambda refuses in JSON, with the type in a header
    // (<https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html>).
    let refused = || {
        let mut answer = http(403, r#"{"Message":"User is not authorized"}"#);
        answer
            .headers_mut()
            .insert("x-amzn-errortype", "AccessDeniedException");
        answer
    };
    // What was found good counts, and who saw nothing at all proves nothing.
    for (is_seen, expected) in [(true, Found::Denied), (false, Found::Unseen)] {
        let script = Script::new().resources(&RESOURCES);
        let script = if is_seen {
            function(script, "Active", "Successful", CODE)
        } else {
            let denied = mock!(Lambda::get_function).then_http_response(refused);
            script.lambda("get_function", denied)
        };
        let played = script
            .lambda(
                "get_event_source_mapping",
                mock!(Lambda::get_event_source_mapping).then_http_response(refused),
            )
            .play_in_any_order();
        let seen = looked(&played, &work(false, false), Standing::Unproven, None)
            .await
            .expect("nothing is known to be wrong");
        assert_eq!(seen, expected);
        let told = warnings(played.finish());
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with(
                "nobody knows whether what was deployed is what runs: AWS denied the call"
            ),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn a_deploy_ends_with_what_was_found() {
    let template: Value = json!({"Resources": {
        "Orders": {"Type": "AWS::SQS::Queue"},
        "Work": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Key": {"Ref": "Key"}}}},
    }});
    let script = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|_| true)
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .execute()
        .events(&[("5", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[("5", STACK, "CREATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
        .resources(&RESOURCES);
    let played = function(script, "Failed", "Successful", CODE).play();
    let mut deployment = one(stack(STACK, &[]));
    deployment.stacks[0].template = template.to_string();
    let mut dependent = stack("after-dev", &[STACK]);
    dependent.template = template.to_string();
    deployment.stacks.push(dependent);
    let error = deploy(&played.context, deployment, Answer::yes())
        .await
        .expect_err("the function failed");
    assert!(matches!(error, DeployError::Failed(_)), "{error:?}");
    let error = Error::from(error);
    assert_eq!(error.kind(), Kind::Deploy);
    assert_eq!(
        error.message(),
        "stack intake-dev is deployed, and does not do what it should; not tried because of that: after-dev"
    );
    assert_eq!(
        error.causes(),
        ["Work: function intake-Work cannot be invoked: The function is being created."]
    );
    assert_eq!(
        error.hints(),
        [
            "mend what is named, and deploy again (`stackctl deploy intake-dev`): it is looked at anew"
        ]
    );
    let seen = names(&played.finish());
    assert!(seen.contains(&"stack_skipped".to_owned()), "{seen:?}");
}
