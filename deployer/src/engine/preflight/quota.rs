//! Quotas: whether an account takes as many more resources as a deploy makes.
//!
//! Only what is new counts. Lambda keeps any number of functions, and their concurrency and their code are looked at in
//! `storage`; log groups are a million in a region, which nobody counts page by page.

use std::collections::BTreeMap;

use aws_sdk_apigateway::types::EndpointType;
use aws_sdk_cloudformation::types::StackStatus;
use serde_json::json;

use super::{
    Check, Concern, Weight,
    look::{Declared, Look},
    unknown,
};
use crate::aws::{
    AwsError, Clients, OrAws,
    signed::{CLOUD_CONTROL, QUOTAS},
};

/// The part of a quota from which it is told, in percent.
const NEARLY: u64 = 90;

/// What IAM counts itself
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html>): a type, what it is called, and the
/// keys of the summary.
const OF_IAM: [(&str, &str, &str, &str); 5] = [
    ("AWS::IAM::Group", "IAM groups", "Groups", "GroupsQuota"),
    (
        "AWS::IAM::InstanceProfile",
        "instance profiles",
        "InstanceProfiles",
        "InstanceProfilesQuota",
    ),
    (
        "AWS::IAM::ManagedPolicy",
        "managed policies",
        "Policies",
        "PoliciesQuota",
    ),
    ("AWS::IAM::Role", "roles", "Roles", "RolesQuota"),
    ("AWS::IAM::User", "IAM users", "Users", "UsersQuota"),
];

/// A quota of an account in a region.
struct Quota {
    /// What it is called.
    name: &'static str,
    /// What counts.
    counts: Counts,
    /// Its service and code in Service Quotas.
    code: (&'static str, &'static str),
    /// What holds where Service Quotas does not say.
    default: u64,
    /// What there is to do where AWS raises it for nobody.
    instead: Option<&'static str>,
}

/// What counts for a quota.
enum Counts {
    /// Types, each listed on its own.
    Types(&'static [&'static str]),
    /// REST APIs with an endpoint of a type. HTTP and WebSocket APIs, which have regional endpoints alone, count with the
    /// regional ones.
    Apis(EndpointType),
}

const REST_API: &str = "AWS::ApiGateway::RestApi";

const OTHER_API: &str = "AWS::ApiGatewayV2::Api";

/// The quotas that are looked at: those that an account meets with some dozens of systems in it.
///
/// REST APIs and domains:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>. The pages of
/// the other APIs
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>,
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>)
/// name no number of their own, and the one for HTTP APIs says how to get along with that of a region. Tables:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>; buses:
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>; user pools:
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html>.
const QUOTAS_OF_REGIONS: [Quota; 8] = [
    Quota {
        name: "regional APIs",
        counts: Counts::Apis(EndpointType::Regional),
        code: ("apigateway", "L-AA0FF27B"),
        default: 600,
        instead: Some("remove what nobody needs, or deploy to another region or account"),
    },
    Quota {
        name: "edge-optimized APIs",
        counts: Counts::Apis(EndpointType::Edge),
        code: ("apigateway", "L-B97207D0"),
        default: 120,
        instead: Some(
            "remove what nobody needs, or give APIs regional endpoints, of which more are allowed",
        ),
    },
    Quota {
        name: "private APIs",
        counts: Counts::Apis(EndpointType::Private),
        code: ("apigateway", "L-A966AB5C"),
        default: 600,
        instead: Some("remove what nobody needs, or deploy to another region or account"),
    },
    Quota {
        name: "custom domain names",
        // Either version of API Gateway lists those of both.
        counts: Counts::Types(&["AWS::ApiGateway::DomainName"]),
        code: ("apigateway", "L-A93447B8"),
        default: 120,
        instead: None,
    },
    Quota {
        name: "usage plans",
        counts: Counts::Types(&["AWS::ApiGateway::UsagePlan"]),
        code: ("apigateway", "L-E8693075"),
        default: 300,
        instead: None,
    },
    Quota {
        name: "tables",
        counts: Counts::Types(&["AWS::DynamoDB::Table"]),
        code: ("dynamodb", "L-F98FE922"),
        default: 2_500,
        instead: None,
    },
    Quota {
        name: "event buses",
        counts: Counts::Types(&["AWS::Events::EventBus"]),
        code: ("events", "L-658A4FD9"),
        default: 100,
        instead: None,
    },
    Quota {
        name: "user pools",
        counts: Counts::Types(&["AWS::Cognito::UserPool"]),
        code: ("cognito-idp", "L-66E6DF30"),
        default: 1_000,
        instead: None,
    },
];

