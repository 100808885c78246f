//! The properties that have an action of their own.

use std::collections::BTreeSet;

use serde_json::Value;

/// A property of a resource that is not made, changed and taken away with the resource, but by a call of its own.
pub(super) struct Part {
    pub(super) kind: &'static str,
    property: &'static str,
    /// What a new resource takes that has it, what changes it, and what takes it away.
    pub(super) actions: [&'static str; 3],
}

const fn part(kind: &'static str, property: &'static str, actions: [&'static str; 3]) -> Part {
    Part {
        kind,
        property,
        actions,
    }
}

/// A property that one action changes, in whatever way.
const fn set(kind: &'static str, property: &'static str, action: &'static str) -> Part {
    part(kind, property, [action, action, action])
}

/// A property that creates with its resource, and that one action changes later.
const fn later(kind: &'static str, property: &'static str, action: &'static str) -> Part {
    part(kind, property, ["", action, action])
}

const BUCKET: &str = "AWS::S3::Bucket";
const FUNCTION: &str = "AWS::Lambda::Function";
const KEY: &str = "AWS::KMS::Key";
const LOG_GROUP: &str = "AWS::Logs::LogGroup";
const ROLE: &str = "AWS::IAM::Role";
const TABLE: &str = "AWS::DynamoDB::Table";

/// What the services' pages below
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
/// say of the actions that the registry lists for the types.
pub(super) const PARTS: &[Part] = &[
    set(
        TABLE,
        "ContributorInsightsSpecification",
        "UpdateContributorInsights",
    ),
    set(
        TABLE,
        "PointInTimeRecoverySpecification",
        "UpdateContinuousBackups",
    ),
    part(
        TABLE,
        "ResourcePolicy",
        ["", "PutResourcePolicy", "DeleteResourcePolicy"],
    ),
    part(
        TABLE,
        "Tags",
        ["TagResource", "TagResource", "UntagResource"],
    ),
    set(TABLE, "TimeToLiveSpecification", "UpdateTimeToLive"),
    part(
        "AWS::Events::Rule",
        "Targets",
        ["PutTargets", "PutTargets", "RemoveTargets"],
    ),
    later(ROLE, "AssumeRolePolicyDocument", "UpdateAssumeRolePolicy"),
    part(
        ROLE,
        "PermissionsBoundary",
        [
            "",
            "PutRolePermissionsBoundary",
            "DeleteRolePermissionsBoundary",
        ],
    ),
    part(ROLE, "Tags", ["TagRole", "TagRole", "UntagRole"]),
    later(KEY, "Description", "UpdateKeyDescription"),
    part(
        KEY,
        "EnableKeyRotation",
        [
            "EnableKeyRotation",
            "EnableKeyRotation",
            "DisableKeyRotation",
        ],
    ),
    later(KEY, "KeyPolicy", "PutKeyPolicy"),
    part(KEY, "Tags", ["TagResource", "TagResource", "UntagResource"]),
    later(FUNCTION, "Architectures", "UpdateFunctionCode"),
    later(FUNCTION, "Code", "UpdateFunctionCode"),
    part(
        FUNCTION,
        "ReservedConcurrentExecutions",
        [
            "PutFunctionConcurrency",
            "PutFunctionConcurrency",
            "DeleteFunctionConcurrency",
        ],
    ),
    part(
        FUNCTION,
        "Tags",
        ["TagResource", "TagResource", "UntagResource"],
    ),
    part(
        LOG_GROUP,
        "DataProtectionPolicy",
        [
            "PutDataProtectionPolicy",
            "PutDataProtectionPolicy",
            "DeleteDataProtectionPolicy",
        ],
    ),
    part(
        LOG_GROUP,
        "KmsKeyId",
        ["", "AssociateKmsKey", "DisassociateKmsKey"],
    ),
    part(
        LOG_GROUP,
        "RetentionInDays",
        [
            "PutRetentionPolicy",
            "PutRetentionPolicy",
            "DeleteRetentionPolicy",
        ],
    ),
    part(
        LOG_GROUP,
        "Tags",
        ["TagResource", "TagResource", "UntagResource"],
    ),
    set(
        BUCKET,
        "AccelerateConfiguration",
        "PutAccelerateConfiguration",
    ),
    set(BUCKET, "BucketEncryption", "PutEncryptionConfiguration"),
    set(BUCKET, "CorsConfiguration", "PutBucketCORS"),
    set(
        BUCKET,
        "LifecycleConfiguration",
        "PutLifecycleConfiguration",
    ),
    set(BUCKET, "LoggingConfiguration", "PutBucketLogging"),
    set(BUCKET, "NotificationConfiguration", "PutBucketNotification"),
    set(BUCKET, "OwnershipControls", "PutBucketOwnershipControls"),
    set(
        BUCKET,
        "PublicAccessBlockConfiguration",
        "PutBucketPublicAccessBlock",
    ),
    set(
        BUCKET,
        "ReplicationConfiguration",
        "PutReplicationConfiguration",
    ),
    set(BUCKET, "Tags", "PutBucketTagging"),
    set(BUCKET, "VersioningConfiguration", "PutBucketVersioning"),
    part(
        BUCKET,
        "WebsiteConfiguration",
        [
            "PutBucketWebsite",
            "PutBucketWebsite",
            "DeleteBucketWebsite",
        ],
    ),
    part(
        "AWS::SQS::Queue",
        "Tags",
        ["TagQueue", "TagQueue", "UntagQueue"],
    ),
];

/// Returns the actions that a new resource takes for its properties.
pub(super) fn of_new(kind: &str, properties: &Value) -> BTreeSet<&'static str> {
    let parts = PARTS.iter().filter(|part| part.kind == kind);
    let mut actions: BTreeSet<&str> = parts
        .filter(|part| properties.get(part.property).is_some())
        .map(|part| part.actions[0])
        .collect();
    if kind == ROLE {
        actions.extend(of_policies(&Value::Null, properties));
    }
    actions
}

/// Returns the actions that a change of properties takes, the resource's own one for those that have none.
pub(super) fn of_changed(
    kind: &str,
    own: &'static str,
    (was, is): (&Value, &Value),
    differing: &BTreeSet<&str>,
) -> BTreeSet<&'static str> {
    let mut actions = BTreeSet::new();
    for property in differing {
        let is_policy = kind == ROLE && ["Policies", "ManagedPolicyArns"].contains(property);
        let part = PARTS
            .iter()
            .find(|part| part.kind == kind && part.property == *property);
        match part {
            Some(part) if is.get(property).is_none() => actions.insert(part.actions[2]),
            Some(part) => actions.insert(part.actions[1]),
            None if is_policy => false,
            None => actions.insert(own),
        };
    }
    if kind == ROLE {
        actions.extend(of_policies(was, is));
    }
    actions
}

