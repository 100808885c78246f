//! Stages of APIs: whether they serve what was deployed.
//!
//! What changes in an API shows when a deployment of it is served by a stage. A stage that somebody led to another
//! deployment, or a deployment that API Gateway did not take, leaves the earlier routes where they were.
//!
//! A later deployment is a later snapshot of the same API. Another stack that adds routes to it makes one and leads the
//! stage to it, so only an earlier one speaks against a deploy.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::{Claim, Disproof, Look, physical_id};
use crate::{
    aws::{AwsError, Clients, OrAws, signed::encoded},
    engine::inspect::{DeployedResource, present},
};

pub(super) const REST: &str = "AWS::ApiGateway::Stage";
pub(super) const HTTP: &str = "AWS::ApiGatewayV2::Stage";

/// How long an answer may show what was there before.
const LAG: Duration = Duration::from_secs(10);

/// How long API Gateway may take for a deployment that it makes by itself.
const PATIENCE: Duration = Duration::from_mins(1);

/// A stage as it should be.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) logical_id: String,
    api: String,
    name: String,
    /// The deployment that it should serve; none, where API Gateway deploys every change by itself.
    deployment: Option<String>,
    is_rest: bool,
}

/// Returns what a stage should serve, where its template tells.
pub(super) fn expected(
    logical_id: &str,
    kind: &str,
    properties: &Value,
    resources: &[DeployedResource],
) -> Option<Expected> {
    let is_rest = kind == REST;
    let id = |property: &str| {
        let value = properties.get(property)?;
        let id = match value.as_str() {
            Some(id) => id,
            None => physical_id(resources, value.get("Ref")?.as_str()?)?,
        };
        // Some resources are identified by more than what is referred to.
        id.split('|').next()
    };
    let api = id(if is_rest { "RestApiId" } else { "ApiId" })?;
    let deploys_itself = !is_rest && properties.get("AutoDeploy").is_some_and(|it| it == true);
    let deployment = match id("DeploymentId") {
        _ if deploys_itself => None,
        None => return None,
        found => found,
    };
    let name = match properties.get("StageName").and_then(Value::as_str) {
        Some(name) => name,
        None => physical_id(resources, logical_id)?,
    };
    Some(Expected {
        logical_id: logical_id.to_owned(),
        api: api.to_owned(),
        name: name.to_owned(),
        deployment: deployment.map(str::to_owned),
        is_rest,
    })
}

/// Looks at a stage.
pub(super) async fn look(clients: &Clients, expected: &Expected) -> Result<Look, AwsError> {
    if expected.is_rest {
        rest(clients, expected).await
    } else {
        http(clients, expected).await
    }
}

fn disproof(expected: &Expected, message: &str) -> Disproof {
    Disproof {
        subject: expected.logical_id.clone(),
        claim: Claim::StageDeployment,
        message: format!("stage {} of API {} {message}", expected.name, expected.api),
    }
}

/// Compares the deployment that is served with the one that should be.
fn compare(expected: &Expected, serves: Option<&str>) -> Look {
    match (&expected.deployment, serves) {
        (Some(wanted), Some(serves)) if wanted == serves => Look::Good,
        (Some(wanted), Some(serves)) => {
            let message =
                format!("serves deployment {serves}, and not {wanted}, which was deployed");
            Look::NotYet(disproof(expected, &message), LAG)
        }
        (Some(wanted), None) => {
            let message = format!("serves no deployment, and not {wanted}, which was deployed");
            Look::NotYet(disproof(expected, &message), LAG)
        }
        (None, _) => Look::Good,
    }
}

/// Looks at a stage of a REST API (<https://docs.aws.amazon.com/apigateway/latest/api/API_GetStage.html>).
async fn rest(clients: &Clients, expected: &Expected) -> Result<Look, AwsError> {
    let answer = clients
        .apigateway
        .get_stage()
        .rest_api_id(&expected.api)
        .stage_name(&expected.name)
        .send()
        .await
        .or_aws(clients, "GetStage")?;
    let serves = present(answer.deployment_id);
    if let Some((wanted, serves)) = other(expected, serves.as_deref()) {
        let wanted = made(clients, &expected.api, wanted).await?;
        let serves = made(clients, &expected.api, serves).await?;
        if is_later(serves, wanted) {
            return Ok(Look::Good);
        }
    }
    Ok(compare(expected, serves.as_deref()))
}