impl Counts {
    /// Returns whether a resource of a stack counts.
    fn has(&self, look: &Look<'_>, resource: &Declared<'_>) -> bool {
        match self {
            Self::Types(types) => {
                let kind = match resource.kind {
                    "AWS::ApiGatewayV2::DomainName" => "AWS::ApiGateway::DomainName",
                    kind => kind,
                };
                types.contains(&kind)
            }
            Self::Apis(endpoint) => match resource.kind {
                REST_API => endpoint_of(look, resource).as_ref() == Some(endpoint),
                OTHER_API => *endpoint == EndpointType::Regional,
                _ => false,
            },
        }
    }
}

/// Returns the endpoint that a REST API is to have, where that is known: without a word it is an edge-optimized one
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-endpoint-types.html>).
fn endpoint_of(look: &Look<'_>, api: &Declared<'_>) -> Option<EndpointType> {
    match api.properties.pointer("/EndpointConfiguration/Types/0") {
        Some(endpoint) => look.text(endpoint).map(EndpointType::from),
        None if api.properties.get("EndpointConfiguration").is_none() => Some(EndpointType::Edge),
        None => None,
    }
}

/// Looks at what counts in a region.
pub(super) async fn check(clients: &Clients, looks: &[Look<'_>]) -> Vec<Concern> {
    let region = clients.region();
    let mut concerns = Vec::new();
    let new_stacks = looks.iter().filter(|look| look.present.is_empty()).count();
    if new_stacks > 0 {
        concerns.extend(of_stacks(clients, new_stacks as u64).await);
    }
    for quota in &QUOTAS_OF_REGIONS {
        let created = created(looks, |look, it| quota.counts.has(look, it));
        if created == 0 {
            continue;
        }
        let subject = format!("{} in {region}", quota.name);
        match counted(clients, quota).await {
            Ok(present) => {
                let (limit, by_default) = limit(clients, quota).await;
                let suffix = if by_default { " by default" } else { "" };
                let hint = match quota.instead {
                    Some(instead) => format!("AWS raises this quota for nobody: {instead}"),
                    None => format!(
                        "ask for more: `aws service-quotas request-service-quota-increase --region {region} --service-code {} --quota-code {} --desired-value {}`, or remove what nobody needs",
                        quota.code.0,
                        quota.code.1,
                        limit.max(present + created).saturating_mul(2)
                    ),
                };
                let concern = told(subject, present, created, limit, suffix);
                concerns.extend(concern.map(|concern| Concern {
                    hints: vec![hint],
                    ..concern
                }));
            }
            Err(error) => concerns.push(unknown(Check::Quota, &subject, &error)),
        }
    }
    concerns
}

/// Looks at what counts in an account, whatever the region.
pub(super) async fn of_account(clients: &Clients, looks: &[&[Look<'_>]]) -> Vec<Concern> {
    let created: BTreeMap<&str, u64> = OF_IAM
        .iter()
        .map(|(kind, ..)| {
            let of_kind = looks
                .iter()
                .map(|looks| created(looks, |_, it| it.kind == *kind));
            (*kind, of_kind.sum())
        })
        .filter(|(_, created)| *created > 0)
        .collect();
    if created.is_empty() {
        return Vec::new();
    }
    let answer = match clients.iam("GetAccountSummary", &[]).await {
        Ok(answer) => answer,
        Err(error) => return vec![unknown(Check::Quota, "IAM", &error)],
    };
    let entries = answer.all(&["GetAccountSummaryResult", "SummaryMap"]);
    let value = |key: &str| {
        let entry = entries
            .iter()
            .find(|entry| entry.text_at(&["key"]) == Some(key))?;
        entry.text_at(&["value"])?.parse::<u64>().ok()
    };
    OF_IAM
        .iter()
        .filter_map(|(kind, name, used, quota)| {
            let created = *created.get(kind)?;
            let subject = format!("{name} of account {}", clients.identity().account);
            let concern = told(subject, value(used)?, created, value(quota)?, "")?;
            Some(Concern {
                hints: vec![
                    "ask for more in Service Quotas (IAM, us-east-1), or remove what nobody needs"
                        .to_owned(),
                ],
                ..concern
            })
        })
        .collect()
}

/// Counts what stacks are to get.
fn created(looks: &[Look<'_>], counts: impl Fn(&Look<'_>, &Declared<'_>) -> bool) -> u64 {
    let new = looks
        .iter()
        .map(|look| look.created().filter(|it| counts(look, it)).count());
    new.sum::<usize>() as u64
}

/// Says where a quota is passed, or nearly so.
fn told(subject: String, present: u64, created: u64, limit: u64, suffix: &str) -> Option<Concern> {
    let wanted = present + created;
    if limit == 0 || wanted.saturating_mul(100) < limit.saturating_mul(NEARLY) {
        return None;
    }
    let weight = if wanted > limit {
        Weight::Warning
    } else {
        Weight::Note
    };
    Some(Concern {
        check: Check::Quota,
        weight,
        subject,
        message: format!(
            "there are {present}, this deploy makes {created} more, and {limit} are allowed{suffix}"
        ),
        hints: Vec::new(),
    })
}

/// Compares the stacks of a region with what CloudFormation allows
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeAccountLimits.html>).
async fn of_stacks(clients: &Clients, created: u64) -> Option<Concern> {
    let subject = format!("stacks in {}", clients.region());
    let counted = async {
        let answer = clients
            .cloudformation
            .describe_account_limits()
            .send()
            .await
            .or_aws(clients, "DescribeAccountLimits")?;
        let limits = answer.account_limits.unwrap_or_default();
        let limit = limits
            .iter()
            .find(|limit| limit.name.as_deref() == Some("StackLimit"))
            .and_then(|limit| limit.value)
            .and_then(|value| u64::try_from(value).ok());
        let Some(limit) = limit else {
            return Ok(None);
        };
        let there = StackStatus::values()
            .iter()
            .filter(|status| **status != StackStatus::DeleteComplete.as_str())
            .map(|status| StackStatus::from(*status))
            .collect::<Vec<_>>();
        let (mut present, mut next) = (0, None);
        loop {
            let page = clients
                .cloudformation
                .list_stacks()
                .set_stack_status_filter(Some(there.clone()))
                .set_next_token(next)
                .send()
                .await
                .or_aws(clients, "ListStacks")?;
            present += page.stack_summaries.unwrap_or_default().len() as u64;
            next = page.next_token;
            if next.is_none() {
                return Ok::<_, AwsError>(Some((present, limit)));
            }
        }
    };
    match counted.await {
        Ok(Some((present, limit))) => told(subject, present, created, limit, ""),
        Ok(None) => None,
        Err(error) => Some(unknown(Check::Quota, &subject, &error)),
    }
}

/// Counts what is there.
async fn counted(clients: &Clients, quota: &Quota) -> Result<u64, AwsError> {
    match &quota.counts {
        Counts::Types(types) => {
            let mut present = 0;
            for kind in *types {
                present += listed(clients, kind).await?;
            }
            Ok(present)
        }
        Counts::Apis(endpoint) => {
            let rest = rest_apis(clients, endpoint).await?;
            Ok(match endpoint {
                EndpointType::Regional => rest + listed(clients, OTHER_API).await?,
                _ => rest,
            })
        }
    }
}

/// Counts the resources of a type
/// (<https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_ListResources.html>).
async fn listed(clients: &Clients, kind: &str) -> Result<u64, AwsError> {
    const OPERATION: &str = "ListResources";
    let mut present = 0;
    let mut input = json!({"TypeName": kind, "MaxResults": 100});
    loop {
        let page = clients
            .json(CLOUD_CONTROL, clients.region(), OPERATION, &input)
            .await?;
        let found = page["ResourceDescriptions"]
            .as_array()
            .ok_or_else(|| AwsError::incomplete(OPERATION, "resources"))?;
        present += found.len() as u64;
        match page["NextToken"].as_str() {
            Some(next) => input["NextToken"] = next.into(),
            None => return Ok(present),
        }
    }
}

/// Counts the REST APIs with an endpoint of a type, which a list of resources does not say
/// (<https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApis.html>).
async fn rest_apis(clients: &Clients, endpoint: &EndpointType) -> Result<u64, AwsError> {
    let (mut present, mut position) = (0, None);
    loop {
        let page = clients
            .apigateway
            .get_rest_apis()
            .limit(500)
            .set_position(position)
            .send()
            .await
            .or_aws(clients, "GetRestApis")?;
        let found = page.items.unwrap_or_default();
        let of_type = found.iter().filter(|api| {
            let endpoints = api.endpoint_configuration.as_ref();
            endpoints.is_some_and(|it| it.types().contains(endpoint))
        });
        present += of_type.count() as u64;
        position = page.position;
        if position.is_none() {
            return Ok(present);
        }
    }
}

/// Returns what is allowed, and whether that is only what holds by default: for an account without a value of its own
/// (<https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html>), and for a caller who may
/// not ask.
async fn limit(clients: &Clients, quota: &Quota) -> (u64, bool) {
    let (service, code) = quota.code;
    let input = json!({"ServiceCode": service, "QuotaCode": code});
    let answer = clients
        .json(QUOTAS, clients.region(), "GetServiceQuota", &input)
        .await;
    let value = answer
        .ok()
        .and_then(|answer| answer["Quota"]["Value"].as_f64());
    match value {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a quota of a number of resources is a whole number, written with a point"
        )]
        Some(value) if value >= 1.0 => (value as u64, false),
        _ => (quota.default, true),
    }
}
