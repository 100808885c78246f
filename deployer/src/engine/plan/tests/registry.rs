//! Changes that are made from the facts of the registry: whatever is called by the name of a guard is one.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stack_model_cfn::facts::{self, PropertyFacts, ResourceFacts, UpdateBehaviour, ValueKind};

use super::super::{Grade, Registry, Side, compare};

/// Nested types refer to themselves: no deeper than this.
const DEPTH: usize = 6;

/// Calls `visit` with every property of a type, and with the way to it as JSON has it: a list has one element, and a map the
/// key `key`.
fn walk(
    resource: &'static ResourceFacts,
    path: &str,
    depth: usize,
    visit: &mut dyn FnMut(&str, &PropertyFacts),
) {
    let Some(property) = resource.property(path).filter(|it| !it.read_only()) else {
        return;
    };
    visit(path, &property);
    if depth == DEPTH {
        return;
    }
    let (kind, way) = match property.value().kind() {
        ValueKind::List(inner) => (inner.kind(), format!("{path}/0")),
        ValueKind::Map(inner) => (inner.kind(), format!("{path}/key")),
        kind => (kind, path.to_owned()),
    };
    if let ValueKind::Shape(shape) = kind {
        for (name, _) in shape.properties() {
            walk(resource, &format!("{way}/{name}"), depth + 1, visit);
        }
    }
}

/// Returns the properties that have a value at a place.
fn with(way: &str, value: Value) -> Value {
    way.rsplit('/').fold(value, |value, step| match step {
        "0" => json!([value]),
        key => json!({ key: value }),
    })
}

/// Returns the properties that have nothing at a place, and all on the way to it.
fn without(way: &str) -> Value {
    match way.rsplit_once('/') {
        Some((outer, _)) => with(outer, json!({})),
        None => json!({}),
    }
}

/// Returns the dangers of a change of one property.
fn dangers(resource_type: &str, way: &str, before: Value, after: Value) -> Vec<Grade> {
    dangers_of(resource_type, &with(way, before), &with(way, after))
}

/// Returns the dangers of a change of properties.
fn dangers_of(resource_type: &str, before: &Value, after: &Value) -> Vec<Grade> {
    let [before, after] = [before, after].map(|properties| {
        json!({"Resources": {"Thing": {"Type": resource_type, "Properties": properties}}})
    });
    let side = |template| Side {
        template: Some(template),
        ..Side::default()
    };
    let plan = compare(
        "registry-dev",
        &side(&before),
        &side(&after),
        &BTreeMap::new(),
        &Registry,
    );
    let changes = plan.changes.into_iter();
    changes.flat_map(|change| change.dangers).collect()
}

/// Returns every property of every type that can be set, with the way to it.
fn properties(visit: &mut dyn FnMut(&str, &str, &PropertyFacts)) {
    for resource_type in facts::resource_types() {
        let resource = facts::resource_type(resource_type).expect(resource_type);
        let names: Vec<&str> = resource.properties().map(|it| it.name()).collect();
        for name in names {
            walk(resource, name, 0, &mut |way, property| {
                visit(resource_type, way, property);
            });
        }
    }
}

/// Properties that are called as if they said as whom something acts, and do not.
const NO_ROLES: &[(&str, &str, &str)] = &[];

#[test]
fn another_role_is_told_wherever_the_registry_has_one() {
    let mut count = 0;
    let mut silent = Vec::new();
    properties(&mut |resource_type, way, property| {
        let name = property.name();
        let role = [
            "Role",
            "RoleArn",
            "RoleARN",
            "Credentials",
            "CredentialsArn",
            "CallerArn",
        ];
        let roles = ["RoleArns", "RoleARNs", "IamRoles"];
        let value = property.value();
        let text = |kind| matches!(kind, ValueKind::Text);
        let one = role.iter().any(|ending| name.ends_with(ending)) && text(value.kind());
        let several = roles.iter().any(|ending| name.ends_with(ending))
            && matches!(value.kind(), ValueKind::List(inner) if text(inner.kind()));
        if !(one || several) || value.enum_values().len() > 0 {
            return;
        }
        if NO_ROLES
            .iter()
            .any(|(of, place, _)| (*of, *place) == (resource_type, way))
        {
            return;
        }
        count += 1;
        let arn = |name: &str| {
            let arn = json!(format!("arn:aws:iam::123456789012:role/{name}"));
            if several { json!([arn]) } else { arn }
        };
        let dangers = dangers(resource_type, way, arn("one"), arn("another"));
        if !dangers.contains(&Grade::PermissionWidened) {
            silent.push(format!("{resource_type} {way}"));
        }
    });
    assert!(
        silent.is_empty(),
        "{} of {count}: {silent:#?}",
        silent.len()
    );
    assert!(count > 250, "{count} roles");
}

