//! What Lambda keeps for an account: whether it takes more code, and has the concurrency that functions reserve.

use super::{Check, Concern, Weight, look::Look, unknown};
use crate::aws::{Clients, OrAws};

/// The part of the limit from which a warning is due, in percent.
const FULL: i64 = 95;

/// What has to stay for functions that reserve nothing
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>).
const UNRESERVED: i64 = 100;

/// Compares what the account has with what it gets
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html>).
pub(super) async fn check(clients: &Clients, looks: &[Look<'_>]) -> Vec<Concern> {
    let subject = format!("Lambda in {}", clients.region());
    let answer = clients
        .lambda
        .get_account_settings()
        .send()
        .await
        .or_aws(clients, "GetAccountSettings");
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return vec![unknown(Check::CodeStorage, &subject, &error)],
    };
    let mut concerns = Vec::new();
    let limits = answer.account_limit;
    let limit = limits.as_ref().map_or(0, |limit| limit.total_code_size);
    let used = answer
        .account_usage
        .map_or(0, |usage| usage.total_code_size);
    if limit > 0 && used >= limit / 100 * FULL {
        let megabytes = |bytes: i64| bytes / (1 << 20);
        concerns.push(Concern {
            check: Check::CodeStorage,
            weight: Weight::Warning,
            subject: subject.clone(),
            message: format!(
                "functions and their versions take {} MB of the {} MB that the account has",
                megabytes(used),
                megabytes(limit)
            ),
            hints: vec![
                "`stackctl prune` removes versions of functions that nobody goes back to; or ask AWS for more"
                    .to_owned(),
            ],
        });
    }
    let reserved: i64 = looks
        .iter()
        .flat_map(Look::created)
        .filter(|it| it.kind == "AWS::Lambda::Function")
        .filter_map(|it| it.properties.get("ReservedConcurrentExecutions")?.as_i64())
        .sum();
    let free = limits
        .and_then(|limits| limits.unreserved_concurrent_executions)
        .map(|free| (i64::from(free) - UNRESERVED).max(0));
    if let Some(free) = free
        && reserved > free
    {
        concerns.push(Concern {
            check: Check::Quota,
            weight: Weight::Warning,
            subject,
            message: format!(
                "new functions reserve a concurrency of {reserved}, and {free} can be reserved: {UNRESERVED} stay for the others"
            ),
            hints: vec![
                "reserve less, or ask AWS for a higher concurrency (`Concurrent executions` of Lambda in Service Quotas)"
                    .to_owned(),
            ],
        });
    }
    concerns
}
