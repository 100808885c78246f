//! Where an engine keeps its state and on which port it listens.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::toolchain::Variables;

/// The port of the engine when nothing else is asked for.
pub const DEFAULT_PORT: u16 = 4577;

/// Describes the engine of one workspace.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The directory for state, log and record, normally `<workspace>/.stackctl/local`.
    pub state_dir: PathBuf,
    /// The port to listen on.
    pub port: Port,
    /// How long the engine is to live.
    pub lifetime: Lifetime,
    /// The environment in which tools are searched and installed; the engine itself gets nothing of it.
    pub variables: Variables,
}

/// Says how long an engine lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Until it is stopped, however the process that started it ends.
    UntilStopped,
    /// Until it is stopped or the process that started it ends, be it by a crash: for tests, which must leave nothing
    /// behind.
    OfProcess,
}

/// Chooses a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// [`DEFAULT_PORT`]; an engine that already runs on another port is joined.
    Default,
    /// This port and no other.
    Fixed(u16),
    /// Any free port; an engine that already runs is joined.
    Any,
}

/// Says why the settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("STACKCTL_LOCAL_PORT is {value:?}, which is no port number")]
pub struct SettingsError {
    /// What the variable holds.
    pub value: String,
}

impl Settings {
    /// Makes the settings of the engine that belongs to a workspace's state directory, normally
    /// `<workspace>/.stackctl`. The port of the command line wins over `STACKCTL_LOCAL_PORT`; the port 0 stands for
    /// any free one.
    pub fn new(
        state_dir: &Path,
        port: Option<u16>,
        variables: Variables,
    ) -> Result<Self, SettingsError> {
        let port = match (port, variables.get("STACKCTL_LOCAL_PORT")) {
            (Some(port), _) => Port::from_number(port),
            (None, Some(text)) => text
                .to_str()
                .and_then(|text| text.parse().ok())
                .map(Port::from_number)
                .ok_or_else(|| SettingsError {
                    value: text.to_string_lossy().into_owned(),
                })?,
            (None, None) => Port::Default,
        };
        // The engine works in another directory than its caller: a relative path would lead it elsewhere.
        let state_dir = state_dir.join("local");
        let state_dir = std::path::absolute(&state_dir).unwrap_or(state_dir);
        Ok(Self {
            state_dir,
            port,
            lifetime: Lifetime::UntilStopped,
            variables,
        })
    }
}

impl Port {
    fn from_number(port: u16) -> Self {
        if port == 0 {
            Self::Any
        } else {
            Self::Fixed(port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(flag: Option<u16>, variable: &str) -> Result<Port, SettingsError> {
        let variables = Variables::default().with("STACKCTL_LOCAL_PORT", variable);
        Settings::new(Path::new("/w"), flag, variables).map(|settings| settings.port)
    }

    #[test]
    fn the_flag_wins_over_the_variable() {
        assert_eq!(port(None, ""), Ok(Port::Default));
        assert_eq!(port(None, "5000"), Ok(Port::Fixed(5000)));
        assert_eq!(port(Some(5001), "5000"), Ok(Port::Fixed(5001)));
        assert_eq!(port(Some(0), "5000"), Ok(Port::Any));
    }

    #[test]
    fn a_port_that_is_none_is_refused() {
        for wrong in ["http", "70000", "-1", "1.5"] {
            assert_eq!(
                port(None, wrong),
                Err(SettingsError {
                    value: wrong.to_owned()
                })
            );
        }
    }

    #[test]
    fn a_relative_state_directory_is_made_absolute() {
        let settings = Settings::new(Path::new("state"), None, Variables::default()).unwrap();
        assert!(settings.state_dir.is_absolute() && settings.state_dir.ends_with("state/local"));
    }
}
