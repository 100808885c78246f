//! What a rename takes along: the resources that the model makes for what is renamed.
//!
//! A declaration is a wish, and refused where it cannot be had. What goes along with one has no declaration of its own: where
//! it was not deployed it is new, and where CloudFormation cannot rename it another one is made, if that is possible.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stack_model::assembly::{Along, StackManifest};

use super::fixed::{Ground, Way};
use super::refused;
use crate::engine::plan::compare::type_of;
use crate::engine::plan::{Action, Grade, StackPlan};

/// The policy of a secret, of which there is one: the removal of an earlier one would take away what another one wrote, so that
/// none is made in its place
/// (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteResourcePolicy.html>).
const SECRET_POLICY: &str = "AWS::SecretsManager::ResourcePolicy";

/// The renames of a stack with what goes along.
pub(in crate::engine) struct Whole {
    /// The stack, which declares all of them.
    pub(in crate::engine) manifest: StackManifest,
    /// What goes along, by the logical id that it had.
    pub(in crate::engine) taken: BTreeMap<String, Along>,
    /// What would go along and cannot be renamed, so that another one is made in its place.
    pub(in crate::engine) left: BTreeMap<String, Along>,
}

/// Adds to the renames of a stack what goes along. `unimported` are types that CloudFormation does not import, as far as it was
/// asked.
pub(in crate::engine) fn whole(
    manifest: &StackManifest,
    deployed: &Value,
    wanted: Option<&Value>,
    ground: Ground,
    unimported: &BTreeSet<&str>,
) -> Whole {
    let mut whole = Whole {
        manifest: manifest.clone(),
        taken: BTreeMap::new(),
        left: BTreeMap::new(),
    };
    for (from, along) in std::mem::take(&mut whole.manifest.along) {
        let kind = type_of(&deployed["Resources"][from.as_str()]);
        if !kind.is_empty() {
            if refused(&from, &along.to, deployed, wanted).is_some() {
                continue;
            }
            let is_possible = match Way::of(&from, kind, ground) {
                Ok(Way::Refactor) => true,
                Ok(Way::Import) => !unimported.contains(kind) || kind == SECRET_POLICY,
                Err(_) => false,
            };
            if !is_possible {
                whole.left.insert(from, along);
                continue;
            }
        }
        let declared = whole.manifest.moved.entry(from.clone());
        declared.or_insert_with(|| along.to.clone());
        whole.taken.insert(from, along);
    }
    whole
}

/// Returns those of what goes along that are deployed and would be imported.
pub(in crate::engine) fn along_by_import(
    manifest: &StackManifest,
    deployed: &Value,
    ground: Ground,
) -> BTreeMap<String, String> {
    let along = manifest.along.iter();
    let along = along.map(|(from, it)| (from.clone(), it.to.clone()));
    super::by_import(&along.collect(), deployed, ground)
}

