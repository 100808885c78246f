//! What the planner decides by rows of its own, before it asks the registry.
//!
//! The planner is not built here, so a test of it writes the rows into a file, and fails where they are not what is there.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use stack_model_cfn::facts;

use super::Verdict;
use crate::pinned;

/// All rows.
#[derive(Debug)]
pub(super) struct Rows(Vec<Row>);

/// What is decided of a property, and of all below it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(rename = "type")]
    resource_type: String,
    property: String,
    /// What is decided of it, whatever its values are: several, where it depends on them.
    verdicts: BTreeSet<Verdict>,
    #[expect(dead_code, reason = "the page that says so is for people")]
    source: String,
}

/// Why the rows are none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Read(#[from] pinned::Error),
    #[error("a row is of {resource_type} {property}, which the registry does not have")]
    Unknown {
        resource_type: String,
        property: String,
    },
}

impl Rows {
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let rows: Vec<Row> = pinned::json(path)?;
        for row in &rows {
            let known = facts::resource_type(&row.resource_type);
            if known
                .and_then(|known| known.property(&row.property))
                .is_none()
            {
                return Err(Error::Unknown {
                    resource_type: row.resource_type.clone(),
                    property: row.property.clone(),
                });
            }
        }
        Ok(Self(rows))
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns what a row says of a property, where there is one: what depends on the values is conditional.
    pub(super) fn verdict(&self, resource_type: &str, path: &str) -> Option<Verdict> {
        let first = path.split('/').next().unwrap_or_default();
        let mut rows = self.0.iter();
        let row = rows.find(|row| row.resource_type == resource_type && row.property == first)?;
        let mut verdicts = row.verdicts.iter();
        match (verdicts.next(), verdicts.next()) {
            (Some(only), None) => Some(*only),
            _ => Some(Verdict::Conditional),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Rows, Verdict};

    #[test]
    fn a_row_is_for_all_below_its_property() {
        let rows = json!([
            {"type": "A::B::C", "property": "Engine", "verdicts": ["in_place", "replacement"], "source": "x"},
            {"type": "A::B::C", "property": "Keys", "verdicts": ["replacement"], "source": "x"},
        ]);
        let rows = Rows(serde_json::from_value(rows).unwrap());
        let of = |path| rows.verdict("A::B::C", path);
        assert_eq!(of("Engine"), Some(Verdict::Conditional));
        assert_eq!(of("Keys/*/Name"), Some(Verdict::Replacement));
        assert_eq!(of("KeysOfOthers"), None);
        assert_eq!(rows.verdict("A::B::D", "Keys"), None);
    }
}
