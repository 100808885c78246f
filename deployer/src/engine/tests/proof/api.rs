//! APIs: what their stages serve, and whether their domains lead to them.

use aws_sdk_apigateway::Client as ApiGateway;

use super::{super::signed::Signed, *};

const A: u16 = 1;

/// `GetStage` (<https://docs.aws.amazon.com/apigateway/latest/api/API_GetStage.html>).
fn stage(deployment: &str) -> Rule {
    let body = json!({"stageName": "live", "deploymentId": deployment, "cacheClusterStatus": "NOT_AVAILABLE"});
    mock!(ApiGateway::get_stage)
        .match_requests(|input| {
            input.rest_api_id() == Some("a1b2c3") && input.stage_name() == Some("live")
        })
        .then_http_response(move || http(200, &body.to_string()))
}

/// `GetDeployment` (<https://docs.aws.amazon.com/apigateway/latest/api/API_GetDeployment.html>), of one that was made so many
/// seconds after some time, or that is gone.
fn made(deployment: &'static str, at: Option<u64>) -> Rule {
    mock!(ApiGateway::get_deployment)
        .match_requests(move |input| {
            input.rest_api_id() == Some("a1b2c3") && input.deployment_id() == Some(deployment)
        })
        .then_http_response(move || {
            if let Some(at) = at {
                let body = json!({"id": deployment, "createdDate": 1_790_000_000 + at});
                return http(200, &body.to_string());
            }
            let mut answer = http(
                404,
                r#"{"message":"Invalid Deployment identifier specified"}"#,
            );
            answer
                .headers_mut()
                .insert("x-amzn-errortype", "NotFoundException");
            answer
        })
}

fn with(resources: &Value) -> Work {
    let mut work = work(false, false);
    work.template = json!({"Resources": resources}).to_string();
    work
}

fn rest() -> Work {
    with(&json!({
        "Api": {"Type": "AWS::ApiGateway::RestApi"},
        "Deployment1": {"Type": "AWS::ApiGateway::Deployment"},
        "Live": {"Type": "AWS::ApiGateway::Stage", "Properties": {
            "StageName": "live", "RestApiId": {"Ref": "Api"}, "DeploymentId": {"Ref": "Deployment1"},
        }},
    }))
}

fn rest_resources() -> Script {
    Script::new().resources(&[
        (
            "Api",
            "AWS::ApiGateway::RestApi",
            "a1b2c3",
            "CREATE_COMPLETE",
        ),
        (
            "Deployment1",
            "AWS::ApiGateway::Deployment",
            "d1",
            "CREATE_COMPLETE",
        ),
        ("Live", "AWS::ApiGateway::Stage", "live", "UPDATE_COMPLETE"),
    ])
}

async fn proven(played: &Played, work: &Work) -> Result<(), StackError> {
    let noted = Note::default();
    let found = looked(played, work, Standing::Unproven, Some(&noted)).await;
    found.map(drop)
}

#[tokio::test]
async fn a_stage_serves_the_deployment_that_was_made_for_it() {
    // The answer still shows the deployment from before.
    let played = rest_resources()
        .apigateway("get_stage", stage("d0"))
        .apigateway("get_deployment", made("d1", Some(200)))
        .apigateway("get_deployment", made("d0", Some(100)))
        .apigateway("get_stage", stage("d1"))
        .play();
    proven(&played, &rest()).await.expect("it is served");
    let events = played.finish();
    let [Event::StackProven { stages: 1, .. }] = &events[..] else {
        panic!("{events:?}");
    };

    let played = rest_resources()
        .apigateway("get_stage", stage("d0"))
        .apigateway("get_deployment", made("d1", Some(200)))
        .apigateway("get_deployment", made("d0", Some(100)))
        .play_in_any_order();
    let error = proven(&played, &rest()).await.expect_err("it is not");
    assert_eq!(
        found(error),
        [(
            Claim::StageDeployment,
            "Live: stage live of API a1b2c3 serves deployment d0, and not d1, which was deployed"
                .to_owned()
        )]
    );
    assert!(played.waits().iter().sum::<u64>() < 20);
}

