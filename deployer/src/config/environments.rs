//! The environments of a stage, and how a deploy goes from one to the next.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use serde::Deserialize;
use serde_json::{Map, Value};
use stack_model::assembly::Architecture;

use super::stackset::StackSets;
use super::{Account, Region, Stage, json_tables};
use crate::engine::Waves;

/// One stage of the file, with all its environments.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct StageConfig {
    /// The stage as each of its environments has it, in the order of the file; there is one at least.
    environments: Vec<Stage>,
    /// How a deploy goes from one environment to the next.
    pub rollout: Rollout,
}

/// How a deploy goes from one environment of a stage to the next.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// How many environments each wave has. The last number holds for all waves after it.
    #[serde(default = "one_by_one")]
    waves: Vec<NonZeroUsize>,
    /// How many environments may fail before no other wave begins.
    #[serde(default)]
    failures: usize,
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            waves: one_by_one(),
            failures: 0,
        }
    }
}

fn one_by_one() -> Vec<NonZeroUsize> {
    vec![NonZeroUsize::MIN]
}

impl Rollout {
    /// Parts that many environments into waves.
    pub fn waves(&self, environments: usize) -> Waves {
        Waves::new(environments, &self.waves, self.failures)
    }
}

/// A stage as it is written: its environments in one of three forms.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    region: Option<Region>,
    regions: Option<Vec<Region>>,
    environments: Option<Vec<WrittenEnvironment>>,
    account: Option<Account>,
    profile: Option<String>,
    #[serde(default)]
    protected: bool,
    permissions_boundary: Option<String>,
    #[serde(default)]
    architecture: Architecture,
    #[serde(default, deserialize_with = "json_tables")]
    variables: Map<String, Value>,
    #[serde(default)]
    rollout: Rollout,
    stacksets: Option<StackSets>,
}

/// One environment in the long form. What it does not say is that of the stage.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEnvironment {
    region: Region,
    account: Option<Account>,
    profile: Option<String>,
    #[serde(default, deserialize_with = "json_tables")]
    variables: Map<String, Value>,
}

impl WrittenEnvironment {
    fn of(region: Region) -> Self {
        Self {
            region,
            account: None,
            profile: None,
            variables: Map::new(),
        }
    }
}

impl TryFrom<Written> for StageConfig {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let environments = match (written.region, written.regions, written.environments) {
            (Some(region), None, None) => vec![WrittenEnvironment::of(region)],
            (None, Some(regions), None) => {
                regions.into_iter().map(WrittenEnvironment::of).collect()
            }
            (None, None, Some(environments)) => environments,
            (None, None, None) => {
                return Err(
                    "missing field `region`, or `regions` where the stage has several".into(),
                );
            }
            _ => {
                return Err("write one of `region`, `regions` and `environments`".into());
            }
        };
        let stages: Vec<Stage> = environments
            .into_iter()
            .map(|environment| {
                let mut variables = written.variables.clone();
                merge(&mut variables, environment.variables);
                let region = environment.region;
                Stage {
                    account: environment.account.or_else(|| written.account.clone()),
                    profile: environment.profile.or_else(|| written.profile.clone()),
                    protected: written.protected,
                    permissions_boundary: written.permissions_boundary.clone(),
                    architecture: written.architecture,
                    stack_sets: written
                        .stacksets
                        .as_ref()
                        .map(|sets| sets.settings(&region, written.protected)),
                    variables,
                    region,
                    label: None,
                }
            })
            .collect();
        if written.rollout.waves.is_empty() {
            return Err(
                "`waves` is empty: leave it out for one environment after the other".into(),
            );
        }
        Ok(Self {
            environments: labelled(stages)?,
            rollout: written.rollout,
        })
    }
}

/// Lays tables over those of the stage.
fn merge(under: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Object(under)), Value::Object(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

/// Names the environments of a stage that has several: by their regions, and by their accounts too where regions alone
/// do not tell them apart.
fn labelled(mut stages: Vec<Stage>) -> Result<Vec<Stage>, String> {
    match stages.as_slice() {
        [] => return Err("the stage has no region".into()),
        [_] => return Ok(stages),
        _ => {}
    }
    let regions: BTreeSet<&str> = stages.iter().map(|stage| stage.region.as_str()).collect();
    let by_region = regions.len() == stages.len();
    let mut labels = BTreeSet::new();
    for stage in &mut stages {
        let region = stage.region.as_str();
        let label = match &stage.account {
            Some(account) if !by_region => format!("{account}/{region}"),
            None if !by_region => {
                return Err(format!(
                    "several environments are in {region} or its like: each needs its `account`"
                ));
            }
            _ => region.to_owned(),
        };
        if !labels.insert(label.clone()) {
            return Err(format!("{label} is there twice"));
        }
        stage.label = Some(label);
    }
    Ok(stages)
}

impl StageConfig {
    /// Returns the stage as each of its environments has it.
    pub fn environments(&self) -> &[Stage] {
        &self.environments
    }
}
