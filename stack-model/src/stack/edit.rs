//! How the modules of the services add resources to a stack and change them.

use std::panic::Location;
use std::sync::Arc;

use stack_model_cfn::{Expr, ResourceId, Value};

use super::{App, Stack, StackData};
use crate::assembly::{Asset, Contract};
use crate::handle::{ELSEWHERE, Handle, ResourceRef};
use crate::limit::Limited;
use crate::parameter::parameter_token;
use crate::resource::{Override, Removal, Resource, source_text};

impl Stack<'_> {
    /// Reports something that is wrong with a resource, before or after it is added.
    pub(crate) fn report(
        &mut self,
        logical_id: &str,
        property: Option<&str>,
        message: impl Into<String>,
        source: &Location<'_>,
    ) {
        let mut violation = self.violation(message).of(logical_id);
        violation.property = property.map(str::to_owned);
        self.violate(violation.declared(source_text(source)));
    }

    /// Reports a number outside its limits.
    pub(crate) fn check_limit<const MIN: u32, const MAX: u32>(
        &mut self,
        logical_id: &str,
        property: &str,
        number: Option<Limited<MIN, MAX>>,
        source: &Location<'_>,
    ) {
        if let Some(message) = number.and_then(Limited::violation) {
            self.report(logical_id, Some(property), message, source);
        }
    }

    /// Returns the token of a template parameter that the synth declares.
    pub(crate) fn parameter_value(&self, name: &str) -> Value<String> {
        let stack = Arc::clone(&self.data_ref().id);
        Value::Token(parameter_token(ResourceId::new(stack, name)))
    }

    /// Adds a resource and reports a logical id that is taken or wrong.
    pub(crate) fn insert(&mut self, logical_id: &str, resource: Resource) -> ResourceRef {
        let source = resource.source.clone();
        if let Some(message) = crate::logical_id::violation(logical_id) {
            self.violate(self.violation(message).of(logical_id).declared(&source));
        }
        let id = ResourceId::new(Arc::clone(&self.data_ref().id), logical_id);
        if let Some(earlier) = self.data_ref().resources.get(logical_id) {
            let message = format!(
                "the logical id `{logical_id}` is taken by the {} declared at {}: choose another",
                earlier.kind, earlier.source
            );
            self.violate(self.violation(message).of(logical_id).declared(source));
        } else {
            self.data()
                .resources
                .insert(logical_id.to_owned(), resource);
        }
        ResourceRef { id }
    }

    /// Returns the handle of a resource of this stack, by its logical id.
    pub(crate) fn resource_ref(&self, logical_id: &str) -> ResourceRef {
        let stack = Arc::clone(&self.data_ref().id);
        ResourceRef {
            id: ResourceId::new(stack, logical_id),
        }
    }

    /// Adds a resource with the removal policy that its data deserves: retained where the stage is protected,
    /// deleted elsewhere.
    pub(crate) fn insert_data(&mut self, logical_id: &str, mut resource: Resource) -> ResourceRef {
        resource.removal = Some(if self.stage().is_protected() {
            Removal::RetainExceptOnCreate
        } else {
            Removal::Delete
        });
        self.insert(logical_id, resource)
    }

    /// Changes a resource of this stack; a foreign or unknown handle is reported.
    #[track_caller]
    pub(crate) fn change(&mut self, handle: &impl Handle, change: impl FnOnce(&mut Resource)) {
        self.change_at(handle, Location::caller(), change);
    }

    /// Changes a resource of this stack on behalf of the given line.
    pub(crate) fn change_at(
        &mut self,
        handle: &impl Handle,
        source: &Location<'_>,
        change: impl FnOnce(&mut Resource),
    ) {
        let id = handle.resource_id();
        if id.stack() == ELSEWHERE {
            let message = format!(
                "`{}` is kept by somebody else, so no stack of this app can change it",
                id.logical_id()
            );
            self.report(id.logical_id(), None, message, source);
        } else if id.stack() != self.id() {
            let message = format!(
                "`{}` belongs to the stack `{}` and can only be changed there",
                id.logical_id(),
                id.stack()
            );
            self.report(id.logical_id(), None, message, source);
        } else if let Some(resource) = self.data().resources.get_mut(id.logical_id()) {
            change(resource);
        } else {
            let message = format!(
                "`{}` is not a resource of this stack: the handle comes from another app",
                id.logical_id()
            );
            self.report(id.logical_id(), None, message, source);
        }
    }

    /// Adds an override, which what is wrong with its value is told of.
    pub(super) fn add_override(
        &mut self,
        handle: &impl Handle,
        path: String,
        value: Option<Expr>,
        source: &Location<'_>,
    ) {
        self.change_at(handle, source, |resource| {
            resource.overrides.push(Override {
                path,
                value,
                source: source_text(source),
            });
        });
    }

    /// Declares an asset and returns the token of the parameter that receives its key in the artifact bucket.
    pub(crate) fn artifact(&mut self, parameter: &str, name: &str, asset: Asset) -> Value<String> {
        if let Some(earlier) = self.app.assets.get(name)
            && *earlier != asset
        {
            self.violate(self.violation(format!(
                "the asset `{name}` is declared twice with different contents"
            )));
        }
        self.app.assets.insert(name.to_owned(), asset);
        let stack = Arc::clone(&self.data_ref().id);
        self.data()
            .artifacts
            .insert(parameter.to_owned(), name.to_owned());
        Value::Token(parameter_token(ResourceId::new(stack, parameter)))
    }

    /// Records what a function declared that it needs.
    pub(crate) fn contract(&mut self, asset: &str, contract: Contract) {
        self.app.contracts.insert(asset.to_owned(), contract);
    }

    /// Returns the app with all its stacks.
    pub(crate) fn app_ref(&self) -> &App {
        self.app
    }

    pub(crate) fn data(&mut self) -> &mut StackData {
        #[expect(
            clippy::indexing_slicing,
            reason = "stacks are never removed, so the index stays valid"
        )]
        &mut self.app.stacks[self.index]
    }

    pub(crate) fn data_ref(&self) -> &StackData {
        #[expect(
            clippy::indexing_slicing,
            reason = "stacks are never removed, so the index stays valid"
        )]
        &self.app.stacks[self.index]
    }
}