#[tokio::test]
async fn a_stage_that_another_stack_led_on_is_right() {
    // Both were made within one second, or the other one later.
    for at in [200, 300] {
        let played = rest_resources()
            .apigateway("get_stage", stage("d2"))
            .apigateway("get_deployment", made("d1", Some(200)))
            .apigateway("get_deployment", made("d2", Some(at)))
            .play();
        proven(&played, &rest())
            .await
            .expect("it holds what d1 does");
        assert!(played.waits().is_empty());
        let events = played.finish();
        let [Event::StackProven { stages: 1, .. }] = &events[..] else {
            panic!("{events:?}");
        };
    }
    // What is served was deleted meanwhile: nobody knows how late it was.
    let played = rest_resources()
        .apigateway("get_stage", stage("d2"))
        .apigateway("get_deployment", made("d1", Some(200)))
        .apigateway("get_deployment", made("d2", None))
        .play_in_any_order();
    proven(&played, &rest()).await.expect_err("it is not known");

    let mut work = http_api();
    work.template = work
        .template
        .replace("\"AutoDeploy\":true", "\"DeploymentId\":\"d1\"");
    for (at, is_right) in [
        ("2026-11-21T15:00:00Z", true),
        ("2026-11-21T14:59:59Z", false),
    ] {
        // <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-deployments-deploymentid.html>
        let deployment = |id: &str, at: &str| json!({"deploymentId": id, "createdDate": at, "deploymentStatus": "DEPLOYED"});
        let signed = Signed::new()
            .json(
                "/v2/apis/a1b2c3/stages/%24default",
                "",
                200,
                &json!({"stageName": "$default", "deploymentId": "d2"}),
            )
            .json(
                "/v2/apis/a1b2c3/deployments/d1",
                "",
                200,
                &deployment("d1", "2026-11-21T15:00:00Z"),
            )
            .json(
                "/v2/apis/a1b2c3/deployments/d2",
                "",
                200,
                &deployment("d2", at),
            );
        let played = signed.with(http_resources().play());
        let result = proven(&played, &work).await;
        signed.finish();
        assert_eq!(result.is_ok(), is_right, "{at}: {result:?}");
    }
}

/// A stage of an HTTP API, which deploys every change by itself.
fn http_api() -> Work {
    with(&json!({
        "Api": {"Type": "AWS::ApiGatewayV2::Api"},
        "Live": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": {
            "StageName": "$default", "ApiId": {"Ref": "Api"}, "AutoDeploy": true,
        }},
    }))
}

fn http_resources() -> Script {
    Script::new().resources(&[
        ("Api", "AWS::ApiGatewayV2::Api", "a1b2c3", "CREATE_COMPLETE"),
        (
            "Live",
            "AWS::ApiGatewayV2::Stage",
            "$default",
            "UPDATE_COMPLETE",
        ),
    ])
}

#[tokio::test]
async fn a_change_that_an_http_api_did_not_take_is_a_failure() {
    // <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-deployments.html>
    let deployment = |id: &str, at: &str, status: &str, message: &str| {
        json!({
            "deploymentId": id, "createdDate": at, "deploymentStatus": status, "deploymentStatusMessage": message,
            "autoDeployed": true,
        })
    };
    let served = deployment("d1", "2026-11-21T15:00:00Z", "DEPLOYED", "");
    let older = deployment("d0", "2026-11-20T15:00:00Z", "FAILED", "long ago");
    let failed = deployment("d2", "2026-11-21T15:01:00Z", "FAILED", "no integration");
    for (items, expected) in [
        (json!([older, served]), None),
        (
            json!([served, failed]),
            Some(
                "Live: stage $default of API a1b2c3 does not serve the last change, which could not be deployed: no integration",
            ),
        ),
    ] {
        let signed = Signed::new()
            .json(
                "/v2/apis/a1b2c3/stages/%24default",
                "",
                200,
                &json!({"stageName": "$default", "deploymentId": "d1"}),
            )
            .json(
                "/v2/apis/a1b2c3/deployments",
                "",
                200,
                &json!({"items": items}),
            );
        let played = signed.with(http_resources().play());
        let result = proven(&played, &http_api()).await;
        signed.finish();
        let found = result.err().map(found).unwrap_or_default();
        let expected = expected.map(|text| (Claim::StageDeployment, text.to_owned()));
        assert_eq!(found, Vec::from_iter(expected));
    }
}

#[tokio::test]
async fn a_stage_that_is_led_elsewhere_is_waited_for_and_told() {
    let mut work = http_api();
    work.template = work
        .template
        .replace("\"AutoDeploy\":true", "\"DeploymentId\":\"d1\"");
    let signed = Signed::new().json(
        "/v2/apis/a1b2c3/stages/%24default",
        "",
        200,
        &json!({"stageName": "$default"}),
    );
    let played = signed.with(http_resources().play());
    let error = proven(&played, &work).await.expect_err("it serves nothing");
    assert_eq!(
        found(error),
        [(
            Claim::StageDeployment,
            "Live: stage $default of API a1b2c3 serves no deployment, and not d1, which was deployed".to_owned()
        )]
    );
}

