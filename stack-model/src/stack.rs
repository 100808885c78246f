//! The app and its stacks: where resources are added and handles come from.

mod data;
mod edit;
mod output;

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;

use stack_model_cfn::{Expr, ResourceType, Value};

use crate::arn::Arn;
use crate::assembly::{Asset, Contract};
use crate::error::Violation;
use crate::handle::{Handle, ResourceRef};
use crate::iam::{ManagedPolicy, boundary};
use crate::parameter::ConditionRef;
use crate::policy::Statement;
use crate::resource::{Removal, Resource, source_text};
use crate::stage::Stage;

pub(crate) use data::{Moved, OutputData, StackData};
pub use output::OutputBuilder;

/// All stacks of a stage, until they are synthesised.
///
/// ```
/// use stack_model::{App, Stage, sqs::QueueProps};
/// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
///
/// let mut app = App::new(Stage::new(request));
/// let mut stack = app.stack("orders");
/// let orders = stack.queue::<String>("Orders", QueueProps::default());
/// stack.output("QueueUrl", orders.url());
///
/// let assembly = app.synth().unwrap();
/// assert_eq!(assembly.manifest().stacks[0].name, "orders-dev");
/// ```
#[derive(Debug)]
pub struct App {
    pub(crate) stage: Stage,
    pub(crate) stacks: Vec<StackData>,
    pub(crate) assets: BTreeMap<String, Asset>,
    pub(crate) contracts: BTreeMap<String, Contract>,
    pub(crate) tags: BTreeMap<String, String>,
    /// What roles without a permissions boundary of their own have.
    pub(crate) boundary: Option<Value<Arn<ManagedPolicy>>>,
    pub(crate) violations: Vec<Violation>,
}

impl App {
    /// Starts an app without stacks.
    pub fn new(stage: Stage) -> Self {
        let mut violations = stage.violations();
        let boundary = boundary::of_stage(&stage, &mut violations);
        Self {
            stage,
            stacks: Vec::new(),
            assets: BTreeMap::new(),
            contracts: BTreeMap::new(),
            tags: BTreeMap::new(),
            boundary,
            violations,
        }
    }

    /// Returns the stage that the app is rendered for.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Adds a tag to every stack, and so to every resource that can be tagged.
    ///
    /// Keys that begin with `stackctl:` are refused: those tags tell whose a stack is.
    pub fn tag(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.tags.insert(key.into(), value.into());
    }

    /// Starts a stack, or goes on with the one of that name.
    ///
    /// The name is without the stage: `orders` is deployed as `orders-dev`.
    pub fn stack(&mut self, id: &str) -> Stack<'_> {
        let index = self
            .stacks
            .iter()
            .position(|stack| &*stack.id == id)
            .unwrap_or_else(|| {
                self.stacks.push(StackData {
                    id: Arc::from(id),
                    ..StackData::default()
                });
                self.stacks.len() - 1
            });
        Stack { app: self, index }
    }
}

/// One stack of an app.
///
/// Resources are added with a method per service, such as [`queue`](Stack::queue); each returns a handle. Nothing
/// fails while a stack is described: everything that is wrong is reported together by [`App::synth`].
#[derive(Debug)]
pub struct Stack<'app> {
    app: &'app mut App,
    index: usize,
}

