//! What a release calls the resources that are deployed under other names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stack_model::assembly::{Along, StackManifest};

use super::record::{StackRelease, StackReleases};
use crate::{
    aws::{AwsError, Fault},
    engine::{
        ResourceEvent, activity,
        inspect::{self, DeployedResource},
        plan::holds_data,
    },
};

/// A release with the names that its resources are deployed under.
#[derive(Clone, Debug)]
pub struct Turned {
    /// The release, which declares what it calls otherwise.
    pub release: StackRelease,
    /// What is deployed with data and not in the release, and what of the release it may be under another name: nobody knows.
    pub unknown: BTreeMap<String, BTreeSet<String>>,
}

impl StackReleases {
    /// Adds to a release what has other names in it than what is deployed: whoever goes back over a rename takes that back, too,
    /// and keeps the resource. The releases in between declare it; what none of them tells, the physical ids in the events
    /// of the stack do.
    ///
    /// Where what is deployed is no release, a deploy in between was not written down, and may have renamed more than they tell.
    pub async fn turned(
        &self,
        mut release: StackRelease,
        live: Option<u64>,
    ) -> Result<Turned, AwsError> {
        let until = live.or_else(|| self.newest().next());
        if let Some(until) = until.filter(|until| *until != release.release) {
            release = self.declared(release, until).await?;
        }
        let mut unknown = self.recall(&mut release).await?;
        if live.is_some() {
            unknown.clear();
        }
        Ok(Turned { release, unknown })
    }

    /// Adds what the releases up to another one declare.
    async fn declared(
        &self,
        mut release: StackRelease,
        live: u64,
    ) -> Result<StackRelease, AwsError> {
        let (first, last) = (live.min(release.release), live.max(release.release));
        let mut between = Vec::new();
        let mut went_along = BTreeSet::new();
        let mut numbers: Vec<u64> = self.newest().collect();
        numbers.retain(|number| *number > first && *number <= last);
        for number in numbers.into_iter().rev() {
            if let Some(release) = self.read(number).await? {
                let StackManifest {
                    mut moved, along, ..
                } = release.manifest;
                for (from, it) in along {
                    went_along.extend([from.clone(), it.to.clone()]);
                    moved.entry(from).or_insert(it.to);
                }
                between.push(moved);
            }
        }
        let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let template = parsed(&release.template);
        let found = if live > release.release {
            let renamed = followed(&template, &between);
            renamed.into_iter().map(|(then, now)| (now, then)).collect()
        } else {
            let live = self.read(live).await?;
            followed(
                &parsed(&live.map(|it| it.template).unwrap_or_default()),
                &between,
            )
        };
        for (deployed, wanted) in applicable(found, &template) {
            if went_along.contains(&deployed) {
                let with = wanted.clone();
                let along = release.manifest.along.entry(deployed);
                along.or_insert(Along { to: wanted, with });
            } else {
                release.manifest.moved.entry(deployed).or_insert(wanted);
            }
        }
        Ok(release)
    }

    /// Adds what the events of the stack tell of names. Returns of which data they tell nothing.
    async fn recall(
        &self,
        release: &mut StackRelease,
    ) -> Result<BTreeMap<String, BTreeSet<String>>, AwsError> {
        let none = BTreeMap::new();
        let (Some(clients), Some(deployed)) = (&self.clients, &self.deployed) else {
            return Ok(none);
        };
        let template = inspect::template(clients, &deployed.id).await?;
        // A template in YAML is none of ours.
        let template = template.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let wanted: Value = serde_json::from_str(&release.template).unwrap_or_default();
        let Some(parted) = template.map(|it| Parted::of(&it, &wanted, &release.manifest)) else {
            return Ok(none);
        };
        if !parted.may_lose_data() {
            return Ok(none);
        }
        let own = inspect::resources(clients, &deployed.id).await?;
        let events = match activity::events_of(clients, &deployed.id).await {
            Err(error) if matches!(error.fault(), Fault::Denied { .. }) => Vec::new(),
            events => events?,
        };
        let recalled = parted.recalled(&own, &events);
        for (deployed, wanted) in recalled.names {
            let kind = parted.leaving.get(&deployed);
            if kind.is_some_and(|kind| holds_data(kind)) {
                release.manifest.moved.insert(deployed, wanted);
            } else {
                // Nobody knows whether it was declared: where it cannot be renamed, another one is made.
                let with = wanted.clone();
                let along = Along { to: wanted, with };
                release.manifest.along.insert(deployed, along);
            }
        }
        Ok(recalled.unknown)
    }
}

