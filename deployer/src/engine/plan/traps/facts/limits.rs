//! Numbers that keep somebody out, or something from being lost: each has a direction in which it does so less.

use serde_json::Value;

use super::super::super::canonical::alike;
use super::super::super::{Grade, widen};
use super::super::{Finding, Seen, number, shown};

/// A number that protects by its size.
pub(in super::super) struct Limit {
    pub(in super::super) resource_type: &'static str,
    pub(in super::super) pointer: &'static str,
    /// The number where none is written; nothing, where no page tells it.
    pub(in super::super) default: Option<f64>,
    pub(in super::super) looser: Looser,
    /// What follows from a looser one.
    pub(in super::super) says: &'static str,
    pub(in super::super) source: &'static str,
}

/// In which direction a number protects less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Looser {
    Less,
    More,
}

const PASSWORDS: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cognito-userpool-passwordpolicy.html";

/// Numbers that protect by their size.
pub(in super::super) const LIMITS: &[Limit] = &[
    Limit {
        resource_type: "AWS::Cognito::UserPool",
        pointer: "/Policies/PasswordPolicy/MinimumLength",
        default: None,
        looser: Looser::Less,
        says: "passwords that are easier to guess are taken",
        source: PASSWORDS,
    },
    Limit {
        resource_type: "AWS::Cognito::UserPool",
        pointer: "/Policies/PasswordPolicy/PasswordHistorySize",
        default: Some(0.0),
        looser: Looser::Less,
        says: "passwords that were used before are taken again",
        source: PASSWORDS,
    },
    Limit {
        resource_type: "AWS::Cognito::UserPool",
        pointer: "/Policies/PasswordPolicy/TemporaryPasswordValidityDays",
        default: Some(7.0),
        looser: Looser::More,
        says: "a temporary password that somebody else finds is taken for longer",
        source: PASSWORDS,
    },
    Limit {
        resource_type: "AWS::IAM::Role",
        pointer: "/MaxSessionDuration",
        default: Some(3600.0),
        looser: Looser::More,
        says: "credentials that are stolen are good for longer",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html",
    },
    Limit {
        resource_type: "AWS::KMS::Key",
        pointer: "/PendingWindowInDays",
        default: Some(30.0),
        looser: Looser::Less,
        says: "once the key is deleted, there is less time to take that back",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html",
    },
];

/// Finds the numbers that protect less than before.
pub(super) fn loosened(resource_type: &str, seen: &Seen<'_>) -> Vec<Finding> {
    let rows = LIMITS
        .iter()
        .filter(|row| row.resource_type == resource_type);
    rows.filter_map(|row| {
        let (before, after) = (seen.before(row.pointer), seen.after(row.pointer));
        let reason = looser(row, before, after)?;
        let reason = format!("{}{reason}: {}", shown(row.pointer), row.says);
        Some(Finding::new(Grade::PermissionWidened, reason).citing(row.source))
    })
    .collect()
}

/// Says how a number protects less.
fn looser(row: &Limit, before: Option<&Value>, after: Option<&Value>) -> Option<String> {
    if alike(before, after) {
        return None;
    }
    if let Some(unknown) = [after, before]
        .into_iter()
        .flatten()
        .find(|value| widen::is_unknown(value))
    {
        return Some(format!(
            " may become another, as nobody knows what {} is",
            widen::text(unknown)
        ));
    }
    let of = |value: Option<&Value>| match value {
        None => row.default,
        value => number(value),
    };
    match (of(before), of(after)) {
        (Some(before), Some(after)) => {
            let is_looser = match row.looser {
                Looser::Less => after < before,
                Looser::More => after > before,
            };
            is_looser.then(|| format!(" becomes {after} after {before}"))
        }
        (Some(_), None) => Some(" is no longer said, and what it is then may be looser".to_owned()),
        (None, Some(after)) => Some(format!(" becomes {after}, and what it was may be stricter")),
        (None, None) => None,
    }
}
