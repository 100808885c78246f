//! Places in a resource.

use std::fmt::{self, Write as _};

use serde::{Serialize, Serializer};
use serde_json::Value;

/// One step on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into a map.
    Key(String),
    /// Into a list.
    Position(usize),
}

/// The place of a value, such as `Properties.Code.S3Key` or `Properties.KeySchema[0]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<Step>);

impl Path {
    /// Makes the path of a key.
    pub fn new(key: &str) -> Self {
        Self::default().key(key)
    }

    /// Reads a path as drift detection writes it, which is a JSON pointer below the properties.
    pub(in crate::engine) fn of_pointer(pointer: &str) -> Self {
        let steps = pointer.split('/').filter(|step| !step.is_empty());
        steps.fold(Self::new("Properties"), |path, step| match step.parse() {
            Ok(position) => path.position(position),
            Err(_) => path.key(&step.replace("~1", "/").replace("~0", "~")),
        })
    }

    /// Returns the path of an entry below this one.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.step(Step::Key(key.to_owned()))
    }

    /// Returns the path of an element below this one.
    #[must_use]
    pub fn position(&self, position: usize) -> Self {
        self.step(Step::Position(position))
    }

    fn step(&self, step: Step) -> Self {
        self.clone().with(step)
    }

    fn with(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }

    /// Returns the steps below the properties of a resource, where the path leads there.
    pub fn property(&self) -> Option<&[Step]> {
        match self.0.split_first() {
            Some((Step::Key(first), rest)) if first == "Properties" => Some(rest),
            _ => None,
        }
    }

    /// Returns whether one of two paths leads on from the other.
    pub(super) fn touches(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(own, other)| own == other)
    }

    /// Returns all steps.
    #[cfg(test)]
    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Returns whether a key is on the way.
    pub(super) fn has_key(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|step| matches!(step, Step::Key(key) if key == name))
    }

    /// Returns the way up to the first key of a name; all of it, where there is none.
    pub(super) fn before(&self, name: &str) -> Self {
        let ends = |step: &&Step| matches!(step, Step::Key(key) if key == name);
        Self(
            self.0
                .iter()
                .take_while(|step| !ends(step))
                .cloned()
                .collect(),
        )
    }

    /// Returns whether this is a path or leads to something below it.
    pub(crate) fn is_in(&self, outer: &Self) -> bool {
        self.0.starts_with(&outer.0)
    }

    /// Returns what stands at the path.
    pub(super) fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(value, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Position(position) => value.get(position),
        })
    }
}

/// The way to a value that is being walked. A path is made of it only where somebody wants one, which is rarely.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trail<'a> {
    /// The walk begins at a path.
    Start(&'a Path),
    /// Into a map.
    Key(&'a Trail<'a>, &'a str),
    /// Into a list.
    Position(&'a Trail<'a>, usize),
}

impl Trail<'_> {
    /// Returns the path that the way leads along.
    pub(super) fn path(&self) -> Path {
        match self {
            Self::Start(path) => (*path).clone(),
            Self::Key(outer, key) => outer.path().with(Step::Key((*key).to_owned())),
            Self::Position(outer, position) => outer.path().with(Step::Position(*position)),
        }
    }
}

/// Writes steps as a person would.
pub(super) fn display(steps: &[Step]) -> String {
    steps.iter().fold(String::new(), |mut text, step| {
        match step {
            Step::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            // Writing to a String cannot fail.
            Step::Position(position) => drop(write!(text, "[{position}]")),
        }
        text
    })
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&display(&self.0))
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