/// The resources that only one of two templates has, and of which no rename is declared, with their types.
#[derive(Debug, Default)]
struct Parted {
    leaving: BTreeMap<String, String>,
    coming: BTreeMap<String, String>,
}

/// What events tell of them.
#[derive(Debug, Default, PartialEq)]
struct Recalled {
    /// What is one resource: its deployed name with the wanted one.
    names: BTreeMap<String, String>,
    unknown: BTreeMap<String, BTreeSet<String>>,
}

impl Parted {
    fn of(deployed: &Value, wanted: &Value, manifest: &StackManifest) -> Self {
        let along = manifest.along.iter().map(|(from, it)| (from, &it.to));
        let (from, to): (BTreeSet<&String>, BTreeSet<&String>) =
            manifest.moved.iter().chain(along).unzip();
        let only = |template: &Value, other: &Value, declared: &BTreeSet<&String>| {
            let resources = template["Resources"].as_object().into_iter().flatten();
            let parted = resources
                .filter(|(id, _)| other["Resources"].get(*id).is_none() && !declared.contains(id));
            parted
                .filter_map(|(id, body)| Some((id.clone(), body["Type"].as_str()?.to_owned())))
                .collect()
        };
        Self {
            leaving: only(deployed, wanted, &from),
            coming: only(wanted, deployed, &to),
        }
    }

    /// Returns whether something empty may be made of a type of which something leaves with its data.
    fn may_lose_data(&self) -> bool {
        let mut kinds = self.leaving.values();
        kinds.any(|kind| holds_data(kind) && self.coming.values().any(|it| it == kind))
    }

    /// Looks which of them are one resource: it keeps its physical id, and the events of the stack say under which names it had
    /// it. What was made under the name that it has is no other one, and neither is one that was deleted.
    fn recalled(&self, own: &[DeployedResource], events: &[ResourceEvent]) -> Recalled {
        let mut found = Recalled::default();
        for (id, kind) in &self.leaving {
            let mut own = own.iter();
            let own = own.find(|it| it.logical_id == *id && it.resource_type == *kind);
            let physical = own.map(|it| it.physical_id.as_str());
            let of_it = || {
                let events = events.iter().rev();
                events.filter(|it| {
                    physical.is_some()
                        && it.resource_type == *kind
                        && it.physical_id.as_deref() == physical
                })
            };
            let comes = |name: &String| self.coming.get(name) == Some(kind);
            if let Some(event) = of_it().find(|it| comes(&it.logical_id)) {
                found.names.insert(id.clone(), event.logical_id.clone());
            } else if holds_data(kind)
                && !of_it().any(|it| it.logical_id == *id && it.status == "CREATE_COMPLETE")
            {
                found.unknown.insert(id.clone(), BTreeSet::new());
            }
        }
        let is_deleted = |name: &String| {
            let last = events.iter().rev().find(|it| it.logical_id == *name);
            last.is_some_and(|it| it.status == "DELETE_COMPLETE")
        };
        for (id, kind) in &self.coming {
            if found.names.values().any(|name| name == id) || is_deleted(id) {
                continue;
            }
            for (unknown, names) in &mut found.unknown {
                if self.leaving.get(unknown) == Some(kind) {
                    names.insert(id.clone());
                }
            }
        }
        found.unknown.retain(|_, names| !names.is_empty());
        found
    }
}

/// Returns what became of the names in a template that the releases after it renamed, in their order. What a release declares
/// of names that were not deployed any more did nothing.
fn followed(template: &Value, after: &[BTreeMap<String, String>]) -> BTreeMap<String, String> {
    let resources = template["Resources"].as_object().into_iter().flatten();
    let mut names: BTreeMap<String, String> =
        resources.map(|(id, _)| (id.clone(), id.clone())).collect();
    for moved in after {
        for now in names.values_mut() {
            if let Some(to) = moved.get(now) {
                now.clone_from(to);
            }
        }
    }
    names.retain(|then, now| then != now);
    names
}

