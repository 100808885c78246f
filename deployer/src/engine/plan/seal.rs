//! What a plan that is kept has to find again before it is executed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Action, Basis, Grade, StackPlan};
use crate::engine::release::sorted;
use crate::text::hex;

/// How a name of a release begins: the time, up to this character.
const AFTER_TIME: char = '-';

/// The plan of a stack, to be recognised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// The name of the stack.
    pub stack: String,
    /// What it was made from; nothing for the stack that is made for artifacts.
    pub basis: Option<Basis>,
    /// What was to happen to the resources, by logical id.
    pub changes: BTreeMap<String, SealedChange>,
    /// Hashes of what changes besides resources, by path.
    pub other: BTreeMap<String, String>,
}

/// What was to happen to a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedChange {
    /// What happens.
    pub action: Action,
    /// How dangerous it is.
    pub grade: Grade,
    /// Whether it may be replaced, which only AWS knows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub perhaps: bool,
    /// A hash of the reasons and of the properties.
    pub hash: String,
}

impl Seal {
    /// Seals the plan of a stack.
    pub fn of(plan: &StackPlan) -> Self {
        let none = BTreeSet::new();
        let releases = plan.basis.as_ref().map_or(&none, |basis| &basis.releases);
        let changes = plan.changes.iter().map(|change| {
            let all = json!({
                "type": change.resource_type,
                "reasons": change.reasons,
                "properties": change.properties,
            });
            let sealed = SealedChange {
                action: change.action,
                grade: change.grade,
                perhaps: change.perhaps,
                hash: hash(&all, releases),
            };
            (change.logical_id.clone(), sealed)
        });
        let other = plan.other.iter().map(|change| {
            let sides = json!([change.before, change.after]);
            (change.path.to_string(), hash(&sides, releases))
        });
        Self {
            stack: plan.stack.clone(),
            changes: changes.collect(),
            other: other.collect(),
            basis: plan.basis.clone().map(|basis| Basis {
                releases: BTreeSet::new(),
                app: Arc::default(),
                before: None,
                after: None,
                ..basis
            }),
        }
    }

    /// Says what is otherwise now, each difference in words, what it comes from before what follows from it.
    pub fn moved(&self, now: &Self) -> Vec<String> {
        let mut told = Vec::new();
        match (&self.basis, &now.basis) {
            (Some(then), Some(now)) => basis(then, now, &mut told),
            (None, None) => {}
            _ => told.push("it is another stack".to_owned()),
        }
        pairs(&self.changes, &now.changes, |id, then, now| {
            let word = |change: &SealedChange| word(change.action);
            told.push(match (then, now) {
                (Some(then), Some(now)) if then.action != now.action => {
                    format!("{id} would be {} and not {}", word(now), word(then))
                }
                (Some(then), Some(now)) if then.perhaps != now.perhaps => {
                    let words = if now.perhaps {
                        "may be replaced, and could not be"
                    } else {
                        "cannot be replaced any more"
                    };
                    format!("{id} {words}")
                }
                (Some(then), Some(now)) if then.grade != now.grade => format!(
                    "{id} would be {} with the grade {} and not {}",
                    word(now),
                    name(now.grade),
                    name(then.grade)
                ),
                (Some(then), Some(_)) => format!("{id} would be {} otherwise", word(then)),
                (None, Some(now)) => format!("{id} would be {} too", word(now)),
                (Some(then), None) => format!("{id} would not be {} any more", word(then)),
                (None, None) => return,
            });
        });
        pairs(&self.other, &now.other, |path, then, now| {
            told.push(match (then, now) {
                (Some(_), Some(_)) => format!("{path} would change otherwise"),
                (None, _) => format!("{path} would change too"),
                (_, None) => format!("{path} would not change any more"),
            });
        });
        told
    }
}

