//! Keeps tests away from the user's configuration, credentials and running engine.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use deployer::toolchain::Variables;

/// Returns Cargo's target directory, which the running test binary lies in.
///
/// # Panics
///
/// When the test was not built by Cargo.
pub fn target_dir() -> PathBuf {
    let binary = env::current_exe().expect("the system knows which program is running");
    binary
        .ancestors()
        .find(|directory| directory.join("CACHEDIR.TAG").is_file())
        .map(Path::to_owned)
        .expect("Cargo marks its target directory with CACHEDIR.TAG")
}

/// Returns the directory in which all tests share what is downloaded once.
///
/// # Panics
///
/// When the test was not built by Cargo.
pub fn cache_dir() -> PathBuf {
    target_dir().join("stackctl-cache")
}

/// Returns this process's variables without anything of AWS or of `stackctl`, and with a home directory that holds
/// nothing.
///
/// Cargo and rustup keep their own directories, and package indexes, proxies and certificates keep working.
///
/// # Panics
///
/// When the test was not built by Cargo.
pub fn isolated_variables(home: &Path) -> Variables {
    let real_home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let tool_home = |name: &str, default: &str| {
        env::var_os(name).unwrap_or_else(|| real_home.join(default).into())
    };
    let mut variables = Variables::of_process();
    let unwanted: Vec<OsString> = variables
        .iter()
        .map(|(name, _)| name.to_owned())
        .filter(|name| is_unwanted(name))
        .collect();
    for name in unwanted {
        variables = variables.without(&name.to_string_lossy());
    }
    variables
        .with("CARGO_HOME", tool_home("CARGO_HOME", ".cargo"))
        .with("RUSTUP_HOME", tool_home("RUSTUP_HOME", ".rustup"))
        .with("HOME", home)
        .with("STACKCTL_CACHE_DIR", cache_dir())
        .with("AWS_EC2_METADATA_DISABLED", "true")
}

/// Gives a command exactly these variables.
pub fn isolate(command: &mut Command, variables: &Variables) {
    command.env_clear().envs(variables.iter());
}

fn is_unwanted(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("AWS_") || name.starts_with("STACKCTL_") || name.starts_with("XDG_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isolated_variables_hold_nothing_of_the_user() {
        let variables = isolated_variables(Path::new("/nowhere"));
        assert_eq!(variables.get("HOME"), Some(OsStr::new("/nowhere")));
        assert!(variables.get("PATH").is_some());
        assert!(
            variables
                .get("CARGO_HOME")
                .is_some_and(|home| !home.to_string_lossy().starts_with("/nowhere"))
        );
        let of_aws: Vec<_> = variables
            .iter()
            .filter(|(name, _)| name.to_string_lossy().starts_with("AWS_"))
            .collect();
        assert_eq!(of_aws.len(), 1, "{of_aws:?}");
    }
}
