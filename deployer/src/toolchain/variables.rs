//! The environment variables of a process as a value, so that every search can be tested without touching the
//! real ones.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Holds a snapshot of environment variables.
#[derive(Debug, Clone, Default)]
pub struct Variables(BTreeMap<OsString, OsString>);

/// Says that no directory for downloaded tools could be determined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "no cache directory: neither STACKCTL_CACHE_DIR nor XDG_CACHE_HOME nor HOME names an absolute path"
)]
pub struct CacheDirError;

impl Variables {
    /// Takes the variables of this process.
    pub fn of_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// Returns a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// Sets a variable of the snapshot.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// Removes a variable from the snapshot.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(OsStr::new(name));
        self
    }

    /// Iterates over all variables, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// Finds an executable file on `PATH`; a name that is a path already is taken as it is.
    pub fn find_program(&self, name: impl AsRef<OsStr>) -> Option<PathBuf> {
        let name = Path::new(name.as_ref());
        if name.components().count() > 1 {
            return is_executable(name).then(|| name.to_owned());
        }
        std::env::split_paths(self.get("PATH")?)
            .filter(|directory| directory.is_absolute())
            .map(|directory| directory.join(name))
            .find(|candidate| is_executable(candidate))
    }

    /// Returns the directory in which private tools are kept: `STACKCTL_CACHE_DIR`, or `stackctl` in the user's
    /// cache directory.
    pub fn cache_dir(&self) -> Result<PathBuf, CacheDirError> {
        let absolute = |name| {
            self.get(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        if let Some(directory) = absolute("STACKCTL_CACHE_DIR") {
            return Ok(directory);
        }
        if let Some(directory) = absolute("XDG_CACHE_HOME") {
            return Ok(directory.join("stackctl"));
        }
        let user_caches = if cfg!(target_os = "macos") {
            "Library/Caches"
        } else {
            ".cache"
        };
        absolute("HOME")
            .map(|home| home.join(user_caches).join("stackctl"))
            .ok_or(CacheDirError)
    }
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_dir_prefers_our_own_variable() {
        let variables = Variables::default().with("HOME", "/home/u");
        assert!(variables.cache_dir().unwrap().starts_with("/home/u"));
        let variables = variables.with("XDG_CACHE_HOME", "/xdg");
        assert_eq!(variables.cache_dir().unwrap(), Path::new("/xdg/stackctl"));
        let variables = variables.with("STACKCTL_CACHE_DIR", "/own");
        assert_eq!(variables.cache_dir().unwrap(), Path::new("/own"));
    }

    #[test]
    fn relative_and_empty_directories_are_passed_over() {
        // The XDG base directory specification: a relative path is invalid and is to be ignored.
        let variables = Variables::default()
            .with("XDG_CACHE_HOME", "relative")
            .with("STACKCTL_CACHE_DIR", "");
        assert_eq!(variables.cache_dir(), Err(CacheDirError));
    }

    #[test]
    fn programs_are_found_on_path_only_when_executable() {
        let directory = tempfile::tempdir().unwrap();
        let tool = directory.path().join("tool");
        std::fs::write(&tool, "").unwrap();
        let variables = Variables::default().with("PATH", directory.path());
        assert_eq!(variables.find_program("tool"), None);
        std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        assert_eq!(variables.find_program("tool"), Some(tool));
    }
}
