//! What protects, and what is told once it does not.

use serde_json::{Value, json};

use super::super::Grade;
use super::{plan_of, registered, resources};

#[test]
fn a_protection_that_nobody_knows_and_that_stays_is_not_taken_away() {
    let template = |rule: &str, delay: u32| {
        resources(
            &json!({"Orders": {"Type": "AWS::S3::Bucket", "Properties": {
                "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": {"Ref": rule}},
                "Tags": [{"Key": "delay", "Value": delay.to_string()}],
            }}}),
        )
    };
    let grade = |old: &Value, new: &Value| plan_of(old, new).changes[0].grade;
    let old = template("Rule", 1);
    assert_eq!(grade(&old, &template("Rule", 2)), Grade::UpdateInPlace);
    assert_eq!(grade(&old, &template("Other", 2)), Grade::PermissionWidened);
}

/// Which element of a list lost its protection counts, and not how many have one.
#[test]
fn a_protection_that_moves_to_another_element_is_missed() {
    let pool = |providers: &[(&str, bool)]| {
        let providers: Vec<Value> = providers
            .iter()
            .map(|(client, checks)| json!({"ClientId": client, "ProviderName": "p", "ServerSideTokenCheck": checks}))
            .collect();
        (
            "AWS::Cognito::IdentityPool",
            json!({"CognitoIdentityProviders": providers}),
        )
    };
    let rule = |targets: &[(&str, bool)]| {
        let targets: Vec<Value> = targets
            .iter()
            .map(|(id, on)| json!({"Id": id, "Arn": "a", "EcsParameters": {"EnableExecuteCommand": on}}))
            .collect();
        ("AWS::Events::Rule", json!({"Targets": targets}))
    };
    // What has no key of its own is the same as long as nothing else of it differs.
    let project = |artifacts: &[(&str, bool)]| {
        let artifacts: Vec<Value> = artifacts
            .iter()
            .map(|(place, plain)| json!({"Location": place, "EncryptionDisabled": plain}))
            .collect();
        (
            "AWS::CodeBuild::Project",
            json!({"SecondaryArtifacts": artifacts}),
        )
    };
    let of = |old: (&str, Value), new: (&str, Value)| {
        let side = |(kind, properties)| {
            resources(&json!({"It": {"Type": kind, "Properties": properties}}))
        };
        let plan = registered(&side(old), &side(new));
        let change = plan.changes.into_iter().next();
        change.map_or_else(Vec::new, |change| {
            let mut reasons = change.reasons;
            reasons.retain(|reason| reason.contains(": "));
            assert_eq!(
                change.dangers.contains(&Grade::PermissionWidened),
                !reasons.is_empty()
            );
            reasons
        })
    };
    let check = |what: &str| {
        format!(
            "CognitoIdentityProviders.ServerSideTokenCheck of {what}: who was signed out everywhere, or deleted, still gets credentials"
        )
    };
    let command = |what: &str| {
        format!(
            "Targets.EcsParameters.EnableExecuteCommand of {what}: whoever may run a command in its containers does so"
        )
    };
    let plain = |what: &str| {
        format!(
            "SecondaryArtifacts.EncryptionDisabled of {what}: what builds leave there is not encrypted"
        )
    };
    let both = pool(&[("a", true), ("b", false)]);
    for (old, new, expected) in [
        (
            both.clone(),
            pool(&[("a", false), ("b", true)]),
            vec![check("a of p is taken away")],
        ),
        (
            both.clone(),
            pool(&[("a", true), ("b", false), ("c", false)]),
            vec![check("c of p, which is new, is no protection")],
        ),
        (
            both.clone(),
            pool(&[("b", false), ("c", false)]),
            vec![check("c of p, which is new, is no protection")],
        ),
        // Another order, another name of what nothing protected, and one less.
        (both.clone(), pool(&[("b", false), ("a", true)]), vec![]),
        (both.clone(), pool(&[("a", true), ("c", false)]), vec![]),
        (both, pool(&[("b", false)]), vec![]),
        (
            rule(&[("a", false)]),
            rule(&[("a", true)]),
            vec![command("a is switched on")],
        ),
        (
            rule(&[("a", false)]),
            rule(&[("a", false), ("b", true)]),
            vec![command("b, which is new, is switched on")],
        ),
        (rule(&[("a", true)]), rule(&[("a", false)]), vec![]),
        (
            project(&[("a", false), ("b", true)]),
            project(&[("a", true), ("b", false)]),
            vec![plain("one of them is switched on")],
        ),
        (
            project(&[("a", false), ("b", true)]),
            project(&[("b", true), ("a", false)]),
            vec![],
        ),
        // The one that stays as it is takes the place of none before it.
        (
            project(&[("a", false)]),
            project(&[("a", true), ("a", false)]),
            vec![plain("one of them, which is new, is switched on")],
        ),
    ] {
        assert_eq!(of(old.clone(), new.clone()), expected, "{old:?} {new:?}");
    }
}