/// `GetDomainName` (<https://docs.aws.amazon.com/apigateway/latest/api/API_GetDomainName.html>).
fn domain_name(status: &str) -> Rule {
    let body = json!({
        "domainName": "api.example.com", "domainNameStatus": status, "domainNameStatusMessage": "wait",
        "regionalDomainName": "d-1.execute-api.eu-central-1.amazonaws.com",
    });
    mock!(ApiGateway::get_domain_name)
        .match_requests(|input| input.domain_name() == Some("api.example.com"))
        .then_http_response(move || http(200, &body.to_string()))
}

/// `GetBasePathMappings` (<https://docs.aws.amazon.com/apigateway/latest/api/API_GetBasePathMappings.html>).
fn mappings(api: &str) -> Rule {
    let body = json!({"item": [{"basePath": "(none)", "restApiId": api, "stage": "live"}]});
    mock!(ApiGateway::get_base_path_mappings)
        .then_http_response(move || http(200, &body.to_string()))
}

fn domain() -> (Work, Script) {
    let work = with(&json!({
        "Api": {"Type": "AWS::ApiGateway::RestApi"},
        "Domain": {"Type": "AWS::ApiGateway::DomainName", "Properties": {"DomainName": "api.example.com"}},
        "Root": {"Type": "AWS::ApiGateway::BasePathMapping", "Properties": {
            "DomainName": {"Ref": "Domain"}, "RestApiId": {"Ref": "Api"},
        }},
    }));
    let script = Script::new().resources(&[
        (
            "Api",
            "AWS::ApiGateway::RestApi",
            "a1b2c3",
            "CREATE_COMPLETE",
        ),
        (
            "Domain",
            "AWS::ApiGateway::DomainName",
            "api.example.com",
            "CREATE_COMPLETE",
        ),
    ]);
    (work, script)
}

/// Answers at the domain, as API Gateway does or as something else.
#[derive(Debug)]
struct At(bool);

impl HttpConnector for At {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        assert_eq!(request.uri(), "https://api.example.com/");
        let mut answer = http(403, r#"{"message":"Forbidden"}"#);
        if self.0 {
            answer
                .headers_mut()
                .insert("x-amz-apigw-id", "SzfF0EyUliAFT9A=");
        }
        HttpConnectorFuture::ready(Ok(answer))
    }
}

#[tokio::test]
async fn what_keeps_a_domain_from_its_api_is_a_warning() {
    let found = ["198.51.100.7"];
    let target = "d-1.execute-api.eu-central-1.amazonaws.com";
    let cases = [
        ("AVAILABLE", "a1b2c3", &found[..], true, None),
        (
            "UPDATING",
            "a1b2c3",
            &found,
            true,
            Some("Domain: domain api.example.com is UPDATING: wait".to_owned()),
        ),
        (
            "AVAILABLE",
            "other",
            &found,
            true,
            Some("Domain: domain api.example.com does not lead to API a1b2c3".to_owned()),
        ),
        (
            "AVAILABLE",
            "a1b2c3",
            &[],
            true,
            Some(format!(
                "Domain: nobody finds api.example.com yet: where its DNS is kept, let it lead to {target}; a new name takes some minutes"
            )),
        ),
        (
            "AVAILABLE",
            "a1b2c3",
            &found,
            false,
            Some(format!(
                "Domain: api.example.com is answered by something else than API Gateway: where its DNS is kept, let it lead to {target}"
            )),
        ),
    ];
    for (status, api, addresses, gateway, expected) in cases {
        let (work, script) = domain();
        let addresses: Vec<&'static str> = addresses.iter().map(|_| "198.51.100.7").collect();
        let script = script
            .apigateway("get_domain_name", domain_name(status))
            .apigateway("get_base_path_mappings", mappings(api));
        let signed = Signed::new().name("api.example.com", A, &addresses);
        let mut played = signed.with(script.play_in_any_order());
        let connector = SharedHttpConnector::new(At(gateway));
        played.context.clients = played.context.clients.with_http(connector);
        proven(&played, &work).await.expect("it fails nothing");
        let events = played.events();
        assert!(
            events
                .iter()
                .any(|event| matches!(event, Event::StackProven { domains: 1, .. })),
            "{events:?}"
        );
        assert_eq!(warnings(events), Vec::from_iter(expected));
    }
}
