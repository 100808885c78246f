//! Where the stack sets of a stage have their instances.

use std::num::NonZeroU16;

use serde::Deserialize;

use super::{Account, Region};
use crate::engine::{StackSetSettings, Targets};

/// The table `[stages.<stage>.stacksets]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct StackSets {
    targets: Targets,
    /// Whether the stacks of accounts that leave stay; none, where the stage decides.
    retain_on_leave: Option<bool>,
    regions: Vec<Region>,
    concurrency: NonZeroU16,
    failures: u16,
    parallel_regions: bool,
    delegated: bool,
}

/// The table as it is written: its targets in one of two forms.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    accounts: Option<Vec<Account>>,
    administration_role: Option<String>,
    execution_role: Option<String>,
    organizational_units: Option<Vec<String>>,
    auto_deploy: Option<bool>,
    retain_on_leave: Option<bool>,
    #[serde(default)]
    regions: Vec<Region>,
    concurrency: Option<NonZeroU16>,
    #[serde(default)]
    failures: u16,
    #[serde(default)]
    parallel_regions: bool,
    #[serde(default)]
    delegated: bool,
}

impl TryFrom<Written> for StackSets {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let targets = match (written.accounts, written.organizational_units) {
            (Some(accounts), None) => {
                let of_units = written.auto_deploy.is_some() || written.retain_on_leave.is_some();
                if of_units || written.delegated {
                    return Err(
                        "`auto_deploy`, `retain_on_leave` and `delegated` belong to `organizational_units`: with `accounts`, nothing knows \
                         of the organisation"
                            .to_owned(),
                    );
                }
                Targets::Accounts {
                    accounts: accounts.iter().map(ToString::to_string).collect(),
                    administration_role: written.administration_role,
                    execution_role: written.execution_role,
                }
            }
            (None, Some(units)) => {
                if written.administration_role.is_some() || written.execution_role.is_some() {
                    return Err(
                        "roles belong to `accounts`: with `organizational_units`, CloudFormation makes its own"
                            .to_owned(),
                    );
                }
                if let Some(unit) = units.iter().find(|unit| !is_unit(unit)) {
                    return Err(format!(
                        "`{unit}` is neither an organizational unit, such as `ou-ab12-12345678`, nor the root of an \
                         organisation, such as `r-ab12`"
                    ));
                }
                Targets::Units {
                    units,
                    auto_deploy: written.auto_deploy.unwrap_or(false),
                    retain: false,
                }
            }
            _ => return Err("write one of `accounts` and `organizational_units`".to_owned()),
        };
        let none = match &targets {
            Targets::Accounts { accounts, .. } => accounts.is_empty(),
            Targets::Units { units, .. } => units.is_empty(),
        };
        if none {
            return Err("there is no target".to_owned());
        }
        Ok(Self {
            targets,
            retain_on_leave: written.retain_on_leave,
            regions: written.regions,
            concurrency: written.concurrency.unwrap_or(NonZeroU16::MIN),
            failures: written.failures,
            parallel_regions: written.parallel_regions,
            delegated: written.delegated,
        })
    }
}

/// Returns whether a text is the id of an organizational unit or of a root
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeploymentTargets.html>).
fn is_unit(text: &str) -> bool {
    let plain = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&part.len())
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    match text.split('-').collect::<Vec<_>>().as_slice() {
        ["ou", root, unit] => plain(root, 4..=32) && plain(unit, 8..=32),
        ["r", root] => plain(root, 4..=32),
        _ => false,
    }
}

impl StackSets {
    /// Returns the settings of an environment; without regions of their own, stack sets are in its region.
    ///
    /// Accounts that leave a protected stage keep their stacks, and the data in them, unless the table says otherwise.
    pub(super) fn settings(&self, region: &Region, protected: bool) -> StackSetSettings {
        let mut targets = self.targets.clone();
        if let Targets::Units { retain, .. } = &mut targets {
            *retain = self.retain_on_leave.unwrap_or(protected);
        }
        let mut regions: Vec<String> = self.regions.iter().map(ToString::to_string).collect();
        if regions.is_empty() {
            regions.push(region.to_string());
        }
        StackSetSettings {
            targets,
            regions,
            concurrency: self.concurrency.get(),
            failures: self.failures,
            parallel_regions: self.parallel_regions,
            delegated: self.delegated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<StackSets, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn stack_sets_are_in_the_region_of_the_stage_unless_they_say_otherwise() {
        let home: Region = toml::Value::String("eu-west-1".into())
            .try_into()
            .expect("is one");
        let sets =
            read("organizational_units = [\"ou-ab12-12345678\", \"r-ab12\"]").expect("is valid");
        let settings = sets.settings(&home, false);
        assert_eq!(settings.regions, ["eu-west-1"]);
        assert_eq!((settings.concurrency, settings.failures), (1, 0));
        let sets = read(
            "accounts = [\"111111111111\"]\nregions = [\"us-east-1\", \"us-east-2\"]\nconcurrency = 3",
        );
        let settings = sets.expect("is valid").settings(&home, false);
        assert_eq!(settings.regions, ["us-east-1", "us-east-2"]);
        assert_eq!(settings.concurrency, 3);
    }

    #[test]
    fn accounts_that_leave_a_protected_stage_keep_their_stacks() {
        let home: Region = toml::Value::String("eu-west-1".into())
            .try_into()
            .expect("is one");
        let unit = "organizational_units = [\"r-ab12\"]\nauto_deploy = true";
        for (more, protected, expected) in [
            ("", false, false),
            ("", true, true),
            ("\nretain_on_leave = false", true, false),
            ("\nretain_on_leave = true", false, true),
        ] {
            let sets = read(&format!("{unit}{more}")).expect("is valid");
            let Targets::Units { retain, .. } = sets.settings(&home, protected).targets else {
                panic!("they are units");
            };
            assert_eq!(retain, expected, "{more} {protected}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (text, expected) in [
            ("", "write one of `accounts`"),
            ("accounts = []", "there is no target"),
            (
                "accounts = [\"1\"]",
                "`1` is not the number of an AWS account",
            ),
            (
                "accounts = [\"111111111111\"]\norganizational_units = [\"r-ab12\"]",
                "write one of",
            ),
            (
                "accounts = [\"111111111111\"]\ndelegated = true",
                "belong to `organizational_units`",
            ),
            (
                "accounts = [\"111111111111\"]\nretain_on_leave = true",
                "belong to `organizational_units`",
            ),
            ("organizational_units = [\"team\"]", "`team` is neither"),
            (
                "organizational_units = [\"r-ab12\"]\nexecution_role = \"x\"",
                "roles belong to `accounts`",
            ),
            (
                "organizational_units = [\"r-ab12\"]\nconcurrency = 0",
                "nonzero",
            ),
        ] {
            let message = read(text).expect_err("must be refused");
            assert!(message.contains(expected), "{message}");
        }
    }
}
