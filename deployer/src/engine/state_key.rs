//! The keys of what is written down about the state of stacks in the artifact bucket.

/// What all of them begin with: one list tells of all. No stack is called so: the name of a stack ends with its stage.
pub(super) const ALL: &str = "state/";

/// The key of the object that says that [marks](super::release::mark) tell nothing in a bucket.
pub(super) const NO_MARKS: &str = "state/no-marks.json";

/// What is written down about a stack, each in an object of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// What it was given past CloudFormation.
    Fast,
    /// Who gave it that, and when.
    Given,
    /// That it is as it should be.
    Mark,
    /// That the source says what is deployed, though the last operation was rolled back.
    Settled,
    /// That nobody looked whether it does what it should since it was changed.
    Unproven,
}

impl About {
    const fn word(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Given => "given",
            Self::Mark => "mark",
            Self::Settled => "settled",
            Self::Unproven => "unproven",
        }
    }

    /// Returns the key of this about a stack.
    pub(super) fn key(self, stack: &str) -> String {
        format!("{}{}.json", of(stack), self.word())
    }

    /// Returns the stack that a key says this of.
    pub(super) fn stack_of(self, key: &str) -> Option<&str> {
        let name = key.strip_prefix(ALL)?.strip_suffix(".json")?;
        name.strip_suffix(self.word())?.strip_suffix('.')
    }
}

/// Returns what the keys of all that is written down about a stack begin with.
pub(super) fn of(stack: &str) -> String {
    format!("{ALL}{stack}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_its_stack_and_what_it_says_of_it() {
        let all = [
            (About::Fast, "state/intake-dev.fast.json"),
            (About::Given, "state/intake-dev.given.json"),
            (About::Mark, "state/intake-dev.mark.json"),
            (About::Settled, "state/intake-dev.settled.json"),
            (About::Unproven, "state/intake-dev.unproven.json"),
        ];
        for (about, key) in all {
            assert_eq!(about.key("intake-dev"), key);
            for (other, _) in all {
                let stack = (other == about).then_some("intake-dev");
                assert_eq!(other.stack_of(key), stack, "{other:?} {key}");
            }
            assert!(key.starts_with(&of("intake-dev")) && !key.starts_with(&of("intake")));
            assert_eq!(about.stack_of(NO_MARKS), None);
        }
    }
}