/// Returns when a deployment of a REST API was made
/// (<https://docs.aws.amazon.com/apigateway/latest/api/API_GetDeployment.html>); nothing, where there is none such any more.
async fn made(
    clients: &Clients,
    api: &str,
    deployment: &str,
) -> Result<Option<SystemTime>, AwsError> {
    let answer = clients
        .apigateway
        .get_deployment()
        .rest_api_id(api)
        .deployment_id(deployment)
        .send()
        .await
        .or_aws(clients, "GetDeployment");
    match answer {
        Ok(answer) => Ok(answer
            .created_date
            .and_then(|date| SystemTime::try_from(date).ok())),
        Err(error) if error.code() == Some("NotFoundException") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the deployment that a stage should serve and the one that it serves, where they differ.
fn other<'a>(expected: &'a Expected, serves: Option<&'a str>) -> Option<(&'a str, &'a str)> {
    let (wanted, serves) = (expected.deployment.as_deref()?, serves?);
    (wanted != serves).then_some((wanted, serves))
}

/// Returns whether what is served is as late as what was deployed: both times are known.
fn is_later<T: PartialOrd>(serves: Option<T>, wanted: Option<T>) -> bool {
    serves
        .zip(wanted)
        .is_some_and(|(serves, wanted)| serves >= wanted)
}

/// Looks at a stage of an HTTP or WebSocket API, and at the deployments that API Gateway made
/// (<https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html>,
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-deployments.html>).
async fn http(clients: &Clients, expected: &Expected) -> Result<Look, AwsError> {
    let api = encoded(&expected.api);
    let stage = format!("/v2/apis/{api}/stages/{}", encoded(&expected.name));
    let stage = clients.api_gateway_v2("GetStage", &stage).await?;
    let serves = stage["deploymentId"].as_str();
    let path = format!("/v2/apis/{api}/deployments");
    if expected.deployment.is_some() {
        if let Some((wanted, serves)) = other(expected, serves) {
            let wanted = made_v2(clients, &path, wanted).await?;
            let serves = made_v2(clients, &path, serves).await?;
            if is_later(serves, wanted) {
                return Ok(Look::Good);
            }
        }
        return Ok(compare(expected, serves));
    }
    let answer = clients.api_gateway_v2("GetDeployments", &path).await?;
    let deployments = answer["items"].as_array().map_or(&[][..], Vec::as_slice);
    let made = |deployment: &Value| deployment["createdDate"].as_str().map(str::to_owned);
    let current = deployments
        .iter()
        .find(|it| serves.is_some() && it["deploymentId"].as_str() == serves);
    // What was tried after the one that is served is what this deploy brought.
    let since = current.and_then(made);
    let last = deployments
        .iter()
        .filter(|it| it["autoDeployed"] == true && made(it) > since)
        .chain(current)
        .max_by_key(|it| made(it));
    let reason = last
        .and_then(|it| it["deploymentStatusMessage"].as_str())
        .filter(|reason| !reason.is_empty())
        .map_or(String::new(), |reason| format!(": {reason}"));
    Ok(match last.and_then(|it| it["deploymentStatus"].as_str()) {
        Some("FAILED") => Look::Bad(disproof(
            expected,
            &format!("does not serve the last change, which could not be deployed{reason}"),
        )),
        Some("PENDING") => Look::NotYet(
            disproof(expected, &format!("is still being deployed{reason}")),
            PATIENCE,
        ),
        _ => Look::Good,
    })
}

/// Returns when a deployment of an HTTP or WebSocket API was made, in the one way in which API Gateway writes it
/// (<https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-deployments-deploymentid.html>).
async fn made_v2(
    clients: &Clients,
    deployments: &str,
    deployment: &str,
) -> Result<Option<String>, AwsError> {
    let path = format!("{deployments}/{}", encoded(deployment));
    match clients.api_gateway_v2("GetDeployment", &path).await {
        Ok(answer) => Ok(answer["createdDate"].as_str().map(str::to_owned)),
        Err(error) if error.code() == Some("NotFoundException") => Ok(None),
        Err(error) => Err(error),
    }
}