/// Returns the actions that the removal of a resource takes beside its own: a role has to be without policies
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html>).
pub(super) fn of_gone(kind: &str, properties: &Value) -> Vec<&'static str> {
    if kind == ROLE {
        of_policies(properties, &Value::Null)
    } else {
        Vec::new()
    }
}

/// Returns what gives a role the policies that it is to have, and takes away those that it had.
fn of_policies(was: &Value, is: &Value) -> Vec<&'static str> {
    let list = |properties: &Value, property: &str| -> Vec<Value> {
        let list = properties.get(property).and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    };
    let (had, has) = (list(was, "Policies"), list(is, "Policies"));
    let (held, holds) = (
        list(was, "ManagedPolicyArns"),
        list(is, "ManagedPolicyArns"),
    );
    let is_named = |policies: &[Value], name: &Value| {
        let mut names = policies.iter().map(|policy| &policy["PolicyName"]);
        names.any(|it| it == name)
    };
    let rows = [
        ("PutRolePolicy", has.iter().any(|it| !had.contains(it))),
        (
            "DeleteRolePolicy",
            had.iter().any(|it| !is_named(&has, &it["PolicyName"])),
        ),
        (
            "AttachRolePolicy",
            holds.iter().any(|it| !held.contains(it)),
        ),
        (
            "DetachRolePolicy",
            held.iter().any(|it| !holds.contains(it)),
        ),
    ];
    let taken = rows.into_iter().filter(|(_, is_taken)| *is_taken);
    taken.map(|(action, _)| action).collect()
}