impl Stack<'_> {
    /// Returns the name without the stage.
    pub fn id(&self) -> &str {
        &self.data_ref().id
    }

    /// Returns the name in CloudFormation, with the stage.
    pub fn name(&self) -> String {
        format!("{}-{}", self.id(), self.stage().name())
    }

    /// Returns the stage that the stack is rendered for.
    pub fn stage(&self) -> &Stage {
        &self.app.stage
    }

    /// Returns the region that the stack is deployed to.
    pub fn region(&self) -> &str {
        let own = self.data_ref().region.as_deref();
        own.unwrap_or_else(|| self.stage().region())
    }

    /// Returns the region of a stack of the app.
    pub(crate) fn region_of(&self, stack: &str) -> Option<String> {
        let stack = self.app.stacks.iter().find(|data| &*data.id == stack)?;
        let own = stack.region.as_deref();
        Some(own.unwrap_or_else(|| self.stage().region()).to_owned())
    }

    /// Says what the stack is for, in at most 1,024 bytes.
    pub fn describe(&mut self, description: impl Into<String>) {
        self.data().description = Some(description.into());
    }

    /// Deploys the stack to another region than the stage's.
    pub fn in_region(&mut self, region: impl Into<String>) {
        self.data().region = Some(region.into());
    }

    /// Adds a tag to the stack, and so to every resource of it that can be tagged.
    pub fn tag(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.data().tags.insert(key.into(), value.into());
    }

    /// Declares that a resource had another logical id in an earlier release.
    #[track_caller]
    pub fn moved(&mut self, from: impl Into<String>, to: &impl Handle) {
        let (from, source) = (from.into(), Location::caller());
        let to = to.resource_id();
        if to.stack() != self.id() {
            let message = format!(
                "`{0}` belongs to the stack `{1}`, and resources do not move between stacks: declare `moved` in `{1}` if it was renamed \
                 there; else leave it where it was, and use its handle here",
                to.logical_id(),
                to.stack()
            );
            return self.report(&from, None, message, source);
        }
        let moved = Moved {
            to: to.logical_id().to_owned(),
            source: source_text(source),
        };
        if self.data().moved.insert(from.clone(), moved).is_some() {
            let message = format!("`{from}` is moved twice");
            self.report(&from, None, message, source);
        }
    }

    /// Deploys another stack of the app before this one, where no token says so already.
    pub fn after(&mut self, stack: impl Into<String>) {
        self.data().depends_on.push(stack.into());
    }

    /// Adds a resource of any type, with the generated struct of its properties.
    #[track_caller]
    pub fn add(&mut self, logical_id: &str, properties: &impl ResourceType) -> ResourceRef {
        self.insert(logical_id, Resource::of(properties, Location::caller()))
    }

    /// Adds a resource of any type from raw JSON.
    ///
    /// Intrinsics may stand in it as JSON. The properties are checked against the registry's facts as those of
    /// any other resource.
    #[track_caller]
    pub fn raw(
        &mut self,
        logical_id: &str,
        resource_type: &str,
        properties: serde_json::Value,
    ) -> ResourceRef {
        let resource = Resource::new(resource_type, properties.into(), Location::caller());
        self.insert(logical_id, resource)
    }

    /// Replaces one property of a resource, by its path in the template, such as `RedrivePolicy.maxReceiveCount`.
    ///
    /// List positions are numbers counted from zero. A backslash keeps a dot in a key:
    /// `RequestParameters.method\.request\.querystring\.limit`.
    #[track_caller]
    pub fn override_property(
        &mut self,
        handle: &impl Handle,
        path: impl Into<String>,
        value: impl Into<Expr>,
    ) {
        self.add_override(handle, path.into(), Some(value.into()), Location::caller());
    }

    /// Removes one property of a resource, by its path in the template.
    #[track_caller]
    pub fn remove_property(&mut self, handle: &impl Handle, path: impl Into<String>) {
        self.add_override(handle, path.into(), None, Location::caller());
    }

    /// Adds metadata to a resource.
    #[track_caller]
    pub fn metadata(
        &mut self,
        handle: &impl Handle,
        key: impl Into<String>,
        value: impl Into<Expr>,
    ) {
        let (key, value) = (key.into(), value.into());
        self.change(handle, |resource| {
            resource.metadata.insert(key, value);
        });
    }

    /// Decides what happens to a resource that leaves its stack or is replaced.
    #[track_caller]
    pub fn removal(&mut self, handle: &impl Handle, removal: Removal) {
        self.change(handle, |resource| resource.removal = Some(removal));
    }

    /// Creates a resource after another one, where no token says so already.
    #[track_caller]
    pub fn depends_on(&mut self, handle: &impl Handle, on: &impl Handle) {
        let on = on.resource_id().clone();
        self.change(handle, |resource| {
            resource.depends_on.insert(on);
        });
    }

    /// Creates a resource only where a condition holds.
    #[track_caller]
    pub fn only_if(&mut self, handle: &impl Handle, condition: &ConditionRef) {
        if *condition.stack != *self.id() {
            let message = format!(
                "`{}` is a condition of the stack `{}`",
                condition.name, condition.stack
            );
            let id = handle.resource_id().logical_id();
            return self.report(id, Some("Condition"), message, Location::caller());
        }
        let name = condition.name.to_string();
        self.change(handle, |resource| resource.condition = Some(name));
    }

    /// Adds statements to what a role may do.
    ///
    /// They become part of the inline policy of the role, which must belong to this stack: a stack never changes
    /// one that it depends on.
    #[track_caller]
    pub fn grant(&mut self, role: &impl Handle, statements: impl IntoIterator<Item = Statement>) {
        self.add_statements(role, statements, Location::caller());
    }

    /// Reports something that is wrong; the synth shows it with everything else.
    pub fn violate(&mut self, violation: Violation) {
        self.app.violations.push(violation);
    }

    /// Makes a violation that concerns this stack.
    pub fn violation(&self, message: impl Into<String>) -> Violation {
        Violation::new(message).in_stack(self.id())
    }
}
