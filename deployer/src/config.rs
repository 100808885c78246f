//! Reads `stackctl.toml`.

mod assignment;
mod environments;
mod find;
mod region;
mod stackset;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{self, Deserializer};
use serde_json::{Map, Value};
use stack_model::assembly::{Architecture, FORMAT, StageRequest, SynthRequest};

pub use assignment::{Assignment, AssignmentError};
pub use environments::{Rollout, StageConfig};

use crate::engine::StackSetSettings;
use crate::error::{Error, Kind, Result};

/// The name of the configuration file.
pub const FILE_NAME: &str = "stackctl.toml";

/// A configuration that was found and read.
#[derive(Clone, Debug)]
pub struct Project {
    /// The directory that Cargo is run in.
    pub root: PathBuf,
    /// The file that was read.
    pub file: PathBuf,
    /// Where this tool keeps what it remembers: `STACKCTL_STATE_DIR`, or `.stackctl` in the root.
    pub state_dir: PathBuf,
    /// The contents of the file.
    pub config: Config,
}

/// The contents of `stackctl.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The workspace.
    #[serde(default)]
    pub workspace: Workspace,
    /// The stages by name.
    #[serde(default)]
    pub stages: BTreeMap<StageName, StageConfig>,
}

/// What `stackctl` must know of the Cargo workspace.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workspace {
    /// The package whose binary renders the stacks.
    #[serde(default = "stacks")]
    pub stacks: String,
    /// The name of the app, which tells its stacks from those of other workspaces.
    pub name: Option<AppName>,
}

fn stacks() -> String {
    "stacks".to_owned()
}

impl Workspace {
    /// Returns the name of the app, where it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(AppName::as_str)
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self {
            stacks: stacks(),
            name: None,
        }
    }
}

/// One stage, in one of its environments: an account and a region.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The region that stacks are deployed to unless they say otherwise.
    pub region: Region,
    /// The account that the stage belongs to; a deploy to another one is refused.
    pub account: Option<Account>,
    /// The profile of the AWS configuration files.
    pub profile: Option<String>,
    /// Whether data is retained and stacks are protected against deletion.
    pub protected: bool,
    /// The managed policy that no role of the stage goes beyond, by its name with its path, or by its ARN; the stacks
    /// check it.
    pub permissions_boundary: Option<String>,
    /// The architecture that functions are built for.
    pub architecture: Architecture,
    /// The variables of the stage, by system.
    pub variables: Map<String, Value>,
    /// Where stack sets have their instances.
    pub stack_sets: Option<StackSetSettings>,
    /// How the environment is told from the others of the stage, `REGION` or `ACCOUNT/REGION`; nothing, where it is the
    /// only one.
    pub label: Option<String>,
}

/// The name of a stage: lower case letters, digits and hyphens, starting with a letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StageName(String);

/// The name of an app: letters, digits, hyphens, underscores and full stops, starting with a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppName(String);

/// The name of an AWS region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region(String);

/// The number of an AWS account: twelve digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account(String);

macro_rules! checked_text {
    ($($type:ident: $check:ident, $expected:literal;)*) => {$(
        impl $type {
            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                if $check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(format!(concat!("`{}` is not ", $expected), text))
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

checked_text! {
    StageName: is_stage_name, "the name of a stage: use up to 32 lower case letters, digits and single hyphens, starting with a letter";
    AppName: is_app_name, "the name of an app: use up to 64 letters, digits, hyphens, underscores and full stops, starting with a letter";
    Region: is_region, "the name of an AWS region, such as `us-east-1`";
    Account: is_account, "the number of an AWS account: twelve digits, in quotes";
}

fn is_stage_name(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn is_app_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn is_region(text: &str) -> bool {
    let mut parts = text.split('-').rev();
    let number = parts.next().unwrap_or_default();
    let words: Vec<_> = parts.collect();
    !number.is_empty()
        && number.chars().all(|c| c.is_ascii_digit())
        && words.len() >= 2
        && words
            .iter()
            .all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase()))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.chars().all(|c| c.is_ascii_digit())
}

/// Reads TOML tables as JSON. Dates have no JSON form and become text.
fn json_tables<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    let tables = toml::Table::deserialize(deserializer)?;
    tables
        .into_iter()
        .map(|(key, value)| json(&key, value).map(|value| (key, value)))
        .collect::<Result<_, _>>()
        .map_err(de::Error::custom)
}

fn json(path: &str, value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => serde_json::Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| format!("`{path}` is {number}, which has no JSON form"))?,
        toml::Value::Boolean(value) => Value::Bool(value),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(elements) => elements
            .into_iter()
            .map(|element| json(path, element))
            .collect::<Result<_, _>>()?,
        toml::Value::Table(entries) => entries
            .into_iter()
            .map(|(key, value)| json(&format!("{path}.{key}"), value).map(|value| (key, value)))
            .collect::<Result<Map<_, _>, _>>()
            .map(Value::Object)?,
    })
}

