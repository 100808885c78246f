//! Resources that somebody named because they hold a stack up: to be skipped by a rollback, or kept by a removal.
//!
//! CloudFormation takes such a list in one status alone and only of resources that failed
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html>,
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html>). What is named and
//! does not fit is refused before anything happens: somebody who means to keep a table must not lose it because the
//! name was taken for nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    DeployedStack,
    status::{State, Way},
    stuck::{self, FailedResource},
};
use crate::aws::{AwsError, Clients};

/// What was named, and what of it was found.
#[derive(Debug)]
pub(super) struct Named {
    asked: BTreeSet<String>,
    way: Way,
    found: BTreeMap<String, BTreeSet<String>>,
    candidates: Vec<String>,
}

/// Names that fit nothing, and what could be named instead.
#[derive(Debug)]
pub(super) struct Misfit {
    pub(super) names: Vec<String>,
    pub(super) candidates: Vec<String>,
}

impl Named {
    /// Takes names, by logical id or as `STACK/LOGICAL_ID`, for the stacks whose way on this is.
    pub(super) fn new(asked: BTreeSet<String>, way: Way) -> Self {
        Self {
            asked,
            way,
            found: BTreeMap::new(),
            candidates: Vec::new(),
        }
    }

    /// Looks for what could be named of a stack. It costs a call only where something was named and the stack is in the
    /// status that takes it.
    pub(super) async fn look(
        &self,
        clients: &Clients,
        deployed: &DeployedStack,
    ) -> Result<Vec<FailedResource>, AwsError> {
        if self.asked.is_empty() || State::of(Some(deployed)).way() != Some(self.way) {
            return Ok(Vec::new());
        }
        match self.way.failed_status() {
            Some(status) => stuck::resources(clients, &deployed.id, status).await,
            None => Ok(Vec::new()),
        }
    }

    /// Takes what could be named of a stack.
    pub(super) fn take(&mut self, stack: &str, resources: Vec<FailedResource>) {
        for resource in resources {
            let whole = format!("{stack}/{}", resource.logical_id);
            if self.asked.contains(&resource.logical_id) || self.asked.contains(&whole) {
                let found = self.found.entry(stack.to_owned()).or_default();
                found.insert(resource.logical_id.clone());
            }
            self.candidates.push(format!("{stack}/{}", resource.text()));
        }
    }

    /// Returns the names that fit nothing, where there are any.
    pub(super) fn misfit(&self) -> Option<Misfit> {
        let fits = |name: &String| {
            self.found.iter().any(|(stack, ids)| {
                ids.contains(name)
                    || name
                        .split_once('/')
                        .is_some_and(|(of, id)| of == stack && ids.contains(id))
            })
        };
        let names: Vec<String> = self
            .asked
            .iter()
            .filter(|name| !fits(name))
            .cloned()
            .collect();
        (!names.is_empty()).then(|| Misfit {
            names,
            candidates: self.candidates.clone(),
        })
    }

    /// Returns the resources of a stack that were named.
    pub(super) fn of(&self, stack: &str) -> BTreeSet<String> {
        self.found.get(stack).cloned().unwrap_or_default()
    }
}
