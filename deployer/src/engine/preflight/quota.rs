//! Quotas: whether an account takes as many more resources as a deploy makes.
//!
//! Only what is new counts. Lambda keeps any number of functions, and their concurrency and their code are looked at in
//! `storage`; log groups are a million in a region, which nobody counts page by page.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::StackStatus;
use serde_json::json;

use super::{Check, Concern, Weight, look::Look, unknown};
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
    /// The types that count, each listed on its own.
    types: &'static [&'static str],
    /// Its service and code in Service Quotas.
    code: (&'static str, &'static str),
    /// What holds where Service Quotas does not say.
    default: u64,
}

/// The quotas that are looked at: those that an account meets with some dozens of systems in it.
///
/// APIs and domains: <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>; tables:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>; buses:
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>; user pools:
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html>.
const QUOTAS_OF_REGIONS: [Quota; 6] = [
    Quota {
        name: "APIs",
        types: &["AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"],
        code: ("apigateway", "L-AA0FF27B"),
        default: 600,
    },
    Quota {
        name: "custom domain names",
        // Either version of API Gateway lists those of both.
        types: &["AWS::ApiGateway::DomainName"],
        code: ("apigateway", "L-A93447B8"),
        default: 120,
    },
    Quota {
        name: "usage plans",
        types: &["AWS::ApiGateway::UsagePlan"],
        code: ("apigateway", "L-E8693075"),
        default: 300,
    },
    Quota {
        name: "tables",
        types: &["AWS::DynamoDB::Table"],
        code: ("dynamodb", "L-F98FE922"),
        default: 2_500,
    },
    Quota {
        name: "event buses",
        types: &["AWS::Events::EventBus"],
        code: ("events", "L-658A4FD9"),
        default: 100,
    },
    Quota {
        name: "user pools",
        types: &["AWS::Cognito::UserPool"],
        code: ("cognito-idp", "L-66E6DF30"),
        default: 1_000,
    },
];

/// Looks at what counts in a region.
pub(super) async fn check(clients: &Clients, looks: &[Look<'_>]) -> Vec<Concern> {
    let region = clients.region();
    let mut concerns = Vec::new();
    let new_stacks = looks.iter().filter(|look| look.present.is_empty()).count();
    if new_stacks > 0 {
        concerns.extend(of_stacks(clients, new_stacks as u64).await);
    }
    for quota in &QUOTAS_OF_REGIONS {
        let created = created(looks, |kind| {
            quota.types.contains(&kind)
                || (kind == "AWS::ApiGatewayV2::DomainName"
                    && quota.types.contains(&"AWS::ApiGateway::DomainName"))
        });
        if created == 0 {
            continue;
        }
        let subject = format!("{} in {region}", quota.name);
        match counted(clients, quota).await {
            Ok(present) => {
                let (limit, by_default) = limit(clients, quota).await;
                let suffix = if by_default { " by default" } else { "" };
                concerns.extend(told(subject, present, created, limit, suffix).map(|concern| {
                    Concern {
                        hints: vec![format!(
                            "ask for more: `aws service-quotas request-service-quota-increase --region {region} --service-code {} --quota-code {} --desired-value {}`, or remove what nobody needs",
                            quota.code.0,
                            quota.code.1,
                            limit.max(present + created).saturating_mul(2)
                        )],
                        ..concern
                    }
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
            let of_kind = looks.iter().map(|looks| created(looks, |it| it == *kind));
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
fn created(looks: &[Look<'_>], counts: impl Fn(&str) -> bool) -> u64 {
    let new = looks
        .iter()
        .map(|look| look.created().filter(|it| counts(it.kind)).count());
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

/// Counts what is there
/// (<https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_ListResources.html>).
async fn counted(clients: &Clients, quota: &Quota) -> Result<u64, AwsError> {
    const OPERATION: &str = "ListResources";
    let mut present = 0;
    for kind in quota.types {
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
                None => break,
            }
        }
    }
    Ok(present)
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
