//! The checks of `doctor`: each looks at one thing and says what mends it.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use stack_model::assembly::Architecture;

use crate::aws::{ConnectError, Identity};
use crate::command::orphans;
use crate::config::{Project, Stage, StageName};
use crate::engine::Stray;
use crate::error::{Error, Kind, Result};
use crate::local::{ENGINE_VERSION, REQUIREMENTS, Status};
use crate::toolchain::{self, LambdaBuilder, Python, Rust, Variables};

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// What was looked at.
    pub(super) name: String,
    /// How it is.
    pub(super) state: State,
    /// What was found.
    pub(super) message: String,
    /// What mends it, if it needs mending.
    pub(super) mend: Vec<String>,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// Something does not work that not everybody needs.
    Warn,
    /// Nothing can be deployed like this.
    Fail,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl Check {
    pub(super) fn ok(name: &str, message: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            state: State::Ok,
            message: message.into(),
            mend: Vec::new(),
        }
    }

    pub(super) fn warn(name: &str, message: impl Into<String>, mend: impl Into<String>) -> Self {
        let mend = vec![mend.into()];
        Self {
            name: name.to_owned(),
            state: State::Warn,
            message: message.into(),
            mend,
        }
    }

    fn of_error(name: &str, state: State, error: &Error) -> Self {
        Self {
            name: name.to_owned(),
            state,
            message: error.to_string(),
            mend: error.hints().to_vec(),
        }
    }
}

/// Checks that there is a configuration, and that it has the stage that was asked for.
pub(super) fn configuration(project: &Result<Project>, stage: Option<&str>) -> Check {
    let name = "configuration";
    let project = match project {
        Ok(project) => project,
        Err(error) => return Check::of_error(name, State::Fail, error),
    };
    if let Some(Err(error)) = stage.map(|stage| project.stage(stage)) {
        return Check::of_error(name, State::Fail, &error);
    }
    let stages: Vec<_> = project
        .config
        .stages
        .keys()
        .map(StageName::as_str)
        .collect();
    if stages.is_empty() {
        let mend = "add `[stages.dev]` with a `region`";
        return Check::warn(
            name,
            format!("{} has no stages", project.file.display()),
            mend,
        );
    }
    Check::ok(
        name,
        format!("{}: {}", project.file.display(), stages.join(", ")),
    )
}

/// Checks that the app has a name, without which nobody can say whose a deployed stack is.
pub(super) fn app(project: &Project) -> Check {
    let name = "app";
    match project.config.workspace.name() {
        Some(app) => Check::ok(name, app),
        None => Check::warn(
            name,
            "without a name: a stack that is removed or renamed in the source stays deployed, and no command tells that it is of \
             this workspace",
            "add `name` under `[workspace]` in stackctl.toml",
        ),
    }
}

/// Checks that Rust is there and recent enough.
pub(super) fn rust(variables: &Variables, root: &Path) -> Check {
    match Rust::find(variables, root) {
        Ok(rust) => Check::ok("rust", rust.version.to_string()),
        Err(error) => Check::of_error("rust", State::Fail, &error.into()),
    }
}

/// Checks that there is a Python to install tools with. What is installed already works without.
pub(super) fn python(variables: &Variables) -> Check {
    match Python::find(variables) {
        Ok(python) => Check::ok("python", python.to_string()),
        Err(error) => Check::warn("python", error.to_string(), error.hint()),
    }
}

/// Checks that functions can be built for AWS.
pub(super) fn lambda_builder(variables: &Variables) -> Check {
    let name = "cargo-lambda";
    match LambdaBuilder::find(variables) {
        Ok(Some(builder)) => Check::ok(name, builder.program.display().to_string()),
        Ok(None) => Check::warn(
            name,
            "not installed: deploys to AWS need it",
            "run `stackctl doctor --install`",
        ),
        Err(error) => Check::of_error(name, State::Warn, &error.into()),
    }
}

/// Returns the architectures that the stages build functions for.
pub(super) fn architectures(stages: &[(String, &Stage)]) -> BTreeSet<Architecture> {
    let stages = stages.iter();
    stages.map(|(_, stage)| stage.architecture).collect()
}

/// Checks that Rust can compile for an architecture of AWS Lambda.
pub(super) fn rust_target(architecture: Architecture, variables: &Variables, root: &Path) -> Check {
    let name = "rust target";
    match toolchain::check_target(architecture, variables, root) {
        Ok(()) => Check::ok(name, toolchain::target(architecture)),
        Err(error) => Check::of_error(name, State::Warn, &error.into()),
    }
}

/// Checks whether the local engine is installed; it installs itself when it is first needed.
pub(super) fn engine_installed(variables: &Variables) -> Check {
    let name = "local engine";
    match REQUIREMENTS.installed(variables) {
        Ok(Some(_)) => Check::ok(name, format!("{ENGINE_VERSION} is installed")),
        Ok(None) => Check::ok(
            name,
            format!("{ENGINE_VERSION} will be installed when it is first needed"),
        ),
        Err(error) => Check::of_error(name, State::Warn, &error.into()),
    }
}

/// Says whether the workspace's engine runs.
pub(super) fn engine_running(status: Result<Status>) -> Check {
    let name = "engine state";
    match status {
        Ok(Status {
            endpoint: Some(endpoint),
            version,
            ..
        }) => Check::ok(name, format!("{version} is running on {endpoint}")),
        Ok(_) => Check::ok(name, "not running; `--local` starts it"),
        Err(error) => Check::of_error(name, State::Warn, &error),
    }
}

