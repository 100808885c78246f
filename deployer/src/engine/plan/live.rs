//! What is live otherwise than it was deployed, beside what a plan does about it.
//!
//! CloudFormation compares templates and not what is there: what somebody changed by hand stays until an update of the same
//! property overwrites it
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html>).

use serde::Serialize;
use serde_json::Value;

use super::canonical::same;
use super::widen::is_unknown;
use super::{Action, Path, ResourceChange, StackPlan};
use crate::engine::{ResourceDrift, StackDrift};

/// What is live of a stack otherwise than it was deployed, as far as it could be detected.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Live {
    /// `IN_SYNC`, `DRIFTED`, `UNKNOWN`, or `NOT_CHECKED` where nothing of the stack could be compared.
    pub status: String,
    /// Why not everything was compared, where that is so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<String>,
    /// The resources that are not as they were deployed, by logical id.
    pub resources: Vec<LiveResource>,
}

/// A resource that is not as it was deployed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiveResource {
    /// The logical id.
    pub logical_id: String,
    /// The resource type.
    pub resource_type: String,
    /// `MODIFIED`, `DELETED`, or `UNKNOWN` where it could not be read.
    pub status: String,
    /// Why it could not be read, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the plan does with the resource; nothing, where it leaves it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// What differs.
    pub properties: Vec<LiveProperty>,
}

/// A property that is not as it was deployed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiveProperty {
    /// Where it is.
    pub path: Path,
    /// What was deployed; nothing, where the property was added.
    pub deployed: Option<Value>,
    /// What is there; nothing, where it was removed.
    pub live: Option<Value>,
    /// What becomes of what is there.
    pub fate: Fate,
    /// What the deploy sets, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// What a deploy makes of what somebody changed by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is overwritten.
    Overwritten,
    /// The resource is updated, and whether that sets this property too depends on its type.
    Uncertain,
    /// It stays.
    Left,
    /// It goes with the resource.
    Gone,
}

impl Live {
    /// Tells what a detection found beside a plan. `wanted` is the template that would be deployed, and `count` says how many
    /// resources are deployed.
    pub(in crate::engine) fn beside(
        plan: &StackPlan,
        drift: StackDrift,
        wanted: &Value,
        count: usize,
    ) -> Self {
        let mut incomplete: Vec<String> = drift.incomplete.into_iter().collect();
        let compared = drift.in_sync + drift.resources.len();
        if drift.status != "NOT_DEPLOYED" && compared < count {
            incomplete.push(format!(
                "{} of {count} resources are of types that CloudFormation does not compare",
                count - compared
            ));
        }
        let resources = drift.resources.into_iter();
        Self {
            status: drift.status,
            incomplete,
            resources: resources
                .map(|resource| {
                    let mut changes = plan.changes.iter();
                    let change = changes.find(|change| change.logical_id == resource.logical_id);
                    LiveResource::beside(resource, change, wanted)
                })
                .collect(),
        }
    }

    /// Says why nothing of a stack could be compared.
    pub(in crate::engine) fn unchecked(reason: String) -> Self {
        Self {
            status: "NOT_CHECKED".to_owned(),
            incomplete: vec![reason],
            resources: Vec::new(),
        }
    }

    /// Returns whether there is something to tell.
    pub fn is_told(&self) -> bool {
        !self.incomplete.is_empty() || !self.resources.is_empty()
    }

    /// Returns whether something is not as it was deployed.
    pub fn is_drifted(&self) -> bool {
        self.status == "DRIFTED"
    }
}

