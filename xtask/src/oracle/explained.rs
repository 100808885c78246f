//! Why the two disagree, as data.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use super::{Disagreement, Verdict};
use crate::pinned;

/// Disagreements for one reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Explanation {
    reason: String,
    /// The page that says so.
    source: String,
    right: Right,
    /// What the planner says.
    plan: Verdict,
    /// What the oracle says.
    oracle: Verdict,
    /// The properties by type. A path is for what is below it too, and `*` for the whole type.
    properties: BTreeMap<String, Vec<String>>,
}

/// Who is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Right {
    Plan,
    Oracle,
    /// Both have their reasons, and the planner names the danger.
    Cautious,
}

/// All explanations.
#[derive(Debug)]
pub(super) struct Explanations(Vec<Explanation>);

/// What the explanations come to.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) unexplained: Vec<String>,
    /// The explanations of what does not disagree.
    pub(super) vanished: Vec<String>,
    /// How many disagreements each explains.
    pub(super) table: String,
}

impl Explanations {
    pub(super) fn read(path: &Path) -> Result<Self, pinned::Error> {
        pinned::json(path).map(Self)
    }

    /// Holds the explanations against what disagrees. Each disagreement needs one, and each entry explains at least one.
    pub(super) fn judge(&self, found: &[Disagreement]) -> Judged {
        let mut judged = Judged::default();
        for disagreement in found {
            if !self
                .0
                .iter()
                .any(|explanation| explanation.covers(disagreement))
            {
                judged.unexplained.push(disagreement.to_string());
            }
        }
        for explanation in &self.0 {
            for (resource_type, paths) in &explanation.properties {
                for path in paths {
                    let covers = |it: &Disagreement| {
                        explanation.is_of(it)
                            && it.resource_type == *resource_type
                            && contains(path, &it.path)
                    };
                    if !found.iter().any(covers) {
                        judged
                            .vanished
                            .push(format!("{resource_type} {path}: {}", explanation.reason));
                    }
                }
            }
            let count = found.iter().filter(|it| explanation.covers(it)).count();
            let _ = writeln!(
                judged.table,
                "{count:6}  {}, the oracle {}: {} ({}; {})",
                explanation.plan,
                explanation.oracle,
                explanation.reason,
                match explanation.right {
                    Right::Plan => "the planner is right",
                    Right::Oracle => "the oracle is right",
                    Right::Cautious => "the planner is cautious",
                },
                explanation.source,
            );
        }
        judged
    }
}

impl Explanation {
    fn is_of(&self, found: &Disagreement) -> bool {
        (self.plan, self.oracle) == (found.ours, found.theirs)
    }

    fn covers(&self, found: &Disagreement) -> bool {
        let paths = self.properties.get(&found.resource_type);
        self.is_of(found)
            && paths
                .into_iter()
                .flatten()
                .any(|path| contains(path, &found.path))
    }
}

fn contains(path: &str, inner: &str) -> bool {
    path == "*"
        || inner
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Disagreement, Explanations, Verdict};

    #[test]
    fn what_is_not_explained_and_what_is_in_vain_is_told() {
        let explanations = json!([{
            "reason": "because", "source": "https://example.com", "right": "plan",
            "plan": "conditional", "oracle": "in_place",
            "properties": {"A::B::C": ["Rules", "Gone"], "A::B::D": ["*"]},
        }]);
        let explanations = Explanations(serde_json::from_value(explanations).unwrap());
        let found = |resource_type: &str, path: &str, ours| Disagreement {
            resource_type: resource_type.to_owned(),
            path: path.to_owned(),
            ours,
            theirs: Verdict::InPlace,
        };
        let judged = explanations.judge(&[
            found("A::B::C", "Rules", Verdict::Conditional),
            found("A::B::C", "Rules/*/Name", Verdict::Conditional),
            found("A::B::C", "RulesOfOthers", Verdict::Conditional),
            found("A::B::C", "Rules/*/Key", Verdict::Replacement),
            found("A::B::D", "Any", Verdict::Conditional),
        ]);
        assert_eq!(
            judged.unexplained,
            [
                "A::B::C RulesOfOthers: conditional, and the oracle in place",
                "A::B::C Rules/*/Key: replacement, and the oracle in place",
            ]
        );
        assert_eq!(judged.vanished, ["A::B::C Gone: because"]);
        assert!(
            judged.table.starts_with("     3  conditional"),
            "{}",
            judged.table
        );
    }
}