/// Says in a plan what becomes of what cannot go along.
pub(in crate::engine) fn leave(plan: &mut StackPlan, left: &BTreeMap<String, Along>) {
    for (from, along) in left {
        let made = plan.changes.iter_mut().find(|change| {
            change.logical_id == along.to && matches!(change.action, Action::Create)
        });
        let Some(made) = made else {
            continue;
        };
        made.cite(super::PAGE);
        let what = format!(
            "it was {from}, and CloudFormation neither renames nor imports {} here",
            made.resource_type
        );
        if made.grade == Grade::Impossible {
            let told = format!("{what}: keep the old logical id of {}", along.with);
            made.reasons.insert(0, told);
        } else {
            made.reasons.push(format!(
                "{what}: another one is made, and that one goes after it"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::plan::{App, Registry, ResourceChange, Side};

    fn manifest() -> StackManifest {
        serde_json::from_value(json!({
            "name": "orders-prod", "id": "orders", "template": "orders.json", "sha256": "",
            "moved": {"Receipts": "Slips"},
            "along": {
                "ReceiptsPolicy": {"to": "SlipsPolicy", "with": "Slips"},
                "SorterReceiptsPermission": {"to": "SorterSlipsPermission", "with": "Slips"},
            },
        }))
        .expect("reads")
    }

    fn template(bucket: &str) -> Value {
        json!({"Resources": {
            bucket: {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"},
            format!("{bucket}Policy"): {"Type": "AWS::S3::BucketPolicy", "Properties": {
                "Bucket": {"Ref": bucket}, "PolicyDocument": {"Statement": []},
            }},
            format!("Sorter{bucket}Permission"): {"Type": "AWS::Lambda::Permission", "Properties": {
                "Action": "lambda:InvokeFunction", "FunctionName": "sorter", "Principal": "s3.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": [bucket, "Arn"]},
            }},
        }})
    }

    fn changes(manifest: &StackManifest, old: &Value, new: &Value) -> StackPlan {
        let side = |template| Side {
            template: Some(template),
            ..Side::default()
        };
        App::default().compare(
            manifest,
            &BTreeMap::new(),
            &side(old),
            &side(new),
            &Registry,
        )
    }

    fn names(changes: &[ResourceChange]) -> Vec<(&str, Option<&str>, Grade)> {
        let of = |change: &ResourceChange| (change.moved_from.clone(), change.grade);
        let changes = changes.iter().map(|change| (change, of(change)));
        changes
            .map(|(change, (_, grade))| {
                (
                    change.logical_id.as_str(),
                    change.moved_from.as_deref(),
                    grade,
                )
            })
            .collect()
    }

    #[test]
    fn a_bucket_takes_along_what_is_made_for_it() {
        let plan = changes(&manifest(), &template("Receipts"), &template("Slips"));
        let expected = [
            ("Slips", Some("Receipts"), Grade::None),
            ("SlipsPolicy", Some("ReceiptsPolicy"), Grade::None),
            (
                "SorterSlipsPermission",
                Some("SorterReceiptsPermission"),
                Grade::None,
            ),
        ];
        assert_eq!(names(&plan.changes), expected);
    }

    #[test]
    fn what_the_old_template_did_not_have_is_new() {
        let mut old = template("Receipts");
        let resources = old["Resources"].as_object_mut().expect("is a map");
        resources.remove("ReceiptsPolicy");
        // Another one of that name is none of it.
        resources.insert(
            "SorterReceiptsPermission".to_owned(),
            json!({"Type": "AWS::SNS::Topic"}),
        );
        let plan = changes(&manifest(), &old, &template("Slips"));
        let expected = [
            ("Slips", Some("Receipts"), Grade::None),
            ("SlipsPolicy", None, Grade::None),
            ("SorterReceiptsPermission", None, Grade::Interruption),
            ("SorterSlipsPermission", None, Grade::None),
        ];
        assert_eq!(names(&plan.changes), expected);
    }

    #[test]
    fn what_has_no_way_is_made_anew_where_that_is_possible() {
        let (old, new) = (template("Receipts"), template("Slips"));
        let none = BTreeSet::new();
        let whole = whole(&manifest(), &old, Some(&new), Ground::Guarded, &none);
        assert_eq!(
            whole.taken.keys().collect::<Vec<_>>(),
            ["ReceiptsPolicy"],
            "a bucket identifies its policy"
        );
        assert_eq!(
            whole.left.keys().collect::<Vec<_>>(),
            ["SorterReceiptsPermission"]
        );
        let mut plan = changes(&whole.manifest, &old, &new);
        leave(&mut plan, &whole.left);
        let made = plan
            .changes
            .iter()
            .find(|it| it.logical_id == "SorterSlipsPermission");
        let made = made.expect("is planned");
        assert_eq!((made.action, made.grade), (Action::Create, Grade::None));
        assert_eq!(
            made.reasons.last().map(String::as_str),
            Some(
                "it was SorterReceiptsPermission, and CloudFormation neither renames nor imports AWS::Lambda::Permission here: \
                 another one is made, and that one goes after it"
            )
        );
    }

    /// A second one is refused while the first is there. The policy of a queue is made again on the way.
    #[test]
    fn what_can_neither_be_renamed_nor_made_anew_is_told() {
        let (old, new) = (template("Receipts"), template("Slips"));
        let unimported = BTreeSet::from(["AWS::S3::BucketPolicy"]);
        let of = |old: &Value, new: &Value| {
            whole(&manifest(), old, Some(new), Ground::Guarded, &unimported)
        };
        let whole = of(&old, &new);
        assert!(whole.left.contains_key("ReceiptsPolicy"));
        let mut plan = changes(&whole.manifest, &old, &new);
        leave(&mut plan, &whole.left);
        let made = plan
            .changes
            .iter()
            .find(|it| it.logical_id == "SlipsPolicy");
        let made = made.expect("is planned");
        assert_eq!(made.grade, Grade::Impossible, "{made:#?}");
        assert_eq!(
            made.reasons.first().map(String::as_str),
            Some(
                "it was ReceiptsPolicy, and CloudFormation neither renames nor imports AWS::S3::BucketPolicy here: keep the \
                 old logical id of Slips"
            )
        );
        let queue = |id: &str| {
            let mut template = template(id);
            template["Resources"][format!("{id}Policy")] = json!({
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {"Queues": [{"Ref": id}], "PolicyDocument": {"Statement": []}},
            });
            template
        };
        let whole = of(&queue("Receipts"), &queue("Slips"));
        assert!(
            whole.taken.contains_key("ReceiptsPolicy"),
            "it is not let go"
        );
    }
}