#[test]
fn protection_from_deletion_is_told_wherever_the_registry_has_it() {
    let mut count = 0;
    let mut silent = Vec::new();
    properties(&mut |resource_type, way, property| {
        let named = [
            "DeletionProtection",
            "DeletionProtectionEnabled",
            "EnableTerminationProtection",
        ];
        if way.contains('/') || !named.contains(&property.name()) {
            return;
        }
        let words: Vec<&str> = property.value().enum_values().collect();
        let (on, off) = match property.value().kind() {
            ValueKind::Boolean => (json!(true), json!(false)),
            ValueKind::Shape(_) => return,
            _ => match words
                .iter()
                .find(|word| matches!(**word, "ACTIVE" | "ENABLED"))
            {
                Some(on) => (json!(on), json!(words.iter().find(|word| *word != on))),
                None => (json!("ACTIVE"), json!("INACTIVE")),
            },
        };
        count += 1;
        if !dangers(resource_type, way, on, off).contains(&Grade::PermissionWidened) {
            silent.push(format!("{resource_type} {way}"));
        }
    });
    assert!(
        silent.is_empty(),
        "{} of {count}: {silent:#?}",
        silent.len()
    );
    assert!(count > 10, "{count} protections");
}

/// Times to keep whose change is not seen: in a list without order one element goes, and another one comes.
const NOT_SEEN: &[(&str, &str)] = &[
    (
        "AWS::DRS::ReplicationConfigurationTemplate",
        "PitPolicy/0/RetentionDuration",
    ),
    (
        "AWS::RedshiftServerless::Namespace",
        "SnapshotCopyConfigurations/0/SnapshotRetentionPeriod",
    ),
];

/// Times to keep of which the default is shorter than all that is tried here.
const KEEP_LESS: &[(&str, &str)] = &[
    (
        "AWS::ElastiCache::ReplicationGroup",
        "SnapshotRetentionLimit",
    ),
    ("AWS::KinesisVideo::Stream", "DataRetentionInHours"),
    ("AWS::Neptune::DBCluster", "BackupRetentionPeriod"),
    ("AWS::RDS::DBCluster", "BackupRetentionPeriod"),
    ("AWS::RDS::DBInstance", "BackupRetentionPeriod"),
];

#[test]
fn a_shorter_time_to_keep_is_told_wherever_the_registry_has_one() {
    let mut count = 0;
    let mut silent = Vec::new();
    properties(&mut |resource_type, way, property| {
        let value = property.value();
        let number = matches!(value.kind(), ValueKind::Integer | ValueKind::Number);
        let replaces = property.update() == UpdateBehaviour::Replacement;
        if !number || replaces || !property.name().contains("Retention") {
            return;
        }
        if NOT_SEEN.contains(&(resource_type, way)) {
            return;
        }
        count += 1;
        let mut words: Vec<u32> = value
            .enum_values()
            .filter_map(|word| word.parse().ok())
            .collect();
        words.sort_unstable();
        let long = words.last().copied().unwrap_or(30);
        let short = words.first().copied().unwrap_or(2);
        let hidden = || with(way, json!({"Ref": "Hidden"}));
        let keeps_less = KEEP_LESS.contains(&(resource_type, way));
        let nothing = (!keeps_less).then(|| without(way));
        let [long, short] = [long, short].map(|time| with(way, json!(time)));
        for (before, after) in [
            (Some(long.clone()), short.clone()),
            (Some(long), hidden()),
            (Some(hidden()), short.clone()),
            (nothing, short),
        ] {
            let Some(before) = before else { continue };
            if !dangers_of(resource_type, &before, &after).contains(&Grade::DataLoss) {
                silent.push(format!("{resource_type} {way}: {before} to {after}"));
            }
        }
    });
    assert!(
        silent.is_empty(),
        "{} of {count}: {silent:#?}",
        silent.len()
    );
    assert!(count > 30, "{count} times");
}

#[test]
fn what_is_in_a_stack_in_a_stack_is_not_known() {
    let [one, another] = ["https://a", "https://b"].map(|url| json!(url));
    let found = dangers("AWS::CloudFormation::Stack", "TemplateURL", one, another);
    let all = [
        Grade::PermissionWidened,
        Grade::ExposureWidened,
        Grade::DataLoss,
    ];
    assert_eq!(found, all);
    let [one, another] = ["a", "b"].map(|value| json!(value));
    let found = dangers(
        "AWS::CloudFormation::Stack",
        "Parameters/Size",
        one,
        another,
    );
    assert_eq!(found, all);
}
