//! Traps of buckets.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::Grade;
use super::super::widen::text;
use super::{Finding, Seen, Trap, is, number};

pub(super) const TRAPS: &[Trap] = &[Trap {
    types: &["AWS::S3::Bucket"],
    source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html",
    find: lifecycle,
}];

/// What a rule deletes, and of which objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Expired {
    Objects,
    Versions,
}

/// Rules that delete objects, or delete them earlier.
fn lifecycle(seen: &Seen<'_>) -> Vec<Finding> {
    if !seen.stays() {
        return Vec::new();
    }
    let before = expirations(seen.before("/LifecycleConfiguration/Rules"));
    let after = expirations(seen.after("/LifecycleConfiguration/Rules"));
    // What expires in a bucket with versions is hidden, and its versions stay.
    let versions = is(seen.before("/VersioningConfiguration/Status"), "Enabled")
        && is(seen.after("/VersioningConfiguration/Status"), "Enabled");
    after
        .iter()
        .filter_map(|((which, filter), days)| {
            let earlier = before
                .get(&(*which, filter.clone()))
                // What a rule for all objects did, one for some does not begin.
                .or_else(|| before.get(&(*which, String::new())));
            if earlier.is_some_and(|earlier| earlier <= days) {
                return None;
            }
            let what = match which {
                Expired::Objects => "objects",
                Expired::Versions => "earlier versions of objects",
            };
            let of = if filter.is_empty() {
                String::new()
            } else {
                format!(" ({filter})")
            };
            let since = earlier.map_or(String::new(), |earlier| format!(", so far {earlier}"));
            Some(if *which == Expired::Objects && versions {
                Finding::new(
                    Grade::Interruption,
                    format!("{what}{of} are hidden after {days} days{since}; their versions stay"),
                )
            } else {
                Finding::new(
                    Grade::DataLoss,
                    format!("{what}{of} are deleted after {days} days{since}"),
                )
            })
        })
        .collect()
}

/// Returns after how many days rules delete what.
fn expirations(rules: Option<&Value>) -> BTreeMap<(Expired, String), u64> {
    let mut found = BTreeMap::new();
    for rule in rules.and_then(Value::as_array).into_iter().flatten() {
        if !is(rule.get("Status"), "Enabled") {
            continue;
        }
        let filter = [
            "Prefix",
            "TagFilters",
            "ObjectSizeGreaterThan",
            "ObjectSizeLessThan",
        ]
        .into_iter()
        .filter_map(|key| Some((key, rule.get(key)?)))
        .map(|(key, value)| format!("{key} {}", text(value)))
        .collect::<Vec<_>>()
        .join(", ");
        let noncurrent = rule
            .pointer("/NoncurrentVersionExpiration/NoncurrentDays")
            .or_else(|| rule.get("NoncurrentVersionExpirationInDays"));
        // On a certain day: that of the template.
        let date = rule.get("ExpirationDate").map(|_| 0.0);
        for (which, days) in [
            (
                Expired::Objects,
                number(rule.get("ExpirationInDays")).or(date),
            ),
            (Expired::Versions, number(noncurrent)),
        ] {
            let Some(days) = days else { continue };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "S3 counts whole days, and a float is cut at the ends of the range"
            )]
            let days = days as u64;
            let entry = found.entry((which, filter.clone())).or_insert(days);
            *entry = days.min(*entry);
        }
    }
    found
}