impl Project {
    /// A project of a directory with this configuration, which nobody wrote down.
    #[cfg(test)]
    pub(crate) fn of_test(directory: &Path, config: &str) -> Self {
        Self {
            root: directory.to_owned(),
            file: directory.join(FILE_NAME),
            state_dir: directory.join("state"),
            config: toml::from_str(config).expect("the configuration is right"),
        }
    }

    /// Finds and reads the configuration.
    ///
    /// Without `explicit`, the file is looked for in `directory` and its ancestors, and its place is the root of
    /// the workspace. With it, the root is the nearest ancestor of `directory` that holds a Cargo workspace.
    pub fn load(directory: &Path, explicit: Option<&Path>) -> Result<Self> {
        let (file, root) = match explicit {
            Some(file) => (directory.join(file), find::workspace_root(directory)?),
            None => find::config(directory)?,
        };
        let text = std::fs::read_to_string(&file).map_err(|error| {
            Error::new(
                Kind::Configuration,
                format!("cannot read {}", file.display()),
            )
            .caused_by(&error)
        })?;
        let state_dir = crate::cli::env::STATE_DIR
            .path()
            .map_or_else(|| root.join(".stackctl"), |path| directory.join(path));
        Ok(Self {
            config: Config::parse(&text, &file)?,
            root,
            file,
            state_dir,
        })
    }

    /// Returns the stage of that name, with all its environments.
    pub fn stage(&self, name: &str) -> Result<&StageConfig> {
        self.config
            .stages
            .iter()
            .find_map(|(key, stage)| (key.as_str() == name).then_some(stage))
            .ok_or_else(|| self.unknown_stage(name))
    }

    fn unknown_stage(&self, name: &str) -> Error {
        let names: Vec<&str> = self.config.stages.keys().map(StageName::as_str).collect();
        let error = Error::new(
            Kind::Configuration,
            format!("there is no stage `{name}` in {}", self.file.display()),
        );
        if names.is_empty() {
            return error.hint(format!(
                "add `[stages.{name}]` with a `region` to {FILE_NAME}"
            ));
        }
        error.hint(match crate::cli::nearest(name, &names) {
            Some(near) => format!("did you mean `--stage {near}`?"),
            None => format!("the stages are {}", list(&names)),
        })
    }
}

/// Writes names for a sentence: "`a`, `b` and `c`".
pub(crate) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "none".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

impl Config {
    /// Returns what is odd in the file and no error.
    pub fn oddities(&self) -> BTreeSet<String> {
        let stages = self.stages.values().flat_map(StageConfig::environments);
        stages
            .flat_map(|stage| {
                let sets = stage.stack_sets.iter();
                let sets = sets.flat_map(|sets| sets.regions.iter());
                let sets = sets.filter_map(|region| region::oddity(region));
                stage.region.oddity().into_iter().chain(sets)
            })
            .collect()
    }

    fn parse(text: &str, file: &Path) -> Result<Self> {
        toml::from_str(text).map_err(|error| {
            Error::new(
                Kind::Configuration,
                format!("{} is not valid", file.display()),
            )
            .cause(error.to_string().trim_end().to_owned())
        })
    }
}

impl Stage {
    /// Returns the name under which files of the environment are kept.
    pub fn key(&self, name: &str) -> String {
        match &self.label {
            // No name of a stage has a full stop.
            Some(label) => format!("{name}.{}", label.replace('/', ".")),
            None => name.to_owned(),
        }
    }

    /// Returns what the stacks binary is asked for. It is the same wherever the templates are sent to.
    pub fn request(&self, name: &str, workspace: &Workspace) -> SynthRequest {
        SynthRequest {
            format: FORMAT,
            stage: StageRequest {
                name: name.to_owned(),
                app: workspace.name().map(str::to_owned),
                region: self.region.as_str().to_owned(),
                account: self
                    .account
                    .as_ref()
                    .map(|account| account.as_str().to_owned()),
                protected: self.protected,
                permissions_boundary: self.permissions_boundary.clone(),
                architecture: self.architecture,
                variables: self.variables.clone(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
