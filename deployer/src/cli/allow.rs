//! Consents to what a protected stage asks for one by one.

use std::fmt;
use std::str::FromStr;

use globset::{Glob, GlobMatcher};

use crate::engine::plan::Grade;

/// Consent to one danger of one resource, or of those that a pattern names: `data-loss:Orders`,
/// `exposure-widened:orders-prod/Route*`; or to taking a stack over from another app: `owner:orders-prod`.
#[derive(Clone, Debug)]
pub struct Allowance {
    /// The danger; nothing, where it is about whose a stack is.
    grade: Option<Grade>,
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
    /// It would allow what AWS refuses.
    #[error(
        "`{0}` cannot be allowed: AWS refuses such a change, whoever agrees to it; `stackctl diff` says at the resource why, \
         and what to do instead"
    )]
    Impossible(String),
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

/// The grade that nobody can consent to, as reports call it.
const IMPOSSIBLE: &str = "impossible";

/// The word for taking over stacks of another app.
const OWNER: &str = "owner";

/// Returns the word of a danger; other grades have none.
pub fn danger(grade: Grade) -> &'static str {
    match grade {
        Grade::PermissionWidened => "permission-widened",
        Grade::ExposureWidened => "exposure-widened",
        Grade::DataLoss => "data-loss",
        Grade::Replacement => "replacement",
        Grade::None | Grade::UpdateInPlace | Grade::Interruption | Grade::Impossible => "",
    }
}

fn names() -> Vec<&'static str> {
    let dangers = Grade::DANGERS.iter().rev().copied().map(danger);
    dangers.chain([OWNER]).collect()
}

impl FromStr for Allowance {
    type Err = AllowanceError;

    fn from_str(text: &str) -> Result<Self, AllowanceError> {
        let (word, id) = text
            .split_once(':')
            .filter(|(_, id)| !id.is_empty())
            .ok_or_else(|| AllowanceError::NoId(text.to_owned()))?;
        if word == IMPOSSIBLE {
            return Err(AllowanceError::Impossible(word.to_owned()));
        }
        let grade = Grade::DANGERS
            .into_iter()
            .find(|grade| self::danger(*grade) == word);
        let grade = (grade.is_some() || word == OWNER)
            .then_some(grade)
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
        self.grade == Some(grade)
            && (self.matcher.is_match(logical_id) || self.matcher.is_match(whole))
    }

    /// Returns whether this is about whose stacks are, and not about what happens to resources.
    pub fn is_of_owner(&self) -> bool {
        self.grade.is_none()
    }

    /// Returns whether this is the consent to taking a stack over from another app.
    pub fn takes_over(&self, stack: &str) -> bool {
        self.is_of_owner() && self.matcher.is_match(stack)
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
                "interruption:Orders",
                "`interruption` is no danger: there are data-loss, exposure-widened, permission-widened, replacement, owner",
            ),
            (
                "impossible:Orders",
                "`impossible` cannot be allowed: AWS refuses such a change, whoever agrees to it; `stackctl diff` says at \
                 the resource why, and what to do instead",
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

    #[test]
    fn a_stack_is_taken_over_by_its_name_and_by_nothing_else() {
        let owner: Allowance = "owner:orders-*".parse().expect("is one");
        assert!(owner.takes_over("orders-prod"));
        assert!(!owner.takes_over("intake-prod"));
        assert!(!owner.covers(Grade::DataLoss, "orders-prod", "orders-prod"));
        let loss: Allowance = "data-loss:*".parse().expect("is one");
        assert!(!loss.takes_over("orders-prod"));
    }
}
