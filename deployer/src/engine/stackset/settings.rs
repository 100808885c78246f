//! Where the stacks of a stack set are, and how CloudFormation goes about them.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::{
    AutoDeployment, CallAs, ConcurrencyMode, PermissionModels, RegionConcurrencyType,
    StackSetOperationPreferences,
};

/// Where the instances of stack sets are, and how CloudFormation goes about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackSetSettings {
    /// The accounts.
    pub targets: Targets,
    /// The regions, in the order in which they are worked on.
    pub regions: Vec<String>,
    /// In how many accounts of a region CloudFormation works at once.
    pub concurrency: u16,
    /// In how many accounts of a region it may fail before it stops.
    pub failures: u16,
    /// Whether it works in all regions at once.
    pub parallel_regions: bool,
    /// Whether the caller is a delegated administrator of the organisation, not its management account.
    pub delegated: bool,
}

/// Which accounts get the stacks, and with whose permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    /// These, which have an execution role that the administrator may assume: self-managed permissions.
    Accounts {
        /// The accounts.
        accounts: Vec<String>,
        /// The role of the administrator, where it is not `AWSCloudFormationStackSetAdministrationRole`.
        administration_role: Option<String>,
        /// The role in the accounts, where it is not `AWSCloudFormationStackSetExecutionRole`.
        execution_role: Option<String>,
    },
    /// Those of organizational units: service-managed permissions.
    Units {
        /// The units, or the root of the organisation.
        units: Vec<String>,
        /// Whether accounts that join later get their stacks by themselves.
        auto_deploy: bool,
        /// Whether the stacks of accounts that leave stay there, outside of the stack set.
        retain: bool,
    },
}

impl StackSetSettings {
    pub(super) fn call_as(&self) -> CallAs {
        if self.delegated {
            CallAs::DelegatedAdmin
        } else {
            CallAs::SelfValue
        }
    }

    pub(super) fn permission_model(&self) -> PermissionModels {
        match self.targets {
            Targets::Accounts { .. } => PermissionModels::SelfManaged,
            Targets::Units { .. } => PermissionModels::ServiceManaged,
        }
    }

    pub(super) fn auto_deployment(&self) -> Option<AutoDeployment> {
        match self.targets {
            Targets::Accounts { .. } => None,
            Targets::Units {
                auto_deploy,
                retain,
                ..
            } => {
                let builder = AutoDeployment::builder().enabled(auto_deploy);
                // It must be said where accounts come and go, and must not be where they do not.
                let builder = if auto_deploy {
                    builder.retain_stacks_on_account_removal(retain)
                } else {
                    builder
                };
                Some(builder.build())
            }
        }
    }

    pub(super) fn roles(&self) -> (Option<String>, Option<String>) {
        match &self.targets {
            Targets::Accounts {
                administration_role,
                execution_role,
                ..
            } => (administration_role.clone(), execution_role.clone()),
            Targets::Units { .. } => (None, None),
        }
    }

    /// Returns the names of the accounts or units.
    pub(super) fn names(&self) -> &[String] {
        match &self.targets {
            Targets::Accounts { accounts, .. } => accounts,
            Targets::Units { units, .. } => units,
        }
    }

    /// Says how CloudFormation goes from one region to the next, as far as those regions go
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackSetOperationPreferences.html>).
    pub(super) fn preferences(&self, regions: &BTreeSet<&str>) -> StackSetOperationPreferences {
        let is_worked_on = |region: &&String| regions.contains(region.as_str());
        let mut order: Vec<String> = self.regions.iter().filter(is_worked_on).cloned().collect();
        // Regions that are no targets any more come last.
        for region in regions {
            if !order.iter().any(|it| it == region) {
                order.push((*region).to_owned());
            }
        }
        let concurrency = if self.parallel_regions {
            RegionConcurrencyType::Parallel
        } else {
            RegionConcurrencyType::Sequential
        };
        // In the strict mode no more accounts are worked on at once than may fail, and one.
        let mode = if self.concurrency > self.failures.saturating_add(1) {
            ConcurrencyMode::SoftFailureTolerance
        } else {
            ConcurrencyMode::StrictFailureTolerance
        };
        StackSetOperationPreferences::builder()
            .region_concurrency_type(concurrency)
            .set_region_order((!order.is_empty()).then_some(order))
            .failure_tolerance_count(i32::from(self.failures))
            .max_concurrent_count(i32::from(self.concurrency))
            .concurrency_mode(mode)
            .build()
    }
}
