//! Every environment variable that `stackctl` itself reads.
//!
//! Each is declared here and nowhere else; `stackctl help environment` and the documentation are made from
//! [`VARIABLES`]. Variables of the tools underneath (`AWS_*`, `CARGO_*`, proxies, `NO_COLOR`) keep their meaning.

use std::ffi::OsString;
use std::path::PathBuf;

/// One environment variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name.
    pub name: &'static str,
    /// What it does, as a sentence.
    pub about: &'static str,
}

/// The stage, where `--stage` is not given.
pub const STAGE: Variable = Variable {
    name: "STACKCTL_STAGE",
    about: "The stage, where `--stage` is not given.",
};

/// Where this tool keeps what it remembers of a workspace.
pub const STATE_DIR: Variable = Variable {
    name: "STACKCTL_STATE_DIR",
    about: "Where the state of the workspace is kept; `.stackctl` beside stackctl.toml by default.",
};

/// Where downloaded tools are kept.
pub const CACHE_DIR: Variable = Variable {
    name: "STACKCTL_CACHE_DIR",
    about: "Where downloaded tools are kept; the user's cache directory by default.",
};

/// The Python that the local engine is installed with.
pub const PYTHON: Variable = Variable {
    name: "STACKCTL_PYTHON",
    about: "The Python (3.10 or later) that the local engine is installed with.",
};

/// The port of the local engine.
pub const LOCAL_PORT: Variable = Variable {
    name: "STACKCTL_LOCAL_PORT",
    about: "The port of the local engine on 127.0.0.1.",
};

/// All of them, in the order of the documentation.
pub const VARIABLES: &[Variable] = &[STAGE, STATE_DIR, CACHE_DIR, PYTHON, LOCAL_PORT];

impl Variable {
    /// Returns the value, or `None` where it is unset or empty.
    pub fn value(self) -> Option<OsString> {
        std::env::var_os(self.name).filter(|value| !value.is_empty())
    }

    /// Returns the value as a path, or `None` where it is unset or empty.
    pub fn path(self) -> Option<PathBuf> {
        self.value().map(PathBuf::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ours_and_told_once() {
        for variable in VARIABLES {
            assert!(variable.name.starts_with("STACKCTL_"), "{}", variable.name);
            let times = VARIABLES.iter().filter(|other| other.name == variable.name);
            assert_eq!(times.count(), 1, "{}", variable.name);
        }
    }
}
