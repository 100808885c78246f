//! Consents to what a protected stage asks for one by one.

use std::fmt;
use std::str::FromStr;

use globset::{Glob, GlobMatcher};

use crate::engine::plan::Grade;

/// Consent to one danger of one resource, or of those that a pattern names: `data-loss:Orders`,
/// `exposure-widened:orders-prod/Route*`.
#[derive(Clone, Debug)]
pub struct Allowance {
    grade: Grade,
    matcher: GlobMatcher,
    /// As it was written.
    text: String,
}

/// Why a text is not an allowance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllowanceError {
    /// There is no `:` between the parts.
    #[error("`{0}` is not DANGER:LOGICAL_ID, such as `data-loss:Orders`")]
    NoId(String),
    /// The danger is none.
    #[error("`{word}` is no danger: there are {}", names().join(", "))]
    Danger {
        /// What stands for it.
        word: String,
    },
    /// The pattern cannot be read.
    #[error("`{0}` is not a logical id or a pattern of some")]
    Pattern(String),
}

/// Returns the word of a danger; other grades have none.
pub fn danger(grade: Grade) -> &'static str {
    match grade {
        Grade::PermissionWidened => "permission-widened",
        Grade::ExposureWidened => "exposure-widened",
        Grade::DataLoss => "data-loss",
        Grade::None
        | Grade::UpdateInPlace
        | Grade::Interruption
        | Grade::Replacement
        | Grade::Impossible => "",
    }
}

fn names() -> Vec<&'static str> {
    Grade::DANGERS.iter().rev().copied().map(danger).collect()
}

impl FromStr for Allowance {
    type Err = AllowanceError;

    fn from_str(text: &str) -> Result<Self, AllowanceError> {
        let (word, id) = text
            .split_once(':')
            .filter(|(_, id)| !id.is_empty())
            .ok_or_else(|| AllowanceError::NoId(text.to_owned()))?;
        let grade = Grade::DANGERS
            .into_iter()
            .find(|grade| self::danger(*grade) == word)
            .ok_or_else(|| AllowanceError::Danger {
                word: word.to_owned(),
            })?;
        let glob = Glob::new(id).map_err(|_| AllowanceError::Pattern(id.to_owned()))?;
        Ok(Self {
            grade,
            matcher: glob.compile_matcher(),
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Allowance {
    /// Returns whether this is the consent to a danger of a resource of a stack.
    pub fn covers(&self, grade: Grade, stack: &str, logical_id: &str) -> bool {
        let whole = format!("{stack}/{logical_id}");
        self.grade == grade && (self.matcher.is_match(logical_id) || self.matcher.is_match(whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_allowance_is_told() {
        for (text, says) in [
            (
                "Orders",
                "`Orders` is not DANGER:LOGICAL_ID, such as `data-loss:Orders`",
            ),
            (
                "data-loss:",
                "`data-loss:` is not DANGER:LOGICAL_ID, such as `data-loss:Orders`",
            ),
            (
                "replacement:Orders",
                "`replacement` is no danger: there are data-loss, exposure-widened, permission-widened",
            ),
            (
                "data-loss:[",
                "`[` is not a logical id or a pattern of some",
            ),
        ] {
            let error = text.parse::<Allowance>().expect_err("is none");
            assert_eq!(error.to_string(), says);
        }
    }
}
