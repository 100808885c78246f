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
    /// Whether nobody knows of something that CloudFormation compares whether it was changed.
    #[serde(skip)]
    pub uncertain: bool,
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
    /// resources are deployed, where that is known.
    pub(in crate::engine) fn beside(
        plan: &StackPlan,
        drift: StackDrift,
        wanted: &Value,
        count: Option<usize>,
    ) -> Self {
        let uncertain = drift.is_uncertain();
        let mut incomplete: Vec<String> = drift.incomplete.into_iter().collect();
        let compared = drift.in_sync + drift.resources.len();
        if drift.status != "NOT_DEPLOYED"
            && let Some(count) = count.filter(|count| compared < *count)
        {
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
                    let before = plan.before.as_ref();
                    let body = before.and_then(|it| it.get("Resources")?.get(&resource.logical_id));
                    LiveResource::beside(resource, change, (body, wanted))
                })
                .collect(),
            uncertain,
        }
    }

    /// Says why nothing of a stack could be compared.
    pub(in crate::engine) fn unchecked(reason: String) -> Self {
        Self {
            status: "NOT_CHECKED".to_owned(),
            incomplete: vec![reason],
            resources: Vec::new(),
            uncertain: true,
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
    fn beside(
        drift: ResourceDrift,
        change: Option<&ResourceChange>,
        (deployed, wanted): (Option<&Value>, &Value),
    ) -> Self {
        // What is replaced may stay beside the new one.
        let policy = deployed.and_then(|body| body.get("UpdateReplacePolicy")?.as_str());
        let stays = policy.is_some_and(|policy| policy.starts_with("Retain"));
        let body = wanted
            .get("Resources")
            .and_then(|resources| resources.get(&drift.logical_id));
        let properties = drift.properties.into_iter().map(|property| {
            let path = Path::of_pointer(&property.path);
            let touching = change.and_then(|change| {
                let mut properties = change.properties.iter();
                properties.find(|own| own.path.touches(&path))
            });
            let fate = match (change.map(|change| change.action), touching) {
                (None | Some(Action::Retain), _) => Fate::Left,
                (Some(Action::Replace), _) if stays => Fate::Left,
                (Some(Action::Delete | Action::Replace), _) => Fate::Gone,
                (Some(Action::Update), Some(_)) => Fate::Overwritten,
                (Some(Action::Create | Action::Import | Action::Update), _) => Fate::Uncertain,
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

    /// Says what is there, and what becomes of it, line by line. A value that is longer than `width` is shown around where it
    /// begins to differ.
    pub fn lines(&self, width: usize) -> Vec<String> {
        let what = match self.status.as_str() {
            "DELETED" => {
                let then = match self.action {
                    None | Some(Action::Retain) => "this deploy does not make it anew",
                    Some(Action::Delete) => "it leaves the stack",
                    Some(Action::Replace) => "another one takes its place",
                    Some(Action::Update) => {
                        "an update of what is not there is refused by most types"
                    }
                    Some(Action::Create) => "this deploy makes it anew",
                    Some(Action::Import) => "what is not there cannot be imported",
                };
                Some(format!("somebody deleted it; {then}"))
            }
            "UNKNOWN" => {
                let reason = self.reason.as_deref().unwrap_or("nobody says why");
                Some(format!("what is there cannot be read: {reason}"))
            }
            _ => None,
        };
        let properties = self.properties.iter().map(|property| property.text(width));
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

    fn text(&self, width: usize) -> String {
        let show = |value: &Value, other: Option<&Value>| excerpt(value, other, width);
        let path = self.path.to_string();
        let path = path.strip_prefix("Properties.").unwrap_or(&path);
        let what = match (&self.deployed, &self.live) {
            (Some(deployed), Some(live)) => format!(
                "{path} is {} and not {} as deployed",
                show(live, Some(deployed)),
                show(deployed, Some(live))
            ),
            (None, Some(live)) => format!("{path} is {} and was not deployed", show(live, None)),
            (Some(deployed), None) => {
                format!(
                    "{path} is not there any more and was {}",
                    show(deployed, None)
                )
            }
            (None, None) => format!("{path} is not as deployed"),
        };
        let then = match (self.fate, &self.after) {
            (Fate::Overwritten, _) if self.stays() => "this deploy sets the same".to_owned(),
            (Fate::Overwritten, Some(after)) if !is_unknown(after) => {
                let after = show(after, self.live.as_ref());
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

/// Writes a value, or where it is longer what of it is around its first difference from another one.
fn excerpt(value: &Value, other: Option<&Value>, width: usize) -> String {
    let text = value.to_string();
    let length = text.chars().count();
    if length <= width {
        return text;
    }
    let same = other.map_or(0, |other| {
        let other = other.to_string();
        let pairs = text.chars().zip(other.chars());
        pairs.take_while(|(one, other)| one == other).count()
    });
    let start = if same < width / 2 {
        0
    } else {
        same - width / 4
    };
    let before = if start > 0 { "…" } else { "" };
    let after = if start + width < length { "…" } else { "" };
    let shown: String = text.chars().skip(start).take(width).collect();
    format!("{before}{shown}{after}")
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
            sides: None,
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
            Some(7),
        );
        let lines: Vec<String> = live
            .resources
            .iter()
            .flat_map(|resource| resource.lines(usize::MAX))
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
            Some(2),
        );
        assert!(!live.resources[0].is_overwritten() && live.incomplete.is_empty());
        assert_eq!(
            live.resources[0].lines(usize::MAX),
            ["DelaySeconds is \"10\" and not \"5\" as deployed; this deploy sets the same"]
        );
    }

    #[test]
    fn a_long_value_is_shown_where_it_differs() {
        let long = |end: &str| json!(format!("{}{end}", "a".repeat(100)));
        let (deployed, live) = (long("old"), long(&"n".repeat(50)));
        assert_eq!(
            excerpt(&live, Some(&deployed), 20),
            "…aaaaannnnnnnnnnnnnnn…"
        );
        assert_eq!(excerpt(&deployed, Some(&live), 20), "…aaaaaold\"");
        assert_eq!(excerpt(&live, None, 20), "\"aaaaaaaaaaaaaaaaaaa…");
        assert_eq!(excerpt(&json!(5), None, 20), "5");
    }

    #[test]
    fn what_becomes_of_it_follows_from_what_is_done() {
        let change = |action| ResourceChange {
            logical_id: "Orders".to_owned(),
            action,
            ..ResourceChange::default()
        };
        let template =
            |policy: &str| json!({"Resources": {"Orders": {"UpdateReplacePolicy": policy}}});
        let found = |action, policy: &str, status: &str| {
            let plan = StackPlan {
                changes: vec![change(action)],
                before: Some(template(policy)),
                ..StackPlan::default()
            };
            let drift = StackDrift {
                stack: "a-dev".to_owned(),
                status: "DRIFTED".to_owned(),
                incomplete: None,
                resources: vec![drifted("Orders", status, &[("/A", json!(1), json!(2))])],
                in_sync: 0,
            };
            let live = Live::beside(&plan, drift, &json!({}), None);
            let lines = live.resources[0].lines(usize::MAX);
            (live.resources[0].properties[0].fate, lines[0].clone())
        };
        assert_eq!(found(Action::Replace, "Delete", "MODIFIED").0, Fate::Gone);
        assert_eq!(found(Action::Replace, "Retain", "MODIFIED").0, Fate::Left);
        assert_eq!(found(Action::Delete, "Retain", "MODIFIED").0, Fate::Gone);
        assert_eq!(found(Action::Retain, "Delete", "MODIFIED").0, Fate::Left);
        for (action, says) in [
            (Action::Create, "this deploy makes it anew"),
            (Action::Import, "what is not there cannot be imported"),
            (
                Action::Update,
                "an update of what is not there is refused by most types",
            ),
            (Action::Delete, "it leaves the stack"),
        ] {
            let (_, line) = found(action, "Delete", "DELETED");
            assert_eq!(line, format!("somebody deleted it; {says}"));
        }
    }
}
