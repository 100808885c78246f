//! What a release calls the resources that are deployed under other names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stack_model::assembly::{Along, StackManifest};

use super::record::{StackRelease, StackReleases};
use crate::aws::AwsError;

impl StackReleases {
    /// Adds to a release what has other names in it than in the live one, as the releases in between declared it: whoever goes
    /// back over a rename takes that back, too, and keeps the resource.
    pub async fn turned(
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
