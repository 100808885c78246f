//! Violations: everything that is wrong with an app, found in one run.

use std::fmt;

use crate::assembly::{Failure, FailureItem};

/// One thing that is wrong, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub(crate) stack: Option<String>,
    pub(crate) logical_id: Option<String>,
    pub(crate) property: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) message: String,
}

impl Violation {
    /// Makes a violation that concerns the app as a whole.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            stack: None,
            logical_id: None,
            property: None,
            source: None,
            message: message.into(),
        }
    }

    /// Says which stack is concerned.
    #[must_use]
    pub fn in_stack(mut self, stack: impl Into<String>) -> Self {
        self.stack = Some(stack.into());
        self
    }

    /// Says which resource, parameter or output of the stack is concerned.
    #[must_use]
    pub fn of(mut self, logical_id: impl Into<String>) -> Self {
        self.logical_id = Some(logical_id.into());
        self
    }

    /// Says which property is concerned, as a path such as `Properties.DelaySeconds`.
    #[must_use]
    pub fn at(mut self, property: impl Into<String>) -> Self {
        self.property = Some(property.into());
        self
    }

    /// Says where in the source the concerned thing is declared.
    #[must_use]
    pub fn declared(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns what is wrong and what to do.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = [&self.stack, &self.logical_id, &self.property];
        let mut place = place.into_iter().flatten().peekable();
        let somewhere = place.peek().is_some();
        for (position, name) in place.enumerate() {
            write!(f, "{}{name}", if position == 0 { "" } else { " / " })?;
        }
        if somewhere {
            f.write_str(": ")?;
        }
        f.write_str(&self.message)?;
        if let Some(source) = &self.source {
            write!(f, "\n  declared at {source}")?;
        }
        Ok(())
    }
}

/// Everything that is wrong with an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations {
    violations: Vec<Violation>,
}

impl Violations {
    pub(crate) fn new(violations: Vec<Violation>) -> Self {
        Self { violations }
    }

    /// Returns the violations in the order of the stacks and resources.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.violations.iter()
    }

    /// Returns the violations in the form that the deployer reads.
    pub fn failure(&self) -> Failure {
        Failure {
            violations: self
                .violations
                .iter()
                .map(|violation| FailureItem {
                    stack: violation.stack.clone(),
                    logical_id: violation.logical_id.clone(),
                    property: violation.property.clone(),
                    source: violation.source.clone(),
                    message: violation.message.clone(),
                })
                .collect(),
        }
    }
}

impl From<Violation> for Violations {
    fn from(violation: Violation) -> Self {
        Self::new(vec![violation])
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.violations.len();
        let noun = if count == 1 {
            "violation"
        } else {
            "violations"
        };
        write!(f, "{count} {noun}")?;
        for violation in &self.violations {
            write!(f, "\n{violation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}
