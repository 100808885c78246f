//! Traps of tables.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::canonical::same;
use super::super::widen::is_unknown;
use super::super::{Grade, Update};
use super::{Finding, Seen, Trap, is_on, number};

const TABLES: &[&str] = &["AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table"];

pub(super) const TRAPS: &[Trap] = &[
    Trap {
        types: TABLES,
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html",
        find: indexes,
    },
    Trap {
        types: TABLES,
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-table-timetolivespecification.html",
        find: time_to_live,
    },
    Trap {
        types: &["AWS::DynamoDB::Table"],
        source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html",
        find: recovery,
    },
    Trap {
        types: TABLES,
        source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html",
        find: stream,
    },
    Trap {
        types: &["AWS::DynamoDB::GlobalTable"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html",
        find: replicas,
    },
];

/// Returns how declarations of attributes change a table: others may come and go with indexes, and another type of one
/// that stays is another table. AWS says "some interruptions" of those that come and go, and "without interruption" of
/// the index that needs them; the index decides.
pub(super) fn attributes(before: Option<&Value>, after: Option<&Value>) -> Update {
    let (before, after) = (
        named(before, "AttributeName"),
        named(after, "AttributeName"),
    );
    let edited = before
        .iter()
        .any(|(name, old)| after.get(name).is_some_and(|new| !same(old, new)));
    if edited {
        Update::Replacement
    } else {
        Update::InPlace
    }
}

/// Returns the elements of a list by the text that names each.
fn named<'a>(list: Option<&'a Value>, key: &str) -> BTreeMap<String, &'a Value> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|element| {
            let name = element.get(key)?;
            let name = name
                .as_str()
                .map_or_else(|| name.to_string(), str::to_owned);
            Some((name, element))
        })
        .collect()
}

/// CloudFormation makes or deletes one global index in an update, and changes only the capacity of one that stays.
fn indexes(seen: &Seen<'_>) -> Vec<Finding> {
    if !seen.stays() {
        return Vec::new();
    }
    let of = |list| named(list, "IndexName");
    let before = of(seen.before("/GlobalSecondaryIndexes"));
    let after = of(seen.after("/GlobalSecondaryIndexes"));
    let mut found = Vec::new();
    let made: Vec<&str> = after
        .keys()
        .filter(|name| !before.contains_key(*name))
        .map(String::as_str)
        .collect();
    let gone: Vec<&str> = before
        .keys()
        .filter(|name| !after.contains_key(*name))
        .map(String::as_str)
        .collect();
    if made.len() + gone.len() > 1 {
        let all = [made.as_slice(), gone.as_slice()].concat().join(", ");
        found.push(Finding::new(
            Grade::Impossible,
            format!(
                "an update makes or deletes one global index, and this is about {all}: deploy one after the other"
            ),
        ));
    }
    for name in gone {
        found.push(Finding::new(
            Grade::Interruption,
            format!("queries of the index {name} fail once it is deleted"),
        ));
    }
    for (name, new) in &after {
        let Some(old) = before.get(name) else {
            continue;
        };
        let differs = |key: &str| match (old.get(key), new.get(key)) {
            (Some(old), Some(new)) => !same(old, new),
            (None, None) => false,
            _ => true,
        };
        if differs("KeySchema") || differs("Projection") {
            found.push(Finding::new(
                Grade::Impossible,
                format!(
                    "the keys and the projection of the index {name} cannot be changed: make one of another name, and delete this one with a later deploy"
                ),
            ));
        }
    }
    found
}