impl LiveResource {
    fn beside(drift: ResourceDrift, change: Option<&ResourceChange>, wanted: &Value) -> Self {
        let body = wanted
            .get("Resources")
            .and_then(|resources| resources.get(&drift.logical_id));
        let properties = drift.properties.into_iter().map(|property| {
            let path = path(&property.path);
            let touching = change.and_then(|change| {
                let mut properties = change.properties.iter();
                properties.find(|own| own.path.touches(&path))
            });
            let fate = match (change.map(|change| change.action), touching) {
                (None | Some(Action::Retain), _) => Fate::Left,
                (Some(Action::Delete | Action::Replace), _) => Fate::Gone,
                (Some(_), Some(_)) => Fate::Overwritten,
                (Some(_), None) => Fate::Uncertain,
            };
            let after = (fate == Fate::Overwritten)
                .then(|| body.and_then(|body| path.find(body)).cloned())
                .flatten();
            LiveProperty {
                path,
                deployed: property.expected,
                live: property.actual,
                fate,
                after,
            }
        });
        Self {
            logical_id: drift.logical_id,
            resource_type: drift.resource_type,
            status: drift.status,
            reason: drift.reason,
            action: change.map(|change| change.action),
            properties: properties.collect(),
        }
    }

    /// Returns whether the deploy overwrites something that somebody changed by hand.
    pub fn is_overwritten(&self) -> bool {
        let mut properties = self.properties.iter();
        properties.any(|property| property.fate == Fate::Overwritten && !property.stays())
    }

    /// Says what is there, and what becomes of it, line by line.
    pub fn lines(&self) -> Vec<String> {
        let what = match self.status.as_str() {
            "DELETED" => {
                let then = match self.action {
                    None | Some(Action::Retain) => "this deploy does not make it anew",
                    Some(Action::Delete) => "it leaves the stack",
                    Some(Action::Replace) => "another one takes its place",
                    Some(_) => "an update of what is not there is refused by most types",
                };
                Some(format!("somebody deleted it; {then}"))
            }
            "UNKNOWN" => {
                let reason = self.reason.as_deref().unwrap_or("nobody says why");
                Some(format!("what is there cannot be read: {reason}"))
            }
            _ => None,
        };
        let properties = self.properties.iter().map(LiveProperty::text);
        what.into_iter().chain(properties).collect()
    }
}

impl LiveProperty {
    /// Returns whether what is there is what the deploy sets.
    fn stays(&self) -> bool {
        self.live
            .as_ref()
            .zip(self.after.as_ref())
            .is_some_and(|(live, after)| same(live, after))
    }

    fn text(&self) -> String {
        let path = self.path.to_string();
        let path = path.strip_prefix("Properties.").unwrap_or(&path);
        let what = match (&self.deployed, &self.live) {
            (Some(deployed), Some(live)) => {
                format!("{path} is {live} and not {deployed} as deployed")
            }
            (None, Some(live)) => format!("{path} is {live} and was not deployed"),
            (Some(deployed), None) => format!("{path} is not there any more and was {deployed}"),
            (None, None) => format!("{path} is not as deployed"),
        };
        let then = match (self.fate, &self.after) {
            (Fate::Overwritten, _) if self.stays() => "this deploy sets the same".to_owned(),
            (Fate::Overwritten, Some(after)) if !is_unknown(after) => {
                format!("this deploy overwrites it with {after}")
            }
            (Fate::Overwritten, _) => "this deploy overwrites it".to_owned(),
            (Fate::Uncertain, _) => {
                "this deploy updates the resource and may set it back".to_owned()
            }
            (Fate::Left, _) => "this deploy leaves it so".to_owned(),
            (Fate::Gone, _) => "it goes with the resource".to_owned(),
        };
        format!("{what}; {then}")
    }
}

/// Reads a path as drift detection writes it, which is a JSON pointer below the properties.
fn path(pointer: &str) -> Path {
    let steps = pointer.split('/').filter(|step| !step.is_empty());
    steps.fold(Path::new("Properties"), |path, step| match step.parse() {
        Ok(position) => path.position(position),
        Err(_) => path.key(&step.replace("~1", "/").replace("~0", "~")),
    })
}

impl StackPlan {
    /// Returns what is live of a resource, where it is not as it was deployed.
    pub fn live_of(&self, logical_id: &str) -> Option<&LiveResource> {
        let mut resources = self.live.iter().flat_map(|live| &live.resources);
        resources.find(|resource| resource.logical_id == logical_id)
    }

    /// Returns what is live otherwise than deployed of the resources that the plan leaves alone.
    pub fn live_alone(&self) -> impl Iterator<Item = &LiveResource> {
        let resources = self.live.iter().flat_map(|live| &live.resources);
        resources.filter(|resource| resource.action.is_none())
    }

