//! Finds and installs cargo-lambda, which builds functions for AWS on any machine.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Variables;
use super::environment::{InstallError, PythonEnvironment, Requirements};
use super::variables::CacheDirError;
use crate::engine::Cancel;
use crate::error::{Error, Kind};

/// The packages of the build tools: cargo-lambda, and the Zig compiler that it links with.
pub const BUILD_TOOLS: Requirements = Requirements {
    name: "build",
    text: include_str!("requirements.txt"),
};

/// Is a cargo-lambda that can build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LambdaBuilder {
    /// The program; its first argument is `lambda`.
    pub program: PathBuf,
    /// Variables that it needs beside the user's.
    pub environment: Vec<(OsString, OsString)>,
}

/// Says that functions cannot be built for AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("cargo-lambda is not installed")]
pub struct MissingLambdaBuilder;

impl LambdaBuilder {
    /// Finds the user's own cargo-lambda, or the one that [`Self::install`] installed.
    ///
    /// The user's own counts only when Zig is beside it: without, it would stop in the middle of a build to ask how
    /// Zig is to be installed.
    pub fn find(variables: &Variables) -> Result<Option<Self>, CacheDirError> {
        if let Some(program) = variables.find_program("cargo-lambda")
            && has_zig(&program, variables)
        {
            return Ok(Some(Self {
                program,
                environment: Vec::new(),
            }));
        }
        Ok(BUILD_TOOLS
            .installed(variables)?
            .map(|environment| Self::private(&environment, variables)))
    }

    /// Installs cargo-lambda into the tool's private environment, once per machine.
    pub fn install(
        variables: &Variables,
        cancel: &Cancel,
        installing: impl FnOnce(&Path),
    ) -> Result<Self, InstallError> {
        let environment = BUILD_TOOLS.install(variables, cancel, installing)?;
        Ok(Self::private(&environment, variables))
    }

    fn private(environment: &PythonEnvironment, variables: &Variables) -> Self {
        let user = variables.get("PATH").unwrap_or_default();
        let directories = std::iter::once(environment.bin()).chain(std::env::split_paths(user));
        let path = std::env::join_paths(directories).unwrap_or_else(|_| user.to_owned());
        let mut added = vec![(OsString::from("PATH"), path)];
        // The pinned Zig, whatever other one the user has.
        if let Some(zig) = zig_of(environment) {
            added.push(("CARGO_ZIGBUILD_ZIG_PATH".into(), zig.into()));
        }
        Self {
            program: environment.program("cargo-lambda"),
            environment: added,
        }
    }
}

impl From<MissingLambdaBuilder> for Error {
    fn from(error: MissingLambdaBuilder) -> Self {
        Self::from_source(Kind::Toolchain, &error)
            .hint("install it into the tool's private environment: `stackctl doctor --install`")
    }
}

/// Tells whether a cargo-lambda of the user's will find Zig, or was told to use another compiler.
fn has_zig(program: &Path, variables: &Variables) -> bool {
    variables.get("CARGO_LAMBDA_COMPILER").is_some()
        || variables.get("CARGO_ZIGBUILD_ZIG_PATH").is_some()
        || variables.find_program("zig").is_some()
        // Installed by pip, it has the package's launcher beside it.
        || program.with_file_name("python-zig").is_file()
}

fn zig_of(environment: &PythonEnvironment) -> Option<PathBuf> {
    let pythons = fs::read_dir(environment.bin().with_file_name("lib")).ok()?;
    pythons
        .flatten()
        .map(|python| python.path().join("site-packages/ziglang/zig"))
        .find(|zig| zig.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolchain::testing::write_script;

    #[test]
    fn a_cargo_lambda_without_zig_does_not_count() {
        let directory = tempfile::tempdir().unwrap();
        write_script(&directory.path().join("cargo-lambda"), "");
        let variables = Variables::default()
            .with("PATH", directory.path())
            .with("STACKCTL_CACHE_DIR", directory.path().join("cache"));
        assert_eq!(LambdaBuilder::find(&variables), Ok(None));
        write_script(&directory.path().join("zig"), "");
        let expected = LambdaBuilder {
            program: directory.path().join("cargo-lambda"),
            environment: Vec::new(),
        };
        assert_eq!(LambdaBuilder::find(&variables), Ok(Some(expected)));
    }

    #[test]
    fn the_private_one_comes_first_on_its_path_with_its_own_zig() {
        let directory = tempfile::tempdir().unwrap();
        write_script(
            &directory.path().join("python3"),
            "case \"$*\" in
             '-I -c import os'*) echo \"cpython 3.12.1 venv $0\" ;;
             '-I -m venv '*) mkdir -p \"$4/bin\" && cp \"$0\" \"$4/bin/python\" ;;
             *) D=${0%/bin/python}; mkdir -p \"$D/lib/python3.12/site-packages/ziglang\"
                cp \"$0\" \"$D/bin/cargo-lambda\"; cp \"$0\" \"$D/lib/python3.12/site-packages/ziglang/zig\" ;;
             esac",
        );
        let user = format!("{}:/usr/bin:/bin", directory.path().display());
        let variables = Variables::default()
            .with("PATH", &user)
            .with("STACKCTL_CACHE_DIR", directory.path().join("cache"));
        let installed = LambdaBuilder::install(&variables, &Cancel::never(), |_| {}).unwrap();
        assert_eq!(LambdaBuilder::find(&variables), Ok(Some(installed.clone())));
        let bin = installed.program.parent().unwrap().to_owned();
        let [(_, path), (zig_name, zig)] = installed.environment.as_slice() else {
            panic!("{installed:?}")
        };
        assert_eq!(
            path.to_str(),
            Some(format!("{}:{user}", bin.display()).as_str())
        );
        assert_eq!(zig_name, "CARGO_ZIGBUILD_ZIG_PATH");
        assert!(Path::new(zig).ends_with("site-packages/ziglang/zig"));
    }

    #[test]
    fn every_package_of_the_build_tools_is_pinned() {
        assert!(BUILD_TOOLS.text.contains("cargo-lambda=="));
        let packages = BUILD_TOOLS
            .text
            .lines()
            .filter(|line| line.contains("=="))
            .count();
        assert!(BUILD_TOOLS.text.matches("--hash=sha256:").count() > packages);
    }
}
