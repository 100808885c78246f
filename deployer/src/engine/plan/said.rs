//! What CloudFormation says of a plan, once there is a change set.

use serde::Serialize;

use crate::engine::{Finding, Hook};

/// What CloudFormation says of a resource, or of a stack, beside the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Said {
    /// What its change set does that the plan does not say, as a fragment: `it would be replaced`. The more dangerous of the
    /// two counts as the grade.
    #[serde(rename = "change_set", skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
    /// What it found before anything is changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The hooks that will run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<Hook>,
}

impl Said {
    /// Returns whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.otherwise.is_none() && self.findings.is_empty() && self.hooks.is_empty()
    }

    /// Returns a line for each thing that it says, the weightiest first, and whether it is one that stops the stack or was
    /// not agreed to. What is about another resource than the one under which it is told names it.
    pub fn lines(&self, of: Option<&str>) -> Vec<(bool, String)> {
        let otherwise = self
            .otherwise
            .iter()
            .map(|text| (true, format!("CloudFormation says otherwise: {text}")));
        let findings = self.findings.iter().map(|finding| {
            let warns = finding.warns();
            let word = if warns { "warns" } else { "refuses" };
            let text = if finding.logical_id.as_deref() == of {
                finding.text()
            } else {
                finding.to_string()
            };
            (!warns, format!("CloudFormation {word}: {text}"))
        });
        let hooks = self.hooks.iter().map(|hook| {
            let text = match &hook.logical_id {
                Some(id) if Some(id.as_str()) != of => format!("{id}: {}", hook.text()),
                _ => hook.text(),
            };
            (false, text)
        });
        otherwise.chain(findings).chain(hooks).collect()
    }
}
