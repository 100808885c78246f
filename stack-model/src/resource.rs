//! Resources as a stack keeps them until the synth.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;

use stack_model_cfn::{Expr, ResourceId, ResourceType};

use crate::policy::PolicyDocument;

/// What CloudFormation does with a resource that leaves its stack.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Removal {
    /// Deletes it, data and all.
    Delete,
    /// Keeps it, outside any stack.
    Retain,
    /// Takes a snapshot first, where the type can.
    Snapshot,
    /// Keeps it, unless the operation that created it is rolled back.
    RetainExceptOnCreate,
}

impl Removal {
    /// Returns the word that a template uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delete => "Delete",
            Self::Retain => "Retain",
            Self::Snapshot => "Snapshot",
            Self::RetainExceptOnCreate => "RetainExceptOnCreate",
        }
    }

    /// Returns what to do where the resource is replaced: there, a retained resource is retained plainly.
    pub(crate) const fn on_replace(self) -> Self {
        match self {
            Self::RetainExceptOnCreate => Self::Retain,
            other => other,
        }
    }
}

/// A value that replaces what the properties of a resource render.
#[derive(Clone, Debug)]
pub(crate) struct Override {
    pub(crate) path: String,
    /// Nothing, where it is removed.
    pub(crate) value: Option<Expr>,
    pub(crate) source: String,
}

impl Override {
    /// Returns whether what is wrong with a property comes of this: it is what this sets, or a part of it, or is said to
    /// lack what this removes. The property is a path as violations name it.
    pub(crate) fn causes(&self, property: &str, message: &str) -> bool {
        let mut steps = Vec::new();
        let mut rest = Some(self.path.as_str());
        while let Some(path) = rest {
            let (step, below) = step(path);
            steps.push(step);
            rest = below;
        }
        let property = property.strip_prefix("Properties").unwrap_or(property);
        let property = property.strip_prefix('.').unwrap_or(property);
        let below = property.strip_prefix(&steps.join("."));
        let sets = below.is_some_and(|below| below.is_empty() || below.starts_with('.'));
        let removes = || {
            let last = steps.split_last().filter(|_| self.value.is_none());
            last.is_some_and(|(last, above)| {
                above.join(".") == property && message.contains(&format!("`{last}`"))
            })
        };
        sets || removes()
    }
}

/// One resource of a stack.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) kind: String,
    pub(crate) properties: Expr,
    /// What was granted until the synth: the inline policy of a role, or the policy that the resource itself is.
    pub(crate) policy: PolicyDocument,
    /// The property that the policy is rendered to as a document; without one, it is an inline policy of a role.
    pub(crate) policy_property: Option<&'static str>,
    pub(crate) depends_on: BTreeSet<ResourceId>,
    pub(crate) condition: Option<String>,
    pub(crate) removal: Option<Removal>,
    /// What is done where the resource is replaced, if not the same as where it is removed.
    pub(crate) replaced: Option<Removal>,
    pub(crate) metadata: BTreeMap<String, Expr>,
    pub(crate) overrides: Vec<Override>,
    /// Whether the logical id gets a suffix that changes with the content of the resource and of everything it
    /// depends on. API Gateway deployments need it: a deployment is a snapshot, so a changed API needs a new one.
    pub(crate) identified_by_content: bool,
    /// Resources that the suffix follows besides, without waiting for them.
    pub(crate) follows: BTreeSet<ResourceId>,
    pub(crate) source: String,
}

impl Resource {
    pub(crate) fn new(kind: impl Into<String>, properties: Expr, source: &Location<'_>) -> Self {
        Self::placed(kind, properties, source_text(source))
    }

    /// Makes a resource that the synth adds on behalf of the given line.
    pub(crate) fn placed(kind: impl Into<String>, properties: Expr, source: String) -> Self {
        Self {
            kind: kind.into(),
            properties,
            policy: PolicyDocument::default(),
            policy_property: None,
            depends_on: BTreeSet::new(),
            condition: None,
            removal: None,
            replaced: None,
            metadata: BTreeMap::new(),
            overrides: Vec::new(),
            identified_by_content: false,
            follows: BTreeSet::new(),
            source,
        }
    }

    /// Takes a generated struct.
    pub(crate) fn of(properties: &impl ResourceType, source: &Location<'_>) -> Self {
        let rendered = properties.render();
        let rendered = rendered.unwrap_or_else(|| Expr::Map(BTreeMap::new()));
        Self::new(properties.resource_type(), rendered, source)
    }

    /// Renders the statements added to the resource as the document at a property of it.
    #[must_use]
    pub(crate) fn with_policy_at(mut self, property: &'static str) -> Self {
        self.policy_property = Some(property);
        self
    }