/// Checks that there are credentials for a stage, and that they belong to its account, which a protected one has to name.
pub(super) fn credentials(name: &str, stage: &Stage, identity: Result<Identity>) -> Check {
    let title = format!("stage {name}");
    let region = &stage.region;
    match identity {
        Ok(identity) => match &stage.account {
            Some(account) if account.as_str() != identity.account => Check {
                name: title,
                state: State::Fail,
                message: format!(
                    "the credentials belong to account {}, the stage to {account}",
                    identity.account
                ),
                mend: vec![
                    format!("the caller is {}", identity.arn),
                    "correct `account` or `profile` of the stage, or choose another AWS_PROFILE"
                        .to_owned(),
                ],
            },
            None if stage.protected => {
                let error = ConnectError::Unpinned {
                    actual: identity.account,
                    arn: identity.arn,
                };
                Check::of_error(&title, State::Fail, &error.into())
            }
            _ => Check::ok(
                &title,
                format!(
                    "account {} in {region}, as {}",
                    identity.account, identity.arn
                ),
            ),
        },
        // Who only works locally needs none. What every provider of credentials says about itself is noise here.
        Err(error) if error.kind() == Kind::Credentials => Check {
            message: error.message().to_owned(),
            ..Check::of_error(&title, State::Warn, &error)
        },
        Err(error) => Check::of_error(&title, State::Warn, &error),
    }
}

/// Checks that the stages of all stacks of the app are in the configuration; says nothing where they are.
pub(super) fn stages(stage: &Stage, strays: Result<Vec<Stray>>) -> Option<Check> {
    let name = "stages";
    let region = stage.region.as_str();
    match strays {
        Ok(strays) if strays.is_empty() => None,
        Ok(strays) => Some(Check {
            name: name.to_owned(),
            state: State::Warn,
            message: format!("in {region} are stacks of stages that nobody has any more"),
            mend: orphans::strayed(&strays, region),
        }),
        Err(error) => {
            let message =
                format!("nobody knows whether stacks of other stages are in {region}: {error}");
            let mend = "listing stacks takes `cloudformation:DescribeStacks` and `cloudformation:ListStacks` on all";
            Some(Check::warn(name, message, mend))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(text: &str) -> Stage {
        let stage: crate::config::StageConfig = toml::from_str(text).unwrap();
        stage.environments()[0].clone()
    }

    fn identity(account: &str) -> Identity {
        Identity {
            account: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:user/me"),
        }
    }

    #[test]
    fn the_wrong_account_fails() {
        let stage = stage("region = \"eu-central-1\"\naccount = \"111111111111\"");
        let check = credentials("prod", &stage, Ok(identity("222222222222")));
        assert_eq!(check.state, State::Fail);
        assert_eq!(
            check.message,
            "the credentials belong to account 222222222222, the stage to 111111111111"
        );
        let check = credentials("prod", &stage, Ok(identity("111111111111")));
        assert_eq!(check.state, State::Ok);
        assert_eq!(
            check.message,
            "account 111111111111 in eu-central-1, as arn:aws:iam::111111111111:user/me"
        );
    }

    #[test]
    fn a_protected_stage_without_an_account_fails() {
        let text = "region = \"eu-central-1\"\nprotected = true";
        let check = credentials("prod", &stage(text), Ok(identity("222222222222")));
        assert_eq!(check.state, State::Fail);
        assert_eq!(
            check.message,
            "the stage is protected and does not name its account, and the credentials belong to account 222222222222"
        );
        let line = "`account = \"222222222222\"`";
        assert!(check.mend[1].contains(line), "{:?}", check.mend);
        let pinned = format!("{text}\naccount = \"222222222222\"");
        let check = credentials("prod", &stage(&pinned), Ok(identity("222222222222")));
        assert_eq!(check.state, State::Ok);
    }

    #[test]
    fn missing_credentials_warn_with_their_hints() {
        let stage = stage("region = \"eu-central-1\"");
        let error =
            Error::new(Kind::Credentials, "there are no credentials").hint("`aws sso login`");
        let check = credentials("dev", &stage, Err(error));
        assert_eq!(
            (check.state, check.mend),
            (State::Warn, vec!["`aws sso login`".to_owned()])
        );
    }

    #[test]
    fn no_configuration_fails_and_says_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let check = configuration(&Project::load(directory.path(), None), None);
        assert_eq!(check.state, State::Fail);
        assert!(
            check.message.contains("stackctl.toml") && !check.mend.is_empty(),
            "{check:?}"
        );
    }

    #[test]
    fn an_unknown_stage_fails() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(
            directory.path().join("stackctl.toml"),
            "[stages.dev]\nregion = \"us-east-1\"\n",
        )
        .unwrap();
        let project = Project::load(directory.path(), None);
        assert_eq!(configuration(&project, Some("dev")).state, State::Ok);
        let check = configuration(&project, Some("prdo"));
        assert_eq!(check.state, State::Fail);
        assert!(check.message.contains("prdo"), "{check:?}");
    }

    #[test]
    fn without_tools_everything_says_what_mends_it() {
        let directory = tempfile::tempdir().unwrap();
        let variables = Variables::default()
            .with("PATH", directory.path())
            .with("STACKCTL_CACHE_DIR", directory.path());
        let found = [
            rust(&variables, directory.path()),
            python(&variables),
            lambda_builder(&variables),
            rust_target(Architecture::Arm64, &variables, directory.path()),
        ];
        assert_eq!(found[0].state, State::Fail);
        for check in &found {
            assert_ne!(check.state, State::Ok, "{check:?}");
            assert!(!check.mend.is_empty(), "{check:?}");
        }
    }
}
