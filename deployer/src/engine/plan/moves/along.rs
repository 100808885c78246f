//! What a rename takes along: the resources that the model makes for what is renamed.
//!
//! A declaration is a wish, and refused where it cannot be had. What goes along with one has no declaration of its own: where
//! it was not deployed it is new, and where CloudFormation cannot rename it another one is made, if that is possible.
//! [`whole`] decides that: nobody else asks what becomes of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stack_model::assembly::{Along, StackManifest};

use super::fixed::{Ground, Way, stands_beside};
use super::{by_import, hindrances, pending, refused, texts};
use crate::engine::plan::compare::type_of;
use crate::engine::plan::{Action, Grade, StackPlan};
use crate::engine::stack::importable::Drifted;

/// The policy of a secret, of which there is one: the removal of an earlier one would take away what another one wrote, so that
/// none is made in its place
/// (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteResourcePolicy.html>).
pub(in crate::engine) const SECRET_POLICY: &str = "AWS::SecretsManager::ResourcePolicy";

/// The renames of a stack with what goes along.
pub(in crate::engine) struct Whole {
    /// The stack, which declares all of them.
    pub(in crate::engine) manifest: StackManifest,
    /// What goes along, by the logical id that it had.
    pub(in crate::engine) taken: BTreeMap<String, Along>,
    /// What would go along and cannot be renamed, so that another one is made in its place.
    pub(in crate::engine) left: BTreeMap<String, Left>,
    /// What goes along and was deleted past CloudFormation, so that it is made again on the way.
    pub(in crate::engine) anew: BTreeSet<String>,
    /// What else was changed past CloudFormation about what goes along.
    pub(in crate::engine) drifted: BTreeMap<String, Drifted>,
}

/// What would go along and is left.
pub(in crate::engine) struct Left {
    along: Along,
    /// Why it does not go along; nothing, where its type has no way.
    reason: Option<String>,
}

/// What AWS told of what would go along.
pub(in crate::engine) struct Told<'a> {
    pub(in crate::engine) ground: Ground,
    /// Types that CloudFormation does not import, as far as it was asked.
    pub(in crate::engine) unimported: BTreeSet<&'a str>,
    /// What of it was changed past CloudFormation, as far as it was asked.
    pub(in crate::engine) drifted: BTreeMap<String, Drifted>,
}

impl Told<'_> {
    /// Returns what is known where nobody is asked.
    pub(in crate::engine) fn nothing() -> Self {
        Self {
            ground: Ground::Free,
            unimported: BTreeSet::new(),
            drifted: BTreeMap::new(),
        }
    }
}

