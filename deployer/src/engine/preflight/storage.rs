//! The code of functions: whether Lambda takes any more.

use super::{Check, Concern, Weight, unknown};
use crate::aws::{Clients, OrAws};

/// The part of the limit from which a warning is due, in percent.
const FULL: i64 = 95;

/// Compares what Lambda keeps of the account's code with what it keeps at most
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html>).
pub(super) async fn check(clients: &Clients) -> Vec<Concern> {
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
    let limit = answer
        .account_limit
        .map_or(0, |limit| limit.total_code_size);
    let used = answer
        .account_usage
        .map_or(0, |usage| usage.total_code_size);
    if limit == 0 || used < limit / 100 * FULL {
        return Vec::new();
    }
    let megabytes = |bytes: i64| bytes / (1 << 20);
    vec![Concern {
        check: Check::CodeStorage,
        weight: Weight::Warning,
        subject,
        message: format!(
            "functions and their versions take {} MB of the {} MB that the account has",
            megabytes(used),
            megabytes(limit)
        ),
        hints: vec![
            "remove versions of functions that nobody goes back to, or ask AWS for more".to_owned(),
        ],
    }]
}
