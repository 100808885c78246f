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
    /// The environment in which tools are searched and installed; the engine itself gets nothing of it.
    pub variables: Variables,
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
    /// Reads the settings of a workspace's engine. The port of the command line wins over `STACKCTL_LOCAL_PORT`; the
    /// port 0 stands for any free one. `STACKCTL_STATE_DIR` replaces `<workspace>/.stackctl`.
    pub fn new(workspace: &Path, port: Option<u16>, variables: Variables) -> Result<Self, SettingsError> {
        let port = match (port, variables.get("STACKCTL_LOCAL_PORT")) {
            (Some(port), _) => Port::from_number(port),
            (None, Some(text)) => text
                .to_str()
                .and_then(|text| text.parse().ok())
                .map(Port::from_number)
                .ok_or_else(|| SettingsError { value: text.to_string_lossy().into_owned() })?,
            (None, None) => Port::Default,
        };
        let state = variables.get("STACKCTL_STATE_DIR").map_or_else(|| workspace.join(".stackctl"), PathBuf::from);
        // The engine works in another directory than its caller: a relative path would lead it elsewhere.
        let state = std::path::absolute(&state).unwrap_or(state);
        Ok(Self { state_dir: state.join("local"), port, variables })
    }
}

impl Port {
    fn from_number(port: u16) -> Self {
        if port == 0 { Self::Any } else { Self::Fixed(port) }
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
            assert_eq!(port(None, wrong), Err(SettingsError { value: wrong.to_owned() }));
        }
    }

    #[test]
    fn the_state_directory_can_be_moved() {
        let settings = |variables| Settings::new(Path::new("/w"), None, variables).unwrap().state_dir;
        assert_eq!(settings(Variables::default()), Path::new("/w/.stackctl/local"));
        let moved = Variables::default().with("STACKCTL_STATE_DIR", "/elsewhere");
        assert_eq!(settings(moved), Path::new("/elsewhere/local"));
    }
}