/// Compares what two plans of a stack were made from.
fn basis(then: &Basis, now: &Basis, told: &mut Vec<String>) {
    if then.account != now.account {
        told.push(format!("account {} and not {}", now.account, then.account));
    }
    if then.region != now.region {
        told.push(format!("region {} and not {}", now.region, then.region));
    }
    match (&then.deployed, &now.deployed) {
        (None, Some(_)) => told.push("the stack is there now, and was not".to_owned()),
        (Some(_), None) => told.push("the stack is gone".to_owned()),
        (Some(then), Some(now)) if then.id != now.id => {
            told.push("the stack was removed and made anew".to_owned());
        }
        (Some(then), Some(now)) => {
            if then.changed != now.changed {
                let at = now.changed.as_deref().unwrap_or("an unknown time");
                told.push(format!("the stack was updated, at {at}"));
            }
            if then.status != now.status {
                told.push(format!(
                    "the stack is {} and was {}",
                    now.status, then.status
                ));
            }
            if then.termination_protection != now.termination_protection {
                let word = if now.termination_protection {
                    "on"
                } else {
                    "off"
                };
                told.push(format!("termination protection was turned {word}"));
            }
        }
        (None, None) => {}
    }
    if then.template != now.template {
        told.push("the template is another".to_owned());
    }
    if then.settings != now.settings {
        told.push("the stack declares something else besides its template".to_owned());
    }
    for (what, then, now) in [
        ("parameter", &then.parameters, &now.parameters),
        ("tag", &then.tags, &now.tags),
    ] {
        pairs(then, now, |name, then, now| {
            told.push(match (then, now) {
                (Some(then), Some(now)) => format!("{what} {name} is `{now}` and was `{then}`"),
                (None, Some(now)) => format!("{what} {name} is `{now}` and was not there"),
                _ => format!("{what} {name} is gone"),
            });
        });
    }
    for (what, then, now) in [
        ("the package of function", &then.artifacts, &now.artifacts),
        ("the folder of content", &then.contents, &now.contents),
    ] {
        pairs(then, now, |name, then, now| {
            told.push(match (then, now) {
                (Some(_), Some(_)) => format!("{what} {name} is another"),
                (None, _) => format!("{what} {name} is new"),
                (_, None) => format!("{what} {name} is gone"),
            });
        });
    }
}

/// Goes through what differs between two maps, by key.
fn pairs<V: PartialEq>(
    then: &BTreeMap<String, V>,
    now: &BTreeMap<String, V>,
    mut differs: impl FnMut(&str, Option<&V>, Option<&V>),
) {
    let keys: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    for key in keys {
        let (then, now) = (then.get(key), now.get(key));
        if then != now {
            differs(key, then, now);
        }
    }
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Replace => "replaced",
        Action::Delete => "deleted",
        Action::Import => "imported",
        Action::Retain => "retained outside of the stack",
    }
}

/// Returns a grade as it is written in documents.
fn name(grade: Grade) -> String {
    match json!(grade) {
        Value::String(name) => name,
        other => other.to_string(),
    }
}

