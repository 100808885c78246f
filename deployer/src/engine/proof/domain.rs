//! Custom domain names: whether an API is reached at them.
//!
//! A name that was just entered takes minutes until everybody knows it, and may be entered where nobody but its owner sees
//! it. So what is found here is told, and fails nothing.

use std::time::Duration;

use aws_sdk_apigateway::types::DomainNameStatus;
use aws_smithy_runtime_api::client::{http::HttpConnector as _, orchestrator::HttpRequest};
use serde_json::Value;

use super::{Claim, Disproof, Look, physical_id};
use crate::{
    aws::{
        self, AwsError, Clients, OrAws,
        dns::{self, Kind},
    },
    engine::inspect::{DeployedResource, present},
};

pub(super) const TYPES: [&str; 2] = [
    "AWS::ApiGateway::DomainName",
    "AWS::ApiGatewayV2::DomainName",
];

/// What leads from a domain to an API, by its version of API Gateway: the property of the API differs.
const MAPPINGS: [(&str, &str); 2] = [
    ("AWS::ApiGateway::BasePathMapping", "RestApiId"),
    ("AWS::ApiGatewayV2::ApiMapping", "ApiId"),
];

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A domain as it should be.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) logical_id: String,
    name: String,
    /// The APIs that it leads to.
    apis: Vec<String>,
    /// Whether callers show a certificate of their own: nobody here has one.
    mutual: bool,
}

/// Returns what a domain should be.
pub(super) fn expected(
    logical_id: &str,
    properties: &Value,
    template: &Value,
    resources: &[DeployedResource],
) -> Option<Expected> {
    let name = physical_id(resources, logical_id)?;
    let leads_from_here = |mapping: &Value| {
        let domain = &mapping["DomainName"];
        domain["Ref"] == logical_id || *domain == *name
    };
    let apis = super::declared(template).filter_map(|(_, kind, mapping)| {
        let (_, property) = MAPPINGS.iter().find(|(it, _)| *it == kind)?;
        let api = mapping.get(property)?;
        let api = match api.as_str() {
            Some(api) => api,
            None => physical_id(resources, api.get("Ref")?.as_str()?)?,
        };
        leads_from_here(mapping).then(|| api.to_owned())
    });
    Some(Expected {
        logical_id: logical_id.to_owned(),
        name: name.to_owned(),
        apis: apis.collect(),
        mutual: properties.get("MutualTlsAuthentication").is_some(),
    })
}

/// Looks at a domain.
pub(super) async fn look(clients: &Clients, expected: &Expected) -> Result<Look, AwsError> {
    let name = &expected.name;
    let unsure = |message: String| {
        Ok(Look::Unsure(Disproof {
            subject: expected.logical_id.clone(),
            claim: Claim::DomainReached,
            message,
        }))
    };
    // <https://docs.aws.amazon.com/apigateway/latest/api/API_GetDomainName.html>
    let domain = clients
        .apigateway
        .get_domain_name()
        .domain_name(name)
        .send()
        .await
        .or_aws(clients, "GetDomainName")?;
    match domain
        .domain_name_status
        .as_ref()
        .map(DomainNameStatus::as_str)
    {
        None | Some("AVAILABLE") => {}
        Some(status) => {
            let reason = present(domain.domain_name_status_message)
                .map_or(String::new(), |reason| format!(": {reason}"));
            return unsure(format!("domain {name} is {status}{reason}"));
        }
    }
    if let Some(api) = unmapped(clients, expected).await? {
        return unsure(format!("domain {name} does not lead to API {api}"));
    }
    let target = present(domain.regional_domain_name)
        .or_else(|| present(domain.distribution_domain_name))
        .unwrap_or_else(|| "its API".to_owned());
    match found(clients, name).await {
        Ok(true) => {}
        Ok(false) => {
            return unsure(format!(
                "nobody finds {name} yet: where its DNS is kept, let it lead to {target}; a new name takes some minutes"
            ));
        }
        Err(error) => {
            return unsure(format!(
                "nobody could look whether {name} is found: {error}"
            ));
        }
    }
    if expected.mutual {
        return Ok(Look::Good);
    }
    match answer(clients, name).await {
        Ok(true) => Ok(Look::Good),
        Ok(false) => unsure(format!(
            "{name} is answered by something else than API Gateway: where its DNS is kept, let it lead to {target}"
        )),
        Err(why) => unsure(format!("{name} is found, and does not answer: {why}")),
    }
}

/// Returns an API that the domain should lead to and does not
/// (<https://docs.aws.amazon.com/apigateway/latest/api/API_GetBasePathMappings.html>, which shows mappings of both
/// versions).
async fn unmapped<'a>(
    clients: &Clients,
    expected: &'a Expected,
) -> Result<Option<&'a str>, AwsError> {
    if expected.apis.is_empty() {
        return Ok(None);
    }
    let mut mapped = Vec::new();
    let mut position = None;
    loop {
        let page = clients
            .apigateway
            .get_base_path_mappings()
            .domain_name(&expected.name)
            .set_position(position)
            .send()
            .await
            .or_aws(clients, "GetBasePathMappings")?;
        let items = page.items.unwrap_or_default();
        mapped.extend(items.into_iter().filter_map(|item| item.rest_api_id));
        position = page.position;
        if position.is_none() {
            break;
        }
    }
    let apis = expected.apis.iter();
    Ok(apis
        .map(String::as_str)
        .find(|api| !mapped.iter().any(|it| it == api)))
}

/// Returns whether a name has an address.
async fn found(clients: &Clients, name: &str) -> std::io::Result<bool> {
    for kind in [Kind::A, Kind::Aaaa] {
        let addresses = dns::ask(clients.name_servers(), name.to_owned(), kind).await?;
        if !addresses.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Asks at a name. Returns whether API Gateway answers, which gives each of its answers a number of its own, whatever the
/// status (<https://repost.aws/knowledge-center/collect-api-gateway-extended-request-ids>).
async fn answer(clients: &Clients, name: &str) -> Result<bool, String> {
    let url = format!("https://{name}/");
    let connector = clients.http().unwrap_or_else(|| aws::http(&url));
    let mut request = HttpRequest::get(&url).map_err(|error| super::smoke::told(&error))?;
    let agent = concat!("stackctl/", env!("CARGO_PKG_VERSION"));
    request.headers_mut().insert("user-agent", agent);
    let answer = tokio::time::timeout(TIMEOUT, connector.call(request))
        .await
        .map_err(|_| format!("no answer within {} s", TIMEOUT.as_secs()))?
        .map_err(|error| super::smoke::told(&error))?;
    let of_gateway = ["apigw-requestid", "x-amz-apigw-id", "x-amzn-requestid"];
    Ok(of_gateway
        .iter()
        .any(|header| answer.headers().get(header).is_some()))
}