    /// Returns the properties with the granted policy and the overrides in them, and the overrides that lead through
    /// something that is not a map or list, or remove what is not there.
    pub(crate) fn rendered(&self) -> (Expr, Vec<&Override>) {
        self.completed(self.properties.clone())
    }

    /// Does the same with properties that were taken from the resource.
    pub(crate) fn completed(&self, mut properties: Expr) -> (Expr, Vec<&Override>) {
        if !self.policy.is_empty()
            && let Expr::Map(entries) = &mut properties
        {
            let document = self.policy.render();
            if let Some(property) = self.policy_property {
                entries.insert(property.to_owned(), document);
            } else {
                let policy = Expr::map([
                    ("PolicyName", Expr::from(INLINE_POLICY)),
                    ("PolicyDocument", document),
                ]);
                match entries.get_mut("Policies") {
                    Some(Expr::List(policies)) => policies.push(policy),
                    _ => {
                        entries.insert("Policies".to_owned(), Expr::List(vec![policy]));
                    }
                }
            }
        }
        let mut astray = Vec::new();
        for one in &self.overrides {
            if set(&mut properties, &one.path, one.value.clone()).is_none() {
                astray.push(one);
            }
        }
        (properties, astray)
    }
}

/// The name of the policy that holds what a stack granted to a role.
pub(crate) const INLINE_POLICY: &str = "granted";

pub(crate) fn source_text(location: &Location<'_>) -> String {
    format!(
        "{}:{}:{}",
        location.file(),
        location.line(),
        location.column()
    )
}

/// Takes the first step off a path; a backslash keeps the character after it in the step.
pub(crate) fn step(path: &str) -> (String, Option<&str>) {
    let mut step = String::new();
    let mut characters = path.char_indices();
    while let Some((position, character)) = characters.next() {
        match character {
            '.' => return (step, path.get(position + 1..)),
            '\\' => step.push(characters.next().map_or(character, |(_, escaped)| escaped)),
            other => step.push(other),
        }
    }
    (step, None)
}

/// Sets or removes the value at a path of map keys and list positions, separated by dots.
pub(crate) fn set(target: &mut Expr, path: &str, value: Option<Expr>) -> Option<()> {
    let (step, rest) = step(path);
    let step = step.as_str();
    match (target, rest, value) {
        (Expr::Map(entries), None, Some(value)) => {
            entries.insert(step.to_owned(), value);
        }
        (Expr::Map(entries), None, None) => {
            entries.remove(step)?;
        }
        // Nothing is made only to be left empty.
        (Expr::Map(entries), Some(rest), None) => return set(entries.get_mut(step)?, rest, None),
        (Expr::Map(entries), Some(rest), value) => {
            let entry = entries
                .entry(step.to_owned())
                .or_insert_with(|| Expr::Map(BTreeMap::new()));
            return set(entry, rest, value);
        }
        (Expr::List(elements), rest, value) => {
            let position: usize = step.parse().ok()?;
            match (rest, value) {
                (Some(rest), value) => return set(elements.get_mut(position)?, rest, value),
                (None, Some(value)) => *elements.get_mut(position)? = value,
                (None, None) if position < elements.len() => {
                    elements.remove(position);
                }
                (None, None) => return None,
            }
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_reach_into_maps_and_lists() {
        let mut expr = Expr::from(serde_json::json!({"A": {"B": [1, {"C": 2}]}, "D": 3}));
        set(&mut expr, "A.B.1.C", Some(Expr::from(4))).unwrap();
        set(&mut expr, "A.B.0", None).unwrap();
        set(&mut expr, "D", None).unwrap();
        set(&mut expr, "E.F", Some(Expr::from("new"))).unwrap();
        assert_eq!(
            expr,
            Expr::from(serde_json::json!({"A": {"B": [{"C": 4}]}, "E": {"F": "new"}}))
        );
        set(&mut expr, r"A.a\.b\\c", Some(Expr::from(5))).unwrap();
        set(&mut expr, r"A.a\.b\\c", Some(Expr::from(6))).unwrap();
        let changed = serde_json::json!({"A": {"B": [{"C": 4}], "a.b\\c": 6}, "E": {"F": "new"}});
        assert_eq!(expr, Expr::from(changed));
        assert_eq!(set(&mut expr, "E.F.G", Some(Expr::from(1))), None);
        assert_eq!(set(&mut expr, "A.B.9", None), None);
        assert_eq!(set(&mut expr, "A.C", None), None);
        assert_eq!(set(&mut expr, "F.0", None), None);
    }
}