/// Leaves out renames to what a template does not have, or of what it has beside it.
fn applicable(mut moved: BTreeMap<String, String>, template: &Value) -> BTreeMap<String, String> {
    let has = |id: &str| template["Resources"].get(id).is_some();
    moved.retain(|deployed, wanted| has(wanted) && !has(deployed));
    moved
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::tests::event;

    fn moved(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
            .collect()
    }

    fn template(ids: &[&str]) -> Value {
        let resources: BTreeMap<&str, Value> = ids
            .iter()
            .map(|id| (*id, json!({"Type": "AWS::SQS::Queue"})))
            .collect();
        json!({"Resources": resources})
    }

    #[test]
    fn a_name_is_followed_from_release_to_release() {
        let after = [
            moved(&[("Inbox", "Orders"), ("Gone", "Other")]),
            moved(&[("Inbox", "Orders"), ("Orders", "Sales")]),
            moved(&[]),
        ];
        let first = template(&["Inbox", "Topic"]);
        assert_eq!(followed(&first, &after), moved(&[("Inbox", "Sales")]));
        let second = template(&["Orders", "Topic"]);
        assert_eq!(
            followed(&second, &after[1..]),
            moved(&[("Orders", "Sales")])
        );
        assert_eq!(followed(&second, &[]), moved(&[]));
    }

    #[test]
    fn what_has_the_physical_id_of_another_name_is_that_one() {
        let own = [DeployedResource {
            logical_id: "Sales".to_owned(),
            resource_type: "AWS::SQS::Queue".to_owned(),
            physical_id: "one".to_owned(),
        }];
        let manifest = crate::engine::tests::stack("a-dev", &[]).manifest;
        let parted = Parted::of(
            &template(&["Sales", "Topic"]),
            &template(&["Inbox", "Topic"]),
            &manifest,
        );
        assert!(parted.may_lose_data());
        let recalled = |events: &[ResourceEvent]| {
            let found = parted.recalled(&own, events);
            let unknown = found.unknown.into_iter();
            let unknown: Vec<_> = unknown
                .map(|(id, names)| (id, Vec::from_iter(names)))
                .collect();
            (found.names, unknown)
        };
        let made = event("Inbox", "one", "CREATE_COMPLETE");
        let imported = event("Sales", "one", "IMPORT_COMPLETE");
        let renamed = (moved(&[("Sales", "Inbox")]), vec![]);
        // CloudFormation need not say that it refactored.
        assert_eq!(recalled(std::slice::from_ref(&made)), renamed);
        assert_eq!(recalled(&[made, imported.clone()]), renamed);
        // Of what AWS keeps no events nobody knows.
        let unknown = vec![("Sales".to_owned(), vec!["Inbox".to_owned()])];
        for told in [
            &[][..],
            &[imported],
            &[event("Inbox", "other", "UPDATE_COMPLETE")],
        ] {
            assert_eq!(recalled(told), (moved(&[]), unknown.clone()), "{told:?}");
        }
        // It was made as what it is called, or the other one is gone: they are two.
        for told in [
            event("Sales", "one", "CREATE_COMPLETE"),
            event("Inbox", "other", "DELETE_COMPLETE"),
        ] {
            assert_eq!(recalled(&[told]), (moved(&[]), vec![]));
        }
    }

    #[test]
    fn what_is_declared_or_of_another_type_is_not_asked_for() {
        let mut manifest = crate::engine::tests::stack("a-dev", &[]).manifest;
        let (deployed, wanted) = (template(&["Sales"]), template(&["Inbox"]));
        manifest.moved = moved(&[("Sales", "Inbox")]);
        assert!(!Parted::of(&deployed, &wanted, &manifest).may_lose_data());
        manifest.moved.clear();
        let mut other = wanted.clone();
        other["Resources"]["Inbox"]["Type"] = "AWS::DynamoDB::Table".into();
        assert!(!Parted::of(&deployed, &other, &manifest).may_lose_data());
        assert!(Parted::of(&deployed, &wanted, &manifest).may_lose_data());
    }

    #[test]
    fn what_is_there_beside_the_other_is_not_renamed() {
        let back = || moved(&[("Sales", "Inbox")]);
        assert_eq!(applicable(back(), &template(&["Inbox"])), back());
        assert_eq!(
            applicable(back(), &template(&["Inbox", "Sales"])),
            moved(&[])
        );
        assert_eq!(applicable(back(), &template(&["Topic"])), moved(&[]));
    }
}
