//! What a renamed resource takes along: the resources that the model makes for it, whose logical ids are its own with a fixed
//! suffix.

use std::collections::{BTreeMap, BTreeSet};

use crate::assembly::Along;
use crate::stack::StackData;

/// The suffixes that the model gives to the logical ids of what it makes for others, each with the types of that. What has
/// its id from two, such as `<Function><Queue>Trigger`, goes along with either.
///
/// Not among them is the deployment of an API, whose id carries a hash of it.
const SUFFIXES: &[(&str, &[&str])] = &[
    ("Access", &["AWS::CloudFront::OriginAccessControl"]),
    ("Alias", &["AWS::KMS::Alias", "AWS::Lambda::Alias"]),
    ("Artifacts", &["AWS::S3::Bucket"]),
    ("AsyncInvocations", &["AWS::Lambda::EventInvokeConfig"]),
    ("Destination", &["AWS::Logs::DeliveryDestination"]),
    ("ErrorDelivery", &["AWS::Logs::Delivery"]),
    ("ErrorLogs", &["AWS::Logs::DeliverySource"]),
    ("ExecutionLogs", &["AWS::Logs::LogGroup"]),
    ("InfoDelivery", &["AWS::Logs::Delivery"]),
    ("InfoLogs", &["AWS::Logs::DeliverySource"]),
    ("Integration", &["AWS::ApiGatewayV2::Integration"]),
    ("InvokePermission", &["AWS::Lambda::Permission"]),
    ("LogDestination", &["AWS::Logs::DeliveryDestination"]),
    ("Logs", &["AWS::Logs::LogGroup"]),
    ("Permission", &["AWS::Lambda::Permission"]),
    (
        "Policy",
        &[
            "AWS::S3::BucketPolicy",
            "AWS::SNS::TopicPolicy",
            "AWS::SQS::QueuePolicy",
            "AWS::SecretsManager::ResourcePolicy",
        ],
    ),
    ("Preflight", &["AWS::ApiGateway::Method"]),
    ("QueryLogsPolicy", &["AWS::Logs::ResourcePolicy"]),
    ("Response", &["AWS::ApiGatewayV2::RouteResponse"]),
    ("Role", &["AWS::IAM::Role"]),
    ("SelfPolicy", &["AWS::IAM::Policy"]),
    ("SmsRole", &["AWS::IAM::Role"]),
    ("Source", &["AWS::Logs::DeliverySource"]),
    ("TraceDelivery", &["AWS::Logs::Delivery"]),
    ("TraceLogs", &["AWS::Logs::DeliverySource"]),
    (
        "Trigger",
        &["AWS::Lambda::EventSourceMapping", "AWS::SNS::Subscription"],
    ),
    ("Url", &["AWS::Lambda::Url"]),
    (
        "Version",
        &[
            "AWS::Lambda::Version",
            "AWS::StepFunctions::StateMachineVersion",
        ],
    ),
];

/// The suffix of the alarms of a resource; between its logical id and the suffix stands the name of the alarm.
const ALARM: (&str, &str) = ("Alarm", "AWS::CloudWatch::Alarm");

/// Returns what the declared renames of a stack take along, by the logical id that it had. `stacks` are all of the app, as an
/// id may be made from that of a resource of another one.
///
/// Nobody knows here what is deployed: of what was not there before, the deployer takes no rename.
pub(super) fn along(stack: &StackData, stacks: &[StackData]) -> BTreeMap<String, Along> {
    let mut was: BTreeMap<&str, &str> = BTreeMap::new();
    // A rename of the stack itself counts before one that another stack declares of a resource of the same name.
    let others = stacks.iter().filter(|other| other.id != stack.id);
    for of in others.chain([stack]) {
        let moved = of.moved.iter();
        was.extend(moved.map(|(from, moved)| (moved.to.as_str(), from.as_str())));
    }
    if was.is_empty() {
        return BTreeMap::new();
    }
    let ids = stacks.iter().flat_map(|stack| stack.resources.keys());
    let ids: BTreeSet<&str> = ids.map(String::as_str).collect();
    let mut found: BTreeMap<String, Along> = BTreeMap::new();
    let is_moved = |found: &BTreeMap<String, Along>, from: &str, to: &str| {
        let declared = stack.moved.iter();
        let declared = declared.map(|(from, moved)| (from.as_str(), moved.to.as_str()));
        let taken = found
            .iter()
            .map(|(from, it)| (from.as_str(), it.to.as_str()));
        declared
            .chain(taken)
            .any(|(one, other)| one == from || other == to)
    };
    // What is made for something may have more made for it, such as the permission of a URL.
    loop {
        let before = found.len();
        for (to, resource) in &stack.resources {
            let taken = parts(to, &resource.kind, &ids)
                .into_iter()
                .find_map(|parts| {
                    let known = |part: &str| {
                        let taken = found.iter().find(|(_, it)| it.to == part);
                        taken
                            .map(|(from, _)| from.clone())
                            .or_else(|| was.get(part).map(|from| (*from).to_owned()))
                    };
                    let with = parts.owners.iter().find(|owner| known(owner).is_some())?;
                    let owners = parts
                        .owners
                        .iter()
                        .map(|owner| known(owner).unwrap_or_else(|| (*owner).to_owned()));
                    let from = owners.collect::<String>() + parts.rest;
                    (!stack.resources.contains_key(&from)).then(|| (from, (*with).to_owned()))
                });
            if let Some((from, with)) = taken
                && !is_moved(&found, &from, to)
            {
                found.insert(
                    from,
                    Along {
                        to: to.clone(),
                        with,
                    },
                );
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// A logical id that the model made.
struct Parts<'a> {
    /// The logical ids that it is made from.
    owners: Vec<&'a str>,
    /// What stands behind them.
    rest: &'a str,
}

/// Returns what a logical id may be made from: of one resource, or of two.
fn parts<'a>(id: &'a str, kind: &str, ids: &BTreeSet<&str>) -> Vec<Parts<'a>> {
    let suffixes = SUFFIXES.iter().filter(|(_, kinds)| kinds.contains(&kind));
    let mut found = Vec::new();
    for (suffix, _) in suffixes {
        let Some(stem) = id.strip_suffix(suffix) else {
            continue;
        };
        let rest = &id[stem.len()..];
        if ids.contains(stem) {
            found.push(Parts {
                owners: vec![stem],
                rest,
            });
        }
        let splits = (1..stem.len()).filter_map(|at| stem.split_at_checked(at));
        let both = splits.filter(|(one, other)| ids.contains(one) && ids.contains(other));
        found.extend(both.map(|(one, other)| Parts {
            owners: vec![one, other],
            rest,
        }));
    }
    if kind == ALARM.1
        && let Some(stem) = id.strip_suffix(ALARM.0)
    {
        // The longest first: `Orders` and `OrdersArchive` may both have alarms.
        let splits = (1..stem.len())
            .rev()
            .filter_map(|at| id.split_at_checked(at));
        let watched = splits.filter(|(watched, _)| ids.contains(watched));
        found.extend(watched.map(|(watched, rest)| Parts {
            owners: vec![watched],
            rest,
        }));
    }
    found
}
