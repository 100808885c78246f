//! Smoke checks: whether routes answer as their stack says.

use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector as _, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use serde_json::Value;
use stack_model::assembly::SmokeManifest;

use super::{Claim, Disproof, physical_id};
use crate::{
    aws::{self, signed::suffix},
    engine::{Context, Event, inspect::DeployedResource, stack::Work},
};

/// How often a route is asked before its answer counts.
///
/// A deployment of API Gateway shows within seconds, and not in all places at once; with the waits between the questions
/// this takes about twenty of them.
const ATTEMPTS: usize = 9;

/// How long one answer may take: longer than any integration of API Gateway may, by default
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>).
const TIMEOUT: Duration = Duration::from_secs(35);

/// What came of one question.
enum Answer {
    Status(u16),
    None(String),
}

/// Asks every route. Returns the checks that were answered as they should, and what was found besides.
pub(super) async fn check(
    context: &Context,
    work: &Work,
    template: &Value,
    resources: &[DeployedResource],
) -> (Vec<String>, Vec<Disproof>) {
    let (mut answered, mut found) = (Vec::new(), Vec::new());
    let mut connector = None;
    for (name, check) in &work.manifest.smoke {
        let Some(url) = address(context, template, resources, check) else {
            found.push(Disproof {
                subject: name.clone(),
                claim: Claim::SmokeCheck,
                message: format!("{} is not deployed, so nobody can be asked", check.api),
            });
            continue;
        };
        let connector = connector
            .get_or_insert_with(|| context.clients.http().unwrap_or_else(|| aws::http(&url)));
        match ask(context, connector, check, &url).await {
            None => {
                context.emit(Event::SmokeAnswered {
                    stack: work.manifest.name.clone(),
                    check: name.clone(),
                    method: check.method.clone(),
                    url,
                    status: check.status,
                });
                answered.push(name.clone());
            }
            Some(answer) => {
                let asked = format!("{} {url}", check.method);
                found.push(Disproof {
                    subject: name.clone(),
                    claim: Claim::SmokeCheck,
                    message: match answer {
                        Answer::Status(status) => format!(
                            "{asked} is answered with {status}, and should be with {}",
                            check.status
                        ),
                        Answer::None(why) => format!(
                            "{asked} is not answered, and should be with {}: {why}",
                            check.status
                        ),
                    },
                });
            }
        }
        if context.cancel.is_cancelled() {
            break;
        }
    }
    (answered, found)
}

/// Returns where a check is asked.
fn address(
    context: &Context,
    template: &Value,
    resources: &[DeployedResource],
    check: &SmokeManifest,
) -> Option<String> {
    let api = physical_id(resources, &check.api)?;
    let stage = template["Resources"][check.stage.as_str()]["Properties"]["StageName"].as_str();
    let stage = match stage {
        Some(stage) => stage,
        None => physical_id(resources, &check.stage)?,
    };
    // The default stage of an HTTP API has no name in the address.
    let stage = match stage {
        "$default" => String::new(),
        stage => format!("/{stage}"),
    };
    let region = context.clients.region();
    let base = if let Some(base) = &context.api_base {
        format!("{}/_aws/execute-api/{api}", base.trim_end_matches('/'))
    } else {
        format!("https://{api}.execute-api.{region}.{}", suffix(region))
    };
    Some(format!("{base}{stage}{}", check.path))
}

/// Asks until the answer is as it should be. Returns the last answer where it never is.
async fn ask(
    context: &Context,
    connector: &SharedHttpConnector,
    check: &SmokeManifest,
    url: &str,
) -> Option<Answer> {
    let mut answer = Answer::None("nobody was asked".to_owned());
    for (at, wait) in context.pace.waits().take(ATTEMPTS).enumerate() {
        if at > 0 {
            let stopped = tokio::select! {
                biased;
                () = context.cancel.cancelled() => true,
                () = context.timing.sleep(wait + jitter(context, wait)) => false,
            };
            if stopped {
                return Some(answer);
            }
        }
        answer = match tokio::time::timeout(TIMEOUT, once(connector, check, url)).await {
            Ok(Answer::Status(status)) if status == check.status => return None,
            Ok(answer) => answer,
            Err(_) => Answer::None(format!("no answer within {} s", TIMEOUT.as_secs())),
        };
    }
    Some(answer)
}

/// Returns up to half of a wait, so that runs that began together do not ask together.
fn jitter(context: &Context, wait: Duration) -> Duration {
    let now = context.timing.now().duration_since(SystemTime::UNIX_EPOCH);
    let nanos = u64::from(now.unwrap_or_default().subsec_nanos());
    let half = u64::try_from(wait.as_nanos() / 2)
        .unwrap_or(u64::MAX)
        .max(1);
    Duration::from_nanos(nanos % half)
}

async fn once(connector: &SharedHttpConnector, check: &SmokeManifest, url: &str) -> Answer {
    let request = HttpRequest::get(url).and_then(|mut request| {
        request.set_method(&check.method)?;
        let agent = concat!("stackctl/", env!("CARGO_PKG_VERSION"));
        request.headers_mut().insert("user-agent", agent);
        Ok(request)
    });
    let answer = match request {
        Ok(request) => connector.call(request).await,
        Err(error) => return Answer::None(told(&error)),
    };
    match answer {
        Ok(answer) => Answer::Status(answer.status().as_u16()),
        Err(error) => Answer::None(told(&error)),
    }
}

/// Writes an error with its sources.
pub(super) fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = chain.map(ToString::to_string).collect();
    texts.join(": ")
}
