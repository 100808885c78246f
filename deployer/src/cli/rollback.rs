//! Arguments of `rollback`.

use clap::Args;

use super::{Allowance, Stacks};

/// Arguments of `rollback`.
#[derive(Clone, Debug, Args)]
pub struct Rollback {
    /// Which stacks; those that need no rollback are left alone.
    #[command(flatten)]
    pub stacks: Stacks,
    /// Instead, deploy another release of these stacks again: `previous`, `latest` or a number.
    ///
    /// What stands in the place of stacks may be functions that are released under an alias, as STACK/FUNCTION where that is
    /// not unique: their aliases are moved to another version, and nothing else is touched.
    #[arg(long, value_name = "RELEASE", conflicts_with = "skip")]
    pub to: Option<To>,
    /// With `--to`, consent to one danger in a protected stage, such as data-loss:Orders; may be repeated.
    #[arg(long, value_name = "DANGER:ID", requires = "to")]
    pub allow: Vec<Allowance>,
    /// Leave this resource as it is, which kept an earlier rollback from its end; may be repeated.
    ///
    /// CloudFormation takes it for rolled back without touching it. Bring it back by hand before the next deploy, or that
    /// may fail on it again.
    #[arg(long, value_name = "LOGICAL_ID")]
    pub skip: Vec<String>,
    /// Wait for operations that somebody else began, instead of refusing.
    #[arg(long)]
    pub wait: bool,
}

/// The release of a stack that is deployed again, or the version that an alias is moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// The one before the live one.
    Previous,
    /// The newest.
    Latest,
    /// The one of this number.
    Version(u64),
}

impl std::str::FromStr for To {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "previous" => Ok(Self::Previous),
            "latest" => Ok(Self::Latest),
            number => number
                .parse()
                .map(Self::Version)
                .map_err(|_| "expected previous, latest or a number".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!("previous".parse(), Ok(To::Previous));
        assert_eq!("7".parse(), Ok(To::Version(7)));
        for bad in ["", "-1", "live", "1.5"] {
            assert!(bad.parse::<To>().is_err(), "{bad}");
        }
    }
}
