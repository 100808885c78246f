//! Which entries states of a type have.

use std::collections::BTreeMap;

use stack_model_cfn::Expr;

use super::Check;
use crate::stepfunctions::payload::QueryLanguage;

/// The entries that states of each type have beside `Type`, `Comment` and `QueryLanguage`.
const FIELDS: [(&str, &[&str]); 8] = [
    (
        "Task",
        &[
            "Resource",
            "Parameters",
            "Arguments",
            "Credentials",
            "ResultSelector",
            "ResultPath",
            "InputPath",
            "OutputPath",
            "Output",
            "Assign",
            "Retry",
            "Catch",
            "TimeoutSeconds",
            "TimeoutSecondsPath",
            "HeartbeatSeconds",
            "HeartbeatSecondsPath",
            "Next",
            "End",
        ],
    ),
    (
        "Pass",
        &[
            "Result",
            "Parameters",
            "ResultPath",
            "InputPath",
            "OutputPath",
            "Output",
            "Assign",
            "Next",
            "End",
        ],
    ),
    (
        "Choice",
        &[
            "Choices",
            "Default",
            "InputPath",
            "OutputPath",
            "Output",
            "Assign",
        ],
    ),
    (
        "Wait",
        &[
            "Seconds",
            "SecondsPath",
            "Timestamp",
            "TimestampPath",
            "InputPath",
            "OutputPath",
            "Output",
            "Assign",
            "Next",
            "End",
        ],
    ),
    ("Succeed", &["InputPath", "OutputPath", "Output"]),
    ("Fail", &["Error", "ErrorPath", "Cause", "CausePath"]),
    (
        "Parallel",
        &[
            "Branches",
            "Parameters",
            "Arguments",
            "ResultSelector",
            "ResultPath",
            "InputPath",
            "OutputPath",
            "Output",
            "Assign",
            "Retry",
            "Catch",
            "Next",
            "End",
        ],
    ),
    (
        "Map",
        &[
            "ItemProcessor",
            "Iterator",
            "Items",
            "ItemsPath",
            "ItemSelector",
            "Parameters",
            "MaxConcurrency",
            "MaxConcurrencyPath",
            "ItemReader",
            "ItemBatcher",
            "ResultWriter",
            "Label",
            "ToleratedFailureCount",
            "ToleratedFailureCountPath",
            "ToleratedFailurePercentage",
            "ToleratedFailurePercentagePath",
            "ResultSelector",
            "ResultPath",
            "InputPath",
            "OutputPath",
            "Output",
            "Assign",
            "Retry",
            "Catch",
            "Next",
            "End",
        ],
    ),
];

/// The entries that only a distributed map has.
pub(super) const DISTRIBUTED: &[&str] = &[
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "Label",
    "ToleratedFailureCount",
    "ToleratedFailurePercentage",
];

/// The entries that only one of the query languages has.
const JSON_PATH_ONLY: &[&str] = &[
    "Parameters",
    "ResultSelector",
    "ResultPath",
    "InputPath",
    "OutputPath",
    "ItemsPath",
    "SecondsPath",
    "TimestampPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "MaxConcurrencyPath",
    "ErrorPath",
    "CausePath",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
];
const JSONATA_ONLY: &[&str] = &["Arguments", "Output", "Items"];

/// Entries of which a state has one at most.
const EXCLUSIVE: [(&str, &str); 8] = [
    ("TimeoutSeconds", "TimeoutSecondsPath"),
    ("HeartbeatSeconds", "HeartbeatSecondsPath"),
    ("Error", "ErrorPath"),
    ("Cause", "CausePath"),
    ("MaxConcurrency", "MaxConcurrencyPath"),
    ("ItemProcessor", "Iterator"),
    ("ToleratedFailureCount", "ToleratedFailureCountPath"),
    (
        "ToleratedFailurePercentage",
        "ToleratedFailurePercentagePath",
    ),
];

pub(super) fn is_known(kind: &str) -> bool {
    FIELDS.iter().any(|(known, _)| *known == kind)
}

impl Check {
    /// Reports entries that the state does not have.
    pub(super) fn fields(
        &mut self,
        name: &str,
        kind: &str,
        entries: &BTreeMap<String, Expr>,
        language: QueryLanguage,
    ) {
        let known = FIELDS.iter().find(|(known, _)| *known == kind);
        for field in entries.keys() {
            let field = field.strip_suffix(".$").unwrap_or(field);
            if matches!(field, "Type" | "Comment" | "QueryLanguage") {
                continue;
            }
            if known.is_some_and(|(_, fields)| !fields.contains(&field)) {
                self.report(
                    Some(name),
                    format!("`{name}` has `{field}`, which no {kind} state has: take it out"),
                );
            }
            let foreign = match language {
                QueryLanguage::JsonPath => JSONATA_ONLY,
                QueryLanguage::Jsonata => JSON_PATH_ONLY,
            };
            if foreign.contains(&field) {
                self.report(
                    Some(name),
                    format!("`{name}` is in {} and has `{field}`, which belongs to the other query language", language.name()),
                );
            }
        }
        for (one, other) in EXCLUSIVE {
            if entries.contains_key(one) && entries.contains_key(other) {
                self.report(
                    Some(name),
                    format!("`{name}` has `{one}` and `{other}`: take one out"),
                );
            }
        }
    }
}