/// Deleting what has expired begins with the setting, and another attribute cannot take its place in one step.
fn time_to_live(seen: &Seen<'_>) -> Vec<Finding> {
    if !seen.stays() {
        return Vec::new();
    }
    let (was, becomes) = (
        seen.before("/TimeToLiveSpecification"),
        seen.after("/TimeToLiveSpecification"),
    );
    let switch = |setting: Option<&Value>| setting?.get("Enabled").cloned();
    let kept = switch(was)
        .zip(switch(becomes))
        .is_some_and(|(before, after)| same(&before, &after));
    let attribute = |setting: Option<&Value>, unknown: bool| {
        let setting = setting?;
        // An attribute without a switch is on. Of a switch that nobody knows, the more dangerous counts.
        let on = setting
            .get("Enabled")
            .is_none_or(|on| is_on(Some(on)) || (unknown && is_unknown(on)));
        on.then(|| setting.get("AttributeName").cloned())?
    };
    let before = attribute(was, kept);
    let after = attribute(becomes, true);
    match (before, after) {
        (Some(before), Some(after)) if is_unknown(&after) && !same(&before, &after) => {
            vec![Finding::new(
                Grade::DataLoss,
                format!(
                    "items are deleted by another attribute from now on, if {} is one, which nobody knows",
                    text(&after)
                ),
            )]
        }
        (None, Some(name)) => vec![Finding::new(
            Grade::DataLoss,
            format!(
                "items whose {} lies in the past are deleted from now on",
                text(&name)
            ),
        )],
        (Some(before), Some(after)) if !same(&before, &after) => vec![Finding::new(
            Grade::Impossible,
            format!(
                "the attribute of the time to live cannot become {} in one step: switch it off with one deploy, and on with a later one",
                text(&after)
            ),
        )],
        _ => Vec::new(),
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Recovery that is switched off forgets what it kept.
fn recovery(seen: &Seen<'_>) -> Vec<Finding> {
    const POINTER: &str = "/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled";
    let lost = seen.stays() && is_on(seen.before(POINTER)) && !is_on(seen.after(POINTER));
    let finding = Finding::new(
        Grade::DataLoss,
        "earlier states of the table can no longer be recovered, also once it is switched on again",
    );
    lost.then_some(finding).into_iter().collect()
}

/// A stream of another kind is another stream.
fn stream(seen: &Seen<'_>) -> Vec<Finding> {
    let view = "/StreamSpecification/StreamViewType";
    if !seen.stays() {
        return Vec::new();
    }
    match (seen.before(view), seen.after(view)) {
        (Some(_), None) if seen.after("/StreamSpecification").is_none() => vec![Finding::new(
            Grade::Interruption,
            "its stream ends: nobody is told of changes any more",
        )],
        (Some(before), Some(after)) if !same(before, after) => vec![Finding::new(
            Grade::Interruption,
            "another stream takes the place of its stream: what was not read yet stays in the earlier one",
        )],
        _ => Vec::new(),
    }
}

/// Returns the attribute of a table that becomes another one because its stream does.
pub(super) fn renewed(seen: &Seen<'_>) -> Option<&'static str> {
    let view = "/StreamSpecification/StreamViewType";
    let kind = TABLES.contains(&seen.change.resource_type.as_str());
    let (before, after) = (seen.before(view)?, seen.after(view)?);
    (kind && seen.stays() && !same(before, after)).then_some("StreamArn")
}

/// A replica that leaves a global table is deleted, and one that stays may lose what protects it.
fn replicas(seen: &Seen<'_>) -> Vec<Finding> {
    // In another order they are what they were, also where two say the same region.
    if !seen.stays() || !seen.changes("Replicas") {
        return Vec::new();
    }
    let of = |list| named(list, "Region");
    let after = of(seen.after("/Replicas"));
    let mut found = Vec::new();
    for (region, old) in of(seen.before("/Replicas")) {
        let Some(new) = after.get(&region) else {
            found.push(Finding::new(
                Grade::Interruption,
                format!("the replica in {region} is deleted: who reads it there fails"),
            ));
            continue;
        };
        if is_on(old.get("DeletionProtectionEnabled"))
            && !is_on(new.get("DeletionProtectionEnabled"))
        {
            found.push(Finding::new(
                Grade::PermissionWidened,
                format!("DeletionProtectionEnabled of the replica in {region} is taken away: whoever may delete tables may delete it with its items"),
            ));
        }
        let recovery = |replica: &'_ Value, key: &str| {
            replica
                .get("PointInTimeRecoverySpecification")?
                .get(key)
                .cloned()
        };
        let on = |replica| is_on(recovery(replica, "PointInTimeRecoveryEnabled").as_ref());
        if on(old) && !on(new) {
            found.push(Finding::new(
                Grade::DataLoss,
                format!("earlier states of the replica in {region} can no longer be recovered, also once it is switched on again"),
            ));
            continue;
        }
        // Where nothing is said, the table is kept for as long as it can be.
        let days = |replica| match recovery(replica, "RecoveryPeriodInDays") {
            Some(days) => number(Some(&days)).unwrap_or(0.0),
            None => 35.0,
        };
        let differs =
            recovery(old, "RecoveryPeriodInDays") != recovery(new, "RecoveryPeriodInDays");
        if on(old) && differs && days(new) < days(old) {
            found.push(Finding::new(
                Grade::DataLoss,
                format!("earlier states of the replica in {region} can be recovered for less time than so far"),
            ));
        }
    }
    found
}
