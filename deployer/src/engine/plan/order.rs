//! Which stacks are deployed before others, though nothing of the source says so.
//!
//! A stack that imports an export no more can be deployed before the stack that gives it up: then that one is updated once, and
//! may do with it what it likes.

use std::collections::{BTreeMap, BTreeSet};

use stack_model::assembly::StackManifest;

use super::app::Export;
use crate::engine::graph;

/// What the order of the stacks of a plan follows from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// What each stack comes after.
    after: BTreeMap<String, BTreeSet<String>>,
    /// Who exports what, once it is deployed, and whether that is new.
    exporters: BTreeMap<Export, (String, bool)>,
    /// The stacks that import what another one does not export yet.
    needs_new: BTreeSet<(String, String)>,
}

impl Order {
    /// Enters what a stack exports, as it is deployed and as it is wanted.
    pub(super) fn export(
        &mut self,
        stack: &StackManifest,
        deployed: &BTreeSet<String>,
        wanted: &BTreeSet<String>,
    ) {
        for name in wanted {
            let export = (stack.region.clone(), name.clone());
            let is_new = !deployed.contains(name);
            self.exporters.insert(export, (stack.name.clone(), is_new));
        }
    }

    /// Enters what a stack comes after: what it declares, and what exports what it imports.
    pub(super) fn import(&mut self, stack: &StackManifest, wanted: &BTreeSet<String>) {
        let after = self.after.entry(stack.name.clone()).or_default();
        after.extend(stack.depends_on.iter().cloned());
        let references = stack.references.values();
        after.extend(references.map(|reference| reference.stack.clone()));
        for name in wanted {
            let export = (stack.region.clone(), name.clone());
            if let Some((exporter, is_new)) = self.exporters.get(&export) {
                after.insert(exporter.clone());
                if *is_new {
                    let pair = (stack.name.clone(), exporter.clone());
                    self.needs_new.insert(pair);
                }
            }
        }
    }

    /// Puts stacks before another one; nothing is done where that would be a circle, or where nobody compared one of them.
    pub(super) fn put_before(&mut self, stack: &str, first: &BTreeSet<String>) -> bool {
        if !first.iter().all(|name| self.after.contains_key(name)) {
            return false;
        }
        let mut after = self.after.clone();
        let entry = after.entry(stack.to_owned()).or_default();
        entry.extend(first.iter().cloned());
        let nodes: Vec<(String, Vec<String>)> = after
            .iter()
            .map(|(name, after)| (name.clone(), after.iter().cloned().collect()))
            .collect();
        let fits = graph::check(&nodes).is_ok();
        if fits {
            self.after = after;
        }
        fits
    }

    /// Returns whether one of these stacks imports what another one does not export yet.
    pub(super) fn needs_new(&self, importers: &BTreeSet<String>, exporter: &str) -> bool {
        let mut pairs = self.needs_new.iter();
        pairs.any(|(importer, of)| importers.contains(importer) && of == exporter)
    }
}