    /// Returns why not everything of the stack could be compared with what is live.
    pub fn live_incomplete(&self) -> impl Iterator<Item = String> {
        let incomplete = self.live.iter().flat_map(|live| &live.incomplete);
        incomplete.map(|reason| format!("not everything was compared with what is live: {reason}"))
    }

    /// Returns whether there is nothing to tell of what is live.
    pub fn is_live_as_deployed(&self) -> bool {
        !self.live.as_ref().is_some_and(Live::is_told)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::PropertyDrift;
    use crate::engine::plan::PropertyChange;

    fn drifted(id: &str, status: &str, properties: &[(&str, Value, Value)]) -> ResourceDrift {
        ResourceDrift {
            logical_id: id.to_owned(),
            resource_type: "AWS::SQS::Queue".to_owned(),
            physical_id: None,
            status: status.to_owned(),
            reason: None,
            properties: properties
                .iter()
                .map(|(path, expected, actual)| PropertyDrift {
                    path: (*path).to_owned(),
                    expected: Some(expected.clone()).filter(|value| !value.is_null()),
                    actual: Some(actual.clone()).filter(|value| !value.is_null()),
                })
                .collect(),
            source: None,
        }
    }

    #[test]
    fn each_change_by_hand_has_a_fate() {
        let change = |id: &str, action, name: &str| ResourceChange {
            logical_id: id.to_owned(),
            action,
            properties: vec![PropertyChange {
                path: Path::new("Properties").key(name),
                before: None,
                after: None,
            }],
            ..ResourceChange::default()
        };
        let plan = StackPlan {
            changes: vec![
                change("Changed", Action::Update, "DelaySeconds"),
                change("Anew", Action::Replace, "QueueName"),
            ],
            ..StackPlan::default()
        };
        let wanted = json!({"Resources": {"Changed": {"Properties": {"DelaySeconds": 10}}}});
        let delay = |live: &str| ("/DelaySeconds", json!("5"), json!(live));
        let drift = |resources| StackDrift {
            stack: "a-dev".to_owned(),
            status: "DRIFTED".to_owned(),
            incomplete: None,
            resources,
            in_sync: 1,
        };
        let live = Live::beside(
            &plan,
            drift(vec![
                drifted(
                    "Changed",
                    "MODIFIED",
                    &[delay("60"), ("/Tags/1", Value::Null, json!("by hand"))],
                ),
                drifted("Anew", "MODIFIED", &[delay("60")]),
                drifted(
                    "Alone",
                    "MODIFIED",
                    &[("/RedrivePolicy/maxReceiveCount", json!("3"), Value::Null)],
                ),
                drifted("Away", "DELETED", &[]),
            ]),
            &wanted,
            7,
        );
        let lines: Vec<String> = live
            .resources
            .iter()
            .flat_map(LiveResource::lines)
            .collect();
        assert_eq!(
            lines,
            [
                "DelaySeconds is \"60\" and not \"5\" as deployed; this deploy overwrites it with 10",
                "Tags[1] is \"by hand\" and was not deployed; this deploy updates the resource and may set it back",
                "DelaySeconds is \"60\" and not \"5\" as deployed; it goes with the resource",
                "RedrivePolicy.maxReceiveCount is not there any more and was \"3\"; this deploy leaves it so",
                "somebody deleted it; this deploy does not make it anew",
            ]
        );
        assert_eq!(
            live.incomplete,
            ["2 of 7 resources are of types that CloudFormation does not compare"]
        );
        assert!(live.resources[0].is_overwritten() && !live.resources[1].is_overwritten());
        // What somebody did by hand may be what is deployed now.
        let live = Live::beside(
            &plan,
            drift(vec![drifted("Changed", "MODIFIED", &[delay("10")])]),
            &wanted,
            2,
        );
        assert!(!live.resources[0].is_overwritten() && live.incomplete.is_empty());
        assert_eq!(
            live.resources[0].lines(),
            ["DelaySeconds is \"10\" and not \"5\" as deployed; this deploy sets the same"]
        );
    }
}