/// Adds to the renames of a stack what goes along.
pub(in crate::engine) fn whole(
    manifest: &StackManifest,
    deployed: &Value,
    wanted: Option<&Value>,
    told: Told<'_>,
) -> Whole {
    let Told {
        ground,
        unimported,
        drifted,
    } = told;
    let mut whole = Whole {
        manifest: manifest.clone(),
        taken: BTreeMap::new(),
        left: BTreeMap::new(),
        anew: BTreeSet::new(),
        drifted,
    };
    let along = std::mem::take(&mut whole.manifest.along);
    let mut hindering = hindering(manifest, &along, deployed, ground);
    for (from, along) in along {
        let kind = type_of(&deployed["Resources"][from.as_str()]);
        if !kind.is_empty() {
            if refused(&from, &along.to, deployed, wanted).is_some() {
                continue;
            }
            let way = Way::of(&from, kind, ground);
            let is_imported = way == Ok(Way::Import);
            let is_possible = match way {
                Ok(Way::Refactor) => true,
                Ok(Way::Import) => !unimported.contains(kind) || kind == SECRET_POLICY,
                Err(_) => false,
            };
            let is_gone = whole.drifted.get(&from) == Some(&Drifted::Gone);
            let reason = hindering.remove(&from);
            if is_imported && is_gone && reason.is_none() && !tells(deployed, &from) {
                whole.drifted.remove(&from);
                whole.anew.insert(from.clone());
            } else if !is_possible || reason.is_some() {
                whole.drifted.remove(&from);
                whole.left.insert(from, Left { along, reason });
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
    imported_of(&manifest.along, deployed, ground)
}

fn imported_of(
    along: &BTreeMap<String, Along>,
    deployed: &Value,
    ground: Ground,
) -> BTreeMap<String, String> {
    let along = along.iter();
    let along = along.map(|(from, it)| (from.clone(), it.to.clone()));
    by_import(&along.collect(), deployed, ground)
}

/// Returns what goes along and alone keeps the rename by import from its end, with the reason: what can be left, as another
/// one stands beside it until it goes.
fn hindering(
    manifest: &StackManifest,
    along: &BTreeMap<String, Along>,
    deployed: &Value,
    ground: Ground,
) -> BTreeMap<String, String> {
    let mut taken = by_import(&pending(&manifest.moved, deployed), deployed, ground);
    let imported = imported_of(along, deployed, ground);
    if imported.is_empty() {
        return BTreeMap::new();
    }
    let of_all: BTreeMap<String, String> =
        taken.clone().into_iter().chain(imported.clone()).collect();
    if hindrances(deployed, &of_all).reasons.is_empty() {
        return BTreeMap::new();
    }
    let kind = |from: &str| type_of(&deployed["Resources"][from]);
    let (beside, bound): (BTreeMap<_, _>, BTreeMap<_, _>) = imported
        .into_iter()
        .partition(|(from, _)| stands_beside(kind(from)));
    taken.extend(bound);
    let mut found = BTreeMap::new();
    let mut without = hindrances(deployed, &taken).reasons;
    for (from, to) in beside {
        taken.insert(from.clone(), to);
        let with = hindrances(deployed, &taken).reasons;
        let mut reasons = with.values();
        let reason = reasons.find(|it| !without.values().any(|known| known == *it));
        match reason.cloned() {
            Some(reason) => {
                taken.remove(&from);
                found.insert(from, reason);
            }
            None => without = with,
        }
    }
    found
}

/// Returns whether an attribute is taken of a resource, which CloudFormation asks its service for.
fn tells(deployed: &Value, of: &str) -> bool {
    let mut is_taken = false;
    for section in ["Resources", "Outputs"] {
        texts::resolved(&deployed[section], &mut |id, attribute| {
            is_taken |= id == of && attribute.is_some();
            None
        });
    }
    is_taken
}

/// Says in a plan what is made again on the way.
pub(in crate::engine) fn remake(
    plan: &mut StackPlan,
    imported: &BTreeMap<String, String>,
    anew: &BTreeSet<String>,
    ground: Ground,
) {
    for from in anew {
        let to = imported.get(from);
        let changes = plan.changes.iter_mut();
        for change in changes.filter(|change| Some(&change.logical_id) == to) {
            let (_, imported, _) = super::said(from, &change.resource_type, ground);
            change.reasons.retain(|told| *told != imported);
            let told = format!(
                "it was {from}, which was deleted past CloudFormation, so that it does not go along: it is made again under its new \
                 name, in an update of its own"
            );
            change.add(Grade::UpdateInPlace, told, super::IMPORT_PAGE);
        }
    }
}

/// Says in a plan what becomes of what cannot go along.
pub(in crate::engine) fn leave(plan: &mut StackPlan, left: &BTreeMap<String, Left>) {
    for (from, Left { along, reason }) in left {
        let made = plan.changes.iter_mut().find(|change| {
            change.logical_id == along.to && matches!(change.action, Action::Create)
        });
        let Some(made) = made else {
            continue;
        };
        made.cite(super::PAGE);
        let what = match reason {
            Some(reason) => format!("it was {from}, and does not go along: {reason}"),
            None => format!(
                "it was {from}, and CloudFormation neither renames nor imports {} here",
                made.resource_type
            ),
        };
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

    fn guarded<'a>(unimported: &[&'a str]) -> Told<'a> {
        Told {
            ground: Ground::Guarded,
            unimported: unimported.iter().copied().collect(),
            ..Told::nothing()
        }
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
        let whole = whole(&manifest(), &old, Some(&new), guarded(&[]));
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

    /// A second one is refused while the first is there. The policy of a queue is made again on the way, and that of a secret
    /// would be taken away with the first one.
    #[test]
    fn what_can_neither_be_renamed_nor_made_anew_is_told() {
        let (old, new) = (template("Receipts"), template("Slips"));
        let of = |old: &Value, new: &Value| {
            whole(
                &manifest(),
                old,
                Some(new),
                guarded(&["AWS::S3::BucketPolicy", SECRET_POLICY]),
            )
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
        for kind in ["AWS::SQS::QueuePolicy", SECRET_POLICY] {
            let policy = |id: &str| {
                let mut template = template(id);
                template["Resources"][format!("{id}Policy")] = json!({
                    "Type": kind,
                    "Properties": {"Queues": [{"Ref": id}], "PolicyDocument": {"Statement": []}},
                });
                template
            };
            let whole = of(&policy("Receipts"), &policy("Slips"));
            assert!(whole.taken.contains_key("ReceiptsPolicy"), "{kind}");
        }
    }
}