/// Returns a hash that does not depend on the order of keys, nor on the time in names of releases.
pub(super) fn hash(value: &Value, releases: &BTreeSet<String>) -> String {
    let mut text = sorted(value).to_string();
    for name in releases {
        let fingerprint = name.split_once(AFTER_TIME).map_or("", |(_, rest)| rest);
        text = text.replace(name.as_str(), fingerprint);
    }
    hex(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::{Deployed, Path, PropertyChange, ResourceChange};

    type Move = fn(&mut Basis);

    fn basis() -> Basis {
        Basis {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            template: "t".to_owned(),
            parameters: [("Level".to_owned(), "info".to_owned())].into(),
            artifacts: [("work".to_owned(), "a".to_owned())].into(),
            contents: [("Pages".to_owned(), "c".to_owned())].into(),
            deployed: Some(Deployed {
                id: "arn/1".to_owned(),
                status: "CREATE_COMPLETE".to_owned(),
                changed: Some("2026-07-27T22:28:28Z".to_owned()),
                termination_protection: false,
            }),
            ..Basis::default()
        }
    }

    fn change(grade: Grade, release: &str) -> ResourceChange {
        ResourceChange {
            logical_id: "Work".to_owned(),
            resource_type: "AWS::Lambda::Function".to_owned(),
            action: Action::Update,
            grade,
            properties: vec![PropertyChange {
                path: Path::new("Properties").key("Release"),
                before: None,
                after: Some(release.into()),
            }],
            ..ResourceChange::default()
        }
    }

    fn seal(basis: Basis, changes: Vec<ResourceChange>) -> Seal {
        Seal::of(&StackPlan {
            stack: "orders-dev".to_owned(),
            basis: Some(basis),
            changes,
            ..StackPlan::default()
        })
    }

    #[test]
    fn whatever_moved_is_named() {
        let then = seal(basis(), Vec::new());
        let rows: [(Move, &str); 12] = [
            (|it| it.account.clear(), "account  and not 123456789012"),
            (
                |it| it.region = "eu-west-1".to_owned(),
                "region eu-west-1 and not us-east-1",
            ),
            (|it| it.template.clear(), "the template is another"),
            (
                |it| it.settings = "s".to_owned(),
                "the stack declares something else besides its template",
            ),
            (
                |it| it.parameters = [("Level".to_owned(), "debug".to_owned())].into(),
                "parameter Level is `debug` and was `info`",
            ),
            (
                |it| it.tags = [("team".to_owned(), "a".to_owned())].into(),
                "tag team is `a` and was not there",
            ),
            (
                |it| it.artifacts = [("work".to_owned(), "b".to_owned())].into(),
                "the package of function work is another",
            ),
            (
                |it| it.contents.clear(),
                "the folder of content Pages is gone",
            ),
            (|it| it.deployed = None, "the stack is gone"),
            (
                |it| it.deployed.as_mut().expect("is there").id = "arn/2".to_owned(),
                "the stack was removed and made anew",
            ),
            (
                |it| it.deployed.as_mut().expect("is there").changed = Some("2027".to_owned()),
                "the stack was updated, at 2027",
            ),
            (
                |it| it.deployed.as_mut().expect("is there").status = "UPDATE_FAILED".to_owned(),
                "the stack is UPDATE_FAILED and was CREATE_COMPLETE",
            ),
        ];
        assert_eq!(then.moved(&then), [] as [&str; 0]);
        for (change, expected) in rows {
            let mut now = basis();
            change(&mut now);
            assert_eq!(then.moved(&seal(now, Vec::new())), [expected]);
        }
    }

    #[test]
    fn another_consequence_is_named() {
        let then = seal(basis(), vec![change(Grade::UpdateInPlace, "r")]);
        let mut replaced = change(Grade::Replacement, "r");
        replaced.action = Action::Replace;
        let mut perhaps = change(Grade::Replacement, "r");
        perhaps.perhaps = true;
        for (now, expected) in [
            (vec![replaced], "Work would be replaced and not updated"),
            (vec![perhaps], "Work may be replaced, and could not be"),
            (
                vec![change(Grade::DataLoss, "r")],
                "Work would be updated with the grade data_loss and not update_in_place",
            ),
            (
                vec![change(Grade::UpdateInPlace, "other")],
                "Work would be updated otherwise",
            ),
            (Vec::new(), "Work would not be updated any more"),
        ] {
            assert_eq!(then.moved(&seal(basis(), now)), [expected]);
        }
    }

    #[test]
    fn the_time_in_the_name_of_a_release_does_not_count() {
        let release = |name: &str| {
            let named = Basis {
                releases: [name.to_owned()].into(),
                ..basis()
            };
            seal(named, vec![change(Grade::UpdateInPlace, name)])
        };
        let then = release("20260727T222828.000Z-0123456789abcdef");
        let later = release("20260728T010101.000Z-0123456789abcdef");
        assert_eq!(then, later);
        let other = release("20260728T010101.000Z-fedcba9876543210");
        assert_eq!(then.moved(&other), ["Work would be updated otherwise"]);
    }

    #[test]
    fn a_seal_is_read_as_it_was_written() {
        let mut perhaps = change(Grade::DataLoss, "r");
        perhaps.perhaps = true;
        let sealed = seal(basis(), vec![perhaps]);
        assert!(sealed.changes["Work"].perhaps);
        let text = serde_json::to_string(&sealed).expect("is JSON");
        let read: Seal = serde_json::from_str(&text).expect("is a seal");
        assert_eq!(read, sealed);
    }
}
